"""A program confirms a pick: this much of that SKU from that slot, for that order, into the order's own tote.

Seven statements with the stored answer, where the order has its tote already: a program that allocates an order lets
`lay_out_tote` follow in the same transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import String, and_, bindparam, case, cast, exists, literal, select, update

from wms.catalog.tables import Lot, Merchant, Sku
from wms.core.call import Call
from wms.core.db.tables import table_of
from wms.core.refusal import Reason, Refused
from wms.core.sql import touched
from wms.ledger import service as ledger
from wms.ledger.tables import Hold, Stock
from wms.ledger.values import Movement, MovementKind, Purpose
from wms.outbound import queries as outbound
from wms.outbound.tables import Order, OrderLine
from wms.outbound.values import OrderState
from wms.picking.queries.lists import order_tote_code
from wms.picking.service.picks import count_picked, order_reference
from wms.picking.values import DirectPick
from wms.site import queries as site
from wms.site import service as site_service
from wms.site.tables import Container, Slot
from wms.site.values import ContainerKind

_order = table_of(Order)
_lines = table_of(OrderLine)
_hold = table_of(Hold)
_stock = table_of(Stock)
_lot = table_of(Lot)
_slot = table_of(Slot)
_sku = table_of(Sku)
_tote = table_of(Container)
_merchant = table_of(Merchant)
_BY_ONE = (OrderState.ALLOCATED, OrderState.PICKING)

_read = (
    select(
        _order.c.id.label("order_id"),
        _order.c.merchant_id,
        _order.c.state,
        _order.c.intercepted_at,
        _order.c.wave_id,
        _lines.c.id.label("line_id"),
        _hold.c.id.label("hold_id"),
        _hold.c.quantity.label("held"),
        _stock.c.id.label("stock_id"),
        _stock.c.place_id.label("slot_id"),
        _stock.c.sku_id,
        _stock.c.lot_id,
        _stock.c.book,
        _tote.c.place_id.label("tote_id"),
    )
    .join(_lines, _lines.c.order_id == _order.c.id)
    .join(_sku, and_(_sku.c.id == _lines.c.sku_id, _sku.c.code == bindparam("sku")))
    .join(_hold, and_(_hold.c.reference_id == _lines.c.id, _hold.c.purpose == Purpose.ORDER_LINE.value))
    .join(_stock, _stock.c.id == _hold.c.stock_id)
    .join(_slot, and_(_slot.c.place_id == _stock.c.place_id, _slot.c.code == bindparam("slot")))
    .join(_lot, _lot.c.id == _stock.c.lot_id)
    .outerjoin(
        _tote,
        and_(
            _tote.c.warehouse_id == _order.c.warehouse_id,
            _tote.c.kind == ContainerKind.TOTE.value,
            _tote.c.code == literal(order_tote_code(0)[:-1]) + cast(_order.c.id, String),
        ),
    )
    .where(_order.c.warehouse_id == bindparam("w"), _order.c.no == bindparam("no"), _hold.c.quantity > 0)
    .order_by(_order.c.id, _lot.c.expires_on.is_(None), _lot.c.expires_on, _stock.c.id, _hold.c.id)
    .with_for_update(of=_order)
)
_go_on = (
    update(_order)
    .where(
        _order.c.id == bindparam("o"),
        _order.c.intercepted_at.is_(None),
        _order.c.state.in_([state.value for state in _BY_ONE]),
    )
    .values(
        state=case(
            (
                exists().where(_lines.c.order_id == bindparam("o"), _lines.c.picked < _lines.c.allocated),
                OrderState.PICKING.value,
            ),
            else_=OrderState.PICKED.value,
        ),
        picked_at=bindparam("now", type_=_order.c.placed_at.type),
        wave_id=None,
    )
)


def pick_direct(
    call: Call, *, order_no: str, sku_code: str, slot_code: str, quantity: int, merchant_code: str | None = None
) -> DirectPick:
    """Take promised goods of an order that is in no released wave; with the last of them the order is picked.

    Raises ORDER_UNKNOWN, ORDER_INTERCEPTED, ORDER_STATE_WRONG, ORDER_NOT_READY (nothing promised yet), SLOT_UNKNOWN,
    SLOT_WRONG (promised elsewhere), SKU_WRONG (not in this order), PICK_TOO_MANY, QUANTITY_WRONG, STOCK_FROZEN.
    """
    if quantity < 1:
        raise Refused(Reason.QUANTITY_WRONG, quantity=quantity)
    rows = _rows(call, order_no, sku_code, slot_code, merchant_code)
    left = sum(row.held for row in rows)
    if not rows:
        raise _why_not(call, order_no, sku_code, slot_code, merchant_code)
    _may_pick(rows, order_no)
    if quantity > left:
        raise Refused(Reason.PICK_TOO_MANY, left=left)
    tote_id = rows[0].tote_id or lay_out_tote(call, rows[0].order_id)
    parts = _parts(rows, quantity)
    for row, part in parts:
        if touched(call.session, count_picked, {"line": row.line_id, "q": part}) != 1:
            raise Refused(Reason.PICK_TOO_MANY, left=left)
    if touched(call.session, _go_on, {"o": rows[0].order_id, "now": call.now}) != 1:
        raise Refused(Reason.ORDER_STATE_WRONG, state=rows[0].state)
    for row, part in parts:
        ledger.consume(call, row.hold_id, row.stock_id, _movement(row, tote_id, part))
    return DirectPick(rows[0].order_id, order_tote_code(rows[0].order_id), quantity, left - quantity)


def lay_out_tote(call: Call, order_id: int) -> int:
    """An empty tote of the order's own, for goods that programs pick; its place id."""
    made = site_service.make_container(call, ContainerKind.TOTE, order_tote_code(order_id))
    return made.place_id


def _rows(call: Call, order_no: str, sku_code: str, slot_code: str, merchant_code: str | None) -> Sequence[Any]:
    query = _read if call.merchant_id is None else _read.where(_order.c.merchant_id == call.merchant_id)
    if merchant_code is not None:
        query = query.join(_merchant, _merchant.c.id == _order.c.merchant_id).where(_merchant.c.code == merchant_code)
    values = {"w": call.warehouse_id, "no": order_no, "sku": sku_code, "slot": slot_code}
    return call.session.execute(query, values).all()


def _may_pick(rows: Sequence[Any], order_no: str) -> None:
    order = rows[0]
    if order.order_id != rows[-1].order_id:
        raise Refused(Reason.BAD_INPUT, what=f"merchant of order {order_no[:40]}")
    if order.intercepted_at is not None:
        raise Refused(Reason.ORDER_INTERCEPTED, order=order_no)
    on_a_cart = order.state == OrderState.PICKING and order.wave_id is not None
    if order.state not in _BY_ONE or on_a_cart:
        raise Refused(Reason.ORDER_STATE_WRONG, state=order.state)


def _parts(rows: Sequence[Any], quantity: int) -> list[tuple[Any, int]]:
    """How much of each hold, first expired first; stock ids ascending, as always."""
    parts: list[tuple[Any, int]] = []
    for row in rows:
        part = min(row.held, quantity - sum(each for _, each in parts))
        if part > 0:
            parts.append((row, part))
    return sorted(parts, key=lambda each: (each[0].stock_id, each[0].hold_id))


def _movement(row: Any, tote_id: int, quantity: int) -> Movement:
    return Movement(
        MovementKind.PICK,
        row.merchant_id,
        row.slot_id,
        tote_id,
        row.sku_id,
        row.lot_id,
        quantity,
        book=row.book,
        reference=order_reference(row.order_id),
    )


def _why_not(call: Call, order_no: str, sku_code: str, slot_code: str, merchant_code: str | None) -> Refused:
    """The refusal that fits: only read after nothing was found."""
    order = outbound.order_by_no(call.session, call.warehouse_id, order_no, call.merchant_id, merchant_code)
    site.slot_by_code(call.session, call.warehouse_id, slot_code)
    if order.intercepted_at is not None:
        return Refused(Reason.ORDER_INTERCEPTED, order=order_no)
    if order.state in (OrderState.PLACED, OrderState.SHORT):
        return Refused(Reason.ORDER_NOT_READY, order=order_no)
    if order.state not in _BY_ONE:
        return Refused(Reason.ORDER_STATE_WRONG, state=order.state.value)
    lines = [line for line in outbound.lines_of(call.session, order.id) if line.sku_code == sku_code]
    if not lines:
        return Refused(Reason.SKU_WRONG, expected=order_no, sku=sku_code[:40])
    if all(line.picked >= line.allocated for line in lines):
        return Refused(Reason.PICK_DONE)
    return Refused(Reason.SLOT_WRONG, expected=_promised_slot(call, [line.id for line in lines]), slot=slot_code)


def _promised_slot(call: Call, line_ids: Sequence[int]) -> str:
    query = (
        select(_slot.c.code)
        .join(_stock, _stock.c.place_id == _slot.c.place_id)
        .join(_hold, _hold.c.stock_id == _stock.c.id)
        .where(_hold.c.purpose == Purpose.ORDER_LINE.value, _hold.c.reference_id.in_(line_ids), _hold.c.quantity > 0)
        .order_by(_hold.c.id)
        .limit(1)
    )
    return str(call.session.execute(query).scalar_one_or_none() or "")
