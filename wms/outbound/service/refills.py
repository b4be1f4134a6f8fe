"""What orders need of the reserve: told to those who fill the pick faces, before a wave goes and for what waits."""

from __future__ import annotations

from collections import defaultdict

from sqlalchemy import select
from sqlalchemy.orm import Session

from wms.core.call import Call
from wms.ledger.tables import Hold, Stock
from wms.ledger.values import Purpose
from wms.outbound.tables import Order, OrderLine
from wms.outbound.values import OrderState
from wms.site.tables import Slot
from wms.slotting import refilling
from wms.slotting.reach import in_reach
from wms.slotting.refill_rules import RefillReason
from wms.slotting.refilling import Need
from wms.slotting.tables import FaceLevel


def needs(session: Session, warehouse_id: int) -> list[Need]:
    """What is promised out of reach to orders that nobody walks for yet, of SKUs with levels; by row of stock.

    Where some of it is for orders of a wave, all of it comes before the wave.
    """
    query = (
        select(Hold.stock_id, Hold.quantity, Order.wave_id)
        .join(OrderLine, (OrderLine.id == Hold.reference_id) & (Hold.purpose == Purpose.ORDER_LINE.value))
        .join(Order, Order.id == OrderLine.order_id)
        .join(Stock, Stock.id == Hold.stock_id)
        .join(Slot, Slot.place_id == Stock.place_id)
        .join(FaceLevel, (FaceLevel.sku_id == Stock.sku_id) & (FaceLevel.warehouse_id == Stock.warehouse_id))
        .where(
            Order.warehouse_id == warehouse_id,
            Order.state == OrderState.ALLOCATED.value,
            Order.intercepted_at.is_(None),
            Hold.quantity > 0,
            Hold.follows.is_(True),
            ~in_reach(warehouse_id),
        )
    )
    wanted: defaultdict[int, int] = defaultdict(int)
    before_wave: set[int] = set()
    for stock_id, quantity, wave_id in session.execute(query):
        wanted[stock_id] += quantity
        if wave_id is not None:
            before_wave.add(stock_id)
    return [
        Need(stock_id, quantity, RefillReason.WAVE if stock_id in before_wave else RefillReason.ORDER)
        for stock_id, quantity in sorted(wanted.items())
    ]


def plan_refills(call: Call) -> int:
    """Put on the board what orders and pick faces need of the reserve; how many refills are new."""
    return refilling.plan(call, needs(call.session, call.warehouse_id))
