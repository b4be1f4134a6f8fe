"""What the line says it did with each parcel, and the chutes as they stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from wms.core.call import Call
from wms.core.outbox import announce
from wms.outbound.tables import Order
from wms.packing.service import locked_parcel
from wms.packing.tables import Parcel
from wms.packing.values import ParcelState
from wms.shipping import bags
from wms.shipping.tables import Bag
from wms.site import service as site
from wms.site.tables import Chute
from wms.sorting.rules import group_of
from wms.sorting.service.plans import CLOSED, take_over
from wms.sorting.service.routes import chutes_of
from wms.sorting.tables import DivertRow
from wms.sorting.values import REJECT, Confirmed, Finding

LOST_AFTER_S = 120
PID_KEPT = timedelta(days=7)
REASON_LENGTH_MAX = 40
CODE_LENGTH_MAX = 128
CODES_MAX = 16
ON_THE_LINE = frozenset({ParcelState.LABELLED.value, ParcelState.SORTED.value, ParcelState.BAGGED.value})


def record_divert(call: Call, gateway_id: int, facts: Mapping[str, Any]) -> None:
    """What the gateway told the line for a parcel. Comes before or after the confirmation."""
    row = _divert(call, gateway_id, int(facts["pid"]), _codes(facts))
    row.told_chute = int(facts["chute"])
    row.told_reason = str(facts.get("reason", ""))[:REASON_LENGTH_MAX]
    row.told_version = int(facts.get("version") or 0)
    row.told_at = call.now
    row.latency_us = None if facts.get("latency_us") is None else int(facts["latency_us"])
    call.session.flush()


def _codes(facts: Mapping[str, Any]) -> list[str]:
    return [str(code)[:CODE_LENGTH_MAX] for code in (facts.get("codes") or [])][:CODES_MAX]


def confirm(call: Call, gateway_id: int, facts: Mapping[str, Any]) -> Confirmed:
    """Book a confirmation of the line, once per pid. Goods move only now: the parcel is sorted and hangs in its bag."""
    codes = _codes(facts)
    row = _divert(call, gateway_id, int(facts["pid"]), codes)
    chute = None if facts.get("chute") is None else int(facts["chute"])
    if row.confirmed_at is not None:
        if (row.chute, row.result) != (chute, facts["result"]):
            row.finding = Finding.DOUBLE.value
            call.session.flush()
        return Confirmed(row.parcel_id, row.chute, Finding.DOUBLE)
    row.chute, row.result, row.confirmed_at = chute, str(facts["result"])[:REASON_LENGTH_MAX], call.now
    asked = row.codes.get("codes") or []
    # The line booked other codes than it asked about: nobody knows which parcel it was. Named, not booked.
    others = bool(codes and asked and set(codes) != set(asked))
    finding = Finding.DOUBLE if others else _book(call, row, _parcel_of(call, row, asked or codes))
    row.finding = finding.value
    call.session.flush()
    call.wakes.add("live")
    if finding is not Finding.NONE or chute == REJECT:
        announce(call, "parcel.rejected", f"divert:{row.id}", divert=row.id, finding=finding.value, result=row.result)
    return Confirmed(row.parcel_id, chute, finding)


def _divert(call: Call, gateway_id: int, pid: int, codes: list[str]) -> DivertRow:
    here = (DivertRow.warehouse_id == call.warehouse_id, DivertRow.gateway_id == gateway_id)
    row = call.session.scalars(
        select(DivertRow).where(*here, DivertRow.pid == pid).with_for_update(),
        execution_options={"populate_existing": True},
    ).one_or_none()
    if row is not None and _is_old(row, call.now):
        # A line may use a number again after seven days: the old passage is kept under a number no line has.
        row.pid = -row.id
        call.session.flush()
        row = None
    if row is None:
        row = DivertRow(warehouse_id=call.warehouse_id, gateway_id=gateway_id, pid=pid, codes={"codes": codes})
        row.told_reason, row.told_version, row.result, row.finding = "", 0, "", ""
        call.session.add(row)
        call.session.flush()
    elif codes and not row.codes.get("codes"):
        row.codes = {"codes": codes}
    return row


def _is_old(row: DivertRow, now: datetime) -> bool:
    last = max((moment for moment in (row.told_at, row.confirmed_at) if moment is not None), default=now)
    return now - last > PID_KEPT


def _parcel_of(call: Call, row: DivertRow, codes: Sequence[str]) -> Parcel | None:
    """The parcel that bears one of the codes; None when there is none, or two."""
    found = call.session.scalars(
        select(Parcel.id).where(Parcel.warehouse_id == call.warehouse_id, Parcel.waybill.in_(codes)).limit(2)
    ).all()
    if len(found) != 1:
        return None
    row.parcel_id = found[0]
    return locked_parcel(call, found[0])


def _book(call: Call, row: DivertRow, parcel: Parcel | None) -> Finding:
    """What the passage means for the parcel: into the chute's bag, or a finding for a person."""
    if row.result == "LOST":
        return Finding.LOST
    if parcel is None:
        return Finding.NONE if row.result == "NOREAD" else Finding.UNKNOWN
    if row.chute in (None, REJECT):
        return Finding.NOROUTE if row.told_reason == "UNKNOWN" else Finding.NONE
    planned = chutes_of(call.session, call.warehouse_id, parcel.courier, parcel.hub)
    if planned is None or row.chute not in group_of(planned):
        return Finding.MISSORT
    return _hang_in_bag(call, parcel, int(row.chute or 0))


def _hang_in_bag(call: Call, parcel: Parcel, chute: int) -> Finding:
    """Into the bag at the chute. Its order's row is ours: a buyer who cancels waits, or was before."""
    if parcel.state not in ON_THE_LINE:
        return Finding.UNKNOWN
    stopped = call.session.execute(select(Order.intercepted_at).where(Order.id == parcel.order_id)).scalar_one()
    if stopped is not None:
        bags.take_out(call, parcel)
        parcel.sorted_at, parcel.chute, parcel.state = call.now, chute, ParcelState.SORTED.value
        return Finding.STOPPED
    if parcel.bag_id is not None:
        return Finding.NONE if parcel.chute == chute else Finding.DOUBLE
    into_bag(call, parcel, chute)
    return Finding.NONE


def into_bag(call: Call, parcel: Parcel, chute: int) -> None:
    parcel.sorted_at, parcel.chute = call.now, chute
    weight_g = parcel.weight_g or 0
    bag = bags.bag_of_chute(call, courier=parcel.courier, hub=parcel.hub, chute=chute, weight_g=weight_g)
    bags.put_in_bag(call, bag, parcel)


def chute_state(call: Call, chute: int, state: str, count: int) -> None:
    """The line says how a chute is. One that closed, or is there again, may call for another plan.

    Raises CHUTE_UNKNOWN.
    """
    before = call.session.scalars(
        select(Chute.state).where(Chute.warehouse_id == call.warehouse_id, Chute.number == chute)
    ).one_or_none()
    site.set_chute(call, chute, state, count)
    if (before in CLOSED) != (state in CLOSED):
        announce(call, "chute.closed" if state in CLOSED else "chute.opened", f"chute:{chute}", chute=chute)


def empty_chute(call: Call, chute: int) -> None:
    """The bags at a chute are closed and changed; the line is told to count from nothing (CLEAR).

    Where another hub waits for the chute, it begins with the new bag.
    """
    for bag in call.session.scalars(
        select(Bag)
        .where(Bag.warehouse_id == call.warehouse_id, Bag.chute == chute, Bag.state == "open")
        .with_for_update()
    ).all():
        bags.close_bag(call, bag)
    take_over(call, chute)
    announce(call, "chute.emptied", f"chute:{chute}", chute=chute)


def find_lost(call: Call) -> int:
    """Parcels told a chute and not confirmed for two minutes: named LOST, for a person to look."""
    before = call.now - timedelta(seconds=LOST_AFTER_S)
    lost = call.session.scalars(
        select(DivertRow)
        .where(
            DivertRow.warehouse_id == call.warehouse_id,
            DivertRow.confirmed_at.is_(None),
            DivertRow.told_at < before,
            DivertRow.finding == "",
        )
        .with_for_update(skip_locked=True)
    ).all()
    for row in lost:
        row.finding = Finding.LOST.value
    call.session.flush()
    return len(lost)
