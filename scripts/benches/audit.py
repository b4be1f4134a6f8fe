"""How long the audit takes over a book of ten million movements: in full, promise by promise, and of one minute."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from scripts.benches.volume import Size, fill
from tests import postgres, schema
from wms.auditing import PROMISES, breaks_of, breaks_since
from wms.core.db import Database
from wms.ledger import summing

MINUTE = 5_000  # movements of a very busy one


def add_to(kinds: Any) -> None:
    parser = kinds.add_parser("audit", help="seconds of a full audit, and of one minute's")
    parser.add_argument("--movements", type=int, default=10_000_000, help="movements in the book (10,000,000)")
    parser.add_argument("--rows", type=int, default=600_000, help="slots with goods (600,000)")
    parser.add_argument("--on", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--json", action="store_true", help="JSON Lines (always so)")
    parser.set_defaults(run=run)


def run(given: argparse.Namespace) -> int:
    """Build, ask, print; 1 when a promise is broken."""
    broken = 0
    with tempfile.TemporaryDirectory(prefix="chuwei-bench-") as name, _database(given.on, Path(name)) as database:
        print(f"writing {given.movements:,} movements ...", file=sys.stderr)
        fill(database, Size(given.movements, given.rows))
        began = _now()
        for promise in PROMISES:
            asked = _now()
            broken += len(breaks_of(database, promise))
            _tell(given, asked, promise=promise.name)
        _tell(given, began, promise="all", broken=broken)
        _sums_stand(database, given.movements - MINUTE)
        began = _now()
        broken += sum(len(breaks_since(database, promise, given.movements - MINUTE)) for promise in PROMISES)
        _tell(given, began, promise="all, of one minute", touched=MINUTE, broken=broken)
    return 1 if broken else 0


def _sums_stand(database: Database, mark: int) -> None:
    """As after months of upkeep: everything before the last minute is added up."""
    summing.BITE = mark
    database.transact(lambda session: summing.add_up(session, mark))


def _now() -> tuple[float, float]:
    """Wall and processor seconds; of PostgreSQL's own processes only the wall's are seen from here."""
    return time.monotonic(), time.process_time()


def _tell(given: argparse.Namespace, began: tuple[float, float], **facts: object) -> None:
    size = {"on": given.on, "movements": given.movements, "rows": given.rows}
    machine = {"cpus": os.cpu_count(), "load": round(os.getloadavg()[0], 1)}
    took = {name: round(now - then, 2) for name, now, then in zip(("seconds", "cpu_s"), _now(), began, strict=True)}
    print(json.dumps({"bench": "audit", **size, **facts, **took, **machine}), flush=True)


@contextmanager
def _database(kind: str, folder: Path) -> Iterator[Database]:
    if kind == "sqlite":
        with _opened(f"sqlite:///{folder / 'book.db'}") as database:
            yield database
        return
    with postgres.server() as server:
        name = server.create("audit")
        with _opened(server.url(name)) as database:
            yield database
        server.drop(name)


@contextmanager
def _opened(url: str) -> Iterator[Database]:
    schema.build(url)
    database = Database.open(url)
    try:
        yield database
    finally:
        database.dispose()
