"""Orders: promise stock to them, put the urgent first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sqlalchemy import select

from wms.core.call import Call
from wms.outbound import service as outbound
from wms.outbound.service.allocation import waiting_orders
from wms.outbound.tables import Order, OrderLine, Wave
from wms.outbound.values import OrderState
from wms.people.values import Right
from wms.picking.tables import Batch
from wms.picking.values import BatchState
from wms.terminal.service.deeds.deed import Args, Deed, Done, moment, number, said, text
from wms.terminal.service.planner import Job, Wanted
from wms.terminal.values import Words
from wms.work import service as work
from wms.work.values import PRIORITY_URGENT

ORDERS_MAX = 200


def _allocate_waiting(call: Call, args: Args) -> Done:
    waiting = len(waiting_orders(call.session, call.warehouse_id))
    return Done(Words("terminal.done.allocating", {"orders": waiting}), (Wanted(Job.ALLOCATE),))


def _allocate_sku(call: Call, args: Args) -> Done:
    """Only the orders that wait for these goods, the most urgent first."""
    waiting = call.session.execute(
        select(Order.no, Order.merchant_id)
        .join(OrderLine, OrderLine.order_id == Order.id)
        .where(
            Order.warehouse_id == call.warehouse_id,
            OrderLine.sku_id == number(args, "sku"),
            OrderLine.allocated < OrderLine.quantity,
            Order.state.in_([OrderState.SHORT.value, OrderState.ALLOCATED.value]),
            Order.intercepted_at.is_(None),
        )
        .order_by(Order.cut_off_at, Order.id)
        .limit(ORDERS_MAX)
    ).all()
    whole = 0
    for no, merchant_id in waiting:
        of_merchant = replace(call, who=replace(call.who, merchant_id=merchant_id))
        whole += outbound.allocate(of_merchant, no).whole
    return said("allocated", orders=whole, short=len(waiting) - whole)


def _pick_first(call: Call, args: Args) -> Done:
    """The open batches of a cut-off come before all others."""
    tasks = call.session.scalars(
        select(Batch.task_id)
        .join(Wave, Wave.id == Batch.wave_id)
        .where(
            Batch.warehouse_id == call.warehouse_id,
            Batch.state == BatchState.OPEN.value,
            Wave.courier == text(args, "courier"),
            Wave.cut_off_at == moment(args, "at"),
            Batch.task_id.is_not(None),
        )
        .order_by(Batch.task_id)
    ).all()
    for task_id in tasks:
        assert task_id is not None
        work.reprioritise(call, task_id, PRIORITY_URGENT)
    return said("pick_first", batches=len(tasks))


DEEDS: Mapping[str, Deed] = {
    "allocate_waiting": Deed(Right.RELEASE_WAVES, _allocate_waiting),
    "allocate_sku": Deed(Right.RELEASE_WAVES, _allocate_sku),
    "pick_first": Deed(Right.ASSIGN_WORK, _pick_first),
}
