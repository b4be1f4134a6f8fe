"""What a server says of the ground it stands on: before it serves, and at the terminal as long as it lasts.

Nothing here stops a start: a park that works on a weak database is better off than one that stands still, but somebody
must have been told. (A schema that is not the program's own does stop it; that is the business of who opens the
database.)
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from wms.core import i18n
from wms.core.db.connecting import sqlite_module
from wms.core.db.engine import Database
from wms.core.db.types import json_text
from wms.core.tables import FileMark

# https://sqlite.org/wal.html#walresetbug: two connections that write or checkpoint at the same moment can lose pages.
WAL_RESET_FAULT = ((3, 7, 0), (3, 51, 2))
SQLITE_SYNCHRONOUS_FULL = 2
MARK = "weaknesses"
CLOCK_TOLERANCE = timedelta(seconds=5)  # several servers may differ by this much without anybody being wrong


@dataclass(frozen=True, slots=True)
class Ground:
    """What a database says of itself. Of the other kind of database a field is None."""

    sqlite: tuple[int, ...] | None = None
    synchronous: int | None = None
    synchronous_commit: str | None = None
    fsync: bool | None = None
    above_walls: bool | None = None


@dataclass(frozen=True, slots=True)
class Weakness:
    """One thing that is not as it should be; its words are the text `weakness.CODE`."""

    code: str
    facts: Mapping[str, str] = field(default_factory=dict)

    @property
    def key(self) -> str:
        return f"weakness.{self.code}"

    def sentence(self, language: str) -> str:
        return i18n.text(self.key, language, **self.facts)


def ground_of(database: Database) -> Ground:
    """Ask the connections that write."""
    return database.transact(_ask_sqlite if database.is_sqlite else _ask_postgresql)


def _ask_sqlite(session: Session) -> Ground:
    version = tuple(int(part) for part in sqlite_module().sqlite_version.split("."))
    return Ground(sqlite=version, synchronous=int(session.execute(text("PRAGMA synchronous")).scalar_one()))


def _ask_postgresql(session: Session) -> Ground:
    above = session.execute(text("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user"))
    return Ground(
        synchronous_commit=str(session.execute(text("SHOW synchronous_commit")).scalar_one()),
        fsync=session.execute(text("SHOW fsync")).scalar_one() == "on",
        above_walls=bool(above.scalar_one()),
    )


def weaknesses(ground: Ground, now: datetime, last_booked_at: datetime | None) -> list[Weakness]:
    """What is not as it should be. `now` is business time, `last_booked_at` when the newest movement was written (None
    in an empty house).
    """
    of_ground = [ask(ground) for ask in (_of_library, _of_durability, _of_disk, _of_walls)]
    return [one for one in (*of_ground, _of_clock(now, last_booked_at)) if one is not None]


def warnings(ground: Ground, now: datetime, last_booked_at: datetime | None) -> list[str]:
    """The same as sentences in English: what, what it can do, how to mend it."""
    return [one.sentence("en") for one in weaknesses(ground, now, last_booked_at)]


def write_down(session: Session, found: Sequence[Weakness]) -> None:
    """Keep what was found beside the rows, for the terminal."""
    value = json_text([[one.code, dict(one.facts)] for one in found])
    session.merge(FileMark(name=MARK, value=value))


def written_down(session: Session) -> list[Weakness]:
    """What the server that looked last has found."""
    mark = session.get(FileMark, MARK)
    return [Weakness(code, facts) for code, facts in json.loads(mark.value)] if mark is not None else []


def _of_library(ground: Ground) -> Weakness | None:
    first, last = WAL_RESET_FAULT
    if ground.sqlite is None or not first <= ground.sqlite <= last:
        return None
    return Weakness("old_sqlite", {"version": ".".join(map(str, ground.sqlite))})


def _of_durability(ground: Ground) -> Weakness | None:
    if ground.synchronous is not None and ground.synchronous < SQLITE_SYNCHRONOUS_FULL:
        return Weakness("not_synchronous", {"level": str(ground.synchronous)})
    return Weakness("commit_not_synchronous") if ground.synchronous_commit == "off" else None


def _of_disk(ground: Ground) -> Weakness | None:
    return Weakness("fsync_off") if ground.fsync is False else None


def _of_walls(ground: Ground) -> Weakness | None:
    return Weakness("above_walls") if ground.above_walls else None


def _of_clock(now: datetime, last_booked_at: datetime | None) -> Weakness | None:
    if last_booked_at is None or last_booked_at <= now + CLOCK_TOLERANCE:
        return None
    behind_s = round((last_booked_at - now).total_seconds())
    return Weakness("clock_behind", {"behind_s": f"{behind_s:,}", "last": f"{last_booked_at:%Y-%m-%d %H:%M:%S}"})
