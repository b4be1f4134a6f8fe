"""Parcels: what was checked into which box, how heavy it is."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy import text as sql_text
from sqlalchemy.orm import Mapped, mapped_column

from wms.core.db import Base, BigId, Code, PrimaryKey, UtcTime, WarehouseId


class Parcel(Base):
    """One box of an order: open -> packed -> labelled -> sorted -> bagged -> handed_over; or cancelled. An order may
    have several.

    `waybill` is copied here when the number is taken: the line, the bag and the hand-over find the parcel by it.
    """

    __tablename__ = "parcel"

    id: Mapped[PrimaryKey]
    warehouse_id: Mapped[WarehouseId]
    merchant_id: Mapped[BigId]
    order_id: Mapped[int] = mapped_column(ForeignKey("sales_order.id"))
    number: Mapped[int]
    code: Mapped[Code]
    place_id: Mapped[BigId]
    station_id: Mapped[BigId | None]
    state: Mapped[Code] = mapped_column(default="open")
    carton: Mapped[str] = mapped_column(default="")
    weight_g: Mapped[int | None]
    expected_weight_g: Mapped[int] = mapped_column(default=0)
    waybill: Mapped[str | None]
    courier: Mapped[Code]
    route_code: Mapped[str] = mapped_column(default="")
    hub: Mapped[str] = mapped_column(default="")
    packed_by: Mapped[Code] = mapped_column(default="")
    packed_at: Mapped[datetime | None]
    label_checked_at: Mapped[datetime | None]
    sorted_at: Mapped[datetime | None]
    chute: Mapped[int | None]
    bag_id: Mapped[BigId | None]
    manifest_id: Mapped[BigId | None]
    handed_over_at: Mapped[datetime | None]
    stopped_at: Mapped[datetime | None]
    made_at: Mapped[UtcTime]

    __table_args__ = (
        UniqueConstraint("warehouse_id", "code"),
        UniqueConstraint("warehouse_id", "waybill"),
        UniqueConstraint("order_id", "number"),
        CheckConstraint(
            "state IN ('open', 'packed', 'labelled', 'sorted', 'bagged', 'handed_over', 'cancelled')",
            name="state_known",
        ),
        Index(None, "warehouse_id", "state"),
        Index(
            "ix_parcel_bag_id",
            "bag_id",
            sqlite_where=sql_text("bag_id IS NOT NULL"),
            postgresql_where=sql_text("bag_id IS NOT NULL"),
        ),
        Index(None, "manifest_id", "warehouse_id"),
        Index(None, "warehouse_id", "made_at"),
    )


class ParcelItem(Base):
    __tablename__ = "parcel_item"

    id: Mapped[PrimaryKey]
    warehouse_id: Mapped[WarehouseId]
    merchant_id: Mapped[BigId]
    parcel_id: Mapped[int] = mapped_column(ForeignKey("parcel.id"))
    order_line_id: Mapped[int] = mapped_column(ForeignKey("order_line.id"))
    sku_id: Mapped[BigId]
    lot_id: Mapped[BigId]
    quantity: Mapped[int]

    __table_args__ = (
        UniqueConstraint("parcel_id", "order_line_id", "lot_id"),
        CheckConstraint("quantity > 0", name="quantity_positive"),
    )
