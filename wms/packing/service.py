"""The packing table's use cases: begin a parcel, scan what goes in, close it with its weight.

Packing knows nothing of couriers' numbers: closing a parcel leaves it `packed`, and shipping labels it in the same
command.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, func, insert, select, update
from sqlalchemy.orm import Session

from wms.catalog.tables import Sku
from wms.core.call import Call
from wms.core.db.tables import table_of
from wms.core.refusal import Reason, Refused
from wms.core.sql import insert_for, touched
from wms.ledger import service as ledger
from wms.ledger.values import Condition, Movement, MovementKind
from wms.outbound.tables import Order, OrderLine
from wms.packing import queries
from wms.packing.queries import IN_TOTES
from wms.packing.rules import check_weight, expected_weight_g, share_over_lines
from wms.packing.tables import Parcel, ParcelItem
from wms.packing.values import READY_TO_PACK, ParcelFacts, ParcelState
from wms.site.tables import Container, Place

_line = table_of(OrderLine)
_order = table_of(Order)
_parcel = table_of(Parcel)
_item = table_of(ParcelItem)
_place = table_of(Place)
_container = table_of(Container)
_sku = table_of(Sku)
_insert_place = insert(_place).returning(_place.c.id)
_insert_container = insert(_container)
_insert_parcel = insert(_parcel).returning(_parcel.c.id)
_free_totes = (
    update(_container)
    .where(_container.c.place_id.in_(queries.emptied_totes(bindparam("o"))))
    .values(state="free", parent_place_id=None)
)

_locked_order = (
    select(_order.c.id, _order.c.no, _order.c.merchant_id, _order.c.courier, _order.c.state, _order.c.intercepted_at)
    .where(_order.c.id == bindparam("o"), _order.c.warehouse_id == bindparam("w"))
    .with_for_update()
)
_open_parcel_row = (
    select(
        _parcel.c.id,
        _parcel.c.order_id,
        _parcel.c.merchant_id,
        _parcel.c.place_id,
        _parcel.c.state,
        _order.c.no,
        _order.c.intercepted_at,
    )
    .join(_order, _order.c.id == _parcel.c.order_id)
    .where(_parcel.c.id == bindparam("p"), _parcel.c.warehouse_id == bindparam("w"))
    .with_for_update(of=_parcel)
)
_lines_of_sku = (
    select(_line.c.id, (_line.c.picked - _line.c.packed).label("left"))
    .where(_line.c.order_id == bindparam("o"), _line.c.sku_id == bindparam("s"))
    .order_by(_line.c.number)
)
_count_packed = (
    update(_line)
    .where(_line.c.id == bindparam("line"), _line.c.picked - _line.c.packed >= bindparam("q"))
    .values(packed=_line.c.packed + bindparam("q"))
)
_contents_of = (
    select(_sku.c.weight_g, _item.c.quantity)
    .join(_sku, _sku.c.id == _item.c.sku_id)
    .where(_item.c.parcel_id == bindparam("p"))
)


def begin_parcel(call: Call, *, order_id: int, station_id: int | None = None, carton: str = "") -> ParcelFacts:
    """The order's open parcel, or a new one for what is not packed yet.

    Raises ORDER_UNKNOWN, ORDER_INTERCEPTED for a stopped order, ORDER_NOT_READY while somebody still picks for it,
    ORDER_STATE_WRONG when all of it is packed.
    """
    order = order_to_pack(call, order_id)
    known = select(_parcel.c.id).where(_parcel.c.order_id == order_id, _parcel.c.state == ParcelState.OPEN.value)
    parcel_id = call.session.execute(known.order_by(_parcel.c.number).limit(1)).scalar_one_or_none()
    if parcel_id is None:
        if not queries.pieces_left(call.session, order_id):
            raise Refused(Reason.ORDER_STATE_WRONG, state=order.state)
        parcel_id = new_parcel(call, order, number=_next_number(call, order_id), carton=carton).id
    if station_id is not None:
        call.session.execute(update(_parcel).where(_parcel.c.id == parcel_id).values(station_id=station_id))
    return queries.parcel_facts(call.session, call.warehouse_id, parcel_id)


def order_to_pack(call: Call, order_id: int) -> Any:
    """The order's row, kept from others until the commit. Refuses as `begin_parcel`."""
    order = call.session.execute(_locked_order, {"o": order_id, "w": call.warehouse_id}).one_or_none()
    if order is None or call.merchant_id not in (None, order.merchant_id):
        raise Refused(Reason.ORDER_UNKNOWN, order=order_id)
    refuse_not_ready(order)
    return order


def refuse_not_ready(order: Any) -> None:
    """Raises ORDER_INTERCEPTED, ORDER_NOT_READY."""
    if order.intercepted_at is not None:
        raise Refused(Reason.ORDER_INTERCEPTED, order=order.no)
    if order.state not in READY_TO_PACK:
        raise Refused(Reason.ORDER_NOT_READY, order=order.no, state=order.state)


@dataclass(frozen=True, slots=True)
class NewParcel:
    """A box just made."""

    id: int
    code: str
    order_id: int
    merchant_id: int
    place_id: int


def new_parcel(call: Call, order: Any, *, number: int, **facts: Any) -> NewParcel:
    """One more box of an order whose row is locked. `facts` are columns that are known already."""
    code = f"P{order.id:07d}-{number}"
    place = {"warehouse_id": call.warehouse_id, "kind": "container", "code": code}
    place_id = call.session.execute(_insert_place, place).scalar_one()
    box = {"place_id": place_id, "warehouse_id": call.warehouse_id, "kind": "parcel", "code": code, "positions": 1}
    call.session.execute(_insert_container, {**box, "state": "in_use"})
    row = {
        "warehouse_id": call.warehouse_id,
        "merchant_id": order.merchant_id,
        "order_id": order.id,
        "number": number,
        "code": code,
        "place_id": place_id,
        "state": ParcelState.OPEN.value,
        "courier": order.courier,
        "made_at": call.now,
        **facts,
    }
    parcel_id = int(call.session.execute(_insert_parcel, row).scalar_one())
    return NewParcel(parcel_id, code, order.id, order.merchant_id, place_id)


def _next_number(call: Call, order_id: int) -> int:
    last = select(func.max(_parcel.c.number)).where(_parcel.c.order_id == order_id)
    return int(call.session.execute(last).scalar_one() or 0) + 1


def pack_item(call: Call, parcel_id: int, sku_id: int, quantity: int = 1) -> None:
    """Move `quantity` of a SKU from the order's totes into the parcel.

    Raises ITEM_EXTRA when the order has no more of it to pack, SKU_WRONG when it has none at all, ORDER_INTERCEPTED,
    PARCEL_STATE_WRONG, QUANTITY_WRONG.
    """
    if quantity < 1:
        raise Refused(Reason.QUANTITY_WRONG, quantity=quantity)
    parcel = _parcel_to_fill(call, parcel_id)
    lines = call.session.execute(_lines_of_sku, {"o": parcel.order_id, "s": sku_id}).all()
    if not lines:
        raise Refused(Reason.SKU_WRONG, expected=_tails_left(call, parcel.order_id))
    if sum(line.left for line in lines) < quantity:
        raise Refused(Reason.ITEM_EXTRA, sku=_sku_name(call.session, sku_id))
    stock = call.session.execute(IN_TOTES, {"o": parcel.order_id, "w": call.warehouse_id, "skus": [sku_id]}).all()
    parts = share_over_lines([(line.id, line.left) for line in lines], stock, quantity)
    ledger.post(call, [pack_movement(parcel, row, part) for _line_id, row, part in parts])
    _write_items(call, parcel, parts)
    for line_id in dict.fromkeys(line_id for line_id, _row, _part in parts):
        packed = sum(part for one, _row, part in parts if one == line_id)
        assert touched(call.session, _count_packed, {"line": line_id, "q": packed}) == 1, "the order's row is ours"


def _parcel_to_fill(call: Call, parcel_id: int) -> Any:
    parcel = call.session.execute(_open_parcel_row, {"p": parcel_id, "w": call.warehouse_id}).one_or_none()
    if parcel is None or call.merchant_id not in (None, parcel.merchant_id):
        raise Refused(Reason.PARCEL_UNKNOWN, parcel=parcel_id)
    if parcel.intercepted_at is not None:
        raise Refused(Reason.ORDER_INTERCEPTED, order=parcel.no)
    if parcel.state != ParcelState.OPEN:
        raise Refused(Reason.PARCEL_STATE_WRONG, state=parcel.state)
    return parcel


def _tails_left(call: Call, order_id: int) -> str:
    return " ".join(one.tail for one in queries.to_pack(call.session, order_id).following)


def _sku_name(session: Session, sku_id: int) -> str:
    return session.scalars(select(Sku.name).where(Sku.id == sku_id)).one()


def pack_movement(parcel: Any, stock: Any, quantity: int) -> Movement:
    """Goods from an order's tote into its box. Named by the order, so that a stopped one finds its goods."""
    return Movement(
        MovementKind.PACK,
        parcel.merchant_id,
        stock.place_id,
        parcel.place_id,
        stock.sku_id,
        stock.lot_id,
        quantity,
        Condition(stock.condition),
        stock.book,
        reference=f"order:{parcel.order_id}",
    )


def _write_items(call: Call, parcel: Any, parts: Sequence[tuple[int, Any, int]]) -> None:
    fresh = insert_for(call.session, _item)
    add = fresh.on_conflict_do_update(
        index_elements=["parcel_id", "order_line_id", "lot_id"],
        set_={"quantity": _item.c.quantity + fresh.excluded.quantity},
    )
    for row in item_rows(call, parcel, parts):
        call.session.execute(add, row)


def item_rows(call: Call, parcel: Any, parts: Sequence[tuple[int, Any, int]]) -> list[dict[str, Any]]:
    """What lies in a box, per order line and lot."""
    sums: dict[tuple[int, int, int], int] = {}
    for line_id, stock, part in parts:
        key = (line_id, stock.sku_id, stock.lot_id)
        sums[key] = sums.get(key, 0) + part
    return [
        {
            "warehouse_id": call.warehouse_id,
            "merchant_id": parcel.merchant_id,
            "parcel_id": parcel.id,
            "order_line_id": line_id,
            "sku_id": sku_id,
            "lot_id": lot_id,
            "quantity": quantity,
        }
        for (line_id, sku_id, lot_id), quantity in sums.items()
    ]


def finish_parcel(
    call: Call, parcel_id: int, weight_g: int | None, *, more_parcels: bool = False, check: bool = True
) -> Parcel:
    """Close the parcel with its weight. The order is packed when nothing is left.

    `more_parcels` closes this one although pieces are left (一单多包). `check` False is for those with the right to
    override. Raises ITEMS_MISSING, WEIGHT_MISSING, WEIGHT_OUTSIDE_TOLERANCE, ORDER_INTERCEPTED, PARCEL_STATE_WRONG.
    """
    parcel = locked_parcel(call, parcel_id)
    refuse_stopped(call, parcel.order_id)
    if parcel.state != ParcelState.OPEN:
        raise Refused(Reason.PARCEL_STATE_WRONG, state=parcel.state)
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
    call.wakes.add("live")
    return parcel


def locked_parcel(call: Call, parcel_id: int) -> Parcel:
    """A parcel as it is, kept from others until the commit; its order's row first, as everywhere.

    Raises PARCEL_UNKNOWN.
    """
    order_id = select(_parcel.c.order_id).where(_parcel.c.id == parcel_id, _parcel.c.warehouse_id == call.warehouse_id)
    call.session.execute(select(_order.c.id).where(_order.c.id == order_id.scalar_subquery()).with_for_update())
    parcel = call.session.scalars(
        select(Parcel).where(Parcel.id == parcel_id, Parcel.warehouse_id == call.warehouse_id).with_for_update(),
        execution_options={"populate_existing": True},
    ).one_or_none()
    if parcel is None or call.merchant_id not in (None, parcel.merchant_id):
        raise Refused(Reason.PARCEL_UNKNOWN, parcel=parcel_id)
    return parcel


def refuse_stopped(call: Call, order_id: int) -> None:
    """Raises ORDER_INTERCEPTED when the buyer cancelled meanwhile."""
    row = call.session.execute(select(_order.c.no, _order.c.intercepted_at).where(_order.c.id == order_id)).one()
    if row.intercepted_at is not None:
        raise Refused(Reason.ORDER_INTERCEPTED, order=row.no)


def _contents(session: Session, parcel_id: int) -> list[tuple[int, int]]:
    return [(row.weight_g, row.quantity) for row in session.execute(_contents_of, {"p": parcel_id})]


def _order_packed(call: Call, order_id: int) -> None:
    """All of it lies in boxes: the order is packed, its totes may be used again."""
    done = update(_order).where(_order.c.id == order_id, _order.c.state == "picked")
    touched(call.session, done.values(state="packed", packed_at=call.now), {})
    free_totes(call, order_id)


def free_totes(call: Call, order_id: int) -> None:
    """Totes of the order's cart that are empty now may be used again."""
    call.session.execute(_free_totes, {"o": order_id})


def check_label(call: Call, parcel_id: int, waybill: str) -> Parcel:
    """The packer scans the label he stuck on: it must be this parcel's.

    Raises PARCEL_UNKNOWN, LABEL_DUE, LABEL_WRONG, ORDER_INTERCEPTED.
    """
    parcel = locked_parcel(call, parcel_id)
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
