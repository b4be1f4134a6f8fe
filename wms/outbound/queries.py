"""Reads at the order desk: one order, the stages by cut-off, waves, and what was not shipped whole and why."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, bindparam, func, select
from sqlalchemy.orm import Session, aliased

from wms.catalog.tables import Merchant, Sku
from wms.core.db.tables import table_of
from wms.core.refusal import Reason, Refused
from wms.ledger.tables import Hold, Stock
from wms.ledger.values import Purpose
from wms.outbound.tables import Order, OrderLine, Wave
from wms.outbound.values import OrderState, Shortage, WaveState
from wms.site.tables import Place, Slot

ROWS_PER_PAGE_MAX = 500

# Of an order: some of what it was promised cannot be walked to now, so it waits until the way is open.
# One question within the other: as one, SQLite may begin with every hold of every order.
_any_line = aliased(OrderLine)
_PROMISED_BEHIND_SHUT = (
    select(Hold.id)
    .join(Stock, Stock.id == Hold.stock_id)
    .join(Slot, Slot.place_id == Stock.place_id)
    .where(
        Hold.purpose == Purpose.ORDER_LINE.value,
        Hold.reference_id == _any_line.id,
        Hold.quantity > 0,
        Slot.shut.is_(True),
    )
    .correlate(_any_line)
    .exists()
)
HAS_GOODS_OUT_OF_REACH = (
    select(_any_line.id).where(_any_line.order_id == Order.id, _PROMISED_BEHIND_SHUT).correlate(Order).exists()
)


@dataclass(frozen=True, slots=True)
class OrderFacts:
    """An order as it stands. Where it goes is on the label only."""

    id: int
    merchant_id: int
    no: str
    state: OrderState
    courier: str
    cut_off_at: datetime
    wave_id: int | None
    intercepted_at: datetime | None
    short_reason: str | None
    shop: str


@dataclass(frozen=True, slots=True)
class LineFacts:
    """An order line as it stands."""

    id: int
    number: int
    sku_id: int
    sku_code: str
    sku_name: str
    quantity: int
    allocated: int
    picked: int
    packed: int
    shipped: int
    short: int


@dataclass(frozen=True, slots=True)
class Stage:
    """How many orders of one courier's cut-off are in one state. `intercepted` of them are to be caught."""

    courier: str
    cut_off_at: datetime
    state: OrderState
    orders: int
    intercepted: int


@dataclass(frozen=True, slots=True)
class WaveFacts:
    """A wave's card. Walks in m, as planned."""

    id: int
    no: str
    courier: str
    kind: str
    cut_off_at: datetime
    state: WaveState
    orders: int
    walk_m: int
    s_shape_m: int
    released_at: datetime | None


@dataclass(frozen=True, slots=True)
class Explained:
    """An order that does not ship whole, and why: a code of `Shortage`, or "cancelled". `missing` pieces."""

    order_id: int
    order_no: str
    merchant_code: str
    state: OrderState
    why: str
    missing: int
    cut_off_at: datetime


_ORDER_COLUMNS = (
    Order.id,
    Order.merchant_id,
    Order.no,
    Order.state,
    Order.courier,
    Order.cut_off_at,
    Order.wave_id,
    Order.intercepted_at,
    Order.short_reason,
    Order.shop,
)


def order_by_no(
    session: Session,
    warehouse_id: int,
    no: str,
    merchant_id: int | None = None,
    merchant_code: str | None = None,
    *,
    lock: bool = False,
) -> OrderFacts:
    """The order with this number, of this merchant if one is given; `lock` keeps it from others until the commit.

    Raises ORDER_UNKNOWN, and BAD_INPUT when two merchants have an order of that number and none was named.
    """
    query = select(*_ORDER_COLUMNS).where(Order.warehouse_id == warehouse_id, Order.no == no)
    if merchant_id is not None:
        query = query.where(Order.merchant_id == merchant_id)
    if merchant_code is not None:
        query = query.join(Merchant, Merchant.id == Order.merchant_id).where(Merchant.code == merchant_code)
    rows = session.execute(query.with_for_update(of=Order) if lock else query).all()
    if not rows:
        raise Refused(Reason.ORDER_UNKNOWN, order=no[:40])
    if len(rows) > 1:
        raise Refused(Reason.BAD_INPUT, what=f"merchant of order {no[:40]}")
    return _order(*rows[0])


def _order(id: int, merchant_id: int, no: str, state: str, *rest: Any) -> OrderFacts:
    return OrderFacts(id, merchant_id, no, OrderState(state), *rest)


def order_by_id(session: Session, warehouse_id: int, order_id: int, merchant_id: int | None = None) -> OrderFacts:
    """The order by its id. Raises ORDER_UNKNOWN, also for another merchant's."""
    query = select(*_ORDER_COLUMNS).where(Order.warehouse_id == warehouse_id, Order.id == order_id)
    if merchant_id is not None:
        query = query.where(Order.merchant_id == merchant_id)
    row = session.execute(query).one_or_none()
    if row is None:
        raise Refused(Reason.ORDER_UNKNOWN, order=order_id)
    return _order(*row)


def lines_of(session: Session, order_id: int) -> list[LineFacts]:
    """The lines of an order, by number."""
    query = (
        select(
            OrderLine.id,
            OrderLine.number,
            OrderLine.sku_id,
            Sku.code,
            Sku.name,
            OrderLine.quantity,
            OrderLine.allocated,
            OrderLine.picked,
            OrderLine.packed,
            OrderLine.shipped,
            OrderLine.short,
        )
        .join(Sku, Sku.id == OrderLine.sku_id)
        .where(OrderLine.order_id == order_id)
        .order_by(OrderLine.number)
    )
    return [LineFacts(*row) for row in session.execute(query)]


def stages(
    session: Session, warehouse_id: int, *, since: datetime | None = None, merchant_id: int | None = None
) -> list[Stage]:
    """Orders by courier, cut-off and state, earliest cut-off first: the rows and columns of the stage flow."""
    query = (
        select(Order.courier, Order.cut_off_at, Order.state, func.count(Order.id), func.count(Order.intercepted_at))
        .where(Order.warehouse_id == warehouse_id)
        .group_by(Order.courier, Order.cut_off_at, Order.state)
        .order_by(Order.cut_off_at, Order.courier, Order.state)
        .limit(ROWS_PER_PAGE_MAX)
    )
    if since is not None:
        query = query.where(Order.cut_off_at >= since)
    if merchant_id is not None:
        query = query.where(Order.merchant_id == merchant_id)
    return [
        Stage(courier, cut_off_at, OrderState(state), orders, caught)
        for courier, cut_off_at, state, orders, caught in session.execute(query)
    ]


def waves(session: Session, warehouse_id: int, states: Iterable[WaveState] = ()) -> list[WaveFacts]:
    """Waves by cut-off, of these states or of all."""
    query = _waves(warehouse_id)
    if wanted := [state.value for state in states]:
        query = query.where(Wave.state.in_(wanted))
    rows = session.execute(query.order_by(Wave.cut_off_at, Wave.id).limit(ROWS_PER_PAGE_MAX))
    return [_wave(*row) for row in rows]


def wave_by_no(session: Session, warehouse_id: int, no: str) -> WaveFacts:
    """The wave with this number. Raises WAVE_UNKNOWN."""
    row = session.execute(_waves(warehouse_id).where(Wave.no == no)).one_or_none()
    if row is None:
        raise Refused(Reason.WAVE_UNKNOWN, wave=no[:40])
    return _wave(*row)


def _waves(warehouse_id: int) -> Select[*tuple[Any, ...]]:
    orders = select(func.count(Order.id)).where(Order.wave_id == Wave.id).scalar_subquery()
    columns = (Wave.id, Wave.no, Wave.courier, Wave.kind, Wave.cut_off_at, Wave.state)
    query = select(*columns, orders, Wave.walk_m, Wave.s_shape_m, Wave.released_at)
    return query.where(Wave.warehouse_id == warehouse_id)


def _wave(id: int, no: str, courier: str, kind: str, cut_off_at: datetime, state: str, *rest: Any) -> WaveFacts:
    return WaveFacts(id, no, courier, kind, cut_off_at, WaveState(state), *rest)


def explained(
    session: Session, warehouse_id: int, *, since: datetime | None = None, merchant_id: int | None = None
) -> list[Explained]:
    """Orders that do not ship whole, each with its reason, earliest cut-off first."""
    missing = func.sum(OrderLine.quantity - OrderLine.allocated)
    query = (
        select(Order.id, Order.no, Merchant.code, Order.state, Order.short_reason, missing, Order.cut_off_at)
        .join(Merchant, Merchant.id == Order.merchant_id)
        .join(OrderLine, OrderLine.order_id == Order.id)
        .where(
            Order.warehouse_id == warehouse_id,
            Order.short_reason.is_not(None) | Order.cancelled_at.is_not(None) | Order.intercepted_at.is_not(None),
        )
        .group_by(Order.id, Merchant.code)
        .order_by(Order.cut_off_at, Order.id)
        .limit(ROWS_PER_PAGE_MAX)
    )
    if since is not None:
        query = query.where(Order.cut_off_at >= since)
    if merchant_id is not None:
        query = query.where(Order.merchant_id == merchant_id)
    return [
        Explained(id, no, merchant, OrderState(state), why or OrderState.CANCELLED.value, int(lacks), cut_off_at)
        for id, no, merchant, state, why, lacks, cut_off_at in session.execute(query)
    ]


def short_words(why: str) -> str:
    """The text key that says a reason in words."""
    known = {*Shortage, OrderState.CANCELLED}
    return f"outbound.short.{why}" if why in known else "outbound.short.other"


@dataclass(frozen=True, slots=True)
class PromisedTake:
    """Pieces of a SKU promised to an order in one slot."""

    sku_code: str
    slot_code: str
    quantity: int


_hold, _line, _stock, _place, _sku = (table_of(each) for each in (Hold, OrderLine, Stock, Place, Sku))
_promised_slots = (
    select(_sku.c.code, _place.c.code, _hold.c.quantity)
    .join(_line, _line.c.id == _hold.c.reference_id)
    .join(_stock, _stock.c.id == _hold.c.stock_id)
    .join(_place, _place.c.id == _stock.c.place_id)
    .join(_sku, _sku.c.id == _stock.c.sku_id)
    .where(_hold.c.purpose == "order_line", _hold.c.quantity > 0, _line.c.order_id == bindparam("o"))
    .order_by(_hold.c.id)
)


def promised_slots(session: Session, order_id: int) -> list[PromisedTake]:
    """Where the goods promised to an order lie."""
    return [PromisedTake(*row) for row in session.execute(_promised_slots, {"o": order_id})]
