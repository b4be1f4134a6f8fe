"""What slotting remembers: leases on slots it promised to a walk, how fast goods move, and the moves it proposed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from wms.core.db import Base, BigId, Code, PrimaryKey, UtcTime, WarehouseId


class SlotLease(Base):
    """A slot kept for one container on its way, for a short time: two people are never sent to one slot."""

    __tablename__ = "slot_lease"

    place_id: Mapped[int] = mapped_column(ForeignKey("slot.place_id"), primary_key=True)
    warehouse_id: Mapped[WarehouseId]
    subject: Mapped[Code]
    until: Mapped[UtcTime]


class Velocity(Base):
    """Order lines a week of a SKU, decaying with a half-life of two weeks from `as_of`."""

    __tablename__ = "velocity"

    id: Mapped[PrimaryKey]
    warehouse_id: Mapped[WarehouseId]
    merchant_id: Mapped[BigId]
    sku_id: Mapped[int] = mapped_column(ForeignKey("sku.id"))
    lines_per_week: Mapped[float]
    as_of: Mapped[UtcTime]

    __table_args__ = (UniqueConstraint("warehouse_id", "sku_id"),)


class MovePlan(Base):
    """One look at where goods lie: what was walked lately, what would have been, and the moves proposed for it.

    `signal_percent`: how far the past is to be believed. Metres are those of `tours` recent tours, replayed.
    """

    __tablename__ = "move_plan"

    id: Mapped[PrimaryKey]
    warehouse_id: Mapped[WarehouseId]
    made_at: Mapped[UtcTime]
    made_by: Mapped[Code]
    lines: Mapped[int]
    tours: Mapped[int]
    weeks: Mapped[int]
    walked_m: Mapped[int]
    planned_m: Mapped[int]
    signal_percent: Mapped[int]

    __table_args__ = (Index(None, "warehouse_id", "made_at"),)


class MoveProposal(Base):
    """Carry all that lies in one slot to another. `gain_m_week` is the forecast, `replayed_m_week` the second opinion.

    `hold_id` keeps the goods from being promised while somebody carries them.
    """

    __tablename__ = "move_proposal"

    id: Mapped[PrimaryKey]
    warehouse_id: Mapped[WarehouseId]
    merchant_id: Mapped[BigId]
    plan_id: Mapped[int] = mapped_column(ForeignKey("move_plan.id"))
    sku_id: Mapped[int] = mapped_column(ForeignKey("sku.id"))
    source_id: Mapped[int] = mapped_column(ForeignKey("slot.place_id"))
    target_id: Mapped[int] = mapped_column(ForeignKey("slot.place_id"))
    lines_per_week: Mapped[float]
    gain_m_week: Mapped[int]
    replayed_m_week: Mapped[int]
    cost_m: Mapped[int]
    state: Mapped[Code] = mapped_column(default="proposed")
    task_id: Mapped[BigId | None]
    hold_id: Mapped[BigId | None]
    stock_id: Mapped[BigId | None]
    held: Mapped[int] = mapped_column(default=0)
    decided_by: Mapped[Code | None]
    closed_at: Mapped[datetime | None]
    dropped_why: Mapped[Code | None]

    __table_args__ = (
        UniqueConstraint("plan_id", "source_id"),
        CheckConstraint("state IN ('proposed', 'accepted', 'declined', 'done', 'dropped')", name="state_known"),
        Index(None, "warehouse_id", "state"),
        Index(None, "task_id"),
    )
