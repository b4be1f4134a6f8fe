"""Batches: what one person picks on one walk, stop by stop."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from wms.core.db import Base, BigId, Code, Json, PrimaryKey, WarehouseId


class Batch(Base):
    """Orders walked together. Lengths in mm; `path` is the walkable polyline for the map."""

    __tablename__ = "batch"

    id: Mapped[PrimaryKey]
    warehouse_id: Mapped[WarehouseId]
    wave_id: Mapped[int] = mapped_column(ForeignKey("wave.id"))
    no: Mapped[Code]
    state: Mapped[Code] = mapped_column(default="open")
    task_id: Mapped[BigId | None]
    cart_id: Mapped[BigId | None]
    walk_mm: Mapped[int]
    s_shape_mm: Mapped[int]
    optimal: Mapped[bool]
    method: Mapped[Code]
    path: Mapped[Json]
    began_at: Mapped[datetime | None]
    done_at: Mapped[datetime | None]

    __table_args__ = (
        UniqueConstraint("warehouse_id", "no"),
        CheckConstraint("state IN ('open', 'picking', 'done', 'cancelled')", name="state_known"),
        Index(None, "warehouse_id", "state"),
        Index(None, "wave_id"),
        Index(None, "task_id"),
    )


class BatchOrder(Base):
    """An order on the cart: which tote at which position."""

    __tablename__ = "batch_order"

    id: Mapped[PrimaryKey]
    warehouse_id: Mapped[WarehouseId]
    batch_id: Mapped[int] = mapped_column(ForeignKey("batch.id"))
    order_id: Mapped[int] = mapped_column(ForeignKey("sales_order.id"))
    position: Mapped[int]
    tote_id: Mapped[BigId | None]
    state: Mapped[Code] = mapped_column(default="open")

    __table_args__ = (
        UniqueConstraint("batch_id", "position"),
        UniqueConstraint("batch_id", "order_id"),
        Index(None, "order_id"),
        Index(None, "tote_id"),
    )


class PickLine(Base):
    """One stop's take for one order: from this stock row, into that order's tote."""

    __tablename__ = "pick_line"

    id: Mapped[PrimaryKey]
    warehouse_id: Mapped[WarehouseId]
    merchant_id: Mapped[BigId]
    batch_id: Mapped[int] = mapped_column(ForeignKey("batch.id"))
    order_id: Mapped[BigId]
    order_line_id: Mapped[int] = mapped_column(ForeignKey("order_line.id"))
    hold_id: Mapped[int] = mapped_column(ForeignKey("hold.id"))
    stock_id: Mapped[BigId]
    slot_id: Mapped[BigId]
    sku_id: Mapped[BigId]
    lot_id: Mapped[BigId]
    stop: Mapped[int]
    quantity: Mapped[int]
    picked: Mapped[int] = mapped_column(default=0)
    short: Mapped[int] = mapped_column(default=0)
    state: Mapped[Code] = mapped_column(default="open")
    done_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint(
            "quantity > 0 AND picked >= 0 AND short >= 0 AND picked + short <= quantity", name="quantities_lawful"
        ),
        CheckConstraint("state IN ('open', 'done', 'short', 'cancelled')", name="state_known"),
        Index(None, "batch_id", "stop"),
        Index(None, "order_id"),
    )
