"""Racks against what is coming, read for the planner: bays that may be divided anew, with their goods and what they
could become, and why the others stay as they are. What is expected is handed in: the dock lies downstream.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from wms.catalog import queries as catalog
from wms.catalog.values import SkuFacts
from wms.core.clock import WallClock
from wms.ledger.tables import Stock
from wms.ledger.values import Condition
from wms.optimise.geometry import Stop, distance_mm, stop_point
from wms.optimise.slotting.divide import Bay, Cut, Racks, Want
from wms.site import queries as site
from wms.site.racks import Rack, RackSlot, bay_takes, profiles, racks, spare_parts
from wms.site.rules import Parts, Profile, area_mm2, parts_in
from wms.slotting.gains import Rates
from wms.slotting.queries import rates as rates_of
from wms.slotting.tables import BayDivision, MoveProposal, SlotLease
from wms.slotting.values import FILL_MAX, Goods, Kept

BAYS_MAX = 40
SLOTS_A_SKU_MAX = 20
SETUP_S, BEAM_S, DIVIDER_S, LABEL_S, LOAD_S = 300, 120, 40, 20, 90
OPEN_STATES = ("accepted", "changing", "labelling")
WALL = WallClock()
MM3_A_LITRE = 1_000_000
MM3_A_ML = 1_000
ML_A_LITRE = 1_000

Expected = Mapping[int, int]  # SKU -> pieces that are coming or wait at the dock


@dataclass(frozen=True, slots=True, order=True)
class SlotKind:
    """Slots that take the same goods. Lengths in mm, load in g."""

    zone_kind: str
    temperature: str
    bonded: bool
    width_mm: int
    depth_mm: int
    height_mm: int
    weight_max_g: int

    @property
    def volume_mm3(self) -> int:
        return self.width_mm * self.depth_mm * self.height_mm


@dataclass(frozen=True, slots=True)
class Load:
    """Goods that would have to leave a bay."""

    stock_id: int
    place_id: int
    goods: Goods


@dataclass(frozen=True, slots=True)
class Candidate:
    """A bay that may be divided anew; its number is that of its bay in `DivisionProblem.racks`."""

    rack: Rack
    loads: tuple[Load, ...]
    walk_mm: int


@dataclass(frozen=True)
class DivisionProblem:
    """All that the plan is made of. `racks` is what the solver gets; `kept` says of the other bays why not."""

    racks: Racks
    candidates: tuple[Candidate, ...]
    profiles: Mapping[str, Profile]
    kept: Mapping[Kept, Sequence[str]]
    rates: Rates
    wanted: int
    wanted_l: int
    racks_l: int
    used_l: int


def prepare(session: Session, warehouse_id: int, expected: Expected, *, bays_max: int = BAYS_MAX) -> DivisionProblem:
    """Everything the planner needs, read on one snapshot. Raises NOT_FOUND where there is no hall."""
    ground = _Ground(session, warehouse_id)
    skus = catalog.skus_by_id(session, warehouse_id, set(expected) | ground.skus)
    candidates, kept = ground.sorted_out(skus)
    kinds = sorted(
        {*ground.kinds, *(_kind_cut(one.rack, profile) for one in candidates for profile in ground.cuts(one))}
    )
    number = {kind: at for at, kind in enumerate(kinds)}
    leaving = sorted({_fits(load.goods, kinds) for one in candidates for load in one.loads}, reverse=True)
    depths = sorted({one.rack.depth_mm for one in candidates})
    changeable = {one.rack.bay_id for one in candidates}
    rates = rates_of(session, warehouse_id)
    wants = _wants(expected, skus, kinds, _Worth(session, warehouse_id, rates, ground.racks))
    spare = [ground.spare.get(depth, Parts()) for depth in depths]
    free = [0] * len(kinds)
    for rack in ground.racks:
        if rack.bay_id not in changeable:
            free = _sum(free, ground.free(rack, number))
    return DivisionProblem(
        racks=Racks(
            bays=tuple(ground.bay(one, number, leaving, kinds, depths, rates) for one in candidates),
            free=tuple(free),
            wants=wants,
            fits=tuple(leaving),
            spare=tuple((parts.beams, parts.dividers) for parts in spare),
            bays_max=bays_max,
        ),
        candidates=tuple(candidates),
        profiles=ground.profiles,
        kept=kept,
        rates=rates,
        wanted=len([sku for sku, pieces in expected.items() if pieces > 0 and sku in skus]),
        wanted_l=sum(skus[sku].volume_mm3 * pieces for sku, pieces in expected.items() if sku in skus) // MM3_A_LITRE,
        racks_l=sum(volume_l(rack) for rack in ground.racks),
        used_l=ground.used_mm3(skus) // MM3_A_LITRE,
    )


def _sum(one: Sequence[int], more: Sequence[int]) -> list[int]:
    return [a + b for a, b in zip(one, more, strict=True)]


def volume_l(rack: Rack) -> int:
    """Litres of all slots of a bay."""
    return sum(slot.width_mm * slot.depth_mm * slot.height_mm for slot in rack.slots) // MM3_A_LITRE


def _kind_of(rack: Rack, slot: RackSlot) -> SlotKind:
    sizes = slot.width_mm, slot.depth_mm, slot.height_mm, slot.weight_max_g
    return SlotKind(rack.zone_kind, rack.zone_temperature, slot.bonded, *sizes)


def _kind_cut(rack: Rack, profile: Profile) -> SlotKind:
    sizes = profile.width_mm, profile.depth_mm, profile.height_mm, profile.weight_max_g
    return SlotKind(rack.zone_kind, rack.zone_temperature, rack.zone_kind == "bonded", *sizes)


def _room(sku: SkuFacts, bonded: bool, kind: SlotKind) -> int:
    """Pieces of a SKU that an empty slot of this kind takes, by the rules that goods are put away by."""
    wrong_zone = kind.bonded != bonded or (not bonded and kind.zone_kind != sku.zone_kind)
    if wrong_zone or kind.temperature != sku.temperature:
        return 0
    piece = sorted((sku.length_mm, sku.width_mm, sku.height_mm))
    sides = sorted((kind.width_mm, kind.depth_mm, kind.height_mm))
    if any(side > space for side, space in zip(piece, sides, strict=True)):
        return 0
    by_volume = int(kind.volume_mm3 * FILL_MAX) // max(1, sku.volume_mm3)
    return min(by_volume, kind.weight_max_g // max(1, sku.weight_g))


def _fits(goods: Goods, kinds: Sequence[SlotKind]) -> tuple[bool, ...]:
    return tuple(_room(goods.sku, goods.bonded, kind) >= goods.quantity for kind in kinds)


class _Worth:
    """Cents a month that room for goods is worth: the house's rent, shared half by its slots and half by its litres."""

    def __init__(self, session: Session, warehouse_id: int, rates: Rates, bays: Sequence[Rack]) -> None:
        outline = site.hall(session, warehouse_id).outline
        rent = area_mm2(outline) / 1_000_000 * rates.rent_cents_m2_month
        self._slot = rent / 2 / max(1, sum(len(rack.slots) for rack in bays))
        self._litre = rent / 2 / max(1, sum(volume_l(rack) for rack in bays))

    def of(self, slots: int, litres: float) -> int:
        return round(self._slot * slots + self._litre * litres)


def _wants(
    expected: Expected, skus: Mapping[int, SkuFacts], kinds: Sequence[SlotKind], worth: _Worth
) -> tuple[Want, ...]:
    """What is coming, SKUs that take the same slots together. Each SKU takes slots of one kind, of its own."""
    alike: defaultdict[tuple[int, ...], list[int]] = defaultdict(list)
    for sku_id, pieces in sorted(expected.items()):
        sku = skus.get(sku_id)
        if sku is None or pieces <= 0:
            continue
        needs = tuple(_slots_for(pieces, _room(sku, False, kind)) for kind in kinds)
        if any(needs):
            alike[needs].append(sku.volume_mm3 * pieces)
    found = []
    for needs, volumes in sorted(alike.items()):
        volume_ml = sum(volumes) // len(volumes) // MM3_A_ML
        least = min(need for need in needs if need)
        found.append(Want(needs, len(volumes), volume_ml, worth.of(least, volume_ml / ML_A_LITRE)))
    return tuple(found)


def _slots_for(pieces: int, room: int) -> int:
    slots = -(-pieces // room) if room else 0
    return slots if slots <= SLOTS_A_SKU_MAX else 0


class _Ground:
    """The racks as they are: bays, goods, who keeps which slot, and what is on its way."""

    def __init__(self, session: Session, warehouse_id: int) -> None:
        self.racks = racks(session, warehouse_id)
        self.profiles = profiles(session, warehouse_id)
        self.spare = spare_parts(session, warehouse_id)
        self._hall = site.hall(session, warehouse_id)
        self._stock: defaultdict[int, list[Stock]] = defaultdict(list)
        for row in session.scalars(
            select(Stock).where(Stock.warehouse_id == warehouse_id, Stock.on_hand > 0).order_by(Stock.id)
        ):
            self._stock[row.place_id].append(row)
        self._kept_places = set(
            session.scalars(
                select(SlotLease.place_id).where(SlotLease.warehouse_id == warehouse_id, SlotLease.until > WALL.now())
            )
        )
        busy = select(MoveProposal.source_id, MoveProposal.target_id).where(
            MoveProposal.warehouse_id == warehouse_id, MoveProposal.state == "accepted"
        )
        self._busy = {place for row in session.execute(busy) for place in row}
        self._under_way = set(
            session.scalars(
                select(BayDivision.bay_id).where(
                    BayDivision.warehouse_id == warehouse_id, BayDivision.state.in_(OPEN_STATES)
                )
            )
        )
        self._walks = {
            slot.bay_id: distance_mm(
                self._hall.hall, self._hall.depot, stop_point(self._hall.hall, Stop(slot.aisle_index, slot.y_mm))
            )
            for slot in site.slots(session, warehouse_id)
        }

    @property
    def skus(self) -> set[int]:
        return {row.sku_id for rows in self._stock.values() for row in rows}

    @property
    def kinds(self) -> set[SlotKind]:
        return {_kind_of(rack, slot) for rack in self.racks for slot in rack.slots}

    def used_mm3(self, skus: Mapping[int, SkuFacts]) -> int:
        """Goods in slots."""
        inside = [row for rack in self.racks for slot in rack.slots for row in self._stock[slot.place_id]]
        return sum(skus[row.sku_id].volume_mm3 * row.on_hand for row in inside)

    def sorted_out(self, skus: Mapping[int, SkuFacts]) -> tuple[list[Candidate], dict[Kept, list[str]]]:
        """Bays that may be changed, and the others by what forbids it."""
        found, kept = [], defaultdict(list)
        for rack in self.racks:
            why = self._why_not(rack)
            if why is None:
                loads = tuple(
                    self._load(row, skus, slot.bonded) for slot in rack.slots for row in self._stock[slot.place_id]
                )
                found.append(Candidate(rack, loads, self._walks[rack.bay_id]))
            else:
                kept[why].append(rack.label)
        return found, dict(kept)

    def _load(self, row: Stock, skus: Mapping[int, SkuFacts], bonded: bool) -> Load:
        goods = Goods(skus[row.sku_id], row.lot_id, row.on_hand, row.condition, bonded, row.book)
        return Load(row.id, row.place_id, goods)

    def _why_not(self, rack: Rack) -> Kept | None:
        rows = [row for slot in rack.slots for row in self._stock[slot.place_id]]
        places = {slot.place_id for slot in rack.slots}
        reasons = {
            Kept.EMPTY_BAY: not rack.slots,
            Kept.UNDER_WAY: rack.bay_id in self._under_way,
            Kept.AISLE: any(slot.shut for slot in rack.slots),
            Kept.BLOCKED: any(slot.blocked for slot in rack.slots),
            Kept.UNDER_COUNT: any(slot.under_count for slot in rack.slots),
            Kept.KEPT: bool(places & (self._kept_places | self._busy)),
            Kept.PROMISED: any(row.promised for row in rows),
            Kept.FROZEN: any(row.frozen_reason for row in rows),
            Kept.CONDITION: any(row.condition != Condition.GOOD.value for row in rows),
            Kept.NO_PROFILE: not self._cuts(rack),
        }
        return next((why for why, true in reasons.items() if true), None)

    def cuts(self, one: Candidate) -> list[Profile]:
        return self._cuts(one.rack)

    def _cuts(self, rack: Rack) -> list[Profile]:
        """Profiles that these uprights take and that would change something."""
        now = {(slot.width_mm, slot.height_mm, slot.weight_max_g) for slot in rack.slots}
        return [
            profile
            for profile in self.profiles.values()
            if bay_takes(rack, profile)
            and (
                now != {(profile.width_mm, profile.height_mm, profile.weight_max_g)}
                or len(rack.slots) != profile.levels * profile.positions
            )
        ]

    def free(self, rack: Rack, number: Mapping[SlotKind, int]) -> list[int]:
        """Empty slots of a bay by kind."""
        found = [0] * len(number)
        for slot in rack.slots:
            shut = slot.blocked or slot.shut or slot.under_count or slot.place_id in self._kept_places | self._busy
            if not shut and not self._stock[slot.place_id]:
                found[number[_kind_of(rack, slot)]] += 1
        return found

    def bay(
        self,
        one: Candidate,
        number: Mapping[SlotKind, int],
        leaving: Sequence[tuple[bool, ...]],
        kinds: Sequence[SlotKind],
        depths: Sequence[int],
        rates: Rates,
    ) -> Bay:
        """The bay as the solver sees it."""
        goods = [0] * len(leaving)
        for load in one.loads:
            goods[leaving.index(_fits(load.goods, kinds))] += 1
        cuts = []
        for profile in self._cuts(one.rack):
            need = parts_in(profile) - one.rack.parts
            cost = round(seconds_of(one, profile, rates) * rates.wage_cents_s)
            slots = profile.levels * profile.positions
            cuts.append(Cut(profile.name, number[_kind_cut(one.rack, profile)], slots, need.beams, need.dividers, cost))
        free = tuple(self.free(one.rack, number))
        return Bay(free, tuple(goods), depths.index(one.rack.depth_mm), tuple(cuts))


def seconds_of(one: Candidate, profile: Profile, rates: Rates) -> int:
    """The work: goods carried away one by one, parts changed, labels hung."""
    need = parts_in(profile) - one.rack.parts
    walk_s = 2 * one.walk_mm / rates.walk_mm_s
    parts_s = SETUP_S + BEAM_S * abs(need.beams) + DIVIDER_S * abs(need.dividers)
    return round(parts_s + LABEL_S * profile.levels * profile.positions + len(one.loads) * (LOAD_S + walk_s))
