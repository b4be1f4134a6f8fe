"""Bays divided anew in a line each: what is coming, a plan, a bay accepted, and hands that carry it out."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from tests.builders import Park, a_sku, stock_in
from tests.inbound.hands import Hands
from tests.slotting.past import slot_id
from wms.catalog import queries as catalog
from wms.catalog.values import SkuFacts
from wms.core.call import Call
from wms.ledger import service as ledger
from wms.ledger.tables import Stock
from wms.ledger.values import Purpose
from wms.site import queries as site
from wms.site import racks
from wms.site.rules import Parts
from wms.slotting import dividing, division_plan
from wms.slotting.dialogue import BAY_DIVIDE, SLOT_MOVE
from wms.slotting.tables import BayDivision, DivisionPlan
from wms.work import service as work

PIECES = 20


def spare(park: Park, beams: int = 60, dividers: int = 300, depth_mm: int = 600) -> None:
    park.act(lambda call: racks.set_spare_parts(call, depth_mm, Parts(beams, dividers)))


def spares(park: Park, depth_mm: int = 600) -> Parts:
    return park.read(lambda session: racks.spare_parts(session, park.warehouse_id))[depth_mm]


def some_skus(park: Park, count: int, **facts: object) -> list[SkuFacts]:
    return park.act(lambda call: [a_sku(call, **facts) for _ in range(count)])  # type: ignore[arg-type]


def planned(park: Park, coming: Sequence[SkuFacts], *, pieces: int = PIECES, bays_max: int = 10) -> DivisionPlan:
    """A plan for so many pieces of each of these."""
    number = division_plan.plan_divisions(
        park.database,
        park.clock,
        park.warehouse_id,
        lambda session: {sku.id: pieces for sku in coming},
        bays_max=bays_max,
    )
    return park.read(lambda session: session.get_one(DivisionPlan, number))


def divisions(park: Park, *states: str) -> list[BayDivision]:
    rows = park.read(lambda session: session.scalars(select(BayDivision).order_by(BayDivision.id)).all())
    return [row for row in rows if not states or row.state in states]


def accepted(park: Park, row: BayDivision) -> int:
    return park.act(lambda call: dividing.accept(call, [row.id]))


def bay(park: Park, row: BayDivision) -> racks.Rack:
    return park.read(lambda session: racks.rack(session, park.warehouse_id, row.bay_id))


def hands_on(park: Park, kind: str) -> Hands | None:
    """Somebody asks the board for work of this kind."""
    dialogue = {SLOT_MOVE.takes: SLOT_MOVE, BAY_DIVIDE.takes: BAY_DIVIDE}[kind]
    task = park.act(lambda call: work.claim_next(call, [kind]))
    return None if task is None else Hands(park, dialogue, task_id=task.id, **task.facts)


def carried_out(park: Park, row: BayDivision) -> racks.Rack:
    """All of it, scan by scan, as two people would; the bay after it."""
    while (move := hands_on(park, "slot_move")) is not None:
        carry(park, move)
    hand = hands_on(park, "bay_divide")
    assert hand is not None, "the bay is on the board when it is empty"
    hand.scan(bay(park, row).slots[0].code)
    hand.press("changed")
    for slot in bay(park, row).slots:
        hand.scan(slot.code)
    assert hand.step is None
    return bay(park, row)


def carry(park: Park, hand: Hands) -> None:
    """The three scans of a move."""
    source, target = (row["value"] for row in hand.screen["status"])
    hand.scan(source)
    if hand.step is None:
        return
    source, target = (row["value"] for row in hand.screen["status"])
    hand.scan(_piece(park, hand))
    hand.scan(target)


def _piece(park: Park, hand: Hands) -> str:
    tail = hand.cards("item")[0]["tail"]

    def code(call: Call) -> str:
        skus = catalog.skus_by_id(call.session, call.warehouse_id, call.session.scalars(select(Stock.sku_id)))
        known = (catalog.barcodes_of(call.session, call.warehouse_id, sku_id)[0].barcode for sku_id in skus)
        return next(barcode for barcode in known if barcode.endswith(tail))

    return park.act(code)


def on_hand(park: Park) -> int:
    return park.read(lambda session: sum(session.scalars(select(Stock.on_hand))))


def filled(park: Park, but: int = 0, every: int = 0) -> None:
    """Something lies in the slots of zone A, but for the last ones, or but for every n-th."""
    slots = park.read(lambda session: site.slots(session, park.warehouse_id, zone_code="A"))
    wanted = [slot.code for at, slot in enumerate(slots[: len(slots) - but]) if not every or at % every]

    def fill(call: Call) -> None:
        for code in wanted:
            stock_in(call, a_sku(call), code, 4)

    park.act(fill)


def proposed(park: Park, free: int = 6, coming: int = 18) -> BayDivision:
    """The last bay (six shelves, empty) is proposed to be cut anew for more SKUs than it takes."""
    filled(park, but=free)
    planned(park, some_skus(park, coming), bays_max=1)
    return divisions(park, "proposed")[0]


def promise(park: Park, code: str) -> None:
    def hold(call: Call) -> None:
        stock = call.session.scalars(select(Stock).where(Stock.place_id == slot_id(park, code))).one()
        ledger.hold(call, stock.id, stock.merchant_id, 1, Purpose.ORDER_LINE, 1)

    park.act(hold)
