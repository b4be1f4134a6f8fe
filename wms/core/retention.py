"""How long answered requests and delivered facts are kept, and how they go: a little at a time."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete, select, tuple_
from sqlalchemy.orm import Session

from wms.core.tables import OutboxRow, RequestRow

REQUESTS_KEPT = timedelta(days=30)
SENT_KEPT = timedelta(days=7)
ROWS_MAX = 2_000  # one delete keeps the only writer of SQLite busy for some milliseconds


def forget_requests(session: Session, now: datetime) -> int:
    """Delete at most `ROWS_MAX` requests answered more than 30 days before `now` (business time); how many."""
    old = select(RequestRow.actor, RequestRow.request_id).where(RequestRow.answered_at < now - REQUESTS_KEPT)
    keys = [tuple(row) for row in session.execute(old.limit(ROWS_MAX))]
    if keys:
        session.execute(delete(RequestRow).where(tuple_(RequestRow.actor, RequestRow.request_id).in_(keys)))
    return len(keys)


def forget_sent(session: Session, now: datetime) -> int:
    """Delete at most `ROWS_MAX` outbox rows delivered more than 7 days before `now` (wall time); how many.

    What is open, or set aside for a person, stays.
    """
    old = select(OutboxRow.id).where(OutboxRow.sent_at < now - SENT_KEPT).order_by(OutboxRow.id)
    ids = list(session.scalars(old.limit(ROWS_MAX)))
    if ids:
        session.execute(delete(OutboxRow).where(OutboxRow.id.in_(ids)))
    return len(ids)
