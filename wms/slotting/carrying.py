"""Refills carried out: looked at again at the source, taken, put down, given up at any point.

Until the target slot is scanned the book says the goods lie where they lay. What was promised to nobody is held
meanwhile, so that nobody promises it; what was promised to orders goes with its promise, if nobody was sent for it.
Rows are kept in this order: refills, slots, stock by id, holds, the walk, its task.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select

from wms.catalog import queries as catalog
from wms.core.audit_trail import note
from wms.core.call import Call
from wms.core.outbox import announce
from wms.core.refusal import Reason, Refused
from wms.ledger import following
from wms.ledger import service as ledger
from wms.ledger.tables import Stock
from wms.ledger.values import Condition, Movement, MovementKind, Purpose
from wms.site import queries as site
from wms.site.tables import Slot
from wms.site.values import SlotFacts
from wms.slotting import judging, service
from wms.slotting.legs import Leg, leg_of
from wms.slotting.reach import in_reach
from wms.slotting.refilling import OPEN_STATES, REFILL_TASK, open_key, subject_of
from wms.slotting.tables import Refill, RefillWalk
from wms.slotting.values import Goods
from wms.work import service as work

SHORT = "refill.short"
OTHERS_TRIED = 5


@dataclass(frozen=True, slots=True)
class Stored:
    """What was put down, and how much has to go `back`: somebody was sent to fetch it at the source meanwhile."""

    leg: Leg
    moved: int
    back: int


def _locked(call: Call, refill_id: int, *states: str) -> Refill:
    query = select(Refill).where(Refill.warehouse_id == call.warehouse_id, Refill.id == refill_id)
    row = call.session.scalars(query.with_for_update(), execution_options={"populate_existing": True}).one_or_none()
    if row is None:
        raise Refused(Reason.NOT_FOUND, what=f"refill {refill_id}")
    if row.state not in states:
        raise Refused(Reason.TASK_DONE, state=row.state)
    return row


def arrive(call: Call, refill_id: int, slot_code: str) -> Leg | Refused:
    """Somebody is at the source. Looks again: goods and target as planned? Then both are kept for this walk.

    Fewer free pieces than were asked for: those. Another slot in reach, if the one meant takes them no more. A refill
    that is not right any more is dropped, and the refusal that says why is returned (not raised: the drop is to stay).
    Raises SLOT_WRONG, TASK_DONE.
    """
    row = _locked(call, refill_id, "open")
    source = site.slot_by_id(call.session, call.warehouse_id, row.source_id)
    if slot_code != source.code:
        raise Refused(Reason.SLOT_WRONG, expected=source.code, scanned=slot_code)
    try:
        _look(call, row, source)
    except Refused as no:
        _end(call, row, "dropped", no.reason.value)
        _close_walk(call, row.walk_id)
        return no
    call.session.flush()
    return leg_of(call, row)


def _look(call: Call, row: Refill, source: SlotFacts) -> None:
    """Raises what forbids to carry these goods now."""
    _check_source(source)
    stock = _stock(call, row)
    if stock is None:
        raise Refused(Reason.CHANGED_MEANWHILE, slot=source.code)
    there = stock.on_hand - stock.promised + row.held + following.may_follow(call, stock.id)
    if there < 1:
        raise Refused(Reason.STOCK_PROMISED, slot=source.code)
    row.quantity = min(row.quantity, there)
    _aim(call, row, _goods(call, row, row.quantity, source), again=True)
    _hold(call, row, _kept_stock(call, row))


def _check_source(source: SlotFacts) -> None:
    if source.blocked:
        raise Refused(Reason.SLOT_BLOCKED, slot=source.code)
    if source.shut:
        raise Refused(Reason.SLOT_SHUT, slot=source.code)
    if source.under_count:
        raise Refused(Reason.SLOT_UNDER_COUNT, slot=source.code)


def _stock(call: Call, row: Refill) -> Stock | None:
    """The row of these goods at the source, as it is now; None when they are gone. Raises STOCK_FROZEN."""
    query = select(Stock).where(
        Stock.warehouse_id == call.warehouse_id,
        Stock.place_id == row.source_id,
        Stock.sku_id == row.sku_id,
        Stock.lot_id == row.lot_id,
        Stock.condition == Condition.GOOD.value,
        Stock.book == row.book,
        Stock.on_hand > 0,
    )
    found = call.session.scalars(query, execution_options={"populate_existing": True}).one_or_none()
    if found is not None and found.frozen_reason:
        raise Refused(Reason.STOCK_FROZEN, slot=site.slot_by_id(call.session, call.warehouse_id, row.source_id).code)
    return found


def _kept_stock(call: Call, row: Refill) -> Stock:
    """As `_stock`, kept from others until the commit together with the row at the target, ids ascending.

    Raises CHANGED_MEANWHILE when the goods are gone.
    """
    rows = select(Stock.id).where(
        Stock.warehouse_id == call.warehouse_id,
        Stock.place_id.in_((row.source_id, row.target_id)),
        Stock.sku_id == row.sku_id,
        Stock.lot_id == row.lot_id,
        Stock.book == row.book,
    )
    ledger.keep_in_order(call, call.session.scalars(rows).all())
    stock = _stock(call, row)
    if stock is None:
        raise Refused(Reason.CHANGED_MEANWHILE)
    return stock


def _goods(call: Call, row: Refill, quantity: int, source: SlotFacts) -> Goods:
    sku = catalog.sku_by_id(call.session, call.warehouse_id, row.sku_id)
    return Goods(sku, row.lot_id, quantity, Condition.GOOD.value, source.bonded, row.book, row.source_id)


def _aim(call: Call, row: Refill, goods: Goods, *, again: bool) -> None:
    """Keep the target for this walk; another slot in reach where it takes the goods no more (`again`).

    Raises what forbids the target, NO_SLOT_FITS when there is no other.
    """
    try:
        with call.session.begin_nested():  # a bay that takes no more is let go before another one is kept
            judging.take_slot(call, goods, row.target_id, subject=_subject(row))
    except Refused:
        if not again:
            raise
        _aim_elsewhere(call, row, goods)
        return
    if not service.lease(call, row.target_id, _subject(row), weight_g=goods.weight_g):
        raise Refused(Reason.SLOT_KEPT, slot=site.slot_by_id(call.session, call.warehouse_id, row.target_id).code)


def _aim_elsewhere(call: Call, row: Refill, goods: Goods) -> None:
    """Another slot in reach that no other refill goes to. Raises NO_SLOT_FITS."""
    house = call.warehouse_id
    others = select(Refill.target_id).where(Refill.warehouse_id == house, Refill.state.in_(OPEN_STATES))
    among = select(Slot.place_id).where(
        Slot.warehouse_id == house, Slot.retired.is_(False), in_reach(house), Slot.place_id.not_in(others)
    )
    found = service.choose(
        call, goods, subject=_subject(row), count=OTHERS_TRIED, among=set(call.session.scalars(among))
    )
    for one in found:
        if service.lease(call, one.place_id, _subject(row), weight_g=goods.weight_g):
            row.target_id, row.open_key = one.place_id, open_key(row, one.place_id)
            call.session.flush()
            service.end_leases(call, _subject(row), but=one.place_id)
            judging.take_slot(call, goods, one.place_id, subject=_subject(row))
            return
    raise Refused(Reason.NO_SLOT_FITS, why="leased")


def _hold(call: Call, row: Refill, stock: Stock) -> None:
    """Keep those that are free from being promised, instead of what was held before; others go with their promise."""
    free = min(row.quantity, stock.on_hand - stock.promised + row.held)
    _let_go(call, row)
    row.stock_id, row.held = stock.id, max(0, free)
    if free > 0:
        row.hold_id = ledger.hold(call, stock.id, stock.merchant_id, free, Purpose.MOVE, row.id)


def take(call: Call, refill_id: int, quantity: int) -> Leg | Refused:
    """So many pieces are on the cart. Fewer than asked for: the slot is to be counted; none at all: it is dropped, and
    the refusal that says so is returned.

    Raises QUANTITY_WRONG for more than was asked for, STEP_WRONG before the source was scanned, TASK_DONE.
    """
    row = _locked(call, refill_id, "open")
    if row.stock_id is None:
        raise Refused(Reason.STEP_WRONG)
    if not 0 <= quantity <= row.quantity:
        raise Refused(Reason.QUANTITY_WRONG, quantity=quantity)
    short = row.quantity - quantity
    if short:
        source = site.slot_by_id(call.session, call.warehouse_id, row.source_id)
        announce(call, SHORT, f"slot:{row.source_id}", slot=source.code, refill=row.id, short=short)
        row.short = short
    if not quantity:
        _end(call, row, "dropped", Reason.STOCK_INSUFFICIENT.value)
        _close_walk(call, row.walk_id)
        return Refused(Reason.STOCK_INSUFFICIENT, wanted=row.quantity, free=0, shortage=short)
    surplus = max(0, row.held - quantity)
    if surplus and row.hold_id is not None:
        ledger.release(call, row.hold_id, row.stock_id, surplus)
        row.held -= surplus
    row.state, row.taken, row.quantity = "carried", quantity, quantity
    call.session.flush()
    call.wakes.add("live")
    return leg_of(call, row)


def put_down(call: Call, refill_id: int, slot_code: str) -> Stored:
    """The goods lie in the pick face: booked, done, and what was promised of them is promised there.

    Raises SLOT_WRONG for another slot, TASK_DONE, what forbids the slot (SLOT_...), STOCK_FROZEN, CHANGED_MEANWHILE.
    """
    row = _locked(call, refill_id, "carried")
    target = site.slot_by_id(call.session, call.warehouse_id, row.target_id)
    if slot_code != target.code:
        raise Refused(Reason.SLOT_WRONG, expected=target.code, scanned=slot_code)
    source = site.slot_by_id(call.session, call.warehouse_id, row.source_id)
    goods = _goods(call, row, row.taken, source)
    judging.take_slot(call, goods, row.target_id, subject=_subject(row))
    stock = _kept_stock(call, row)
    _let_go(call, row)
    moved = min(row.taken, _may_go(call, row))
    stored = Stored(leg_of(call, row), moved, row.taken - moved)
    if moved:
        row.followed, row.moved = following.carry(call, stock.id, _movement(row, stock, moved)), moved
        service.stored(call, _goods(call, row, moved, source), row.target_id)
    _end(call, row, "done" if moved else "dropped", None if moved else Reason.STOCK_PROMISED.value)
    _close_walk(call, row.walk_id)
    return stored


def _may_go(call: Call, row: Refill) -> int:
    """How many pieces at the source nobody has been sent to fetch, nor is before the commit."""
    stock = _stock(call, row)
    return 0 if stock is None else stock.on_hand - stock.promised + following.may_follow(call, stock.id, keep=True)


def _movement(row: Refill, stock: Stock, quantity: int) -> Movement:
    return Movement(
        MovementKind.REPLENISH,
        stock.merchant_id,
        row.source_id,
        row.target_id,
        row.sku_id,
        row.lot_id,
        quantity,
        Condition.GOOD,
        row.book,
        reference=_subject(row),
    )


def aim_elsewhere(call: Call, refill_id: int) -> Leg:
    """The target does not please or takes the goods no more: another slot in reach. Raises NO_SLOT_FITS, TASK_DONE."""
    row = _locked(call, refill_id, "carried")
    source = site.slot_by_id(call.session, call.warehouse_id, row.source_id)
    _aim_elsewhere(call, row, _goods(call, row, row.taken, source))
    call.session.flush()
    return leg_of(call, row)


def put_back(call: Call, walk_id: int) -> list[Leg]:
    """Somebody leaves off: what he has on the cart goes back where it lay; the walk waits for the next. What it was."""
    rows = _in_hand(call, walk_id)
    carried = [leg_of(call, row) for row in rows if row.state == "carried"]
    ledger.keep_in_order(call, [row.stock_id for row in rows if row.stock_id is not None])
    for row in rows:
        _let_go(call, row)
        row.state, row.taken = "open", 0
        service.end_leases(call, _subject(row))
    call.session.flush()
    walk = call.session.get(RefillWalk, walk_id, populate_existing=True)
    if walk is not None and walk.state == "open" and walk.task_id is not None:
        work.give_back(call, walk.task_id)
    return carried


def _in_hand(call: Call, walk_id: int) -> Sequence[Refill]:
    """Of a walk, what somebody has begun, kept until the commit."""
    query = select(Refill).where(
        Refill.warehouse_id == call.warehouse_id, Refill.walk_id == walk_id, Refill.state.in_(OPEN_STATES)
    )
    rows = call.session.scalars(
        query.order_by(Refill.id).with_for_update(), execution_options={"populate_existing": True}
    )
    return [row for row in rows if row.stock_id is not None]


def later(call: Call, walk_id: int, minutes: int) -> None:
    """Nothing of the walk can be fetched now: it is offered again in a while."""
    walk = call.session.get_one(RefillWalk, walk_id, populate_existing=True)
    if walk.task_id is not None:
        work.skip(call, walk.task_id, minutes)


def withdraw(call: Call, refill_id: int) -> None:
    """A refill is not wanted any more, also while somebody carries it. Raises NOT_FOUND, TASK_DONE."""
    row = _locked(call, refill_id, *OPEN_STATES)
    _end(call, row, "dropped", "withdrawn")
    _close_walk(call, row.walk_id)
    note(call, "refill.withdrawn", refill=refill_id)


def _let_go(call: Call, row: Refill) -> None:
    if row.hold_id is not None and row.stock_id is not None and row.held:
        ledger.release(call, row.hold_id, row.stock_id, row.held)
    row.hold_id, row.stock_id, row.held = None, None, 0


def _end(call: Call, row: Refill, state: str, why: str | None) -> None:
    _let_go(call, row)
    row.state, row.dropped_why, row.closed_at, row.open_key = state, why, call.now, None
    call.session.flush()
    service.end_leases(call, _subject(row))
    call.wakes.add("live")


def _close_walk(call: Call, walk_id: int | None) -> None:
    """The last refill of a walk is over: so is the walk, and its task."""
    walk = call.session.scalars(
        select(RefillWalk).where(RefillWalk.id == walk_id).with_for_update(),
        execution_options={"populate_existing": True},
    ).one()
    states = set(call.session.scalars(select(Refill.state).where(Refill.walk_id == walk_id)))
    if states & set(OPEN_STATES):
        return
    walk.state, walk.closed_at = ("done" if "done" in states else "dropped"), call.now
    call.session.flush()
    close = work.done_about if walk.state == "done" else work.cancel_about
    close(call, REFILL_TASK, subject_of(walk.id))


def _subject(row: Refill) -> str:
    return f"refill:{row.id}"
