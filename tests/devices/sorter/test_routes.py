"""Where parcels go: plans, changes of the table, and the decision for one parcel."""

from __future__ import annotations

import threading
import weakref
from pathlib import Path

import pytest

from devices.errors import ConfigError
from devices.framing.wsp_values import Reason
from devices.routes import (
    Decision,
    Route,
    RouteAnswer,
    RouteRefused,
    RouteTable,
    decide,
    read_plan,
)

NOW_S = 1000.0


def table_of(*rows: str, overflow: str | None = None) -> RouteTable:
    """A table from `code,chute[,alternate]` rows, version 7, just told by the server."""
    names = ("code", "chute", "alternate")
    table = RouteTable()
    changes = [dict(zip(names, row.split(","), strict=False)) for row in rows]
    table.apply({"version": 7, "full": True, "changes": changes, "overflow": overflow}, NOW_S)
    return table


def decision(table: RouteTable, *codes: str, not_open: frozenset[int] = frozenset()) -> tuple[int, int | None, Reason]:
    made = decide(table.current, codes, not_open, NOW_S)
    assert made.table_version == table.current.version
    return made.chute, made.alternate, made.reason


def test_a_planned_code_goes_to_its_chute_with_its_alternate() -> None:
    assert decision(table_of("SF1,17,18"), "SF1") == (17, 18, Reason.ROUTE)


def test_a_code_without_alternate_has_none() -> None:
    assert decision(table_of("SF1,17"), "SF1") == (17, None, Reason.ROUTE)


def test_the_next_chute_of_a_group_is_the_alternate() -> None:
    assert decision(table_of("A,5/6"), "A") == (5, 6, Reason.ROUTE)


def test_with_the_planned_chute_shut_the_next_of_the_group_is_taken() -> None:
    table = table_of("A,5/6,9")
    assert decision(table, "A", not_open=frozenset({5})) == (6, 9, Reason.ALT)
    assert decision(table, "A", not_open=frozenset({5, 6})) == (9, None, Reason.ALT)


def test_a_shut_chute_is_never_named_as_alternate() -> None:
    assert decision(table_of("A,5/6,9"), "A", not_open=frozenset({6})) == (5, 9, Reason.ROUTE)
    assert decision(table_of("A,5/6"), "A", not_open=frozenset({6})) == (5, None, Reason.ROUTE)


def test_with_the_whole_group_shut_the_overflow_chute_is_taken() -> None:
    table = table_of("A,5/6", overflow="24")
    assert decision(table, "A", not_open=frozenset({5, 6})) == (24, None, Reason.OVER)


def test_with_everything_shut_the_parcel_is_rejected_as_closed() -> None:
    assert decision(table_of("A,5"), "A", not_open=frozenset({5})) == (0, None, Reason.CLOSED)
    table = table_of("A,5", overflow="24")
    assert decision(table, "A", not_open=frozenset({5, 24})) == (0, None, Reason.CLOSED)


def test_a_parcel_without_codes_is_a_noread() -> None:
    assert decision(table_of("A,5")) == (0, None, Reason.NOREAD)


def test_a_code_nobody_knows_is_unknown() -> None:
    assert decision(table_of("A,5"), "B") == (0, None, Reason.UNKNOWN)


def test_codes_without_a_route_are_left_out() -> None:
    assert decision(table_of("A,5,6"), "69012345", "A", "X") == (5, 6, Reason.ROUTE)


def test_codes_that_lead_to_one_group_agree() -> None:
    assert decision(table_of("A,5/6", "B,5/6"), "A", "B") == (5, 6, Reason.ROUTE)


@pytest.mark.parametrize("other", ["B,7", "B,5", "B,5/7", "B,0"])
def test_codes_that_lead_to_different_groups_are_never_guessed(other: str) -> None:
    assert decision(table_of("A,5/6", other), "A", "B") == (0, None, Reason.MULTI)
    assert decision(table_of("A,5/6", other), "B", "A") == (0, None, Reason.MULTI)


def test_a_stopped_order_is_held() -> None:
    table = RouteTable()
    table.apply({"version": 3, "full": True, "changes": [{"code": "A", "chute": "0", "reason": "HOLD"}]}, NOW_S)
    assert decision(table, "A") == (0, None, Reason.HOLD)


def test_codes_match_as_bytes() -> None:
    table = table_of("sf1,17", "储1,3")
    assert decision(table, "SF1")[2] == Reason.UNKNOWN
    assert decision(table, "储1")[0] == 3


def test_without_a_table_everything_is_stale() -> None:
    assert decide(RouteTable().current, ("A",), frozenset(), NOW_S) == Decision(0, None, Reason.STALE, 0)


def test_a_table_of_the_server_is_good_for_four_hours_from_the_last_word() -> None:
    table = table_of("A,5")
    assert decide(table.current, ("A",), (), NOW_S + 4 * 3600 - 1).chute == 5
    assert decide(table.current, ("A",), (), NOW_S + 4 * 3600).reason == Reason.STALE
    table.apply({"version": table.current.version, "changes": []}, NOW_S + 3600)
    assert decide(table.current, ("A",), (), NOW_S + 4 * 3600).chute == 5


def test_another_overflow_is_taken_also_when_no_code_changed() -> None:
    table = table_of("A,5")
    nothing_else = {"version": table.current.version, "full": False, "changes": []}
    table.apply({**nothing_else, "overflow": "24"}, NOW_S)
    assert decide(table.current, ("A",), {5}, NOW_S) == Decision(24, None, Reason.OVER, table.current.version)
    table.apply({**nothing_else, "overflow": None}, NOW_S)
    assert decide(table.current, ("A",), {5}, NOW_S).reason == Reason.CLOSED


def test_a_change_adds_moves_and_takes_out_codes() -> None:
    table = table_of("A,5", "B,6", "C,7")
    before = table.current
    table.apply({"version": 8, "changes": [{"code": "B", "chute": "9"}, {"code": "C", "chute": None}]}, NOW_S)
    assert [decision(table, code)[0] for code in "ABC"] == [5, 9, 0]
    assert table.current.version == 8
    # Whoever decided with the older snapshot still decides as it said.
    assert [decide(before, (code,), (), NOW_S).chute for code in "ABC"] == [5, 6, 7]


def test_a_change_that_does_not_name_the_overflow_leaves_it() -> None:
    table = table_of("A,5", overflow="24")
    table.apply({"version": 8, "changes": []}, NOW_S)
    assert table.current.overflow == 24
    table.apply({"version": 9, "changes": [], "overflow": None}, NOW_S)
    assert table.current.overflow is None


@pytest.mark.parametrize("chute", ["", "x", "5/", "/5", "5/5", "0/5", "10000", "-1", "5;6"])
def test_a_change_with_an_impossible_chute_changes_nothing(chute: str) -> None:
    table = table_of("A,5")
    with pytest.raises(RouteRefused):
        table.apply({"version": 8, "changes": [{"code": "A", "chute": "6"}, {"code": "B", "chute": chute}]}, NOW_S)
    assert decision(table, "A")[0] == 5
    assert table.current.version == 7


def test_an_answer_of_the_server_is_read() -> None:
    assert RouteAnswer.of({"known": False}) == RouteAnswer(None)
    assert RouteAnswer.of({"known": True, "chute": "5/6", "alternate": "7"}) == RouteAnswer(Route((5, 6), 7))
    assert RouteAnswer.of({"known": True, "chute": "0", "reason": "HOLD"}) == RouteAnswer(
        Route((0,), None, Reason.HOLD)
    )


def test_a_plan_is_read_with_and_without_its_header(tmp_path: Path) -> None:
    plan = tmp_path / "plan.csv"
    plan.write_text("code,chute,alternate\nSF1,17,18\n\nSF2,5/6\nSF3,5,\n", encoding="utf-8-sig")
    assert read_plan(plan) == {"SF1": Route((17,), 18), "SF2": Route((5, 6)), "SF3": Route((5,))}
    plan.write_text("SF1,17,18\r\n", encoding="utf-8")
    assert read_plan(plan) == {"SF1": Route((17,), 18)}


def test_every_bad_row_of_a_plan_is_named_by_its_line(tmp_path: Path) -> None:
    plan = tmp_path / "plan.csv"
    plan.write_text("A,5\nB,x\nC,6\nD\nA,7\n,5\nE,5,0\n", encoding="utf-8")
    with pytest.raises(ConfigError) as refused:
        read_plan(plan)
    text = str(refused.value)
    assert [line for line in range(1, 8) if f"line {line}:" in text] == [2, 4, 5, 6, 7]


def test_a_plan_that_is_not_there_is_a_clear_refusal(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        RouteTable().load_plan(tmp_path / "none.csv")


def test_a_plan_from_a_file_never_ages_and_counts_its_versions(tmp_path: Path) -> None:
    plan = tmp_path / "plan.csv"
    plan.write_text("A,5\n", encoding="utf-8")
    table = RouteTable()
    assert table.load_plan(plan) == 1
    assert decide(table.current, ("A",), (), 1e9).chute == 5
    assert table.load_plan(plan) == 2


def test_a_saved_table_outlives_the_gateway_and_goes_on_ageing(tmp_path: Path) -> None:
    table = table_of("A,5/6,9", "储,7", overflow="24")
    kept = tmp_path / "routes.kept"
    table.save(kept, now_ms=1_000_000, now_s=NOW_S + 3600)
    again = RouteTable()
    assert again.restore(kept, now_ms=1_000_000 + 3_600_000, now_s=50.0) == 7
    assert (again.current.overflow, len(again.current)) == (24, 2)
    assert decide(again.current, ("A",), (), 50.0 + 2 * 3600 - 1).chute == 5
    assert decide(again.current, ("A",), (), 50.0 + 2 * 3600 + 1).reason == Reason.STALE


def test_a_clock_set_back_does_not_make_a_saved_table_young(tmp_path: Path) -> None:
    kept = tmp_path / "routes.kept"
    table_of("A,5").save(kept, now_ms=1_000_000_000, now_s=NOW_S)
    again = RouteTable()
    again.restore(kept, now_ms=0, now_s=0.0)
    assert decide(again.current, ("A",), (), 4 * 3600).reason == Reason.STALE


def test_nothing_saved_is_no_table(tmp_path: Path) -> None:
    assert RouteTable().restore(tmp_path / "none", 0, 0.0) == 0


def test_a_reader_never_sees_half_a_change() -> None:
    """Two codes always move together; a thread that decides for both must never find them apart."""
    table = table_of("A,1", "B,1")
    stop = threading.Event()
    apart: list[Decision] = []

    def decide_for_ever() -> None:
        while not stop.is_set():
            made = decide(table.current, ("A", "B"), (), NOW_S)
            if made.reason != Reason.ROUTE:
                apart.append(made)

    reader = threading.Thread(target=decide_for_ever)
    reader.start()
    for version in range(8, 1500):
        chute = str(version % 90 + 1)
        changes = [{"code": "A", "chute": chute}, {"code": "B", "chute": chute}]
        table.apply({"version": version, "changes": changes}, NOW_S)
    stop.set()
    reader.join()
    assert apart == []


class Ring:
    """Garbage that only the collector can take away."""

    def __init__(self) -> None:
        self.itself = self


def test_a_new_table_lets_go_of_what_an_earlier_one_kept_from_the_collector() -> None:
    """A gateway takes whole tables for years."""
    ring = Ring()
    gone = weakref.ref(ring)
    table_of("SF1,7")
    del ring
    table_of("SF1,8")
    assert gone() is None
