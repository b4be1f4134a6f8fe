"""A cart is taken, totes are put on it, the walk goes on, and at the end everything is left at the lane."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import bindparam, func, select, update

from wms.core.call import Call
from wms.core.db.tables import table_of
from wms.core.outbox import announce
from wms.core.refusal import Reason, Refused
from wms.core.sql import touched
from wms.ledger.tables import Stock
from wms.outbound.tables import Order, Wave
from wms.outbound.values import OrderState, Shortage, WaveState
from wms.picking.queries.walk import forget, remember, walk_of_batch
from wms.picking.service.shorts import short_aside
from wms.picking.service.stopped import drop_stopped
from wms.picking.tables import Batch, BatchOrder, PickLine
from wms.picking.values import BatchState, PickState, Walk
from wms.site import queries as site
from wms.site import service as site_service
from wms.site.values import ContainerKind
from wms.work import service as work

_batch = table_of(Batch)
_on_cart = table_of(BatchOrder)
_pick = table_of(PickLine)
_order = table_of(Order)
_wave = table_of(Wave)
_stock = table_of(Stock)

_these_orders = _order.c.id.in_(bindparam("orders", expanding=True))
_being_picked = update(_order).where(_these_orders, _order.c.state == OrderState.PICKING.value)
_begin_orders = (
    update(_order)
    .where(_these_orders, _order.c.state == OrderState.RELEASED.value)
    .values(state=OrderState.PICKING.value)
)
_orders_with_goods = _being_picked.values(
    state=OrderState.PICKED.value, picked_at=bindparam("now", type_=_order.c.picked_at.type)
)
_orders_without = _being_picked.values(
    state=OrderState.SHORT.value, short_reason=Shortage.NOT_FOUND.value, wave_id=None
)
_begin = (
    update(_batch)
    .where(_batch.c.id == bindparam("b"), _batch.c.state == BatchState.OPEN.value)
    .values(
        state=BatchState.PICKING.value,
        cart_id=bindparam("cart"),
        began_at=bindparam("now", type_=_batch.c.began_at.type),
    )
)
_finish = (
    update(_batch)
    .where(_batch.c.id == bindparam("b"), _batch.c.state == BatchState.PICKING.value)
    .values(state=BatchState.DONE.value, done_at=bindparam("now", type_=_batch.c.done_at.type))
)
_goods_in = select(_stock.c.id).where(_stock.c.place_id == bindparam("place"), _stock.c.on_hand > 0).limit(1)
_put = (
    update(_on_cart)
    .where(_on_cart.c.batch_id == bindparam("b"), _on_cart.c.position == bindparam("at"), _on_cart.c.tote_id.is_(None))
    .values(tote_id=bindparam("tote"))
)
_under_way = select(func.count(_batch.c.id)).where(
    _batch.c.wave_id == bindparam("wave"), _batch.c.state.in_([BatchState.OPEN.value, BatchState.PICKING.value])
)
_close = (
    update(_wave)
    .where(_wave.c.id == bindparam("wave"), _wave.c.state == WaveState.RELEASED.value)
    .values(state=WaveState.DONE.value, done_at=bindparam("now", type_=_wave.c.done_at.type))
)


def begin_batch(call: Call, batch_id: int, cart_code: str) -> None:
    """Take a cart for the batch; its orders are being picked from now on. The same cart again changes nothing.

    Raises CONTAINER_UNKNOWN, CONTAINER_IN_USE, CART_FULL when the cart has fewer places than the batch has orders,
    STEP_WRONG when the batch has another cart or is over.
    """
    cart = site.container_by_code(call.session, call.warehouse_id, ContainerKind.CART, cart_code)
    drop_stopped(call, batch_id)
    walk = walk_of_batch(call.session, call.warehouse_id, batch_id)
    if walk.cart_id == cart.place_id:
        return
    if walk.state is not BatchState.OPEN:
        raise Refused(Reason.STEP_WRONG)
    orders = [tote.order_id for tote in walk.totes if not tote.dropped]
    if cart.positions < max((tote.position for tote in walk.totes), default=0):
        raise Refused(Reason.CART_FULL, cart=cart_code)
    site_service.use_container(call, cart.place_id)
    call.session.execute(_begin_orders, {"orders": orders})
    _once(touched(call.session, _begin, {"b": batch_id, "cart": cart.place_id, "now": call.now}))
    begun = replace(walk, state=BatchState.PICKING, cart_id=cart.place_id, cart_code=cart.code)
    remember(call.session, begun)
    call.wakes.add("live")


def assign_tote(call: Call, batch_id: int, position: int, tote_code: str) -> None:
    """Put an empty tote at a position of the cart, for the order that belongs there.

    Raises CONTAINER_UNKNOWN, CONTAINER_IN_USE (on a cart, or with goods in it), STEP_WRONG when the position has one.
    """
    walk = walk_of_batch(call.session, call.warehouse_id, batch_id)
    tote = site.container_by_code(call.session, call.warehouse_id, ContainerKind.TOTE, tote_code)
    if walk.cart_id is None or position not in {each.position for each in walk.totes}:
        raise Refused(Reason.STEP_WRONG)
    if call.session.execute(_goods_in, {"place": tote.place_id}).first():
        raise Refused(Reason.CONTAINER_IN_USE, container=tote.code)
    site_service.use_container(call, tote.place_id)
    site_service.stand_in(call, tote.place_id, walk.cart_id)
    _once(touched(call.session, _put, {"b": batch_id, "at": position, "tote": tote.place_id}))
    remember(call.session, walk.with_tote(position, tote.place_id, tote.code))


def unassign_tote(call: Call, batch_id: int, position: int) -> None:
    """Take an empty tote off the cart again. Raises NOTHING_TO_UNDO once goods are in it."""
    walk = walk_of_batch(call.session, call.warehouse_id, batch_id)
    tote = walk.at(position)
    if tote.tote_id is None or any(pick.picked for pick in walk.picks if pick.position == position):
        raise Refused(Reason.NOTHING_TO_UNDO)
    site_service.free_container(call, tote.tote_id)
    here = (_on_cart.c.batch_id == batch_id) & (_on_cart.c.position == position)
    call.session.execute(update(_on_cart).where(here).values(tote_id=None))
    forget(call.session, batch_id)


def skip_stop(call: Call, batch_id: int, stop: int) -> None:
    """Later, not lost: the stop goes to the end of the walk. Raises STEP_WRONG when it is the last one anyway."""
    walk = walk_of_batch(call.session, call.warehouse_id, batch_id)
    if len(walk.open_stops) < 2:
        raise Refused(Reason.STEP_WRONG)
    last = max(pick.stop for pick in walk.picks)
    call.session.execute(
        update(_pick)
        .where(_pick.c.batch_id == batch_id, _pick.c.stop == stop, _pick.c.state == PickState.OPEN.value)
        .values(stop=last + 1)
    )
    forget(call.session, batch_id)


def finish_batch(call: Call, batch_id: int, lane_code: str) -> None:
    """Leave the totes at the lane; the cart is free, the orders are picked, the task is done.

    An order of which nothing was found is short and its tote free; so is what could not be reached. Raises
    ITEMS_MISSING while picks are open, STATION_UNKNOWN.
    """
    walk = walk_of_batch(call.session, call.warehouse_id, batch_id)
    if walk.open_picks:
        raise Refused(Reason.ITEMS_MISSING, missing=sum(pick.left for pick in walk.open_picks))
    if walk.state is not BatchState.PICKING or walk.cart_id is None:
        raise Refused(Reason.STEP_WRONG)
    lane = site.station_by_code(call.session, call.warehouse_id, lane_code)
    short_aside(call, walk)
    picked = {pick.order_id for pick in walk.picks if pick.picked}
    _orders_picked(call, walk, picked)
    _once(touched(call.session, _finish, {"b": batch_id, "now": call.now}))
    if walk.task_id is not None:
        work.done(call, walk.task_id)
    for tote in walk.totes:
        if tote.tote_id is not None and tote.order_id in picked:
            site_service.stand_in(call, tote.tote_id, lane.place_id)
        elif tote.tote_id is not None:
            site_service.free_container(call, tote.tote_id)
    site_service.free_container(call, walk.cart_id)
    close_wave(call, walk.wave_id)
    announce(call, "batch.picked", f"batch:{batch_id}", batch=walk.no, orders=len(picked), lane=lane.code)
    forget(call.session, batch_id)


def _orders_picked(call: Call, walk: Walk, picked: set[int]) -> None:
    """Orders with goods go on to packing; of those without, nothing was found. Stopped ones wait to be put back."""
    going = [tote.order_id for tote in walk.totes if not tote.stopped]
    with_goods = sorted(order_id for order_id in going if order_id in picked)
    empty = sorted(order_id for order_id in going if order_id not in picked)
    if with_goods:
        call.session.execute(_orders_with_goods, {"orders": with_goods, "now": call.now})
    if empty:
        call.session.execute(_orders_without, {"orders": empty})


def close_wave(call: Call, wave_id: int) -> None:
    """The last batch closes its wave, unless more of it are still to come to the floor."""
    if call.session.execute(_under_way, {"wave": wave_id}).scalar_one() == 0:
        call.session.execute(_close, {"wave": wave_id, "now": call.now})
    call.wakes.add("live")


def _once(rows: int) -> None:
    if rows != 1:
        raise Refused(Reason.STEP_WRONG)
