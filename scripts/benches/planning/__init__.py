"""Routes and batches: how good, how soon, beside published best values and beside exact answers of our own.

Published problems are read from `--data DIR` (archives with tables of best known values); without it only what is
made from seeds is measured, and what was left out is said. Times are seconds of the processor, not of the clock: other
work on the machine does not count.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from scripts.benches.planning import batches, made, page, scale
from scripts.benches.planning.published import Published, Row

ROOT = Path(__file__).resolve().parents[3]
PUBLISHED = ("R1", "R2", "B1", "B2", "B3")
FIGURES = ("R1", "R2", "R3", "B1", "B2", "B3", "B4", "B5")


def add_to(kinds: Any) -> None:
    parser = kinds.add_parser("planning", help="routes and batches beside published best values")
    parser.add_argument("--data", type=Path, default=None, metavar="DIR", help="folder with the published problems")
    parser.add_argument("--quick", action="store_true", help="few files, few seconds")
    parser.add_argument("--only", default=",".join(FIGURES), metavar="R1,B4,..", help="some of " + " ".join(FIGURES))
    parser.add_argument("--sample", type=int, default=None, metavar="N", help="at most N files of each kind")
    parser.add_argument("--seconds", type=float, default=None, metavar="S", help="for each batching file (60)")
    parser.add_argument("--seed", type=int, default=1, metavar="N")
    parser.add_argument("--docs", type=Path, default=ROOT / "docs", metavar="DIR", help="where the page is written")
    parser.add_argument("--json", action="store_true", help="JSON Lines (always so)")
    parser.set_defaults(run=run)


def run(given: argparse.Namespace) -> int:
    """Measure, print and write the page; 1 when a goal was missed, 2 when it was asked for what there is not."""
    wanted = [name.strip() for name in given.only.split(",") if name.strip()]
    unknown = sorted(set(wanted) - set(FIGURES))
    if unknown:
        print(f"--only {unknown[0]}: not one of {', '.join(FIGURES)}", file=sys.stderr)
        return 2
    if given.data is not None and not any(given.data.glob("*_bks.csv")):
        print(f"--data {given.data}: holds no table *_bks.csv of best known values", file=sys.stderr)
        return 2
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        published = (
            Published(given.data, Path(folder), given.sample or (6 if given.quick else None)) if given.data else None
        )
        for row in _measured(wanted, published, given):
            rows.append(row)
            print(json.dumps(row), flush=True)
    page.write(given.docs, rows)
    return 1 if any(row.get("reached") is False for row in rows) else 0


def _measured(wanted: list[str], published: Published | None, given: argparse.Namespace) -> Iterator[Row]:
    seconds = given.seconds or (2.0 if given.quick else 60.0)
    by_name: dict[str, Callable[[], Iterator[Row]]] = {
        "R1": lambda: made.rectangular(given.quick, given.seed),
        "R3": lambda: made.general(given.quick, given.seed),
        "B4": lambda: scale.many(given.quick, seconds),
        "B5": lambda: scale.always(given.seed),
    }
    for name in wanted:
        if name in by_name:
            yield from by_name[name]()
        if name in PUBLISHED and published is None:
            print(f"{name}: published problems left out, for no --data is given", file=sys.stderr)
        elif name in ("R1", "R2"):
            yield from published.routes(name) if published else ()
        elif published and name in ("B1", "B3"):
            yield from batches.measured(published, name, min(seconds, {"B1": 1.0, "B3": 10.0}[name]), given.seed)
        elif published and name == "B2":
            yield from batches.measured(published, name, seconds, given.seed)
