"""One look at a warehouse: the session, the building, and the moments everything is judged by."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import cached_property

from sqlalchemy import select
from sqlalchemy.orm import Session

from wms.shipping.tables import Courier
from wms.site import queries as site
from wms.site.values import WarehouseFacts

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Look:
    """`now` is business time, `wall` the machine's: heartbeats and sessions are told by that."""

    session: Session
    here: WarehouseFacts
    now: datetime
    wall: datetime

    @property
    def warehouse_id(self) -> int:
        return self.here.id

    @cached_property
    def day_begin(self) -> datetime:
        """Midnight on the building's clock, in UTC."""
        today = self.here.local(self.now).date()
        return datetime.combine(today, time(0), self.here.zone).astimezone(UTC)

    @cached_property
    def couriers(self) -> dict[str, str]:
        """Code -> name."""
        rows = self.session.execute(
            select(Courier.code, Courier.name).where(Courier.warehouse_id == self.warehouse_id)
        ).all()
        return {row.code: row.name for row in rows}

    def courier(self, code: str) -> str:
        return self.couriers.get(code, code)

    def in_business_time(self, at_wall: datetime | None) -> datetime | None:
        """A moment of the machine's clock as an age that business time shows."""
        return None if at_wall is None else self.now - (self.wall - at_wall)


def look(session: Session, warehouse_id: int, now: datetime, wall: datetime) -> Look:
    """Begin to look at a building. Raises NOT_FOUND."""
    return Look(session, site.warehouse(session, warehouse_id), now, wall)
