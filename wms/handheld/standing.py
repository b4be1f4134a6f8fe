"""Where a person stands in a dialogue: read, and handed on from a command to the screen that is drawn after it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from wms.core.call import Call, Who
from wms.core.clock import Clock
from wms.core.db import Database
from wms.core.db.tables import table_of
from wms.core.dialogue import Turn
from wms.core.perform import Outcome
from wms.handheld.registry import DIALOGUES
from wms.work.tables import DialogueState

MENU = "menu"
DRAWN_FROM = frozenset({"standing", "walk"})

_state = table_of(DialogueState)
_where_left = select(_state).where(_state.c.person_id == bindparam("p"))
WHERE_LEFT_KEPT = _where_left.with_for_update()


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a person stands: dialogue, step, what it remembers, and the version his screen was drawn from.

    `moved_version` is the version at which the work itself last moved; later ones were only drawn anew.
    """

    dialogue: str
    step: str
    state: Mapping[str, Any]
    task_id: int | None
    version: int
    message: Mapping[str, Any] | None
    moved_version: int = 0

    @property
    def token(self) -> str:
        return f"{self.version}.{self.step}"


AT_MENU = Standing(MENU, MENU, {}, None, 0, None)


class Left:
    """What a command knew when it was done (where its person stands, the walk): its screen is drawn from that, as the
    rows stood at its commit, instead of reading all of it once more.
    """

    def __init__(self) -> None:
        self._known: dict[Any, Any] = {}

    def noting(self, work: Callable[[Call], dict[str, Any]]) -> Callable[[Call], dict[str, Any]]:
        """`work`, with what it knew kept here."""

        def noted(call: Call) -> dict[str, Any]:
            self._known = {}
            answer = work(call)
            self._known = {key: value for key, value in call.session.info.items() if key[0] in DRAWN_FROM}
            return answer

        return noted

    def standing(self, person_id: int | None) -> Standing | None:
        """Where its person stands after the command, if it came so far."""
        return self._known.get(("standing", person_id))

    def hand_on(self, session: Session, outcome: Outcome | None) -> None:
        """To the session that draws; nothing where the command was refused or done before."""
        if outcome is not None and outcome.status < 400 and not outcome.replayed:
            session.info.update(self._known)


def standing(session: Session, person_id: int) -> Standing:
    """Where this person was left."""
    known: Standing | None = session.info.get(("standing", person_id))
    return known or as_left(session.execute(_where_left, {"p": person_id}).one_or_none())


def as_left(row: Any) -> Standing:
    """A row of it; the menu where there is none, or one of a dialogue that is no more."""
    if row is None or (row.dialogue != MENU and row.dialogue not in DIALOGUES):
        return AT_MENU
    return Standing(row.dialogue, row.step, row.state, row.task_id, row.version, row.message or None, row.moved_version)


def light_of(db: Database, clock: Clock, who: Who) -> int | None:
    """Which place of the put wall is to be lit for where the person stands now."""

    def look(session: Session) -> int | None:
        at = standing(session, who.person_id or 0)
        light = None if at.dialogue == MENU else DIALOGUES[at.dialogue].steps[at.step].light
        return None if light is None else light(Turn(Call.begun(session, who, "view", clock.now()), at.state))

    return db.read(look)
