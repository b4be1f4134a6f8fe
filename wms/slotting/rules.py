"""Which slots are lawful and which is best: numbers in, numbers out.

All arrays have one entry per slot. Lengths in mm, volumes in mm3, weights in g.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from wms.slotting.values import FILL_MAX, GOOD, Goods, Lift, Rule, Why

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

HAND_LEVELS = (2, 3)
HEAVY_G = 10_000
LEVEL_COST_M = 3.0
HEAVY_LEVEL_COST_M = 8.0
WASTE_COST_M = 6.0
SAME_SKU_BONUS_M = 40.0


@dataclass(frozen=True, slots=True)
class Slots:
    """The slots of a warehouse as arrays, in the order of their codes. `sizes` is (n, 3), each row ascending; one
    stands in `aisle` at `y_mm` in the rack bay `bay`; `kinds` says for each kind of zone which slots are of it.

    `climates` says of each temperature which slots are kept so; `floor_mm` is how high a slot's floor is, `by_hand`
    that no truck lifts goods into it. `beams` and `uprights` number the levels and bays they stand on and in; the
    arrays of what these carry have one entry per level and bay.
    """

    place_id: Ints
    codes: tuple[str, ...]
    zone_kind: NDArray[np.str_]
    kinds: Mapping[str, Flags]
    climates: Mapping[str, Flags]
    bonded: Flags
    sizes: Ints
    volume: Ints
    weight_max: Ints
    level: Ints
    floor_mm: Ints
    by_hand: Flags
    bay: Ints
    aisle: Ints
    y_mm: Ints
    walk_mm: Ints
    beams: Ints
    beams_max: Ints
    uprights: Ints
    uprights_max: Ints


@dataclass(frozen=True, slots=True)
class Occupied:
    """What lies in each slot now. `hazards` says for each hazard class which slots have such goods in their bay;
    `beams_g` and `uprights_g` are what lies on each level and in each bay, and what is on its way there.

    `alike` says of each group of look-alikes (merchant, group) in which bays (by `Slots.uprights`) each SKU of it lies.
    `dated` are the slots where good lots of a SKU lie that expire: slot, lot and day (as a number); `expires` is the
    day of the goods asked about, None for the day of their lot in the racks.
    """

    taken: Flags
    blocked: Flags
    under_count: Flags
    leased: Flags
    used_volume: Ints
    used_weight: Ints
    same_sku: Flags
    beams_g: Ints
    uprights_g: Ints
    hazards: Mapping[str, Flags] = field(default_factory=dict)
    alike: Mapping[tuple[int, str], Mapping[int, Collection[int]]] = field(default_factory=dict)
    dated: Mapping[int, Sequence[tuple[int, int, int]]] = field(default_factory=dict)
    expires: int | None = None
    lift: Lift = field(default_factory=Lift)


def masks(slots: Slots, now: Occupied, goods: Goods) -> dict[Rule, Flags]:
    """For each hard rule: where it is kept. A slot with the same SKU, lot and owner counts as free while there is
    room.
    """
    piece = np.sort(np.array([goods.sku.length_mm, goods.sku.width_mm, goods.sku.height_mm]))
    return {
        Rule.TAKEN: ~now.taken | now.same_sku,
        Rule.BLOCKED: ~now.blocked,
        Rule.UNDER_COUNT: ~now.under_count,
        Rule.ZONE: _of_kind(slots, goods.sku.zone_kind) | (slots.bonded & goods.bonded),
        Rule.TEMPERATURE: _kept_at(slots, goods.sku.temperature),
        Rule.BONDED: slots.bonded == goods.bonded,
        Rule.SIZE: _fits(slots, piece),
        Rule.VOLUME: _room(slots, now) >= goods.volume_mm3,
        Rule.WEIGHT: slots.weight_max - now.used_weight >= goods.weight_g,
        Rule.LEVEL_WEIGHT: _carries(slots, slots.beams, slots.beams_max - now.beams_g, goods),
        Rule.BAY_WEIGHT: _carries(slots, slots.uprights, slots.uprights_max - now.uprights_g, goods),
        Rule.LIFT: _liftable(slots, now.lift, goods.sku.weight_g),
        Rule.HAZARD: _apart(now, goods.sku.hazard, len(slots.level)),
        Rule.LOOKALIKE: _unlike(slots, now, goods),
        Rule.EXPIRY: _in_order_of_expiry(slots, now, goods),
        Rule.LEASED: ~now.leased,
    }


def most(slots: Slots, now: Occupied, goods: Goods, but: Collection[str] = ()) -> int:
    """How many pieces of `goods` the lawful slot that takes most of them takes; `but` names slots that are left out."""
    one = replace(goods, quantity=1)
    lawful = np.logical_and.reduce(list(masks(slots, now, one).values()))
    lawful[[at for at, code in enumerate(slots.codes) if code in but] if but else []] = False
    if not lawful.any():
        return 0
    spare_g = np.minimum.reduce(
        [
            slots.weight_max - now.used_weight,
            (slots.beams_max - now.beams_g)[slots.beams],
            (slots.uprights_max - now.uprights_g)[slots.uprights],
        ]
    )
    pieces = np.minimum(_room(slots, now) // max(1, one.volume_mm3), spare_g // max(1, one.weight_g))
    return min(goods.quantity, int(pieces[lawful].max()))


def _room(slots: Slots, now: Occupied) -> Ints:
    return np.asarray((slots.volume * FILL_MAX).astype(np.int64) - now.used_volume)


def _carries(slots: Slots, of_slot: Ints, spare_g: Ints, goods: Goods) -> Flags:
    """Levels (or bays) that carry the goods as well; those the goods leave carry them already."""
    carries = spare_g >= goods.weight_g
    if goods.leaves is not None:
        carries[of_slot[slots.place_id == goods.leaves]] = True
    return np.asarray(carries[of_slot])


def _apart(now: Occupied, hazard: str, slots: int) -> Flags:
    """Bays without goods of another hazard class; goods that are not hazardous may stand anywhere."""
    apart = np.ones(slots, dtype=np.bool_)
    for other, beside in now.hazards.items():
        if hazard and other != hazard:
            apart &= ~beside
    return apart


def _unlike(slots: Slots, now: Occupied, goods: Goods) -> Flags:
    """Bays without another SKU of the merchant that looks like this one."""
    beside = np.zeros(len(slots.uprights_max), dtype=np.bool_)
    if goods.sku.lookalike:
        for sku_id, bays in now.alike.get((goods.sku.merchant_id, goods.sku.lookalike), {}).items():
            if sku_id != goods.sku.id:
                beside[list(bays)] = True
    return np.asarray(~beside[slots.uprights])


def _in_order_of_expiry(slots: Slots, now: Occupied, goods: Goods) -> Flags:
    """In one bay, goods of one SKU never stand higher than others of it that expire later: what goes first lies where
    it is reached first.
    """
    kept = np.ones(len(slots.level), dtype=np.bool_)
    lots = now.dated.get(goods.sku.id, ()) if goods.condition == GOOD else ()
    expires = now.expires or next((day for _, lot, day in lots if lot == goods.lot_id), None)
    if expires is None:
        return kept
    for at, _, day in lots:
        same_bay = slots.uprights == slots.uprights[at]
        if day > expires:
            kept &= ~(same_bay & (slots.level > slots.level[at]))
        elif day < expires:
            kept &= ~(same_bay & (slots.level < slots.level[at]))
    return kept


def _liftable(slots: Slots, lift: Lift, piece_g: int) -> Flags:
    """Heavy pieces are not lifted by hand above the shoulder."""
    if piece_g <= lift.heavy_piece_g:
        return np.ones(len(slots.level), dtype=np.bool_)
    return np.asarray(~slots.by_hand | (slots.floor_mm <= lift.shoulder_mm))


def _kept_at(slots: Slots, temperature: str) -> Flags:
    return slots.climates.get(temperature, np.zeros(len(slots.level), dtype=np.bool_))


def _of_kind(slots: Slots, kind: str) -> Flags:
    return slots.kinds.get(kind, np.zeros(len(slots.level), dtype=np.bool_))


def _fits(slots: Slots, piece: Ints) -> Flags:
    """Side by side, the smallest first: a piece may be turned."""
    small, middle, large = (slots.sizes[:, side] >= piece[side] for side in range(3))
    return np.asarray(small & middle & large)


def first_broken(kept: dict[Rule, Flags], index: int) -> Rule | None:
    """The first rule that shuts this slot out."""
    return next((rule for rule, where in kept.items() if not where[index]), None)


def of_own_kind(kept: dict[Rule, Flags]) -> Flags:
    """The slots of zones in which these goods belong."""
    return kept[Rule.ZONE] & kept[Rule.TEMPERATURE] & kept[Rule.BONDED]


def nearest(slots: Slots, kept: dict[Rule, Flags]) -> int:
    """The nearest slot of the kind these goods belong in; of all slots where there is none of that kind."""
    own_kind = of_own_kind(kept)
    walk_mm = np.where(own_kind, slots.walk_mm, np.iinfo(np.int64).max) if own_kind.any() else slots.walk_mm
    return int(np.argmin(walk_mm))


def target_mm(slots: Slots, lawful: Flags, slower_share: float) -> float:
    """How far from the depot goods of this speed belong: the same quantile of the lawful slots' walks.

    `slower_share` is 0 for the fastest SKU and 1 for the slowest.
    """
    return float(np.quantile(slots.walk_mm[lawful], min(1.0, max(0.0, slower_share))))


def scores(slots: Slots, now: Occupied, goods: Goods, target: float) -> Floats:
    """Metres: away from the target band, and what a level out of reach, a heavy load high up or wasted room cost."""
    away = np.abs(slots.walk_mm - target) / 1000.0
    low, high = HAND_LEVELS
    off_hand = np.where((slots.level >= low) & (slots.level <= high), 0.0, LEVEL_COST_M * np.abs(slots.level - 2.5))
    heavy = HEAVY_LEVEL_COST_M * (slots.level - 1) if goods.weight_g >= HEAVY_G else np.zeros(len(slots.level))
    fill = (now.used_volume + goods.volume_mm3) / np.maximum(1, slots.volume)
    waste = WASTE_COST_M * (1.0 - np.minimum(1.0, fill))
    return np.asarray(away + off_hand + heavy + waste - SAME_SKU_BONUS_M * now.same_sku)


def more_skus(slots: Slots, now: Occupied) -> int:
    """How many more SKUs fit: empty open slots that take what a slot of their kind usually holds (the median).

    Where nothing lies yet, every empty open slot counts.
    """
    empty = ~now.taken & ~now.blocked & ~now.under_count
    fits = 0
    for kind in slots.kinds.values():
        holding = now.used_volume[kind & now.taken]
        usual = float(np.median(holding)) if len(holding) else 0.0
        fits += int((empty & kind & (slots.volume * FILL_MAX >= usual)).sum())
    return fits


def lowest(score: Floats, count: int) -> Ints:
    """The slots of the lowest scores, best first, equal ones in the order of their codes."""
    worst_kept = np.partition(score, min(count, len(score)) - 1)[min(count, len(score)) - 1]
    kept = np.flatnonzero(score <= worst_kept)
    return kept[np.argsort(score[kept], kind="stable")][:count]


def reasons(slots: Slots, now: Occupied, goods: Goods, index: int, slower_share: float) -> tuple[Why, ...]:
    """What spoke for this slot, in floor words."""
    fill = (now.used_volume[index] + goods.volume_mm3) / max(1, slots.volume[index])
    spoke = {
        Why.SAME_SKU: bool(now.same_sku[index]),
        Why.NEAR_FOR_FAST: slower_share <= 0.35,
        Why.FAR_FOR_SLOW: slower_share >= 0.75,
        Why.HAND_HEIGHT: int(slots.level[index]) in HAND_LEVELS,
        Why.HEAVY_LOW: goods.weight_g >= HEAVY_G and slots.level[index] == 1,
        Why.GOOD_FIT: 0.3 <= fill <= FILL_MAX,
        Why.SIZE_UNKNOWN: goods.sku.volume_mm3 == 0,
    }
    return tuple(why for why, true in spoke.items() if true)
