"""How a promise is checked: a number, a sentence, and a question to the rows that yields every break.

Rooms offer their promises in `promises.py`; `wms audit` asks them all. Nothing is ever repaired by a check.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True)
class Broken:
    """One break: which row, what is wrong with it. `stock_id` names a row to freeze."""

    subject: str
    facts: str
    warehouse_id: int = 0
    stock_id: int | None = None


@dataclass(frozen=True, slots=True)
class Promise:
    """`number` as in docs/reference/promises.md; `check` yields what breaks it."""

    number: int
    name: str
    sentence: str
    check: Callable[[Session], Iterator[Broken]]
