"""Batches: every order once, no cart overloaded, every length an exact tour's, and better with time."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from itertools import combinations, count, pairwise

import numpy as np
import pytest

from tests.optimise.oracles import random_hall, random_stops
from wms.optimise.batching import Batch, BatchingError, BatchLimits, BatchPlan, Cart, Objective, Order, plan_batches
from wms.optimise.batching.every import every_batch
from wms.optimise.batching.greedy import first_come_first_served
from wms.optimise.batching.loads import Loads
from wms.optimise.batching.pricing import TourPricer
from wms.optimise.check import BatchProblem, RouteProblem, violations
from wms.optimise.geometry import Point, RectHall, Stop
from wms.optimise.routing import plan_route
from wms.optimise.routing.rect import frame

FEW = BatchLimits(rounds=2)
HALL = RectHall(tuple(range(0, 40, 5)), (0, 30, 60), depot=Point(7, 0))


def some_orders(seed: int, count: int, hall: RectHall = HALL) -> list[Order]:
    dice = random.Random(seed)
    return [
        Order(
            f"O{number}", tuple(random_stops(dice, hall, dice.randint(1, 4))), (dice.randint(1, 9), dice.randint(0, 3))
        )
        for number in range(count)
    ]


def test_plans_by_column_generation_are_better_than_by_shift_and_swap_alone() -> None:
    orders, carts = some_orders(11, 24), [Cart((20, 9))]
    plans = list(plan_batches(orders, carts, HALL, limits=BatchLimits(rounds=2)))
    assert plans[-1].method == "column generation"
    assert violations(BatchProblem(orders, carts, HALL), plans[-1]) == []


def last(plans: Iterator[BatchPlan]) -> BatchPlan:
    return list(plans)[-1]


@pytest.mark.parametrize("blocks", [1, 2, 3])
def test_sets_priced_together_cost_what_each_exact_tour_costs(blocks: int) -> None:
    dice = random.Random(blocks)
    for _ in range(20):
        hall = random_hall(dice, blocks)
        orders = [random_stops(dice, hall, dice.randint(0, 5)) for _ in range(8)]
        tours = TourPricer(frame(hall, hall.start_point, hall.end_point), orders)
        sets = [frozenset(dice.sample(range(8), dice.randint(1, 5))) for _ in range(20)]
        exact = [plan_route(hall, [stop for order in one for stop in orders[order]]).length_mm for one in sets]
        assert tours.lengths(sets) == exact


def test_cells_with_very_many_positions_are_priced_exactly_too() -> None:
    dice = random.Random(4)
    hall = RectHall((0, 5), (0, 400, 500))
    orders = [[Stop(dice.randint(0, 1), dice.randint(0, 500)) for _ in range(9)] for _ in range(60)]
    tours = TourPricer(frame(hall, hall.start_point, hall.end_point), orders)
    sets = [frozenset(dice.sample(range(60), 2)) for _ in range(30)]
    exact = [plan_route(hall, [stop for order in one for stop in orders[order]]).length_mm for one in sets]
    assert tours.lengths(sets) == exact


def test_every_batch_is_known_where_they_are_few() -> None:
    orders = [replace(order, mix=str(number % 2)) for number, order in enumerate(some_orders(14, 9))]
    loads = Loads(orders, [Cart((12, 5)), Cart((9, 7))])
    chosen = np.array([1, 2, 3, 5, 6, 7, 8])
    found = [tuple(chosen[row].tolist()) for rows in every_batch(chosen, loads, 1_000, lambda: False) for row in rows]
    wanted = [one for size in range(1, 8) for one in combinations(chosen.tolist(), size) if loads.may_ride(one)]
    assert sorted(found) == sorted(wanted)
    assert every_batch(chosen, loads, len(wanted) - 1, lambda: False) == []


def test_a_small_wave_is_planned_as_well_as_can_be() -> None:
    orders = some_orders(2, 8)
    plan = last(plan_batches(orders, [Cart((15, 9))], HALL, limits=BatchLimits(rounds=20)))
    assert plan.length_mm == best_of_all_plans(orders, 15, 9)


def test_no_solver_is_loaded_before_columns_are_asked_for() -> None:
    code = (
        "import sys; from wms.optimise.batching import *; from wms.optimise.geometry import *; "
        "hall = RectHall((0, 5), (0, 30)); orders = [Order(str(k), (Stop(k % 2, k),), (1,)) for k in range(9)]; "
        "list(plan_batches(orders, [Cart((3,))], hall)); sys.exit('ortools' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=120).returncode == 0


def test_every_plan_on_the_way_may_be_used_and_each_is_better() -> None:
    orders, carts = some_orders(1, 24), [Cart((25, 8))]
    plans = list(plan_batches(orders, carts, HALL, limits=FEW))
    assert len(plans) >= 2
    for plan in plans:
        assert violations(BatchProblem(orders, carts, HALL), plan) == []
    assert all(b.cost_mm < a.cost_mm for a, b in pairwise(plans))


def test_a_small_problem_comes_close_to_the_best_of_all_plans() -> None:
    for seed in range(6):
        orders = some_orders(seed, 7)
        plan = last(plan_batches(orders, [Cart((15, 9))], HALL, limits=BatchLimits(rounds=3)))
        best = best_of_all_plans(orders, 15, 9)
        assert plan.lower_bound_mm <= best <= plan.length_mm <= 1.01 * best


def best_of_all_plans(orders: list[Order], weight: int, volume: int) -> int:
    """The cheapest way to part the orders, by trying every first batch of every rest."""

    @cache
    def best(rest: tuple[int, ...]) -> int:
        if not rest:
            return 0
        found = []
        for size in range(len(rest)):
            for others in combinations(rest[1:], size):
                batch = [orders[number] for number in (rest[0], *others)]
                if sum(o.load[0] for o in batch) <= weight and sum(o.load[1] for o in batch) <= volume:
                    length = plan_route(HALL, [stop for order in batch for stop in order.stops]).length_mm
                    found.append(length + best(tuple(n for n in rest[1:] if n not in others)))
        return min(found)

    return best(tuple(range(len(orders))))


def test_the_same_call_gives_the_same_plans() -> None:
    orders = some_orders(3, 15)
    first, second = (list(plan_batches(orders, [Cart((25,))], HALL)) for _ in range(2))
    assert first == second


def test_orders_that_must_not_mix_ride_apart() -> None:
    orders = [
        replace(order, mix="food" if number % 2 else "chemicals") for number, order in enumerate(some_orders(4, 14))
    ]
    plan = last(plan_batches(orders, [Cart((40, 40))], HALL))
    kinds = {order.order_id: order.mix for order in orders}
    assert all(len({kinds[order_id] for order_id in batch.order_ids}) == 1 for batch in plan.batches)


def test_a_released_batch_stays_as_it_is_in_front() -> None:
    orders, carts, frozen = some_orders(5, 12), [Cart((20, 20))], [("O3", "O7")]
    for plan in plan_batches(orders, carts, HALL, frozen=frozen):
        assert plan.batches[0].order_ids == ("O3", "O7")
        assert violations(BatchProblem(orders, carts, HALL, frozen), plan) == []


def test_batches_due_early_are_started_first() -> None:
    orders = [replace(order, due_s=(7 * number) % 10 * 60) for number, order in enumerate(some_orders(6, 12))]
    plan = last(plan_batches(orders, [Cart((20, 20))], HALL))
    dues = [batch.due_s for batch in plan.batches if batch.due_s is not None]
    assert dues == sorted(dues)
    assert len(dues) == len(plan.batches)


def test_lateness_is_worth_a_longer_walk_when_it_costs_more() -> None:
    orders = [
        Order("near and urgent", (Stop(0, 5),), (1,), due_s=40),
        Order("far and late", (Stop(7, 59),), (1,), due_s=10_000),
    ]
    objective = Objective(walk_mm_per_s=1, late_mm_per_s=100)
    plan = last(plan_batches(orders, [Cart((2,))], HALL, objective))
    assert [batch.order_ids for batch in plan.batches] == [("near and urgent",), ("far and late",)]
    assert len(last(plan_batches(orders, [Cart((2,))], HALL, replace(objective, late_mm_per_s=0))).batches) == 1


def as_they_come(orders: list[Order], carts: list[Cart]) -> int:
    """Length of the exact tours of batches filled in the order of arrival."""
    loads = Loads(orders, carts)
    tours = TourPricer(frame(HALL, HALL.start_point, HALL.end_point), [order.stops for order in orders])
    return sum(tours.lengths(first_come_first_served(loads)))


def test_many_orders_ride_with_those_that_walk_to_the_same_parts() -> None:
    orders, carts = some_orders(10, 220), [Cart((25, 9))]
    plans = list(plan_batches(orders, carts, HALL, limits=BatchLimits(rounds=1)))
    assert plans[0].length_mm < 0.75 * as_they_come(orders, carts)
    assert plans[-1].length_mm < 0.97 * plans[0].length_mm
    for plan in plans:
        assert violations(BatchProblem(orders, carts, HALL), plan) == []


@pytest.mark.parametrize("many", [False, True])
def test_new_orders_come_to_an_earlier_plan_whose_batches_stay(many: bool) -> None:
    everything, carts = some_orders(12, 200 if many else 40), [Cart((25, 9))]
    first = last(plan_batches(everything[:-10], carts, HALL, limits=BatchLimits(rounds=1)))
    gone = set(first.batches[0].order_ids)
    orders = [order for order in everything if order.order_id not in gone]
    plan = next(plan_batches(orders, carts, HALL, begin_with=first))
    assert violations(BatchProblem(orders, carts, HALL), plan) == []
    kept = [frozenset(batch.order_ids) for batch in first.batches[1:]]
    assert all(any(one <= set(batch.order_ids) for batch in plan.batches) for one in kept)


def test_a_batch_of_an_earlier_plan_that_no_cart_carries_any_more_is_made_anew() -> None:
    orders = some_orders(13, 40)
    first = last(plan_batches(orders, [Cart((40, 20))], HALL))
    plan = next(plan_batches(orders, [Cart((15, 9))], HALL, begin_with=first))
    assert violations(BatchProblem(orders, [Cart((15, 9))], HALL), plan) == []


def test_a_cancelled_search_still_gives_the_first_plan() -> None:
    orders, carts = some_orders(7, 20), [Cart((25, 9))]
    plans = list(plan_batches(orders, carts, HALL, cancel=lambda: True))
    assert len(plans) == 1
    assert violations(BatchProblem(orders, carts, HALL), plans[0]) == []


@pytest.mark.parametrize("asked", range(1, 40, 3))
def test_whenever_it_is_cancelled_the_plan_is_sound_and_little_more_is_done(asked: int) -> None:
    orders, carts = some_orders(7, 20), [Cart((25, 9))]
    asks = count(1)
    later = []

    def cancel() -> bool:
        number = next(asks)
        later.append(number > asked)
        return number > asked

    plans = list(plan_batches(orders, carts, HALL, limits=BatchLimits(rounds=50), cancel=cancel))
    assert all(violations(BatchProblem(orders, carts, HALL), plan) == [] for plan in plans)
    assert 1 <= sum(later) <= 6, "each stage asks once and leaves it at that"


def test_joining_by_savings_asks_whether_it_is_cancelled_at_each_order_and_each_step() -> None:
    orders, carts = some_orders(7, 20), [Cart((25, 9))]
    asks = count()
    plans = plan_batches(orders, carts, HALL, limits=BatchLimits(rounds=1), cancel=lambda: next(asks) < 0)
    next(plans)
    next(plans)
    assert next(asks) > len(orders)


def test_a_bigger_cart_is_used_when_one_of_several_kinds_is_enough() -> None:
    orders = [Order("A", (Stop(0, 20),), (10,)), Order("B", (Stop(0, 25),), (10,))]
    plan = last(plan_batches(orders, [Cart((12,)), Cart((20,))], HALL))
    assert len(plan.batches) == 1


def test_a_start_per_batch_counts_in_the_cost() -> None:
    orders = [Order("A", (Stop(0, 20),), (1,)), Order("B", (Stop(7, 20),), (1,))]
    plan = last(plan_batches(orders, [Cart((2,))], HALL, Objective(setup_mm_per_batch=1_000)))
    assert plan.cost_mm == plan.length_mm + 1_000


@pytest.mark.parametrize(
    ("orders", "carts", "named"),
    [
        ([Order("A", (), (9,))], [Cart((8,))], "order A fits no cart"),
        ([Order("A", (), (1,)), Order("A", (), (1,))], [Cart((8,))], "order A is given twice"),
        ([Order("A", (), (-1,))], [Cart((8,))], "order A has a negative load"),
        ([], [], "no cart"),
    ],
)
def test_what_no_plan_satisfies_is_named(orders: list[Order], carts: list[Cart], named: str) -> None:
    with pytest.raises(BatchingError, match=named):
        next(plan_batches(orders, carts, HALL))


def test_no_orders_make_an_empty_plan() -> None:
    assert last(plan_batches([], [Cart((1,))], HALL)).batches == ()


def test_only_the_first_plan_comes_when_no_rounds_are_allowed() -> None:
    assert len(list(plan_batches(some_orders(8, 10), [Cart((25, 9))], HALL, limits=BatchLimits(rounds=0)))) == 1


class TestTheCheckerSees:
    """Each promise is broken once on purpose."""

    orders = some_orders(9, 6)
    carts = (Cart((20, 20)),)
    problem = BatchProblem(orders, carts, HALL)

    def plan(self) -> BatchPlan:
        return last(plan_batches(self.orders, self.carts, HALL))

    def complaints(self, *batches: Batch) -> str:
        plan = BatchPlan(batches, sum(batch.length_mm for batch in batches))
        return " / ".join(violations(self.problem, plan))

    def test_a_missing_order(self) -> None:
        assert "is in no batch" in self.complaints(*self.plan().batches[1:])

    def test_an_order_batched_twice(self) -> None:
        assert "is in 2 batches" in self.complaints(*self.plan().batches, self.plan().batches[0])

    def test_an_overloaded_cart(self) -> None:
        stops = [stop for order in self.orders for stop in order.stops]
        route = plan_route(HALL, stops)
        everything = Batch(tuple(order.order_id for order in self.orders), route, route.length_mm)
        assert "fits no cart" in self.complaints(everything)

    def test_a_length_that_is_not_the_walk(self) -> None:
        first, *rest = self.plan().batches
        assert "mm long" in self.complaints(replace(first, route=replace(first.route, length_mm=1), length_mm=1), *rest)

    def test_a_path_through_the_racks(self) -> None:
        stops = [Stop(0, 20), Stop(1, 20)]
        route = plan_route(HALL, stops)
        shortcut = replace(route, path=(Point(7, 0), Point(0, 0), Point(0, 20), Point(5, 20), Point(5, 0), Point(7, 0)))
        found = violations(RouteProblem(HALL, stops, HALL.start_point, HALL.end_point), shortcut)
        assert any("one cannot walk" in complaint for complaint in found)

    def test_a_sequence_the_path_does_not_follow(self) -> None:
        stops = [Stop(0, 10), Stop(0, 20), Stop(5, 5)]  # the far aisle between the two of one aisle: nobody walks so
        route = plan_route(HALL, stops)
        twisted = replace(route, sequence=(0, 2, 1))
        assert violations(RouteProblem(HALL, stops, HALL.start_point, HALL.end_point), route) == []
        assert violations(RouteProblem(HALL, stops, HALL.start_point, HALL.end_point), twisted) != []
