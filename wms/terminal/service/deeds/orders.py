"""Orders and waves: promise stock, gather waves, release them, put the urgent first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sqlalchemy import select

from wms.core.call import Call
from wms.outbound import service as outbound
from wms.outbound.queries import waves
from wms.outbound.tables import Order, OrderLine, Wave
from wms.outbound.values import OrderState, WaveState
from wms.people.values import Right
from wms.picking.tables import Batch
from wms.picking.values import BatchState
from wms.terminal.service.deeds.deed import Args, Deed, Done, moment, number, said, text
from wms.terminal.values import Words
from wms.work import service as work
from wms.work.values import PRIORITY_URGENT

ORDERS_MAX = 200


def _allocate_waiting(call: Call, args: Args) -> Done:
    allocations = outbound.allocate_waiting(call, orders_max=ORDERS_MAX)
    whole = sum(one.whole for one in allocations)
    return said("allocated", orders=whole, short=len(allocations) - whole)


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


def _make_waves(call: Call, args: Args) -> Done:
    made = outbound.make_waves(call, moment(args, "at") if args.get("at") else None)
    return said("waves_made", waves=len(made))


def _release_wave(call: Call, args: Args) -> Done:
    wave = text(args, "wave")
    outbound.begin_planning(call, wave)
    return Done(Words("terminal.done.releasing", {"waves": 1}), (wave,))


def _release_cut_off(call: Call, args: Args) -> Done:
    """Orders that are in no wave are gathered first; then every draft of the cut-off goes."""
    at, courier = moment(args, "at"), text(args, "courier")
    outbound.make_waves(call, at)
    drafts = [
        one.no
        for one in waves(call.session, call.warehouse_id, (WaveState.DRAFT,))
        if one.courier == courier and one.cut_off_at == at
    ]
    for no in drafts:
        outbound.begin_planning(call, no)
    return Done(Words("terminal.done.releasing", {"waves": len(drafts)}), tuple(drafts))


def _back_to_draft(call: Call, args: Args) -> Done:
    outbound.stop_planning(call, text(args, "wave"))
    return said("back_to_draft", wave=text(args, "wave"))


def _cancel_wave(call: Call, args: Args) -> Done:
    outbound.cancel_wave(call, text(args, "wave"))
    return said("wave_cancelled", wave=text(args, "wave"))


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
    "make_waves": Deed(Right.RELEASE_WAVES, _make_waves),
    "release_wave": Deed(Right.RELEASE_WAVES, _release_wave),
    "release_cut_off": Deed(Right.RELEASE_WAVES, _release_cut_off),
    "back_to_draft": Deed(Right.RELEASE_WAVES, _back_to_draft),
    "cancel_wave": Deed(Right.RELEASE_WAVES, _cancel_wave),
    "pick_first": Deed(Right.ASSIGN_WORK, _pick_first),
}
