"""S4 divide: a bay that was emptied is cut anew. Scan a slot of it, change its parts, scan each new label; leave at any
time, the bay waits as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wms.core.call import Call
from wms.core.codes import Kind
from wms.core.dialogue import (
    Card,
    CountsCard,
    Dialogue,
    Fact,
    FactsCard,
    Key,
    Level,
    LocationCard,
    Message,
    Move,
    NextCard,
    Scan,
    Screen,
    Step,
    Turn,
    leave_key,
    pips,
)
from wms.core.i18n import catalogue
from wms.core.refusal import Reason, Refused
from wms.slotting import dividing
from wms.slotting.dividing import Cutting
from wms.slotting.emptying import DIVIDE_TASK

BAY, CHANGE, LABEL = "scan_bay", "change_parts", "scan_label"
_ORDER = {BAY: "divide.bay", CHANGE: "divide.parts", LABEL: "divide.label"}
_AT = {"accepted": BAY, "changing": CHANGE, "labelling": LABEL}


def _begin(call: Call, given: Mapping[str, Any]) -> Move:
    """Only from the board: dividing a bay is somebody's decision. Raises NO_WORK without a task, TASK_DONE."""
    if "division" not in given:
        raise Refused(Reason.NO_WORK)
    found = dividing.cutting(call, int(given["division"]))
    code = found.rack.label
    return Move(_AT[found.state], {"division": found.id}, Message(Level.OK, code, speech=code))


def _cutting(turn: Turn) -> Cutting:
    return dividing.cutting(turn.call, int(turn.state["division"]))


def profile_words(turn: Turn, name: str) -> str:
    """A profile's name in the reader's words; the building's own ones have only their code."""
    return turn.say(f"profile.{name}") if f"profile.{name}" in catalogue() else name


def _screen(turn: Turn, step: str) -> Screen:
    found = _cutting(turn)
    keys = [leave_key(turn)]
    if step == CHANGE:
        keys.insert(0, Key("F1", turn.say("divide.changed"), "changed"))
    return Screen(
        prompt=turn.say(f"divide.{step}"),
        icon="barcode" if step != CHANGE else "tick",
        pips=pips(turn, _ORDER, step),
        cards=_CARDS[step](turn, found),
        status=[(turn.say("divide.bay"), found.rack.label)],
        keys=keys,
    )


def _place(turn: Turn, found: Cutting, heading: str) -> LocationCard:
    words = turn.say("divide.words", zone=found.rack.zone_name, profile=profile_words(turn, found.profile.name))
    return LocationCard(turn.say(heading), found.rack.label, words, 0, found.profile.levels)


def _bay_cards(turn: Turn, found: Cutting) -> list[Card]:
    return [_place(turn, found, "divide.go"), _facts(turn, found)]


def _facts(turn: Turn, found: Cutting) -> FactsCard:
    """What the bay is to become, and the parts that go in or come out."""
    profile, parts = found.profile, found.parts
    shape = turn.say("divide.shape", levels=profile.levels, positions=profile.positions)
    size = turn.say("divide.size", width=profile.width_mm, height=profile.height_mm)
    rows = [Fact(turn.say("divide.becomes"), shape, size)]
    for part, count in (("beams", parts.beams), ("dividers", parts.dividers)):
        if count:
            way = "in" if count > 0 else "out"
            rows.append(Fact(turn.say(f"divide.{part}"), turn.say(f"divide.{way}", count=abs(count))))
    return FactsCard(rows)


def _label_cards(turn: Turn, found: Cutting) -> list[Card]:
    slots, left = len(found.rack.slots), len(found.waiting)
    words = [turn.say(f"divide.count.{each}") for each in ("all", "done", "left", "short")]
    cards: list[Card] = [_place(turn, found, "divide.hang"), CountsCard(slots, slots - left, left, 0, words)]
    if found.waiting:
        cards.append(NextCard(turn.say("divide.next"), found.waiting[0]))
    return cards


_CARDS = {BAY: _bay_cards, CHANGE: _bay_cards, LABEL: _label_cards}


def _slot_code(turn: Turn, scan: Scan) -> str:
    if scan.read.kind not in (Kind.SLOT, Kind.PLAIN):
        raise Refused(Reason.WRONG_KIND_SCANNED, expected=_cutting(turn).rack.label, scanned=scan.raw)
    return scan.read.body


def _bay_scanned(turn: Turn, scan: Scan) -> Move:
    code = _slot_code(turn, scan)
    found = dividing.begin(turn.call, int(turn.state["division"]), code)
    if isinstance(found, Refused):  # goods lie there: moves went on the board, and the bay waits for them
        why = str(found.facts["why"])
        words = turn.say("divide.waits", slot=found.facts["slot"], why=turn.say(f"divide.why.{why}"))
        return Move(None, {}, Message(Level.ATTENTION, words, code=found.reason.value, speech=words))
    words = turn.say("divide.begin", beams=abs(found.parts.beams), dividers=abs(found.parts.dividers))
    return Move(CHANGE, dict(turn.state), Message(Level.OK, words, speech=words))


def _changed(turn: Turn, _value: str) -> Move:
    found = dividing.parts_changed(turn.call, int(turn.state["division"]))
    words = turn.say("divide.hang_all", labels=len(found.waiting))
    return Move(LABEL, dict(turn.state), Message(Level.OK, words, speech=words))


def _label_scanned(turn: Turn, scan: Scan) -> Move:
    code = _slot_code(turn, scan)
    found = dividing.label_hung(turn.call, int(turn.state["division"]), code)
    if found.waiting:
        return Move(LABEL, dict(turn.state), Message(Level.OK, code, speech=str(len(found.waiting))))
    words = turn.say("divide.done", bay=found.rack.label, slots=len(found.rack.slots))
    return Move(None, {}, Message(Level.DONE, words, speech=words))


def _leave(turn: Turn, _value: str) -> Move:
    dividing.leave(turn.call, int(turn.state["division"]))
    return Move(None)


BAY_DIVIDE = Dialogue(
    name="bay_divide",
    title="divide.title",
    right="move",
    begin=_begin,
    takes=DIVIDE_TASK,
    in_menu=False,
    steps={
        BAY: Step(lambda turn: _screen(turn, BAY), frozenset({CHANGE, None}), _bay_scanned, {"leave": _leave}),
        CHANGE: Step(
            lambda turn: _screen(turn, CHANGE), frozenset({LABEL, None}), None, {"changed": _changed, "leave": _leave}
        ),
        LABEL: Step(lambda turn: _screen(turn, LABEL), frozenset({LABEL, None}), _label_scanned, {"leave": _leave}),
    },
)
