"""What the planner of layouts reads of the past: who picked what together, how often, and on which walk.

Orders come from the reference of a pick; a walk is the picks of one person without a long pause. Goods that lie in
several slots share their lines among them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from wms.ledger.tables import MovementRow
from wms.ledger.values import MovementKind
from wms.optimise.slotting.judge import Walks
from wms.optimise.slotting.values import Floats, Lines

WEEKS_READ = 20
WEEKS_REPLAYED = 4
LINES_MAX = 400_000
PAUSE = timedelta(minutes=15)
TOUR_LINES_MAX = 40


@dataclass(frozen=True, slots=True)
class Pick:
    """One line picked: the goods, the slot, for which order, by whom and when."""

    sku_id: int
    place_id: int
    order: str
    actor: str
    at: datetime


@dataclass(frozen=True)
class Past:
    """Lines of the goods that lie here now: item k is the k-th place with goods. `counts` (weeks, items)."""

    lines: Lines
    counts: Floats
    walks: Walks


def read_picks(
    session: Session, warehouse_id: int, now: datetime, reach: timedelta = timedelta(weeks=WEEKS_READ)
) -> list[Pick]:
    """Picks of the last weeks before `now`, oldest first; the newest 400,000 at most."""
    row = MovementRow
    query = (
        select(row.sku_id, row.source_id, row.reference, row.actor, row.at)
        .where(
            row.warehouse_id == warehouse_id,
            row.kind == MovementKind.PICK.value,
            row.at > now - reach,
            row.at <= now,
        )
        .order_by(row.id.desc())
        .limit(LINES_MAX)
    )
    return [Pick(*found) for found in session.execute(query).all()][::-1]


def past_of(
    picks: Sequence[Pick], items_of_sku: Mapping[int, Sequence[int]], place_of_item: Sequence[int], now: datetime
) -> Past:
    """Sort picks by the places where the goods lie now. What is not here any more is left out."""
    item_of_place = {place: item for item, place in enumerate(place_of_item)}
    kept: list[tuple[Pick, int]] = []
    for number, pick in enumerate(picks):
        items = items_of_sku.get(pick.sku_id, ())
        if items:
            there = item_of_place.get(pick.place_id, -1)
            kept.append((pick, there if there in items else items[number % len(items)]))
    age = np.array([(now - pick.at) // timedelta(weeks=1) for pick, _ in kept], dtype=np.int64)
    item = np.array([each for _, each in kept], dtype=np.int64)
    _, order = np.unique(np.array([pick.order for pick, _ in kept], dtype=np.str_), return_inverse=True)
    weeks = int(age.max(initial=-1)) + 1
    counts = np.zeros((weeks, len(place_of_item)))
    np.add.at(counts, (weeks - 1 - age, item), 1.0)
    lately = [(pick, item) for pick, item in kept if pick.at > now - timedelta(weeks=WEEKS_REPLAYED)]
    return Past(Lines(order.astype(np.int64), item, age), counts, walks_of(lately))


def walks_of(kept: Sequence[tuple[Pick, int]]) -> Walks:
    """Picks with the number of their place (or item) as walks: one person without a long pause, a cart at a time."""
    by_actor: defaultdict[str, list[tuple[Pick, int]]] = defaultdict(list)
    for pick, item in kept:
        by_actor[pick.actor].append((pick, item))
    tours: list[int] = []
    items: list[int] = []
    tour = -1
    for _, walked in sorted(by_actor.items()):
        last: datetime | None = None
        size = 0
        for pick, item in sorted(walked, key=lambda each: each[0].at):
            if last is None or pick.at - last > PAUSE or size == TOUR_LINES_MAX:
                tour, size = tour + 1, 0
            last, size = pick.at, size + 1
            tours.append(tour)
            items.append(item)
    return Walks(np.array(tours, dtype=np.int64), np.array(items, dtype=np.int64), tour + 1)
