"""A pick in a small book and in one of ten million movements, by turns; and the audit of the large one."""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from scripts.benches.client import cpu_s
from scripts.benches.picks import Floor, lay_out, picker
from scripts.benches.replay import record
from scripts.benches.volume import Size, fill
from tests.builders import a_park
from wms.auditing import PROMISES, breaks_of
from wms.core.db import Database

SMALL = Size(10_000, 6_000)
GROWTH_MAX = 1.3
AUDIT_S_MAX = 60.0
ROUNDS = 7  # the first warms up: pages are read, statements prepared
Line = dict[str, Any]


@dataclass
class Book:
    """A database with a book in it and one hand that picks there."""

    name: str
    size: Size
    database: Database
    floor: Floor
    statements: int
    rounds: list[tuple[float, float]]

    @property
    def cpu_ms(self) -> float:
        return statistics.median(cpu for cpu, _ in self.rounds)

    @property
    def wall_ms(self) -> float:
        return statistics.median(wall for _, wall in self.rounds)

    def close(self) -> None:
        self.database.dispose()


def measured(ground: Callable[[str], str], wanted: Sequence[str], given: argparse.Namespace) -> Iterator[Line]:
    """Lines of both parts, as far as they are wanted."""
    with closing(_book(ground, "large", Size(given.movements, given.rows))) as large:
        if "growth" in wanted:
            with closing(_book(ground, "small", SMALL)) as small:
                yield from _growth(small, large, given.picks)
        if "audit" in wanted:
            yield from _audit(large)


def _book(ground: Callable[[str], str], name: str, size: Size) -> Book:
    print(f"writing a book of {size.movements:,} movements ...", file=sys.stderr)
    database = Database.open(ground(name))
    park = a_park(database)
    fill(database, size, park.warehouse_id)
    floor = lay_out(park)
    sent = record(database, floor)
    database.dispose()  # who listened to a connection's statements keeps it from its short ways
    opened = Database.open(database.url)
    return Book(name, size, opened, floor, len(sent[0][0].sent), [])


def _growth(small: Book, large: Book, picks: int) -> Iterator[Line]:
    for turn in range(ROUNDS):
        for book in (small, large):
            cost = _round(book, turn, picks)
            book.rounds += [cost] if turn else []
    for book in (small, large):
        size = {"movements": book.size.movements, "rows": book.size.rows, "picks": picks * (ROUNDS - 1)}
        yield {
            "book": book.name, **size, "statements": book.statements, "cpu_ms_a_pick": round(book.cpu_ms, 3),
            "wall_ms_a_pick": round(book.wall_ms, 2),
        }  # fmt: skip
    growth = large.cpu_ms / small.cpu_ms
    yield {
        "growth": round(growth, 3), "of": "cpu_ms_a_pick", "goal_max": GROWTH_MAX,
        "wall_growth": round(large.wall_ms / small.wall_ms, 3),
        "reached": growth <= GROWTH_MAX and large.statements == small.statements,
    }  # fmt: skip


def _round(book: Book, turn: int, picks: int) -> tuple[float, float]:
    """Processor and wall milliseconds of a pick."""
    pick = picker(book.database, book.floor, turn % len(book.floor.hands))
    pid = _backend(book.database)
    began = _now(pid)
    for number in range(picks):
        assert pick(number).status == 200
    cpu, wall = (now - then for now, then in zip(_now(pid), began, strict=True))
    return cpu * 1_000 / picks, wall * 1_000 / picks


def _backend(database: Database) -> int | None:
    """The process of this database's only session, at PostgreSQL's side."""
    if database.is_sqlite:
        return None
    return int(database.transact(lambda session: session.execute(text("SELECT pg_backend_pid()")).scalar_one()))


def _now(pid: int | None) -> tuple[float, float]:
    return time.process_time() + (cpu_s(pid) if pid is not None else 0.0), time.monotonic()


def _audit(book: Book) -> Iterator[Line]:
    pid = _backend(book.database)
    began, broken = _now(pid), 0
    for promise in PROMISES:
        asked = _now(pid)
        broken += len(breaks_of(book.database, promise))
        cpu, wall = (now - then for now, then in zip(_now(pid), asked, strict=True))
        yield {"promise": promise.name, "seconds": round(wall, 2), "cpu_s": round(cpu, 2)}
    cpu, wall = (now - then for now, then in zip(_now(pid), began, strict=True))
    machine = {"cpus": os.cpu_count(), "load": round(os.getloadavg()[0], 1)}
    yield {
        "audit": "all promises", "movements": book.size.movements, "rows": book.size.rows, "seconds": round(wall, 2),
        "cpu_s": round(cpu, 2), "goal_max_s": AUDIT_S_MAX, "broken": broken, **machine,
        "reached": wall <= AUDIT_S_MAX and not broken,
    }  # fmt: skip
