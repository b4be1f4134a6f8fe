"""Is a plan what it says it is? Judged from the problem alone, without the code that made the plan."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from wms.optimise.batching.problem import Batch, BatchPlan, Cart, Objective, Order
from wms.optimise.geometry import GraphHall, Point, RectHall, Stop, distance_mm, is_walkable, leg_mm, stop_point
from wms.optimise.routing.route import Route

CROWD_ROUNDING_S = 1.0


@dataclass(frozen=True)
class BatchProblem:
    """What a batch plan was asked for; `frozen` are the order ids of batches already released.

    With an `objective` that counts crowding, what the plan says of it is judged too.
    """

    orders: Sequence[Order]
    carts: Sequence[Cart]
    hall: RectHall
    frozen: Sequence[Sequence[str]] = ()
    objective: Objective | None = None


@dataclass(frozen=True)
class CrowdProblem:
    """People who walk these tours one after the other, whoever is free next: each tour as the corners of its walk and
    its stops in walking order. `stop_s` and `setup_s` are spent at each stop and before each tour.
    """

    hall: RectHall
    tours: Sequence[tuple[Sequence[Point], Sequence[Stop]]]
    people: int
    walk_mm_per_s: int
    stop_s: float
    setup_s: float


@dataclass(frozen=True)
class RouteProblem:
    """What a route in a rectangular hall was asked for."""

    hall: RectHall
    stops: Sequence[Stop]
    start: Point
    end: Point


@dataclass(frozen=True)
class GraphRouteProblem:
    """What a route on a general map was asked for, and with which equipment ("" on foot)."""

    hall: GraphHall
    stops: Sequence[str]
    start: str
    end: str
    equipment: str = ""


def violations(problem: BatchProblem | RouteProblem | GraphRouteProblem, plan: BatchPlan | Route) -> list[str]:
    """Sentences about everything wrong with the plan; none when it may be used."""
    if isinstance(problem, GraphRouteProblem) and isinstance(plan, Route):
        return list(_graph_route_violations(problem, plan))
    if isinstance(problem, RouteProblem) and isinstance(plan, Route):
        return list(_route_violations(problem, plan))
    if isinstance(problem, BatchProblem) and isinstance(plan, BatchPlan):
        return list(_batch_violations(problem, plan))
    return [f"a {type(plan).__name__} does not answer a {type(problem).__name__}"]


def _route_violations(problem: RouteProblem, route: Route) -> Iterator[str]:
    places = [stop_point(problem.hall, stop) for stop in problem.stops]
    if sorted(route.sequence) != list(range(len(places))):
        yield "the sequence does not name every stop once"
        return
    path = [Point(*corner) for corner in route.path if not isinstance(corner, str)]
    if not path or path[0] != problem.start or path[-1] != problem.end:
        yield "the path does not lead from the start to the end"
    complaints = list(_path_violations(problem.hall, path, [places[index] for index in route.sequence]))
    yield from complaints
    if complaints:
        return
    length = sum(leg_mm(problem.hall, a, b) for a, b in pairwise(path))
    if length != route.length_mm:
        yield f"the path is {length} mm long, not {route.length_mm} mm"
    if route.lower_bound_mm > route.length_mm or (route.optimal and route.lower_bound_mm != route.length_mm):
        yield "the lower bound does not fit the length"


def _graph_route_violations(problem: GraphRouteProblem, route: Route) -> Iterator[str]:
    if sorted(route.sequence) != list(range(len(problem.stops))):
        yield "the sequence does not name every stop once"
        return
    path = [str(place) for place in route.path]
    if not path or path[0] != problem.start or path[-1] != problem.end:
        yield "the path does not lead from the start to the end"
    length = 0
    for a, b in pairwise(path):
        ways = [edge for edge in problem.hall.edges if (edge.a, edge.b) == (a, b)]
        ways += [edge for edge in problem.hall.edges if (edge.b, edge.a) == (a, b) and not edge.oneway]
        if not ways:
            yield f"no way leads from {a} to {b}"
            return
        passable = [edge.length_mm for edge in ways if problem.equipment not in edge.barred]
        if not passable:
            yield f"the way from {a} to {b} is barred for {problem.equipment}"
            return
        length += min(passable)
    waiting = [problem.stops[index] for index in reversed(route.sequence)]
    for place in path:
        while waiting and waiting[-1] == place:
            waiting.pop()
    if waiting:
        yield "the path does not pass the stops in the order of the sequence"
    if length != route.length_mm:
        yield f"the path is {length} mm long, not {route.length_mm} mm"
    if route.lower_bound_mm > route.length_mm or (route.optimal and route.lower_bound_mm != route.length_mm):
        yield "the lower bound does not fit the length"


def _path_violations(hall: RectHall, path: Sequence[Point], in_order: Sequence[Point]) -> Iterator[str]:
    """Every leg runs along an aisle or cross aisle, and the legs pass the stops in the order of the sequence."""
    for a, b in pairwise(path):
        if not _open_way(hall, a, b):
            yield f"one cannot walk straight from {tuple(a)} to {tuple(b)}"
    waiting = list(reversed(in_order))
    for a, b in pairwise([*path, path[-1]] if path else []):
        while waiting and _between(a, waiting[-1], b):
            a = waiting.pop()
    if waiting:
        yield "the path does not pass the stops in the order of the sequence"


def _open_way(hall: RectHall, a: Point, b: Point) -> bool:
    if hall.hub in (a, b):
        front = b if a == hall.hub else a
        return front == hall.hub or (front.x_mm in hall.aisle_x_mm and front.y_mm == hall.cross_y_mm[0])
    if not is_walkable(hall, a) or not is_walkable(hall, b):
        return False
    for closed in hall.closed:
        x_mm, low, high = hall.aisle_x_mm[closed.aisle], min(a.y_mm, b.y_mm), max(a.y_mm, b.y_mm)
        if a.x_mm == b.x_mm == x_mm and low < closed.to_y_mm and closed.from_y_mm < high:
            return False
    across, along = a.y_mm == b.y_mm and a.y_mm in hall.cross_y_mm, a.x_mm == b.x_mm and a.x_mm in hall.aisle_x_mm
    return a == b or across or along


def _between(a: Point, place: Point, b: Point) -> bool:
    if a.x_mm != b.x_mm and a.y_mm != b.y_mm:
        return place in (a, b)
    return min(a.x_mm, b.x_mm) <= place.x_mm <= max(a.x_mm, b.x_mm) and (
        min(a.y_mm, b.y_mm) <= place.y_mm <= max(a.y_mm, b.y_mm)
    )


def _batch_violations(problem: BatchProblem, plan: BatchPlan) -> Iterator[str]:
    orders = {order.order_id: order for order in problem.orders}
    batched = Counter(order_id for batch in plan.batches for order_id in batch.order_ids)
    yield from (f"order {order_id} is in {times} batches" for order_id, times in batched.items() if times > 1)
    yield from (f"order {order_id} is in no batch" for order_id in orders if order_id not in batched)
    yield from (f"order {order_id} was never asked for" for order_id in batched if order_id not in orders)
    made = {frozenset(batch.order_ids) for batch in plan.batches}
    yield from (f"the released batch {list(one)} was changed" for one in problem.frozen if frozenset(one) not in made)
    released = {frozenset(one) for one in problem.frozen}
    for batch in plan.batches:
        members = [orders[order_id] for order_id in batch.order_ids if order_id in orders]
        if frozenset(batch.order_ids) not in released:
            yield from _mixing_violations(problem.carts, batch, members)
        yield from _tour_violations(problem.hall, batch, members)
    if sum(batch.length_mm for batch in plan.batches) != plan.length_mm:
        yield "the plan's length is not the sum of its batches"
    if plan.lower_bound_mm > plan.length_mm:
        yield "the plan is shorter than its lower bound"
    if problem.objective is not None and problem.objective.crowd_mm_per_s:
        yield from _crowd_violations(problem.hall, orders, problem.objective, plan)


def _crowd_violations(
    hall: RectHall, orders: Mapping[str, Order], objective: Objective, plan: BatchPlan
) -> Iterator[str]:
    tours = []
    for batch in plan.batches:
        stops = [stop for order_id in batch.order_ids for stop in orders[order_id].stops]
        path = [Point(*corner) for corner in batch.route.path if not isinstance(corner, str)]
        tours.append((path, [stops[index] for index in batch.route.sequence]))
    setup_s = objective.setup_mm_per_batch / objective.walk_mm_per_s
    seen = crowded_s(CrowdProblem(hall, tours, objective.pickers, objective.walk_mm_per_s, objective.stop_s, setup_s))
    if abs(seen - plan.crowded_s) > CROWD_ROUNDING_S:
        yield f"people are in each other's way for {seen:.0f} s, not {plan.crowded_s} s"


def crowded_s(problem: CrowdProblem) -> float:
    """Seconds in which somebody is in an aisle where another is already, told moment by moment.

    Between any two moments at which somebody enters or leaves an aisle, everybody is asked where he is.
    """
    free_s = [0.0] * problem.people
    spans: list[tuple[float, float, int, int]] = []
    for number, (path, stops) in enumerate(problem.tours):
        who = min(range(problem.people), key=lambda one: (free_s[one], one))
        now_s = free_s[who] + problem.setup_s
        for seconds, aisle in _steps(problem, path, list(stops)):
            if aisle is not None:
                spans.append((now_s, now_s + seconds, aisle, number))
            now_s += seconds
        free_s[who] = now_s
    return _shared_s(spans)


def _shared_s(spans: Sequence[tuple[float, float, int, int]]) -> float:
    """From moment to moment, how many walk in each aisle beside the first; a tour that stays there counts once."""
    events = [(at, change, aisle, tour) for begin, end, aisle, tour in spans for at, change in ((begin, 1), (end, -1))]
    inside: Counter[tuple[int, int]] = Counter()
    people: Counter[int] = Counter()
    total_s, before_s, too_many = 0.0, 0.0, 0
    for at_s, change, aisle, tour in sorted(events, key=lambda event: event[0]):
        total_s += (at_s - before_s) * too_many
        before_s = at_s
        was = inside[aisle, tour] > 0
        inside[aisle, tour] += change
        moved = (inside[aisle, tour] > 0) - was
        too_many += max(0, people[aisle] + moved - 1) - max(0, people[aisle] - 1)
        people[aisle] += moved
    return total_s


def _steps(problem: CrowdProblem, path: Sequence[Point], stops: list[Stop]) -> Iterator[tuple[float, int | None]]:
    """Walking and standing, one after the other: how long, and in which aisle."""
    hall = problem.hall
    for a, b in pairwise([*path, path[-1]]):
        along = a != b and a.x_mm == b.x_mm and a.x_mm in hall.aisle_x_mm and hall.hub not in (a, b)
        aisle = hall.aisle_x_mm.index(a.x_mm) if along else None
        while stops and _between(a, stop_point(hall, stops[0]), b):
            stop = stops.pop(0)
            place = stop_point(hall, stop)
            yield leg_mm(hall, a, place) / problem.walk_mm_per_s, aisle
            yield problem.stop_s, stop.aisle
            a = place
        yield leg_mm(hall, a, b) / problem.walk_mm_per_s, aisle


def _mixing_violations(carts: Sequence[Cart], batch: Batch, members: Sequence[Order]) -> Iterator[str]:
    if not members:
        yield "a batch is empty"
    if len({order.mix for order in members}) > 1:
        yield f"batch {list(batch.order_ids)} mixes what must not mix"
    parts = max((len(order.load) for order in members), default=0)
    load = [sum(order.load[part] for order in members if part < len(order.load)) for part in range(parts)]
    if not any(all(amount <= limit for amount, limit in zip(load, cart.capacity, strict=False)) for cart in carts):
        yield f"batch {list(batch.order_ids)} fits no cart"


def _tour_violations(hall: RectHall, batch: Batch, members: Sequence[Order]) -> Iterator[str]:
    stops = [stop for order in members for stop in order.stops]
    problem = RouteProblem(hall, stops, hall.start_point, hall.end_point)
    for complaint in _route_violations(problem, batch.route):
        yield f"batch {list(batch.order_ids)}: {complaint}"
    if batch.route.length_mm != batch.length_mm:
        yield f"batch {list(batch.order_ids)} does not have the length of its route"
    if batch.length_mm < sum_of_ends(hall, stops):
        yield f"batch {list(batch.order_ids)} is shorter than the walk to its furthest stop"


def sum_of_ends(hall: RectHall, stops: Sequence[Stop]) -> int:
    """A bound anyone can check: to the furthest stop and on to the end."""
    places = [stop_point(hall, stop) for stop in stops] or [hall.start_point]
    return max(distance_mm(hall, hall.start_point, p) + distance_mm(hall, p, hall.end_point) for p in places)
