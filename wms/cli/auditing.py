"""`wms audit`: every promise about stock and work, recomputed from the rows."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

from wms.auditing import broken_promises, close_what_was_mended
from wms.cli.trouble import Trouble, add_db_option, open_database
from wms.core.audit_trail import Head, heads, still_there
from wms.core.clock import WallClock
from wms.core.db import Database
from wms.core.promises import Broken, Promise

SHOWN_MAX = 20


def add_to(commands: Any) -> None:
    parser = commands.add_parser("audit", help="recompute every promise about stock; exit 1 if one is broken")
    parser.add_argument("--json", action="store_true", help="one JSON object per promise")
    parser.add_argument(
        "--close", action="store_true", help="close earlier findings that were mended, and let their stock move again"
    )
    parser.add_argument(
        "--heads",
        action="store_true",
        help="print the end of each chain of the trail instead, to be kept elsewhere",
    )
    parser.add_argument("--check-heads", metavar="FILE", help="hold ends that were kept against the trail as it stands")
    add_db_option(parser)
    parser.set_defaults(run=_run)


def _run(given: argparse.Namespace) -> int:
    database = open_database(given.db)
    if given.heads:
        return _print_heads(database)
    if given.check_heads:
        return _check_heads(database, Path(given.check_heads))
    broken: set[tuple[str, str]] = set()
    for promise, breaks in broken_promises(database):
        broken |= {(promise.name, one.subject) for one in breaks}
        print(_as_json(promise, breaks) if given.json else _as_text(promise, breaks))
    if given.close:
        closed = close_what_was_mended(database, WallClock(), broken, "command line")
        print(f"closed {closed} findings that were mended", file=sys.stderr)
    database.dispose()
    return 1 if broken else 0


def _as_json(promise: Promise, breaks: list[Broken]) -> str:
    shown = [{"subject": one.subject, "facts": one.facts} for one in breaks[:SHOWN_MAX]]
    content = {
        "promise": promise.number,
        "name": promise.name,
        "holds": not breaks,
        "broken": len(breaks),
        "breaks": shown,
    }
    return json.dumps(content, ensure_ascii=False)


def _as_text(promise: Promise, breaks: list[Broken]) -> str:
    line = f"{promise.number:>2}  {'holds ' if not breaks else 'BROKEN'}  {promise.name}: {promise.sentence}"
    return "\n".join([line, *(f"      {one.subject}: {one.facts}" for one in breaks[:SHOWN_MAX])])


def _print_heads(database: Database) -> int:
    for head in database.read(lambda session: list(heads(session))):
        print(json.dumps({**asdict(head), "day": head.day.isoformat()}))
    database.dispose()
    return 0


def _check_heads(database: Database, file: Path) -> int:
    """1 when an entry that was there once is not, or says something else."""
    known = _read_heads(file)
    lost = [head for head in known if not database.read(partial(still_there, head=head))]
    for head in lost:
        print(f"warehouse {head.warehouse_id}, {head.day}: entry {head.number} is gone or was written anew")
    print(f"{len(known) - len(lost)} of {len(known)} heads stand", file=sys.stderr)
    database.dispose()
    return 1 if lost else 0


def _read_heads(file: Path) -> list[Head]:
    try:
        lines = [json.loads(line) for line in file.read_text("utf-8").splitlines() if line.strip()]
        return [Head(**{**line, "day": date.fromisoformat(line["day"])}) for line in lines]
    except OSError as error:
        raise Trouble(f"{file} cannot be read: {error.strerror}") from error
    except (ValueError, TypeError, KeyError) as error:
        raise Trouble(f"{file} holds no heads as wms audit --heads prints them") from error
