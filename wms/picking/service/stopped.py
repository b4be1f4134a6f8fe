"""Orders that were cancelled on the way: they drop out of the walk, and what was picked goes back to a slot."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select, update

from wms.catalog import queries as catalog
from wms.catalog.tables import Sku
from wms.core.call import Call
from wms.core.db.tables import table_of
from wms.core.outbox import announce
from wms.core.refusal import Reason, Refused
from wms.ledger import service as ledger
from wms.ledger.tables import MovementRow, Stock
from wms.ledger.values import Condition, Movement, MovementKind
from wms.outbound import queries as outbound
from wms.outbound import service as outbound_service
from wms.outbound.tables import Order, OrderLine
from wms.outbound.values import OrderState
from wms.picking.queries.walk import DROPPED, forget, walk_of_batch
from wms.picking.service.picks import order_reference
from wms.picking.tables import Batch, BatchOrder, PickLine
from wms.picking.values import BatchState, PickState, Stopped, StoppedGoods, ToteOnCart
from wms.site import queries as site
from wms.site import service as site_service
from wms.site.tables import Slot
from wms.slotting import judging
from wms.slotting import service as slotting
from wms.slotting.values import Goods as SlotGoods
from wms.work import service as work

_batch = table_of(Batch)
_on_cart = table_of(BatchOrder)
_pick = table_of(PickLine)
_order = table_of(Order)
_lines = table_of(OrderLine)


def drop_stopped(call: Call, batch_id: int) -> tuple[ToteOnCart, ...]:
    """Take the orders that were cancelled meanwhile out of the walk; which ones, for the picker to be told."""
    dropped = walk_of_batch(call.session, call.warehouse_id, batch_id).to_drop
    for tote in dropped:
        stop_picking(call, tote.order_id)
    if dropped:
        forget(call.session, batch_id)
    return dropped


def stop_picking(call: Call, order_id: int) -> int:
    """Nothing more is picked for a stopped order: its promises are given back; how many pieces lie in totes already.

    With none the order is cancelled at once; else its goods wait for `restock`. A batch nobody began and with
    nothing left to pick is called off. Raises ORDER_STATE_WRONG when nobody stopped the order.
    """
    order = outbound.order_by_id(call.session, call.warehouse_id, order_id)
    if order.intercepted_at is None:
        raise Refused(Reason.ORDER_STATE_WRONG, state=order.state.value)
    open_picks = (_pick.c.order_id == order_id) & _pick.c.state.in_([PickState.OPEN.value, PickState.ASIDE.value])
    call.session.execute(update(_pick).where(open_picks).values(state=PickState.CANCELLED.value, done_at=call.now))
    off = update(_on_cart).where(_on_cart.c.order_id == order_id).values(state=DROPPED)
    batch_ids = sorted(set(call.session.execute(off.returning(_on_cart.c.batch_id)).scalars()))
    outbound_service.give_back(call, order_id)
    in_totes = int(
        call.session.execute(select(func.sum(_lines.c.picked)).where(_lines.c.order_id == order_id)).scalar_one()
    )
    if in_totes == 0:
        _cancelled(call, order)
    for batch_id in batch_ids:
        forget(call.session, batch_id)
        call_off_if_empty(call, batch_id)
    call.wakes.add("live")
    return in_totes


def _cancelled(call: Call, order: outbound.OrderFacts) -> None:
    off = {"state": OrderState.CANCELLED.value, "cancelled_at": call.now}
    call.session.execute(update(_order).where(_order.c.id == order.id).values(**off))
    announce(call, "order.cancelled", order_reference(order.id), order=order.no, merchant_id=order.merchant_id)


def call_off_if_empty(call: Call, batch_id: int) -> None:
    """A batch nobody began and of which nothing is left to pick, also not later, is over."""
    walk = walk_of_batch(call.session, call.warehouse_id, batch_id)
    if walk.state is not BatchState.OPEN or walk.open_picks or walk.aside_picks:
        return
    over = {"state": BatchState.CANCELLED.value, "done_at": call.now}
    call.session.execute(update(_batch).where(_batch.c.id == batch_id).values(**over))
    if walk.task_id is not None:
        work.cancel(call, walk.task_id)
    forget(call.session, batch_id)


def stopped_in(call: Call, container_code: str) -> Stopped:
    """What lies in a tote or parcel of a stopped order, and where it came from.

    Raises CONTAINER_UNKNOWN, CONTAINER_EMPTY, ORDER_STATE_WRONG when the order was not stopped.
    """
    container = site.container_by_code(call.session, call.warehouse_id, None, container_code)
    order_id = _order_of(call, container.place_id)
    goods = _goods_in(call, container.place_id, order_id) if order_id is not None else []
    if order_id is None or not goods:
        raise Refused(Reason.CONTAINER_EMPTY, container=container_code)
    order = outbound.order_by_id(call.session, call.warehouse_id, order_id)
    if order.intercepted_at is None:
        raise Refused(Reason.ORDER_STATE_WRONG, state=order.state.value)
    return Stopped(container.place_id, container.code, order.id, order.no, goods)


def _order_of(call: Call, place_id: int) -> int | None:
    """The order named by the last movement into the place."""
    query = (
        select(MovementRow.reference)
        .where(MovementRow.target_id == place_id, MovementRow.reference.startswith(order_reference(0)[:-1]))
        .order_by(MovementRow.id.desc())
        .limit(1)
    )
    reference = call.session.execute(query).scalar_one_or_none()
    return None if reference is None else int(reference.partition(":")[2])


def _goods_in(call: Call, place_id: int, order_id: int) -> list[StoppedGoods]:
    """What lies there, each with the slot it was picked from for this order (also when it was packed since)."""
    came_from = (
        select(Slot.code)
        .join(MovementRow, MovementRow.source_id == Slot.place_id)
        .where(MovementRow.reference == order_reference(order_id), MovementRow.sku_id == Stock.sku_id)
        .order_by(MovementRow.id.desc())
        .limit(1)
        .correlate(Stock)
        .scalar_subquery()
    )
    query = (
        select(
            Stock.merchant_id,
            Stock.sku_id,
            Sku.name,
            Stock.lot_id,
            Stock.book,
            Stock.on_hand,
            func.coalesce(came_from, ""),
        )
        .join(Sku, Sku.id == Stock.sku_id)
        .where(Stock.place_id == place_id, Stock.on_hand > 0, Stock.condition == Condition.GOOD.value)
        .order_by(Stock.id)
    )
    return [StoppedGoods(*row) for row in call.session.execute(query)]


def slot_for(call: Call, goods: StoppedGoods) -> str | None:
    """Where these goods go back to: the slot they came from, else the best that may take them; None where none may."""
    wanted = _stored(call, goods)
    try:
        came_from = site.slot_by_code(call.session, call.warehouse_id, goods.slot_code)
        judging.check_lawful(call, wanted, came_from.place_id)
    except Refused:  # under count, blocked, full, or no slot at all: another one then
        return _another_slot(call, wanted)
    return goods.slot_code


def _another_slot(call: Call, wanted: SlotGoods) -> str | None:
    try:
        return slotting.choose(call, wanted, count=1)[0].slot_code
    except Refused as no:
        if no.reason is not Reason.NO_SLOT_FITS:
            raise
        return None


def _stored(call: Call, goods: StoppedGoods) -> SlotGoods:
    sku = catalog.sku_by_id(call.session, call.warehouse_id, goods.sku_id)
    return SlotGoods(sku, goods.lot_id, goods.quantity, bonded=bool(goods.book), book=goods.book)


def restock(call: Call, container_code: str, slot_code: str, sku_id: int | None = None) -> Stopped:
    """Put the goods of a stopped order (or one SKU of them) back into a slot; what is left in the container.

    With the last of them the order is cancelled and the container free. Raises as `stopped_in`, SLOT_UNKNOWN, and the
    rule of slotting that the slot would break.
    """
    stopped = stopped_in(call, container_code)
    slot = site.slot_by_code(call.session, call.warehouse_id, slot_code)
    chosen = [goods for goods in stopped.goods if sku_id in (None, goods.sku_id)]
    if not chosen:
        raise Refused(Reason.SKU_WRONG, expected=stopped.goods[0].sku_name)
    movements = [_back(call, stopped, goods, slot.place_id) for goods in chosen]
    for goods in chosen:
        _unpick(call, stopped.order_id, goods)
    ledger.post(call, movements)
    left = [goods for goods in stopped.goods if goods not in chosen]
    if not left:
        site_service.free_container(call, stopped.place_id)
        _cancelled_if_all_back(call, stopped.order_id)
    return Stopped(stopped.place_id, stopped.code, stopped.order_id, stopped.order_no, left)


def _back(call: Call, stopped: Stopped, goods: StoppedGoods, slot_id: int) -> Movement:
    judging.take_slot(call, _stored(call, goods), slot_id)
    return Movement(
        MovementKind.UNPICK,
        goods.merchant_id,
        stopped.place_id,
        slot_id,
        goods.sku_id,
        goods.lot_id,
        goods.quantity,
        book=goods.book,
        reference=order_reference(stopped.order_id),
    )


def _unpick(call: Call, order_id: int, goods: StoppedGoods) -> None:
    """Count back on the order's lines of this SKU, whatever was packed of it already."""
    query = (
        select(_lines.c.id, _lines.c.picked, _lines.c.packed)
        .where(_lines.c.order_id == order_id, _lines.c.sku_id == goods.sku_id, _lines.c.picked > 0)
        .order_by(_lines.c.number)
    )
    left = goods.quantity
    rows: Sequence[Any] = call.session.execute(query).all()
    for row in rows:
        back = min(left, row.picked)
        left -= back
        picked = row.picked - back
        fewer = {"picked": picked, "packed": min(row.packed, picked), "allocated": _lines.c.allocated - back}
        call.session.execute(update(_lines).where(_lines.c.id == row.id).values(**fewer))


def _cancelled_if_all_back(call: Call, order_id: int) -> None:
    """The last piece is back in a slot: what is promised still is given back and the order is off."""
    picked = select(func.sum(_lines.c.picked)).where(_lines.c.order_id == order_id)
    if call.session.execute(picked).scalar_one() == 0:
        stop_picking(call, order_id)
