"""A plan before it is released: its batches, one of them drawn, and who could pick them when."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select

from wms.ledger.tables import Hold, Stock
from wms.optimise.geometry import Stop
from wms.outbound.tables import Order
from wms.outbound.values import OrderState
from wms.picking import queries as picking
from wms.picking.queries import OpenBatch
from wms.picking.queries.plans import PartWalk, PlanFacts, PlannedPart, walk_of_part
from wms.picking.rules.schedule import AFTER_PICKING, Outlook, Paces, Picker, Piece, outlook
from wms.picking.values import TASK_KIND, BatchState
from wms.site import queries as site
from wms.site.tables import Slot
from wms.terminal.queries import crew as crew_queries
from wms.terminal.queries.look import Look
from wms.terminal.queries.waves import StopMark, Walked, WaveCard, drawn

PEOPLE_MAX = 40
_SLOT = (Slot.code, Slot.aisle_index, Slot.y_mm, Slot.bay_id)


@dataclass(frozen=True, slots=True)
class Forecast:
    """What becomes of a plan with these people. `assumed`: nobody picks now, so one person is reckoned with."""

    outlook: Outlook
    pickers: tuple[Picker, ...]
    assumed: bool
    picking_now: int
    pace: Paces


def forecast(look: Look, card: WaveCard, parts: Sequence[PlannedPart], people: int | None, pace: Paces) -> Forecast:
    """The plan's batches after what is on the floor already, by the people who pick now (or by `people`)."""
    floor = picking.open_batches(look.session, look.warehouse_id)
    now = look.now.replace(second=0, microsecond=0)
    known = _pickers(look, floor, pace, now)
    wanted = min(PEOPLE_MAX, people if people is not None else max(1, len(known)))
    extra = [Picker(f"+{number}", now) for number in range(1, wanted - len(known) + 1)]
    pickers = (*known[:wanted], *extra)
    due_at = card.facts.cut_off_at - AFTER_PICKING
    pieces = [_open_piece(one, pace) for one in floor if one.state is BatchState.OPEN]
    pieces += [_part_piece(card.facts.no, one, due_at, pace) for one in parts]
    return Forecast(outlook(pickers, pieces, now), pickers, not known, len(known), pace)


def _pickers(look: Look, floor: Sequence[OpenBatch], pace: Paces, now: datetime) -> list[Picker]:
    """Who picks now, and when each will be through with the batch in his hands."""
    in_hand = {one.person: one for one in floor if one.state is BatchState.PICKING and one.person}
    names = [
        one.name
        for one in crew_queries.crew(look)
        if one.doing == TASK_KIND or any(task.kind == TASK_KIND for task in one.in_hand)
    ]
    names += [name for name in in_hand if name not in names]
    return [Picker(name, now + _left(in_hand.get(name), pace)) for name in names]


def _left(batch: OpenBatch | None, pace: Paces) -> timedelta:
    if batch is None or not batch.stops:
        return timedelta()
    whole = pace.seconds(batch.walk_mm, batch.stops, batch.pieces)
    return timedelta(seconds=whole * batch.stops_left / batch.stops)


def _open_piece(batch: OpenBatch, pace: Paces) -> Piece:
    due_at = batch.cut_off_at - AFTER_PICKING
    seconds = pace.seconds(batch.walk_mm, batch.stops, batch.pieces)
    return Piece(batch.no, seconds, due_at, batch.orders, planned=False)


def _part_piece(wave_no: str, part: PlannedPart, due_at: datetime, pace: Paces) -> Piece:
    seconds = pace.seconds(part.walk_mm, part.stops, part.pieces, part.zone_id)
    return Piece(part_no(wave_no, part.number), seconds, due_at, part.orders)


def part_no(wave_no: str, number: int) -> str:
    """What the batch will be called once it is released."""
    return f"{wave_no}-{number:02d}"


def short_orders(look: Look, card: WaveCard) -> int:
    """Orders of the wave's courier and cut-off that have no stock: no plan can bring them in time."""
    query = select(func.count(Order.id)).where(
        Order.warehouse_id == look.warehouse_id,
        Order.state == OrderState.SHORT.value,
        Order.courier == card.facts.courier,
        Order.cut_off_at == card.facts.cut_off_at,
        Order.intercepted_at.is_(None),
    )
    return int(look.session.execute(query).scalar_one())


def drawn_part(look: Look, wave_no: str, plan: PlanFacts, part: PlannedPart, language: str) -> Walked:
    """A batch of a plan on the floor plan, its walk thick and the S-shape dashed beside it."""
    walk = walk_of_part(look.session, plan.id, part.number)
    rows = [*_promised_stops(look, walk), *_chosen_stops(look, walk)]
    aisle_x_mm = site.hall(look.session, look.warehouse_id).hall.aisle_x_mm
    marks: dict[int, StopMark] = {}
    for number, quantity, row in rows:
        pieces = quantity + (marks[number].pieces if number in marks else 0)
        marks[number] = StopMark(number, row.code, aisle_x_mm[row.aisle_index], row.y_mm, pieces, done=False)
    heat: dict[int, int] = {}
    for _, _, row in rows:
        heat[row.bay_id] = heat.get(row.bay_id, 0) + 1
    stops = [Stop(row.aisle_index, row.y_mm) for _, _, row in rows]
    title = part_no(wave_no, part.number)
    return drawn(look, title, walk.path, stops, [marks[number] for number in sorted(marks)], heat, language)


def _promised_stops(look: Look, walk: PartWalk) -> Iterator[tuple[int, int, Any]]:
    """Stop, pieces and slot of what is picked where it was promised."""
    stop_of = dict(walk.hold_stops)
    moved: Counter[int] = Counter()
    for hold_id, _, _, quantity in walk.moved:
        moved[hold_id] += quantity
    rows = look.session.execute(
        select(Hold.id, Hold.quantity, *_SLOT)
        .join(Stock, Stock.id == Hold.stock_id)
        .join(Slot, Slot.place_id == Stock.place_id)
        .where(Hold.id.in_(stop_of))
        .order_by(Hold.id)
    )
    for row in rows:
        yield stop_of[row.id], max(0, row.quantity - moved[row.id]), row


def _chosen_stops(look: Look, walk: PartWalk) -> Iterator[tuple[int, int, Any]]:
    """The same of what is picked from other slots."""
    rows = look.session.execute(
        select(Stock.id, *_SLOT)
        .join(Slot, Slot.place_id == Stock.place_id)
        .where(Stock.id.in_({stock_id for _, _, stock_id, _ in walk.moved}))
    )
    slot_of = {row.id: row for row in rows}
    yield from ((stop, quantity, slot_of[stock_id]) for _, stop, stock_id, quantity in walk.moved)
