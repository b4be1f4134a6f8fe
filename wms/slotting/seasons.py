"""What last year's same weeks say of the coming ones: how much faster goods move in their season.

Last year is compared with itself, so that a year's growth is no season: what came in the weeks after this day, against
what was to be expected then from the weeks before it, by the very reckoning of today. A SKU's own ratio is drawn
towards the house's, and that towards 1, the more the less was picked; no season is believed to be more than fourfold.
Nothing of it is used before a house has picked for more than a year.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from wms.ledger.tables import MovementRow
from wms.ledger.values import MovementKind

YEAR = timedelta(weeks=52)  # the same day of the week
WEEKS_BEFORE, WEEKS_AFTER = 8, 4
HALF_LIFE_DAYS = 14.0
RATIO_MAX = 4.0
DOUBT_LINES = 20.0  # so many lines of a SKU weigh as much as the whole house
HOUSE_DOUBT_LINES = 400.0
FORGOTTEN_SHARE = 0.5  # of last year's speed, for goods that nobody picks before their season

Owned = tuple[int, int]  # merchant, SKU
Line = tuple[int, int, datetime]  # merchant, SKU, when it was picked


@dataclass(frozen=True, slots=True)
class Seasons:
    """Of each SKU: how many times faster than expected it moved in the coming weeks last year, and how fast (lines a
    week). `house` is the same of all goods together.
    """

    house: float = 1.0
    ratio: Mapping[Owned, float] = field(default_factory=dict)
    last_year: Mapping[Owned, float] = field(default_factory=dict)

    def of(self, what: Owned) -> float:
        return self.ratio.get(what, self.house)

    def coming(self, lately: Mapping[Owned, float]) -> dict[Owned, float]:
        """Lines a week to come of each SKU, from those of lately; half of last year's for what nobody picks now."""
        expected = {what: speed * self.of(what) for what, speed in lately.items()}
        forgotten = {what: speed * FORGOTTEN_SHARE for what, speed in self.last_year.items() if what not in lately}
        return expected | forgotten


def lately(session: Session, warehouse_id: int, now: datetime) -> dict[Owned, float]:
    """Lines a week of each SKU by the eight weeks before `now`, newer ones counting more (half-life two weeks)."""
    return speeds(_lines(session, warehouse_id, now - timedelta(weeks=WEEKS_BEFORE), now), now)


def speeds(lines: Iterable[Line], now: datetime) -> dict[Owned, float]:
    """Lines a week as they look at `now`."""
    found: defaultdict[Owned, float] = defaultdict(float)
    for merchant_id, sku_id, at in lines:
        age_days = (now - at).total_seconds() / 86_400
        found[merchant_id, sku_id] += 0.5 ** (age_days / HALF_LIFE_DAYS) / 2.0
    return dict(found)


def seasons(session: Session, warehouse_id: int, now: datetime) -> Seasons:
    """What last year says of the coming four weeks; nothing where the house has no whole year behind it."""
    then = now - YEAR
    begin, end = then - timedelta(weeks=WEEKS_BEFORE), then + timedelta(weeks=WEEKS_AFTER)
    row = MovementRow
    older = select(row.id).where(row.warehouse_id == warehouse_id, row.at <= begin, row.kind == MovementKind.PICK.value)
    if session.execute(older.limit(1)).first() is None:
        return Seasons()
    return learnt(_lines(session, warehouse_id, begin, then), _lines(session, warehouse_id, then, end), then)


def learnt(before: Iterable[Line], after: Iterable[Line], then: datetime) -> Seasons:
    """From the lines of last year in the eight weeks before and the four weeks after `then`."""
    said = {what: speed * WEEKS_AFTER for what, speed in speeds(before, then).items()}
    came: defaultdict[Owned, int] = defaultdict(int)
    for merchant_id, sku_id, _ in after:
        came[merchant_id, sku_id] += 1
    house = _bounded((sum(came.values()) + HOUSE_DOUBT_LINES) / (sum(said.values()) + HOUSE_DOUBT_LINES))
    ratio = {
        what: _bounded((came.get(what, 0) + DOUBT_LINES * house) / (said.get(what, 0.0) + DOUBT_LINES))
        for what in said.keys() | came.keys()
    }
    return Seasons(house, ratio, {what: lines / WEEKS_AFTER for what, lines in came.items()})


def _bounded(ratio: float) -> float:
    return min(RATIO_MAX, max(1.0 / RATIO_MAX, ratio))


def _lines(session: Session, warehouse_id: int, begin: datetime, end: datetime) -> list[Line]:
    row = MovementRow
    query = select(row.merchant_id, row.sku_id, row.at).where(
        row.warehouse_id == warehouse_id, row.kind == MovementKind.PICK.value, row.at > begin, row.at <= end
    )
    return [(line.merchant_id, line.sku_id, line.at) for line in session.execute(query)]
