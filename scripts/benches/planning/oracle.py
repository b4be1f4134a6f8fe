"""An exact answer that shares nothing with the planner: the shortest circuit over a table of distances, by CP-SAT."""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence

from wms.optimise.geometry import GraphHall


def shortest_circuit(distance: Sequence[Sequence[int]], known: int, seconds: float) -> tuple[int, bool]:
    """Length of the shortest circuit over all places, and whether that is proved; a tour of `known` exists."""
    from ortools.sat.python import cp_model

    model = cp_model.CpModel()
    arcs = []
    cost = []
    for a, row in enumerate(distance):
        for b, length in enumerate(row):
            if a != b:
                used = model.new_bool_var("")
                arcs.append((a, b, used))
                cost.append(length * used)
    model.add_circuit(arcs)
    model.add(sum(cost) <= known)
    model.minimize(sum(cost))
    solver = cp_model.CpSolver()
    solver.parameters.max_deterministic_time = seconds
    solver.parameters.num_workers = 1
    solver.parameters.linearization_level = 2
    status = solver.solve(model)
    if status in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return round(solver.objective_value), status == cp_model.OPTIMAL
    if status == cp_model.INFEASIBLE:
        raise AssertionError(f"no circuit is as short as {known}, which was said to be feasible")
    return known, False


def graph_distances(hall: GraphHall, places: Sequence[str]) -> list[list[int]]:
    """Shortest walks among places of a graph: Dijkstra's method from each, over every edge as it stands."""
    ways: dict[str, list[tuple[str, int]]] = {}
    for edge in hall.edges:
        ways.setdefault(edge.a, []).append((edge.b, edge.length_mm))
        if not edge.oneway:
            ways.setdefault(edge.b, []).append((edge.a, edge.length_mm))
    return [[reached[b] for b in places] for reached in (_from(ways, a) for a in places)]


def _from(ways: Mapping[str, Sequence[tuple[str, int]]], start: str) -> dict[str, int]:
    done: dict[str, int] = {}
    heap = [(0, start)]
    while heap:
        length, node = heapq.heappop(heap)
        if node in done:
            continue
        done[node] = length
        for after, leg in ways.get(node, ()):
            if after not in done:
                heapq.heappush(heap, (length + leg, after))
    return done


def nearest_next_length(distance: Sequence[Sequence[int]]) -> int:
    """From place 0 always on to the nearest one left, and back."""
    here, left, total = 0, set(range(1, len(distance))), 0
    while left:
        after = min(left, key=lambda place: (distance[here][place], place))
        total += distance[here][after]
        left.remove(after)
        here = after
    return total + distance[here][0]
