"""Cards of SKUs and lots."""

from __future__ import annotations

from sqlalchemy import func, or_, select

from wms.catalog import queries as catalog
from wms.catalog.tables import Lot, Merchant, Sku
from wms.catalog.values import SkuFacts
from wms.ledger.tables import MovementRow, Stock
from wms.terminal.queries.history.common import lying, movements
from wms.terminal.queries.look import Look
from wms.terminal.values import Card, Inside, Words

NAMED_MAX = 10


def sku(look: Look, code: str) -> Card | None:
    """By bar code or SKU code. Where several owners use it, a card that lists them."""
    scanned = catalog.skus_by_barcode(look.session, look.warehouse_id, code)
    found = {one.sku.id: one.sku for one in scanned}
    if not found:
        ids = look.session.scalars(
            select(Sku.id).where(Sku.warehouse_id == look.warehouse_id, Sku.code == code).limit(NAMED_MAX)
        ).all()
        found = catalog.skus_by_id(look.session, look.warehouse_id, ids)
    if not found:
        return None
    if len(found) > 1:
        return Card("several", code, code, (), [_row(look, one) for one in found.values()])
    return sku_card(look, next(iter(found.values())))


def sku_card(look: Look, one: SkuFacts) -> Card:
    owner = catalog.merchant_by_id(look.session, look.warehouse_id, one.merchant_id).name
    totals = look.session.execute(
        select(func.coalesce(func.sum(Stock.on_hand), 0), func.coalesce(func.sum(Stock.promised), 0)).where(
            Stock.warehouse_id == look.warehouse_id, Stock.sku_id == one.id
        )
    ).one()
    barcodes = catalog.barcodes_of(look.session, look.warehouse_id, one.id)
    facts = [
        ("owner", owner),
        ("sku", one.code),
        ("barcodes", " ".join(each.barcode for each in barcodes) or "—"),
        ("on_hand", f"{totals[0]:,} {one.unit}"),
        ("free", f"{totals[0] - totals[1]:,} {one.unit}"),
        ("size", f"{one.length_mm:,} × {one.width_mm:,} × {one.height_mm:,} mm · {one.weight_g:,} g"),
    ]
    inside = _by_place(lying(look, Stock.sku_id == one.id))
    return Card("sku", one.code, one.name, facts, inside, movements(look, MovementRow.sku_id == one.id))


def _by_place(rows: list[Inside]) -> list[Inside]:
    """What lies where: here the place is what one goes on to."""
    return [_at_place(row) for row in rows]


def _at_place(row: Inside) -> Inside:
    assert isinstance(row.note, Words)
    place = str(row.note.facts["place"])
    return Inside(place, place, row.note, row.quantity)


def lot(look: Look, code: str) -> Card | None:
    if code == "-":
        return None
    rows = look.session.execute(
        select(Lot.id, Lot.code, Lot.produced_on, Lot.expires_on, Lot.origin, Sku.code.label("sku"), Sku.name)
        .join(Sku, Sku.id == Lot.sku_id)
        .where(Lot.warehouse_id == look.warehouse_id, Lot.code == code)
        .limit(NAMED_MAX)
    ).all()
    if not rows:
        return None
    ids = [row.id for row in rows]
    first = rows[0]
    facts: list[tuple[str, Words | str]] = [("goods", row.name) for row in rows]
    facts += [("produced", str(first.produced_on or "—")), ("expires", str(first.expires_on or "—"))]
    if first.origin:
        facts.append(("origin", first.origin))
    inside = _by_place(lying(look, Stock.lot_id.in_(ids)))
    return Card("lot", code, code, facts, inside, movements(look, MovementRow.lot_id.in_(ids)))


def named(look: Look, text: str) -> list[Inside]:
    """SKUs with these words in their name or code."""
    rows = look.session.execute(
        select(Sku.code, Sku.name, Merchant.name.label("owner"))
        .join(Merchant, Merchant.id == Sku.merchant_id)
        .where(
            Sku.warehouse_id == look.warehouse_id,
            or_(Sku.name.contains(text, autoescape=True), Sku.code.startswith(text, autoescape=True)),
        )
        .order_by(Sku.code)
        .limit(NAMED_MAX)
    )
    return [Inside(row.code, row.name, row.owner) for row in rows]


def _row(look: Look, one: SkuFacts) -> Inside:
    owner = catalog.merchant_by_id(look.session, look.warehouse_id, one.merchant_id).name
    return Inside(one.code, one.name, owner)
