#!/usr/bin/env python3
"""Write the section of docs/reference/slotting.md about racks divided anew, from what the command said.

scripts/bench.py redivision --json > redivision.jsonl
scripts/redivision_report.py redivision.jsonl
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

PAGE = Path(__file__).resolve().parent.parent / "docs/reference/slotting.md"
HEADING = "## Racks divided anew: an example that is really stowed"

WORDS = """
`scripts/bench.py redivision --json` builds two parks alike from a seed: six thousand slots, bays of bins nearly
full, bays of shelves between 15 and 95 % full. {announced:,} SKUs are announced, twelve pieces each; 160 beams
and 900 dividers lie ready. In one park the announced goods are received and put away through the dock's
service, each where the system chooses, in the order in which they come. In the other the plan is accepted whole
first and every task of it is done, step by step; then the same goods come in the same order. `wms audit` holds
in both{audit}.

| | as it is | divided anew |
|---|--:|--:|
| SKUs that fit, told by the plan | {skus_before:,} | {skus_after:,} |
| SKUs really stowed | {stowed_before:,} | **{stowed_after:,}** |
| litres really stowed | {litres_before:,} | {litres_after:,} |
| share of all racks' volume in use, told by the plan | {share_before:.1%} | {share_after:.1%} |
| slots in the bays that were changed | {slots_before:,} | {slots_after:,} |

**{more:,} more SKUs**, {more_litres:,} litres more, in the same uprights. The work: {bays} bays divided,
{goods} things carried away first, {beams} beams and {dividers} dividers put in, {labels} labels hung;
{minutes:,} minutes by the rates of the [guide](../guide/slotting.md#racks-divided-anew), {cost:,.2f} yuan. The
room is worth {gain:,.2f} yuan a month of the hall's rent, so the work is paid in {payback} days. {optimal} Bays
left alone: {left}.

How it is found: `wms/optimise/slotting/divide.py` (CP-SAT, deterministic; never worse than the best bay by bay
without a solver, which is also what is used when the solver's process does not come back).
"""


def main() -> int:
    parser = argparse.ArgumentParser(description="Write the section about racks divided anew.")
    parser.add_argument("said", help="the JSON Lines of scripts/bench.py redivision")
    asked = parser.parse_args()
    rows = [json.loads(line) for line in Path(asked.said).read_text("utf-8").splitlines() if line]
    page = without(PAGE.read_text("utf-8")).rstrip("\n")
    PAGE.write_text(f"{page}\n\n{section({row['measure']: row for row in rows})}", encoding="utf-8")
    return 0


def without(page: str) -> str:
    """The page before the section."""
    return page.split(HEADING)[0]


def kept(page: Path = PAGE) -> str:
    """The section as it stands on the page, for whoever writes the rest anew; nothing when there is none."""
    _, found, rest = page.read_text("utf-8").partition(HEADING)
    return found + rest


def section(said: dict[str, dict[str, Any]]) -> str:
    """The section from the rows of the command, by their measure."""
    before, plan, work, after = (said[name] for name in ("as it is", "plan", "work", "divided anew"))
    left = ", ".join(f"{count} ({why})" for why, count in plan["left_alone"].items()) or "none"
    words = WORDS.format(
        announced=after["announced"],
        audit="" if before["audit_ok"] and after["audit_ok"] else " **not**",
        skus_before=plan["skus_before"],
        skus_after=plan["skus_after"],
        stowed_before=before["skus"],
        stowed_after=after["skus"],
        litres_before=before["litres"],
        litres_after=after["litres"],
        share_before=plan["share_before"],
        share_after=plan["share_after"],
        slots_before=plan["slots_before"],
        slots_after=plan["slots_after"],
        more=after["more_skus"],
        more_litres=after["more_litres"],
        bays=work["bays_divided"],
        goods=work["goods_moved"],
        labels=work["labels_hung"],
        beams=plan["beams"],
        dividers=plan["dividers"],
        minutes=plan["minutes"],
        cost=plan["cost_yuan"],
        gain=plan["gain_yuan_month"],
        payback=plan["payback_days"],
        optimal="No choice of so many bays is better (proved)." if plan["optimal"] else "A better choice may exist.",
        left=left,
    )
    return f"{HEADING}\n{words}"


if __name__ == "__main__":
    sys.exit(main())
