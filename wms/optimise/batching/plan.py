"""The one door to batches: plans that get better until nobody waits any longer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from wms.optimise.batching.greedy import first_come_first_served, savings
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
from wms.optimise.geometry import RectHall
from wms.optimise.routing.plan import plan_route
from wms.optimise.routing.rect import check_stops, frame

Sets = list[frozenset[int]]


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
    writer = _Writer(hall, objective, open_orders, released)
    best: int | None = None
    for batches, method in _better(open_orders, carts, hall, objective, limits, cancel):
        plan = writer.plan(batches, method)
        if best is None or plan.cost_mm < best:
            best = plan.cost_mm
            yield plan


def _better(
    orders: list[Order],
    carts: Sequence[Cart],
    hall: RectHall,
    objective: Objective,
    limits: BatchLimits,
    cancel: Callable[[], bool],
) -> Iterator[tuple[Sets, str]]:
    loads = Loads(orders, carts)
    tours = TourPricer(frame(hall, hall.start_point, hall.end_point), [order.stops for order in orders])
    batches = first_come_first_served(loads)
    yield batches, "first come first served"
    if cancel() or len(orders) < 2 or limits.rounds == 0:
        return
    batches = savings(loads, tours, [frozenset([order]) for order in range(len(orders))])
    yield batches, "savings"
    for better in improve(batches, loads, tours, objective.setup_mm_per_batch, cancel, limits.rounds):
        yield better, "shift and swap"


class _Writer:
    """Turns sets of order numbers into a plan with routes, in the order in which batches should be started."""

    def __init__(self, hall: RectHall, objective: Objective, orders: list[Order], released: list[list[Order]]) -> None:
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
        return BatchPlan(batches=made, length_mm=length, cost_mm=cost, method=method)


def _urgency(batch: Batch) -> tuple[bool, int, tuple[str, ...]]:
    """Earliest due first; batches without a due time last."""
    return (batch.due_s is None, batch.due_s or 0, batch.order_ids)
