"""Reads of the packing table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BindParameter, ScalarSelect, Select, bindparam, case, cast, func, literal, select
from sqlalchemy.orm import Session
from sqlalchemy.types import String

from wms.catalog.tables import Merchant, Sku, SkuBarcode
from wms.core.db.tables import table_of
from wms.core.refusal import Reason, Refused
from wms.ledger.tables import Stock
from wms.outbound.tables import Order, OrderLine
from wms.packing.tables import Parcel, ParcelItem
from wms.packing.values import LineToPack, ParcelFacts, ParcelState, ToPack
from wms.picking.queries.lists import order_tote_code
from wms.picking.tables import BatchOrder
from wms.site.tables import Container
from wms.site.values import ContainerKind

FOLLOWING = 4  # lines that a small screen names

_stock = table_of(Stock)
_on_cart = table_of(BatchOrder)
_tote = table_of(Container)


def _own_tote() -> ScalarSelect[Any]:
    """The place of the tote that programs pick an order into, if it has one."""
    code = literal(order_tote_code(0)[:-1]) + cast(bindparam("o"), String)
    own = select(_tote.c.place_id).where(
        _tote.c.warehouse_id == bindparam("w"), _tote.c.kind == ContainerKind.TOTE.value, _tote.c.code == code
    )
    return own.scalar_subquery()


# The order's goods that lie in its totes, of the SKUs named; rows as the ledger locks them.
IN_TOTES: Select[Any] = (
    select(
        _stock.c.id,
        _stock.c.place_id,
        _stock.c.sku_id,
        _stock.c.lot_id,
        _stock.c.condition,
        _stock.c.book,
        _stock.c.on_hand,
    )
    .where(
        _stock.c.place_id.in_(
            select(_on_cart.c.tote_id)
            .where(_on_cart.c.order_id == bindparam("o"), _on_cart.c.tote_id.is_not(None))
            .union_all(select(_own_tote()))
        ),
        _stock.c.sku_id.in_(bindparam("skus", expanding=True)),
        _stock.c.on_hand > 0,
    )
    .order_by(_stock.c.id)
)


def emptied_totes(order_id: int | BindParameter[Any]) -> Select[Any]:
    """Places of the order's totes with nothing in them."""
    filled = select(_stock.c.id).where(_stock.c.place_id == _on_cart.c.tote_id, _stock.c.on_hand > 0)
    return select(_on_cart.c.tote_id).where(
        _on_cart.c.order_id == order_id, _on_cart.c.tote_id.is_not(None), ~filled.exists()
    )


_sum_left = func.coalesce(func.sum(OrderLine.picked - OrderLine.packed), 0)

_line, _sku, _barcode = table_of(OrderLine), table_of(Sku), table_of(SkuBarcode)
_left = _line.c.picked - _line.c.packed
_sums = select(
    func.coalesce(func.sum(_line.c.picked), 0),
    func.coalesce(func.sum(_line.c.packed), 0),
    func.coalesce(func.sum(case((_line.c.sku_id == bindparam("s"), _left), else_=0)), 0),
).where(_line.c.order_id == bindparam("o"))
_piece_code = (
    select(func.min(_barcode.c.barcode))
    .where(_barcode.c.sku_id == _sku.c.id, _barcode.c.quantity == 1)
    .correlate(_sku)
    .scalar_subquery()
)
_following = (
    select(
        _line.c.id,
        _line.c.sku_id,
        _sku.c.code,
        _sku.c.name,
        _sku.c.unit,
        func.coalesce(_piece_code, _sku.c.code),
        _line.c.picked,
        _line.c.packed,
    )
    .join(_sku, _sku.c.id == _line.c.sku_id)
    .where(_line.c.order_id == bindparam("o"), _left > 0)
    .order_by(_line.c.number)
    .limit(FOLLOWING)
)


_parcel, _order, _merchant, _item = table_of(Parcel), table_of(Order), table_of(Merchant), table_of(ParcelItem)
_facts_of_parcel = (
    select(
        _parcel,
        _order.c.no.label("order_no"),
        _merchant.c.name.label("merchant_name"),
        select(func.coalesce(func.sum(_item.c.quantity), 0))
        .where(_item.c.parcel_id == _parcel.c.id)
        .scalar_subquery()
        .label("packed"),
        select(func.coalesce(func.sum(_left), 0))
        .where(_line.c.order_id == _parcel.c.order_id)
        .scalar_subquery()
        .label("left"),
    )
    .join(_order, _order.c.id == _parcel.c.order_id)
    .join(_merchant, _merchant.c.id == _parcel.c.merchant_id)
    .where(_parcel.c.id == bindparam("parcel"), _parcel.c.warehouse_id == bindparam("w"))
)


def parcel_facts(session: Session, warehouse_id: int, parcel_id: int) -> ParcelFacts:
    """One parcel. Raises PARCEL_UNKNOWN."""
    session.flush()  # a statement about tables does not do so by itself
    parcel = session.execute(_facts_of_parcel, {"parcel": parcel_id, "w": warehouse_id}).one_or_none()
    if parcel is None:
        raise Refused(Reason.PARCEL_UNKNOWN, parcel=parcel_id)
    return ParcelFacts(
        id=parcel.id,
        code=parcel.code,
        number=parcel.number,
        order_id=parcel.order_id,
        order_no=parcel.order_no,
        merchant_id=parcel.merchant_id,
        merchant_name=parcel.merchant_name,
        courier=parcel.courier,
        state=ParcelState(parcel.state),
        place_id=parcel.place_id,
        station_id=parcel.station_id,
        packed=int(parcel.packed),
        left=int(parcel.left),
        expected_weight_g=parcel.expected_weight_g,
        weight_g=parcel.weight_g,
        waybill=parcel.waybill,
    )


def pieces_left(session: Session, order_id: int) -> int:
    """Pieces of the order that were picked and lie in no parcel yet."""
    total = select(_sum_left).where(OrderLine.order_id == order_id)
    return int(session.execute(total).scalar_one())


def to_pack(session: Session, order_id: int, sku_id: int | None = None) -> ToPack:
    """What is left of an order, told so that an order of hundreds of lines costs no more than one of three: its sums,
    those of `sku_id`, and its next four lines.
    """
    picked, packed, alike = session.execute(_sums, {"o": order_id, "s": sku_id or 0}).one()
    following = tuple(LineToPack(*row) for row in session.execute(_following, {"o": order_id}))
    return ToPack(int(picked), int(packed), int(alike), following)


def parcel_by_code(session: Session, warehouse_id: int, code: str) -> Parcel:
    """By the parcel's own code or its waybill. Raises PARCEL_UNKNOWN."""
    found = session.scalars(
        select(Parcel).where(Parcel.warehouse_id == warehouse_id, (Parcel.code == code) | (Parcel.waybill == code))
    ).one_or_none()
    if found is None:
        raise Refused(Reason.PARCEL_UNKNOWN, parcel=code)
    return found


def parcels_of(session: Session, order_id: int) -> Sequence[Parcel]:
    """All parcels of an order that were not given up, by number."""
    return session.scalars(
        select(Parcel).where(Parcel.order_id == order_id, Parcel.state != "cancelled").order_by(Parcel.number)
    ).all()
