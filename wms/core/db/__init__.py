"""The database: column types, the two engines, one unit of work."""

from __future__ import annotations

from wms.core.db.engine import Database, remembers
from wms.core.db.types import Base, BigId, Code, Json, JsonOrNull, Name, PrimaryKey, UtcTime, WarehouseId

__all__ = [
    "Base",
    "BigId",
    "Code",
    "Database",
    "Json",
    "JsonOrNull",
    "Name",
    "PrimaryKey",
    "UtcTime",
    "WarehouseId",
    "remembers",
]
