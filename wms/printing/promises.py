"""The spool's promises: what is printed is what was queued, and nobody's first print is queued twice."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from wms.core.promises import Broken, Promise
from wms.printing.tables import PrintJob

_TWICE = """
SELECT warehouse_id, document, subject, COUNT(*) AS times FROM print_job
WHERE reprint = 0 AND state <> 'cancelled'
GROUP BY warehouse_id, document, subject HAVING COUNT(*) > 1
"""


def _content(session: Session) -> Iterator[Broken]:
    rows = session.execute(select(PrintJob.id, PrintJob.warehouse_id, PrintJob.content, PrintJob.sha256)).yield_per(200)
    for row in rows:
        if hashlib.sha256(row.content).hexdigest() != row.sha256:
            yield Broken(f"print job {row.id}", "its bytes are not those that were queued", row.warehouse_id)


def _once(session: Session) -> Iterator[Broken]:
    for row in session.execute(text(_TWICE)):
        yield Broken(f"{row.document} of {row.subject}", f"was printed {row.times} times unmarked", row.warehouse_id)


PROMISES = (
    Promise(7, "printed_as_queued", "What a printer gets is what was queued", _content),
    Promise(7, "printed_once", "No label is printed twice without a mark", _once),
)
