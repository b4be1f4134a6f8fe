"""The one door to batches: plans that get better until nobody waits any longer."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from wms.optimise.batching.columns import improve_by_columns
from wms.optimise.batching.greedy import first_come_first_served, savings
from wms.optimise.batching.large import ORDERS_AT_ONCE, improve_neighbourhoods, places_of, savings_in_clusters
from wms.optimise.batching.loads import Loads
from wms.optimise.batching.pricing import TourPricer
from wms.optimise.batching.problem import (
    Batch,
    BatchLimits,
    BatchPlan,
    Cart,
    Objective,
    Order,
    check_problem,
)
from wms.optimise.batching.search import improve
from wms.optimise.geometry import RectHall, Stop, distance_mm, stop_point
from wms.optimise.routing.plan import plan_route
from wms.optimise.routing.rect import check_stops, frame

Sets = list[frozenset[int]]

SWAP_ROUNDS_MAX = 1_000


def never() -> bool:
    return False


def plan_batches(
    orders: Sequence[Order],
    carts: Sequence[Cart],
    hall: RectHall,
    objective: Objective | None = None,
    limits: BatchLimits | None = None,
    frozen: Sequence[Sequence[str]] = (),
    seed: int = 1,
    cancel: Callable[[], bool] = never,
) -> Iterator[BatchPlan]:
    """Plans for `orders`, each cheaper than the one before; take the last, or the first that is good enough.

    `frozen` holds the order ids of batches already released: they stay as they are, in front. `cancel` is asked
    often and ends the search; the first plan always comes. Raises BatchingError for what no plan can satisfy.
    """
    objective, limits = objective or Objective(), limits or BatchLimits()
    check_problem(orders, carts, hall)
    for order in orders:
        check_stops(hall, order.stops)
    by_id = {order.order_id: order for order in orders}
    released = [[by_id[order_id] for order_id in batch] for batch in frozen]
    taken = {order.order_id for batch in released for order in batch}
    open_orders = [order for order in orders if order.order_id not in taken]
    writer = _Writer(hall, objective, open_orders, released, _lower_bound(open_orders, carts, hall))
    tours = TourPricer(frame(hall, hall.start_point, hall.end_point), [order.stops for order in open_orders])
    wanted = [open_orders]
    if objective.late_mm_per_s and len({order.due_s for order in open_orders}) > 1:
        wanted.append(_by_due(open_orders))
    best: int | None = None
    for mixing in reversed(wanted):
        loads, setup_mm = Loads(mixing, carts), objective.setup_mm_per_batch
        for batches, method in _better(mixing, loads, tours, setup_mm, limits, cancel, seed):
            plan = writer.plan(batches, method)
            if best is None or plan.cost_mm < best:
                best = plan.cost_mm
                yield plan


def _better(
    orders: list[Order],
    loads: Loads,
    tours: TourPricer,
    setup_mm: int,
    limits: BatchLimits,
    cancel: Callable[[], bool],
    seed: int,
) -> Iterator[tuple[Sets, str]]:
    batches = first_come_first_served(loads)
    yield batches, "first come first served"
    if cancel() or len(orders) < 2 or limits.rounds == 0:
        return
    if len(orders) > ORDERS_AT_ONCE:
        yield from _better_of_many(orders, loads, tours, setup_mm, limits, cancel, seed)
        return

    def polish(start: Sets) -> Sets:
        return [start, *improve(start, loads, tours, setup_mm, cancel, SWAP_ROUNDS_MAX)][-1]

    batches = savings(loads, tours, [frozenset([order]) for order in range(len(orders))])
    yield batches, "savings"
    batches = polish(batches)
    yield batches, "shift and swap"
    if cancel() or limits.rounds < 2:
        return
    for better in improve_by_columns(batches, loads, tours, setup_mm, polish, cancel, limits.rounds - 1, seed):
        yield better, "column generation"


def _better_of_many(
    orders: list[Order],
    loads: Loads,
    tours: TourPricer,
    setup_mm: int,
    limits: BatchLimits,
    cancel: Callable[[], bool],
    seed: int,
) -> Iterator[tuple[Sets, str]]:
    places = places_of(orders)
    batches = savings_in_clusters(loads, tours, places, cancel)
    yield batches, "savings in clusters"
    for better in improve_neighbourhoods(batches, loads, tours, places, setup_mm, cancel, limits.rounds, seed):
        yield better, "shift and swap"


def _by_due(orders: list[Order]) -> list[Order]:
    """The same orders, mixing only with those due at the same time."""
    return [replace(order, mix=f"{order.mix} due {order.due_s}") for order in orders]


def late_s(batches: Sequence[Batch], objective: Objective) -> int:
    """Total lateness when the next free picker always starts the next batch, in whole seconds."""
    free = [float(objective.now_s)] * objective.pickers
    late = 0.0
    for batch in batches:
        work_s = batch.length_mm / objective.walk_mm_per_s + objective.stop_s * len(batch.route.sequence)
        done = heapq.heappop(free) + work_s + objective.setup_mm_per_batch / objective.walk_mm_per_s
        heapq.heappush(free, done)
        if batch.due_s is not None:
            late += max(0.0, done - batch.due_s)
    return round(late)


def _lower_bound(orders: Sequence[Order], carts: Sequence[Cart], hall: RectHall) -> int:
    """No plan is shorter: the k-th batch walks at least to what is still left when k - 1 full carts took the furthest.

    A batch is at least as long as the walk to any of its stops, and takes no more than the greatest limit of a load.
    """
    reach = [max((_there_and_back(hall, stop) for stop in order.stops), default=0) for order in orders]
    furthest = sorted(range(len(orders)), key=lambda k: -reach[k])
    best = max(reach, default=0)
    for part in range(min((len(cart.capacity) for cart in carts), default=0)):
        limit = max(cart.capacity[part] for cart in carts)
        carried, full, total = 0, 0, 0
        for k in furthest:
            carried += orders[k].load[part] if part < len(orders[k].load) else 0
            if carried > full * limit:
                total += reach[k]
                full += 1
        best = max(best, total)
    return best


def _there_and_back(hall: RectHall, stop: Stop) -> int:
    place = stop_point(hall, stop)
    return distance_mm(hall, hall.start_point, place) + distance_mm(hall, place, hall.end_point)


class _Writer:
    """Turns sets of order numbers into a plan with routes, in the order in which batches should be started."""

    def __init__(
        self, hall: RectHall, objective: Objective, orders: list[Order], released: list[list[Order]], bound: int
    ) -> None:
        self._bound = bound
        self._hall = hall
        self._objective = objective
        self._orders = orders
        self._known: dict[frozenset[int], Batch] = {}
        self._released = [self._batch(batch) for batch in released]

    def _batch(self, orders: list[Order]) -> Batch:
        stops = [stop for order in orders for stop in order.stops]
        route = plan_route(self._hall, stops, self._hall.start_point, self._hall.end_point)
        dues = [order.due_s for order in orders if order.due_s is not None]
        ids = tuple(order.order_id for order in orders)
        return Batch(ids, route, route.length_mm, min(dues) if dues else None)

    def plan(self, batches: Sets, method: str) -> BatchPlan:
        for members in batches:
            if members not in self._known:
                self._known[members] = self._batch([self._orders[order] for order in sorted(members)])
        found = sorted((self._known[members] for members in batches), key=_urgency)
        made = (*self._released, *found)
        length = sum(batch.length_mm for batch in made)
        cost = length + self._objective.setup_mm_per_batch * len(made)
        if self._objective.late_mm_per_s:
            cost += self._objective.late_mm_per_s * late_s(made, self._objective)
        bound = min(length, self._bound + sum(batch.length_mm for batch in self._released))
        return BatchPlan(batches=made, length_mm=length, cost_mm=cost, lower_bound_mm=bound, method=method)


def _urgency(batch: Batch) -> tuple[bool, int, tuple[str, ...]]:
    """Earliest due first; batches without a due time last."""
    return (batch.due_s is None, batch.due_s or 0, batch.order_ids)
