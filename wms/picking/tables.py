"""Batches: what one person picks on one walk, stop by stop; and plans of batches before they are released."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from wms.core.db import Base, BigId, Code, Json, Name, PrimaryKey, UtcTime, WarehouseId


class Batch(Base):
    """Orders walked together. Lengths in mm; `path` is the walkable polyline for the map, of what is left to walk once
    the walk was changed on the way. `hall_version` is the hall's it was last walked through.
    """

    __tablename__ = "batch"

    id: Mapped[PrimaryKey]
    warehouse_id: Mapped[WarehouseId]
    wave_id: Mapped[int] = mapped_column(ForeignKey("wave.id"))
    no: Mapped[Code]
    state: Mapped[Code] = mapped_column(default="open")
    task_id: Mapped[BigId | None]
    cart_id: Mapped[BigId | None]
    walk_mm: Mapped[int]
    s_shape_mm: Mapped[int]
    optimal: Mapped[bool]
    method: Mapped[Code]
    path: Mapped[Json]
    hall_version: Mapped[int] = mapped_column(default=0)
    began_at: Mapped[datetime | None]
    done_at: Mapped[datetime | None]

    __table_args__ = (
        UniqueConstraint("warehouse_id", "no"),
        CheckConstraint("state IN ('open', 'picking', 'done', 'cancelled')", name="state_known"),
        Index(None, "warehouse_id", "state"),
        Index(None, "wave_id"),
        Index(None, "task_id"),
    )


class BatchOrder(Base):
    """An order on the cart: which tote at which position."""

    __tablename__ = "batch_order"

    id: Mapped[PrimaryKey]
    warehouse_id: Mapped[WarehouseId]
    batch_id: Mapped[int] = mapped_column(ForeignKey("batch.id"))
    order_id: Mapped[int] = mapped_column(ForeignKey("sales_order.id"))
    position: Mapped[int]
    tote_id: Mapped[BigId | None]
    state: Mapped[Code] = mapped_column(default="open")

    __table_args__ = (
        UniqueConstraint("batch_id", "position"),
        UniqueConstraint("batch_id", "order_id"),
        Index(None, "order_id"),
        Index(None, "tote_id"),
    )


class PickLine(Base):
    """One stop's take for one order: from this stock row, into that order's tote.

    One that is `aside` cannot be reached now, and `why` says what is closed.
    """

    __tablename__ = "pick_line"

    id: Mapped[PrimaryKey]
    warehouse_id: Mapped[WarehouseId]
    merchant_id: Mapped[BigId]
    batch_id: Mapped[int] = mapped_column(ForeignKey("batch.id"))
    order_id: Mapped[BigId]
    order_line_id: Mapped[int] = mapped_column(ForeignKey("order_line.id"))
    hold_id: Mapped[int] = mapped_column(ForeignKey("hold.id"))
    stock_id: Mapped[BigId]
    slot_id: Mapped[BigId]
    sku_id: Mapped[BigId]
    lot_id: Mapped[BigId]
    stop: Mapped[int]
    quantity: Mapped[int]
    picked: Mapped[int] = mapped_column(default=0)
    short: Mapped[int] = mapped_column(default=0)
    state: Mapped[Code] = mapped_column(default="open")
    why: Mapped[Name] = mapped_column(default="")
    done_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint(
            "quantity > 0 AND picked >= 0 AND short >= 0 AND picked + short <= quantity", name="quantities_lawful"
        ),
        CheckConstraint("state IN ('open', 'done', 'short', 'cancelled', 'aside')", name="state_known"),
        Index(None, "batch_id", "stop"),
        Index(None, "order_id"),
    )


class KeptPlan(Base):
    """The plan of a wave before it is released: how far it got, what it is worth. Planned again, it is written anew.

    Lengths in mm; `promised_mm` is the walk over the slots that were promised, `walk_mm` that over the chosen ones.
    `beat_at` is the machine's clock: a plan that is reckoned and not heard of is lost. `wish` is what a supervisor
    wants of a running one: "stop" takes the best so far, "cancel" drops it. `history` holds [ms, mm] pairs. For so many
    seconds `people` are in each other's way in the aisles, and would have been without an order of starting.
    """

    __tablename__ = "wave_plan"

    id: Mapped[PrimaryKey]
    warehouse_id: Mapped[WarehouseId]
    wave_id: Mapped[int] = mapped_column(ForeignKey("wave.id"), unique=True)
    state: Mapped[Code] = mapped_column(default="waiting")
    attempt: Mapped[int] = mapped_column(default=1)
    asked_by: Mapped[Code]
    request_id: Mapped[Code]
    asked_at: Mapped[UtcTime]
    release_after: Mapped[bool] = mapped_column(default=False)
    think_s: Mapped[int]
    rounds: Mapped[int]
    beat_at: Mapped[UtcTime]
    wish: Mapped[str] = mapped_column(default="")
    why: Mapped[Json]
    spent_ms: Mapped[int] = mapped_column(default=0)
    memory_mb: Mapped[int] = mapped_column(default=0)
    orders: Mapped[int] = mapped_column(default=0)
    batches: Mapped[int] = mapped_column(default=0)
    stops: Mapped[int] = mapped_column(default=0)
    walk_mm: Mapped[BigId] = mapped_column(default=0)
    s_shape_mm: Mapped[BigId] = mapped_column(default=0)
    first_come_mm: Mapped[BigId] = mapped_column(default=0)
    promised_mm: Mapped[BigId] = mapped_column(default=0)
    lower_bound_mm: Mapped[BigId] = mapped_column(default=0)
    people: Mapped[int] = mapped_column(default=0)
    crowded_before_s: Mapped[int] = mapped_column(default=0)
    crowded_s: Mapped[int] = mapped_column(default=0)
    history: Mapped[Json]

    __table_args__ = (
        CheckConstraint(
            "state IN ('waiting', 'running', 'ready', 'releasing', 'released', 'failed', 'lost', 'cancelled')",
            name="state_known",
        ),
        CheckConstraint("wish IN ('', 'stop', 'cancel')", name="wish_known"),
        Index(None, "warehouse_id", "state"),
    )


class PlanBatch(Base):
    """A batch of a plan; `batch_id` is its batch once released.

    `picks` are [hold, stop] pairs in walking order, and of what is taken from other rows than it was promised from
    [hold, stop, stock, quantity]: those promises are moved at the release.
    """

    __tablename__ = "plan_batch"

    id: Mapped[PrimaryKey]
    warehouse_id: Mapped[WarehouseId]
    plan_id: Mapped[int] = mapped_column(ForeignKey("wave_plan.id"))
    number: Mapped[int]
    order_ids: Mapped[Json]
    picks: Mapped[Json]
    stops: Mapped[int]
    pieces: Mapped[int]
    zone_id: Mapped[BigId]
    walk_mm: Mapped[int]
    promised_mm: Mapped[int] = mapped_column(default=0)
    s_shape_mm: Mapped[int]
    optimal: Mapped[bool]
    method: Mapped[Code]
    path: Mapped[Json]
    batch_id: Mapped[BigId | None]

    __table_args__ = (UniqueConstraint("plan_id", "number"),)


class LearntPace(Base):
    """How fast people walk and pick in a zone (0: in the whole building), learnt from so many walks and legs."""

    __tablename__ = "learnt_pace"

    id: Mapped[PrimaryKey]
    warehouse_id: Mapped[WarehouseId]
    zone_id: Mapped[BigId]
    s_per_m: Mapped[float]
    s_per_stop: Mapped[float]
    walks: Mapped[int]
    legs: Mapped[int]
    learnt_at: Mapped[UtcTime]

    __table_args__ = (UniqueConstraint("warehouse_id", "zone_id"),)
