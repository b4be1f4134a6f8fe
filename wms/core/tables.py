"""The core's own records: answered requests, the outbox, the audit trail and the file's identity card."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Index, Text, UniqueConstraint
from sqlalchemy import text as sql_text
from sqlalchemy.orm import Mapped, mapped_column

from wms.core.db.types import Base, Code, Json, PrimaryKey, UtcTime, WarehouseId


class RequestRow(Base):
    """A command that was answered: asked again under the same id, it gets the same answer. Kept 30 days."""

    __tablename__ = "request"

    actor: Mapped[Code] = mapped_column(primary_key=True)
    request_id: Mapped[Code] = mapped_column(primary_key=True)
    warehouse_id: Mapped[WarehouseId]
    fingerprint: Mapped[Code]
    status: Mapped[int]
    answer: Mapped[str] = mapped_column(Text)
    answered_at: Mapped[UtcTime]

    __table_args__ = (Index(None, "answered_at"),)


class OutboxRow(Base):
    """A fact to be delivered if and only if its transaction committed, in order within its aggregate."""

    __tablename__ = "outbox"

    id: Mapped[PrimaryKey]
    warehouse_id: Mapped[WarehouseId]
    topic: Mapped[Code]
    aggregate: Mapped[Code]
    facts: Mapped[Json]
    written_at: Mapped[UtcTime]
    attempts: Mapped[int] = mapped_column(default=0)
    not_before: Mapped[datetime | None]
    lease_until: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    set_aside_at: Mapped[datetime | None]
    trouble: Mapped[str | None] = mapped_column(Text)

    __table_args__ = (
        Index(
            "ix_outbox_open",
            "id",
            sqlite_where=sql_text("sent_at IS NULL"),
            postgresql_where=sql_text("sent_at IS NULL"),
        ),
        Index(None, "aggregate", "id"),
    )


class AuditRow(Base):
    """One link of the trail: who did what, chained by hash within a warehouse and day."""

    __tablename__ = "audit_entry"

    id: Mapped[PrimaryKey]
    warehouse_id: Mapped[WarehouseId]
    day: Mapped[date]
    number: Mapped[int]
    at: Mapped[UtcTime]
    actor: Mapped[Code]
    what: Mapped[Code]
    facts: Mapped[Json]
    previous_hash: Mapped[Code]
    hash: Mapped[Code]

    __table_args__ = (UniqueConstraint("warehouse_id", "day", "number"), Index(None, "day"))


class FileMark(Base):
    """What this database says of itself: who made it (a demonstration or a park), and other facts read at start."""

    __tablename__ = "file_mark"

    name: Mapped[Code] = mapped_column(primary_key=True)
    value: Mapped[str] = mapped_column(Text)
