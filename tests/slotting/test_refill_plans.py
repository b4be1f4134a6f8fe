"""Levels from demand, one refill of a kind however many look, walks that a person can carry, and no rule broken."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some
from sqlalchemy import select

from tests.builders import Park, a_park, a_person, a_sku, at_once, stock_in
from tests.inbound.dock import broken_promises
from tests.slotting.faces import CASE, FACE, RESERVE, a_face, code_of, hands, on_hand, planned, refills
from tests.slotting.past import Lies, picked, slot_id
from tests.slotting.putaways import broken_rules
from tests.slotting.refilling import Storehouse
from wms.catalog import service as catalog
from wms.core.call import Call
from wms.core.db import Database
from wms.core.refusal import Reason, Refused
from wms.site import queries as site
from wms.site.values import ContainerKind
from wms.slotting import levels, refill_rules
from wms.slotting.refill_rules import WALK_REFILLS_MAX, WALK_WEIGHT_G_MAX, Begun, Levels, Piece, Rule, to_carry
from wms.slotting.service import learn_velocity
from wms.slotting.tables import FaceLevel, RefillWalk
from wms.work import queries as work_queries
from wms.work import service as work


@pytest.fixture
def park(database: Database) -> Park:
    return a_park(database)


@pytest.mark.parametrize(
    ("a_day", "case", "room", "wanted"),
    [
        (4.0, 1, None, Levels(4, 12)),
        (4.0, 10, None, Levels(4, 20)),
        (4.0, 10, 15, Levels(4, 10)),
        (4.0, 10, 3, Levels(2, 3)),
        (0.1, 1, None, Levels(1, 2)),
        (4.0, 1, 1, None),
    ],
)
def test_levels_are_days_of_demand_in_whole_cases_and_within_the_slot(
    a_day: float, case: int, room: int | None, wanted: Levels | None
) -> None:
    assert refill_rules.levels(a_day, Rule(), case, room) == wanted


@pytest.mark.parametrize(
    ("wanted", "case", "room", "there", "carried"),
    [
        (30, 12, 40, 100, 36),
        (30, 12, 35, 100, 24),
        (30, 12, 40, 31, 31),
        (30, 12, 8, 100, 8),
        (30, 1, 40, 100, 30),
        (5, 12, 40, 4, 4),
        (5, 12, 40, 0, 0),
    ],
)
def test_whole_cases_are_carried_where_they_fit_and_are_there(
    wanted: int, case: int, room: int, there: int, carried: int
) -> None:
    assert to_carry(wanted, case, room, there) == carried


PIECES = some.builds(
    Piece,
    some.integers(1, 10_000),
    some.integers(1, 3),
    some.sampled_from([3, 4, 6, 8]),
    some.integers(0, 200_000),
    some.tuples(some.integers(0, 5), some.integers(0, 9)),
)


@given(
    some.lists(PIECES, max_size=30, unique_by=lambda piece: piece.refill_id),
    some.lists(
        some.builds(Begun, some.integers(1, 9), some.integers(1, 3), some.integers(0, 6), some.integers(0, 160_000)),
        unique_by=lambda walk: walk.walk_id,
    ),
)
def test_walks_stay_in_a_zone_within_six_and_150_kg_and_leave_nothing_out(
    pieces: list[Piece], begun: list[Begun]
) -> None:
    parts = refill_rules.part(pieces, begun)
    known = {walk.walk_id: walk for walk in begun}
    assert sorted(piece.refill_id for _, part in parts for piece in part) == sorted(one.refill_id for one in pieces)
    for walk_id, part in parts:
        before = known.get(walk_id or 0)
        count, weight = (before.refills, before.weight_g) if before else (0, 0)
        zones = {piece.zone_id for piece in part} | ({before.zone_id} if before else set())
        assert len(zones) == 1
        assert count + len(part) <= WALK_REFILLS_MAX
        alone = before is None and len(part) == 1
        assert alone or weight + sum(piece.weight_g for piece in part) <= WALK_WEIGHT_G_MAX


def sold(park: Park, *, lines: int) -> Lies:
    """A SKU in reach of which a piece was picked so many times this week."""
    sku = park.act(a_sku)
    what = Lies(sku, slot_id(park, FACE), park.act(lambda call: stock_in(call, sku, FACE, 1_000)))
    tote = park.read(
        lambda session: site.container_by_code(session, park.warehouse_id, ContainerKind.TOTE, "T-0001").place_id
    )

    def sell(call: Call) -> None:
        for number in range(lines):
            picked(call, what, tote, f"order:{number}", park.clock.at - timedelta(hours=1))

    park.act(sell)
    park.act(learn_velocity)
    return what


def level_of(park: Park, sku_id: int) -> FaceLevel | None:
    query = select(FaceLevel).where(FaceLevel.sku_id == sku_id)
    return park.read(lambda session: session.scalars(query).one_or_none())


def test_a_sku_ordered_often_gets_levels_and_one_ordered_seldom_none(park: Park) -> None:
    fast, slow = sold(park, lines=28), sold(park, lines=4)
    assert park.act(levels.reckon) == 1
    row = level_of(park, fast.sku.id)
    assert row is not None
    assert (row.quantity_min, row.quantity_max) == (2, 6)
    assert level_of(park, slow.sku.id) is None


def test_levels_set_by_hand_stay_until_they_are_set_free(park: Park) -> None:
    fast = sold(park, lines=28)
    park.act(lambda call: levels.set_by_hand(call, fast.sku.id, Levels(50, 90)))
    park.act(levels.reckon)
    row = level_of(park, fast.sku.id)
    assert row is not None
    assert (row.quantity_min, row.quantity_max, row.by_hand) == (50, 90, True)
    park.act(lambda call: levels.set_free(call, fast.sku.id))
    park.act(levels.reckon)
    row = level_of(park, fast.sku.id)
    assert row is not None
    assert (row.quantity_min, row.quantity_max, row.by_hand) == (2, 6, False)


def test_levels_are_reckoned_once_a_night_and_at_once_where_they_never_were(park: Park) -> None:
    sold(park, lines=28)
    assert levels.reckon_at_night(park.database, park.clock) == [park.warehouse_id]
    assert levels.reckon_at_night(park.database, park.clock) == []
    park.clock.at += timedelta(hours=19)  # three in the morning there
    assert levels.reckon_at_night(park.database, park.clock) == [park.warehouse_id]
    park.clock.at += timedelta(hours=1)
    assert levels.reckon_at_night(park.database, park.clock) == []


def test_several_servers_that_look_at_once_ask_once(park: Park) -> None:
    for at in ("A01-01-4A", "A01-02-4A", "A01-03-4A"):
        a_face(park, here=0, at=at)
    made = at_once([lambda: planned(park)] * 4)
    assert sum(each for each in made if isinstance(each, int)) == 3
    assert len(refills(park)) == 3
    walks = park.read(lambda session: session.scalars(select(RefillWalk)).all())
    tasks = park.read(lambda session: work_queries.tasks(session, park.warehouse_id, kinds=["replenish"]))
    assert (len(walks), len(tasks)) == (1, 1)


def test_of_two_who_take_one_walk_one_has_it(park: Park) -> None:
    a_face(park)
    planned(park)
    (task,) = park.read(lambda session: work_queries.tasks(session, park.warehouse_id, kinds=["replenish"]))
    people = [a_person(park, name) for name in ("林小满", "程丽")]
    told = at_once([lambda one=one: one.act(lambda call: work.claim(call, task.id)) for one in people])  # type: ignore[misc]
    refused = [each.reason for each in told if isinstance(each, Refused)]
    assert refused == [Reason.TASK_TAKEN]


def test_two_people_who_scan_for_one_refill_book_it_once(park: Park) -> None:
    face = a_face(park)
    planned(park)
    first = hands(park).scan(RESERVE).scan(face.case).press("quantity", "3")
    twin = type(first)(first.park, first.dialogue, walk=first.state["walk"])
    assert twin.step == "scan_target"  # a walk handed over goes on where it stood
    told = at_once([lambda: first.scan(FACE), lambda: twin.scan(FACE)])
    assert sum(isinstance(each, Refused) for each in told) == 1
    assert (on_hand(park, FACE), on_hand(park, RESERVE)) == (39, 64)
    assert broken_promises(park) == []


def test_a_refill_goes_where_its_lot_lies_and_never_among_another(park: Park) -> None:
    sku = park.act(lambda call: a_sku(call, lot_tracked=True))
    park.act(lambda call: stock_in(call, sku, FACE, 2, "OLD"))
    park.act(lambda call: stock_in(call, sku, RESERVE, 50, "NEW"))
    park.act(lambda call: levels.set_by_hand(call, sku.id, Levels(10, 20)))
    planned(park)
    (row,) = refills(park)
    assert code_of(park, row.target_id) != FACE


def test_a_walk_takes_no_more_than_150_kg(park: Park) -> None:
    a_face(park, here=0, there=100, most=60, weight_g=4_000)
    planned(park)
    (row,) = refills(park)
    assert row.quantity * 4_000 <= WALK_WEIGHT_G_MAX
    assert row.quantity % CASE == 0


def test_cases_are_packagings_of_the_sku_that_fit(park: Park) -> None:
    face = a_face(park, here=0, most=40)
    park.act(lambda call: catalog.add_barcode(call, face.sku.merchant_id, face.sku.id, "3000000000017", 144))
    planned(park)
    (row,) = refills(park)
    assert (row.case_quantity, row.quantity) == (CASE, 36)


def test_random_refills_break_no_rule_and_lose_nothing(park: Park) -> None:
    house = Storehouse(park, seed=20_261_130)
    assert broken_rules(park) == []
    for _ in range(8):
        for _ in range(30):
            house.step()
        assert broken_promises(park) == []
        assert house.lying() == house.before
        assert (house.overfull(), house.twice()) == ([], [])
    assert house.done["planned"] > 5
    assert any(row.state == "done" for row in refills(park))
    assert not [why for why in broken_rules(park) if not why.endswith("blocked")]
