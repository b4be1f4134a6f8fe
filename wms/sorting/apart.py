"""Sort plans in a process of their own (see `wms.core.apart`): what follows a commit never waits for the arithmetic."""

from __future__ import annotations

from collections.abc import Sequence

from wms.core import apart
from wms.sorting.rules import propose
from wms.sorting.values import HubLoad, Plan, SortProposal


def propose_apart(loads: Sequence[HubLoad], chutes: Sequence[int], now: Plan) -> SortProposal:
    """See `rules.propose`. Raises BUSY when the child did not come back in time."""
    found: SortProposal = apart.ask(__name__, "propose", loads, chutes, now)
    return found


if __name__ == "__main__":
    apart.answer({"propose": propose})
