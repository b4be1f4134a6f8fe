"""The slots' page, its side of pick faces: refills on the board, levels, what was done, and the rule."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from wms.outbound.service.refills import needs
from wms.slotting import refill_queries as queries
from wms.slotting.reach import rule_of
from wms.terminal.sections.common import Asked, Part, known_words

SIDES = ("levels", "refilled", "rule")
SHOWN = 30
FIGURES_S = 10.0


def refill_parts(asked: Asked) -> list[Part]:
    """The list of refills, and a panel with a side for each question."""
    session, house, reader = asked.look.session, asked.look.warehouse_id, asked.reader
    fills = {
        "refills": queries.refills(session, house, ("open", "carried")),
        "figures": queries.figures(session, house, asked.look.now),
        "high": asked.keep("refill_needs", FIGURES_S, lambda: sum(one.quantity for one in needs(session, house))),
    }
    side = asked.option("side", SIDES)
    more = {"side": side, "sides": SIDES, **_SIDES[side](asked)}
    return [
        Part("slot_moves", "slot_refills", fills, reader.say("terminal.refills")),
        Part("slot_more", f"refill_{side}", more, reader.say(f"terminal.side.{side}")),
    ]


def _levels(asked: Asked) -> dict[str, Any]:
    return {"levels": queries.levels(asked.look.session, asked.look.warehouse_id)[:SHOWN]}


def _refilled(asked: Asked) -> dict[str, Any]:
    found = queries.refills(asked.look.session, asked.look.warehouse_id, ("done", "dropped"))
    return {
        "refilled": found[:SHOWN],
        "why": lambda code: known_words(asked.reader, "terminal.refills.dropped", code),
    }


def _rule(asked: Asked) -> dict[str, Any]:
    return {"rule": rule_of(asked.look.session, asked.look.warehouse_id)}


Fills = Callable[[Asked], dict[str, Any]]
_SIDES: Mapping[str, Fills] = {"levels": _levels, "refilled": _refilled, "rule": _rule}
