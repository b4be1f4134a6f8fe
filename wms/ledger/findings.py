"""What an audit found: written down, the row of stock frozen, nothing repaired."""

from __future__ import annotations

from collections.abc import Set

from sqlalchemy import select

from wms.core.call import Call
from wms.core.outbox import announce
from wms.core.promises import Broken, Promise
from wms.ledger import service
from wms.ledger.tables import BrokenPromise, Stock

SUBJECT_LENGTH_MAX = 128
OF_STOCK = "stock "


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


def close_mended(call: Call, still_broken: Set[tuple[str, str]]) -> int:
    """Close the findings whose promise holds again, and let their stock move; how many.

    `still_broken` has promise and subject of everything a full audit has just found. Asked for by a person only: a
    break that went away by itself is the strangest of all.
    """
    query = select(BrokenPromise).where(
        BrokenPromise.warehouse_id == call.warehouse_id, BrokenPromise.closed_at.is_(None)
    )
    still = {(promise, subject[:SUBJECT_LENGTH_MAX]) for promise, subject in still_broken}
    mended = [row for row in call.session.scalars(query) if (row.promise, row.subject) not in still]
    for row in mended:
        row.closed_at = call.now
        _let_move(call, row)
    return len(mended)


def _let_move(call: Call, finding: BrokenPromise) -> None:
    """Only what this finding froze; what a person froze for another reason stays."""
    number = finding.subject.removeprefix(OF_STOCK)
    if not finding.subject.startswith(OF_STOCK) or not number.isdecimal():
        return
    stock = call.session.get(Stock, int(number))
    if stock is not None and (stock.frozen_reason or "").startswith(f"{finding.promise}: "):
        service.thaw(call.session, stock.id)
