"""A job only ever moves towards the truth about paper."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wms.core import codes
from wms.printing.rules import DUE, REPORTS, after_report, nonce_for, read_trace
from wms.printing.values import JobState, Trace, trace_code

S = JobState
LIFE = [S.CLAIMED, S.SENDING, S.SENT, S.VERIFIED]


def test_every_state_says_what_may_be_reported_in_it() -> None:
    assert set(REPORTS) == set(JobState)
    assert {S.QUEUED, S.CANCELLED}.isdisjoint(frozenset().union(*REPORTS.values()))


def test_a_job_that_goes_well_passes_through_every_state() -> None:
    state = S.QUEUED
    for reported in LIFE:
        state = after_report(state, reported)
        assert state is reported


@given(st.lists(st.sampled_from([*LIFE, S.UNCERTAIN, S.FAILED]), max_size=12))
def test_what_is_on_paper_stays_on_paper_whatever_is_reported(reports: list[JobState]) -> None:
    state = S.QUEUED
    for reported in reports:
        before, state = state, after_report(state, reported)
        if before in {S.SENT, S.VERIFIED}:
            assert state in {before, S.VERIFIED, S.UNCERTAIN}
        if before is S.UNCERTAIN:
            assert state in {S.UNCERTAIN, S.VERIFIED}
        assert after_report(state, reported) is state or reported not in REPORTS[state]


@pytest.mark.parametrize("late", [S.CLAIMED, S.SENDING, S.FAILED])
def test_a_late_report_does_not_turn_a_sent_label_back(late: JobState) -> None:
    assert after_report(S.SENT, late) is S.SENT


def test_an_uncertain_label_is_never_failed_by_a_machine_and_stays_due() -> None:
    assert after_report(S.UNCERTAIN, S.FAILED) is S.UNCERTAIN
    assert S.UNCERTAIN in DUE


@given(number=st.from_regex(r"[0-9A-Z][0-9A-Z-]{0,20}", fullmatch=True), reprint=st.integers(0, 999), request=st.text())
def test_a_trace_code_is_read_back_into_its_parts(number: str, reprint: int, request: str) -> None:
    nonce = nonce_for(request, "key")
    read = codes.read(trace_code(number, reprint, nonce))
    assert read.kind is codes.Kind.PARCEL
    assert read_trace(read.body) == Trace(number, reprint, nonce)


@pytest.mark.parametrize("body", ["P0000017-1", "YT1234567890123", "", "YT1-1000-ABCDEF", "YT1-1-abcdef"])
def test_a_parcels_own_code_is_no_trace(body: str) -> None:
    assert read_trace(body) is None


def test_a_nonce_is_the_same_for_a_repeated_request_and_another_for_every_other() -> None:
    assert nonce_for("r1", "k") == nonce_for("r1", "k")
    assert len({nonce_for(f"r{n}", "k") for n in range(1000)}) == 1000
