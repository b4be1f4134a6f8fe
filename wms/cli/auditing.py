"""`wms audit`: every promise about stock and work, recomputed from the rows."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from wms.auditing import broken_promises, close_what_was_mended
from wms.cli.trouble import add_db_option, open_database
from wms.core.clock import WallClock
from wms.core.promises import Broken, Promise

SHOWN_MAX = 20


def add_to(commands: Any) -> None:
    parser = commands.add_parser("audit", help="recompute every promise about stock; exit 1 if one is broken")
    parser.add_argument("--json", action="store_true", help="one JSON object per promise")
    parser.add_argument(
        "--close", action="store_true", help="close earlier findings that were mended, and let their stock move again"
    )
    add_db_option(parser)
    parser.set_defaults(run=_run)


def _run(given: argparse.Namespace) -> int:
    database = open_database(given.db)
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
