"""People in one aisle at a time, and an order of starting in which they meet less."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from tests.optimise.oracles import random_hall, random_stops
from wms.optimise import check
from wms.optimise.batching import BatchPlan, Cart, Objective, Order, plan_batches
from wms.optimise.batching.crowding import Crew, Tour, Turn, crowded_s, ordered, spread, stays
from wms.optimise.geometry import Point, RectHall, Stop
from wms.optimise.routing import plan_route

HALL = RectHall((0, 6_000, 12_000), (0, 12_000))
CREW = Crew(people=2, walk_mm_per_s=1_000, stop_s=10.0)


def tour(*stops: Stop, hall: RectHall = HALL, due_s: int | None = None) -> Tour:
    route = plan_route(hall, stops)
    path = tuple(corner for corner in route.path if isinstance(corner, Point))
    return Tour(path, tuple(stops[index] for index in route.sequence), due_s)


def seen_s(hall: RectHall, tours: list[Tour], crew: Crew) -> float:
    """As the judge counts, who shares nothing with the planner."""
    pairs = [(one.path, one.stops) for one in tours]
    return check.crowded_s(check.CrowdProblem(hall, pairs, crew.people, crew.walk_mm_per_s, crew.stop_s, crew.setup_s))


LEFT, RIGHT = tour(Stop(0, 6_000)), tour(Stop(2, 6_000))


def test_a_tour_is_in_an_aisle_while_it_walks_and_stands_there() -> None:
    found, length_s = stays(HALL, RIGHT, CREW)
    assert [tuple(stay) for stay in found] == [(2, 12.0, 34.0)]  # 6 s in, 10 s at the stop, 6 s out
    assert length_s == 46.0


def test_two_in_one_aisle_are_in_the_way_as_long_as_both_are_there() -> None:
    assert crowded_s(HALL, [LEFT, LEFT], CREW) == 22
    assert crowded_s(HALL, [LEFT, RIGHT], CREW) == 0
    assert crowded_s(HALL, [LEFT, LEFT, LEFT], replace(CREW, people=3)) == 44
    assert crowded_s(HALL, [LEFT, LEFT], replace(CREW, people=1)) == 0


def test_those_who_would_meet_do_not_begin_together() -> None:
    tours = [LEFT, LEFT, RIGHT, RIGHT]
    assert crowded_s(HALL, tours, CREW) > 0
    turns = spread(HALL, tours, CREW)
    assert sorted(turn.tour for turn in turns) == [0, 1, 2, 3]
    assert crowded_s(HALL, ordered(tours, turns), CREW) == 0


def test_a_tour_is_walked_the_other_way_round_to_meet_nobody() -> None:
    around = tour(Stop(0, 6_000), Stop(2, 6_000))
    turns = spread(HALL, [around, around], CREW)
    assert {turn.turned for turn in turns} == {False, True}
    assert crowded_s(HALL, ordered([around, around], turns), CREW) < crowded_s(HALL, [around, around], CREW)


def test_a_walk_that_ends_elsewhere_is_never_turned() -> None:
    one_way = Tour((Point(0, 0), Point(0, 12_000)), (Stop(0, 6_000),))
    assert not any(turn.turned for turn in spread(HALL, [one_way, one_way, RIGHT], CREW))


def test_what_is_due_sooner_is_never_begun_later() -> None:
    tours = [replace(one, due_s=due) for due in (100, 200) for one in (LEFT, LEFT, RIGHT, RIGHT)]
    dues = [tours[turn.tour].due_s for turn in spread(HALL, tours, CREW)]
    assert dues == sorted(dues)  # type: ignore[type-var]


def test_where_nothing_is_gained_everything_stays() -> None:
    assert spread(HALL, [LEFT, RIGHT], CREW) == [Turn(0, turned=False), Turn(1, turned=False)]
    alone = replace(CREW, people=1)
    assert spread(HALL, [LEFT, LEFT], alone) == [Turn(0, turned=False), Turn(1, turned=False)]


@pytest.mark.parametrize("seed", range(12))
def test_the_judge_counts_the_same_and_spreading_never_crowds(seed: int) -> None:
    dice = random.Random(seed)
    hall = random_hall(dice, dice.randint(1, 3))
    hall = RectHall(hall.aisle_x_mm, hall.cross_y_mm, hall.depot)
    crew = Crew(dice.randint(2, 5), dice.randint(1, 9), dice.choice([0.0, 2.5, 9.0]), dice.choice([0.0, 30.0]))
    tours = [tour(*random_stops(dice, hall, dice.randint(1, 6)), hall=hall) for _ in range(14)]
    turns = spread(hall, tours, crew)
    after = ordered(tours, turns)
    assert sorted(turn.tour for turn in turns) == list(range(14))
    for some in (tours, after):
        assert abs(crowded_s(hall, some, crew) - seen_s(hall, some, crew)) <= 1
    assert crowded_s(hall, after, crew) <= crowded_s(hall, tours, crew)


class TestInPlans:
    orders = tuple(Order(str(number), (Stop(number // 2 * 2, 6_000),), (1,)) for number in range(4))
    objective = Objective(stop_s=10.0, walk_mm_per_s=1_000, pickers=2, crowd_mm_per_s=500)

    def plan(self, objective: Objective) -> BatchPlan:
        return [*plan_batches(self.orders, [Cart((1,))], HALL, objective)][-1]

    def test_crowding_is_part_of_what_a_plan_costs(self) -> None:
        plain, spread_out = self.plan(replace(self.objective, crowd_mm_per_s=0)), self.plan(self.objective)
        assert [batch.order_ids for batch in plain.batches] == [("0",), ("1",), ("2",), ("3",)]
        assert spread_out.crowded_s == 0
        assert spread_out.length_mm == spread_out.cost_mm == plain.length_mm
        problem = check.BatchProblem(self.orders, [Cart((1,))], HALL, objective=self.objective)
        assert check.violations(problem, spread_out) == []
        crowded = replace(spread_out, batches=plain.batches)
        assert any("in each other's way" in one for one in check.violations(problem, crowded))

    def test_what_was_released_keeps_its_place(self) -> None:
        found = [*plan_batches(self.orders, [Cart((1,))], HALL, self.objective, frozen=[["1"], ["0"]])][-1]
        assert [batch.order_ids for batch in found.batches[:2]] == [("1",), ("0",)]
        assert found.crowded_s == 44
