"""A park with a past: a fast SKU at the far end, and six weeks of picks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import select

from tests.builders import Park, a_sku, stock_in
from wms.catalog.values import SkuFacts
from wms.core.call import Call
from wms.ledger import service as ledger
from wms.ledger.values import Movement, MovementKind
from wms.site import queries as site
from wms.site.values import ContainerKind
from wms.slotting.tables import MoveProposal

FAR, NEAR = "A02-12-1A", "A01-01-1A"
WEEKS = 6


def slot_id(park: Park, code: str) -> int:
    return park.read(lambda session: site.slot_by_code(session, park.warehouse_id, code).place_id)


@dataclass(frozen=True)
class Lies:
    """A SKU and where it lies."""

    sku: SkuFacts
    slot: int
    lot: int


def picked(call: Call, what: Lies, tote: int, order: str, at: datetime) -> None:
    """One piece into a tote for an order, some time ago."""
    sku = what.sku
    movement = Movement(MovementKind.PICK, sku.merchant_id, what.slot, tote, sku.id, what.lot, 1, reference=order)
    ledger.post(replace(call.step(order), now=at), [movement])


def a_busy_past(park: Park, fast_slot: str = FAR) -> SkuFacts:
    """A SKU ordered thirty times a week lies at the far end, ten slow ones near the door; its facts."""
    codes = [f"A01-0{2 + number // 4}-{1 + number % 4 // 2}{'AB'[number % 2]}" for number in range(10)]
    fast, *slow = [lies(park, code) for code in (fast_slot, *codes)]
    tote = park.read(
        lambda session: site.container_by_code(session, park.warehouse_id, ContainerKind.TOTE, "T-0001").place_id
    )

    def live(call: Call) -> None:
        for week in range(WEEKS):
            at = park.clock.at - timedelta(weeks=WEEKS - week, hours=-1)
            for number, what in enumerate([fast] * 30 + slow[: 4 + week % 2]):
                at += timedelta(hours=2)
                picked(call, what, tote, f"order:{week}-{number}", at)

    park.act(live)
    return fast.sku


def lies(park: Park, code: str) -> Lies:
    sku = park.act(a_sku)
    return Lies(sku, slot_id(park, code), park.act(lambda call: stock_in(call, sku, code, 400)))


def proposals(park: Park, state: str | None = None) -> list[MoveProposal]:
    query = select(MoveProposal).order_by(MoveProposal.id)
    rows = park.read(lambda session: session.scalars(query).all())
    return [row for row in rows if state in (None, row.state)]
