"""Writes docs/reference/planning.md and its pictures from what was measured, keeping earlier rows not measured anew."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from scripts.benches.planning import pictures
from scripts.benches.planning.published import Row

INTRODUCTION = """# Routes and batches: how good, how soon

Written by `python3 scripts/bench.py planning --data DIR`; do not edit by hand. `DIR` holds published problems with
their best known values; without it only what is made from seeds is measured. Seconds and milliseconds are of one
processor, not of the clock. Each row says how many files it was measured on; its last run replaces the one before.

A gap is how much longer a plan is than the best known one. Every plan was judged by `wms/optimise/check.py`, which
shares nothing with the planner, before it counted; tours of made halls and maps are compared with an exact solver's
(`scripts/benches/planning/oracle.py`).
"""

PEERS = """## Beside others

| published problems | here | others |
|---|--:|---|
{rows}

Others' figures are those printed or measured elsewhere, not repeated here: the open pipelines are the virtual best of
45 to 66 combinations of heuristics in Python; the C++ programmes are branch-and-price heuristics at 20 to 75 seconds.
"""
OTHERS = {
    "henn_waescher": "open Python pipelines 3.97 %; published C++ 0.01-0.3 %",
    "muter_oencan": "open Python pipelines 5.65 %",
    "foodmart": "open Python pipelines 6.96 %",
}
SAID = {
    "files": "files",
    "seconds": "s a file",
    "optimal": "optimal",
    "proved": "proved so",
    "longer": "longer than the oracle's",
    "proved_by_the_oracle": "proved by the oracle",
    "mean_gap_pct": "% mean gap",
    "worst_gap_pct": "% worst gap",
    "mean_at_1_s_pct": "% mean gap at 1 s",
    "mean_at_10_s_pct": "% mean gap at 10 s",
    "worse_than_nearest": "worse than nearest neighbour",
    "mean_cpu_ms": "ms mean",
    "p95_cpu_ms": "ms 95th percentile",
    "cpu_s": "s",
    "under_first_come_pct": "% under first come first served",
    "memory_mb": "MB at most",
    "sound": "sound",
    "anytime": "each better",
    "repeatable": "repeatable",
    "cancel_s": "s to cancel",
}


def write(docs: Path, rows: Sequence[Row]) -> None:
    """Merge the rows into those kept beside the page, then write page and pictures."""
    kept = docs / "reference" / "planning.json"
    known: list[Row] = json.loads(kept.read_text("utf-8")) if kept.is_file() else []
    fresh = {(row["figure"], row["what"]) for row in rows}
    merged = sorted([row for row in known if (row["figure"], row["what"]) not in fresh] + [*rows], key=_place)
    pictured = docs / "pictures" / "planning"
    for folder in (kept.parent, pictured):
        folder.mkdir(parents=True, exist_ok=True)
    kept.write_text("[\n" + ",\n".join(json.dumps(row) for row in merged) + "\n]\n", encoding="utf-8")
    (pictured / "gap.svg").write_text(pictures.gaps(merged), encoding="utf-8")
    (pictured / "tour.svg").write_text(pictures.tour(), encoding="utf-8")
    (kept.parent / "planning.md").write_text(page(merged), encoding="utf-8")


def _place(row: Row) -> tuple[str, str]:
    return row["figure"], row["what"]


def page(rows: Sequence[Row]) -> str:
    """The page in Markdown."""
    table = ["| | what | goal | seen | reached |", "|---|---|---|---|---|"]
    for row in rows:
        seen = ", ".join(f"{_number(row[key])} {words}" for key, words in SAID.items() if key in row)
        table.append(
            f"| {row['figure']} | {row['what']} | {row['goal']} | {seen} | {'yes' if row['reached'] else '**no**'} |"
        )
    return "\n".join(
        [
            INTRODUCTION,
            "## Figures\n",
            *table,
            "",
            PEERS.format(rows="\n".join(_beside(rows))),
            "## Pictures\n",
            "![Mean gap over time, by set of problems](../pictures/planning/gap.svg)\n",
            "![A tour over the stops of one batch on the map of a hall](../pictures/planning/tour.svg)\n",
        ]
    )


def _number(value: object) -> str:
    if isinstance(value, bool):
        return "yes:" if value else "not"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _beside(rows: Sequence[Row]) -> list[str]:
    found = []
    for row in rows:
        for name, others in OTHERS.items():
            if row["what"].startswith(name) and "mean_gap_pct" in row:
                found.append(f"| {row['what']}, {row['seconds']:g} s | {row['mean_gap_pct']} % | {others} |")
    return found or ["| (none measured) | | |"]
