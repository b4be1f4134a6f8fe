"""Waves: what waits, what is drafted, what is on the floor, and one batch drawn with its walk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, or_, select

from wms.core.i18n import text
from wms.core.tables import AuditRow
from wms.exchange.waves import PLANNED
from wms.optimise.geometry import Point, Stop
from wms.optimise.routing.simple import s_shape_path
from wms.outbound import queries as outbound
from wms.outbound.queries import WaveFacts
from wms.outbound.tables import Order, OrderLine, Wave
from wms.outbound.values import OrderState, WaveState
from wms.picking import queries as picking
from wms.picking.queries import OpenBatch
from wms.picking.queries.plans import PlanFacts, plans_of_waves
from wms.picking.tables import Batch, PickLine
from wms.picking.values import BatchState, PickState
from wms.site import queries as site
from wms.site.map import FloorPlan, MapLabel, MapRoute
from wms.site.picture import floor_plan
from wms.site.tables import Slot
from wms.terminal.queries.look import DAY, Look

DONE_SHOWN = 6
BESIDE_MM = 700  # so that the S-shape is seen where it takes the same way


@dataclass(frozen=True, slots=True)
class Waiting:
    """Orders with stock that are in no wave yet."""

    courier: str
    name: str
    cut_off_at: datetime
    orders: int
    lines: int


@dataclass(frozen=True, slots=True)
class WaveCard:
    """A wave with its size and, once planned, its walks in m. `first_come_m`: carts filled in order of arrival."""

    facts: WaveFacts
    courier: str
    lines: int
    batches: int
    batches_done: int
    first_come_m: int | None = None
    plan: PlanFacts | None = None


@dataclass(frozen=True, slots=True)
class StopMark:
    """A stop of a drawn batch: number, place in the hall, whether its goods are taken."""

    number: int
    slot: str
    x_mm: int
    y_mm: int
    pieces: int
    done: bool


@dataclass(frozen=True, slots=True)
class Walked:
    """A batch on its map."""

    stops: Sequence[StopMark]
    plan: FloorPlan


def waiting(look: Look) -> list[Waiting]:
    """By courier and cut-off, the soonest first. What cannot be walked to now makes no wave and is not counted."""
    rows = look.session.execute(
        select(
            Order.courier,
            Order.cut_off_at,
            func.count(func.distinct(Order.id)).label("orders"),
            func.count(OrderLine.id).label("lines"),
        )
        .join(OrderLine, OrderLine.order_id == Order.id)
        .where(
            Order.warehouse_id == look.warehouse_id,
            Order.state == OrderState.ALLOCATED.value,
            Order.wave_id.is_(None),
            Order.intercepted_at.is_(None),
            ~outbound.HAS_GOODS_OUT_OF_REACH,
        )
        .group_by(Order.courier, Order.cut_off_at)
        .order_by(Order.cut_off_at, Order.courier)
    )
    return [Waiting(r.courier, look.courier(r.courier), r.cut_off_at, int(r.orders), int(r.lines)) for r in rows]


def cards(look: Look) -> list[WaveCard]:
    """Drafts and waves on the floor by cut-off, then the last ones done today."""
    facts = outbound.waves(
        look.session, look.warehouse_id, (WaveState.DRAFT, WaveState.PLANNING, WaveState.RELEASED)
    ) + _done_today(look)
    lines, batches, first_come = _lines(look), _batches(look), _first_come(look)
    kept = plans_of_waves(look.session, look.warehouse_id, [one.id for one in facts])
    return [
        WaveCard(
            one,
            look.courier(one.courier),
            lines.get(one.id, 0),
            *batches.get(one.id, (0, 0)),
            first_come.get(one.no),
            kept.get(one.id),
        )
        for one in facts
    ]


def _done_today(look: Look) -> list[WaveFacts]:
    done = outbound.waves(look.session, look.warehouse_id, (WaveState.DONE,))
    today = [one for one in done if one.released_at is not None and one.released_at >= look.day_begin]
    return today[-DONE_SHOWN:]


def _of_these_waves(look: Look) -> Any:
    """Waves that are not over, and today's."""
    return (Wave.warehouse_id == look.warehouse_id) & or_(
        Wave.state.in_([WaveState.DRAFT.value, WaveState.PLANNING.value, WaveState.RELEASED.value]),
        Wave.released_at >= look.day_begin,
    )


def _lines(look: Look) -> dict[int, int]:
    rows = look.session.execute(
        select(Order.wave_id, func.count(OrderLine.id).label("lines"))
        .join(OrderLine, OrderLine.order_id == Order.id)
        .join(Wave, Wave.id == Order.wave_id)
        .where(_of_these_waves(look))
        .group_by(Order.wave_id)
    )
    return {row.wave_id: int(row.lines) for row in rows if row.wave_id is not None}


def _batches(look: Look) -> dict[int, tuple[int, int]]:
    """Wave id -> batches, and how many of them are done."""
    rows = look.session.execute(
        select(Batch.wave_id, Batch.state, func.count().label("batches"))
        .join(Wave, Wave.id == Batch.wave_id)
        .where(_of_these_waves(look), Batch.state != BatchState.CANCELLED.value)
        .group_by(Batch.wave_id, Batch.state)
    )
    found: dict[int, tuple[int, int]] = {}
    for row in rows:
        all_of, done = found.get(row.wave_id, (0, 0))
        over = row.batches if row.state == BatchState.DONE.value else 0
        found[row.wave_id] = (all_of + row.batches, done + over)
    return found


def _first_come(look: Look) -> dict[str, int]:
    """What planning noted of each wave: m walked if carts were filled in the order of arrival."""
    rows = look.session.scalars(
        select(AuditRow.facts).where(
            AuditRow.warehouse_id == look.warehouse_id,
            AuditRow.day >= (look.now - DAY).date(),
            AuditRow.what == PLANNED,
        )
    )
    notes: list[Mapping[str, Any]] = [dict(facts) for facts in rows]
    return {str(note["wave"]): int(note["first_come_m"]) for note in notes if note.get("first_come_m")}


def batches_of(look: Look, wave_no: str) -> list[OpenBatch]:
    """The batches of a wave, in the order they were planned."""
    states = (BatchState.PICKING, BatchState.OPEN, BatchState.DONE)
    return sorted(picking.batches(look.session, look.warehouse_id, states, wave_no=wave_no), key=lambda one: one.id)


def drawn_batch(look: Look, batch: OpenBatch, title: str, language: str) -> Walked:
    """A batch on the floor plan: its walk drawn thick, the S-shape dashed beside it."""
    path = look.session.execute(select(Batch.path).where(Batch.id == batch.id)).scalar_one()
    marks, stops = _stops(look, batch.id)
    corners = tuple(Point(x, y) for x, y in path["mm"])
    return drawn(look, title, corners, stops, marks, _visits(look, batch.id), language)


def drawn(
    look: Look,
    title: str,
    path: tuple[Point, ...],
    stops: Sequence[Stop],
    marks: Sequence[StopMark],
    heat: Mapping[int, int],
    language: str,
) -> Walked:
    """A walk on the floor plan with its stops; `heat` is bay id -> picks."""
    hall = site.hall(look.session, look.warehouse_id)
    ground = floor_plan(look.session, look.warehouse_id, heat=heat, title=title, language=language)
    beside = tuple(Point(x + BESIDE_MM, y + BESIDE_MM) for x, y in s_shape_path(hall.hall, stops))
    plan = FloorPlan(
        ground.width_mm,
        ground.depth_mm,
        ground.outline,
        name="batch",
        title=title,
        bays=ground.bays,
        labels=[*(one for one in ground.labels if not one.large), _depot(hall.depot, language)],
        routes=[MapRoute(path, title), MapRoute(beside, "S")],
        blocked=ground.blocked,
    )
    return Walked(marks, plan)


def _depot(depot: Point, language: str) -> MapLabel:
    return MapLabel(depot.x_mm, depot.y_mm - 4_000, f"▲ {text('site.map.depot', language)}")


def _visits(look: Look, batch_id: int) -> dict[int, int]:
    """Bay id -> picks of this batch: everything else on its map is quiet, so that the walk is seen."""
    rows = look.session.execute(
        select(Slot.bay_id, func.count().label("picks"))
        .join(PickLine, PickLine.slot_id == Slot.place_id)
        .where(PickLine.batch_id == batch_id)
        .group_by(Slot.bay_id)
    )
    return {row.bay_id: int(row.picks) for row in rows}


def _stops(look: Look, batch_id: int) -> tuple[list[StopMark], list[Stop]]:
    rows = look.session.execute(
        select(
            PickLine.stop,
            func.min(Slot.code).label("slot"),
            func.min(Slot.aisle_index).label("aisle"),
            func.min(Slot.y_mm).label("y_mm"),
            func.sum(PickLine.quantity).label("pieces"),
            func.sum(PickLine.quantity - PickLine.picked - PickLine.short).label("left"),
        )
        .join(Slot, Slot.place_id == PickLine.slot_id)
        .where(PickLine.batch_id == batch_id, PickLine.state.not_in([PickState.CANCELLED.value, PickState.ASIDE.value]))
        .group_by(PickLine.stop)
        .order_by(PickLine.stop)
    ).all()
    aisle_x_mm = site.hall(look.session, look.warehouse_id).hall.aisle_x_mm
    marks = [
        StopMark(row.stop, row.slot, aisle_x_mm[row.aisle], row.y_mm, int(row.pieces), row.left == 0) for row in rows
    ]
    return marks, [Stop(row.aisle, row.y_mm) for row in rows]
