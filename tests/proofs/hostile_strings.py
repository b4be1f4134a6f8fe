"""Hostile strings into every text that enters the house, and what every output makes of them: text, and nothing more.

Outputs: pages (no element or attribute of a stranger's making), JSON (strict, one value), the log (one JSON object a
line, no sign that a terminal obeys), label bytes (the printers' small interpreters see one picture and no command). No
door answers with a mistake of ours, and every promise still holds afterwards.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr
from functools import partial
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlencode

import structlog
from flask import Flask
from sqlalchemy import select

from tests.printing.interpreters import UnknownCommand, escpos_paper, tspl_paper
from tests.printing.optics import zone
from tests.printing.test_hostile import poisoned
from tests.proofs.frame import BOTH, SQLITE, Ground, Outcome, proof, twin
from tests.proofs.fuzz.entrances import Answer, Hands, every_entrance
from tests.proofs.fuzz.hostile import ATTRIBUTE, FAMILIES, LINE, STRINGS, TAG
from tests.proofs.fuzz.park import KNOWN, Fuzzed, a_fuzzed_park
from tests.proofs.sabotage import replaced
from wms.catalog.tables import Sku
from wms.core import logs
from wms.core.call import Call
from wms.core.db.tables import table_of
from wms.inbound.tables import Asn
from wms.outbound.service import cancel_order
from wms.outbound.tables import Order
from wms.outbound.values import OrderState
from wms.printing import Language, render, to_bytes
from wms.printing.raster import Box, Canvas, Type
from wms.printing.samples import samples

BROKEN_TOLD_MAX = 10
CARDS = 4
PAGES = ("", "waves", "line", "people", "devices", "look?q=S1", "look?q=H", "login")
OBEYED = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
GOAL = "0 escapes"


class Elements(HTMLParser):
    """What a browser would make elements and attributes of."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.made: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = {name for name, _value in attrs}
        runs = [
            value
            for name, value in attrs
            if name in ("href", "src", "action") and "evil" in (value or "").split("?")[0]
        ]
        if tag == TAG or ATTRIBUTE in names or runs or any(name.startswith("on") for name in names):
            self.made.append(f"<{tag} {attrs}>"[:150])


def wrong_with_page(page: str) -> str:
    """The first thing of a stranger's making in a page."""
    reader = Elements()
    reader.feed(page)
    return reader.made[0] if reader.made else ""


def wrong_with_answer(answer: Answer) -> str:
    """What is wrong with an answer, whatever was asked."""
    if answer.status >= 500 and answer.status != 503:
        return f"{answer.status}: {answer.text[:120]}"
    if answer.kind.startswith("application/json"):
        try:
            json.loads(answer.text, parse_constant=lambda word: 1 / 0)
        except (ValueError, ZeroDivisionError):
            return f"no JSON: {answer.text[:120]}"
    if answer.kind.startswith("text/html"):
        return wrong_with_page(answer.text)
    return ""


def wrong_with_log(written: str) -> list[str]:
    """Lines that are no event, or that a terminal would obey."""
    found = []
    for line in written.split("\n"):
        if not line:
            continue
        try:
            event = json.loads(line)
        except ValueError:
            event = None
        if not isinstance(event, dict) or line.startswith(LINE) or OBEYED.search(line):
            found.append(f"log: {line[:150]!r}")
    return found


def chosen(strings: int) -> Sequence[str]:
    """About this many of all strings, of every family."""
    return STRINGS[:: max(1, len(STRINGS) // strings)]


@contextmanager
def listened() -> Iterator[io.StringIO]:
    """What is logged meanwhile."""
    written = io.StringIO()
    with redirect_stderr(written):
        logs.set_up()
        yield written
    logs.set_up()


def sweep(ground: Ground, texts: Sequence[str]) -> Outcome:
    """Every string into every entrance; the pages are looked at after each string."""
    fuzzed, broken, put = a_fuzzed_park(ground.database()), [], 0
    hands = Hands(fuzzed)
    entrances = every_entrance(fuzzed, hands, ground.folder)
    with listened() as written:
        for text in texts:
            structlog.get_logger("hostile").warning("hostile.string", text=text, **{"a key": {text: [text]}})
            for entrance in entrances:
                wrong = _one(entrance.put, text)
                put += 1
                if wrong:
                    broken.append(f"{entrance.name} {text[:40]!r}: {wrong}")
            broken += look_at_pages(hands, [*PAGES, *_cards(fuzzed)])
            call_off(fuzzed)
            if len(broken) >= BROKEN_TOLD_MAX:
                break
        said = written.getvalue()
    broken += wrong_with_log(said)
    facts = {"strings": len(texts), "entrances": len(entrances), "lines of log": said.count("\n")}
    return Outcome(f"{put:,} texts put in", (*broken[:BROKEN_TOLD_MAX], *ground.audit()), facts=facts)


def call_off(fuzzed: Fuzzed) -> None:
    """Cancel the orders of the last string: each new wave would try to promise stock to all of them once more."""
    orders = table_of(Order).c
    placed = select(orders.no).where(orders.state == OrderState.PLACED.value, orders.no != KNOWN["no"])
    for no in fuzzed.park.read(lambda session: session.scalars(placed).all()):
        fuzzed.park.act(partial(_cancel, no))


def _cancel(no: str, call: Call) -> None:
    cancel_order(call, no, KNOWN["merchant"])


def _cards(fuzzed: Fuzzed) -> list[str]:
    """The newest of what was made under hostile names, looked up by its code."""
    newest = (table_of(Sku).c.code, table_of(Order).c.no, table_of(Asn).c.no)

    def ask(session: Any) -> list[str]:
        queries = [select(column).order_by(column.table.c.id.desc()).limit(CARDS) for column in newest]
        return [code for query in queries for code in session.scalars(query)]

    return [f"look?{urlencode({'q': code})}" for code in fuzzed.park.read(ask)]


def _one(put: Any, text: str) -> str:
    try:
        return wrong_with_answer(put(text))
    except Exception as error:  # noqa: BLE001 - whatever comes out of a door is a finding
        return f"{type(error).__name__}: {error}"[:200]


def look_at_pages(hands: Hands, pages: Sequence[str]) -> list[str]:
    """Every page, in both languages, as somebody logged in sees it."""
    broken = []
    for page in pages:
        answer = hands.page(page)
        wrong = wrong_with_answer(answer) or ("" if answer.status == 200 else str(answer.status))
        if wrong:
            broken.append(f"page {page}: {wrong}")
    return broken


@proof(name="hostile_strings", promises=(10,), on=BOTH, small={"strings": 2}, full={"strings": 510}, goal=GOAL)
def hostile_strings(ground: Ground, *, strings: int) -> Outcome:
    return sweep(ground, chosen(strings))


@twin(of="hostile_strings", sabotage="pages no longer escape what they show", on=(SQLITE,), small={"strings": 1})
def pages_unescaped(ground: Ground, *, strings: int) -> Outcome:
    with replaced(Flask, select_jinja_autoescape=lambda _app, _filename: False):
        return sweep(ground, FAMILIES["markup"][:strings])


@twin(of="hostile_strings", sabotage="the log is plain text", on=(SQLITE,), small={"strings": 1})
def plain_log(ground: Ground, *, strings: int) -> Outcome:
    with replaced(logs, _written=lambda event, **_given: f"{event.get('event')} {event.get('text')}"):
        return sweep(ground, FAMILIES["line"][:strings])


def print_labels(ground: Ground, strings: int) -> Outcome:
    """Every string in every text of every label: the codes stay as they were, the printer sees one picture."""
    broken, printed = [], 0
    for sample in samples():
        honest = render(sample.template, sample.values)
        for text in chosen(strings):
            hostile = render(sample.template, poisoned(sample, text))
            printed += 2
            if _paper(hostile, sample.template) != [hostile.rows] * 2:
                broken.append(f"{sample.template.name} {text[:40]!r}: a command was sent")
            for code in sample.template.codes():
                known = not code.needs or sample.values.words()[code.needs]
                if known and zone(hostile, code.box, 8).tobytes() != zone(honest, code.box, 8).tobytes():
                    broken.append(f"{sample.template.name} {text[:40]!r}: the {code.kind} is another")
            if len(broken) >= BROKEN_TOLD_MAX:
                break
    facts = {"templates": len(samples()), "strings": len(chosen(strings))}
    return Outcome(f"{printed:,} labels", tuple(broken[:BROKEN_TOLD_MAX]), facts=facts)


def _paper(bitmap: Any, template: Any) -> list[bytes]:
    try:
        return [
            escpos_paper(to_bytes(bitmap, template, Language.ESCPOS)).rows,
            tspl_paper(to_bytes(bitmap, template, Language.TSPL)).rows,
        ]
    except UnknownCommand:
        return []


@proof(name="hostile_labels", promises=(10,), on=(SQLITE,), small={"strings": 6}, full={"strings": 510}, goal=GOAL)
def hostile_labels(ground: Ground, *, strings: int) -> Outcome:
    return print_labels(ground, strings)


@twin(of="hostile_labels", sabotage="a text may leave its box")
def words_everywhere(ground: Ground, *, strings: int) -> Outcome:
    within = Canvas.text

    def everywhere(canvas: Canvas, _box: Box, words: str, style: Type) -> None:
        within(canvas, Box(0, 0, 60, 40), words * 40, Type(style.size, lines=9))

    with replaced(Canvas, text=everywhere):
        return print_labels(ground, strings)
