"""What a supervisor sees of refills: those on the board and under way, what became of others, levels, and figures."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Any

from sqlalchemy import BigInteger, case, cast, func, select
from sqlalchemy.orm import Session, aliased

from wms.catalog.tables import Sku
from wms.ledger.tables import Stock
from wms.ledger.values import Condition
from wms.site.tables import Slot
from wms.slotting.reach import in_reach
from wms.slotting.tables import FaceLevel, Refill

SHOWN_MAX = 200
FIGURES_OF = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class RefillFacts:
    """One refill with the words for a list. `dropped_why` is a reason's code or our own word."""

    id: int
    walk_id: int | None
    state: str
    reason: str
    priority: int
    sku_code: str
    sku_name: str
    source: str
    target: str
    quantity: int
    case: int
    moved: int
    followed: int
    short: int
    made_at: datetime
    closed_at: datetime | None
    dropped_why: str | None

    @property
    def cases(self) -> int:
        """Whole cases of it; 0 where it is counted in pieces."""
        quantity = self.moved or self.quantity
        return quantity // self.case if self.case > 1 and quantity % self.case == 0 else 0


@dataclass(frozen=True, slots=True)
class LevelFacts:
    """How much of a SKU is to lie in reach, and what lies there and above, free of promises."""

    sku_id: int
    sku_code: str
    sku_name: str
    pieces_a_day: float
    quantity_min: int
    quantity_max: int
    by_hand: bool
    in_reach: int
    in_reserve: int


@dataclass(frozen=True, slots=True)
class RefillFigures:
    """Refills on the board and under way now; of the last day: done, pieces, and the minutes half of them took."""

    open: int
    carried: int
    done: int
    pieces: int
    half_within_min: int | None


def refills(session: Session, warehouse_id: int, states: Collection[str]) -> list[RefillFacts]:
    """Open ones the most urgent first, closed ones the newest first; 200 at most."""
    source, target = aliased(Slot), aliased(Slot)
    row = Refill
    query = (
        select(
            row.id,
            row.walk_id,
            row.state,
            row.reason,
            row.priority,
            Sku.code,
            Sku.name,
            source.code,
            target.code,
            row.quantity,
            row.case_quantity,
            row.moved,
            row.followed,
            row.short,
            row.made_at,
            row.closed_at,
            row.dropped_why,
        )
        .join(Sku, Sku.id == row.sku_id)
        .join(source, source.place_id == row.source_id)
        .join(target, target.place_id == row.target_id)
        .where(row.warehouse_id == warehouse_id, row.state.in_(sorted(states)))
        .order_by(row.closed_at.desc(), row.priority, row.id)
        .limit(SHOWN_MAX)
    )
    rows: Sequence[Any] = session.execute(query).all()
    return [RefillFacts(*found) for found in rows]


def levels(session: Session, warehouse_id: int) -> list[LevelFacts]:
    """SKUs with levels, the fastest first; 200 at most."""
    free = Stock.on_hand - Stock.promised
    reach = in_reach(warehouse_id)
    lying = (
        select(
            Stock.sku_id,
            func.sum(case((reach, free), else_=0)).label("here"),
            func.sum(case((reach, 0), else_=free)).label("above"),
        )
        .join(Slot, Slot.place_id == Stock.place_id)
        .where(Stock.warehouse_id == warehouse_id, Stock.on_hand > 0, Stock.condition == Condition.GOOD.value)
        .group_by(Stock.sku_id)
        .subquery()
    )
    query = (
        select(
            FaceLevel.sku_id,
            Sku.code,
            Sku.name,
            FaceLevel.pieces_a_day,
            FaceLevel.quantity_min,
            FaceLevel.quantity_max,
            FaceLevel.by_hand,
            cast(func.coalesce(lying.c.here, 0), BigInteger),
            cast(func.coalesce(lying.c.above, 0), BigInteger),
        )
        .join(Sku, Sku.id == FaceLevel.sku_id)
        .outerjoin(lying, lying.c.sku_id == FaceLevel.sku_id)
        .where(FaceLevel.warehouse_id == warehouse_id)
        .order_by(FaceLevel.pieces_a_day.desc(), Sku.code)
        .limit(SHOWN_MAX)
    )
    rows: Sequence[Any] = session.execute(query).all()
    return [LevelFacts(*row) for row in rows]


def figures(session: Session, warehouse_id: int, now: datetime) -> RefillFigures:
    """How refilling goes."""
    row = Refill
    counted = (
        select(row.state, func.count().label("refills"))
        .where(row.warehouse_id == warehouse_id, row.state.in_(("open", "carried")))
        .group_by(row.state)
    )
    counts = {str(found.state): int(found.refills) for found in session.execute(counted)}
    done = session.execute(
        select(row.moved, row.made_at, row.closed_at).where(
            row.warehouse_id == warehouse_id, row.state == "done", row.closed_at > now - FIGURES_OF
        )
    ).all()
    minutes = [(closed - made).total_seconds() / 60 for _, made, closed in done if closed is not None]
    half = round(median(minutes)) if minutes else None
    pieces = sum(moved for moved, _, _ in done)
    return RefillFigures(counts.get("open", 0), counts.get("carried", 0), len(done), pieces, half)
