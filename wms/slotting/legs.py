"""What a walk of refills has to fetch and to put down, as who walks it sees it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from wms.catalog import queries as catalog
from wms.catalog.values import LotFacts, SkuFacts
from wms.core.call import Call
from wms.core.refusal import Reason, Refused
from wms.site import queries as site
from wms.site.values import SlotFacts
from wms.slotting.refilling import OPEN_STATES
from wms.slotting.tables import Refill, RefillWalk


@dataclass(frozen=True, slots=True)
class Leg:
    """One refill of a walk: these goods, from here to there. `taken` is what somebody has of it on his cart."""

    id: int
    walk_id: int
    state: str
    reason: str
    sku: SkuFacts
    lot: LotFacts
    quantity: int
    case: int
    taken: int
    source: SlotFacts
    target: SlotFacts

    def cases_of(self, quantity: int) -> int:
        """How many whole cases that is; 0 where it is counted in pieces."""
        return quantity // self.case if self.case > 1 and quantity % self.case == 0 else 0


def legs_of(call: Call, walk_id: int) -> list[Leg]:
    """What a walk still has to fetch or to put down, each along the aisles. Raises TASK_DONE when it is over."""
    walk = call.session.get(RefillWalk, walk_id, populate_existing=True)
    if walk is None or walk.warehouse_id != call.warehouse_id or walk.state != "open":
        raise Refused(Reason.TASK_DONE)
    query = select(Refill).where(Refill.walk_id == walk_id, Refill.state.in_(OPEN_STATES))
    rows = call.session.scalars(query.order_by(Refill.id), execution_options={"populate_existing": True})
    return sorted((leg_of(call, row) for row in rows), key=_along)


def _along(leg: Leg) -> tuple[int, int, int]:
    slot = leg.target if leg.state == "carried" else leg.source
    return slot.aisle_index, slot.y_mm, leg.id


def leg(call: Call, refill_id: int) -> Leg:
    """One refill, whatever became of it. Raises NOT_FOUND."""
    row = call.session.get(Refill, refill_id, populate_existing=True)
    if row is None or row.warehouse_id != call.warehouse_id:
        raise Refused(Reason.NOT_FOUND, what=f"refill {refill_id}")
    return leg_of(call, row)


def leg_of(call: Call, row: Refill) -> Leg:
    """From its row to its facts."""
    session, house = call.session, call.warehouse_id
    return Leg(
        row.id,
        row.walk_id or 0,
        row.state,
        row.reason,
        catalog.sku_by_id(session, house, row.sku_id),
        catalog.lot_by_id(session, house, row.lot_id),
        row.quantity,
        row.case_quantity,
        row.taken,
        site.slot_by_id(session, house, row.source_id),
        site.slot_by_id(session, house, row.target_id),
    )
