"""Plans in a process of their own, so that minutes of arithmetic never slow a scan.

The child is given values and gives values back; it never opens the database. Both ends are this program, started by
itself: nothing from outside is ever unpickled.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Mapping
from typing import Any

from wms.core.refusal import Reason, Refused
from wms.slotting.planning import Plan, Problem, solve
from wms.slotting.whatif import Conditions, Outcome, reckon

THINK_S_MAX = 300.0
NICE = 5
_WORK: Mapping[str, Callable[..., Any]] = {"solve": solve, "reckon": reckon}
_REASONS = {reason.value: reason for reason in Reason}


def solve_apart(problem: Problem, most: int) -> Plan:
    """See `planning.solve`. Raises BUSY when the child did not come back in time."""
    plan: Plan = _ask("solve", problem, most)
    return plan


def reckon_apart(problem: Problem, conditions: Conditions) -> Outcome:
    """See `whatif.reckon`. Raises what it raises, and BUSY when the child did not come back in time."""
    outcome: Outcome = _ask("reckon", problem, conditions)
    return outcome


def _ask(work: str, *given: Any) -> Any:
    command = [sys.executable, "-m", "wms.slotting.apart", work]
    try:
        done = subprocess.run(command, input=pickle.dumps(given), capture_output=True, timeout=THINK_S_MAX, check=True)
    except (subprocess.TimeoutExpired, subprocess.CalledProcessError) as error:
        raise Refused(Reason.BUSY) from error
    found = pickle.loads(done.stdout)
    if isinstance(found, tuple) and found[0] == "refused":
        raise Refused(_REASONS[found[1]], **found[2])
    return found


def main() -> None:
    """The child: one problem in, one answer out."""
    os.nice(NICE)
    given = pickle.load(sys.stdin.buffer)
    try:
        found: Any = _WORK[sys.argv[1]](*given)
    except Refused as no:
        found = "refused", no.reason.value, no.facts
    sys.stdout.buffer.write(pickle.dumps(found))


if __name__ == "__main__":
    main()
