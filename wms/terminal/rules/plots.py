"""Numbers as places on paper: steps of a scale, points of a line, moments on a day."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from math import floor, log10

from wms.terminal.values import Day

BUCKET = timedelta(minutes=15)
MARKS_MAX = 4


def round_top(highest: float, marks: int = MARKS_MAX) -> tuple[int, int]:
    """The top of a scale and the step between its marks: 1, 2, 2.5 or 5 times a power of ten, at most `marks` steps."""
    if highest <= marks:
        return max(1, int(highest)) if highest >= 1 else 1, 1
    raw = highest / marks
    power = 10 ** floor(log10(raw))
    step = next(int(factor * power) for factor in (1, 2, 2.5, 5, 10) if factor * power >= raw and factor * power >= 1)
    return step * -(-int(highest) // step), step


def points(
    values: Sequence[float], width: float, height: float, goal: float | None = None
) -> list[tuple[float, float]]:
    """A spark line's corners within width x height, the lowest value (or goal) at the bottom."""
    known = [*values, goal] if goal is not None else list(values)
    low, high = min(known), max(known)
    span = (high - low) or 1.0
    step = width / max(1, len(values) - 1)
    return [(number * step, height_at(value, low, span, height)) for number, value in enumerate(values)]


def height_at(value: float, low: float, span: float, height: float) -> float:
    """How far from the top a value stands."""
    return height - (value - low) / span * height


def buckets(begin: datetime, end: datetime) -> list[datetime]:
    """The moments a day is added up at: every quarter of an hour, and the end itself."""
    count = max(1, int((end - begin) / BUCKET))
    moments = [begin + BUCKET * number for number in range(count + 1)]
    return [moment for moment in moments if moment < end] + [end]


def added_up(moments: Sequence[datetime], happened: Iterable[datetime]) -> list[int]:
    """How many of `happened` lie at or before each of `moments`."""
    times = sorted(happened)
    result, seen = [], 0
    for moment in moments:
        while seen < len(times) and times[seen] <= moment:
            seen += 1
        result.append(seen)
    return result


def at_x(day: Day, moment: datetime, width: float) -> float:
    """Where a moment of the day lies."""
    return (moment - day.begin) / (day.end - day.begin) * width


def ticks(day: Day, local_hour: int) -> list[tuple[datetime, int]]:
    """Full hours to write under the day, fewer where it is long. `local_hour` is the hour of `begin`."""
    hours = int((day.end - day.begin) / timedelta(hours=1))
    step = 1 if hours <= 8 else 2 if hours <= 16 else 4
    return [(day.begin + timedelta(hours=number), (local_hour + number) % 24) for number in range(0, hours + 1, step)]
