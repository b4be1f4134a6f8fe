"""What other rooms may know of slotting: goods looking for a slot, and suggestions with their reasons."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from wms.catalog.values import SkuFacts

FILL_MAX = 0.90
SUGGESTIONS = 3
GOOD = "good"


class Rule(StrEnum):
    """The hard rules: a slot that breaks one is never proposed and never accepted."""

    TAKEN = "taken"
    BLOCKED = "blocked"
    UNDER_COUNT = "under_count"
    ZONE = "zone"
    TEMPERATURE = "temperature"
    BONDED = "bonded"
    SIZE = "size"
    VOLUME = "volume"
    WEIGHT = "weight"
    LEVEL_WEIGHT = "level_weight"
    BAY_WEIGHT = "bay_weight"
    LIFT = "lift"
    HAZARD = "hazard"
    LOOKALIKE = "lookalike"
    EXPIRY = "expiry"
    LEASED = "leased"


@dataclass(frozen=True, slots=True)
class Lift:
    """Pieces heavier than `heavy_piece_g` are not lifted by hand above `shoulder_mm` over the floor."""

    heavy_piece_g: int = 15_000
    shoulder_mm: int = 1_400


class Why(StrEnum):
    """What spoke for a slot."""

    SAME_SKU = "same_sku"
    NEAR_FOR_FAST = "near_for_fast"
    FAR_FOR_SLOW = "far_for_slow"
    HAND_HEIGHT = "hand_height"
    HEAVY_LOW = "heavy_low"
    GOOD_FIT = "good_fit"
    SIZE_UNKNOWN = "size_unknown"


class Kept(StrEnum):
    """Why a bay is not divided anew."""

    EMPTY_BAY = "empty_bay"
    UNDER_WAY = "under_way"
    AISLE = "aisle"
    BLOCKED = "blocked"
    UNDER_COUNT = "under_count"
    KEPT = "kept"
    PROMISED = "promised"
    FROZEN = "frozen"
    CONDITION = "condition"
    NO_PROFILE = "no_profile"


@dataclass(frozen=True, slots=True)
class Goods:
    """What is to be stored: one SKU and lot of one owner. `quantity` in base units; `book` is the customs book of
    bonded goods; `leaves` is the slot they come from, if they lie in one.
    """

    sku: SkuFacts
    lot_id: int
    quantity: int
    condition: str = GOOD
    bonded: bool = False
    book: str = ""
    leaves: int | None = None

    @property
    def volume_mm3(self) -> int:
        return self.sku.volume_mm3 * self.quantity

    @property
    def weight_g(self) -> int:
        return self.sku.weight_g * self.quantity


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A lawful slot and why. `score` in metres: smaller is better. `why_not_nearest` names the rule that shut out the
    nearest.
    """

    slot_code: str
    place_id: int
    score: float
    reasons: tuple[Why, ...]
    walk_m: int
    fill_share: float
    why_not_nearest: Rule | None = None
    nearest: str = ""
