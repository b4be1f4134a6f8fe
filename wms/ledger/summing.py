"""The audit's own memory: what movements up to a mark add up to, so that each minute asks only of what came after.

The mark is the number of a movement before which nothing can appear any more. On SQLite that is the newest movement:
there is one writer. On PostgreSQL a transaction may have taken a lower number and not have committed yet: a number
becomes the mark when every transaction that was under way as it was read has ended. (A post writes stock before it
numbers its movements, so whoever holds a number is under way by the database's own account.)
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from wms.core.sql import is_postgresql
from wms.core.tables import FileMark

MARK = "movements_summed"
BITE = 2_000  # movements added up in one transaction: some 20 ms of SQLite's only writer
BITES_MAX = 200

_ADD = """
INSERT INTO movement_sum (warehouse_id, place_id, lot_id, condition, book, total)
SELECT MIN(warehouse_id), place_id, lot_id, condition, book, SUM(quantity) FROM (
  SELECT warehouse_id, target_id AS place_id, lot_id, condition, book, quantity FROM movement
  WHERE id > :above AND id <= :upto
  UNION ALL
  SELECT warehouse_id, source_id, lot_id, condition, book, -quantity FROM movement
  WHERE id > :above AND id <= :upto
) AS ends
WHERE place_id NOT IN (SELECT id FROM place WHERE kind = 'virtual')
GROUP BY place_id, lot_id, condition, book
ON CONFLICT (place_id, lot_id, condition, book) DO UPDATE SET total = movement_sum.total + excluded.total
"""
_NEWEST = "SELECT COALESCE(MAX(id), 0) FROM movement"
_NEXT = (
    "SELECT MAX(id) FROM (SELECT id FROM movement WHERE id > :above AND id <= :upto ORDER BY id LIMIT :bite) AS bite"
)
_UNDER_WAY = (
    "SELECT CAST(CAST(pg_snapshot_xmin(s) AS text) AS bigint) AS oldest, "
    "CAST(CAST(pg_snapshot_xmax(s) AS text) AS bigint) AS next FROM pg_current_snapshot() AS s"
)


@dataclass(frozen=True, slots=True)
class Summed:
    """Everything up to `mark` is added up. `seen` was the newest movement at the last look, when transaction `next` was
    the next to begin.
    """

    mark: int = 0
    seen: int = 0
    next: int = 0


def summed(session: Session) -> Summed:
    """How far the sums have come."""
    row = session.get(FileMark, MARK)
    return Summed(**json.loads(row.value)) if row is not None else Summed()


def settled(session: Session) -> int:
    """The newest movement below which no other can appear any more; remembers what it saw for the next look."""
    before = summed(session)
    newest = int(session.execute(text(_NEWEST)).scalar_one())
    if not is_postgresql(session):
        return newest
    now = session.execute(text(_UNDER_WAY)).one()
    if before.seen and now.oldest < before.next:
        return before.mark  # somebody of that moment is still under way
    _keep(session, Summed(before.mark, newest, now.next))
    return before.seen


def add_up(session: Session, upto: int) -> bool:
    """Add the next bite of movements to the sums, in the caller's transaction; whether there was one."""
    before = session.get(FileMark, MARK, with_for_update=True)
    last = Summed(**json.loads(before.value)) if before is not None else Summed()
    ask = {"above": last.mark, "upto": upto, "bite": BITE}
    end = session.execute(text(_NEXT), ask).scalar_one()
    if end is None:
        return False
    session.execute(text(_ADD), {"above": last.mark, "upto": end})
    _keep(session, Summed(int(end), last.seen, last.next))
    return True


def _keep(session: Session, found: Summed) -> None:
    session.merge(FileMark(name=MARK, value=json.dumps(asdict(found))))
    session.flush()
