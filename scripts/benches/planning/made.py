"""Tours in halls and on maps made from seeds, beside exact answers that share nothing with the planner."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from itertools import pairwise

from scripts.benches.planning.oracle import graph_distances, nearest_next_length, shortest_circuit
from scripts.benches.planning.published import Row, spread
from wms.optimise.bench.route import search_limits
from wms.optimise.check import RouteProblem, violations
from wms.optimise.geometry import GraphEdge, GraphHall, Point, RectHall, Stop, distance_mm, stop_point
from wms.optimise.routing import plan_graph_route, plan_route

ORACLE_S = 20.0  # deterministic seconds of CP-SAT for one tour
AISLES, PLACES, FLOORS = 8, 6, 2
PLACE_MM, PITCH_MM, LIFT_MM = 3_000, 4_000, 30_000


def rectangular(quick: bool, seed: int) -> Iterator[Row]:
    """R1 on halls of 1 to 4 blocks with uneven aisles, the depot anywhere on any cross aisle."""
    for blocks in (1, 2, 3, 4):
        dice = random.Random(seed * 100 + blocks)
        longer, proved, cpu_ms = 0, 0, []
        tours = 4 if quick else 25
        for _ in range(tours):
            hall = uneven_hall(dice, blocks)
            stops = [
                Stop(dice.randrange(len(hall.aisle_x_mm)), dice.randint(0, hall.cross_y_mm[-1])) for _ in range(30)
            ]
            plan_route(hall, stops)
            began_s = time.process_time()
            route = plan_route(hall, stops)
            cpu_ms.append(1_000 * (time.process_time() - began_s))
            assert not violations(RouteProblem(hall, stops, hall.start_point, hall.end_point), route)
            places = [hall.start_point, *sorted({stop_point(hall, stop) for stop in stops})]
            table = [[distance_mm(hall, a, b) for b in places] for a in places]
            shortest, sure = shortest_circuit(table, route.length_mm, ORACLE_S)
            longer += route.length_mm > shortest
            proved += sure
        mean_ms, p95_ms = spread(cpu_ms)
        yield {
            "figure": "R1",
            "what": f"made halls, {blocks} block{'s' if blocks > 1 else ''}, 30 stops",
            "goal": "none longer than the exact oracle's, p95 <= 5 ms",
            "files": tours,
            "longer": longer,
            "proved_by_the_oracle": proved,
            "mean_cpu_ms": round(mean_ms, 2),
            "p95_cpu_ms": round(p95_ms, 2),
            "reached": longer == 0 and p95_ms <= 5,
        }


def uneven_hall(dice: random.Random, blocks: int) -> RectHall:
    """5 to 20 aisles 2 to 6 m apart, blocks of 10 to 30 m, the depot anywhere on any cross aisle."""
    aisle_x, cross_y = [0], [0]
    for _ in range(dice.randint(4, 19)):
        aisle_x.append(aisle_x[-1] + dice.randint(2_000, 6_000))
    for _ in range(blocks):
        cross_y.append(cross_y[-1] + dice.randint(10_000, 30_000))
    depot = Point(dice.choice([aisle_x[0], aisle_x[-1], dice.randint(0, aisle_x[-1])]), dice.choice(cross_y))
    return RectHall(tuple(aisle_x), tuple(cross_y), depot)


def general(quick: bool, seed: int) -> Iterator[Row]:
    """R3 on two floors joined by lifts, with one-way aisles and blocked stretches."""
    for stops, goal_pct, goal_ms in ((30, 0.5, 150.0), (60, 1.5, 300.0)):
        gaps, cpu_ms, worse, proved = [], [], 0, 0
        tours = 4 if quick else 20
        for number in range(tours):
            hall, names = two_floors(seed * 1_000 + number, stops)
            began_s = time.process_time()
            route = plan_graph_route(hall, names, limits=search_limits(stops))
            cpu_ms.append(1_000 * (time.process_time() - began_s))
            table = graph_distances(hall, [hall.depot, *names])
            assert _length(table, route.sequence) == route.length_mm
            worse += route.length_mm > nearest_next_length(table)
            shortest, sure = shortest_circuit(table, route.length_mm, ORACLE_S)
            proved += sure
            gaps.append(100 * (route.length_mm / shortest - 1))
        mean_ms, p95_ms = spread(cpu_ms)
        mean = sum(gaps) / len(gaps)
        yield {
            "figure": "R3",
            "what": f"made maps (two floors, lifts, one-way and blocked aisles), {stops} stops",
            "goal": f"mean <= {goal_pct} % in {goal_ms:g} ms, never worse than nearest neighbour",
            "files": tours,
            "optimal": sum(gap < 1e-9 for gap in gaps),
            "proved_by_the_oracle": proved,
            "mean_gap_pct": round(mean, 3),
            "worst_gap_pct": round(max(gaps), 2),
            "worse_than_nearest": worse,
            "mean_cpu_ms": round(mean_ms, 1),
            "p95_cpu_ms": round(p95_ms, 1),
            "reached": mean <= goal_pct and worse == 0 and mean_ms <= goal_ms,
        }


def _length(table: list[list[int]], sequence: tuple[int, ...]) -> int:
    tour = [0, *(index + 1 for index in sequence), 0]
    return sum(table[a][b] for a, b in pairwise(tour))


def two_floors(seed: int, stops: int) -> tuple[GraphHall, list[str]]:
    """A map and the names of different places to visit on it."""
    dice = random.Random(seed)
    edges: list[GraphEdge] = []
    places: list[str] = []
    for floor in range(FLOORS):
        for aisle in range(AISLES):
            column = [f"{floor}/{aisle}/{place}" for place in range(2 * PLACES + 3)]
            crossings = (0, PLACES + 1, 2 * PLACES + 2)
            direction = dice.choice([0, 0, 0, 1, -1])
            shut = dice.randrange(len(column) - 1) if direction == 0 and dice.random() < 0.25 else -1
            for step, (a, b) in enumerate(pairwise(column)):
                if step != shut:
                    one, other = (b, a) if direction < 0 else (a, b)
                    edges.append(GraphEdge(one, other, PLACE_MM, oneway=direction != 0))
            places += [name for place, name in enumerate(column) if place not in crossings]
            if aisle:
                edges += [
                    GraphEdge(f"{floor}/{aisle - 1}/{place}", f"{floor}/{aisle}/{place}", PITCH_MM)
                    for place in crossings
                ]
    edges += [GraphEdge(f"0/{aisle}/0", f"1/{aisle}/0", LIFT_MM) for aisle in (1, AISLES - 2)]
    return GraphHall(tuple(edges), "0/0/0"), dice.sample(places, stops)
