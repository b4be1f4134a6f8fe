"""Goods go from their slot into the order's tote. One read, five guarded statements."""

from __future__ import annotations

from sqlalchemy import bindparam, case, func, select, update

from wms.core.call import Call
from wms.core.db.tables import table_of
from wms.core.refusal import Reason, Refused
from wms.core.sql import is_postgresql, touched
from wms.ledger import service as ledger
from wms.ledger.values import Movement, MovementKind
from wms.outbound.tables import OrderLine
from wms.picking.queries.walk import remember, walk_of_pick
from wms.picking.tables import PickLine
from wms.picking.values import PickFacts, PickState, ToteOnCart, Walk

_pick = table_of(PickLine)
_lines = table_of(OrderLine)

_take = (
    update(_pick)
    .where(
        _pick.c.id == bindparam("row"),
        _pick.c.state == PickState.OPEN.value,
        _pick.c.picked + _pick.c.short + bindparam("q") <= _pick.c.quantity,
    )
    .values(
        picked=_pick.c.picked + bindparam("q"),
        state=case(
            (_pick.c.picked + _pick.c.short + bindparam("q") == _pick.c.quantity, PickState.DONE.value),
            else_=PickState.OPEN.value,
        ),
        done_at=bindparam("now", type_=_pick.c.done_at.type),
    )
)
count_picked = (
    update(_lines)
    .where(_lines.c.id == bindparam("line"), _lines.c.picked + bindparam("q") <= _lines.c.allocated)
    .values(picked=_lines.c.picked + bindparam("q"))
)
_taken = _take.returning(_pick.c.id).cte("taken")
_counted = count_picked.returning(_lines.c.id).cte("counted")
# PostgreSQL does both in one go, in this order.
_take_and_count = select(
    select(func.count()).select_from(_taken).scalar_subquery().label("taken"),
    select(func.count()).select_from(_counted).scalar_subquery().label("counted"),
)


def pick(call: Call, pick_line_id: int, quantity: int, tote_code: str | None = None) -> Walk:
    """Put `quantity` of a pick into its order's tote; the walk as it is then. A part of the pick leaves it open.

    Raises PICK_DONE, PICK_TOO_MANY, QUANTITY_WRONG, TOTE_OF_OTHER_ORDER or TOTE_NOT_ON_CART when `tote_code` is
    another, STEP_WRONG before the order has a tote, ORDER_INTERCEPTED, HOLD_CLOSED, STOCK_FROZEN.
    """
    walk = walk_of_pick(call.session, call.warehouse_id, pick_line_id)
    wanted = walk.pick(pick_line_id)
    assert wanted is not None
    return put_into_tote(call, walk, wanted, quantity, tote_code)


def put_into_tote(call: Call, walk: Walk, wanted: PickFacts, quantity: int, tote_code: str | None = None) -> Walk:
    """As `pick`, for who has read the walk already."""
    tote = walk.at(wanted.position)
    _check(walk, wanted, tote, quantity, tote_code)
    assert tote.tote_id is not None
    taken, counted = _take_from(call, wanted, quantity)
    if not taken:
        raise Refused(Reason.PICK_DONE)
    if not counted:
        raise Refused(Reason.PICK_TOO_MANY, left=wanted.left)
    ledger.consume(call, wanted.hold_id, wanted.stock_id, _movement(wanted, tote.tote_id, quantity))
    return remember(call.session, walk.with_pick(wanted.id, picked=quantity))


def _take_from(call: Call, wanted: PickFacts, quantity: int) -> tuple[int, int]:
    """Whether the pick had so much left, and whether its order's line did."""
    pick = {"row": wanted.id, "q": quantity, "now": call.now}
    line = {"line": wanted.order_line_id, "q": quantity}
    if is_postgresql(call.session):
        both = call.session.execute(_take_and_count, {**pick, **line}).one()
        return both.taken, both.counted
    taken = touched(call.session, _take, pick)
    return taken, touched(call.session, count_picked, line) if taken else 0


def _check(walk: Walk, wanted: PickFacts, tote: ToteOnCart, quantity: int, tote_code: str | None) -> None:
    if tote.stopped:
        raise Refused(Reason.ORDER_INTERCEPTED, order=tote.order_no)
    if not wanted.left:
        raise Refused(Reason.PICK_DONE)
    if quantity < 1:
        raise Refused(Reason.QUANTITY_WRONG, quantity=quantity)
    if quantity > wanted.left:
        raise Refused(Reason.PICK_TOO_MANY, left=wanted.left)
    if tote.tote_id is None:
        raise Refused(Reason.STEP_WRONG)
    if tote_code not in (None, tote.tote_code):
        on_cart = tote_code in {each.tote_code for each in walk.totes}
        reason = Reason.TOTE_OF_OTHER_ORDER if on_cart else Reason.TOTE_NOT_ON_CART
        raise Refused(reason, expected=tote.tote_code, tote=tote_code)


def _movement(wanted: PickFacts, tote_id: int, quantity: int) -> Movement:
    return Movement(
        MovementKind.PICK,
        wanted.merchant_id,
        wanted.slot_id,
        tote_id,
        wanted.sku_id,
        wanted.lot_id,
        quantity,
        book=wanted.book,
        reference=order_reference(wanted.order_id),
    )


def order_reference(order_id: int) -> str:
    """How movements name the order they were made for."""
    return f"order:{order_id}"
