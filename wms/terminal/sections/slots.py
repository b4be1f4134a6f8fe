"""Slots: where is picked, which moves would pay, and what became of those that were decided."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from markupsafe import Markup

from wms.core.i18n import catalogue
from wms.site.map import map_svg
from wms.slotting import queries
from wms.slotting.queries import Capacity, MoveFacts, PlanFacts
from wms.terminal.queries import floor
from wms.terminal.sections.common import Asked, Part
from wms.terminal.sections.overview import MAP_S
from wms.terminal.values import Figure, Words

MAP_MODES = ("heat", "fill", "table")
HEAT_DAYS = 28
DECIDED_SHOWN = 30


def slots_section(asked: Asked) -> list[Part]:
    session, house, reader = asked.look.session, asked.look.warehouse_id, asked.reader
    plan = queries.newest_plan(session, house)
    open_ones = queries.moves(session, house, ("proposed", "accepted"))
    decided = queries.moves(session, house, ("done", "declined", "dropped"))[:DECIDED_SHOWN]
    room = asked.keep("capacity", MAP_S, lambda: queries.capacity(session, house))
    fills = {
        "plan": plan,
        "moves": open_ones,
        "proposed": [one.id for one in open_ones if one.state == "proposed"],
        "total_gain": sum(one.gain_m_week for one in open_ones if one.state == "proposed"),
        "total_cost": sum(one.cost_m for one in open_ones if one.state == "proposed"),
    }
    happened = {"decided": decided, "why": lambda code: _why(asked, code)}
    return [
        Part("figures", "figures", {"figures": _figures(plan, open_ones, room), "prefix": "terminal.slot_figure"}),
        Part("slot_map", "slot_map", _map(asked), reader.say("terminal.map")),
        Part("slot_moves", "slot_moves", fills, reader.say("terminal.moves")),
        Part("slot_decided", "slot_decided", happened, reader.say("terminal.moves.decided")),
    ]


def _why(asked: Asked, code: str) -> str:
    """Our own words for what we dropped, the reason's for what a rule forbade."""
    own = f"terminal.moves.why.{code}"
    return asked.reader.say(own) if own in catalogue() else code


def _figures(plan: PlanFacts | None, moves: Sequence[MoveFacts], room: Capacity) -> list[Figure]:
    percent, metres = Words("terminal.unit.percent"), Words("terminal.unit.m_per_line")
    filled = f"{100 * room.filled / room.slots:.0f}" if room.slots else None
    used = f"{100 * room.used_l / room.volume_l:.0f}" if room.volume_l else None
    slots_note = Words("terminal.slot_figure.slots.note", {"filled": f"{room.filled:,}", "slots": f"{room.slots:,}"})
    volume = {"used": f"{room.used_l / 1000:,.1f}", "volume": f"{room.volume_l / 1000:,.1f}"}
    return [
        Figure("slots", filled, percent, slots_note),
        Figure("volume", used, percent, Words("terminal.slot_figure.volume.note", volume)),
        _walk(plan, metres),
        _saving(plan, moves),
        _trust(plan, percent),
    ]


def _walk(plan: PlanFacts | None, metres: Words) -> Figure:
    if plan is None or not plan.lines or not plan.tours:
        return Figure("walk", None, metres, Words("terminal.slot_figure.none"))
    note = Words("terminal.slot_figure.walk.note", {"tours": f"{plan.tours:,}"})
    return Figure("walk", f"{plan.walked_m / plan.tours:,.0f}", metres, note)


def _saving(plan: PlanFacts | None, moves: Sequence[MoveFacts]) -> Figure:
    unit = Words("terminal.unit.m_per_week")
    if plan is None:
        return Figure("saving", None, unit, Words("terminal.slot_figure.none"))
    proposed = [one for one in moves if one.state == "proposed"]
    note = Words("terminal.slot_figure.saving.note", {"moves": len(proposed)})
    return Figure("saving", f"{sum(one.gain_m_week for one in proposed):,}", unit, note)


def _trust(plan: PlanFacts | None, percent: Words) -> Figure:
    if plan is None or not plan.lines:
        return Figure("trust", None, percent, Words("terminal.slot_figure.none"))
    note = Words("terminal.slot_figure.trust.note", {"weeks": plan.weeks, "lines": f"{plan.lines:,}"})
    return Figure("trust", str(plan.signal_percent), percent, note)


def _map(asked: Asked) -> dict[str, Any]:
    mode = asked.option("map", MAP_MODES)
    fills: dict[str, Any] = {"mode": mode, "modes": MAP_MODES, "top": 0, "bays": [], "svg": ""}
    if mode == "table":
        return fills | {"bays": asked.keep("month_bays", MAP_S, lambda: floor.bay_counts(asked.look, _since(asked)))}
    svg, top = asked.keep(f"month:{mode}:{asked.reader.language}", MAP_S, lambda: _drawn(asked, mode))
    return fills | {"svg": svg, "top": f"{top:,}"}


def _since(asked: Asked) -> datetime:
    return asked.look.now - timedelta(days=HEAT_DAYS)


def _drawn(asked: Asked, mode: str) -> tuple[Markup, int]:
    heat = floor.picks_by_bay(asked.look, _since(asked)) if mode == "heat" else floor.filled_by_bay(asked.look)
    plan = floor.ground(asked.look, heat, asked.reader.say("terminal.map"), asked.reader.language)
    return Markup(map_svg(plan)), max([*heat.values(), 0])
