"""What is done to the catalogue: merchants and SKUs are listed, bar codes stuck on, batches first seen."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import bindparam, select, update

from wms.catalog import queries
from wms.catalog.rules import (
    CODE_LENGTH_MAX,
    NAME_LENGTH_MAX,
    NO_LOT,
    LotMarks,
    bare_barcode,
    check_barcode_quantity,
    check_one_of,
    check_text,
    lot_marks,
)
from wms.catalog.tables import Lot, Merchant, Sku, SkuBarcode
from wms.catalog.values import SKU_ZONE_KINDS, MerchantFacts, SkuFacts
from wms.core import audit_trail
from wms.core.call import Call
from wms.core.db.tables import table_of
from wms.core.db.types import Base
from wms.core.refusal import Reason, Refused
from wms.core.sql import insert_for
from wms.site import queries as site
from wms.site.values import Temperature, ZoneKind

KEEPING = ("hazard", "zone_kind", "temperature", "lookalike")

_lot = table_of(Lot)
_lot_by_code = select(_lot.c.id, _lot.c.produced_on, _lot.c.expires_on).where(
    _lot.c.warehouse_id == bindparam("w"), _lot.c.sku_id == bindparam("s"), _lot.c.code == bindparam("c")
)


def add_merchant(call: Call, *, code: str, name: str, contact: str = "", phone: str = "") -> int:
    """A new owner of goods; its id. Raises ALREADY_EXISTS."""
    row = {
        "warehouse_id": call.warehouse_id,
        "code": check_text("code", code, CODE_LENGTH_MAX),
        "name": check_text("name", name, NAME_LENGTH_MAX),
        "contact": contact,
        "phone": phone,
    }
    merchant_id = _insert_new(call, Merchant, row, code)
    audit_trail.note(call, "merchant.added", merchant=code)
    return merchant_id


def block_merchant(call: Call, code: str, why: str | None) -> None:
    """Close the gate for a merchant's new goods and orders (or open it again: None)."""
    merchant = queries.merchant_by_code(call.session, call.warehouse_id, code)
    call.session.execute(update(Merchant).where(Merchant.id == merchant.id).values(blocked_reason=why))
    audit_trail.note(call, "merchant.blocked" if why else "merchant.opened", merchant=code, why=why)


def own_merchant(call: Call, code: str | None = None) -> MerchantFacts:
    """The merchant a command is about: the one named, or the asker's own.

    An asker who is a merchant sees no other: foreign codes are MERCHANT_UNKNOWN.
    """
    if code is None:
        if call.merchant_id is None:
            raise Refused(Reason.BAD_INPUT, what="merchant")
        return queries.merchant_by_id(call.session, call.warehouse_id, call.merchant_id)
    merchant = queries.merchant_by_code(call.session, call.warehouse_id, code)
    if call.merchant_id not in (None, merchant.id):
        raise Refused(Reason.MERCHANT_UNKNOWN, merchant=code)
    return merchant


def open_merchant(call: Call, code: str | None = None) -> MerchantFacts:
    """As `own_merchant`, for something new: raises MERCHANT_BLOCKED when the gate is closed."""
    merchant = own_merchant(call, code)
    if merchant.blocked_reason is not None:
        raise Refused(Reason.MERCHANT_BLOCKED, why=merchant.blocked_reason)
    return merchant


def add_sku(
    call: Call,
    *,
    merchant_code: str | None = None,
    code: str,
    name: str,
    barcodes: Sequence[tuple[str, int]] = (),
    unit: str = "件",
    family: str = "",
    length_mm: int = 0,
    width_mm: int = 0,
    height_mm: int = 0,
    weight_g: int = 0,
    lot_tracked: bool = False,
    shelf_life_days: int | None = None,
    min_life_receipt_days: int = 0,
    min_life_ship_days: int = 0,
    fragile: bool = False,
    hazard: str = "",
    zone_kind: str = ZoneKind.STORAGE,
    temperature: str = Temperature.AMBIENT,
    lookalike: str = "",
) -> int:
    """List a SKU; its id. `barcodes` are (code, pieces). Raises ALREADY_EXISTS, BAD_INPUT, QUANTITY_WRONG."""
    merchant = own_merchant(call, merchant_code)
    sizes = {"length_mm": length_mm, "width_mm": width_mm, "height_mm": height_mm, "weight_g": weight_g}
    lives = {"min_life_receipt_days": min_life_receipt_days, "min_life_ship_days": min_life_ship_days}
    _check_not_negative({**sizes, **lives, "shelf_life_days": shelf_life_days or 0})
    row = {
        "warehouse_id": call.warehouse_id,
        "merchant_id": merchant.id,
        "code": check_text("code", code, CODE_LENGTH_MAX),
        "name": check_text("name", name, NAME_LENGTH_MAX),
        "unit": unit,
        "family": family,
        **sizes,
        "lot_tracked": lot_tracked,
        "shelf_life_days": shelf_life_days,
        **lives,
        "fragile": fragile,
        **_keeping(hazard, zone_kind, temperature, lookalike),
        "made_at": call.now,
    }
    sku_id = _insert_new(call, Sku, row, code)
    for barcode, quantity in barcodes:
        add_barcode(call, merchant.id, sku_id, barcode, quantity)
    return sku_id


def set_keeping(call: Call, code: str, *, merchant_code: str | None = None, **given: str | None) -> SkuFacts:
    """Say anew how a SKU is kept: of `hazard`, `zone_kind`, `temperature` and `lookalike` those that are given (not
    None); the SKU as it is then. What lies somewhere stays there. Raises SKU_UNKNOWN, BAD_INPUT.
    """
    merchant = own_merchant(call, merchant_code)
    sku = queries.sku_by_code(call.session, call.warehouse_id, merchant.id, code)
    wanted = {name: value for name, value in given.items() if value is not None}
    values = _keeping(**{name: wanted.get(name, getattr(sku, name)) for name in KEEPING})
    call.session.execute(update(Sku).where(Sku.id == sku.id).values(values))
    audit_trail.note(call, "sku.kept", sku=sku.id, **values)
    return queries.sku_by_id(call.session, call.warehouse_id, sku.id)


def _keeping(hazard: str, zone_kind: str, temperature: str, lookalike: str) -> dict[str, str]:
    """How goods are kept, in words that are known. Raises BAD_INPUT."""
    return {
        "hazard": check_text("hazard", hazard, CODE_LENGTH_MAX) if hazard else "",
        "zone_kind": check_one_of("zone_kind", zone_kind, SKU_ZONE_KINDS),
        "temperature": check_one_of("temperature", temperature, tuple(Temperature)),
        "lookalike": check_text("lookalike", lookalike, CODE_LENGTH_MAX) if lookalike else "",
    }


def _check_not_negative(numbers: dict[str, int]) -> None:
    for what, number in numbers.items():
        if number < 0:
            raise Refused(Reason.BAD_INPUT, what=what)


def add_barcode(call: Call, merchant_id: int, sku_id: int, barcode: str, quantity: int = 1) -> None:
    """Another bar code of a SKU: of a piece, or of a packaging of `quantity` pieces.

    Raises ALREADY_EXISTS when this merchant uses the code for something else; other merchants may share it.
    """
    check_barcode_quantity(barcode, quantity)
    row = {
        "warehouse_id": call.warehouse_id,
        "merchant_id": merchant_id,
        "sku_id": sku_id,
        "barcode": bare_barcode(check_text("barcode", barcode, CODE_LENGTH_MAX)),
        "quantity": quantity,
    }
    _insert_new(call, SkuBarcode, row, barcode)


def measure_sku(call: Call, sku_id: int, *, length_mm: int, width_mm: int, height_mm: int, weight_g: int) -> None:
    """What the measuring table found. Raises SKU_UNKNOWN."""
    queries.sku_by_id(call.session, call.warehouse_id, sku_id, call.merchant_id)
    sizes = {"length_mm": length_mm, "width_mm": width_mm, "height_mm": height_mm, "weight_g": weight_g}
    _check_not_negative(sizes)
    call.session.execute(update(Sku).where(Sku.id == sku_id).values(sizes))
    audit_trail.note(call, "sku.measured", sku=sku_id, **sizes)


def ensure_lot(
    call: Call,
    sku: SkuFacts,
    code: str | None = None,
    produced_on: date | None = None,
    expires_on: date | None = None,
    origin: str = "",
) -> int:
    """The id of this batch, listed if it is new.

    Raises LOT_REQUIRED, LOT_DATES_REQUIRED, LOT_DATES_WRONG (also for a known batch with other dates).
    """
    marks = lot_marks(sku, code, produced_on, expires_on, _today(call) if produced_on else None)
    if marks.code != NO_LOT:
        check_text("lot", marks.code, CODE_LENGTH_MAX)
    return _known_lot(call, sku, marks) or _new_lot(call, sku, marks, origin)


def _today(call: Call) -> date:
    """The day at the warehouse."""
    return site.warehouse(call.session, call.warehouse_id).local(call.now).date()


def _known_lot(call: Call, sku: SkuFacts, marks: LotMarks) -> int | None:
    row = call.session.execute(_lot_by_code, {"w": call.warehouse_id, "s": sku.id, "c": marks.code}).one_or_none()
    if row is None:
        return None
    for before, now in ((row.produced_on, marks.produced_on), (row.expires_on, marks.expires_on)):
        if now is not None and before is not None and now != before:
            raise Refused(Reason.LOT_DATES_WRONG, why=f"{marks.code}: {before} / {now}")
    return int(row.id)


def _new_lot(call: Call, sku: SkuFacts, marks: LotMarks, origin: str) -> int:
    row = {
        "warehouse_id": call.warehouse_id,
        "merchant_id": sku.merchant_id,
        "sku_id": sku.id,
        "code": marks.code,
        "produced_on": marks.produced_on,
        "expires_on": marks.expires_on,
        "origin": origin,
        "first_received_at": call.now,
    }
    statement = insert_for(call.session, _lot).values(row).on_conflict_do_nothing().returning(_lot.c.id)
    fresh = call.session.execute(statement).scalar_one_or_none()
    # None: somebody listed it between our look and our insert, so now it can be seen.
    lot_id = int(fresh) if fresh is not None else _known_lot(call, sku, marks)
    assert lot_id is not None, "a lot that conflicts is there"
    return lot_id


def _insert_new(call: Call, record: type[Base], row: dict[str, Any], what: str) -> int:
    table = table_of(record)
    statement = insert_for(call.session, table).values(row).on_conflict_do_nothing().returning(table.c.id)
    new_id = call.session.execute(statement).scalar_one_or_none()
    if new_id is None:
        raise Refused(Reason.ALREADY_EXISTS, what=what)
    return int(new_id)
