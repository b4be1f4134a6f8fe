"""Who picks what when: turns, lateness, what would help, and the latest start."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from tests.builders import MORNING
from wms.picking.rules.schedule import PEOPLE_MORE_MAX, Pace, Picker, Piece, late_orders, outlook, schedule


def at(minutes: float) -> datetime:
    return MORNING + timedelta(minutes=minutes)


def piece(no: str, minutes: float, due: float, orders: int = 1, *, planned: bool = True) -> Piece:
    return Piece(no, minutes * 60, at(due), orders, planned)


def pickers(*free_at: float) -> list[Picker]:
    return [Picker(f"P{number}", at(free)) for number, free in enumerate(free_at)]


def test_whoever_is_free_first_takes_what_is_due_first() -> None:
    turns = schedule(pickers(0, 5), [piece("late", 10, 90), piece("soon", 20, 30), piece("last", 10, 99)])
    told = [(turn.piece.no, turn.picker, turn.begin, turn.end) for turn in turns]
    assert told == [
        ("soon", "P0", at(0), at(20)),
        ("late", "P1", at(5), at(15)),
        ("last", "P1", at(15), at(25)),
    ]


def test_nobody_picks_nothing() -> None:
    assert schedule([], [piece("a", 10, 30)]) == ()
    found = outlook([], [piece("a", 10, 30)], MORNING)
    assert (found.turns, found.end, found.latest_start, found.margin) == ((), None, None, None)


def test_a_batch_is_late_only_when_it_ends_after_it_is_due() -> None:
    (just,) = schedule(pickers(0), [piece("a", 30, 30)])
    (over,) = schedule(pickers(0), [piece("a", 30.1, 30)])
    assert (just.late, over.late) == (False, True)


def test_only_the_plan_s_own_orders_count_as_late() -> None:
    turns = schedule(pickers(0), [piece("before", 40, 30, 7, planned=False), piece("own", 10, 45, 3)])
    assert [turn.late for turn in turns] == [True, True]
    assert late_orders(turns) == 3


def test_it_says_how_many_people_more_would_be_enough() -> None:
    pieces = [piece(str(number), 30, 30, 2) for number in range(4)]
    found = outlook(pickers(0), pieces, MORNING)
    assert (found.late_orders, found.people_more, found.end) == (6, 3, at(120))
    assert found.margin == timedelta(minutes=-90)
    assert outlook(pickers(0, 0, 0, 0), pieces, MORNING).people_more == 0


def test_it_says_when_no_number_of_people_would_be_enough() -> None:
    assert outlook(pickers(0), [piece("a", 60, 30)], MORNING).people_more is None
    many = [piece(str(number), 30, 30) for number in range(PEOPLE_MORE_MAX + 2)]
    assert outlook(pickers(0), many, MORNING).people_more is None
    assert outlook(pickers(0), many[:-1], MORNING).people_more == PEOPLE_MORE_MAX


def test_the_latest_start_is_just_in_time_for_all() -> None:
    pieces = [piece("a", 10, 60), piece("b", 30, 70), piece("before", 99, 10, planned=False)]
    start = outlook(pickers(0), pieces, MORNING).latest_start
    assert start == at(30)  # b ends 40 minutes later, as it must
    again = schedule([Picker("P0", start)], [one for one in pieces if one.planned])
    assert min(turn.piece.due_at - turn.end for turn in again) == timedelta(0)


@pytest.mark.parametrize(("walk_mm", "stops", "pieces"), [(0, 0, 0), (120_000, 10, 25)])
def test_a_batch_takes_its_metres_its_stops_its_pieces_and_the_cart(walk_mm: int, stops: int, pieces: int) -> None:
    pace = Pace(s_per_m=0.5, s_per_stop=8, s_per_piece=2, setup_s=60)
    assert pace.seconds(walk_mm, stops, pieces) == 60 + walk_mm / 2_000 + 8 * stops + 2 * pieces
