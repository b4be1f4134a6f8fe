"""Slots: the three gains, where is picked and walked, which moves or racks divided anew would pay and why, pick faces
refilled, what if, and how right it was.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from markupsafe import Markup

from wms.site.map import map_svg
from wms.slotting import queries
from wms.slotting.queries import PlanFacts
from wms.terminal.queries import floor
from wms.terminal.sections.common import Asked, Part
from wms.terminal.sections.gains import gains_part
from wms.terminal.sections.overview import MAP_S
from wms.terminal.sections.racks import rack_parts
from wms.terminal.sections.refills import refill_parts
from wms.terminal.sections.slot_more import more_part

MAP_MODES = ("heat", "metres", "quiet", "fill", "table")
PLANS = ("moves", "racks", "refills")
HEAT_DAYS = 28


def slots_section(asked: Asked) -> list[Part]:
    session, house, reader = asked.look.session, asked.look.warehouse_id, asked.reader
    plan = queries.newest_plan(session, house)
    above = [gains_part(asked), Part("slot_map", "slot_map", _map(asked, plan), reader.say("terminal.map"))]
    if asked.option("plan", PLANS) == "racks":
        return [*above, *rack_parts(asked)]
    if asked.option("plan", PLANS) == "refills":
        return [*above, *refill_parts(asked)]
    open_ones = queries.moves(session, house, ("proposed", "accepted"))
    fills = {
        "plan": plan,
        "moves": open_ones,
        "proposed": [one.id for one in open_ones if one.state == "proposed"],
        "total_gain": sum(one.gain_m_week for one in open_ones if one.state == "proposed"),
        "total_cost": sum(one.cost_m for one in open_ones if one.state == "proposed"),
        "opened": asked.options.get("move", ""),
    }
    return [
        *above,
        Part("slot_moves", "slot_moves", fills, reader.say("terminal.moves")),
        more_part(asked, plan, open_ones),
    ]


def _map(asked: Asked, plan: PlanFacts | None) -> dict[str, Any]:
    mode = asked.option("map", MAP_MODES)
    fills: dict[str, Any] = {"mode": mode, "modes": MAP_MODES, "top": 0, "bays": [], "svg": ""}
    if mode == "table":
        return fills | {"bays": asked.keep("month_bays", MAP_S, lambda: _table(asked, plan))}
    number = plan.id if plan else 0
    svg, top = asked.keep(f"month:{mode}:{number}:{asked.reader.language}", MAP_S, lambda: _drawn(asked, mode, plan))
    return fills | {"svg": svg, "top": f"{top:,}"}


def _since(asked: Asked) -> datetime:
    return asked.look.now - timedelta(days=HEAT_DAYS)


def _heat(asked: Asked, mode: str, plan: PlanFacts | None) -> Mapping[int, int]:
    """Bay id -> what the mode counts."""
    if mode == "heat":
        return floor.picks_by_bay(asked.look, _since(asked))
    if mode == "metres":
        return plan.bay_m if plan else {}
    if mode == "quiet":
        return queries.quiet_days_by_bay(asked.look.session, asked.look.warehouse_id, asked.look.now)
    return floor.filled_by_bay(asked.look)


def _drawn(asked: Asked, mode: str, plan: PlanFacts | None) -> tuple[Markup, int]:
    heat = _heat(asked, mode, plan)
    ground = floor.ground(asked.look, heat, asked.reader.say("terminal.map"), asked.reader.language)
    return Markup(map_svg(ground)), max([*heat.values(), 0])


def _table(asked: Asked, plan: PlanFacts | None) -> list[dict[str, Any]]:
    """Every bay with all that the map can show, the most picked first."""
    metres, quiet = _heat(asked, "metres", plan), _heat(asked, "quiet", plan)
    return [
        {"bay": row, "metres": metres.get(row.id, 0), "quiet": quiet.get(row.id)}
        for row in floor.bay_counts(asked.look, _since(asked))
    ]
