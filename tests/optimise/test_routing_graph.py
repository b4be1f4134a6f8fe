"""Routes over any walkable map, and rules about order and direction."""

from __future__ import annotations

import random
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.optimise.oracles import cheapest_cycle, random_hall, random_stops
from wms.optimise.check import RouteProblem, violations
from wms.optimise.geometry import GraphEdge, GraphHall, HallError, Point, RectHall, Stop, distance_mm, stop_point
from wms.optimise.routing import Limits, Rules, plan_graph_route, plan_route
from wms.optimise.routing.directed import best_order, nearest_next, order_length
from wms.optimise.routing.graph import plan_ruled_route
from wms.optimise.routing.network import Network

SEEDS = st.integers(0, 2**32)


def random_graph(dice: random.Random, size: int) -> GraphHall:
    """A ring, so that every place is reached, with shortcuts, half of all ways one-way."""
    names = [f"n{number}" for number in range(size)]
    ring = list(pairwise([*names, names[0]]))
    extra = [(a, b) for a, b in (dice.sample(names, 2) for _ in range(size))]
    edges = tuple(GraphEdge(a, b, dice.randint(1, 30), dice.random() < 0.5) for a, b in ring + extra)
    return GraphHall(edges, "n0", dice.choice([None, *names]))


def table_by_floyd_and_warshall(hall: GraphHall, names: list[str]) -> list[list[int]]:
    nodes = sorted(hall.nodes)
    far = 10**9
    table = {a: {b: 0 if a == b else far for b in nodes} for a in nodes}
    for edge in hall.edges:
        table[edge.a][edge.b] = min(table[edge.a][edge.b], edge.length_mm)
        if not edge.oneway:
            table[edge.b][edge.a] = min(table[edge.b][edge.a], edge.length_mm)
    for over in nodes:
        for a in nodes:
            for b in nodes:
                table[a][b] = min(table[a][b], table[a][over] + table[over][b])
    return [[table[a][b] for b in names] for a in names]


def length_of(hall: GraphHall, path: tuple[str, ...]) -> int:
    """Length of a path whose every step is an edge of the graph."""
    steps: dict[tuple[str, str], int] = {}
    for edge in hall.edges:
        for step in [(edge.a, edge.b)] if edge.oneway else [(edge.a, edge.b), (edge.b, edge.a)]:
            steps[step] = min(edge.length_mm, steps.get(step, edge.length_mm))
    return sum(steps[step] for step in pairwise(path))


@given(SEEDS)
@settings(max_examples=80, deadline=None)
def test_up_to_six_stops_no_order_is_shorter(seed: int) -> None:
    dice = random.Random(seed)
    hall = random_graph(dice, dice.randint(3, 12))
    stops = dice.choices(sorted(hall.nodes), k=dice.randint(0, 6))
    route = plan_graph_route(hall, stops)
    end = hall.end or hall.depot
    table = table_by_floyd_and_warshall(hall, [hall.depot, *stops, end])
    assert route.optimal
    assert route.length_mm == cheapest_cycle(table)
    assert sorted(route.sequence) == list(range(len(stops)))
    path = tuple(map(str, route.path))
    assert (path[0], path[-1], length_of(hall, path)) == (hall.depot, end, route.length_mm)


def test_the_search_finds_what_the_exact_method_proves() -> None:
    dice = random.Random(1)
    hall = RectHall(tuple(range(0, 30_000, 3_000)), (0, 20_000, 40_000))
    for _ in range(3):
        stops = random_stops(dice, hall, 20)
        found = plan_ruled_route(hall, stops, hall.start_point, hall.end_point, Rules(), None)
        exact = plan_route(hall, stops)
        assert exact.length_mm == found.lower_bound_mm <= found.length_mm <= 1.02 * exact.length_mm
        assert violations(RouteProblem(hall, stops, hall.start_point, hall.end_point), found) == []


@pytest.mark.parametrize("places", [13, 40])
def test_a_search_is_never_worse_than_going_to_the_nearest_next(places: int) -> None:
    distance = np.random.default_rng(places).integers(1, 1_000, (places + 1, places + 1))
    best = best_order(distance, Limits(rounds=5))
    assert sorted(best.order) == list(range(places))
    assert best.length == order_length(distance, best.order) <= order_length(distance, nearest_next(distance))


def test_a_search_that_is_told_to_stop_still_has_a_route() -> None:
    distance = np.random.default_rng(1).integers(1, 1_000, (31, 31))
    assert sorted(best_order(distance, Limits(stop=lambda: True)).order) == list(range(30))


def test_the_same_seed_finds_the_same_order() -> None:
    distance = np.random.default_rng(2).integers(1, 1_000, (31, 31))
    first, second = (best_order(distance, Limits(rounds=20, seed=7)) for _ in range(2))
    assert first == second


def test_an_unknown_stop_is_named() -> None:
    hall = GraphHall((GraphEdge("a", "b", 1),), "a")
    with pytest.raises(HallError, match="unknown node c"):
        plan_graph_route(hall, ["c"])


def test_a_place_behind_a_one_way_is_named() -> None:
    hall = GraphHall((GraphEdge("a", "b", 1), GraphEdge("b", "c", 1, oneway=True)), "a")
    with pytest.raises(HallError, match="a cannot be reached from c"):
        plan_graph_route(hall, ["c"])


def test_taking_places_out_changes_no_distance() -> None:
    dice = random.Random(3)
    for _ in range(20):
        hall = random_graph(dice, 20)
        arcs = [(e.a, e.b, e.length_mm) for e in hall.edges]
        whole, reduced = Network(arcs), Network(arcs)
        kept = dice.sample(sorted(hall.nodes), 5)
        reduced.reduce_to(set(kept))
        for start in kept:
            before, after = whole.from_one(start, kept)[0], reduced.from_one(start, kept)[0]
            assert [before.get(place) for place in kept] == [after.get(place) for place in kept]


@given(SEEDS)
@settings(max_examples=30, deadline=None)
def test_heavy_stops_come_before_fragile_ones(seed: int) -> None:
    dice = random.Random(seed)
    hall = random_hall(dice, dice.randint(1, 3))
    stops = random_stops(dice, hall, dice.randint(1, 16))
    rank = tuple(dice.randint(0, 2) for _ in stops)
    route = plan_route(hall, stops, rules=Rules(rank=rank), limits=Limits(rounds=20))
    assert [rank[index] for index in route.sequence] == sorted(rank)
    assert violations(RouteProblem(hall, stops, hall.start_point, hall.end_point), route) == []


def test_a_one_way_aisle_is_walked_only_in_its_direction() -> None:
    hall = RectHall((0, 10), (0, 100))
    route = plan_route(hall, [Stop(0, 10)], rules=Rules(one_way=((0, +1),)))
    assert route.length_mm == 100 + 10 + 100 + 10
    assert route.path == (Point(0, 0), Point(0, 100), Point(10, 100), Point(10, 0), Point(0, 0))


def test_a_blocked_aisle_is_entered_from_the_other_side() -> None:
    hall = RectHall((0, 10), (0, 100))
    route = plan_route(hall, [Stop(0, 50)], rules=Rules(blocked=((0, 20, 40),)))
    assert route.length_mm == 2 * (10 + 100 + 10 + 50)


def test_a_stop_inside_a_blocked_part_is_refused() -> None:
    with pytest.raises(HallError, match="cannot be reached"):
        plan_route(RectHall((0, 10), (0, 100)), [Stop(0, 50)], rules=Rules(blocked=((0, 40, 60),)))


def test_six_blocks_are_walked_too() -> None:
    hall = RectHall((0, 10, 20), tuple(range(0, 700, 100)))
    stops = [Stop(aisle, y) for aisle in range(3) for y in range(50, 600, 150)]
    route = plan_route(hall, stops)
    assert violations(RouteProblem(hall, stops, hall.start_point, hall.end_point), route) == []


@given(SEEDS)
@settings(max_examples=60, deadline=None)
def test_distances_in_a_hall_are_those_of_its_graph(seed: int) -> None:
    dice = random.Random(seed)
    hall = random_hall(dice, dice.randint(1, 4))
    a, b = (stop_point(hall, stop) for stop in (random_stops(dice, hall, 3) * 2)[:2])
    for one, other in ((hall.start_point, hall.end_point), (a, b), (b, hall.start_point), (hall.end_point, a)):
        tour = plan_ruled_route(hall, [], one, other, Rules(), None)
        assert tour.length_mm == distance_mm(hall, one, other) == distance_mm(hall, other, one)


def test_a_picker_in_the_middle_of_an_aisle_gets_a_route_from_there() -> None:
    hall = RectHall((0, 10), (0, 100))
    route = plan_route(hall, [Stop(0, 80), Stop(1, 90)], start=Point(0, 60), end=Point(0, 0))
    assert route.length_mm == 40 + 10 + 100 + 10
    with pytest.raises(HallError, match="start"):
        plan_route(hall, [], start=Point(5, 60))
