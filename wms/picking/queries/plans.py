"""Plans of waves: how far each got, what it is worth, and its batches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from wms.core.refusal import Reason, Refused
from wms.optimise.geometry import Point
from wms.outbound.tables import Order, Wave
from wms.outbound.values import OrderState
from wms.picking.tables import Batch, KeptPlan, PlanBatch
from wms.picking.values import PlanState

BATCHES_MAX = 5_000


@dataclass(frozen=True, slots=True)
class PlanFacts:
    """A plan as it stands. Lengths in mm; `points` are (ms, mm) of each shorter plan; `why` is a failure's refusal.

    `beat_at` is the machine's clock.
    """

    id: int
    wave_id: int
    state: PlanState
    attempt: int
    release_after: bool
    think_s: int
    beat_at: datetime
    wish: str
    why: Mapping[str, Any]
    spent_ms: int
    memory_mb: int
    orders: int
    batches: int
    stops: int
    walk_mm: int
    s_shape_mm: int
    first_come_mm: int
    promised_mm: int
    lower_bound_mm: int
    people: int
    crowded_before_s: int
    crowded_s: int
    points: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class PlannedPart:
    """A batch of a plan. Lengths in mm."""

    number: int
    orders: int
    stops: int
    pieces: int
    zone_id: int
    walk_mm: int
    promised_mm: int
    s_shape_mm: int
    optimal: bool


@dataclass(frozen=True, slots=True)
class PartWalk:
    """How a batch of a plan is walked: (hold, stop) in walking order, (hold, stop, stock, quantity) of what is taken
    from other rows than it was promised from, and the corners of the walk.
    """

    hold_stops: tuple[tuple[int, int], ...]
    moved: tuple[tuple[int, int, int, int], ...]
    path: tuple[Point, ...]


_PLAN = (
    KeptPlan.id,
    KeptPlan.wave_id,
    KeptPlan.state,
    KeptPlan.attempt,
    KeptPlan.release_after,
    KeptPlan.think_s,
    KeptPlan.beat_at,
    KeptPlan.wish,
    KeptPlan.why,
    KeptPlan.spent_ms,
    KeptPlan.memory_mb,
    KeptPlan.orders,
    KeptPlan.batches,
    KeptPlan.stops,
    KeptPlan.walk_mm,
    KeptPlan.s_shape_mm,
    KeptPlan.first_come_mm,
    KeptPlan.promised_mm,
    KeptPlan.lower_bound_mm,
    KeptPlan.people,
    KeptPlan.crowded_before_s,
    KeptPlan.crowded_s,
    KeptPlan.history,
)


def plan_of_wave(session: Session, wave_id: int) -> PlanFacts | None:
    """The plan a wave has now, whatever became of it."""
    row = session.execute(select(*_PLAN).where(KeptPlan.wave_id == wave_id)).one_or_none()
    return None if row is None else _facts(*row)


def plans_of_waves(session: Session, warehouse_id: int, wave_ids: list[int]) -> dict[int, PlanFacts]:
    """Wave id -> its plan."""
    query = select(*_PLAN).where(KeptPlan.warehouse_id == warehouse_id, KeptPlan.wave_id.in_(wave_ids))
    return {row.wave_id: _facts(*row) for row in session.execute(query)}


def _facts(id: int, wave_id: int, state: str, *rest: Any) -> PlanFacts:
    *facts, history = rest
    known: list[Any] = [id, wave_id, PlanState(state), *facts, tuple((ms, mm) for ms, mm in history["points"])]
    return PlanFacts(*known)


def parts_of_plan(session: Session, plan_id: int) -> list[PlannedPart]:
    """The batches of a plan, in the order in which they should be started."""
    rows = session.execute(
        select(
            PlanBatch.number,
            PlanBatch.order_ids,
            PlanBatch.stops,
            PlanBatch.pieces,
            PlanBatch.zone_id,
            PlanBatch.walk_mm,
            PlanBatch.promised_mm,
            PlanBatch.s_shape_mm,
            PlanBatch.optimal,
        )
        .where(PlanBatch.plan_id == plan_id)
        .order_by(PlanBatch.number)
        .limit(BATCHES_MAX)
    )
    return [PlannedPart(row.number, len(row.order_ids["ids"]), *row[2:]) for row in rows]


def walk_of_part(session: Session, plan_id: int, number: int) -> PartWalk:
    """One batch of a plan with its walk. Raises NOT_FOUND."""
    row = session.execute(
        select(PlanBatch.picks, PlanBatch.path).where(PlanBatch.plan_id == plan_id, PlanBatch.number == number)
    ).one_or_none()
    if row is None:
        raise Refused(Reason.NOT_FOUND, what=f"batch {number}")
    pairs = tuple((hold_id, stop) for hold_id, stop in row.picks["hold_stop"])
    moved = tuple(
        (hold_id, stop, stock_id, quantity) for hold_id, stop, stock_id, quantity in row.picks.get("moved", ())
    )
    return PartWalk(pairs, moved, tuple(Point(x, y) for x, y in row.path["mm"]))


def orders_to_plan(session: Session, wave_id: int) -> list[int]:
    """Orders of a wave that nobody has stopped, by id."""
    query = select(Order.id).where(
        Order.wave_id == wave_id, Order.state == OrderState.ALLOCATED.value, Order.intercepted_at.is_(None)
    )
    return list(session.scalars(query.order_by(Order.id)))


def batches_made(session: Session, wave_id: int) -> int:
    """How many batches a wave has on the floor."""
    return int(session.execute(select(func.count(Batch.id)).where(Batch.wave_id == wave_id)).scalar_one())


def waiting_plans(session: Session, warehouse_id: int, wave_nos: list[str]) -> list[int]:
    """The ids of the plans of these waves."""
    query = select(KeptPlan.id).join(Wave, Wave.id == KeptPlan.wave_id)
    return list(session.scalars(query.where(KeptPlan.warehouse_id == warehouse_id, Wave.no.in_(wave_nos))))


def silent_plans(session: Session, warehouse_id: int, before: datetime) -> list[str]:
    """The waves of plans under way whose planner was not heard of since `before` (the machine's clock)."""
    under_way = [PlanState.WAITING.value, PlanState.RUNNING.value, PlanState.RELEASING.value]
    query = select(Wave.no).join(KeptPlan, KeptPlan.wave_id == Wave.id)
    silent = (KeptPlan.warehouse_id == warehouse_id) & KeptPlan.state.in_(under_way) & (KeptPlan.beat_at < before)
    return list(session.scalars(query.where(silent).order_by(Wave.no)))
