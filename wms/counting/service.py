"""Blind counts: what lies in a slot against the book; differences become adjustments, large ones wait for a second
person.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from wms.catalog import service as catalog
from wms.catalog.values import SkuFacts
from wms.core.audit_trail import note
from wms.core.call import Call
from wms.core.outbox import announce
from wms.core.refusal import Reason, Refused
from wms.counting.tables import Count, CountLine
from wms.counting.values import APPROVAL_PIECES, COUNT_TASK, Counted, CountResult
from wms.ledger import service as ledger
from wms.ledger.tables import MovementRow, Stock
from wms.ledger.values import Condition, Movement, MovementKind, Virtual
from wms.site import queries as site
from wms.site import service as site_service
from wms.work import service as work
from wms.work.values import PRIORITY_NORMAL

OPEN = ("open",)
WAITING = ("approval",)
QUANTITY_MAX = 1_000_000


def ask_for_count(call: Call, slot_code: str, *, reason: str, priority: int = PRIORITY_NORMAL) -> int:
    """Put the count of a slot on the board; the task's id. Raises SLOT_UNKNOWN."""
    slot = site.slot_by_code(call.session, call.warehouse_id, slot_code)
    subject, place_id = f"slot:{slot.place_id}", slot.place_id
    return work.create(call, COUNT_TASK, subject, priority=priority, slot=slot.code, slot_id=place_id, reason=reason)


def begin_count(call: Call, slot_code: str, *, reason: str = "asked") -> int:
    """Begin (or begin again) the count of a slot; nothing is put away there meanwhile. The count's id.

    A count of this slot that waits for approval is overtaken: it says nothing of the slot any more.
    """
    slot = site.slot_by_code(call.session, call.warehouse_id, slot_code)
    site_service.lock_slot(call, slot.place_id)
    counts = call.session.scalars(
        select(Count)
        .where(
            Count.warehouse_id == call.warehouse_id,
            Count.slot_id == slot.place_id,
            Count.state.in_((*OPEN, *WAITING)),
        )
        .order_by(Count.id)
        .with_for_update(),
        execution_options={"populate_existing": True},
    ).all()
    for overtaken in (one for one in counts if one.state in WAITING):
        overtaken.state, overtaken.closed_at = "cancelled", call.now
    known = next((one for one in counts if one.state in OPEN), None)
    if known is None:
        known = Count(warehouse_id=call.warehouse_id, slot_id=slot.place_id, reason=reason, made_at=call.now)
        call.session.add(known)
    known.state, known.ledger_mark = "open", _mark(call.session, slot.place_id)
    known.counted_by = call.actor
    call.session.flush()
    site_service.set_under_count(call, slot.place_id, True)
    return known.id


def _mark(session: Session, place_id: int) -> int:
    newest = select(func.max(MovementRow.id)).where(
        or_(MovementRow.source_id == place_id, MovementRow.target_id == place_id)
    )
    return int(session.execute(newest).scalar_one_or_none() or 0)


def finish_count(call: Call, count_id: int, found: Sequence[Counted]) -> CountResult:
    """Compare what was counted with the book, SKU by SKU. What was not counted counts as nothing there.

    Small differences are booked at once; from five pieces on, or when promised pieces are not there, a second person
    approves. Raises COUNT_MOVED_MEANWHILE (count again), QUANTITY_WRONG, TASK_DONE.
    """
    wrong = next((one for one in found if not 0 <= one.quantity <= QUANTITY_MAX), None)
    if wrong is not None:
        raise Refused(Reason.QUANTITY_WRONG, quantity=wrong.quantity)
    count = _locked(call, count_id, OPEN)
    stock = _slot_at_rest(call, count)
    lines = _lines(call, count, stock, found)
    more = sum(max(0, line.counted - line.expected) for line in lines)
    fewer = sum(max(0, line.expected - line.counted) for line in lines)
    count.counted_at, count.counted_by = call.now, call.actor
    promised = {row.id: row.promised for row in stock}
    waits = max(more, fewer) >= APPROVAL_PIECES or any(
        line.counted < min(line.expected, promised.get(line.stock_id or 0, 0)) for line in lines
    )
    count.state = "approval" if waits else "counted"
    call.session.flush()
    slot = site.slot_by_id(call.session, call.warehouse_id, count.slot_id)
    if waits:
        announce(call, "count.waits", f"count:{count.id}", count=count.id, slot=slot.code, more=more, fewer=fewer)
    else:
        _book(call, count, lines)
    work.done_about(call, COUNT_TASK, f"slot:{count.slot_id}")
    call.wakes.add("live")
    return CountResult(count.id, slot.code, more, fewer, waits)


def _locked(call: Call, count_id: int, states: Collection[str]) -> Count:
    count = call.session.scalars(
        select(Count).where(Count.id == count_id, Count.warehouse_id == call.warehouse_id).with_for_update(),
        execution_options={"populate_existing": True},
    ).one_or_none()
    if count is None or count.state not in states:
        raise Refused(Reason.TASK_DONE)
    return count


def drop_counts(call: Call, place_ids: Collection[int]) -> int:
    """These slots are no more: what was to be counted there is not wanted; how many counts."""
    dropped = call.session.execute(
        update(Count)
        .where(
            Count.warehouse_id == call.warehouse_id,
            Count.slot_id.in_(sorted(place_ids)),
            Count.state.in_((*OPEN, *WAITING)),
        )
        .values(state="cancelled", closed_at=call.now)
        .returning(Count.id)
    ).all()
    for place_id in sorted(place_ids):
        work.cancel_about(call, COUNT_TASK, f"slot:{place_id}")
    return len(dropped)


def _slot_at_rest(call: Call, count: Count) -> Sequence[Stock]:
    """The slot's stock rows, kept from others until the commit. Raises COUNT_MOVED_MEANWHILE.

    Rows first, then the mark: whoever moved goods before has committed by then, and nobody moves any after.
    """
    slot = site_service.lock_slot(call, count.slot_id)
    rows = call.session.scalars(
        select(Stock).where(Stock.place_id == count.slot_id, Stock.on_hand > 0).order_by(Stock.id).with_for_update(),
        execution_options={"populate_existing": True},
    ).all()
    if _mark(call.session, count.slot_id) != count.ledger_mark:
        raise Refused(Reason.COUNT_MOVED_MEANWHILE, slot=slot.code)
    return rows


def _lines(call: Call, count: Count, rows: Sequence[Stock], found: Sequence[Counted]) -> list[CountLine]:
    """One line per owner, SKU, lot and condition. A slot never mixes books, so a line has one stock row."""
    book = {(row.merchant_id, row.sku_id, row.lot_id, row.condition): row for row in rows}
    assert len(book) == len(rows), "books are kept apart"
    seen: dict[tuple[int, int, int, str], int] = dict.fromkeys(book, 0)
    for one in found:
        key = (one.merchant_id, one.sku_id, one.lot_id, one.condition)
        seen[key] = seen.get(key, 0) + one.quantity
    lines = [
        CountLine(
            warehouse_id=call.warehouse_id,
            merchant_id=key[0],
            count_id=count.id,
            stock_id=book[key].id if key in book else None,
            sku_id=key[1],
            lot_id=key[2],
            condition=key[3],
            expected=book[key].on_hand if key in book else 0,
            counted=quantity,
        )
        for key, quantity in seen.items()
    ]
    call.session.add_all(lines)
    call.session.flush()
    return lines


def _book(call: Call, count: Count, lines: Sequence[CountLine]) -> None:
    """Differences against shrinkage. Promised pieces that are not there: STOCK_PROMISED, a person frees the orders
    first.
    """
    shrinkage = ledger.virtual_id(call.session, call.warehouse_id, Virtual.SHRINKAGE)
    known = [line.stock_id for line in lines if line.stock_id is not None]
    rows = call.session.execute(select(Stock.id, Stock.book).where(Stock.id.in_(known)))
    books = {row.id: row.book for row in rows}
    movements = [
        _difference(count, line, shrinkage, books.get(line.stock_id or 0, ""))
        for line in lines
        if line.counted != line.expected
    ]
    if movements:
        ledger.post(call, movements)
        note(call, "count.booked", count=count.id, movements=len(movements))
    count.state, count.closed_at = "closed", call.now
    call.session.flush()
    site_service.set_under_count(call, count.slot_id, False)


def _difference(count: Count, line: CountLine, shrinkage: int, book: str) -> Movement:
    change = line.counted - line.expected
    ends = (shrinkage, count.slot_id) if change > 0 else (count.slot_id, shrinkage)
    return Movement(
        MovementKind.COUNT,
        line.merchant_id,
        *ends,
        line.sku_id,
        line.lot_id,
        abs(change),
        Condition(line.condition),
        book,
        reference=f"count:{count.id}",
    )


def approve(call: Call, count_id: int) -> None:
    """A second person agrees; the differences are booked.

    Raises COUNT_NEEDS_SECOND_PERSON for the one who counted, COUNT_MOVED_MEANWHILE, STOCK_PROMISED, TASK_DONE.
    """
    count = _locked(call, count_id, WAITING)
    if count.counted_by == call.actor:
        raise Refused(Reason.COUNT_NEEDS_SECOND_PERSON)
    _slot_at_rest(call, count)
    count.approved_by = call.actor
    lines = call.session.scalars(select(CountLine).where(CountLine.count_id == count.id).order_by(CountLine.id)).all()
    _book(call, count, lines)


def give_up(call: Call, count_id: int) -> None:
    """Not counted after all, or not believed: the slot is free to be used again."""
    count = _locked(call, count_id, (*OPEN, *WAITING))
    count.state, count.closed_at = "cancelled", call.now
    call.session.flush()
    site_service.set_under_count(call, count.slot_id, False)


def lot_without_marks(call: Call, sku: SkuFacts) -> int:
    """The lot of goods that need none. Raises LOT_REQUIRED, LOT_DATES_REQUIRED."""
    return catalog.ensure_lot(call, sku)
