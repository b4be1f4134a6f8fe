"""The building: a whole park at once, its slots, switches and boxes."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from itertools import pairwise

import pytest
from sqlalchemy import func, select

from tests.builders import MORNING, SMALL_HALL, Park, a_park, at_once
from wms.core import codes
from wms.core.call import Call
from wms.core.db import Database
from wms.core.refusal import Reason, Refused
from wms.optimise.geometry import Point, RectHall, Stop
from wms.site import closing, generator, queries, rules, service
from wms.site.rules import SlotName
from wms.site.tables import Bay, Slot
from wms.site.values import ContainerKind, NewSlot, slot_stop


@pytest.fixture
def park(database: Database) -> Park:
    return a_park(database)


def refusal(work: Callable[[], object]) -> Reason:
    with pytest.raises(Refused) as no:
        work()
    return no.value.reason


def test_a_park_of_six_thousand_slots_stands_in_three_seconds(database: Database) -> None:
    began_s = time.process_time()
    warehouse_id = database.transact(lambda session: generator.build_park(session, MORNING, seed=7))
    spent_s = time.process_time() - began_s
    slots = database.read(lambda session: queries.slots(session, warehouse_id))
    hall = database.read(lambda session: queries.hall(session, warehouse_id))
    assert spent_s < 3, f"{spent_s:.2f} s of processor time"
    assert len(slots) == 6_000
    assert len(hall.aisles) == 20
    assert len(hall.hall.cross_y_mm) == 3
    assert sum(slot.blocked for slot in slots) == generator.SLOTS_IN_REPAIR
    assert {slot.zone_code for slot in slots if slot.bonded} == {"D"}
    assert len(database.read(lambda session: queries.chutes(session, warehouse_id))) == 24
    packing = database.read(lambda session: queries.stations(session, warehouse_id, "packing"))
    assert [station.code for station in packing] == [f"PK-0{number}" for number in range(1, 7)]


def test_the_same_seed_builds_the_same_park(database: Database) -> None:
    def blocked(seed: int, code: str) -> list[str]:
        warehouse_id = database.transact(lambda session: generator.build_park(session, MORNING, seed=seed, code=code))
        slots = database.read(lambda session: queries.slots(session, warehouse_id))
        return [slot.code for slot in slots if slot.blocked]

    assert blocked(7, "1") == blocked(7, "2") != blocked(8, "3")


def test_the_hall_covers_six_thousand_square_metres_within_uneven_walls() -> None:
    outline = generator.PARK_HALL.outline
    assert rules.area_mm2(outline) == 6_000 * 1_000_000
    assert len(outline) == 8


def test_racks_and_tables_stand_within_the_walls() -> None:
    plan = generator.PARK_HALL
    racks = [(bay.aisle.x_mm, bay.y_mm) for bay in rules.bays(plan)]
    tables = [(station.x_mm, station.y_mm) for station in plan.stations]
    for x_mm, y_mm in racks + tables:
        in_part = x_mm < 64_000 or (y_mm < 57_000 and (x_mm < 92_000 or y_mm > 18_500))
        assert in_part, (x_mm, y_mm)
        assert 0 < x_mm < plan.width_mm
        assert 0 < y_mm < plan.depth_mm


def test_racks_of_neighbouring_aisles_do_not_touch() -> None:
    aisles = generator.PARK_HALL.aisles
    for left, right in pairwise(aisles):
        needed = sum(aisle.profile.aisle_width_mm // 2 + aisle.profile.depth_mm for aisle in (left, right))
        assert right.x_mm - left.x_mm >= needed


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("B12-07-3", SlotName("B", 12, 7, 3)),
        ("B12-07-3A", SlotName("B", 12, 7, 3, 1, divided=True)),
        ("A01-48-4Z", SlotName("A", 1, 48, 4, 23, divided=True)),
    ],
)
def test_a_slot_code_says_where_it_is(code: str, name: SlotName) -> None:
    assert rules.read_slot_code(code) == name
    assert str(name) == code
    assert codes.read(codes.make(codes.Kind.SLOT, code)).body == code


@pytest.mark.parametrize(
    "code", ["", "I01-01-1", "O12-07-3", "B12-07-3Q", "B12-07", "B1-07-3", "b12-07-3", "B12-07-33"]
)
def test_what_is_no_slot_code_is_refused(code: str) -> None:
    assert refusal(lambda: rules.read_slot_code(code)) is Reason.SLOT_UNKNOWN


def test_no_slot_code_has_a_letter_that_looks_like_a_digit(park: Park) -> None:
    slots = park.read(lambda session: queries.slots(session, park.warehouse_id))
    assert len({slot.code for slot in slots}) == len(slots) > 200
    assert not [slot.code for slot in slots if set(slot.code) & set("IOQ")]


def test_one_stands_before_a_slot_in_its_aisle(park: Park) -> None:
    slot = park.read(lambda session: queries.slot_by_code(session, park.warehouse_id, "A01-01-1A"))
    other = park.read(lambda session: queries.slot_by_code(session, park.warehouse_id, "B03-12-2B"))
    assert slot_stop(slot) == Stop(0, 4_000 + 1_500 + 1_000)
    assert (other.aisle_index, other.side, other.zone_kind) == (2, rules.RIGHT, "bulky")
    assert slot_stop(other).y_mm == 4_000 + 9_000 + 1_500 + 5_000


def test_an_unknown_slot_and_another_buildings_slot_are_not_there(park: Park) -> None:
    other = a_park(park.database, code="2")
    slot = park.read(lambda session: queries.slot_by_code(session, park.warehouse_id, "A01-01-1A"))
    look = partial(queries.slot_by_id, warehouse_id=other.warehouse_id, place_id=slot.place_id)
    assert refusal(lambda: park.read(look)) is Reason.SLOT_UNKNOWN
    missing = partial(queries.slot_by_code, warehouse_id=park.warehouse_id, code="Z99-01-1A")
    assert refusal(lambda: park.read(missing)) is Reason.SLOT_UNKNOWN


def test_the_hall_is_read_anew_after_a_change(park: Park) -> None:
    before = park.read(lambda session: queries.hall(session, park.warehouse_id))
    assert park.read(lambda session: queries.hall(session, park.warehouse_id)) is before
    park.act(lambda call: closing.close_aisle(call, "A02", why="漏水"))
    after = park.read(lambda session: queries.hall(session, park.warehouse_id))
    assert after.version == before.version + 1
    assert [(one.name, one.why) for one in after.closures] == [("A02", "漏水")]
    assert isinstance(after.hall, RectHall)
    assert after.hall.depot == after.depot == Point(after.aisles[0].x_mm, 4_000)


def test_blocked_and_counted_slots_say_so(park: Park) -> None:
    park.act(lambda call: service.block_slot(call, "A01-01-1A", why="梁弯"))
    slot = park.read(lambda session: queries.slot_by_code(session, park.warehouse_id, "A01-01-1A"))
    park.act(lambda call: service.set_under_count(call, slot.place_id, True))
    slot = park.act(lambda call: service.lock_slot(call, slot.place_id))
    assert (slot.blocked, slot.under_count) == (True, True)
    park.act(lambda call: service.block_slot(call, "A01-01-1A", blocked=False))
    assert not park.act(lambda call: service.lock_slot(call, slot.place_id)).blocked


def test_a_new_container_has_a_label_that_reads_as_itself(park: Park) -> None:
    for kind in ContainerKind:
        made = park.act(lambda call, kind=kind: service.make_container(call, kind))  # type: ignore[misc]
        read = codes.read(made.barcode)
        found = park.read(
            lambda session, kind=kind, body=read.body: queries.container_by_code(  # type: ignore[misc]
                session, park.warehouse_id, kind, body
            )
        )
        assert found == made
        assert made.state == "free"


def test_containers_get_different_codes_and_keep_those_given(park: Park) -> None:
    made = at_once([partial(park.act, partial(service.make_container, kind="lpn"))] * 6)
    assert len({str(each) for each in made}) == 6
    named = park.act(lambda call: service.make_container(call, "tote", "T-9999"))
    assert named.code == "T-9999"
    again = partial(service.make_container, kind="cart", code="T-9999")
    assert refusal(lambda: park.act(again)) is Reason.ALREADY_EXISTS


def test_a_container_is_in_one_use_at_a_time(park: Park) -> None:
    tote = park.read(lambda session: queries.container_by_code(session, park.warehouse_id, "tote", "T-0001"))
    park.act(lambda call: service.use_container(call, tote.place_id))
    assert refusal(lambda: park.act(lambda call: service.use_container(call, tote.place_id))) is Reason.CONTAINER_IN_USE
    park.act(lambda call: service.free_container(call, tote.place_id))
    park.act(lambda call: service.use_container(call, tote.place_id))


def test_a_container_stands_where_it_was_put(park: Park) -> None:
    def stand(call: Call) -> None:
        cart = queries.container_by_code(call.session, call.warehouse_id, "cart", "C-01")
        tote = queries.container_by_code(call.session, call.warehouse_id, None, "T-0001")
        service.stand_in(call, tote.place_id, cart.place_id)
        assert [each.code for each in queries.containers_in(call.session, call.warehouse_id, cart.place_id)] == [
            "T-0001"
        ]

    park.act(stand)
    missing = partial(queries.container_by_code, warehouse_id=park.warehouse_id, kind="tote", code="C-01")
    assert refusal(lambda: park.read(missing)) is Reason.CONTAINER_UNKNOWN


def test_a_station_keeps_what_its_scale_said_last(park: Park) -> None:
    park.act(lambda call: service.record_weight(call, "PK-01", 1_235))
    station = park.read(lambda session: queries.station_by_code(session, park.warehouse_id, "PK-01"))
    assert (station.weight_g, station.weighed_at) == (1_235, MORNING)
    assert park.read(lambda session: queries.place_of_station(session, park.warehouse_id, "PK-01")) == station.place_id
    assert refusal(lambda: park.act(lambda call: service.record_weight(call, "PK-99", 1))) is Reason.STATION_UNKNOWN


def test_a_chute_keeps_its_state_and_filling(park: Park) -> None:
    park.act(lambda call: service.set_chute(call, 3, "FULL", 60))
    chute = park.read(lambda session: queries.chutes(session, park.warehouse_id))[2]
    assert (chute.number, chute.state, chute.parcels) == (3, "FULL", 60)
    assert refusal(lambda: park.act(lambda call: service.set_chute(call, 99, "OPEN"))) is Reason.CHUTE_UNKNOWN


def listed(code: str, width_mm: int = 400) -> NewSlot:
    return NewSlot(code, width_mm, 600, 300, 30_000)


def test_listed_slots_join_their_bay_or_make_a_new_one(park: Park) -> None:
    rows = [listed("A01-01-5"), listed("A01-01-6A"), listed("A01-01-6B")]
    assert park.act(lambda call: service.add_slots(call, rows)) == 3
    old, new = (
        park.read(lambda session, code=code: queries.slot_by_code(session, park.warehouse_id, code))  # type: ignore[misc]
        for code in ("A01-01-1A", "A01-01-6B")
    )
    assert (new.bay_id, new.y_mm, new.position, new.width_mm) == (old.bay_id, old.y_mm, 2, 400)
    bays = park.read(lambda session: session.scalar(select(func.count()).select_from(Bay)))
    assert bays == 4 * 12


def test_a_new_bay_stands_where_its_number_says(park: Park) -> None:
    hall = park.read(lambda session: queries.hall(session, park.warehouse_id)).hall
    standing = {bay.number: bay.y_mm for bay in rules.bays(SMALL_HALL)}
    assert {number: rules.bay_y_mm(hall, number) for number in standing} == standing
    assert refusal(lambda: rules.bay_y_mm(hall, max(standing) + 1)) is Reason.BAD_INPUT


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([listed("A01-01-1A")], Reason.ALREADY_EXISTS),
        ([listed("A01-01-5"), listed("A01-01-5")], Reason.ALREADY_EXISTS),
        ([listed("A09-01-5")], Reason.SLOT_UNKNOWN),
        ([listed("nonsense")], Reason.SLOT_UNKNOWN),
        ([listed("A01-01-5", width_mm=0)], Reason.BAD_INPUT),
        ([listed("A01-01-5"), listed("A01-99-1")], Reason.BAD_INPUT),
    ],
)
def test_a_wrong_list_adds_nothing(park: Park, rows: list[NewSlot], reason: Reason) -> None:
    before = park.read(lambda session: session.scalar(select(func.count()).select_from(Slot)))
    assert refusal(lambda: park.act(lambda call: service.add_slots(call, rows))) is reason
    assert park.read(lambda session: session.scalar(select(func.count()).select_from(Slot))) == before
