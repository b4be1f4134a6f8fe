"""The floor map as a switchboard: what is closed, what that sets aside, and the form that closes and opens."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from wms.core.refusal import Reason, Refused
from wms.picking.queries.aside import aside_counts, aside_lines
from wms.site import queries as site
from wms.site.map import MapTouch, map_svg
from wms.site.picture import closing_plan
from wms.site.values import ClosureFacts, HallFacts
from wms.terminal.sections.common import Asked

LINES_SHOWN = 40
BAYS_MOST = 999


def closing(asked: Asked) -> dict[str, Any]:
    """What the panel is filled with: the map, the names to choose from, what is closed, the lines set aside."""
    look = asked.look
    hall = _hall(asked)
    if hall is None:
        return {"hall": None}
    names = [*(aisle.name for aisle in hall.aisles), *sorted({aisle.zone_code for aisle in hall.aisles})]
    chosen = asked.option("aisle", ("", *names))
    lines, orders = aside_counts(look.session, look.warehouse_id) if hall.closures else (0, 0)
    return {
        "hall": hall,
        "svg": _map(asked, hall, chosen),
        "aisles": [aisle.name for aisle in hall.aisles],
        "zones": sorted({aisle.zone_code for aisle in hall.aisles}),
        "chosen": chosen,
        "closures": hall.closures,
        "stretch": lambda one: _stretch(hall, one),
        "counts": (f"{lines:,}", f"{orders:,}") if lines else None,
        "lines": aside_lines(look.session, look.warehouse_id, LINES_SHOWN),
        "bays_most": BAYS_MOST,
    }


def _hall(asked: Asked) -> HallFacts | None:
    try:
        return site.hall(asked.look.session, asked.look.warehouse_id)
    except Refused as no:
        if no.reason is not Reason.NOT_FOUND:
            raise
        return None


def _map(asked: Asked, hall: HallFacts, chosen: str) -> Markup:
    low, high = hall.hall.cross_y_mm[0], hall.hall.cross_y_mm[-1]
    touches = [
        MapTouch(aisle.x_mm, low, high, f"aisle={aisle.name}", aisle.name, chosen in (aisle.name, aisle.zone_code))
        for aisle in hall.aisles
    ]
    plan = closing_plan(
        asked.look.session,
        asked.look.warehouse_id,
        touches,
        asked.reader.say("terminal.map.closed"),
        asked.reader.language,
    )
    return Markup(map_svg(plan))


def _stretch(hall: HallFacts, one: ClosureFacts) -> str:
    """Metres from the front, when it is not the whole aisle."""
    low, high = hall.hall.cross_y_mm[0], hall.hall.cross_y_mm[-1]
    if (one.from_y_mm, one.to_y_mm) == (low, high):
        return ""
    return f"{(one.from_y_mm - low) / 1_000:.0f}–{(one.to_y_mm - low) / 1_000:.0f} m"
