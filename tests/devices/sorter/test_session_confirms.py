"""Confirmations at the gateway's end of WSP/1: booked once, acknowledged after the commit."""

from __future__ import annotations

import pytest

from devices.framing.wsp import frame
from tests.devices.sorter.bench import SESSION, UNIX_MS, Bench


@pytest.fixture
def bench() -> Bench:
    made = Bench()
    made.begin()
    return made


def test_a_confirmation_is_acknowledged_only_after_the_commit(bench: Bench) -> None:
    seq = bench.confirm(100000123, ("SF1",), 17, "OK")
    assert bench.out() == []
    assert bench.facts("cfm") == [
        {"pid": 100000123, "codes": ["SF1"], "chute": 17, "result": "OK", "carrier": 12, "time_ms": UNIX_MS}
    ]
    bench.commit()
    assert [telegram[0::3] for telegram in bench.out()] == [["ACK", str(seq)]]


def test_a_confirmation_of_an_unknown_place_says_so(bench: Bench) -> None:
    bench.say("CFM", 100000119, (), None, "LOST", 8, None)
    assert bench.facts("cfm") == [{"pid": 100000119, "codes": [], "chute": None, "result": "LOST", "carrier": 8}]


def test_a_repeat_before_the_commit_is_booked_once_and_acknowledged_after_it(bench: Bench) -> None:
    seq = bench.confirm(1, ("SF1",), 17, "OK")
    bench.hear("CFM", seq, SESSION, 1, ("SF1",), 17, "OK", 12, UNIX_MS)
    assert len(bench.records) == 1
    bench.commit()
    assert {telegram[3] for telegram in bench.out()} == {str(seq)}


def test_every_repeat_after_the_commit_is_acknowledged_again(bench: Bench) -> None:
    seq = bench.confirm(1, ("SF1",), 17, "OK")
    bench.commit()
    bench.out()
    for _ in range(3):
        bench.hear("CFM", seq, SESSION, 1, ("SF1",), 17, "OK", 12, UNIX_MS)
        assert [telegram[0::3] for telegram in bench.out()] == [["ACK", str(seq)]]
    assert bench.records == []


def test_what_was_booked_in_an_earlier_session_is_acknowledged_and_not_booked_again(bench: Bench) -> None:
    bench.confirm(1, ("SF1",), 17, "OK")
    bench.commit()
    bench.begin(SESSION + 1)
    bench.hear("CFM", 7, SESSION + 1, 1, ("SF1",), 17, "OK", 12, UNIX_MS)
    assert bench.records == []
    assert ["ACK", "7"] in [telegram[0::3] for telegram in bench.out()]


def test_what_was_booked_before_a_restart_is_not_booked_again() -> None:
    bench = Bench(kept=[{"pid": 1, "codes": ["SF1"], "chute": 17, "result": "OK"}])
    bench.begin()
    bench.confirm(1, ("SF1",), 17, "OK")
    assert bench.records == []
    assert [telegram[0] for telegram in bench.out()] == ["ACK"]


def test_a_commit_of_an_earlier_session_acknowledges_nothing_in_this_one(bench: Bench) -> None:
    bench.confirm(1, ("SF1",), 17, "OK")
    records = bench.take_records()
    bench.begin(SESSION + 1)
    bench.session.recorded(records[0].key)
    assert bench.out() == []


def test_a_second_different_confirmation_is_acknowledged_and_reported_once(bench: Bench) -> None:
    bench.confirm(1, ("SF1",), 17, "OK")
    bench.commit()
    bench.out()
    second = bench.confirm(1, ("SF1",), 18, "OK")
    assert [(facts["chute"], facts["why"]) for facts in bench.facts("double")] == [(18, "confirmed_differently")]
    assert bench.facts("cfm") == []
    assert bench.out() == []
    bench.commit()
    assert [telegram[0::3] for telegram in bench.out()] == [["ACK", str(second)]]
    bench.confirm(1, ("SF1",), 18, "OK")
    assert bench.records == []


def test_with_a_full_disk_the_line_is_told_busy_and_its_repeat_is_taken_as_new(bench: Bench) -> None:
    seq = bench.confirm(1, ("SF1",), 17, "OK")
    bench.fail_to_commit()
    assert [telegram[0::3] for telegram in bench.out()] == [["NAK", str(seq)]]
    bench.hear("CFM", seq, SESSION, 1, ("SF1",), 17, "OK", 12, UNIX_MS)
    assert len(bench.facts("cfm")) == 1
    bench.commit()
    assert [telegram[0::3] for telegram in bench.out()] == [["ACK", str(seq)]]


def test_the_codes_booked_are_those_of_the_request_and_a_difference_is_reported(bench: Bench) -> None:
    bench.request(1, ("SF1",))
    bench.confirm(1, ("SF1", "X"), 17, "OK")
    assert [facts["codes"] for facts in bench.facts("cfm")] == [["SF1"]]
    assert [facts["why"] for facts in bench.facts("double")] == ["codes_differ"]


def test_the_codes_of_the_last_lap_are_booked(bench: Bench) -> None:
    bench.request(1, ())
    bench.request(1, ("SF1",), lap=1)
    bench.confirm(1, ("SF1",), 17, "OK")
    assert bench.facts("double") == []
    assert bench.facts("cfm")[0]["codes"] == ["SF1"]


def test_a_code_that_is_no_text_can_still_be_stored(bench: Bench) -> None:
    bench.hear_bytes(_frame_with_raw_code())
    assert bench.facts("cfm")[0]["codes"] == ["A\\xff"]


def _frame_with_raw_code() -> bytes:
    return frame(b"CFM|2|%d|1|A%%FF|17|OK||" % SESSION)


def test_the_end_of_the_replay_is_acknowledged_after_everything_before_it_is_on_disk(bench: Bench) -> None:
    begins = bench.say("SYB", 1)
    assert [telegram[0::3] for telegram in bench.out()] == [["ACK", str(begins)]]
    replayed = bench.confirm(1, ("SF1",), 17, "OK")
    ends = bench.say("SYE", 1)
    assert bench.out() == []
    bench.commit()
    assert [telegram[0::3] for telegram in bench.out()] == [["ACK", str(replayed)], ["ACK", str(ends)]]


def test_an_empty_replay_ends_at_once(bench: Bench) -> None:
    bench.say("SYB", 0)
    bench.say("SYE", 0)
    assert [telegram[0] for telegram in bench.out()] == ["ACK", "ACK"]
