"""Couriers, their numbers and routes; bags and manifests."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from wms.core.db import Base, BigId, Code, Json, Name, PrimaryKey, UtcTime, WarehouseId
from wms.core.db.numbers import NEVER_AGAIN


class Courier(Base):
    """A courier that fetches parcels here: its cut-offs (local "HH:MM") and label product."""

    __tablename__ = "courier"

    id: Mapped[PrimaryKey]
    warehouse_id: Mapped[WarehouseId]
    code: Mapped[Code]
    name: Mapped[Name]
    product: Mapped[Name] = mapped_column(default="")
    cut_offs: Mapped[Json]
    weight_max_g: Mapped[int] = mapped_column(default=30_000)
    active: Mapped[bool] = mapped_column(default=True)

    __table_args__ = (UniqueConstraint("warehouse_id", "code"),)


class WaybillPool(Base):
    """A range of numbers (号段). `next` is the number to give next; alarm at `low_mark` left."""

    __tablename__ = "waybill_pool"

    id: Mapped[PrimaryKey]
    warehouse_id: Mapped[WarehouseId]
    courier: Mapped[Code]
    branch: Mapped[Code] = mapped_column(default="")
    merchant_id: Mapped[BigId | None]
    prefix: Mapped[str] = mapped_column(default="")
    digits: Mapped[int]
    first: Mapped[int] = mapped_column(BigInteger)
    last: Mapped[int] = mapped_column(BigInteger)
    next: Mapped[int] = mapped_column(BigInteger)
    low_mark: Mapped[int] = mapped_column(default=100)

    __table_args__ = (CheckConstraint("first <= next AND next <= last + 1", name="next_in_range"),)


class Waybill(Base):
    """A courier's number and the parcel it belongs to, for ever. Void numbers are given back, never used again."""

    __tablename__ = "waybill"

    id: Mapped[PrimaryKey]
    warehouse_id: Mapped[WarehouseId]
    merchant_id: Mapped[BigId]
    courier: Mapped[Code]
    number: Mapped[Code]
    parcel_id: Mapped[int] = mapped_column(ForeignKey("parcel.id"))
    source: Mapped[Code]
    state: Mapped[Code] = mapped_column(default="taken")
    route_code: Mapped[str] = mapped_column(default="")
    printed_hub: Mapped[str] = mapped_column(default="")
    taken_at: Mapped[UtcTime]
    voided_at: Mapped[datetime | None]

    __table_args__ = (
        UniqueConstraint("warehouse_id", "courier", "number"),
        UniqueConstraint("parcel_id"),
        CheckConstraint("state IN ('taken', 'printed', 'bagged', 'handed_over', 'void')", name="state_known"),
    )


class RouteRule(Base):
    """Where a courier sends an area: by area code prefix (6, 4, 2 digits or '' for all). The longest match wins, then
    priority.
    """

    __tablename__ = "route_rule"

    id: Mapped[PrimaryKey]
    warehouse_id: Mapped[WarehouseId]
    courier: Mapped[Code]
    match: Mapped[Code]
    route_code: Mapped[Code]
    hub: Mapped[Name]
    priority: Mapped[int] = mapped_column(default=0)

    __table_args__ = (UniqueConstraint("warehouse_id", "courier", "match", "priority"),)


class Reroute(Base):
    """All of a courier's parcels (or those of some hubs) by another hub: changes bag, chute and manifest, never the
    printed code.
    """

    __tablename__ = "reroute"

    id: Mapped[PrimaryKey]
    warehouse_id: Mapped[WarehouseId]
    courier: Mapped[Code]
    from_hub: Mapped[Name] = mapped_column(default="")
    to_hub: Mapped[Name]
    active: Mapped[bool] = mapped_column(default=True)
    changed_at: Mapped[UtcTime]

    __table_args__ = (UniqueConstraint("warehouse_id", "courier", "from_hub"),)


class Bag(Base):
    """Parcels for one hub in one sack (集包)."""

    __tablename__ = "bag"

    id: Mapped[PrimaryKey]
    warehouse_id: Mapped[WarehouseId]
    code: Mapped[Code]
    courier: Mapped[Code]
    hub: Mapped[Name]
    chute: Mapped[int | None]
    state: Mapped[Code] = mapped_column(default="open")
    parcels: Mapped[int] = mapped_column(default=0)
    net_weight_g: Mapped[int] = mapped_column(default=0)
    opened_at: Mapped[UtcTime]
    closed_at: Mapped[datetime | None]
    manifest_id: Mapped[BigId | None]

    __table_args__ = (
        UniqueConstraint("warehouse_id", "code"),
        CheckConstraint("state IN ('open', 'closed', 'handed_over', 'void')", name="state_known"),
        Index(None, "warehouse_id", "state"),
        NEVER_AGAIN,
    )


class Manifest(Base):
    """What one courier's truck takes (交接单)."""

    __tablename__ = "manifest"

    id: Mapped[PrimaryKey]
    warehouse_id: Mapped[WarehouseId]
    no: Mapped[Code]
    courier: Mapped[Code]
    vehicle: Mapped[str] = mapped_column(default="")
    state: Mapped[Code] = mapped_column(default="open")
    parcels: Mapped[int] = mapped_column(default=0)
    bags: Mapped[int] = mapped_column(default=0)
    weight_g: Mapped[int] = mapped_column(BigInteger, default=0)
    opened_at: Mapped[UtcTime]
    closed_at: Mapped[datetime | None]
    signed_by: Mapped[str] = mapped_column(default="")
    missing_reason: Mapped[str | None]

    __table_args__ = (
        UniqueConstraint("warehouse_id", "no"),
        CheckConstraint("state IN ('open', 'closed')", name="state_known"),
        Index(None, "warehouse_id", "courier", "state"),
        NEVER_AGAIN,
    )
