"""Column types that behave alike on SQLite and PostgreSQL."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated, Any, ClassVar

from sqlalchemy import JSON, BigInteger, DateTime, Dialect, Integer, MetaData, String, TypeDecorator
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, mapped_column

_BIG = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers rows itself only for INTEGER


MOMENTS_KEPT = 1_024  # the rows of one answer often tell the same one


class UtcDateTime(TypeDecorator[datetime]):
    """An aware moment, kept in UTC. A naive one is our own mistake and is refused at once."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        assert value.tzinfo is not None, "a moment without a zone was to be stored"
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], Any] | None:
        """SQLite's text is written at once."""
        return _written if dialect.name == "sqlite" else super().bind_processor(dialect)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any] | None:
        """SQLite's text is read at once."""
        return _read if dialect.name == "sqlite" else super().result_processor(dialect, coltype)


def _written(value: datetime | None) -> str | None:
    if value is None:
        return None
    assert value.tzinfo is not None, "a moment without a zone was to be stored"
    return value.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")


@lru_cache(MOMENTS_KEPT)
def _read(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text).replace(tzinfo=UTC)


def _plain(value: Any) -> str:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


_json = json.JSONEncoder(ensure_ascii=False, default=_plain)


def json_text(value: Any) -> str:
    """JSON as columns hold it: days and moments as ISO 8601, other strangers by their name."""
    return _json.encode(value)


PrimaryKey = Annotated[int, mapped_column(_BIG, primary_key=True, autoincrement=True)]
BigId = Annotated[int, mapped_column(_BIG)]
WarehouseId = Annotated[int, mapped_column(_BIG)]
Code = Annotated[str, mapped_column(String(128))]
Name = Annotated[str, mapped_column(String(300))]
UtcTime = Annotated[datetime, mapped_column(UtcDateTime)]
Json = Annotated[dict[str, Any], mapped_column(JSON().with_variant(JSONB, "postgresql"))]
JsonOrNull = Annotated[
    dict[str, Any] | None,
    mapped_column(JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql"), nullable=True),
]

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """Every table of the house. Constraints are named: an unnamed one is lost when SQLite's tables are rebuilt."""

    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map: ClassVar[dict[Any, Any]] = {datetime: UtcDateTime}
