"""What a server says of the ground it stands on, once, before it serves.

Nothing here stops a start: a park that works on a weak database is better off than one that stands still, but somebody
must have been told. (A schema that is not the program's own does stop it; that is the business of who opens the
database.)
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from wms.core.db.engine import Database, sqlite_module

# https://sqlite.org/wal.html#walresetbug: two connections that write or checkpoint at the same moment can lose pages.
WAL_RESET_FAULT = ((3, 7, 0), (3, 51, 2))
SQLITE_SYNCHRONOUS_FULL = 2
CLOCK_TOLERANCE = timedelta(seconds=5)  # several servers may differ by this much without anybody being wrong


@dataclass(frozen=True, slots=True)
class Ground:
    """What a database says of itself. Of the other kind of database a field is None."""

    sqlite: tuple[int, ...] | None = None
    synchronous: int | None = None
    synchronous_commit: str | None = None
    above_walls: bool | None = None


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
        above_walls=bool(above.scalar_one()),
    )


def warnings(ground: Ground, now: datetime, last_booked_at: datetime | None) -> list[str]:
    """One sentence for each thing that is not as it should be: what, what it can do, how to mend it.

    `now` is business time, `last_booked_at` when the newest movement was written (None in an empty house).
    """
    return [
        sentence
        for sentence in (_of_library(ground), _of_durability(ground), _of_walls(ground), _of_clock(now, last_booked_at))
        if sentence
    ]


def _of_library(ground: Ground) -> str:
    first, last = WAL_RESET_FAULT
    if ground.sqlite is None or not first <= ground.sqlite <= last:
        return ""
    version = ".".join(map(str, ground.sqlite))
    return (
        f"SQLite {version} can, rarely, damage a database in WAL mode: install pysqlite3, or a Python with SQLite "
        "3.51.3 or newer, or use PostgreSQL"
    )


def _of_durability(ground: Ground) -> str:
    if ground.synchronous is not None and ground.synchronous < SQLITE_SYNCHRONOUS_FULL:
        return f"SQLite runs with synchronous={ground.synchronous}: a power cut can lose answered work; FULL is needed"
    if ground.synchronous_commit == "off":
        return (
            "PostgreSQL runs with synchronous_commit=off: a crash can lose answered work; "
            "ALTER SYSTEM SET synchronous_commit = 'on', or set it for this database"
        )
    return ""


def _of_walls(ground: Ground) -> str:
    if not ground.above_walls:
        return ""
    return (
        "this program is a superuser (or BYPASSRLS) at PostgreSQL, whom the walls between merchants do not bind: "
        "give it a role of its own that owns its database"
    )


def _of_clock(now: datetime, last_booked_at: datetime | None) -> str:
    if last_booked_at is None or last_booked_at <= now + CLOCK_TOLERANCE:
        return ""
    behind_s = round((last_booked_at - now).total_seconds())
    return (
        f"the clock is {behind_s:,} s behind the last movement ({last_booked_at:%Y-%m-%d %H:%M:%S} UTC): "
        "set this machine's clock, or new movements will look older than old ones"
    )
