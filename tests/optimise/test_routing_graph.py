"""Routes over any walkable map, and rules about order and direction."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.optimise.oracles import cheapest_cycle, random_hall, random_stops
from wms.optimise.check import GraphRouteProblem, RouteProblem, violations
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


def equipped_graph(dice: random.Random, size: int) -> GraphHall:
    """A ring open to everything, so that each class gets everywhere, and shortcuts of which half bar the truck."""
    plain = random_graph(dice, size)
    ring, extra = plain.edges[:size], plain.edges[size:]
    truck = frozenset({"truck"})
    barred = tuple(replace(edge, barred=truck if dice.random() < 0.5 else frozenset()) for edge in extra)
    return GraphHall(ring + barred, plain.depot, plain.end)


def without_barred(hall: GraphHall, equipment: str) -> GraphHall:
    return GraphHall(tuple(edge for edge in hall.edges if equipment not in edge.barred), hall.depot, hall.end)


@given(SEEDS)
@settings(max_examples=40)
def test_what_a_way_bars_goes_around_it_and_no_further_than_needed(seed: int) -> None:
    dice = random.Random(seed)
    hall = equipped_graph(dice, dice.randint(4, 12))
    stops = [dice.choice(sorted(hall.nodes)) for _ in range(dice.randint(1, 6))]
    on_foot = plan_graph_route(hall, stops)
    by_truck = plan_graph_route(hall, stops, rules=Rules(equipment="truck"))
    for route, equipment in ((on_foot, ""), (by_truck, "truck")):
        problem = GraphRouteProblem(hall, stops, hall.depot, hall.end or hall.depot, equipment)
        assert violations(problem, route) == []
    assert by_truck.length_mm == plan_graph_route(without_barred(hall, "truck"), stops).length_mm
    assert on_foot.length_mm <= by_truck.length_mm


def test_told_to_stop_at_once_a_truck_still_has_a_tour_around_what_bars_it() -> None:
    dice = random.Random(4)
    hall = equipped_graph(dice, 60)
    stops = dice.sample(sorted(hall.nodes), 30)
    limits = Limits(rounds=0, stop=lambda: True)
    route = plan_graph_route(hall, stops, rules=Rules(equipment="truck"), limits=limits)
    assert violations(GraphRouteProblem(hall, stops, hall.depot, hall.end or hall.depot, "truck"), route) == []


def test_a_place_only_one_class_reaches_is_named_for_the_other() -> None:
    lift = GraphEdge("ground", "gallery", 5_000, barred=frozenset({"truck"}))
    hall = GraphHall((GraphEdge("depot", "ground", 2_000), lift), "depot")
    assert plan_graph_route(hall, ["gallery"], rules=Rules(equipment="trolley")).length_mm == 14_000
    with pytest.raises(HallError, match="gallery cannot be reached from depot"):
        plan_graph_route(hall, ["gallery"], rules=Rules(equipment="truck"))


def test_an_aisle_too_narrow_for_a_truck_is_walked_around() -> None:
    hall = RectHall((0, 10, 20), (0, 50), Point(0, 0))
    stops = [Stop(1, 50), Stop(0, 30)]
    free = plan_route(hall, stops, rules=Rules(equipment="trolley", barred=((1, "truck"), (2, "truck"))))
    assert free.method == "exact"
    truck = plan_route(hall, stops, rules=Rules(equipment="truck", barred=((1, "truck"), (2, "truck"))))
    assert truck.length_mm == 2 * (50 + 10)
    assert violations(RouteProblem(hall, stops, hall.start_point, hall.end_point), truck) == []
    corners = [corner for corner in truck.path if isinstance(corner, Point)]
    assert all(a.x_mm == b.x_mm == 0 or a.y_mm == b.y_mm for a, b in pairwise(corners))
    with pytest.raises(HallError, match="cannot be reached"):
        plan_route(hall, [Stop(1, 20)], rules=Rules(equipment="truck", barred=((1, "truck"),)))


@pytest.mark.parametrize(
    ("spoilt", "complaint"),
    [
        ({"path": ("a", "c", "a")}, "barred for truck"),
        ({"path": ("a", "b", "d")}, "no way leads from b to d"),
        ({"path": ("a", "b", "a")}, "does not pass the stops"),
        ({"path": ("b", "a")}, "from the start to the end"),
        ({"length_mm": 5}, "mm long, not 5 mm"),
        ({"sequence": (0, 0)}, "every stop once"),
        ({"lower_bound_mm": 1}, "lower bound"),
    ],
)
def test_the_judge_of_routes_on_maps_hears_each_fault(spoilt: dict[str, object], complaint: str) -> None:
    edges = (GraphEdge("a", "b", 2), GraphEdge("b", "c", 2), GraphEdge("a", "c", 1, barred=frozenset({"truck"})))
    hall = GraphHall(edges, "a")
    route = plan_graph_route(hall, ["c"], rules=Rules(equipment="truck"))
    problem = GraphRouteProblem(hall, ["c"], "a", "a", "truck")
    assert violations(problem, route) == []
    assert any(complaint in one for one in violations(problem, replace(route, **spoilt)))  # type: ignore[arg-type]
