"""The line, the people, the devices: each whole, where the overview shows only the worst."""

from __future__ import annotations

from wms.sorting.queries import proposed_plan, waiting_switches
from wms.terminal.queries import crew as crew_queries
from wms.terminal.queries import equipment
from wms.terminal.queries.line import line
from wms.terminal.sections.common import Asked, Part, device_name, doing, known_words
from wms.terminal.sections.overview import most_per_h


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
        Part(
            "sort_plan",
            "sort_plan",
            {
                "plan": proposed_plan(asked.look.session, asked.look.warehouse_id),
                "switches": waiting_switches(asked.look.session, asked.look.warehouse_id),
                "courier": asked.look.courier,
            },
            reader.say("terminal.sort_plan"),
        ),
    ]


def people(asked: Asked) -> list[Part]:
    crew = crew_queries.crew(asked.look)
    fills = {"crew": crew, "most": most_per_h(crew), "doing": doing(asked.reader)}
    return [Part("people", "people", fills, asked.reader.say("terminal.section.people"))]


def things(asked: Asked) -> list[Part]:
    tiles = equipment.tiles(asked.look)
    well = sum(tile.priority == 0 for tile in tiles)
    fills = {"tiles": tiles, "all": len(tiles), "well": well, "name": device_name(asked.reader)}
    return [Part("equipment", "equipment", fills, asked.reader.say("terminal.devices"))]
