"""The first screen: get work, choose a dialogue, or scan anything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from wms.core.call import Call
from wms.core.codes import Kind, Read
from wms.core.dialogue import Choice, ChooseCard, Dialogue, Key, Level, Message, Move, Screen
from wms.core.i18n import text
from wms.core.refusal import Reason, Refused
from wms.handheld.registry import DIALOGUES, LOOK_UP, by_task_kind
from wms.handheld.standing import MENU
from wms.work import service as work
from wms.work.values import TaskFacts

GET_WORK = "get_work"
TRIED_OF_A_KIND_MAX = 3  # in a row, for one press of the key
_OVER = frozenset({Reason.CONTAINER_EMPTY, Reason.TASK_DONE})  # nothing is left to do: the task goes


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
    """The best task that can be begun. One that cannot (a box that fits nowhere) is put aside for the supervisor to
    see, and does not stand before the others; after some of a kind the other kinds are looked at first.
    """
    kinds = {kind for kind, dialogue in by_task_kind().items() if dialogue.right in call.rights}
    failed: Counter[str] = Counter()
    aside, laid_down = 0, []
    while kinds and (task := work.claim_next(call, sorted(kinds))) is not None:
        try:
            with call.session.begin_nested():
                entered = _begun(call, task)
        except Refused as no:
            failed[task.kind] += 1
            if failed[task.kind] == TRIED_OF_A_KIND_MAX:
                kinds.discard(task.kind)
            if no.reason in _OVER:
                work.cancel(call, task.id)
                continue
            work.put_aside(call, task.id, no)
            aside += 1
            if task.claimed_at != call.now:  # it was in his hands already
                laid_down.append(_laid_down(call, task, no))
        else:
            return _telling(entered, laid_down) if laid_down else entered
    if not failed:
        raise Refused(Reason.NO_WORK)
    more_left = max(failed.values()) == TRIED_OF_A_KIND_MAX
    words = _say(call, "pda.menu.again" if more_left else "pda.menu.no_work")
    more = " · ".join(laid_down) or (_say(call, "pda.menu.put_aside", tasks=aside) if aside else "")
    message = Message(Level.ATTENTION, words, more, Reason.NO_WORK.value, speech=f"{words} {more}".strip())
    return Entered(MENU, Move(None, {}, message))


def _begun(call: Call, task: TaskFacts) -> Entered:
    dialogue = by_task_kind()[task.kind]
    move = begin(call, dialogue, {"task_id": task.id, **task.facts}).move
    return Entered(dialogue.name, replace(move, task_id=move.task_id or task.id))


def _laid_down(call: Call, task: TaskFacts, no: Refused) -> str:
    why = _say(call, f"reason.{no.reason.value}", **no.facts)
    return _say(call, "pda.menu.laid_down", name=task.name, why=why)


def _telling(entered: Entered, laid_down: Sequence[str]) -> Entered:
    """The work begun instead, told together with what became of the other."""
    words, said = " · ".join(laid_down), entered.move.message
    if said is not None and said.level is Level.INTERCEPTED:  # a stopped order is told first
        message = replace(said, text=" · ".join(part for part in (said.text, words) if part))
    else:
        goes = said.title if said else ""
        message = Message(Level.ATTENTION, words, goes, speech=f"{words} {goes}".strip())
    return Entered(entered.dialogue, replace(entered.move, message=message))


def _say(call: Call, key: str, **facts: object) -> str:
    return text(key, call.language, **facts)
