"""Published batching problems: one run each, and how far from the best known value it was at 1, 10 and 60 s."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from scripts.benches.planning.published import Published, Row
from wms.optimise.batching import BatchLimits, plan_batches
from wms.optimise.bench.batch import BatchTask, read_task
from wms.optimise.check import BatchProblem, violations

MARKS_S = (1.0, 10.0, 60.0)
# figure -> set, part of the file's name, end gap, goal for the mean gap in percent, for the worst
CLASSES: dict[str, tuple[tuple[str, str, str | None, float, float | None], ...]] = {
    "B1": (("henn_waescher", "", None, 3.9, None), ("foodmart", "", None, 1.5, None)),
    "B2": (
        *(("henn_waescher", f"-{cap}-", None, goal, 4.0) for cap, goal in ((30, 0.1), (45, 0.5), (60, 1.0), (75, 1.5))),
        *(("muter_oencan", f"_{cap}_", "1.5", goal, None) for cap, goal in ((24, 1.0), (36, 1.5), (48, 3.0))),
        ("bahceci_oencan", "", None, 0.1, None),
    ),
    "B3": (("foodmart", "", None, 0.5, 2.0),),
}
SMALL_S = 1.0  # the small problems get one second
PROVED_SHARE = 0.95
UNITS = 1_000  # lengths inside are thousandths of the file's unit

Trail = list[tuple[float, float]]


def measured(published: Published, figure: str, seconds: float, seed: int) -> Iterator[Row]:
    """One row for each class of files of the figure."""
    for name, part, end_gap, goal_pct, worst_goal_pct in CLASSES[figure]:
        best = published.best(name, part)
        if not best:
            continue
        limit_s = min(seconds, SMALL_S) if name == "bahceci_oencan" else seconds
        trails = [_trail(path, known, end_gap, limit_s, seed) for path, known in best.items()]
        yield _row(figure, f"{name} {part.strip('-_')}".strip(), trails, limit_s, goal_pct, worst_goal_pct)


def _trail(path: str, known: float, end_gap: str | None, limit_s: float, seed: int) -> Trail:
    """Seconds of the processor and gap in percent of each plan on the way; the last is judged before it counts."""
    task: BatchTask = read_task(Path(path).read_bytes(), end_gap)
    begin_s = time.process_time()
    trail: Trail = []
    plan = None
    for plan in plan_batches(
        task.orders,
        task.carts,
        task.hall,
        limits=BatchLimits(rounds=1_000_000_000),
        seed=seed,
        cancel=lambda: time.process_time() - begin_s > limit_s,
    ):
        length = (plan.length_mm + 2 * task.stub_mm * len(plan.batches)) / UNITS
        trail.append((round(time.process_time() - begin_s, 3), 100 * (length / known - 1)))
    assert plan is not None, "a first plan always comes"
    wrong = violations(BatchProblem(task.orders, task.carts, task.hall), plan)
    if wrong:
        raise SystemExit(f"{path}: {wrong[0]}")
    return trail


def gap_at(trail: Trail, second: float) -> float:
    """The gap of the plan one had at that time (of the first plan, when it came later)."""
    return next((gap for at_s, gap in reversed(trail) if at_s <= second), trail[0][1])


def _row(
    figure: str, what: str, trails: list[Trail], limit_s: float, goal_pct: float, worst_goal_pct: float | None
) -> Row:
    ends = [gap_at(trail, limit_s + 1) for trail in trails]
    optimal = sum(abs(gap) < 1e-7 for gap in ends)
    mean, worst = sum(ends) / len(ends), max(ends)
    marks = [mark for mark in MARKS_S if mark < limit_s]
    small = what.startswith("bahceci")
    share_goal = f">= {PROVED_SHARE:.0%} optimal in {limit_s:g} s"
    goal = f"mean <= {goal_pct} %" + (f", worst <= {worst_goal_pct} %" if worst_goal_pct else "")
    met = mean <= goal_pct and (worst_goal_pct is None or worst <= worst_goal_pct)
    return {
        "figure": figure,
        "what": what,
        "goal": share_goal if small else goal,
        "files": len(trails),
        "seconds": limit_s,
        "optimal": optimal,
        "mean_gap_pct": round(mean, 3),
        "worst_gap_pct": round(worst, 2),
        **{f"mean_at_{mark:g}_s_pct": round(sum(gap_at(t, mark) for t in trails) / len(trails), 3) for mark in marks},
        "over_time": [[mark, round(sum(gap_at(t, mark) for t in trails) / len(trails), 3)] for mark in _times(limit_s)],
        "reached": optimal >= PROVED_SHARE * len(trails) if small else met,
    }


def _times(limit_s: float) -> list[float]:
    """Moments at which the mean gap is drawn: more of them early on."""
    return [mark for mark in (0.25, 0.5, 1, 2, 3, 5, 7, 10, 15, 20, 30, 40, 50) if mark < limit_s] + [limit_s]
