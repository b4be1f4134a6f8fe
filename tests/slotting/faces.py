"""Pick faces and their reserve in a line each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from tests.builders import Park, a_person, a_sku, stock_in
from tests.inbound.hands import Hands
from wms.catalog import queries as catalog
from wms.catalog import service as catalog_service
from wms.catalog.values import SkuFacts
from wms.core.refusal import Reason, Refused
from wms.ledger.tables import Hold, MovementRow, Stock
from wms.ledger.values import Purpose
from wms.site import queries as site
from wms.slotting import levels, refilling
from wms.slotting.dialogue import REPLENISH
from wms.slotting.refill_rules import Levels
from wms.slotting.tables import Refill
from wms.work import service as work

FACE, RESERVE, RESERVE_2 = "A01-01-1A", "A01-01-4A", "A01-03-4A"
CASE = 12


@dataclass(frozen=True)
class Faced:
    """A SKU with levels: some of it in reach, the rest in the reserve, in cases of twelve."""

    park: Park
    sku: SkuFacts
    lot_id: int

    @property
    def piece(self) -> str:
        return self._barcode(1)

    @property
    def case(self) -> str:
        return self._barcode(CASE)

    def _barcode(self, quantity: int) -> str:
        house = self.park.warehouse_id
        codes = self.park.read(lambda session: catalog.barcodes_of(session, house, self.sku.id))
        return next(one.barcode for one in codes if one.quantity == quantity)


def a_face(
    park: Park, *, here: int = 3, there: int = 100, least: int = 10, most: int = 40, at: str = RESERVE, **facts: Any
) -> Faced:
    """`here` pieces in the pick face, `there` in the reserve; at least `least` and at most `most` in reach."""
    sku = park.act(lambda call: a_sku(call, **facts))
    park.act(lambda call: catalog_service.add_barcode(call, sku.merchant_id, sku.id, f"1{sku.id:012d}", CASE))
    lot = park.act(lambda call: stock_in(call, sku, at, there))
    if here:
        park.act(lambda call: stock_in(call, sku, FACE, here))
    park.act(lambda call: levels.set_by_hand(call, sku.id, Levels(least, most)))
    return Faced(park, sku, lot)


def planned(park: Park, *needs: refilling.Need) -> int:
    return park.act(lambda call: refilling.plan(call, needs))


def refills(park: Park, *states: str) -> list[Refill]:
    rows = park.read(lambda session: session.scalars(select(Refill).order_by(Refill.id)).all())
    return [row for row in rows if not states or row.state in states]


def hands(park: Park) -> Hands:
    """Somebody asks the board for work and gets a walk."""
    walker = park if park.person_id else a_person(park)
    task = walker.act(lambda call: work.claim_next(call, [REPLENISH.takes]))
    if task is None:
        raise Refused(Reason.NO_WORK)
    return Hands(walker, REPLENISH, task_id=task.id, **task.facts)


def code_of(park: Park, place: int) -> str:
    return park.read(lambda session: site.slot_by_id(session, park.warehouse_id, place).code)


def on_hand(park: Park, code: str, sku: SkuFacts | None = None) -> int:
    place = park.read(lambda session: site.slot_by_code(session, park.warehouse_id, code).place_id)
    query = select(Stock.on_hand).where(Stock.place_id == place)
    if sku is not None:
        query = query.where(Stock.sku_id == sku.id)
    return park.read(lambda session: sum(session.scalars(query)))


def of_sku(park: Park, sku: SkuFacts) -> int:
    """All of it, wherever it lies."""
    return park.read(lambda session: sum(session.scalars(select(Stock.on_hand).where(Stock.sku_id == sku.id))))


def held(park: Park) -> int:
    query = select(Hold.quantity).where(Hold.purpose == Purpose.MOVE.value)
    return park.read(lambda session: sum(session.scalars(query)))


def carried(park: Park) -> list[int]:
    """Quantities of the movements from reserve to pick face."""
    query = select(MovementRow.quantity).where(MovementRow.kind == "replenish").order_by(MovementRow.id)
    return list(park.read(lambda session: session.scalars(query).all()))
