"""The running sort plan: made, mended when a chute closes, changed after a supervisor has seen what the change does."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, select, tuple_, update
from sqlalchemy.orm import Session

from wms.core.audit_trail import note
from wms.core.call import Call
from wms.core.clock import Clock
from wms.core.db import Database
from wms.core.perform import system_call
from wms.core.refusal import Reason, Refused
from wms.packing.tables import Parcel
from wms.shipping.routes import bag_hub
from wms.shipping.tables import Bag, RouteRule, Waybill
from wms.site.tables import Chute
from wms.sorting import rules
from wms.sorting.queries import running_plan
from wms.sorting.service.routes import lock_routes, route_parcels, waiting
from wms.sorting.tables import SortPlanRow, SortRule, SortSwitch
from wms.sorting.values import HubLoad, Plan, SortProposal

CLOSED = ("LOCK", "JAM")
PARCELS_COUNTED = timedelta(days=1)
HUBS_AT_ONCE = 200


def plan_chutes(call: Call) -> Plan:
    """Make the sort plan anew, at once: hubs in use (after re-routing) shared over the chutes that are not closed.

    Parcels that wait for the line are told of it in the same breath. The plan that was meant: a chute where another
    hub's bag hangs changes with that bag.
    """
    plan = rules.share_chutes(
        loads_of(call.session, call.warehouse_id, call.now), open_chutes(call.session, call.warehouse_id)
    )
    use(call, plan)
    note(call, "sortplan.made", hubs=len(plan), chutes=sum(map(len, plan.values())))
    return plan


def mend_plan(call: Call) -> Plan:
    """A chute closed or opened again: hubs without any open chute get one, nobody else is moved. The plan after it."""
    now = running_plan(call.session, call.warehouse_id)
    chutes = open_chutes(call.session, call.warehouse_id)
    if all(set(mine) & set(chutes) for mine in now.values()):
        return now
    plan = rules.keep_going(loads_of(call.session, call.warehouse_id, call.now), chutes, now)
    use(call, plan)
    note(call, "sortplan.mended", hubs=len(plan))
    return plan


def use(call: Call, plan: Plan) -> None:
    """Change to a plan: what hangs free at once, the rest bag by bag. Parcels that wait are told anew where their hub's
    chutes changed.
    """
    house = call.warehouse_id
    lock_routes(call)
    now = running_plan(call.session, house)
    change = rules.switch(now, plan, _hanging(call.session, house))
    _write(call, now, change.running)
    call.session.execute(delete(SortSwitch).where(SortSwitch.warehouse_id == house))
    for chute, hub in change.waiting.items():
        courier, name = hub or ("", "")
        call.session.add(SortSwitch(warehouse_id=house, chute=chute, courier=courier, hub=name))
    call.session.flush()


def take_over(call: Call, chute: int) -> None:
    """The bag at a chute was changed: the chute goes to the hub that waits for it, if any does."""
    here = (SortSwitch.warehouse_id == call.warehouse_id, SortSwitch.chute == chute)
    if call.session.scalars(select(SortSwitch.id).where(*here)).one_or_none() is None:
        return
    lock_routes(call)
    row = call.session.scalars(select(SortSwitch).where(*here).with_for_update()).one_or_none()
    if row is None:
        return
    now = running_plan(call.session, call.warehouse_id)
    plan = {hub: tuple(each for each in mine if each != chute) for hub, mine in now.items()}
    if row.courier:
        hub = (row.courier, row.hub)
        plan[hub] = tuple(sorted({*plan.get(hub, ()), chute}))
    call.session.delete(row)
    _write(call, now, {hub: mine for hub, mine in plan.items() if mine})


def _write(call: Call, now: Plan, then: Plan) -> None:
    """The hubs whose chutes change, as rows, and the routes of their parcels that wait for the line; no other hub's."""
    texts = {hub: rules.group_text(sorted(mine)) for hub, mine in then.items()}
    changed = sorted(
        hub for hub in now.keys() | then.keys() if rules.group_text(now.get(hub, ())) != texts.get(hub, "")
    )
    for first in range(0, len(changed), HUBS_AT_ONCE):
        _write_hubs(call, changed[first : first + HUBS_AT_ONCE], texts)


def _write_hubs(call: Call, hubs: Sequence[tuple[str, str]], texts: Mapping[tuple[str, str], str]) -> None:
    here = (SortRule.warehouse_id == call.warehouse_id, tuple_(SortRule.courier, SortRule.hub).in_(hubs))
    call.session.execute(delete(SortRule).where(*here))
    call.session.add_all(
        SortRule(warehouse_id=call.warehouse_id, courier=courier, hub=hub, chutes=texts[courier, hub])
        for courier, hub in hubs
        if (courier, hub) in texts
    )
    call.session.flush()
    theirs = (*waiting(call), tuple_(Parcel.courier, Parcel.hub).in_(hubs))
    route_parcels(call, call.session.scalars(select(Parcel.id).where(*theirs).order_by(Parcel.id)).all())


def open_chutes(session: Session, warehouse_id: int) -> Sequence[int]:
    """Chutes that parcels can fall into, also those that are full just now; in line order."""
    return session.scalars(
        select(Chute.number)
        .where(Chute.warehouse_id == warehouse_id, Chute.state.not_in(CLOSED))
        .order_by(Chute.number)
    ).all()


def _hanging(session: Session, warehouse_id: int) -> dict[int, tuple[str, str]]:
    """Whose bag with parcels in it hangs at each chute; the newest where there are several."""
    rows = session.execute(
        select(Bag.chute, Bag.courier, Bag.hub)
        .where(Bag.warehouse_id == warehouse_id, Bag.state == "open", Bag.parcels > 0, Bag.chute.is_not(None))
        .order_by(Bag.id)
    )
    return {row.chute: (row.courier, row.hub) for row in rows}


def loads_of(session: Session, warehouse_id: int, now: datetime) -> list[HubLoad]:
    """Parcels per hub of the last day; a hub without any counts as one, so that it has its chute when one comes."""
    lately = session.execute(
        select(Parcel.courier, Parcel.hub, func.count().label("parcels"))
        .where(Parcel.warehouse_id == warehouse_id, Parcel.hub != "", Parcel.made_at >= now - PARCELS_COUNTED)
        .group_by(Parcel.courier, Parcel.hub)
    ).all()
    counts = {(row.courier, row.hub): int(row.parcels) for row in lately}
    known = session.execute(
        select(RouteRule.courier, RouteRule.hub).where(RouteRule.warehouse_id == warehouse_id).distinct()
    )
    hubs = {(row.courier, bag_hub(session, warehouse_id, row.courier, row.hub)) for row in known}
    return [HubLoad(courier, hub, 1 + counts.get((courier, hub), 0)) for courier, hub in sorted(hubs)]


def route_courier(call: Call, courier: str) -> int:
    """After a re-route: hubs of the courier's parcels not bagged yet, then the plan and the table. Open bags keep
    their hub. How many parcels go another way now.
    """
    parcels = call.session.scalars(
        select(Parcel).where(*waiting(call), Parcel.courier == courier).order_by(Parcel.id).with_for_update(),
        execution_options={"populate_existing": True},
    ).all()
    printed = _printed_hubs(call.session, [parcel.id for parcel in parcels])
    changed = []
    for parcel in parcels:
        hub = bag_hub(call.session, call.warehouse_id, courier, printed.get(parcel.id, parcel.hub))
        if hub != parcel.hub:
            parcel.hub = hub
            changed.append(parcel.id)
    call.session.flush()
    plan_chutes(call)
    route_parcels(call, changed)
    return len(changed)


def _printed_hubs(session: Session, parcel_ids: Sequence[int]) -> dict[int, str]:
    """The courier's own hub of each, as it stands on the label: re-routing never changes it."""
    rows = session.execute(select(Waybill.parcel_id, Waybill.printed_hub).where(Waybill.parcel_id.in_(parcel_ids)))
    return {row.parcel_id: row.printed_hub for row in rows}


# --- shown before it is used ------------------------------------------------------------------------------------------


Think = Callable[[Sequence[HubLoad], Sequence[int], Plan], SortProposal]  # loads, chutes, the running plan


def propose_plan(
    db: Database, clock: Clock, warehouse_id: int, *, closed: Collection[int], actor: str, think: Think = rules.propose
) -> int:
    """Work out the best plan, also for the case that more chutes close; the proposal's id. Solving (`think`) holds no
    transaction.

    An older proposal that nobody decided is overtaken. Raises NOT_FOUND where the line has no open chute.
    """

    def look(session: Session) -> tuple[list[HubLoad], list[int], Plan]:
        chutes = [each for each in open_chutes(session, warehouse_id) if each not in closed]
        return loads_of(session, warehouse_id, clock.now()), chutes, running_plan(session, warehouse_id)

    loads, chutes, now = db.read(look)
    if not chutes:
        raise Refused(Reason.NOT_FOUND, what="chute")
    found = think(loads, chutes, now)

    def keep(call: Call) -> int:
        _overtake(call)
        row = SortPlanRow(
            warehouse_id=warehouse_id,
            made_at=call.now,
            made_by=actor,
            state="proposed",
            closed={"chutes": sorted(closed)},
            running={"rules": _as_json(now)},
            proposal=asdict(found),
        )
        call.session.add(row)
        call.session.flush()
        call.wakes.add("live")
        return row.id

    return int(system_call(db, clock, warehouse_id, keep, request_id="sortplan", actor=actor))


def _overtake(call: Call) -> None:
    call.session.execute(
        update(SortPlanRow)
        .where(SortPlanRow.warehouse_id == call.warehouse_id, SortPlanRow.state == "proposed")
        .values(state="overtaken")
    )


def accept_plan(call: Call, plan_id: int) -> int:
    """Use a proposed plan; how many chutes change their hub only with their bag.

    Raises NOT_FOUND, and PLAN_UNSOUND when the plan it was made beside no longer runs.
    """
    row = _open_proposal(call, plan_id)
    if row.running != {"rules": _as_json(running_plan(call.session, call.warehouse_id))}:
        raise Refused(Reason.PLAN_UNSOUND, what="overtaken")
    use(call, _plan_of(row.proposal))
    row.state = "accepted"
    call.session.flush()
    note(call, "sortplan.accepted", plan=plan_id)
    waits = select(func.count()).select_from(SortSwitch).where(SortSwitch.warehouse_id == call.warehouse_id)
    return int(call.session.scalar(waits) or 0)


def decline_plan(call: Call, plan_id: int) -> None:
    """Leave the running plan as it is. Raises NOT_FOUND."""
    _open_proposal(call, plan_id).state = "declined"
    call.session.flush()


def _open_proposal(call: Call, plan_id: int) -> SortPlanRow:
    row = call.session.scalars(
        select(SortPlanRow)
        .where(SortPlanRow.warehouse_id == call.warehouse_id, SortPlanRow.id == plan_id)
        .with_for_update()
    ).one_or_none()
    if row is None or row.state != "proposed":
        raise Refused(Reason.NOT_FOUND, what=f"sort plan {plan_id}")
    return row


def _plan_of(proposal: Any) -> Plan:
    return {(row["courier"], row["hub"]): tuple(row["after"]) for row in proposal["rows"] if row["after"]}


def _as_json(plan: Plan) -> list[list[str]]:
    return [[courier, hub, rules.group_text(mine)] for (courier, hub), mine in sorted(plan.items())]
