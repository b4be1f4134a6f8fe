"""Where people stood after their last commands, so that the next command need not ask for it.

Its last statement finds out whether the person still stood there; if not, nothing was done, and it is done again from
the row. On SQLite only, where one process writes: on PostgreSQL the row is read and locked first, for a lock taken last
would stand across the order of locks.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import bindparam, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from wms.core.call import Call, Who
from wms.core.clock import Clock
from wms.core.db import Database
from wms.core.db.tables import table_of
from wms.core.db.types import json_text
from wms.core.perform import Outcome, perform
from wms.core.sql import touched
from wms.handheld.standing import Left, Standing
from wms.work.tables import DialogueState

PEOPLE_MAX = 10_000
BELIEVED = "believed standing"
Work = Callable[[Call], dict[str, Any]]

_state = table_of(DialogueState)
_move_on = update(_state).where(
    _state.c.person_id == bindparam("p"),
    _state.c.version == bindparam("v"),
    _state.c.changed_at == bindparam("then", type_=_state.c.changed_at.type),
)


class MovedOn(Exception):
    """The person did not stand where he was believed to, or it went wrong there: the row knows better."""


@dataclass(frozen=True, slots=True)
class Belief:
    """Where a person stood, and since when."""

    at: Standing
    since: datetime


class Remembered:
    """What is believed of the people of one database."""

    def __init__(self) -> None:
        self._beliefs: dict[int, Belief] = {}

    def take(self, person_id: int | None) -> Belief | None:
        """What is believed of him, which is forgotten with that."""
        return self._beliefs.pop(person_id or 0, None)

    def keep(self, person_id: int | None, belief: Belief) -> None:
        """From now on; of too many people those who came first are forgotten."""
        while len(self._beliefs) >= PEOPLE_MAX:
            self._beliefs.pop(next(iter(self._beliefs), 0), None)
        self._beliefs[person_id or 0] = belief


_remembered: WeakKeyDictionary[Database, Remembered] = WeakKeyDictionary()


def remembered(db: Database) -> Remembered:
    """What is believed of the people of this open database."""
    return _remembered.setdefault(db, Remembered())


def commanded(db: Database, clock: Clock, who: Who, request_id: str, content: str, work: Work, left: Left) -> Outcome:
    """As `perform`: once where the person is believed to stand and, when that is of no use, by the row."""
    belief = remembered(db).take(who.person_id) if db.is_sqlite else None
    since: list[datetime] = []

    def noted(call: Call) -> dict[str, Any]:
        since[:] = [call.now]
        return left.noting(work)(call)

    outcome = None
    if belief is not None:
        with contextlib.suppress(MovedOn):
            outcome = perform(db, clock, who, request_id, content, _believing(belief, noted))
    if outcome is None:
        outcome = perform(db, clock, who, request_id, content, noted)
    now = left.standing(who.person_id)
    if db.is_sqlite and now is not None and outcome.status < 400 and not outcome.replayed:
        as_kept = replace(now, state=json.loads(json_text(now.state)))
        remembered(db).keep(who.person_id, Belief(as_kept, since[0]))
    return outcome


def _believing(belief: Belief, work: Work) -> Work:
    """A no that rests on a belief is told to nobody."""

    def believing(call: Call) -> dict[str, Any]:
        call.session.info[BELIEVED] = belief
        try:
            return work(call)
        except DBAPIError as error:
            if not isinstance(error, IntegrityError):
                raise
            raise MovedOn from error
        except Exception as error:
            raise MovedOn from error

    return believing


def believed(call: Call) -> Standing | None:
    """Where the person of this call is believed to stand; None when the row is to be read."""
    belief: Belief | None = call.session.info.get(BELIEVED)
    return None if belief is None else belief.at


def moved_from_believed(call: Call, row: Mapping[str, Any]) -> bool:
    """Write where he stands now; False when nothing is believed. Raises MovedOn when he stood elsewhere."""
    belief: Belief | None = call.session.info.get(BELIEVED)
    if belief is None:
        return False
    fresh = {name: value for name, value in row.items() if name != "person_id"}
    guard = {"p": row["person_id"], "v": belief.at.version, "then": belief.since}
    if touched(call.session, _move_on, {**fresh, **guard}) != 1:
        raise MovedOn
    return True
