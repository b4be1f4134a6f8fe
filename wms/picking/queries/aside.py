"""What is promised and cannot be walked to now: the lines, and what is closed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from wms.catalog.tables import Sku
from wms.ledger.tables import Hold, Stock
from wms.ledger.values import Purpose
from wms.optimise.geometry import Stop, is_reachable
from wms.outbound.tables import Order, OrderLine, Wave
from wms.outbound.values import OrderState
from wms.picking.rules.rerouting import closures_at
from wms.site import queries as site
from wms.site.tables import Slot

LINES_MAX = 200
_WAITING = (OrderState.ALLOCATED.value, OrderState.RELEASED.value, OrderState.PICKING.value)


@dataclass(frozen=True, slots=True)
class AsideLine:
    """Goods of an order out of reach: where they lie, and the ids and names of what is closed. `wave` may be empty."""

    order_no: str
    courier: str
    cut_off_at: datetime
    wave: str
    sku_code: str
    sku_name: str
    quantity: int
    slot_code: str
    closure_ids: tuple[int, ...]
    why: str


def aside_lines(session: Session, warehouse_id: int, lines_max: int = LINES_MAX) -> list[AsideLine]:
    """The lines set aside, soonest cut-off first."""
    hall = site.hall(session, warehouse_id)
    if not hall.closures:
        return []
    query = _cut_off(
        warehouse_id,
        Order.no,
        Order.courier,
        Order.cut_off_at,
        func.coalesce(Wave.no, ""),
        Sku.code,
        Sku.name,
        Hold.quantity,
        Slot.code,
        Slot.aisle_index,
        Slot.y_mm,
    )
    rows = session.execute(query.order_by(Order.cut_off_at, Order.no, OrderLine.number, Hold.id).limit(lines_max))
    lines = []
    for *facts, aisle, y_mm in rows:
        closed = closures_at(hall, Stop(aisle, y_mm)) if not is_reachable(hall.now, Stop(aisle, y_mm)) else []
        why = "; ".join(f"{one.name}: {one.why}" for one in closed)
        known: list[Any] = [*facts, tuple(one.id for one in closed), why]
        lines.append(AsideLine(*known))
    return lines


def aside_counts(session: Session, warehouse_id: int) -> tuple[int, int]:
    """How many lines, of how many orders, are set aside."""
    counts = (func.count(func.distinct(OrderLine.id)), func.count(func.distinct(Order.id)))
    lines, orders = session.execute(_cut_off(warehouse_id, *counts)).one()
    return int(lines), int(orders)


def _cut_off(warehouse_id: int, *columns: Any) -> Any:
    return (
        select(*columns)
        .select_from(Order)
        .join(OrderLine, OrderLine.order_id == Order.id)
        .join(Hold, (Hold.reference_id == OrderLine.id) & (Hold.purpose == Purpose.ORDER_LINE.value))
        .join(Stock, Stock.id == Hold.stock_id)
        .join(Slot, Slot.place_id == Stock.place_id)
        .join(Sku, Sku.id == Stock.sku_id)
        .outerjoin(Wave, Wave.id == Order.wave_id)
        .where(
            Order.warehouse_id == warehouse_id,
            Order.state.in_(_WAITING),
            Order.intercepted_at.is_(None),
            Hold.quantity > 0,
            Slot.shut.is_(True),
        )
    )
