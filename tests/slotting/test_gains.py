"""The gains in figures: days by the house's own clock, forecasts judged by what came, what-ifs that change nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from sqlalchemy import select

from tests.builders import Park, a_park
from tests.slotting.past import FAR, NEAR, WEEKS, Lies, a_busy_past, lies, picked, proposals, slot_id
from wms.catalog.values import SkuFacts
from wms.core.call import Call
from wms.core.db import Database
from wms.core.refusal import Reason, Refused
from wms.ledger.tables import Stock
from wms.optimise.geometry import Stop
from wms.optimise.routing import plan_route
from wms.optimise.slotting.judge import Walks, shares_m
from wms.site import queries as site
from wms.site.values import ContainerKind
from wms.slotting import foresight, measuring, moving, opening, planning, queries, whatif
from wms.slotting.apart import reckon_apart
from wms.slotting.gains import DayFigures, Gains, Rates, before_and_after, gains_of, weekly
from wms.slotting.tables import MoveProposal, SkuForecast, SlotDay
from wms.slotting.values import Rule
from wms.slotting.whatif import Conditions, Outcome

DAY = timedelta(days=1)


@pytest.fixture
def park(sqlite_database: Database) -> Park:
    return a_park(sqlite_database)


def taken(park: Park) -> list[SlotDay]:
    return list(park.read(lambda session: session.scalars(select(SlotDay).order_by(SlotDay.day)).all()))


def take_all(park: Park) -> int:
    taken_once = -1
    count = 0
    while taken_once:
        taken_once = measuring.take_days(park.database, park.clock)
        count += taken_once
    return count


def figures(day: date, **given: int) -> DayFigures:
    usual = {
        "area_m2": 1_000,
        "slots": 100,
        "filled": 50,
        "volume_l": 1_000,
        "used_l": 400,
        "skus": 40,
        "more_skus": 30,
        "lines": 200,
        "tours": 10,
        "walked_m": 2_000,
        "worked_s": 6_000,
        "moves": 1,
        "moved_m": 100,
    }
    return DayFigures(day=day, **{**usual, **given})


def picked_often(park: Park, sku: SkuFacts, code: str, times: int) -> None:
    """So many lines of goods from a slot in the coming week, each a walk of its own."""
    place = slot_id(park, code)

    def live(call: Call) -> None:
        tote = site.container_by_code(call.session, call.warehouse_id, ContainerKind.TOTE, "T-0001").place_id
        lot = call.session.scalars(select(Stock.lot_id).where(Stock.place_id == place, Stock.sku_id == sku.id)).one()
        for number in range(times):
            at = park.clock.at + timedelta(hours=number + 1)
            picked(call, Lies(sku, place, lot), tote, f"order:{at}", at)

    park.act(live)


def test_every_day_since_goods_moved_is_taken_once_and_today_is_not(park: Park) -> None:
    a_busy_past(park)
    count = take_all(park)
    days = taken(park)
    here = park.read(lambda session: site.warehouse(session, park.warehouse_id))
    today = here.local(park.clock.at).date()
    assert count == len(days) == (today - days[0].day).days
    assert days[-1].day == today - DAY
    assert measuring.take_days(park.database, park.clock) == 0
    park.clock.at += DAY
    assert measuring.take_days(park.database, park.clock) == 1
    assert sum(day.lines for day in days) == 30 * WEEKS + 4 * WEEKS + WEEKS // 2


def test_capacity_is_that_of_the_night_and_unknown_for_days_long_gone(park: Park) -> None:
    a_busy_past(park)
    take_all(park)
    days = taken(park)
    assert {day.slots for day in days[:-1]} == {None}
    last = days[-1]
    room = park.read(lambda session: queries.capacity(session, park.warehouse_id))
    assert (last.slots, last.filled, last.volume_l, last.used_l) == (room.slots, 11, room.volume_l, room.used_l)
    assert last.skus == 11
    assert last.more_skus is not None
    assert 0 < last.more_skus <= room.slots - room.filled


def test_more_skus_fit_until_the_last_slot_that_takes_the_usual_is_filled(park: Park) -> None:
    def more() -> int:
        take_all(park)
        found = taken(park)[-1].more_skus
        assert found is not None
        return found

    lies(park, NEAR)
    park.clock.at += DAY
    first = more()
    lies(park, FAR)
    park.clock.at += DAY
    assert more() == first - 1


def test_metres_of_a_day_are_its_shortest_walks(park: Park) -> None:
    far, near = lies(park, FAR), lies(park, NEAR)
    tote = park.read(
        lambda session: site.container_by_code(session, park.warehouse_id, ContainerKind.TOTE, "T-0001").place_id
    )
    at = park.clock.at

    def two_walks(call: Call) -> None:
        picked(call, far, tote, "order:1", at)
        picked(call, near, tote, "order:2", at + timedelta(minutes=3))
        picked(call, near, tote, "order:3", at + timedelta(hours=2))

    park.act(two_walks)
    park.clock.at += DAY
    take_all(park)
    day = taken(park)[-1]

    facts = park.read(lambda session: site.hall(session, park.warehouse_id))
    aisles = {aisle.id: aisle.index for aisle in facts.aisles}

    def stop(code: str) -> Stop:
        slot = park.read(lambda session: site.slot_by_code(session, park.warehouse_id, code))
        return Stop(aisles[slot.aisle_id], slot.y_mm)

    walked = sum(plan_route(facts.hall, [stop(code) for code in codes]).length_mm for codes in ((FAR, NEAR), (NEAR,)))
    assert (day.lines, day.tours, day.walked_m, day.worked_s) == (3, 2, walked // 1000, 180)


def test_the_parts_of_a_line_s_cost_add_up() -> None:
    rates = Rates(wage_cents_h=3_600, walk_mm_s=500, handling_s_line=20, rent_cents_m2_month=365)
    found = gains_of([figures(date(2026, 1, 5)), figures(date(2026, 1, 6), lines=0, walked_m=0, filled=100)], rates)
    assert (found.lines, found.m_per_line, found.s_per_line) == (200, 10.0, 60.0)
    assert (found.slots_share, found.volume_share) == (0.75, 0.4)
    assert found.walking == pytest.approx(20.0)
    assert found.handling == pytest.approx(20.0)
    assert found.moving == pytest.approx(2.0)
    assert found.rent == pytest.approx(1_000 * 12 * 2 * 0.75 / 200)
    assert found.cost == pytest.approx(132.0)


def test_what_was_not_measured_is_unknown_and_not_zero() -> None:
    idle = figures(date(2026, 1, 5), lines=0, walked_m=0)
    made_up = replace(figures(date(2026, 1, 6)), slots=None, filled=None, volume_l=None, used_l=None, skus=None)
    assert gains_of([idle], Rates()).m_per_line is None
    found = gains_of([made_up], Rates())
    assert (found.slots_share, found.rent, found.cost) == (None, None, None)
    with pytest.raises(ValueError, match="no days"):
        gains_of([], Rates())


def test_weeks_begin_on_monday_and_before_is_never_after() -> None:
    days = [figures(date(2026, 1, 4) + DAY * number, walked_m=2_000 - number) for number in range(60)]
    weeks = weekly(days, Rates())
    assert [week.days for week in weeks] == [1, *[7] * 8, 3]
    assert all(week.first.weekday() == 0 for week in weeks[1:])
    before, after = before_and_after(days[::-1], Rates()) or pytest.fail("sixty days are enough")
    assert (before.days, after.days) == (28, 28)
    assert before.first == days[0].day
    assert before.last < after.first
    assert isinstance(after, Gains)
    assert after.m_per_line is not None
    assert before_and_after(days[:1], Rates()) is None


def test_metres_shared_among_bays_are_all_the_metres_and_more_for_the_far(park: Park) -> None:
    hall = park.read(lambda session: site.hall(session, park.warehouse_id)).hall
    aisle, y_mm = np.array([0, 0, 1]), np.array([6_000, 20_000, 6_000])
    walks = Walks(np.array([0, 0, 0, 1]), np.array([0, 1, 1, 2]), 2)
    found = shares_m(hall, aisle, y_mm, walks, np.arange(3))
    tours = [[Stop(0, 6_000), Stop(0, 20_000)], [Stop(1, 6_000)]]
    walked = [plan_route(hall, stops).length_mm / 1000 for stops in tours]
    assert found.sum() == pytest.approx(sum(walked))
    assert found[2] == pytest.approx(walked[1])
    assert found[1] > found[0] > 0


def test_a_plan_writes_its_forecast_down_and_a_week_later_knows_how_right_it_was(park: Park) -> None:
    fast = a_busy_past(park)
    planning.plan_moves(park.database, park.clock, park.warehouse_id)
    planning.plan_moves(park.database, park.clock, park.warehouse_id)
    said = park.read(lambda session: session.scalars(select(SkuForecast)).all())
    assert len(said) == 11
    mine = next(row for row in said if row.sku_id == fast.id)
    assert mine.said_lines == pytest.approx(30, abs=4)
    assert foresight.judge(park.database, park.clock) == 0

    picked_often(park, fast, FAR, 20)
    park.clock.at += timedelta(days=7, hours=1)
    assert foresight.judge(park.database, park.clock) == 11
    week = park.read(lambda session: foresight.weeks_judged(session, park.warehouse_id))[0]
    assert (week.skus, week.came) == (11, 20)
    assert week.missed == pytest.approx(sum(abs(row.said_lines - (20 if row.sku_id == fast.id else 0)) for row in said))
    assert 0 < week.right < 1


def carried_out(park: Park) -> MoveProposal:
    """The best move of a new plan, done."""
    planning.plan_moves(park.database, park.clock, park.warehouse_id, 1)
    (row,) = proposals(park, "proposed")
    target = park.read(lambda session: site.slot_by_id(session, park.warehouse_id, row.target_id).code)
    park.act(lambda call: moving.accept(call, [row.id]))
    park.act(lambda call: moving.set_out(call, row.id))
    park.act(lambda call: moving.put_down(call, row.id, target))
    return row


def test_a_move_is_judged_by_the_tours_of_its_first_week(park: Park) -> None:
    fast = a_busy_past(park)
    row = carried_out(park)
    hall = park.read(lambda session: site.hall(session, park.warehouse_id))
    aisles = {aisle.id: aisle.index for aisle in hall.aisles}

    def alone_mm(place: int) -> int:
        slot = park.read(lambda session: site.slot_by_id(session, park.warehouse_id, place))
        return plan_route(hall.hall, [Stop(aisles[slot.aisle_id], slot.y_mm)]).length_mm

    code = park.read(lambda session: site.slot_by_id(session, park.warehouse_id, row.target_id).code)
    picked_often(park, fast, code, 12)
    foresight.judge(park.database, park.clock)
    assert proposals(park, "done")[0].judged_at is None
    park.clock.at += timedelta(days=8)
    foresight.judge(park.database, park.clock)
    done = proposals(park, "done")[0]
    saved_mm = 12 * (alone_mm(row.source_id) - alone_mm(row.target_id))
    assert saved_mm > 0
    assert (done.came_lines, done.saved_m) == (12, round(saved_mm / 1000))
    found = park.read(lambda session: foresight.moves_judged(session, park.warehouse_id))
    assert (found.moves, found.said_m, found.saved_m) == (1, row.gain_m_week, done.saved_m)


def test_moves_done_are_days_of_their_own_cost(park: Park) -> None:
    a_busy_past(park)
    row = carried_out(park)
    park.clock.at += DAY
    take_all(park)
    assert (taken(park)[-1].moves, taken(park)[-1].moved_m) == (1, row.cost_m)


def test_an_opened_proposal_tells_then_and_now_the_way_and_the_rules(park: Park) -> None:
    fast = a_busy_past(park)
    planning.plan_moves(park.database, park.clock, park.warehouse_id)
    row = next(one for one in proposals(park) if one.sku_id == fast.id)
    found = park.read(lambda session: opening.opened(session, park.warehouse_id, row.id, park.clock.at))
    assert found is not None
    assert list(found.weeks) == [0, 0, *[30] * WEEKS]
    assert (found.then, found.now) == (15.0, 30.0)
    assert found.walk_to_m < found.walk_from_m
    assert found.kept == dict.fromkeys(Rule, True)
    assert 0 < found.move.confidence_percent <= 100
    assert all(count > 0 for count in found.nearer.values())
    assert park.read(lambda session: opening.opened(session, park.warehouse_id, 99, park.clock.at)) is None


def asked(park: Park, conditions: Conditions) -> Outcome:
    question = park.act(lambda call: whatif.ask(call, conditions))
    whatif.answer(park.database, park.clock, park.warehouse_id, question, whatif.reckon)
    newest = park.read(lambda session: whatif.newest(session, park.warehouse_id))[0]
    assert (newest.id, newest.conditions, newest.trouble) == (question, conditions, "")
    assert newest.outcome is not None
    return newest.outcome


def test_what_if_answers_in_figures_and_changes_nothing(park: Park) -> None:
    a_busy_past(park)
    found = asked(park, Conditions(moves=1))
    assert found.moves == 1
    assert found.planned_m < found.cleared_m == found.walked_m
    assert found.gain_m > 0
    none = asked(park, Conditions(moves=0))
    assert (none.moves, none.planned_m) == (0, none.walked_m)
    assert proposals(park) == []
    ago = asked(park, Conditions(season_weeks=26))
    assert (ago.lines, ago.moves) == (0, 0)


def test_a_closed_aisle_is_cleared_and_never_moved_into(park: Park) -> None:
    a_busy_past(park)
    problem = park.read(lambda session: planning.prepare(session, park.warehouse_id, park.clock.at))
    inside = problem.slots.aisle[problem.place]
    after, stuck = whatif.cleared(problem, 0)
    assert (inside == 0).sum() == 10
    assert not (after.slots.aisle[after.place] == 0).any()
    assert (stuck, len(set(after.place.tolist()))) == (0, len(after.place))
    found = asked(park, Conditions(aisle=0))
    assert (found.cleared, found.stuck) == (10, 0)
    assert found.cleared_m != found.walked_m


def test_goods_that_only_a_closed_aisle_can_carry_are_named_and_stay(park: Park) -> None:
    """The beams of the other aisle of their zone are too weak for them."""
    a_busy_past(park)
    problem = park.read(lambda session: planning.prepare(session, park.warehouse_id, park.clock.at))
    after, stuck = whatif.cleared(problem, 1)
    assert (stuck, after.place.tolist()) == (1, problem.place.tolist())
    plan = planning.solve(after)
    place = {int(each): number for number, each in enumerate(after.slots.place_id)}
    assert all(after.slots.aisle[place[move.target_id]] != 1 for move in plan.moves)
    found = asked(park, Conditions(aisle=1))
    assert (found.cleared, found.stuck, found.cleared_m) == (0, 1, found.walked_m)


def test_what_if_is_reckoned_in_a_process_of_its_own(park: Park) -> None:
    a_busy_past(park)
    problem = park.read(lambda session: planning.prepare(session, park.warehouse_id, park.clock.at))
    assert reckon_apart(problem, Conditions(moves=2)) == whatif.reckon(problem, Conditions(moves=2))
    with pytest.raises(Refused) as no:
        reckon_apart(problem, Conditions(aisle=99))
    assert no.value.reason is Reason.BAD_INPUT


@pytest.mark.parametrize("wrong", [Conditions(moves=-1), Conditions(moves=201), Conditions(season_weeks=7)])
def test_nobody_asks_for_what_is_not_offered(park: Park, wrong: Conditions) -> None:
    with pytest.raises(Refused):
        park.act(lambda call: whatif.ask(call, wrong))
