"""How a promise is checked: a number, a sentence, and a question to the rows that yields every break.

Rooms offer their promises in `promises.py`; `wms audit` asks them all. Nothing is ever repaired by a check.

A full question reads every row there is. A running house asks every minute too, and then of what changed only: a
promise that new movements can break has a second question, about the movements after a mark.
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
    """`number` as in docs/reference/promises.md; `check` yields what breaks it, asking every row.

    `check_since` asks only of what movements after the one of this number touched; None: the promise waits for a full
    audit. It must find whatever `check` finds there.
    """

    number: int
    name: str
    sentence: str
    check: Callable[[Session], Iterator[Broken]]
    check_since: Callable[[Session, int], Iterator[Broken]] | None = None


def of_every_row(check: Callable[[Session], Iterator[Broken]]) -> Callable[[Session, int], Iterator[Broken]]:
    """For what is so quickly asked of every row that nobody need know which of them changed."""
    return lambda session, _mark: check(session)
