"""How slots are named, and how racks of a given make fill a hall: plans in, lists of rows out."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby, pairwise

from wms.core.refusal import Reason, Refused
from wms.optimise.geometry import Point, RectHall
from wms.site.values import POSITION_LETTERS, Temperature, ZoneKind

_SLOT_CODE = re.compile(rf"^([{POSITION_LETTERS}])(\d{{2}})-(\d{{2}})-(\d)([{POSITION_LETTERS}]?)$")
LEFT, RIGHT = "L", "R"
_CROSS_AISLE_HALF_MM = 1_500


@dataclass(frozen=True, slots=True)
class SlotName:
    """A slot's code in its parts. `position` counts from 1; 1 of an undivided level has no letter."""

    zone: str
    aisle: int
    bay: int
    level: int
    position: int = 1
    divided: bool = False

    def __str__(self) -> str:
        letter = POSITION_LETTERS[self.position - 1] if self.divided else ""
        return f"{self.zone}{self.aisle:02d}-{self.bay:02d}-{self.level}{letter}"


def read_slot_code(code: str) -> SlotName:
    """The parts of `B12-07-3` or `B12-07-3B`. Raises SLOT_UNKNOWN for anything else."""
    found = _SLOT_CODE.match(code)
    if not found:
        raise Refused(Reason.SLOT_UNKNOWN, slot=code[:40])
    zone, aisle, bay, level, letter = found.groups()
    position = POSITION_LETTERS.index(letter) + 1 if letter else 1
    return SlotName(zone, int(aisle), int(bay), int(level), position, bool(letter))


@dataclass(frozen=True, slots=True)
class Profile:
    """How a bay's beams and dividers cut it up. Sizes are those of one slot.

    `level_weight_max_g` is what the beams carry that such a bay is built with; None: as much as all slots on them.
    """

    name: str
    levels: int
    positions: int
    width_mm: int
    depth_mm: int
    height_mm: int
    weight_max_g: int
    skus_max: int
    aisle_width_mm: int
    level_weight_max_g: int | None = None


BEAM_MM = 50


@dataclass(frozen=True, slots=True)
class Parts:
    """Beams (a pair with its deck makes a level) and dividers."""

    beams: int = 0
    dividers: int = 0

    def __sub__(self, other: Parts) -> Parts:
        return Parts(self.beams - other.beams, self.dividers - other.dividers)

    def __neg__(self) -> Parts:
        return Parts(-self.beams, -self.dividers)

    @property
    def pieces(self) -> int:
        return abs(self.beams) + abs(self.dividers)


BIN = Profile("bin", 4, 2, 980, 600, 450, 60_000, 2, 1_400, 100_000)
SHELF = Profile("shelf", 3, 2, 980, 600, 620, 150_000, 1, 1_400, 260_000)
LONG = Profile("long", 5, 1, 1_980, 600, 400, 200_000, 1, 1_400, 200_000)
PALLET = Profile("pallet", 2, 2, 980, 1_100, 1_500, 800_000, 1, 2_800, 1_500_000)
TRAY = Profile("tray", 6, 3, 646, 600, 280, 25_000, 1, 1_400, 100_000)
SMALL = Profile("small", 4, 3, 646, 600, 450, 40_000, 1, 1_400, 100_000)
CUBBY = Profile("cubby", 5, 4, 480, 600, 340, 24_000, 1, 1_400, 100_000)
LOW_PALLET = Profile("low_pallet", 3, 2, 980, 1_100, 950, 500_000, 1, 2_800, 1_500_000)
CARTON = Profile("carton", 4, 3, 646, 1_100, 700, 260_000, 1, 2_800, 1_500_000)
PROFILES = {profile.name: profile for profile in (BIN, SHELF, LONG, PALLET, TRAY, SMALL, CUBBY, LOW_PALLET, CARTON)}
BAY_WIDTH_MM = 2_000


@dataclass(frozen=True, slots=True)
class ZonePlan:
    """Neighbouring aisles of one zone, each with the profile of its racks."""

    code: str
    name: str
    kind: ZoneKind
    profiles: tuple[Profile, ...]
    temperature: Temperature = Temperature.AMBIENT


@dataclass(frozen=True, slots=True)
class StationPlan:
    code: str
    kind: str
    name: str
    x_mm: int
    y_mm: int


@dataclass(frozen=True, slots=True)
class HallPlan:
    """A hall to be built: walls, zones from the left, `blocks` of `bays_per_block` bays between cross aisles."""

    code: str
    name: str
    width_mm: int
    depth_mm: int
    outline: tuple[Point, ...]
    first_x_mm: int
    front_y_mm: int
    blocks: int
    bays_per_block: int
    depot_after_aisle: int
    zones: tuple[ZonePlan, ...]
    stations: tuple[StationPlan, ...]

    @property
    def block_mm(self) -> int:
        return block_length_mm(self.bays_per_block)

    @property
    def cross_y_mm(self) -> tuple[int, ...]:
        return tuple(self.front_y_mm + block * self.block_mm for block in range(self.blocks + 1))

    @property
    def aisles(self) -> tuple[AislePlan, ...]:
        return tuple(_aisles(self))

    @property
    def depot(self) -> Point:
        """Where carts start: on the front cross aisle, at an aisle."""
        return Point(self.aisles[self.depot_after_aisle].x_mm, self.front_y_mm)


@dataclass(frozen=True, slots=True)
class AislePlan:
    zone: ZonePlan
    number: int
    index: int
    x_mm: int
    profile: Profile


@dataclass(frozen=True, slots=True)
class BayPlan:
    """A bay: odd numbers on the left, even ones on the right, counted from the front."""

    aisle: AislePlan
    side: str
    number: int
    y_mm: int


def _aisles(plan: HallPlan) -> Iterator[AislePlan]:
    edge_mm, index = plan.first_x_mm, 0
    for zone in plan.zones:
        for profile in zone.profiles:
            half_mm = profile.depth_mm + profile.aisle_width_mm // 2
            yield AislePlan(zone, index + 1, index, edge_mm + half_mm, profile)
            edge_mm += 2 * half_mm
            index += 1


def bays(plan: HallPlan) -> Iterator[BayPlan]:
    """Every bay of the hall, aisle by aisle."""
    for aisle in plan.aisles:
        for row in range(plan.blocks * plan.bays_per_block):
            block, place = divmod(row, plan.bays_per_block)
            y_mm = plan.cross_y_mm[block] + _CROSS_AISLE_HALF_MM + place * BAY_WIDTH_MM + BAY_WIDTH_MM // 2
            for number in (2 * row + 1, 2 * row + 2):
                yield BayPlan(aisle, side_of(number), number, y_mm)


def block_length_mm(rows: int) -> int:
    """From one cross aisle to the next, with so many rows of standard bays between them."""
    return rows * BAY_WIDTH_MM + 2 * _CROSS_AISLE_HALF_MM


def side_of(bay_number: int) -> str:
    """Odd bays stand on the left, even ones on the right."""
    return LEFT if bay_number % 2 else RIGHT


def bay_y_mm(hall: RectHall, bay_number: int) -> int:
    """Where a bay of this number stands: rows of standard bays between the cross aisles, from the front.

    Raises BAD_INPUT when the aisles end before it.
    """
    row = (bay_number - 1) // 2
    for front_mm, back_mm in pairwise(hall.cross_y_mm):
        rows = (back_mm - front_mm - 2 * _CROSS_AISLE_HALF_MM) // BAY_WIDTH_MM
        if row < rows:
            return front_mm + _CROSS_AISLE_HALF_MM + row * BAY_WIDTH_MM + BAY_WIDTH_MM // 2
        row -= rows
    raise Refused(Reason.BAD_INPUT, what=f"bay {bay_number}")


def slot_names(bay: BayPlan) -> Iterator[SlotName]:
    """The slots of a bay, level by level."""
    profile = bay.aisle.profile
    for level in range(1, profile.levels + 1):
        for position in range(1, profile.positions + 1):
            yield SlotName(bay.aisle.zone.code, bay.aisle.number, bay.number, level, position, profile.positions > 1)


def parts_of(levels: Iterable[int]) -> Parts:
    """What stands in a bay, from the level of each of its slots: a beam a level, a divider between two slots."""
    each = Counter(levels)
    return Parts(len(each), sum(each.values()) - len(each))


def parts_in(profile: Profile) -> Parts:
    """What a bay of this profile is made of."""
    return Parts(profile.levels, profile.levels * (profile.positions - 1))


def frame_mm(profile: Profile) -> int:
    """How much of the uprights a profile needs: each level and the beam under it."""
    return profile.levels * (profile.height_mm + BEAM_MM)


def load_g(profile: Profile) -> int:
    """All slots of a bay of this profile at their limit."""
    return profile.levels * profile.positions * profile.weight_max_g


@dataclass(frozen=True, slots=True)
class Face:
    """A slot as one stands before its bay: from the left post and from the floor, in mm."""

    level: int
    position: int
    x_mm: int
    z_mm: int
    width_mm: int
    height_mm: int

    def meets(self, other: Face) -> bool:
        """Whether the two share room."""
        across = self.x_mm < other.x_mm + other.width_mm and other.x_mm < self.x_mm + self.width_mm
        return across and self.z_mm < other.z_mm + other.height_mm and other.z_mm < self.z_mm + self.height_mm


def faces(slots: Iterable[tuple[int, int, int, int]]) -> list[Face]:
    """Slots (level, position, width, height) as they stand: levels on their beams, positions from the left."""
    wanted = sorted(slots)
    found: list[Face] = []
    z_mm = 0
    for _, row in groupby(wanted, key=lambda one: one[0]):
        z_mm += BEAM_MM
        x_mm = tall = 0
        for level, position, width_mm, height_mm in row:
            found.append(Face(level, position, x_mm, z_mm, width_mm, height_mm))
            x_mm, tall = x_mm + width_mm, max(tall, height_mm)
        z_mm += tall
    return found


def floors_mm(levels: Mapping[int, int]) -> dict[int, int]:
    """How high each level's floor is above the hall's, from the heights of the levels."""
    found: dict[int, int] = {}
    z_mm = 0
    for level, height_mm in sorted(levels.items()):
        found[level] = z_mm + BEAM_MM
        z_mm += BEAM_MM + height_mm
    return found


def profile_slots(profile: Profile) -> list[tuple[int, int, int, int]]:
    """The slots of a profile as (level, position, width, height)."""
    return [
        (level, position, profile.width_mm, profile.height_mm)
        for level in range(1, profile.levels + 1)
        for position in range(1, profile.positions + 1)
    ]


def area_mm2(outline: tuple[Point, ...]) -> int:
    """Area within a closed line of corners (the shoelace formula)."""
    following = (*outline[1:], outline[0])
    return abs(sum(a.x_mm * b.y_mm - b.x_mm * a.y_mm for a, b in zip(outline, following, strict=True))) // 2
