"""The deeds behind the buttons. Each goes through the service of its room; `DEEDS` says which right it takes.

A deed answers with words for who pressed, and with the waves to be planned after the commit, if there are any.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import select

from wms.core.call import Call
from wms.core.outbox import announce
from wms.core.refusal import Reason, Refused
from wms.counting import service as counting
from wms.counting.values import COUNT_TASK
from wms.outbound import service as outbound
from wms.outbound.queries import waves
from wms.outbound.tables import Order, OrderLine, Wave
from wms.outbound.values import OrderState, WaveState
from wms.people import queries as people
from wms.people.rules import require
from wms.people.values import Right
from wms.picking.tables import Batch
from wms.picking.values import BatchState
from wms.printing import service as printing
from wms.printing.tables import PrintJob
from wms.printing.values import JobState
from wms.shipping.labels import WAYBILL_TEMPLATE, reprint_waybill
from wms.shipping.tables import Waybill
from wms.site import queries as site
from wms.slotting import moving
from wms.sorting import service as sorting
from wms.sorting.values import Finding
from wms.terminal.service import house
from wms.terminal.values import Words
from wms.work import service as work
from wms.work.values import PRIORITY_URGENT

ORDERS_MAX = 200
JOBS_MAX = 50
PRIORITY_COUNT = 2

Args = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Done:
    """What a deed came to, and the waves that are to be planned now."""

    words: Words
    plan: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Deed:
    right: Right
    do: Callable[[Call, Args], Done]


def do(call: Call, name: str, args: Args) -> Done:
    """Do what a button says. Raises NOT_ALLOWED, BAD_INPUT for an unknown button, and what the rooms raise."""
    deed = DEEDS.get(name)
    if deed is None:
        raise Refused(Reason.BAD_INPUT, what=f"deed {name[:40]}")
    require(call.rights, deed.right)
    call.wakes.add("live")
    return deed.do(call, args)


def _said(key: str, **facts: object) -> Done:
    return Done(Words(f"terminal.done.{key}", facts))


def _number(args: Args, name: str) -> int:
    value = args.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise Refused(Reason.BAD_INPUT, what=name)
    return value


def _numbers(args: Args, name: str) -> list[int]:
    value = args.get(name)
    if not isinstance(value, list) or any(not isinstance(each, int) or isinstance(each, bool) for each in value):
        raise Refused(Reason.BAD_INPUT, what=name)
    return value


def _text(args: Args, name: str) -> str:
    value = args.get(name)
    if not isinstance(value, str) or not 1 <= len(value) <= 200:
        raise Refused(Reason.BAD_INPUT, what=name)
    return value


def _moment(args: Args, name: str) -> datetime:
    try:
        moment = datetime.fromisoformat(_text(args, name))
    except ValueError as error:
        raise Refused(Reason.BAD_INPUT, what=name) from error
    if moment.tzinfo is None:
        raise Refused(Reason.BAD_INPUT, what=name)
    return moment


# orders and waves


def _allocate_waiting(call: Call, args: Args) -> Done:
    allocations = outbound.allocate_waiting(call, orders_max=ORDERS_MAX)
    whole = sum(one.whole for one in allocations)
    return _said("allocated", orders=whole, short=len(allocations) - whole)


def _allocate_sku(call: Call, args: Args) -> Done:
    """Only the orders that wait for these goods, the most urgent first."""
    waiting = call.session.execute(
        select(Order.no, Order.merchant_id)
        .join(OrderLine, OrderLine.order_id == Order.id)
        .where(
            Order.warehouse_id == call.warehouse_id,
            OrderLine.sku_id == _number(args, "sku"),
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
    return _said("allocated", orders=whole, short=len(waiting) - whole)


def _make_waves(call: Call, args: Args) -> Done:
    made = outbound.make_waves(call, _moment(args, "at") if args.get("at") else None)
    return _said("waves_made", waves=len(made))


def _release_wave(call: Call, args: Args) -> Done:
    wave = _text(args, "wave")
    outbound.begin_planning(call, wave)
    return Done(Words("terminal.done.releasing", {"waves": 1}), (wave,))


def _release_cut_off(call: Call, args: Args) -> Done:
    """Orders that are in no wave are gathered first; then every draft of the cut-off goes."""
    at, courier = _moment(args, "at"), _text(args, "courier")
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
    outbound.stop_planning(call, _text(args, "wave"))
    return _said("back_to_draft", wave=_text(args, "wave"))


def _cancel_wave(call: Call, args: Args) -> Done:
    outbound.cancel_wave(call, _text(args, "wave"))
    return _said("wave_cancelled", wave=_text(args, "wave"))


def _pick_first(call: Call, args: Args) -> Done:
    """The open batches of a cut-off come before all others."""
    tasks = call.session.scalars(
        select(Batch.task_id)
        .join(Wave, Wave.id == Batch.wave_id)
        .where(
            Batch.warehouse_id == call.warehouse_id,
            Batch.state == BatchState.OPEN.value,
            Wave.courier == _text(args, "courier"),
            Wave.cut_off_at == _moment(args, "at"),
            Batch.task_id.is_not(None),
        )
        .order_by(Batch.task_id)
    ).all()
    for task_id in tasks:
        assert task_id is not None
        work.reprioritise(call, task_id, PRIORITY_URGENT)
    return _said("pick_first", batches=len(tasks))


# people


def _hand_over(call: Call, args: Args) -> Done:
    person = people.person_by_id(call.session, call.warehouse_id, _number(args, "person"))
    work.hand_over(call, _number(args, "task"), person.id)
    call.wakes.add(f"person:{person.id}")
    return _said("handed_over", name=person.name)


def _free_task(call: Call, args: Args) -> Done:
    """Back on the board for whoever comes next: the house takes it out of his hands."""
    as_house = replace(call, who=replace(call.who, person_id=None))
    work.give_back(as_house, _number(args, "task"))
    return _said("freed")


# printing


def _print_at(call: Call, args: Args) -> Done:
    """Every label of a station that never reached paper, at another one (or the same again)."""
    station = site.station_by_code(call.session, call.warehouse_id, _text(args, "station"))
    target = site.station_by_code(call.session, call.warehouse_id, _text(args, "to"))
    unsent = [JobState.QUEUED.value, JobState.FAILED.value]
    jobs = call.session.scalars(
        select(PrintJob.id)
        .where(
            PrintJob.warehouse_id == call.warehouse_id,
            PrintJob.station_id == station.id,
            PrintJob.state.in_(unsent),
        )
        .order_by(PrintJob.id)
        .limit(JOBS_MAX)
    ).all()
    for job_id in jobs:
        printing.print_anew(call, job_id, station_id=target.id)
    return _said("printed_at", jobs=len(jobs), station=target.name)


def _reprint(call: Call, args: Args) -> Done:
    """An uncertain label: a waybill is printed again with its mark; any other counts as not printed."""
    job = _job(call, _number(args, "job"))
    if job.document == WAYBILL_TEMPLATE:
        parcel_id = call.session.scalars(
            select(Waybill.parcel_id).where(Waybill.warehouse_id == call.warehouse_id, Waybill.number == job.subject)
        ).first()
        if parcel_id is None:
            raise Refused(Reason.WAYBILL_UNKNOWN, waybill=job.subject)
        reprint_waybill(call, parcel_id, why="uncertain")
        printing.settle(call, job.id, on_paper=False)
    else:
        printing.settle(call, job.id, on_paper=False)
        printing.print_anew(call, job.id)
    return _said("reprinted", tail=job.subject[-4:])


def _on_paper(call: Call, args: Args) -> Done:
    job = _job(call, _number(args, "job"))
    printing.settle(call, job.id, on_paper=True)
    return _said("on_paper", tail=job.subject[-4:])


def _job(call: Call, job_id: int) -> PrintJob:
    job = call.session.get(PrintJob, job_id)
    if job is None or job.warehouse_id != call.warehouse_id:
        raise Refused(Reason.PRINT_JOB_UNKNOWN, job=job_id)
    return job


# the line


def _empty_chute(call: Call, args: Args) -> Done:
    chute = _number(args, "chute")
    house.known_chute(call, chute)
    sorting.empty_chute(call, chute)
    return _said("chute_emptied", chute=chute)


def _open_chute(call: Call, args: Args) -> Done:
    chute = _number(args, "chute")
    house.tell_chute(call, chute, "OPEN")
    return _said("chute_opened", chute=chute)


def _lock_chute(call: Call, args: Args) -> Done:
    chute = _number(args, "chute")
    house.tell_chute(call, chute, "LOCK")
    return _said("chute_locked", chute=chute)


def _route_again(call: Call, args: Args) -> Done:
    """Parcels that had no route are looked up in the plan anew."""
    kind = _text(args, "kind")
    if kind not in set(Finding):
        raise Refused(Reason.BAD_INPUT, what="kind")
    parcels = house.parcels_of_findings(call, Finding(kind))
    for parcel_id in parcels:
        sorting.route_parcel(call, parcel_id)
    return _said("routed", parcels=len(parcels))


def _reject_done(call: Call, args: Args) -> Done:
    house.handle_reject(call, _number(args, "divert"))
    return _said("reject_done")


def _fetch(call: Call, args: Args) -> Done:
    """The line is told once more to reject the order's parcels, and the row says who goes to fetch them."""
    sorting.route_order(call, _number(args, "order"))
    house.shelve(call, _text(args, "key"), "fetch")
    return _said("fetch")


# slots


def _plan_moves(call: Call, args: Args) -> Done:
    """Planning takes seconds: it begins after the commit. Raises NOT_FOUND where there is no hall yet."""
    site.hall(call.session, call.warehouse_id)
    announce(call, "moves.wanted", "slots", by=call.actor)
    return _said("moves_wanted")


def _accept_moves(call: Call, args: Args) -> Done:
    return _said("moves_accepted", moves=moving.accept(call, _numbers(args, "moves")))


def _decline_moves(call: Call, args: Args) -> Done:
    return _said("moves_declined", moves=moving.decline(call, _numbers(args, "moves")))


def _withdraw_move(call: Call, args: Args) -> Done:
    moving.withdraw(call, _number(args, "move"))
    return _said("move_withdrawn")


# the house


def _send_again(call: Call, args: Args) -> Done:
    house.send_again(call, _number(args, "row"))
    return _said("sent_again")


def _dismiss(call: Call, args: Args) -> Done:
    house.dismiss(call, _number(args, "row"))
    return _said("dismissed")


def _count_slot(call: Call, args: Args) -> Done:
    slot = site.slot_by_code(call.session, call.warehouse_id, _text(args, "slot"))
    subject = f"slot:{slot.place_id}"
    work.create(
        call, COUNT_TASK, subject, priority=PRIORITY_COUNT, slot=slot.code, slot_id=slot.place_id, reason="promise"
    )
    return _said("count_asked", slot=slot.code)


def _approve_count(call: Call, args: Args) -> Done:
    counting.approve(call, _number(args, "count"))
    return _said("count_approved")


def _acknowledge(call: Call, args: Args) -> Done:
    house.shelve(call, _text(args, "key"), str(args.get("why") or "look")[:60])
    return _said("shelved")


def _take_back(call: Call, args: Args) -> Done:
    house.shelve(call, _text(args, "key"), "over", over=True)
    return _said("unshelved")


DEEDS: Mapping[str, _Deed] = {
    "allocate_waiting": _Deed(Right.RELEASE_WAVES, _allocate_waiting),
    "allocate_sku": _Deed(Right.RELEASE_WAVES, _allocate_sku),
    "make_waves": _Deed(Right.RELEASE_WAVES, _make_waves),
    "release_wave": _Deed(Right.RELEASE_WAVES, _release_wave),
    "release_cut_off": _Deed(Right.RELEASE_WAVES, _release_cut_off),
    "back_to_draft": _Deed(Right.RELEASE_WAVES, _back_to_draft),
    "cancel_wave": _Deed(Right.RELEASE_WAVES, _cancel_wave),
    "pick_first": _Deed(Right.ASSIGN_WORK, _pick_first),
    "hand_over": _Deed(Right.ASSIGN_WORK, _hand_over),
    "free_task": _Deed(Right.ASSIGN_WORK, _free_task),
    "print_at": _Deed(Right.REPRINT, _print_at),
    "reprint": _Deed(Right.REPRINT, _reprint),
    "on_paper": _Deed(Right.REPRINT, _on_paper),
    "empty_chute": _Deed(Right.CONTROL_LINE, _empty_chute),
    "open_chute": _Deed(Right.CONTROL_LINE, _open_chute),
    "lock_chute": _Deed(Right.CONTROL_LINE, _lock_chute),
    "route_again": _Deed(Right.CONTROL_LINE, _route_again),
    "reject_done": _Deed(Right.CONTROL_LINE, _reject_done),
    "fetch": _Deed(Right.INTERCEPT, _fetch),
    "plan_moves": _Deed(Right.ASSIGN_WORK, _plan_moves),
    "accept_moves": _Deed(Right.ASSIGN_WORK, _accept_moves),
    "decline_moves": _Deed(Right.ASSIGN_WORK, _decline_moves),
    "withdraw_move": _Deed(Right.ASSIGN_WORK, _withdraw_move),
    "send_again": _Deed(Right.ASSIGN_WORK, _send_again),
    "dismiss": _Deed(Right.ASSIGN_WORK, _dismiss),
    "count_slot": _Deed(Right.ASSIGN_WORK, _count_slot),
    "approve_count": _Deed(Right.APPROVE, _approve_count),
    "acknowledge": _Deed(Right.SEE_TERMINAL, _acknowledge),
    "take_back": _Deed(Right.SEE_TERMINAL, _take_back),
}
