"""Designs in use: the house's own for all, or one merchant's, in place of a built-in label. Old ones stay on record."""

from __future__ import annotations

from typing import Any

from wms.core.audit_trail import note
from wms.core.call import Call
from wms.printing.designs import from_json, to_json
from wms.printing.languages import Language, to_bytes
from wms.printing.queries import EVERYBODY, built_in, design_of
from wms.printing.render import render
from wms.printing.samples import sample_of
from wms.printing.service import queue
from wms.printing.tables import LabelDesign
from wms.printing.templates.elements import Template
from wms.printing.values import PrintRequest

RESOLUTIONS = (203, 300)


def checked(name: str, elements: object) -> Template:
    """A design that prints: read, and drawn with the sample's words at both resolutions.

    Raises NOT_FOUND, BAD_INPUT naming the element, CODE_UNPRINTABLE where a code does not fit its place.
    """
    template = from_json(built_in(name), elements)
    for dpi in RESOLUTIONS:
        render(template, sample_of(name).values, dpi)
    return template


def save_design(call: Call, name: str, elements: object, merchant_id: int = EVERYBODY) -> None:
    """Print a label by this design from now on. Labels that are queued already stay as they are."""
    template = checked(name, elements)
    _keep(call, name, merchant_id, to_json(template))
    note(call, "design.saved", label=name, merchant=merchant_id)


def drop_design(call: Call, name: str, merchant_id: int = EVERYBODY) -> None:
    """Back to the house's design, or the built-in one. Raises NOT_FOUND."""
    built_in(name)
    _keep(call, name, merchant_id, None)
    note(call, "design.dropped", label=name, merchant=merchant_id)


def _keep(call: Call, name: str, merchant_id: int, elements: list[dict[str, Any]] | None) -> None:
    row = LabelDesign(
        warehouse_id=call.warehouse_id,
        merchant_id=merchant_id,
        template=name,
        elements={"of": elements},
        made_at=call.now,
        made_by=call.actor,
    )
    call.session.add(row)
    call.session.flush()
    call.wakes.add("live")


def print_test(call: Call, name: str, station_id: int, language: Language, merchant_id: int = EVERYBODY) -> int:
    """The sample of a label on a station's printer; the job's id. Its code belongs to nothing in the house."""
    template = design_of(call.session, call.warehouse_id, built_in(name), merchant_id)
    content = to_bytes(render(template, sample_of(name).values), template, language)
    request = PrintRequest(
        key=f"test/{call.request_id}",
        station_id=station_id,
        document=name,
        subject="TEST",
        media=template.media,
        language=language.value,
        content=content,
    )
    note(call, "print.tested", label=name, station=station_id)
    return queue(call, request)
