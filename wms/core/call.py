"""Who asks, for which warehouse, when and under which request id: what every service function is given first."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy.orm import Session

from wms.core.db import walls


@dataclass(frozen=True, slots=True)
class Who:
    """The asker as the edge knows him: a person at a device, an API key, a gateway, or the house itself.

    `actor` is unique for ever ("person:7", "key:3", "gateway:1", "system"). `merchant_id` is set for keys of a
    merchant: such an asker sees and touches only that merchant's rows.
    """

    actor: str
    warehouse_id: int
    rights: frozenset[str] = frozenset()
    merchant_id: int | None = None
    person_id: int | None = None
    device_id: int | None = None
    station_id: int | None = None
    language: str = "zh"


@dataclass(frozen=True, slots=True)
class Call:
    """One command under way. Returning commits, raising rolls back: whoever made the call sees to it.

    `now` is business time in UTC. `wakes` gathers the names of waits (long polls, deliverers) to wake after the commit.
    """

    session: Session
    who: Who
    request_id: str
    now: datetime
    wakes: set[str] = field(default_factory=set)

    @classmethod
    def begun(cls, session: Session, who: Who, request_id: str, now: datetime, wakes: set[str] | None = None) -> Call:
        """A call on a fresh session; on PostgreSQL the database keeps it to the rows of its merchant, if it has one."""
        walls.stand_behind(session, who.merchant_id)
        return cls(session, who, request_id, now, set() if wakes is None else wakes)

    @property
    def warehouse_id(self) -> int:
        return self.who.warehouse_id

    @property
    def actor(self) -> str:
        return self.who.actor

    @property
    def merchant_id(self) -> int | None:
        return self.who.merchant_id

    @property
    def person_id(self) -> int | None:
        return self.who.person_id

    @property
    def device_id(self) -> int | None:
        return self.who.device_id

    @property
    def language(self) -> str:
        return self.who.language

    @property
    def rights(self) -> frozenset[str]:
        return self.who.rights

    def step(self, name: str) -> Call:
        """The same call under a derived request id: for a command that is made of several."""
        return replace(self, request_id=f"{self.request_id}/{name}")
