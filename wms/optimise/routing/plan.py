"""The one door to routes: exact where the hall allows it, else the best that could be found."""

from __future__ import annotations

from collections.abc import Sequence

from wms.optimise.geometry import Point, RectHall, Stop, check_on_cross_aisle, stop_point
from wms.optimise.routing.rect import check_stops, corners, exact_path, visit_order
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

    Without `start` the hall's depot; without `end` the hall's end, or back to a given `start`.
    """
    rules = rules or Rules()
    begin = start or hall.start_point
    finish = end or (begin if start else hall.end_point)
    check_on_cross_aisle(hall, "start", begin)
    check_on_cross_aisle(hall, "end", finish)
    check_stops(hall, stops)
    length, path = exact_path(hall, stops, begin, finish)
    return Route(
        sequence=visit_order(path, [stop_point(hall, stop) for stop in stops]),
        path=corners(path),
        length_mm=length,
        seconds=length / rules.walk_mm_per_s,
        method="exact",
        optimal=True,
        lower_bound_mm=length,
    )
