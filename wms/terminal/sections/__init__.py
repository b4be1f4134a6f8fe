"""The sections of the rail: each asks its queries and says which template draws which panel."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from wms.terminal.sections.common import Asked, Part
from wms.terminal.sections.floor import people, the_line, things
from wms.terminal.sections.labels import labels_section
from wms.terminal.sections.looking import look_up_section
from wms.terminal.sections.overview import overview
from wms.terminal.sections.slots import slots_section
from wms.terminal.sections.waves import waves_section

SECTIONS: Mapping[str, Callable[[Asked], list[Part]]] = {
    "overview": overview,
    "waves": waves_section,
    "slots": slots_section,
    "line": the_line,
    "people": people,
    "devices": things,
    "labels": labels_section,
    "look": look_up_section,
}
