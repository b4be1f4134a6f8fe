"""The last gate: what leaves the house, and everything that may not."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from sqlalchemy import select, update

from tests.builders import at_once
from tests.inbound.dock import refusal
from tests.shipping.dock import (
    Dock,
    a_dock,
    broken_promises,
    labelled,
    order,
    order_of,
    packed,
    parcel,
    picked,
    stop,
)
from wms.core.call import Call
from wms.core.db import Database
from wms.core.refusal import Reason, Refused
from wms.packing import service as packing
from wms.packing.tables import Parcel
from wms.shipping import bags, manifests, queries, routes, service
from wms.shipping.manifests import HandedOver
from wms.shipping.tables import Bag, Manifest
from wms.shipping.values import Labelled


@pytest.fixture
def dock(database: Database) -> Dock:
    return a_dock(database)


@pytest.fixture
def quick(sqlite_database: Database) -> Dock:
    return a_dock(sqlite_database)


def opened(dock: Dock, courier: str = "YD") -> Manifest:
    return dock.park.act(lambda call: manifests.open_manifest(call, courier))


def hand_over(dock: Dock, manifest: Manifest, code: str) -> HandedOver:
    return dock.park.act(lambda call: manifests.hand_over(call, manifest.id, code))


def close(dock: Dock, manifest: Manifest, reason: str | None = None) -> Manifest:
    return dock.park.act(
        lambda call: manifests.close_manifest(call, manifest.id, signed_by="老张", missing_reason=reason)
    )


def bagged(dock: Dock, *parcels: Labelled, chute: int = 5) -> Bag:
    """All in the bag at a chute."""

    def put(call: Call, made: Labelled) -> Bag:
        row = packing.locked_parcel(call, made.parcel_id)
        bag = bags.bag_of_chute(call, courier=row.courier, hub=row.hub, chute=chute)
        bags.put_in_bag(call, bag, row)
        return bag

    return [dock.park.act(partial(put, made=made)) for made in parcels][-1]


def put_into(dock: Dock, bag_id: int, made: Labelled) -> None:
    """Into this very bag."""

    def put(call: Call) -> None:
        bags.put_in_bag(call, call.session.get_one(Bag, bag_id), packing.locked_parcel(call, made.parcel_id))

    dock.park.act(put)


def bag(dock: Dock, bag_id: int) -> Bag:
    return dock.park.read(lambda session: session.get_one(Bag, bag_id))


def test_an_order_is_shipped_with_its_last_parcel(dock: Dock) -> None:
    order_id = picked(dock, 3)
    made = []
    for quantity in (2, 1):
        box = dock.park.act(lambda call: packing.begin_parcel(call, order_id=order_id))
        dock.park.act(partial(packing.pack_item, parcel_id=box.id, sku_id=dock.sku.id, quantity=quantity))
        weight = 120 + 300 * quantity
        dock.park.act(partial(packing.finish_parcel, parcel_id=box.id, weight_g=weight, more_parcels=True))
        made.append(dock.park.act(partial(service.label_parcel, parcel_id=box.id)))
    manifest = opened(dock)
    assert hand_over(dock, manifest, made[0].waybill).total == 1
    assert order(dock, order_id).state == "packed"
    assert hand_over(dock, manifest, parcel(dock, made[1].parcel_id).code).total == 2
    assert order(dock, order_id).state == "shipped"
    closed = close(dock, manifest)
    assert (closed.state, closed.parcels, closed.weight_g, closed.signed_by) == ("closed", 2, 720 + 420, "老张")
    assert broken_promises(dock) == []


def test_each_refusal_at_the_dock_has_its_own_word(quick: Dock) -> None:
    manifest, done = opened(quick), labelled(quick)
    hand_over(quick, manifest, done.waybill)
    other, due, stopped = labelled(quick, courier="ZT"), packed(quick), labelled(quick)
    stop(quick, order_of(quick, stopped.parcel_id))
    unweighed = labelled(quick)
    quick.park.act(
        lambda call: call.session.execute(update(Parcel).where(Parcel.id == unweighed.parcel_id).values(weight_g=None))
    )
    for code, why in {
        done.waybill: Reason.PARCEL_TWICE,
        other.waybill: Reason.COURIER_WRONG,
        parcel(quick, due).code: Reason.PARCEL_STATE_WRONG,
        stopped.waybill: Reason.ORDER_INTERCEPTED,
        unweighed.waybill: Reason.PARCEL_NOT_WEIGHED,
        "SF0000000000000": Reason.PARCEL_UNKNOWN,
    }.items():
        assert refusal(partial(hand_over, quick, manifest, code)) is why
    assert quick.park.read(lambda s: queries.manifest(s, quick.park.warehouse_id, manifest.id)).parcels == 1
    missing = Manifest(id=4_711)
    assert refusal(lambda: hand_over(quick, missing, done.waybill)) is Reason.NOT_FOUND
    assert refusal(lambda: opened(quick, "XX")) is Reason.COURIER_UNKNOWN


def test_what_stays_behind_needs_a_reason(quick: Dock) -> None:
    first, left = labelled(quick), labelled(quick)
    manifest = opened(quick)
    hand_over(quick, manifest, first.waybill)
    with pytest.raises(Refused) as no:
        close(quick, manifest)
    assert (no.value.reason, no.value.facts["parcels"]) == (Reason.MANIFEST_INCOMPLETE, [left.waybill])
    assert close(quick, manifest, "车满").missing_reason == "车满"
    assert refusal(lambda: hand_over(quick, manifest, left.waybill)) is Reason.MANIFEST_CLOSED
    assert refusal(lambda: close(quick, manifest)) is Reason.MANIFEST_CLOSED


def test_two_docks_that_open_at_once_share_one_manifest(dock: Dock) -> None:
    answers = at_once([partial(opened, dock) for _ in range(4)])
    assert len({answer.id for answer in answers if isinstance(answer, Manifest)}) == 1


def test_a_parcel_scanned_at_two_docks_leaves_once(dock: Dock) -> None:
    manifest, made = opened(dock), labelled(dock)
    answers = at_once([partial(hand_over, dock, manifest, made.waybill) for _ in range(4)])
    assert sum(isinstance(answer, HandedOver) for answer in answers) == 1
    assert {no.reason for no in answers if isinstance(no, Refused)} == {Reason.PARCEL_TWICE}
    assert close(dock, manifest).parcels == 1


def test_a_stopped_parcel_never_leaves_and_a_left_one_is_never_stopped(dock: Dock) -> None:
    """Cancel and hand over at the same time, many times: exactly one of them happens."""
    manifest = opened(dock)
    rounds = 60 if dock.park.database.is_sqlite else 40
    left = 0
    for seed in range(rounds):
        made = labelled(dock, 1)
        order_id = order_of(dock, made.parcel_id)
        works: list[Callable[[], object]] = [
            partial(hand_over, dock, manifest, made.waybill),
            partial(stop, dock, order_id),
        ]
        random.Random(seed).shuffle(works)
        answers = at_once(works)
        handed = parcel(dock, made.parcel_id).state == "handed_over"
        stopped = order(dock, order_id).intercepted_at is not None
        assert handed != stopped
        refused = [no.reason for no in answers if isinstance(no, Refused)]
        assert refused == [Reason.ORDER_HANDED_OVER if handed else Reason.ORDER_INTERCEPTED]
        left += handed
    assert close(dock, manifest, "拦截").parcels == left
    assert broken_promises(dock) == []


def test_a_bag_goes_to_one_hub(quick: Dock) -> None:
    hangzhou, shanghai, zt = labelled(quick), labelled(quick, area_code="310101"), labelled(quick, courier="ZT")
    full = bagged(quick, hangzhou)
    for stranger in (shanghai, zt):
        assert refusal(partial(put_into, quick, full.id, stranger)) is Reason.BAG_WRONG_HUB
    assert refusal(lambda: bagged(quick, hangzhou)) is Reason.PARCEL_TWICE
    assert refusal(lambda: bagged(quick, hangzhou, chute=6)) is Reason.PARCEL_TWICE, "nor in two bags"


def test_a_bag_leaves_with_all_that_is_in_it(dock: Dock) -> None:
    first, second = labelled(dock), labelled(dock)
    full = bagged(dock, first, second)
    manifest = opened(dock)
    done = hand_over(dock, manifest, full.code)
    assert (done.parcels, done.weight_g, done.total) == (2, 1_440, 2)
    assert bag(dock, full.id).state == "handed_over"
    assert refusal(lambda: hand_over(dock, manifest, full.code)) is Reason.PARCEL_TWICE
    closed = close(dock, manifest)
    assert (closed.parcels, closed.bags, closed.weight_g) == (2, 1, 1_440)
    assert broken_promises(dock) == []


def test_a_bag_with_a_stopped_parcel_stays_until_it_is_taken_out(quick: Dock) -> None:
    good, bad = labelled(quick), labelled(quick)
    full = bagged(quick, good, bad)
    stop(quick, order_of(quick, bad.parcel_id))
    manifest = opened(quick)
    assert refusal(lambda: hand_over(quick, manifest, full.code)) is Reason.ORDER_INTERCEPTED
    quick.park.act(lambda call: bags.take_out(call, packing.locked_parcel(call, bad.parcel_id)))
    assert (bag(quick, full.id).parcels, bag(quick, full.id).net_weight_g) == (1, 720)
    assert hand_over(quick, manifest, full.code).parcels == 1


def test_a_parcel_in_the_hand_is_in_no_bag(quick: Dock) -> None:
    """Scanned loose at the dock although it was booked into a bag: the bag still leaves with the rest."""
    loose, rest = labelled(quick), labelled(quick)
    full = bagged(quick, loose, rest)
    manifest = opened(quick)
    hand_over(quick, manifest, loose.waybill)
    assert bag(quick, full.id).parcels == 1
    assert hand_over(quick, manifest, full.code).parcels == 1
    assert close(quick, manifest).parcels == 2


def test_a_full_bag_is_closed_and_the_next_one_hung_up(quick: Dock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bags, "PARCELS_MAX", 2)
    made = [labelled(quick, 1) for _ in range(3)]
    last = bagged(quick, *made)
    states = quick.park.read(lambda session: session.scalars(select(Bag.state).order_by(Bag.id)).all())
    assert states == ["closed", "open"]
    assert last.parcels == 1


def hang(call: Call, made: Labelled) -> None:
    row = packing.locked_parcel(call, made.parcel_id)
    full = bags.bag_of_chute(call, courier="YD", hub="杭州", chute=5, weight_g=row.weight_g or 0)
    bags.put_in_bag(call, full, row)


def test_nobody_lifts_more_than_the_limit(quick: Dock) -> None:
    made = [labelled(quick, 40) for _ in range(3)]
    for one in made:
        quick.park.act(partial(hang, made=one))
    found = quick.park.read(lambda session: session.execute(select(Bag.state, Bag.net_weight_g).order_by(Bag.id)).all())
    assert [tuple(row) for row in found] == [("closed", 24_240), ("open", 12_120)]


def test_one_row_sends_all_parcels_of_a_courier_by_hangzhou(dock: Dock) -> None:
    """The park's re-route changes where the bag goes, never what is printed; the other courier is not touched."""

    def set_route(active: bool) -> None:
        dock.park.act(lambda call: routes.set_reroute(call, courier="YD", to_hub="杭州", active=active))

    before = labelled(dock, area_code="440103")
    set_route(True)
    after, other = labelled(dock, area_code="440103"), labelled(dock, area_code="440103", courier="ZT")
    assert (before.route_code, before.hub) == ("440-03", "广州")
    assert (after.route_code, after.hub) == ("440-03", "杭州")
    assert (other.route_code, other.hub) == ("440-03", "广州")
    set_route(False)
    assert labelled(dock, area_code="440103").hub == "广州"


def test_the_longest_area_wins_then_the_priority(quick: Dock) -> None:
    from wms.shipping import couriers

    def add(**row: Any) -> None:
        quick.park.act(partial(couriers.add_route, courier="YD", **row))

    add(match="3301", route_code="330-A", hub="杭州东")
    add(match="330106", route_code="330-B", hub="西湖")
    add(match="330106", route_code="330-C", hub="西湖快", priority=5)
    found = {
        area: quick.park.read(
            partial(routes.route, warehouse_id=quick.park.warehouse_id, courier="YD", area_code=area)
        ).hub
        for area in ("330106", "330108", "330200", "110101", "", "33")
    }
    assert found == {
        "330106": "西湖快",
        "330108": "杭州东",
        "330200": "杭州",
        "110101": "上海",
        "": "上海",
        "33": "杭州",
    }


def test_one_hubs_re_route_goes_before_the_whole_couriers(quick: Dock) -> None:
    quick.park.act(lambda call: routes.set_reroute(call, courier="YD", to_hub="杭州"))
    quick.park.act(lambda call: routes.set_reroute(call, courier="YD", from_hub="广州", to_hub="深圳"))

    def hub(at: str) -> str:
        return quick.park.read(lambda session: routes.bag_hub(session, quick.park.warehouse_id, "YD", at))

    assert (hub("广州"), hub("上海")) == ("深圳", "杭州")
