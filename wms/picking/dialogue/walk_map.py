"""The walk as a small map for one hand: the way to the next slot thick, the rest of the walk thin.

The ways between the stops are found once for a walk and kept; a screen only chooses among them. Units are decimetres,
y downwards from the back wall, so that a whole walk is a few hundred letters.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from wms.core.dialogue import WalkMap
from wms.optimise.geometry import Point, RectHall, Stop, stop_point
from wms.picking.rules.ways import way
from wms.picking.values import PickState, Walk

WALKS_KEPT = 512
MARGIN_DM = 20
SHOWN_DM_MIN = 240  # a walk of two slots side by side is still seen among its aisles
MM_PER_DM = 100
_NOT_WALKED_TO = (PickState.CANCELLED, PickState.ASIDE)


@dataclass(frozen=True, slots=True)
class _Lines:
    """The picture of a walk: its frame, aisles, what is closed, and for each stop and the end the way there."""

    view: tuple[int, int, int, int]
    aisles: str
    shut: str
    legs: tuple[tuple[tuple[int, int], ...], ...]


def walk_map(hall: RectHall, of: Walk, stop: int) -> WalkMap:
    """The map on the way to a stop of the walk."""
    places = _places(of)
    lines = _lines(hall, tuple(places.values()))
    at = list(places).index(stop)
    leg = lines.legs[at]
    rest = [corner for one in lines.legs[at + 1 :] for corner in one]
    return WalkMap(lines.view, lines.aisles, lines.shut, _polyline(rest), _polyline(leg), leg[0], leg[-1])


def _places(of: Walk) -> dict[int, Stop]:
    """Where the walk leads, by stop, in walking order: also to what is picked already, so that it stays the same."""
    return {pick.stop: pick.place for pick in of.picks if pick.state not in _NOT_WALKED_TO}


@lru_cache(maxsize=WALKS_KEPT)
def _lines(hall: RectHall, places: tuple[Stop, ...]) -> _Lines:
    points = [hall.start_point, *(stop_point(hall, place) for place in places), hall.end_point]
    legs = [tuple(_dm(hall, corner) for corner in way(hall, a, b)) for a, b in pairwise(points)]
    low, high = hall.cross_y_mm[0], hall.cross_y_mm[-1]
    aisles = [(Point(x, low), Point(x, high)) for x in hall.aisle_x_mm]
    across = [(Point(hall.aisle_x_mm[0], y), Point(hall.aisle_x_mm[-1], y)) for y in hall.cross_y_mm]
    shut = [
        (Point(x, max(low, one.from_y_mm)), Point(x, min(high, one.to_y_mm)))
        for one in hall.closed
        for x in [hall.aisle_x_mm[one.aisle]]
    ]
    return _Lines(_view(legs), _strokes(hall, [*aisles, *across]), _strokes(hall, shut), tuple(legs))


def _view(legs: Sequence[Sequence[tuple[int, int]]]) -> tuple[int, int, int, int]:
    """Left, top, width, height of the floor this walk uses, with a margin."""
    xs, ys = [x for leg in legs for x, _ in leg], [y for leg in legs for _, y in leg]
    (left, width), (top, height) = _span(xs), _span(ys)
    return left, top, width, height


def _span(values: Sequence[int]) -> tuple[int, int]:
    """Where it begins and how long it is."""
    length = max(max(values) - min(values), SHOWN_DM_MIN) + 2 * MARGIN_DM
    return (min(values) + max(values) - length) // 2, length


def _dm(hall: RectHall, point: Point) -> tuple[int, int]:
    return point.x_mm // MM_PER_DM, (hall.cross_y_mm[-1] - point.y_mm) // MM_PER_DM


def _strokes(hall: RectHall, lines: Iterable[tuple[Point, Point]]) -> str:
    return "".join(f"M{_words(_dm(hall, a))}L{_words(_dm(hall, b))}" for a, b in lines)


def _polyline(corners: Sequence[tuple[int, int]]) -> str:
    """As SVG's `points`, without repeated corners."""
    kept = [corner for number, corner in enumerate(corners) if not number or corner != corners[number - 1]]
    return " ".join(f"{x},{y}" for x, y in kept)


def _words(point: tuple[int, int]) -> str:
    return f"{point[0]} {point[1]}"
