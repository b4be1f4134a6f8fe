"""The three gains in figures: capacity, turnover, economy, by week and before against after. Numbers in, numbers out.

Walking and handling cost wages; moves cost the walk they take; room costs its rent, as far as slots are in use. Money
is in cents, and a figure is None where nothing was measured.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

DAYS_COMPARED = 28
WEEK = timedelta(days=7)
MONTH_DAYS = 365 / 12


@dataclass(frozen=True, slots=True)
class Rates:
    """What work and room cost: an hour's wage, the pace of a walk, the seconds a line takes at the slot, the rent of
    a square metre a month.
    """

    wage_cents_h: int = 3_500
    walk_mm_s: int = 1_000
    handling_s_line: int = 15
    rent_cents_m2_month: int = 3_000

    @property
    def wage_cents_s(self) -> float:
        return self.wage_cents_h / 3_600

    def walk_cents(self, metres: float) -> float:
        return metres * 1_000 / self.walk_mm_s * self.wage_cents_s


@dataclass(frozen=True, slots=True)
class DayFigures:
    """One day as it was taken; capacity is None for a day that was made up for later."""

    day: date
    area_m2: int
    slots: int | None
    filled: int | None
    volume_l: int | None
    used_l: int | None
    skus: int | None
    more_skus: int | None
    lines: int
    tours: int
    walked_m: int
    worked_s: int
    moves: int
    moved_m: int


@dataclass(frozen=True, slots=True)
class Gains:
    """The gains of some days together. Shares are 0 to 1; the parts of `cost` are cents an order line."""

    first: date
    last: date
    days: int
    slots_share: float | None
    volume_share: float | None
    skus: float | None
    more_skus: float | None
    lines: int
    m_per_line: float | None
    s_per_line: float | None
    walking: float | None
    handling: float | None
    moving: float | None
    rent: float | None
    moves: int

    @property
    def cost(self) -> float | None:
        """Cents an order line, as far as all its parts are known."""
        parts = (self.walking, self.handling, self.moving, self.rent)
        return sum(part for part in parts if part is not None) if None not in parts else None


def gains_of(days: Sequence[DayFigures], rates: Rates) -> Gains:
    """Days added up; capacity is the mean of those at which it was taken. Raises ValueError without a day."""
    if not days:
        raise ValueError("no days, no gains")
    lines, metres = sum(one.lines for one in days), sum(one.walked_m for one in days)
    moved = sum(one.moved_m for one in days)
    filled = _share(days, lambda one: one.filled, lambda one: one.slots)
    return Gains(
        first=min(one.day for one in days),
        last=max(one.day for one in days),
        days=len(days),
        slots_share=filled,
        volume_share=_share(days, lambda one: one.used_l, lambda one: one.volume_l),
        skus=_mean([one.skus for one in days]),
        more_skus=_mean([one.more_skus for one in days]),
        lines=lines,
        m_per_line=metres / lines if lines else None,
        s_per_line=sum(one.worked_s for one in days) / lines if lines else None,
        walking=rates.walk_cents(metres) / lines if lines else None,
        handling=rates.handling_s_line * rates.wage_cents_s if lines else None,
        moving=rates.walk_cents(moved) / lines if lines else None,
        rent=_rent(days, rates) * filled / lines if lines and filled is not None else None,
        moves=sum(one.moves for one in days),
    )


def weekly(days: Sequence[DayFigures], rates: Rates) -> list[Gains]:
    """Week by week (Monday to Sunday), the oldest first."""
    weeks: dict[date, list[DayFigures]] = {}
    for one in days:
        weeks.setdefault(one.day - timedelta(days=one.day.weekday()), []).append(one)
    return [gains_of(week, rates) for _, week in sorted(weeks.items())]


def before_and_after(days: Sequence[DayFigures], rates: Rates) -> tuple[Gains, Gains] | None:
    """The first four weeks known against the last four; halves where less is known, None for fewer than two days."""
    ordered = sorted(days, key=lambda one: one.day)
    if len(ordered) < 2:
        return None
    span = min(DAYS_COMPARED, len(ordered) // 2)
    return gains_of(ordered[:span], rates), gains_of(ordered[-span:], rates)


def _share(
    days: Sequence[DayFigures], part: Callable[[DayFigures], int | None], whole: Callable[[DayFigures], int | None]
) -> float | None:
    known = [(part(one), whole(one)) for one in days]
    shares = [some / every for some, every in known if some is not None and every]
    return sum(shares) / len(shares) if shares else None


def _mean(values: Sequence[int | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _rent(days: Sequence[DayFigures], rates: Rates) -> float:
    return sum(one.area_m2 for one in days) * rates.rent_cents_m2_month / MONTH_DAYS
