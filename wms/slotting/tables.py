"""What slotting remembers: leases on slots it promised to a walk, how fast goods move, the moves it proposed, what it
forecast, the bays it would divide anew, the pick faces it keeps filled, and each day in figures.
"""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from wms.core.db import Base, BigId, Code, Json, PrimaryKey, UtcTime, WarehouseId


class SlotLease(Base):
    """A slot kept for one container on its way, for a short time: two people are never sent to one slot. `weight_g` is
    what comes.
    """

    __tablename__ = "slot_lease"

    place_id: Mapped[int] = mapped_column(ForeignKey("slot.place_id"), primary_key=True)
    warehouse_id: Mapped[WarehouseId]
    subject: Mapped[Code]
    until: Mapped[UtcTime]
    weight_g: Mapped[BigId] = mapped_column(default=0)


class Velocity(Base):
    """Order lines a week of a SKU as expected at `as_of`: those of lately, in their season (`seasons`)."""

    __tablename__ = "velocity"

    id: Mapped[PrimaryKey]
    warehouse_id: Mapped[WarehouseId]
    merchant_id: Mapped[BigId]
    sku_id: Mapped[int] = mapped_column(ForeignKey("sku.id"))
    lines_per_week: Mapped[float]
    as_of: Mapped[UtcTime]

    __table_args__ = (UniqueConstraint("warehouse_id", "sku_id"),)


class SlotDay(Base):
    """One day of a warehouse in figures, by its own clock. Capacity is as it was when the day was taken, unknown for
    days taken later; `walked_m` are the shortest walks over what was picked, `worked_s` the time between the first and
    the last pick of each.
    """

    __tablename__ = "slot_day"

    id: Mapped[PrimaryKey]
    warehouse_id: Mapped[WarehouseId]
    day: Mapped[date]
    taken_at: Mapped[UtcTime]
    area_m2: Mapped[int]
    slots: Mapped[int | None]
    filled: Mapped[int | None]
    volume_l: Mapped[BigId | None]
    used_l: Mapped[BigId | None]
    skus: Mapped[int | None]
    more_skus: Mapped[int | None]
    lines: Mapped[int]
    tours: Mapped[int]
    walked_m: Mapped[int]
    worked_s: Mapped[int]
    moves: Mapped[int]
    moved_m: Mapped[int]

    __table_args__ = (UniqueConstraint("warehouse_id", "day"),)


class CostRate(Base):
    """What work and room cost in a warehouse, for the figures of its manager."""

    __tablename__ = "cost_rate"

    warehouse_id: Mapped[WarehouseId] = mapped_column(primary_key=True)
    wage_cents_h: Mapped[int]
    walk_mm_s: Mapped[int]
    handling_s_line: Mapped[int]
    rent_cents_m2_month: Mapped[int]


class LiftRule(Base):
    """How high what weighs how much may be lifted by hand in a warehouse."""

    __tablename__ = "lift_rule"

    warehouse_id: Mapped[WarehouseId] = mapped_column(primary_key=True)
    heavy_piece_g: Mapped[int]
    shoulder_mm: Mapped[int]


class SkuForecast(Base):
    """What a plan expected of a SKU for the week after it, and what came (None while the week is not over)."""

    __tablename__ = "sku_forecast"

    id: Mapped[PrimaryKey]
    warehouse_id: Mapped[WarehouseId]
    merchant_id: Mapped[BigId]
    sku_id: Mapped[int] = mapped_column(ForeignKey("sku.id"))
    made_at: Mapped[UtcTime]
    said_lines: Mapped[float]
    came_lines: Mapped[int | None]

    __table_args__ = (UniqueConstraint("warehouse_id", "made_at", "sku_id"),)


class WhatIf(Base):
    """A plan under other conditions, asked by somebody; nothing comes of it but its figures (`answer`)."""

    __tablename__ = "what_if"

    id: Mapped[PrimaryKey]
    warehouse_id: Mapped[WarehouseId]
    asked_at: Mapped[UtcTime]
    asked_by: Mapped[Code]
    asked: Mapped[Json]
    answer: Mapped[Json] = mapped_column(default=dict)
    trouble: Mapped[Code] = mapped_column(default="")

    __table_args__ = (Index(None, "warehouse_id", "asked_at"),)


class MovePlan(Base):
    """One look at where goods lie: what was walked lately, what would have been, and the moves proposed for it.

    `signal_percent`: how far the past is to be believed. Metres are those of `tours` recent tours, replayed; `bay_m`
    shares what they were a week among the bays ("bay id": metres).
    """

    __tablename__ = "move_plan"

    id: Mapped[PrimaryKey]
    warehouse_id: Mapped[WarehouseId]
    made_at: Mapped[UtcTime]
    made_by: Mapped[Code]
    lines: Mapped[int]
    tours: Mapped[int]
    weeks: Mapped[int]
    walked_m: Mapped[int]
    planned_m: Mapped[int]
    signal_percent: Mapped[int]
    bay_m: Mapped[Json] = mapped_column(default=dict)

    __table_args__ = (Index(None, "warehouse_id", "made_at"),)


class MoveProposal(Base):
    """Carry goods of one slot to another. `gain_m_week` is the forecast, `replayed_m_week` the second opinion; both are
    0 where a bay is only emptied (`division_id`).

    `hold_id` keeps the goods from being promised while somebody carries them. A week after it was done the move is
    judged: what was picked of the goods, and what the tours would have been with them in the old slot.
    """

    __tablename__ = "move_proposal"

    id: Mapped[PrimaryKey]
    warehouse_id: Mapped[WarehouseId]
    merchant_id: Mapped[BigId]
    plan_id: Mapped[int | None] = mapped_column(ForeignKey("move_plan.id"))
    division_id: Mapped[int | None] = mapped_column(ForeignKey("bay_division.id"))
    sku_id: Mapped[int] = mapped_column(ForeignKey("sku.id"))
    source_id: Mapped[int] = mapped_column(ForeignKey("slot.place_id"))
    target_id: Mapped[int] = mapped_column(ForeignKey("slot.place_id"))
    lines_per_week: Mapped[float]
    gain_m_week: Mapped[int]
    replayed_m_week: Mapped[int]
    cost_m: Mapped[int]
    state: Mapped[Code] = mapped_column(default="proposed")
    task_id: Mapped[BigId | None]
    hold_id: Mapped[BigId | None]
    stock_id: Mapped[BigId | None]
    held: Mapped[int] = mapped_column(default=0)
    decided_by: Mapped[Code | None]
    closed_at: Mapped[datetime | None]
    dropped_why: Mapped[Code | None]
    confidence_percent: Mapped[int] = mapped_column(default=0)
    judged_at: Mapped[datetime | None]
    came_lines: Mapped[int | None]
    saved_m: Mapped[int | None]

    __table_args__ = (
        UniqueConstraint("plan_id", "source_id"),
        CheckConstraint("state IN ('proposed', 'accepted', 'declined', 'done', 'dropped')", name="state_known"),
        CheckConstraint("(plan_id IS NULL) <> (division_id IS NULL)", name="has_one_cause"),
        Index(None, "warehouse_id", "state"),
        Index(None, "task_id"),
        Index(None, "division_id"),
    )


class DivisionPlan(Base):
    """One look at the racks against what is coming: how much of it fits now, and would with the bays proposed.

    `wanted` SKUs are expected; litres are theirs. `kept` says why bays cannot be changed (reason: their labels).
    """

    __tablename__ = "division_plan"

    id: Mapped[PrimaryKey]
    warehouse_id: Mapped[WarehouseId]
    made_at: Mapped[UtcTime]
    made_by: Mapped[Code]
    wanted: Mapped[int]
    wanted_l: Mapped[BigId]
    skus_before: Mapped[int]
    skus_after: Mapped[int]
    litres_before: Mapped[BigId]
    litres_after: Mapped[BigId]
    racks_l: Mapped[BigId]
    racks_after_l: Mapped[BigId]
    used_l: Mapped[BigId]
    optimal: Mapped[bool]
    kept: Mapped[Json] = mapped_column(default=dict)

    __table_args__ = (Index(None, "warehouse_id", "made_at"),)


class BayDivision(Base):
    """Cut one bay anew. `before` are its slots when it was proposed ([level, position, width, height] each), `after` is
    the profile's sizes, so that both can be drawn for ever.

    accepted: to be emptied; changing: somebody stands before it and has the parts; labelling: the new slots are there
    and wait for their labels. `beams` and `dividers` are taken from the spare ones (negative: given back).
    """

    __tablename__ = "bay_division"

    id: Mapped[PrimaryKey]
    warehouse_id: Mapped[WarehouseId]
    plan_id: Mapped[int] = mapped_column(ForeignKey("division_plan.id"))
    bay_id: Mapped[int] = mapped_column(ForeignKey("bay.id"))
    number: Mapped[int]
    state: Mapped[Code] = mapped_column(default="proposed")
    profile_before: Mapped[Code]
    profile: Mapped[Code]
    before: Mapped[Json]
    after: Mapped[Json]
    slots_before: Mapped[int]
    slots_after: Mapped[int]
    skus_more: Mapped[int]
    litres_more: Mapped[BigId]
    beams: Mapped[int]
    dividers: Mapped[int]
    goods: Mapped[int]
    seconds: Mapped[int]
    cost_cents: Mapped[int]
    gain_cents_month: Mapped[int]
    task_id: Mapped[BigId | None]
    decided_by: Mapped[Code | None]
    closed_at: Mapped[datetime | None]
    dropped_why: Mapped[Code | None]

    __table_args__ = (
        UniqueConstraint("plan_id", "bay_id"),
        CheckConstraint(
            "state IN ('proposed', 'accepted', 'changing', 'labelling', 'declined', 'done', 'dropped')",
            name="state_known",
        ),
        Index(None, "warehouse_id", "state"),
        Index(None, "bay_id"),
    )


class RefillRule(Base):
    """How a warehouse fills its pick faces. A slot whose floor lies above `reach_mm` is reserve; a SKU ordered so often
    a week has levels of so many days of its demand. `levels_at` is when they were reckoned last.
    """

    __tablename__ = "refill_rule"

    warehouse_id: Mapped[WarehouseId] = mapped_column(primary_key=True)
    reach_mm: Mapped[int]
    lines_a_week: Mapped[int]
    days_min: Mapped[int]
    days_max: Mapped[int]
    levels_at: Mapped[datetime | None]

    __table_args__ = (CheckConstraint("0 < days_min AND days_min < days_max", name="days_in_order"),)


class FaceLevel(Base):
    """How much of a SKU is to lie in reach: below the one it is refilled, up to the other. What a person has set
    (`by_hand`) stays until somebody sets it free.
    """

    __tablename__ = "face_level"

    id: Mapped[PrimaryKey]
    warehouse_id: Mapped[WarehouseId]
    merchant_id: Mapped[BigId]
    sku_id: Mapped[int] = mapped_column(ForeignKey("sku.id"))
    pieces_a_day: Mapped[float]
    quantity_min: Mapped[int]
    quantity_max: Mapped[int]
    by_hand: Mapped[bool] = mapped_column(default=False)
    set_by: Mapped[Code]
    as_of: Mapped[UtcTime]

    __table_args__ = (
        UniqueConstraint("warehouse_id", "sku_id"),
        CheckConstraint("0 <= quantity_min AND quantity_min < quantity_max", name="levels_in_order"),
    )


class RefillWalk(Base):
    """Refills fetched on one walk through a zone of the reserve; its task is "walk:<id>"."""

    __tablename__ = "refill_walk"

    id: Mapped[PrimaryKey]
    warehouse_id: Mapped[WarehouseId]
    zone_id: Mapped[BigId]
    state: Mapped[Code] = mapped_column(default="open")
    task_id: Mapped[BigId | None]
    made_at: Mapped[UtcTime]
    closed_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("state IN ('open', 'done', 'dropped')", name="state_known"),
        Index(None, "warehouse_id", "state", "zone_id"),
    )


class Refill(Base):
    """Carry goods from reserve to a pick face. `open_key` names SKU, lot, book and target while it is open, so that
    there is one of a kind.

    open: on the board; carried: `taken` pieces are on their way, those that were free kept by `hold_id` from being
    promised; done: so many (`moved`) were put down, `followed` of them with the promises of orders. `short` is what was
    not found at the source.
    """

    __tablename__ = "refill"

    id: Mapped[PrimaryKey]
    warehouse_id: Mapped[WarehouseId]
    merchant_id: Mapped[BigId]
    walk_id: Mapped[int | None] = mapped_column(ForeignKey("refill_walk.id"))
    sku_id: Mapped[int] = mapped_column(ForeignKey("sku.id"))
    lot_id: Mapped[int] = mapped_column(ForeignKey("lot.id"))
    book: Mapped[Code] = mapped_column(default="")
    source_id: Mapped[int] = mapped_column(ForeignKey("slot.place_id"))
    target_id: Mapped[int] = mapped_column(ForeignKey("slot.place_id"))
    reason: Mapped[Code]
    priority: Mapped[int]
    quantity: Mapped[int]
    case_quantity: Mapped[int]
    state: Mapped[Code] = mapped_column(default="open")
    open_key: Mapped[str | None]
    stock_id: Mapped[BigId | None]
    hold_id: Mapped[BigId | None]
    held: Mapped[int] = mapped_column(default=0)
    taken: Mapped[int] = mapped_column(default=0)
    short: Mapped[int] = mapped_column(default=0)
    moved: Mapped[int] = mapped_column(default=0)
    followed: Mapped[int] = mapped_column(default=0)
    made_at: Mapped[UtcTime]
    made_by: Mapped[Code]
    closed_at: Mapped[datetime | None]
    dropped_why: Mapped[Code | None]

    __table_args__ = (
        UniqueConstraint("warehouse_id", "open_key"),
        CheckConstraint("state IN ('open', 'carried', 'done', 'dropped')", name="state_known"),
        CheckConstraint("reason IN ('wave', 'order', 'empty', 'low')", name="reason_known"),
        CheckConstraint("quantity > 0 AND case_quantity > 0", name="quantity_positive"),
        CheckConstraint("(open_key IS NULL) = (state IN ('done', 'dropped'))", name="open_has_key"),
        Index(None, "warehouse_id", "state"),
        Index(None, "walk_id"),
    )
