"""The very statements a pick sends, given to the bare driver: the most that a program could reach without the product.

Every pick of every hand is made once through the product and listened to. What was sent is then sent again and again,
only the request's id is new each time, so that the books stay true and the audit can be asked afterwards.

Raw ways: each statement by itself; on PostgreSQL also pipelined (all statements and the commit in one go) and as one
function of the server's; on SQLite also eight picks to a commit.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

import psycopg
from sqlalchemy import event, make_url

from scripts.benches.picks import Floor, picker
from wms.core.db import Database
from wms.core.db.connecting import sqlite_module

PICKS_TO_A_COMMIT = 8
_CASTS = {bool: "boolean", int: "bigint", str: "text", datetime: "timestamptz"}
_PLACE = re.compile(r"%\((\w+)\)s")
Values = Mapping[str, Any] | Sequence[Any]


@dataclass(frozen=True, slots=True)
class Sent:
    """One statement with its values; `fresh` are those that carry the request's id."""

    statement: str
    values: Values
    fresh: tuple[Any, ...]

    def anew(self, old: str, new: str) -> Any:
        """The values under another request id."""
        if not self.fresh:
            return self.values
        changed: Any = dict(self.values) if isinstance(self.values, Mapping) else list(self.values)
        for key in self.fresh:
            changed[key] = changed[key].replace(old, new)
        return changed


@dataclass(frozen=True, slots=True)
class Pick:
    """What one pick sent, under request id `request_id`."""

    request_id: str
    sent: tuple[Sent, ...]


def record(database: Database, floor: Floor) -> list[list[Pick]]:
    """Make every pick once and keep what it sent; by hand."""
    return [list(_recorded(database, floor, hand)) for hand in range(len(floor.hands))]


def _recorded(database: Database, floor: Floor, hand: int) -> Iterator[Pick]:
    heard: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, values: Any, *_rest: Any) -> None:
        heard.append((statement, values[0] if isinstance(values, list) else values))

    event.listen(database.write_engine, "before_cursor_execute", note)
    try:
        pick = picker(database, floor, hand)
        for turn in range(len(floor.hands[hand])):
            heard.clear()
            assert pick(turn).status == 200
            sent = [one for one in heard if not one[0].startswith(("BEGIN", "SAVEPOINT", "RELEASE"))]
            request_id = next(value for value in _flat(sent[-1][1]) if str(value).endswith(f"-{turn}"))
            yield Pick(request_id, tuple(_kept(request_id, *one) for one in sent))
    finally:
        event.remove(database.write_engine, "before_cursor_execute", note)


def _flat(values: Values) -> Sequence[Any]:
    return list(values.values()) if isinstance(values, Mapping) else list(values)


def _kept(request_id: str, statement: str, values: Values) -> Sent:
    pairs = values.items() if isinstance(values, Mapping) else enumerate(values)
    fresh = tuple(key for key, value in pairs if isinstance(value, str) and request_id in value)
    return Sent(statement, values, fresh)


class Hand:
    """Sends the picks of one hand round and round, each under a new request id."""

    def __init__(self, picks: Sequence[Pick]) -> None:
        self._picks = picks
        self._walk = uuid4().hex

    def statements(self, turn: int) -> Iterator[tuple[str, Any]]:
        pick = self._picks[turn % len(self._picks)]
        for sent in pick.sent:
            yield sent.statement, sent.anew(pick.request_id, f"{self._walk}-{turn}")

    def send(self, execute: Callable[[str, Any], Any], turn: int) -> None:
        """Statement by statement; rows are fetched."""
        for statement, values in self.statements(turn):
            cursor = execute(statement, values)
            if cursor.description is not None:
                cursor.fetchall()


class SqliteRaw:
    """One connection, WAL, synchronous FULL."""

    def __init__(self, url: str) -> None:
        path = make_url(url).database
        self.connection = sqlite_module().connect(path, isolation_level=None, check_same_thread=False)
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "wal_autocheckpoint=8000"):
            self.connection.execute(f"PRAGMA {pragma}")

    def commit_each(self, hand: Hand, turn: int) -> int:
        return self._together(hand, turn, 1)

    def commit_eight(self, hand: Hand, turn: int) -> int:
        return self._together(hand, turn * PICKS_TO_A_COMMIT, PICKS_TO_A_COMMIT)

    def _together(self, hand: Hand, turn: int, picks: int) -> int:
        self.connection.execute("BEGIN IMMEDIATE")
        for each in range(picks):
            hand.send(self.connection.execute, turn + each)
        self.connection.execute("COMMIT")
        return picks


class PostgresRaw:
    """One connection of psycopg's; its statements are prepared by the driver."""

    def __init__(self, url: str) -> None:
        plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        self.connection = psycopg.connect(plain, autocommit=True)

    @property
    def backend_pid(self) -> int:
        return self.connection.info.backend_pid

    def one_by_one(self, hand: Hand, turn: int) -> int:
        self.connection.execute("BEGIN")
        hand.send(self.connection.execute, turn)
        self.connection.execute("COMMIT")
        return 1

    def pipelined(self, hand: Hand, turn: int) -> int:
        with self.connection.pipeline():
            self.connection.execute("BEGIN")
            for statement, values in hand.statements(turn):
                self.connection.execute(statement, values)
            self.connection.execute("COMMIT")
        return 1

    def as_function(self, hand: Hand, turn: int) -> int:
        values = [_text(value) for _, given in hand.statements(turn) for value in given.values()]
        self.connection.execute("SELECT raw_pick(%s)", (values,))
        return 1

    def make_function(self, pick: Pick) -> None:
        """The statements of a pick as one function of the server's; its argument: all values in their order."""
        self.connection.execute(function_of(pick))


def function_of(pick: Pick) -> str:
    """CREATE FUNCTION with what this pick sent, values taken from an array of text."""
    number, body = 0, []
    for sent in pick.sent:
        assert isinstance(sent.values, Mapping)
        places = {name: f"(v[{number + at}]{_cast(value)})" for at, (name, value) in enumerate(sent.values.items(), 1)}
        number += len(places)
        body.append(_PLACE.sub(lambda found, places=places: places[found[1]], sent.statement).replace("%%", "%"))  # type: ignore[misc]
    lines = "\n".join(f"  {_plain(statement)};" for statement in body)
    return (
        "CREATE OR REPLACE FUNCTION raw_pick(v text[]) RETURNS void LANGUAGE plpgsql AS $$\n"
        f"#variable_conflict use_column\nDECLARE told record;\nBEGIN\n{lines}\nEND $$"
    )


def _plain(statement: str) -> str:
    """What is read goes nowhere."""
    if statement.lstrip().startswith("SELECT"):
        return f"PERFORM * FROM ({statement}) AS found"
    return f"FOR told IN {statement} LOOP END LOOP" if " RETURNING " in statement else statement


def _cast(value: Any) -> str:
    return f"::{_CASTS[type(value)]}" if type(value) in _CASTS else ""


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
