"""What the rows of an import mean: each kind has its columns and the one service that takes a row.

All or nothing: every row is tried, bad ones are collected with their numbers, and one bad row rolls the whole file
back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from wms.catalog import queries as catalog_queries
from wms.catalog import service as catalog
from wms.catalog.values import SKU_ZONE_KINDS
from wms.core.call import Call
from wms.core.i18n import text as text_of
from wms.core.refusal import Reason, Refused
from wms.exchange.cells import BadCell, BadRows, day, maybe_whole, moment, need, one_of, parts, text, whole
from wms.exchange.slots_in_files import KNOWN as SLOT_KNOWN
from wms.exchange.slots_in_files import LOAD_G_MAX, load, take_slots
from wms.exchange.slots_in_files import NEEDED as SLOT_NEEDED
from wms.exchange.tables_in_files import Row
from wms.inbound import service as inbound
from wms.ledger import service as ledger
from wms.ledger.values import Movement, MovementKind, Virtual
from wms.outbound.service.orders import create_order
from wms.outbound.values import Receiver
from wms.shipping import couriers
from wms.shipping.queries import cut_offs
from wms.site import queries as site
from wms.site.racks import LEVELS_MAX, set_profile
from wms.site.rules import SHELF, Profile
from wms.site.values import POSITION_LETTERS, Temperature, ZoneKind
from wms.slotting import judging
from wms.slotting.values import Goods

QUANTITY_MAX = 1_000_000
SIZE_MM_MAX = 100_000
WEIGHT_G_MAX = 10_000_000
DAYS_MAX = 36_500
NUMBER_MAX = 10**18 - 1

__all__ = ["KINDS", "BadRows", "Kind", "import_rows"]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of file: needed columns, others it knows, and what takes a row (or a group of rows with one key, or
    with `whole` all of them).
    """

    needed: tuple[str, ...]
    known: tuple[str, ...]
    take: Callable[[Call, Sequence[Row]], None]
    group_by: tuple[str, ...] = ()
    whole: bool = False


def import_rows(call: Call, kind: str, rows: Sequence[Row]) -> int:
    """Take all rows; the number taken. Raises BadRows: then the caller rolls back."""
    what = KINDS[kind]
    _check_columns(what, rows)
    bad = [(row.number, row.trouble) for row in rows if row.trouble]
    sound = [row for row in rows if not row.trouble]
    for group in _groups(what, sound):
        bad += _try(call, what, group)
    if bad:
        raise BadRows(sorted(bad))
    return len(rows)


def _try(call: Call, kind: Kind, group: Sequence[Row]) -> list[tuple[int, str]]:
    """Take a group; its bad rows."""
    try:
        kind.take(call, group)
    except BadRows as bad:
        return bad.rows
    except BadCell as error:
        return [(group[0].number, str(error))]
    except Refused as no:
        if no.reason is Reason.BUSY:
            raise
        return [(_row_of(no, group), text_of(f"reason.{no.reason.value}", "en", **no.facts))]
    return []


def _row_of(no: Refused, group: Sequence[Row]) -> int:
    """The row of a group a refusal speaks of: the one with the SKU it names, else the first."""
    sku = no.facts.get("sku")
    return next((row.number for row in group if sku and row.cells.get("sku") == sku), group[0].number)


def _check_columns(kind: Kind, rows: Sequence[Row]) -> None:
    if not rows:
        raise BadRows([(1, "no rows below the header")])
    there = set(rows[0].cells)
    missing = [name for name in kind.needed if name not in there]
    if missing:
        raise BadRows([(1, f"the column {', '.join(missing)} is missing; needed: {', '.join(kind.needed)}")])
    unknown = sorted(there - set(kind.needed) - set(kind.known))
    if unknown:
        raise BadRows([(1, f"unknown column {', '.join(unknown)}; known: {', '.join((*kind.needed, *kind.known))}")])


def _groups(kind: Kind, rows: Sequence[Row]) -> list[list[Row]]:
    if kind.whole:
        return [list(rows)] if rows else []
    if not kind.group_by:
        return [[row] for row in rows]

    def key(row: Row) -> tuple[str, ...]:
        return tuple(row.cells[name] for name in kind.group_by)

    found = [list(group) for _key, group in groupby(sorted(rows, key=lambda row: (key(row), row.number)), key)]
    return sorted(found, key=lambda group: group[0].number)


def _lines(rows: Sequence[Row]) -> list[tuple[str, int]]:
    """SKU and quantity of each row. Raises BadRows with all rows that have none."""
    lines: list[tuple[str, int]] = []
    bad: list[tuple[int, str]] = []
    for row in rows:
        try:
            lines.append((need(row, "sku"), whole(row, "quantity", least=1, most=QUANTITY_MAX)))
        except BadCell as error:
            bad.append((row.number, str(error)))
    if bad:
        raise BadRows(bad)
    return lines


def _refuse_unknown_skus(call: Call, rows: Sequence[Row], merchant: str) -> None:
    """Name every row whose SKU nobody knows, not only the first."""
    owner = catalog.own_merchant(call, merchant)
    codes = {row.cells["sku"] for row in rows}
    known = catalog_queries.skus_by_code(call.session, call.warehouse_id, owner.id, codes)
    bad = [
        (row.number, text_of(f"reason.{Reason.SKU_UNKNOWN.value}", "en", sku=row.cells["sku"]))
        for row in rows
        if row.cells["sku"] not in known
    ]
    if bad:
        raise BadRows(bad)


def _refuse_other_words(rows: Sequence[Row], columns: Sequence[str]) -> None:
    """The head of an order stands in each of its rows: the same, or nothing."""
    first = rows[0]
    bad = [
        (row.number, f"{name} differs from row {first.number} of the same number")
        for row in rows[1:]
        for name in columns
        if row.cells.get(name, "") not in ("", first.cells.get(name, ""))
    ]
    if bad:
        raise BadRows(bad)


def _merchant(call: Call, rows: Sequence[Row]) -> None:
    row = rows[0]
    catalog.add_merchant(
        call,
        code=need(row, "code"),
        name=need(row, "name", 200),
        contact=text(row, "contact"),
        phone=text(row, "phone", 64),
    )


def _sku(call: Call, rows: Sequence[Row]) -> None:
    row = rows[0]
    sizes = {name: whole(row, name, 0, most=SIZE_MM_MAX) for name in _SIZES_MM}
    catalog.add_sku(
        call,
        merchant_code=need(row, "merchant"),
        code=need(row, "code"),
        name=need(row, "name", 200),
        barcodes=[(code, 1) for code in parts(row, "barcodes")],
        unit=text(row, "unit", 20) or "件",
        family=text(row, "family", 100),
        length_mm=sizes["length_mm"],
        width_mm=sizes["width_mm"],
        height_mm=sizes["height_mm"],
        weight_g=whole(row, "weight_g", 0, most=WEIGHT_G_MAX),
        lot_tracked=_yes(row, "lot_tracked"),
        shelf_life_days=maybe_whole(row, "shelf_life_days"),
        min_life_receipt_days=whole(row, "min_life_receipt_days", 0, most=DAYS_MAX),
        min_life_ship_days=whole(row, "min_life_ship_days", 0, most=DAYS_MAX),
        hazard=text(row, "hazard", 64),
        zone_kind=one_of(row, "zone_kind", SKU_ZONE_KINDS) or ZoneKind.STORAGE,
        temperature=one_of(row, "temperature", tuple(Temperature)) or Temperature.AMBIENT,
        lookalike=text(row, "lookalike", 64),
    )


def _yes(row: Row, name: str) -> bool:
    value = text(row, name).lower()
    if value not in _YES | _NO:
        raise BadCell(f"{name}: {value!r} is not yes or no")
    return value in _YES


def _stock(call: Call, rows: Sequence[Row]) -> None:
    """Opening stock: into its slot from the supplier, as a receipt without paper; the slot's rules hold."""
    row = rows[0]
    quantity = whole(row, "quantity", least=1, most=QUANTITY_MAX)
    merchant = catalog.own_merchant(call, need(row, "merchant"))
    sku = catalog_queries.sku_by_code(call.session, call.warehouse_id, merchant.id, need(row, "sku"))
    lot_id = catalog.ensure_lot(
        call, sku, text(row, "lot", 64) or None, day(row, "produced_on"), day(row, "expires_on")
    )
    slot = site.slot_by_code(call.session, call.warehouse_id, need(row, "slot").upper())
    judging.one_of_many(call)
    judging.take_slot(call, Goods(sku, lot_id, quantity), slot.place_id)
    supplier = ledger.virtual_id(call.session, call.warehouse_id, Virtual.SUPPLIER)
    movement = Movement(
        MovementKind.RECEIPT,
        merchant.id,
        supplier,
        slot.place_id,
        sku.id,
        lot_id,
        quantity,
        reference=f"import:{row.number}",
    )
    ledger.post(call.step(str(row.number)), [movement])


def _asn(call: Call, rows: Sequence[Row]) -> None:
    first = rows[0]
    lines = _lines(rows)
    _refuse_unknown_skus(call, rows, need(first, "merchant"))
    _refuse_other_words(rows, ("expected_at",))
    inbound.create_asn(
        call,
        merchant_code=need(first, "merchant"),
        no=need(first, "no"),
        lines=lines,
        expected_at=moment(first, "expected_at", site.warehouse(call.session, call.warehouse_id).zone),
    )


def _order(call: Call, rows: Sequence[Row]) -> None:
    first = rows[0]
    wanted: dict[str, int] = {}
    for sku, quantity in _lines(rows):
        wanted[sku] = wanted.get(sku, 0) + quantity
    _refuse_unknown_skus(call, rows, need(first, "merchant"))
    _refuse_other_words(rows, ("courier", "placed_at", "shop", "remark", *_RECEIVER))
    courier = need(first, "courier")
    area_code = text(first, "area_code", 6)
    if area_code and not (area_code.isascii() and area_code.isdecimal() and len(area_code) in (2, 4, 6)):
        raise BadCell(f"area_code: {area_code!r} is not 2, 4 or 6 digits")
    create_order(
        call,
        merchant_code=need(first, "merchant"),
        no=need(first, "no"),
        courier=courier,
        lines=list(wanted.items()),
        receiver=Receiver(**{name: text(first, name) for name in _RECEIVER}),
        shop=text(first, "shop"),
        remark=text(first, "remark"),
        placed_at=moment(first, "placed_at", site.warehouse(call.session, call.warehouse_id).zone),
        cut_offs=cut_offs(call.session, call.warehouse_id, courier),
    )


def _profile(call: Call, rows: Sequence[Row]) -> None:
    """A way of one's own to cut a bay; a known one of that name is changed for bays to come."""
    row = rows[0]
    sizes = {name: whole(row, name, least=1, most=SIZE_MM_MAX) for name in ("width_mm", "depth_mm", "height_mm")}
    set_profile(
        call,
        Profile(
            need(row, "code").lower(),
            levels=whole(row, "levels", least=1, most=LEVELS_MAX),
            positions=whole(row, "positions", least=1, most=len(POSITION_LETTERS)),
            weight_max_g=whole(row, "weight_max_g", least=1, most=LOAD_G_MAX),
            skus_max=whole(row, "skus_max", 1, least=1, most=QUANTITY_MAX),
            aisle_width_mm=SHELF.aisle_width_mm,
            level_weight_max_g=load(row, "level_weight_max_g"),
            **sizes,
        ),
    )


def _courier(call: Call, rows: Sequence[Row]) -> None:
    row = rows[0]
    code, cut_off_times = need(row, "code"), parts(row, "cut_offs")
    if not cut_off_times:
        raise BadCell("cut_offs is empty: daily times like 16:00;19:30")
    couriers.add_courier(
        call, code=code, name=need(row, "name", 200), product=text(row, "product"), cut_offs=cut_off_times
    )
    if row.cells.get("first") or row.cells.get("last"):
        couriers.add_pool(
            call,
            courier=code,
            prefix=text(row, "prefix", 20),
            first=whole(row, "first", most=NUMBER_MAX),
            last=whole(row, "last", most=NUMBER_MAX),
            digits=len(text(row, "last").partition(".")[0]),
        )


def _route(call: Call, rows: Sequence[Row]) -> None:
    row = rows[0]
    courier = need(row, "courier")
    cut_offs(call.session, call.warehouse_id, courier)  # refuses a courier nobody knows
    couriers.add_route(
        call,
        courier=courier,
        match=text(row, "area", 6),
        route_code=need(row, "route_code"),
        hub=need(row, "hub"),
        priority=whole(row, "priority", 0, most=1_000),
    )


_RECEIVER = ("name", "phone", "province", "city", "district", "address", "area_code")
_SIZES_MM = ("length_mm", "width_mm", "height_mm")
_LIVES = ("shelf_life_days", "min_life_receipt_days", "min_life_ship_days")
_KEEPING = ("hazard", "zone_kind", "temperature", "lookalike")
_YES, _NO = frozenset({"yes", "true", "1", "是"}), frozenset({"", "no", "false", "0", "否"})

KINDS: Mapping[str, Kind] = {
    "merchants": Kind(("code", "name"), ("contact", "phone"), _merchant),
    "skus": Kind(
        ("merchant", "code", "name"),
        ("barcodes", "unit", "family", *_SIZES_MM, "weight_g", "lot_tracked", *_LIVES, *_KEEPING),
        _sku,
    ),
    "slots": Kind(SLOT_NEEDED, SLOT_KNOWN, take_slots, whole=True),
    "profiles": Kind(
        ("code", "levels", "positions", "width_mm", "depth_mm", "height_mm", "weight_max_g"),
        ("skus_max", "level_weight_max_g"),
        _profile,
    ),
    "stock": Kind(("merchant", "sku", "slot", "quantity"), ("lot", "produced_on", "expires_on"), _stock),
    "asn": Kind(("merchant", "no", "sku", "quantity"), ("expected_at",), _asn, ("merchant", "no")),
    "orders": Kind(
        ("merchant", "no", "courier", "sku", "quantity"),
        ("placed_at", "shop", "remark", *_RECEIVER),
        _order,
        ("merchant", "no"),
    ),
    "couriers": Kind(("code", "name", "cut_offs"), ("product", "prefix", "first", "last"), _courier),
    "routes": Kind(("courier", "route_code", "hub"), ("area", "priority"), _route),
}
