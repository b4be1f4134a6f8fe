"""People, the devices they hold, their sessions, and keys of programs."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from wms.core.db import Base, BigId, Code, Name, PrimaryKey, UtcTime, WarehouseId


class Person(Base):
    """Somebody who works here. Workers have badge and PIN, supervisors a password as well."""

    __tablename__ = "person"

    id: Mapped[PrimaryKey]
    warehouse_id: Mapped[WarehouseId]
    badge: Mapped[Code]
    name: Mapped[Name]
    role: Mapped[Code]
    login: Mapped[str | None]
    pin_hash: Mapped[str | None]
    password_hash: Mapped[str | None]
    language: Mapped[str] = mapped_column(default="zh")
    volume: Mapped[int] = mapped_column(default=80)
    speech: Mapped[bool] = mapped_column(default=False)
    failed_attempts: Mapped[int] = mapped_column(default=0)
    locked_until: Mapped[datetime | None]
    active: Mapped[bool] = mapped_column(default=True)

    __table_args__ = (UniqueConstraint("warehouse_id", "badge"), UniqueConstraint("warehouse_id", "login"))


class Device(Base):
    """A handheld, a station's browser or a gateway that was let in. Its key is kept hashed (a gateway's as it is: it
    signs).
    """

    __tablename__ = "device"

    id: Mapped[PrimaryKey]
    warehouse_id: Mapped[WarehouseId]
    code: Mapped[Code]
    kind: Mapped[Code]
    name: Mapped[Name]
    key_hash: Mapped[str | None]
    enrolled_at: Mapped[UtcTime]
    revoked_at: Mapped[datetime | None]

    __table_args__ = (UniqueConstraint("warehouse_id", "code"),)


class LoginSession(Base):
    """Somebody at work. One open session a person; the cookie's token is kept hashed."""

    __tablename__ = "login_session"

    id: Mapped[PrimaryKey]
    warehouse_id: Mapped[WarehouseId]
    person_id: Mapped[BigId]
    device_id: Mapped[BigId | None]
    station_id: Mapped[BigId | None]
    token_hash: Mapped[Code] = mapped_column(unique=True)
    csrf: Mapped[Code]
    began_at: Mapped[UtcTime]
    seen_at: Mapped[UtcTime]
    ended_at: Mapped[datetime | None]

    __table_args__ = (Index(None, "person_id", "ended_at"), Index(None, "station_id", "ended_at"))


class ApiKey(Base):
    """A program's key: the prefix is shown in lists, the rest only once."""

    __tablename__ = "api_key"

    id: Mapped[PrimaryKey]
    warehouse_id: Mapped[WarehouseId]
    merchant_id: Mapped[BigId | None]
    role: Mapped[Code]
    prefix: Mapped[Code]
    key_hash: Mapped[Code] = mapped_column(unique=True)
    made_at: Mapped[UtcTime]
    revoked_at: Mapped[datetime | None]
