"""Changing the sort plan while parcels fall: nobody's parcel may land in another hub's sack."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from sqlalchemy import select

from tests.inbound.dock import refusal
from tests.shipping.dock import Dock, a_dock, broken_promises, labelled
from wms.core.db import Database
from wms.core.refusal import Reason
from wms.shipping.tables import Bag
from wms.site import service as site_service
from wms.sorting import service
from wms.sorting.apart import propose_apart
from wms.sorting.queries import proposed_plan, running_plan, waiting_switches
from wms.sorting.rules import group_text, switch
from wms.sorting.rules import propose as propose_here
from wms.sorting.service import routes
from wms.sorting.values import Finding, HubLoad, Plan

GATEWAY = 1


@pytest.fixture
def dock(database: Database) -> Dock:
    dock = a_dock(database)
    dock.park.act(service.plan_chutes)
    return dock


def plan(dock: Dock) -> Plan:
    return dock.park.read(lambda session: running_plan(session, dock.park.warehouse_id))


def propose(dock: Dock, *closed: int) -> Any:
    service.propose_plan(dock.park.database, dock.park.clock, dock.park.warehouse_id, closed=closed, actor="person:1")
    return dock.park.read(lambda session: proposed_plan(session, dock.park.warehouse_id))


def fall(dock: Dock, pid: int, code: str, chute: int) -> Finding:
    facts = {"pid": pid, "codes": [code], "chute": chute, "result": "OK"}
    return dock.park.act(lambda call: service.confirm(call, GATEWAY, facts)).finding


def test_a_proposal_shows_the_plan_beside_the_one_that_runs_and_changes_nothing(dock: Dock) -> None:
    before = plan(dock)
    closing = before["YD", "杭州"][0]
    shown = propose(dock, closing)
    assert shown.closed == (closing,)
    assert all(closing not in row.after for row in shown.rows)
    assert {(row.courier, row.hub): row.before for row in shown.rows} == before
    assert plan(dock) == before


def test_an_accepted_plan_runs_and_waiting_parcels_are_told(dock: Dock) -> None:
    made = labelled(dock)
    dock.park.act(lambda call: service.route_parcel(call, made.parcel_id))
    shown = propose(dock, plan(dock)["YD", "杭州"][0])
    dock.park.act(lambda call: service.accept_plan(call, shown.id))
    assert plan(dock) == {(row.courier, row.hub): row.after for row in shown.rows if row.after}
    told = dock.park.read(lambda session: service.answer(session, dock.park.warehouse_id, [made.waybill]))
    assert told["chute"] == "/".join(map(str, plan(dock)["YD", "杭州"]))


def test_a_chute_changes_its_hub_only_with_its_bag(dock: Dock) -> None:
    """Until then the old hub's parcels go on falling into the old hub's sack."""
    made, later = labelled(dock), labelled(dock)
    chute = plan(dock)["YD", "杭州"][0]
    assert fall(dock, 1, made.waybill, chute) is Finding.NONE
    others = {hub: mine for hub, mine in plan(dock).items() if hub != ("YD", "杭州")}
    other = next(iter(others))
    then = {**others, other: (*others[other], chute)}
    dock.park.act(lambda call: service.use(call, then))
    assert chute in plan(dock)["YD", "杭州"]
    assert dock.park.read(lambda session: waiting_switches(session, dock.park.warehouse_id)) == {chute: other[1]}
    assert fall(dock, 2, later.waybill, chute) is Finding.NONE
    dock.park.act(lambda call: service.empty_chute(call, chute))
    assert chute in plan(dock)[other]
    assert chute not in plan(dock).get(("YD", "杭州"), ())
    assert dock.park.read(lambda session: waiting_switches(session, dock.park.warehouse_id)) == {}
    hubs = dock.park.read(lambda session: session.scalars(select(Bag.hub).where(Bag.chute == chute)).all())
    assert set(hubs) == {"杭州"}
    assert broken_promises(dock) == []


def told(dock: Dock) -> dict[str, str | None]:
    """Code and chutes in the table of the gateways."""
    entries = dock.park.read(lambda session: service.routes_since(session, dock.park.warehouse_id, 0))
    return {entry.code: entry.chutes for entry in entries}


def test_parcels_of_hubs_that_keep_their_chutes_are_not_touched(dock: Dock) -> None:
    """A bag change must not wait for every parcel in the house: these two were never told yet."""
    _, other = labelled(dock), labelled(dock, area_code="440106")
    now = plan(dock)
    there, here = ("YD", "广州"), ("ZT", "广州")
    dock.park.act(lambda call: service.use(call, {**now, there: now[here], here: now[there]}))
    assert told(dock) == {other.waybill: group_text(now[here])}


def test_many_parcels_are_told_in_parts(dock: Dock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routes, "PARCELS_AT_ONCE", 2)
    made = [labelled(dock) for _ in range(5)]
    dock.park.act(lambda call: routes.route_parcels(call, [one.parcel_id for one in made]))
    assert told(dock) == dict.fromkeys((one.waybill for one in made), group_text(plan(dock)["YD", "杭州"]))
    before = dock.park.read(lambda session: service.newest_version(session, dock.park.warehouse_id))
    dock.park.act(lambda call: routes.route_parcels(call, [one.parcel_id for one in made]))
    assert dock.park.read(lambda session: service.newest_version(session, dock.park.warehouse_id)) == before


def test_a_plan_is_worked_out_alike_in_a_process_of_its_own() -> None:
    loads = [HubLoad("YD", "杭州", 300), HubLoad("YD", "上海", 100), HubLoad("ZT", "杭州", 50)]
    now: Plan = {("YD", "杭州"): (1,), ("ZT", "杭州"): (2, 3)}
    assert propose_apart(loads, [1, 2, 3, 4], now) == propose_here(loads, [1, 2, 3, 4], now)


def test_a_proposal_beside_another_plan_is_overtaken(dock: Dock) -> None:
    shown = propose(dock)
    dock.park.act(partial(site_service.set_chute, number=1, state="LOCK"))
    dock.park.act(service.plan_chutes)
    assert refusal(lambda: dock.park.act(lambda call: service.accept_plan(call, shown.id))) is Reason.PLAN_UNSOUND
    newer = propose(dock)
    assert refusal(lambda: dock.park.act(lambda call: service.decline_plan(call, shown.id))) is Reason.NOT_FOUND
    dock.park.act(lambda call: service.decline_plan(call, newer.id))
    assert dock.park.read(lambda session: proposed_plan(session, dock.park.warehouse_id)) is None


def test_a_hub_whose_last_chute_closes_gets_another_and_nobody_else_moves(dock: Dock) -> None:
    hubs = [hub for hub in plan(dock) if hub != ("ZT", "广州")]
    before = dict(zip(hubs, [(1,), (2, 3), (4,), (5,), (6,)], strict=True))
    dock.park.act(lambda call: service.use(call, before))
    dock.park.act(partial(service.chute_state, chute=1, state="JAM", count=0))
    after = dock.park.act(service.mend_plan)
    assert plan(dock) == after
    assert after == before | {hubs[0]: (3,), hubs[1]: (2,)}


def test_no_proposal_without_an_open_chute(dock: Dock) -> None:
    for number in range(1, 7):
        dock.park.act(partial(service.chute_state, chute=number, state="LOCK", count=0))
    assert refusal(lambda: propose(dock)) is Reason.NOT_FOUND


def test_what_hangs_nowhere_changes_at_once() -> None:
    now: Plan = {("YD", "a"): (1,), ("ZT", "b"): (2, 3)}
    then: Plan = {("YD", "a"): (2,), ("ZT", "b"): (3,), ("ZT", "c"): (1,)}
    assert switch(now, then, {}).running == then
    held = switch(now, then, {2: ("ZT", "b"), 3: ("ZT", "b")})
    assert held.running == {("ZT", "c"): (1,), ("ZT", "b"): (2, 3)}
    assert held.waiting == {2: ("YD", "a")}
