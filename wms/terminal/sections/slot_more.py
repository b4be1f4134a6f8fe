"""The slots' page, its last panel: a proposal opened, what if, how right forecasts were, what was decided, figures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from wms.core.i18n import catalogue
from wms.site import queries as site
from wms.slotting import foresight, opening, queries, whatif
from wms.slotting.queries import MoveFacts, PlanFacts
from wms.terminal.plotting import week_bars
from wms.terminal.sections.common import Asked, Part
from wms.terminal.sections.gains import figures_fills

SIDES = ("why", "what_if", "forecasts", "decided", "figures")
DECIDED_SHOWN = 30
BUDGETS = ("10", "5", "20", "50")
SEASONS = tuple(str(weeks) for weeks in whatif.SEASONS_WEEKS)
ANSWER_WITHIN = timedelta(minutes=10)


def more_part(asked: Asked, plan: PlanFacts | None, moves: Sequence[MoveFacts]) -> Part:
    """One panel with a side for each question; which one is shown stands in the page's address."""
    side = asked.option("side", SIDES)
    fills = {"side": side, "sides": SIDES, **_SIDES[side](asked, plan, moves)}
    return Part("slot_more", f"slot_{side}", fills, asked.reader.say(f"terminal.side.{side}"))


def _why(asked: Asked, plan: PlanFacts | None, moves: Sequence[MoveFacts]) -> dict[str, Any]:
    number = asked.options.get("move", "")
    chosen = int(number) if number.isdecimal() and len(number) < 18 else moves[0].id if moves else 0
    look = asked.look
    found = opening.opened(look.session, look.warehouse_id, chosen, look.now) if chosen else None
    if found is None:
        return {"found": None}
    bars = week_bars(found.weeks, asked.reader.say("terminal.why.weeks", weeks=opening.WEEKS_SHOWN))
    return {"found": found, "bars": bars, "limit_m": plan.signal_percent if plan else 0}


def _what_if(asked: Asked, plan: PlanFacts | None, moves: Sequence[MoveFacts]) -> dict[str, Any]:
    look = asked.look
    hall = site.hall(look.session, look.warehouse_id) if queries.has_slots(look.session, look.warehouse_id) else None
    aisles = [(one.index, f"{one.zone_code}{one.number:02d}") for one in hall.aisles] if hall else []
    named = {str(index): name for index, name in aisles}
    aisle = asked.options.get("aisle", "")
    chosen = {
        "moves": int(asked.option("most", BUDGETS)),
        "season": int(asked.option("season", SEASONS)),
        "aisle": int(aisle) if aisle in named else None,
    }
    asked_before = whatif.newest(look.session, look.warehouse_id)
    return {
        "budgets": sorted(BUDGETS, key=int),
        "seasons": SEASONS,
        "aisles": aisles,
        "chosen": chosen,
        "names": named,
        "answers": asked_before,
        "lost": [one.id for one in asked_before if look.now - one.asked_at > ANSWER_WITHIN],
    }


def _forecasts(asked: Asked, plan: PlanFacts | None, moves: Sequence[MoveFacts]) -> dict[str, Any]:
    session, house = asked.look.session, asked.look.warehouse_id
    return {
        "plan": plan,
        "weeks": foresight.weeks_judged(session, house),
        "judged": foresight.moves_judged(session, house),
    }


def _decided(asked: Asked, plan: PlanFacts | None, moves: Sequence[MoveFacts]) -> dict[str, Any]:
    found = queries.moves(asked.look.session, asked.look.warehouse_id, ("done", "declined", "dropped"))
    return {
        "decided": found[:DECIDED_SHOWN],
        "why": lambda code: _known(asked, f"terminal.moves.why.{code}", code),
    }


def _figures(asked: Asked, plan: PlanFacts | None, moves: Sequence[MoveFacts]) -> dict[str, Any]:
    return figures_fills(asked)


def _known(asked: Asked, key: str, code: str) -> str:
    """Our own words for a code, or the code itself where a newer room has one we do not know."""
    return asked.reader.say(key) if key in catalogue() else code


Fills = Callable[[Asked, PlanFacts | None, Sequence[MoveFacts]], dict[str, Any]]
_SIDES: Mapping[str, Fills] = {
    "why": _why,
    "what_if": _what_if,
    "forecasts": _forecasts,
    "decided": _decided,
    "figures": _figures,
}
