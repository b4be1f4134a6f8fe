"""Goods in reserve that orders wait for come into reach, and their promises with them; nobody is sent in vain."""

from __future__ import annotations

from contextlib import suppress
from datetime import date

import pytest
from sqlalchemy import select

from tests.builders import Park, a_park, at_once, stock_in
from tests.inbound.dock import broken_promises
from tests.inbound.hands import Hands
from tests.outbound.orders import allocate, cancel, place
from tests.slotting.faces import CASE, FACE, RESERVE, Faced, a_face, carried, hands, held, of_sku, on_hand, refills
from wms.catalog import queries as catalog
from wms.catalog.values import SkuFacts
from wms.core.db import Database
from wms.core.dialogue import Level
from wms.core.refusal import Refused
from wms.core.tables import OutboxRow
from wms.ledger.following import parted
from wms.ledger.tables import Stock
from wms.outbound import service as outbound
from wms.outbound.service.refills import plan_refills
from wms.picking.service.planning import plan_wave
from wms.picking.tables import PickLine
from wms.site import queries as site
from wms.slotting import refilling
from wms.slotting.refill_rules import PRIORITIES, RefillReason
from wms.work import queries as work


@pytest.fixture
def park(database: Database) -> Park:
    return a_park(database)


def ordered(face: Faced, no: str, quantity: int) -> None:
    """An order for so many pieces, promised what there is."""
    place(face.park, no, (face.sku, quantity))
    allocate(face.park, no)


def released(park: Park) -> None:
    """All that waits is sent to the floor."""
    for no in park.act(outbound.make_waves):
        park.act(lambda call, no=no: outbound.release_wave(call, no))  # type: ignore[misc]
        park.act(lambda call, no=no: plan_wave(call, no))  # type: ignore[misc]


def planned(park: Park) -> int:
    return park.act(plan_refills)


def place_id(park: Park, code: str) -> int:
    return park.read(lambda session: site.slot_by_code(session, park.warehouse_id, code).place_id)


def promised_in(park: Park, code: str) -> int:
    at = place_id(park, code)
    return park.read(lambda session: sum(session.scalars(select(Stock.promised).where(Stock.place_id == at))))


def asked(park: Park) -> int:
    rows = select(OutboxRow).where(OutboxRow.topic == refilling.WANTED)
    return len(park.read(lambda session: session.scalars(rows).all()))


def fetched(face: Faced, cases: int) -> Hands:
    """Somebody has taken so many cases of the first refill and stands before the pick face."""
    return hands(face.park).scan(RESERVE).scan(face.case).press("quantity", str(cases))


def test_an_order_that_finds_too_little_in_reach_asks_for_a_refill_and_its_promise_comes_along(park: Park) -> None:
    face = a_face(park, here=30, there=100, least=10, most=40)
    ordered(face, "A-1", 35)
    assert (promised_in(park, FACE), promised_in(park, RESERVE), asked(park)) == (30, 5, 1)
    assert planned(park) == 1
    (row,) = refills(park)
    assert (row.reason, row.priority, row.quantity) == ("order", PRIORITIES[RefillReason.ORDER], 3 * CASE)
    fetched(face, 3).scan(FACE)
    assert (on_hand(park, FACE), promised_in(park, FACE), promised_in(park, RESERVE)) == (66, 35, 0)
    assert (refills(park)[0].followed, held(park)) == (5, 0)
    assert broken_promises(park) == []
    released(park)
    slots = park.read(lambda session: session.scalars(select(PickLine.slot_id)).all())
    assert set(slots) == {place_id(park, FACE)}


def test_an_order_that_finds_all_in_reach_asks_for_nothing(park: Park) -> None:
    face = a_face(park, here=30)
    ordered(face, "A-1", 20)
    assert (promised_in(park, FACE), asked(park)) == (20, 0)


def test_goods_in_reach_are_promised_first_only_among_those_that_expire_alike(park: Park) -> None:
    face = a_face(park, here=0, there=1, at="A01-07-4A")
    early, late = date(2027, 3, 1), date(2027, 9, 1)
    park.act(lambda call: stock_in(call, face.sku, "A01-05-1A", 10, "L", expires_on=late))
    park.act(lambda call: stock_in(call, face.sku, "A01-05-4A", 10, "E", expires_on=early))
    park.act(lambda call: stock_in(call, face.sku, "A01-06-4A", 10, "L", expires_on=late))
    ordered(face, "A-1", 15)
    assert [promised_in(park, code) for code in ("A01-05-4A", "A01-05-1A", "A01-06-4A")] == [10, 5, 0]


def test_what_a_wave_needs_comes_before_what_orders_need_and_the_walk_with_it(park: Park) -> None:
    face = a_face(park, here=30)
    ordered(face, "A-1", 35)
    planned(park)
    before = asked(park)
    park.act(outbound.make_waves)
    assert asked(park) == before + 1
    assert planned(park) == 0
    assert [row.reason for row in refills(park)] == ["wave"]
    (task,) = park.read(lambda session: work.tasks(session, park.warehouse_id, kinds=["replenish"]))
    assert task.priority == PRIORITIES[RefillReason.WAVE]


def test_goods_somebody_is_sent_for_stay_where_they_are(park: Park) -> None:
    face = a_face(park, here=3, there=20, least=10, most=40)
    ordered(face, "A-1", 15)
    released(park)
    assert planned(park) == 1
    (row,) = refills(park)
    assert (row.reason, row.quantity) == ("low", 8)
    hands(park).scan(RESERVE).scan(face.piece).press("quantity", "8").scan(FACE)
    assert (on_hand(park, RESERVE), promised_in(park, RESERVE), carried(park)) == (12, 12, [8])
    assert broken_promises(park) == []


def test_what_is_sent_for_while_it_is_carried_goes_back(park: Park) -> None:
    face = a_face(park, here=3, there=24, least=10, most=40)
    ordered(face, "A-1", 15)
    ordered(face, "A-2", 8)
    planned(park)
    hand = fetched(face, 2)
    assert held(park) == 24 - 12 - 8
    released(park)
    last = hand.scan(FACE)
    assert last.message is not None
    assert last.message.level is Level.ATTENTION
    (done,) = refills(park, "done", "dropped")
    assert done.moved == 24 - 12 - 8
    assert (on_hand(park, RESERVE), promised_in(park, RESERVE), of_sku(park, face.sku)) == (20, 20, 27)
    assert broken_promises(park) == []


def test_an_order_cancelled_while_its_goods_are_carried_leaves_them_free(park: Park) -> None:
    face = a_face(park, here=3, there=24, least=10, most=40)
    ordered(face, "A-1", 15)
    planned(park)
    hand = fetched(face, 1)
    cancel(park, "A-1")
    hand.scan(FACE)
    assert (on_hand(park, FACE), promised_in(park, FACE), held(park)) == (15, 0, 0)
    assert broken_promises(park) == []


def test_an_order_cancelled_after_its_promise_has_followed_gives_it_back(park: Park) -> None:
    face = a_face(park, here=3, there=24, least=10, most=40)
    ordered(face, "A-1", 15)
    planned(park)
    fetched(face, 1).scan(FACE)
    assert promised_in(park, FACE) == 15
    cancel(park, "A-1")
    assert (promised_in(park, FACE), promised_in(park, RESERVE)) == (0, 0)
    assert broken_promises(park) == []


def test_a_wave_goes_and_a_refill_is_put_down_at_once_and_every_pick_finds_its_goods(park: Park) -> None:
    """Whoever is first: picks are sent to where the promises are, and the promises are where the goods are."""
    for number in range(6):
        face = a_face(park, here=0, there=24, least=2, most=24, at=f"A01-0{number + 1}-4B")
        ordered(face, f"A-{number}", 10)
    assert planned(park) == 6
    hand = hands(park)
    for _ in range(6 * 3):
        if hand.step == "scan_source":
            hand.scan(str(hand.cards("location")[0]["code"]))
        elif hand.step == "scan_item":
            name = str(hand.cards("item")[0]["name"])
            sku = next(one for one in _skus(park) if one.name == name)
            hand.scan(Faced(park, sku, 0).piece)
        else:
            hand.press("quantity", str(hand.screen["input"]["max"]))
    (no,) = park.act(outbound.make_waves)

    def put_all_down() -> None:
        while hand.step == "scan_target":
            hand.scan(str(hand.cards("location")[0]["code"]))

    def send() -> None:
        park.act(lambda call: outbound.release_wave(call, no))
        for _ in range(6 + 1):  # a plan made of promises that have gone elsewhere meanwhile is made anew
            with suppress(Refused):
                park.act(lambda call: plan_wave(call, no))
                return

    for told in at_once([put_all_down, send]):
        assert not isinstance(told, Refused), told
    picks = park.read(lambda session: session.scalars(select(PickLine)).all())
    assert sum(pick.quantity for pick in picks) == 60
    where = park.read(lambda session: {row.id: row for row in session.scalars(select(Stock))})
    for pick in picks:
        assert where[pick.stock_id].place_id == pick.slot_id
        assert where[pick.stock_id].promised >= pick.quantity
    assert broken_promises(park) == []


def _skus(park: Park) -> list[SkuFacts]:
    return park.read(lambda session: catalog.skus(session, park.warehouse_id))


@pytest.mark.parametrize(
    ("holds", "room", "needed", "going"),
    [
        ([3, 4], 10, 0, [3, 4]),
        ([3, 4], 6, 0, [3, 0]),
        ([5, 2], 4, 0, [0, 2]),
        ([5, 2], 4, 4, [2, 2]),
        ([8], 5, 3, [3]),
        ([], 5, 0, []),
    ],
)
def test_promises_go_whole_while_there_is_room_and_in_part_only_where_they_must(
    holds: list[int], room: int, needed: int, going: list[int]
) -> None:
    assert parted(holds, room, needed) == going
