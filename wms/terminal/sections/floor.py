"""The line, the people, the devices: each whole, where the overview shows only the worst."""

from __future__ import annotations

from typing import Any

from wms.sorting.queries import proposed_plan, waiting_switches
from wms.terminal.queries import crew as crew_queries
from wms.terminal.queries import equipment
from wms.terminal.queries.line import line
from wms.terminal.queries.passages import STEP, STEPS, last_hours, passage
from wms.terminal.sections.common import Asked, Part, device_name, doing, known_words
from wms.terminal.sections.overview import most_per_h

HOURS_S = 30.0
DIGITS_MAX = 18


def the_line(asked: Asked) -> list[Part]:
    now, reader = line(asked.look), asked.reader
    return [
        Part(
            "figures",
            "figures",
            {"figures": now.figures, "prefix": "terminal.line_figure"},
            reader.say("terminal.today"),
        ),
        Part("chutes", "chutes", {"chutes": now.chutes}, reader.say("terminal.chutes")),
        Part(
            "rejects",
            "rejects",
            {
                "rejects": now.rejects,
                "version": now.route_version,
                "reject": lambda kind: known_words(reader, "terminal.reject", kind),
            },
            reader.say("terminal.rejects", n=len(now.rejects)),
        ),
        _beside(asked),
    ]


def _beside(asked: Asked) -> Part:
    """Beside the rejects: one passage, or the last hours, or the sort plan. One place, so that it keeps its name."""
    look, reader = asked.look, asked.reader
    fills: dict[str, Any]
    asked_for = asked.options.get("passage", "")
    one = passage(look, int(asked_for)) if asked_for.isdecimal() and len(asked_for) < DIGITS_MAX else None
    if one is not None:
        fills = {
            "one": one,
            "todo": known_words(reader, "terminal.passage.do", one.kind),
            "reject": lambda kind: known_words(reader, "terminal.reject", kind),
        }
        return Part("sort_plan", "passage", fills, reader.say("terminal.passage"))
    if asked.option("side", ("plan", "hours")) == "hours":
        hours = asked.keep("hours", HOURS_S, lambda: last_hours(look))
        marks = [hours.begin + 6 * number * STEP for number in range(STEPS // 6)]
        times = [reader.clock(hours.begin + number * STEP) for number in range(STEPS)]
        fills = {"hours": hours, "marks": marks, "times": times}
        return Part("sort_plan", "hours", fills, reader.say("terminal.hours"))
    return Part(
        "sort_plan",
        "sort_plan",
        {
            "plan": proposed_plan(look.session, look.warehouse_id),
            "switches": waiting_switches(look.session, look.warehouse_id),
            "courier": look.courier,
        },
        reader.say("terminal.sort_plan"),
    )


def people(asked: Asked) -> list[Part]:
    crew = crew_queries.crew(asked.look)
    fills = {"crew": crew, "most": most_per_h(crew), "doing": doing(asked.reader)}
    return [Part("people", "people", fills, asked.reader.say("terminal.section.people"))]


def things(asked: Asked) -> list[Part]:
    tiles = equipment.tiles(asked.look)
    well = sum(tile.priority == 0 for tile in tiles)
    fills = {"tiles": tiles, "all": len(tiles), "well": well, "name": device_name(asked.reader)}
    return [Part("equipment", "equipment", fills, asked.reader.say("terminal.devices"))]
