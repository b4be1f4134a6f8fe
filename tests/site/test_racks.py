"""Racks: profiles, spare parts, a bay divided anew, and what the database refuses about slots that are no more."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from functools import partial

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from tests.builders import Park, a_park, a_sku, at_once, put_goods, stock_in
from wms.catalog.values import SkuFacts
from wms.core.call import Call
from wms.core.db import Database
from wms.core.refusal import Reason, Refused
from wms.site import queries, racks, service
from wms.site.racks import Rack, RackSlot
from wms.site.rules import (
    BIN,
    CUBBY,
    LONG,
    PALLET,
    SHELF,
    SMALL,
    TRAY,
    Parts,
    Profile,
    faces,
    frame_mm,
    load_g,
    profile_slots,
)
from wms.site.tables import Bay, Slot, SlotChange
from wms.site.values import NewSlot
from wms.slotting import service as slotting

WAIT_S = 60


@pytest.fixture
def park(database: Database) -> Park:
    return a_park(database)


def refusal(work: Callable[[], object]) -> Reason:
    with pytest.raises(Refused) as no:
        work()
    return no.value.reason


def the_bay(park: Park, label: str = "A01-01") -> Rack:
    found = park.read(lambda session: racks.racks(session, park.warehouse_id))
    return next(one for one in found if one.label == label)


def divided(park: Park, profile: Profile, label: str = "A01-01") -> list[RackSlot]:
    bay = the_bay(park, label)
    return park.act(lambda call: racks.redivide(call, bay.bay_id, profile, "test"))


def by_hand(park: Park, statement: str, **values: object) -> None:
    park.database.transact(lambda session: session.execute(text(statement), values))


def changes(park: Park) -> list[tuple[int | None, int | None]]:
    rows = park.read(lambda session: session.execute(select(SlotChange.old_id, SlotChange.new_id)).all())
    return [(row.old_id, row.new_id) for row in rows]


def test_a_bay_divided_anew_has_new_slots_under_the_old_codes_and_the_old_ones_stay_known(park: Park) -> None:
    before = the_bay(park)
    made = divided(park, SMALL)
    after = the_bay(park)
    assert [slot.code for slot in made] == [f"A01-01-{level}{letter}" for level in range(1, 5) for letter in "ABC"]
    assert tuple(made) == after.slots
    assert (after.profile, len(after.slots), after.parts) == ("small", 12, Parts(4, 8))
    assert all(slot.blocked and slot.weight_max_g == SMALL.weight_max_g for slot in made)
    old = park.read(lambda session: session.scalars(select(Slot).where(Slot.retired).order_by(Slot.place_id)).all())
    assert [(row.place_id, row.code) for row in old] == [
        (slot.place_id, f"{slot.code}~{slot.place_id}") for slot in before.slots
    ]
    assert {(row.width_mm, row.height_mm) for row in old} == {(BIN.width_mm, BIN.height_mm)}
    assert not {slot.place_id for slot in before.slots} & {slot.place_id for slot in made}
    assert refusal(lambda: park.read(lambda s: queries.slot_by_id(s, park.warehouse_id, old[0].place_id))) is (
        Reason.SLOT_UNKNOWN
    )


def test_it_is_kept_which_slots_were_split_and_which_merged(park: Park) -> None:
    small = {slot.place_id for slot in divided(park, SMALL)}
    split = changes(park)
    assert {new for _, new in split} == small
    assert all(sum(old == one for one, _ in split) == 2 for old, _ in split)  # each bin is in two of three small ones
    divided(park, BIN)
    merged = [pair for pair in changes(park) if pair not in split]
    assert {old for old, _ in merged} == small
    assert {new for _, new in merged} == {slot.place_id for slot in the_bay(park).slots}
    assert sum(new == merged[0][1] for _, new in merged) == 2


def test_dividing_again_and_again_uses_the_same_codes(park: Park) -> None:
    for profile in (SMALL, BIN, SMALL, BIN):
        divided(park, profile)
    assert [slot.code for slot in the_bay(park).slots][:3] == ["A01-01-1A", "A01-01-1B", "A01-01-2A"]
    assert len(park.read(lambda session: session.scalars(select(Slot).where(Slot.retired)).all())) == 8 + 12 + 8 + 12


@pytest.mark.parametrize("profile", [SHELF, LONG, PALLET, replace(SMALL, weight_max_g=SMALL.weight_max_g + 1)])
def test_uprights_take_only_what_fits_between_them_and_what_they_carry(park: Park, profile: Profile) -> None:
    before = the_bay(park)
    assert refusal(lambda: divided(park, profile)) is Reason.BAD_INPUT
    assert the_bay(park) == before


def test_the_standard_profiles_fit_where_they_are_meant_to() -> None:
    for profile in (SMALL, CUBBY, TRAY):
        assert frame_mm(profile) <= frame_mm(BIN)
        assert load_g(profile) <= load_g(BIN)
        assert profile.width_mm * profile.positions <= 2_000
    assert len(faces(profile_slots(TRAY))) == 18


def test_faces_stand_on_their_beams_and_beside_each_other() -> None:
    found = faces([(2, 1, 600, 300), (1, 1, 400, 500), (1, 2, 500, 450)])
    assert [(one.x_mm, one.z_mm) for one in found] == [(0, 50), (400, 50), (0, 600)]
    assert not found[0].meets(found[1])
    assert found[0].meets(replace(found[1], x_mm=399))


def test_a_listed_bay_is_as_high_and_as_strong_as_what_was_listed(park: Park) -> None:
    row = NewSlot("A01-13-1", 980, 600, 450, 60_000, y_mm=5_000)
    rows = [row, replace(row, code="A01-13-2", height_mm=700), replace(row, code="A01-13-3")]
    park.act(lambda call: service.add_slots(call, rows[:2]))
    park.act(lambda call: service.add_slots(call, rows[2:]))
    bay = park.read(lambda session: session.scalars(select(Bay).where(Bay.number == 13)).one())
    assert (bay.frame_mm, bay.weight_max_g) == (450 + 700 + 450 + 3 * 50, 180_000)


def test_own_profiles_stand_beside_the_standard_ones(park: Park) -> None:
    mine = replace(SMALL, name="mine", height_mm=400)
    park.act(lambda call: racks.set_profile(call, mine))
    park.act(lambda call: racks.set_profile(call, replace(mine, height_mm=420)))
    known = park.read(lambda session: racks.profiles(session, park.warehouse_id))
    assert known["mine"].height_mm == 420
    assert known["bin"] == BIN
    assert refusal(lambda: park.act(lambda call: racks.set_profile(call, BIN))) is Reason.ALREADY_EXISTS
    for bad in (
        replace(mine, levels=0),
        replace(mine, positions=4),
        replace(mine, height_mm=0),
        replace(mine, levels=10),
        replace(mine, name=""),
    ):
        assert refusal(partial(park.act, partial(racks.set_profile, profile=bad))) is Reason.BAD_INPUT


def test_parts_are_taken_whole_or_not_at_all(park: Park) -> None:
    park.act(lambda call: racks.set_spare_parts(call, 600, Parts(3, 5)))
    park.act(lambda call: racks.take_parts(call, 600, Parts(2, -1)))

    def left() -> Parts:
        return park.read(lambda session: racks.spare_parts(session, park.warehouse_id))[600]

    assert left() == Parts(1, 6)
    assert refusal(lambda: park.act(lambda call: racks.take_parts(call, 600, Parts(1, 7)))) is Reason.PARTS_MISSING
    assert left() == Parts(1, 6)
    assert refusal(lambda: park.act(lambda call: racks.set_spare_parts(call, 600, Parts(-1, 0)))) is Reason.BAD_INPUT


def test_the_last_beam_is_taken_once(park: Park) -> None:
    park.act(lambda call: racks.set_spare_parts(call, 600, Parts(1, 0)))
    works = [lambda: park.act(lambda call: racks.take_parts(call, 600, Parts(1, 0)))] * 2
    assert sorted(str(answer) for answer in at_once(works))[0] == "None"
    assert park.read(lambda session: racks.spare_parts(session, park.warehouse_id))[600] == Parts(0, 0)


def a_retired_slot(park: Park) -> int:
    place_id = the_bay(park).slots[0].place_id
    divided(park, SMALL)
    return place_id


REFUSED = {
    "goods come": "INSERT INTO stock (warehouse_id, merchant_id, place_id, sku_id, lot_id, condition, book, on_hand, "
    "promised, first_in_at) SELECT warehouse_id, merchant_id, :p, sku_id, lot_id, condition, book, 1, 0, first_in_at "
    "FROM stock LIMIT 1",
    "goods come back": "UPDATE stock SET on_hand = on_hand + 1 WHERE place_id = :p",
    "somebody is sent": "INSERT INTO slot_lease (place_id, warehouse_id, subject, until) "
    "SELECT :p, 1, 'x', first_in_at FROM stock LIMIT 1",
    "it is used again": "UPDATE slot SET retired = false WHERE place_id = :p",
    "it is deleted": "DELETE FROM slot WHERE place_id = :p",
}


@pytest.mark.parametrize("what", REFUSED)
def test_the_database_refuses_that(park: Park, what: str) -> None:
    park.act(lambda call: _in_and_out(call))
    place_id = a_retired_slot(park)
    with pytest.raises(DBAPIError):
        by_hand(park, REFUSED[what], p=place_id)


def _in_and_out(call: Call) -> None:
    """An empty row of goods in the first slot, and goods in another one."""
    stock_in(call, a_sku(call), "A01-01-1A", 1)
    call.session.execute(text("UPDATE stock SET on_hand = 0"))
    stock_in(call, a_sku(call), "A01-02-1A", 1)


def test_the_database_refuses_to_retire_a_slot_with_goods_or_with_somebody_on_the_way(park: Park) -> None:
    slots = the_bay(park).slots
    park.act(lambda call: stock_in(call, a_sku(call), slots[0].code, 1))
    park.act(lambda call: slotting.lease(call, slots[1].place_id, "container:1"))
    for slot in slots[:2]:
        with pytest.raises(DBAPIError):
            by_hand(park, "UPDATE slot SET retired = true WHERE place_id = :p", p=slot.place_id)
    with pytest.raises(DBAPIError):
        divided(park, SMALL)
    assert the_bay(park).slots == slots


IN_RETIRED_SLOTS = (
    "SELECT COUNT(*) FROM stock AS s JOIN slot AS p ON p.place_id = s.place_id WHERE p.retired AND s.on_hand > 0"
)


SOMEBODY_WAITS = "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
Work = Callable[[Call], object]


def _bring(sku: SkuFacts, lot_id: int, place_id: int) -> Work:
    return lambda call: put_goods(call, sku, place_id, 1, lot_id)


def _cut(park: Park, label: str) -> Work:
    bay_id = the_bay(park, label).bay_id
    return lambda call: racks.redivide(call, bay_id, SMALL, "test")


def _done(park: Park, work: Work) -> bool:
    """Whether it was done; the database may say no, but for no other reason than its guards."""
    try:
        park.act(work)
    except DBAPIError as no:
        if "retired" not in str(no.orig):
            raise  # a deadlock, say
        return False
    return True


def _waits(park: Park) -> None:
    """Until the other one stands before what this one keeps. On SQLite there is one writer: he does anyway."""
    until_s = time.monotonic() + WAIT_S
    while not park.database.is_sqlite and not park.read(lambda session: session.scalar(text(SOMEBODY_WAITS))):
        assert time.monotonic() < until_s, "nobody waits"
        time.sleep(0.01)


def _meanwhile(park: Park, first: Work, second: Work) -> bool:
    """Do `first`, and before its commit begin `second`: whether that one was done."""
    with ThreadPoolExecutor(1) as pool:
        other: list[Future[bool]] = []

        def both(call: Call) -> None:
            first(call)
            if not other:  # a transaction may be run again
                other.append(pool.submit(_done, park, second))
                _waits(park)

        park.act(both)
        return other[0].result(WAIT_S)


def test_a_slot_is_not_retired_while_goods_come(park: Park) -> None:
    sku, before = park.act(a_sku), the_bay(park).slots
    lot_id = park.act(lambda call: stock_in(call, sku, "A01-02-1A", 1))
    assert not _meanwhile(park, _bring(sku, lot_id, before[0].place_id), _cut(park, "A01-01"))
    assert the_bay(park).slots == before


def test_no_goods_come_while_their_slot_is_retired(park: Park) -> None:
    sku, before = park.act(a_sku), the_bay(park).slots
    lot_id = park.act(lambda call: stock_in(call, sku, "A01-02-1A", 1))
    assert not _meanwhile(park, _cut(park, "A01-01"), _bring(sku, lot_id, before[0].place_id))
    assert len(the_bay(park).slots) == 12
    assert park.read(lambda session: session.execute(text(IN_RETIRED_SLOTS)).scalar_one()) == 0


def test_whoever_is_first_there_are_never_goods_in_a_retired_slot(park: Park) -> None:
    """Both at once, again and again, on a machine that may be so busy that both are told to come again."""
    sku = park.act(a_sku)
    lot_id = park.act(lambda call: stock_in(call, sku, "A02-01-1A", 1))
    for label in (f"A01-{number:02d}" for number in range(1, 7)):
        works = [_bring(sku, lot_id, the_bay(park, label).slots[0].place_id), _cut(park, label)]
        at_once([partial(_done, park, work) for work in works])
        assert park.read(lambda session: session.execute(text(IN_RETIRED_SLOTS)).scalar_one()) == 0
