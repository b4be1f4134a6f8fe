"""Halls as numbers: where one can walk, and how far it is.

A rectangular hall has aisles along y and cross aisles along x; one walks only on those. Any other floor (lifts,
one-way aisles, stairs) is a graph of named places. Lengths are whole millimetres.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from wms.optimise.detour import shortest_walk


class HallError(ValueError):
    """The hall, a stop or an end point does not describe a place one can walk to."""


class Point(NamedTuple):
    """A place on the floor, in mm."""

    x_mm: int
    y_mm: int


class Stop(NamedTuple):
    """A place to pick at: an aisle by its index from the left, and how far along it."""

    aisle: int
    y_mm: int


class Closed(NamedTuple):
    """A stretch of an aisle where nobody may walk or stand, its two ends apart: those are still reached."""

    aisle: int
    from_y_mm: int
    to_y_mm: int


@dataclass(frozen=True)
class RectHall:
    """Aisles at `aisle_x_mm`, cross aisles at `cross_y_mm` (the first and last are the ends of the aisles).

    `depot` is where tours begin; without one it is the front end of the first aisle. `end` is where they finish;
    without one it is the depot. Both lie on a cross aisle, also between two aisles.

    With `spokes_mm` the depot lies on open floor before the aisles instead: straight ways of these lengths, one per
    aisle, join it to where the aisle meets the first cross aisle, and every tour begins and ends there.

    `closed` are the stretches of aisles that are shut now. Cross aisles stay open, also where they meet a closed aisle.
    """

    aisle_x_mm: tuple[int, ...]
    cross_y_mm: tuple[int, ...]
    depot: Point | None = None
    end: Point | None = None
    spokes_mm: tuple[int, ...] = ()
    closed: tuple[Closed, ...] = ()

    def __post_init__(self) -> None:
        _check_increasing("aisle_x_mm", self.aisle_x_mm, at_least=1)
        _check_increasing("cross_y_mm", self.cross_y_mm, at_least=2)
        for one in self.closed:
            if not 0 <= one.aisle < len(self.aisle_x_mm) or one.from_y_mm >= one.to_y_mm:
                raise HallError(f"closed stretch {tuple(one)} is no stretch of an aisle")
        if self.spokes_mm:
            _check_spokes(self)
            return
        for name, place in (("depot", self.depot), ("end", self.end)):
            if place is not None:
                check_on_cross_aisle(self, name, place)

    @property
    def blocks(self) -> int:
        return len(self.cross_y_mm) - 1

    @property
    def hub(self) -> Point | None:
        """The depot, when it lies off the grid at the end of spokes."""
        return self.depot if self.spokes_mm else None

    @property
    def start_point(self) -> Point:
        return self.depot or Point(self.aisle_x_mm[0], self.cross_y_mm[0])

    @property
    def end_point(self) -> Point:
        return self.end or self.start_point


def _check_increasing(name: str, values: tuple[int, ...], at_least: int) -> None:
    if len(values) < at_least:
        raise HallError(f"{name} needs at least {at_least} values, has {len(values)}")
    if any(type(value) is not int for value in values):
        raise HallError(f"{name} must hold whole millimetres")
    if any(left >= right for left, right in pairwise(values)):
        raise HallError(f"{name} must be strictly increasing")


def _check_spokes(hall: RectHall) -> None:
    if len(hall.spokes_mm) != len(hall.aisle_x_mm) or any(length < 0 for length in hall.spokes_mm):
        raise HallError("spokes_mm needs one length for each aisle")
    if hall.depot is None or hall.end is not None or is_walkable(hall, hall.depot):
        raise HallError("a depot with spokes lies off the aisles and is also the end")


def check_on_cross_aisle(hall: RectHall, name: str, place: Point) -> None:
    """Refuse an end point that is not on a cross aisle between the first and the last aisle."""
    if place.y_mm not in hall.cross_y_mm:
        raise HallError(f"{name} y {place.y_mm} is on no cross aisle")
    if not hall.aisle_x_mm[0] <= place.x_mm <= hall.aisle_x_mm[-1]:
        raise HallError(f"{name} x {place.x_mm} is outside the aisles")


def check_stop(hall: RectHall, stop: Stop) -> None:
    """Refuse a stop outside the hall."""
    if not 0 <= stop.aisle < len(hall.aisle_x_mm):
        raise HallError(f"stop {tuple(stop)}: there is no aisle {stop.aisle}")
    if not hall.cross_y_mm[0] <= stop.y_mm <= hall.cross_y_mm[-1]:
        raise HallError(f"stop {tuple(stop)}: y is outside the aisle")
    if not is_reachable(hall, stop):
        raise HallError(f"stop {tuple(stop)} cannot be reached: aisles are closed")


@lru_cache(maxsize=64)
def shut_cells(hall: RectHall) -> dict[tuple[int, int], tuple[int, int]]:
    """Aisle and row of each piece between two cross aisles that cannot be walked through: what of it is out of reach.

    Of several closed stretches in one piece the floor between them is out of reach too.
    """
    found: dict[tuple[int, int], tuple[int, int]] = {}
    for aisle, begin, end in hall.closed:
        for row, (low, high) in enumerate(pairwise(hall.cross_y_mm)):
            if begin < high and low < end:
                known = found.get((aisle, row), (high, low))
                found[aisle, row] = (min(known[0], max(low, begin)), max(known[1], min(high, end)))
    return found


@lru_cache(maxsize=64)
def reachable_rows(hall: RectHall) -> frozenset[int]:
    """The cross aisles (by number from the front) that one can walk to from the start.

    Two neighbours are joined by any aisle between them that is not closed there.
    """
    shut, aisles = shut_cells(hall), range(len(hall.aisle_x_mm))
    here = bisect_left(hall.cross_y_mm, hall.start_point.y_mm)
    joined = [any((aisle, row) not in shut for aisle in aisles) for row in range(hall.blocks)]
    first, last = here, here
    while first > 0 and joined[first - 1]:
        first -= 1
    while last < hall.blocks and joined[last]:
        last += 1
    return frozenset(range(first, last + 1))


def is_reachable(hall: RectHall, stop: Stop) -> bool:
    """Whether one can walk from the start to a stop of the hall."""
    if not hall.closed:
        return True
    rows, at = reachable_rows(hall), bisect_left(hall.cross_y_mm, stop.y_mm)
    if hall.cross_y_mm[at] == stop.y_mm:
        return at in rows
    low, high = shut_cells(hall).get((stop.aisle, at - 1), (stop.y_mm, stop.y_mm))
    return (stop.y_mm <= low and at - 1 in rows) or (stop.y_mm >= high and at in rows)


def is_open(hall: RectHall, a: Point, b: Point) -> bool:
    """Whether a straight leg of a walk passes no closed stretch."""
    if not hall.closed or a.x_mm != b.x_mm or a.x_mm not in hall.aisle_x_mm or hall.hub in (a, b):
        return True
    aisle, low, high = hall.aisle_x_mm.index(a.x_mm), min(a.y_mm, b.y_mm), max(a.y_mm, b.y_mm)
    return not any(one.aisle == aisle and one.from_y_mm < high and low < one.to_y_mm for one in hall.closed)


def stop_point(hall: RectHall, stop: Stop) -> Point:
    return Point(hall.aisle_x_mm[stop.aisle], stop.y_mm)


def is_walkable(hall: RectHall, place: Point) -> bool:
    """Whether the place lies on an aisle or a cross aisle of the hall."""
    across = place.y_mm in hall.cross_y_mm and hall.aisle_x_mm[0] <= place.x_mm <= hall.aisle_x_mm[-1]
    along = place.x_mm in hall.aisle_x_mm and hall.cross_y_mm[0] <= place.y_mm <= hall.cross_y_mm[-1]
    return across or along


def distance_mm(hall: RectHall, a: Point, b: Point) -> int:
    """Shortest walk between two walkable places of a rectangular hall (between grid places without a hub)."""
    return sum(leg_mm(hall, one, other) for one, other in pairwise(walk(hall, a, b)))


def walk(hall: RectHall, a: Point, b: Point) -> tuple[Point, ...]:
    """Corners of a shortest walk from `a` to `b`, both included. Raises HallError when closed stretches leave none."""
    path = _free_walk(hall, a, b)
    if all(is_open(hall, *leg) for leg in pairwise(path)):
        return path
    around = shortest_walk(_open_ways(hall, {a, b}), a, b)
    if not around:
        raise HallError(f"no walk leads from {tuple(a)} to {tuple(b)}")
    return tuple(around)


def _open_ways(hall: RectHall, places: set[Point]) -> dict[Point, list[tuple[Point, int]]]:
    """From each crossing, end and place the ways to the next ones along open floor, with their lengths."""
    lines = [[Point(x, y) for x in _with(hall.aisle_x_mm, places, y_mm=y)] for y in hall.cross_y_mm]
    lines += [[Point(x, y) for y in _with(hall.cross_y_mm, places, x_mm=x)] for x in hall.aisle_x_mm]
    legs = [leg for line in lines for leg in pairwise(line) if is_open(hall, *leg)]
    if hall.hub is not None:
        legs += [(hall.hub, Point(x, hall.cross_y_mm[0])) for x in hall.aisle_x_mm]
    ways: dict[Point, list[tuple[Point, int]]] = defaultdict(list)
    for one, other in legs:
        ways[one].append((other, leg_mm(hall, one, other)))
        ways[other].append((one, leg_mm(hall, one, other)))
    return ways


def _with(lines: tuple[int, ...], places: set[Point], *, x_mm: int | None = None, y_mm: int | None = None) -> list[int]:
    """Where a cross aisle (`y_mm`) or an aisle (`x_mm`) meets the others, and what else is wanted on it."""
    if y_mm is not None:
        return sorted({*lines, *(place.x_mm for place in places if place.y_mm == y_mm)})
    return sorted({*lines, *(place.y_mm for place in places if place.x_mm == x_mm)})


def _free_walk(hall: RectHall, a: Point, b: Point) -> tuple[Point, ...]:
    """The same with every aisle open."""
    if a == b:
        return (a,)
    if hall.hub in (a, b):
        return _over_a_spoke(hall, a, b)
    if a.x_mm == b.x_mm and a.x_mm in hall.aisle_x_mm:
        return (a, b)
    if a.y_mm == b.y_mm and a.y_mm in hall.cross_y_mm:
        return (a, b)
    if a.x_mm in hall.aisle_x_mm and b.x_mm in hall.aisle_x_mm:
        return _over_a_cross_aisle(hall, a, b)
    if a.x_mm in hall.aisle_x_mm:
        return _without_repeats((a, Point(a.x_mm, b.y_mm), b))
    if b.x_mm in hall.aisle_x_mm:
        return _without_repeats((a, Point(b.x_mm, a.y_mm), b))
    return _through_an_aisle(hall, a, b)


def _over_a_spoke(hall: RectHall, a: Point, b: Point) -> tuple[Point, ...]:
    hub, place = (a, b) if a == hall.hub else (b, a)
    fronts = [Point(x, hall.cross_y_mm[0]) for x in hall.aisle_x_mm]
    front = min(fronts, key=lambda front: leg_mm(hall, hub, front) + path_length_mm(walk(hall, front, place)))
    path = _without_repeats((hub, *walk(hall, front, place)))
    return path if a == hub else path[::-1]


def _over_a_cross_aisle(hall: RectHall, a: Point, b: Point) -> tuple[Point, ...]:
    best_y = min(nearest_rows(hall.cross_y_mm, a.y_mm, b.y_mm), key=lambda y: abs(a.y_mm - y) + abs(b.y_mm - y))
    return _without_repeats((a, Point(a.x_mm, best_y), Point(b.x_mm, best_y), b))


def _through_an_aisle(hall: RectHall, a: Point, b: Point) -> tuple[Point, ...]:
    best_x = min(nearest_rows(hall.aisle_x_mm, a.x_mm, b.x_mm), key=lambda x: abs(a.x_mm - x) + abs(b.x_mm - x))
    return _without_repeats((a, Point(best_x, a.y_mm), Point(best_x, b.y_mm), b))


def nearest_rows(lines: tuple[int, ...], one: int, other: int) -> tuple[int, ...]:
    """The lines between two coordinates and the next one on either side: the only ones worth walking to."""
    low, high = min(one, other), max(one, other)
    return lines[max(0, bisect_right(lines, low) - 1) : bisect_left(lines, high) + 1]


def _without_repeats(points: tuple[Point, ...]) -> tuple[Point, ...]:
    return points[:1] + tuple(b for a, b in pairwise(points) if a != b)


def leg_mm(hall: RectHall, a: Point, b: Point) -> int:
    """Length of one straight leg of a walk: along an aisle, a cross aisle, or a spoke."""
    for hub, other in ((a, b), (b, a)):
        if hub == hall.hub and other != hub:
            return hall.spokes_mm[hall.aisle_x_mm.index(other.x_mm)]
    return abs(a.x_mm - b.x_mm) + abs(a.y_mm - b.y_mm)


def path_length_mm(path: tuple[Point, ...]) -> int:
    """Length of a polyline whose legs run along x or y."""
    return sum(abs(a.x_mm - b.x_mm) + abs(a.y_mm - b.y_mm) for a, b in pairwise(path))


def walk_through(hall: RectHall, places: list[Point]) -> tuple[Point, ...]:
    """Corners of shortest walks from each place to the next."""
    path: list[Point] = places[:1]
    for a, b in pairwise(places):
        path.extend(walk(hall, a, b)[1:])
    return tuple(path)


@dataclass(frozen=True)
class GraphEdge:
    """A way from `a` to `b` of some length; `oneway` forbids walking back.

    `barred` are the classes of equipment that may not use it: a lift is too small for a pallet truck, a ramp too steep.
    """

    a: str
    b: str
    length_mm: int
    oneway: bool = False
    barred: frozenset[str] = frozenset()

    def is_open_to(self, equipment: str) -> bool:
        """Whether this class may go here; without equipment ("") one may go everywhere."""
        return equipment not in self.barred


@dataclass(frozen=True)
class GraphHall:
    """Any walkable map: named places and the ways between them."""

    edges: tuple[GraphEdge, ...]
    depot: str
    end: str | None = None

    def __post_init__(self) -> None:
        for edge in self.edges:
            if edge.length_mm < 0:
                raise HallError(f"edge {edge.a}-{edge.b} has a negative length")
        named = {name for edge in self.edges for name in (edge.a, edge.b)} or {self.depot}
        for name in (self.depot, self.end):
            if name is not None and name not in named:
                raise HallError(f"unknown node {name}")

    @property
    def nodes(self) -> frozenset[str]:
        return frozenset(name for edge in self.edges for name in (edge.a, edge.b)) | {self.depot}
