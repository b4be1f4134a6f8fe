"""`wms import KIND FILE`: master data, stock, ASNs, orders, couriers and routes from CSV or XLSX; all or nothing per
file. A list of slots makes a warehouse where there is none yet.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import select
from sqlalchemy.orm import Session

from wms.cli.keys import the_warehouse
from wms.cli.trouble import Trouble, add_db_option, open_database, printable
from wms.core.call import Call, Who
from wms.core.clock import WallClock
from wms.core.db import Database
from wms.core.ids import new_id
from wms.exchange.files import KINDS, BadRows, import_rows
from wms.exchange.tables_in_files import BadFile, Row, read_rows
from wms.site.service import make_warehouse
from wms.site.tables import Warehouse

SHOWN_MAX = 200
FIRST_WAREHOUSE = "1"
TIME_ZONE = "Asia/Shanghai"


class _Dry(Exception):
    """Raised to roll a trial back."""


def add_to(commands: Any) -> None:
    parser = commands.add_parser("import", help="import CSV or XLSX; all or nothing, bad rows named")
    parser.add_argument("kind", metavar="KIND", choices=sorted(KINDS), help=", ".join(sorted(KINDS)))
    parser.add_argument("file", metavar="FILE")
    parser.add_argument("--dry-run", action="store_true", help="check every row, change nothing")
    parser.add_argument("--warehouse", metavar="CODE", help="which warehouse, where there are several")
    parser.add_argument(
        "--time-zone", metavar="ZONE", default=TIME_ZONE, help=f"of a warehouse that is made for slots ({TIME_ZONE})"
    )
    add_db_option(parser)
    parser.set_defaults(run=_run)


def _run(given: argparse.Namespace) -> int:
    path = Path(given.file)
    rows = _read(path)
    database = open_database(given.db)
    try:
        done = _import(database, given, rows)
    except BadRows as bad:
        for number, what in bad.rows[:SHOWN_MAX]:
            print(f"{path}: row {number}: {printable(what)}", file=sys.stderr)
        left = len(bad.rows) - SHOWN_MAX
        if left > 0:
            print(f"{path}: and {left} more", file=sys.stderr)
        count = "1 bad row" if len(bad.rows) == 1 else f"{len(bad.rows)} bad rows"
        raise Trouble(f"{path}: {count}, nothing was imported: mend the file and import it again") from bad
    finally:
        database.dispose()
    print(f"{path}: {done} {given.kind} {'would be imported' if given.dry_run else 'imported'}")
    return 0


def _read(path: Path) -> list[Row]:
    if not path.is_file():
        raise Trouble(f"no such file: {path}")
    try:
        return read_rows(path)
    except BadFile as bad:
        raise Trouble(f"{path}: {bad}") from bad
    except OSError as error:
        raise Trouble(f"cannot read {path}: {error.strerror}") from error


def _import(database: Database, given: argparse.Namespace, rows: Sequence[Row]) -> int:
    """One transaction for the whole file, and for the warehouse where it is the file's own."""
    count, clock, request_id = 0, WallClock(), new_id()
    makes = given.kind == "slots" and not _any_warehouse(database)
    here = 0 if makes else the_warehouse(database, given.warehouse)

    def work(session: Session) -> None:
        nonlocal count
        warehouse_id = _make(session, given) if makes else here
        count = import_rows(
            Call.begun(session, Who("command line", warehouse_id), request_id, clock.now()), given.kind, rows
        )
        if given.dry_run:
            raise _Dry

    try:
        database.transact(work)
    except _Dry:
        return count
    return count


def _any_warehouse(database: Database) -> bool:
    return database.read(lambda session: session.execute(select(Warehouse.id).limit(1)).first()) is not None


def _make(session: Session, given: argparse.Namespace) -> int:
    try:
        ZoneInfo(given.time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise Trouble(f"--time-zone {given.time_zone}: no such zone (Asia/Shanghai is one)") from error
    code = given.warehouse or FIRST_WAREHOUSE
    return make_warehouse(session, WallClock().now(), code, f"{code} 号仓", given.time_zone)
