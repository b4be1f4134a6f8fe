"""Which chute each parcel is told, and what the line says it did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session, aliased

from wms.core.audit_trail import note
from wms.core.call import Call
from wms.core.outbox import announce
from wms.core.refusal import Reason, Refused
from wms.core.sql import is_postgresql
from wms.outbound.tables import Order
from wms.packing.queries import parcel_by_code
from wms.packing.service import locked_parcel
from wms.packing.tables import Parcel
from wms.packing.values import ParcelState
from wms.shipping import bags
from wms.shipping.routes import bag_hub
from wms.shipping.tables import Bag, RouteRule, Waybill
from wms.site import service as site
from wms.site.tables import Chute
from wms.sorting.rules import group_of, share_chutes
from wms.sorting.tables import DivertRow, RouteChange, SortRule
from wms.sorting.values import HOLD, REJECT, Confirmed, Finding, HubLoad, RouteEntry

ROUTES_WAKE = "routes"
ROUTES_LOCK = 0x526F
ROUTES_PAGE_MAX = 5_000
LOST_AFTER_S = 120
PID_KEPT = timedelta(days=7)
REASON_LENGTH_MAX = 40
CODE_LENGTH_MAX = 128
CODES_MAX = 16
ON_THE_LINE = frozenset({ParcelState.LABELLED.value, ParcelState.SORTED.value, ParcelState.BAGGED.value})


def plan_chutes(call: Call) -> dict[tuple[str, str], tuple[int, ...]]:
    """Make the running sort plan anew: hubs in use (after re-routing) shared over the chutes that are not locked.

    Parcels that wait for the line are routed by the new plan in the same breath.
    """
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
    for parcel_id in call.session.scalars(select(Parcel.id).where(*_waiting(call)).order_by(Parcel.id)).all():
        route_parcel(call, parcel_id)
    note(call, "sortplan.made", hubs=len(plan), chutes=len(chutes))
    return plan


def _waiting(call: Call) -> tuple[Any, ...]:
    """Parcels that will come over the line: they have a number and hang in no bag."""
    states = (ParcelState.LABELLED.value, ParcelState.SORTED.value)
    return (Parcel.warehouse_id == call.warehouse_id, Parcel.state.in_(states), Parcel.bag_id.is_(None))


def _loads(call: Call) -> list[HubLoad]:
    """Parcels per hub of the last day; a hub without any counts as one, so that it has its chute when one comes."""
    lately = call.session.execute(
        select(Parcel.courier, Parcel.hub, func.count().label("parcels"))
        .where(
            Parcel.warehouse_id == call.warehouse_id, Parcel.hub != "", Parcel.made_at >= call.now - timedelta(days=1)
        )
        .group_by(Parcel.courier, Parcel.hub)
    ).all()
    counts = {(row.courier, row.hub): int(row.parcels) for row in lately}
    rules = call.session.execute(
        select(RouteRule.courier, RouteRule.hub).where(RouteRule.warehouse_id == call.warehouse_id).distinct()
    )
    hubs = {(row.courier, bag_hub(call.session, call.warehouse_id, row.courier, row.hub)) for row in rules}
    return [HubLoad(courier, hub, 1 + counts.get((courier, hub), 0)) for courier, hub in sorted(hubs)]


def route_parcel(call: Call, parcel_id: int) -> None:
    """Write the parcel's route into the table that gateways hold: its hub's chutes, or reject for a stopped order.

    A hub without a chute has no route: the line says UNKNOWN, the parcel goes to reject and onto the worklist. A
    parcel that has left is taken out of the table.
    """
    row = call.session.execute(
        select(Parcel.waybill, Parcel.courier, Parcel.hub, Parcel.state, Order.intercepted_at)
        .join(Order, Order.id == Parcel.order_id)
        .where(Parcel.id == parcel_id, Parcel.warehouse_id == call.warehouse_id)
    ).one_or_none()
    if row is None or row.waybill is None:
        return
    if row.state == ParcelState.HANDED_OVER:
        _change(call, row.waybill, None, "")
    elif row.intercepted_at is not None or row.state == ParcelState.CANCELLED:
        _change(call, row.waybill, str(REJECT), HOLD)
    else:
        _change(call, row.waybill, _chutes_of(call.session, call.warehouse_id, row.courier, row.hub), "")


def _chutes_of(session: Session, warehouse_id: int, courier: str, hub: str) -> str | None:
    return session.scalars(
        select(SortRule.chutes).where(
            SortRule.warehouse_id == warehouse_id, SortRule.courier == courier, SortRule.hub == hub
        )
    ).one_or_none()


def route_order(call: Call, order_id: int) -> None:
    """All parcels of an order anew: after an interception, so that the line rejects them; after it was shipped, so
    that the table forgets them.
    """
    ids = call.session.scalars(select(Parcel.id).where(Parcel.order_id == order_id).order_by(Parcel.id)).all()
    for parcel_id in ids:
        route_parcel(call, parcel_id)


def route_courier(call: Call, courier: str) -> int:
    """After a re-route: hubs of the courier's parcels not bagged yet, then the plan and the table. Open bags keep
    their hub. How many parcels go another way now.
    """
    parcels = call.session.scalars(
        select(Parcel).where(*_waiting(call), Parcel.courier == courier).order_by(Parcel.id).with_for_update(),
        execution_options={"populate_existing": True},
    ).all()
    printed = _printed_hubs(call.session, [parcel.id for parcel in parcels])
    changed = 0
    for parcel in parcels:
        hub = bag_hub(call.session, call.warehouse_id, courier, printed.get(parcel.id, parcel.hub))
        changed += hub != parcel.hub
        parcel.hub = hub
    call.session.flush()
    plan_chutes(call)
    return changed


def _printed_hubs(session: Session, parcel_ids: Sequence[int]) -> dict[int, str]:
    """The courier's own hub of each, as it stands on the label: re-routing never changes it."""
    rows = session.execute(select(Waybill.parcel_id, Waybill.printed_hub).where(Waybill.parcel_id.in_(parcel_ids)))
    return {row.parcel_id: row.printed_hub for row in rows}


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
    """What changed after `version`, oldest first, at most one page: the newest word on each code.

    From the beginning (version 0) codes that were taken out again are left out.
    """
    newer = aliased(RouteChange)
    newest = ~(
        select(newer.id)
        .where(newer.warehouse_id == RouteChange.warehouse_id, newer.code == RouteChange.code)
        .where(newer.id > RouteChange.id)
        .exists()
    )
    query = select(RouteChange).where(RouteChange.warehouse_id == warehouse_id, RouteChange.id > version, newest)
    if version == 0:
        query = query.where(RouteChange.chutes.is_not(None))
    rows = session.scalars(query.order_by(RouteChange.id).limit(ROUTES_PAGE_MAX)).all()
    return [RouteEntry(row.id, row.code, row.chutes, row.reason) for row in rows]


def newest_version(session: Session, warehouse_id: int) -> int:
    """The version of the whole table."""
    newest = select(func.max(RouteChange.id)).where(RouteChange.warehouse_id == warehouse_id)
    return int(session.execute(newest).scalar_one() or 0)


def answer(session: Session, warehouse_id: int, codes: Sequence[str]) -> Mapping[str, Any]:
    """For a code the gateway's table does not know: the route, if the house knows the parcel.

    Codes that lead to different chutes (two labels on one parcel) are not known.
    """
    found = [one for one in (_route_of(session, warehouse_id, code) for code in dict.fromkeys(codes)) if one]
    if len({one["chute"] for one in found}) != 1:
        return {"known": False}
    return {"known": True, **found[0]}


def _route_of(session: Session, warehouse_id: int, code: str) -> dict[str, str] | None:
    """By the parcel itself: its row in the table may be a second younger than the parcel on the belt."""
    row = session.execute(
        select(Parcel.courier, Parcel.hub, Parcel.state, Order.intercepted_at)
        .join(Order, Order.id == Parcel.order_id)
        .where(Parcel.warehouse_id == warehouse_id, Parcel.waybill == code)
    ).one_or_none()
    if row is None or row.state == ParcelState.HANDED_OVER:
        return None
    if row.intercepted_at is not None or row.state == ParcelState.CANCELLED:
        return {"code": code, "chute": str(REJECT), "reason": HOLD}
    chutes = _chutes_of(session, warehouse_id, row.courier, row.hub)
    return {"code": code, "chute": chutes} if chutes is not None else None


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
    planned = _chutes_of(call.session, call.warehouse_id, parcel.courier, parcel.hub)
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
    _into_bag(call, parcel, chute)
    return Finding.NONE


def _into_bag(call: Call, parcel: Parcel, chute: int) -> None:
    parcel.sorted_at, parcel.chute = call.now, chute
    weight_g = parcel.weight_g or 0
    bag = bags.bag_of_chute(call, courier=parcel.courier, hub=parcel.hub, chute=chute, weight_g=weight_g)
    bags.put_in_bag(call, bag, parcel)


def chute_state(call: Call, chute: int, state: str, count: int) -> None:
    """The line says how a chute is. Raises CHUTE_UNKNOWN."""
    site.set_chute(call, chute, state, count)


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
    """For sorting by hand: the parcel and its chutes.

    Raises PARCEL_UNKNOWN, PARCEL_TWICE (it has left), ORDER_INTERCEPTED, PARCEL_STATE_WRONG, NO_ROUTE.
    """
    parcel = parcel_by_code(session, warehouse_id, code)
    if parcel.state == ParcelState.HANDED_OVER:
        raise Refused(Reason.PARCEL_TWICE, parcel=code)
    order = session.execute(select(Order.no, Order.intercepted_at).where(Order.id == parcel.order_id)).one()
    if order.intercepted_at is not None:
        raise Refused(Reason.ORDER_INTERCEPTED, order=order.no)
    if parcel.state not in ON_THE_LINE:
        raise Refused(Reason.PARCEL_STATE_WRONG, state=parcel.state)
    chutes = _chutes_of(session, warehouse_id, parcel.courier, parcel.hub)
    if chutes is None:
        raise Refused(Reason.NO_ROUTE, courier=parcel.courier, area=parcel.hub)
    return parcel, chutes


def sort_by_hand(call: Call, parcel_id: int, chute: int) -> None:
    """A person put the parcel into its chute: into the bag there. What hangs in a bag already stays there.

    Raises PARCEL_UNKNOWN, ORDER_INTERCEPTED, PARCEL_STATE_WRONG.
    """
    parcel = locked_parcel(call, parcel_id)
    if parcel.bag_id is None:
        _into_bag(call, parcel, chute)
