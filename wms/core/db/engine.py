"""Two engines, one unit of work.

SQLite: one writer at a time behind a mutex, who shares a commit with those who wait. PostgreSQL: rows locked in key
order by the rooms. An answer given is on the disk on both.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

import structlog
from sqlalchemy import Connection, Engine, Executable, make_url
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.orm import Session, SessionTransaction

from wms.core.db.connecting import postgresql_engine, sqlite_engine
from wms.core.db.prepared import prepared
from wms.core.db.shared_commit import CommitLost, SharedCommit
from wms.core.refusal import Reason, Refused
from wms.core.turns import Turns
from wms.core.wakes import Wakes

T = TypeVar("T")

TRIES_MAX = 5
RETRY_SECONDS_MAX = 2.0
# Calls that run at once: on PostgreSQL one waits for its answer meanwhile.
CALLS_MAX_SQLITE, CALLS_MAX_POSTGRESQL = 1, 2
# Serialization failure, deadlock, lock not to be had; then: the session was ended, the server goes down, crashed, comes
# up, has no room; the connection broke.
_PG_AGAIN = {"40001", "40P01", "55P03", "57P01", "57P02", "57P03", "53300", "08000", "08001", "08003", "08004", "08006"}

_PG_DISK_FULL = "53100"
log = structlog.get_logger(__name__)


SETTLED = "settled"  # in a session's info: it sees nothing but what was committed
# The engine that writes -> the one that reads.
_readers: WeakKeyDictionary[Engine, Engine] = WeakKeyDictionary()


def remembers(session: Session) -> tuple[Engine, bool]:
    """Where a database's readers and writers keep what they know by heart, and whether this session may add to it.

    What a unit of work sees may be taken back: by itself, or by others whose commit it shares.
    """
    engine = session.get_bind().engine
    return _readers.get(engine, engine), bool(session.info.get(SETTLED))


class ShortSession(Session):
    """A session that hands statements about tables straight to its connection.

    Statements about records take the session's own way, which a prepared statement of a hot path need not pay for.
    """

    _straight: tuple[Any, Connection, Any] | None = None

    def execute(self, statement: Any, params: Any = None, **more: Any) -> Any:
        """As Session.execute."""
        if more or not isinstance(statement, Executable) or statement._propagate_attrs:  # set where records take part
            return super().execute(statement, params, **more)
        connection, cursor = self._connection_now()
        given = params or {}
        plan = None if cursor is None else prepared(connection, statement, given)
        return connection.execute(statement, given) if plan is None else plan.run(connection, cursor, given)

    def _connection_now(self) -> tuple[Connection, Any]:
        """The connection of the transaction under way (begun if there is none) and a cursor of its own; none where
        somebody listens to statements.
        """
        straight, under_way = self._straight, self._transaction
        if straight is None or under_way is None or straight[0] is not under_way:
            connection = self.connection()
            cursor = None if _listened_to(connection) else connection.connection.cursor()
            self._straight = straight = (self._transaction, connection, cursor)
        return straight[1:]


def _listened_to(connection: Connection) -> bool:
    """Somebody counts or watches statements: they go the way he listens on."""
    heard = connection.dispatch
    return bool(heard.before_cursor_execute or heard.after_cursor_execute)


class Database:
    """A database that is open. `transact` writes, `read` cannot."""

    def __init__(self, url: str, write_engine: Engine, read_engine: Engine) -> None:
        self.url = url
        self.write_engine = write_engine
        self.read_engine = read_engine
        self.turns = Turns(CALLS_MAX_SQLITE if self.is_sqlite else CALLS_MAX_POSTGRESQL)
        self.wakes = Wakes(self.turns)
        self._writer: AbstractContextManager[Any] = nullcontext()
        self._shared: SharedCommit | None = None
        if self.is_sqlite:
            mutex = threading.Lock()
            self._writer, self._shared = mutex, SharedCommit(write_engine, mutex, self.turns)
        _readers[write_engine] = read_engine

    @classmethod
    def open(cls, url: str) -> Database:
        """Open `sqlite:///path` (or a bare path) or `postgresql://...`. Nothing is created but an empty file."""
        full = url if "://" in url else f"sqlite:///{url}"
        if make_url(full).get_backend_name() == "sqlite":
            return cls(full, sqlite_engine(full, writes=True), sqlite_engine(full, writes=False))
        return cls(full, postgresql_engine(full, writes=True), postgresql_engine(full, writes=False))

    @property
    def is_sqlite(self) -> bool:
        return self.write_engine.dialect.name == "sqlite"

    def transact(self, work: Callable[[Session], T], *, alone: bool = False) -> T:
        """Run `work` in one transaction: returning commits, raising rolls back.

        The whole function is run again when the database asks for it (deadlock, busy, lost connection), at most five
        times or two seconds; then `Refused(BUSY)`. So `work` must have no effect outside the session. `alone` keeps
        work that may take long from making those wait for its end who were done before (SQLite).
        """
        began_s = time.monotonic()
        for attempt in range(1, TRIES_MAX + 1):
            try:
                return self._once(work, alone=alone)
            except CommitLost:
                alone = True
            except DBAPIError as error:
                with self.turns.lent():
                    _rest(error, attempt, began_s)
            except Exception as error:
                if _disk_full(error):  # the savepoint went with the transaction, and said so louder
                    raise Refused(Reason.DISK_FULL) from error
                raise
        raise Refused(Reason.BUSY)

    def _once(self, work: Callable[[Session], T], *, alone: bool = False) -> T:
        if self._shared is not None:
            return self._shared.run(lambda connection: _unit(connection, work), alone=alone)
        with ShortSession(self.write_engine, expire_on_commit=False) as session:
            result = work(session)
            with self.turns.lent():  # it waits for the disk
                session.commit()
            return result

    def read(self, ask: Callable[[Session], T]) -> T:
        """Run `ask`, which can neither write nor lock; again, as `transact` does, when it was lost meanwhile.

        On PostgreSQL each of its statements stands for itself, which spares the beginning and the end of a transaction.
        """
        began_s = time.monotonic()
        for attempt in range(1, TRIES_MAX + 1):
            try:
                known = {SETTLED: True}
                with ShortSession(self.read_engine, expire_on_commit=False, autoflush=False, info=known) as session:
                    answer = ask(session)
                    if not self.is_sqlite and session.in_transaction():
                        _keep_what_was_prepared(session)
                    return answer
            except DBAPIError as error:
                with self.turns.lent():
                    _rest(error, attempt, began_s)
        raise Refused(Reason.BUSY)

    def fold_log(self) -> int:
        """SQLite: write what the log holds into the file, beside the writer; pages of the log that are left to do.

        Who writes next then finds little to fold when the log is full (CHECKPOINT_PAGES in `connecting`), instead of
        keeping all others waiting for the whole of it. Of PostgreSQL's log its server takes care: 0.
        """
        if not self.is_sqlite:
            return 0
        connection = self.read_engine.raw_connection()
        try:
            cursor: Any = connection.cursor()
            cursor.execute("PRAGMA wal_checkpoint(PASSIVE)")
            _busy, in_log, folded = cursor.fetchone()
            return max(0, int(in_log) - int(folded))
        finally:
            connection.close()

    def dispose(self) -> None:
        """Close every connection."""
        self.write_engine.dispose()
        self.read_engine.dispose()


def _keep_what_was_prepared(session: Session) -> None:
    """psycopg forgets every prepared statement when it hears of a rollback: should the read have become a transaction,
    end it at the driver, with nothing to keep, so that the session's own rollback finds none there.
    """
    session.connection().connection.commit()


class UnitSession(ShortSession):
    """A session in a savepoint of a transaction that others may share.

    Statements about tables need none of the session's own bookkeeping; it begins with the first record, in a savepoint
    within ours.
    """

    def __init__(self, connection: Connection, cursor: Any) -> None:
        super().__init__(connection, expire_on_commit=False, join_transaction_mode="create_savepoint")
        self._here = (connection, None if _listened_to(connection) else cursor)

    def _connection_now(self) -> tuple[Connection, Any]:
        return self._here

    def begin_nested(self) -> SessionTransaction:
        """As Session.begin_nested, from this moment on: the session would begin it with its own next statement, and
        ours go past it.
        """
        nested = super().begin_nested()
        self.connection()
        return nested

    def keep(self) -> None:
        """What records say goes to the database, if there are any."""
        if self.in_transaction():
            self.commit()


def _unit(connection: Connection, work: Callable[[Session], T]) -> T:
    """`work` in a savepoint of its own: raising takes back itself only."""
    _say(connection, "SAVEPOINT unit")
    session = UnitSession(connection, connection.connection.cursor())
    try:
        result = work(session)
        session.keep()
    except BaseException:
        _take_back(connection, session)
        raise
    if session.identity_map:
        session.close()
    _say(connection, "RELEASE SAVEPOINT unit")
    return result


def _say(connection: Connection, words: str) -> None:
    """By a cursor of its own: SQLAlchemy closes the one on which a statement failed."""
    connection.connection.cursor().execute(words)


def _take_back(connection: Connection, session: Session) -> None:
    """Undo this unit; should that be impossible, undo everybody's, who are then run again. Raises nothing."""
    try:
        session.close()
        _say(connection, "ROLLBACK TO SAVEPOINT unit")
        _say(connection, "RELEASE SAVEPOINT unit")
    except Exception as error:  # noqa: BLE001 - what made us take back is told; the group's end tells the others
        log.warning("unit.lost", error=f"{type(error).__name__}: {error}")
        try:
            connection.connection.rollback()
        except Exception:  # noqa: BLE001 - a connection that cannot even do that
            connection.invalidate()


def _rest(error: DBAPIError, attempt: int, began_s: float) -> None:
    """Wait a little before the next try. Raises the error when trying again is of no use, BUSY after the last try,
    DISK_FULL when the disk takes nothing: then nothing was kept, and asking again later is right.
    """
    if _disk_full(error):
        raise Refused(Reason.DISK_FULL) from error
    if not _worth_again(error):
        raise error
    if attempt == TRIES_MAX or time.monotonic() - began_s > RETRY_SECONDS_MAX:
        raise Refused(Reason.BUSY) from error
    time.sleep(random.uniform(0.2, 1.0) * 0.02 * 2**attempt)


def _disk_full(error: BaseException | None) -> bool:
    """Also when it was the cause of what came last: SQLite throws the whole transaction away, savepoints and all."""
    if error is None:
        return False
    words = str(error.args)
    if "disk is full" in words or "disk I/O error" in words or getattr(error, "sqlstate", None) == _PG_DISK_FULL:
        return True
    return _disk_full(error.__cause__) or _disk_full(error.__context__)


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
