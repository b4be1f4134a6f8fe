"""The trail of what people did beside the goods: log-ins, releases, adjustments, reprints, keys, settings.

Entries of one warehouse and day form a chain: each hash covers the one before, so a changed or missing entry shows.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from wms.core.call import Call
from wms.core.perform import to_json
from wms.core.sql import is_postgresql
from wms.core.tables import AuditRow

FIRST_HASH = "0" * 64
CHAIN_LOCK = 7_411  # any number no other advisory lock of this house has


@dataclass(frozen=True, slots=True)
class Head:
    """The end of the chain of one warehouse and day, as far as it had come."""

    warehouse_id: int
    day: date
    number: int
    hash: str


def note(call: Call, what: str, **facts: object) -> None:
    """Add one entry in the caller's transaction. Note last: from here to the commit others' notes wait."""
    _lock_chain(call)
    day = call.now.date()
    last = call.session.scalars(
        select(AuditRow)
        .where(AuditRow.warehouse_id == call.warehouse_id, AuditRow.day == day)
        .order_by(AuditRow.number.desc())
        .limit(1)
    ).one_or_none()
    number, previous = (last.number + 1, last.hash) if last else (1, FIRST_HASH)
    row = AuditRow(
        warehouse_id=call.warehouse_id,
        day=day,
        number=number,
        at=call.now,
        actor=call.actor,
        what=what,
        facts=facts,
        previous_hash=previous,
    )
    row.hash = link_hash(row)
    call.session.add(row)
    call.session.flush()


def _lock_chain(call: Call) -> None:
    """One writer at a time per warehouse, or two would follow from the same entry. SQLite has one writer anyway."""
    if is_postgresql(call.session):
        call.session.execute(select(func.pg_advisory_xact_lock(CHAIN_LOCK, call.warehouse_id)))


def link_hash(row: AuditRow) -> str:
    """SHA-256 over the entry's content and the hash before it."""
    content = [
        row.warehouse_id,
        row.day.isoformat(),
        row.number,
        row.at.isoformat(),
        row.actor,
        row.what,
        row.facts,
        row.previous_hash,
    ]
    return hashlib.sha256(_canonical(content).encode()).hexdigest()


def _canonical(content: Any) -> str:
    return json.dumps(json.loads(to_json(content)), ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def broken_links(session: Session, newest_days: int | None = None) -> Iterator[tuple[int, date, int]]:
    """Warehouse, day and number of each entry that does not follow from the one before; of the newest days, or all."""
    expected: dict[tuple[int, date], tuple[int, str]] = {}
    query = select(AuditRow).order_by(AuditRow.warehouse_id, AuditRow.day, AuditRow.number)
    if newest_days is not None:
        days = select(AuditRow.day).distinct().order_by(AuditRow.day.desc()).limit(newest_days)
        query = query.where(AuditRow.day.in_(session.scalars(days).all()))
    for row in session.scalars(query).yield_per(1000):
        chain = (row.warehouse_id, row.day)
        number, previous = expected.get(chain, (1, FIRST_HASH))
        if row.number != number or row.previous_hash != previous or row.hash != link_hash(row):
            yield row.warehouse_id, row.day, row.number
        expected[chain] = (row.number + 1, row.hash)


def heads(session: Session) -> Iterator[Head]:
    """The last entry of each chain. Kept outside of the database it shows also that a whole end was cut off, or a chain
    written anew.
    """
    last = select(AuditRow.warehouse_id, AuditRow.day, func.max(AuditRow.number).label("number"))
    ends = last.group_by(AuditRow.warehouse_id, AuditRow.day).subquery()
    query = select(AuditRow.warehouse_id, AuditRow.day, AuditRow.number, AuditRow.hash).join(
        ends,
        (ends.c.warehouse_id == AuditRow.warehouse_id)
        & (ends.c.day == AuditRow.day)
        & (ends.c.number == AuditRow.number),
    )
    for row in session.execute(query.order_by(AuditRow.warehouse_id, AuditRow.day)):
        yield Head(row.warehouse_id, row.day, row.number, row.hash)


def still_there(session: Session, head: Head) -> bool:
    """Whether an exported head is an entry of the trail as it stands."""
    here = (AuditRow.warehouse_id == head.warehouse_id, AuditRow.day == head.day, AuditRow.number == head.number)
    return session.scalars(select(AuditRow.hash).where(*here)).one_or_none() == head.hash
