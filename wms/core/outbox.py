"""What must leave the house after a commit, and only then.

`announce` writes a row in the caller's transaction. `Deliverer` hands rows to the handlers of their topic: in order
within an aggregate, under a lease that another worker takes over when its owner dies, and with a row that keeps failing
set aside for a person.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session, aliased

from wms.core.call import Call
from wms.core.clock import WallClock
from wms.core.db.engine import Database
from wms.core.db.tables import table_of
from wms.core.refusal import Reason, Refused
from wms.core.tables import OutboxRow

WAKE = "outbox"
BATCH_MAX = 50
LEASE_S = 30
ATTEMPTS_MAX = 8
IDLE_S = 0.5
BACKOFF_S_MAX = 300.0
WALL = WallClock()  # a lease lasts real seconds, however fast the business day runs

_rows = table_of(OutboxRow)
_write = insert(_rows)
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Announcement:
    """An outbox row as a handler sees it."""

    id: int
    warehouse_id: int
    topic: str
    aggregate: str
    facts: dict[str, Any]


Handler = Callable[[Announcement], None]


def announce(call: Call, topic: str, aggregate: str, **facts: object) -> None:
    """Write a fact to be delivered after the commit. `aggregate` ("order:17") is what keeps its order."""
    row = {
        "warehouse_id": call.warehouse_id,
        "topic": topic,
        "aggregate": aggregate,
        "facts": facts,
        "written_at": call.now,
        "attempts": 0,
    }
    call.session.execute(_write, row)
    call.wakes.add(WAKE)


def send_again(call: Call, row_id: int) -> None:
    """Give a fact that was set aside to the deliverer once more, with all its tries. Raises NOT_FOUND."""
    row = _lying_aside(call, row_id)
    row.set_aside_at = row.not_before = row.lease_until = None
    row.attempts = 0
    call.session.flush()
    call.wakes.add(WAKE)


def dismiss(call: Call, row_id: int) -> OutboxRow:
    """Give up a fact that was set aside; its row, with why it failed. Those behind it go on. Raises NOT_FOUND."""
    row = _lying_aside(call, row_id)
    row.sent_at, row.lease_until = WALL.now(), None
    call.session.flush()
    call.wakes.add(WAKE)
    return row


def _lying_aside(call: Call, row_id: int) -> OutboxRow:
    row = call.session.get(OutboxRow, row_id, with_for_update=True)
    known = row is not None and row.warehouse_id == call.warehouse_id
    if row is None or not known or row.sent_at is not None or row.set_aside_at is None:
        raise Refused(Reason.NOT_FOUND, what=f"message {row_id}")
    return row


class Deliverer:
    """A worker thread that empties the outbox. Any number may run, in any number of processes."""

    def __init__(self, db: Database, handlers: Mapping[str, Handler]) -> None:
        self._db = db
        self._handlers = handlers
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="outbox", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Stop after the row in hand."""
        self._stop.set()
        self._db.wakes.wake([WAKE])
        self._thread.join(LEASE_S)

    def _run(self) -> None:
        while not self._stop.is_set():
            seen = self._db.wakes.seen(WAKE)
            if not self._deliver_if_it_can():
                self._db.wakes.wait(WAKE, seen, IDLE_S)

    def _deliver_if_it_can(self) -> int:
        """A database that is away for a while must not end this thread: what was announced waits in its rows."""
        try:
            return self.deliver_some()
        except Exception as error:  # noqa: BLE001 - whatever it was, the next turn finds the same rows
            log.warning("outbox.stalled", error=f"{type(error).__name__}: {error}")
            return 0

    def deliver_some(self) -> int:
        """Deliver at most one batch; the number of rows handled."""
        began_s = time.monotonic()
        rows = self._db.transact(self._claim) if self._db.read(_anything_open) else []
        # A row whose lease ran out while those before it were slow is somebody else's by now.
        sent = [row.id for row in rows if time.monotonic() - began_s < LEASE_S and self._deliver(row)]
        if sent:
            self._db.transact(lambda session: _sent(session, sent))
        return len(rows)

    def _claim(self, session: Session) -> list[Announcement]:
        now = WALL.now()
        rows = session.scalars(_claimable(now).limit(BATCH_MAX).with_for_update(skip_locked=True)).all()
        for row in rows:
            row.lease_until = now + timedelta(seconds=LEASE_S)
            row.attempts += 1
        return [Announcement(row.id, row.warehouse_id, row.topic, row.aggregate, dict(row.facts)) for row in rows]

    def _deliver(self, row: Announcement) -> bool:
        """Hand one row to its handler. One that is delivered and not yet marked when we die is delivered again."""
        handler = self._handlers.get(row.topic)
        try:
            if handler is not None:
                handler(row)
        except Exception as error:  # noqa: BLE001 - whatever a handler meets, the row stays and a person sees why
            log.warning("outbox.failed", topic=row.topic, aggregate=row.aggregate, error=str(error))
            trouble = f"{type(error).__name__}: {error}"
            self._db.transact(lambda session: _failed(session, row.id, trouble))
            return False
        return True


def _claimable(now: datetime) -> Any:
    """Open rows in order, each the oldest open one of its aggregate: what another worker holds keeps the next one
    waiting.
    """
    older = aliased(OutboxRow)
    blocked = (
        select(older.id)
        .where(older.aggregate == OutboxRow.aggregate, older.id < OutboxRow.id, older.sent_at.is_(None))
        .exists()
    )
    return (
        select(OutboxRow)
        .where(
            OutboxRow.sent_at.is_(None),
            OutboxRow.set_aside_at.is_(None),
            (OutboxRow.lease_until.is_(None)) | (OutboxRow.lease_until <= now),
            (OutboxRow.not_before.is_(None)) | (OutboxRow.not_before <= now),
            ~blocked,
        )
        .order_by(OutboxRow.id)
    )


def _anything_open(session: Session) -> bool:
    open_rows = select(OutboxRow.id).where(OutboxRow.sent_at.is_(None), OutboxRow.set_aside_at.is_(None)).limit(1)
    return session.execute(open_rows).first() is not None


def _sent(session: Session, row_ids: list[int]) -> None:
    sent = update(OutboxRow).where(OutboxRow.id.in_(row_ids))
    session.execute(sent.values(sent_at=WALL.now(), lease_until=None))


def _failed(session: Session, row_id: int, trouble: str) -> None:
    row = session.get_one(OutboxRow, row_id, with_for_update=True)
    if row.sent_at is not None:
        return  # another worker took the lease over and was luckier
    now = WALL.now()
    row.trouble = trouble[:500]
    row.lease_until = None
    row.not_before = now + timedelta(seconds=min(BACKOFF_S_MAX, 2.0**row.attempts))
    if row.attempts >= ATTEMPTS_MAX:
        row.set_aside_at = now
