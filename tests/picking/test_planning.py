"""A wave becomes batches."""

from __future__ import annotations

import pickle
from dataclasses import replace
from itertools import groupby, pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.outbound.orders import allocate, broken_promises, cancel, place
from tests.picking.floor import FAR, MIDDLE, NEAR, Floor, a_floor
from wms.core.db import Database
from wms.core.refusal import Reason, Refused
from wms.optimise.geometry import Point, RectHall, Stop, distance_mm, stop_point
from wms.outbound import queries as outbound_queries
from wms.outbound import service as outbound
from wms.outbound.values import WaveState
from wms.picking import queries, service
from wms.picking.rules.planning import best_stop, check_sound, laid_out, problem_of, solve
from wms.picking.service import solve_within
from wms.picking.tables import Batch
from wms.picking.values import TASK_KIND, CartLimits, Goods, WavePlan
from wms.site import queries as site
from wms.work import queries as work

HALL = RectHall((0, 3_000, 6_000), (0, 10_000, 20_000), Point(0, 0))


@pytest.fixture
def floor(database: Database) -> Floor:
    return a_floor(database)


def goods(order_id: int, slot: int, aisle: int, y_mm: int, quantity: int = 1, weight_g: int = 300) -> Goods:
    """Slot `slot` holds SKU `slot`; the hold's id is the order's and slot's number."""
    return Goods(
        order_id * 100 + slot,
        order_id,
        order_id,
        1,
        slot,
        slot,
        f"S{slot:02d}",
        1,
        slot,
        1,
        quantity,
        Stop(aisle, y_mm),
        weight_g,
    )


class TestOnPaper:
    def test_stops_are_numbered_along_the_walk_one_a_slot(self) -> None:
        problem = problem_of(
            "W",
            HALL,
            [goods(1, 1, 0, 2_000), goods(1, 2, 2, 5_000), goods(2, 1, 0, 2_000), goods(2, 3, 0, 2_000)],
            CartLimits(),
        )
        (batch,) = laid_out(solve(problem))
        slots = [(stop, each.slot_id) for stop, each in batch.picks]
        assert sorted(set(slots)) == [(stop, slot) for stop, slot in dict(slots).items()]
        assert [stop for stop, _ in slots] == sorted(stop for stop, _ in slots)
        assert {stop for stop, _ in slots} == {1, 2, 3}

    def test_the_walk_is_exact_and_never_longer_than_the_s_shape(self) -> None:
        problem = problem_of("W", HALL, [goods(1, 1, 0, 2_000), goods(1, 2, 2, 5_000)], CartLimits())
        (batch,) = laid_out(solve(problem))
        assert batch.optimal
        assert batch.walk_mm == 2 * (2_000 + 6_000 + 5_000)
        assert batch.walk_mm <= batch.s_shape_mm
        assert (batch.path[0], batch.path[-1]) == ((0, 0), (0, 0))

    def test_a_cart_never_carries_more_totes_than_it_has_places(self) -> None:
        problem = problem_of(
            "W", HALL, [goods(number, number, 0, 1_000 * number) for number in range(1, 8)], CartLimits(totes=3)
        )
        assert sorted(len(batch.order_ids) for batch in laid_out(solve(problem))) == [1, 3, 3]

    def test_a_cart_never_carries_more_weight_than_it_may(self) -> None:
        wave = [goods(number, number, 0, 1_000, weight_g=600) for number in range(1, 5)]
        batches = laid_out(solve(problem_of("W", HALL, wave, CartLimits(weight_g=1_300))))
        assert [len(batch.order_ids) for batch in batches] == [2, 2]

    def test_an_order_heavier_than_a_cart_rides_alone(self) -> None:
        wave = [goods(1, 1, 0, 1_000, weight_g=9_000), goods(2, 2, 0, 1_000)]
        batches = laid_out(solve(problem_of("W", HALL, wave, CartLimits(weight_g=1_000))))
        assert sorted(batch.order_ids for batch in batches) == [(1,), (2,)]

    def test_the_same_wave_gets_the_same_plan(self) -> None:
        wave = [goods(number, number, number % 3, 700 * number) for number in range(1, 20)]
        problem = problem_of("W", HALL, wave, CartLimits(totes=4), seed=3)
        assert solve(problem).batches == solve(problem).batches

    def test_whoever_cannot_wait_gets_the_plan_found_so_far(self) -> None:
        wave = [goods(number, number, number % 3, 700 * number) for number in range(1, 20)]
        plan = solve_within(problem_of("W", HALL, wave, CartLimits(totes=4)), 0.0)
        check_sound(plan)
        assert sum(len(batch.order_ids) for batch in laid_out(plan)) == 19

    def test_a_problem_and_its_plan_travel_to_another_process(self) -> None:
        problem = problem_of("W", HALL, [goods(1, 1, 0, 1_000)], CartLimits())
        there = pickle.loads(pickle.dumps(problem))
        assert pickle.loads(pickle.dumps(solve(there))).batches == solve(problem).batches

    def test_a_plan_that_is_not_what_it_says_is_refused(self) -> None:
        plan = solve(problem_of("W", HALL, [goods(1, 1, 0, 1_000), goods(2, 2, 1, 1_000)], CartLimits()))
        check_sound(plan)
        with pytest.raises(Refused) as no:
            check_sound(WavePlan(plan.problem, replace(plan.batches, length_mm=1)))
        assert no.value.reason is Reason.PLAN_UNSOUND

    def test_an_order_that_left_is_left_out_and_the_walk_is_planned_anew(self) -> None:
        plan = solve(problem_of("W", HALL, [goods(1, 1, 0, 2_000), goods(2, 2, 2, 5_000)], CartLimits()))
        (whole,) = laid_out(plan)
        (rest,) = laid_out(plan, frozenset({2}))
        assert rest.order_ids == (1,)
        assert rest.walk_mm == 4_000 < whole.walk_mm
        assert laid_out(plan, frozenset({1, 2})) == []

    @given(st.lists(st.tuples(st.integers(1, 9), st.integers(1, 12)), min_size=1, max_size=30, unique=True))
    def test_every_promised_piece_is_picked_once_and_orders_keep_their_place(
        self, wanted: list[tuple[int, int]]
    ) -> None:
        wave = [goods(order, slot, slot % 3, 1_500 * slot) for order, slot in wanted]
        batches = laid_out(solve(problem_of("W", HALL, wave, CartLimits(totes=3))))
        picks = [each for batch in batches for _, each in batch.picks]
        assert sorted(each.hold_id for each in picks) == sorted(each.hold_id for each in wave)
        for batch in batches:
            assert {each.order_id for _, each in batch.picks} == set(batch.order_ids)
            slots = [slot for slot, _ in groupby(batch.picks, key=lambda pick: pick[1].slot_id)]
            assert len(slots) == len(set(slots)), "a slot is visited once"

    def test_a_further_stop_goes_where_the_detour_is_shortest(self) -> None:
        ahead = [(4, Stop(0, 8_000)), (7, Stop(2, 5_000))]
        assert best_stop(HALL, ahead, Point(0, 2_000), Point(0, 5_000)) == 4
        assert best_stop(HALL, ahead, Point(0, 2_000), Point(3_000, 10_000)) == 7
        assert best_stop(HALL, ahead, Point(0, 2_000), Point(6_000, 0)) == 8
        assert best_stop(HALL, [], Point(0, 2_000), Point(6_000, 0)) == 1


class TestPlanningAWave:
    def test_a_released_wave_becomes_batches_with_a_task_each(self, floor: Floor) -> None:
        batch_id = floor.batch(("A-1", [(floor.tea, 2), (floor.salt, 1)]), ("A-2", [(floor.nuts, 1), (floor.tea, 1)]))
        walk = floor.walk(batch_id)
        assert [tote.order_no for tote in walk.totes] == ["A-1", "A-2"]
        assert sorted((pick.slot_code, pick.quantity) for pick in walk.picks) == [
            (NEAR, 1),
            (NEAR, 2),
            (MIDDLE, 1),
            (FAR, 1),
        ]
        (task,) = floor.park.read(lambda session: work.tasks(session, floor.park.warehouse_id, kinds=[TASK_KIND]))
        assert (task.id, task.subject) == (walk.task_id, f"batch:{batch_id}")
        assert (task.facts["orders"], task.facts["pieces"], task.due_at) == (2, 5, walk.cut_off_at)

    def test_the_walk_and_the_s_shape_are_kept_for_batch_and_wave(self, floor: Floor) -> None:
        batch_id = floor.batch(("A-1", [(floor.tea, 2), (floor.salt, 1)]))
        (batch,) = floor.park.read(lambda session: queries.open_batches(session, floor.park.warehouse_id))
        assert batch.id == batch_id
        assert 0 < batch.walk_mm <= batch.s_shape_mm
        (wave,) = floor.park.read(lambda session: outbound_queries.waves(session, floor.park.warehouse_id))
        assert (wave.walk_m, wave.s_shape_m) == (batch.walk_mm // 1000, batch.s_shape_mm // 1000)

    def test_the_path_on_the_map_leads_past_every_stop_and_is_as_long_as_told(self, floor: Floor) -> None:
        batch_id = floor.batch(("A-1", [(floor.tea, 2), (floor.salt, 1)]), ("A-2", [(floor.nuts, 1), (floor.salt, 1)]))

        def ask(session: Any) -> Any:
            row = session.get_one(Batch, batch_id)
            return row.path["mm"], row.walk_mm, site.hall(session, floor.park.warehouse_id).hall

        corners, walk_mm, hall = floor.park.read(ask)
        path = [Point(*corner) for corner in corners]
        assert sum(distance_mm(hall, a, b) for a, b in pairwise(path)) == walk_mm
        xs = {stop_point(hall, pick.place).x_mm for pick in floor.walk(batch_id).picks}
        assert xs <= {point.x_mm for point in path}

    def test_it_may_be_planned_before_it_is_released(self, floor: Floor) -> None:
        place(floor.park, "A-1", (floor.tea, 1))
        allocate(floor.park, "A-1")
        (wave,) = floor.park.act(outbound.make_waves)
        problem = floor.park.read(lambda session: service.prepare_wave(session, floor.park.warehouse_id, wave))
        plan = service.solve(problem)
        with pytest.raises(Refused) as no:
            floor.park.act(lambda call: service.apply_plan(call, wave, plan))
        assert no.value.reason is Reason.WAVE_STATE_WRONG
        floor.park.act(lambda call: outbound.release_wave(call, wave))
        assert len(floor.park.act(lambda call: service.apply_plan(call, wave, plan)).batches) == 1

    def test_a_wave_is_planned_once(self, floor: Floor) -> None:
        wave = floor.release(("A-1", [(floor.tea, 1)]))
        floor.park.act(lambda call: service.plan_wave(call, wave))
        with pytest.raises(Refused) as no:
            floor.park.act(lambda call: service.plan_wave(call, wave))
        assert no.value.reason is Reason.WAVE_STATE_WRONG

    def test_an_order_cancelled_while_the_solver_ran_is_left_out(self, floor: Floor) -> None:
        wave = floor.release(("A-1", [(floor.tea, 1)]), ("A-2", [(floor.salt, 1)]))
        plan = service.solve(
            floor.park.read(lambda session: service.prepare_wave(session, floor.park.warehouse_id, wave))
        )
        cancel(floor.park, "A-2")
        planned = floor.park.act(lambda call: service.apply_plan(call, wave, plan))
        assert [tote.order_no for tote in floor.walk(planned.batches[0]).totes] == ["A-1"]

    def test_a_wave_whose_orders_were_all_cancelled_is_done(self, floor: Floor) -> None:
        wave = floor.release(("A-1", [(floor.tea, 1)]))
        cancel(floor.park, "A-1")
        assert floor.park.act(lambda call: service.plan_wave(call, wave)).batches == ()
        (found,) = floor.park.read(lambda session: outbound_queries.waves(session, floor.park.warehouse_id))
        assert found.state is WaveState.DONE

    def test_a_plan_for_other_promises_is_refused(self, floor: Floor) -> None:
        wave = floor.release(("A-1", [(floor.tea, 2)]))
        problem = floor.park.read(lambda session: service.prepare_wave(session, floor.park.warehouse_id, wave))
        (order_id,) = problem.goods
        older = replace(problem, goods={order_id: tuple(replace(each, quantity=1) for each in problem.goods[order_id])})
        with pytest.raises(Refused) as no:
            floor.park.act(lambda call: service.apply_plan(call, wave, service.solve(older)))
        assert no.value.reason is Reason.CHANGED_MEANWHILE

    def test_an_unknown_wave_is_refused(self, floor: Floor) -> None:
        with pytest.raises(Refused) as no:
            floor.park.act(lambda call: service.plan_wave(call, "W-0"))
        assert no.value.reason is Reason.WAVE_UNKNOWN

    def test_planning_moves_no_goods(self, floor: Floor) -> None:
        floor.batch(("A-1", [(floor.tea, 2)]))
        assert floor.on_hand(NEAR) == 10
        assert broken_promises(floor.park) == []
