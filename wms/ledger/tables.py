"""Stock, movements and holds. Only this room writes them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy import text as sql_text
from sqlalchemy.orm import Mapped, mapped_column

from wms.core.db import Base, BigId, Code, PrimaryKey, UtcTime, WarehouseId


class Stock(Base):
    """Goods of one owner, SKU, lot, condition and customs book in one real place. 0 <= promised <= on hand, held
    here.
    """

    __tablename__ = "stock"

    id: Mapped[PrimaryKey]
    warehouse_id: Mapped[WarehouseId]
    merchant_id: Mapped[BigId]
    place_id: Mapped[int] = mapped_column(ForeignKey("place.id"))
    sku_id: Mapped[int] = mapped_column(ForeignKey("sku.id"))
    lot_id: Mapped[int] = mapped_column(ForeignKey("lot.id"))
    condition: Mapped[Code] = mapped_column(default="good")
    book: Mapped[Code] = mapped_column(default="")
    on_hand: Mapped[int] = mapped_column(default=0)
    promised: Mapped[int] = mapped_column(default=0)
    first_in_at: Mapped[UtcTime]
    frozen_reason: Mapped[str | None]

    __table_args__ = (
        UniqueConstraint(
            "warehouse_id",
            "merchant_id",
            "place_id",
            "sku_id",
            "lot_id",
            "condition",
            "book",
            name="uq_stock_natural_key",
        ),
        CheckConstraint("promised >= 0", name="promised_not_negative"),
        CheckConstraint("promised <= on_hand", name="promised_within_on_hand"),
        CheckConstraint("condition IN ('good', 'damaged', 'hold')", name="condition_known"),
        Index(None, "warehouse_id", "sku_id"),
        Index(None, "place_id"),
    )


class MovementRow(Base):
    """The append-only fact that goods went from one place to another."""

    __tablename__ = "movement"

    id: Mapped[PrimaryKey]
    warehouse_id: Mapped[WarehouseId]
    merchant_id: Mapped[BigId]
    kind: Mapped[Code]
    source_id: Mapped[int] = mapped_column(ForeignKey("place.id"))
    target_id: Mapped[int] = mapped_column(ForeignKey("place.id"))
    sku_id: Mapped[int] = mapped_column(ForeignKey("sku.id"))
    lot_id: Mapped[int] = mapped_column(ForeignKey("lot.id"))
    condition: Mapped[Code]
    book: Mapped[Code]
    quantity: Mapped[int]
    reference: Mapped[Code]
    actor: Mapped[Code]
    request_key: Mapped[str]
    line: Mapped[int]
    at: Mapped[UtcTime]

    __table_args__ = (
        UniqueConstraint("request_key", "line"),
        CheckConstraint("quantity > 0", name="quantity_positive"),
        CheckConstraint("source_id <> target_id", name="goes_somewhere"),
        Index(None, "source_id"),
        Index(None, "target_id"),
        Index(None, "warehouse_id", "sku_id", "lot_id"),
        Index(None, "warehouse_id", "at"),
        Index(None, "reference"),
    )


class Hold(Base):
    """Stock promised to an order line, a wave or a move. `quantity` is what is still promised; 0 = closed. One that
    `follows` goes along when its goods are carried to another slot: nobody has been sent to fetch them yet.
    """

    __tablename__ = "hold"

    id: Mapped[PrimaryKey]
    warehouse_id: Mapped[WarehouseId]
    merchant_id: Mapped[BigId]
    stock_id: Mapped[int] = mapped_column(ForeignKey("stock.id"))
    purpose: Mapped[Code]
    reference_id: Mapped[BigId]
    quantity: Mapped[int]
    follows: Mapped[bool] = mapped_column(default=False)
    made_at: Mapped[UtcTime]
    closed_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("quantity >= 0", name="quantity_not_negative"),
        Index(
            "ix_hold_open",
            "stock_id",
            "quantity",
            sqlite_where=sql_text("quantity > 0"),
            postgresql_where=sql_text("quantity > 0"),
        ),
        Index(None, "reference_id", "purpose"),
    )


class MovementSum(Base):
    """What the movements up to the audit's mark add up to at a real place. Only the audit writes it, and from movements
    only: it saves the audit of every minute from adding up the years before.
    """

    __tablename__ = "movement_sum"

    place_id: Mapped[BigId] = mapped_column(primary_key=True, autoincrement=False)
    lot_id: Mapped[BigId] = mapped_column(primary_key=True, autoincrement=False)
    condition: Mapped[Code] = mapped_column(primary_key=True)
    book: Mapped[Code] = mapped_column(primary_key=True)
    warehouse_id: Mapped[WarehouseId]
    total: Mapped[BigId]


class BrokenPromise(Base):
    """What the audit found and froze, until a person has looked."""

    __tablename__ = "broken_promise"

    id: Mapped[PrimaryKey]
    warehouse_id: Mapped[WarehouseId]
    promise: Mapped[Code]
    subject: Mapped[Code]
    facts: Mapped[str]
    found_at: Mapped[UtcTime]
    closed_at: Mapped[datetime | None]
