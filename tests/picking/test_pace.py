"""Seconds per metre and per stop, learnt from the moments of real scans."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from tests.picking.floor import Floor, a_floor
from wms.core.db import Database
from wms.picking import service
from wms.picking.rules.pace import LEGS_MAX, LEGS_MIN, S_PER_M, Leg, learn
from wms.picking.rules.schedule import Pace, Paces
from wms.picking.service.pace import learn_pace, paces
from wms.picking.tables import Batch, LearntPace, PickLine
from wms.site.tables import Zone

ZONE = 7


def legs(
    count: int, *, s_per_m: float = 1.0, s_per_stop: float = 12.0, zone: int = ZONE, metres: float = 20.0
) -> list[Leg]:
    """Walked legs and as many within arm's reach, of somebody who is as fast as this."""
    piece = Pace().s_per_piece
    far = [Leg(zone, number, metres, 2, s_per_stop + 2 * piece + metres * s_per_m) for number in range(count)]
    near = [Leg(zone, number, 0.0, 1, s_per_stop + piece) for number in range(count)]
    return [*far, *near]


def learnt(seen: list[Leg], zone: int = ZONE) -> Pace:
    return next(one.pace for one in learn(seen) if one.zone_id == zone)


def test_what_people_do_is_learnt_exactly_when_they_are_all_alike() -> None:
    pace = learnt(legs(30, s_per_m=1.1, s_per_stop=14.0))
    assert pace.s_per_m == pytest.approx(1.1)
    assert pace.s_per_stop == pytest.approx(14.0)
    (building, zone) = learn(legs(30))
    assert (building.zone_id, zone.zone_id, zone.walks, zone.legs) == (0, ZONE, 30, 60)


def test_breaks_and_double_scans_and_a_third_of_chats_move_nothing() -> None:
    seen = legs(40)
    odd = [Leg(ZONE, 99, 20.0, 1, 3_600.0)] * 30 + [Leg(ZONE, 99, 20.0, 1, 0.5)] * 30
    chats = [Leg(ZONE, 99, 20.0, 2, 200.0)] * 13
    assert learnt([*odd, *seen]).s_per_m == pytest.approx(1.0)
    assert learnt([*chats, *seen]).s_per_m == pytest.approx(1.0)


def test_what_no_person_walks_is_cut_at_the_bounds() -> None:
    assert learnt(legs(30, s_per_m=0.01)).s_per_m == S_PER_M[0]
    assert learnt(legs(30, s_per_m=9.0)).s_per_m == S_PER_M[1]


def test_too_few_legs_teach_nothing_and_too_few_of_a_kind_only_the_other() -> None:
    assert learn(legs(LEGS_MIN // 2 - 1)) == []
    only_far = [leg for leg in legs(LEGS_MIN) if leg.metres]
    assert learnt(only_far).s_per_stop == Pace().s_per_stop


def test_only_the_newest_legs_count() -> None:
    newest, old = legs(LEGS_MAX // 2, s_per_m=1.5), legs(LEGS_MAX, s_per_m=0.5)
    assert learnt([*newest, *old]).s_per_m == pytest.approx(1.5)


def test_a_zone_has_its_own_pace_else_the_building_s_else_the_usual_one() -> None:
    slow, fast = Pace(s_per_m=2.0), Pace(s_per_m=0.5)
    known = Paces({0: fast, ZONE: slow}, 12)
    assert known.seconds(10_000, 1, 1, ZONE) == slow.seconds(10_000, 1, 1)
    assert known.seconds(10_000, 1, 1, 8) == fast.seconds(10_000, 1, 1)
    assert Paces().seconds(10_000, 1, 1, 8) == Pace().seconds(10_000, 1, 1)


@pytest.fixture
def floor(database: Database) -> Floor:
    return a_floor(database)


def a_walk(floor: Floor, number: int, stop_s: int) -> int:
    """Two stops, the second `stop_s` seconds after the first, and the lane; the batch."""
    batch_id = floor.batch((f"O{number}", [(floor.tea, 1), (floor.nuts, 1)]))
    floor.park.act(lambda call: service.begin_batch(call, batch_id, "C-01"))
    tote = f"T-{number + 1:04d}"
    floor.park.act(lambda call: service.assign_tote(call, batch_id, 1, tote))
    for pick in floor.walk(batch_id).open_picks:
        floor.park.clock.advance(seconds=stop_s)
        floor.park.act(lambda call, pick=pick: service.pick(call, pick.id, 1))  # type: ignore[misc]
    floor.park.act(lambda call: service.finish_batch(call, batch_id, "PK-01"))
    return batch_id


def test_finished_walks_of_the_last_weeks_teach_and_older_ones_do_not(floor: Floor) -> None:
    first = a_walk(floor, 0, 30)
    assert floor.park.act(learn_pace) == 0  # one leg teaches nothing

    def many(session: object) -> None:
        """The same walk thirty times: rows like it, each with a number of its own."""
        batch = session.execute(select(Batch.__table__).where(Batch.id == first)).mappings().one()  # type: ignore[attr-defined]
        picks = session.execute(select(PickLine.__table__).where(PickLine.batch_id == first)).mappings().all()  # type: ignore[attr-defined]
        for number in range(LEGS_MIN):
            again = {**batch, "no": f"again-{number}"}
            del again["id"]
            made = session.execute(Batch.__table__.insert().returning(Batch.id), again).scalar_one()  # type: ignore[attr-defined]
            rows = [{**{k: v for k, v in pick.items() if k != "id"}, "batch_id": made} for pick in picks]
            session.execute(PickLine.__table__.insert(), rows)  # type: ignore[attr-defined]

    floor.park.database.transact(many)
    assert floor.park.act(learn_pace) == 2
    known = floor.park.read(lambda session: paces(session, floor.park.warehouse_id))
    zone = floor.park.read(
        lambda session: session.scalars(
            select(Zone.id).where(Zone.code == "A", Zone.warehouse_id == floor.park.warehouse_id)
        ).one()
    )
    assert known.walks == LEGS_MIN + 1
    assert set(known.by_zone) == {0, zone}
    walked_m = 4.0  # from bay 01 to bay 05, two bays on
    expected = (30 - Pace().s_per_stop - Pace().s_per_piece) / walked_m
    assert known.by_zone[zone].s_per_m == pytest.approx(min(S_PER_M[1], expected))
    assert floor.park.act(learn_pace) == 2  # safe to repeat
    floor.park.database.transact(
        lambda session: session.execute(update(Batch).values(done_at=floor.park.clock.now() - timedelta(days=29)))
    )
    assert floor.park.act(learn_pace) == 0
    assert floor.park.read(lambda session: session.scalars(select(LearntPace.id)).all()) == []
