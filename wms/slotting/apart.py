"""Plans of moves in a process of their own (see `wms.core.apart`): minutes of arithmetic never slow a scan."""

from __future__ import annotations

from wms.core import apart
from wms.slotting.planning import Plan, Problem, solve
from wms.slotting.whatif import Conditions, Outcome, reckon


def solve_apart(problem: Problem, most: int) -> Plan:
    """See `planning.solve`. Raises BUSY when the child did not come back in time."""
    plan: Plan = apart.ask(__name__, "solve", problem, most)
    return plan


def reckon_apart(problem: Problem, conditions: Conditions) -> Outcome:
    """See `whatif.reckon`. Raises what it raises, and BUSY when the child did not come back in time."""
    outcome: Outcome = apart.ask(__name__, "reckon", problem, conditions)
    return outcome


if __name__ == "__main__":
    apart.answer({"solve": solve, "reckon": reckon})
