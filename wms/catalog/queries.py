"""Reads of the catalogue: merchants, SKUs, bar codes, lots."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from wms.catalog.rules import bare_barcode
from wms.catalog.tables import Lot, Merchant, Sku, SkuBarcode
from wms.catalog.values import BarcodeFacts, LotFacts, MerchantFacts, ScannedSku, SkuFacts
from wms.core.db.tables import table_of
from wms.core.refusal import Reason, Refused

ROWS_PER_PAGE_MAX = 500

_SKU_COLUMNS = (
    Sku.id,
    Sku.merchant_id,
    Sku.code,
    Sku.name,
    Sku.unit,
    Sku.family,
    Sku.length_mm,
    Sku.width_mm,
    Sku.height_mm,
    Sku.weight_g,
    Sku.lot_tracked,
    Sku.shelf_life_days,
    Sku.min_life_receipt_days,
    Sku.min_life_ship_days,
    Sku.fragile,
    Sku.hazard,
    Sku.zone_kind,
    Sku.temperature,
    Sku.lookalike,
)
_MERCHANT_COLUMNS = (
    Merchant.id,
    Merchant.code,
    Merchant.name,
    Merchant.contact,
    Merchant.phone,
    Merchant.blocked_reason,
)
_LOT_COLUMNS = (Lot.id, Lot.sku_id, Lot.code, Lot.produced_on, Lot.expires_on, Lot.origin)

_sku_table, _merchant_table = table_of(Sku), table_of(Merchant)
_merchants = select(*(_merchant_table.c[column.key] for column in _MERCHANT_COLUMNS)).where(
    _merchant_table.c.warehouse_id == bindparam("w")
)
_merchant_by_code = _merchants.where(_merchant_table.c.code == bindparam("code"))
_merchant_by_id = _merchants.where(_merchant_table.c.id == bindparam("m"))
_skus_of = select(*(_sku_table.c[column.key] for column in _SKU_COLUMNS)).where(
    _sku_table.c.warehouse_id == bindparam("w"), _sku_table.c.merchant_id == bindparam("m")
)
_sku_by_code = _skus_of.where(_sku_table.c.code == bindparam("code"))
_skus_by_code = _skus_of.where(_sku_table.c.code.in_(bindparam("codes", expanding=True)))


def _sku(row: Sequence[Any]) -> SkuFacts:
    return SkuFacts(*row)


def merchant_by_code(session: Session, warehouse_id: int, code: str) -> MerchantFacts:
    """The merchant by its code. Raises MERCHANT_UNKNOWN."""
    row = session.execute(_merchant_by_code, {"w": warehouse_id, "code": code}).one_or_none()
    if row is None:
        raise Refused(Reason.MERCHANT_UNKNOWN, merchant=code[:40])
    return MerchantFacts(*row)


def merchant_by_id(session: Session, warehouse_id: int, merchant_id: int) -> MerchantFacts:
    """The merchant by its id. Raises MERCHANT_UNKNOWN."""
    row = session.execute(_merchant_by_id, {"w": warehouse_id, "m": merchant_id}).one_or_none()
    if row is None:
        raise Refused(Reason.MERCHANT_UNKNOWN, merchant=merchant_id)
    return MerchantFacts(*row)


def merchants(session: Session, warehouse_id: int) -> list[MerchantFacts]:
    """Every merchant of a building, by code."""
    query = select(*_MERCHANT_COLUMNS).where(Merchant.warehouse_id == warehouse_id).order_by(Merchant.code)
    return [MerchantFacts(*row) for row in session.execute(query)]


def sku_by_code(session: Session, warehouse_id: int, merchant_id: int, code: str) -> SkuFacts:
    """A merchant's SKU by its code. Raises SKU_UNKNOWN, also for another merchant's."""
    row = session.execute(_sku_by_code, {"w": warehouse_id, "m": merchant_id, "code": code}).one_or_none()
    if row is None:
        raise Refused(Reason.SKU_UNKNOWN, sku=code[:40])
    return _sku(row)


def sku_by_id(session: Session, warehouse_id: int, sku_id: int, merchant_id: int | None = None) -> SkuFacts:
    """A SKU by its id, of any merchant or of the one given. Raises SKU_UNKNOWN."""
    found = skus_by_id(session, warehouse_id, [sku_id], merchant_id)
    if not found:
        raise Refused(Reason.SKU_UNKNOWN, sku=sku_id)
    return found[sku_id]


def skus_by_id(
    session: Session, warehouse_id: int, sku_ids: Iterable[int], merchant_id: int | None = None
) -> dict[int, SkuFacts]:
    """SKUs by id; unknown ones (and other merchants') are left out."""
    query = select(*_SKU_COLUMNS).where(Sku.warehouse_id == warehouse_id, Sku.id.in_(sorted(set(sku_ids))))
    if merchant_id is not None:
        query = query.where(Sku.merchant_id == merchant_id)
    return {row.id: _sku(row) for row in session.execute(query)}


def skus_by_code(session: Session, warehouse_id: int, merchant_id: int, codes: Iterable[str]) -> dict[str, SkuFacts]:
    """A merchant's SKUs by code; unknown ones are left out."""
    values = {"w": warehouse_id, "m": merchant_id, "codes": sorted(set(codes))}
    return {row.code: _sku(row) for row in session.execute(_skus_by_code, values)}


def skus_by_barcode(
    session: Session, warehouse_id: int, barcode: str, merchant_id: int | None = None
) -> list[ScannedSku]:
    """What a bar code may stand for: two merchants may sell the same thing. Empty when nobody knows it."""
    query = (
        select(*_SKU_COLUMNS, SkuBarcode.quantity)
        .join(SkuBarcode, SkuBarcode.sku_id == Sku.id)
        .where(SkuBarcode.warehouse_id == warehouse_id, SkuBarcode.barcode == bare_barcode(barcode))
        .order_by(Sku.merchant_id)
    )
    if merchant_id is not None:
        query = query.where(SkuBarcode.merchant_id == merchant_id)
    return [ScannedSku(_sku(row[:-1]), row[-1]) for row in session.execute(query)]


def the_sku_of_barcode(session: Session, warehouse_id: int, barcode: str, merchant_id: int | None = None) -> ScannedSku:
    """The one SKU a bar code stands for. Raises BARCODE_UNKNOWN or BARCODE_AMBIGUOUS."""
    found = skus_by_barcode(session, warehouse_id, barcode, merchant_id)
    if not found:
        raise Refused(Reason.BARCODE_UNKNOWN, scanned=barcode[:40])
    if len(found) > 1:
        raise Refused(Reason.BARCODE_AMBIGUOUS, scanned=barcode, merchants=[each.sku.merchant_id for each in found])
    return found[0]


def barcodes_of(session: Session, warehouse_id: int, sku_id: int) -> list[BarcodeFacts]:
    """The bar codes of a SKU, those of single pieces first."""
    query = (
        select(SkuBarcode.barcode, SkuBarcode.quantity)
        .where(SkuBarcode.warehouse_id == warehouse_id, SkuBarcode.sku_id == sku_id)
        .order_by(SkuBarcode.quantity, SkuBarcode.barcode)
    )
    return [BarcodeFacts(*row) for row in session.execute(query)]


def tail_of(session: Session, warehouse_id: int, sku: SkuFacts, quantity: int = 1) -> str:
    """The last four signs of the bar code on a case of `quantity`, else on a piece: what people compare. Without bar
    codes those of its code.
    """
    known = {one.quantity: one.barcode for one in barcodes_of(session, warehouse_id, sku.id)}
    return (known.get(quantity) or known.get(1) or sku.code)[-4:]


def skus(
    session: Session, warehouse_id: int, merchant_id: int | None = None, *, after: str = "", limit: int = 100
) -> list[SkuFacts]:
    """A page of SKUs by code, of one merchant or of all; `after` is the last code of the page before."""
    query = select(*_SKU_COLUMNS).where(Sku.warehouse_id == warehouse_id, Sku.code > after)
    if merchant_id is not None:
        query = query.where(Sku.merchant_id == merchant_id)
    return [_sku(row) for row in session.execute(query.order_by(Sku.code).limit(min(limit, ROWS_PER_PAGE_MAX)))]


def lot_by_id(session: Session, warehouse_id: int, lot_id: int) -> LotFacts:
    """A lot by its id. Raises NOT_FOUND."""
    row = session.execute(select(*_LOT_COLUMNS).where(Lot.warehouse_id == warehouse_id, Lot.id == lot_id)).one_or_none()
    if row is None:
        raise Refused(Reason.NOT_FOUND, what=f"lot {lot_id}")
    return LotFacts(*row)


def lots_of(session: Session, warehouse_id: int, sku_id: int) -> list[LotFacts]:
    """The lots of a SKU, the first to expire first, those without a date last."""
    query = select(*_LOT_COLUMNS).where(Lot.warehouse_id == warehouse_id, Lot.sku_id == sku_id)
    rows = session.execute(query.order_by(Lot.expires_on.is_(None), Lot.expires_on, Lot.code))
    return [LotFacts(*row) for row in rows]
