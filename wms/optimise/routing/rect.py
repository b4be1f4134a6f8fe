"""Exact tours in a rectangular hall: stops to a ladder, and the ladder's best multigraph to a walk."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np

from wms.optimise.geometry import Point, RectHall, Stop, check_stop, shut_cells
from wms.optimise.routing.ladder import Chosen, Ladder, aisle_ways, no_aisle, shortest_tour, shortest_tours
from wms.optimise.routing.states import FROM_BOTH, FROM_HIGH, FROM_LOW, ONCE, SKIP, TWICE

TOURS_AT_ONCE = 256  # solved in one pass
ROWS_MAX = 5  # cross aisles the state tables are built for: 4 blocks


@dataclass(frozen=True)
class Frame:
    """What all tours of one hall share: the columns, where aisles are, and where tours begin and end.

    `shut` holds the pieces of aisles with a closed stretch, as (column, row): where it ends, and how much longer it is
    made (mm). No tour is so long, so the shortest one never walks there, and every method that counts lengths is right
    as it stands.
    """

    column_x_mm: tuple[int, ...]
    row_y_mm: tuple[int, ...]
    column_of_aisle: tuple[int, ...]
    start: tuple[int, int]
    end: tuple[int, int]
    hub: Point | None
    empty_cost: np.ndarray[tuple[int, ...], np.dtype[np.int64]]
    across_cost: np.ndarray[tuple[int, ...], np.dtype[np.int64]]
    shut: dict[tuple[int, int], tuple[int, int]]

    def offset_mm(self, cell: tuple[int, int], y_mm: int) -> int:
        """How far into a piece (column, row) of an aisle a stop lies, from its lower end."""
        end_mm, longer_mm = self.shut.get(cell, (y_mm + 1, 0))
        return y_mm - self.row_y_mm[cell[1]] + (longer_mm if y_mm >= end_mm else 0)

    def offsets_mm(self, cell: tuple[int, int], ys: Sequence[int]) -> list[int]:
        return [self.offset_mm(cell, y) for y in ys]

    def length_mm(self, cell: tuple[int, int]) -> int:
        """Length of a piece of an aisle, with what a closed stretch makes it longer."""
        return int(self.empty_cost[cell][ONCE])

    @property
    def flips(self) -> tuple[tuple[int, int], ...]:
        return () if self.start == self.end else (self.start, self.end)

    def crossing(self, node: tuple[int, int]) -> Point:
        if self.hub is not None and node[1] == 0:
            return self.hub
        return Point(self.column_x_mm[node[0]], self.row_y_mm[node[1]])


@lru_cache(maxsize=256)
def frame(hall: RectHall, start: Point, end: Point) -> Frame:
    """A start or end between two aisles gets a column of its own, without an aisle.

    A hub gets a row of its own below the first: walking along it costs nothing, for it is one place, and the spokes
    are the aisles that lead to it.
    """
    on_grid = {place.x_mm for place in (start, end) if place != hall.hub}
    column_x = tuple(sorted({*hall.aisle_x_mm, *on_grid}))
    first = hall.cross_y_mm[0]
    rows = hall.cross_y_mm if hall.hub is None else (first - 1, *hall.cross_y_mm)
    column = {x: index for index, x in enumerate(column_x)}
    row = {y: index for index, y in enumerate(rows)}
    across = np.array([[right - left] * len(rows) for left, right in pairwise(column_x)], dtype=np.int64)
    across = across.reshape(-1, len(rows))
    if hall.hub is not None:
        across[:, 0] = 0

    def node(place: Point) -> tuple[int, int]:
        return (0, 0) if place == hall.hub else (column[place.x_mm], row[place.y_mm])

    shut = _shut(hall, column, rows)
    return Frame(
        column_x_mm=column_x,
        row_y_mm=rows,
        column_of_aisle=tuple(column[x] for x in hall.aisle_x_mm),
        start=node(start),
        end=node(end),
        hub=hall.hub,
        empty_cost=np.array([_empty_column(hall, x, column[x], shut) for x in column_x], dtype=np.int64),
        across_cost=across,
        shut=shut,
    )


def _shut(hall: RectHall, column: dict[int, int], rows: tuple[int, ...]) -> dict[tuple[int, int], tuple[int, int]]:
    """What is closed, by column and row of the frame; each a little longer than any tour can be."""
    aisles_mm = len(hall.aisle_x_mm) * (hall.cross_y_mm[-1] - hall.cross_y_mm[0]) + sum(hall.spokes_mm)
    across_mm = len(hall.cross_y_mm) * (hall.aisle_x_mm[-1] - hall.aisle_x_mm[0])
    longer_mm = 3 * (aisles_mm + across_mm)
    below = len(rows) - len(hall.cross_y_mm)
    return {
        (column[hall.aisle_x_mm[aisle]], row + below): (high, longer_mm)
        for (aisle, row), (_, high) in shut_cells(hall).items()
    }


def _empty_column(
    hall: RectHall, x_mm: int, column: int, shut: dict[tuple[int, int], tuple[int, int]]
) -> list[list[int]]:
    """Costs of walking the aisle at `x_mm`, block by block, when nothing is to be picked in it."""
    lengths = [high - low for low, high in pairwise(hall.cross_y_mm)]
    is_aisle = x_mm in hall.aisle_x_mm
    if hall.hub is not None:
        lengths.insert(0, hall.spokes_mm[hall.aisle_x_mm.index(x_mm)] if is_aisle else 0)
    for row in range(len(lengths)):
        lengths[row] += shut.get((column, row), (0, 0))[1]
    return [aisle_ways(length, []) if is_aisle else no_aisle() for length in lengths]


@dataclass(frozen=True)
class Placed:
    """Stops sorted into the ladder: inside an aisle by (column, row below), or on a crossing."""

    inside: dict[tuple[int, int], list[int]]
    crossings: set[tuple[int, int]]


def place(base: Frame, stops: Sequence[Stop]) -> Placed:
    inside: dict[tuple[int, int], list[int]] = defaultdict(list)
    crossings: set[tuple[int, int]] = set()
    for aisle, y_mm in set(stops):
        column = base.column_of_aisle[aisle]
        row = bisect_left(base.row_y_mm, y_mm)
        if base.row_y_mm[row] == y_mm:
            crossings.add((column, row))
        else:
            inside[column, row - 1].append(y_mm)
    for ys in inside.values():
        ys.sort()
    return Placed(inside, crossings)


def ladder_of(base: Frame, placed: Placed) -> Ladder:
    cost = base.empty_cost.copy()
    for cell, ys in placed.inside.items():
        cost[cell] = aisle_ways(base.length_mm(cell), base.offsets_mm(cell, ys))
    must = np.array(True)
    touch = dict.fromkeys(sorted(placed.crossings | {base.start, base.end}), must)
    return Ladder(cost, base.across_cost, touch, base.flips)


def is_exact(hall: RectHall, start: Point, end: Point) -> bool:
    """Whether the exact method knows this hall: at most four blocks, start and end on cross aisles."""
    rows = len(hall.cross_y_mm) + (hall.hub is not None)
    return rows <= ROWS_MAX and all(place == hall.hub or place.y_mm in hall.cross_y_mm for place in (start, end))


def exact_path(hall: RectHall, stops: Sequence[Stop], start: Point, end: Point) -> tuple[int, list[Point]]:
    """Length and corners of a shortest walk from `start` over all stops to `end`."""
    base = frame(hall, start, end)
    placed = place(base, stops)
    length, chosen = shortest_tour(ladder_of(base, placed))
    return length, euler_walk(base, edges_of(base, placed, chosen))


def exact_paths(
    hall: RectHall, tours: Sequence[Sequence[Stop]], start: Point, end: Point
) -> list[tuple[int, list[Point]]]:
    """The same for many tours with the same start and end, in passes over many tours each."""
    base = frame(hall, start, end)
    found: list[tuple[int, list[Point]]] = []
    for begin in range(0, len(tours), TOURS_AT_ONCE):
        placed = [place(base, stops) for stops in tours[begin : begin + TOURS_AT_ONCE]]
        solved = shortest_tours(_ladder_of_many(base, placed))
        found += [
            (length, euler_walk(base, edges_of(base, one, chosen)))
            for one, (length, chosen) in zip(placed, solved, strict=True)
        ]
    return found


def _ladder_of_many(base: Frame, placed: Sequence[Placed]) -> Ladder:
    cost = np.repeat(base.empty_cost[..., None], len(placed), axis=3)
    touched = {node for one in placed for node in one.crossings} | {base.start, base.end}
    touch = {node: np.zeros(len(placed), dtype=np.bool_) for node in sorted(touched)}
    for tour, one in enumerate(placed):
        for (column, row), ys in one.inside.items():
            cell = (column, row)
            cost[column, row, :, tour] = aisle_ways(base.length_mm(cell), base.offsets_mm(cell, ys))
        for node in one.crossings | {base.start, base.end}:
            touch[node][tour] = True
    return Ladder(cost, base.across_cost, touch, base.flips)


Edges = dict[Point, list[Point]]


def edges_of(base: Frame, placed: Placed, chosen: Chosen) -> Edges:
    """The chosen multigraph as neighbours of each place, each edge entered at both its ends."""
    edges: Edges = defaultdict(list)

    def add(a: Point, b: Point, times: int) -> None:
        for _ in range(times if a != b else 0):
            edges[a].append(b)
            edges[b].append(a)

    for column, ways in enumerate(chosen.aisle_way):
        x = base.column_x_mm[column]
        for row, way in enumerate(ways):
            if way == SKIP:
                continue
            low, high = base.crossing((column, row)), base.crossing((column, row + 1))
            if way in (ONCE, TWICE):
                add(low, high, 1 if way == ONCE else 2)
                continue
            below, above = _dead_ends(base, (column, row), way, placed.inside.get((column, row), []))
            if below is not None:
                add(low, Point(x, below), 2)
            if above is not None:
                add(high, Point(x, above), 2)
    for column, counts in enumerate(chosen.across_times):
        for row, times in enumerate(counts):
            if times == 0:
                continue
            add(base.crossing((column, row)), base.crossing((column + 1, row)), times)
    edges.setdefault(base.crossing(base.start), [])
    return edges


def _dead_ends(base: Frame, cell: tuple[int, int], way: int, ys: list[int]) -> tuple[int | None, int | None]:
    """How far the aisle is walked from below and from above before turning round."""
    if way == FROM_LOW:
        return ys[-1], None
    if way == FROM_HIGH:
        return None, ys[0]
    if way == FROM_BOTH:
        at = base.offsets_mm(cell, ys)
        gap = max(range(1, len(ys)), key=lambda k: at[k] - at[k - 1])
        return ys[gap - 1], ys[gap]
    return None, None


def euler_walk(base: Frame, edges: Edges) -> list[Point]:
    """A walk over every edge from the start to the end (Hierholzer 1873, from the end backwards)."""
    stack = [base.crossing(base.end)]
    edges.setdefault(stack[0], [])
    walk: list[Point] = []
    while stack:
        here = stack[-1]
        if edges[here]:
            there = edges[here].pop()
            edges[there].remove(here)
            stack.append(there)
        else:
            walk.append(stack.pop())
    return walk


def visit_order(path: Sequence[Point], places: Sequence[Point]) -> tuple[int, ...]:
    """Indices of the places in the order in which the path first passes them."""
    wanted: dict[int, list[tuple[int, int]]] = defaultdict(list)  # by x: (y, index), sorted
    for index, (x, y) in enumerate(places):
        wanted[x].append((y, index))
    for column in wanted.values():
        column.sort()
    order: list[int] = []
    for (x, y), (x_next, y_next) in zip(path, [*path[1:], path[-1]], strict=True):
        column = wanted.get(x, [])
        if not column:
            continue
        low, high = (y, y) if x != x_next else (min(y, y_next), max(y, y_next))
        first, last = bisect_left(column, (low, -1)), bisect_left(column, (high + 1, -1))
        passed = column[first:last]
        del column[first:last]
        order.extend(index for _, index in (passed if y <= y_next else reversed(passed)))
    return tuple(order)


def corners(path: Sequence[Point], hub: Point | None = None) -> tuple[Point, ...]:
    """The path without the points it passes straight through; where a spoke meets the grid is always a corner."""
    kept: list[Point] = []
    for point in path:
        if kept and kept[-1] == point:
            continue
        if len(kept) > 1 and hub not in (kept[-2], point) and _straight(kept[-2], kept[-1], point):
            kept.pop()
        kept.append(point)
    return tuple(kept)


def _straight(a: Point, b: Point, c: Point) -> bool:
    if a.x_mm == b.x_mm == c.x_mm:
        return (b.y_mm - a.y_mm) * (c.y_mm - b.y_mm) > 0
    return a.y_mm == b.y_mm == c.y_mm and (b.x_mm - a.x_mm) * (c.x_mm - b.x_mm) > 0


def check_stops(hall: RectHall, stops: Sequence[Stop]) -> None:
    for stop in stops:
        check_stop(hall, stop)
