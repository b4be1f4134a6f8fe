"""Small differences between the two databases, in one place."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, cast

from sqlalchemy import Column, CursorResult, Executable, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

_DIALECTS: Mapping[str, Any] = {"sqlite": sqlite, "postgresql": postgresql}


def insert_for(session: Session, table: Table) -> Any:
    """An INSERT of this session's dialect, which knows `on_conflict_do_nothing` and `on_conflict_do_update`."""
    return insert_of(dialect_of(session), table)


def insert_of(dialect: str, table: Table) -> Any:
    """As `insert_for`, by the dialect's name: for statements that are made once."""
    return _DIALECTS[dialect].insert(table)


def dialect_of(session: Session) -> str:
    """ "sqlite" or "postgresql"."""
    return session.get_bind().dialect.name


@cache
def _insert_new(dialect: str, table: Table, told: Column[Any]) -> Any:
    return insert_of(dialect, table).on_conflict_do_nothing().returning(told)


def insert_new(session: Session, table: Table, told: Column[Any]) -> Any:
    """INSERT of one row that tells a column of it, and nothing when the row (by any unique key) is there already.

    The statement is made once, to be run with the row as its values.
    """
    return _insert_new(dialect_of(session), table, told)


def is_postgresql(session: Session) -> bool:
    """True where rows can be locked one by one."""
    return dialect_of(session) == "postgresql"


def touched(session: Session, statement: Executable, values: Mapping[str, Any]) -> int:
    """Run one writing statement; how many rows it touched."""
    return cast("CursorResult[Any]", session.execute(statement, values)).rowcount
