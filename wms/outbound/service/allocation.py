"""Stock is promised to orders: the merchant's own, sound, reachable, first expired first out.

What was read is only a plan. Each promise is a guarded statement of the ledger, so of two orders that saw the same
last piece one is told no, looks again and takes what is left. Nobody waits for a lock on a popular SKU while reading.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from wms.catalog.tables import Lot, Merchant, Sku
from wms.core.call import Call
from wms.core.db.tables import table_of
from wms.core.refusal import Reason, Refused
from wms.ledger import service as ledger
from wms.ledger.tables import Stock
from wms.ledger.values import Condition, Purpose
from wms.outbound.rules import promise, state_after
from wms.outbound.tables import Order, OrderLine
from wms.outbound.values import (
    AllocatedLine,
    Allocation,
    FreeStock,
    OrderState,
    Promised,
    ShortLine,
    Take,
    WantedLine,
)
from wms.site.tables import Slot, Warehouse
from wms.slotting.reach import in_reach
from wms.slotting.refilling import ask_for_refills

LOOKS_MAX = 4
ORDERS_PER_CALL_MAX = 200
ORDERS_AT_ONCE_MAX = 20_000
_OPEN = frozenset({OrderState.PLACED, OrderState.ALLOCATED, OrderState.SHORT})
_LOST_THE_RACE = frozenset({Reason.STOCK_INSUFFICIENT, Reason.STOCK_PROMISED, Reason.STOCK_FROZEN})

_orders = table_of(Order)
_lines = table_of(OrderLine)
_stock = table_of(Stock)
_slot = table_of(Slot)
_lot = table_of(Lot)
_merchant = table_of(Merchant)
_sku = table_of(Sku)

_read_order = (
    select(
        _orders.c.id,
        _orders.c.merchant_id,
        _orders.c.no,
        _orders.c.state,
        _orders.c.intercepted_at,
        _merchant.c.blocked_reason,
        table_of(Warehouse).c.time_zone,
        _lines.c.id.label("line_id"),
        _lines.c.number,
        _lines.c.sku_id,
        _sku.c.code.label("sku_code"),
        _sku.c.min_life_ship_days,
        _lines.c.quantity,
        _lines.c.allocated,
    )
    .join(_merchant, _merchant.c.id == _orders.c.merchant_id)
    .join(table_of(Warehouse), table_of(Warehouse).c.id == _orders.c.warehouse_id)
    .join(_lines, _lines.c.order_id == _orders.c.id)
    .join(_sku, _sku.c.id == _lines.c.sku_id)
    .where(_orders.c.warehouse_id == bindparam("w"))
    .order_by(_orders.c.id, _lines.c.number)
    .with_for_update(of=_orders)
)
_by_no = _read_order.where(_orders.c.no == bindparam("no"))
_by_id = _read_order.where(_orders.c.id == bindparam("o"))
_free = (
    select(
        _stock.c.id,
        _stock.c.sku_id,
        (_stock.c.on_hand - _stock.c.promised).label("free"),
        _lot.c.expires_on,
        _stock.c.first_in_at,
        in_reach(bindparam("w")).label("in_reach"),
    )
    .join(_slot, _slot.c.place_id == _stock.c.place_id)
    .join(_lot, _lot.c.id == _stock.c.lot_id)
    .where(
        _stock.c.warehouse_id == bindparam("w"),
        _stock.c.merchant_id == bindparam("m"),
        _stock.c.sku_id.in_(bindparam("skus", expanding=True)),
        _stock.c.condition == Condition.GOOD.value,
        _stock.c.book == bindparam("book"),
        _stock.c.on_hand > _stock.c.promised,
        _stock.c.frozen_reason.is_(None),
        _slot.c.blocked.is_(False),
        _slot.c.shut.is_(False),
        _slot.c.under_count.is_(False),
        _slot.c.retired.is_(False),
    )
)
_set_line = (
    update(_lines)
    .where(_lines.c.id == bindparam("line"))
    .values(allocated=bindparam("allocated"), short=bindparam("short"))
)
_set_order = (
    update(_orders)
    .where(_orders.c.id == bindparam("o"))
    .values(state=bindparam("state"), allocated_at=bindparam("at"), short_reason=bindparam("why"))
)
_waiting = (
    select(_orders.c.id)
    .where(
        _orders.c.warehouse_id == bindparam("w"),
        _orders.c.state.in_([OrderState.PLACED.value, OrderState.SHORT.value]),
        _orders.c.intercepted_at.is_(None),
    )
    .order_by(_orders.c.cut_off_at, _orders.c.placed_at, _orders.c.id)
)


def allocate(call: Call, order_no: str, merchant_code: str | None = None, *, book: str = "") -> Allocation:
    """Promise stock to an order: each line whole, or short with its reason. Asked again, only what is open is tried.

    `book` names the customs book the goods must stand in ("" = free goods). Raises ORDER_UNKNOWN, ORDER_STATE_WRONG
    after release, ORDER_INTERCEPTED, MERCHANT_BLOCKED, BAD_INPUT when two merchants use the number and none is named.
    """
    query = _by_no if call.merchant_id is None else _by_no.where(_orders.c.merchant_id == call.merchant_id)
    if merchant_code is not None:
        query = query.where(_merchant.c.code == merchant_code)
    rows = call.session.execute(query, {"w": call.warehouse_id, "no": order_no}).all()
    if not rows:
        raise Refused(Reason.ORDER_UNKNOWN, order=order_no[:40])
    if rows[0].id != rows[-1].id:
        raise Refused(Reason.BAD_INPUT, what=f"merchant of order {order_no[:40]}")
    return _allocate(call, rows, book)


def allocate_waiting(call: Call, *, orders_max: int = ORDERS_PER_CALL_MAX, before_id: int = 0) -> list[Allocation]:
    """Promise stock to orders that wait for it, most urgent first; each once.

    A nightly or minutely job calls this; orders that were short are tried again. `before_id` > 0: only orders of lower
    id, so that a job can end. Orders of a blocked merchant keep waiting.
    """
    query = _waiting.where(_orders.c.id < before_id) if before_id else _waiting
    found = call.session.execute(query.limit(min(orders_max, ORDERS_PER_CALL_MAX)), {"w": call.warehouse_id})
    return allocate_these(call, found.scalars().all())


def waiting_orders(session: Session, warehouse_id: int, orders_max: int = ORDERS_AT_ONCE_MAX) -> list[int]:
    """The ids of orders that wait for stock, most urgent first."""
    return list(session.execute(_waiting.limit(orders_max), {"w": warehouse_id}).scalars())


def allocate_these(call: Call, order_ids: Sequence[int]) -> list[Allocation]:
    """Promise stock to these orders, in their order. Those that wait no longer are passed over."""
    allocations = []
    for order_id in order_ids:
        rows = call.session.execute(_by_id, {"w": call.warehouse_id, "o": order_id}).all()
        if OrderState(rows[0].state) in _OPEN and rows[0].blocked_reason is None and rows[0].intercepted_at is None:
            allocations.append(_allocate(call, rows, ""))
    return allocations


def _allocate(call: Call, rows: Sequence[Any], book: str) -> Allocation:
    order = rows[0]
    _may_allocate(order)
    wanted = [_wanted(row) for row in rows if row.allocated < row.quantity]
    if not wanted:
        return _answer(rows, {}, [])
    promised = _promise_all(call, order, wanted, book)
    short = {line.line_id: line for line in promised.short}
    taken: dict[int, int] = {}
    for take in promised.takes:
        taken[take.line_id] = taken.get(take.line_id, 0) + take.quantity
    _write(call, rows, taken, promised.short)
    return _answer(rows, taken, list(short.values()))


def _may_allocate(order: Any) -> None:
    if order.intercepted_at is not None:
        raise Refused(Reason.ORDER_INTERCEPTED, order=order.no)
    if OrderState(order.state) not in _OPEN:
        raise Refused(Reason.ORDER_STATE_WRONG, state=order.state)
    if order.blocked_reason is not None:
        raise Refused(Reason.MERCHANT_BLOCKED, why=order.blocked_reason)


def _wanted(row: Any) -> WantedLine:
    return WantedLine(row.line_id, row.sku_id, row.quantity - row.allocated, row.min_life_ship_days)


def _promise_all(call: Call, order: Any, wanted: Sequence[WantedLine], book: str) -> Promised:
    """Look, plan, promise. Whoever loses a piece to another order lets the line's promises go and looks again."""
    today = call.now.astimezone(ZoneInfo(order.time_zone)).date()
    takes: list[Take] = []
    short: list[ShortLine] = []
    for _ in range(LOOKS_MAX):
        found = _look(call, order.merchant_id, wanted, book)
        plan = promise(wanted, found, today)
        lost = _hold(call, order.merchant_id, plan.takes)
        high = {row.stock_id: row.sku_id for row in found if not row.in_reach}
        ask_for_refills(call, {high[take.stock_id] for take in plan.takes if take.stock_id in high})
        takes += [take for take in plan.takes if take.line_id not in lost]
        short += plan.short
        wanted = [line for line in wanted if line.line_id in lost]
        if not wanted:
            return Promised(tuple(takes), tuple(short))
    raise Refused(Reason.BUSY)


def _look(call: Call, merchant_id: int, wanted: Sequence[WantedLine], book: str) -> list[FreeStock]:
    skus = sorted({line.sku_id for line in wanted})
    values = {"w": call.warehouse_id, "m": merchant_id, "skus": skus, "book": book}
    return [FreeStock(*row) for row in call.session.execute(_free, values)]


def _hold(call: Call, merchant_id: int, takes: Sequence[Take]) -> set[int]:
    """Hold each take, stock ids ascending. The lines that lost a piece to another order; nothing is held for them."""
    held: list[tuple[Take, int]] = []
    lost: set[int] = set()
    for take in sorted(takes, key=lambda each: (each.stock_id, each.line_id)):
        if take.line_id in lost:
            continue
        try:
            purpose = (Purpose.ORDER_LINE, take.line_id)
            hold_id = ledger.hold(call, take.stock_id, merchant_id, take.quantity, *purpose, follows=True)
        except Refused as no:
            if no.reason not in _LOST_THE_RACE:
                raise
            lost.add(take.line_id)
        else:
            held.append((take, hold_id))
    for take, hold_id in held:
        if take.line_id in lost:
            ledger.release(call, hold_id, take.stock_id, take.quantity)
    return lost


def _write(call: Call, rows: Sequence[Any], taken: dict[int, int], short: Sequence[ShortLine]) -> None:
    lacking = {line.line_id: line for line in short}
    changed = [
        {
            "line": row.line_id,
            "allocated": row.allocated + taken.get(row.line_id, 0),
            "short": lacking[row.line_id].quantity if row.line_id in lacking else 0,
        }
        for row in rows
        if row.line_id in taken or row.line_id in lacking
    ]
    call.session.execute(_set_line, changed)
    allocated = sum(row.allocated for row in rows) + sum(taken.values())
    values = {
        "o": rows[0].id,
        "state": state_after(allocated).value,
        "at": call.now if allocated else None,
        "why": short[0].why.value if short else None,
    }
    call.session.execute(_set_order, values)


def _answer(rows: Sequence[Any], taken: dict[int, int], short: Sequence[ShortLine]) -> Allocation:
    lacking = {line.line_id: line for line in short}
    lines = tuple(_line(row, taken.get(row.line_id, 0), lacking.get(row.line_id)) for row in rows)
    allocated = sum(line.allocated for line in lines)
    missing = sum(line.quantity for line in lines) - allocated
    return Allocation(rows[0].id, rows[0].no, state_after(allocated), allocated, missing, lines)


def _line(row: Any, taken: int, short: ShortLine | None) -> AllocatedLine:
    allocated = row.allocated + taken
    if short is None:
        return AllocatedLine(row.number, row.sku_code, row.quantity, allocated)
    return AllocatedLine(row.number, row.sku_code, row.quantity, allocated, short.free, short.why)
