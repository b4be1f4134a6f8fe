"""What other rooms may know of the building. Lengths in mm, loads in g; a slot's `place_id` is its identity."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from wms.core import codes
from wms.optimise.geometry import Closed, Point, RectHall, Stop

VIRTUAL_PLACES = ("SUPPLIER", "CUSTOMER", "SHRINKAGE", "KIT", "TRANSIT", "RECONDITION")

# Letters of divided levels: without I, O and Q, which people read as digits.
POSITION_LETTERS = "ABCDEFGHJKLMNPRSTUVWXYZ"


class ContainerKind(StrEnum):
    """What goods travel in."""

    LPN = "lpn"
    TOTE = "tote"
    CART = "cart"
    PARCEL = "parcel"


BARCODE_KINDS = {
    ContainerKind.LPN: codes.Kind.CONTAINER,
    ContainerKind.TOTE: codes.Kind.TOTE,
    ContainerKind.CART: codes.Kind.CART,
    ContainerKind.PARCEL: codes.Kind.PARCEL,
}


class StationKind(StrEnum):
    """What is done at a table or door."""

    RECEIVING = "receiving"
    PACKING = "packing"
    SORTING = "sorting"
    DOCK = "dock"
    STAGING = "staging"


class ZoneKind(StrEnum):
    """Which goods a zone takes."""

    STORAGE = "storage"
    BULKY = "bulky"
    BONDED = "bonded"


class Temperature(StrEnum):
    """What goods need and zones offer: room temperature, up to 20 degrees Celsius (阴凉), 0 to 8 (冷藏), -18 and
    colder (冷冻).
    """

    AMBIENT = "ambient"
    COOL = "cool"
    CHILLED = "chilled"
    FROZEN = "frozen"


class ChuteState(StrEnum):
    """A chute as the line reports it."""

    OPEN = "OPEN"
    FULL = "FULL"
    LOCK = "LOCK"
    JAM = "JAM"


@dataclass(frozen=True, slots=True)
class WarehouseFacts:
    """A building: its name, its time zone and its own rules."""

    id: int
    code: str
    name: str
    time_zone: str
    settings: dict[str, object]

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    def local(self, moment: datetime) -> datetime:
        """A moment on the clock that hangs in this building."""
        return moment.astimezone(self.zone)


@dataclass(frozen=True, slots=True)
class ZoneFacts:
    id: int
    code: str
    name: str
    kind: str
    temperature: str


@dataclass(frozen=True, slots=True)
class AisleFacts:
    """An aisle: `number` is painted on it, `index` is its order from the left (0-based)."""

    id: int
    zone_id: int
    zone_code: str
    number: int
    index: int
    x_mm: int

    @property
    def name(self) -> str:
        """As it is painted: `B12`."""
        return f"{self.zone_code}{self.number:02d}"


@dataclass(frozen=True, slots=True)
class ClosureFacts:
    """What is closed now: a stretch of one aisle, or (`aisle_index` is None) every aisle of a zone. y in mm.

    `hall_version` is the hall's since then.
    """

    id: int
    zone_code: str
    aisle_index: int | None
    aisle_number: int | None
    from_y_mm: int
    to_y_mm: int
    why: str
    until: datetime | None
    closed_by: str
    closed_at: datetime
    hall_version: int

    @property
    def name(self) -> str:
        """`B12` for an aisle, `B` for a zone."""
        return self.zone_code if self.aisle_number is None else f"{self.zone_code}{self.aisle_number:02d}"


@dataclass(frozen=True, slots=True)
class HallFacts:
    """A hall as numbers: what can be walked as it was built (`hall`) and with what is closed now (`now`), its walls
    (`outline`, corners in mm) and its aisles.
    """

    id: int
    version: int
    hall: RectHall
    depot: Point
    width_mm: int
    depth_mm: int
    outline: tuple[Point, ...]
    aisles: tuple[AisleFacts, ...]
    closures: tuple[ClosureFacts, ...]
    now: RectHall

    def closed_by(self, closure: ClosureFacts) -> tuple[Closed, ...]:
        """The stretches of aisles that one closure shuts."""
        return tuple(
            Closed(aisle.index, closure.from_y_mm, closure.to_y_mm)
            for aisle in self.aisles
            if aisle.index == closure.aisle_index
            or (closure.aisle_index is None and aisle.zone_code == closure.zone_code)
        )


@dataclass(frozen=True, slots=True)
class SlotFacts:
    """One slot: where it is, what fits in it, whether it may be used."""

    place_id: int
    code: str
    zone_id: int
    zone_code: str
    zone_kind: str
    aisle_id: int
    bay_id: int
    side: str
    level: int
    position: int
    aisle_index: int
    y_mm: int
    width_mm: int
    depth_mm: int
    height_mm: int
    weight_max_g: int
    skus_max: int
    bonded: bool
    blocked: bool
    under_count: bool
    shut: bool

    @property
    def volume_mm3(self) -> int:
        return self.width_mm * self.depth_mm * self.height_mm


def slot_stop(slot: SlotFacts) -> Stop:
    """Where one stands to reach the slot."""
    return Stop(slot.aisle_index, slot.y_mm)


@dataclass(frozen=True, slots=True)
class ContainerFacts:
    """A container and its label. `parent_place_id` is where it stands, if it stands in a place."""

    place_id: int
    kind: str
    code: str
    barcode: str
    state: str
    positions: int
    parent_place_id: int | None


@dataclass(frozen=True, slots=True)
class StationFacts:
    """A station; `place_id` is its table. `weight_g` is what its scale said last, at `weighed_at`."""

    id: int
    place_id: int
    code: str
    kind: str
    name: str
    x_mm: int
    y_mm: int
    weight_g: int | None
    weighed_at: datetime | None


@dataclass(frozen=True, slots=True)
class ChuteFacts:
    id: int
    number: int
    side: str
    x_mm: int
    y_mm: int
    state: str
    parcels: int
    parcels_max: int


@dataclass(frozen=True, slots=True)
class NewSlot:
    """A slot as a list of a building names it. Aisle and bay come from its code (`B12-07-3`).

    `y_mm` is where a new bay stands along its aisle; without it the bay's number says so. What the beams of its level
    and the uprights of its bay carry is None where nobody said it.
    """

    code: str
    width_mm: int
    depth_mm: int
    height_mm: int
    weight_max_g: int
    skus_max: int = 1
    y_mm: int | None = None
    level_weight_max_g: int | None = None
    bay_weight_max_g: int | None = None
