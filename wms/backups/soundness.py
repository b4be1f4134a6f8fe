"""Is a copy fit for use? And making it so: an older schema is brought up, numbers others may know are not given again.

What happened after the backup is gone from the database but not from the world: labels were printed, gateways hold jobs
and events by their numbers, parcels left with waybills. So a restored database goes on counting a good way further.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import partial

from sqlalchemy import case, inspect, text, update
from sqlalchemy.orm import Session

from wms.auditing import broken_promises
from wms.core.audit_trail import note
from wms.core.call import Call
from wms.core.clock import WallClock
from wms.core.db import Database
from wms.core.db.numbers import leap
from wms.core.ids import new_id
from wms.core.perform import system_call
from wms.ledger.queries import last_booked_at
from wms.migrations import commands
from wms.shipping.tables import WaybillPool
from wms.site.queries import warehouses
from wms.trouble import Trouble, opening

WAYBILLS_SKIPPED = 1_000


@dataclass(frozen=True, slots=True)
class State:
    """What a restored database holds: when its last movement was booked (None: never), and where the one before is."""

    last_booked_at: datetime | None
    kept_as: str = ""


def refuse_empty(url: str, name: str) -> None:
    """There is nothing to back up. Raises Trouble, SCHEMA_NEWER."""
    with opening(url):
        if commands.known(url) is None:
            raise Trouble(f"the database {url} has the schema of nobody: run wms db upgrade --db {url}, then {name}")


def made_fit(url: str, source: str, waybills_skipped: int) -> State:
    """Check the copy at `url` in every way there is, and let its numbers leap. Raises Trouble, SCHEMA_NEWER."""
    with opening(source):
        stands_on = commands.known(url)
        if stands_on is None:
            raise Trouble(f"{source} is not a backup of this program: it has no schema")
        if stands_on != commands.newest():
            commands.upgrade(url)
        found = commands.check(url)
    if found:
        raise Trouble(f"{source} is not a backup of this program: {found[0]}")
    database = Database.open(url)
    try:
        _refuse_broken(database, source)
        return _moved_on(database, source, waybills_skipped)
    finally:
        database.dispose()


def _refuse_broken(database: Database, source: str) -> None:
    broken = [f"{promise.sentence}: {one.subject}" for promise, breaks in broken_promises(database) for one in breaks]
    if broken:
        raise Trouble(f"{source} breaks a promise, nothing was restored: {broken[0]}")


def _moved_on(database: Database, source: str, waybills_skipped: int) -> State:
    last = database.read(last_booked_at)
    database.transact(partial(_leap, waybills_skipped=waybills_skipped))
    for one in database.read(warehouses):
        work = partial(_note, source=source, last=last)
        system_call(database, WallClock(), one.id, work, request_id=new_id(), actor="restore")
    return State(last)


def _leap(session: Session, waybills_skipped: int) -> None:
    leap(session)
    further = WaybillPool.next + waybills_skipped
    beyond = WaybillPool.last + 1
    session.execute(
        update(WaybillPool)
        .where(WaybillPool.next <= WaybillPool.last)
        .values(next=case((further < beyond, further), else_=beyond))
    )


def _note(call: Call, source: str, last: datetime | None) -> None:
    note(call, "house.restored", source=source, last_booked_at=last)


def has_something_in_it(url: str) -> bool:
    """Whether a person would miss the database at `url`: it holds a warehouse, or tables of somebody else."""
    database = Database.open(url)
    try:
        return database.read(_has_rows)
    finally:
        database.dispose()


def _has_rows(session: Session) -> bool:
    tables = set(inspect(session.connection()).get_table_names())
    if "warehouse" not in tables:
        return bool(tables)
    return session.execute(text("SELECT 1 FROM warehouse LIMIT 1")).first() is not None
