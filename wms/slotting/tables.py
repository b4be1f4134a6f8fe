"""What slotting remembers: leases on slots it promised to a walk, and how fast goods move."""

from __future__ import annotations

from sqlalchemy import ForeignKey, UniqueConstraint
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
