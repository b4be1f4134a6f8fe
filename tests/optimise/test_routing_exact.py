"""Tours in rectangular halls are shortest, walkable and complete."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.optimise.oracles import random_hall, random_hub_hall, random_stops, shortest_by_trying_all
from wms.optimise.check import RouteProblem, violations
from wms.optimise.geometry import (
    HallError,
    Point,
    RectHall,
    Stop,
    distance_mm,
    is_walkable,
    path_length_mm,
    stop_point,
)
from wms.optimise.routing import (
    largest_gap_length_mm,
    nearest_next_length_mm,
    plan_route,
    plan_routes,
    s_shape_length_mm,
)
from wms.optimise.routing.route import Route
from wms.optimise.routing.states import state_tables

SEEDS = st.integers(0, 2**32)


def walked(hall: RectHall, stops: list[Stop], route: Route) -> int:
    """Length of visiting the stops in the route's sequence by shortest walks."""
    places = [hall.start_point, *(stop_point(hall, stops[index]) for index in route.sequence), hall.end_point]
    return sum(distance_mm(hall, a, b) for a, b in pairwise(places))


@pytest.mark.parametrize("blocks", [1, 2, 3, 4])
def test_no_order_of_visits_is_shorter_than_the_route(blocks: int) -> None:
    dice = random.Random(blocks)
    for _ in range(150):
        hall = random_hall(dice, blocks)
        stops = random_stops(dice, hall, dice.randint(0, 6))
        route = plan_route(hall, stops)
        assert route.length_mm == shortest_by_trying_all(hall, stops, hall.start_point, hall.end_point), (hall, stops)
        assert walked(hall, stops, route) == route.length_mm == route.lower_bound_mm
        assert route.optimal


@pytest.mark.parametrize("blocks", [1, 2, 3])
def test_a_depot_on_open_floor_is_left_by_the_best_spokes(blocks: int) -> None:
    dice = random.Random(blocks)
    for _ in range(80):
        hall = random_hub_hall(dice, blocks)
        stops = random_stops(dice, hall, dice.randint(0, 6))
        route = plan_route(hall, stops)
        assert route.length_mm == shortest_by_trying_all(hall, stops, hall.start_point, hall.end_point), (hall, stops)
        assert violations(RouteProblem(hall, stops, hall.start_point, hall.end_point), route) == []


@given(SEEDS)
@settings(max_examples=150, deadline=None)
def test_the_path_is_walkable_as_long_as_said_and_passes_every_stop(seed: int) -> None:
    dice = random.Random(seed)
    hall = random_hall(dice, dice.randint(1, 4))
    stops = random_stops(dice, hall, dice.randint(0, 12))
    route = plan_route(hall, stops)
    corners = [Point(*corner) for corner in route.path]
    assert sorted(route.sequence) == list(range(len(stops)))
    assert (corners[0], corners[-1]) == (hall.start_point, hall.end_point)
    assert path_length_mm(tuple(corners)) == route.length_mm
    assert all(a.x_mm == b.x_mm or a.y_mm == b.y_mm for a, b in pairwise(corners))
    assert all(is_walkable(hall, corner) for corner in corners)
    assert all(distance_mm(hall, a, b) == path_length_mm((a, b)) for a, b in pairwise(corners))


@given(SEEDS)
@settings(max_examples=40, deadline=None)
def test_many_tours_solved_together_are_each_the_shortest(seed: int) -> None:
    dice = random.Random(seed)
    hall = (random_hub_hall if dice.random() < 0.3 else random_hall)(dice, dice.randint(1, 3))
    tours = [random_stops(dice, hall, dice.randint(0, 9)) for _ in range(12)]
    for stops, route in zip(tours, plan_routes(hall, tours), strict=True):
        assert route.length_mm == plan_route(hall, stops).length_mm
        assert violations(RouteProblem(hall, stops, hall.start_point, hall.end_point), route) == []


@given(SEEDS)
@settings(max_examples=100, deadline=None)
def test_another_stop_never_shortens_the_tour(seed: int) -> None:
    dice = random.Random(seed)
    hall = random_hall(dice, dice.randint(1, 3))
    stops = random_stops(dice, hall, dice.randint(1, 10))
    assert plan_route(hall, stops[:-1]).length_mm <= plan_route(hall, stops).length_mm


@given(SEEDS)
@settings(max_examples=100, deadline=None)
def test_a_mirrored_hall_has_tours_of_the_same_length(seed: int) -> None:
    dice = random.Random(seed)
    hall = random_hall(dice, dice.randint(1, 4))
    stops = random_stops(dice, hall, dice.randint(0, 15))
    assert plan_route(*mirrored(hall, stops)).length_mm == plan_route(hall, stops).length_mm


def mirrored(hall: RectHall, stops: list[Stop]) -> tuple[RectHall, list[Stop]]:
    """Left becomes right and front becomes back."""

    def turned(place: Point | None) -> Point | None:
        return place and Point(-place.x_mm, -place.y_mm)

    aisles = tuple(-x for x in reversed(hall.aisle_x_mm))
    crosses = tuple(-y for y in reversed(hall.cross_y_mm))
    last = len(aisles) - 1
    return RectHall(aisles, crosses, turned(hall.depot), turned(hall.end)), [
        Stop(last - stop.aisle, -stop.y_mm) for stop in stops
    ]


@given(SEEDS)
@settings(max_examples=100, deadline=None)
def test_no_rule_of_thumb_beats_the_exact_tour(seed: int) -> None:
    dice = random.Random(seed)
    hall = random_hall(dice, dice.randint(1, 4))
    stops = random_stops(dice, hall, dice.randint(1, 15))
    depot = hall.start_point
    shortest = plan_route(hall, stops, start=depot).length_mm
    assert shortest <= s_shape_length_mm(hall, stops, depot)
    assert shortest <= largest_gap_length_mm(hall, stops, depot)
    assert shortest <= nearest_next_length_mm(hall, stops, depot)


def test_without_stops_one_stays_at_the_depot() -> None:
    route = plan_route(RectHall((0, 3_000), (0, 20_000)), [])
    assert (route.length_mm, route.sequence, route.path) == (0, (), (Point(0, 0),))


def test_without_stops_one_walks_through_the_nearer_aisle_to_another_end() -> None:
    hall = RectHall((0, 3_000), (0, 20_000), depot=Point(1_000, 0), end=Point(2_000, 20_000))
    assert plan_route(hall, []).length_mm == 23_000


def test_the_s_shape_of_three_aisles_turns_round_in_the_last() -> None:
    hall = RectHall((0, 5, 10), (0, 100))
    stops = [Stop(0, 30), Stop(1, 60), Stop(2, 40)]
    assert s_shape_length_mm(hall, stops) == 100 + 5 + 100 + 5 + 40 + 40 + 10


def test_the_largest_gap_is_left_out_of_the_middle_aisle() -> None:
    hall = RectHall((0, 5, 10), (0, 100))
    stops = [Stop(0, 30), Stop(1, 10), Stop(1, 90), Stop(2, 40)]
    assert largest_gap_length_mm(hall, stops) == 100 + 100 + 2 * 10 + 2 * 10 + 2 * 10


@pytest.mark.parametrize(("rows", "states"), [(2, 7), (3, 25), (4, 113), (5, 569)])
def test_the_states_are_those_of_the_literature_and_the_beginning(rows: int, states: int) -> None:
    assert state_tables(rows, open_tour=False).count == states


@pytest.mark.parametrize(
    ("stops", "start"),
    [([Stop(2, 5)], None), ([Stop(0, 101)], None), ([Stop(-1, 5)], None), ([], Point(3, 7)), ([], Point(6, 0))],
)
def test_places_outside_the_hall_are_refused(stops: list[Stop], start: Point | None) -> None:
    with pytest.raises(HallError):
        plan_route(RectHall((0, 5), (0, 100)), stops, start=start)


@pytest.mark.parametrize(
    ("aisles", "crosses"), [((), (0, 1)), ((0,), (0,)), ((3, 3), (0, 1)), ((0, 1), (5, 4)), ((0.5, 1), (0, 1))]
)
def test_halls_that_cannot_be_drawn_are_refused(aisles: tuple[int, ...], crosses: tuple[int, ...]) -> None:
    with pytest.raises(HallError):
        RectHall(aisles, crosses)
