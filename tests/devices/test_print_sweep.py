"""A fault at bytes all over a print job; the whole sweep is `wms-devices sweep`."""

from __future__ import annotations

from pathlib import Path

import pytest

from devices.accept.prints import FAULTS, LANGUAGES, SweepCount, sweep


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("wire", ["tcp", "serial", "file", "silent", "silent_tcp"])
def test_a_fault_anywhere_in_a_job_gives_no_second_label_and_no_lost_one_unsaid(
    tmp_path: Path, language: str, wire: str
) -> None:
    counts = list(sweep(tmp_path, [language], [wire], ["cut", "kill"], step=13))
    assert [count.fault for count in counts] == ["cut", "kill"]
    for count in counts:
        assert count.holds(), count
        assert count.uncertain > 0, "no fault hit the job itself"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("fault", ["dead", "late"])
def test_a_label_that_nobody_can_ask_for_is_lost_unsaid_neither_in_silence_nor_by_a_late_reset(
    tmp_path: Path, language: str, fault: str
) -> None:
    (count,) = sweep(tmp_path, [language], ["silent_tcp"], [fault], step=29)
    assert count.holds(), count
    assert (count.uncertain, count.sent) == (count.trials, 0)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_printer_that_dies_in_a_job_leaves_it_to_a_person(tmp_path: Path, language: str) -> None:
    (count,) = sweep(tmp_path, [language], ["tcp"], ["dead"], step=29)
    assert count.holds(), count
    assert count.uncertain > 0


def test_the_count_sees_what_would_break_the_promise() -> None:
    def count(state: str, copies: int, took_s: float = 0.1) -> bool:
        made = SweepCount("zpl", "tcp", FAULTS[0], bytes=1)
        made.note(state, copies, took_s)
        return made.holds()

    assert count("verified", 1)
    assert count("uncertain", 1)
    assert count("uncertain", 0)
    assert not count("verified", 2)
    assert not count("verified", 0)
    assert not count("sent", 0)
    assert not count("uncertain", 0, took_s=11.0)
