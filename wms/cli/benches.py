"""`wms bench route` and `wms bench batch`: plan published or own instances, one JSON line per file."""

from __future__ import annotations

import argparse
import sys
from typing import Any


def add_to(commands: Any) -> None:
    bench = commands.add_parser("bench", help="plan routes or batches of instance files")
    kinds = bench.add_subparsers(dest="kind", metavar="KIND", required=True, parser_class=type(bench))
    route = kinds.add_parser("route", help="one tour per file: SPRP, SPRP-SS or tour.json")
    route.add_argument("files", nargs="+", metavar="FILE")
    route.add_argument("--json", action="store_true", help="JSON Lines (always so)")
    route.set_defaults(run=_route)
    batch = kinds.add_parser("batch", help="order batching: the batching text format or Foodmart")
    batch.add_argument("files", nargs="+", metavar="FILE")
    batch.add_argument("--time-limit", type=float, required=True, metavar="S", help="seconds per file")
    batch.add_argument("--seed", type=int, default=0, metavar="N")
    batch.add_argument(
        "--end-gap", type=float, default=None, metavar="LENGTH", help="distance of end cells to the cross aisles"
    )
    batch.add_argument("--json", action="store_true", help="JSON Lines (always so)")
    batch.set_defaults(run=_batch)


def _route(given: argparse.Namespace) -> int:
    from wms.optimise.bench.route import bench_route  # numpy and the solvers load only when somebody plans

    return bench_route(given.files, sys.stdout, sys.stderr)


def _batch(given: argparse.Namespace) -> int:
    from wms.optimise.bench.batch import bench_batch

    return bench_batch(given.files, given.time_limit, given.seed, given.end_gap, sys.stdout, sys.stderr)
