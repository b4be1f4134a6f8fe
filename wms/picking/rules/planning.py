"""From a wave to batches with stops: the solver's question, its answer checked, and the walk laid out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby, pairwise

from wms.core.refusal import Reason, Refused
from wms.optimise import check
from wms.optimise.batching import BatchingError, BatchLimits, BatchPlan, Cart, Order, plan_batches
from wms.optimise.batching.greedy import first_come_first_served
from wms.optimise.batching.loads import Loads
from wms.optimise.geometry import Point, RectHall, Stop, distance_mm, stop_point
from wms.optimise.routing import Route, plan_route, s_shape_length_mm
from wms.picking.values import CartLimits, Goods, PlannedBatch, Problem, WavePlan

MM3_PER_ML = 1_000


def _never() -> bool:
    return False


def problem_of(
    wave_no: str, hall: RectHall, goods: Iterable[Goods], limits: CartLimits, *, seed: int = 0, rounds: int = 1
) -> Problem:
    """The wave as the solver sees it. An order too heavy or bulky for a cart fills one by itself."""
    by_order: dict[int, list[Goods]] = {}
    for each in goods:
        by_order.setdefault(each.order_id, []).append(each)
    orders = tuple(
        Order(str(order_id), tuple(each.stop for each in its), _load(its, limits)) for order_id, its in by_order.items()
    )
    carts = (Cart((limits.totes, limits.weight_g, limits.volume_ml)),)
    frozen = {order_id: tuple(its) for order_id, its in by_order.items()}
    return Problem(wave_no, hall, carts, orders, frozen, seed, rounds)


def _load(goods: Sequence[Goods], limits: CartLimits) -> tuple[int, int, int]:
    weight_g = sum(each.weight_g * each.quantity for each in goods)
    volume_ml = sum(each.volume_mm3 * each.quantity for each in goods) // MM3_PER_ML
    return (1, min(weight_g, limits.weight_g), min(volume_ml, limits.volume_ml))


def solve(problem: Problem, cancel: Callable[[], bool] = _never) -> WavePlan:
    """Batches with exact tours. Pure and slow: call it outside of any transaction, if need be in a child process.

    The same problem gives the same plan; `cancel` is asked often and ends the search with the best plan so far.
    """
    best = BatchPlan((), 0)
    for best in improving(problem, cancel):  # noqa: B007 - each is better than the one before; the last counts
        pass
    return WavePlan(problem, best)


def improving(problem: Problem, cancel: Callable[[], bool] = _never) -> Iterator[BatchPlan]:
    """Plans as they are found, each shorter than the one before. Raises PLAN_UNSOUND for what no plan can satisfy."""
    try:
        yield from plan_batches(
            problem.orders,
            problem.carts,
            problem.hall,
            limits=BatchLimits(rounds=problem.rounds),
            seed=problem.seed,
            cancel=cancel,
        )
    except BatchingError as error:
        raise Refused(Reason.PLAN_UNSOUND, what=str(error)) from error


def first_come_mm(problem: Problem) -> int:
    """Exact tours through carts filled in the order of arrival, in mm: what a plan is compared with."""
    carts = first_come_first_served(Loads(problem.orders, problem.carts))
    return sum(_route_of(problem, [problem.orders[index].stops for index in sorted(cart)]).length_mm for cart in carts)


def _route_of(problem: Problem, stops: Iterable[Sequence[Stop]]) -> Route:
    return plan_route(
        problem.hall, [stop for each in stops for stop in each], problem.hall.start_point, problem.hall.end_point
    )


def check_sound(plan: WavePlan) -> None:
    """Refuse a plan that is not what it says, whoever made it. Judged without the code that plans."""
    problem = plan.problem
    found = check.violations(check.BatchProblem(problem.orders, problem.carts, problem.hall), plan.batches)
    if found:
        raise Refused(Reason.PLAN_UNSOUND, what=found[0])


def laid_out(plan: WavePlan, gone: frozenset[int] = frozenset()) -> list[PlannedBatch]:
    """The batches as they are walked, without the orders that are `gone` since. A tour never gets longer by that."""
    batches = []
    for batch in plan.batches.batches:
        order_ids = [int(order_id) for order_id in batch.order_ids]
        left = [order_id for order_id in order_ids if order_id not in gone]
        if left:
            route = batch.route if left == order_ids else _route(plan.problem, left)
            batches.append(_batch(plan.problem, left, route))
    return batches


def _route(problem: Problem, order_ids: Sequence[int]) -> Route:
    return _route_of(problem, ([goods.stop for goods in problem.goods[order_id]] for order_id in order_ids))


def laid_again(hall: RectHall, order_ids: Sequence[int], goods: Mapping[int, Sequence[Goods]]) -> PlannedBatch:
    """A batch of these orders walked as well as can be: for one whose goods changed since it was planned."""
    kept = {order_id: tuple(goods[order_id]) for order_id in order_ids}
    problem = Problem("", hall, (), (), kept)
    return _batch(problem, order_ids, _route(problem, order_ids))


def _batch(problem: Problem, order_ids: Sequence[int], route: Route) -> PlannedBatch:
    goods = [each for order_id in order_ids for each in problem.goods[order_id]]
    stops = [each.stop for each in goods]
    position = {order_id: number for number, order_id in enumerate(order_ids, 1)}
    picks = tuple(_numbered([goods[index] for index in route.sequence], position))
    path = tuple((corner.x_mm, corner.y_mm) for corner in route.path if isinstance(corner, Point))
    s_shape_mm = s_shape_length_mm(problem.hall, stops)
    walk_mm = route.length_mm
    return PlannedBatch(tuple(order_ids), picks, walk_mm, s_shape_mm, route.optimal, route.method, path, walk_mm)


def _numbered(in_walking_order: Sequence[Goods], position: Mapping[int, int]) -> Iterator[tuple[int, Goods]]:
    """Stops by slot. Where several slots are reached from one place, slot after slot, and in a slot SKU after SKU."""
    stop = 0
    for _, here in groupby(in_walking_order, key=lambda goods: goods.stop):
        same_place = sorted(here, key=lambda g: (g.slot_code, g.sku_id, g.lot_id, position[g.order_id]))
        for _, in_slot in groupby(same_place, key=lambda goods: goods.slot_id):
            stop += 1
            yield from ((stop, goods) for goods in in_slot)


def best_stop(hall: RectHall, ahead: Sequence[tuple[int, Stop]], here: Point, wanted: Point) -> int:
    """Before which of the stops still ahead a further one costs the shortest detour: the stop number it takes.

    `ahead` are number and place of the remaining stops in walking order, `here` is where the picker stands. After
    the last stop he walks to the end.
    """
    places = [here, *(stop_point(hall, place) for _, place in ahead), hall.end_point]
    detours = [
        distance_mm(hall, a, wanted) + distance_mm(hall, wanted, b) - distance_mm(hall, a, b)
        for a, b in pairwise(places)
    ]
    best = detours.index(min(detours))
    if best < len(ahead):
        return ahead[best][0]
    return ahead[-1][0] + 1 if ahead else 1


def most_visited_zone(batch: PlannedBatch) -> int:
    """Where most of the picks are: people are spread over zones by it."""
    zones = [goods.zone_id for _, goods in batch.picks]
    return max(sorted(set(zones)), key=zones.count)
