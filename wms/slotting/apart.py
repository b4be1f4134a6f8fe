"""Plans of moves and racks in a process of their own (see `wms.core.apart`): no arithmetic ever slows a scan."""

from __future__ import annotations

from wms.core import apart
from wms.core.refusal import Refused
from wms.optimise.slotting import divide
from wms.optimise.slotting.divide import Chosen, Racks
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


def choose_apart(racks: Racks) -> Chosen:
    """See `divide.choose`; without the solver when the child did not come back in time."""
    try:
        chosen: Chosen = apart.ask(__name__, "choose", racks)
    except Refused:
        chosen = divide.choose_quickly(racks)
    return chosen


if __name__ == "__main__":
    apart.answer({"solve": solve, "reckon": reckon, "choose": divide.choose})
