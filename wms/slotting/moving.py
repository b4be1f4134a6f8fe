"""Proposed moves become work: accepted or declined by a supervisor, carried out scan by scan, given up at any point.

Until the target slot is scanned the book says the goods lie where they lay; while somebody carries them they are held,
so that nobody promises them. Whether a move is still right is asked when somebody sets out.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, select

from wms.catalog import queries as catalog
from wms.catalog.values import SkuFacts
from wms.core.audit_trail import note
from wms.core.call import Call
from wms.core.refusal import Reason, Refused
from wms.ledger import service as ledger
from wms.ledger.tables import Stock
from wms.ledger.values import Condition, Movement, MovementKind, Purpose
from wms.site import queries as site
from wms.site.values import SlotFacts
from wms.slotting import judging, service
from wms.slotting.emptying import ask_to_divide
from wms.slotting.tables import BayDivision, MoveProposal
from wms.slotting.values import Goods
from wms.work import service as work
from wms.work.values import PRIORITY_LAST

MOVE_TASK = "slot_move"
PROPOSALS_MAX = 200


@dataclass(frozen=True, slots=True)
class Carry:
    """A move under way: these goods, from here to there. `quantity` is all that lies there."""

    id: int
    sku: SkuFacts
    quantity: int
    source: SlotFacts
    target: SlotFacts


def accept(call: Call, proposal_ids: Collection[int]) -> int:
    """These moves are wanted: each becomes a task on the board. How many were; those decided already are passed over.

    Raises BAD_INPUT for too many at once.
    """
    rows = _open(call, proposal_ids)
    for row in rows:
        source = site.slot_by_id(call.session, call.warehouse_id, row.source_id)
        row.state, row.decided_by = "accepted", call.actor
        row.task_id = work.create(
            call,
            MOVE_TASK,
            f"proposal:{row.id}",
            priority=PRIORITY_LAST,
            zone_id=source.zone_id,
            merchant_id=row.merchant_id,
            proposal=row.id,
        )
    call.session.flush()
    if rows:
        note(call, "moves.accepted", moves=len(rows))
    return len(rows)


def decline(call: Call, proposal_ids: Collection[int]) -> int:
    """These moves are not wanted; how many were still open. Raises BAD_INPUT for too many at once."""
    rows = _open(call, proposal_ids)
    for row in rows:
        row.state, row.decided_by, row.closed_at = "declined", call.actor, call.now
    call.session.flush()
    return len(rows)


def withdraw(call: Call, proposal_id: int) -> None:
    """An accepted move is not wanted any more, also while somebody is on the way. Raises TASK_DONE."""
    row = _locked(call, proposal_id)
    if row.state != "accepted":
        raise Refused(Reason.TASK_DONE, state=row.state)
    _end(call, row, "withdrawn")


def _open(call: Call, proposal_ids: Collection[int]) -> list[MoveProposal]:
    if len(proposal_ids) > PROPOSALS_MAX:
        raise Refused(Reason.BAD_INPUT, what="proposals")
    query = select(MoveProposal).where(
        MoveProposal.warehouse_id == call.warehouse_id,
        MoveProposal.id.in_(sorted(set(proposal_ids))),
        MoveProposal.state == "proposed",
    )
    fresh = {"populate_existing": True}
    return list(call.session.scalars(query.order_by(MoveProposal.id).with_for_update(), execution_options=fresh))


def _locked(call: Call, proposal_id: int) -> MoveProposal:
    """The move, after the bay it empties: whoever gives up the bay comes that way too."""
    bay = select(MoveProposal.division_id).where(MoveProposal.id == proposal_id)
    call.session.execute(select(BayDivision.id).where(BayDivision.id.in_(bay)).with_for_update())
    return _found(call, proposal_id, _one(call, proposal_id).with_for_update())


def _one(call: Call, proposal_id: int) -> Select[MoveProposal]:
    return select(MoveProposal).where(MoveProposal.warehouse_id == call.warehouse_id, MoveProposal.id == proposal_id)


def _found(call: Call, proposal_id: int, query: Select[MoveProposal]) -> MoveProposal:
    row = call.session.scalars(query, execution_options={"populate_existing": True}).one_or_none()
    if row is None:
        raise Refused(Reason.NOT_FOUND, what=f"proposal {proposal_id}")
    return row


def carry(call: Call, proposal_id: int) -> Carry:
    """What is to be carried where; locks nothing. Raises NOT_FOUND, TASK_DONE."""
    row = _found(call, proposal_id, _one(call, proposal_id))
    if row.state != "accepted":
        raise Refused(Reason.TASK_DONE, state=row.state)
    stock = _lying(call, row)
    return _carry(call, row, stock.on_hand if stock is not None else 0)


def _carry(call: Call, row: MoveProposal, quantity: int) -> Carry:
    session, house = call.session, call.warehouse_id
    return Carry(
        row.id,
        catalog.sku_by_id(session, house, row.sku_id),
        quantity,
        site.slot_by_id(session, house, row.source_id),
        site.slot_by_id(session, house, row.target_id),
    )


def set_out(call: Call, proposal_id: int) -> Carry | Refused:
    """Somebody is at the source slot. Looks again: goods and target as planned? Then both are kept for this walk.

    A move that is not right any more is dropped, its task with it, and the refusal that says why is returned (not
    raised: the drop is to stay). Raises TASK_DONE for one that is over.
    """
    row = _locked(call, proposal_id)
    if row.state != "accepted":
        raise Refused(Reason.TASK_DONE, state=row.state)
    try:
        _aim(call, row, _goods(call, row, _lying(call, row)))
        judging.keep_slot(call, row.target_id)  # its bay before rows of stock, as everybody
        stock = _stock(call, row)
        goods = _goods(call, row, stock)
        judging.check_lawful(call, goods, row.target_id, subject=_subject(row))
    except Refused as no:
        _end(call, row, no.reason.value)
        return no
    assert stock is not None, "goods come from a row"
    if row.hold_id is None:
        row.hold_id = ledger.hold(call, stock.id, stock.merchant_id, goods.quantity, Purpose.MOVE, row.id)
        row.stock_id, row.held = stock.id, goods.quantity
    service.lease(call, row.target_id, _subject(row), weight_g=goods.weight_g)
    call.session.flush()
    return _carry(call, row, goods.quantity)


def _aim(call: Call, row: MoveProposal, goods: Goods) -> None:
    """Judge the target as it looks; where a bay is only emptied, any other lawful slot serves as well."""
    try:
        judging.check_lawful(call, goods, row.target_id, subject=_subject(row))
    except Refused:
        if row.division_id is None:
            raise
        row.target_id = service.choose(call, goods, subject=_subject(row), count=1)[0].place_id


def _stock(call: Call, row: MoveProposal) -> Stock | None:
    """The row of these goods in the source slot, kept; None when they are gone, or (but for a bay that is emptied) when
    something else lies there too.
    """
    return _only(call, row, _in_source(call, row).with_for_update())


def _lying(call: Call, row: MoveProposal) -> Stock | None:
    """As `_stock`, and nobody is kept from it."""
    return _only(call, row, _in_source(call, row))


def _in_source(call: Call, row: MoveProposal) -> Select[Stock]:
    here = (Stock.warehouse_id == call.warehouse_id, Stock.place_id == row.source_id)
    return select(Stock).where(*here, Stock.on_hand > 0).order_by(Stock.id)


def _only(call: Call, row: MoveProposal, query: Select[Stock]) -> Stock | None:
    found = call.session.scalars(query, execution_options={"populate_existing": True}).all()
    mine = [each for each in found if each.sku_id == row.sku_id]
    alone = row.division_id is not None or len(found) == 1  # a bay is emptied of one thing after the other
    return mine[0] if alone and len(mine) == 1 else None


def _goods(call: Call, row: MoveProposal, stock: Stock | None) -> Goods:
    """The goods as they lie. Raises what forbids to move them."""
    source = site.slot_by_id(call.session, call.warehouse_id, row.source_id)
    if stock is None:
        raise Refused(Reason.CHANGED_MEANWHILE)
    if stock.promised != row.held:
        raise Refused(Reason.STOCK_PROMISED, slot=source.code)
    if stock.frozen_reason:
        raise Refused(Reason.STOCK_FROZEN, slot=source.code)
    if source.blocked:
        raise Refused(Reason.SLOT_BLOCKED, slot=source.code)
    if source.shut:
        raise Refused(Reason.SLOT_SHUT, slot=source.code)
    if source.under_count:
        raise Refused(Reason.SLOT_UNDER_COUNT, slot=source.code)
    sku = catalog.sku_by_id(call.session, call.warehouse_id, stock.sku_id)
    return Goods(sku, stock.lot_id, stock.on_hand, stock.condition, source.bonded, stock.book, row.source_id)


def put_down(call: Call, proposal_id: int, slot_code: str) -> Carry:
    """The goods lie in the target slot: booked, done. Raises SLOT_WRONG for another slot, TASK_DONE."""
    row = _locked(call, proposal_id)
    if row.state != "accepted" or row.hold_id is None or row.stock_id is None:
        raise Refused(Reason.TASK_DONE, state=row.state)
    target = site.slot_by_id(call.session, call.warehouse_id, row.target_id)
    if slot_code != target.code:
        raise Refused(Reason.SLOT_WRONG, expected=target.code, scanned=slot_code)
    judging.keep_slot(call, row.target_id)  # its bay before rows of stock, as everybody
    stock = _stock(call, row)
    goods = _goods(call, row, stock)
    assert stock is not None, "goods come from a row"
    judging.check_lawful(call, goods, row.target_id, subject=_subject(row))
    movement = Movement(
        MovementKind.MOVE,
        stock.merchant_id,
        row.source_id,
        row.target_id,
        stock.sku_id,
        stock.lot_id,
        row.held,
        Condition(stock.condition),
        stock.book,
        reference=_subject(row),
    )
    ledger.consume(call, row.hold_id, row.stock_id, movement)
    moved = _carry(call, row, row.held)
    row.state, row.closed_at, row.hold_id, row.held = "done", call.now, None, 0
    call.session.flush()
    service.end_leases(call, _subject(row))
    service.stored(call, goods, row.target_id)
    work.done_about(call, MOVE_TASK, _subject(row))
    if row.division_id is not None:
        ask_to_divide(call, row.division_id)
    return moved


def put_back(call: Call, proposal_id: int) -> None:
    """Somebody leaves off: the goods lie where they lay, free to be promised; the task waits for the next."""
    row = _locked(call, proposal_id)
    if row.state == "accepted":
        _let_go(call, row)
        if row.task_id is not None:
            work.give_back(call, row.task_id)


def _let_go(call: Call, row: MoveProposal) -> None:
    if row.hold_id is not None and row.stock_id is not None:
        ledger.release(call, row.hold_id, row.stock_id, row.held)
    row.hold_id, row.stock_id, row.held = None, None, 0
    call.session.flush()
    service.end_leases(call, _subject(row))


def drop(call: Call, condition: ColumnElement[bool], why: str) -> int:
    """End every open move of which a condition holds, in the order of their ids; how many."""
    rows = call.session.scalars(
        select(MoveProposal)
        .where(
            MoveProposal.warehouse_id == call.warehouse_id, MoveProposal.state.in_(("proposed", "accepted")), condition
        )
        .order_by(MoveProposal.id)
        .with_for_update(),
        execution_options={"populate_existing": True},
    ).all()
    for row in rows:
        _end(call, row, why)
    return len(rows)


def _end(call: Call, row: MoveProposal, why: str) -> None:
    _let_go(call, row)
    row.state, row.dropped_why, row.closed_at = "dropped", why, call.now
    call.session.flush()
    work.cancel_about(call, MOVE_TASK, _subject(row))
    if row.division_id is not None:
        ask_to_divide(call, row.division_id)


def _subject(row: MoveProposal) -> str:
    return f"proposal:{row.id}"
