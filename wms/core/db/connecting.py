"""The engines beneath a database: connections as each kind needs them, for who writes and for who reads.

SQLite: one connection that writes and begins IMMEDIATE, some that read and cannot write; WAL and synchronous FULL.
PostgreSQL: writers at READ COMMITTED; readers whose statements stand for themselves, and which cannot write either.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import QueuePool

from wms.core.db.types import json_text

READERS_MAX = 24
# Connections of each engine to PostgreSQL: so many stay open, so many more there may be.
KEPT_POSTGRESQL, MORE_POSTGRESQL = 8, 12
# A server that went away without a word is missed within half a minute also by who only listens.
KEEPALIVE = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3}
SQLITE_BUSY_MS = 5_000
# The log grows to about 32 MB before it is folded into the file: pages that change often are then written once, not
# with every thousandth page. What was answered is on the disk either way.
CHECKPOINT_PAGES = 8_000
# Pages each connection keeps for itself; there are many readers, and the system caches the file for all of them.
WRITER_CACHE_KB = 32_768
READER_CACHE_KB = 2_048
STATEMENTS_KEPT = 512  # of each connection, ready to run


def sqlite_module() -> Any:
    """The newest SQLite at hand: the bundled library where there is one, else Python's own."""
    try:
        from pysqlite3 import dbapi2
    except ImportError:
        import sqlite3 as dbapi2
    return dbapi2


def postgresql_engine(url: str, *, writes: bool) -> Engine:
    engine = create_engine(
        url,
        pool_size=KEPT_POSTGRESQL,
        max_overflow=MORE_POSTGRESQL,
        pool_use_lifo=True,  # the one used last has its statements prepared
        isolation_level="READ COMMITTED" if writes else "AUTOCOMMIT",
        json_serializer=json_text,
        hide_parameters=True,
        connect_args=KEEPALIVE,
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        if writes:
            connection.read_only = False  # said with each BEGIN
        else:
            connection.autocommit = True
            connection.execute("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY")

    return engine


def sqlite_engine(url: str, *, writes: bool) -> Engine:
    module = sqlite_module()
    engine = create_engine(
        url,
        module=module,
        poolclass=QueuePool,
        pool_size=1 if writes else READERS_MAX,
        max_overflow=0,
        connect_args={
            "check_same_thread": False,
            "timeout": SQLITE_BUSY_MS / 1000,
            "cached_statements": STATEMENTS_KEPT,
        },
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

    words = "BEGIN IMMEDIATE" if writes else "BEGIN"

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        try:
            connection.connection.cursor().execute(words)
        except module.Error:
            connection.exec_driver_sql(words)  # once more, for the error as SQLAlchemy tells it

    _savepoints_of_their_own(engine)
    return engine


def _savepoints_of_their_own(engine: Engine) -> None:
    """Savepoints go straight to the connection: they frame every unit of work and are no questions about rows."""

    def sender(words: str) -> Callable[[Connection, str], None]:
        return lambda connection, name: connection.connection.cursor().execute(f'{words} "{name}"')

    dialect: Any = engine.dialect
    dialect.do_savepoint = sender("SAVEPOINT")
    dialect.do_rollback_to_savepoint = sender("ROLLBACK TO SAVEPOINT")
    dialect.do_release_savepoint = sender("RELEASE SAVEPOINT")
