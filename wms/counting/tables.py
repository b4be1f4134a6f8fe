"""Stock-takes: who counted what where, and what became of a difference."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from wms.core.db import Base, BigId, Code, PrimaryKey, UtcTime, WarehouseId


class Count(Base):
    """A blind count of one slot. `ledger_mark` is the last movement seen when it began: moved since = count again."""

    __tablename__ = "stock_count"

    id: Mapped[PrimaryKey]
    warehouse_id: Mapped[WarehouseId]
    slot_id: Mapped[BigId]
    state: Mapped[Code] = mapped_column(default="open")
    reason: Mapped[Code]
    ledger_mark: Mapped[int] = mapped_column(default=0)
    counted_by: Mapped[str] = mapped_column(default="")
    approved_by: Mapped[str] = mapped_column(default="")
    made_at: Mapped[UtcTime]
    counted_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("state IN ('open', 'counted', 'approval', 'closed', 'cancelled')", name="state_known"),
        Index(None, "warehouse_id", "state"),
        Index(None, "warehouse_id", "counted_at"),
        Index(None, "slot_id"),
    )


class CountLine(Base):
    __tablename__ = "stock_count_line"

    id: Mapped[PrimaryKey]
    warehouse_id: Mapped[WarehouseId]
    merchant_id: Mapped[BigId]
    count_id: Mapped[BigId]
    stock_id: Mapped[BigId | None]
    sku_id: Mapped[BigId]
    lot_id: Mapped[BigId]
    condition: Mapped[Code]
    expected: Mapped[int]
    counted: Mapped[int]

    __table_args__ = (Index(None, "count_id"),)
