"""What is expected, and what arrived."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from wms.core.db import Base, BigId, Code, PrimaryKey, UtcTime, WarehouseId


class Asn(Base):
    """An expected arrival of one merchant."""

    __tablename__ = "asn"

    id: Mapped[PrimaryKey]
    warehouse_id: Mapped[WarehouseId]
    merchant_id: Mapped[int] = mapped_column(ForeignKey("merchant.id"))
    no: Mapped[Code]
    state: Mapped[Code] = mapped_column(default="expected")
    expected_at: Mapped[datetime | None]
    made_at: Mapped[UtcTime]

    __table_args__ = (
        UniqueConstraint("warehouse_id", "merchant_id", "no"),
        CheckConstraint("state IN ('expected', 'receiving', 'closed', 'cancelled')", name="state_known"),
        Index(None, "warehouse_id", "no"),
        Index(None, "warehouse_id", "state"),
    )


class AsnLine(Base):
    __tablename__ = "asn_line"

    id: Mapped[PrimaryKey]
    warehouse_id: Mapped[WarehouseId]
    merchant_id: Mapped[BigId]
    asn_id: Mapped[int] = mapped_column(ForeignKey("asn.id"))
    sku_id: Mapped[int] = mapped_column(ForeignKey("sku.id"))
    expected: Mapped[int]
    received: Mapped[int] = mapped_column(default=0)

    __table_args__ = (
        UniqueConstraint("asn_id", "sku_id"),
        CheckConstraint("expected > 0 AND received >= 0", name="quantities_lawful"),
    )


class Receipt(Base):
    """One counted receipt of a SKU and lot into a container."""

    __tablename__ = "receipt"

    id: Mapped[PrimaryKey]
    warehouse_id: Mapped[WarehouseId]
    merchant_id: Mapped[BigId]
    asn_id: Mapped[int | None] = mapped_column(ForeignKey("asn.id"))
    sku_id: Mapped[int] = mapped_column(ForeignKey("sku.id"))
    lot_id: Mapped[int] = mapped_column(ForeignKey("lot.id"))
    container_id: Mapped[BigId]
    quantity: Mapped[int]
    condition: Mapped[Code]
    actor: Mapped[Code]
    at: Mapped[UtcTime]

    __table_args__ = (Index(None, "asn_id"), Index(None, "container_id"))
