"""`wms bench`: plan published or own instances, and the standard slotting experiment; JSON Lines."""

from __future__ import annotations

import argparse
import sys
from typing import Any


def add_to(commands: Any) -> None:
    bench = commands.add_parser("bench", help="plan routes, batches or layouts from files")
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
    slot = kinds.add_parser("slot", help="the standard slotting experiment: one line per policy")
    slot.add_argument("--orders", required=True, metavar="FILE", help="CSV (also .gz) with a line per order line")
    slot.add_argument("--from-week", type=int, default=8, metavar="A", help="first week that is summed (8)")
    slot.add_argument("--to-week", type=int, default=None, metavar="B", help="last week that is summed (the file's)")
    slot.add_argument("--small-orders", action="store_true", help="only orders of at most 8 lines, smaller carts")
    slot.add_argument("--shuffle", action="store_true", help="rename the SKUs anew each week: nothing can be learnt")
    slot.add_argument("--seed", type=int, default=1, metavar="N")
    slot.add_argument("--dump", default=None, metavar="DIR", help="write every layout as DIR/POLICY.csv")
    slot.add_argument("--map", default=None, metavar="FIELD=COLUMN,..", help="other column names: order, sku, time")
    slot.add_argument("--json", action="store_true", help="JSON Lines (always so)")
    slot.set_defaults(run=_slot)


def _route(given: argparse.Namespace) -> int:
    from wms.optimise.bench.route import bench_route  # numpy and the solvers load only when somebody plans

    return bench_route(given.files, sys.stdout, sys.stderr)


def _batch(given: argparse.Namespace) -> int:
    from wms.optimise.bench.batch import bench_batch

    return bench_batch(given.files, given.time_limit, given.seed, given.end_gap, sys.stdout, sys.stderr)


def _slot(given: argparse.Namespace) -> int:
    from wms.optimise.bench.slot.run import Asked, bench_slot

    asked = Asked(
        file=given.orders,
        first=given.from_week,
        last=given.to_week,
        small_orders=given.small_orders,
        shuffle=given.shuffle,
        seed=given.seed,
        dump=given.dump,
        columns=given.map,
    )
    return bench_slot(asked, sys.stdout, sys.stderr)
