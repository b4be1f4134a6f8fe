"""What the dock's dialogues share: their step names, their pips, and leaving."""

from __future__ import annotations

from collections.abc import Mapping

from wms.core.dialogue import Move, Pip, Turn

ASN, ITEM, LOT = "scan_asn", "scan_item", "type_lot"
EXPIRY, CONTAINER, SLOT = "type_expiry", "scan_container", "scan_slot"


def pips(turn: Turn, steps: Mapping[str, str], now: str) -> list[Pip]:
    """The steps' marks: done, now, next. `steps` is step -> text key."""
    order = list(steps)
    at = order.index(now)
    state = ["done" if number < at else "now" if number == at else "next" for number in range(len(order))]
    return [Pip(turn.say(steps[name]), state[number]) for number, name in enumerate(order)]


def leave(turn: Turn, _value: str) -> Move:
    """Back to the menu; what was posted stays."""
    return Move(None)
