"""The overview: how the day goes, what is late, what is stuck, who is idle, and the button for each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from markupsafe import Markup

from wms.site.map import map_svg
from wms.terminal import drawing
from wms.terminal.queries import crew as crew_queries
from wms.terminal.queries import equipment, floor
from wms.terminal.queries.day import day_of
from wms.terminal.queries.figures import figures
from wms.terminal.queries.flow import flow_of_today
from wms.terminal.queries.shelf import shelved
from wms.terminal.queries.troubles import troubles
from wms.terminal.rules.order import together, without_shelved
from wms.terminal.sections.closing import closing
from wms.terminal.sections.common import Asked, Part, activity, device_name, known_words
from wms.terminal.values import STAGES, Flow, Forecast, Tile, Trouble, Worker

MAP_MODES = ("heat", "fill", "table", "closed")
CUT_OFFS_SHOWN = 5
TILES_MAX = 16
BAYS_MAX = 200
PLOT_H = 118
DAY_S, MAP_S = 5.0, 10.0
PLOT_W, PLOT_W_MIN, PLOT_W_MAX = 880, 500, 2600
LISTS = ("open", "shelved")


@dataclass(frozen=True, slots=True)
class Calm:
    """What is well: told under the list, so that an empty list is not mistaken for a broken one."""

    orders: int
    devices: int
    people: int


def overview(asked: Asked) -> list[Part]:
    look, reader = asked.look, asked.reader
    flow = flow_of_today(look)
    crew = crew_queries.crew(look)
    tiles = equipment.tiles(look)
    day = asked.keep("day", DAY_S, lambda: day_of(look, flow))
    found = troubles(look, flow, crew, tiles)
    return [
        Part(
            "figures",
            "figures",
            {"figures": figures(look, flow, day, crew), "prefix": "terminal.figure"},
            reader.say("terminal.today"),
        ),
        Part("flow", "flow", _flow(flow), reader.say("terminal.flow")),
        Part("ground", "ground", _ground(asked), reader.say("terminal.map")),
        Part("over", "over", {"svg": _over(asked, crew)}),
        Part(
            "crew",
            "crew",
            {"crew": crew, "most": most_per_h(crew), "activity": activity(reader)},
            reader.say("terminal.crew"),
        ),
        Part("day", "day", {"plot": _plot(asked, day)}, reader.say("terminal.day_plot")),
        Part("troubles", "troubles", _troubles(asked, found, flow, crew, tiles), reader.say("terminal.troubles.which")),
        Part("tiles", "tiles", _tiles(asked, tiles), reader.say("terminal.devices")),
    ]


def most_per_h(crew: Sequence[Worker]) -> int:
    return max((one.pieces_per_h for one in crew), default=0)


def _flow(flow: Flow) -> dict[str, Any]:
    """The next cut-offs with anything open or ready; those that are gone make room."""
    by_need = sorted(flow.rows, key=lambda pair: (pair[0].over, pair[0].at, pair[0].courier))
    shown = sorted(by_need[:CUT_OFFS_SHOWN], key=lambda pair: (pair[0].at, pair[0].courier))
    totals: dict[str, int] = {stage: sum(row.counts[stage] for row, _ in flow.rows) for stage in STAGES}
    totals |= {"shipped": sum(row.shipped for row, _ in flow.rows), "total": sum(row.total for row, _ in flow.rows)}
    most = max((row.counts[stage] for row, _ in shown for stage in STAGES), default=0)
    return {
        "flow": flow,
        "shown": shown,
        "hidden": len(flow.rows) - len(shown),
        "stages": STAGES,
        "totals": totals,
        "most": most,
        "late_by": late_by,
    }


def late_by(end: Forecast) -> timedelta:
    """How long after the cut-off the last order will be ready."""
    return -(end.margin or timedelta(0))


def _ground(asked: Asked) -> dict[str, Any]:
    """The ground is large and changes slowly: it is drawn anew every few seconds, people and walks at every look."""
    mode = asked.option("map", MAP_MODES)
    fills: dict[str, Any] = {"mode": mode, "modes": MAP_MODES, "top": 0, "bays": [], "svg": ""}
    if mode == "closed":
        return fills | closing(asked)
    if mode == "table":
        return fills | {"bays": asked.keep("bays", MAP_S, lambda: floor.bay_counts(asked.look))[:BAYS_MAX]}
    svg, top = asked.keep(f"ground:{mode}:{asked.reader.language}", MAP_S, lambda: _drawn_ground(asked, mode))
    return fills | {"svg": svg, "top": f"{top:,}"}


def _drawn_ground(asked: Asked, mode: str) -> tuple[Markup, int]:
    heat = floor.picks_by_bay(asked.look) if mode == "heat" else floor.filled_by_bay(asked.look)
    plan = floor.ground(asked.look, heat, asked.reader.say("terminal.map"), asked.reader.language)
    return Markup(map_svg(plan)), max([*heat.values(), 0])


def _over(asked: Asked, crew: Sequence[Worker]) -> Markup:
    """People and walks, to be laid over the ground."""
    if asked.option("map", MAP_MODES) in ("table", "closed"):
        return Markup("")
    return Markup(map_svg(floor.overlay(asked.look, crew, asked.reader.say("terminal.map.people"))))


def _plot(asked: Asked, day: Any) -> Markup | None:
    if not day.came[-1] and not day.shipped[-1]:
        return None
    asked_w = asked.options.get("width", "")
    width = min(PLOT_W_MAX, max(PLOT_W_MIN, int(asked_w))) if asked_w.isdecimal() else PLOT_W
    return drawing.day_plot(day, asked.reader, width, PLOT_H)


def _troubles(
    asked: Asked, found: Sequence[Trouble], flow: Flow, crew: Sequence[Worker], tiles: Sequence[Tile]
) -> dict[str, Any]:
    open_ones, put_aside = without_shelved(found, shelved(asked.look))
    reader = asked.reader
    return {
        "which": asked.option("list", LISTS),
        "open_ones": open_ones,
        "put_aside": put_aside,
        "count": len(open_ones),
        "by_priority": Counter(one.priority for one in open_ones),
        "calm": _calm(flow, crew, tiles),
        "why": lambda why: known_words(reader, "terminal.why", why),
    }


def _calm(flow: Flow, crew: Sequence[Worker], tiles: Sequence[Tile]) -> Calm:
    open_orders = sum(row.open + row.ready for row, _ in flow.rows) - flow.late
    return Calm(max(0, open_orders), sum(not tile.priority for tile in tiles), sum(not one.idle for one in crew))


def _tiles(asked: Asked, tiles: Sequence[Tile]) -> dict[str, Any]:
    well = sum(tile.priority == 0 for tile in tiles)
    return {"tiles": together(tiles)[:TILES_MAX], "all": len(tiles), "well": well, "name": device_name(asked.reader)}
