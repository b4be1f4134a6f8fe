"""Draws sections once for all who look: rows are asked at most once a second, however many streams there are.

A drawn panel carries a mark of its content, so that a stream sends only what changed. Looking costs at
most a seventh of one processor: after a look that took long, the next one waits as much longer.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, TypeVar, cast

from jinja2 import Environment
from markupsafe import Markup
from sqlalchemy.orm import Session

from wms.core.clock import Clock
from wms.core.db import Database
from wms.terminal import drawing
from wms.terminal.queries.look import look
from wms.terminal.sections import SECTIONS
from wms.terminal.sections.common import Asked, Part
from wms.terminal.service.planner import Planner
from wms.terminal.words import Reader, epoch_ms

T = TypeVar("T")

FRESH_S = 1.0
IDLE_S = 2.0
REST_FACTOR = 6
REST_S_MAX = 10.0
VIEWS_MAX = 64
LIVE = "live"
PANELS = "terminal/panels/"


@dataclass(frozen=True, slots=True)
class Panel:
    """A drawn panel. `mark` changes with its content."""

    name: str
    html: Markup
    mark: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class View:
    """Which section for whom: readers of one language who ask the same share one drawing."""

    section: str
    warehouse_id: int
    language: str
    options: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Drawn:
    """A section as it was at business time `now`."""

    now: datetime
    panels: tuple[Panel, ...]
    at_s: float = 0.0
    cost_s: float = 0.0


@dataclass
class _Kept:
    lock: threading.Lock = field(default_factory=threading.Lock)
    drawn: Drawn | None = None
    seen: int = -1


class Board:
    """One for a running house."""

    def __init__(self, db: Database, clock: Clock, wall: Clock, planner: Planner, templates: Environment) -> None:
        self._db, self._clock, self._wall = db, clock, wall
        self._planner, self._templates = planner, templates
        for name in templates.list_templates(filter_func=lambda name: name.startswith(PANELS)):
            templates.get_template(name)  # so that the first reader does not wait for the compiler
        self._kept: dict[View, _Kept] = {}
        self._memory: dict[tuple[int, str], tuple[float | None, Any]] = {}
        self._lock = threading.Lock()

    def drawn(self, view: View) -> Drawn:
        """The section now, at most a moment old: what one reader just had drawn serves the next."""
        kept = self._keeper(view)
        with kept.lock:
            seen = self._db.wakes.seen(LIVE)
            if kept.drawn is None or self._stale(kept.drawn, woken=seen != kept.seen):
                kept.drawn, kept.seen = self._draw(view), seen
            return kept.drawn

    def draw_now(self, view: View) -> Drawn:
        """The section drawn anew, whatever is at hand: for a page that is opened, or after its reader's own deed."""
        kept = self._keeper(view)
        with kept.lock:
            kept.seen = self._db.wakes.seen(LIVE)
            kept.drawn = self._draw(view)
            return kept.drawn

    def _keeper(self, view: View) -> _Kept:
        with self._lock:
            if view not in self._kept and len(self._kept) >= VIEWS_MAX:
                self._kept.pop(next(iter(self._kept)))
            return self._kept.setdefault(view, _Kept())

    def _stale(self, drawn: Drawn, *, woken: bool) -> bool:
        rest_s = min(REST_S_MAX, max(FRESH_S if woken else IDLE_S, drawn.cost_s * REST_FACTOR))
        return time.monotonic() - drawn.at_s >= rest_s

    def _draw(self, view: View) -> Drawn:
        began_s = time.thread_time()
        now = self._clock.now()
        panels = self._db.read(lambda session: self._panels(session, view, now))
        return Drawn(now, panels, time.monotonic(), time.thread_time() - began_s)

    def _panels(self, session: Session, view: View, now: datetime) -> tuple[Panel, ...]:
        here = look(session, view.warehouse_id, now, self._wall.now())
        reader = Reader(view.language, here.here.zone)
        asked = Asked(here, reader, self._planner, dict(view.options), partial(self._remembered, view.warehouse_id))
        parts = SECTIONS[view.section](asked)
        return tuple(self._panel(part, reader) for part in parts)

    def _remembered(self, warehouse_id: int, name: str, seconds: float, make: Callable[[], T]) -> T:
        """What is dear to find out and changes slowly."""
        key = warehouse_id, name
        with self._lock:
            made_s, value = self._memory.get(key, (None, None))
        if made_s is not None and time.monotonic() - made_s < seconds:
            return cast(T, value)
        fresh = make()
        with self._lock:
            while len(self._memory) >= VIEWS_MAX:
                self._memory.pop(next(iter(self._memory)))
            self._memory[key] = time.monotonic(), fresh
        return fresh

    def _panel(self, part: Part, reader: Reader) -> Panel:
        template = self._templates.get_template(f"{PANELS}{part.template}.html")
        html = Markup(template.render(**TOOLS, r=reader, **part.fills).strip())  # escaped by the template
        return Panel(part.name, html, hashlib.sha256(html.encode()).hexdigest()[:12], part.label)


TOOLS: Mapping[str, Any] = {
    "ms": epoch_ms,
    "shape": drawing.shape,
    "spark": drawing.spark,
    "bar": drawing.bar,
    "share": drawing.share,
    "pace": drawing.pace,
    "fill": drawing.fill,
}
