"""The core's own promises: the audit trail is whole, and no delivered fact is older than an undelivered one of its
aggregate.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date

from sqlalchemy import text
from sqlalchemy.orm import Session

from wms.core.audit_trail import broken_links
from wms.core.promises import Broken, Promise, of_every_row

NEWEST_DAYS = 2  # whose chains still grow, wherever midnight is
_OUT_OF_ORDER = """
SELECT later.aggregate, later.id FROM outbox AS later JOIN outbox AS earlier
  ON earlier.aggregate = later.aggregate AND earlier.id < later.id
WHERE later.sent_at IS NOT NULL AND earlier.sent_at IS NULL
"""


def _trail(session: Session) -> Iterator[Broken]:
    yield from _broken(broken_links(session))


def _newest_trail(session: Session, _mark: int) -> Iterator[Broken]:
    yield from _broken(broken_links(session, NEWEST_DAYS))


def _broken(links: Iterable[tuple[int, date, int]]) -> Iterator[Broken]:
    for warehouse_id, day, number in links:
        yield Broken(f"audit entry {day} no. {number}", "does not follow from the one before it", warehouse_id)


def _order(session: Session) -> Iterator[Broken]:
    for row in session.execute(text(_OUT_OF_ORDER)):
        yield Broken(f"outbox row {row.id}", f"was sent before an earlier fact of {row.aggregate}")


PROMISES = (
    Promise(
        7, "outbox_in_order", "What leaves the house leaves in order within its aggregate", _order, of_every_row(_order)
    ),
    Promise(11, "audit_trail_whole", "Tampering with the audit trail shows", _trail, _newest_trail),
)
