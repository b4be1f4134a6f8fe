"""Goods are not where they should be: take them elsewhere if they are anywhere, else explain the order; have the slot
counted.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import insert, select, update

from wms.core.call import Call
from wms.core.db.tables import table_of
from wms.core.outbox import announce
from wms.core.refusal import Reason, Refused
from wms.core.sql import touched
from wms.ledger import service as ledger
from wms.optimise.geometry import Stop, stop_point
from wms.outbound.tables import Order, OrderLine
from wms.outbound.values import Shortage
from wms.picking.queries.walk import forget, walk_of_pick
from wms.picking.rules.planning import best_stop
from wms.picking.service.elsewhere import Promise, elsewhere, hold, keep_in_order, promise_of
from wms.picking.service.picks import order_reference
from wms.picking.service.planning import pick_row
from wms.picking.tables import PickLine
from wms.picking.values import COUNT_KIND, Found, Goods, PickFacts, PickState, Shorted, Walk
from wms.site import queries as site
from wms.site import service as site_service
from wms.site.tables import Slot
from wms.work import service as work

COUNT_PRIORITY = 2

_pick = table_of(PickLine)
_lines = table_of(OrderLine)
_order = table_of(Order)
Held = tuple[Found, int, int]


def short_pick(call: Call, pick_line_id: int, missing: int) -> Shorted:
    """Say that `missing` pieces of a pick are not in its slot.

    They are taken from another slot where there are any (a further stop of this walk); the rest of the line is short
    and the order explains itself. The slot gives nothing more until it was counted. Raises PICK_DONE, QUANTITY_WRONG.
    """
    walk = walk_of_pick(call.session, call.warehouse_id, pick_line_id)
    wanted = walk.pick(pick_line_id)
    assert wanted is not None
    if not wanted.left:
        raise Refused(Reason.PICK_DONE)
    if not 1 <= missing <= wanted.left:
        raise Refused(Reason.QUANTITY_WRONG, quantity=missing)
    _ask_for_count(call, wanted, missing)
    _shorten(call, wanted, missing)
    promise = promise_of(wanted, missing)
    others = elsewhere(call, promise)
    keep_in_order(call, [(promise, others)])
    ledger.release(call, wanted.hold_id, wanted.stock_id, missing)
    held = _hold_elsewhere(call, promise, others)
    for found, quantity, hold_id in held:
        _add_stop(call, walk, wanted, found, quantity, hold_id)
    shorted = Shorted(missing, sum(quantity for _, quantity, _ in held), tuple(found.slot_code for found, _, _ in held))
    if shorted.lost:
        _explain(call, wanted, shorted.lost)
    forget(call.session, walk.batch_id)
    return shorted


def _ask_for_count(call: Call, wanted: PickFacts, missing: int) -> None:
    work.create(
        call,
        COUNT_KIND,
        f"slot:{wanted.slot_id}",
        priority=COUNT_PRIORITY,
        reason="short_pick",
        slot=wanted.slot_code,
        slot_id=wanted.slot_id,
        sku=wanted.sku_code,
        missing=missing,
    )
    site_service.set_under_count(call, wanted.slot_id, True)


def _shorten(call: Call, wanted: PickFacts, missing: int) -> None:
    over = wanted.left == missing
    state = PickState.OPEN if not over else PickState.DONE if wanted.picked else PickState.SHORT
    here = (_pick.c.id == wanted.id) & (_pick.c.state == PickState.OPEN.value) & (_pick.c.short == wanted.short)
    here = here & (_pick.c.picked == wanted.picked)
    lessened = update(_pick).where(here).values(short=wanted.short + missing, state=state.value, done_at=call.now)
    if touched(call.session, lessened, {}) != 1:
        raise Refused(Reason.CHANGED_MEANWHILE)


def _hold_elsewhere(call: Call, wanted: Promise, others: Sequence[Found]) -> list[Held]:
    """Promise what can be had from other slots, in the order of allocation. A lost race is a slot that has none."""
    held: list[Held] = []
    for found in others:
        quantity = min(found.free, wanted.quantity - sum(each[1] for each in held))
        if quantity < 1:
            break
        hold_id = hold(call, wanted, found, quantity)
        if hold_id is not None:
            held.append((found, quantity, hold_id))
    return held


def _add_stop(call: Call, walk: Walk, wanted: PickFacts, found: Found, quantity: int, hold_id: int) -> None:
    """Put the other slot where it lengthens the rest of the walk least."""
    hall = site.hall(call.session, call.warehouse_id).now
    ahead = _stops_ahead(call, walk.batch_id, wanted.stop)
    here, there = stop_point(hall, wanted.place), stop_point(hall, found.stop)
    stop = max(wanted.stop + 1, best_stop(hall, ahead, here, there))
    later = (_pick.c.batch_id == walk.batch_id) & (_pick.c.stop >= stop)
    call.session.execute(update(_pick).where(later).values(stop=_pick.c.stop + 1))
    goods = Goods(
        hold_id,
        wanted.order_id,
        wanted.order_line_id,
        wanted.merchant_id,
        found.stock_id,
        found.slot_id,
        found.slot_code,
        0,
        wanted.sku_id,
        found.lot_id,
        quantity,
        found.stop,
    )
    call.session.execute(insert(_pick), pick_row(call, walk.batch_id, stop, goods))


def _stops_ahead(call: Call, batch_id: int, stop: int) -> Sequence[tuple[int, Stop]]:
    query = (
        select(_pick.c.stop, Slot.aisle_index, Slot.y_mm)
        .join(Slot, Slot.place_id == _pick.c.slot_id)
        .where(_pick.c.batch_id == batch_id, _pick.c.stop > stop, _pick.c.state == PickState.OPEN.value)
        .order_by(_pick.c.stop)
    )
    return [(number, Stop(aisle, y_mm)) for number, aisle, y_mm in call.session.execute(query)]


def short_aside(call: Call, walk: Walk) -> int:
    """At the lane: what could not be reached does not come with this walk; how many pieces. Its promises are given back
    and the orders say why.
    """
    aside = sorted(walk.aside_picks, key=lambda pick: (pick.stock_id, pick.id))
    for pick in aside:
        here = (_pick.c.id == pick.id) & (_pick.c.state == PickState.ASIDE.value)
        over = {"short": _pick.c.short + pick.wanted, "state": PickState.SHORT.value, "done_at": call.now}
        if touched(call.session, update(_pick).where(here).values(**over), {}) != 1:
            raise Refused(Reason.CHANGED_MEANWHILE)
    ledger.keep_in_order(call, {pick.stock_id for pick in aside})
    for pick in aside:
        ledger.release(call, pick.hold_id, pick.stock_id, pick.wanted)
    for pick in aside:
        _explain(call, pick, pick.wanted, Shortage.WAY_CLOSED)
    return sum(pick.wanted for pick in aside)


def _explain(call: Call, wanted: PickFacts, lost: int, why: Shortage = Shortage.NOT_FOUND) -> None:
    """What will not come is said at the slot: to the order, to its merchant, not first at packing."""
    fewer = (
        update(_lines)
        .where(_lines.c.id == wanted.order_line_id)
        .values(allocated=_lines.c.allocated - lost, short=_lines.c.short + lost)
    )
    call.session.execute(fewer)
    here = _order.c.id == wanted.order_id
    call.session.execute(update(_order).where(here).values(short_reason=why.value))
    facts = {"sku": wanted.sku_code, "missing": lost, "why": why.value}
    announce(call, "order.short", order_reference(wanted.order_id), **facts)
