"""A proposal opened: how fast the goods go and went, how far they lie and would lie, which rules were asked, and why no
nearer slot.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from wms.catalog import queries as catalog
from wms.ledger.tables import MovementRow, Stock
from wms.ledger.values import MovementKind
from wms.slotting import rules
from wms.slotting.picture import Picture, picture_of
from wms.slotting.queries import MoveFacts, moves_where
from wms.slotting.tables import MoveProposal
from wms.slotting.values import Goods, Rule

WEEKS_SHOWN = 8
WEEKS_THEN = 4


@dataclass(frozen=True, slots=True)
class Opened:
    """One proposal with all that speaks for it.

    `weeks`: lines of each of the last weeks, the oldest first. `then` and `now`: lines a week of the older and of the
    newer half. `kept`: each hard rule and whether the new slot keeps it, as things are. `nearer`: of the slots of this
    kind that are nearer, how many each rule shuts out; `open_nearer` would have been lawful.
    """

    move: MoveFacts
    weeks: Sequence[int]
    walk_from_m: int
    walk_to_m: int
    level_from: int
    level_to: int
    kept: Mapping[Rule, bool]
    nearer: Mapping[Rule, int]
    open_nearer: int

    @property
    def then(self) -> float:
        return sum(self.weeks[:WEEKS_THEN]) / WEEKS_THEN

    @property
    def now(self) -> float:
        return sum(self.weeks[-WEEKS_THEN:]) / WEEKS_THEN


def opened(session: Session, warehouse_id: int, proposal_id: int, at: datetime) -> Opened | None:
    """The proposal, or None when there is none of this number (or its slots are gone)."""
    row = session.scalars(
        select(MoveProposal).where(MoveProposal.warehouse_id == warehouse_id, MoveProposal.id == proposal_id)
    ).one_or_none()
    if row is None:
        return None
    picture = picture_of(session, warehouse_id)
    source, target = picture.index.get(row.source_id), picture.index.get(row.target_id)
    facts = moves_where(session, warehouse_id, MoveProposal.id == proposal_id)
    if source is None or target is None or not facts:
        return None
    slots = picture.slots
    kept, nearer, lawful = _rules(session, picture, row, target)
    return Opened(
        move=facts[0],
        weeks=_weeks(session, warehouse_id, row.sku_id, at),
        walk_from_m=int(slots.walk_mm[source]) // 1000,
        walk_to_m=int(slots.walk_mm[target]) // 1000,
        level_from=int(slots.level[source]),
        level_to=int(slots.level[target]),
        kept=kept,
        nearer=nearer,
        open_nearer=lawful,
    )


def _rules(
    session: Session, picture: Picture, row: MoveProposal, target: int
) -> tuple[dict[Rule, bool], dict[Rule, int], int]:
    """The rules at the target; what shuts out the nearer slots; how many nearer ones are lawful all the same."""
    goods = _goods(session, row)
    if goods is None:
        return {}, {}, 0
    kept = rules.masks(picture.slots, picture.occupied((), {}), goods)
    nearer = np.flatnonzero(rules.of_own_kind(kept) & (picture.slots.walk_mm < picture.slots.walk_mm[target]))
    broken = Counter(rules.first_broken(kept, at) for at in nearer.tolist())
    lawful = broken.pop(None, 0)
    shut = {rule: count for rule, count in broken.most_common() if rule is not None}
    return {rule: bool(where[target]) for rule, where in kept.items()}, shut, lawful


def _goods(session: Session, row: MoveProposal) -> Goods | None:
    """The goods as they lie: in the old slot, or in the new one after the move."""
    for place in (row.source_id, row.target_id):
        stock = session.scalars(
            select(Stock)
            .where(
                Stock.warehouse_id == row.warehouse_id,
                Stock.place_id == place,
                Stock.sku_id == row.sku_id,
                Stock.on_hand > 0,
            )
            .order_by(Stock.id)
            .limit(1)
        ).first()
        if stock is not None:
            sku = catalog.sku_by_id(session, row.warehouse_id, row.sku_id)
            return Goods(sku, stock.lot_id, stock.on_hand, stock.condition, bool(stock.book), stock.book)
    return None


def _weeks(session: Session, warehouse_id: int, sku_id: int, at: datetime) -> list[int]:
    row = MovementRow
    moments = session.scalars(
        select(row.at).where(
            row.warehouse_id == warehouse_id,
            row.sku_id == sku_id,
            row.kind == MovementKind.PICK.value,
            row.at > at - timedelta(weeks=WEEKS_SHOWN),
            row.at <= at,
        )
    )
    counts = Counter((at - moment) // timedelta(weeks=1) for moment in moments)
    return [counts.get(age, 0) for age in reversed(range(WEEKS_SHOWN))]
