"""The packing table's use cases: begin a parcel, scan what goes in, close it with its weight.

Packing knows nothing of couriers' numbers: closing a parcel leaves it `packed`, and shipping labels it in the same
command.
"""

from __future__ import annotations

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from wms.catalog.tables import Sku
from wms.core.call import Call
from wms.core.db.tables import table_of
from wms.core.outbox import announce
from wms.core.refusal import Reason, Refused
from wms.core.sql import touched
from wms.ledger import service as ledger
from wms.ledger.tables import Stock
from wms.ledger.values import Movement, MovementKind
from wms.outbound.tables import Order, OrderLine
from wms.packing import queries
from wms.packing.rules import check_weight, expected_weight_g
from wms.packing.tables import Parcel, ParcelItem
from wms.packing.values import ParcelFacts, ParcelState
from wms.picking.queries.lists import totes_of_order
from wms.site.tables import Container, Place

READY = frozenset({"picked", "packed"})

_line = table_of(OrderLine)
_order = table_of(Order)


def begin_parcel(call: Call, *, order_id: int, station_id: int | None = None, carton: str = "") -> ParcelFacts:
    """The order's open parcel, or a new one for what is not packed yet.

    Raises ORDER_INTERCEPTED for a stopped order, ORDER_NOT_READY while somebody still picks for it.
    """
    order = _order_to_pack(call, order_id)
    parcels = queries.parcels_of(call.session, order.id)
    parcel = next((one for one in parcels if one.state == ParcelState.OPEN), None)
    if parcel is None:
        parcel = _new_parcel(call, order, carton)
    parcel.station_id = station_id or parcel.station_id
    call.session.flush()
    return queries.parcel_facts(call.session, call.warehouse_id, parcel.id)


def _order_to_pack(call: Call, order_id: int) -> Order:
    order = call.session.scalars(
        select(Order).where(Order.id == order_id, Order.warehouse_id == call.warehouse_id).with_for_update()
    ).one_or_none()
    if order is None or (call.merchant_id is not None and order.merchant_id != call.merchant_id):
        raise Refused(Reason.ORDER_UNKNOWN, order=order_id)
    if order.intercepted_at is not None:
        raise Refused(Reason.ORDER_INTERCEPTED, order=order.no)
    if order.state not in READY:
        raise Refused(Reason.ORDER_NOT_READY, order=order.no, state=order.state)
    return order


def _new_parcel(call: Call, order: Order, carton: str) -> Parcel:
    last = call.session.scalars(
        select(Parcel.number).where(Parcel.order_id == order.id).order_by(Parcel.number.desc()).limit(1)
    ).one_or_none()
    number = (last or 0) + 1
    code = f"P{order.id:07d}-{number}"
    place = Place(warehouse_id=call.warehouse_id, kind="container", code=code)
    call.session.add(place)
    call.session.flush()
    call.session.add(
        Container(place_id=place.id, warehouse_id=call.warehouse_id, kind="parcel", code=code, state="in_use")
    )
    parcel = Parcel(
        warehouse_id=call.warehouse_id,
        merchant_id=order.merchant_id,
        order_id=order.id,
        number=number,
        code=code,
        place_id=place.id,
        carton=carton,
        courier=order.courier,
        made_at=call.now,
    )
    call.session.add(parcel)
    call.session.flush()
    return parcel


def pack_item(call: Call, parcel_id: int, sku_id: int, quantity: int = 1) -> None:
    """Move `quantity` of a SKU from the order's totes into the parcel.

    Raises ITEM_EXTRA when the order has no more of it to pack, SKU_WRONG when it has none at all, ORDER_INTERCEPTED.
    """
    parcel = _open_parcel(call, parcel_id)
    line = _line_for(call, parcel, sku_id, quantity)
    left = quantity
    for stock in _in_totes(call.session, parcel.order_id, sku_id):
        taken = min(left, stock.on_hand)
        _move_in(call, parcel, line, stock, taken)
        left -= taken
        if not left:
            break
    assert not left, "picked goods must lie in the order's totes"
    call.session.execute(update(_line).where(_line.c.id == line.id).values(packed=_line.c.packed + quantity))


def _open_parcel(call: Call, parcel_id: int) -> Parcel:
    parcel = call.session.scalars(
        select(Parcel).where(Parcel.id == parcel_id, Parcel.warehouse_id == call.warehouse_id).with_for_update()
    ).one_or_none()
    if parcel is None:
        raise Refused(Reason.PARCEL_UNKNOWN, parcel=parcel_id)
    refuse_stopped(call, parcel.order_id)
    if parcel.state != ParcelState.OPEN:
        raise Refused(Reason.PARCEL_STATE_WRONG, state=parcel.state)
    return parcel


def refuse_stopped(call: Call, order_id: int) -> None:
    """Raises ORDER_INTERCEPTED when the buyer cancelled meanwhile."""
    row = call.session.execute(select(_order.c.no, _order.c.intercepted_at).where(_order.c.id == order_id)).one()
    if row.intercepted_at is not None:
        raise Refused(Reason.ORDER_INTERCEPTED, order=row.no)


def _line_for(call: Call, parcel: Parcel, sku_id: int, quantity: int) -> OrderLine:
    lines = call.session.scalars(
        select(OrderLine).where(OrderLine.order_id == parcel.order_id, OrderLine.sku_id == sku_id)
    ).all()
    if not lines:
        expected = " ".join(one.tail for one in queries.lines_to_pack(call.session, parcel.order_id) if one.left)
        raise Refused(Reason.SKU_WRONG, expected=expected)
    for line in lines:
        if line.picked - line.packed >= quantity:
            return line
    raise Refused(Reason.ITEM_EXTRA, sku=_sku_name(call.session, sku_id))


def _sku_name(session: Session, sku_id: int) -> str:
    return session.scalars(select(Sku.name).where(Sku.id == sku_id)).one()


def _in_totes(session: Session, order_id: int, sku_id: int) -> list[Stock]:
    places = _tote_places(session, order_id)
    return list(
        session.scalars(
            select(Stock)
            .where(Stock.place_id.in_(places), Stock.sku_id == sku_id, Stock.on_hand > 0)
            .order_by(Stock.id)
        )
    )


def _tote_places(session: Session, order_id: int) -> list[int]:
    warehouse_id = session.scalars(select(_order.c.warehouse_id).where(_order.c.id == order_id)).one()
    return [place_id for place_id, _code in totes_of_order(session, warehouse_id, order_id)]


def _move_in(call: Call, parcel: Parcel, line: OrderLine, stock: Stock, quantity: int) -> None:
    ledger.post(
        call,
        [
            Movement(
                MovementKind.PACK,
                parcel.merchant_id,
                stock.place_id,
                parcel.place_id,
                stock.sku_id,
                stock.lot_id,
                quantity,
                reference=f"parcel:{parcel.id}",
            )
        ],
    )
    item = call.session.scalars(
        select(ParcelItem).where(
            ParcelItem.parcel_id == parcel.id, ParcelItem.order_line_id == line.id, ParcelItem.lot_id == stock.lot_id
        )
    ).one_or_none()
    if item is None:
        item = ParcelItem(
            warehouse_id=call.warehouse_id,
            merchant_id=parcel.merchant_id,
            parcel_id=parcel.id,
            order_line_id=line.id,
            sku_id=stock.sku_id,
            lot_id=stock.lot_id,
            quantity=0,
        )
        call.session.add(item)
    item.quantity += quantity
    call.session.flush()


def finish_parcel(
    call: Call, parcel_id: int, weight_g: int | None, *, more_parcels: bool = False, check: bool = True
) -> Parcel:
    """Close the parcel with its weight. The order is packed when nothing is left.

    `more_parcels` closes this one although pieces are left (一单多包). `check` False is for those with the right to
    override.
    Raises ITEMS_MISSING, WEIGHT_MISSING, WEIGHT_OUTSIDE_TOLERANCE.
    """
    parcel = _open_parcel(call, parcel_id)
    pieces = _contents(call.session, parcel.id)
    left = queries.pieces_left(call.session, parcel.order_id)
    if not pieces or (left and not more_parcels):
        raise Refused(Reason.ITEMS_MISSING, missing=left or 1)
    parcel.expected_weight_g = expected_weight_g(pieces)
    parcel.weight_g = check_weight(weight_g, parcel.expected_weight_g if check else 0)
    parcel.state = ParcelState.PACKED.value
    parcel.packed_at = call.now
    parcel.packed_by = call.actor
    call.session.flush()
    if not left:
        _order_packed(call, parcel.order_id)
    announce(call, "parcel.packed", f"order:{parcel.order_id}", parcel=parcel.id)
    call.wakes.add("live")
    return parcel


def _contents(session: Session, parcel_id: int) -> list[tuple[int, int]]:
    rows = session.execute(
        select(Sku.weight_g, ParcelItem.quantity)
        .join(Sku, Sku.id == ParcelItem.sku_id)
        .where(ParcelItem.parcel_id == parcel_id)
    )
    return [(row.weight_g, row.quantity) for row in rows]


def _order_packed(call: Call, order_id: int) -> None:
    done = update(_order).where(_order.c.id == order_id, _order.c.state == "picked")
    touched(call.session, done.values(state="packed", packed_at=call.now), {})
    for place_id in _tote_places(call.session, order_id):
        call.session.execute(
            update(Container).where(Container.place_id == place_id).values(state="free", parent_place_id=None)
        )


def check_label(call: Call, parcel_id: int, waybill: str) -> Parcel:
    """The packer scans the label he stuck on: it must be this parcel's. Raises LABEL_WRONG, ORDER_INTERCEPTED."""
    parcel = call.session.scalars(
        select(Parcel).where(Parcel.id == parcel_id, Parcel.warehouse_id == call.warehouse_id).with_for_update()
    ).one()
    refuse_stopped(call, parcel.order_id)
    if parcel.waybill is None:
        raise Refused(Reason.LABEL_DUE, why="")
    if waybill != parcel.waybill:
        raise Refused(Reason.LABEL_WRONG, expected=parcel.waybill, scanned=waybill)
    parcel.label_checked_at = call.now
    call.session.flush()
    return parcel


def cancel_parcel(call: Call, parcel: Parcel) -> None:
    """Give a parcel up: what is in it is unpacked by whoever restocks it."""
    parcel.state = ParcelState.CANCELLED.value
    parcel.stopped_at = call.now
    call.session.flush()


def theoretical_weight_g(session: Session, parcel_id: int) -> int:
    """What the parcel should weigh: pieces and carton; at least 1 g, so that an unknown weight does not stop a
    program.
    """
    return max(1, expected_weight_g(_contents(session, parcel_id)))
