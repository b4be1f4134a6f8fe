"""What an audit found: written down, the row of stock frozen, nothing repaired."""

from __future__ import annotations

from sqlalchemy import select

from wms.core.call import Call
from wms.core.outbox import announce
from wms.core.promises import Broken, Promise
from wms.ledger import service
from wms.ledger.tables import BrokenPromise

SUBJECT_LENGTH_MAX = 128


def note_broken(call: Call, promise: Promise, broken: Broken) -> bool:
    """Write one break down and freeze its stock; False when an open finding says the same already."""
    subject = broken.subject[:SUBJECT_LENGTH_MAX]
    known = select(BrokenPromise.id).where(
        BrokenPromise.warehouse_id == call.warehouse_id,
        BrokenPromise.promise == promise.name,
        BrokenPromise.subject == subject,
        BrokenPromise.closed_at.is_(None),
    )
    if call.session.execute(known.limit(1)).first() is not None:
        return False
    call.session.add(
        BrokenPromise(
            warehouse_id=call.warehouse_id,
            promise=promise.name,
            subject=subject,
            facts=broken.facts,
            found_at=call.now,
        )
    )
    if broken.stock_id is not None:
        service.freeze(call.session, broken.stock_id, f"{promise.name}: {broken.facts}")
    announce(call, "promise.broken", f"promise:{promise.name}", subject=subject, facts=broken.facts)
    return True
