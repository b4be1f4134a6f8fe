"""Tasks: what is to be done, who has it in hand."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from wms.core.db import Base, BigId, Code, Json, JsonOrNull, PrimaryKey, UtcTime, WarehouseId


class Task(Base):
    """One piece of work. Claimed by one person at a time; left and resumed; done once."""

    __tablename__ = "task"

    id: Mapped[PrimaryKey]
    warehouse_id: Mapped[WarehouseId]
    merchant_id: Mapped[BigId | None]
    kind: Mapped[Code]
    state: Mapped[Code] = mapped_column(default="open")
    priority: Mapped[int] = mapped_column(default=5)
    due_at: Mapped[datetime | None]
    zone_id: Mapped[BigId | None]
    subject: Mapped[Code]
    facts: Mapped[Json]
    made_at: Mapped[UtcTime]
    claimed_by: Mapped[int | None]
    claimed_at: Mapped[datetime | None]
    skipped_until: Mapped[datetime | None]
    hindered: Mapped[JsonOrNull]  # why it could not be begun when it was last tried: {"reason", "facts"}
    done_at: Mapped[datetime | None]

    __table_args__ = (
        UniqueConstraint("warehouse_id", "kind", "subject"),
        CheckConstraint("state IN ('open', 'claimed', 'done', 'cancelled')", name="state_known"),
        Index(None, "warehouse_id", "state", "kind", "priority"),
    )


class DialogueState(Base):
    """Where a person stands in a dialogue: survives battery, browser and walk to another device."""

    __tablename__ = "dialogue_state"

    person_id: Mapped[BigId] = mapped_column(primary_key=True)
    warehouse_id: Mapped[WarehouseId]
    dialogue: Mapped[Code]
    step: Mapped[Code]
    state: Mapped[Json]
    task_id: Mapped[BigId | None]
    version: Mapped[int] = mapped_column(default=1)  # of the screen: each drawing anew counts
    moved_version: Mapped[int] = mapped_column(default=1)  # of the last drawing that came of the work itself
    message: Mapped[Json]
    changed_at: Mapped[UtcTime]
