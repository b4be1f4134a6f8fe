"""The sections as pages, drawn whole: what the stream sends later only replaces what changed."""

from __future__ import annotations

from typing import Any

from flask import make_response, render_template, request
from flask.typing import ResponseReturnValue

from wms.core.perform import error_body
from wms.core.refusal import Reason, Refused
from wms.core.web import edge
from wms.optimise.geometry import Point
from wms.site import queries as site
from wms.terminal.board import TOOLS, View
from wms.terminal.pages.blueprints import kept, terminal_pages
from wms.terminal.pages.who import Sitter, anyone, sitter
from wms.terminal.sections import SECTIONS
from wms.terminal.words import Reader, epoch_ms

OPTIONS = (
    "map",
    "list",
    "width",
    "wave",
    "batch",
    "q",
    "side",
    "move",
    "plan",
    "bay",
    "most",
    "season",
    "aisle",
    "label",
    "of",
    "view",
    "people",
    "page",
    "passage",
)
OPTION_LENGTH_MAX = 128
KEYS = (
    ("/", "terminal.key.find"),
    ("1–8", "terminal.key.section"),
    ("J K", "terminal.key.next"),
    ("Enter", "terminal.key.fix"),
    ("S", "terminal.key.shelve"),
    ("M", "terminal.key.map"),
    ("V", "terminal.key.view"),
    ("N P", "terminal.key.batch"),
    ("T", "terminal.key.theme"),
    ("Ctrl+Enter", "terminal.key.release"),
    ("?", "terminal.key.keys"),
)
PAGE_TEXTS = ("minutes", "days", "seconds_ago", "offline", "stale", "logged_out", "fresh", "no_answer", "full")


@terminal_pages.get("/")
def overview() -> ResponseReturnValue:
    return _page("overview")


@terminal_pages.get("/<any(waves, slots, line, people, devices, labels, look):section>")
def section(section: str) -> ResponseReturnValue:
    return _page(section)


def _page(name: str) -> ResponseReturnValue:
    found = sitter()
    drawn = kept().board.draw_now(view_of(found, name))
    return render_template("terminal/section.html", panels=drawn.panels, **_frame(found, name))


def view_of(found: Sitter, name: str) -> View:
    """What the address asks for. Options are few and short: each combination is drawn for itself."""
    options = tuple(
        (option, request.args[option][:OPTION_LENGTH_MAX]) for option in OPTIONS if request.args.get(option)
    )
    return View(name, found.who.warehouse_id, found.who.language, options)


def _frame(found: Sitter, name: str) -> dict[str, Any]:
    """What the shell needs around every section."""
    at = edge()
    here = at.db.read(lambda session: site.warehouse(session, found.who.warehouse_id))
    reader = Reader(found.who.language, here.zone)
    return {
        **TOOLS,
        "r": reader,
        "here": here,
        "area_m2": _area_m2(found.who.warehouse_id),
        "person": found.person,
        "theme": found.theme,
        "csrf": found.csrf,
        "section": name,
        "sections": list(SECTIONS),
        "asked": request.args.get("q", "")[:OPTION_LENGTH_MAX],
        "keys": KEYS,
        "now_ms": epoch_ms(at.clock.now()),
        "rate": getattr(at.clock, "factor", 1.0),
        "page_texts": {key: reader.say(f"terminal.page.{key}") for key in PAGE_TEXTS},
    }


def _area_m2(warehouse_id: int) -> int:
    """The hall's floor within its walls (shoelace), rounded to what people say."""
    try:
        outline = edge().db.read(lambda session: site.hall(session, warehouse_id).outline)
    except Refused:
        return 0
    return int(round(_shoelace_mm2(outline) / 1e6, -1))


def _shoelace_mm2(outline: tuple[Point, ...]) -> float:
    pairs = zip(outline, outline[1:] + outline[:1], strict=True)
    return abs(sum(a.x_mm * b.y_mm - b.x_mm * a.y_mm for a, b in pairs)) / 2


def state_page(no: Refused) -> ResponseReturnValue:
    """A section that cannot be shown: which right is missing and who gives it, or what went wrong and what to do."""
    found = anyone()
    frame = _frame(found, "overview")
    reader: Reader = frame["r"]
    denied = no.reason is Reason.NOT_ALLOWED
    key = "terminal.denied" if denied else "terminal.broken"
    page = render_template(
        "terminal/state.html",
        **frame,
        title=reader.say(key),
        says=error_body(no, found.who.language)["error"]["message"],
        advice=reader.say(f"{key}.do"),
        again=None if denied else request.path,
        code=no.reason.value,
    )
    return make_response(page, no.reason.status)
