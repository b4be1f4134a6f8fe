"""Looking into the stock book."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from wms.ledger.tables import MovementRow


def last_booked_at(session: Session) -> datetime | None:
    """When the newest movement was written; None in an empty book."""
    return session.scalars(select(MovementRow.at).order_by(MovementRow.id.desc()).limit(1)).first()
