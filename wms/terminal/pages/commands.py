"""Every button's door: one deed, once. What takes long is handed to the planner after the commit."""

from __future__ import annotations

from typing import Any

from flask import Response
from sqlalchemy.orm import Session

from wms.core.call import Call
from wms.core.perform import perform, to_json
from wms.core.refusal import Reason, Refused
from wms.core.web import edge, respond
from wms.site import queries as site
from wms.terminal.pages.blueprints import kept, terminal_pages
from wms.terminal.pages.who import Sitter, body, field, sitter
from wms.terminal.service.deeds import do
from wms.terminal.service.planner import Wanted
from wms.terminal.words import Reader


@terminal_pages.post("/do")
def do_deed() -> Response:
    """`{id, deed, args}`: done once per id, answered alike. The answer is the sentence to show."""
    found, given, at = sitter(changing=True), body(), edge()
    name, request_id = field(given, "deed", 40), field(given, "id", 100)
    args = given.get("args", {})
    if not isinstance(args, dict):
        raise Refused(Reason.BAD_INPUT, what="args")
    reader = at.db.read(lambda session: _reader(session, found))

    jobs: list[Wanted] = []

    def work(call: Call) -> dict[str, Any]:
        done = do(call, name, args)
        jobs[:] = done.jobs
        return {"says": reader.words(done.words)}

    outcome = perform(at.db, at.clock, found.who, request_id, to_json([name, args]), work)
    if outcome.status == 200 and not outcome.replayed:
        for wanted in jobs:
            kept().planner.want(found.who, wanted)
    return respond(outcome)


def _reader(session: Session, found: Sitter) -> Reader:
    return Reader(found.who.language, site.warehouse(session, found.who.warehouse_id).zone)
