"""Small differences between the two databases, in one place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from sqlalchemy import CursorResult, Executable, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session


def insert_for(session: Session, table: Table) -> Any:
    """An INSERT of this session's dialect, which knows `on_conflict_do_nothing` and `on_conflict_do_update`."""
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    return dialect.insert(table)


def is_postgresql(session: Session) -> bool:
    """True where rows can be locked one by one."""
    return session.get_bind().dialect.name == "postgresql"


def touched(session: Session, statement: Executable, values: Mapping[str, Any]) -> int:
    """Run one writing statement; how many rows it touched."""
    return cast("CursorResult[Any]", session.execute(statement, values)).rowcount
