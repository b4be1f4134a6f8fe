"""How a label looks: as it is printed now, and as it would be with what stands in the fields."""

from __future__ import annotations

import base64

from flask import Response, request

from wms.core.perform import to_json
from wms.core.refusal import Reason, Refused
from wms.core.web import edge, json_response
from wms.printing import render, to_png
from wms.printing.designing import RESOLUTIONS, checked
from wms.printing.queries import design_facts
from wms.printing.samples import sample_of
from wms.printing.templates.elements import Template
from wms.terminal.pages.blueprints import terminal_pages
from wms.terminal.pages.who import body, field, sitter


@terminal_pages.get("/labels/<name>.png")
def label_picture(name: str) -> Response:
    """The sample of a label as it is printed now; `of`: the merchant, `dpi`: 203 or 300."""
    found = sitter()
    merchant, dpi = request.args.get("of", "0"), request.args.get("dpi", "203")
    if not merchant.isdecimal() or len(merchant) > 18 or dpi not in map(str, RESOLUTIONS):
        raise Refused(Reason.BAD_INPUT, what="of, dpi")
    facts = edge().db.read(lambda session: design_facts(session, found.who.warehouse_id, name, int(merchant)))
    answer = Response(_png(facts.template, int(dpi)), content_type="image/png")
    answer.headers["Cache-Control"] = "no-store"
    return answer


@terminal_pages.post("/labels/preview")
def label_preview() -> Response:
    """`{label, elements, dpi}` as a picture, nothing kept: {"png": base64}. Refuses what could not be saved."""
    _, given = sitter(changing=True), body()
    dpi = given.get("dpi", RESOLUTIONS[0])
    if dpi not in RESOLUTIONS:
        raise Refused(Reason.BAD_INPUT, what="dpi")
    drawn = checked(field(given, "label", 40), given.get("elements"))
    return json_response(to_json({"png": base64.b64encode(_png(drawn, dpi)).decode("ascii")}))


def _png(template: Template, dpi: int) -> bytes:
    return to_png(render(template, sample_of(template.name).values, dpi))
