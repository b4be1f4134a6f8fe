"""Goods promised to orders are carried to another place, and the promises go with them.

That is sound as long as nobody has been sent to fetch them: such a hold `follows`. Who sends somebody pins it first,
and who wants to give a promise back reads it while its goods stay where they are.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any, TypeVar

from sqlalchemy import insert, select, update

from wms.core.call import Call
from wms.core.db.tables import table_of
from wms.core.refusal import Reason, Refused
from wms.core.sql import is_postgresql, touched
from wms.ledger.rules import key_at
from wms.ledger.service import lessen_hold, put_down, write_movements
from wms.ledger.tables import Hold, Stock
from wms.ledger.values import Movement

LOOKS_MAX = 5
T = TypeVar("T")

_stock = table_of(Stock)
_hold = table_of(Hold)


def pin(call: Call, hold_ids: Collection[int]) -> int:
    """Somebody is sent to fetch these goods where they lie: from now on they are not carried away. How many of the
    holds are still open; with fewer than were asked for, some have gone elsewhere: read again.
    """
    still = _hold.c.id.in_(sorted(set(hold_ids))) & (_hold.c.quantity > 0)
    kept = call.session.execute(select(_hold.c.id).where(still).order_by(_hold.c.id).with_for_update()).scalars().all()
    call.session.execute(update(_hold).where(still & _hold.c.follows.is_(True)).values(follows=False))
    return len(kept)


def settled(call: Call, read: Callable[[], Sequence[T]], stock_of: Callable[[T], int]) -> Sequence[T]:
    """What `read` finds of promises, once their goods are kept where they are until the commit. Raises BUSY."""
    rows = read()
    if not is_postgresql(call.session):  # one writer: nobody carries anything away meanwhile
        return rows
    for _ in range(LOOKS_MAX):
        ids = sorted({stock_of(row) for row in rows})
        call.session.execute(select(_stock.c.id).where(_stock.c.id.in_(ids)).order_by(_stock.c.id).with_for_update())
        again = read()
        if list(again) == list(rows):
            return rows
        rows = again
    raise Refused(Reason.BUSY)


def may_follow(call: Call, stock_id: int, *, keep: bool = False) -> int:
    """How much of a stock row is promised to orders that nobody has been sent to fetch yet; with `keep` nobody is sent
    for it before the commit either.
    """
    follows = (_hold.c.stock_id == stock_id) & (_hold.c.quantity > 0) & _hold.c.follows.is_(True)
    query = select(_hold.c.quantity).where(follows).order_by(_hold.c.id)
    return sum(call.session.scalars(query.with_for_update() if keep else query))


def carry(call: Call, stock_id: int, movement: Movement) -> int:
    """Book a movement between two slots; promises that may follow go with the goods, as many whole ones as fit and so
    many as are needed. How many pieces are promised at the new place for it. The rows are kept by the caller.

    Raises STOCK_PROMISED when more is promised to stay than is left there, STOCK_INSUFFICIENT, STOCK_FROZEN.
    """
    row = call.session.execute(select(_stock).where(_stock.c.id == stock_id)).one()
    follows = (_hold.c.stock_id == stock_id) & (_hold.c.quantity > 0) & _hold.c.follows.is_(True)
    holds = call.session.execute(select(_hold).where(follows).order_by(_hold.c.id).with_for_update()).all()
    free, wanted = row.on_hand - row.promised, movement.quantity
    if row.on_hand < wanted:
        raise Refused(Reason.STOCK_INSUFFICIENT, wanted=wanted, free=free, shortage=wanted - row.on_hand)
    going = parted([hold.quantity for hold in holds], wanted, max(0, wanted - free))
    followed = sum(going)
    if wanted - followed > free:
        raise Refused(Reason.STOCK_PROMISED, wanted=wanted, free=free, shortage=wanted - followed - free)
    _out(call, stock_id, wanted, followed)
    new_id = put_down(call, key_at(movement, movement.target_id), wanted, followed)
    for hold, quantity in zip(holds, going, strict=True):
        if quantity:
            lessen_hold(call, hold.id, stock_id, quantity)
            call.session.execute(insert(_hold), _moved_hold(call, hold, new_id, quantity))
    write_movements(call, [movement])
    return followed


def parted(holds: Sequence[int], room: int, needed: int) -> list[int]:
    """How much of each hold goes along: whole ones, the oldest first, while there is room; parts only if needed."""
    going: list[int] = []
    for quantity in holds:
        going.append(quantity if quantity <= room - sum(going) else 0)
    for at, quantity in enumerate(holds):
        lacking = needed - sum(going)
        if lacking > 0 and not going[at]:
            going[at] = min(quantity, lacking)
    return going


def _out(call: Call, stock_id: int, quantity: int, followed: int) -> None:
    statement = (
        update(_stock)
        .where(
            _stock.c.id == stock_id,
            _stock.c.promised >= followed,
            _stock.c.on_hand - quantity >= _stock.c.promised - followed,
            _stock.c.frozen_reason.is_(None),
        )
        .values(on_hand=_stock.c.on_hand - quantity, promised=_stock.c.promised - followed)
    )
    if touched(call.session, statement, {}) != 1:
        raise Refused(Reason.STOCK_FROZEN, stock=stock_id)


def _moved_hold(call: Call, hold: Any, stock_id: int, quantity: int) -> dict[str, Any]:
    return {
        "warehouse_id": hold.warehouse_id,
        "merchant_id": hold.merchant_id,
        "stock_id": stock_id,
        "purpose": hold.purpose,
        "reference_id": hold.reference_id,
        "quantity": quantity,
        "made_at": hold.made_at,
        "follows": True,
    }
