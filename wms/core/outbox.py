"""What must leave the house after a commit, and only then.

`announce` writes a row in the caller's transaction. `Deliverer` hands rows to the handlers of their topic: in order
within an aggregate, under a lease that another worker takes over when its owner dies, and with a row that keeps failing
set aside for a person. What is only a few statements of our own (`Brief`) is done in the very transaction that marks
its row as sent.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.orm import Session

from wms.core.call import Call, Who
from wms.core.clock import Clock, WallClock
from wms.core.db.engine import Database
from wms.core.db.tables import table_of
from wms.core.perform import system_call
from wms.core.refusal import Reason, Refused
from wms.core.tables import OutboxRow

WAKE = "outbox"
BATCH_MAX = 50
LEASE_S = 30
ATTEMPTS_MAX = 8
IDLE_S = 0.5
GATHER_S = 0.02  # who is woken waits a little for what else is announced: one transaction for several rows
BACKOFF_S_MAX = 300.0
WALL = WallClock()  # a lease lasts real seconds, however fast the business day runs

_rows = table_of(OutboxRow)
_write = insert(_rows)
_older = _rows.alias()
_now = bindparam("now", type_=_rows.c.lease_until.type)
_is_open = (_rows.c.sent_at.is_(None), _rows.c.set_aside_at.is_(None))
_any_open = select(_rows.c.id).where(*_is_open).limit(1)
# Open rows in order, each the oldest open one of its aggregate: what another worker holds keeps the next one waiting.
_claimable = (
    select(_rows.c.id, _rows.c.warehouse_id, _rows.c.topic, _rows.c.aggregate, _rows.c.facts)
    .where(
        *_is_open,
        _rows.c.lease_until.is_(None) | (_rows.c.lease_until <= _now),
        _rows.c.not_before.is_(None) | (_rows.c.not_before <= _now),
        ~select(_older.c.id)
        .where(_older.c.aggregate == _rows.c.aggregate, _older.c.id < _rows.c.id, _older.c.sent_at.is_(None))
        .exists(),
    )
    .order_by(_rows.c.id)
    .limit(BATCH_MAX)
    .with_for_update(skip_locked=True, of=_rows)
)
_these = update(_rows).where(_rows.c.id.in_(bindparam("ids", expanding=True)))
_lease = _these.values(lease_until=bindparam("until", type_=_rows.c.lease_until.type), attempts=_rows.c.attempts + 1)
_sent = _these.values(sent_at=_now, lease_until=None)
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


@dataclass(frozen=True, slots=True)
class Brief:
    """A handler that is a few statements of our own: several are done in one transaction, with the marks of their rows.

    `work` may lock no rows, for it comes after the outbox's. When it fails, each row is handed over by itself.
    """

    db: Database
    clock: Clock
    work: Callable[[Call, Announcement], object]

    def within(self, session: Session, told: Announcement, wakes: set[str]) -> None:
        """In a transaction under way."""
        who = Who("system", told.warehouse_id)
        self.work(Call.begun(session, who, _request_id(told), self.clock.now(), wakes), told)

    def __call__(self, told: Announcement) -> None:
        system_call(
            self.db, self.clock, told.warehouse_id, lambda call: self.work(call, told), request_id=_request_id(told)
        )


def _request_id(told: Announcement) -> str:
    return f"outbox:{told.id}"


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
            if not self._deliver_if_it_can() and self._db.wakes.wait(WAKE, seen, IDLE_S):
                self._stop.wait(GATHER_S)

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
        if not self._db.read(_anything_open):
            return 0
        done, rows = self._take()
        # A row whose lease ran out while those before it were slow is somebody else's by now.
        sent = [row.id for row in rows if time.monotonic() - began_s < LEASE_S and self._deliver(row)]
        if sent:
            self._db.transact(lambda session: _mark_sent(session, sent))
        return done + len(rows)

    def _take(self) -> tuple[int, list[Announcement]]:
        """How many rows are done, being brief, and those that are ours to hand over, under a lease."""
        wakes: set[str] = set()

        def take(session: Session) -> tuple[int, list[Announcement]]:
            wakes.clear()
            rows, done, others = _open_rows(session), list[int](), list[Announcement]()
            for row in rows:
                handler = self._handlers.get(row.topic)
                if isinstance(handler, Brief):
                    handler.within(session, row, wakes)
                if handler is None or isinstance(handler, Brief):
                    done.append(row.id)
                else:
                    others.append(row)
            _mark_sent(session, done)
            _mark_leased(session, others)
            return len(done), others

        try:
            found = self._db.transact(take)
        except Exception as error:  # noqa: BLE001 - which of them it was is seen when each goes by itself
            log.warning("outbox.apart", error=f"{type(error).__name__}: {error}")
            return 0, self._db.transact(self._claim)
        if wakes:
            self._db.wakes.wake(wakes)
        return found

    def _claim(self, session: Session) -> list[Announcement]:
        """All rows under a lease."""
        rows = _open_rows(session)
        _mark_leased(session, rows)
        return rows

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


def _open_rows(session: Session) -> list[Announcement]:
    rows = session.execute(_claimable, {"now": WALL.now()}).all()
    return [Announcement(row.id, row.warehouse_id, row.topic, row.aggregate, dict(row.facts)) for row in rows]


def _anything_open(session: Session) -> bool:
    return session.execute(_any_open).first() is not None


def _mark_leased(session: Session, rows: list[Announcement]) -> None:
    if rows:
        until = WALL.now() + timedelta(seconds=LEASE_S)
        session.execute(_lease, {"ids": [row.id for row in rows], "until": until})


def _mark_sent(session: Session, row_ids: list[int]) -> None:
    if row_ids:
        session.execute(_sent, {"ids": row_ids, "now": WALL.now()})


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
