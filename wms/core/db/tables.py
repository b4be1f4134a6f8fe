"""From a record class to its table, for statements that skip the object layer on hot paths."""

from __future__ import annotations

from typing import cast

from sqlalchemy import Table

from wms.core.db.types import Base


def table_of(record: type[Base]) -> Table:
    """The table behind a record class."""
    return cast(Table, record.__table__)
