"""From the rows of a hall to its floor plan: what stands there, before heat, people and routes are drawn on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from wms.core.i18n import text
from wms.site import queries
from wms.site.map import (
    FloorPlan,
    MapBay,
    MapBlock,
    MapBox,
    MapLabel,
    MapPerson,
    MapRoute,
    MapTouch,
    Trouble,
    heat_classes,
)
from wms.site.rules import LEFT, PROFILES, SHELF
from wms.site.tables import Bay
from wms.site.values import AisleFacts, ChuteFacts, ChuteState, ClosureFacts, HallFacts, StationFacts, StationKind

CHUTE_MM = 1_600
TABLE_MM = 3_000
DOCK_MM = 2_400
BOX_DEPTH_MM = 1_400
BLOCK_WIDTH_MM = 1_400
LABEL_ROOM_MM = 5_000  # beside the last aisle, for the name of what is closed there


@dataclass(frozen=True, slots=True)
class BayFacts:
    """A bay and the label on its post (`B12-07`)."""

    id: int
    label: str
    aisle_index: int
    side: str
    y_mm: int
    profile: str


def bays(session: Session, warehouse_id: int, hall: HallFacts) -> list[BayFacts]:
    """Every bay of the hall, aisle by aisle from the front."""
    aisles = {aisle.id: aisle for aisle in hall.aisles}
    rows = session.execute(
        select(Bay.id, Bay.aisle_id, Bay.side, Bay.number, Bay.y_mm, Bay.profile)
        .where(Bay.warehouse_id == warehouse_id, Bay.aisle_id.in_(sorted(aisles)))
        .order_by(Bay.aisle_id, Bay.number)
    )
    return [_bay(aisles[row.aisle_id], row.id, row.side, row.number, row.y_mm, row.profile) for row in rows]


def _bay(aisle: AisleFacts, bay_id: int, side: str, number: int, y_mm: int, profile: str) -> BayFacts:
    label = f"{aisle.zone_code}{aisle.number:02d}-{number:02d}"
    return BayFacts(bay_id, label, aisle.index, side, y_mm, profile)


def floor_plan(
    session: Session,
    warehouse_id: int,
    *,
    heat: Mapping[int, int] | None = None,
    people: Sequence[MapPerson] = (),
    routes: Sequence[MapRoute] = (),
    trouble: Mapping[str, Trouble] | None = None,
    title: str = "",
    language: str = "zh",
) -> FloorPlan:
    """The hall's plan. `heat` is bay id -> what is counted (picks, fill); `trouble` is station code -> its sign."""
    hall = queries.hall(session, warehouse_id)
    racks = bays(session, warehouse_id, hall)
    signs = trouble or {}
    stations = [_station_box(each, signs.get(each.code)) for each in queries.stations(session, warehouse_id)]
    return FloorPlan(
        width_mm=hall.width_mm,
        depth_mm=hall.depth_mm,
        outline=hall.outline,
        title=title,
        bays=_bay_faces(hall, racks, heat or {}),
        boxes=[box for box in stations if box] + [_chute_box(each) for each in queries.chutes(session, warehouse_id)],
        labels=_labels(hall, queries.stations(session, warehouse_id), language),
        people=people,
        routes=routes,
        blocked=[block for closure in hall.closures for block in _blocks(hall, closure, language)],
    )


def closing_plan(
    session: Session, warehouse_id: int, touches: Sequence[MapTouch], title: str, language: str
) -> FloorPlan:
    """Racks and what is closed, each aisle to be chosen: without heat, people and stations."""
    hall = queries.hall(session, warehouse_id)
    return FloorPlan(
        width_mm=hall.width_mm,
        depth_mm=hall.depth_mm,
        outline=hall.outline,
        name="closing",
        title=title,
        bays=_bay_faces(hall, bays(session, warehouse_id, hall), {}),
        labels=_labels(hall, (), language),
        blocked=[block for closure in hall.closures for block in _blocks(hall, closure, language)],
        touches=touches,
        shown_x_mm=(hall.hall.aisle_x_mm[0], hall.hall.aisle_x_mm[-1] + LABEL_ROOM_MM),
    )


def _bay_faces(hall: HallFacts, racks: Sequence[BayFacts], heat: Mapping[int, int]) -> list[MapBay]:
    counts = [heat.get(rack.id, 0) for rack in racks]
    faces = []
    for rack, count, step in zip(racks, counts, heat_classes(counts), strict=True):
        profile = PROFILES.get(rack.profile, SHELF)
        away_mm = (profile.aisle_width_mm + profile.depth_mm) // 2
        x_mm = hall.aisles[rack.aisle_index].x_mm + (-away_mm if rack.side == LEFT else away_mm)
        faces.append(MapBay(x_mm, rack.y_mm, profile.depth_mm, step, f"{rack.label}: {count}"))
    return faces


def _station_box(station: StationFacts, trouble: Trouble | None) -> MapBox | None:
    if station.kind in (StationKind.SORTING, StationKind.STAGING):
        return None
    width_mm = TABLE_MM if station.kind == StationKind.PACKING else DOCK_MM
    label = station.code.rpartition("-")[2]
    return MapBox(station.x_mm, station.y_mm, width_mm, BOX_DEPTH_MM, label, trouble)


def _chute_box(chute: ChuteFacts) -> MapBox:
    sign: Trouble | None = "stop" if chute.state in (ChuteState.FULL, ChuteState.JAM) else None
    return MapBox(chute.x_mm, chute.y_mm, CHUTE_MM, CHUTE_MM, "", sign)


def _labels(hall: HallFacts, stations: Sequence[StationFacts], language: str) -> list[MapLabel]:
    above_mm = hall.depth_mm + 1_200  # over the back wall, where no rack is
    labels = [
        MapLabel(x_mm, above_mm, text("site.map.zone", language, zone=zone))
        for zone, x_mm in _middle_of_zones(hall).items()
    ]
    named = [each for each in stations if each.kind in (StationKind.SORTING, StationKind.STAGING)]
    return labels + [MapLabel(each.x_mm, each.y_mm, each.name, large=True) for each in named]


def _middle_of_zones(hall: HallFacts) -> dict[str, int]:
    at: dict[str, list[int]] = {}
    for aisle in hall.aisles:
        at.setdefault(aisle.zone_code, []).append(aisle.x_mm)
    return {zone: (min(xs) + max(xs)) // 2 for zone, xs in at.items()}


def _blocks(hall: HallFacts, closure: ClosureFacts, language: str) -> list[MapBlock]:
    """What is closed, each aisle hatched; a zone is named once."""
    key = "site.map.zone_closed" if closure.aisle_index is None else "site.map.aisle_closed"
    label = text(key, language, name=closure.name)
    stretches = hall.closed_by(closure)
    names = [label if 2 * number == len(stretches) - len(stretches) % 2 else "" for number in range(len(stretches))]
    return [
        MapBlock(hall.hall.aisle_x_mm[one.aisle], one.from_y_mm, one.to_y_mm, BLOCK_WIDTH_MM, name)
        for one, name in zip(stretches, names, strict=True)
    ]
