"""The first screen: get work, choose a dialogue, or scan anything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from wms.core.call import Call
from wms.core.codes import Kind, Read
from wms.core.dialogue import Choice, ChooseCard, Dialogue, Key, Move, Screen
from wms.core.i18n import text
from wms.core.refusal import Reason, Refused
from wms.handheld.registry import DIALOGUES, LOOK_UP, by_task_kind
from wms.work import service as work

GET_WORK = "get_work"


@dataclass(frozen=True, slots=True)
class Entered:
    """A dialogue and the move just made in it."""

    dialogue: str
    move: Move


def screen(call: Call) -> Screen:
    """Rows a thumb can hit: work first, then what this person may do."""
    rows = [Choice(GET_WORK, _say(call, "pda.menu.get_work"), _say(call, "pda.menu.get_work_note"))]
    rows += [
        Choice(d.name, _say(call, d.title), "") for d in DIALOGUES.values() if d.in_menu and d.right in call.rights
    ]
    return Screen(
        prompt=_say(call, "pda.menu.prompt"),
        cards=[ChooseCard(rows)],
        keys=[
            Key("F1", _say(call, "pda.menu.get_work"), GET_WORK),
            Key("F4", _say(call, "pda.menu.log_out"), "log_out"),
        ],
    )


def chosen(call: Call, action: str, value: str) -> Entered:
    """A row tapped or a key pressed in the menu."""
    if action == GET_WORK or value == GET_WORK:
        return _get_work(call)
    dialogue = DIALOGUES.get(value)
    if action != "choose" or dialogue is None:
        raise Refused(Reason.STEP_WRONG)
    return begin(call, dialogue, {})


def opened_by(call: Call, read: Read) -> Entered:
    """A code scanned in the menu: the dialogue that wants it, else what it is."""
    if read.kind is Kind.COMMAND and (named := DIALOGUES.get(read.body.lower().replace("-", "_"))):
        return begin(call, named, {})
    for dialogue in DIALOGUES.values():
        if dialogue.opens_with is None or dialogue.right not in call.rights:
            continue
        given = dialogue.opens_with(call, read)
        if given is not None:
            return begin(call, dialogue, given)
    return begin(call, DIALOGUES[LOOK_UP], {"code": read.raw})


def begin(call: Call, dialogue: Dialogue, given: dict[str, Any] | Any) -> Entered:
    """Enter a dialogue, if this person may."""
    if dialogue.right not in call.rights:
        raise Refused(Reason.NOT_ALLOWED, right=dialogue.right)
    return Entered(dialogue.name, dialogue.begin(call, given))


def _get_work(call: Call) -> Entered:
    kinds = [kind for kind, dialogue in by_task_kind().items() if dialogue.right in call.rights]
    task = work.claim_next(call, kinds)
    if task is None:
        raise Refused(Reason.NO_WORK)
    dialogue = by_task_kind()[task.kind]
    entered = begin(call, dialogue, {"task_id": task.id, **task.facts})
    return Entered(dialogue.name, _with_task(entered.move, task.id))


def _with_task(move: Move, task_id: int) -> Move:
    return Move(move.step, move.state, move.message, move.task_id or task_id)


def _say(call: Call, key: str) -> str:
    return text(key, call.language)
