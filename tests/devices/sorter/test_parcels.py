"""One answer for each parcel and lap: repeats, laps, numbers used twice, the server asked aside, answers too late."""

from __future__ import annotations

import pytest

from devices.framing.wsp_values import Reason
from devices.routes import Route, RouteAnswer, RouteTable
from tests.devices.sorter.bench import SESSION, Bench, table


@pytest.fixture
def bench() -> Bench:
    made = Bench(table(SF1="17,18", SF2="5/6", overflow="24"))
    made.begin()
    return made


def test_an_answer_names_the_request_it_belongs_to(bench: Bench) -> None:
    seq = bench.request(100000123, ("SF1",))
    assert bench.out() == [["RES", "3", str(SESSION), "100000123", "17", "18", "ROUTE", "812", str(seq)]]


def test_a_divert_is_told_once_for_each_lap(bench: Bench) -> None:
    seq = bench.request(1, ("SF1",))
    bench.request(1, ("SF1",), age_ms=24, seq=seq)
    assert bench.facts("divert") == [
        {"pid": 1, "lap": 0, "codes": ["SF1"], "chute": 17, "alternate": 18, "reason": "ROUTE", "version": 812}
    ]


def test_every_repeat_gets_the_same_answer_whatever_has_changed(bench: Bench) -> None:
    seq = bench.request(1, ("SF1",))
    first = bench.out()[0]
    bench.say("CHS", 17, "FULL", 9)
    bench.routes.apply({"version": 813, "changes": [{"code": "SF1", "chute": "3"}]}, 0.0)
    bench.out()
    bench.request(1, ("SF1",), age_ms=24, seq=seq)
    assert bench.out()[0][3:] == first[3:]


def test_two_repeats_that_wait_for_the_wire_are_answered_once(bench: Bench) -> None:
    seq = bench.request(1, ("SF1",))
    bench.request(1, ("SF1",), age_ms=24, seq=seq)
    assert len(bench.out()) == 1


def test_an_unanswered_request_of_a_new_session_gets_the_same_answer_for_its_new_number(bench: Bench) -> None:
    bench.request(1, ("SF1",))
    bench.out()
    bench.say("CHS", 17, "FULL", 9)
    bench.begin(SESSION + 1)
    bench.hear("REQ", 9, SESSION + 1, 1, 1, 12, ("SF1",), (), None, None, None, None, 0, 90)
    assert [telegram[4:] for telegram in bench.out() if telegram[0] == "RES"] == [["17", "18", "ROUTE", "812", "9"]]


def test_a_new_lap_is_decided_anew(bench: Bench) -> None:
    bench.request(1, ("SF1",))
    bench.say("CHS", 17, "FULL", 9)
    bench.out()
    bench.request(1, ("SF1",), lap=1)
    assert bench.out()[0][4:7] == ["18", "", "ALT"]


def test_a_shut_group_overflows_and_a_shut_overflow_is_closed(bench: Bench) -> None:
    for chute in (5, 6):
        bench.say("CHS", chute, "JAM", 9)
    bench.request(1, ("SF2",))
    bench.say("CHS", 24, "LOCK", 0)
    bench.request(2, ("SF2",))
    answers = [telegram[4:7] for telegram in bench.out() if telegram[0] == "RES"]
    assert answers == [["24", "", "OVER"], ["0", "", "CLOSED"]]


def test_a_number_used_twice_is_rejected_told_once_and_never_gets_the_old_answer(bench: Bench) -> None:
    bench.request(1, ("SF1",))
    bench.out()
    for _ in range(2):
        bench.request(1, ("SF2",))
        assert bench.out()[0][4:7] == ["0", "", "PID"]
    assert [facts["why"] for facts in bench.facts("double")] == ["pid_used_twice"]


def test_a_number_used_twice_in_another_session_is_rejected_too(bench: Bench) -> None:
    seq = bench.request(1, ("SF1",))
    bench.begin(SESSION + 1)
    bench.hear("REQ", seq, SESSION + 1, 1, 1, 12, ("SF2",), (), None, None, None, None, 0, 4)
    assert bench.out()[0][4:7] == ["0", "", "PID"]


def test_other_codes_under_the_same_number_are_a_damaged_frame_and_the_answer_stays(bench: Bench) -> None:
    seq = bench.request(1, ("SF1",))
    bench.out()
    bench.request(1, ("SF2",), age_ms=24, seq=seq)
    assert bench.out()[0][4:7] == ["17", "18", "ROUTE"]
    assert bench.facts("double") == []
    assert bench.session.counters["requests_damaged"] == 1


def test_no_codes_are_a_noread_and_no_table_is_stale() -> None:
    bench = Bench(RouteTable())
    bench.begin()
    bench.request(1, ("SF1",))
    assert bench.out()[0][4:8] == ["0", "", "STALE", "0"]
    known = Bench(table(SF1="17"))
    known.begin()
    known.request(1, ())
    assert known.out()[0][4:8] == ["0", "", "NOREAD", "812"]


# --- too late ---------------------------------------------------------------------------------------------------------


def test_an_answer_within_20_ms_of_the_windows_end_is_not_sent(bench: Bench) -> None:
    bench.request(1, ("SF1",), age_ms=280)
    bench.request(2, ("SF1",), age_ms=281)
    assert [telegram[3] for telegram in bench.out()] == ["1"]
    assert bench.session.counters["answers_too_late"] == 1


def test_the_time_an_answer_waits_for_the_wire_counts(bench: Bench) -> None:
    bench.request(1, ("SF1",), age_ms=250)
    bench.now_s += 0.031
    assert bench.out() == []


# --- the server asked aside -------------------------------------------------------------------------------------------


@pytest.fixture
def asking() -> Bench:
    made = Bench(table(SF1="17"), reachable=True)
    made.begin()
    return made


def test_an_unknown_code_is_not_answered_until_the_server_has_spoken(asking: Bench) -> None:
    seq = asking.request(1, ("NEW",))
    asking.request(1, ("NEW",), age_ms=24, seq=seq)
    assert asking.out() == []
    assert [(ask.pid, ask.codes) for ask in asking.asks] == [(1, ("NEW",))]
    asking.now_s += 0.100
    asking.session.server_answered(asking.asks[0], RouteAnswer(Route((9,), 10)), asking.moment())
    assert asking.out() == [["RES", "3", str(SESSION), "1", "9", "10", "ROUTE", "812", str(seq)]]


def test_a_code_the_server_does_not_know_either_is_unknown(asking: Bench) -> None:
    asking.request(1, ("NEW",))
    asking.session.server_answered(asking.asks[0], RouteAnswer(None), asking.moment())
    assert asking.out()[0][4:7] == ["0", "", "UNKNOWN"]


def test_a_word_of_the_server_that_comes_too_late_is_kept_for_the_next_lap(asking: Bench) -> None:
    asking.request(1, ("NEW",))
    asking.now_s += 0.300
    asking.session.server_answered(asking.asks[0], RouteAnswer(Route((9,))), asking.moment())
    assert asking.out() == []
    asking.request(1, ("NEW",), lap=1)
    assert asking.out()[0][4:7] == ["9", "", "ROUTE"]


def test_a_server_that_says_nothing_leaves_the_parcel_to_the_next_lap_which_is_unknown(asking: Bench) -> None:
    seq = asking.request(1, ("NEW",))
    asking.session.server_answered(asking.asks[0], None, asking.moment())
    asking.request(1, ("NEW",), age_ms=44, seq=seq)
    assert asking.out() == []
    assert len(asking.asks) == 1
    asking.request(1, ("NEW",), lap=1)
    assert asking.out()[0][4:7] == ["0", "", "UNKNOWN"]


def test_when_the_server_goes_away_meanwhile_the_parcel_is_unknown_at_once(asking: Bench) -> None:
    seq = asking.request(1, ("NEW",))
    asking.reachable = False
    asking.request(1, ("NEW",), age_ms=24, seq=seq)
    assert asking.out()[0][4:7] == ["0", "", "UNKNOWN"]


def test_a_route_that_arrives_while_the_server_is_asked_is_used(asking: Bench) -> None:
    seq = asking.request(1, ("NEW",))
    asking.routes.apply({"version": 813, "changes": [{"code": "NEW", "chute": "4"}]}, 0.0)
    asking.request(1, ("NEW",), age_ms=24, seq=seq)
    assert asking.out()[0][4:8] == ["4", "", "ROUTE", "813"]


def test_an_order_stopped_at_the_server_is_held(asking: Bench) -> None:
    asking.request(1, ("NEW",))
    asking.session.server_answered(asking.asks[0], RouteAnswer(Route((0,), None, Reason.HOLD)), asking.moment())
    assert asking.out()[0][4:7] == ["0", "", "HOLD"]


def test_the_words_of_an_earlier_session_answer_nothing_in_this_one(asking: Bench) -> None:
    asking.request(1, ("NEW",))
    ask = asking.asks[0]
    asking.begin(SESSION + 1)
    asking.session.server_answered(ask, RouteAnswer(Route((9,))), asking.moment())
    assert asking.out() == []
