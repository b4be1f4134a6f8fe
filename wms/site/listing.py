"""A building out of a list of its slots: what the list says is new is built, what stands there is kept.

The codes say which zone, aisle, bay and level a slot is in (`B12-07-3`); where aisles and bays stand is listed with
them or, without, follows from their numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select, update

from wms.core.call import Call
from wms.core.refusal import Reason, Refused
from wms.optimise.geometry import Point
from wms.site import bulk, generator, queries, rules
from wms.site.rules import StationPlan
from wms.site.service import add_slots
from wms.site.tables import Aisle, Hall, Zone
from wms.site.values import ContainerKind, NewSlot, StationKind, Temperature, ZoneKind

AISLE_PITCH_MM = 2_600
FIRST_AISLE_X_MM = 1_900
FRONT_Y_MM = 5_000
END_GAP_MM = 2_500
WALL_GAP_MM = 1_900
CARTS, TOTES = 4, 48

# Tables and doors a small house begins with; the codes are those of a park's plan.
STATIONS = (
    StationPlan("RC-01", StationKind.RECEIVING, "收货台 1", 1_000, 1_000),
    StationPlan("PK-01", StationKind.PACKING, "打包台 01", 4_000, 1_000),
    StationPlan("DK-01", StationKind.DOCK, "发货月台 1", 7_000, 1_000),
    StationPlan("SG-01", StationKind.STAGING, "待上架区", 10_000, 1_000),
)


@dataclass(frozen=True, slots=True)
class ListedSlot:
    """A slot with what the list says about its zone (None: as it is; storage, ambient if it is new) and where its aisle
    stands (None: in order of the numbers).
    """

    slot: NewSlot
    zone_kind: ZoneKind | None = None
    zone_name: str = ""
    x_mm: int | None = None
    temperature: Temperature | None = None

    @property
    def name(self) -> rules.SlotName:
        return rules.read_slot_code(self.slot.code)


def add_listed_slots(call: Call, listed: Sequence[ListedSlot]) -> int:
    """Add slots, with the zones and aisles (and, in an empty warehouse, the hall, four stations, carts and totes) they
    need; how many. All slots of one aisle agree on its x, all of one zone on its kind.

    Raises what `add_slots` does, BAD_INPUT for an aisle that would stand left of one that is there.
    """
    hall_id = call.session.scalar(select(Hall.id).where(Hall.warehouse_id == call.warehouse_id).limit(1))
    if hall_id is None:
        hall_id = _build_hall(call, listed)
    zone_ids = _add_zones(call, hall_id, listed)
    _add_aisles(call, hall_id, zone_ids, listed)
    return add_slots(call, [one.slot for one in listed])


def _build_hall(call: Call, listed: Sequence[ListedSlot]) -> int:
    """A hall with a cross aisle at each end, as large as the list needs; carts start at its middle aisle."""
    aisle_x = sorted(_positions(listed, []).values())
    front_mm, back_mm = _ends_mm(listed)
    width_mm, depth_mm = aisle_x[-1] + WALL_GAP_MM, back_mm + WALL_GAP_MM
    hall = Hall(
        warehouse_id=call.warehouse_id,
        code="H1",
        name="一号库房",
        width_mm=width_mm,
        depth_mm=depth_mm,
        cross_y_mm={"mm": [front_mm, back_mm]},
        depot_x_mm=aisle_x[len(aisle_x) // 2],
        depot_y_mm=front_mm,
        outline={"mm": [[0, 0], [width_mm, 0], [width_mm, depth_mm], [0, depth_mm]]},
    )
    call.session.add(hall)
    call.session.flush()
    generator.add_stations(call.session, call.warehouse_id, STATIONS)
    carts = [f"C-{number:02d}" for number in range(1, CARTS + 1)]
    generator.add_containers(call.session, call.warehouse_id, ContainerKind.CART, carts)
    totes = [f"T-{number:04d}" for number in range(1, TOTES + 1)]
    generator.add_containers(call.session, call.warehouse_id, ContainerKind.TOTE, totes)
    return hall.id


def _ends_mm(listed: Sequence[ListedSlot]) -> tuple[int, int]:
    """Where the aisles begin and end: around the bays' listed places, else long enough for the highest bay number."""
    places = [one.slot.y_mm for one in listed if one.slot.y_mm is not None]
    if places:
        return max(0, min(places) - END_GAP_MM), max(places) + END_GAP_MM
    rows = (max(one.name.bay for one in listed) + 1) // 2
    return FRONT_Y_MM, FRONT_Y_MM + rules.block_length_mm(rows)


def _positions(listed: Sequence[ListedSlot], standing_x_mm: Sequence[int]) -> dict[tuple[str, int], int]:
    """(zone, aisle number) -> x, right of what stands there; in order of zones and numbers where none is listed."""
    found: dict[tuple[str, int], int] = {}
    free_mm = max(standing_x_mm, default=FIRST_AISLE_X_MM - AISLE_PITCH_MM) + AISLE_PITCH_MM
    for aisle, x_mm in sorted({((one.name.zone, one.name.aisle), one.x_mm) for one in listed}, key=lambda one: one[0]):
        found[aisle] = free_mm if x_mm is None else x_mm
        free_mm = max(free_mm, found[aisle] + AISLE_PITCH_MM)
    return found


def _add_zones(call: Call, hall_id: int, listed: Sequence[ListedSlot]) -> dict[str, int]:
    """Ids of all zones by code, new ones included. A known zone keeps its kind and its temperature: BAD_INPUT when
    another is listed.
    """
    known = {zone.code: zone for zone in queries.zones(call.session, call.warehouse_id)}
    wanted = {one.name.zone: one for one in listed}
    for code, one in wanted.items():
        if code in known and one.zone_kind not in (None, known[code].kind):
            raise Refused(Reason.BAD_INPUT, what=f"{one.slot.code}: zone {code} is {known[code].kind}")
        if code in known and one.temperature not in (None, known[code].temperature):
            raise Refused(Reason.BAD_INPUT, what=f"{one.slot.code}: zone {code} is kept {known[code].temperature}")
    rows = [
        {
            "warehouse_id": call.warehouse_id,
            "hall_id": hall_id,
            "code": code,
            "name": one.zone_name or f"{code} 区",
            "kind": (one.zone_kind or ZoneKind.STORAGE).value,
            "temperature": (one.temperature or Temperature.AMBIENT).value,
        }
        for code, one in sorted(wanted.items())
        if code not in known
    ]
    new_ids = bulk.insert_many(call.session, Zone.id, rows)
    return {code: zone.id for code, zone in known.items()} | {
        str(row["code"]): zone_id for row, zone_id in zip(rows, new_ids, strict=True)
    }


def _add_aisles(call: Call, hall_id: int, zone_ids: dict[str, int], listed: Sequence[ListedSlot]) -> None:
    """New aisles, right of those that stand there: slots keep the order of their aisle for ever."""
    standing = call.session.execute(
        select(Zone.code, Aisle.number, Aisle.x_mm).join(Zone, Zone.id == Aisle.zone_id).where(Aisle.hall_id == hall_id)
    ).all()
    known = {(row.code, row.number): row.x_mm for row in standing}
    for one in listed:
        there = known.get((one.name.zone, one.name.aisle))
        if there is not None and one.x_mm not in (None, there):
            raise Refused(Reason.BAD_INPUT, what=f"{one.slot.code}: its aisle stands at x {there} mm")
    fresh = [one for one in listed if (one.name.zone, one.name.aisle) not in known]
    places = sorted(_positions(fresh, list(known.values())).items(), key=lambda place: place[1])
    last_mm = max(known.values(), default=-1)
    for (zone, number), x_mm in places:
        if x_mm <= last_mm:
            raise Refused(Reason.BAD_INPUT, what=f"aisle {zone}{number:02d}: x {x_mm} mm is not right of {last_mm} mm")
        last_mm = x_mm
    rows = [
        {
            "warehouse_id": call.warehouse_id,
            "hall_id": hall_id,
            "zone_id": zone_ids[zone],
            "number": number,
            "index": index,
            "x_mm": x_mm,
        }
        for index, ((zone, number), x_mm) in enumerate(places, len(known))
    ]
    bulk.insert_many(call.session, Aisle.id, rows)
    if known and rows:
        _widen(call, hall_id, last_mm)


def _widen(call: Call, hall_id: int, last_mm: int) -> None:
    """Maps and routes are drawn anew, and the walls stand behind the last aisle."""
    hall = call.session.get_one(Hall, hall_id)
    width_mm = max(hall.width_mm, last_mm + WALL_GAP_MM)
    values: dict[str, object] = {"version": Hall.version + 1}
    if width_mm > hall.width_mm:
        corners = [Point(0, 0), Point(width_mm, 0), Point(width_mm, hall.depth_mm), Point(0, hall.depth_mm)]
        values |= {"width_mm": width_mm, "outline": {"mm": [list(corner) for corner in corners]}}
    call.session.execute(update(Hall).where(Hall.id == hall_id).values(values))
    call.session.expire(hall)
