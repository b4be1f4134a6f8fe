"""The dispatch dock's use cases: number and route a parcel, hand it over; give parcels of a stopped order up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import bindparam, func, insert, select, update
from sqlalchemy.orm import Session

from wms.catalog.tables import Merchant, Sku
from wms.core.call import Call
from wms.core.db.tables import table_of
from wms.core.outbox import announce
from wms.core.refusal import Reason, Refused
from wms.ledger import service as ledger
from wms.ledger.tables import Stock
from wms.ledger.values import Condition, Movement, MovementKind, Virtual
from wms.outbound.tables import Order, OrderLine
from wms.packing import service as packing
from wms.packing.queries import IN_TOTES
from wms.packing.rules import expected_weight_g, share_over_lines
from wms.packing.service import locked_parcel
from wms.packing.tables import Parcel, ParcelItem
from wms.packing.values import ParcelState
from wms.shipping.routes import route
from wms.shipping.tables import Bag, Waybill
from wms.shipping.values import Labelled, ParcelToLabel, WaybillSource
from wms.shipping.waybills import PoolSource

_line = table_of(OrderLine)
_order = table_of(Order)
_parcel = table_of(Parcel)
_waybill = table_of(Waybill)
_stock = table_of(Stock)
_item = table_of(ParcelItem)
_sku = table_of(Sku)
_merchant = table_of(Merchant)

POOL: WaybillSource = PoolSource()
LEAVING = frozenset({ParcelState.LABELLED, ParcelState.SORTED, ParcelState.BAGGED})
_STILL_HERE = ("open", "packed", "labelled", "sorted", "bagged")

_shipped_of = (
    update(_line)
    .where(_line.c.id.in_(select(_item.c.order_line_id).where(_item.c.parcel_id == bindparam("p"))))
    .values(
        shipped=_line.c.shipped
        + select(func.sum(_item.c.quantity))
        .where(_item.c.parcel_id == bindparam("p"), _item.c.order_line_id == _line.c.id)
        .scalar_subquery()
    )
)
_ready_order = (
    select(
        _order.c.id,
        _order.c.no,
        _order.c.merchant_id,
        _order.c.courier,
        _order.c.area_code,
        _order.c.state,
        _order.c.intercepted_at,
    )
    .join(_merchant, _merchant.c.id == _order.c.merchant_id)
    .where(_order.c.warehouse_id == bindparam("w"), _order.c.no == bindparam("no"))
    .limit(2)
    .with_for_update(of=_order)
)
_parcels_of = (
    select(_parcel.c.id, _parcel.c.number, _parcel.c.state)
    .where(_parcel.c.order_id == bindparam("o"))
    .order_by(_parcel.c.number)
)
_to_pack = (
    select(_line.c.id, _line.c.sku_id, (_line.c.picked - _line.c.packed).label("left"), _sku.c.weight_g)
    .join(_sku, _sku.c.id == _line.c.sku_id)
    .where(_line.c.order_id == bindparam("o"), _line.c.picked > _line.c.packed)
    .order_by(_line.c.number)
)
_all_shipped = (
    update(_line)
    .where(_line.c.order_id == bindparam("o"), _line.c.picked > _line.c.packed)
    .values(shipped=_line.c.shipped + _line.c.picked - _line.c.packed, packed=_line.c.picked)
)

_now = bindparam("now", type_=_order.c.shipped_at.type)
_order_shipped = (
    update(_order)
    .where(_order.c.id == bindparam("o"))
    .values(state="shipped", packed_at=func.coalesce(_order.c.packed_at, _now), shipped_at=_now)
)
_mark_parcel = (
    update(_parcel)
    .where(_parcel.c.id == bindparam("p"))
    .values(waybill=bindparam("given"), route_code=bindparam("by_route"), hub=bindparam("to"))
)
_insert_waybill = insert(_waybill)
_insert_items = insert(_item)


def label_parcel(call: Call, parcel_id: int, source: WaybillSource = POOL) -> Labelled:
    """Give a packed parcel its number and route, once; asked again, the same.

    The label itself is rendered and queued after the commit (`parcel.labelled`). Raises NO_ROUTE, WAYBILL_POOL_EMPTY,
    PARCEL_STATE_WRONG, ORDER_INTERCEPTED (a stopped order wastes no number).
    """
    parcel = locked_parcel(call, parcel_id)
    if parcel.waybill is not None:
        return Labelled(parcel.id, parcel.waybill, parcel.route_code, parcel.hub)
    if parcel.state != ParcelState.PACKED:
        raise Refused(Reason.PARCEL_STATE_WRONG, state=parcel.state)
    packing.refuse_stopped(call, parcel.order_id)
    area_code = call.session.scalars(select(Order.area_code).where(Order.id == parcel.order_id)).one()
    to_label = ParcelToLabel(parcel.id, parcel.courier, parcel.merchant_id, area_code, parcel.weight_g or 0)
    labelled = number_and_route(call, to_label, source)
    parcel.waybill, parcel.route_code, parcel.hub = labelled.waybill, labelled.route_code, labelled.hub
    parcel.state = ParcelState.LABELLED.value
    call.session.flush()
    announce(call, "parcel.labelled", f"parcel:{parcel.id}", parcel=parcel.id)
    return labelled


def number_and_route(
    call: Call, parcel: ParcelToLabel, source: WaybillSource = POOL, *, state: str = "taken"
) -> Labelled:
    """Take a number for a parcel that has none, and keep it with the route it is printed with."""
    where = route(call.session, call.warehouse_id, parcel.courier, parcel.area_code)
    label = source.take(call, parcel)
    row = {
        "warehouse_id": call.warehouse_id,
        "merchant_id": parcel.merchant_id,
        "courier": parcel.courier,
        "number": label.number,
        "parcel_id": parcel.id,
        "source": label.source,
        "state": state,
        "route_code": where.route_code,
        "printed_hub": where.hub,
        "taken_at": call.now,
    }
    call.session.execute(_insert_waybill, row)
    return Labelled(parcel.id, label.number, where.route_code, where.bag_hub)


def hand_over_parcel(call: Call, parcel: Parcel, manifest_id: int | None) -> None:
    """The parcel leaves the house: its goods go to the customer; the order is shipped with its last parcel.

    Raises ORDER_INTERCEPTED, PARCEL_TWICE, PARCEL_NOT_WEIGHED, PARCEL_STATE_WRONG. This is the last gate: a
    cancellation that came before is honoured here, one that comes after is refused.
    """
    refuse_to_leave(call, parcel)
    _to_customer(call, parcel)
    parcel.state = ParcelState.HANDED_OVER.value
    parcel.handed_over_at = call.now
    parcel.manifest_id = manifest_id
    call.session.flush()
    call.session.execute(update(_waybill).where(_waybill.c.parcel_id == parcel.id).values(state="handed_over"))
    _ship_if_last(call, parcel.order_id)


def refuse_to_leave(call: Call, parcel: Parcel) -> None:
    """Everything that forbids a parcel to go to the courier, each its own refusal."""
    call.session.execute(select(_order.c.id).where(_order.c.id == parcel.order_id).with_for_update())
    if parcel.state == ParcelState.HANDED_OVER:
        raise Refused(Reason.PARCEL_TWICE, parcel=parcel.waybill or parcel.code)
    packing.refuse_stopped(call, parcel.order_id)
    if parcel.weight_g is None:
        raise Refused(Reason.PARCEL_NOT_WEIGHED, parcel=parcel.code)
    if parcel.state not in LEAVING:
        raise Refused(Reason.PARCEL_STATE_WRONG, state=parcel.state)


def _to_customer(call: Call, parcel: Parcel) -> None:
    customer = ledger.virtual_id(call.session, call.warehouse_id, Virtual.CUSTOMER)
    inside = select(_stock).where(_stock.c.place_id == parcel.place_id, _stock.c.on_hand > 0).order_by(_stock.c.id)
    movements = [
        Movement(
            MovementKind.SHIP,
            row.merchant_id,
            row.place_id,
            customer,
            row.sku_id,
            row.lot_id,
            row.on_hand,
            Condition(row.condition),
            row.book,
            reference=f"parcel:{parcel.id}",
        )
        for row in call.session.execute(inside)
    ]
    assert movements, f"parcel {parcel.code} is empty"
    ledger.post(call, movements)
    call.session.execute(_shipped_of, {"p": parcel.id})


def _ship_if_last(call: Call, order_id: int) -> None:
    here = select(_parcel.c.id).where(_parcel.c.order_id == order_id, _parcel.c.state.in_(_STILL_HERE)).limit(1)
    if call.session.execute(here).first() is None and not _pieces_not_packed(call.session, order_id):
        _shipped(call, order_id)
    call.wakes.add("live")


def _shipped(call: Call, order_id: int) -> None:
    call.session.execute(_order_shipped, {"o": order_id, "now": call.now})
    announce(call, "order.shipped", f"order:{order_id}", order=order_id)
    call.wakes.add("live")


def _pieces_not_packed(session: Session, order_id: int) -> bool:
    open_line = select(_line.c.id).where(_line.c.order_id == order_id, _line.c.picked > _line.c.packed).limit(1)
    return session.execute(open_line).first() is not None


def cancel_parcels(call: Call, order_id: int, source: WaybillSource = POOL) -> int:
    """Give up the parcels of a stopped order that are still here: out of their bags, their numbers void. How many.

    What is in them is put back by whoever restocks the order. Raises ORDER_STATE_WRONG when nobody stopped it.
    """
    order = call.session.execute(
        select(_order.c.state, _order.c.intercepted_at)
        .where(_order.c.id == order_id, _order.c.warehouse_id == call.warehouse_id)
        .with_for_update()
    ).one_or_none()
    if order is None or (order.intercepted_at is None and order.state != "cancelled"):
        raise Refused(Reason.ORDER_STATE_WRONG, state=order.state if order else "")
    parcels: Sequence[Parcel] = call.session.scalars(
        select(Parcel)
        .where(Parcel.order_id == order_id, Parcel.state.in_(_STILL_HERE))
        .order_by(Parcel.id)
        .with_for_update(),
        execution_options={"populate_existing": True},
    ).all()
    for parcel in parcels:
        take_out_of_bag(call, parcel)
        packing.cancel_parcel(call, parcel)
        if parcel.waybill is not None:
            source.void(call, parcel.courier, parcel.waybill)
    return len(parcels)


def take_out_of_bag(call: Call, parcel: Parcel) -> None:
    """The parcel is fetched out of its bag, if it hangs in one. A closed bag's tag no longer tells the truth: the bag
    is open again, and gets a new tag when it is closed.
    """
    if parcel.bag_id is None:
        return
    bag = call.session.scalars(
        select(Bag).where(Bag.id == parcel.bag_id).with_for_update(), execution_options={"populate_existing": True}
    ).one()
    if bag.state == "handed_over":
        raise Refused(Reason.BAG_CLOSED, bag=bag.code)
    bag.parcels -= 1
    bag.net_weight_g -= parcel.weight_g or 0
    bag.state, bag.closed_at = "open", None
    parcel.bag_id = None
    parcel.state = ParcelState.LABELLED.value
    call.session.flush()
    call.session.execute(update(_waybill).where(_waybill.c.parcel_id == parcel.id).values(state="taken"))


def ship_order(call: Call, order_no: str, merchant_code: str | None = None) -> dict[str, object]:
    """Close an order in one go, for a program without packing table: all that was picked into one parcel, numbered,
    handed over; boxes that were packed before go with it.

    The weight is the expected one (a program has no scale). Raises ORDER_UNKNOWN, ORDER_INTERCEPTED, ORDER_NOT_READY,
    BAD_INPUT when two merchants use the number and none is named, and what the steps raise.
    """
    order = _order_by_no(call, order_no, merchant_code)
    lines = call.session.execute(_to_pack, {"o": order.id}).all()
    known = call.session.execute(_parcels_of, {"o": order.id}).all()
    if any(one.state == ParcelState.OPEN for one in known) or not lines:
        shipped = _ship_boxes(call, order, lines, [one.id for one in known if one.state in _STILL_HERE])
    else:
        shipped = [_ship_at_once(call, order, lines, 1 + max((one.number for one in known), default=0))]
        packed_before = [one.id for one in known if one.state in _STILL_HERE]
        shipped += _hand_over_boxes(call, packed_before)
        if not packed_before:
            _shipped(call, order.id)
    parcels = [{"code": code, "waybill": waybill} for code, waybill in shipped]
    return {"order": order_no, "state": "shipped", "parcels": parcels}


def _order_by_no(call: Call, order_no: str, merchant_code: str | None) -> Any:
    query = _ready_order
    if call.merchant_id is not None:
        query = query.where(_order.c.merchant_id == call.merchant_id)
    if merchant_code is not None:
        query = query.where(_merchant.c.code == merchant_code)
    found = call.session.execute(query, {"w": call.warehouse_id, "no": order_no}).all()
    if not found:
        raise Refused(Reason.ORDER_UNKNOWN, order=order_no[:40])
    if len(found) > 1:
        raise Refused(Reason.BAD_INPUT, what=f"merchant of order {order_no[:40]}")
    order = found[0]
    packing.refuse_not_ready(order)
    return order


def _ship_at_once(call: Call, order: Any, lines: Sequence[Any], number: int) -> tuple[str, str]:
    """Everything left into one box that leaves in the same breath: no stock row of the box is ever written."""
    parcel = packing.new_parcel(
        call,
        order,
        number=number,
        state=ParcelState.HANDED_OVER.value,
        weight_g=max(1, expected_weight_g([(line.weight_g, line.left) for line in lines])),
        expected_weight_g=expected_weight_g([(line.weight_g, line.left) for line in lines]),
        packed_by=call.actor,
        packed_at=call.now,
        handed_over_at=call.now,
    )
    skus = sorted({line.sku_id for line in lines})
    stock = call.session.execute(IN_TOTES, {"o": order.id, "w": call.warehouse_id, "skus": skus}).all()
    parts = [part for sku_id in skus for part in _parts_of(sku_id, lines, stock)]
    customer = ledger.virtual_id(call.session, call.warehouse_id, Virtual.CUSTOMER)
    packed = [packing.pack_movement(parcel, row, part) for _line_id, row, part in parts]
    ledger.post(call, packed + [_leaves(move, customer, parcel.id) for move in packed])
    call.session.execute(_insert_items, packing.item_rows(call, parcel, parts))
    call.session.execute(_all_shipped, {"o": order.id})
    packing.free_totes(call, order.id)
    to_label = ParcelToLabel(parcel.id, order.courier, order.merchant_id, order.area_code, 0)
    labelled = number_and_route(call, to_label, state="handed_over")
    marks = {"given": labelled.waybill, "by_route": labelled.route_code, "to": labelled.hub}
    call.session.execute(_mark_parcel, {"p": parcel.id, **marks})
    return parcel.code, labelled.waybill


def _parts_of(sku_id: int, lines: Sequence[Any], stock: Sequence[Any]) -> list[tuple[int, Any, int]]:
    wanted = [(line.id, line.left) for line in lines if line.sku_id == sku_id]
    there = [row for row in stock if row.sku_id == sku_id]
    return share_over_lines(wanted, there, sum(left for _line_id, left in wanted))


def _leaves(packed: Movement, customer: int, parcel_id: int) -> Movement:
    return replace(
        packed,
        kind=MovementKind.SHIP,
        source_id=packed.target_id,
        target_id=customer,
        reference=f"parcel:{parcel_id}",
    )


def _ship_boxes(call: Call, order: Any, lines: Sequence[Any], parcel_ids: list[int]) -> list[tuple[str, str]]:
    """Somebody began to pack it: what is left goes into the open box, then all boxes go."""
    if lines:
        facts = packing.begin_parcel(call, order_id=order.id)
        for sku_id in sorted({line.sku_id for line in lines}):
            packing.pack_item(call, facts.id, sku_id, sum(line.left for line in lines if line.sku_id == sku_id))
    if not parcel_ids:
        raise Refused(Reason.ITEMS_MISSING, missing=1)
    return _hand_over_boxes(call, parcel_ids)


def _hand_over_boxes(call: Call, parcel_ids: Sequence[int]) -> list[tuple[str, str]]:
    shipped = []
    for parcel_id in parcel_ids:
        parcel = locked_parcel(call, parcel_id)
        if parcel.state == ParcelState.OPEN:
            weight_g = packing.theoretical_weight_g(call.session, parcel_id)
            packing.finish_parcel(call, parcel_id, weight_g, check=False)
        labelled = label_parcel(call, parcel_id)
        take_out_of_bag(call, parcel)
        hand_over_parcel(call, parcel, None)
        shipped.append((parcel.code, labelled.waybill))
    return shipped
