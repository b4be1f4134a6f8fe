"""`wms bench batch`: batches the orders of a file and says how long the tours are, how soon and how fast."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TextIO

from wms.optimise.batching import BatchingError, BatchLimits, BatchPlan, Cart, Order, plan_batches
from wms.optimise.bench.foodmart import read_foodmart, unit_length
from wms.optimise.bench.route import Answer, for_each_file
from wms.optimise.bench.text import FileError, Line, TextProblem, read_text, with_end_gap
from wms.optimise.check import BatchProblem, violations
from wms.optimise.geometry import RectHall

ROUNDS_MAX = 1_000_000_000  # the time limit ends the search, not the rounds
FINISH_S = 0.05  # to write the last plan down


@dataclass(frozen=True)
class BatchTask:
    """What a file asks to be batched. `stub_mm` is walked twice more on every tour."""

    hall: RectHall
    orders: tuple[Order, ...]
    carts: tuple[Cart, ...]
    stub_mm: int = 0


def bench_batch(
    files: Sequence[str], time_limit_s: float, seed: int, end_gap: str | float | None, out: TextIO, err: TextIO
) -> int:
    """One JSON line per good file on `out`, one plain line per bad file on `err`; 0, or 2 when a file was bad.

    `end_gap`: a length that replaces the file's distance from an aisle's ends to its first and last cell.
    """
    gap = None if end_gap is None else str(end_gap)
    if time_limit_s <= 0 or (gap is not None and not _is_length(gap)):
        print("the time limit and the end gap must be numbers above zero", file=err)
        return 2
    return for_each_file(files, out, err, lambda content: _answer(content, time_limit_s, seed, gap))


def _is_length(text: str) -> bool:
    try:
        return Decimal(text) >= 0
    except InvalidOperation:
        return False


def _answer(content: bytes, time_limit_s: float, seed: int, end_gap: str | None) -> Answer:
    task = read_task(content, end_gap)
    begin, cpu_begin = time.monotonic(), time.process_time()
    first_plan_s = 0.0
    last: BatchPlan | None = None
    try:
        for plan in plan_batches(
            task.orders,
            task.carts,
            task.hall,
            limits=BatchLimits(rounds=ROUNDS_MAX),
            seed=seed,
            cancel=lambda: time.monotonic() - begin > time_limit_s - FINISH_S,
        ):
            first_plan_s = first_plan_s or time.monotonic() - begin
            last = plan
    except BatchingError as error:
        raise FileError(0, str(error)) from error
    wall_s, cpu_s = time.monotonic() - begin, time.process_time() - cpu_begin
    assert last is not None, "a first plan always comes"
    wrong = violations(BatchProblem(task.orders, task.carts, task.hall), last)
    if wrong:
        raise AssertionError(f"the plan breaks its promises: {wrong[0]}")
    stubs = 2 * task.stub_mm * len(last.batches)
    return {
        "length": unit_length(last.length_mm + stubs),
        "batches": [[int(order_id) for order_id in batch.order_ids] for batch in last.batches],
        "lower_bound": unit_length(last.lower_bound_mm),
        "first_plan_s": round(first_plan_s, 3),
        "cpu_s": round(cpu_s, 3),
        "wall_s": round(wall_s, 3),
    }


def read_task(content: bytes, end_gap: str | None) -> BatchTask:
    """What one file asks, in either format. Raises FileError."""
    if content.lstrip().startswith(b"//"):
        foodmart = read_foodmart(content)
        return BatchTask(foodmart.hall, foodmart.orders, foodmart.carts)
    problem = read_text(content if end_gap is None else with_end_gap(content, end_gap))
    if problem.capacity is None:
        raise FileError(0, "PICKER_CAPACITY is missing")
    return _of_text(problem, problem.capacity)


def _of_text(problem: TextProblem, capacity: Decimal) -> BatchTask:
    """An order's load is the sum of quantity times weight, in thousandths; its id is its place in the file."""
    cells = problem.cells_of()
    orders: list[Order] = []
    for index, lines in enumerate(problem.orders):
        stops = tuple(cells[line.article][0].stop for line in lines)
        load = sum((_weight(problem, line) * line.quantity for line in lines), Decimal(0))
        orders.append(Order(str(index), stops, (round(load * 1_000),)))
    return BatchTask(problem.hall, tuple(orders), (Cart((int(capacity * 1_000),)),), problem.stub_mm)


def _weight(problem: TextProblem, line: Line) -> Decimal:
    if line.article not in problem.weight:
        raise FileError(line.at, f"article {line.article} has no weight")
    return problem.weight[line.article]
