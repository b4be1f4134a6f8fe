"""Reads of counting. What the book says of quantities is not among them: counts are blind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from wms.catalog.tables import Lot, Sku
from wms.ledger.tables import Stock
from wms.site import queries as site


@dataclass(frozen=True, slots=True)
class LotToCount:
    """A lot a piece may belong to."""

    sku_id: int
    lot_id: int
    lot_code: str
    name: str


def lots_to_count(session: Session, warehouse_id: int, slot_code: str, sku_ids: Sequence[int]) -> list[LotToCount]:
    """Lots of these SKUs lying in the slot; if none lies there, every lot the house knows of them."""
    slot = site.slot_by_code(session, warehouse_id, slot_code)
    here = select(Stock.lot_id).where(Stock.place_id == slot.place_id, Stock.on_hand > 0, Stock.sku_id.in_(sku_ids))
    every = (
        select(Lot.sku_id, Lot.id, Lot.code, Sku.name)
        .join(Sku, Sku.id == Lot.sku_id)
        .where(Lot.warehouse_id == warehouse_id, Lot.sku_id.in_(sku_ids))
        .order_by(Lot.sku_id, Lot.code)
    )
    rows = session.execute(every.where(Lot.id.in_(here))).all() or session.execute(every).all()
    return [LotToCount(*row) for row in rows]
