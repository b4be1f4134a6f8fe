"""Two engines, one unit of work.

SQLite: one writer at a time behind a mutex (its connection begins IMMEDIATE), readers on connections of their own
that cannot write; WAL
and synchronous FULL, so an answer given is on the disk. PostgreSQL: READ COMMITTED, rows locked in key order by the
rooms.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, Executable, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.orm import Session
from sqlalchemy.pool import QueuePool

from wms.core.db.types import json_text
from wms.core.refusal import Reason, Refused
from wms.core.wakes import Wakes

T = TypeVar("T")

TRIES_MAX = 5
RETRY_SECONDS_MAX = 2.0
READERS_MAX = 24
WRITERS_MAX_POSTGRESQL = 16
SQLITE_BUSY_MS = 5_000
# The log grows to about 32 MB before it is folded into the file: pages that change often are then written once, not
# with every thousandth page. What was answered is on the disk either way.
CHECKPOINT_PAGES = 8_000
# Pages each connection keeps for itself; there are many readers, and the system caches the file for all of them.
WRITER_CACHE_KB = 32_768
READER_CACHE_KB = 2_048
# Serialization failure, deadlock, lock not to be had; then: the session was ended, the server goes down, crashed, comes
# up, has no room; the connection broke.
_PG_AGAIN = {"40001", "40P01", "55P03", "57P01", "57P02", "57P03", "53300", "08000", "08001", "08003", "08004", "08006"}


class ShortSession(Session):
    """A session that hands statements about tables straight to its connection.

    Statements about records take the session's own way, which a prepared statement of a hot path need not pay for.
    """

    _straight: tuple[Any, Connection] | None = None

    def execute(self, statement: Any, params: Any = None, **more: Any) -> Any:
        """As Session.execute."""
        if more or not isinstance(statement, Executable) or statement._propagate_attrs:  # set where records take part
            return super().execute(statement, params, **more)
        return self._connection_now().execute(statement, params or {})

    def _connection_now(self) -> Connection:
        """The connection of the transaction under way, which is begun if there is none."""
        under_way = self.get_transaction()
        if self._straight is None or under_way is None or self._straight[0] is not under_way:
            connection = self.connection()
            self._straight = (self.get_transaction(), connection)
        return self._straight[1]


class Database:
    """A database that is open. `transact` writes, `read` cannot."""

    def __init__(self, url: str, write_engine: Engine, read_engine: Engine) -> None:
        self.url = url
        self.write_engine = write_engine
        self.read_engine = read_engine
        self.wakes = Wakes()
        self._writer: AbstractContextManager[Any] = threading.Lock() if self.is_sqlite else nullcontext()

    @classmethod
    def open(cls, url: str) -> Database:
        """Open `sqlite:///path` (or a bare path) or `postgresql://...`. Nothing is created but an empty file."""
        full = url if "://" in url else f"sqlite:///{url}"
        if make_url(full).get_backend_name() == "sqlite":
            return cls(full, _sqlite_engine(full, writes=True), _sqlite_engine(full, writes=False))
        engine = create_engine(
            full,
            pool_size=WRITERS_MAX_POSTGRESQL,
            max_overflow=READERS_MAX,
            pool_pre_ping=False,
            isolation_level="READ COMMITTED",
            json_serializer=json_text,
            hide_parameters=True,
        )
        return cls(full, engine, engine)

    @property
    def is_sqlite(self) -> bool:
        return self.write_engine.dialect.name == "sqlite"

    def transact(self, work: Callable[[Session], T]) -> T:
        """Run `work` in one transaction: returning commits, raising rolls back.

        The whole function is run again when the database asks for it (deadlock, busy, lost connection), at most five
        times
        or two seconds; then `Refused(BUSY)`. So `work` must have no effect outside the session.
        """
        began_s = time.monotonic()
        for attempt in range(1, TRIES_MAX + 1):
            try:
                return self._once(work)
            except DBAPIError as error:
                _rest(error, attempt, began_s)
        raise AssertionError("unreachable")

    def _once(self, work: Callable[[Session], T]) -> T:
        with self._writer, ShortSession(self.write_engine, expire_on_commit=False) as session:
            result = work(session)
            session.commit()
            return result

    def read(self, ask: Callable[[Session], T]) -> T:
        """Run `ask` on a snapshot that cannot write; again, as `transact` does, when it was lost meanwhile."""
        began_s = time.monotonic()
        for attempt in range(1, TRIES_MAX + 1):
            try:
                with ShortSession(self.read_engine, expire_on_commit=False, autoflush=False) as session:
                    return ask(session)
            except DBAPIError as error:
                _rest(error, attempt, began_s)
        raise Refused(Reason.BUSY)

    def dispose(self) -> None:
        """Close every connection."""
        self.write_engine.dispose()
        self.read_engine.dispose()


def _rest(error: DBAPIError, attempt: int, began_s: float) -> None:
    """Wait a little before the next try. Raises the error when trying again is of no use, BUSY after the last try."""
    if not _worth_again(error):
        raise error
    if attempt == TRIES_MAX or time.monotonic() - began_s > RETRY_SECONDS_MAX:
        raise Refused(Reason.BUSY) from error
    time.sleep(random.uniform(0.2, 1.0) * 0.02 * 2**attempt)


def _worth_again(error: DBAPIError) -> bool:
    if error.connection_invalidated:
        return True
    if hasattr(error.orig, "sqlstate"):
        state = getattr(error.orig, "sqlstate", None)
        if state is None:  # nothing came from the server: it is the connection that failed
            return isinstance(error, OperationalError | InterfaceError)
        return state in _PG_AGAIN
    if isinstance(error, InterfaceError):
        return True
    return isinstance(error, OperationalError) and any(
        word in str(error.orig) for word in ("locked", "busy", "closed the connection")
    )


def sqlite_module() -> Any:
    """The newest SQLite at hand: the bundled library where there is one, else Python's own."""
    try:
        from pysqlite3 import dbapi2
    except ImportError:
        import sqlite3 as dbapi2
    return dbapi2


def _sqlite_engine(url: str, *, writes: bool) -> Engine:
    engine = create_engine(
        url,
        module=sqlite_module(),
        poolclass=QueuePool,
        pool_size=1 if writes else READERS_MAX,
        max_overflow=0,
        connect_args={"check_same_thread": False, "timeout": SQLITE_BUSY_MS / 1000},
        json_serializer=json_text,
        hide_parameters=True,  # an error's text goes into logs; what people told us does not
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # we begin ourselves
        pragmas = [
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            f"busy_timeout={SQLITE_BUSY_MS}",
            f"cache_size=-{WRITER_CACHE_KB if writes else READER_CACHE_KB}",
            f"wal_autocheckpoint={CHECKPOINT_PAGES}",
        ]
        for pragma in pragmas if writes else [*pragmas, "query_only=ON"]:
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine
