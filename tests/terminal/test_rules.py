"""What the terminal reckons: forecasts, the order of troubles, scales and lines."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from wms.terminal.rules.forecast import flow, pace_per_h
from wms.terminal.rules.order import in_turn, together, without_shelved, worst_first
from wms.terminal.rules.plots import added_up, buckets, points, round_top
from wms.terminal.values import HOLD, STAGES, STOP, WARN, CutOff, Deed, Forecast, Shelved, Tile, Trouble, Words

NOW = datetime(2026, 11, 7, 6, 0, tzinfo=UTC)


def at(minutes: float) -> datetime:
    return NOW + timedelta(minutes=minutes)


def row(
    minutes: float, courier: str = "YD", *, short: int = 0, shipped: int = 0, ready: int = 0, **counts: int
) -> CutOff:
    stages = dict.fromkeys(STAGES, 0) | counts
    total = sum(stages.values()) + ready + shipped
    return CutOff(courier, courier, at(minutes), stages, short, ready, shipped, total)


def forecasts(*rows: CutOff, pace: int = 60) -> list[Forecast]:
    return [end for _, end in flow(rows, pace, NOW).rows]


def test_work_is_done_in_the_order_of_the_cut_offs() -> None:
    first, second = forecasts(row(120, "B", picking=30), row(60, "A", packing=40))
    assert (first.ready_at, first.margin) == (at(40), timedelta(minutes=20))
    assert (second.ready_at, second.margin) == (at(70), timedelta(minutes=50))


def test_orders_that_do_not_make_it_are_counted_and_the_fullest_stage_is_named() -> None:
    (end,) = forecasts(row(30, picking=35, packing=10))
    assert end.late == 15
    assert end.worst == "picking"
    assert end.margin == timedelta(minutes=-15)


def test_a_cut_off_just_made_is_not_late() -> None:
    assert forecasts(row(30, picking=30))[0].late == 0
    assert forecasts(row(30, picking=31))[0].late == 1


def test_nobody_packs_means_no_forecast() -> None:
    (end,) = forecasts(row(30, picking=5), pace=0)
    assert (end.ready_at, end.late) == (None, 0)


def test_after_the_cut_off_everything_still_here_is_late() -> None:
    (open_work,) = forecasts(row(-10, packing=4), pace=0)
    (waiting,) = forecasts(row(-10, ready=3, shipped=2))
    assert (open_work.late, open_work.worst) == (4, "packing")
    assert (waiting.late, waiting.worst) == (3, "handover")


def test_orders_without_stock_cost_no_work() -> None:
    (end,) = forecasts(row(30, to_allocate=50, short=50))
    assert end.late == 0
    assert row(30, to_allocate=50, short=20, picking=5).open == 35


def test_what_is_needed_is_set_by_the_tightest_cut_off() -> None:
    assert flow([row(30, picking=50), row(120, "Z", picking=10)], 60, NOW).needed_per_h == 100


@pytest.mark.parametrize(
    ("packed", "minutes", "pace"), [(0, 300, 0), (90, 300, 90), (30, 30, 60), (10, 1, 60), (5, 10, 30)]
)
def test_the_pace_of_a_young_day_is_measured_since_its_first_parcel(packed: int, minutes: int, pace: int) -> None:
    assert pace_per_h(packed, at(-minutes), NOW) == pace


def trouble(key: str, priority: int, **more: Any) -> Trouble:
    return Trouble(key, "X-1", priority, Words("a"), Words("b"), Deed("c", Words("d")), **more)


def test_the_gravest_comes_first_then_what_hurts_soonest_then_what_lasts_longest() -> None:
    rows = [
        trouble("held", HOLD, since=at(-90)),
        trouble("young", WARN, since=at(-1)),
        trouble("old", WARN, since=at(-9)),
        trouble("late", STOP, harm_at=at(60)),
        trouble("later", STOP, harm_at=at(90)),
    ]
    assert [one.key for one in in_turn(rows)] == ["late", "later", "old", "young", "held"]


def test_what_was_shelved_is_listed_apart_with_who_did_it() -> None:
    shelf = {"a": Shelved("a", "程丽", "later", at(15))}
    open_ones, put_aside = without_shelved([trouble("a", STOP), trouble("b", STOP)], shelf)
    assert [one.key for one in open_ones] == ["b"]
    assert put_aside[0][1].by == "程丽"


def tile(name: str, icon: str = "printer", priority: int = 0) -> Tile:
    return Tile(name, icon, Words("x"), station="PK-01", gateway="gw", priority=priority)


def test_devices_in_trouble_stand_first() -> None:
    assert [one.name for one in worst_first([tile("a"), tile("b", priority=2), tile("c", priority=1)])] == [
        "c",
        "b",
        "a",
    ]


def test_on_the_small_wall_gateways_and_scales_that_are_well_share_a_tile() -> None:
    wall = together(
        worst_first([tile("g1", "gateway"), tile("g2", "gateway"), tile("s", "scale", 1), tile("p"), tile("l", "line")])
    )
    assert [(one.icon, one.name) for one in wall] == [("scale", "s"), ("line", "l"), ("gateway", "2"), ("printer", "p")]


@pytest.mark.parametrize(
    ("highest", "marks", "expected"),
    [(0, 3, (1, 1)), (3, 3, (3, 1)), (10, 3, (10, 5)), (1888, 3, (2000, 1000)), (11_900, 3, (15_000, 5000))],
)
def test_a_scale_ends_in_a_round_number_above_the_highest(highest: int, marks: int, expected: tuple[int, int]) -> None:
    top, step = round_top(highest, marks)
    assert (top, step) == expected
    assert top >= highest


def test_moments_are_added_up_including_the_moment_itself() -> None:
    moments = buckets(NOW, at(40))
    assert moments == [NOW, at(15), at(30), at(40)]
    assert added_up(moments, [at(0), at(15), at(15.1), at(39)]) == [1, 2, 3, 4]


def test_a_flat_line_is_drawn_at_the_bottom_and_a_goal_lifts_the_scale() -> None:
    assert points([5, 5], 10, 20) == [(0, 20), (10, 20)]
    assert points([0, 5], 10, 20, goal=10) == [(0, 20), (10, 10)]
