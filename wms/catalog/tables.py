"""Whose goods, which goods, which batch of them."""

from __future__ import annotations

from datetime import date

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from wms.core.db import Base, Code, Name, PrimaryKey, UtcTime, WarehouseId

NO_LOT = "-"


class Merchant(Base):
    """An owner of goods, customer of the park. `blocked_reason` is a gate: set downstream (billing), read upstream."""

    __tablename__ = "merchant"

    id: Mapped[PrimaryKey]
    warehouse_id: Mapped[WarehouseId]
    code: Mapped[Code]
    name: Mapped[Name]
    contact: Mapped[str] = mapped_column(default="")
    phone: Mapped[str] = mapped_column(default="")
    blocked_reason: Mapped[str | None]

    __table_args__ = (UniqueConstraint("warehouse_id", "code"),)


class Sku(Base):
    """What is stocked and sold. Sizes 0 = not known.

    Lives in days: `min_life_receipt_days` is 允收期, `min_life_ship_days` 禁售期. Goods of one `hazard` class keep
    apart from others'; those of one merchant with the same `lookalike` group are easily taken for each other.
    """

    __tablename__ = "sku"

    id: Mapped[PrimaryKey]
    warehouse_id: Mapped[WarehouseId]
    merchant_id: Mapped[int] = mapped_column(ForeignKey("merchant.id"))
    code: Mapped[Code]
    name: Mapped[Name]
    unit: Mapped[str] = mapped_column(default="件")
    family: Mapped[str] = mapped_column(default="")
    length_mm: Mapped[int] = mapped_column(default=0)
    width_mm: Mapped[int] = mapped_column(default=0)
    height_mm: Mapped[int] = mapped_column(default=0)
    weight_g: Mapped[int] = mapped_column(default=0)
    lot_tracked: Mapped[bool] = mapped_column(default=False)
    shelf_life_days: Mapped[int | None]
    min_life_receipt_days: Mapped[int] = mapped_column(default=0)
    min_life_ship_days: Mapped[int] = mapped_column(default=0)
    fragile: Mapped[bool] = mapped_column(default=False)
    hazard: Mapped[str] = mapped_column(default="")
    zone_kind: Mapped[str] = mapped_column(default="storage")
    temperature: Mapped[Code] = mapped_column(default="ambient")
    lookalike: Mapped[Code] = mapped_column(default="")
    made_at: Mapped[UtcTime]

    __table_args__ = (
        UniqueConstraint("warehouse_id", "merchant_id", "code"),
        CheckConstraint(
            "weight_g >= 0 AND length_mm >= 0 AND width_mm >= 0 AND height_mm >= 0", name="sizes_not_negative"
        ),
        CheckConstraint("temperature IN ('ambient', 'cool', 'chilled', 'frozen')", name="temperature_known"),
    )


class SkuBarcode(Base):
    """A bar code on the goods: on a piece, or on a packaging of `quantity` pieces. Two merchants may share one."""

    __tablename__ = "sku_barcode"

    id: Mapped[PrimaryKey]
    warehouse_id: Mapped[WarehouseId]
    merchant_id: Mapped[int] = mapped_column(ForeignKey("merchant.id"))
    sku_id: Mapped[int] = mapped_column(ForeignKey("sku.id"))
    barcode: Mapped[Code]
    quantity: Mapped[int] = mapped_column(default=1)

    __table_args__ = (
        UniqueConstraint("warehouse_id", "merchant_id", "barcode"),
        Index(None, "warehouse_id", "barcode"),
        Index(None, "sku_id"),
    )


class Lot(Base):
    """Goods of one SKU with the same batch, dates and origin. Goods without a batch lie in the lot "-"."""

    __tablename__ = "lot"

    id: Mapped[PrimaryKey]
    warehouse_id: Mapped[WarehouseId]
    merchant_id: Mapped[int] = mapped_column(ForeignKey("merchant.id"))
    sku_id: Mapped[int] = mapped_column(ForeignKey("sku.id"))
    code: Mapped[Code]
    produced_on: Mapped[date | None]
    expires_on: Mapped[date | None]
    origin: Mapped[str] = mapped_column(default="")
    first_received_at: Mapped[UtcTime]

    __table_args__ = (UniqueConstraint("warehouse_id", "merchant_id", "sku_id", "code"),)
