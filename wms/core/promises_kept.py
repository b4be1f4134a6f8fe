"""The core's own promises: the audit trail is whole, and no delivered fact is older than an undelivered one of its
aggregate.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import text
from sqlalchemy.orm import Session

from wms.core.audit_trail import broken_links
from wms.core.promises import Broken, Promise

_OUT_OF_ORDER = """
SELECT later.aggregate, later.id FROM outbox AS later JOIN outbox AS earlier
  ON earlier.aggregate = later.aggregate AND earlier.id < later.id
WHERE later.sent_at IS NOT NULL AND earlier.sent_at IS NULL
"""


def _trail(session: Session) -> Iterator[Broken]:
    for warehouse_id, day, number in broken_links(session):
        yield Broken(f"audit entry {day} no. {number}", "does not follow from the one before it", warehouse_id)


def _order(session: Session) -> Iterator[Broken]:
    for row in session.execute(text(_OUT_OF_ORDER)):
        yield Broken(f"outbox row {row.id}", f"was sent before an earlier fact of {row.aggregate}")


PROMISES = (
    Promise(7, "outbox_in_order", "What leaves the house leaves in order within its aggregate", _order),
    Promise(11, "audit_trail_whole", "Tampering with the audit trail shows", _trail),
)
