"""The sorting line's side of things: plan, route table pushed to gateways, what the line confirmed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from wms.core.db import Base, BigId, Code, Json, Name, PrimaryKey, UtcTime, WarehouseId
from wms.core.db.numbers import NEVER_AGAIN


class SortRule(Base):
    """Which chutes take a courier's hub ("5" or "5/6"), in the running sort plan."""

    __tablename__ = "sort_rule"

    id: Mapped[PrimaryKey]
    warehouse_id: Mapped[WarehouseId]
    courier: Mapped[Code]
    hub: Mapped[Name]
    chutes: Mapped[Code]

    __table_args__ = (UniqueConstraint("warehouse_id", "courier", "hub"),)


class SortSwitch(Base):
    """A chute that goes to another hub (none: spare) as soon as the bag that hangs there is changed."""

    __tablename__ = "sort_switch"

    id: Mapped[PrimaryKey]
    warehouse_id: Mapped[WarehouseId]
    chute: Mapped[int]
    courier: Mapped[Code]
    hub: Mapped[Name]

    __table_args__ = (UniqueConstraint("warehouse_id", "chute"),)


class SortPlanRow(Base):
    """A sort plan that was worked out and is shown before it is used. `running` is the plan it was made beside: a
    proposal beside another one is overtaken.
    """

    __tablename__ = "sort_plan"

    id: Mapped[PrimaryKey]
    warehouse_id: Mapped[WarehouseId]
    made_at: Mapped[UtcTime]
    made_by: Mapped[Code]
    state: Mapped[Code]
    closed: Mapped[Json]
    running: Mapped[Json]
    proposal: Mapped[Json]

    __table_args__ = (
        Index(None, "warehouse_id", "state"),
        CheckConstraint("state IN ('proposed', 'accepted', 'declined', 'overtaken')", name="state_known"),
    )


class RouteChange(Base):
    """One change of the route table: the newest row of a code is its route. `id` is the version; chutes None = taken
    out.
    """

    __tablename__ = "route_change"

    id: Mapped[PrimaryKey]
    warehouse_id: Mapped[WarehouseId]
    code: Mapped[Code]
    chutes: Mapped[str | None]
    reason: Mapped[str] = mapped_column(default="")
    at: Mapped[UtcTime]

    __table_args__ = (Index(None, "warehouse_id", "id"), Index(None, "warehouse_id", "code"), NEVER_AGAIN)


class DivertRow(Base):
    """One parcel's passage over the line: what was asked, what was told, what the line confirmed. Key: gateway and
    pid.
    """

    __tablename__ = "divert"

    id: Mapped[PrimaryKey]
    warehouse_id: Mapped[WarehouseId]
    gateway_id: Mapped[BigId]
    pid: Mapped[int] = mapped_column(BigInteger)
    codes: Mapped[Json]
    parcel_id: Mapped[BigId | None]
    told_chute: Mapped[int | None]
    told_reason: Mapped[str] = mapped_column(default="")
    told_version: Mapped[int] = mapped_column(BigInteger, default=0)
    told_at: Mapped[datetime | None]
    chute: Mapped[int | None]
    result: Mapped[str] = mapped_column(default="")
    confirmed_at: Mapped[datetime | None]
    finding: Mapped[str] = mapped_column(default="")
    latency_us: Mapped[int | None]

    __table_args__ = (
        UniqueConstraint("warehouse_id", "gateway_id", "pid"),
        Index(None, "warehouse_id", "confirmed_at"),
        Index(None, "parcel_id"),
    )


class Gateway(Base):
    """A station's gateway as the link knows it. `high_water` is the last event taken."""

    __tablename__ = "gateway"

    id: Mapped[PrimaryKey]
    warehouse_id: Mapped[WarehouseId]
    station_id: Mapped[BigId]
    name: Mapped[Name]
    key_hex: Mapped[str]
    pairing_hash: Mapped[str] = mapped_column(default="")
    pairing_until: Mapped[datetime | None]
    boot: Mapped[str] = mapped_column(default="")
    high_water: Mapped[int] = mapped_column(BigInteger, default=0)
    seen_at: Mapped[datetime | None]
    routes_version: Mapped[int] = mapped_column(BigInteger, default=0)
    revoked_at: Mapped[datetime | None]

    __table_args__ = (UniqueConstraint("warehouse_id", "name"),)


class GatewayDevice(Base):
    """The last health of each device behind a gateway."""

    __tablename__ = "gateway_device"

    id: Mapped[PrimaryKey]
    warehouse_id: Mapped[WarehouseId]
    gateway_id: Mapped[int] = mapped_column(ForeignKey("gateway.id"))
    name: Mapped[Name]
    driver: Mapped[Code]
    state: Mapped[Code]
    reason: Mapped[str] = mapped_column(Text, default="")
    since: Mapped[UtcTime]
    counters: Mapped[Json]

    __table_args__ = (UniqueConstraint("gateway_id", "name"),)


class GatewayCommand(Base):
    """An order to a device (not a print job): offered until the gateway says it was taken."""

    __tablename__ = "gateway_command"

    id: Mapped[PrimaryKey]
    warehouse_id: Mapped[WarehouseId]
    gateway_id: Mapped[int] = mapped_column(ForeignKey("gateway.id"))
    device: Mapped[Name]
    kind: Mapped[Code]
    facts: Mapped[Json]
    made_at: Mapped[UtcTime]
    result: Mapped[str | None]
    done_at: Mapped[datetime | None]

    __table_args__ = (Index(None, "gateway_id", "result"), NEVER_AGAIN)
