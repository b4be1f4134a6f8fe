"""The house's own troubles: what did not go out, what does not add up, what waits for a second person."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import aliased

from wms.catalog.tables import Sku
from wms.core.start_checks import written_down
from wms.core.tables import OutboxRow
from wms.counting.tables import Count, CountLine
from wms.ledger.tables import BrokenPromise, MovementRow, Stock
from wms.shipping.tables import WaybillPool
from wms.site.tables import Place, Slot
from wms.terminal.queries.history.common import movements
from wms.terminal.queries.look import Look
from wms.terminal.queries.troubles import cures
from wms.terminal.values import HOLD, STOP, WARN, Deed, Trouble, Words

ROWS_MAX = 8


def set_aside(look: Look) -> Iterator[Trouble]:
    """Facts that could not be delivered after many tries, and how many of their aggregate wait behind each."""
    later = aliased(OutboxRow)
    behind = (
        select(func.count())
        .where(later.aggregate == OutboxRow.aggregate, later.id > OutboxRow.id, later.sent_at.is_(None))
        .correlate(OutboxRow)
        .scalar_subquery()
    )
    shown = (OutboxRow.id, OutboxRow.topic, OutboxRow.aggregate, OutboxRow.trouble, OutboxRow.written_at)
    rows = look.session.execute(
        select(*shown, behind.label("behind"))
        .where(OutboxRow.warehouse_id == look.warehouse_id, OutboxRow.sent_at.is_(None), _is_set_aside())
        .order_by(OutboxRow.id)
        .limit(ROWS_MAX)
    )
    for row in rows:
        what = Words("terminal.trouble.outbox", {"topic": row.topic, "aggregate": row.aggregate})
        facts = {"why": (row.trouble or "")[:80], "behind": row.behind}
        note = Words("terminal.trouble.outbox.behind" if row.behind else "terminal.trouble.outbox.note", facts)
        again = Deed("send_again", Words("terminal.deed.send_again"), {"row": row.id})
        give_up = Deed("dismiss", Words("terminal.deed.dismiss"), {"row": row.id})
        yield Trouble(f"outbox:{row.id}", "O-4101", WARN, what, note, again, row.written_at, instead=give_up)


def _is_set_aside() -> Any:
    return OutboxRow.set_aside_at.is_not(None)


def broken_promises(look: Look) -> Iterator[Trouble]:
    """What the audit found wrong and froze. Where it is goods in a slot, a count tells the truth."""
    rows = look.session.execute(
        select(
            BrokenPromise.id, BrokenPromise.promise, BrokenPromise.subject, BrokenPromise.facts, BrokenPromise.found_at
        )
        .where(BrokenPromise.warehouse_id == look.warehouse_id, BrokenPromise.closed_at.is_(None))
        .order_by(BrokenPromise.id)
        .limit(ROWS_MAX)
    )
    for row in rows:
        key = f"promise:{row.id}"
        frozen = _stock_of(look, row.subject)
        deed = cures.look_after(key)
        if frozen is not None and frozen.slot is not None:
            deed = Deed("count_slot", Words("terminal.deed.count_slot", {"slot": frozen.slot}), {"slot": frozen.slot})
        subject = row.subject if frozen is None else f"{frozen.place} · {frozen.name}"
        what = Words("terminal.trouble.promise", {"subject": subject})
        yield Trouble(key, "H-5101", STOP, what, _with_last_movement(look, row, frozen), deed, row.found_at)


def _stock_of(look: Look, subject: str) -> Any:
    """Where and what "stock 17" is; `slot` is None where it does not lie in a slot."""
    kind, _, number = subject.partition(" ")
    if kind != "stock" or not number.isdecimal():
        return None
    query = (
        select(Stock.place_id, Stock.lot_id, Place.code.label("place"), Slot.code.label("slot"), Sku.name)
        .join(Place, Place.id == Stock.place_id)
        .join(Sku, Sku.id == Stock.sku_id)
        .outerjoin(Slot, Slot.place_id == Stock.place_id)
    )
    return look.session.execute(
        query.where(Stock.id == int(number), Stock.warehouse_id == look.warehouse_id)
    ).one_or_none()


def _with_last_movement(look: Look, row: Any, frozen: Any) -> Words:
    """What does not add up, and what moved there last; all movements stand on the place's own page."""
    facts = {"promise": row.promise, "facts": row.facts}
    if frozen is not None:
        there = or_(MovementRow.source_id == frozen.place_id, MovementRow.target_id == frozen.place_id)
        for last in movements(look, and_(there, MovementRow.lot_id == frozen.lot_id))[:1]:
            more = {"last": last.what, "quantity": f"{last.quantity:,}", "actor": last.actor}
            return Words("terminal.trouble.promise.moved", {**facts, **more})
    return Words("terminal.trouble.promise.note", facts)


def counts_to_approve(look: Look) -> Iterator[Trouble]:
    """Large differences wait for a second person."""
    more = func.sum(CountLine.counted - CountLine.expected)
    rows = look.session.execute(
        select(Count.id, Slot.code, Count.counted_at, more.label("difference"))
        .join(CountLine, CountLine.count_id == Count.id)
        .join(Slot, Slot.place_id == Count.slot_id)
        .where(Count.warehouse_id == look.warehouse_id, Count.state == "approval")
        .group_by(Count.id, Slot.code, Count.counted_at)
        .order_by(Count.id)
        .limit(ROWS_MAX)
    )
    for row in rows:
        what = Words("terminal.trouble.count", {"slot": row.code, "difference": f"{row.difference:+,}"})
        deed = Deed("approve_count", Words("terminal.deed.approve_count"), {"count": row.id})
        note = Words("terminal.trouble.count.note")
        yield Trouble(f"count:{row.id}", "C-7101", HOLD, what, note, deed, row.counted_at)


def numbers_low(look: Look) -> Iterator[Trouble]:
    """Pools of waybill numbers that soon run dry."""
    left = WaybillPool.last - WaybillPool.next + 1
    rows = look.session.execute(
        select(WaybillPool.id, WaybillPool.courier, left.label("left"))
        .where(WaybillPool.warehouse_id == look.warehouse_id, left <= WaybillPool.low_mark)
        .order_by(left)
        .limit(ROWS_MAX)
    )
    for row in rows:
        key = f"numbers:{row.id}"
        what = Words("terminal.trouble.numbers", {"courier": look.courier(row.courier), "left": f"{row.left:,}"})
        note = Words("terminal.trouble.numbers.note")
        yield Trouble(key, "N-9101", STOP if row.left <= 0 else WARN, what, note, cures.look_after(key))


def weak_ground(look: Look) -> Iterator[Trouble]:
    """What the server said at its start, as long as it lasts."""
    for weakness in written_down(look.session):
        key = f"ground:{weakness.code}"
        what = Words(f"terminal.ground.{weakness.code}")
        yield Trouble(key, "H-5201", WARN, what, Words(weakness.key, weakness.facts), cures.look_after(key))
