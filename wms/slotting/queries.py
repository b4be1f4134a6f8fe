"""What a supervisor sees of slots: the newest plan and its moves, how full the racks are, and what became of plans."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import Session, aliased

from wms.catalog.tables import Sku
from wms.ledger.tables import MovementRow, Stock
from wms.site.tables import Slot
from wms.slotting.gains import DayFigures, Rates
from wms.slotting.picture import PIECE
from wms.slotting.tables import CostRate, MovePlan, MoveProposal, SlotDay

MOVES_SHOWN = 200
QUIET_DAYS_MAX = 84


@dataclass(frozen=True, slots=True)
class PlanFacts:
    """One plan. `walked_m` and `planned_m` are recent tours, as they were and as they would have been; `bay_m` the
    metres a week for each bay's goods.
    """

    id: int
    made_at: datetime
    lines: int
    tours: int
    weeks: int
    walked_m: int
    planned_m: int
    signal_percent: int
    bay_m: Mapping[int, int]


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
    confidence_percent: int
    came_lines: int | None
    saved_m: int | None

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
    bay_m = {int(bay): int(metres) for bay, metres in row.bay_m.items()}
    return PlanFacts(
        row.id, row.made_at, row.lines, row.tours, row.weeks, row.walked_m, row.planned_m, row.signal_percent, bay_m
    )


def moves(session: Session, warehouse_id: int, states: Collection[str]) -> list[MoveFacts]:
    """Moves of plans in these states, newest plan first, the best first; 200 at most."""
    row = MoveProposal
    return moves_where(session, warehouse_id, and_(row.plan_id.is_not(None), row.state.in_(sorted(states))))


def moves_where(session: Session, warehouse_id: int, condition: ColumnElement[bool]) -> list[MoveFacts]:
    """Moves of which a condition holds, in the same order."""
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
            row.confidence_percent,
            row.came_lines,
            row.saved_m,
        )
        .join(Sku, Sku.id == row.sku_id)
        .join(source, source.place_id == row.source_id)
        .join(target, target.place_id == row.target_id)
        .where(row.warehouse_id == warehouse_id, condition)
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


def has_slots(session: Session, warehouse_id: int) -> bool:
    """Whether the house has racks at all."""
    return session.scalars(select(Slot.place_id).where(Slot.warehouse_id == warehouse_id).limit(1)).first() is not None


def days(session: Session, warehouse_id: int, since: date) -> list[DayFigures]:
    """Days that were taken, from `since` on, the oldest first."""
    rows = session.scalars(
        select(SlotDay).where(SlotDay.warehouse_id == warehouse_id, SlotDay.day >= since).order_by(SlotDay.day)
    )
    return [DayFigures(**{name: getattr(row, name) for name in DayFigures.__slots__}) for row in rows]


def rates(session: Session, warehouse_id: int) -> Rates:
    """What work and room cost here; the usual where nobody has said."""
    row = session.get(CostRate, warehouse_id)
    return Rates() if row is None else Rates(**{name: getattr(row, name) for name in Rates.__slots__})


def quiet_days_by_bay(session: Session, warehouse_id: int, now: datetime) -> dict[int, int]:
    """Bay id -> days since anything was last put into it or fetched from it, of bays with goods; 84 at most."""
    row = MovementRow
    held = select(Slot.bay_id).join(Stock, Stock.place_id == Slot.place_id)
    bays = session.scalars(held.where(Slot.warehouse_id == warehouse_id, Stock.on_hand > 0).distinct())
    quiet = dict.fromkeys(bays, QUIET_DAYS_MAX)
    for side in (row.source_id, row.target_id):
        query = (
            select(Slot.bay_id, func.max(row.at))
            .join(row, side == Slot.place_id)
            .where(row.warehouse_id == warehouse_id, row.at > now - timedelta(days=QUIET_DAYS_MAX))
            .group_by(Slot.bay_id)
        )
        for bay, at in session.execute(query).all():
            if bay in quiet:
                quiet[bay] = min(quiet[bay], max(0, (now - at) // timedelta(days=1)))
    return quiet
