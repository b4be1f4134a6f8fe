"""What is batched: orders with stops and loads, carts with limits, and the plan that comes out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from wms.optimise.geometry import RectHall, Stop
from wms.optimise.routing.route import WALK_MM_PER_S, Route


class BatchingError(ValueError):
    """The problem cannot be planned as it stands; the text names the order or cart at fault."""


@dataclass(frozen=True)
class Order:
    """One order to pick.

    `load` counts against every limit of a cart in the same order (weight, volume, totes, lines, ...), in base units.
    Orders with different `mix` never share a batch. `due_s` is when the order must be picked, on any one time line.
    """

    order_id: str
    stops: tuple[Stop, ...]
    load: tuple[int, ...]
    due_s: int | None = None
    mix: str = ""


@dataclass(frozen=True)
class Cart:
    """A kind of cart by its limits, in the same order as the loads of the orders."""

    capacity: tuple[int, ...]


@dataclass(frozen=True)
class Objective:
    """What a plan costs, in mm of walking: the tours, a start per batch, lateness, and crowding.

    Lateness and crowding are judged as if `pickers` people worked the batches in the order of their due times from
    `now_s` on. Crowded are the seconds in which somebody is in an aisle where another is already.
    """

    setup_mm_per_batch: int = 0
    stop_s: float = 0.0
    walk_mm_per_s: int = WALK_MM_PER_S
    pickers: int = 1
    now_s: int = 0
    late_mm_per_s: int = 0
    crowd_mm_per_s: int = 0


@dataclass(frozen=True)
class BatchLimits:
    """How hard to try: 0 for the first plan only, 1 for savings with shift and swap (the default: under a second for
    a hundred orders), and every further round for one descent by column generation (some seconds each)."""

    rounds: int = 1


@dataclass(frozen=True)
class Batch:
    """Orders picked in one tour. `length_mm` is the length of the tour's exact route."""

    order_ids: tuple[str, ...]
    route: Route
    length_mm: int
    due_s: int | None = None


@dataclass(frozen=True)
class BatchPlan:
    """Batches in the order in which they should be started. `length_mm` is the sum of their tours, `crowded_s` how long
    people are in each other's way (0 where nobody asked).

    `lower_bound_mm` is no more than the length of any plan for the same orders.
    """

    batches: tuple[Batch, ...]
    length_mm: int
    cost_mm: int = 0
    lower_bound_mm: int = 0
    method: str = ""
    crowded_s: int = 0


def fits_a_cart(carts: Sequence[Cart], load: Sequence[int]) -> bool:
    """Whether some cart carries the load; one without limits for a trailing part carries any of it."""
    return any(all(part <= limit for part, limit in zip(load, cart.capacity, strict=False)) for cart in carts)


def check_problem(orders: Sequence[Order], carts: Sequence[Cart], hall: RectHall) -> None:
    """Refuse what no plan could satisfy, naming it."""
    if not carts:
        raise BatchingError("no cart is given")
    ids = sorted(order.order_id for order in orders)
    for a, b in pairwise(ids):
        if a == b:
            raise BatchingError(f"order {a} is given twice")
    for order in orders:
        if any(part < 0 for part in order.load):
            raise BatchingError(f"order {order.order_id} has a negative load")
        if not fits_a_cart(carts, order.load):
            raise BatchingError(f"order {order.order_id} fits no cart")
