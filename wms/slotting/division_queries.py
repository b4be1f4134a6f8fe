"""What a supervisor sees of racks divided anew: the newest plan, its bays, and one of them opened."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from wms.catalog.tables import Sku
from wms.core.refusal import Refused
from wms.ledger.tables import Stock
from wms.site.racks import rack
from wms.site.rules import Face, faces, profile_slots
from wms.site.tables import Aisle, Bay, Slot, Zone
from wms.slotting.division_plan import profile_of
from wms.slotting.gains import MONTH_DAYS
from wms.slotting.tables import BayDivision, DivisionPlan, MoveProposal

BAYS_SHOWN = 200


@dataclass(frozen=True, slots=True)
class DivisionPlanFacts:
    """A plan: what is coming, how much of it finds room before and after, in SKUs and litres; `kept`: reason -> how
    many bays, and the first of their labels.
    """

    id: int
    made_at: datetime
    wanted: int
    wanted_l: int
    skus_before: int
    skus_after: int
    litres_before: int
    litres_after: int
    racks_l: int
    racks_after_l: int
    used_l: int
    optimal: bool
    kept: Mapping[str, Sequence[Any]]

    @property
    def share_before(self) -> float:
        """Share of the racks' volume in use when all that fits has come, as the racks are."""
        return (self.used_l + self.litres_before) / max(1, self.racks_l)

    @property
    def share_after(self) -> float:
        """The same with every proposed bay divided."""
        return (self.used_l + self.litres_after) / max(1, self.racks_after_l)


@dataclass(frozen=True, slots=True)
class DivisionFacts:
    """One bay of a plan, with the words for a list. Cents; `beams` and `dividers` are taken (negative: given back)."""

    id: int
    plan_id: int
    bay_id: int
    bay: str
    state: str
    profile_before: str
    profile: str
    slots_before: int
    slots_after: int
    skus_more: int
    litres_more: int
    beams: int
    dividers: int
    goods: int
    seconds: int
    cost_cents: int
    gain_cents_month: int
    dropped_why: str | None
    closed_at: datetime | None

    @property
    def minutes(self) -> int:
        return round(self.seconds / 60)

    @property
    def payback_days(self) -> float:
        """After so many days the room is worth more than the work."""
        return MONTH_DAYS * self.cost_cents / max(1, self.gain_cents_month)


@dataclass(frozen=True, slots=True)
class OpenedDivision:
    """A bay before and after, as one stands before it; which of its slots hold goods now; who must move, and where to
    (SKU, from, to, state). `depth_mm` and `frame_mm` are the uprights'.
    """

    division: DivisionFacts
    before: Sequence[Face]
    after: Sequence[Face]
    filled: Collection[tuple[int, int]]
    moves: Sequence[tuple[str, str, str, str]]
    depth_mm: int
    frame_mm: int
    load_g: int


def newest_division_plan(session: Session, warehouse_id: int) -> DivisionPlanFacts | None:
    """The plan made last, if there ever was one."""
    row = session.scalars(
        select(DivisionPlan).where(DivisionPlan.warehouse_id == warehouse_id).order_by(DivisionPlan.id.desc()).limit(1)
    ).one_or_none()
    if row is None:
        return None
    return DivisionPlanFacts(**{name: getattr(row, name) for name in DivisionPlanFacts.__slots__})


_NAMED = ("id", "plan_id", "bay_id", "bay")


def divisions(session: Session, warehouse_id: int, states: Collection[str]) -> list[DivisionFacts]:
    """Bays in these states, newest plan first, in the order they should be done; 200 at most."""
    return _divisions(session, warehouse_id, BayDivision.state.in_(sorted(states)))


def _divisions(session: Session, warehouse_id: int, condition: Any) -> list[DivisionFacts]:
    row = BayDivision
    columns = [getattr(row, name) for name in DivisionFacts.__slots__ if name not in _NAMED]
    query = (
        select(row.id, row.plan_id, row.bay_id, Zone.code, Aisle.number, Bay.number, *columns)
        .join(Bay, Bay.id == row.bay_id)
        .join(Aisle, Aisle.id == Bay.aisle_id)
        .join(Zone, Zone.id == Aisle.zone_id)
        .where(row.warehouse_id == warehouse_id, condition)
        .order_by(row.plan_id.desc(), row.number)
        .limit(BAYS_SHOWN)
    )
    return [
        DivisionFacts(found[0], found[1], found[2], f"{found[3]}{found[4]:02d}-{found[5]:02d}", *found[6:])
        for found in session.execute(query).all()
    ]


def opened_division(session: Session, warehouse_id: int, division_id: int) -> OpenedDivision | None:
    """One bay of a plan, or None when there is none of this number."""
    row = session.scalars(
        select(BayDivision).where(BayDivision.warehouse_id == warehouse_id, BayDivision.id == division_id)
    ).one_or_none()
    facts = _divisions(session, warehouse_id, BayDivision.id == division_id)
    if row is None or not facts:
        return None
    try:
        bay = rack(session, warehouse_id, row.bay_id)
    except Refused:
        return None
    profile = profile_of(row)
    return OpenedDivision(
        division=facts[0],
        before=faces((slot[0], slot[1], slot[2], slot[3]) for slot in row.before["slots"]),
        after=faces(profile_slots(profile)),
        filled=_filled(session, row.bay_id),
        moves=_moves(session, division_id),
        depth_mm=profile.depth_mm,
        frame_mm=bay.frame_mm,
        load_g=profile.weight_max_g,
    )


def _filled(session: Session, bay_id: int) -> set[tuple[int, int]]:
    query = select(Slot.level, Slot.position).join(Stock, Stock.place_id == Slot.place_id)
    rows = session.execute(query.where(Slot.bay_id == bay_id, Slot.retired.is_(False), Stock.on_hand > 0))
    return {(row.level, row.position) for row in rows}


def _moves(session: Session, division_id: int) -> list[tuple[str, str, str, str]]:
    source, target, row = aliased(Slot), aliased(Slot), MoveProposal
    query = (
        select(Sku.name, source.code, target.code, row.state)
        .join(Sku, Sku.id == row.sku_id)
        .join(source, source.place_id == row.source_id)
        .join(target, target.place_id == row.target_id)
        .where(row.division_id == division_id)
        .order_by(row.id)
    )
    return [(name, code.split("~")[0], goal.split("~")[0], state) for name, code, goal, state in session.execute(query)]
