"""The slots of a warehouse in memory, good enough to propose: what is proposed is checked against the rows before it
is used.

Building the picture reads every slot; it is kept for half a minute per process and learns of our own proposals at once.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from statistics import median
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from sqlalchemy import BigInteger, bindparam, cast, func, select
from sqlalchemy.orm import Session

from wms.catalog.tables import Lot, Sku
from wms.ledger.tables import Stock
from wms.optimise.geometry import RectHall, Stop, distance_mm, is_reachable, stop_point
from wms.site import queries as site
from wms.site.rules import floors_mm
from wms.site.tables import Bay, Slot, Zone
from wms.site.values import HallFacts, ZoneKind
from wms.slotting.rules import Flags, Floats, Ints, Occupied, Slots
from wms.slotting.tables import LiftRule, Velocity
from wms.slotting.values import GOOD, Lift

PICTURE_KEPT_S = 30.0
AISLES_KEPT = 2_000
CARRIES_ALL_G = 2**60


PIECE = cast(Sku.length_mm, BigInteger) * Sku.width_mm * Sku.height_mm  # a carton of 1,000 pieces passes 32 bits

_contents = (
    select(
        Stock.place_id,
        func.sum(Stock.on_hand * PIECE).label("volume"),
        func.sum(cast(Stock.on_hand, BigInteger) * Sku.weight_g).label("weight"),
    )
    .join(Sku, Sku.id == Stock.sku_id)
    .join(Slot, Slot.place_id == Stock.place_id)
    .where(Stock.warehouse_id == bindparam("w"), Stock.on_hand > 0)
    .group_by(Stock.place_id)
)
_hazards = (
    select(Slot.bay_id, Sku.hazard)
    .join(Stock, Stock.place_id == Slot.place_id)
    .join(Sku, Sku.id == Stock.sku_id)
    .where(Slot.warehouse_id == bindparam("w"), Stock.on_hand > 0, Sku.hazard != "")
    .distinct()
)
_alike = (
    select(Slot.place_id, Sku.id, Sku.merchant_id, Sku.lookalike)
    .join(Stock, Stock.place_id == Slot.place_id)
    .join(Sku, Sku.id == Stock.sku_id)
    .where(Slot.warehouse_id == bindparam("w"), Stock.on_hand > 0, Sku.lookalike != "")
)
_dated = (
    select(Stock.sku_id, Stock.place_id, Stock.lot_id, Lot.expires_on)
    .join(Lot, Lot.id == Stock.lot_id)
    .join(Slot, Slot.place_id == Stock.place_id)
    .where(
        Stock.warehouse_id == bindparam("w"),
        Stock.on_hand > 0,
        Stock.condition == GOOD,
        Lot.expires_on.is_not(None),
    )
)
_shut = select(Slot.place_id, (Slot.blocked | Slot.shut).label("blocked"), Slot.under_count).where(
    Slot.warehouse_id == bindparam("w"), Slot.blocked | Slot.shut | Slot.under_count
)
_all_slots = (
    select(
        Slot.place_id,
        Slot.code,
        Zone.kind,
        Zone.temperature,
        Slot.bonded,
        Slot.width_mm,
        Slot.depth_mm,
        Slot.height_mm,
        Slot.weight_max_g,
        Slot.level_weight_max_g,
        Bay.weight_max_g.label("bay_weight_max_g"),
        Bay.weight_stated,
        Slot.level,
        Slot.bay_id,
        Slot.aisle_index,
        Slot.y_mm,
    )
    .join(Zone, Zone.id == Slot.zone_id)
    .join(Bay, Bay.id == Slot.bay_id)
    .where(Slot.warehouse_id == bindparam("w"), Slot.retired.is_(False))
    .order_by(Slot.code)
)
_velocities = (
    select(Velocity.sku_id, Velocity.lines_per_week, Sku.family)
    .join(Sku, Sku.id == Velocity.sku_id)
    .where(Velocity.warehouse_id == bindparam("w"))
)


@dataclass(frozen=True, slots=True)
class Speeds:
    """Lines a week of each SKU, the median of each family, and all of them ascending."""

    of_sku: Mapping[int, float]
    of_family: Mapping[str, float]
    ascending: Floats

    def slower_share(self, sku_id: int, family: str) -> float:
        """The share of SKUs that move faster: 0 = the fastest. An unknown SKU takes its family's
        median, else the middle.
        """
        speed = self.of_sku.get(sku_id, self.of_family.get(family))
        if speed is None:
            return 0.5
        not_faster = int(np.searchsorted(self.ascending, speed, side="right"))
        return (len(self.ascending) - not_faster) / max(1, len(self.ascending))


@dataclass(slots=True)
class Picture:
    """Slots and what lay in them at `drawn_s` (monotonic)."""

    slots: Slots
    version: tuple[int, ...]
    index: dict[int, int]
    taken: Flags
    blocked: Flags
    under_count: Flags
    used_volume: Ints
    used_weight: Ints
    beams_g: Ints
    uprights_g: Ints
    hazards: dict[str, Flags]
    alike: dict[tuple[int, str], dict[int, set[int]]]
    dated: dict[int, list[tuple[int, int, int]]]
    lift: Lift
    speeds: Speeds
    drawn_s: float

    @property
    def knows_speeds(self) -> bool:
        """Whether the velocity of any SKU is known."""
        return len(self.speeds.ascending) > 0

    def slower_share(self, sku_id: int, family: str) -> float:
        """The share of SKUs that move faster than this one."""
        return self.speeds.slower_share(sku_id, family)

    def occupied(
        self, same_sku_places: Collection[int], leased_g: Mapping[int, int], expires: int | None = None
    ) -> Occupied:
        """As seen by one SKU: where it lies already, which slots are promised to others (and what comes there), and the
        day it expires if that is known.
        """
        beams_g, uprights_g = self._with_coming(leased_g)
        return Occupied(
            self.taken,
            self.blocked,
            self.under_count,
            self._flags(leased_g),
            self.used_volume,
            self.used_weight,
            self._flags(same_sku_places),
            beams_g,
            uprights_g,
            self.hazards,
            self.alike,
            self.dated,
            expires,
            self.lift,
        )

    def _with_coming(self, leased_g: Mapping[int, int]) -> tuple[Ints, Ints]:
        """What lies on each level and in each bay, and what is on its way there."""
        coming = {self.index[place]: weight_g for place, weight_g in leased_g.items() if place in self.index}
        beams_g, uprights_g = self.beams_g.copy(), self.uprights_g.copy()
        for at, weight_g in coming.items():
            beams_g[self.slots.beams[at]] += weight_g
            uprights_g[self.slots.uprights[at]] += weight_g
        return beams_g, uprights_g

    def _flags(self, places: Collection[int]) -> Flags:
        flags = np.zeros(len(self.taken), dtype=np.bool_)
        flags[[self.index[place] for place in places if place in self.index]] = True
        return flags

    def note_taken(self, place_id: int, volume_mm3: int, weight_g: int, hazard: str = "") -> None:
        """Goods went there: the next proposal knows."""
        at = self.index.get(place_id)
        if at is None:
            return
        if hazard:
            self.note_hazard(hazard, int(self.slots.bay[at]))
        self.taken[at] = True
        self.used_volume[at] += volume_mm3
        self.used_weight[at] += weight_g
        self.beams_g[self.slots.beams[at]] += weight_g
        self.uprights_g[self.slots.uprights[at]] += weight_g

    def note_alike(self, place_id: int, sku_id: int, merchant_id: int, lookalike: str) -> None:
        """A SKU that looks like others lies there."""
        at = self.index.get(place_id)
        if at is not None and lookalike:
            bays = self.alike.setdefault((merchant_id, lookalike), {}).setdefault(sku_id, set())
            bays.add(int(self.slots.uprights[at]))

    def note_hazard(self, hazard: str, bay_id: int) -> None:
        """Goods of this class stand in this bay."""
        beside = self.slots.bay == bay_id
        known = self.hazards.get(hazard)
        self.hazards = {**self.hazards, hazard: beside if known is None else known | beside}


def lift_of(session: Session, warehouse_id: int) -> Lift:
    """How high heavy goods are lifted here; the usual where nobody has said."""
    row = session.get(LiftRule, warehouse_id)
    return Lift() if row is None else Lift(row.heavy_piece_g, row.shoulder_mm)


_pictures: WeakKeyDictionary[Any, dict[int, Picture]] = WeakKeyDictionary()
_drawing = threading.Lock()


def picture_of(session: Session, warehouse_id: int, *, fresh: bool = False) -> Picture:
    """The picture kept for this warehouse, drawn anew when it is old or `fresh` is asked for."""
    with _drawing:
        kept = _pictures.setdefault(session.get_bind().engine, {})
        known = kept.get(warehouse_id)
        if known is None or fresh or time.monotonic() - known.drawn_s > PICTURE_KEPT_S:
            known = kept[warehouse_id] = _draw(session, warehouse_id, known)
        return known


def _draw(session: Session, warehouse_id: int, before: Picture | None) -> Picture:
    """Slots are read again only when the building changed: another hall version, or slots made or retired."""
    version = _building(session, warehouse_id)
    slots = before.slots if before is not None and before.version == version else _slots(session, warehouse_id)
    index = {int(place): number for number, place in enumerate(slots.place_id)}
    size = len(index)
    picture = Picture(
        slots=slots,
        version=version,
        index=index,
        taken=np.zeros(size, dtype=np.bool_),
        blocked=np.zeros(size, dtype=np.bool_),
        under_count=np.zeros(size, dtype=np.bool_),
        used_volume=np.zeros(size, dtype=np.int64),
        used_weight=np.zeros(size, dtype=np.int64),
        beams_g=np.zeros(len(slots.beams_max), dtype=np.int64),
        uprights_g=np.zeros(len(slots.uprights_max), dtype=np.int64),
        hazards={},
        alike={},
        dated={},
        lift=lift_of(session, warehouse_id),
        speeds=_speeds(session, warehouse_id),
        drawn_s=time.monotonic(),
    )
    for row in session.execute(_contents, {"w": warehouse_id}):
        if row.place_id in index:
            picture.note_taken(row.place_id, int(row.volume), int(row.weight))
    for bay_id, hazard in session.execute(_hazards, {"w": warehouse_id}):
        picture.note_hazard(hazard, bay_id)
    for place_id, sku_id, merchant_id, lookalike in session.execute(_alike, {"w": warehouse_id}):
        picture.note_alike(place_id, sku_id, merchant_id, lookalike)
    for sku_id, place_id, lot_id, day in session.execute(_dated, {"w": warehouse_id}):
        if place_id in index and day is not None:
            picture.dated.setdefault(sku_id, []).append((index[place_id], lot_id, day.toordinal()))
    for row in session.execute(_shut, {"w": warehouse_id}):
        if (at := index.get(row.place_id)) is not None:
            picture.blocked[at], picture.under_count[at] = row.blocked, row.under_count
    return picture


def _building(session: Session, warehouse_id: int) -> tuple[int, ...]:
    slots = select(func.count(), func.coalesce(func.max(Slot.place_id), 0), func.coalesce(func.sum(Slot.y_mm), 0))
    row = session.execute(slots.where(Slot.warehouse_id == warehouse_id, Slot.retired.is_(False))).one()
    return (site.hall(session, warehouse_id).version, *(int(each) for each in row))


def _slots(session: Session, warehouse_id: int) -> Slots:
    rows = session.execute(_all_slots, {"w": warehouse_id}).all()
    hall = site.hall(session, warehouse_id)
    walks = _walks(hall, {Stop(row.aisle_index, row.y_mm) for row in rows})
    lengths = [[row.width_mm, row.depth_mm, row.height_mm] for row in rows]
    sizes = np.sort(np.array(lengths, dtype=np.int64).reshape(-1, 3), axis=1)
    zone_kind = np.array([str(row.kind) for row in rows], dtype=np.str_)
    beams = _carriers([(row.bay_id, row.level) for row in rows], [row.level_weight_max_g for row in rows])
    stated = [row.bay_weight_max_g if row.weight_stated else None for row in rows]
    climate = np.array([str(row.temperature) for row in rows], dtype=np.str_)
    uprights = _carriers([row.bay_id for row in rows], stated)
    return Slots(
        place_id=np.array([row.place_id for row in rows], dtype=np.int64),
        codes=tuple(row.code for row in rows),
        zone_kind=zone_kind,
        kinds={str(kind): zone_kind == kind for kind in np.unique(zone_kind)},
        climates={str(each): climate == each for each in np.unique(climate)},
        bonded=np.array([row.bonded for row in rows], dtype=np.bool_),
        sizes=sizes,
        volume=sizes.prod(axis=1),
        weight_max=np.array([row.weight_max_g for row in rows], dtype=np.int64),
        level=np.array([row.level for row in rows], dtype=np.int64),
        floor_mm=_floors_mm(rows),
        by_hand=zone_kind != ZoneKind.BULKY.value,
        bay=np.array([row.bay_id for row in rows], dtype=np.int64),
        aisle=np.array([row.aisle_index for row in rows], dtype=np.int64),
        y_mm=np.array([row.y_mm for row in rows], dtype=np.int64),
        walk_mm=np.array([walks[Stop(row.aisle_index, row.y_mm)] for row in rows], dtype=np.int64),
        beams=beams[0],
        beams_max=beams[1],
        uprights=uprights[0],
        uprights_max=uprights[1],
    )


def _floors_mm(rows: Sequence[Any]) -> Ints:
    """How high each slot's floor is: each level stands on its beam and on the levels below."""
    tall: defaultdict[int, dict[int, int]] = defaultdict(dict)
    for row in rows:
        levels = tall[row.bay_id]
        levels[row.level] = max(row.height_mm, levels.get(row.level, 0))
    floors = {bay: floors_mm(levels) for bay, levels in tall.items()}
    return np.array([floors[row.bay_id][row.level] for row in rows], dtype=np.int64)


def _carriers(of_slot: Sequence[Hashable], limits_g: Sequence[int | None]) -> tuple[Ints, Ints]:
    """What each slot stands on (or in), numbered, and what each of these carries."""
    number: dict[Hashable, int] = {}
    carries: list[int] = []
    for each, limit_g in zip(of_slot, limits_g, strict=True):
        if number.setdefault(each, len(number)) == len(carries):
            carries.append(CARRIES_ALL_G if limit_g is None else limit_g)
    return np.array([number[each] for each in of_slot], dtype=np.int64), np.array(carries, dtype=np.int64)


def _walks(hall: HallFacts, stops: set[Stop]) -> dict[Stop, int]:
    """From the start to each stop, in mm. An aisle that nothing closes is as far as ever, whatever else is closed."""
    by_aisle: dict[int, list[int]] = {}
    for aisle, y_mm in stops:
        by_aisle.setdefault(aisle, []).append(y_mm)
    touched = {one.aisle for one in hall.now.closed}
    return {
        Stop(aisle, y_mm): length
        for aisle, ys in by_aisle.items()
        for y_mm, length in _walks_into(hall.now if aisle in touched else hall.hall, aisle, tuple(sorted(ys))).items()
    }


@lru_cache(maxsize=AISLES_KEPT)
def _walks_into(hall: RectHall, aisle: int, ys: tuple[int, ...]) -> dict[int, int]:
    """One aisle's stops; those out of reach count as far as in the open hall, and are given nothing meanwhile."""
    built = replace(hall, closed=())
    halls = {y: hall if is_reachable(hall, Stop(aisle, y)) else built for y in ys}
    return {y: distance_mm(halls[y], hall.start_point, stop_point(hall, Stop(aisle, y))) for y in ys}


def _speeds(session: Session, warehouse_id: int) -> Speeds:
    rows = session.execute(_velocities, {"w": warehouse_id}).all()
    families: defaultdict[str, list[float]] = defaultdict(list)
    for row in rows:
        families[row.family].append(row.lines_per_week)
    return Speeds(
        {row.sku_id: row.lines_per_week for row in rows},
        {family: median(each) for family, each in families.items() if family},
        np.sort(np.array([row.lines_per_week for row in rows], dtype=np.float64)),
    )
