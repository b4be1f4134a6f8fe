"""Papers to look at, print or keep: manifests as PDF, a parcel's label as a picture."""

from __future__ import annotations

from flask import Response
from sqlalchemy.orm import Session

from wms.core.web import edge
from wms.packing.queries import parcel_by_code
from wms.printing import Template, render, to_png
from wms.printing.papers import manifest_pdf
from wms.printing.queries import design_of
from wms.printing.templates import WAYBILL_100X180
from wms.printing.values import LabelValues
from wms.shipping.labels import waybill_values
from wms.shipping.papers import manifest_paper
from wms.terminal.pages.blueprints import terminal_pages
from wms.terminal.pages.who import sitter


@terminal_pages.get("/manifests/<no>.pdf")
def manifest(no: str) -> Response:
    """A courier's manifest, also while it is still open."""
    found = sitter()
    paper = edge().db.read(lambda session: manifest_paper(session, found.who.warehouse_id, no))
    answer = Response(manifest_pdf(paper), content_type="application/pdf")
    answer.headers["Content-Disposition"] = f'inline; filename="{paper.no}.pdf"'
    answer.headers["Cache-Control"] = "no-store"
    return answer


@terminal_pages.get("/parcels/<waybill>.png")
def parcel_label(waybill: str) -> Response:
    """What a parcel's label looks like, names and phones masked, so that somebody finds it among others."""
    found = sitter()

    def ask(session: Session) -> tuple[Template, LabelValues]:
        house = found.who.warehouse_id
        parcel = parcel_by_code(session, house, waybill)
        template = design_of(session, house, WAYBILL_100X180, parcel.merchant_id)
        return template, waybill_values(session, house, parcel.id)

    template, values = edge().db.read(ask)
    answer = Response(to_png(render(template, values)), content_type="image/png")
    answer.headers["Cache-Control"] = "no-store"
    return answer
