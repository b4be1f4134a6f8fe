"""A park that has been at work for years: what was done today is copied into the past, day by day.

Only what is over is made: orders that were shipped, walks that were walked, parcels that were handed over, labels that
were printed. Nobody may have to look at any of it to know what is to be done now.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Table, insert, select
from sqlalchemy.orm import Session

from tests.builders import Park
from wms.migrations.metadata import every_table

DAY = timedelta(days=1)
STEPS_A_TICK = 10
NUMBERS = 10_000_000  # ids of a day in the past are so much higher than those of the day after it

# What became of a row. Ids and what refers to them are shifted, moments go back, codes get the day behind them.
OVER: Mapping[str, Mapping[str, Any]] = {
    "wave": {"state": "done"},
    "sales_order": {"state": "shipped", "intercepted_at": None},
    "order_line": {},
    "hold": {"quantity": 0},
    "task": {"state": "done"},
    "batch": {"state": "done", "cart_id": None},
    "batch_order": {"tote_id": None},
    "pick_line": {"state": "done"},
    "parcel": {"state": "handed_over", "bag_id": None, "manifest_id": None},
    "parcel_item": {},
    "print_job": {"state": "verified"},
}
CODES = {"no", "subject", "code", "waybill", "job_key"}
REFERENCES = {"wave_id", "order_id", "order_line_id", "hold_id", "task_id", "batch_id", "parcel_id", "reference_id"}
DONE_AT = {"packed_at", "shipped_at", "closed_at", "done_at", "released_at"}


def let_years_pass(park: Park, days: int) -> None:
    """The park's day as it is, over and done with, on each of so many days before it."""
    tables = every_table().tables
    for name, became in OVER.items():
        park.database.transact(lambda session, t=tables[name], b=became: _copy(session, t, b, days, park.clock.now()))  # type: ignore[misc]


def _copy(session: Session, table: Table, became: Mapping[str, Any], days: int, now: datetime) -> None:
    today = session.execute(select(table)).mappings().all()
    if today:
        session.execute(insert(table), [_then(row, became, day, now) for day in range(1, days + 1) for row in today])


def _then(row: Mapping[Any, Any], became: Mapping[str, Any], day: int, now: datetime) -> dict[str, Any]:
    return {name: became[name] if name in became else _value(row, name, day, now) for name in row}


def _value(row: Mapping[Any, Any], name: str, day: int, now: datetime) -> Any:
    value = row[name]
    if name in DONE_AT and value is None:
        value = now
    if isinstance(value, datetime):
        return value - day * DAY
    if value is not None and (name == "id" or name in REFERENCES):
        return value + day * NUMBERS
    if value is not None and name in CODES:
        return f"{value}-{day}"
    return value


def steps(park: Park, ask: Callable[[Session], object]) -> int:
    """How many steps SQLite's machine takes to answer; asked once before, for what is learnt only once."""
    ticks = 0

    def count() -> int:
        nonlocal ticks
        ticks += 1
        return 0

    def counted(session: Session) -> None:
        ask(session)
        connection: Any = session.connection().connection.driver_connection
        connection.set_progress_handler(count, STEPS_A_TICK)
        try:
            ask(session)
        finally:
            connection.set_progress_handler(None, 0)

    park.database.read(counted)
    return ticks * STEPS_A_TICK
