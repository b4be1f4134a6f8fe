"""Walks people through the declared dialogues: one state row a person, one command a scan.

A scan is one command under the device's own id. Its stored answer is small (the message); the screen is always drawn
from the rows as they are now, so a repeated scan gets the same message on the true screen. A refusal rolls the step
back and shows its reason on the same screen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.orm import Session

from wms.core import codes
from wms.core.call import Call, Who
from wms.core.clock import Clock
from wms.core.db import Database
from wms.core.db.tables import table_of
from wms.core.dialogue import AHEAD_MAX, Dialogue, Level, Message, Move, Scan, Screen, Step, Turn
from wms.core.i18n import text
from wms.core.perform import Outcome, fingerprint, perform, system_call, to_json
from wms.core.refusal import Reason, Refused
from wms.core.sql import dialect_of, insert_for, insert_of
from wms.handheld import menu
from wms.handheld.registry import DIALOGUES, by_task_kind
from wms.handheld.remembered import believed, commanded, moved_from_believed, remembered
from wms.handheld.standing import AT_MENU, MENU, WHERE_LEFT_KEPT, Left, Standing, as_left, standing
from wms.people.tables import Person
from wms.work.tables import DialogueState

STANDS = frozenset({Level.WRONG, Level.ATTENTION, Level.INTERCEPTED})
STOPS_THE_HAND = frozenset({Reason.ORDER_INTERCEPTED})

_state = table_of(DialogueState)
_people = table_of(Person)
_person_of = select(_people.c.id, _people.c.name, _people.c.language, _people.c.volume, _people.c.speech).where(
    _people.c.id == bindparam("p")
)


@dataclass(frozen=True, slots=True)
class MadeOn:
    """Where the person stood, as his device knew it, when a kept scan's turn came."""

    task_id: int | None
    version: int

    def fits(self, at: Standing) -> bool:
        """The work has not moved since; a screen that was only drawn anew is no other work."""
        return self.task_id == at.task_id and at.moved_version <= self.version <= at.version


Also = Callable[[Call], object]
Hears = Callable[[Step], Callable[[Turn, int], Move] | None]


def _nothing(call: Call) -> None:
    """Nothing else is booked with a scan of a PDA."""


def scan(
    db: Database,
    clock: Clock,
    who: Who,
    scan_id: str,
    code: str,
    aim: str | None = None,
    made_on: MadeOn | None = None,
    also: Also = _nothing,
    left: Left | None = None,
) -> Outcome:
    """One scan. The outcome's content is {"message": ...} or the error envelope of the refusal.

    `made_on` is given for a scan that was kept on the device: it applies there or is refused (CHANGED_MEANWHILE), so
    that what was counted without network never lands in work that went on elsewhere. `also` is booked with it, if it
    is booked.
    """

    def work(call: Call) -> dict[str, Any]:
        also(call)
        return _scanned(call, scan_id, code, aim, made_on)

    return commanded(db, clock, who, scan_id, to_json(["scan", code, aim]), work, left or Left())


def act(
    db: Database,
    clock: Clock,
    who: Who,
    action_id: str,
    action: str,
    value: str = "",
    made_on: MadeOn | None = None,
    left: Left | None = None,
) -> Outcome:
    """One key, choice or typed value. `made_on` as for a scan."""
    content = to_json(["action", action, value])
    return commanded(
        db, clock, who, action_id, content, lambda call: _acted(call, action, value, made_on), left or Left()
    )


def weigh(db: Database, clock: Clock, who: Who, event_id: str, weight_g: int, also: Also = _nothing) -> Outcome | None:
    """A stable weight from the person's station; None when the step at hand does not care. `also` as for a scan."""
    return _told(db, clock, who, event_id, ("weight", weight_g), lambda step: step.on_weight, also)


def press_button(
    db: Database, clock: Clock, who: Who, event_id: str, place: int, also: Also = _nothing
) -> Outcome | None:
    """The button of a place at the station's put wall; None when the step at hand does not care. `also` as above."""
    return _told(db, clock, who, event_id, ("button", place), lambda step: step.on_button, also)


def _told(
    db: Database, clock: Clock, who: Who, event_id: str, what: tuple[str, int], heard: Hears, also: Also
) -> Outcome | None:
    """Something a machine of the person's station says in a number."""
    assert who.person_id is not None
    remembered(db).take(who.person_id)
    at = db.read(lambda session: standing(session, who.person_id or 0))
    if at.dialogue == MENU or heard(_step(at)) is None:
        return None

    def work(call: Call) -> dict[str, Any]:
        also(call)
        at = _kept(call)
        act = None if at.dialogue == MENU else heard(_step(at))
        if act is None:
            return {"message": None}
        return _keep(call, at, _entered(at, act(Turn(call, at.state), what[1])))

    return perform(db, clock, who, event_id, fingerprint(f"{what[0]} {what[1]}"), work)


def _scanned(call: Call, scan_id: str, code: str, aim: str | None, made_on: MadeOn | None) -> dict[str, Any]:
    at = _stands(call, made_on)
    read = codes.read(code, aim)
    if at.dialogue == MENU:
        return _keep(call, at, menu.opened_by(call, read))
    step = _step(at)
    if step.on_scan is None:
        raise Refused(Reason.STEP_WRONG)
    return _keep(call, at, _entered(at, step.on_scan(Turn(call, at.state), Scan(scan_id, read, code, aim))))


def _acted(call: Call, action: str, value: str, made_on: MadeOn | None) -> dict[str, Any]:
    at = _stands(call, made_on)
    if at.dialogue == MENU:
        return _keep(call, at, menu.chosen(call, action, value))
    step = _step(at)
    if action in step.actions:
        return _keep(call, at, _entered(at, step.actions[action](Turn(call, at.state), value)))
    if action == "leave":
        return _keep(call, at, menu.Entered(MENU, Move(None)))
    raise Refused(Reason.STEP_WRONG)


def _stands(call: Call, made_on: MadeOn | None) -> Standing:
    """Where the person stands now. Raises CHANGED_MEANWHILE for a kept scan whose work moved on without it."""
    at = _kept(call)
    if made_on is not None and not made_on.fits(at):
        raise Refused(Reason.CHANGED_MEANWHILE)
    return at


def _kept(call: Call) -> Standing:
    """Where the person stands, kept from his other scans until the commit: fast ones come by several connections."""
    if (at := believed(call)) is not None:
        return at
    mine = {"p": _person(call)}
    row = call.session.execute(WHERE_LEFT_KEPT, mine).one_or_none()
    if row is None:
        call.session.execute(insert_for(call.session, _state).on_conflict_do_nothing(), _row(call, AT_MENU))
        row = call.session.execute(WHERE_LEFT_KEPT, mine).one_or_none()
    return as_left(row)


def _entered(at: Standing, move: Move) -> menu.Entered:
    task_id = move.task_id if move.task_id is not None else at.task_id
    return menu.Entered(at.dialogue, replace(move, task_id=task_id))


def _keep(call: Call, at: Standing, entered: menu.Entered) -> dict[str, Any]:
    """Remember where the dialogue went; an ended one leads to the menu."""
    move = entered.move
    message = move.message.to_json() if move.message else None
    version = at.version + 1
    now = Standing(MENU, MENU, {}, None, version, message, version)
    if move.step is not None:
        now = Standing(entered.dialogue, move.step, move.state, move.task_id, version, message, version)
    _write_standing(call, now)
    call.session.info["standing", _person(call)] = now
    call.wakes.update({"live", f"person:{_person(call)}"})
    return {"message": message}


def _write_standing(call: Call, now: Standing) -> None:
    row = _row(call, now)
    if not moved_from_believed(call, row):
        call.session.execute(_keep_standing(dialect_of(call.session)), row)


@cache
def _keep_standing(dialect: str) -> Any:
    fresh = insert_of(dialect, _state)
    changed = {column.name: fresh.excluded[column.name] for column in _state.columns if column.name != "person_id"}
    return fresh.on_conflict_do_update(index_elements=["person_id"], set_=changed)


def _row(call: Call, now: Standing) -> dict[str, Any]:
    return {
        "person_id": _person(call),
        "warehouse_id": call.warehouse_id,
        "dialogue": now.dialogue,
        "step": now.step,
        "state": dict(now.state),
        "task_id": now.task_id,
        "version": now.version,
        "moved_version": now.moved_version,
        "message": dict(now.message or {}),
        "changed_at": call.now,
    }


def tell(db: Database, clock: Clock, who: Who, outcome: Outcome) -> None:
    """Show a refusal on the person's own screen: a station's scanner has none to show it on."""
    if outcome.status < 400 or outcome.replayed:
        return
    message = refusal_message(outcome.content["error"]).to_json()

    def keep(call: Call) -> None:
        at = _kept(call)
        row = {"message": message, "version": at.version + 1, "changed_at": call.now}
        call.session.execute(update(_state).where(_state.c.person_id == _person(call)).values(row))
        call.wakes.update({"live", f"person:{_person(call)}"})

    system_call(db, clock, who.warehouse_id, keep, request_id="tell", who=who)


def labels_moved(call: Call, person_id: int) -> None:
    """A label of this person's station came out, or did not: a screen that tells of it is drawn again, without a sound.

    A message that stands until the next scan stays.
    """
    row = call.session.execute(WHERE_LEFT_KEPT, {"p": person_id}).one_or_none()
    at = as_left(row)
    said = Level((at.message or {}).get("level", Level.OK))
    if at.dialogue == MENU or not _step(at).shows_labels or said in STANDS:
        return
    fresh = {"version": at.version + 1, "message": {}, "changed_at": call.now}
    call.session.execute(update(_state).where(_state.c.person_id == person_id).values(fresh))
    call.wakes.update({"live", f"person:{person_id}"})


def forget(session: Session, person_id: int) -> None:
    """Back to the menu, whatever was begun: for a supervisor who takes the work away."""
    session.info.pop(("standing", person_id), None)
    session.execute(delete(_state).where(_state.c.person_id == person_id))


def envelope(
    db: Database, clock: Clock, who: Who, outcome: Outcome | None = None, left: Left | None = None
) -> dict[str, Any]:
    """The PDA's screen as the rows are now, with the message of `outcome` (or the last one kept)."""

    def draw(session: Session) -> dict[str, Any]:
        if left is not None:
            left.hand_on(session, outcome)
        return _envelope(Call.begun(session, who, "view", clock.now()), outcome)

    return db.read(draw)


def _envelope(call: Call, outcome: Outcome | None) -> dict[str, Any]:
    person = call.session.execute(_person_of, {"p": _person(call)}).one()
    at = standing(call.session, person.id)
    try:
        screen, title = _screen(call, at)
    except Refused as no:  # what the step shows is gone (cancelled, handed over): the menu is always lawful
        at, outcome = AT_MENU, Outcome(no.reason.status, to_json({"error": _error(call, no)}))
        screen, title = _screen(call, at)
    shown = {"dialogue": at.dialogue, "step": screen.step or at.step, "token": at.token, "title": title}
    drawn = {**screen.to_json(), **shown}
    return {
        "screen": drawn,
        "work": {"task": at.task_id, "version": at.version, "moved": at.moved_version},
        "message": at.message if outcome is None else _message(call, outcome),
        "path": _has_path(at),
        "ahead": None if _has_path(at) else [],
        "person": {"name": person.name, "language": person.language, "volume": person.volume, "speech": person.speech},
        "server_ms": int(call.now.timestamp() * 1000),
    }


def ahead(db: Database, clock: Clock, who: Who) -> dict[str, Any]:
    """The happy path from here, for a PDA that may lose its network: asked for when the hand rests."""
    return db.read(lambda session: _path(Call.begun(session, who, "view", clock.now())))


def _path(call: Call) -> dict[str, Any]:
    at = standing(call.session, _person(call))
    if not _has_path(at):
        return {"token": at.token, "ahead": []}
    return {"token": at.token, "ahead": _ahead(call, at, text(DIALOGUES[at.dialogue].title, call.language))}


def _has_path(at: Standing) -> bool:
    dialogue = DIALOGUES.get(at.dialogue)
    return dialogue is not None and dialogue.ahead is not None


def _screen(call: Call, at: Standing) -> tuple[Screen, str]:
    if at.dialogue == MENU:
        return menu.screen(call), text("pda.menu.title", call.language)
    dialogue = DIALOGUES[at.dialogue]
    return dialogue.steps[at.step].screen(Turn(call, at.state)), text(dialogue.title, call.language)


def _ahead(call: Call, at: Standing, title: str) -> list[dict[str, Any]]:
    dialogue = DIALOGUES.get(at.dialogue)
    if dialogue is None or dialogue.ahead is None:
        return []
    return [
        {
            "accepts": list(one.accepts),
            "wrong": {"text": one.wrong, "expected": one.expected},
            "screen": {
                **one.screen.to_json(),
                "dialogue": at.dialogue,
                "step": one.step,
                "token": f"ahead.{number}",
                "title": title,
            },
            "message": one.message.to_json() if one.message else None,
        }
        for number, one in enumerate(dialogue.ahead(Turn(call, at.state), at.step)[:AHEAD_MAX])
    ]


def _message(call: Call, outcome: Outcome) -> dict[str, Any] | None:
    content = outcome.content
    if outcome.status < 400:
        message: dict[str, Any] | None = content["message"]
        return message
    return refusal_message(content["error"]).to_json()


def refusal_message(error: Mapping[str, Any]) -> Message:
    """A refusal as the hand sees it: red, or violet when the order was stopped."""
    facts = error.get("facts", {})
    stopped = error["reason"] in {reason.value for reason in STOPS_THE_HAND}
    return Message(
        level=Level.INTERCEPTED if stopped else Level.WRONG,
        title=error["message"],
        code=error["reason"],
        expected=str(facts.get("expected", "")),
        scanned=str(facts.get("scanned", "")),
        speech=error["message"],
    )


def _error(call: Call, no: Refused) -> dict[str, Any]:
    message = text(f"reason.{no.reason.value}", call.language, **no.facts)
    return {"reason": no.reason.value, "message": message, "facts": dict(no.facts)}


def _step(at: Standing) -> Step:
    return DIALOGUES[at.dialogue].steps[at.step]


def _person(call: Call) -> int:
    assert call.person_id is not None, "a dialogue needs a person"
    return call.person_id


def dialogue_for(task_kind: str) -> Dialogue | None:
    """The dialogue that does tasks of this kind."""
    return by_task_kind().get(task_kind)


__all__ = [
    "Left",
    "MadeOn",
    "Standing",
    "act",
    "ahead",
    "dialogue_for",
    "envelope",
    "forget",
    "labels_moved",
    "refusal_message",
    "scan",
    "standing",
    "weigh",
]
