"""Very many orders, and what must hold for every plan."""

from __future__ import annotations

import random
import resource
import time
from collections.abc import Iterator
from itertools import pairwise

from scripts.benches.planning.published import Row
from wms.optimise.batching import BatchLimits, BatchPlan, Cart, Order, plan_batches
from wms.optimise.batching.greedy import first_come_first_served
from wms.optimise.batching.loads import Loads
from wms.optimise.check import BatchProblem, violations
from wms.optimise.geometry import Point, RectHall, Stop
from wms.optimise.routing import plan_routes

AISLES, BLOCKS, BLOCK_MM, CELLS, PITCH_MM = 30, 3, 18_000, 17, 3_000
MEAN_AISLE, ONE_LINE, LINES_MAX = 8.0, 0.6, 6
CARTS = (Cart((12,)),)
ORDERS, VERY_MANY, LATE_ORDERS = 5_000, 50_000, 50
GOALS_PCT = ((10.0, 29.0), (60.0, 33.0))
FIRST_S, FIRST_PCT, VERY_MANY_S, LATE_S, MEMORY_MB = 3.0, 25.0, 60.0, 1.0, 2_048
CANCEL_S = 0.2
HALL = RectHall(
    tuple(PITCH_MM * aisle for aisle in range(AISLES)),
    tuple(BLOCK_MM * row for row in range(BLOCKS + 1)),
    Point(0, 0),
)


def made_orders(count: int, seed: int = 5) -> list[Order]:
    """Most orders have one line; fast goods lie near the depot; one order fills one tote."""
    dice = random.Random(seed)
    return [
        Order(
            str(number),
            tuple(_stop(dice) for _ in range(1 if dice.random() < ONE_LINE else dice.randint(2, LINES_MAX))),
            (1,),
        )
        for number in range(count)
    ]


def _stop(dice: random.Random) -> Stop:
    aisle = min(AISLES - 1, int(dice.expovariate(1 / MEAN_AISLE)))
    return Stop(aisle, dice.randrange(BLOCKS) * BLOCK_MM + round((dice.randrange(CELLS) + 0.5) * BLOCK_MM / CELLS))


def many(quick: bool, seconds: float) -> Iterator[Row]:
    """B4: what the first plan saves and when, what more time saves, further orders, and 50,000 at once."""
    orders = made_orders(ORDERS)
    plans, saved = _watched(orders, seconds, _as_they_come(orders))
    first_s, first_pct = saved[0]
    yield _many(
        f"{ORDERS:,} orders, first plan",
        first_s,
        first_pct,
        f">= {FIRST_PCT:g} % in {FIRST_S:g} s",
        first_s <= FIRST_S and first_pct >= FIRST_PCT,
    )
    for at_s, goal_pct in GOALS_PCT:
        if at_s <= seconds:
            pct = [pct for when_s, pct in saved if when_s <= at_s][-1]
            yield _many(f"{ORDERS:,} orders, after {at_s:g} s", at_s, pct, f">= {goal_pct:g} %", pct >= goal_pct)
    yield _later(orders, plans[-1])
    if not quick:
        yield _very_many()


def _many(what: str, cpu_s: float, saved_pct: float, goal: str, reached: bool) -> Row:
    return {
        "figure": "B4",
        "what": what,
        "goal": goal,
        "cpu_s": round(cpu_s, 2),
        "under_first_come_pct": round(saved_pct, 2),
        "memory_mb": _memory_mb(),
        "reached": reached,
    }


def _memory_mb() -> int:
    """The most this process ever held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1_024


def _as_they_come(orders: list[Order]) -> int:
    batches = first_come_first_served(Loads(orders, CARTS))
    tours = [[stop for order in sorted(one) for stop in orders[order].stops] for one in batches]
    return sum(route.length_mm for route in plan_routes(HALL, tours))


def _watched(orders: list[Order], seconds: float, compared: int) -> tuple[list[BatchPlan], list[tuple[float, float]]]:
    """Plans within some seconds of the processor; when each came and what it saves, in percent."""
    began_s = time.process_time()
    plans, saved = [], []
    limits = BatchLimits(rounds=1_000_000)
    for plan in plan_batches(
        orders, CARTS, HALL, limits=limits, cancel=lambda: time.process_time() - began_s > seconds
    ):
        plans.append(plan)
        saved.append((time.process_time() - began_s, 100 * (1 - plan.length_mm / compared)))
    wrong = violations(BatchProblem(orders, CARTS, HALL), plans[-1])
    assert not wrong, wrong[0]
    return plans, saved


def _later(orders: list[Order], earlier: BatchPlan) -> Row:
    everything = [
        *orders,
        *(Order(f"late {order.order_id}", order.stops, order.load) for order in made_orders(LATE_ORDERS, 6)),
    ]
    began_s = time.process_time()
    plan = next(plan_batches(everything, CARTS, HALL, begin_with=earlier))
    cpu_s = time.process_time() - began_s
    wrong = violations(BatchProblem(everything, CARTS, HALL), plan)
    assert not wrong, wrong[0]
    return {
        "figure": "B4",
        "what": f"{LATE_ORDERS} orders more",
        "goal": f"<= {LATE_S:g} s",
        "cpu_s": round(cpu_s, 2),
        "reached": cpu_s <= LATE_S,
    }


def _very_many() -> Row:
    orders = made_orders(VERY_MANY)
    began_s = time.process_time()
    plan = next(plan_batches(orders, CARTS, HALL))
    cpu_s = time.process_time() - began_s
    memory_mb = _memory_mb()
    wrong = violations(BatchProblem(orders, CARTS, HALL), plan)
    assert not wrong, wrong[0]
    return _many(
        f"{VERY_MANY:,} orders, first plan",
        cpu_s,
        100 * (1 - plan.length_mm / _as_they_come(orders)),
        f"<= {VERY_MANY_S:g} s, <= {MEMORY_MB:,} MB",
        cpu_s <= VERY_MANY_S and memory_mb <= MEMORY_MB,
    )


def always(seed: int) -> Iterator[Row]:
    """B5: sound plans, each better than the one before; cancelled at once; the same seed, the same plan."""
    for count, rounds in ((40, 3), (600, 1)):
        orders = made_orders(count, seed)
        limits = BatchLimits(rounds=rounds)
        plans = list(plan_batches(orders, CARTS, HALL, limits=limits, seed=seed))
        again = list(plan_batches(orders, CARTS, HALL, limits=limits, seed=seed))
        sound = all(not violations(BatchProblem(orders, CARTS, HALL), plan) for plan in plans)
        better = all(b.cost_mm < a.cost_mm for a, b in pairwise(plans))
        cancel_s = max(_cancelled_s(orders, after_s) for after_s in (0.1, 0.4, 1.0))
        yield {
            "figure": "B5",
            "what": f"{count} orders, {len(plans)} plans",
            "goal": f"sound, anytime, repeatable, cancel <= {CANCEL_S:g} s",
            "sound": sound,
            "anytime": better,
            "repeatable": plans == again,
            "cancel_s": round(cancel_s, 3),
            "reached": sound and better and plans == again and cancel_s <= CANCEL_S,
        }


def _cancelled_s(orders: list[Order], after_s: float) -> float:
    """Seconds of the processor from the moment somebody cancels until the planner is done."""
    began_s = time.process_time()
    for _ in plan_batches(
        orders, CARTS, HALL, limits=BatchLimits(rounds=1_000), cancel=lambda: time.process_time() - began_s > after_s
    ):
        pass
    return max(0.0, time.process_time() - began_s - after_s)
