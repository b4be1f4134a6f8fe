"""The sorting line: the plan, the table the gateways hold, and what the line says it did."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from tests.builders import Park, at_once
from tests.inbound.dock import refusal
from tests.inbound.hands import Hands
from tests.shipping.dock import Dock, a_dock, broken_promises, labelled, order_of, parcel, stop
from wms.core.db import Database
from wms.core.dialogue import Level
from wms.core.refusal import Reason
from wms.packing import service as packing
from wms.shipping import bags, manifests, routes
from wms.shipping.tables import Bag
from wms.shipping.values import Labelled
from wms.site import queries as site
from wms.site import service as site_service
from wms.sorting import service
from wms.sorting.dialogue import LINE_ASSIST
from wms.sorting.rules import CHUTES_PER_HUB_MAX, group_of, share_chutes
from wms.sorting.tables import DivertRow, SortRule
from wms.sorting.values import Confirmed, Finding, HubLoad, RouteEntry

GATEWAY = 1


@pytest.fixture
def dock(database: Database) -> Dock:
    return planned(a_dock(database))


@pytest.fixture
def quick(sqlite_database: Database) -> Dock:
    return planned(a_dock(sqlite_database))


def planned(dock: Dock) -> Dock:
    dock.park.act(service.plan_chutes)
    return dock


def chutes(dock: Dock, courier: str, hub: str) -> str:
    query = select(SortRule.chutes).where(SortRule.courier == courier, SortRule.hub == hub)
    return dock.park.read(lambda session: session.scalars(query).one())


def pushed(dock: Dock, made: Labelled) -> Labelled:
    dock.park.act(lambda call: service.route_parcel(call, made.parcel_id))
    return made


def table(dock: Dock, version: int = 0) -> list[RouteEntry]:
    return dock.park.read(lambda session: service.routes_since(session, dock.park.warehouse_id, version))


def confirm(dock: Dock, pid: int, codes: list[str], chute: int | None, result: str = "OK") -> Confirmed:
    facts = {"pid": pid, "codes": codes, "chute": chute, "result": result}
    return dock.park.act(lambda call: service.confirm(call, GATEWAY, facts))


def divert(dock: Dock, pid: int, codes: list[str], chute: int, reason: str = "ROUTE") -> None:
    facts = {"pid": pid, "codes": codes, "chute": chute, "reason": reason, "version": 1, "lap": 0}
    dock.park.act(lambda call: service.record_divert(call, GATEWAY, facts))


def open_bags(dock: Dock) -> list[tuple[int | None, str, int]]:
    query = select(Bag.chute, Bag.hub, Bag.parcels).where(Bag.state == "open").order_by(Bag.id)
    rows = dock.park.read(lambda session: session.execute(query).all())
    return [(row.chute, row.hub, row.parcels) for row in rows]


loads = st.lists(
    st.builds(HubLoad, st.sampled_from(["YD", "ZT", "SF"]), st.sampled_from("甲乙丙丁戊己庚"), st.integers(1, 500)),
    max_size=12,
    unique_by=lambda load: (load.courier, load.hub),
)


@given(loads, st.integers(0, 20))
def test_every_chute_has_one_hub_and_every_hub_a_chute_while_there_are_any(hubs: list[HubLoad], number: int) -> None:
    numbers = list(range(1, number + 1))
    plan = share_chutes(hubs, numbers)
    used = [chute for mine in plan.values() for chute in mine]
    assert len(used) == len(set(used))
    assert set(used) <= set(numbers)
    assert len(plan) == min(len(hubs), number)
    assert all(1 <= len(mine) <= CHUTES_PER_HUB_MAX for mine in plan.values())
    left_out = [load.parcels for load in hubs if (load.courier, load.hub) not in plan]
    served = [load.parcels for load in hubs if (load.courier, load.hub) in plan]
    assert not left_out or max(left_out) <= min(served, default=10**9)


def test_a_labelled_parcel_is_in_the_table(dock: Dock) -> None:
    made = pushed(dock, labelled(dock))
    (entry,) = table(dock)
    assert (entry.code, entry.chutes, entry.reason) == (made.waybill, chutes(dock, "YD", "杭州"), "")
    pushed(dock, made)
    assert table(dock, entry.version) == [], "the same route again is no change"


def test_a_stopped_order_goes_to_reject(dock: Dock) -> None:
    made = pushed(dock, labelled(dock))
    before = table(dock)[-1].version
    stop(dock, order_of(dock, made.parcel_id))
    dock.park.act(lambda call: service.route_order(call, order_of(dock, made.parcel_id)))
    (change,) = table(dock, before)
    assert (change.code, change.chutes, change.reason) == (made.waybill, "0", "HOLD")


def test_what_has_left_leaves_the_table_too(quick: Dock) -> None:
    made = pushed(quick, labelled(quick))
    version = table(quick)[-1].version
    manifest = quick.park.act(lambda call: manifests.open_manifest(call, "YD"))
    quick.park.act(lambda call: manifests.hand_over(call, manifest.id, made.waybill))
    quick.park.act(lambda call: service.route_order(call, order_of(quick, made.parcel_id)))
    assert [(entry.code, entry.chutes) for entry in table(quick, version)] == [(made.waybill, None)]
    assert table(quick) == []


def test_versions_commit_in_their_order(dock: Dock) -> None:
    """A gateway that has seen version n never misses a smaller one: writers wait for each other."""
    made = [labelled(dock, 1) for _ in range(8)]
    at_once([partial(pushed, dock, one) for one in made])
    entries = table(dock)
    assert [entry.version for entry in entries] == sorted(entry.version for entry in entries)
    assert {entry.code for entry in entries} == {one.waybill for one in made}


def test_a_hub_without_a_chute_has_no_route(quick: Dock) -> None:
    for number in range(2, 7):
        quick.park.act(partial(site_service.set_chute, number=number, state="LOCK"))
    plan = quick.park.act(service.plan_chutes)
    assert list(plan.values()) == [(1,)]
    (served,) = plan
    courier, area = ("ZT", "330106") if served == ("YD", "杭州") else ("YD", "330106")
    made = pushed(quick, labelled(quick, courier=courier, area_code=area))
    assert [entry.chutes for entry in table(quick) if entry.code == made.waybill] in ([], [None])
    assert service_answer(quick, made.waybill) == {"known": False}


def service_answer(dock: Dock, *codes: str) -> Any:
    return dock.park.read(lambda session: service.answer(session, dock.park.warehouse_id, codes))


def test_an_unknown_code_is_answered_from_the_parcels(quick: Dock) -> None:
    """The parcel may be on the belt a second before its row is in the table."""
    made, other = labelled(quick), labelled(quick, area_code="440103")
    known = {"known": True, "code": made.waybill, "chute": chutes(quick, "YD", "杭州")}
    assert service_answer(quick, "6901234567892", made.waybill) == known
    assert service_answer(quick, made.waybill, other.waybill) == {"known": False}, "two labels on one parcel"
    assert service_answer(quick, "SF0") == {"known": False}
    stop(quick, order_of(quick, made.parcel_id))
    assert service_answer(quick, made.waybill) == {"known": True, "code": made.waybill, "chute": "0", "reason": "HOLD"}


def test_a_re_route_moves_waiting_parcels_and_leaves_open_bags_alone(dock: Dock) -> None:
    bagged, waiting = labelled(dock, area_code="440103"), labelled(dock, area_code="440103")
    chute = min(group_of(chutes(dock, "YD", "广州")))
    confirm(dock, 1, [bagged.waybill], chute)
    other = pushed(dock, labelled(dock, courier="ZT"))
    pushed(dock, waiting)
    dock.park.act(lambda call: routes.set_reroute(call, courier="YD", to_hub="杭州"))
    assert dock.park.act(lambda call: service.route_courier(call, "YD")) == 1
    assert [parcel(dock, one.parcel_id).hub for one in (bagged, waiting, other)] == ["广州", "杭州", "杭州"]
    newest = {entry.code: entry.chutes for entry in table(dock)}
    assert newest[waiting.waybill] == chutes(dock, "YD", "杭州")
    assert newest[other.waybill] == chutes(dock, "ZT", "杭州"), "the plan moved it: the table says so"
    assert open_bags(dock) == [(chute, "广州", 1)]
    dock.park.act(lambda call: routes.set_reroute(call, courier="YD", to_hub="杭州", active=False))
    assert dock.park.act(lambda call: service.route_courier(call, "YD")) == 1
    assert parcel(dock, waiting.parcel_id).hub == "广州"


def test_a_confirmed_parcel_hangs_in_its_chutes_bag(dock: Dock) -> None:
    made = [labelled(dock) for _ in range(3)]
    chute = min(group_of(chutes(dock, "YD", "杭州")))
    for pid, one in enumerate(made, 1):
        divert(dock, pid, [one.waybill], chute)
        assert confirm(dock, pid, [one.waybill], chute).finding is Finding.NONE
    assert open_bags(dock) == [(chute, "杭州", 3)]
    found = parcel(dock, made[0].parcel_id)
    assert (found.state, found.chute) == ("bagged", chute)
    assert broken_promises(dock) == []


def test_a_confirmation_is_booked_once(dock: Dock) -> None:
    made = labelled(dock)
    chute = min(group_of(chutes(dock, "YD", "杭州")))
    at_once([partial(confirm, dock, 7, [made.waybill], chute) for _ in range(1)])
    assert confirm(dock, 7, [made.waybill], chute).finding is Finding.DOUBLE
    assert open_bags(dock) == [(chute, "杭州", 1)]
    row = dock.park.read(lambda session: session.scalars(select(DivertRow)).one())
    assert row.finding == "", "the same story twice is no finding"
    confirm(dock, 7, [made.waybill], chute, "FULL")
    assert dock.park.read(lambda session: session.scalars(select(DivertRow)).one()).finding == "DOUBLE"


def test_what_the_line_and_the_books_do_not_agree_on_is_named(quick: Dock) -> None:
    made = labelled(quick)
    mine, strange = group_of(chutes(quick, "YD", "杭州")), group_of(chutes(quick, "YD", "广州"))
    cases = {
        1: (["SF0"], 1, "OK", Finding.UNKNOWN),
        2: ([made.waybill], min(strange), "MISS", Finding.MISSORT),
        3: ([made.waybill], None, "LOST", Finding.LOST),
        4: ([], 0, "NOREAD", Finding.NONE),
        5: ([made.waybill], 0, "REJ", Finding.NONE),
        7: ([made.waybill, labelled(quick).waybill], 1, "OK", Finding.UNKNOWN),
    }
    for pid, (codes, chute, result, finding) in cases.items():
        assert confirm(quick, pid, codes, chute, result).finding is finding, pid
    divert(quick, 8, [made.waybill], 0, "UNKNOWN")
    assert confirm(quick, 8, [made.waybill], 0, "REJ").finding is Finding.NOROUTE
    divert(quick, 9, [made.waybill], min(mine))
    assert confirm(quick, 9, ["OTHER"], min(mine)).finding is Finding.DOUBLE, "codes differ from those asked about"
    assert parcel(quick, made.parcel_id).state == "labelled"
    stop(quick, order_of(quick, made.parcel_id))
    assert confirm(quick, 10, [made.waybill], min(mine)).finding is Finding.STOPPED
    assert parcel(quick, made.parcel_id).state == "sorted"
    assert open_bags(quick) == []


def test_a_number_used_again_after_a_week_is_another_passage(quick: Dock) -> None:
    first, second = labelled(quick), labelled(quick)
    chute = min(group_of(chutes(quick, "YD", "杭州")))
    confirm(quick, 7, [first.waybill], chute)
    quick.park.clock.advance(days=8)
    assert confirm(quick, 7, [second.waybill], chute).finding is Finding.NONE
    assert open_bags(quick) == [(chute, "杭州", 2)]


def test_a_parcel_told_and_never_seen_again_is_lost_after_two_minutes(quick: Dock) -> None:
    made = labelled(quick)
    chute = min(group_of(chutes(quick, "YD", "杭州")))
    divert(quick, 7, [made.waybill], chute)
    quick.park.clock.advance(seconds=119)
    assert quick.park.act(service.find_lost) == 0
    quick.park.clock.advance(seconds=2)
    assert quick.park.act(service.find_lost) == 1
    assert confirm(quick, 7, [made.waybill], chute).finding is Finding.NONE, "found after all"


def test_emptying_a_chute_closes_its_bags(quick: Dock) -> None:
    made = labelled(quick)
    chute = min(group_of(chutes(quick, "YD", "杭州")))
    confirm(quick, 1, [made.waybill], chute)
    quick.park.act(lambda call: service.empty_chute(call, chute))
    assert open_bags(quick) == []
    confirm(quick, 2, [labelled(quick).waybill], chute)
    assert open_bags(quick) == [(chute, "杭州", 1)]


def test_the_line_says_how_a_chute_is(quick: Dock) -> None:
    quick.park.act(lambda call: service.chute_state(call, 3, "FULL", 60))
    found = {one.number: (one.state, one.parcels) for one in quick.park.read(_chutes(quick.park))}
    assert found[3] == ("FULL", 60)
    assert (
        refusal(lambda: quick.park.act(lambda call: service.chute_state(call, 99, "OPEN", 0))) is Reason.CHUTE_UNKNOWN
    )


def _chutes(park: Park) -> Any:
    return lambda session: site.chutes(session, park.warehouse_id)


def test_a_thousand_random_scans_never_put_a_wrong_hub_into_a_bag(quick: Dock) -> None:
    """Any waybill confirmed in any chute, scaled down: bags hold their own hub's parcels only, each in one bag."""
    import random

    dice = random.Random(7)
    made = [
        labelled(quick, 1, courier=dice.choice(["YD", "ZT"]), area_code=dice.choice(["330106", "310101", "440103"]))
        for _ in range(40)
    ]
    outcomes = Counter(
        confirm(quick, pid, [dice.choice(made).waybill], dice.randint(1, 6)).finding for pid in range(300)
    )
    assert outcomes[Finding.MISSORT] > 50
    rows = [parcel(quick, one.parcel_id) for one in made]
    hung = {bag.id: bag for bag in quick.park.read(lambda session: session.scalars(select(Bag)).all())}
    assert all((row.courier, row.hub) == (hung[row.bag_id].courier, hung[row.bag_id].hub) for row in rows if row.bag_id)
    assert Counter(row.bag_id for row in rows if row.bag_id) == {
        bag.id: bag.parcels for bag in hung.values() if bag.parcels
    }


def test_sorting_by_hand_says_the_chute_and_books_it(quick: Dock) -> None:
    first, second, stopped = labelled(quick), labelled(quick, area_code="440103"), labelled(quick)
    stop(quick, order_of(quick, stopped.parcel_id))
    hands = Hands(quick.park, LINE_ASSIST)
    hands.scan(first.waybill)
    assert hands.cards("big")[0]["value"] == chutes(quick, "YD", "杭州").split("/")[0]
    assert hands.refused(first.waybill) is Reason.PARCEL_TWICE
    hands.scan(second.waybill)
    assert parcel(quick, first.parcel_id).state == "bagged"
    hands.scan(stopped.waybill)
    assert hands.message is not None
    assert hands.message.level is Level.INTERCEPTED
    assert parcel(quick, second.parcel_id).state == "bagged", "the one before lies in its chute all the same"
    hands.scan(second.waybill).press("done")
    assert sum(count for _, _, count in open_bags(quick)) == 2
    assert hands.refused("6901234567892") is Reason.PARCEL_UNKNOWN
    assert hands.press("leave").step is None


def test_what_left_or_was_stopped_is_not_sorted_by_hand(quick: Dock) -> None:
    made = labelled(quick)
    manifest = quick.park.act(lambda call: manifests.open_manifest(call, "YD"))
    quick.park.act(lambda call: manifests.hand_over(call, manifest.id, made.waybill))
    assert Hands(quick.park, LINE_ASSIST).refused(made.waybill) is Reason.PARCEL_TWICE
    stopped = labelled(quick)
    stop(quick, order_of(quick, stopped.parcel_id))
    by_hand = lambda call: service.sort_by_hand(call, stopped.parcel_id, 1)  # noqa: E731
    assert refusal(lambda: quick.park.act(by_hand)) is Reason.ORDER_INTERCEPTED


def test_a_parcel_taken_out_of_its_bag_can_be_sorted_again(quick: Dock) -> None:
    made = labelled(quick)
    chute = min(group_of(chutes(quick, "YD", "杭州")))
    confirm(quick, 1, [made.waybill], chute)
    quick.park.act(lambda call: bags.take_out(call, packing.locked_parcel(call, made.parcel_id)))
    assert confirm(quick, 2, [made.waybill], chute).finding is Finding.NONE
    assert open_bags(quick) == [(chute, "杭州", 1)]
