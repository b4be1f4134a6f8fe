"""`wms import KIND FILE`: master data, stock, ASNs, orders, couriers and routes from CSV or XLSX; all or nothing per
file.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from wms.cli.keys import the_warehouse
from wms.cli.trouble import Trouble, add_db_option, open_database
from wms.core.clock import WallClock
from wms.core.ids import new_id
from wms.core.perform import system_call
from wms.exchange.files import KINDS, BadRows, import_rows
from wms.exchange.tables_in_files import BadFile, read_rows

SHOWN_MAX = 20


class _Dry(Exception):
    """Raised to roll a trial back."""


def add_to(commands: Any) -> None:
    parser = commands.add_parser("import", help="import CSV or XLSX; all or nothing, bad rows named")
    parser.add_argument("kind", metavar="KIND", choices=sorted(KINDS), help=", ".join(sorted(KINDS)))
    parser.add_argument("file", metavar="FILE")
    parser.add_argument("--dry-run", action="store_true", help="check every row, change nothing")
    parser.add_argument("--warehouse", metavar="CODE")
    add_db_option(parser)
    parser.set_defaults(run=_run)


def _run(given: argparse.Namespace) -> int:
    path = Path(given.file)
    if not path.is_file():
        raise Trouble(f"no such file: {path}")
    try:
        rows = read_rows(path)
    except BadFile as bad:
        raise Trouble(f"{path}: {bad}") from bad
    database = open_database(given.db)
    here = the_warehouse(database, given.warehouse)
    try:
        done = _import(database, here, given.kind, rows, dry=given.dry_run)
    except BadRows as bad:
        for number, what in bad.rows[:SHOWN_MAX]:
            print(f"{path}: row {number}: {what}", file=sys.stderr)
        raise Trouble(f"{path}: {len(bad.rows)} bad rows, nothing was imported: mend them and import again") from bad
    finally:
        database.dispose()
    print(f"{path}: {done} {given.kind} " + ("would be imported" if given.dry_run else "imported"))
    return 0


def _import(database: Any, warehouse_id: int, kind: str, rows: Any, *, dry: bool) -> int:
    count = 0

    def work(call: Any) -> None:
        nonlocal count
        count = import_rows(call, kind, rows)
        if dry:
            raise _Dry

    try:
        system_call(database, WallClock(), warehouse_id, work, request_id=new_id(), actor="command line")
    except _Dry:
        return count
    return count
