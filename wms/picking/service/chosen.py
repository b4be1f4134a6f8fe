"""Promises moved to the slots a plan chose, when its batches go to the floor.

What was free when it was planned may be gone by now. Of a batch either all promises are moved or none: then it is
picked from the slots that were promised. All rows of stock of one step are locked together, ids ascending, after the
orders and before the first of them is read, so that what is read then is what is written.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from wms.core.call import Call
from wms.ledger import service as ledger
from wms.ledger.tables import Hold
from wms.ledger.values import Purpose
from wms.picking.queries.alike import lying_in
from wms.picking.values import Lying

MovedHolds = Mapping[tuple[int, int], int]


@dataclass(frozen=True, slots=True)
class Wanted:
    """So many of a hold are to come from this row of stock."""

    hold_id: int
    stock_id: int
    quantity: int


@dataclass(frozen=True, slots=True)
class Held:
    """A promise to an order line as it stands."""

    hold_id: int
    stock_id: int
    merchant_id: int
    order_line_id: int
    quantity: int


def move_to_chosen(call: Call, picks_of_batches: Iterable[Mapping[str, Any]]) -> MovedHolds:
    """Move what these batches of a plan want from other rows; (hold, stock) -> the hold there, of those that moved.

    The orders are to be kept in order before.
    """
    batches = [[Wanted(hold, stock, n) for hold, _, stock, n in picks.get("moved", ())] for picks in picks_of_batches]
    hold_ids = [each.hold_id for batch in batches for each in batch]
    if not hold_ids:
        return {}
    rows = {held.stock_id for held in _held(call, hold_ids).values()}
    rows |= {each.stock_id for batch in batches for each in batch}
    ledger.keep_in_order(call, rows)
    held, lying = _held(call, hold_ids), lying_in(call.session, call.warehouse_id, sorted(rows))
    moved: dict[tuple[int, int], int] = {}
    free = {stock_id: row.free for stock_id, row in lying.items()}
    for batch in batches:
        still = [each for each in batch if held[each.hold_id].quantity > 0]
        if _may_move(still, held, lying, free):
            moved |= _moved(call, still, held)
            for each in still:
                free[each.stock_id] -= each.quantity
    return moved


def _held(call: Call, hold_ids: Sequence[int]) -> dict[int, Held]:
    query = select(Hold.id, Hold.stock_id, Hold.merchant_id, Hold.reference_id, Hold.quantity).where(
        Hold.warehouse_id == call.warehouse_id, Hold.id.in_(hold_ids)
    )
    return {row.id: Held(*row) for row in call.session.execute(query)}


def _may_move(
    wanted: Sequence[Wanted], held: Mapping[int, Held], lying: Mapping[int, Lying], free: Mapping[int, int]
) -> bool:
    """Whether all of this is still promised, may come from there, and is free there."""
    of_hold: Counter[int] = Counter()
    of_row: Counter[int] = Counter()
    for each in wanted:
        of_hold[each.hold_id] += each.quantity
        of_row[each.stock_id] += each.quantity
        own, other = lying.get(held[each.hold_id].stock_id), lying.get(each.stock_id)
        if own is None or other is None or own.alike != other.alike:
            return False
    return all(quantity <= held[hold_id].quantity for hold_id, quantity in of_hold.items()) and all(
        quantity <= free[stock_id] for stock_id, quantity in of_row.items()
    )


def _moved(call: Call, wanted: Sequence[Wanted], held: Mapping[int, Held]) -> dict[tuple[int, int], int]:
    found: dict[tuple[int, int], int] = {}
    for each in wanted:
        here = held[each.hold_id]
        reference = (Purpose.ORDER_LINE, here.order_line_id)
        hold_id = ledger.hold(call, each.stock_id, here.merchant_id, each.quantity, *reference)
        ledger.release(call, each.hold_id, here.stock_id, each.quantity)
        found[each.hold_id, each.stock_id] = hold_id
    return found
