"""What a pick costs beside the bare driver with the very same statements, and how that grows with the book.

Throughput: eight threads on SQLite, eight processes on PostgreSQL, the product and each raw way by turns in one run;
`hot` is the same with every pick from one row of stock. Growth: a pick in a small book and in a large one, by turns.
Audit: every promise asked of the large book. Processor time is the workers' own and that of their sessions at the
database server; a goal stands beside each ratio.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from scripts.benches import crowd, growth
from scripts.benches.calibration import calibrate, postgresql_commits_per_s
from scripts.benches.crowd import Done
from scripts.benches.picks import HANDS, Floor, lay_out
from scripts.benches.replay import Pick, PostgresRaw, record
from tests import postgres, schema
from tests.builders import a_park
from tests.proofs.frame import BOTH, why_not
from wms.auditing import broken_promises
from wms.core.db import Database

PARTS = ("throughput", "growth", "audit")
RATIO_MIN, HOT_RATIO_MIN = 0.5, 0.3
Line = dict[str, Any]
Ways = dict[str, Callable[[], Done]]


def add_to(kinds: Any) -> None:
    parser = kinds.add_parser(
        "ledger",
        help="a pick beside the bare driver, how its cost grows with the book, the audit of ten million movements",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--only", choices=PARTS, help="one part (all: some 20 minutes, 15 GB of disk)")
    parser.add_argument("--on", choices=("sqlite", "postgresql"), help="one kind of database (both)")
    parser.add_argument("--seconds", type=float, default=2.0, help="of each way in each round (2)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds, all ways by turns in each (3)")
    parser.add_argument("--movements", type=int, default=10_000_000, help="in the large book (10,000,000)")
    parser.add_argument("--rows", type=int, default=600_000, help="of stock in the large book (600,000)")
    parser.add_argument("--picks", type=int, default=400, help="in each of seven rounds of growth (400)")
    parser.add_argument("--json", action="store_true", help="JSON Lines (always so)")
    parser.set_defaults(run=run)


def run(given: argparse.Namespace) -> int:
    """Measure and print; 1 when a goal was missed or a promise is broken."""
    good = True
    with tempfile.TemporaryDirectory(prefix="chuwei-bench-") as name:
        for kind in [given.on] if given.on else BOTH:
            lacking = why_not(kind)
            if lacking:
                print(f"{kind} is left out: {lacking}", file=sys.stderr)
                continue
            folder = Path(name) / kind
            folder.mkdir()
            with grounds(kind, folder) as ground:
                for line in _lines(ground, kind, folder, given):
                    print(json.dumps({"bench": "ledger", "on": kind, **line}), flush=True)
                    good &= line.get("reached", True)
    return 0 if good else 1


Ground = Callable[[str], str]  # a purpose -> the address of an empty database with the schema


@contextmanager
def grounds(kind: str, folder: Path) -> Iterator[Ground]:
    """Makes databases of this kind; PostgreSQL's in a cluster that waits for the disk, or at WMS_TEST_PG_URL."""
    if kind == "sqlite":
        yield lambda purpose: _with_schema(f"sqlite:///{folder / purpose}.db")
        return
    with postgres.server(fsync="WMS_TEST_PG_URL" not in os.environ) as server:
        made: list[str] = []

        def make(purpose: str) -> str:
            made.append(server.create(purpose))
            return _with_schema(server.url(made[-1]))

        yield make
        for name in made:
            server.drop(name)


def _with_schema(url: str) -> str:
    schema.build(url)
    return url


def _lines(ground: Ground, kind: str, folder: Path, given: argparse.Namespace) -> Iterator[Line]:
    wanted = [given.only] if given.only else PARTS
    if "throughput" in wanted:
        yield from _throughput(ground, kind, folder, given)
    if "growth" in wanted or "audit" in wanted:
        yield from growth.measured(ground, wanted, given)


def _throughput(ground: Ground, kind: str, folder: Path, given: argparse.Namespace) -> Iterator[Line]:
    urls = {"even": ground("even"), "hot": ground("hot")}
    floors = {name: _floor(url, hot=name == "hot") for name, url in urls.items()}
    _even, hands = floors["even"]
    ways = _sqlite_ways(floors, given.seconds) if kind == "sqlite" else _postgresql_ways(floors, given.seconds)
    if kind == "postgresql":
        _make_function(urls.values(), hands)
    found: dict[str, list[Done]] = {way: [] for way in ways}
    for number in range(given.rounds):
        print(f"{kind}: round {number + 1} of {given.rounds} ...", file=sys.stderr)
        for way, measure in ways.items():
            found[way].append(measure())
    whole = {way: crowd.together(done) for way, done in found.items()}
    bare = calibrate(folder) if kind == "sqlite" else {"raw_commits_per_s": round(_bare(ground("bare")))}
    yield {"machine": {**bare, "cpus": os.cpu_count(), "load": round(os.getloadavg()[0], 1)}}
    for way, done in whole.items():
        yield {"way": way, "picks_per_s": round(done.rate), "cpu_ms_a_pick": round(done.cpu_ms, 2), "picks": done.picks}
    yield from _ratios(kind, whole, statements=len(hands[0][0].sent))
    yield from _audited(urls)


def _floor(url: str, *, hot: bool) -> tuple[Floor, list[list[Pick]]]:
    database = Database.open(url)
    try:
        floor = lay_out(a_park(database), hot=hot)
        return floor, record(database, floor)
    finally:
        database.dispose()


def _bare(url: str) -> float:
    return postgresql_commits_per_s(url)


def _sqlite_ways(floors: dict[str, tuple[Floor, list[list[Pick]]]], seconds: float) -> Ways:
    (even, hands), (hot, _) = floors["even"], floors["hot"]
    return {
        "raw, 8 threads, a commit each": lambda: crowd.raw_in_threads(even.url, hands, seconds),
        "raw, eight picks to a commit": lambda: crowd.raw_eight_to_a_commit(even.url, hands, seconds),
        "product, 8 threads": lambda: crowd.product_in_threads(even, seconds),
        "product, 8 threads, hot": lambda: crowd.product_in_threads(hot, seconds),
    }


def _postgresql_ways(floors: dict[str, tuple[Floor, list[list[Pick]]]], seconds: float) -> Ways:
    (even, hands), (hot, _) = floors["even"], floors["hot"]

    def raw(way: str) -> Done:
        return crowd.in_processes(crowd.raw_process, [(even.url, picks, way, seconds) for picks in hands])

    def product(floor: Floor) -> Done:
        return crowd.in_processes(crowd.product_process, [(floor, hand, seconds) for hand in range(HANDS)])

    return {
        "raw, 8 processes, one by one": lambda: raw("one_by_one"),
        "raw, 8 processes, pipelined": lambda: raw("pipelined"),
        "raw, 8 processes, as a function": lambda: raw("as_function"),
        "product, 8 processes": lambda: product(even),
        "product, 8 processes, hot": lambda: product(hot),
    }


def _make_function(urls: Any, hands: list[list[Pick]]) -> None:
    for url in urls:
        raw = PostgresRaw(url)
        raw.make_function(hands[0][0])
        raw.connection.close()


def _ratios(kind: str, whole: dict[str, Done], statements: int) -> Iterator[Line]:
    """The product beside the bare driver: on SQLite beside a commit each, on PostgreSQL beside the best way."""
    raw = {way: done.rate for way, done in whole.items() if way.startswith("raw")}
    best = max(raw, key=lambda way: raw[way])
    against = best if kind == "postgresql" else next(iter(raw))
    for way in (way for way in whole if way.startswith("product")):
        goal = HOT_RATIO_MIN if way.endswith("hot") else RATIO_MIN
        ratio = whole[way].rate / raw[against]
        besides = {name: round(whole[way].rate / rate, 2) for name, rate in raw.items()}
        yield {
            "ratio": round(ratio, 3), "of": way, "to": against, "goal": goal, "reached": ratio >= goal,
            "statements": statements, "to_each": besides,
        }  # fmt: skip


def _audited(urls: dict[str, str]) -> Iterator[Line]:
    """After it all every promise still holds."""
    for name, url in urls.items():
        database = Database.open(url)
        broken = [f"{promise.name}: {one.facts}" for promise, found in broken_promises(database) for one in found]
        database.dispose()
        yield {"audit_after": name, "broken": broken[:3], "reached": not broken}
