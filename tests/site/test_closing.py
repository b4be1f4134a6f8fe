"""Closing aisles and zones, and opening them again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from tests.builders import Park, a_park
from wms.core.call import Call
from wms.core.db import Database
from wms.core.refusal import Reason, Refused
from wms.core.tables import AuditRow, OutboxRow
from wms.optimise.geometry import Stop, is_reachable
from wms.site import closing, queries
from wms.site.tables import Slot


@pytest.fixture
def park(database: Database) -> Park:
    return a_park(database)


def refusal(park: Park, work: Callable[[Call], object]) -> Reason:
    with pytest.raises(Refused) as no:
        park.act(work)
    return no.value.reason


def shut(park: Park) -> set[str]:
    return park.read(lambda session: set(session.scalars(select(Slot.code).where(Slot.shut.is_(True)))))


def slots_of(park: Park, aisle: str) -> set[str]:
    return park.read(lambda session: set(session.scalars(select(Slot.code).where(Slot.code.startswith(aisle)))))


def told(park: Park) -> list[tuple[str, str, str]]:
    """The audit trail's entries: what, of which aisle or zone, why."""
    return park.read(
        lambda session: [
            (row.what, str(row.facts["name"]), str(row.facts["why"]))
            for row in session.scalars(select(AuditRow).order_by(AuditRow.id))
        ]
    )


def test_a_closed_aisle_shuts_its_slots_and_no_others_until_it_is_opened(park: Park) -> None:
    version = park.read(lambda session: queries.hall(session, park.warehouse_id)).version
    closed = park.act(lambda call: closing.close_aisle(call, "A02", why="漏水"))
    assert shut(park) == slots_of(park, "A02") != set()
    hall = park.read(lambda session: queries.hall(session, park.warehouse_id))
    assert (hall.version, closed.hall_version) == (version + 1, version + 1)
    assert not is_reachable(hall.now, Stop(1, 8_000))
    assert is_reachable(hall.hall, Stop(1, 8_000))
    park.act(lambda call: closing.open_again(call, closed.id))
    assert shut(park) == set()
    assert park.read(lambda session: queries.hall(session, park.warehouse_id)).closures == ()
    assert told(park) == [("floor.closed", "A02", "漏水"), ("floor.opened", "A02", "漏水")]
    topics = park.read(lambda session: list(session.scalars(select(OutboxRow.topic).order_by(OutboxRow.id))))
    assert topics == ["floor.closed", "floor.opened"]


def test_a_stretch_from_bay_to_bay_shuts_these_bays_on_both_sides(park: Park) -> None:
    park.act(lambda call: closing.close_aisle(call, "A01", bays=(5, 3), why="叉车"))
    assert {code[4:6] for code in shut(park)} == {"03", "04", "05", "06"}


def test_a_closed_zone_shuts_all_its_aisles(park: Park) -> None:
    park.act(lambda call: closing.close_zone(call, "A", why="盘点"))
    assert shut(park) == slots_of(park, "A0")


def test_floor_behind_closed_aisles_is_out_of_reach_too(park: Park) -> None:
    hall = park.read(lambda session: queries.hall(session, park.warehouse_id))
    for aisle in hall.aisles:
        park.act(lambda call, name=aisle.name: closing.close_aisle(call, name, bays=(1, 5), why="x"))  # type: ignore[misc]
    every = park.read(lambda session: set(session.scalars(select(Slot.code))))
    assert shut(park) == every  # the front block was the only way to the back


def test_what_two_closures_shut_opens_with_the_second(park: Park) -> None:
    aisle = park.act(lambda call: closing.close_aisle(call, "A02", why="漏水"))
    zone = park.act(lambda call: closing.close_zone(call, "A", why="盘点"))
    park.act(lambda call: closing.open_again(call, zone.id))
    assert shut(park) == slots_of(park, "A02")
    park.act(lambda call: closing.open_again(call, aisle.id))
    assert shut(park) == set()


def test_what_is_closed_until_a_moment_opens_by_itself_then(park: Park) -> None:
    until = park.clock.now() + timedelta(minutes=30)
    park.act(lambda call: closing.close_aisle(call, "A02", why="漏水", until=until))
    park.clock.advance(minutes=29)
    assert park.act(closing.open_due) == []
    park.clock.advance(minutes=1)
    assert park.act(closing.open_due) == ["A02"]
    assert park.act(closing.open_due) == []
    assert shut(park) == set()


def test_what_cannot_be_closed_is_refused_and_changes_nothing(park: Park) -> None:
    past = park.clock.now()
    assert refusal(park, lambda call: closing.close_aisle(call, "A99", why="x")) is Reason.NOT_FOUND
    assert refusal(park, lambda call: closing.close_zone(call, "Z", why="x")) is Reason.NOT_FOUND
    assert refusal(park, lambda call: closing.close_aisle(call, "A01", why="x", bays=(1, 99))) is Reason.NOT_FOUND
    assert refusal(park, lambda call: closing.close_aisle(call, "A01", why="  ")) is Reason.BAD_INPUT
    assert refusal(park, lambda call: closing.close_aisle(call, "A01", why="x" * 201)) is Reason.BAD_INPUT
    assert refusal(park, lambda call: closing.close_aisle(call, "A01", why="x", until=past)) is Reason.BAD_INPUT
    assert refusal(park, lambda call: closing.open_again(call, 1)) is Reason.NOT_FOUND
    assert (shut(park), told(park)) == (set(), [])
    park.act(lambda call: closing.close_aisle(call, "A01", why="x"))
    assert refusal(park, lambda call: closing.close_aisle(call, "A01", why="y")) is Reason.ALREADY_EXISTS


def test_another_building_s_aisles_stay_open(database: Database, park: Park) -> None:
    other = a_park(database, code="2")
    park.act(lambda call: closing.close_zone(call, "A", why="x"))
    theirs = database.read(
        lambda session: set(session.scalars(select(Slot.warehouse_id).where(Slot.shut.is_(True)).distinct()))
    )
    assert theirs == {park.warehouse_id}
    assert other.read(lambda session: queries.hall(session, other.warehouse_id)).closures == ()


def test_a_hall_seen_in_work_that_was_taken_back_is_not_believed_later(park: Park) -> None:
    def close_and_stumble(call: Call) -> None:
        closing.close_aisle(call, "A01", why="漏水")
        assert not is_reachable(queries.hall(call.session, park.warehouse_id).now, Stop(0, 8_000))
        raise Refused(Reason.BUSY)

    assert refusal(park, close_and_stumble) is Reason.BUSY
    elsewhere = Database.open(park.database.url)  # another process; the hall gets the version that was taken back
    replace(park, database=elsewhere).act(lambda call: closing.close_aisle(call, "A02", why="停电"))
    elsewhere.dispose()
    seen = [
        park.read(lambda session: queries.hall(session, park.warehouse_id).now),
        park.act(lambda call: queries.hall(call.session, park.warehouse_id).now),
    ]
    for hall in seen:
        assert (is_reachable(hall, Stop(0, 8_000)), is_reachable(hall, Stop(1, 8_000))) == (True, False)
