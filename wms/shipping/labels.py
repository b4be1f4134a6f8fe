"""The papers of the dock: a parcel's waybill and a bag's tag, filled from the rows; drawn outside any transaction."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from wms.catalog.tables import Merchant, Sku
from wms.core.call import Call
from wms.core.codes import Kind, Read
from wms.core.refusal import Reason, Refused
from wms.outbound.tables import Order
from wms.packing.tables import Parcel, ParcelItem
from wms.printing import queries as printing_queries
from wms.printing import service as printing
from wms.printing.rules import read_trace
from wms.printing.values import BagTag, ExpressWaybill, Party
from wms.shipping.tables import Bag, Courier, Waybill
from wms.site import queries as site

WAYBILL_TEMPLATE = "express_waybill_100x180"
CONTENTS_LENGTH_MAX = 60


def waybill_values(session: Session, warehouse_id: int, parcel_id: int) -> ExpressWaybill:
    """What stands on a parcel's label. Raises PARCEL_UNKNOWN, LABEL_DUE when it has no number yet."""
    row = session.execute(
        select(Parcel, Order, Merchant, Courier, Waybill)
        .join(Order, Order.id == Parcel.order_id)
        .join(Merchant, Merchant.id == Parcel.merchant_id)
        .join(Courier, (Courier.warehouse_id == Parcel.warehouse_id) & (Courier.code == Parcel.courier))
        .outerjoin(Waybill, Waybill.parcel_id == Parcel.id)
        .where(Parcel.id == parcel_id, Parcel.warehouse_id == warehouse_id)
    ).one_or_none()
    if row is None:
        raise Refused(Reason.PARCEL_UNKNOWN, parcel=parcel_id)
    parcel, order, merchant, courier, waybill = row
    if waybill is None:
        raise Refused(Reason.LABEL_DUE, why="")
    here = site.warehouse(session, warehouse_id)
    parcels = session.scalar(
        select(func.count()).select_from(Parcel).where(Parcel.order_id == order.id, Parcel.state != "cancelled")
    )
    address = f"{order.receiver_province}{order.receiver_city}{order.receiver_district}{order.receiver_address}"
    return ExpressWaybill(
        courier=courier.name,
        product=courier.product,
        number=waybill.number,
        route_code=waybill.route_code,
        bag_hub=waybill.printed_hub,
        receiver=Party(order.receiver_name, order.receiver_phone, address),
        sender=Party(merchant.name, merchant.phone, here.name),
        contents=_contents(session, parcel.id),
        order_no=order.no,
        parcel_no=parcel.number,
        parcels=max(int(parcels or 1), parcel.number),
        weight_g=parcel.weight_g or 0,
        printed_at=here.local(parcel.packed_at or waybill.taken_at),
        merchant_area=order.remark,
    )


def _contents(session: Session, parcel_id: int) -> str:
    rows = session.execute(
        select(Sku.name, ParcelItem.quantity)
        .join(Sku, Sku.id == ParcelItem.sku_id)
        .where(ParcelItem.parcel_id == parcel_id)
        .order_by(ParcelItem.id)
    )
    return "；".join(f"{row.name}×{row.quantity}" for row in rows)[:CONTENTS_LENGTH_MAX]


def bag_values(session: Session, warehouse_id: int, bag_id: int) -> BagTag:
    """What stands on a closed bag's tag."""
    bag, courier = session.execute(
        select(Bag, Courier)
        .join(Courier, (Courier.warehouse_id == Bag.warehouse_id) & (Courier.code == Bag.courier))
        .where(Bag.id == bag_id, Bag.warehouse_id == warehouse_id)
    ).one()
    here = site.warehouse(session, warehouse_id)
    return BagTag(
        code=bag.code,
        courier=courier.name,
        product=courier.product,
        hub=bag.hub,
        line_haul="",
        chute=str(bag.chute or ""),
        parcels=bag.parcels,
        gross_g=bag.net_weight_g,
        closed_at=here.local(bag.closed_at or bag.opened_at),
        worker_no="",
    )


def reprint_waybill(call: Call, parcel_id: int, *, why: str) -> int:
    """The parcel's label again, marked and with a nonce of its own; the new job's id. Raises LABEL_DUE before the
    first print.
    """
    values = waybill_values(call.session, call.warehouse_id, parcel_id)
    prints = printing_queries.prints_of(call.session, call.warehouse_id, values.number)
    if not prints:
        raise Refused(Reason.LABEL_DUE, why="")
    return printing.reprint(
        call, prints[0].id, lambda number, nonce: replace(values, reprint=number, nonce=nonce), why=why
    )


def number_on_label(call: Call, read: Read) -> str:
    """The waybill number of a scanned label: its bar code, or its trace code. Raises LABEL_WRONG for a label that was
    replaced.
    """
    trace = read_trace(read.body) if read.kind is Kind.PARCEL else None
    if trace is None:
        return read.body
    if trace.nonce and not printing_queries.is_in_force(call.session, call.warehouse_id, trace):
        raise Refused(Reason.LABEL_WRONG, expected=trace.number, scanned=read.raw)
    return trace.number
