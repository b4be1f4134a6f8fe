"""The promise about slots that are no more, recomputed from the rows."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import text
from sqlalchemy.orm import Session

from wms.core.promises import Broken, Promise, of_every_row
from wms.core.sql import is_postgresql
from wms.ledger.triggers import SLOT_NAMES
from wms.slotting.triggers import NAMES

_GOODS = """
SELECT s.id, s.warehouse_id, s.on_hand, p.code FROM stock AS s
JOIN slot AS p ON p.place_id = s.place_id
WHERE p.retired AND s.on_hand > 0
"""
_LEASES = """
SELECT l.place_id, l.warehouse_id, l.subject, p.code FROM slot_lease AS l
JOIN slot AS p ON p.place_id = l.place_id
WHERE p.retired
"""
_TRIGGERS = {
    True: "SELECT tgname FROM pg_trigger WHERE tgenabled <> 'D'",
    False: "SELECT name FROM sqlite_master WHERE type = 'trigger'",
}


def _retired(session: Session) -> Iterator[Broken]:
    for row in session.execute(text(_GOODS)):
        yield Broken(f"stock {row.id}", f"{row.on_hand} lie in the retired slot {row.code}", row.warehouse_id, row.id)
    for row in session.execute(text(_LEASES)):
        yield Broken(f"slot {row.place_id}", f"{row.code} is retired and kept for {row.subject}", row.warehouse_id)
    present = set(session.execute(text(_TRIGGERS[is_postgresql(session)])).scalars())
    for name in (*SLOT_NAMES, *NAMES):
        if name not in present:
            yield Broken(f"trigger {name}", "is missing: a retired slot could be used unseen")


PROMISES = (
    Promise(
        12,
        "retired_slots_empty",
        "A retired slot holds no goods and is kept for nobody",
        _retired,
        of_every_row(_retired),
    ),
)
