"""A plan is asked for, reckoned apart, looked at, and goes to the floor in short steps; whatever happens between."""

from __future__ import annotations

import os
import signal
import time
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from tests.outbound.orders import allocate, broken_promises, cancel, order, place
from tests.picking.floor import Floor, a_floor
from wms.core.call import Who
from wms.core.db import Database
from wms.core.refusal import Reason, Refused
from wms.exchange import waves
from wms.outbound import service as outbound
from wms.outbound.tables import Wave
from wms.picking.queries.plans import PlanFacts, parts_of_plan, plan_of_wave
from wms.picking.service import plans
from wms.picking.service.apart import Apart
from wms.picking.service.planning import cart_limits, goods_of
from wms.picking.solver import Ask, Better, Done
from wms.picking.tables import Batch, PickLine
from wms.picking.values import LOST_AFTER, PlanState, Wish
from wms.site import queries as site

WALL = datetime(2026, 11, 7, 6, 0, tzinfo=UTC)
LATER = WALL + LOST_AFTER + timedelta(seconds=1)


@pytest.fixture
def floor(database: Database) -> Floor:
    return a_floor(database)


def house(floor: Floor) -> waves.House:
    return waves.House(floor.park.database, floor.park.clock, Who("system", floor.park.warehouse_id))


def drafted(floor: Floor, orders: int = 5) -> str:
    for number in range(1, orders + 1):
        place(floor.park, f"N{number}", (floor.tea, 1), (floor.salt, 1))
        allocate(floor.park, f"N{number}")
    (wave,) = floor.park.act(lambda call: outbound.make_waves(call, hot_from=1_000))
    return str(wave)


def wanted(floor: Floor, wave: str, *, release_after: bool = False) -> None:
    floor.park.act(lambda call: plans.want_plan(call, wave, WALL, think_s=5, rounds=1, release_after=release_after))


def plan_of(floor: Floor, wave: str) -> PlanFacts:
    wave_id = floor.park.read(lambda session: session.scalars(select(Wave.id).where(Wave.no == wave)).one())
    found = floor.park.read(lambda session: plan_of_wave(session, wave_id))
    assert found is not None
    return found


def state_of(floor: Floor, wave: str) -> str:
    return floor.park.read(lambda session: session.scalars(select(Wave.state).where(Wave.no == wave)).one())


def ready(floor: Floor, orders: int = 5) -> str:
    wave = drafted(floor, orders)
    wanted(floor, wave)
    waves.plan(house(floor), wave)
    return wave


def go(floor: Floor, wave: str) -> None:
    floor.park.act(lambda call: plans.begin_release(call, wave, WALL))
    waves.release(house(floor), wave)


class TestBeforeRelease:
    def test_a_plan_is_there_to_be_looked_at_and_nothing_is_on_the_floor(self, floor: Floor) -> None:
        wave = ready(floor)
        plan = plan_of(floor, wave)
        assert (plan.state, plan.orders, plan.batches) == (PlanState.READY, 5, 1)
        assert 0 < plan.lower_bound_mm <= plan.walk_mm <= plan.first_come_mm
        assert plan.points[-1][1] == plan.walk_mm
        (part,) = floor.park.read(lambda session: parts_of_plan(session, plan.id))
        assert (part.orders, part.stops, part.walk_mm) == (5, 2, plan.walk_mm)
        assert state_of(floor, wave) == "draft"
        assert floor.park.read(lambda session: session.scalars(select(Batch.id)).all()) == []

    def test_it_can_be_thrown_away_and_made_again(self, floor: Floor) -> None:
        wave = ready(floor)
        floor.park.act(lambda call: plans.discard(call, wave))
        with pytest.raises(Refused) as no:
            floor.park.act(lambda call: plans.begin_release(call, wave, WALL))
        assert no.value.reason is Reason.NOT_FOUND
        wanted(floor, wave)
        waves.plan(house(floor), wave)
        assert plan_of(floor, wave).state is PlanState.READY

    def test_cancelled_it_leaves_a_draft(self, floor: Floor) -> None:
        wave = drafted(floor)
        wanted(floor, wave)
        floor.park.act(lambda call: plans.wish(call, wave, Wish.CANCEL))
        waves.plan(house(floor), wave)
        assert plan_of(floor, wave).state is PlanState.CANCELLED
        assert state_of(floor, wave) == "draft"

    def test_a_planner_that_is_not_heard_of_is_lost_and_the_wave_a_draft_again(self, floor: Floor) -> None:
        wave = drafted(floor)
        wanted(floor, wave)
        assert floor.park.act(lambda call: plans.give_up_lost(call, WALL)) == []
        assert floor.park.act(lambda call: plans.give_up_lost(call, LATER)) == [wave]
        assert (plan_of(floor, wave).state, state_of(floor, wave)) == (PlanState.LOST, "draft")
        wanted(floor, wave)
        waves.plan(house(floor), wave)
        assert plan_of(floor, wave).state is PlanState.READY

    def test_two_do_not_plan_one_wave(self, floor: Floor) -> None:
        wave = drafted(floor)
        wanted(floor, wave)
        with pytest.raises(Refused) as no:
            wanted(floor, wave)
        assert no.value.reason is Reason.WAVE_STATE_WRONG

    def test_a_long_history_keeps_its_first_and_last(self) -> None:
        points = [[ms, 10_000 - ms] for ms in range(500)]
        kept = plans.thinned(points)
        assert len(kept) <= plans.HISTORY_MAX
        assert (kept[0], kept[-1]) == (points[0], points[-1])


class TestRelease:
    def test_it_goes_as_it_was_planned(self, floor: Floor) -> None:
        wave = ready(floor)
        planned = plan_of(floor, wave)
        go(floor, wave)
        (batch,) = floor.park.read(lambda session: session.scalars(select(Batch)).all())
        assert (batch.no, batch.walk_mm, batch.state) == (f"{wave}-01", planned.walk_mm, "open")
        assert (state_of(floor, wave), plan_of(floor, wave).state) == ("released", PlanState.RELEASED)
        assert {order(floor.park, f"N{number}").state for number in range(1, 6)} == {"released"}
        assert broken_promises(floor.park) == []

    def test_orders_that_left_since_are_left_out(self, floor: Floor) -> None:
        wave = ready(floor)
        cancel(floor.park, "N2")
        go(floor, wave)
        held = floor.park.read(lambda session: session.scalars(select(PickLine.order_id).distinct()).all())
        assert len(held) == 4

    def test_a_walk_whose_goods_are_promised_elsewhere_by_now_is_walked_anew(self, floor: Floor) -> None:
        wave = ready(floor, 1)
        floor.park.act(lambda call: plans.begin_release(call, wave, WALL))
        before = plan_of(floor, wave).walk_mm
        move = select(PickLine.slot_id)
        _promise_elsewhere(floor)
        waves.release(house(floor), wave)
        (batch,) = floor.park.read(lambda session: session.scalars(select(Batch)).all())
        assert batch.optimal
        assert batch.walk_mm != before
        assert len(floor.park.read(lambda session: session.scalars(move).all())) == 1

    def test_broken_off_it_goes_on_where_it_stopped(self, floor: Floor) -> None:
        wave = ready(floor)
        floor.park.act(lambda call: plans.begin_release(call, wave, WALL))
        assert floor.park.act(lambda call: plans.half_released(call, LATER)) == [wave]
        assert floor.park.act(lambda call: plans.release_some(call, wave, WALL)) == 1
        batches = select(Batch.no)
        assert floor.park.read(lambda session: session.scalars(batches).all()) == [f"{wave}-01"]
        assert waves.mend_plans(floor.park.database, floor.park.clock, floor.park.warehouse_id) == [wave]
        assert floor.park.read(lambda session: session.scalars(batches).all()) == [f"{wave}-01"]
        assert state_of(floor, wave) == "released"

    def test_when_everybody_left_the_wave_is_closed(self, floor: Floor) -> None:
        wave = ready(floor, 1)
        cancel(floor.park, "N1")
        go(floor, wave)
        assert state_of(floor, wave) == "cancelled"

    def test_a_quick_plan_goes_by_itself(self, floor: Floor) -> None:
        wave = drafted(floor)
        wanted(floor, wave, release_after=True)
        waves.plan(house(floor), wave)
        assert state_of(floor, wave) == "released"


def _promise_elsewhere(floor: Floor) -> None:
    """The salt of the only order is taken out of its promise, as a count that found none would do."""
    from sqlalchemy import delete, update

    from wms.ledger.tables import Hold, Stock

    salt = select(Stock.id).where(Stock.sku_id == floor.salt.id)

    def away(session: object) -> None:
        session.execute(update(Stock).where(Stock.sku_id == floor.salt.id).values(promised=0))  # type: ignore[attr-defined]
        session.execute(delete(Hold).where(Hold.stock_id.in_(salt)))  # type: ignore[attr-defined]

    floor.park.database.transact(away)


class TestApart:
    def test_the_process_says_better_and_better_and_ends_when_told(self, sqlite_database: Database) -> None:
        floor = a_floor(sqlite_database)
        wave = drafted(floor)
        where = floor.park.warehouse_id
        wave_id = floor.park.read(lambda session: session.scalars(select(Wave.id).where(Wave.no == wave)).one())
        ask = Ask(
            wave,
            floor.park.read(lambda session: site.hall(session, where).hall),
            floor.park.read(lambda session: cart_limits(session, where)),
            1,
            1,
            600.0,
        )
        goods = floor.park.read(lambda session: goods_of(session, wave_id))
        with Apart(ask, [goods]) as apart:
            apart.stop()
            frames: list[object] = []
            until_s = time.monotonic() + 120
            while time.monotonic() < until_s and not (frames and isinstance(frames[-1], Done)):
                frame = apart.next(1.0)
                frames += [frame] if frame is not None else []
            pid = apart.pid
        better = [frame for frame in frames if isinstance(frame, Better)]
        assert [one.walk_mm for one in better] == sorted((one.walk_mm for one in better), reverse=True)
        assert isinstance(frames[-1], Done)
        assert frames[-1].walk_mm == better[-1].walk_mm
        assert not _lives(pid)

    def test_a_process_that_is_done_plans_the_next_wave_and_one_that_was_killed_does_not(
        self, sqlite_database: Database
    ) -> None:
        floor = a_floor(sqlite_database)
        wave = drafted(floor)
        where = floor.park.warehouse_id
        wave_id = floor.park.read(lambda session: session.scalars(select(Wave.id).where(Wave.no == wave)).one())
        hall = floor.park.read(lambda session: site.hall(session, where).hall)
        limits = floor.park.read(lambda session: cart_limits(session, where))
        goods = floor.park.read(lambda session: goods_of(session, wave_id))
        much = bytearray(300_000_000)  # a child of a large process is no large process
        planned: list[tuple[int, int]] = []
        for _time in range(3):
            with Apart(Ask(wave, hall, limits, 1, 1, 600.0), [goods]) as apart:
                planned.append((apart.pid, _whole_plan(apart).walk_mm))
        assert len(set(planned)) == 1
        assert much
        kept = planned[0][0]
        assert _lives(kept)
        os.kill(kept, signal.SIGKILL)
        os.waitid(os.P_PID, kept, os.WEXITED | os.WNOWAIT)
        with Apart(Ask(wave, hall, limits, 1, 1, 600.0), [goods]) as apart:
            assert apart.pid != kept
            assert _whole_plan(apart).walk_mm == planned[0][1]

    def test_a_process_whose_plan_nobody_waited_for_is_ended(self, sqlite_database: Database) -> None:
        floor = a_floor(sqlite_database)
        where = floor.park.warehouse_id
        hall = floor.park.read(lambda session: site.hall(session, where).hall)
        limits = floor.park.read(lambda session: cart_limits(session, where))
        with Apart(Ask("W", hall, limits, 1, 1, 600.0), []) as apart:
            pid = apart.pid
        assert not _lives(pid)

    def test_a_child_that_is_killed_is_told_as_busy(self, sqlite_database: Database) -> None:
        floor = a_floor(sqlite_database)
        where = floor.park.warehouse_id
        hall = floor.park.read(lambda session: site.hall(session, where).hall)
        limits = floor.park.read(lambda session: cart_limits(session, where))
        with Apart(Ask("W", hall, limits, 1, 1, 600.0), []) as apart:
            os.kill(apart.pid, signal.SIGKILL)
            with pytest.raises(Refused) as no:
                apart.next(60.0)
        assert no.value.reason is Reason.BUSY


def _whole_plan(apart: Apart) -> Done:
    until_s = time.monotonic() + 120
    while time.monotonic() < until_s:
        frame = apart.next(1.0)
        if isinstance(frame, Done):
            return frame
    raise AssertionError("no plan within two minutes")


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
