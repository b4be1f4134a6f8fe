"""Orders, their lines, and the waves they are released in."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy import text as sql_text
from sqlalchemy.orm import Mapped, mapped_column

from wms.core.db import Base, BigId, Code, Name, PrimaryKey, UtcTime, WarehouseId
from wms.core.db.numbers import NEVER_AGAIN


def _only_where(condition: str, name: str, *columns: str) -> Index:
    """An index of the few rows that matter, on both databases."""
    return Index(name, *columns, sqlite_where=sql_text(condition), postgresql_where=sql_text(condition))


class Wave(Base):
    """Orders released together, for one courier's cut-off. `walk_m` and `s_shape_m` are the plan's, for the
    supervisor.
    """

    __tablename__ = "wave"

    id: Mapped[PrimaryKey]
    warehouse_id: Mapped[WarehouseId]
    no: Mapped[Code]
    courier: Mapped[Code]
    kind: Mapped[Code]
    cut_off_at: Mapped[UtcTime]
    state: Mapped[Code] = mapped_column(default="draft")
    made_at: Mapped[UtcTime]
    released_at: Mapped[datetime | None]
    done_at: Mapped[datetime | None]
    walk_m: Mapped[int] = mapped_column(default=0)
    s_shape_m: Mapped[int] = mapped_column(default=0)

    __table_args__ = (
        UniqueConstraint("warehouse_id", "no"),
        CheckConstraint("state IN ('draft', 'planning', 'released', 'done', 'cancelled')", name="state_known"),
    )


class Order(Base):
    """A buyer's order, with its life: placed -> allocated -> released -> picking -> picked -> packed -> shipped, or
    cancelled.

    `intercepted_at` says stop from the moment a cancellation came, whatever the state; `short_reason` explains what
    was not shipped.
    """

    __tablename__ = "sales_order"

    id: Mapped[PrimaryKey]
    warehouse_id: Mapped[WarehouseId]
    merchant_id: Mapped[int] = mapped_column(ForeignKey("merchant.id"))
    no: Mapped[Code]
    state: Mapped[Code] = mapped_column(default="placed")
    courier: Mapped[Code]
    shop: Mapped[str] = mapped_column(default="")
    receiver_name: Mapped[Name] = mapped_column(default="")
    receiver_phone: Mapped[Name] = mapped_column(default="")
    receiver_province: Mapped[Name] = mapped_column(default="")
    receiver_city: Mapped[Name] = mapped_column(default="")
    receiver_district: Mapped[Name] = mapped_column(default="")
    receiver_address: Mapped[str] = mapped_column(default="")
    area_code: Mapped[str] = mapped_column(default="")
    remark: Mapped[str] = mapped_column(default="")
    wave_id: Mapped[int | None] = mapped_column(ForeignKey("wave.id"))
    placed_at: Mapped[UtcTime]
    cut_off_at: Mapped[UtcTime]
    allocated_at: Mapped[datetime | None]
    picked_at: Mapped[datetime | None]
    packed_at: Mapped[datetime | None]
    shipped_at: Mapped[datetime | None]
    intercepted_at: Mapped[datetime | None]
    cancelled_at: Mapped[datetime | None]
    short_reason: Mapped[str | None]

    __table_args__ = (
        UniqueConstraint("warehouse_id", "merchant_id", "no"),
        CheckConstraint(
            "state IN ('placed', 'allocated', 'released', 'picking', 'picked', 'packed', "
            "'shipped', 'cancelled', 'short')",
            name="state_known",
        ),
        Index(None, "warehouse_id", "no"),
        Index(None, "warehouse_id", "state", "cut_off_at"),
        Index(None, "warehouse_id", "cut_off_at"),
        Index(None, "warehouse_id", "packed_at"),
        Index(None, "warehouse_id", "shipped_at"),
        _only_where("short_reason IS NOT NULL", "ix_sales_order_short", "warehouse_id", "state"),
        _only_where("intercepted_at IS NOT NULL", "ix_sales_order_intercepted", "warehouse_id", "intercepted_at"),
        _only_where("wave_id IS NOT NULL", "ix_sales_order_wave_id", "wave_id"),
        NEVER_AGAIN,
    )


class OrderLine(Base):
    """One SKU of an order: 0 <= shipped <= packed <= picked <= allocated..., and `short` what will not come."""

    __tablename__ = "order_line"

    id: Mapped[PrimaryKey]
    warehouse_id: Mapped[WarehouseId]
    merchant_id: Mapped[BigId]
    order_id: Mapped[int] = mapped_column(ForeignKey("sales_order.id"))
    number: Mapped[int]
    sku_id: Mapped[int] = mapped_column(ForeignKey("sku.id"))
    quantity: Mapped[int]
    allocated: Mapped[int] = mapped_column(default=0)
    picked: Mapped[int] = mapped_column(default=0)
    packed: Mapped[int] = mapped_column(default=0)
    shipped: Mapped[int] = mapped_column(default=0)
    short: Mapped[int] = mapped_column(default=0)
    price_cents: Mapped[int] = mapped_column(default=0)

    __table_args__ = (
        UniqueConstraint("order_id", "number"),
        CheckConstraint("quantity > 0", name="quantity_positive"),
        CheckConstraint("allocated + short <= quantity", name="promised_within_ordered"),
        CheckConstraint(
            "picked <= allocated AND packed <= picked AND shipped <= packed AND shipped >= 0", name="steps_in_order"
        ),
        Index(None, "sku_id"),
    )
