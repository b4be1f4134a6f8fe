"""Many rows in few statements."""

from __future__ import annotations

from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import Session

from wms.core.db.tables import table_of
from wms.site.tables import Place, Slot

ROWS_PER_STATEMENT_MAX = 1_000


def insert_slots(session: Session, warehouse_id: int, slots: list[dict[str, Any]]) -> None:
    """Rows of `slot` without `place_id`, which each gets with a place of its own."""
    places = [{"warehouse_id": warehouse_id, "kind": "slot", "code": slot["code"]} for slot in slots]
    ids = insert_many(session, Place.id, places)
    flags = {"bonded": False, "blocked": False, "shut": False, "under_count": False, "retired": False}
    rows = [{**flags, **slot, "place_id": place_id} for slot, place_id in zip(slots, ids, strict=True)]
    for start in range(0, len(rows), ROWS_PER_STATEMENT_MAX):
        session.execute(insert(table_of(Slot)), rows[start : start + ROWS_PER_STATEMENT_MAX])


def insert_many(session: Session, key: Any, rows: list[dict[str, Any]]) -> list[int]:
    """Insert rows; their new ids in the same order."""
    if not rows:
        return []
    table = key.class_.__table__
    statement = insert(table).returning(table.c.id, sort_by_parameter_order=True)
    return list(session.execute(statement, rows).scalars())
