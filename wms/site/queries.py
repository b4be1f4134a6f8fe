"""Reads about the building: slots, halls, containers, stations, chutes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Select, bindparam, func, select
from sqlalchemy.orm import Session, aliased

from wms.core import codes
from wms.core.db import remembers
from wms.core.db.tables import table_of
from wms.core.refusal import Reason, Refused
from wms.optimise.geometry import Point, RectHall
from wms.site.tables import Aisle, Chute, Closure, Container, Hall, Place, Slot, Station, Warehouse, Zone
from wms.site.values import (
    BARCODE_KINDS,
    AisleFacts,
    ChuteFacts,
    ClosureFacts,
    ContainerFacts,
    ContainerKind,
    HallFacts,
    SlotFacts,
    StationFacts,
    WarehouseFacts,
    ZoneFacts,
)

SLOTS_PER_PAGE_MAX = 20_000
_halls: WeakKeyDictionary[Any, dict[tuple[int, int], HallFacts]] = WeakKeyDictionary()

_SLOT_COLUMNS = (
    Slot.place_id,
    Slot.code,
    Slot.zone_id,
    Zone.code,
    Zone.kind,
    Slot.aisle_id,
    Slot.bay_id,
    Slot.side,
    Slot.level,
    Slot.position,
    Slot.aisle_index,
    Slot.y_mm,
    Slot.width_mm,
    Slot.depth_mm,
    Slot.height_mm,
    Slot.weight_max_g,
    Slot.skus_max,
    Slot.bonded,
    Slot.blocked,
    Slot.under_count,
    Slot.shut,
)


_buildings, _floors = table_of(Warehouse), table_of(Hall)
_building = select(
    _buildings.c.id, _buildings.c.code, _buildings.c.name, _buildings.c.time_zone, _buildings.c.settings
).where(_buildings.c.id == bindparam("w"))
_first_hall = (
    select(_floors.c.id, _floors.c.version)
    .where(_floors.c.warehouse_id == bindparam("w"))
    .order_by(_floors.c.id)
    .limit(1)
)


def warehouse(session: Session, warehouse_id: int) -> WarehouseFacts:
    """The building by its id."""
    row = session.execute(_building, {"w": warehouse_id}).one_or_none()
    if row is None:
        raise Refused(Reason.NOT_FOUND, what="warehouse")
    return WarehouseFacts(row.id, row.code, row.name, row.time_zone, dict(row.settings))


def warehouses(session: Session) -> list[WarehouseFacts]:
    """Every building, by code."""
    rows = session.scalars(select(Warehouse).order_by(Warehouse.code))
    return [WarehouseFacts(row.id, row.code, row.name, row.time_zone, dict(row.settings)) for row in rows]


def zones(session: Session, warehouse_id: int) -> list[ZoneFacts]:
    """The zones of all halls, by code."""
    columns = select(Zone.id, Zone.code, Zone.name, Zone.kind, Zone.temperature)
    rows = session.execute(columns.where(Zone.warehouse_id == warehouse_id).order_by(Zone.code))
    return [ZoneFacts(*row) for row in rows]


def _slots(warehouse_id: int) -> Select[*tuple[Any, ...]]:
    query = select(*_SLOT_COLUMNS).join(Zone, Zone.id == Slot.zone_id)
    return query.where(Slot.warehouse_id == warehouse_id, Slot.retired.is_(False))


def slot_by_code(session: Session, warehouse_id: int, code: str) -> SlotFacts:
    """The slot with this painted code. Raises SLOT_UNKNOWN."""
    row = session.execute(_slots(warehouse_id).where(Slot.code == code)).one_or_none()
    if row is None:
        raise Refused(Reason.SLOT_UNKNOWN, slot=code[:40])
    return SlotFacts(*row)


def slot_by_id(session: Session, warehouse_id: int, place_id: int) -> SlotFacts:
    """The slot by its place id. Raises SLOT_UNKNOWN."""
    row = session.execute(_slots(warehouse_id).where(Slot.place_id == place_id)).one_or_none()
    if row is None:
        raise Refused(Reason.SLOT_UNKNOWN, slot=place_id)
    return SlotFacts(*row)


def slots_by_id(session: Session, warehouse_id: int, place_ids: Iterable[int]) -> dict[int, SlotFacts]:
    """Slots by their place ids; unknown ids are left out."""
    rows = session.execute(_slots(warehouse_id).where(Slot.place_id.in_(sorted(set(place_ids)))))
    return {row.place_id: SlotFacts(*row) for row in rows}


def slots(
    session: Session, warehouse_id: int, *, zone_code: str | None = None, aisle_index: int | None = None
) -> list[SlotFacts]:
    """The slots of a building, a zone or an aisle, in the order of their codes."""
    query = _slots(warehouse_id).order_by(Slot.code).limit(SLOTS_PER_PAGE_MAX)
    if zone_code is not None:
        query = query.where(Zone.code == zone_code)
    if aisle_index is not None:
        query = query.where(Slot.aisle_index == aisle_index)
    return [SlotFacts(*row) for row in session.execute(query)]


def hall(session: Session, warehouse_id: int) -> HallFacts:
    """The (first) hall of a building. Read once per version: every change of a hall counts it up."""
    known = session.execute(_first_hall, {"w": warehouse_id}).one_or_none()
    if known is None:
        raise Refused(Reason.NOT_FOUND, what="hall")
    engine, settled = remembers(session)
    cache = _halls.setdefault(engine, {})
    facts = cache.get((warehouse_id, known.id))
    if facts is not None and facts.version == known.version:
        return facts
    facts = read_hall(session, known.id)
    if settled:
        cache[warehouse_id, known.id] = facts
    return facts


def read_hall(session: Session, hall_id: int) -> HallFacts:
    """A hall as this transaction sees it, also when it has just been changed: nothing of it is kept."""
    row = session.get_one(Hall, hall_id, populate_existing=True)
    aisles, closures = _aisles(session, hall_id), _closures(session, hall_id)
    depot = Point(row.depot_x_mm, row.depot_y_mm)
    built = RectHall(tuple(aisle.x_mm for aisle in aisles), tuple(row.cross_y_mm["mm"]), depot)
    outline = tuple(Point(*corner) for corner in row.outline["mm"])
    size = (row.width_mm, row.depth_mm)
    facts = HallFacts(row.id, row.version, built, depot, *size, outline, aisles, closures, built)
    closed = sorted({stretch for one in closures for stretch in facts.closed_by(one)})
    return replace(facts, now=replace(built, closed=tuple(closed)))


def _closures(session: Session, hall_id: int) -> tuple[ClosureFacts, ...]:
    """What is closed now, the oldest first."""
    of_aisle = aliased(Zone)
    query = (
        select(
            Closure.id,
            func.coalesce(Zone.code, of_aisle.code),
            Aisle.index,
            Aisle.number,
            Closure.from_y_mm,
            Closure.to_y_mm,
            Closure.why,
            Closure.until,
            Closure.closed_by,
            Closure.closed_at,
            Closure.hall_version,
        )
        .outerjoin(Zone, Zone.id == Closure.zone_id)
        .outerjoin(Aisle, Aisle.id == Closure.aisle_id)
        .outerjoin(of_aisle, of_aisle.id == Aisle.zone_id)
        .where(Closure.hall_id == hall_id, Closure.opened_at.is_(None))
        .order_by(Closure.id)
    )
    return tuple(ClosureFacts(*row) for row in session.execute(query))


def _aisles(session: Session, hall_id: int) -> tuple[AisleFacts, ...]:
    query = (
        select(Aisle.id, Aisle.zone_id, Zone.code, Aisle.number, Aisle.index, Aisle.x_mm)
        .join(Zone, Zone.id == Aisle.zone_id)
        .where(Aisle.hall_id == hall_id)
        .order_by(Aisle.index)
    )
    return tuple(AisleFacts(*row) for row in session.execute(query))


def container_facts(
    place_id: int, kind: str, code: str, state: str, positions: int, parent_place_id: int | None
) -> ContainerFacts:
    """A container's facts, with the code of its label."""
    barcode = codes.make(BARCODE_KINDS[ContainerKind(kind)], code)
    return ContainerFacts(place_id, str(kind), code, barcode, state, positions, parent_place_id)


_container = table_of(Container)
_CONTAINER_COLUMNS = (
    _container.c.place_id,
    _container.c.kind,
    _container.c.code,
    _container.c.state,
    _container.c.positions,
    _container.c.parent_place_id,
)
_containers = select(*_CONTAINER_COLUMNS).where(_container.c.warehouse_id == bindparam("w"))
_container_of_any_kind = _containers.where(_container.c.code == bindparam("code")).limit(1)
_container_of_kind = _container_of_any_kind.where(_container.c.kind == bindparam("of"))
_container_of_id = _containers.where(_container.c.place_id == bindparam("place"))
_containers_in = _containers.where(_container.c.parent_place_id == bindparam("place")).order_by(_container.c.code)


def container_by_code(
    session: Session, warehouse_id: int, kind: ContainerKind | str | None, code: str
) -> ContainerFacts:
    """The container with this code, of one kind or (None) of any. Raises CONTAINER_UNKNOWN."""
    found = find_container(session, warehouse_id, kind, code)
    if found is None:
        raise Refused(Reason.CONTAINER_UNKNOWN, container=code[:40])
    return found


def find_container(
    session: Session, warehouse_id: int, kind: ContainerKind | str | None, code: str
) -> ContainerFacts | None:
    """As `container_by_code`; None when there is none."""
    session.flush()  # a statement about tables does not do so by itself
    wanted = {"w": warehouse_id, "code": code}
    if kind is None:
        row = session.execute(_container_of_any_kind, wanted).one_or_none()
    else:
        row = session.execute(_container_of_kind, {**wanted, "of": str(kind)}).one_or_none()
    return None if row is None else container_facts(*row)


def container_by_id(session: Session, warehouse_id: int, place_id: int) -> ContainerFacts:
    """The container by its place id. Raises CONTAINER_UNKNOWN."""
    session.flush()
    row = session.execute(_container_of_id, {"w": warehouse_id, "place": place_id}).one_or_none()
    if row is None:
        raise Refused(Reason.CONTAINER_UNKNOWN, container=place_id)
    return container_facts(*row)


def containers_in(session: Session, warehouse_id: int, place_id: int) -> list[ContainerFacts]:
    """What stands in a place, by code."""
    session.flush()
    rows = session.execute(_containers_in, {"w": warehouse_id, "place": place_id})
    return [container_facts(*row) for row in rows]


_STATION_COLUMNS = (
    Station.id,
    Station.place_id,
    Station.code,
    Station.kind,
    Station.name,
    Station.x_mm,
    Station.y_mm,
    Station.weight_g,
    Station.weighed_at,
)


_station = table_of(Station)
_stations = select(*(_station.c[column.key] for column in _STATION_COLUMNS)).where(
    _station.c.warehouse_id == bindparam("w")
)
_station_of_id = _stations.where(_station.c.id == bindparam("station"))
_station_of_code = _stations.where(_station.c.code == bindparam("code"))


def station_by_code(session: Session, warehouse_id: int, code: str) -> StationFacts:
    """The station by its code. Raises STATION_UNKNOWN."""
    session.flush()  # a statement about tables does not do so by itself
    row = session.execute(_station_of_code, {"w": warehouse_id, "code": code}).one_or_none()
    if row is None:
        raise Refused(Reason.STATION_UNKNOWN, station=code[:40])
    return StationFacts(*row)


def station_by_id(session: Session, warehouse_id: int, station_id: int) -> StationFacts:
    """The station by its id. Raises STATION_UNKNOWN."""
    session.flush()
    row = session.execute(_station_of_id, {"w": warehouse_id, "station": station_id}).one_or_none()
    if row is None:
        raise Refused(Reason.STATION_UNKNOWN, station=station_id)
    return StationFacts(*row)


def place_of_station(session: Session, warehouse_id: int, code: str) -> int:
    """The place id of a station's table. Raises STATION_UNKNOWN."""
    return station_by_code(session, warehouse_id, code).place_id


def stations(session: Session, warehouse_id: int, kind: str | None = None) -> list[StationFacts]:
    """The stations of a building, by code."""
    query = select(*_STATION_COLUMNS).where(Station.warehouse_id == warehouse_id)
    if kind is not None:
        query = query.where(Station.kind == str(kind))
    return [StationFacts(*row) for row in session.execute(query.order_by(Station.code))]


def chutes(session: Session, warehouse_id: int) -> list[ChuteFacts]:
    """The chutes of the sorting line, by number."""
    columns = (Chute.id, Chute.number, Chute.side, Chute.x_mm, Chute.y_mm, Chute.state, Chute.parcels)
    query = select(*columns, Chute.parcels_max).where(Chute.warehouse_id == warehouse_id).order_by(Chute.number)
    return [ChuteFacts(*row) for row in session.execute(query)]


def code_of_place(session: Session, place_id: int) -> str:
    """What is painted or printed on a place."""
    return session.execute(select(Place.code).where(Place.id == place_id)).scalar_one()
