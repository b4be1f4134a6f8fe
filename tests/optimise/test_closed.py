"""Halls with closed stretches: nothing walks there, and everything else is as short as it can be."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.optimise.oracles import random_hall, random_hub_hall, random_stops
from tests.optimise.test_routing_scattered import picked, shortest_by_trying_all_choices
from wms.optimise.batching import Cart, Order, plan_batches
from wms.optimise.batching.pricing import TourPricer
from wms.optimise.check import BatchProblem, RouteProblem, violations
from wms.optimise.geometry import (
    Closed,
    HallError,
    Point,
    RectHall,
    Stop,
    distance_mm,
    is_open,
    is_reachable,
    leg_mm,
    reachable_rows,
    stop_point,
    walk,
)
from wms.optimise.routing import Rules, plan_route
from wms.optimise.routing.graph import plan_ruled_route
from wms.optimise.routing.rect import frame
from wms.optimise.routing.scattered import Supply, plan_scattered_route
from wms.optimise.routing.simple import s_shape_path
from wms.optimise.twin import Stops, tour_lengths_mm

SEEDS = st.integers(0, 2**32)
HALL = RectHall((0, 3_000, 6_000), (0, 20_000, 40_000), Point(0, 0))


def shut(dice: random.Random, hall: RectHall) -> RectHall:
    """The hall with some stretches closed: parts of a block, across a cross aisle, whole aisles."""
    closed = []
    for _ in range(dice.randint(1, 3)):
        aisle = dice.randrange(len(hall.aisle_x_mm))
        if dice.random() < 0.3:
            closed.append(Closed(aisle, hall.cross_y_mm[0], hall.cross_y_mm[-1]))
            continue
        low, high = sorted(dice.sample(range(hall.cross_y_mm[0], hall.cross_y_mm[-1] + 1), 2))
        closed.append(Closed(aisle, low, high))
    return replace(hall, closed=tuple(closed))


def stops_in(dice: random.Random, hall: RectHall, count: int) -> list[Stop]:
    """Stops that can be reached, as walks on the graph of the open floor have it."""
    open_floor = replace(hall, closed=())
    found = [stop for stop in random_stops(dice, open_floor, 3 * count) if walk_by_graph(hall, stop) is not None]
    return found[:count]


def walk_by_graph(hall: RectHall, stop: Stop) -> int | None:
    """From the start to a stop over the graph of aisles and cross aisles without the closed arcs; None: no way."""
    open_floor, rules = replace(hall, closed=()), Rules(blocked=hall.closed)
    try:
        return plan_ruled_route(open_floor, [], hall.start_point, stop_point(hall, stop), rules, None).length_mm
    except HallError:
        return None


def whole(hall: RectHall) -> bool:
    """Whether the end can be reached, so that tours are possible at all."""
    rows = {hall.cross_y_mm[row] for row in reachable_rows(hall)}
    return hall.hub is not None or hall.end_point.y_mm in rows


@given(SEEDS)
@settings(max_examples=120, deadline=None)
def test_a_tour_around_closed_stretches_is_as_short_as_any_found_on_the_open_floor_s_graph(seed: int) -> None:
    dice = random.Random(seed)
    make = random_hub_hall if dice.random() < 0.2 else random_hall
    hall = shut(dice, make(dice, dice.randint(1, 3)))
    assume(whole(hall))
    stops = stops_in(dice, hall, 7)
    found = plan_route(hall, stops)
    rules = Rules(blocked=hall.closed)
    other = plan_ruled_route(replace(hall, closed=()), stops, hall.start_point, hall.end_point, rules, None)
    assert (found.length_mm, found.optimal) == (other.length_mm, True)
    assert violations(RouteProblem(hall, stops, hall.start_point, hall.end_point), found) == []
    assert TourPricer(frame(hall, hall.start_point, hall.end_point), [stops]).length([0]) == found.length_mm


@given(SEEDS)
@settings(max_examples=80, deadline=None)
def test_a_walk_between_two_places_goes_around_what_is_closed_and_no_further_than_needed(seed: int) -> None:
    dice = random.Random(seed)
    hall = shut(dice, random_hall(dice, dice.randint(1, 4)))
    for stop in random_stops(dice, replace(hall, closed=()), 6):
        length, place = walk_by_graph(hall, stop), stop_point(hall, stop)
        assert is_reachable(hall, stop) == (length is not None)
        if length is None:
            with pytest.raises(HallError, match="no walk leads"):
                walk(hall, hall.start_point, place)
            continue
        path = walk(hall, hall.start_point, place)
        assert (path[0], path[-1]) == (hall.start_point, place)
        assert all(is_open(hall, a, b) for a, b in pairwise(path))
        assert distance_mm(hall, hall.start_point, place) == sum(leg_mm(hall, a, b) for a, b in pairwise(path))
        assert distance_mm(hall, hall.start_point, place) == length


@pytest.mark.parametrize("seed", range(4))
def test_cells_and_tour_are_chosen_together_around_what_is_closed(seed: int) -> None:
    dice = random.Random(seed)
    hall = shut(dice, replace(random_hall(dice, 2), end=None))
    supplies = [Supply(dice.choice("abc"), stop, dice.randint(1, 2)) for stop in stops_in(dice, hall, 7)]
    needs = {supply.article: dice.randint(1, supply.quantity) for supply in supplies}
    found = plan_scattered_route(hall, supplies, needs)
    best = shortest_by_trying_all_choices(hall, supplies, needs)
    assert found.route.lower_bound_mm <= best <= found.route.length_mm
    assert picked(supplies, found) == needs


def test_a_plan_of_batches_keeps_out_of_what_is_closed() -> None:
    hall = replace(HALL, closed=(Closed(1, 5_000, 15_000), Closed(2, 20_000, 40_000)))
    dice = random.Random(5)
    orders = [
        Order(str(number), tuple(stops_in(dice, hall, dice.randint(1, 3)) or [Stop(0, 1_000)]), (1,))
        for number in range(30)
    ]
    carts = [Cart((4,))]
    *_, plan = plan_batches(orders, carts, hall)
    assert violations(BatchProblem(orders, carts, hall), plan) == []
    open_floor = replace(hall, closed=())
    *_, before = plan_batches(orders, carts, open_floor)
    told = violations(BatchProblem(orders, carts, hall), before)
    assert any("cannot walk straight" in each for each in told)


def test_only_the_inside_of_a_closed_stretch_is_out_of_reach() -> None:
    hall = replace(HALL, closed=(Closed(1, 5_000, 15_000), Closed(1, 17_000, 18_000)))
    reachable = {y: is_reachable(hall, Stop(1, y)) for y in (0, 5_000, 5_001, 14_999, 15_000, 17_500, 18_000, 20_000)}
    assert [y for y, yes in reachable.items() if yes] == [0, 5_000, 18_000, 20_000]  # 15 m lies between the two
    with pytest.raises(HallError, match="aisles are closed"):
        plan_route(hall, [Stop(1, 10_000)])


def test_a_detour_costs_what_it_costs() -> None:
    hall = replace(HALL, closed=(Closed(0, 0, 20_000),))
    assert distance_mm(HALL, Point(0, 0), Point(0, 30_000)) == 30_000
    assert walk(hall, Point(0, 0), Point(0, 30_000)) != (Point(0, 0), Point(0, 30_000))
    assert distance_mm(hall, Point(0, 0), Point(0, 30_000)) == 36_000


def test_the_s_shape_goes_around_too() -> None:
    hall = replace(HALL, closed=(Closed(0, 0, 20_000),))
    path = s_shape_path(hall, [Stop(0, 30_000), Stop(2, 5_000)])
    assert all(a.x_mm != 0 or b.x_mm != 0 or min(a.y_mm, b.y_mm) >= 20_000 or a == b for a, b in pairwise(path))


def test_a_stretch_that_is_none_is_refused() -> None:
    for wrong in (Closed(3, 0, 1_000), Closed(0, 1_000, 1_000)):
        with pytest.raises(HallError, match="no stretch of an aisle"):
            replace(HALL, closed=(wrong,))


def test_tours_side_by_side_are_of_the_hall_as_built() -> None:
    import numpy as np

    hall = replace(HALL, closed=(Closed(0, 0, 20_000),))
    one = np.array([0])
    with pytest.raises(HallError, match="as it was built"):
        tour_lengths_mm(hall, Stops(one, one, np.array([30_000]), 1))


def test_a_batch_is_priced_by_way_of_aisles_beyond_its_last_stop() -> None:
    hall = RectHall((0, 10_000, 11_000), (0, 20_000, 40_000), Point(10_000, 0), closed=(Closed(1, 0, 20_000),))
    stops = [Stop(1, 30_000)]
    found = plan_route(hall, stops)
    assert found.length_mm == 2 * (30_000 + 2 * 1_000)  # out and back by the third aisle, where nothing is picked
    assert TourPricer(frame(hall, hall.start_point, hall.end_point), [stops]).length([0]) == found.length_mm
