"""The dispatch dock's use cases: number and route a parcel, hand it over, close an order."""

from __future__ import annotations

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from wms.core.call import Call
from wms.core.db.tables import table_of
from wms.core.outbox import announce
from wms.core.refusal import Reason, Refused
from wms.ledger import service as ledger
from wms.ledger.tables import Stock
from wms.ledger.values import Movement, MovementKind, Virtual
from wms.outbound.tables import Order, OrderLine
from wms.packing import service as packing
from wms.packing.tables import Parcel, ParcelItem
from wms.packing.values import ParcelState
from wms.shipping.routes import route
from wms.shipping.tables import Waybill
from wms.shipping.values import Labelled, ParcelToLabel, WaybillSource
from wms.shipping.waybills import PoolSource

_line = table_of(OrderLine)
_order = table_of(Order)
_waybill = table_of(Waybill)

POOL: WaybillSource = PoolSource()


def label_parcel(call: Call, parcel_id: int, source: WaybillSource = POOL) -> Labelled:
    """Give a packed parcel its number and route, once; asked again, the same.

    The label itself is rendered and queued after the commit (`parcel.labelled`). Raises NO_ROUTE, WAYBILL_POOL_EMPTY.
    """
    parcel = locked_parcel(call, parcel_id)
    if parcel.waybill is not None:
        return Labelled(parcel.id, parcel.waybill, parcel.route_code, parcel.hub)
    if parcel.state != ParcelState.PACKED:
        raise Refused(Reason.PARCEL_STATE_WRONG, state=parcel.state)
    area_code = call.session.scalars(select(Order.area_code).where(Order.id == parcel.order_id)).one()
    where = route(call.session, call.warehouse_id, parcel.courier, area_code)
    weight_g = parcel.weight_g or 0
    label = source.take(call, ParcelToLabel(parcel.id, parcel.courier, parcel.merchant_id, area_code, weight_g))
    call.session.add(
        Waybill(
            warehouse_id=call.warehouse_id,
            merchant_id=parcel.merchant_id,
            courier=parcel.courier,
            number=label.number,
            parcel_id=parcel.id,
            source=label.source,
            route_code=where.route_code,
            printed_hub=where.hub,
            taken_at=call.now,
        )
    )
    parcel.waybill, parcel.route_code, parcel.hub = label.number, where.route_code, where.bag_hub
    parcel.state = ParcelState.LABELLED.value
    call.session.flush()
    announce(call, "parcel.labelled", f"parcel:{parcel.id}", parcel=parcel.id)
    return Labelled(parcel.id, label.number, where.route_code, where.bag_hub)


def locked_parcel(call: Call, parcel_id: int) -> Parcel:
    """A parcel to be changed. Raises PARCEL_UNKNOWN."""
    parcel = call.session.scalars(
        select(Parcel).where(Parcel.id == parcel_id, Parcel.warehouse_id == call.warehouse_id).with_for_update()
    ).one_or_none()
    if parcel is None:
        raise Refused(Reason.PARCEL_UNKNOWN, parcel=parcel_id)
    return parcel


def hand_over_parcel(call: Call, parcel: Parcel, manifest_id: int | None) -> None:
    """The parcel leaves the house: its goods go to the customer; the order is shipped with its last parcel.

    Raises ORDER_INTERCEPTED, PARCEL_TWICE, PARCEL_NOT_WEIGHED, PARCEL_STATE_WRONG. This is the last gate: a
    cancellation that came before is
    honoured here, one that comes after is refused.
    """
    refuse_to_leave(call, parcel)
    _to_customer(call, parcel)
    parcel.state = ParcelState.HANDED_OVER.value
    parcel.handed_over_at = call.now
    parcel.manifest_id = manifest_id
    call.session.flush()
    call.session.execute(update(_waybill).where(_waybill.c.parcel_id == parcel.id).values(state="handed_over"))
    _ship_if_last(call, parcel)


def refuse_to_leave(call: Call, parcel: Parcel) -> None:
    """Everything that forbids a parcel to go to the courier, each its own refusal."""
    call.session.execute(select(Order.id).where(Order.id == parcel.order_id).with_for_update())
    if parcel.state == ParcelState.HANDED_OVER:
        raise Refused(Reason.PARCEL_TWICE, parcel=parcel.waybill or parcel.code)
    packing.refuse_stopped(call, parcel.order_id)
    if parcel.weight_g is None:
        raise Refused(Reason.PARCEL_NOT_WEIGHED, parcel=parcel.code)
    if parcel.state not in {ParcelState.LABELLED, ParcelState.SORTED, ParcelState.BAGGED}:
        raise Refused(Reason.PARCEL_STATE_WRONG, state=parcel.state)


def _to_customer(call: Call, parcel: Parcel) -> None:
    customer = ledger.virtual_id(call.session, call.warehouse_id, Virtual.CUSTOMER)
    rows = call.session.scalars(
        select(Stock).where(Stock.place_id == parcel.place_id, Stock.on_hand > 0).order_by(Stock.id)
    ).all()
    ledger.post(
        call,
        [
            Movement(
                MovementKind.SHIP,
                row.merchant_id,
                row.place_id,
                customer,
                row.sku_id,
                row.lot_id,
                row.on_hand,
                reference=f"parcel:{parcel.id}",
            )
            for row in rows
        ],
    )
    packed = (
        select(func.sum(ParcelItem.quantity))
        .where(ParcelItem.parcel_id == parcel.id, ParcelItem.order_line_id == _line.c.id)
        .scalar_subquery()
    )
    here = select(ParcelItem.order_line_id).where(ParcelItem.parcel_id == parcel.id)
    call.session.execute(update(_line).where(_line.c.id.in_(here)).values(shipped=_line.c.shipped + packed))


def _ship_if_last(call: Call, parcel: Parcel) -> None:
    waiting = call.session.execute(
        select(Parcel.id)
        .where(Parcel.order_id == parcel.order_id, Parcel.state.not_in(("handed_over", "cancelled")))
        .limit(1)
    ).first()
    if waiting is None and not _pieces_not_packed(call.session, parcel.order_id):
        call.session.execute(
            update(_order).where(_order.c.id == parcel.order_id).values(state="shipped", shipped_at=call.now)
        )
        announce(call, "order.shipped", f"order:{parcel.order_id}", order=parcel.order_id)
    call.wakes.add("live")


def _pieces_not_packed(session: Session, order_id: int) -> bool:
    open_line = select(OrderLine.id).where(OrderLine.order_id == order_id, OrderLine.picked > OrderLine.packed).limit(1)
    return session.execute(open_line).first() is not None


def ship_order(call: Call, order_no: str) -> dict[str, object]:
    """Close an order in one go, for a program without packing table: all that was picked into one parcel, labelled,
    handed over.

    The weight is the expected one (a program has no scale). Raises ORDER_UNKNOWN, ORDER_NOT_READY, ITEMS_MISSING, and
    what the steps raise.
    """
    order = _order_by_no(call, order_no)
    facts = packing.begin_parcel(call, order_id=order.id)
    lines = call.session.execute(
        select(_line.c.sku_id, (_line.c.picked - _line.c.packed).label("left")).where(
            _line.c.order_id == order.id, _line.c.picked > _line.c.packed
        )
    ).all()
    for line in lines:
        packing.pack_item(call, facts.id, line.sku_id, line.left)
    parcel = packing.finish_parcel(call, facts.id, packing.theoretical_weight_g(call.session, facts.id), check=False)
    labelled = label_parcel(call, parcel.id)
    hand_over_parcel(call, parcel, None)
    return {"order": order_no, "state": "shipped", "parcels": [{"code": parcel.code, "waybill": labelled.waybill}]}


def _order_by_no(call: Call, order_no: str) -> Order:
    query = select(Order).where(Order.warehouse_id == call.warehouse_id, Order.no == order_no)
    if call.merchant_id is not None:
        query = query.where(Order.merchant_id == call.merchant_id)
    found = call.session.scalars(query.limit(2)).all()
    if len(found) != 1:
        raise Refused(Reason.ORDER_UNKNOWN if not found else Reason.BARCODE_AMBIGUOUS, order=order_no)
    return found[0]
