"""A walk laid out anew around what is closed: what can be reached in which order, and what is set aside. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from wms.core.refusal import Reason, Refused
from wms.optimise import check
from wms.optimise.geometry import (
    Closed,
    HallError,
    Point,
    RectHall,
    Stop,
    is_open,
    is_reachable,
    path_length_mm,
    shut_cells,
    stop_point,
    walk_through,
)
from wms.optimise.routing import Route, plan_route
from wms.picking.values import PickFacts, Walk
from wms.site.values import ClosureFacts, HallFacts


@dataclass(frozen=True, slots=True)
class Rerouted:
    """The rest of a walk: (pick id, stop) in walking order and the picks out of reach; `walk_mm` is all of the walk."""

    stops: tuple[tuple[int, int], ...]
    aside: tuple[int, ...]
    route: Route
    walk_mm: int


def walkable(hall: RectHall, path: Sequence[Point]) -> bool:
    """Whether nothing closed lies on this walk."""
    return all(is_open(hall, a, b) for a, b in pairwise(path))


def touched(hall: RectHall, walk: Walk, path: Sequence[Point]) -> bool:
    """Whether what is closed or open now changes this walk: its way, a pick out of reach, or one that was."""
    if not walkable(hall, path):
        return True
    if any(is_reachable(hall, pick.place) for pick in walk.aside_picks):
        return True
    return any(not is_reachable(hall, pick.place) for pick in walk.open_picks)


def rerouted(hall: RectHall, walk: Walk, at_pick: PickFacts | None = None) -> Rerouted:
    """The walk from where the picker stands, over what can be reached, to the end.

    `at_pick` is what he has in his hands or walks to: that stop stays the next one, also where it lies behind what was
    closed (he is there). Raises PLAN_UNSOUND for a walk that is not what it says, HallError never.
    """
    first = [pick for pick in walk.open_picks if at_pick is not None and pick.stop == at_pick.stop]
    rest = [pick for pick in (*walk.open_picks, *walk.aside_picks) if pick not in first]
    near = [pick for pick in rest if is_reachable(hall, pick.place)]
    start = _start(hall, walk, at_pick)
    route = _sound_route(hall, [pick.place for pick in near], start)
    behind = max((pick.stop for pick in walk.picks if pick.picked or pick.short or pick in first), default=0)
    stops = [*((pick.id, pick.stop) for pick in first), *_numbered([near[k] for k in route.sequence], behind)]
    aside = tuple(pick.id for pick in rest if not is_reachable(hall, pick.place))
    return Rerouted(tuple(stops), aside, route, _walked_mm(hall, walk, start) + route.length_mm)


def closures_at(hall: HallFacts, place: Stop) -> list[ClosureFacts]:
    """What keeps one from a place out of reach: what is closed just there, else everything that is."""
    here = [one for one in hall.closures if any(_holds(stretch, place) for stretch in hall.closed_by(one))]
    return here or list(hall.closures)


def _holds(stretch: Closed, place: Stop) -> bool:
    return stretch.aisle == place.aisle and stretch.from_y_mm < place.y_mm < stretch.to_y_mm


def _start(hall: RectHall, walk: Walk, at_pick: PickFacts | None) -> Point:
    """Where the picker stands: at the pick in his hands, else where he picked last, else at the start."""
    done = [pick for pick in walk.picks if pick.picked]
    here = at_pick or max(done, key=lambda pick: pick.stop, default=None)
    return hall.start_point if here is None else _out_of(hall, here.place)


def _out_of(hall: RectHall, place: Stop) -> Point:
    """The place itself, or where one comes out of the closed stretch it lies in."""
    if is_reachable(hall, place):
        return stop_point(hall, place)
    ends = [
        Stop(aisle, y)
        for (aisle, row), stretch in shut_cells(hall).items()
        if aisle == place.aisle and hall.cross_y_mm[row] <= place.y_mm <= hall.cross_y_mm[row + 1]
        for y in stretch
        if is_reachable(hall, Stop(aisle, y))
    ]
    nearest = min(ends, key=lambda end: abs(end.y_mm - place.y_mm), default=None)
    return hall.start_point if nearest is None else stop_point(hall, nearest)


def _sound_route(hall: RectHall, stops: Sequence[Stop], start: Point) -> Route:
    """A route, checked by what did not make it."""
    try:
        route = plan_route(hall, stops, start, hall.end_point)
    except HallError as error:
        raise Refused(Reason.PLAN_UNSOUND, what=str(error)) from error
    found = check.violations(check.RouteProblem(hall, stops, start, hall.end_point), route)
    if found:
        raise Refused(Reason.PLAN_UNSOUND, what=found[0])
    return route


def _numbered(picks: Sequence[PickFacts], behind: int) -> Iterator[tuple[int, int]]:
    """Stops by slot, counted on from the last one that is behind; in a slot SKU after SKU, position after position."""
    stop = behind
    for _, here in groupby(picks, key=lambda pick: pick.place):
        in_order = sorted(here, key=lambda p: (p.slot_code, p.sku_id, p.lot_id, p.position, p.id))
        for _, in_slot in groupby(in_order, key=lambda pick: pick.slot_id):
            stop += 1
            yield from ((pick.id, stop) for pick in in_slot)


def _walked_mm(hall: RectHall, walk: Walk, start: Point) -> int:
    """About how far it was up to here: over the stops that are done, as the hall was built."""
    built = RectHall(hall.aisle_x_mm, hall.cross_y_mm, hall.depot, hall.end, hall.spokes_mm)
    done = sorted((pick for pick in walk.picks if pick.picked), key=lambda pick: pick.stop)
    places = [built.start_point, *dict.fromkeys(stop_point(built, pick.place) for pick in done)]
    return path_length_mm(walk_through(built, [*places, start])) if start != built.start_point else 0
