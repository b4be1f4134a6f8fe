"""What a section is asked and what it answers: parts, each a template with what fills it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from wms.core.i18n import catalogue
from wms.terminal.queries.look import Look
from wms.terminal.service.planner import Planner
from wms.terminal.values import Tile, Worker
from wms.terminal.words import Reader

T = TypeVar("T")


class Keep(Protocol):
    """Remembers what is dear to find out: made anew at most every so many seconds, for all readers of one building."""

    def __call__(self, name: str, seconds: float, make: Callable[[], T]) -> T: ...


def _made_anew(name: str, seconds: float, make: Callable[[], T]) -> T:
    return make()


@dataclass(frozen=True, slots=True)
class Asked:
    """One look for one reader. `options` are what the page's address says beside the section (bounded by the edge)."""

    look: Look
    reader: Reader
    planner: Planner
    options: Mapping[str, str] = field(default_factory=dict)
    keep: Keep = _made_anew

    def option(self, name: str, allowed: tuple[str, ...]) -> str:
        """The option's value, or the first allowed one."""
        value = self.options.get(name, "")
        return value if value in allowed else allowed[0]


@dataclass(frozen=True, slots=True)
class Part:
    """A panel: its name (also the id of its place on the page), its template, and what fills it."""

    name: str
    template: str
    fills: Mapping[str, Any]
    label: str = ""


def known_words(reader: Reader, key: str, name: str) -> str:
    """The words for a code, or the code itself where a newer room has one we do not know."""
    return reader.say(f"{key}.{name}") if f"{key}.{name}" in catalogue() else name


def doing(reader: Reader) -> Any:
    """What somebody does, in words."""
    return lambda name: known_words(reader, "terminal.task", name)


def device_name(reader: Reader) -> Any:
    """A tile's name: kind and number of its table, or words for what stands for several."""

    def name(tile: Tile) -> str:
        if tile.icon == "chute":
            return reader.say("terminal.device.chutes_name", n=tile.name)
        if tile.icon == "pda":
            return tile.name
        number = tile.station.rpartition("-")[2] if tile.gateway else tile.name
        return f"{known_words(reader, 'terminal.device.kind', tile.icon)} {number}".strip()

    return name


def activity(reader: Reader) -> Any:
    """What somebody does where: the zone before it, the number of the table after it."""

    def says(worker: Worker) -> str:
        what = known_words(reader, "terminal.task", worker.doing)
        table = worker.place.rpartition("-")[2]
        return f"{what} {table}" if "-" in worker.place else f"{worker.place} {what}".strip()

    return says
