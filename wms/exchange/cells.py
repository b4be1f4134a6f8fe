"""What stands in one cell of an imported row: text, whole numbers, days, moments; or what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

from wms.exchange.tables_in_files import Row

CODE_LENGTH_MAX = 64
NAME_LENGTH_MAX = 200
WHOLE_MAX = 2_000_000_000
SHOWN_MAX = 40
_WHOLE = re.compile(r"^[+-]?\d{1,18}(\.0*)?$")


class BadRows(Exception):
    """The rows that cannot be taken: (number, what is wrong)."""

    def __init__(self, rows: list[tuple[int, str]]) -> None:
        self.rows = rows
        super().__init__(f"{len(rows)} bad rows")


class BadCell(ValueError):
    """One cell that cannot be used; the message names its column."""


def need(row: Row, name: str, length_max: int = CODE_LENGTH_MAX) -> str:
    """A text that must be there."""
    value = text(row, name, length_max)
    if not value:
        raise BadCell(f"{name} is empty")
    return value


def text(row: Row, name: str, length_max: int = NAME_LENGTH_MAX) -> str:
    """A text, or ""."""
    value = row.cells.get(name, "")
    if len(value) > length_max:
        raise BadCell(f"{name} has {len(value)} characters, {length_max} at most")
    return value


def whole(row: Row, name: str, default: int | None = None, *, least: int = 0, most: int = WHOLE_MAX) -> int:
    """A whole number, also written 6.0."""
    value = row.cells.get(name, "")
    if not value:
        if default is None:
            raise BadCell(f"{name} is empty")
        return default
    if not _WHOLE.match(value):
        raise BadCell(f"{name}: {shown(value)} is not a whole number")
    number = int(value.partition(".")[0])
    if not least <= number <= most:
        raise BadCell(f"{name}: {number} is not between {least} and {most}")
    return number


def one_of(row: Row, name: str, known: Sequence[str]) -> str:
    """One of a few words, in small letters; "" for an empty cell."""
    value = row.cells.get(name, "").lower()
    if value and value not in known:
        raise BadCell(f"{name}: {shown(value)} is not one of {', '.join(known)}")
    return value


def maybe_whole(row: Row, name: str, *, least: int = 0) -> int | None:
    """A whole number, or None where the cell is empty."""
    return whole(row, name, least=least) if row.cells.get(name) else None


def day(row: Row, name: str) -> date | None:
    """A day, or None where the cell is empty; a time behind it is dropped."""
    value = row.cells.get(name, "")
    if not value:
        return None
    try:
        return datetime.fromisoformat(value.replace("/", "-")).date()
    except ValueError as error:
        raise BadCell(f"{name}: {shown(value)} is not a date like 2027-03-02") from error


def moment(row: Row, name: str, zone: ZoneInfo) -> datetime | None:
    """A moment, at the warehouse where no zone is written; None where the cell is empty."""
    value = row.cells.get(name, "")
    if not value:
        return None
    try:
        found = datetime.fromisoformat(value.replace("/", "-"))
    except ValueError as error:
        raise BadCell(f"{name}: {shown(value)} is not a time like 2026-11-07 14:32") from error
    return found if found.tzinfo else found.replace(tzinfo=zone)


def parts(row: Row, name: str) -> list[str]:
    """Several texts in one cell, with ; between them."""
    listed = text(row, name, 2_000).replace("；", ";").replace("，", ",").replace(",", ";")
    return [part.strip() for part in listed.split(";") if part.strip()]


def shown(value: str) -> str:
    """A foreign text as a message may carry it: quoted, short, without control characters."""
    return repr(value if len(value) <= SHOWN_MAX else value[:SHOWN_MAX] + "...")
