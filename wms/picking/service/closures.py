"""What was planned meets what is closed: walks nobody began are laid out anew, and walkers on their way are told.

Goods out of reach come from another slot if such lie in any; else their pick is set aside with what is closed, and
comes back into the walk when that is opened before its end. Who begins a walk takes no order along that he could not
pick whole: it waits for the next wave. Who is on his way already leaves it short at the lane.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.orm import Session

from wms.core.call import Call
from wms.core.db.tables import table_of
from wms.ledger.tables import Hold, Stock
from wms.ledger.values import Purpose
from wms.optimise.geometry import Point, is_reachable, stop_point, walk_through
from wms.outbound import service as outbound
from wms.outbound.tables import Order, OrderLine
from wms.outbound.values import OrderState
from wms.picking.queries.walk import DROPPED, forget, path_of_batch, walk_of_batch
from wms.picking.rules.rerouting import Rerouted, closures_at, rerouted, touched
from wms.picking.service.carts import close_wave
from wms.picking.service.elsewhere import Moved, Promise, elsewhere, keep_in_order, move, promise_of
from wms.picking.service.planning import pick_row
from wms.picking.service.stopped import call_off_if_empty
from wms.picking.tables import Batch, BatchOrder, PickLine
from wms.picking.values import BatchState, Goods, PickFacts, PickState, Walk, WalkChange
from wms.site import queries as site
from wms.site.tables import Slot
from wms.site.values import ClosureFacts, HallFacts

ORDERS_AT_ONCE_MAX = 5_000
BATCHES_AT_ONCE_MAX = 2_000
NO_STOP = 0  # real ones count from 1

_batch = table_of(Batch)
_on_cart = table_of(BatchOrder)
_pick = table_of(PickLine)
_order = table_of(Order)
_go = (
    update(_pick).where(_pick.c.id == bindparam("row")).values(stop=bindparam("at"), state=PickState.OPEN.value, why="")
)


def orders_cut_off(session: Session, warehouse_id: int) -> list[int]:
    """Orders nobody picks yet of whose promised goods some cannot be walked to, by id."""
    query = (
        select(Order.id)
        .distinct()
        .join(OrderLine, OrderLine.order_id == Order.id)
        .join(Hold, (Hold.reference_id == OrderLine.id) & (Hold.purpose == Purpose.ORDER_LINE.value))
        .join(Stock, Stock.id == Hold.stock_id)
        .join(Slot, Slot.place_id == Stock.place_id)
        .where(
            Order.warehouse_id == warehouse_id,
            Order.state == OrderState.ALLOCATED.value,
            Hold.quantity > 0,
            Slot.shut.is_(True),
        )
        .order_by(Order.id)
        .limit(ORDERS_AT_ONCE_MAX)
    )
    return list(session.scalars(query))


def promise_elsewhere(call: Call, order_ids: Sequence[int]) -> int:
    """Promise these orders, from slots that can be walked to, what they have in others; how many pieces moved.

    What lies nowhere else stays promised where it is.
    """
    still = (_order.c.id.in_(sorted(order_ids))) & (_order.c.state == OrderState.ALLOCATED.value)
    mine = call.session.execute(select(_order.c.id).where(still).order_by(_order.c.id).with_for_update()).scalars()
    promises = _cut_off_promises(call, list(mine))
    with_others = [(promise, elsewhere(call, promise)) for promise in promises]
    keep_in_order(call, with_others)
    return sum(each.quantity for promise, others in with_others for each in move(call, promise, others))


def _cut_off_promises(call: Call, order_ids: Sequence[int]) -> list[Promise]:
    query = (
        select(
            Hold.id,
            Stock.id,
            Stock.place_id,
            Hold.merchant_id,
            OrderLine.id,
            Stock.sku_id,
            Stock.book,
            Hold.quantity,
        )
        .join(OrderLine, (Hold.reference_id == OrderLine.id) & (Hold.purpose == Purpose.ORDER_LINE.value))
        .join(Stock, Stock.id == Hold.stock_id)
        .join(Slot, Slot.place_id == Stock.place_id)
        .where(OrderLine.order_id.in_(order_ids), Hold.quantity > 0, Slot.shut.is_(True))
        .order_by(OrderLine.order_id, Hold.id)
    )
    return [Promise(*row) for row in call.session.execute(query)]


def stale_batches(session: Session, warehouse_id: int) -> list[int]:
    """Batches nobody began that were laid out in another state of the floor, by id."""
    version = site.hall(session, warehouse_id).version
    query = select(Batch.id).where(
        Batch.warehouse_id == warehouse_id, Batch.state == BatchState.OPEN.value, Batch.hall_version != version
    )
    return list(session.scalars(query.order_by(Batch.id).limit(BATCHES_AT_ONCE_MAX)))


def lay_out_open(call: Call, batch_id: int) -> WalkChange | None:
    """As `lay_out_again`, for a batch nobody began; None when somebody has meanwhile."""
    mine = (_batch.c.id == batch_id) & (_batch.c.state == BatchState.OPEN.value)
    if call.session.execute(select(_batch.c.id).where(mine).with_for_update()).first() is None:
        return None
    forget(call.session, batch_id)
    return lay_out_again(call, batch_id)


def lay_out_again(call: Call, batch_id: int, in_hand: int = 0, *, there: bool = False) -> WalkChange | None:
    """Lead a walk around what is closed by now, and back to what is open again; None when it stays as it was.

    `in_hand` is the pick at which the picker stands (`there`) or to which he walks: as long as it can be reached, or he
    is there, it stays the next one. Raises PLAN_UNSOUND.
    """
    walk = walk_of_batch(call.session, call.warehouse_id, batch_id)
    if not walk.floor_changed:
        return None
    hall = site.hall(call.session, call.warehouse_id)
    at_pick = walk.pick(in_hand)
    if at_pick is not None and not there and not is_reachable(hall.now, at_pick.place):
        at_pick = None
    if not touched(hall.now, walk, _way(call, hall, walk, at_pick)):
        _mark(call, batch_id, hall)
        return None
    _lock_picks(call, batch_id)
    before = {pick.id for pick in walk.aside_picks}
    moved = _fetch_elsewhere(call, walk, hall, at_pick)
    forget(call.session, batch_id)
    walk = walk_of_batch(call.session, call.warehouse_id, batch_id)
    found = rerouted(hall.now, walk, None if at_pick is None else walk.pick(at_pick.id))
    _write(call, walk, hall, found)
    aside = [pick for pick in walk.picks if pick.id in found.aside]
    names = sorted({closure.name for pick in aside for closure in closures_at(hall, pick.place)})
    back = len(before - set(found.aside))
    return WalkChange(tuple(names or (one.name for one in hall.closures)), len(aside), back, moved)


def _way(call: Call, hall: HallFacts, walk: Walk, at_pick: PickFacts | None) -> Sequence[Point]:
    """The walk as it was laid out; of one under way what is left of it, straight from stop to stop."""
    if walk.state is BatchState.OPEN:
        return path_of_batch(call.session, walk.batch_id)
    done = [pick for pick in walk.picks if pick.picked]
    here = at_pick or max(done, key=lambda pick: pick.stop, default=None)
    begin = hall.hall.start_point if here is None else stop_point(hall.hall, here.place)
    ahead = [stop_point(hall.hall, pick.place) for pick in walk.open_picks]
    return walk_through(hall.hall, [begin, *ahead, hall.hall.end_point])


def _lock_picks(call: Call, batch_id: int) -> None:
    """Picks before stock rows, as every scan does."""
    rows = select(_pick.c.id).where(_pick.c.batch_id == batch_id).order_by(_pick.c.id)
    call.session.execute(rows.with_for_update()).all()


def _fetch_elsewhere(call: Call, walk: Walk, hall: HallFacts, at_pick: PickFacts | None) -> int:
    """Picks out of reach that can come from another slot become picks there; how many pieces did."""
    cut_off = [
        pick
        for pick in (*walk.open_picks, *walk.aside_picks)
        if not is_reachable(hall.now, pick.place) and (at_pick is None or pick.stop != at_pick.stop)
    ]
    promises = [(promise_of(pick, pick.wanted), pick) for pick in cut_off]
    with_others = [(promise, elsewhere(call, promise)) for promise, _ in promises]
    keep_in_order(call, with_others)
    pieces = 0
    for (promise, others), pick in zip(with_others, cut_off, strict=True):
        moved = move(call, promise, others)
        pieces += sum(each.quantity for each in moved)
        if moved:
            _take_elsewhere(call, walk, pick, moved)
    return pieces


def _take_elsewhere(call: Call, walk: Walk, pick: PickFacts, moved: Sequence[Moved]) -> None:
    quantity = sum(each.quantity for each in moved)
    here = _pick.c.id == pick.id
    rows = [pick_row(call, walk.batch_id, pick.stop, _goods(pick, each)) for each in moved]
    call.session.execute(insert(_pick), rows)
    if quantity == pick.quantity:
        call.session.execute(delete(_pick).where(here))
        return
    over = PickState.DONE if pick.picked else PickState.SHORT
    state = pick.state if quantity < pick.wanted else over
    call.session.execute(update(_pick).where(here).values(quantity=pick.quantity - quantity, state=state.value))


def _goods(pick: PickFacts, moved: Moved) -> Goods:
    found = moved.found
    return Goods(
        moved.hold_id,
        pick.order_id,
        pick.order_line_id,
        pick.merchant_id,
        found.stock_id,
        found.slot_id,
        found.slot_code,
        0,
        pick.sku_id,
        found.lot_id,
        moved.quantity,
        found.stop,
    )


def _write(call: Call, walk: Walk, hall: HallFacts, found: Rerouted) -> None:
    if found.stops:
        call.session.execute(_go, [{"row": pick_id, "at": stop} for pick_id, stop in found.stops])
    for pick in walk.picks:
        if pick.id in found.aside:
            aside = {"state": PickState.ASIDE.value, "why": _why(closures_at(hall, pick.place)), "stop": NO_STOP}
            call.session.execute(update(_pick).where(_pick.c.id == pick.id).values(**aside))
    route = found.route
    corners = [[corner.x_mm, corner.y_mm] for corner in route.path if isinstance(corner, Point)]
    laid = {"walk_mm": found.walk_mm, "optimal": route.optimal, "method": route.method, "path": {"mm": corners}}
    _mark(call, walk.batch_id, hall, **laid)


def _mark(call: Call, batch_id: int, hall: HallFacts, **laid: Any) -> None:
    here = _batch.c.id == batch_id
    call.session.execute(update(_batch).where(here).values(hall_version=hall.version, **laid))
    forget(call.session, batch_id)
    call.wakes.add("live")


def _why(closures: Iterable[ClosureFacts]) -> str:
    return "; ".join(f"{one.name}: {one.why}" for one in closures)[:300]


def leave_behind(call: Call, batch_id: int) -> int:
    """Who begins a walk takes no order along of which something is set aside; how many wait for another wave now.

    A batch of which nothing is left is called off.
    """
    walk = walk_of_batch(call.session, call.warehouse_id, batch_id)
    order_ids = sorted({pick.order_id for pick in walk.aside_picks})
    if walk.state is not BatchState.OPEN or not order_ids:
        return 0
    theirs = (_pick.c.batch_id == batch_id) & _pick.c.order_id.in_(order_ids)
    off = {"state": PickState.CANCELLED.value, "done_at": call.now}
    call.session.execute(update(_pick).where(theirs).values(**off))
    gone = (_on_cart.c.batch_id == batch_id) & _on_cart.c.order_id.in_(order_ids)
    call.session.execute(update(_on_cart).where(gone).values(state=DROPPED))
    outbound.put_back(call, order_ids)
    forget(call.session, batch_id)
    call_off_if_empty(call, batch_id)
    left = walk_of_batch(call.session, call.warehouse_id, batch_id)
    if left.state is BatchState.OPEN:
        hall = site.hall(call.session, call.warehouse_id)
        _write(call, left, hall, rerouted(hall.now, left))
    close_wave(call, walk.wave_id)
    return len(order_ids)
