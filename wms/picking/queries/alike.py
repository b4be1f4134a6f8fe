"""Rows of stock that may stand for each other, as allocation tells them apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from wms.catalog.tables import Lot
from wms.ledger.tables import Stock
from wms.ledger.values import Condition
from wms.optimise.geometry import Stop
from wms.outbound.rules import turn_of
from wms.picking.values import Lying
from wms.site import queries as site
from wms.site.tables import Slot
from wms.slotting.reach import in_reach


def lying_alike(session: Session, warehouse_id: int, sku_ids: Sequence[int]) -> list[Lying]:
    """All rows of these SKUs beside which others lie that may stand for them, by id."""
    rows = _lying(session, warehouse_id, Stock.sku_id.in_(sku_ids))
    times = Counter(row.alike for row in rows)
    return [row for row in rows if times[row.alike] > 1]


def lying_in(session: Session, warehouse_id: int, stock_ids: Sequence[int]) -> dict[int, Lying]:
    """Those of these rows from which goods may be taken now, by id."""
    return {row.stock_id: row for row in _lying(session, warehouse_id, Stock.id.in_(stock_ids))}


def _lying(session: Session, warehouse_id: int, which: Any) -> list[Lying]:
    """Sound goods in slots from which one may take, whoever they are promised to."""
    house = site.warehouse(session, warehouse_id)
    query = (
        select(
            Stock.id,
            Stock.lot_id,
            Stock.book,
            Lot.expires_on,
            Stock.first_in_at,
            Slot.place_id,
            Slot.code,
            Slot.zone_id,
            Slot.aisle_index,
            Slot.y_mm,
            (Stock.on_hand - Stock.promised).label("free"),
            in_reach(warehouse_id).label("in_reach"),
        )
        .join(Slot, Slot.place_id == Stock.place_id)
        .join(Lot, Lot.id == Stock.lot_id)
        .where(
            Stock.warehouse_id == warehouse_id,
            which,
            Stock.condition == Condition.GOOD.value,
            Stock.on_hand > 0,
            Stock.frozen_reason.is_(None),
            Slot.blocked.is_(False),
            Slot.shut.is_(False),
            Slot.under_count.is_(False),
            Slot.retired.is_(False),
        )
        .order_by(Stock.id)
    )
    return [
        Lying(
            row.id,
            (row.lot_id, row.book, _turn(row.expires_on, house.local(row.first_in_at).date(), reach=row.in_reach)),
            row.place_id,
            row.code,
            row.zone_id,
            Stop(row.aisle_index, row.y_mm),
            int(row.free),
        )
        for row in session.execute(query)
    ]


def _turn(expires_on: date | None, came_in_on: date, *, reach: bool) -> str:
    """Nobody is sent up a ladder to walk less."""
    turn = turn_of(expires_on, came_in_on)
    return turn if reach else f"{turn}, above"
