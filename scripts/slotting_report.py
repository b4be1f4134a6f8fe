#!/usr/bin/env python3
"""Write docs/reference/slotting.md and its plots from what the commands said.

wms bench slot --orders FILE --from-week 8 --to-week 29 --dump DIR --json > given.jsonl
wms bench slot --orders FILE --from-week 8 --to-week 29 --small-orders --json > small.jsonl
wms bench slot --orders FILE --from-week 8 --to-week 29 --shuffle --json > shuffle.jsonl
scripts/bench.py slotting > bench.jsonl
scripts/slotting_report.py --orders FILE --dump DIR given.jsonl small.jsonl shuffle.jsonl bench.jsonl
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from scripts.redivision_report import kept
from wms.optimise.bench.slot.hall import SLOTS
from wms.optimise.bench.slot.orders import Season, read_orders, season_of
from wms.optimise.bench.slot.policies import Layout
from wms.optimise.bench.slot.run import week_metres

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs/reference/slotting.md"
PICTURES = ROOT / "docs/pictures/slotting"
DRAWN = ("turnover_static", "dynamic_from_random", "dynamic_from_static", "weekly_unbounded", "hindsight")
DASHES = ("", "6 3", "2 2", "8 3 2 3", "1 3")
WIDTH, HEIGHT, LEFT, BOTTOM, RIGHT = 720, 300, 46, 34, 170

Row = dict[str, Any]

INTRODUCTION = """# Slotting: the standard experiment and what it costs to compute

Written by `scripts/slotting_report.py` from the output of the commands named there; do not edit by hand.

A real half-year of orders (UCI Online Retail, CC BY 4.0: Chen, Sain, Guo 2012) is walked in a hall of 6,000 slots under
nine policies of where goods lie. All tours are optimal, so only the layout differs. Ratios are to goods stored at
random; `net` adds 120 m for each move. Every layout is made from earlier weeks only.

Whoever has only the order file and a dump finds metres, tours and moves again with `python -m tests.optimise.recompute
ORDERS DUMP LINES.jsonl`, which shares no code with the program. Moves into week 8 count from what a policy begins with:
`random.csv` or `turnover_static.csv`.
"""

HOW = """
## How the planner works

1. **Forecast** (`wms/optimise/slotting/forecast.py`): lines a week, exponentially smoothed; the half-life is the one
   whose forecasts came truest lately. The slope of what came on what was forecast says how far the past is to be
   believed; below 0.15 nothing is moved at all.
2. **Cost of a band** (`wms/optimise/slotting/visits.py`): a line is dear where nobody else of its tour goes. For each
   SKU and lane, the share of its past orders that would enter the lane for this SKU alone, pulled towards the average
   for rarely ordered SKUs (smoothed co-order clusters).
3. **Ideal** (`wms/optimise/slotting/ideal.py`): SKUs to bands by min-cost flow, in rounds, for the cost of a lane
   depends on who lies there. Its dual says what a place in each band is worth.
4. **Receipts** (`wms/optimise/slotting/receipts.py`): announced receipts are planned together, each into a place that
   is free when it comes.
5. **Moves** (`wms/optimise/slotting/plan.py`): the best first, each of which earns its cost within two weeks at these
   prices. In a warehouse a move must also pay its real walk, and a replay of recent tours may veto it
   (`wms/optimise/slotting/judge.py`).
"""


def main() -> int:
    parser = argparse.ArgumentParser(description="Write the slotting page from what the commands said.")
    parser.add_argument("--orders", required=True)
    parser.add_argument("--dump", required=True)
    for name in ("given", "small", "shuffle", "bench"):
        parser.add_argument(name)
    asked = parser.parse_args()
    given, small, shuffle = (_by_policy(Path(name)) for name in (asked.given, asked.small, asked.shuffle))
    season = season_of(read_orders(Path(asked.orders)))
    PICTURES.mkdir(parents=True, exist_ok=True)
    weekly = {name: _weekly(season, Path(asked.dump) / f"{name}.csv") for name in ("random", *DRAWN)}
    (PICTURES / "weeks.svg").write_text(_lines(weekly), encoding="utf-8")
    (PICTURES / "policies.svg").write_text(_bars(list(given.values())), encoding="utf-8")
    page = _page(given, small, shuffle, _read(Path(asked.bench)))
    PAGE.write_text(f"{page}\n{kept(PAGE)}", encoding="utf-8")
    return 0


def _read(path: Path) -> list[Row]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines() if line]


def _by_policy(path: Path) -> dict[str, Row]:
    return {row["policy"]: row for row in _read(path)}


def _page(given: dict[str, Row], small: dict[str, Row], shuffle: dict[str, Row], bench: list[Row]) -> str:
    return "\n".join(
        [
            INTRODUCTION,
            "## Weeks 8-29\n",
            _table(list(given.values())),
            "\n![Metres of each policy as a share of random](../pictures/slotting/policies.svg)\n",
            "![Week by week](../pictures/slotting/weeks.svg)\n",
            "## Goals\n",
            _goals(given, small, shuffle),
            "\n## Small orders only (at most 8 lines)\n",
            _table(list(small.values())),
            "\n## SKUs renamed every week: nothing can be learnt\n",
            _table(list(shuffle.values())),
            "\n## What it costs to compute\n",
            "Seconds by the clock, and of one processor: on a machine with other work they differ.\n",
            _costs(bench),
            HOW,
        ]
    )


def _table(rows: Sequence[Row]) -> str:
    head = ["| policy | metres | ratio | net | moves a day | tours |", "|---|--:|--:|--:|--:|--:|"]
    return "\n".join(
        head
        + [
            f"| `{row['policy']}` | {row['metres']:,} | {row['ratio']:.4f} | {row['net_ratio']:.4f} | "
            f"{row['moves_per_day']:.2f} | {row['tours']:,} |"
            for row in rows
        ]
    )


def _goals(given: dict[str, Row], small: dict[str, Row], shuffle: dict[str, Row]) -> str:
    static, random_start = given["dynamic_from_static"], given["dynamic_from_random"]
    captured = (1 - static["ratio"]) / (1 - given["hindsight"]["ratio"])
    harm = shuffle["dynamic_from_static"]["net_ratio"] / shuffle["turnover_static"]["net_ratio"] - 1
    rows = [
        ("weekly_unbounded", given["weekly_unbounded"]["ratio"], "<=", 0.415),
        ("dynamic_from_random, gross", random_start["ratio"], "<=", 0.54),
        ("dynamic_from_random, net", random_start["net_ratio"], "<=", 0.57),
        ("dynamic_from_random, moves a day", random_start["moves_per_day"], "<=", 10),
        ("dynamic_from_static, net", static["net_ratio"], "<=", 0.475),
        ("captured share of dynamic_from_static", captured, ">=", 0.80),
        ("small orders, weekly_unbounded", small["weekly_unbounded"]["ratio"], "<=", 0.51),
        ("renamed SKUs: moves a day", shuffle["dynamic_from_static"]["moves_per_day"], "<=", 1),
        ("renamed SKUs: net against static", harm, "<=", 0.005),
    ]
    met = {"<=": lambda a, b: a <= b, ">=": lambda a, b: a >= b}
    lines = [
        f"| {name} | {found:.4f} | {sign} {goal} | {'yes' if met[sign](found, goal) else '**no**'} |"
        for name, found, sign, goal in rows
    ]
    return "\n".join(["| figure | found | goal | reached |", "|---|--:|--:|---|", *lines])


def _costs(rows: Sequence[Row]) -> str:
    lines = [
        f"| {row['measure']} | {', '.join(f'{value:,} {name}' for name, value in row.items() if name in SIZES)} | "
        f"{row['seconds']} | {row['cpu_s']} | {row['goal_s']} |"
        for row in rows
    ]
    return "\n".join(["| measure | size | s | processor s | goal s |", "|---|---|--:|--:|--:|", *lines])


SIZES = ("tours", "lines", "slots", "skus", "bands", "choices")


def _weekly(season: Season, dump: Path) -> dict[int, float]:
    """Metres of each week under the layouts of a dump."""
    number = {code: index for index, code in enumerate(season.codes)}
    slot = {tuple(row): index for index, row in enumerate(SLOTS.tolist())}
    place: dict[int, Any] = {}
    with dump.open(encoding="utf-8") as text:
        for row in csv.DictReader(text):
            lies = place.setdefault(int(row["week"]), np.zeros(season.skus, dtype=np.int64))
            lies[number[row["sku"]]] = slot[tuple(int(row[name]) for name in ("aisle", "side", "bay", "level"))]
    return {week: week_metres(season, Layout(week, lies)) for week, lies in place.items()}


def _lines(weekly: dict[str, dict[int, float]]) -> str:
    """Each policy's share of random, week by week."""
    weeks = sorted(weekly["random"])

    def x(week: int) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * (week - weeks[0]) / max(1, weeks[-1] - weeks[0])

    def y(share: float) -> float:
        return 10 + (HEIGHT - BOTTOM - 10) * (1 - share)

    parts = [
        _line(LEFT, y(share), WIDTH - RIGHT, y(share), "#ccc") + _text(4, y(share) + 4, f"{share:.1f}")
        for share in (0.2, 0.4, 0.6, 0.8, 1.0)
    ]
    parts += [_text(x(week) - 6, HEIGHT - 12, str(week)) for week in weeks[::3]]
    ends: list[float] = []
    for name, dash in zip(DRAWN, DASHES, strict=True):
        share = {week: weekly[name][week] / weekly["random"][week] for week in weeks}
        corners = " ".join(f"{x(week):.1f},{y(share[week]):.1f}" for week in weeks)
        parts.append(
            f'<polyline points="{corners}" fill="none" stroke="#246" stroke-width="2" stroke-dasharray="{dash}"/>'
        )
        at = y(share[weeks[-1]]) + 4
        while any(abs(at - other) < 14 for other in ends):
            at += 3
        ends.append(at)
        parts.append(_text(WIDTH - RIGHT + 6, at, name))
    return _svg(parts, "Metres of each week as a share of random, weeks 8-29")


def _bars(rows: Sequence[Row]) -> str:
    parts = []
    for number, row in enumerate(rows):
        top, length = 8 + number * 31, (WIDTH - 270) * row["ratio"]
        parts.append(_text(4, top + 16, row["policy"]))
        parts.append(f'<rect x="170" y="{top}" width="{length:.1f}" height="22" fill="#468"/>')
        parts.append(_text(176 + length, top + 16, f"{row['ratio']:.3f}"))
    return _svg(parts, "Metres of each policy as a share of random")


def _line(x1: float, y1: float, x2: float, y2: float, colour: str) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"/>'


def _text(x: float, y: float, words: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" font-family="sans-serif" font-size="13" fill="#222">{words}</text>'


def _svg(parts: Sequence[str], title: str) -> str:
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{title}">'
    paper = f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>'
    return "\n".join([head, f"<title>{title}</title>", paper, *parts, "</svg>", ""])


if __name__ == "__main__":
    sys.exit(main())
