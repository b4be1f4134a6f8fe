"""The one door to routes: exact where the hall allows it, else the best that could be found."""

from __future__ import annotations

from collections.abc import Sequence

from wms.optimise.geometry import HallError, Point, RectHall, Stop, is_walkable, reachable_rows, stop_point
from wms.optimise.routing.graph import plan_ruled_route
from wms.optimise.routing.rect import check_stops, corners, exact_path, exact_paths, is_exact, visit_order
from wms.optimise.routing.route import Limits, Route, Rules


def plan_route(
    hall: RectHall,
    stops: Sequence[Stop],
    start: Point | None = None,
    end: Point | None = None,
    rules: Rules | None = None,
    limits: Limits | None = None,
) -> Route:
    """The shortest walk found from `start` over all stops to `end`.

    Without `start` the hall's depot; without `end` the hall's end, or back to a given `start`. Exact for up to four
    blocks without rules and with both ends on cross aisles; else a search (exact up to 12 different stops).
    """
    rules = rules or Rules()
    begin, finish = _ends(hall, start, end)
    check_stops(hall, stops)
    if not rules.free or not is_exact(hall, begin, finish) or _apart(hall, begin, finish):
        return plan_ruled_route(hall, stops, begin, finish, rules, limits)
    return _exact(hall, stops, *exact_path(hall, stops, begin, finish), rules)


def plan_routes(
    hall: RectHall,
    tours: Sequence[Sequence[Stop]],
    start: Point | None = None,
    end: Point | None = None,
    rules: Rules | None = None,
    limits: Limits | None = None,
) -> list[Route]:
    """What `plan_route` finds for each of many tours in one hall, much faster where the hall is solved exactly."""
    rules = rules or Rules()
    begin, finish = _ends(hall, start, end)
    if not rules.free or not is_exact(hall, begin, finish) or _apart(hall, begin, finish):
        return [plan_route(hall, stops, begin, finish, rules, limits) for stops in tours]
    for stops in tours:
        check_stops(hall, stops)
    found = exact_paths(hall, tours, begin, finish)
    return [_exact(hall, stops, *one, rules) for stops, one in zip(tours, found, strict=True)]


def _ends(hall: RectHall, start: Point | None, end: Point | None) -> tuple[Point, Point]:
    begin = start or hall.start_point
    finish = end or (begin if start else hall.end_point)
    for name, place in (("start", begin), ("end", finish)):
        if place != hall.hub and not is_walkable(hall, place):
            raise HallError(f"{name} {tuple(place)} is on no aisle and no cross aisle")
    return begin, finish


def _apart(hall: RectHall, start: Point, end: Point) -> bool:
    """Whether closed aisles may part an end from the floor: the search over the graph then says what is cut off."""
    if not hall.closed:
        return False
    rows = {hall.cross_y_mm[row] for row in reachable_rows(hall)}
    return any(place != hall.hub and place.y_mm not in rows for place in (start, end))


def _exact(hall: RectHall, stops: Sequence[Stop], length: int, path: list[Point], rules: Rules) -> Route:
    return Route(
        sequence=visit_order(path, [stop_point(hall, stop) for stop in stops]),
        path=corners(path, hall.hub),
        length_mm=length,
        seconds=length / rules.walk_mm_per_s,
        method="exact",
        optimal=True,
        lower_bound_mm=length,
    )
