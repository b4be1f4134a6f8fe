"""Plans a wave in a process of its own, so that nobody's scan waits for the arithmetic.

`python -m wms.terminal.service.solving` reads a pickled problem from its parent and writes the pickled plan. Both ends
are this program, started by itself: nothing from outside is ever unpickled.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import time

from wms.core.refusal import Reason, Refused
from wms.optimise.batching.greedy import first_come_first_served
from wms.optimise.batching.loads import Loads
from wms.optimise.routing import plan_route
from wms.picking.rules.planning import solve
from wms.picking.values import Problem, WavePlan

THINK_S = 15.0
GRACE_S = 45.0
NICE = 5


def plan_apart(problem: Problem, think_s: float = THINK_S) -> tuple[WavePlan, int]:
    """The best plan found within `think_s`, and the mm walked if carts were filled in the order of arrival.

    Raises PLAN_UNSOUND when the wave cannot be planned, BUSY when the planner did not come back.
    """
    command = [sys.executable, "-m", "wms.terminal.service.solving", str(think_s)]
    try:
        done = subprocess.run(
            command, input=pickle.dumps(problem), capture_output=True, timeout=think_s + GRACE_S, check=True
        )
    except (subprocess.TimeoutExpired, subprocess.CalledProcessError) as error:
        raise Refused(Reason.BUSY) from error
    answer = pickle.loads(done.stdout)
    if isinstance(answer, str):
        raise Refused(Reason.PLAN_UNSOUND, what=answer)
    plan, first_come_mm = answer
    return plan, first_come_mm


def first_come_mm(problem: Problem) -> int:
    """Exact tours through carts filled in the order of arrival: what the plan is worth."""
    orders = problem.orders
    walks = (
        plan_route(
            problem.hall,
            [stop for index in cart for stop in orders[index].stops],
            problem.hall.start_point,
            problem.hall.end_point,
        )
        for cart in first_come_first_served(Loads(orders, problem.carts))
    )
    return sum(walk.length_mm for walk in walks)


def main() -> None:
    """The child: one problem in, one plan out."""
    os.nice(NICE)
    until = time.monotonic() + float(sys.argv[1])
    problem: Problem = pickle.load(sys.stdin.buffer)
    answer: tuple[WavePlan, int] | str
    try:
        answer = solve(problem, lambda: time.monotonic() > until), first_come_mm(problem)
    except Refused as no:
        answer = str(no.facts.get("what", no.reason.value))
    sys.stdout.buffer.write(pickle.dumps(answer))


if __name__ == "__main__":
    main()
