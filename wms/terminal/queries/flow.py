"""Orders per cut-off and stage."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, case, func, select, union

from wms.outbound.tables import Order
from wms.outbound.values import OrderState
from wms.packing.tables import Parcel
from wms.packing.values import ParcelState
from wms.terminal.queries.look import Look
from wms.terminal.rules.forecast import flow, pace_per_h
from wms.terminal.values import STAGES, CutOff, Flow

_STAGE_OF = {
    OrderState.PLACED.value: "to_allocate",
    OrderState.SHORT.value: "to_allocate",
    OrderState.ALLOCATED.value: "to_wave",
    OrderState.RELEASED.value: "picking",
    OrderState.PICKING.value: "picking",
    OrderState.PICKED.value: "packing",
}
_OPEN = [state.value for state in OrderState if state not in (OrderState.SHIPPED, OrderState.CANCELLED)]
_PACKED = ("ready", "sorting", "labelling")  # by the parcel that is least far

Key = tuple[str, datetime]


def flow_of_today(look: Look) -> Flow:
    """Today's cut-offs and those of other days with open orders. Cancelled and stopped orders are not counted."""
    return flow(cut_offs(look), _pace(look), look.now)


def cut_offs(look: Look) -> list[CutOff]:
    counts: defaultdict[Key, defaultdict[str, int]] = defaultdict(lambda: defaultdict(int))
    for courier, at, state, orders in look.session.execute(_by_state(look)):
        counts[courier, at][state] += orders
    for courier, at, stage, orders in look.session.execute(_packed_orders(look)):
        counts[courier, at][_PACKED[stage]] += orders
    return [_cut_off(look, key, states) for key, states in counts.items()]


def _cut_off(look: Look, key: Key, states: defaultdict[str, int]) -> CutOff:
    courier, at = key
    stages = dict.fromkeys(STAGES, 0)
    for state, stage in _STAGE_OF.items():
        stages[stage] += states[state]
    stages["labelling"] += states["labelling"]
    stages["sorting"] += states["sorting"]
    short, ready, shipped = states[OrderState.SHORT.value], states["ready"], states[OrderState.SHIPPED.value]
    total = sum(stages.values()) + ready + shipped
    return CutOff(courier, look.courier(courier), at, stages, short, ready, shipped, total)


def _due(look: Look) -> tuple[ColumnElement[bool], ...]:
    """Orders of today's cut-offs, and whatever is left of other days."""
    today = (Order.cut_off_at >= look.day_begin) & (Order.cut_off_at < look.day_begin + timedelta(days=1))
    here = select(Order.id).where(Order.warehouse_id == look.warehouse_id)
    return (
        Order.id.in_(union(here.where(today), here.where(Order.state.in_(_OPEN)))),
        Order.state != OrderState.CANCELLED.value,
        Order.intercepted_at.is_(None),
    )


def _by_state(look: Look) -> Select[*tuple[Any, ...]]:
    return (
        select(Order.courier, Order.cut_off_at, Order.state, func.count())
        .where(*_due(look), Order.state != OrderState.PACKED.value)
        .group_by(Order.courier, Order.cut_off_at, Order.state)
    )


def _packed_orders(look: Look) -> Select[*tuple[Any, ...]]:
    """Packed orders by how far their slowest parcel is: 2 without a label, 1 on the line, 0 ready for the truck."""
    how_far = case(
        (Parcel.state == ParcelState.PACKED.value, 2),
        (Parcel.state == ParcelState.LABELLED.value, 1),
        else_=0,
    )
    slowest = (
        select(Order.id, Order.courier, Order.cut_off_at, func.coalesce(func.max(how_far), 2).label("stage"))
        .outerjoin(Parcel, (Parcel.order_id == Order.id) & (Parcel.state != ParcelState.CANCELLED.value))
        .where(
            Order.warehouse_id == look.warehouse_id,
            Order.state == OrderState.PACKED.value,
            Order.intercepted_at.is_(None),
        )
        .group_by(Order.id, Order.courier, Order.cut_off_at)
        .subquery()
    )
    columns = (slowest.c.courier, slowest.c.cut_off_at, slowest.c.stage)
    return select(*columns, func.count()).group_by(*columns)


def _pace(look: Look) -> int:
    """Orders packed an hour, lately."""
    packed = Order.warehouse_id == look.warehouse_id, Order.packed_at >= look.day_begin
    within = func.count(case((Order.packed_at > look.now - timedelta(hours=1), 1)))
    row = look.session.execute(select(within.label("orders"), func.min(Order.packed_at).label("first")).where(*packed))
    orders, first = row.one()
    return pace_per_h(int(orders), first, look.now)
