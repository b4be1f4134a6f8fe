"""The building: places goods can be in, and how one walks between them. Lengths in mm, loads in g."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from wms.core.db import Base, BigId, Code, Json, Name, PrimaryKey, UtcTime, WarehouseId
from wms.core.db.numbers import NEVER_AGAIN


class Warehouse(Base):
    """A building with a time zone, working hours and rules (`settings`)."""

    __tablename__ = "warehouse"

    id: Mapped[PrimaryKey]
    code: Mapped[Code] = mapped_column(unique=True)
    name: Mapped[Name]
    time_zone: Mapped[Code]
    settings: Mapped[Json]


class Hall(Base):
    """A rectangular hall: aisles along y at `aisle_x_mm`, cross aisles along x at `cross_y_mm`; the depot is where
    carts start.
    """

    __tablename__ = "hall"

    id: Mapped[PrimaryKey]
    warehouse_id: Mapped[WarehouseId]
    code: Mapped[Code]
    name: Mapped[Name]
    width_mm: Mapped[int]
    depth_mm: Mapped[int]
    cross_y_mm: Mapped[Json]
    depot_x_mm: Mapped[int]
    depot_y_mm: Mapped[int]
    outline: Mapped[Json]
    version: Mapped[int] = mapped_column(default=1)

    __table_args__ = (UniqueConstraint("warehouse_id", "code"),)


class Zone(Base):
    """A part of a hall with its own rules: storage, bonded, bulky; and how cold it is kept (`Temperature`)."""

    __tablename__ = "zone"

    id: Mapped[PrimaryKey]
    warehouse_id: Mapped[WarehouseId]
    hall_id: Mapped[int] = mapped_column(ForeignKey("hall.id"))
    code: Mapped[Code]
    name: Mapped[Name]
    kind: Mapped[Code]
    temperature: Mapped[Code] = mapped_column(default="ambient")

    __table_args__ = (
        UniqueConstraint("warehouse_id", "code"),
        CheckConstraint("temperature IN ('ambient', 'cool', 'chilled', 'frozen')", name="temperature_known"),
    )


class Aisle(Base):
    """An aisle of a zone. `number` is what is painted, `index` its order along x in the hall (0-based)."""

    __tablename__ = "aisle"

    id: Mapped[PrimaryKey]
    warehouse_id: Mapped[WarehouseId]
    hall_id: Mapped[int] = mapped_column(ForeignKey("hall.id"))
    zone_id: Mapped[int] = mapped_column(ForeignKey("zone.id"))
    number: Mapped[int]
    index: Mapped[int]
    x_mm: Mapped[int]

    __table_args__ = (UniqueConstraint("hall_id", "index"),)


class Closure(Base):
    """A stretch of an aisle, or all aisles of a zone, where nobody may walk; `opened_at` tells when it was over.

    `until` is when it opens by itself, if somebody said so. `hall_version` is the hall's since it is closed.
    """

    __tablename__ = "closure"

    id: Mapped[PrimaryKey]
    warehouse_id: Mapped[WarehouseId]
    hall_id: Mapped[int] = mapped_column(ForeignKey("hall.id"))
    zone_id: Mapped[int | None] = mapped_column(ForeignKey("zone.id"))
    aisle_id: Mapped[int | None] = mapped_column(ForeignKey("aisle.id"))
    from_y_mm: Mapped[int]
    to_y_mm: Mapped[int]
    why: Mapped[Name]
    until: Mapped[UtcTime | None]
    closed_by: Mapped[Code]
    closed_at: Mapped[UtcTime]
    hall_version: Mapped[int]
    opened_by: Mapped[Code] = mapped_column(default="")
    opened_at: Mapped[UtcTime | None]

    __table_args__ = (
        CheckConstraint("(zone_id IS NULL) <> (aisle_id IS NULL)", name="zone_or_aisle"),
        CheckConstraint("from_y_mm < to_y_mm", name="has_length"),
        Index(None, "warehouse_id", "opened_at"),
    )


class Bay(Base):
    """One bay of a rack on one side of an aisle, with the profile its beams and dividers make. `frame_mm` is how much
    of its uprights takes beams: levels and the beams under them.

    `weight_max_g` is what the uprights carry: as somebody said (`weight_stated`), else all slots at their limit.
    """

    __tablename__ = "bay"

    id: Mapped[PrimaryKey]
    warehouse_id: Mapped[WarehouseId]
    aisle_id: Mapped[int] = mapped_column(ForeignKey("aisle.id"))
    side: Mapped[Code]
    number: Mapped[int]
    y_mm: Mapped[int]
    profile: Mapped[Code]
    levels: Mapped[int]
    weight_max_g: Mapped[int]
    weight_stated: Mapped[bool] = mapped_column(default=False)
    frame_mm: Mapped[int] = mapped_column(default=0)

    __table_args__ = (UniqueConstraint("aisle_id", "side", "number"),)


class BayProfile(Base):
    """A way to cut a bay that this building uses beside the standard ones. Sizes and load are those of one slot;
    `level_weight_max_g` is what a pair of beams carries where nobody knows it of the bay's own (None: its slots' load).
    """

    __tablename__ = "bay_profile"

    id: Mapped[PrimaryKey]
    warehouse_id: Mapped[WarehouseId]
    code: Mapped[Code]
    levels: Mapped[int]
    positions: Mapped[int]
    width_mm: Mapped[int]
    depth_mm: Mapped[int]
    height_mm: Mapped[int]
    weight_max_g: Mapped[int]
    level_weight_max_g: Mapped[int | None]
    skus_max: Mapped[int] = mapped_column(default=1)

    __table_args__ = (
        UniqueConstraint("warehouse_id", "code"),
        CheckConstraint("levels > 0 AND positions > 0", name="has_slots"),
    )


class RackPart(Base):
    """Beams (a pair with its deck makes a level) or dividers that lie ready, for racks of one depth."""

    __tablename__ = "rack_part"

    id: Mapped[PrimaryKey]
    warehouse_id: Mapped[WarehouseId]
    kind: Mapped[Code]
    depth_mm: Mapped[int]
    spare: Mapped[int] = mapped_column(default=0)

    __table_args__ = (
        UniqueConstraint("warehouse_id", "kind", "depth_mm"),
        CheckConstraint("kind IN ('beam', 'divider')", name="kind_known"),
        CheckConstraint("spare >= 0", name="spare_not_negative"),
    )


class Place(Base):
    """Anything goods can be in: a slot, a container, a station's table, or one of the virtual places outside.

    Virtual places (supplier, customer, shrinkage, kit, transit, recondition) have no stock rows: their balance is
    what movements say.
    """

    __tablename__ = "place"

    id: Mapped[PrimaryKey]
    warehouse_id: Mapped[WarehouseId]
    kind: Mapped[Code]
    code: Mapped[Code]

    __table_args__ = (
        UniqueConstraint("warehouse_id", "kind", "code"),
        CheckConstraint("kind IN ('slot', 'container', 'staging', 'virtual')", name="kind_known"),
        NEVER_AGAIN,
    )


class Slot(Base):
    """The smallest addressed place in a rack. `index` along the aisle tells its walking position `y_mm`.

    `level_weight_max_g` is what the beams under its level carry in all, the same for all slots of a level (None: what
    the slots may hold together). `blocked` is about the slot itself; `shut` says that nobody can walk to it while
    something is closed.
    """

    __tablename__ = "slot"

    place_id: Mapped[int] = mapped_column(ForeignKey("place.id"), primary_key=True)
    warehouse_id: Mapped[WarehouseId]
    zone_id: Mapped[int] = mapped_column(ForeignKey("zone.id"))
    aisle_id: Mapped[int] = mapped_column(ForeignKey("aisle.id"))
    bay_id: Mapped[int] = mapped_column(ForeignKey("bay.id"))
    code: Mapped[Code]
    side: Mapped[Code]
    level: Mapped[int]
    position: Mapped[int]
    aisle_index: Mapped[int]
    y_mm: Mapped[int]
    width_mm: Mapped[int]
    depth_mm: Mapped[int]
    height_mm: Mapped[int]
    weight_max_g: Mapped[int]
    level_weight_max_g: Mapped[int | None]
    skus_max: Mapped[int] = mapped_column(default=1)
    bonded: Mapped[bool] = mapped_column(default=False)
    blocked: Mapped[bool] = mapped_column(default=False)
    under_count: Mapped[bool] = mapped_column(default=False)
    shut: Mapped[bool] = mapped_column(default=False)
    retired: Mapped[bool] = mapped_column(default=False)

    __table_args__ = (
        UniqueConstraint("warehouse_id", "code"),
        Index(None, "warehouse_id", "zone_id"),
        Index(None, "bay_id"),
    )


class SlotChange(Base):
    """What became of a slot when its bay was divided anew: room of the `old_id` is now room of the `new_id`.

    Several new ones of one old one: it was split. Several old ones of one new one: they were merged. Without a new one
    the old one is gone, without an old one there was no slot before.
    """

    __tablename__ = "slot_change"

    id: Mapped[PrimaryKey]
    warehouse_id: Mapped[WarehouseId]
    bay_id: Mapped[int] = mapped_column(ForeignKey("bay.id"))
    old_id: Mapped[int | None] = mapped_column(ForeignKey("slot.place_id"))
    new_id: Mapped[int | None] = mapped_column(ForeignKey("slot.place_id"))
    actor: Mapped[Code]
    reference: Mapped[Code]
    at: Mapped[UtcTime]

    __table_args__ = (
        CheckConstraint("old_id IS NOT NULL OR new_id IS NOT NULL", name="of_a_slot"),
        Index(None, "bay_id"),
        Index(None, "old_id"),
        Index(None, "new_id"),
    )


class Container(Base):
    """What moves with goods in it: LPN, tote, cart, parcel. Its barcode is `codes.make(kind, code)`; it may stand in
    another place.
    """

    __tablename__ = "container"

    place_id: Mapped[int] = mapped_column(ForeignKey("place.id"), primary_key=True)
    warehouse_id: Mapped[WarehouseId]
    kind: Mapped[Code]
    code: Mapped[Code]
    parent_place_id: Mapped[BigId | None]
    positions: Mapped[int] = mapped_column(default=1)
    state: Mapped[Code] = mapped_column(default="free")

    __table_args__ = (
        UniqueConstraint("warehouse_id", "kind", "code"),
        CheckConstraint("kind IN ('lpn', 'tote', 'cart', 'parcel')", name="kind_known"),
        Index(None, "warehouse_id", "code"),
    )


class Station(Base):
    """A table or door where work is done: receiving, packing, sorting, dock. Its staging place has the same id as
    `place_id`.
    """

    __tablename__ = "station"

    id: Mapped[PrimaryKey]
    warehouse_id: Mapped[WarehouseId]
    place_id: Mapped[BigId]
    code: Mapped[Code]
    kind: Mapped[Code]
    name: Mapped[Name]
    x_mm: Mapped[int]
    y_mm: Mapped[int]
    weight_g: Mapped[int | None]
    weighed_at: Mapped[UtcTime | None]

    __table_args__ = (UniqueConstraint("warehouse_id", "code"),)


class Chute(Base):
    """One exit of the sorting line, as painted on it. 0 is the reject exit and has no row."""

    __tablename__ = "chute"

    id: Mapped[PrimaryKey]
    warehouse_id: Mapped[WarehouseId]
    number: Mapped[int]
    side: Mapped[Code]
    x_mm: Mapped[int]
    y_mm: Mapped[int]
    state: Mapped[Code] = mapped_column(default="OPEN")
    parcels: Mapped[int] = mapped_column(default=0)
    parcels_max: Mapped[int] = mapped_column(default=60)

    __table_args__ = (UniqueConstraint("warehouse_id", "number"),)
