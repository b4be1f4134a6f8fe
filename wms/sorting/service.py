"""Which chute each parcel is told, and what the line says it did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from wms.core.audit_trail import note
from wms.core.call import Call
from wms.core.outbox import announce
from wms.core.refusal import Reason, Refused
from wms.core.sql import is_postgresql
from wms.outbound.tables import Order
from wms.packing.tables import Parcel
from wms.packing.values import ParcelState
from wms.shipping import bags
from wms.shipping.routes import bag_hub
from wms.shipping.tables import Bag, RouteRule
from wms.site.tables import Chute
from wms.sorting.rules import group_of, share_chutes
from wms.sorting.tables import DivertRow, RouteChange, SortRule
from wms.sorting.values import HOLD, REJECT, Confirmed, Finding, HubLoad, RouteEntry

ROUTES_WAKE = "routes"
ROUTES_LOCK = 0x526F
ROUTES_PAGE_MAX = 5_000
LOST_AFTER_S = 120
DISCHARGED = frozenset({"OK", "MISS"})
ON_THE_LINE = frozenset({ParcelState.LABELLED.value, ParcelState.SORTED.value, ParcelState.BAGGED.value})


def plan_chutes(call: Call) -> dict[tuple[str, str], tuple[int, ...]]:
    """Make the running sort plan anew: hubs in use (after re-routing) shared over the chutes that are not locked."""
    chutes = call.session.scalars(
        select(Chute.number)
        .where(Chute.warehouse_id == call.warehouse_id, Chute.state.not_in(("LOCK", "JAM")))
        .order_by(Chute.number)
    ).all()
    plan = share_chutes(_loads(call), chutes)
    call.session.execute(delete(SortRule).where(SortRule.warehouse_id == call.warehouse_id))
    for (courier, hub), mine in plan.items():
        text = "/".join(map(str, mine))
        call.session.add(SortRule(warehouse_id=call.warehouse_id, courier=courier, hub=hub, chutes=text))
    call.session.flush()
    note(call, "sortplan.made", hubs=len(plan), chutes=len(chutes))
    return plan


def _loads(call: Call) -> list[HubLoad]:
    """Parcels per hub on the way now; a hub without any counts as one, so that it has its chute when one comes."""
    waiting = call.session.execute(
        select(Parcel.courier, Parcel.hub, func.count().label("parcels"))
        .where(Parcel.warehouse_id == call.warehouse_id, Parcel.hub != "")
        .group_by(Parcel.courier, Parcel.hub)
    ).all()
    counts = {(row.courier, row.hub): int(row.parcels) for row in waiting}
    rules = call.session.execute(
        select(RouteRule.courier, RouteRule.hub).where(RouteRule.warehouse_id == call.warehouse_id).distinct()
    )
    hubs = {(row.courier, bag_hub(call.session, call.warehouse_id, row.courier, row.hub)) for row in rules}
    return [HubLoad(courier, hub, 1 + counts.get((courier, hub), 0)) for courier, hub in sorted(hubs)]


def route_parcel(call: Call, parcel_id: int) -> None:
    """Write the parcel's route into the table that gateways hold: its hub's chutes, or reject for a stopped order.

    A hub without a chute has no route: the line says UNKNOWN, the parcel goes to reject and onto the worklist.
    """
    parcel = call.session.scalars(
        select(Parcel).where(Parcel.id == parcel_id, Parcel.warehouse_id == call.warehouse_id)
    ).one_or_none()
    if parcel is None or parcel.waybill is None:
        return
    stopped = call.session.scalars(select(Order.intercepted_at).where(Order.id == parcel.order_id)).one()
    if stopped is not None:
        _change(call, parcel.waybill, str(REJECT), HOLD)
        return
    chutes = call.session.scalars(
        select(SortRule.chutes).where(
            SortRule.warehouse_id == call.warehouse_id, SortRule.courier == parcel.courier, SortRule.hub == parcel.hub
        )
    ).one_or_none()
    _change(call, parcel.waybill, chutes, "")


def route_order(call: Call, order_id: int) -> None:
    """All parcels of an order anew: after an interception, so that the line rejects them."""
    for parcel_id in call.session.scalars(select(Parcel.id).where(Parcel.order_id == order_id).order_by(Parcel.id)):
        route_parcel(call, parcel_id)


def route_courier(call: Call, courier: str) -> int:
    """After a re-route: hubs of the courier's parcels still here, then the plan and the table. Open bags keep their
    hub.
    """
    plan_chutes(call)
    from_rules = {
        row.route_code: row.hub
        for row in call.session.execute(
            select(RouteRule.route_code, RouteRule.hub).where(
                RouteRule.warehouse_id == call.warehouse_id, RouteRule.courier == courier
            )
        )
    }
    parcels = call.session.scalars(
        select(Parcel)
        .where(
            Parcel.warehouse_id == call.warehouse_id,
            Parcel.courier == courier,
            Parcel.state == ParcelState.LABELLED.value,
        )
        .order_by(Parcel.id)
        .with_for_update()
    ).all()
    for parcel in parcels:
        parcel.hub = bag_hub(call.session, call.warehouse_id, courier, from_rules.get(parcel.route_code, parcel.hub))
        call.session.flush()
        route_parcel(call, parcel.id)
    return len(parcels)


def _change(call: Call, code: str, chutes: str | None, reason: str) -> None:
    """Write a change unless it says what stands already. One writer at a time, so that versions commit in their
    order.
    """
    if is_postgresql(call.session):
        call.session.execute(select(func.pg_advisory_xact_lock(ROUTES_LOCK, call.warehouse_id)))
    last = call.session.execute(
        select(RouteChange.chutes, RouteChange.reason)
        .where(RouteChange.warehouse_id == call.warehouse_id, RouteChange.code == code)
        .order_by(RouteChange.id.desc())
        .limit(1)
    ).one_or_none()
    if last is not None and (last.chutes, last.reason) == (chutes, reason):
        return
    call.session.add(RouteChange(warehouse_id=call.warehouse_id, code=code, chutes=chutes, reason=reason, at=call.now))
    call.session.flush()
    call.wakes.add(ROUTES_WAKE)


def routes_since(session: Session, warehouse_id: int, version: int) -> list[RouteEntry]:
    """Changes after `version`, oldest first, at most one page."""
    rows = session.scalars(
        select(RouteChange)
        .where(RouteChange.warehouse_id == warehouse_id, RouteChange.id > version)
        .order_by(RouteChange.id)
        .limit(ROUTES_PAGE_MAX)
    ).all()
    return [RouteEntry(row.id, row.code, row.chutes, row.reason) for row in rows]


def answer(session: Session, warehouse_id: int, codes: Sequence[str]) -> Mapping[str, Any]:
    """For a code the gateway's table does not know: the route, if the house knows the parcel."""
    found = session.execute(
        select(RouteChange.code, RouteChange.chutes, RouteChange.reason)
        .where(RouteChange.warehouse_id == warehouse_id, RouteChange.code.in_(codes))
        .order_by(RouteChange.id.desc())
    ).all()
    newest = {row.code: row for row in reversed(found)}
    routed = [row for row in newest.values() if row.chutes is not None]
    if len({row.chutes for row in routed}) != 1:
        return {"known": False}
    return {"known": True, "code": routed[0].code, "chute": routed[0].chutes, "reason": routed[0].reason}


def record_divert(call: Call, gateway_id: int, facts: Mapping[str, Any]) -> None:
    """What the gateway told the line for a parcel. Comes before or after the confirmation."""
    row = _divert(call, gateway_id, int(facts["pid"]), list(facts.get("codes") or []))
    row.told_chute = int(facts["chute"])
    row.told_reason = str(facts.get("reason", ""))
    row.told_version = int(facts.get("version") or 0)
    row.told_at = call.now
    row.latency_us = facts.get("latency_us")
    call.session.flush()


def confirm(call: Call, gateway_id: int, facts: Mapping[str, Any]) -> Confirmed:
    """Book a confirmation of the line, once per pid. Goods move only now: the parcel is sorted and hangs in its bag."""
    codes = list(facts.get("codes") or [])
    row = _divert(call, gateway_id, int(facts["pid"]), codes)
    chute = None if facts.get("chute") is None else int(facts["chute"])
    if row.confirmed_at is not None:
        if (row.chute, row.result) != (chute, facts["result"]):
            row.finding = Finding.DOUBLE.value
            call.session.flush()
        return Confirmed(row.parcel_id, row.chute, Finding.DOUBLE)
    row.chute, row.result, row.confirmed_at = chute, str(facts["result"]), call.now
    parcel = _parcel_of(call, row, codes)
    finding = _book(call, row, parcel)
    row.finding = finding.value
    call.session.flush()
    call.wakes.add("live")
    if finding is not Finding.NONE or chute == REJECT:
        announce(call, "parcel.rejected", f"divert:{row.id}", divert=row.id, finding=finding.value, result=row.result)
    return Confirmed(row.parcel_id, chute, finding)


def _divert(call: Call, gateway_id: int, pid: int, codes: list[str]) -> DivertRow:
    row = call.session.scalars(
        select(DivertRow)
        .where(DivertRow.warehouse_id == call.warehouse_id, DivertRow.gateway_id == gateway_id, DivertRow.pid == pid)
        .with_for_update()
    ).one_or_none()
    if row is None:
        row = DivertRow(warehouse_id=call.warehouse_id, gateway_id=gateway_id, pid=pid, codes={"codes": codes})
        row.told_reason, row.told_version, row.result, row.finding = "", 0, "", ""
        call.session.add(row)
        call.session.flush()
    elif codes and not row.codes.get("codes"):
        row.codes = {"codes": codes}
    return row


def _parcel_of(call: Call, row: DivertRow, codes: Sequence[str]) -> Parcel | None:
    known = row.codes.get("codes") or list(codes)
    parcels = call.session.scalars(
        select(Parcel)
        .where(Parcel.warehouse_id == call.warehouse_id, Parcel.waybill.in_(known))
        .order_by(Parcel.id)
        .with_for_update()
    ).all()
    if len(parcels) != 1:
        return None
    row.parcel_id = parcels[0].id
    return parcels[0]


def _book(call: Call, row: DivertRow, parcel: Parcel | None) -> Finding:
    """What the passage means for the parcel: into the chute's bag, or a finding for a person."""
    if row.result == "LOST":
        return Finding.LOST
    if parcel is None:
        return Finding.NONE if row.result == "NOREAD" else Finding.UNKNOWN
    if row.chute in (None, REJECT):
        return Finding.NOROUTE if row.told_reason == "UNKNOWN" else Finding.NONE
    planned = call.session.scalars(
        select(SortRule.chutes).where(
            SortRule.warehouse_id == call.warehouse_id, SortRule.courier == parcel.courier, SortRule.hub == parcel.hub
        )
    ).one_or_none()
    if planned is None or row.chute not in group_of(planned):
        return Finding.MISSORT
    return _hang_in_bag(call, parcel, int(row.chute or 0))


def _hang_in_bag(call: Call, parcel: Parcel, chute: int) -> Finding:
    if parcel.state not in ON_THE_LINE:
        return Finding.UNKNOWN
    if parcel.bag_id is not None:
        return Finding.NONE
    stopped = call.session.scalars(select(Order.intercepted_at).where(Order.id == parcel.order_id)).one()
    parcel.sorted_at, parcel.chute = call.now, chute
    if stopped is not None:
        parcel.state = ParcelState.SORTED.value
        return Finding.STOPPED
    bag = bags.bag_of_chute(call, courier=parcel.courier, hub=parcel.hub, chute=chute)
    bags.put_in_bag(call, bag, parcel)
    return Finding.NONE


def chute_state(call: Call, chute: int, state: str, count: int) -> None:
    """The line says how a chute is."""
    changed = update(Chute).where(Chute.warehouse_id == call.warehouse_id, Chute.number == chute)
    call.session.execute(changed.values(state=state, parcels=count))
    call.wakes.add("live")


def empty_chute(call: Call, chute: int) -> None:
    """The bags at a chute are closed and changed; the line is told to count from nothing (CLEAR)."""
    for bag in call.session.scalars(
        select(Bag)
        .where(Bag.warehouse_id == call.warehouse_id, Bag.chute == chute, Bag.state == "open")
        .with_for_update()
    ).all():
        bags.close_bag(call, bag)
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


def chute_for(session: Session, warehouse_id: int, code: str) -> tuple[Parcel, str]:
    """For sorting by hand: the parcel and its chutes. Raises PARCEL_UNKNOWN, ORDER_INTERCEPTED, NO_ROUTE."""
    parcel = session.scalars(
        select(Parcel).where(Parcel.warehouse_id == warehouse_id, (Parcel.waybill == code) | (Parcel.code == code))
    ).one_or_none()
    if parcel is None:
        raise Refused(Reason.PARCEL_UNKNOWN, parcel=code)
    order = session.get_one(Order, parcel.order_id)
    if order.intercepted_at is not None:
        raise Refused(Reason.ORDER_INTERCEPTED, order=order.no)
    chutes = session.scalars(
        select(SortRule.chutes).where(
            SortRule.warehouse_id == warehouse_id, SortRule.courier == parcel.courier, SortRule.hub == parcel.hub
        )
    ).one_or_none()
    if chutes is None:
        raise Refused(Reason.NO_ROUTE, courier=parcel.courier, area=parcel.hub)
    return parcel, chutes


def sort_by_hand(call: Call, parcel_id: int, chute: int) -> None:
    """A person put the parcel into its chute: into the bag there. Raises ORDER_INTERCEPTED, BAG_WRONG_HUB,
    PARCEL_STATE_WRONG.
    """
    parcel = call.session.scalars(
        select(Parcel).where(Parcel.id == parcel_id, Parcel.warehouse_id == call.warehouse_id).with_for_update()
    ).one()
    if parcel.bag_id is not None:
        return
    parcel.sorted_at, parcel.chute = call.now, chute
    bag = bags.bag_of_chute(call, courier=parcel.courier, hub=parcel.hub, chute=chute)
    bags.put_in_bag(call, bag, parcel)
