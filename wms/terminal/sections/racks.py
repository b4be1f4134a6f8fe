"""The slots' page, its rack side: bays that would be divided anew, one of them drawn before and after, spare parts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from wms.site.racks import racks, spare_parts
from wms.site.rules import Parts
from wms.slotting import division_queries as queries
from wms.slotting.division_ground import OPEN_STATES
from wms.slotting.division_queries import DivisionFacts, DivisionPlanFacts
from wms.slotting.queries import has_slots
from wms.terminal.elevation import elevation
from wms.terminal.sections.common import Asked, Part, known_words

SIDES = ("why", "parts", "decided")
DECIDED_SHOWN = 30
DEPTHS_S = 60.0


def rack_parts(asked: Asked) -> list[Part]:
    """The list of bays, and a panel with a side for each question."""
    session, house, reader = asked.look.session, asked.look.warehouse_id, asked.reader
    plan = queries.newest_division_plan(session, house)
    bays = queries.divisions(session, house, ("proposed", *OPEN_STATES))
    proposed = [one for one in bays if one.state == "proposed"]
    fills = {
        "plan": plan,
        "bays": bays,
        "proposed": [one.id for one in proposed],
        "cost": sum(one.cost_cents for one in proposed),
        "minutes": sum(one.minutes for one in proposed),
        "opened": asked.options.get("bay", ""),
        "profile": lambda name: known_words(reader, "profile", name),
    }
    side = asked.option("side", SIDES)
    more = {"side": side, "sides": SIDES, **_SIDES[side](asked, plan, bays)}
    return [
        Part("slot_moves", "slot_racks", fills, reader.say("terminal.racks")),
        Part("slot_more", f"rack_{side}", more, reader.say(f"terminal.side.{side}")),
    ]


def _why(asked: Asked, plan: DivisionPlanFacts | None, bays: Sequence[DivisionFacts]) -> dict[str, Any]:
    number = asked.options.get("bay", "")
    chosen = int(number) if number.isdecimal() and len(number) < 18 else bays[0].id if bays else 0
    found = queries.opened_division(asked.look.session, asked.look.warehouse_id, chosen) if chosen else None
    kept = [(known_words(asked.reader, "terminal.kept", why), each) for why, each in plan.kept.items()] if plan else []
    if found is None:
        return {"found": None, "kept": kept}
    row, reader = found.division, asked.reader
    changed = row.state in ("labelling", "done")
    titles = [
        reader.say(f"terminal.racks.{when}", profile=known_words(reader, "profile", name), slots=slots)
        for when, name, slots in (
            ("before", row.profile_before, row.slots_before),
            ("after", row.profile, row.slots_after),
        )
    ]
    return {
        "found": found,
        "kept": kept,
        "titles": titles,
        "before": elevation(found.before, found.frame_mm, titles[0], () if changed else found.filled),
        "after": elevation(found.after, found.frame_mm, titles[1], found.filled if changed else ()),
    }


def _parts(asked: Asked, plan: DivisionPlanFacts | None, bays: Sequence[DivisionFacts]) -> dict[str, Any]:
    session, house = asked.look.session, asked.look.warehouse_id
    spare = spare_parts(session, house)
    depths = asked.keep("rack_depths", DEPTHS_S, lambda: _depths(asked))
    return {"depths": [(depth, spare.get(depth, Parts())) for depth in sorted({*depths, *spare})]}


def _depths(asked: Asked) -> list[int]:
    """The depths of racks that stand here, in mm."""
    session, house = asked.look.session, asked.look.warehouse_id
    if not has_slots(session, house):
        return []
    return sorted({rack.depth_mm for rack in racks(session, house) if rack.slots})


def _decided(asked: Asked, plan: DivisionPlanFacts | None, bays: Sequence[DivisionFacts]) -> dict[str, Any]:
    found = queries.divisions(asked.look.session, asked.look.warehouse_id, ("done", "declined", "dropped"))
    return {
        "decided": found[:DECIDED_SHOWN],
        "why": lambda code: known_words(asked.reader, "terminal.racks.dropped", code),
        "profile": lambda name: known_words(asked.reader, "profile", name),
    }


Fills = Callable[[Asked, DivisionPlanFacts | None, Sequence[DivisionFacts]], dict[str, Any]]
_SIDES: Mapping[str, Fills] = {"why": _why, "parts": _parts, "decided": _decided}
