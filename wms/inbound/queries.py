"""Reads of the receiving dock."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from wms.catalog.tables import Lot, Merchant, Sku
from wms.core.db.tables import table_of
from wms.core.refusal import Reason, Refused
from wms.inbound.tables import Asn, AsnLine
from wms.inbound.values import AsnFacts, Expected
from wms.ledger.tables import Stock
from wms.site.tables import Container

ASN_SHOWN_MAX = 20


@dataclass(frozen=True, slots=True)
class InContainer:
    """One stock row of a container. Base units."""

    stock_id: int
    merchant_id: int
    merchant_name: str
    sku_id: int
    sku_code: str
    name: str
    unit: str
    lot_id: int
    lot_code: str
    condition: str
    on_hand: int


def asn_by_no(session: Session, warehouse_id: int, no: str, merchant_id: int | None = None) -> AsnFacts:
    """An announced arrival. Raises ASN_UNKNOWN, BARCODE_AMBIGUOUS when two merchants use the number."""
    query = select(Asn, Merchant.name).join(Merchant, Merchant.id == Asn.merchant_id)
    query = query.where(Asn.warehouse_id == warehouse_id, Asn.no == no)
    if merchant_id is not None:
        query = query.where(Asn.merchant_id == merchant_id)
    found = session.execute(query.limit(2)).all()
    if len(found) != 1:
        raise Refused(Reason.BARCODE_AMBIGUOUS if found else Reason.ASN_UNKNOWN, asn=no[:40])
    return _facts(session, found[0][0], found[0][1])


def asn_by_id(session: Session, warehouse_id: int, asn_id: int) -> AsnFacts:
    """By id. Raises ASN_UNKNOWN."""
    row = session.execute(
        select(Asn, Merchant.name)
        .join(Merchant, Merchant.id == Asn.merchant_id)
        .where(Asn.warehouse_id == warehouse_id, Asn.id == asn_id)
    ).one_or_none()
    if row is None:
        raise Refused(Reason.ASN_UNKNOWN, asn=asn_id)
    return _facts(session, row[0], row[1])


def _facts(session: Session, asn: Asn, merchant_name: str) -> AsnFacts:
    rows = session.execute(
        select(AsnLine, Sku.code, Sku.name, Sku.unit)
        .join(Sku, Sku.id == AsnLine.sku_id)
        .where(AsnLine.asn_id == asn.id)
        .order_by(AsnLine.id)
    )
    lines = tuple(
        Expected(line.id, line.sku_id, code, name, unit, line.expected, line.received)
        for line, code, name, unit in rows
    )
    return AsnFacts(asn.id, asn.no, asn.merchant_id, merchant_name, asn.state, lines)


def open_asns(session: Session, warehouse_id: int) -> list[tuple[int, str, str]]:
    """Arrivals not closed: id, number, merchant; the soonest first."""
    rows = session.execute(
        select(Asn.id, Asn.no, Merchant.name)
        .join(Merchant, Merchant.id == Asn.merchant_id)
        .where(Asn.warehouse_id == warehouse_id, Asn.state.in_(("expected", "receiving")))
        .order_by(Asn.expected_at.is_(None), Asn.expected_at, Asn.id)
        .limit(ASN_SHOWN_MAX)
    )
    return [(row.id, row.no, row.name) for row in rows]


def in_container(session: Session, warehouse_id: int, place_id: int) -> list[InContainer]:
    """What lies in a container, by SKU and lot."""
    rows: Any = session.execute(
        select(
            Stock.id,
            Stock.merchant_id,
            Merchant.name,
            Stock.sku_id,
            Sku.code,
            Sku.name,
            Sku.unit,
            Stock.lot_id,
            Lot.code,
            Stock.condition,
            Stock.on_hand,
        )
        .join(Merchant, Merchant.id == Stock.merchant_id)
        .join(Sku, Sku.id == Stock.sku_id)
        .join(Lot, Lot.id == Stock.lot_id)
        .where(Stock.warehouse_id == warehouse_id, Stock.place_id == place_id, Stock.on_hand > 0)
        .order_by(Stock.sku_id, Stock.lot_id)
    )
    return [InContainer(*row) for row in rows]


def coming(session: Session, warehouse_id: int) -> dict[int, int]:
    """SKU -> pieces that are to be put away: announced and not yet here, and here in boxes at the dock."""
    found: Counter[int] = Counter()
    announced = (
        select(AsnLine.sku_id, func.sum(AsnLine.expected - AsnLine.received))
        .join(Asn, Asn.id == AsnLine.asn_id)
        .where(
            Asn.warehouse_id == warehouse_id,
            Asn.state.in_(("expected", "receiving")),
            AsnLine.expected > AsnLine.received,
        )
        .group_by(AsnLine.sku_id)
    )
    waiting = (
        select(Stock.sku_id, func.sum(Stock.on_hand))
        .join(Container, Container.place_id == Stock.place_id)
        .where(Stock.warehouse_id == warehouse_id, Container.kind == "lpn", Stock.on_hand > 0)
        .group_by(Stock.sku_id)
    )
    for query in (announced, waiting):
        for sku_id, pieces in session.execute(query):
            found[sku_id] += int(pieces)
    return dict(found)


def waiting_containers(session: Session, warehouse_id: int) -> int:
    """Containers with goods that are not put away yet."""
    rows = session.execute(
        select(Stock.place_id)
        .join(Container, Container.place_id == Stock.place_id)
        .where(Stock.warehouse_id == warehouse_id, Container.kind == "lpn", Stock.on_hand > 0)
        .distinct()
    )
    return len(rows.all())


_asn = table_of(Asn)
_head = select(_asn.c.id, _asn.c.merchant_id).where(_asn.c.warehouse_id == bindparam("w"), _asn.c.no == bindparam("no"))
_heads = _head.limit(2)
_own_heads = _head.where(_asn.c.merchant_id == bindparam("m")).limit(2)


def asn_head(session: Session, warehouse_id: int, no: str, merchant_id: int | None = None) -> tuple[int, int]:
    """Id and owner of an ASN, without its lines. Raises ASN_UNKNOWN, BARCODE_AMBIGUOUS."""
    values = {"w": warehouse_id, "no": no}
    if merchant_id is None:
        found = session.execute(_heads, values).all()
    else:
        found = session.execute(_own_heads, {**values, "m": merchant_id}).all()
    if len(found) != 1:
        raise Refused(Reason.BARCODE_AMBIGUOUS if found else Reason.ASN_UNKNOWN, asn=no[:40])
    return found[0].id, found[0].merchant_id
