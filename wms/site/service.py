"""What people and machines do to the building: open it, block a slot, make and move containers (see `closing`).

Moving goods is the ledger's business; these functions move boxes, switches and needles of scales.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import bindparam, false, func, insert, not_, select, update
from sqlalchemy.orm import Session

from wms.core import audit_trail
from wms.core.call import Call
from wms.core.db.tables import table_of
from wms.core.refusal import Reason, Refused
from wms.core.sql import insert_new
from wms.optimise.geometry import RectHall
from wms.site import bulk, queries, rules
from wms.site.tables import Bay, Container, Place, Slot, Warehouse
from wms.site.tables import Chute as ChuteRow
from wms.site.tables import Station as StationRow
from wms.site.values import (
    VIRTUAL_PLACES,
    AisleFacts,
    ChuteState,
    ContainerFacts,
    ContainerKind,
    NewSlot,
    SlotFacts,
    ZoneFacts,
    ZoneKind,
)

_place = table_of(Place)
_container = table_of(Container)
_insert_container = insert(_container)
_this = (_container.c.place_id == bindparam("place"), _container.c.warehouse_id == bindparam("w"))
_change_state = (
    update(_container)
    .where(*_this, _container.c.state == bindparam("before"))
    .values(state=bindparam("after"))
    .returning(_container.c.place_id)
)
_stand = update(_container).where(*_this).values(parent_place_id=bindparam("in"))
LPN_DIGITS = 7
_PREFIX = {ContainerKind.LPN: "L", ContainerKind.TOTE: "T-", ContainerKind.CART: "C-", ContainerKind.PARCEL: "P"}


def make_warehouse(session: Session, now: datetime, code: str, name: str, time_zone: str) -> int:
    """A building with its virtual places (supplier, customer, ...) and no hall yet; its id."""
    warehouse = Warehouse(code=code, name=name, time_zone=time_zone, settings={"opened_at": now.isoformat()})
    session.add(warehouse)
    session.flush()
    rows = [{"warehouse_id": warehouse.id, "kind": "virtual", "code": place} for place in VIRTUAL_PLACES]
    session.execute(insert(_place), rows)
    return warehouse.id


def make_container(call: Call, kind: ContainerKind | str, code: str | None = None) -> ContainerFacts:
    """A new container with its label's code; without a code it gets the next number of its kind.

    Raises ALREADY_EXISTS when the code is taken by any place of that name.
    """
    kind = ContainerKind(kind)
    row = {"warehouse_id": call.warehouse_id, "kind": "container", "code": code or uuid4().hex}
    place_id = call.session.execute(insert_new(call.session, _place, _place.c.id), row).scalar_one_or_none()
    if place_id is None:
        raise Refused(Reason.ALREADY_EXISTS, what=code)
    if code is None:
        code = f"{_PREFIX[kind]}{place_id:0{LPN_DIGITS}d}"
        call.session.execute(update(_place).where(_place.c.id == place_id).values(code=code))
    values = {
        "place_id": place_id,
        "warehouse_id": call.warehouse_id,
        "kind": kind.value,
        "code": code,
        "positions": 1,
        "state": "free",
    }
    call.session.execute(_insert_container, values)
    return queries.container_facts(place_id, kind, code, "free", 1, None)


def use_container(call: Call, place_id: int) -> None:
    """Take a free container for one job. Raises CONTAINER_IN_USE when somebody else has it."""
    if _set_state(call, place_id, "free", "in_use") != 1:
        code = call.session.scalar(select(Container.code).where(Container.place_id == place_id))
        raise Refused(Reason.CONTAINER_IN_USE, container=code or place_id)


def free_container(call: Call, place_id: int) -> None:
    """The job is over: the container may be used again and stands nowhere in particular."""
    _set_state(call, place_id, "in_use", "free")
    stand_in(call, place_id, None)


def _set_state(call: Call, place_id: int, before: str, after: str) -> int:
    given = {"place": place_id, "w": call.warehouse_id, "before": before, "after": after}
    return len(call.session.execute(_change_state, given).all())


def stand_in(call: Call, place_id: int, parent_place_id: int | None) -> None:
    """The container now stands in another place (a slot, a cart, a station's table), or nowhere known."""
    call.session.execute(_stand, {"place": place_id, "w": call.warehouse_id, "in": parent_place_id})


def block_slot(call: Call, slot_code: str, *, blocked: bool = True, why: str = "") -> None:
    """Nothing goes into or out of a blocked slot."""
    slot = queries.slot_by_code(call.session, call.warehouse_id, slot_code)
    call.session.execute(update(Slot).where(Slot.place_id == slot.place_id).values(blocked=blocked))
    audit_trail.note(call, "slot.blocked" if blocked else "slot.opened", slot=slot_code, why=why)


def set_under_count(call: Call, place_id: int, under_count: bool) -> None:
    """A slot that is being counted neither takes nor gives goods meanwhile."""
    call.session.execute(
        update(Slot)
        .where(Slot.place_id == place_id, Slot.warehouse_id == call.warehouse_id)
        .values(under_count=under_count)
    )


def lock_slot(call: Call, place_id: int) -> SlotFacts:
    """The slot as it is, kept from others' changes until the commit: two pallets may not both see the last 100 kg."""
    call.session.execute(
        select(Slot.place_id).where(Slot.place_id == place_id, Slot.warehouse_id == call.warehouse_id).with_for_update()
    )
    return queries.slot_by_id(call.session, call.warehouse_id, place_id)


def add_slots(call: Call, rows: Sequence[NewSlot]) -> int:
    """Add slots to bays that stand there, or all slots of bays that are new in a known aisle; how many.

    Raises SLOT_UNKNOWN for a code that is none or names no aisle of this building, ALREADY_EXISTS for one in use,
    BAD_INPUT for sizes or loads that are not positive, and for a level or bay said to carry something else than before.
    """
    names = [rules.read_slot_code(row.code) for row in rows]
    for row in rows:
        _check_sizes(row)
    _check_new(call, [row.code for row in rows])
    aisles = {(aisle.zone_code, aisle.number): aisle for aisle in queries.hall(call.session, call.warehouse_id).aisles}
    zones = {zone.code: zone for zone in queries.zones(call.session, call.warehouse_id)}
    bay_ids: dict[tuple[int, int], tuple[int, int]] = {}
    slots: list[dict[str, Any]] = []
    for name, row in zip(names, rows, strict=True):
        aisle = aisles.get((name.zone, name.aisle))
        if aisle is None:
            raise Refused(Reason.SLOT_UNKNOWN, slot=row.code)
        if (aisle.id, name.bay) not in bay_ids:
            bay_ids[aisle.id, name.bay] = _ensure_bay(call, aisle, name, row)
        slots.append(_slot_row(call, aisle, zones[name.zone], name, row, bay_ids[aisle.id, name.bay]))
    bulk.insert_slots(call.session, call.warehouse_id, slots)
    _check_levels(call, sorted({bay_id for bay_id, _ in bay_ids.values()}))
    _raise_frames(call, sorted({bay_id for bay_id, _ in bay_ids.values()}))
    audit_trail.note(call, "slots.added", count=len(slots))
    return len(slots)


def _raise_frames(call: Call, bay_ids: Sequence[int]) -> None:
    """Uprights are at least as high as the levels that were listed between them, and carry what these may hold."""
    tall = (
        select(Slot.bay_id, Slot.level, func.max(Slot.height_mm).label("height_mm"))
        .where(Slot.bay_id.in_(bay_ids), Slot.retired.is_(False))
        .group_by(Slot.bay_id, Slot.level)
        .subquery()
    )
    total = select(func.sum(tall.c.height_mm + rules.BEAM_MM)).where(tall.c.bay_id == Bay.id).scalar_subquery()
    held = select(func.sum(Slot.weight_max_g)).where(Slot.bay_id == Bay.id, Slot.retired.is_(False)).scalar_subquery()
    for column, least, known in ((Bay.frame_mm, total, false()), (Bay.weight_max_g, held, Bay.weight_stated)):
        grown = update(Bay).where(Bay.id.in_(bay_ids), column < least, not_(known)).values({column: least})
        call.session.execute(grown, execution_options={"synchronize_session": False})


def _check_levels(call: Call, bay_ids: Sequence[int]) -> None:
    """All slots on one pair of beams say the same about it."""
    said = func.coalesce(Slot.level_weight_max_g, 0)
    for start in range(0, len(bay_ids), bulk.ROWS_PER_STATEMENT_MAX):
        some = bay_ids[start : start + bulk.ROWS_PER_STATEMENT_MAX]
        query = (
            select(func.max(Slot.code))
            .where(Slot.bay_id.in_(some), Slot.retired.is_(False))
            .group_by(Slot.bay_id, Slot.level)
            .having(func.min(said) != func.max(said))
        )
        code = call.session.scalars(query.limit(1)).first()
        if code is not None:
            raise Refused(Reason.BAD_INPUT, what=f"{code}: level_weight_max_g differs from that of its level")


def _check_sizes(row: NewSlot) -> None:
    for what in ("width_mm", "depth_mm", "height_mm", "weight_max_g", "skus_max"):
        if getattr(row, what) <= 0:
            raise Refused(Reason.BAD_INPUT, what=f"{row.code} {what}")
    for what in ("level_weight_max_g", "bay_weight_max_g"):
        if (stated := getattr(row, what)) is not None and stated <= 0:
            raise Refused(Reason.BAD_INPUT, what=f"{row.code} {what}")


def _check_new(call: Call, codes: Sequence[str]) -> None:
    if len(set(codes)) != len(codes):
        raise Refused(Reason.ALREADY_EXISTS, what=next(code for code, count in Counter(codes).items() if count > 1))
    for start in range(0, len(codes), bulk.ROWS_PER_STATEMENT_MAX):
        some = codes[start : start + bulk.ROWS_PER_STATEMENT_MAX]
        query = select(Slot.code).where(Slot.warehouse_id == call.warehouse_id, Slot.code.in_(some)).limit(1)
        taken = call.session.scalars(query).first()
        if taken is not None:
            raise Refused(Reason.ALREADY_EXISTS, what=taken)


def _ensure_bay(call: Call, aisle: AisleFacts, name: rules.SlotName, row: NewSlot) -> tuple[int, int]:
    """Id and y of the bay; a new one stands where its number says."""
    query = select(Bay.id, Bay.y_mm, Bay.weight_max_g, Bay.weight_stated)
    query = query.where(Bay.aisle_id == aisle.id, Bay.number == name.bay)
    found = call.session.execute(query.limit(1)).one_or_none()
    if found is not None:
        stands_g = found.weight_max_g if found.weight_stated else None
        if row.bay_weight_max_g not in (None, stands_g):
            said = "no limit was listed" if stands_g is None else f"{stands_g} g was listed"
            raise Refused(Reason.BAD_INPUT, what=f"{row.code}: bay_weight_max_g, but for its bay {said}")
        if row.y_mm not in (None, found.y_mm):
            raise Refused(Reason.BAD_INPUT, what=f"{row.code}: its bay stands at y {found.y_mm} mm")
        return found.id, found.y_mm
    y_mm = _new_bay_y_mm(queries.hall(call.session, call.warehouse_id).hall, name, row)
    bay = Bay(
        warehouse_id=call.warehouse_id,
        aisle_id=aisle.id,
        side=rules.side_of(name.bay),
        number=name.bay,
        y_mm=y_mm,
        profile="listed",
        levels=name.level,
        weight_max_g=row.bay_weight_max_g or row.weight_max_g,
        weight_stated=row.bay_weight_max_g is not None,
    )
    call.session.add(bay)
    call.session.flush()
    return bay.id, y_mm


def _new_bay_y_mm(hall: RectHall, name: rules.SlotName, row: NewSlot) -> int:
    if row.y_mm is None:
        return rules.bay_y_mm(hall, name.bay)
    if not hall.cross_y_mm[0] <= row.y_mm <= hall.cross_y_mm[-1]:
        raise Refused(Reason.BAD_INPUT, what=f"{row.code}: y {row.y_mm} mm is outside of the aisles")
    return row.y_mm


def _slot_row(
    call: Call, aisle: AisleFacts, zone: ZoneFacts, name: rules.SlotName, row: NewSlot, bay: tuple[int, int]
) -> dict[str, Any]:
    return {
        "warehouse_id": call.warehouse_id,
        "zone_id": aisle.zone_id,
        "aisle_id": aisle.id,
        "bay_id": bay[0],
        "code": row.code,
        "side": rules.side_of(name.bay),
        "level": name.level,
        "position": name.position,
        "aisle_index": aisle.index,
        "y_mm": bay[1],
        "width_mm": row.width_mm,
        "depth_mm": row.depth_mm,
        "height_mm": row.height_mm,
        "weight_max_g": row.weight_max_g,
        "level_weight_max_g": row.level_weight_max_g,
        "skus_max": row.skus_max,
        "bonded": zone.kind == ZoneKind.BONDED,
    }


def record_weight(call: Call, station_code: str, weight_g: int) -> None:
    """What the station's scale says, once it stands still."""
    statement = (
        update(StationRow)
        .where(StationRow.warehouse_id == call.warehouse_id, StationRow.code == station_code)
        .values(weight_g=weight_g, weighed_at=call.now)
        .returning(StationRow.id)
    )
    if call.session.execute(statement).first() is None:
        raise Refused(Reason.STATION_UNKNOWN, station=station_code)


def set_chute(call: Call, number: int, state: ChuteState | str, parcels: int | None = None) -> None:
    """A chute's state and filling, as the line or a person reports it."""
    values: dict[str, Any] = {"state": ChuteState(state).value}
    if parcels is not None:
        values["parcels"] = parcels
    statement = (
        update(ChuteRow)
        .where(ChuteRow.warehouse_id == call.warehouse_id, ChuteRow.number == number)
        .values(values)
        .returning(ChuteRow.id)
    )
    if call.session.execute(statement).first() is None:
        raise Refused(Reason.CHUTE_UNKNOWN, chute=number)
    call.wakes.add("live")
