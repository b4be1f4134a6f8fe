"""`wms demo`: builds a park, lives a day in it through the real doors, reports, and serves it."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from wms.cli.trouble import Trouble, add_db_option

COUNT_MIN, COUNT_MAX = 10, 20_000
PORT_MAX = 65_535


def add_to(commands: Any) -> None:
    parser = commands.add_parser("demo", help="a park in a box: one day through real doors, then serves it")
    parser.add_argument(
        "--serve", action=argparse.BooleanOptionalAction, default=True, help="serve the park after the day"
    )
    parser.add_argument(
        "--orders", metavar="FILE", help="live the orders of this CSV (also .gz) instead of invented ones"
    )
    parser.add_argument("--count", type=int, metavar="N", help="how many orders to invent (default 320)")
    parser.add_argument("--days", type=int, metavar="N", help="only the first N days of --orders")
    parser.add_argument(
        "--map", metavar="FIELD=COLUMN,...", help="names of the columns in --orders: order, sku, time, quantity"
    )
    parser.add_argument(
        "--seed", type=int, default=1, metavar="N", help="same seed: same goods, orders, faults and fates"
    )
    parser.add_argument("--json", action="store_true", help="end with one JSON object")
    parser.add_argument("--port", type=int, default=8640, help="where the park is served after the day")
    parser.add_argument(
        "--keep", metavar="FOLDER", help="folder for logs and printed labels (default: beside the database)"
    )
    add_db_option(parser)
    parser.set_defaults(run=_run)


def _run(given: argparse.Namespace) -> int:
    from wms.demo.order_file import BadOrders
    from wms.demo.processes import NotReady
    from wms.demo.run import Wish, run

    if given.days is not None and (given.days < 1 or not given.orders):
        raise Trouble("--days N: a number of 1 or more, together with --orders FILE")
    if not 0 <= given.port <= PORT_MAX:
        raise Trouble(f"--port N: a number from 0 (any free port) to {PORT_MAX:,}")
    if given.count is not None and (not COUNT_MIN <= given.count <= COUNT_MAX or given.orders):
        raise Trouble(f"--count N: a number from {COUNT_MIN} to {COUNT_MAX:,}, without --orders")
    wish = Wish(
        db=given.db,
        seed=given.seed,
        count=given.count,
        orders=Path(given.orders) if given.orders else None,
        days=given.days,
        columns=given.map,
        as_json=given.json,
        serve=given.serve,
        port=given.port,
        keep=Path(given.keep) if given.keep else None,
    )
    try:
        return run(wish)
    except (BadOrders, NotReady) as trouble:
        raise Trouble(str(trouble)) from trouble
