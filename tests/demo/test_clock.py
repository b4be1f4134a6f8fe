"""The demonstration's clock: fast by day, at the wall clock's pace in the evening, never backwards."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from wms.demo.clock import DayClock

OPENS = datetime(2026, 11, 7, tzinfo=UTC)
EVENING = OPENS + timedelta(hours=10)


class Wall:
    """A wall clock that is moved by hand."""

    def __init__(self) -> None:
        self.s = 1_000.0

    def __call__(self) -> float:
        return self.s


def test_by_day_it_runs_as_many_times_as_fast() -> None:
    wall = Wall()
    clock = DayClock(OPENS, 360.0, EVENING, wall)
    wall.s += 10
    assert clock.now() == OPENS + timedelta(hours=1)


def test_in_the_evening_a_second_is_a_second() -> None:
    wall = Wall()
    clock = DayClock(OPENS, 360.0, EVENING, wall)
    wall.s += 100 + 90
    assert clock.now() == EVENING + timedelta(seconds=90)


def test_one_that_starts_in_the_evening_goes_on_from_there() -> None:
    wall = Wall()
    clock = DayClock(EVENING + timedelta(minutes=5), 1.0, EVENING, wall)
    wall.s += 60
    assert clock.now() == EVENING + timedelta(minutes=6)


def test_it_never_goes_back() -> None:
    wall = Wall()
    clock = DayClock(OPENS, 360.0, EVENING, wall)
    told = []
    for _ in range(300):
        wall.s += 0.7
        told.append(clock.now())
    assert told == sorted(told)
    assert len(set(told)) == len(told)
