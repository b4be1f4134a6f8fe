"""What is this code? Slot, container, SKU, order, parcel, ASN, bag: the card of whatever was scanned."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from wms.catalog import queries as catalog
from wms.catalog.tables import Lot, Merchant, Sku
from wms.core import codes
from wms.core.codes import Kind, Read
from wms.core.refusal import Reason, Refused
from wms.inbound import queries as inbound
from wms.ledger.tables import Stock
from wms.outbound.tables import Order, OrderLine
from wms.packing.tables import Parcel
from wms.shipping.tables import Bag
from wms.site import queries as site
from wms.site.tables import Place
from wms.site.values import BARCODE_KINDS

INSIDE_MAX = 50


@dataclass(frozen=True, slots=True)
class Inside:
    """One row of what lies there; `code` is what to scan for its own card."""

    code: str
    title: str
    note: str
    quantity: int = 0


@dataclass(frozen=True, slots=True)
class Found:
    """A thing: its kind, its name, facts as (label key, value), and what is in it."""

    kind: str
    code: str
    title: str
    facts: tuple[tuple[str, str], ...]
    inside: tuple[Inside, ...] = ()


def find(session: Session, warehouse_id: int, read: Read, merchant_id: int | None = None) -> Found:
    """The card of a scanned code. A merchant sees own rows only. Raises BARCODE_UNKNOWN, BARCODE_AMBIGUOUS."""
    for look in _LOOKS.get(read.kind, _PLAIN):
        found = look(session, warehouse_id, read.body, merchant_id)
        if found is not None:
            return found
    raise Refused(Reason.BARCODE_UNKNOWN, scanned=read.raw[:40])


def _slot(session: Session, warehouse_id: int, code: str, merchant_id: int | None) -> Found | None:
    slot = _or_none(lambda: site.slot_by_code(session, warehouse_id, code))
    if slot is None:
        return None
    size = f"{slot.width_mm}×{slot.depth_mm}×{slot.height_mm} mm"
    facts = [
        ("zone", slot.zone_code),
        ("level", str(slot.level)),
        ("size", size),
        ("load", f"{slot.weight_max_g // 1000} kg"),
    ]
    if slot.blocked:
        facts.append(("state", "blocked"))
    elif slot.shut:
        facts.append(("state", "shut"))
    return Found("slot", slot.code, slot.code, tuple(facts), _inside(session, slot.place_id, merchant_id))


def _container(session: Session, warehouse_id: int, code: str, merchant_id: int | None) -> Found | None:
    found = _or_none(lambda: site.container_by_code(session, warehouse_id, None, code))
    if found is None:
        return None
    inside = _inside(session, found.place_id, merchant_id)
    if merchant_id is not None and not inside:
        return None
    return Found(found.kind, found.code, found.code, (("state", found.state),), inside)


def _sku(session: Session, warehouse_id: int, code: str, merchant_id: int | None) -> Found | None:
    scanned = catalog.skus_by_barcode(session, warehouse_id, code, merchant_id)
    skus = {one.sku.id: one.sku for one in scanned}
    if not skus:
        query = select(Sku.id).where(Sku.warehouse_id == warehouse_id, Sku.code == code)
        own = query if merchant_id is None else query.where(Sku.merchant_id == merchant_id)
        ids = session.scalars(own.limit(3)).all()
        skus = catalog.skus_by_id(session, warehouse_id, ids)
    if not skus:
        return None
    if len(skus) > 1:
        owners = tuple(
            Inside(sku.code, sku.name, catalog.merchant_by_id(session, warehouse_id, sku.merchant_id).name)
            for sku in skus.values()
        )
        return Found("several", code, code, (), owners)
    sku = next(iter(skus.values()))
    return _sku_card(session, warehouse_id, sku)


def _sku_card(session: Session, warehouse_id: int, sku: Any) -> Found:
    rows = session.execute(
        select(Place.kind, Place.code, Lot.code.label("lot"), Lot.expires_on, Stock.on_hand, Stock.promised)
        .join(Place, Place.id == Stock.place_id)
        .join(Lot, Lot.id == Stock.lot_id)
        .where(Stock.warehouse_id == warehouse_id, Stock.sku_id == sku.id, Stock.on_hand > 0)
        .order_by(Place.code)
        .limit(INSIDE_MAX)
    ).all()
    owner = catalog.merchant_by_id(session, warehouse_id, sku.merchant_id).name
    facts = (
        ("owner", owner),
        ("sku", sku.code),
        ("on_hand", f"{sum(row.on_hand for row in rows)} {sku.unit}"),
        ("free", f"{sum(row.on_hand - row.promised for row in rows)} {sku.unit}"),
        ("size", f"{sku.length_mm}×{sku.width_mm}×{sku.height_mm} mm · {sku.weight_g} g"),
    )
    inside = tuple(Inside(row.code, row.code, _lot_words(row, sku.unit), int(row.on_hand)) for row in rows)
    return Found("sku", sku.code, sku.name, facts, inside)


def _lot_words(row: Any, unit: str) -> str:
    lot = "" if row.lot == "-" else f" · {row.lot}"
    until = f" · {row.expires_on}" if row.expires_on else ""
    return f"{row.on_hand} {unit}{lot}{until}"


def _order(session: Session, warehouse_id: int, code: str, merchant_id: int | None) -> Found | None:
    query = select(Order).where(Order.warehouse_id == warehouse_id, Order.no == code)
    found = session.scalars(query if merchant_id is None else query.where(Order.merchant_id == merchant_id)).all()
    if len(found) > 1:
        raise Refused(Reason.BARCODE_AMBIGUOUS, scanned=code)
    return _order_card(session, found[0]) if found else None


def _order_card(session: Session, order: Order) -> Found:
    lines = session.execute(
        select(Sku.code, Sku.name, Sku.unit, OrderLine.quantity, OrderLine.picked, OrderLine.shipped)
        .join(Sku, Sku.id == OrderLine.sku_id)
        .where(OrderLine.order_id == order.id)
        .order_by(OrderLine.number)
    )
    parcels = session.scalar(select(func.count()).select_from(Parcel).where(Parcel.order_id == order.id)) or 0
    facts = [
        ("state", "intercepted" if order.intercepted_at else order.state),
        ("courier", order.courier),
        ("parcels", str(parcels)),
    ]
    if order.short_reason:
        facts.append(("short", order.short_reason))
    inside = tuple(Inside(row.code, row.name, f"{row.picked}/{row.quantity} {row.unit}", row.quantity) for row in lines)
    return Found("order", order.no, order.no, tuple(facts), inside)


def _parcel(session: Session, warehouse_id: int, code: str, merchant_id: int | None) -> Found | None:
    query = select(Parcel, Order.no, Order.intercepted_at).join(Order, Order.id == Parcel.order_id)
    query = query.where(Parcel.warehouse_id == warehouse_id, (Parcel.code == code) | (Parcel.waybill == code))
    row = session.execute(
        query if merchant_id is None else query.where(Parcel.merchant_id == merchant_id)
    ).one_or_none()
    if row is None:
        return None
    parcel, order_no, stopped = row
    facts = [
        ("state", "intercepted" if stopped else parcel.state),
        ("order", order_no),
        ("courier", parcel.courier),
        ("hub", parcel.hub),
        ("weight", f"{parcel.weight_g or 0} g"),
        ("chute", str(parcel.chute or "")),
    ]
    return Found(
        "parcel", parcel.code, parcel.waybill or parcel.code, tuple(facts), _inside(session, parcel.place_id, None)
    )


def _asn(session: Session, warehouse_id: int, code: str, merchant_id: int | None) -> Found | None:
    asn = _or_none(lambda: inbound.asn_by_no(session, warehouse_id, code, merchant_id))
    if asn is None:
        return None
    inside = tuple(
        Inside(one.sku_code, one.name, f"{one.received}/{one.expected} {one.unit}", one.expected) for one in asn.lines
    )
    return Found("asn", asn.no, asn.no, (("owner", asn.merchant_name), ("state", asn.state)), inside[:INSIDE_MAX])


def _bag(session: Session, warehouse_id: int, code: str, merchant_id: int | None) -> Found | None:
    if merchant_id is not None:
        return None
    bag = session.scalars(select(Bag).where(Bag.warehouse_id == warehouse_id, Bag.code == code)).one_or_none()
    if bag is None:
        return None
    facts = (("state", bag.state), ("hub", bag.hub), ("courier", bag.courier), ("parcels", str(bag.parcels)))
    return Found("bag", bag.code, bag.code, facts)


def _inside(session: Session, place_id: int, merchant_id: int | None) -> tuple[Inside, ...]:
    query = (
        select(
            Sku.code,
            Sku.name,
            Sku.unit,
            Lot.code.label("lot"),
            Lot.expires_on,
            Stock.on_hand,
            Merchant.name.label("owner"),
        )
        .join(Sku, Sku.id == Stock.sku_id)
        .join(Lot, Lot.id == Stock.lot_id)
        .join(Merchant, Merchant.id == Stock.merchant_id)
        .where(Stock.place_id == place_id, Stock.on_hand > 0)
        .order_by(Sku.code)
        .limit(INSIDE_MAX)
    )
    rows = session.execute(query if merchant_id is None else query.where(Stock.merchant_id == merchant_id))
    return tuple(
        Inside(row.code, row.name, f"{row.owner} · {_lot_words(row, row.unit)}", int(row.on_hand)) for row in rows
    )


def _or_none(ask: Callable[[], Any]) -> Any:
    """What `ask` finds, or None where it refuses as unknown."""
    try:
        return ask()
    except Refused as no:
        if no.reason.status == 404:
            return None
        raise


Look = Callable[[Session, int, str, int | None], Found | None]
_LOOKS: dict[Kind, tuple[Look, ...]] = {
    Kind.SLOT: (_slot,),
    Kind.ORDER: (_order,),
    Kind.PARCEL: (_parcel,),
    Kind.ASN: (_asn,),
    Kind.BAG: (_bag,),
    Kind.GS1: (_sku,),
    **{kind: (_container,) for kind in BARCODE_KINDS.values() if kind is not Kind.PARCEL},
}
_PLAIN: tuple[Look, ...] = (_sku, _parcel, _order, _slot, _container, _asn, _bag)


def scan_of(found: Found) -> str:
    """The bar code on our own label of what was found; its plain code where it has none."""
    kinds = {
        "slot": Kind.SLOT,
        "lpn": Kind.CONTAINER,
        "tote": Kind.TOTE,
        "cart": Kind.CART,
        "asn": Kind.ASN,
        "bag": Kind.BAG,
    }
    return codes.make(kinds[found.kind], found.code) if found.kind in kinds else found.code
