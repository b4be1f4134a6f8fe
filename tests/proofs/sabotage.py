"""Guards taken away from outside, for the twins: constraints of the database, and names of a module."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from wms.core.db import Database
from wms.ledger import triggers

STOCK_CHECKS = ("ck_stock_promised_not_negative", "ck_stock_promised_within_on_hand")


def without_key(database: Database, table: str, constraint: str) -> None:
    """Drop a unique or primary key that no other table refers to."""
    if database.is_sqlite:
        database.transact(lambda session: _rebuild(session, table, constraint))
    else:
        database.transact(lambda session: session.execute(text(f"ALTER TABLE {table} DROP CONSTRAINT {constraint}")))


def _rebuild(session: Session, table: str, constraint: str) -> None:
    """SQLite drops no constraint: the table is written anew without it."""
    master = text("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = :table")
    before = session.execute(master, {"table": table}).scalar_one()
    kept = [line.rstrip().rstrip(",") for line in before.splitlines()[1:-1] if f"CONSTRAINT {constraint} " not in line]
    assert len(kept) == len(before.splitlines()) - 3, f"{constraint} is not a line of {table}"
    for statement in (
        f"ALTER TABLE {table} RENAME TO guarded",
        f"CREATE TABLE {table} (" + ", ".join(line for line in kept if line.strip()) + ")",
        f"INSERT INTO {table} SELECT * FROM guarded",
        "DROP TABLE guarded",
        *(triggers.SQLITE if table == "movement" else ()),
    ):
        session.execute(text(statement))


def without_checks_of_stock(database: Database) -> None:
    """Let the table of stock take any figures."""
    if database.is_sqlite:
        with database.write_engine.connect() as connection:
            connection.exec_driver_sql("COMMIT")  # a pragma needs to stand outside of transactions
            connection.exec_driver_sql("PRAGMA ignore_check_constraints=ON")
            connection.exec_driver_sql("BEGIN")
        return
    for check in STOCK_CHECKS:
        statement = text(f"ALTER TABLE stock DROP CONSTRAINT {check}")
        database.transact(lambda session, statement=statement: session.execute(statement))  # type: ignore[misc]


@contextmanager
def replaced(owner: Any, **names: Any) -> Iterator[None]:
    """Other values under these names of a module or class, for as long as the block."""
    before = {name: getattr(owner, name) for name in names}
    for name, value in names.items():
        setattr(owner, name, value)
    try:
        yield
    finally:
        for name, value in before.items():
            setattr(owner, name, value)
