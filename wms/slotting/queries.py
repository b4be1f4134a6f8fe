"""What a supervisor sees of slots: the newest plan and its moves, how full the racks are, and what became of plans."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from wms.catalog.tables import Sku
from wms.ledger.tables import Stock
from wms.site.tables import Slot
from wms.slotting.picture import PIECE
from wms.slotting.tables import MovePlan, MoveProposal

MOVES_SHOWN = 200


@dataclass(frozen=True, slots=True)
class PlanFacts:
    """One plan. `walked_m` and `planned_m` are recent tours, as they were and as they would have been."""

    id: int
    made_at: datetime
    lines: int
    tours: int
    weeks: int
    walked_m: int
    planned_m: int
    signal_percent: int


@dataclass(frozen=True, slots=True)
class MoveFacts:
    """One proposed move, with the words for a list. Metres a week; `dropped_why` is a reason's code or our own word."""

    id: int
    plan_id: int
    state: str
    sku_code: str
    sku_name: str
    source: str
    target: str
    lines_per_week: float
    gain_m_week: int
    replayed_m_week: int
    cost_m: int
    dropped_why: str | None
    closed_at: datetime | None

    @property
    def payback_days(self) -> float:
        """After so many days the walk saved is more than the move cost."""
        return 7.0 * self.cost_m / max(1, self.gain_m_week)


@dataclass(frozen=True, slots=True)
class Capacity:
    """How full the racks are: slots, and their volume against that of the goods in them, in litres."""

    slots: int
    filled: int
    volume_l: int
    used_l: int


def newest_plan(session: Session, warehouse_id: int) -> PlanFacts | None:
    """The plan made last, if there ever was one."""
    row = session.scalars(
        select(MovePlan).where(MovePlan.warehouse_id == warehouse_id).order_by(MovePlan.id.desc()).limit(1)
    ).one_or_none()
    if row is None:
        return None
    return PlanFacts(
        row.id, row.made_at, row.lines, row.tours, row.weeks, row.walked_m, row.planned_m, row.signal_percent
    )


def moves(session: Session, warehouse_id: int, states: Collection[str]) -> list[MoveFacts]:
    """Moves in these states, newest plan first, the best first; 200 at most."""
    source, target = aliased(Slot), aliased(Slot)
    row = MoveProposal
    query = (
        select(
            row.id,
            row.plan_id,
            row.state,
            Sku.code,
            Sku.name,
            source.code,
            target.code,
            row.lines_per_week,
            row.gain_m_week,
            row.replayed_m_week,
            row.cost_m,
            row.dropped_why,
            row.closed_at,
        )
        .join(Sku, Sku.id == row.sku_id)
        .join(source, source.place_id == row.source_id)
        .join(target, target.place_id == row.target_id)
        .where(row.warehouse_id == warehouse_id, row.state.in_(sorted(states)))
        .order_by(row.plan_id.desc(), row.id)
        .limit(MOVES_SHOWN)
    )
    rows: Sequence[Any] = session.execute(query).all()
    return [MoveFacts(*found) for found in rows]


def capacity(session: Session, warehouse_id: int) -> Capacity:
    """Slots and litres, in use and in all."""
    room = func.sum(Slot.width_mm * Slot.depth_mm / 1000 * Slot.height_mm / 1000)
    slots = session.execute(
        select(func.count(), func.coalesce(room, 0)).where(Slot.warehouse_id == warehouse_id, Slot.retired.is_(False))
    ).one()
    used = session.execute(
        select(func.count(func.distinct(Stock.place_id)), func.coalesce(func.sum(Stock.on_hand * PIECE), 0))
        .join(Slot, Slot.place_id == Stock.place_id)
        .join(Sku, Sku.id == Stock.sku_id)
        .where(Stock.warehouse_id == warehouse_id, Stock.on_hand > 0)
    ).one()
    return Capacity(int(slots[0]), int(used[0]), int(slots[1]), int(used[1]) // 1_000_000)
