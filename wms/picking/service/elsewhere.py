"""The same goods in another slot: where they lie, and promises moved from one stock row to another.

Of all promises to be moved in one transaction the stock rows are locked together, ids ascending, before the first of
them is touched.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import or_, select

from wms.catalog.tables import Lot, Sku
from wms.core.call import Call
from wms.core.refusal import Reason, Refused
from wms.ledger import service as ledger
from wms.ledger.tables import Stock
from wms.ledger.values import Condition, Purpose
from wms.optimise.geometry import Stop
from wms.picking.values import Found, PickFacts
from wms.site import queries as site
from wms.site.tables import Slot
from wms.slotting.reach import in_reach

SLOTS_TRIED_MAX = 20
_LOST_THE_RACE = (Reason.STOCK_INSUFFICIENT, Reason.STOCK_PROMISED, Reason.STOCK_FROZEN)


@dataclass(frozen=True, slots=True)
class Promise:
    """Goods promised to an order line out of one stock row: how many of them are to come from elsewhere."""

    hold_id: int
    stock_id: int
    slot_id: int
    merchant_id: int
    order_line_id: int
    sku_id: int
    book: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Moved:
    """So many of a promise come from there now."""

    found: Found
    quantity: int
    hold_id: int


def promise_of(pick: PickFacts, quantity: int) -> Promise:
    """What a pick was promised, or a part of it."""
    return Promise(
        pick.hold_id,
        pick.stock_id,
        pick.slot_id,
        pick.merchant_id,
        pick.order_line_id,
        pick.sku_id,
        pick.book,
        quantity,
    )


def elsewhere(call: Call, wanted: Promise) -> list[Found]:
    """Where else such goods lie free and can be walked to, in the order in which they are promised."""
    today = site.warehouse(call.session, call.warehouse_id).local(call.now).date()
    min_days = call.session.execute(select(Sku.min_life_ship_days).where(Sku.id == wanted.sku_id)).scalar_one()
    free = (Stock.on_hand - Stock.promised).label("free")
    query = (
        select(Stock.id, Stock.place_id, Slot.code, Stock.lot_id, free, Slot.aisle_index, Slot.y_mm)
        .join(Slot, Slot.place_id == Stock.place_id)
        .join(Lot, Lot.id == Stock.lot_id)
        .where(
            Stock.warehouse_id == call.warehouse_id,
            Stock.merchant_id == wanted.merchant_id,
            Stock.sku_id == wanted.sku_id,
            Stock.place_id != wanted.slot_id,
            Stock.condition == Condition.GOOD.value,
            Stock.book == wanted.book,
            Stock.on_hand > Stock.promised,
            Stock.frozen_reason.is_(None),
            Slot.blocked.is_(False),
            Slot.shut.is_(False),
            Slot.under_count.is_(False),
            Slot.retired.is_(False),
            or_(Lot.expires_on.is_(None), Lot.expires_on >= today + timedelta(days=min_days)),
        )
        .order_by(Lot.expires_on.is_(None), Lot.expires_on, ~in_reach(call.warehouse_id), Stock.first_in_at, Stock.id)
        .limit(SLOTS_TRIED_MAX)
    )
    return [_found(*row) for row in call.session.execute(query)]


def _found(stock_id: int, slot_id: int, slot_code: str, lot_id: int, free: int, aisle: int, y_mm: int) -> Found:
    return Found(stock_id, slot_id, slot_code, lot_id, free, Stop(aisle, y_mm))


def keep_in_order(call: Call, promises: Sequence[tuple[Promise, Sequence[Found]]]) -> None:
    """Keep all rows that promises may move between from others until the commit."""
    rows = {found.stock_id for _, others in promises for found in others}
    ledger.keep_in_order(call, rows | {promise.stock_id for promise, _ in promises})


def move(call: Call, wanted: Promise, others: Sequence[Found]) -> list[Moved]:
    """Promise the goods from the other rows and give back as much of the promise here; what cannot be had stays.

    The rows are to be kept in order before. A row that somebody else emptied meanwhile has none.
    """
    moved: list[Moved] = []
    for found in others:
        quantity = min(found.free, wanted.quantity - sum(each.quantity for each in moved))
        if quantity < 1:
            break
        hold_id = hold(call, wanted, found, quantity)
        if hold_id is not None:
            moved.append(Moved(found, quantity, hold_id))
    if moved:
        ledger.release(call, wanted.hold_id, wanted.stock_id, sum(each.quantity for each in moved))
    return moved


def hold(call: Call, wanted: Promise, found: Found, quantity: int) -> int | None:
    """A promise out of another row; None when somebody was faster."""
    reference: tuple[Any, ...] = (Purpose.ORDER_LINE, wanted.order_line_id)
    try:
        return ledger.hold(call, found.stock_id, wanted.merchant_id, quantity, *reference)
    except Refused as no:
        if no.reason not in _LOST_THE_RACE:
            raise
        return None
