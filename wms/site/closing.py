"""Aisles and zones are closed and opened again: water on the floor, a rack being mended, a count, a fire drill.

Whoever closes something says why; `until` opens it by itself. From the commit on no way leads through it, and the
slots out of reach say so (`shut`), so that nothing new is put there, promised from there or walked to.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, insert, select, update

from wms.core import audit_trail
from wms.core.call import Call
from wms.core.db.tables import table_of
from wms.core.outbox import announce
from wms.core.refusal import Reason, Refused
from wms.optimise.geometry import Stop, is_reachable
from wms.site import queries
from wms.site.rules import BAY_WIDTH_MM
from wms.site.tables import Aisle, Bay, Closure, Hall, Slot, Zone
from wms.site.values import AisleFacts, ClosureFacts, HallFacts

WHY_MAX = 200
OPEN_AT_ONCE_MAX = 50
CLOSED, OPENED = "floor.closed", "floor.opened"

_closure = table_of(Closure)
_slot = table_of(Slot)
_hall = table_of(Hall)


def close_aisle(
    call: Call, name: str, *, why: str, until: datetime | None = None, bays: tuple[int, int] | None = None
) -> ClosureFacts:
    """Close an aisle by its painted name (`B12`), whole or from one bay to another (both of them included).

    Raises NOT_FOUND for an aisle or bays that are not there, BAD_INPUT without a reason or for a moment that is past,
    ALREADY_EXISTS when just that is closed already.
    """
    hall_id = _begin(call)
    aisles = queries.hall(call.session, call.warehouse_id).aisles
    aisle = next((one for one in aisles if one.name == name), None)
    if aisle is None:
        raise Refused(Reason.NOT_FOUND, what=f"aisle {name[:40]}")
    stretch = _whole(call) if bays is None else _of_bays(call, aisle, bays)
    return _close(call, hall_id, {"aisle_id": aisle.id, "zone_id": None}, stretch, why, until)


def close_zone(call: Call, code: str, *, why: str, until: datetime | None = None) -> ClosureFacts:
    """Close every aisle of a zone. Raises as `close_aisle`."""
    hall_id = _begin(call)
    zone = call.session.execute(select(Zone.id).where(Zone.hall_id == hall_id, Zone.code == code)).scalar_one_or_none()
    if zone is None:
        raise Refused(Reason.NOT_FOUND, what=f"zone {code[:40]}")
    return _close(call, hall_id, {"aisle_id": None, "zone_id": zone}, _whole(call), why, until)


def open_again(call: Call, closure_id: int) -> ClosureFacts:
    """What was closed is open again. Raises NOT_FOUND when it is not closed."""
    _begin(call)
    before = queries.hall(call.session, call.warehouse_id)
    known = next((one for one in before.closures if one.id == closure_id), None)
    if known is None:
        raise Refused(Reason.NOT_FOUND, what=f"closure {closure_id}")
    opened = {"opened_at": call.now, "opened_by": call.actor}
    call.session.execute(update(_closure).where(_closure.c.id == closure_id).values(**opened))
    _renew(call, before.id)
    announce(call, OPENED, f"hall:{before.id}", closure=closure_id)
    audit_trail.note(call, OPENED, name=known.name, why=known.why)
    return known


def open_due(call: Call) -> list[str]:
    """Open what was closed until now; the names. Safe to repeat."""
    query = (
        select(_closure.c.id)
        .where(
            _closure.c.warehouse_id == call.warehouse_id,
            _closure.c.opened_at.is_(None),
            _closure.c.until <= call.now,
        )
        .order_by(_closure.c.id)
        .limit(OPEN_AT_ONCE_MAX)
    )
    due = call.session.scalars(query).all()
    if due:
        _begin(call)  # whoever came first has opened them: look again behind the lock
        due = call.session.scalars(query).all()
    return [open_again(call, closure_id).name for closure_id in due]


def _begin(call: Call) -> int:
    """One change of the floor at a time; the hall's id. The hall is locked first, then slots in key order."""
    found = select(_hall.c.id).where(_hall.c.warehouse_id == call.warehouse_id).order_by(_hall.c.id).limit(1)
    hall_id = call.session.execute(found.with_for_update()).scalar_one_or_none()
    if hall_id is None:
        raise Refused(Reason.NOT_FOUND, what="hall")
    return int(hall_id)


def _whole(call: Call) -> tuple[int, int]:
    cross_y_mm = queries.hall(call.session, call.warehouse_id).hall.cross_y_mm
    return cross_y_mm[0], cross_y_mm[-1]


def _of_bays(call: Call, aisle: AisleFacts, bays: tuple[int, int]) -> tuple[int, int]:
    """From the front edge of one bay to the back edge of the other, whichever stands in front."""
    query = select(Bay.number, Bay.y_mm).where(Bay.aisle_id == aisle.id, Bay.number.in_(bays))
    ys = {row.number: row.y_mm for row in call.session.execute(query)}
    for bay in bays:
        if bay not in ys:
            raise Refused(Reason.NOT_FOUND, what=f"{aisle.name} bay {bay}")
    first, last = _whole(call)
    low, high = min(ys.values()) - BAY_WIDTH_MM // 2, max(ys.values()) + BAY_WIDTH_MM // 2
    return max(first, low), min(last, high)


def _close(
    call: Call,
    hall_id: int,
    which: dict[str, int | None],
    stretch: tuple[int, int],
    why: str,
    until: datetime | None,
) -> ClosureFacts:
    _check(call, why, until)
    row: dict[str, Any] = {**which, "from_y_mm": stretch[0], "to_y_mm": stretch[1]}
    same = [_closure.c[name].is_(None) if value is None else _closure.c[name] == value for name, value in row.items()]
    known = select(_closure.c.id).where(_closure.c.hall_id == hall_id, _closure.c.opened_at.is_(None), *same)
    if call.session.execute(known.limit(1)).first():
        raise Refused(Reason.ALREADY_EXISTS, what=why.strip()[:40])
    version = call.session.execute(select(_hall.c.version).where(_hall.c.id == hall_id)).scalar_one() + 1
    row |= {
        "warehouse_id": call.warehouse_id,
        "hall_id": hall_id,
        "why": why.strip(),
        "until": until,
        "closed_by": call.actor,
        "closed_at": call.now,
        "hall_version": version,
        "opened_by": "",
    }
    closure_id = call.session.execute(insert(_closure).returning(_closure.c.id), row).scalar_one()
    facts = next(one for one in _renew(call, hall_id).closures if one.id == closure_id)
    announce(call, CLOSED, f"hall:{hall_id}", closure=closure_id)
    told = {"from_mm": facts.from_y_mm, "to_mm": facts.to_y_mm, "until": until and until.isoformat()}
    audit_trail.note(call, CLOSED, name=facts.name, why=facts.why, **told)
    return facts


def _check(call: Call, why: str, until: datetime | None) -> None:
    if not 1 <= len(why.strip()) <= WHY_MAX:
        raise Refused(Reason.BAD_INPUT, what="why")
    if until is not None and until <= call.now:
        raise Refused(Reason.BAD_INPUT, what="until")


def _renew(call: Call, hall_id: int) -> HallFacts:
    """The hall counts up, so that maps and walks are drawn anew, and its slots learn whether one can walk to them."""
    call.session.execute(update(_hall).where(_hall.c.id == hall_id).values(version=_hall.c.version + 1))
    hall = queries.read_hall(call.session, hall_id)
    wrong: dict[tuple[int, bool], list[int]] = {}
    places = select(_slot.c.aisle_index, _slot.c.y_mm, _slot.c.shut).where(_of_hall(call, hall_id)).distinct()
    for aisle, y_mm, shut in call.session.execute(places):
        if shut == is_reachable(hall.now, Stop(aisle, y_mm)):
            wrong.setdefault((aisle, not shut), []).append(y_mm)
    for (aisle, shut), ys in sorted(wrong.items()):
        _set_shut(call, _of_hall(call, hall_id) & (_slot.c.aisle_index == aisle) & _slot.c.y_mm.in_(ys), shut=shut)
    call.wakes.add("live")
    return hall


def _of_hall(call: Call, hall_id: int) -> ColumnElement[bool]:
    aisles = select(Aisle.id).where(Aisle.hall_id == hall_id)
    return (_slot.c.warehouse_id == call.warehouse_id) & _slot.c.aisle_id.in_(aisles)


def _set_shut(call: Call, which: ColumnElement[bool], *, shut: bool) -> None:
    """Key order, so that whoever holds one of these slots is waited for and never waits for us."""
    call.session.execute(select(_slot.c.place_id).where(which).order_by(_slot.c.place_id).with_for_update()).all()
    call.session.execute(update(_slot).where(which).values(shut=shut))
