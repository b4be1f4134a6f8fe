"""`wms audit`: every promise about stock and work, recomputed from the rows."""

from __future__ import annotations

import argparse
import json
from typing import Any

from wms.auditing import broken_promises
from wms.cli.trouble import add_db_option, open_database
from wms.core.promises import Broken, Promise

SHOWN_MAX = 20


def add_to(commands: Any) -> None:
    parser = commands.add_parser("audit", help="recompute every promise about stock; exit 1 if one is broken")
    parser.add_argument("--json", action="store_true", help="one JSON object per promise")
    add_db_option(parser)
    parser.set_defaults(run=_run)


def _run(given: argparse.Namespace) -> int:
    database = open_database(given.db)
    broken = False
    for promise, breaks in broken_promises(database):
        broken = broken or bool(breaks)
        print(_as_json(promise, breaks) if given.json else _as_text(promise, breaks))
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
