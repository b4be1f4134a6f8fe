"""The hall as it is now: where is picked, what is filled, who stands where, which walks are under way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import func, select

from wms.ledger.tables import MovementRow, Stock
from wms.ledger.values import MovementKind
from wms.optimise.geometry import Point
from wms.people.tables import Person
from wms.picking.tables import Batch
from wms.picking.values import BatchState
from wms.site import queries as site
from wms.site.map import DASHES, FloorPlan, MapPerson, MapRoute, Trouble
from wms.site.picture import bays, floor_plan
from wms.site.tables import Slot
from wms.sorting.tables import Gateway, GatewayDevice
from wms.terminal.queries.equipment import silent
from wms.terminal.queries.look import Look
from wms.terminal.values import Worker
from wms.work.tables import Task

ROUTES_MAX = len(DASHES)
SIDE_BY_SIDE_MM = 4_600


@dataclass(frozen=True, slots=True)
class BayCount:
    """A bay as the table beside the map shows it: picks today, slots with goods, slots."""

    label: str
    picks: int
    filled: int
    slots: int
    id: int


def picks_by_bay(look: Look, since: datetime | None = None) -> dict[int, int]:
    """Bay id -> picks since then; today's without it."""
    rows = look.session.execute(
        select(Slot.bay_id, func.count().label("picks"))
        .join(MovementRow, MovementRow.source_id == Slot.place_id)
        .where(
            MovementRow.warehouse_id == look.warehouse_id,
            MovementRow.at >= (since or look.day_begin),
            MovementRow.kind == MovementKind.PICK.value,
        )
        .group_by(Slot.bay_id)
    )
    return {row.bay_id: int(row.picks) for row in rows}


def filled_by_bay(look: Look) -> dict[int, int]:
    """Bay id -> slots with goods in them."""
    rows = look.session.execute(
        select(Slot.bay_id, func.count(func.distinct(Slot.place_id)).label("filled"))
        .join(Stock, Stock.place_id == Slot.place_id)
        .where(Slot.warehouse_id == look.warehouse_id, Stock.on_hand > 0)
        .group_by(Slot.bay_id)
    )
    return {row.bay_id: int(row.filled) for row in rows}


def bay_counts(look: Look, since: datetime | None = None) -> list[BayCount]:
    """The same as the map, as a table: the most picked first."""
    slots = look.session.execute(
        select(Slot.bay_id, func.count().label("slots"))
        .where(Slot.warehouse_id == look.warehouse_id, Slot.retired.is_(False))
        .group_by(Slot.bay_id)
    )
    count = {row.bay_id: int(row.slots) for row in slots}
    picks, filled = picks_by_bay(look, since), filled_by_bay(look)
    racks = bays(look.session, look.warehouse_id, site.hall(look.session, look.warehouse_id))
    rows = [
        BayCount(rack.label, picks.get(rack.id, 0), filled.get(rack.id, 0), count.get(rack.id, 0), rack.id)
        for rack in racks
    ]
    return sorted(rows, key=lambda row: (-row.picks, -row.filled, row.label))


def ground(look: Look, heat: Mapping[int, int], title: str, language: str) -> FloorPlan:
    """Walls, bays with their heat, tables and chutes with their troubles."""
    return floor_plan(
        look.session,
        look.warehouse_id,
        heat=heat,
        trouble=_troubled_stations(look),
        title=title,
        language=language,
    )


def overlay(look: Look, crew: Sequence[Worker], title: str) -> FloorPlan:
    """People and walks alone, to lie over the ground: they change with every scan, the ground does not."""
    hall = site.hall(look.session, look.warehouse_id)
    people = [
        MapPerson(one.x_mm, one.y_mm, one.name, "warn" if one.idle else None)
        for one in crew
        if one.x_mm is not None and one.y_mm is not None
    ]
    return FloorPlan(
        hall.width_mm,
        hall.depth_mm,
        hall.outline,
        name="over",
        title=title,
        people=_apart(people),
        routes=_routes(look),
    )


def _apart(people: Sequence[MapPerson]) -> list[MapPerson]:
    """People at one table stand beside each other, so that each can be read."""
    seen: dict[tuple[int, int], int] = {}
    placed = []
    for one in people:
        number = seen.setdefault((one.x_mm, one.y_mm), 0)
        seen[one.x_mm, one.y_mm] = number + 1
        placed.append(replace(one, x_mm=one.x_mm + SIDE_BY_SIDE_MM * number))
    return placed


def _routes(look: Look) -> list[MapRoute]:
    """Batches being walked, each with its picker's name."""
    rows = look.session.execute(
        select(Batch.no, Batch.path, Person.name)
        .outerjoin(Task, Task.id == Batch.task_id)
        .outerjoin(Person, Person.id == Task.claimed_by)
        .where(Batch.warehouse_id == look.warehouse_id, Batch.state == BatchState.PICKING.value)
        .order_by(Batch.id)
        .limit(ROUTES_MAX)
    )
    return [
        MapRoute(tuple(Point(x, y) for x, y in row.path["mm"]), f"{row.no} {row.name or ''}".strip()) for row in rows
    ]


def _troubled_stations(look: Look) -> dict[str, Trouble]:
    """Station code -> its sign: a silent gateway or a device that is down stops the table, a degraded one does not."""
    rows = look.session.execute(
        select(Gateway.station_id, Gateway.seen_at, GatewayDevice.state)
        .outerjoin(GatewayDevice, GatewayDevice.gateway_id == Gateway.id)
        .where(Gateway.warehouse_id == look.warehouse_id, Gateway.revoked_at.is_(None), Gateway.key_hex != "")
    ).all()
    codes = {station.id: station.code for station in site.stations(look.session, look.warehouse_id)}
    signs: dict[str, Trouble] = {}
    for row in rows:
        code = codes.get(row.station_id, "")
        if silent(look, row.seen_at) or row.state == "down":
            signs[code] = "stop"
        elif row.state == "degraded":
            signs.setdefault(code, "warn")
    return signs
