"""An order comes in; a buyer changes his mind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, insert, select, update

from wms.catalog import queries as catalog
from wms.catalog.values import SkuFacts
from wms.core.call import Call
from wms.core.db.tables import table_of
from wms.core.outbox import announce
from wms.core.refusal import Reason, Refused
from wms.core.sql import insert_new
from wms.outbound import queries
from wms.outbound.rules import cancelling, next_cut_off
from wms.outbound.service.promises_kept import give_back
from wms.outbound.tables import Order, OrderLine
from wms.outbound.values import Cancellation, Cancelled, OrderState, Receiver
from wms.site.tables import Warehouse

LINES_MAX = 2_000  # wholesale orders have hundreds; one more is a file by mistake
PIECES_MAX = 1_000_000
Line = tuple[str, int] | tuple[str, int, int]

_orders = table_of(Order)
_lines = table_of(OrderLine)
_warehouse = table_of(Warehouse)
_insert_lines = insert(_lines)
_time_zone = select(_warehouse.c.time_zone).where(_warehouse.c.id == bindparam("w"))


def create_order(
    call: Call,
    *,
    merchant_code: str,
    no: str,
    courier: str,
    lines: Sequence[Line],
    receiver: Receiver | Mapping[str, str] | None = None,
    shop: str = "",
    placed_at: datetime | None = None,
    cut_off_at: datetime | None = None,
    cut_offs: Sequence[str] = (),
    remark: str = "",
) -> int:
    """Take a buyer's order; its id. Lines are (SKU code, quantity[, price in cents]).

    It must leave by `cut_off_at`, or by the first of the courier's daily `cut_offs` (local "HH:MM") after it was
    placed. Raises MERCHANT_UNKNOWN, MERCHANT_BLOCKED, SKU_UNKNOWN, QUANTITY_WRONG, ALREADY_EXISTS.
    """
    merchant_id = _merchant(call, merchant_code)
    wanted = [(line[0], line[1], line[2] if len(line) == 3 else 0) for line in lines]
    skus = _skus(call, merchant_id, wanted)
    placed = placed_at or call.now
    order_id = _insert(
        call,
        {
            **_receiver_columns(receiver),
            "merchant_id": merchant_id,
            "no": no,
            "courier": courier,
            "shop": shop,
            "remark": remark,
            "placed_at": placed,
            "cut_off_at": cut_off_at or next_cut_off(placed, cut_offs, _zone(call)),
        },
    )
    rows = [
        {
            "warehouse_id": call.warehouse_id,
            "merchant_id": merchant_id,
            "order_id": order_id,
            "number": number,
            "sku_id": skus[sku_code].id,
            "quantity": quantity,
            "price_cents": price_cents,
        }
        for number, (sku_code, quantity, price_cents) in enumerate(wanted, 1)
    ]
    call.session.execute(_insert_lines, rows)
    return order_id


def _merchant(call: Call, merchant_code: str) -> int:
    """A merchant's own key sees no other merchant, not even that there is one."""
    merchant = catalog.merchant_by_code(call.session, call.warehouse_id, merchant_code)
    if call.merchant_id not in (None, merchant.id):
        raise Refused(Reason.MERCHANT_UNKNOWN, merchant=merchant_code[:40])
    if merchant.blocked_reason is not None:
        raise Refused(Reason.MERCHANT_BLOCKED, why=merchant.blocked_reason)
    return merchant.id


def _skus(call: Call, merchant_id: int, lines: Sequence[tuple[str, int, int]]) -> dict[str, SkuFacts]:
    if not 1 <= len(lines) <= LINES_MAX:
        raise Refused(Reason.BAD_INPUT, what=f"lines: 1-{LINES_MAX}")
    for _, quantity, price_cents in lines:
        if not 1 <= quantity <= PIECES_MAX:
            raise Refused(Reason.QUANTITY_WRONG, quantity=quantity)
        if price_cents < 0:
            raise Refused(Reason.BAD_INPUT, what="price")
    wanted = {sku_code for sku_code, _, _ in lines}
    skus = catalog.skus_by_code(call.session, call.warehouse_id, merchant_id, wanted)
    unknown = sorted(wanted - set(skus))
    if unknown:
        raise Refused(Reason.SKU_UNKNOWN, sku=unknown[0][:40])
    return skus


def _zone(call: Call) -> ZoneInfo:
    return ZoneInfo(call.session.execute(_time_zone, {"w": call.warehouse_id}).scalar_one())


def _receiver_columns(receiver: Receiver | Mapping[str, str] | None) -> dict[str, str]:
    known = receiver if isinstance(receiver, Receiver) else Receiver(**(receiver or {}))
    columns = {f"receiver_{name}": value for name, value in asdict(known).items()}
    columns["area_code"] = columns.pop("receiver_area_code")
    return columns


def _insert(call: Call, row: dict[str, Any]) -> int:
    row = {"warehouse_id": call.warehouse_id, "state": OrderState.PLACED.value, **row}
    order_id = call.session.execute(insert_new(call.session, _orders, _orders.c.id), row).scalar_one_or_none()
    if order_id is None:
        raise Refused(Reason.ALREADY_EXISTS, what=row["no"])
    return int(order_id)


def cancel_order(call: Call, order_no: str, merchant_code: str | None = None) -> Cancellation:
    """Stop an order, in whatever stage it is; asked again, the answer is the same.

    Before release it is off at once and its stock is free again. After release it is marked and announced
    ("order.intercepted"): whoever scans it next is told. Raises ORDER_UNKNOWN, ORDER_HANDED_OVER.
    """
    order = queries.order_by_no(call.session, call.warehouse_id, order_no, call.merchant_id, merchant_code, lock=True)
    outcome = cancelling(order.state, order.no)
    if outcome is Cancelled.OFF and order.state is not OrderState.CANCELLED:
        give_back(call, order.id)
        _mark(call, order.id, state=OrderState.CANCELLED.value, cancelled_at=call.now, wave_id=None)
        announce(call, "order.cancelled", f"order:{order.id}", order=order.no, merchant_id=order.merchant_id)
    if outcome is Cancelled.CAUGHT and order.intercepted_at is None:
        _mark(call, order.id, intercepted_at=call.now)
        facts = {"order": order.no, "merchant_id": order.merchant_id, "state": order.state.value}
        announce(call, "order.intercepted", f"order:{order.id}", **facts)
    call.wakes.add("live")
    return Cancellation(order.id, order.no, outcome, order.state)


def _mark(call: Call, order_id: int, **values: Any) -> None:
    call.session.execute(update(_orders).where(_orders.c.id == order_id).values(**values))
