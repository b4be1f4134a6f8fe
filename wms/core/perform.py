"""Commands from outside: asked twice, done once, answered alike.

The answer is stored in the transaction of its effect, under who asked and his request id. A repeat runs the work again,
meets the stored row at its own insert and is rolled back, so that the common case pays one statement only. A refusal is
stored too (in a transaction of its own, after the rollback), so that asking again gets the same no. An error of ours
(5xx) is never stored.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import bindparam, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from wms.core.call import Call, Who
from wms.core.clock import Clock
from wms.core.db.engine import Database
from wms.core.db.tables import table_of
from wms.core.i18n import text
from wms.core.refusal import Reason, Refused
from wms.core.sql import dialect_of, insert_of
from wms.core.tables import RequestRow

REQUEST_ID_LENGTH_MAX = 128

Answer = dict[str, Any] | list[Any]
_requests = table_of(RequestRow)
_keep = insert(_requests)
_known = select(_requests.c.fingerprint, _requests.c.status, _requests.c.answer).where(
    _requests.c.actor == bindparam("by"), _requests.c.request_id == bindparam("id")
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """An answer as it was, or is now, given: HTTP status and JSON text. `replayed` when it stood there already."""

    status: int
    body: str
    replayed: bool = False

    @property
    def content(self) -> Any:
        return json.loads(self.body)


def perform(
    db: Database,
    clock: Clock,
    who: Who,
    request_id: str,
    content: str | bytes,
    work: Callable[[Call], Answer],
    *,
    status: int = 200,
) -> Outcome:
    """Do `work` once for `who` and `request_id`; `content` is what was asked, word for word.

    Refusals come back as an Outcome with the error envelope. The same id with other content is refused (422).
    """
    _check_request_id(request_id)
    mark = fingerprint(content)
    try:
        return _do(db, clock, who, request_id, mark, work, status)
    except Refused as no:
        if no.reason.status >= 500:
            raise
        return _stored(db, who, request_id, mark) or _store_refusal(db, clock, who, request_id, mark, no)
    except IntegrityError:
        earlier = _stored(db, who, request_id, mark)
        if earlier is None:
            raise
        return earlier


def stored(db: Database, who: Who, request_id: str, content: str | bytes) -> Outcome | None:
    """The answer this request was given already, if it was: for commands that are made of many transactions."""
    _check_request_id(request_id)
    return _stored(db, who, request_id, fingerprint(content))


def fingerprint(content: str | bytes) -> str:
    """SHA-256 of what was asked."""
    return hashlib.sha256(content.encode() if isinstance(content, str) else content).hexdigest()


def error_body(no: Refused, language: str) -> dict[str, Any]:
    """The one shape of every error."""
    message = text(f"reason.{no.reason.value}", language, **no.facts)
    return {"error": {"reason": no.reason.value, "message": message, "facts": no.facts}}


def to_json(content: Any) -> str:
    """Compact JSON; moments and dates as ISO text."""
    return _compact.encode(content)


def _plain(value: Any) -> str:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


_compact = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=_plain)


def _check_request_id(request_id: str) -> None:
    if not 1 <= len(request_id) <= REQUEST_ID_LENGTH_MAX or not request_id.isprintable():
        raise Refused(Reason.REQUEST_ID_MISSING)


def _do(
    db: Database, clock: Clock, who: Who, request_id: str, mark: str, work: Callable[[Call], Answer], status: int
) -> Outcome:
    wakes: set[str] = set()

    def once(session: Session) -> str:
        wakes.clear()
        call = Call.begun(session, who, request_id, clock.now(), wakes)
        body = to_json(work(call))
        session.flush()
        session.execute(_keep, _row(call, mark, status, body))
        return body

    body = db.transact(once)
    if wakes:
        db.wakes.wake(wakes)
    return Outcome(status, body)


def _row(call: Call, mark: str, status: int, body: str) -> dict[str, Any]:
    return {
        "actor": call.actor,
        "request_id": call.request_id,
        "warehouse_id": call.warehouse_id,
        "fingerprint": mark,
        "status": status,
        "answer": body,
        "answered_at": call.now,
    }


def _stored(db: Database, who: Who, request_id: str, mark: str) -> Outcome | None:
    values = {"by": who.actor, "id": request_id}
    row = db.read(lambda session: session.execute(_known, values).one_or_none())
    if row is None:
        return None
    if row.fingerprint != mark:
        no = Refused(Reason.REQUEST_ID_REUSED, request_id=request_id)
        return Outcome(no.reason.status, to_json(error_body(no, who.language)))
    return Outcome(row.status, row.answer, replayed=True)


def _store_refusal(db: Database, clock: Clock, who: Who, request_id: str, mark: str, no: Refused) -> Outcome:
    body = to_json(error_body(no, who.language))

    def write(session: Session) -> bool:
        call = Call.begun(session, who, request_id, clock.now())
        kept = session.execute(_keep_if_new(dialect_of(session)), _row(call, mark, no.reason.status, body))
        return kept.first() is not None

    fresh = Outcome(no.reason.status, body)
    return fresh if db.transact(write) else _stored(db, who, request_id, mark) or fresh


@cache
def _keep_if_new(dialect: str) -> Any:
    return insert_of(dialect, _requests).on_conflict_do_nothing().returning(_requests.c.request_id)


def system_call(
    db: Database,
    clock: Clock,
    warehouse_id: int,
    work: Callable[[Call], Any],
    *,
    request_id: str,
    actor: str = "system",
    who: Who | None = None,
) -> Any:
    """The house's own command (a job, a deliverer): no stored answer, but one transaction and the wakes after it."""
    wakes: set[str] = set()
    asker = who or Who(actor, warehouse_id)

    def once(session: Session) -> Any:
        wakes.clear()
        return work(Call.begun(session, asker, request_id, clock.now(), wakes))

    result = db.transact(once, alone=True)
    if wakes:
        db.wakes.wake(wakes)
    return result
