"""Builds a whole building at once: a park hall of 6,000 m2, or any hall that can be planned the same way.

Slots go in as few statements as possible: six thousand of them in well under three seconds.
"""

from __future__ import annotations

import random
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from wms.core.db.tables import table_of
from wms.optimise.geometry import Point
from wms.site import bulk
from wms.site.rules import (
    BIN,
    LONG,
    PALLET,
    SHELF,
    BayPlan,
    HallPlan,
    StationPlan,
    ZonePlan,
    bays,
    frame_mm,
    load_g,
    slot_names,
)
from wms.site.service import make_warehouse
from wms.site.tables import Aisle, Bay, Chute, Container, Hall, Place, Slot, Station, Zone
from wms.site.values import ChuteState, ContainerKind, StationKind, ZoneKind

CHUTES = 24
CARTS = 12
TOTES = 400
TOTES_ON_A_CART = 12
PARCELS_IN_A_CHUTE_MAX = 60
SLOTS_IN_REPAIR = 12


def _packing(number: int) -> StationPlan:
    return StationPlan(f"PK-{number:02d}", StationKind.PACKING, f"打包台 {number:02d}", 63_800 + 4_100 * number, 8_000)


def _receiving(number: int) -> StationPlan:
    return StationPlan(f"RC-{number:02d}", StationKind.RECEIVING, f"收货月台 {number}", 4_000 + 9_000 * number, 3_700)


def _dock(number: int) -> StationPlan:
    return StationPlan(f"DK-{number:02d}", StationKind.DOCK, f"发货月台 {number}", 64_000 + 7_000 * number, 55_000)


PARK_HALL = HallPlan(
    code="H1",
    name="一号库房",
    width_mm=100_000,
    depth_mm=64_000,
    outline=(
        Point(0, 0),
        Point(92_000, 0),
        Point(92_000, 18_500),
        Point(100_000, 18_500),
        Point(100_000, 57_000),
        Point(64_000, 57_000),
        Point(64_000, 64_000),
        Point(0, 64_000),
    ),
    first_x_mm=1_200,
    front_y_mm=5_000,
    blocks=2,
    bays_per_block=12,
    depot_after_aisle=13,
    zones=(
        ZonePlan("A", "A 区 快销", ZoneKind.STORAGE, (BIN,) * 6),
        ZonePlan("B", "B 区 普货", ZoneKind.STORAGE, (SHELF,) * 8),
        ZonePlan("C", "C 区 大件", ZoneKind.BULKY, (PALLET,) * 4),
        ZonePlan("D", "D 区 保税", ZoneKind.BONDED, (BIN, LONG)),
    ),
    stations=(
        *(_receiving(number) for number in range(1, 5)),
        *(_packing(number) for number in range(1, 7)),
        StationPlan("LINE-1", StationKind.SORTING, "分拣线", 82_000, 36_000),
        *(_dock(number) for number in range(1, 5)),
        StationPlan("SG-01", StationKind.STAGING, "待上架区", 53_000, 1_600),
        StationPlan("SG-02", StationKind.STAGING, "集包区", 82_000, 24_000),
    ),
)


def build_park(session: Session, now: datetime, *, seed: int = 0, code: str = "1") -> int:
    """A building like the Sifang park: 6,000 m2, 20 aisles, 6,000 slots, six packing tables, a line of 24 chutes.

    `seed` chooses the few slots that are blocked for repair, as in any real hall. Returns the warehouse's id.
    """
    warehouse_id = make_warehouse(session, now, code, f"{code} 号仓", "Asia/Shanghai")
    build_hall(session, warehouse_id, PARK_HALL)
    _block_some(session, warehouse_id, random.Random(seed))
    add_chutes(session, warehouse_id, CHUTES)
    add_containers(session, warehouse_id, ContainerKind.CART, [f"C-{n:02d}" for n in range(1, CARTS + 1)])
    add_containers(session, warehouse_id, ContainerKind.TOTE, [f"T-{n:04d}" for n in range(1, TOTES + 1)])
    return warehouse_id


def build_hall(session: Session, warehouse_id: int, plan: HallPlan) -> int:
    """Zones, aisles, bays, slots and stations of a planned hall; the hall's id."""
    hall = Hall(
        warehouse_id=warehouse_id,
        code=plan.code,
        name=plan.name,
        width_mm=plan.width_mm,
        depth_mm=plan.depth_mm,
        cross_y_mm={"mm": list(plan.cross_y_mm)},
        depot_x_mm=plan.depot.x_mm,
        depot_y_mm=plan.depot.y_mm,
        outline={"mm": [list(corner) for corner in plan.outline]},
    )
    session.add(hall)
    session.flush()
    aisle_ids, zone_ids = _add_aisles(session, warehouse_id, hall.id, plan)
    _add_racks(session, warehouse_id, plan, aisle_ids, zone_ids)
    add_stations(session, warehouse_id, plan.stations)
    return hall.id


def _add_aisles(
    session: Session, warehouse_id: int, hall_id: int, plan: HallPlan
) -> tuple[dict[int, int], dict[str, int]]:
    """Ids of aisles by index and of zones by code."""
    common = {"warehouse_id": warehouse_id, "hall_id": hall_id}
    zones = [
        {
            **common,
            "code": zone.code,
            "name": zone.name,
            "kind": zone.kind.value,
            "temperature": zone.temperature.value,
        }
        for zone in plan.zones
    ]
    zone_ids = dict(zip([zone.code for zone in plan.zones], bulk.insert_many(session, Zone.id, zones), strict=True))
    aisles = [
        {
            **common,
            "zone_id": zone_ids[aisle.zone.code],
            "number": aisle.number,
            "index": aisle.index,
            "x_mm": aisle.x_mm,
        }
        for aisle in plan.aisles
    ]
    return dict(enumerate(bulk.insert_many(session, Aisle.id, aisles))), zone_ids


def _add_racks(
    session: Session, warehouse_id: int, plan: HallPlan, aisle_ids: dict[int, int], zone_ids: dict[str, int]
) -> None:
    racks = list(bays(plan))
    rows = [_bay_row(warehouse_id, aisle_ids[bay.aisle.index], bay) for bay in racks]
    slots: list[dict[str, Any]] = []
    for bay, bay_id in zip(racks, bulk.insert_many(session, Bay.id, rows), strict=True):
        slots.extend(_slot_rows(bay, warehouse_id, zone_ids[bay.aisle.zone.code], aisle_ids[bay.aisle.index], bay_id))
    bulk.insert_slots(session, warehouse_id, slots)


def _bay_row(warehouse_id: int, aisle_id: int, bay: BayPlan) -> dict[str, Any]:
    profile = bay.aisle.profile
    return {
        "warehouse_id": warehouse_id,
        "aisle_id": aisle_id,
        "side": bay.side,
        "number": bay.number,
        "y_mm": bay.y_mm,
        "profile": profile.name,
        "levels": profile.levels,
        "weight_max_g": load_g(profile),
        "weight_stated": True,
        "frame_mm": frame_mm(profile),
    }


def _slot_rows(bay: BayPlan, warehouse_id: int, zone_id: int, aisle_id: int, bay_id: int) -> list[dict[str, Any]]:
    profile = bay.aisle.profile
    common = {
        "warehouse_id": warehouse_id,
        "zone_id": zone_id,
        "aisle_id": aisle_id,
        "bay_id": bay_id,
        "side": bay.side,
        "aisle_index": bay.aisle.index,
        "y_mm": bay.y_mm,
        "width_mm": profile.width_mm,
        "depth_mm": profile.depth_mm,
        "height_mm": profile.height_mm,
        "weight_max_g": profile.weight_max_g,
        "level_weight_max_g": profile.level_weight_max_g,
        "skus_max": profile.skus_max,
        "bonded": bay.aisle.zone.kind is ZoneKind.BONDED,
    }
    return [{**common, "code": str(name), "level": name.level, "position": name.position} for name in slot_names(bay)]


def _block_some(session: Session, warehouse_id: int, choice: random.Random) -> None:
    """The beams of a few slots wait for repair."""
    ids = session.scalars(select(Slot.place_id).where(Slot.warehouse_id == warehouse_id).order_by(Slot.place_id)).all()
    broken = choice.sample(ids, SLOTS_IN_REPAIR)
    session.execute(update(Slot).where(Slot.place_id.in_(broken)).values(blocked=True))


def add_stations(session: Session, warehouse_id: int, stations: tuple[StationPlan, ...]) -> None:
    """Tables and doors, each with a place for the goods on it."""
    places = [{"warehouse_id": warehouse_id, "kind": "staging", "code": station.code} for station in stations]
    rows = [
        {
            "warehouse_id": warehouse_id,
            "place_id": place_id,
            "code": station.code,
            "kind": str(station.kind),
            "name": station.name,
            "x_mm": station.x_mm,
            "y_mm": station.y_mm,
        }
        for station, place_id in zip(stations, bulk.insert_many(session, Place.id, places), strict=True)
    ]
    if rows:
        session.execute(insert(table_of(Station)), rows)


def add_chutes(session: Session, warehouse_id: int, count: int) -> None:
    """Chutes 1..count of the sorting line, odd ones on its left side, even ones on its right."""
    rows = [
        {
            "warehouse_id": warehouse_id,
            "number": number,
            "side": "L" if number % 2 else "R",
            "x_mm": 68_000 + (number - 1) // 2 * 2_400,
            "y_mm": 46_000 if number % 2 else 30_000,
            "state": ChuteState.OPEN.value,
            "parcels": 0,
            "parcels_max": PARCELS_IN_A_CHUTE_MAX,
        }
        for number in range(1, count + 1)
    ]
    session.execute(insert(table_of(Chute)), rows)


def add_containers(session: Session, warehouse_id: int, kind: ContainerKind, codes: list[str]) -> list[int]:
    """Containers with codes of their own, free for use; their place ids in the order of `codes`."""
    places = [{"warehouse_id": warehouse_id, "kind": "container", "code": code} for code in codes]
    ids = bulk.insert_many(session, Place.id, places)
    positions = TOTES_ON_A_CART if kind is ContainerKind.CART else 1
    rows = [
        {
            "place_id": place_id,
            "warehouse_id": warehouse_id,
            "kind": kind.value,
            "code": code,
            "positions": positions,
            "state": "free",
        }
        for place_id, code in zip(ids, codes, strict=True)
    ]
    session.execute(insert(table_of(Container)), rows)
    return ids
