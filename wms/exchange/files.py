"""What the rows of an import mean: each kind has its columns and the one service that takes a row.

All or nothing: every row is tried, bad ones are collected with their numbers, and one bad row rolls the whole file
back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby

from wms.catalog import queries as catalog_queries
from wms.catalog import service as catalog
from wms.core.call import Call
from wms.core.i18n import text
from wms.core.refusal import Refused
from wms.exchange.tables_in_files import Row
from wms.inbound import service as inbound
from wms.ledger import service as ledger
from wms.ledger.values import Movement, MovementKind, Virtual
from wms.outbound.service.orders import create_order
from wms.outbound.values import Receiver
from wms.shipping import couriers
from wms.shipping.queries import cut_offs
from wms.site import queries as site
from wms.site import service as site_service
from wms.site.values import NewSlot

BAD_ROWS_MAX = 200


class BadRows(Exception):
    """The rows that cannot be taken: (number, what is wrong)."""

    def __init__(self, rows: list[tuple[int, str]]) -> None:
        self.rows = rows
        super().__init__(f"{len(rows)} bad rows")


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of file: needed columns, others it knows, and what takes a row (or a group of rows with one key)."""

    needed: tuple[str, ...]
    known: tuple[str, ...]
    take: Callable[[Call, Sequence[Row]], None]
    group_by: tuple[str, ...] = ()


def import_rows(call: Call, kind: str, rows: Sequence[Row]) -> int:
    """Take all rows; the number taken. Raises BadRows: then the caller rolls back."""
    what = KINDS[kind]
    _check_columns(what, rows)
    bad: list[tuple[int, str]] = []
    taken = 0
    for group in _groups(what, rows):
        try:
            what.take(call, group)
            taken += len(group)
        except Refused as no:
            bad.append((group[0].number, text(f"reason.{no.reason.value}", "en", **no.facts)))
        except (ValueError, KeyError) as error:
            bad.append((group[0].number, str(error).strip("'")))
        if len(bad) >= BAD_ROWS_MAX:
            break
    if bad:
        raise BadRows(bad)
    return taken


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
    if not kind.group_by:
        return [[row] for row in rows]

    def key(row: Row) -> tuple[str, ...]:
        return tuple(row.cells[name] for name in kind.group_by)

    return [list(group) for _key, group in groupby(sorted(rows, key=lambda row: (key(row), row.number)), key)]


def _need(row: Row, name: str) -> str:
    value = row.cells.get(name, "")
    if not value:
        raise ValueError(f"{name} is empty")
    return value


def _whole(row: Row, name: str, default: int | None = None) -> int:
    """A whole number, also written 6.0."""
    value = row.cells.get(name, "")
    if not value and default is not None:
        return default
    try:
        number = float(value)
    except ValueError as error:
        raise ValueError(f"{name}: {value!r} is not a number") from error
    if number != int(number):
        raise ValueError(f"{name}: {value} is not whole")
    return int(number)


def _day(row: Row, name: str) -> date | None:
    value = row.cells.get(name, "")
    if not value:
        return None
    try:
        return date.fromisoformat(value[:10])
    except ValueError as error:
        raise ValueError(f"{name}: {value!r} is not a date like 2027-03-02") from error


def _moment(call: Call, row: Row, name: str) -> datetime | None:
    value = row.cells.get(name, "")
    if not value:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError as error:
        raise ValueError(f"{name}: {value!r} is not a time like 2026-11-07 14:32") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=site.warehouse(call.session, call.warehouse_id).zone)


def _merchant(call: Call, rows: Sequence[Row]) -> None:
    row = rows[0]
    catalog.add_merchant(
        call,
        code=_need(row, "code"),
        name=_need(row, "name"),
        contact=row.cells.get("contact", ""),
        phone=row.cells.get("phone", ""),
    )


def _sku(call: Call, rows: Sequence[Row]) -> None:
    row = rows[0]
    codes = [part for part in row.cells.get("barcodes", "").replace(",", ";").split(";") if part.strip()]
    catalog.add_sku(
        call,
        merchant_code=_need(row, "merchant"),
        code=_need(row, "code"),
        name=_need(row, "name"),
        barcodes=[(code.strip(), 1) for code in codes],
        unit=row.cells.get("unit") or "件",
        family=row.cells.get("family", ""),
        length_mm=_whole(row, "length_mm", 0),
        width_mm=_whole(row, "width_mm", 0),
        height_mm=_whole(row, "height_mm", 0),
        weight_g=_whole(row, "weight_g", 0),
        shelf_life_days=_whole(row, "shelf_life_days") if row.cells.get("shelf_life_days") else None,
        min_life_receipt_days=_whole(row, "min_life_receipt_days", 0),
        min_life_ship_days=_whole(row, "min_life_ship_days", 0),
    )


def _stock(call: Call, rows: Sequence[Row]) -> None:
    """Opening stock: into its slot from the supplier, as a receipt without paper."""
    row = rows[0]
    merchant = catalog.own_merchant(call, _need(row, "merchant"))
    sku = catalog_queries.sku_by_code(call.session, call.warehouse_id, merchant.id, _need(row, "sku"))
    lot_id = catalog.ensure_lot(
        call, sku, row.cells.get("lot") or None, _day(row, "produced_on"), _day(row, "expires_on")
    )
    slot = site.slot_by_code(call.session, call.warehouse_id, _need(row, "slot"))
    quantity = _whole(row, "quantity")
    if quantity < 1:
        raise ValueError("quantity: must be at least 1")
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
    inbound.create_asn(
        call,
        merchant_code=_need(first, "merchant"),
        no=_need(first, "no"),
        lines=[(_need(row, "sku"), _whole(row, "quantity")) for row in rows],
        expected_at=_moment(call, first, "expected_at"),
    )


def _order(call: Call, rows: Sequence[Row]) -> None:
    first = rows[0]
    courier = _need(first, "courier")
    wanted: dict[str, int] = {}
    for row in rows:
        wanted[_need(row, "sku")] = wanted.get(_need(row, "sku"), 0) + _whole(row, "quantity")
    names = ("name", "phone", "province", "city", "district", "address", "area_code")
    create_order(
        call,
        merchant_code=_need(first, "merchant"),
        no=_need(first, "no"),
        courier=courier,
        lines=list(wanted.items()),
        receiver=Receiver(**{name: first.cells.get(name, "") for name in names}),
        placed_at=_moment(call, first, "placed_at"),
        cut_offs=cut_offs(call.session, call.warehouse_id, courier),
    )


def _courier(call: Call, rows: Sequence[Row]) -> None:
    row = rows[0]
    couriers.add_courier(
        call,
        code=_need(row, "code"),
        name=_need(row, "name"),
        product=row.cells.get("product", ""),
        cut_offs=[part.strip() for part in _need(row, "cut_offs").replace(",", ";").split(";") if part.strip()],
    )
    if row.cells.get("first"):
        couriers.add_pool(
            call,
            courier=_need(row, "code"),
            prefix=row.cells.get("prefix", ""),
            first=_whole(row, "first"),
            last=_whole(row, "last"),
        )


def _route(call: Call, rows: Sequence[Row]) -> None:
    row = rows[0]
    couriers.add_route(
        call,
        courier=_need(row, "courier"),
        match=row.cells.get("area", ""),
        route_code=_need(row, "route_code"),
        hub=_need(row, "hub"),
        priority=_whole(row, "priority", 0),
    )


def _slot(call: Call, rows: Sequence[Row]) -> None:
    row = rows[0]
    sizes = [_whole(row, name) for name in ("width_mm", "depth_mm", "height_mm", "weight_max_g")]
    site_service.add_slots(call, [NewSlot(_need(row, "code"), *sizes, _whole(row, "skus_max", 1))])


_RECEIVER = ("name", "phone", "province", "city", "district", "address", "area_code")
_SIZES = ("length_mm", "width_mm", "height_mm", "weight_g")
_LIVES = ("shelf_life_days", "min_life_receipt_days", "min_life_ship_days")
_SLOT_NEEDED = (
    "zone",
    "aisle",
    "x_mm",
    "side",
    "bay",
    "y_mm",
    "level",
    "width_mm",
    "depth_mm",
    "height_mm",
    "weight_max_g",
)

KINDS: Mapping[str, Kind] = {
    "merchants": Kind(("code", "name"), ("contact", "phone"), _merchant),
    "skus": Kind(("merchant", "code", "name"), ("barcodes", "unit", "family", *_SIZES, *_LIVES), _sku),
    "slots": Kind(_SLOT_NEEDED, ("skus_max",), _slot),
    "stock": Kind(("merchant", "sku", "slot", "quantity"), ("lot", "produced_on", "expires_on"), _stock),
    "asn": Kind(("merchant", "no", "sku", "quantity"), ("expected_at",), _asn, ("merchant", "no")),
    "orders": Kind(
        ("merchant", "no", "courier", "sku", "quantity"), ("placed_at", *_RECEIVER), _order, ("merchant", "no")
    ),
    "couriers": Kind(("code", "name", "cut_offs"), ("product", "prefix", "first", "last"), _courier),
    "routes": Kind(("courier", "route_code", "hub"), ("area", "priority"), _route),
}
