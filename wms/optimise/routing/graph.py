"""Routes where walking is not free: general graphs, and rectangular halls with one-way, blocked or ranked stops."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Generic

import numpy as np
from numpy.typing import NDArray

from wms.optimise.geometry import GraphHall, HallError, Point, RectHall, Stop, stop_point
from wms.optimise.routing.directed import best_order, nearest_next, order_length
from wms.optimise.routing.network import Network, Node
from wms.optimise.routing.rect import corners, exact_path, is_exact
from wms.optimise.routing.route import Limits, Route, Rules

NO_WAY = 1 << 40
AGAINST_RANK = 1 << 34  # more than any walk, less than no way at all


@dataclass(frozen=True)
class _Walks(Generic[Node]):
    """Shortest walks among the places to visit (each once), from the start and to the end."""

    network: Network[Node]
    places: list[Node]
    start: Node
    end: Node
    distance: NDArray[np.int64]
    before: list[dict[Node, Node]]


def plan_graph_route(
    hall: GraphHall,
    stops: Sequence[str],
    start: str | None = None,
    end: str | None = None,
    rules: Rules | None = None,
    limits: Limits | None = None,
) -> Route:
    """The shortest walk found in a graph; exact up to 12 different stops, and there is always one where a way leads.

    Of the rules `rank` and `equipment` apply. Raises HallError when nothing leads there, also when only what bars this
    equipment does.
    """
    rules = rules or Rules()
    begin = hall.depot if start is None else start
    finish = end if end is not None else begin if start is not None or hall.end is None else hall.end
    network: Network[str] = Network(_arcs(hall, rules.equipment))
    for name in hall.nodes:
        network.add_node(name)
    for name in (*stops, begin, finish):
        if name not in network:
            raise HallError(f"unknown node {name}")
    found = _solve(network, list(stops), begin, finish, rules, limits)
    return _route(found, rules, tuple(found.path))


def _arcs(hall: GraphHall, equipment: str) -> Iterator[tuple[str, str, int]]:
    for edge in hall.edges:
        if not edge.is_open_to(equipment):
            continue
        yield edge.a, edge.b, edge.length_mm
        if not edge.oneway:
            yield edge.b, edge.a, edge.length_mm


def plan_ruled_route(
    hall: RectHall, stops: Sequence[Stop], start: Point, end: Point, rules: Rules, limits: Limits | None
) -> Route:
    """A route in a rectangular hall that keeps the rules. Without them no tour is shorter: that is the bound."""
    places = [stop_point(hall, stop) for stop in stops]
    network: Network[Point] = Network(_rect_arcs(hall, {*places, start, end}, rules))
    for place in (*places, start, end):
        network.add_node(place)
    found = _solve(network, places, start, end, rules, limits)
    free = exact_path(hall, stops, start, end)[0] if is_exact(hall, start, end) else 0
    return _route(found, rules, corners(found.path, hall.hub), free)


def _rect_arcs(hall: RectHall, places: set[Point], rules: Rules) -> Iterator[tuple[Point, Point, int]]:
    for y in hall.cross_y_mm:
        along = sorted({place.x_mm for place in places if place.y_mm == y} | set(hall.aisle_x_mm))
        for left, right in pairwise(along):
            yield Point(left, y), Point(right, y), right - left
            yield Point(right, y), Point(left, y), right - left
    for aisle, length in enumerate(hall.spokes_mm):
        front = Point(hall.aisle_x_mm[aisle], hall.cross_y_mm[0])
        yield hall.start_point, front, length
        yield front, hall.start_point, length
    direction = dict(rules.one_way)
    ends = hall.cross_y_mm[0], hall.cross_y_mm[-1]
    barred = tuple((aisle, *ends) for aisle in rules.barred_aisles)
    for aisle, x in enumerate(hall.aisle_x_mm):
        ys = {place.y_mm for place in places if place.x_mm == x} | set(hall.cross_y_mm)
        for low, high in pairwise(sorted(ys)):
            shut = (*rules.blocked, *hall.closed, *barred)
            if any(closed == aisle and low < end and begin < high for closed, begin, end in shut):
                continue
            if direction.get(aisle, 1) > 0:
                yield Point(x, low), Point(x, high), high - low
            if direction.get(aisle, -1) < 0:
                yield Point(x, high), Point(x, low), high - low


@dataclass(frozen=True)
class _Found(Generic[Node]):
    sequence: tuple[int, ...]
    path: list[Node]
    length: int
    optimal: bool
    bound: int
    method: str


def _solve(
    network: Network[Node], stops: list[Node], start: Node, end: Node, rules: Rules, limits: Limits | None
) -> _Found[Node]:
    ranks = rules.rank or (0,) * len(stops)
    if len(ranks) != len(stops):
        raise HallError(f"{len(ranks)} ranks are given for {len(stops)} stops")
    visits = sorted(set(zip(ranks, stops, strict=True)), key=lambda visit: (visit[0], stops.index(visit[1])))
    walks = _walks(network, [place for _, place in visits], start, end)
    distance = walks.distance.copy()
    rank = np.array([rank for rank, _ in visits], dtype=np.int64)
    distance[:-1, :-1][rank[:, None] > rank[None, :]] += AGAINST_RANK
    best = best_order(distance, limits or default_limits(len(visits)))
    if best.length >= AGAINST_RANK:
        order = [int(place) for place in np.argsort(rank, kind="stable")]
        best = best._replace(order=order, length=order_length(distance, order), optimal=False)
    if best.length >= AGAINST_RANK:
        raise HallError("no walk visits all stops")
    of_visit: dict[tuple[int, Node], list[int]] = {}
    for index, visit in enumerate(zip(ranks, stops, strict=True)):
        of_visit.setdefault(visit, []).append(index)
    sequence = tuple(index for visit in best.order for index in of_visit[visits[visit]])
    bound = best.length if best.optimal else _bound(walks.distance)
    method = "exact by subsets" if best.optimal else "directed local search"
    return _Found(sequence, _path(walks, best.order), best.length, best.optimal, bound, method)


def default_limits(places: int) -> Limits:
    """A search of about 5 ms of one processor per stop on an ordinary machine."""
    return Limits(rounds=max(60, min(550, 20_000 // max(places, 1))))


def _walks(network: Network[Node], places: list[Node], start: Node, end: Node) -> _Walks[Node]:
    wanted = [*dict.fromkeys((*places, end))]
    network.reduce_to({*places, start, end})
    n = len(places)
    distance = np.zeros((n + 1, n + 1), dtype=np.int64)
    before: list[dict[Node, Node]] = []
    trees: dict[Node, tuple[dict[Node, int], dict[Node, Node]]] = {}
    for row, origin in enumerate((*places, start)):
        if origin not in trees:
            trees[origin] = network.from_one(origin, wanted)
        reached, tree = trees[origin]
        before.append(tree)
        distance[row] = [reached.get(place, NO_WAY) for place in (*places, end)]
    _refuse_unreachable(distance, places, start, end)
    if n:
        np.fill_diagonal(distance[:n, :n], 0)
        distance[n, n] = 0
    return _Walks(network, places, start, end, distance, before)


def _refuse_unreachable(distance: NDArray[np.int64], places: list[Node], start: Node, end: Node) -> None:
    n = len(places)
    for index, place in enumerate(places):
        if distance[n, index] >= NO_WAY:
            raise HallError(f"{place} cannot be reached from {start}")
        if distance[index, n] >= NO_WAY:
            raise HallError(f"{end} cannot be reached from {place}")
    if not places and distance[n, n] >= NO_WAY:
        raise HallError(f"{end} cannot be reached from {start}")


def _bound(distance: NDArray[np.int64]) -> int:
    """No tour is shorter than the cheapest way into every place, or than the walk by way of any one of them."""
    n = len(distance) - 1
    apart = distance + np.where(np.eye(n + 1, dtype=bool), NO_WAY, 0)
    detour = int((distance[n, :n] + distance[:n, n]).max())
    return max(detour, int(apart.min(axis=0).sum()), int(apart.min(axis=1).sum()))


def _path(walks: _Walks[Node], order: list[int]) -> list[Node]:
    n = len(walks.places)
    path = [walks.start]
    for a, b in pairwise([n, *order, n]):
        path += _leg(walks, path[-1], walks.end if b == n else walks.places[b], walks.before[a])
    return path


def _leg(walks: _Walks[Node], a: Node, b: Node, before: dict[Node, Node]) -> list[Node]:
    chain = [b]
    while chain[-1] != a:
        chain.append(before[chain[-1]])
    chain.reverse()
    return [place for x, y in pairwise(chain) for place in walks.network.unfold(x, y)]


def _route(found: _Found[Node], rules: Rules, path: tuple[Point, ...] | tuple[str, ...], free_length: int = 0) -> Route:
    return Route(
        sequence=found.sequence,
        path=path,
        length_mm=found.length,
        seconds=found.length / rules.walk_mm_per_s,
        method=found.method,
        optimal=found.optimal or found.length == free_length,
        lower_bound_mm=max(found.bound, free_length),
    )


__all__ = ["default_limits", "nearest_next", "plan_graph_route", "plan_ruled_route"]
