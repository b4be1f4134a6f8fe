"""The one door to batches: plans that get better until nobody waits any longer."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from wms.optimise.batching.columns import improve_by_columns
from wms.optimise.batching.crowding import Crew, Tour, crowded_s, spread
from wms.optimise.batching.exchange import exchange
from wms.optimise.batching.greedy import first_come_first_served, savings
from wms.optimise.batching.loads import Loads
from wms.optimise.batching.overlap import Parts, insert, overlapping
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
from wms.optimise.geometry import Point, RectHall, Stop, distance_mm, stop_point
from wms.optimise.routing.plan import plan_routes
from wms.optimise.routing.rect import check_stops, frame

Sets = list[frozenset[int]]

SWAP_ROUNDS_MAX = 1_000
ORDERS_AT_ONCE = 150  # beyond this, all pairs of orders are too many to price
EXCHANGES = 15  # rounds of guessed moves for each round of the limits


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
    begin_with: BatchPlan | None = None,
) -> Iterator[BatchPlan]:
    """Plans for `orders`, each cheaper than the one before; take the last, or the first that is good enough.

    `frozen` holds the order ids of batches already released: they stay as they are, in front. `cancel` is asked
    often and ends the search; the first plan always comes. With `begin_with` (an earlier plan, of which orders may be
    gone and to which others have come) the first plan keeps its batches and puts the new orders to them. Raises
    BatchingError for what no plan can satisfy.
    """
    objective, limits = objective or Objective(), limits or BatchLimits()
    check_problem(orders, carts, hall)
    for order in orders:
        check_stops(hall, order.stops)
    by_id = {order.order_id: order for order in orders}
    released = [[by_id[order_id] for order_id in batch] for batch in frozen]
    taken = {order.order_id for batch in released for order in batch}
    open_orders = [order for order in orders if order.order_id not in taken]
    writer = _Writer(hall, objective, open_orders, released, lower_bound(open_orders, carts, hall))
    tours = TourPricer(frame(hall, hall.start_point, hall.end_point), [order.stops for order in open_orders])
    wanted = [open_orders]
    if objective.late_mm_per_s and len({order.due_s for order in open_orders}) > 1:
        wanted.append(_by_due(open_orders))
    kept = _kept(open_orders, carts, writer, tours, begin_with) if begin_with else []
    best: int | None = None
    for mixing in reversed(wanted):
        task = _Task(mixing, hall, Loads(mixing, carts), tours, objective.setup_mm_per_batch, limits, cancel, seed)
        for batches, method in task.better(kept):
            plan = writer.plan(batches, method)
            if best is None or plan.cost_mm < best:
                best = plan.cost_mm
                yield plan


def _kept(orders: list[Order], carts: Sequence[Cart], writer: _Writer, tours: TourPricer, earlier: BatchPlan) -> Sets:
    """The batches of an earlier plan as far as their orders are still open and a cart still carries them."""
    number = {order.order_id: index for index, order in enumerate(orders)}
    loads = Loads(orders, carts)
    left = [frozenset(number[order_id] for order_id in one.order_ids if order_id in number) for one in earlier.batches]
    sound = [(batch, one) for batch, one in zip(earlier.batches, left, strict=True) if one and loads.may_ride(one)]
    kept = [one for _, one in sound]
    for (batch, one), length in zip(sound, tours.lengths(kept), strict=True):
        if len(one) == len(batch.order_ids) and length == batch.length_mm:
            writer.remember(one, batch)
    return kept


@dataclass(frozen=True)
class _Task:
    """Orders to batch, and how hard to try."""

    orders: list[Order]
    hall: RectHall
    loads: Loads
    tours: TourPricer
    setup_mm: int
    limits: BatchLimits
    cancel: Callable[[], bool]
    seed: int

    def better(self, kept: Sets) -> Iterator[tuple[Sets, str]]:
        """Better and better batches, and by which method."""
        if len(self.orders) > ORDERS_AT_ONCE or kept:
            yield from self._better_of_many(kept)
            return
        yield first_come_first_served(self.loads), "first come first served"
        if self.cancel() or len(self.orders) < 2 or self.limits.rounds == 0:
            return
        alone = [frozenset([order]) for order in range(len(self.orders))]
        batches = savings(self.loads, self.tours, alone, self.cancel)
        yield batches, "savings"
        yield from self._better_of_few(batches)

    def _better_of_few(self, batches: Sets) -> Iterator[tuple[Sets, str]]:
        batches = self._polish(batches)
        yield batches, "shift and swap"
        if self.cancel() or self.limits.rounds < 2:
            return
        rounds = self.limits.rounds - 1
        for better in improve_by_columns(
            batches, self.loads, self.tours, self.setup_mm, self._polish, self.cancel, rounds, self.seed
        ):
            yield better, "column generation"

    def _polish(self, start: Sets) -> Sets:
        return [start, *improve(start, self.loads, self.tours, self.setup_mm, self.cancel, SWAP_ROUNDS_MAX)][-1]

    def _better_of_many(self, kept: Sets) -> Iterator[tuple[Sets, str]]:
        parts = Parts(self.orders, self.hall)
        if kept:
            fresh = sorted(set(range(len(self.orders))).difference(*kept))
            batches = insert(kept, fresh, parts, self.loads, self.cancel)
        else:
            batches = overlapping(parts, self.loads, never)
        yield batches, "overlap"
        if self.cancel() or self.limits.rounds == 0:
            return
        if len(self.orders) <= ORDERS_AT_ONCE:
            yield from self._better_of_few(batches)
            return
        rounds = EXCHANGES * self.limits.rounds
        for better in exchange(batches, parts, self.loads, self.tours, self.setup_mm, self.cancel, rounds, self.seed):
            yield better, "guessed exchanges"


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


def lower_bound(orders: Sequence[Order], carts: Sequence[Cart], hall: RectHall) -> int:
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
        self._by_id = {order.order_id: order for batch in (orders, *released) for order in batch}
        self._stops: dict[tuple[str, ...], list[Stop]] = {}
        self._released = self._written(released)

    def _written(self, batches: Sequence[Sequence[Order]]) -> list[Batch]:
        tours = [[stop for order in orders for stop in order.stops] for orders in batches]
        routes = plan_routes(self._hall, tours, self._hall.start_point, self._hall.end_point)
        dues = [[order.due_s for order in orders if order.due_s is not None] for orders in batches]
        return [
            Batch(tuple(order.order_id for order in orders), route, route.length_mm, min(due) if due else None)
            for orders, route, due in zip(batches, routes, dues, strict=True)
        ]

    def remember(self, members: frozenset[int], batch: Batch) -> None:
        """Take over a batch that was written down before."""
        self._known[members] = batch

    def plan(self, batches: Sets, method: str) -> BatchPlan:
        fresh = [members for members in batches if members not in self._known]
        written = self._written([[self._orders[order] for order in sorted(members)] for members in fresh])
        known = self._known | dict(zip(fresh, written, strict=True))
        self._known = {members: known[members] for members in batches}
        found = sorted((self._known[members] for members in batches), key=_urgency)
        plan = self._costed((*self._released, *found), method)
        if not self._objective.crowd_mm_per_s or self._objective.pickers < 2:
            return plan
        return min(plan, self._costed((*self._released, *self._spread(found)), method), key=lambda one: one.cost_mm)

    def _costed(self, made: tuple[Batch, ...], method: str) -> BatchPlan:
        objective = self._objective
        length = sum(batch.length_mm for batch in made)
        cost = length + objective.setup_mm_per_batch * len(made)
        crowded = 0
        if objective.late_mm_per_s:
            cost += objective.late_mm_per_s * late_s(made, objective)
        if objective.crowd_mm_per_s:
            crowded = crowded_s(self._hall, [self._tour(batch) for batch in made], _crew(objective))
            cost += objective.crowd_mm_per_s * crowded
        bound = min(length, self._bound + sum(batch.length_mm for batch in self._released))
        return BatchPlan(made, length, cost, bound, method, crowded)

    def _spread(self, found: Sequence[Batch]) -> list[Batch]:
        """The batches that are not released yet, begun so that people meet less."""
        turns = spread(self._hall, [self._tour(batch) for batch in found], _crew(self._objective))
        return [_turned(found[turn.tour]) if turn.turned else found[turn.tour] for turn in turns]

    def _tour(self, batch: Batch) -> Tour:
        if batch.order_ids not in self._stops:
            stops = [stop for order_id in batch.order_ids for stop in self._by_id[order_id].stops]
            self._stops[batch.order_ids] = stops
        stops = self._stops[batch.order_ids]
        path = tuple(corner for corner in batch.route.path if isinstance(corner, Point))
        return Tour(path, tuple(stops[index] for index in batch.route.sequence), batch.due_s)


def _crew(objective: Objective) -> Crew:
    setup_s = objective.setup_mm_per_batch / objective.walk_mm_per_s
    return Crew(objective.pickers, objective.walk_mm_per_s, objective.stop_s, setup_s)


def _turned(batch: Batch) -> Batch:
    """The same batch walked the other way round."""
    route = batch.route
    corners = tuple(corner for corner in reversed(route.path) if isinstance(corner, Point))
    return replace(batch, route=replace(route, sequence=route.sequence[::-1], path=corners))


def _urgency(batch: Batch) -> tuple[bool, int, tuple[str, ...]]:
    """Earliest due first; batches without a due time last."""
    return (batch.due_s is None, batch.due_s or 0, batch.order_ids)
