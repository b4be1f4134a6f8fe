"""The live stream: server-sent events, one stream a page, each with what changed since the last.

A stream wakes with every commit that concerns the screens, looks at most once a second, and beats every two seconds so
that the page knows that what it shows is true. At most twelve run at once: each holds a thread of the server.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

from flask import Response, request
from flask.typing import ResponseReturnValue

from wms.core.clock import Clock
from wms.core.db import Database
from wms.core.i18n import text
from wms.core.perform import to_json
from wms.core.refusal import Reason, Refused
from wms.core.web import edge, json_response
from wms.people import queries as people
from wms.terminal.board import FRESH_S, LIVE, Board, Drawn, View
from wms.terminal.pages.blueprints import WALL, kept, terminal_pages
from wms.terminal.pages.views import view_of
from wms.terminal.pages.who import SESSION_COOKIE, Sitter, sitter
from wms.terminal.sections import SECTIONS
from wms.terminal.words import epoch_ms

BEAT_S = 2.0
SESSION_EVERY_S = 15.0
STREAM_S_MAX = 3600.0
MARKS_MAX = 20


@dataclass(frozen=True, slots=True)
class _Stream:
    db: Database
    clock: Clock
    board: Board
    view: View
    token: str
    marks: dict[str, str]


@terminal_pages.get("/live")
def live() -> ResponseReturnValue:
    """`section` and its options as in the page's address; `have` = what the page shows already ("flow:ab12,...")."""
    found, here, at = sitter(), kept(), edge()
    name = request.args.get("section", "overview")
    if name not in SECTIONS:
        raise Refused(Reason.BAD_INPUT, what="section")
    if not here.streams.acquire(blocking=False):
        return _full(found)
    marks = _marks(request.args.get("have", ""))
    stream = _Stream(at.db, at.clock, here.board, view_of(found, name), request.cookies.get(SESSION_COOKIE, ""), marks)
    answer = Response(_events(stream), content_type="text/event-stream; charset=utf-8")
    answer.call_on_close(here.streams.release)
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["X-Accel-Buffering"] = "no"
    return answer


def _full(found: Sitter) -> Response:
    """The thirteenth is told what to do, instead of being left with an empty page."""
    busy = Reason.BUSY
    message = text("terminal.page.full", found.who.language)
    return json_response(to_json({"error": {"reason": busy.value, "message": message, "facts": {}}}), busy.status)


def _marks(have: str) -> dict[str, str]:
    pairs = [pair.partition(":") for pair in have.split(",")[:MARKS_MAX]]
    return {name: mark for name, _, mark in pairs if mark}


def _events(stream: _Stream) -> Iterator[str]:
    """Until the reader goes, his session ends, or an hour is over (he then comes again)."""
    until_s = time.monotonic() + STREAM_S_MAX
    asked_s = time.monotonic()
    yield "retry: 1000\n\n"
    while time.monotonic() < until_s:
        seen = stream.db.wakes.seen(LIVE)
        drawn = stream.board.drawn(stream.view)
        yield _changed(stream, drawn) or _beat(stream)
        if time.monotonic() - asked_s > SESSION_EVERY_S:
            asked_s = time.monotonic()
            if not _still_here(stream):
                yield _event("gone", {})
                return
        time.sleep(FRESH_S)
        stream.db.wakes.wait(LIVE, seen, BEAT_S - FRESH_S)


def _changed(stream: _Stream, drawn: Drawn) -> str:
    """An event with the panels whose mark is not the one last sent; "" when nothing changed."""
    fresh = {panel.name: panel for panel in drawn.panels if stream.marks.get(panel.name) != panel.mark}
    if not fresh:
        return ""
    stream.marks.update({name: panel.mark for name, panel in fresh.items()})
    panels = {name: {"html": panel.html, "mark": panel.mark} for name, panel in fresh.items()}
    return _event("panels", {"now_ms": epoch_ms(stream.clock.now()), "panels": panels})


def _beat(stream: _Stream) -> str:
    return f": beat\n{_event('beat', {'now_ms': epoch_ms(stream.clock.now())})}"


def _event(name: str, content: object) -> str:
    return f"event: {name}\ndata: {to_json(content)}\n\n"


def _still_here(stream: _Stream) -> bool:
    try:
        stream.db.read(lambda session: people.who_has_session(session, stream.token, WALL.now()))
    except Refused:
        return False
    return True
