"""The rows of a slot list: a park's own building, from a table with a line for each slot."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlalchemy import select

from wms.core.call import Call
from wms.core.i18n import text as text_of
from wms.core.refusal import Refused
from wms.exchange.cells import BadCell, BadRows, maybe_whole, need, one_of, text, whole
from wms.exchange.tables_in_files import Row
from wms.site.listing import ListedSlot, add_listed_slots
from wms.site.rules import read_slot_code
from wms.site.tables import Slot
from wms.site.values import NewSlot, Temperature, ZoneKind

NEEDED = ("code", "width_mm", "depth_mm", "height_mm", "weight_max_g")
KNOWN = ("skus_max", "level_weight_max_g", "bay_weight_max_g", "zone_name", "zone_kind", "temperature", "x_mm", "y_mm")
SIZE_MM_MAX = 100_000
HALL_MM_MAX = 2_000_000
LOAD_G_MAX = 100_000_000


def take_slots(call: Call, rows: Sequence[Row]) -> None:
    """Add all slots of a list, with the hall, zones and aisles they need. Raises BadRows with every row that is wrong
    by itself or against another; what only the building can say (a bay beyond the aisle's end) names the first one.
    """
    listed, bad = _read(rows)
    bad += _taken(call, listed)
    bad += _disagreements(listed, "x_mm", "aisle", lambda one: f"{one.name.zone}{one.name.aisle:02d}", _x_mm)
    bad += _disagreements(listed, "y_mm", "bay", _bay, lambda one: one.slot.y_mm)
    bad += _disagreements(listed, "level_weight_max_g", "level", _level, lambda one: one.slot.level_weight_max_g)
    bad += _disagreements(listed, "bay_weight_max_g", "bay", _bay, lambda one: one.slot.bay_weight_max_g)
    bad += _disagreements(listed, "zone_kind", "zone", lambda one: one.name.zone, lambda one: one.zone_kind)
    bad += _disagreements(listed, "temperature", "zone", lambda one: one.name.zone, lambda one: one.temperature)
    bad += _disagreements(listed, "zone_name", "zone", lambda one: one.name.zone, lambda one: one.zone_name)
    if bad:
        raise BadRows(sorted(bad))
    try:
        add_listed_slots(call, list(listed.values()))
    except Refused as no:
        raise BadRows([(_row_of(no, listed), text_of(f"reason.{no.reason.value}", "en", **no.facts))]) from no


def _x_mm(one: ListedSlot) -> int | None:
    return one.x_mm


def _bay(one: ListedSlot) -> str:
    return f"{one.name.zone}{one.name.aisle:02d}-{one.name.bay:02d}"


def _level(one: ListedSlot) -> str:
    return f"{_bay(one)}-{one.name.level}"


def _read(rows: Sequence[Row]) -> tuple[dict[int, ListedSlot], list[tuple[int, str]]]:
    """Slots by row number, and the rows that are none."""
    listed: dict[int, ListedSlot] = {}
    bad: list[tuple[int, str]] = []
    seen: dict[str, int] = {}
    for row in rows:
        try:
            one = _slot(row)
        except BadCell as error:
            bad.append((row.number, str(error)))
            continue
        first = seen.setdefault(one.slot.code, row.number)
        if first != row.number:
            bad.append((row.number, f"code: {one.slot.code} is in row {first} already"))
        listed[row.number] = one
    return listed, bad


def _slot(row: Row) -> ListedSlot:
    code = need(row, "code").upper()
    try:
        read_slot_code(code)
    except Refused as no:
        raise BadCell(f"code: {code!r} is no slot code like B12-07-3 or B12-07-3A") from no
    sizes = [whole(row, name, least=1, most=SIZE_MM_MAX) for name in NEEDED[1:4]]
    slot = NewSlot(
        code,
        sizes[0],
        sizes[1],
        sizes[2],
        whole(row, "weight_max_g", least=1, most=LOAD_G_MAX),
        whole(row, "skus_max", 1, least=1, most=1_000),
        _place(row, "y_mm"),
        load(row, "level_weight_max_g"),
        load(row, "bay_weight_max_g"),
    )
    return ListedSlot(slot, _kind(row), text(row, "zone_name", 60), _place(row, "x_mm"), _temperature(row))


def _place(row: Row, name: str) -> int | None:
    found = maybe_whole(row, name)
    if found is not None and found > HALL_MM_MAX:
        raise BadCell(f"{name}: {found} is not between 0 and {HALL_MM_MAX}")
    return found


def load(row: Row, name: str) -> int | None:
    """Grams that something carries; None for an empty cell."""
    return whole(row, name, least=1, most=LOAD_G_MAX) if row.cells.get(name) else None


def _kind(row: Row) -> ZoneKind | None:
    found = one_of(row, "zone_kind", tuple(ZoneKind))
    return ZoneKind(found) if found else None


def _temperature(row: Row) -> Temperature | None:
    found = one_of(row, "temperature", tuple(Temperature))
    return Temperature(found) if found else None


def _taken(call: Call, listed: dict[int, ListedSlot]) -> list[tuple[int, str]]:
    """Rows whose slot is there already."""
    query = select(Slot.code).where(Slot.warehouse_id == call.warehouse_id)
    standing = set(call.session.scalars(query))
    return [(number, f"code: {one.slot.code} is in use") for number, one in listed.items() if one.slot.code in standing]


def _disagreements(
    listed: dict[int, ListedSlot],
    column: str,
    what: str,
    group_of: Callable[[ListedSlot], str],
    value_of: Callable[[ListedSlot], object],
) -> list[tuple[int, str]]:
    """Rows that say something else about their aisle, bay or zone than the first row about it."""
    first: dict[str, tuple[int, object]] = {}
    bad: list[tuple[int, str]] = []
    for number, one in listed.items():
        at, value = first.setdefault(group_of(one), (number, value_of(one)))
        if value_of(one) != value:
            said = [str(each) if each not in (None, "") else "nothing" for each in (value_of(one), value)]
            bad.append((number, f"{column}: {said[0]} for {what} {group_of(one)}, but row {at} says {said[1]}"))
    return bad


def _row_of(no: Refused, listed: dict[int, ListedSlot]) -> int:
    """The row a refusal speaks of: the one whose code it names, else the first."""
    said = " ".join(str(fact) for fact in no.facts.values())
    named = (number for number, one in listed.items() if one.slot.code in said)
    return next(named, next(iter(listed)))
