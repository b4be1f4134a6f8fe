from __future__ import annotations

import base64
import io
from typing import Any

import pytest
from PIL import Image

from tests.builders import acting
from tests.inbound.dock import refusal
from wms.core.db import Database
from wms.core.refusal import Reason, Refused
from wms.printing import TEMPLATES, render
from wms.printing.designing import drop_design, save_design
from wms.printing.designs import ELEMENTS_MAX, from_json, to_json
from wms.printing.queries import design_of
from wms.printing.samples import sample_of
from wms.printing.templates import BAG_TAG_100X100, WAYBILL_100X180
from wms.printing.templates.elements import Template


def a_logo(size: tuple[int, int] = (40, 20)) -> str:
    file = io.BytesIO()
    Image.new("RGB", size, "black").save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_template_is_the_same_after_it_was_data(name: str) -> None:
    again = from_json(TEMPLATES[name], to_json(TEMPLATES[name]))
    assert again == TEMPLATES[name]
    assert render(again, sample_of(name).values).rows == render(TEMPLATES[name], sample_of(name).values).rows


def test_a_logo_is_printed_where_it_was_put() -> None:
    logo = {"is": "picture", "x": 60, "y": 92, "w": 10, "h": 5, "png": a_logo()}
    design = from_json(BAG_TAG_100X100, [*to_json(BAG_TAG_100X100), logo])
    plain, changed = (render(each, sample_of(each.name).values).rows for each in (BAG_TAG_100X100, design))
    differing = [number for number, (a, b) in enumerate(zip(plain, changed, strict=True)) if a != b]
    bytes_a_row = 100
    assert min(differing) // bytes_a_row >= 92 * 8
    assert max(differing) // bytes_a_row < 97 * 8


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"x": 99, "w": 5}, "w: a number"),
        ({"say": "{number"}, "brace"),
        ({"say": "{password}"}, "this label has"),
        ({"say": "{number.__class__}"}, "this label has"),
        ({"size": 200}, "size: a number"),
        ({"size": True}, "size: a number"),
        ({"align": "middle"}, "align: one of"),
        ({"lines": 1.5}, "lines: a whole number"),
        ({"bold": "yes"}, "bold: true or false"),
        ({"colour": "red"}, "colour: not known here"),
        ({"is": "script"}, "is: one of"),
        ({"needs": "nothing"}, "this label has"),
    ],
)
def test_what_cannot_be_printed_is_refused_by_element_and_word(change: dict[str, Any], says: str) -> None:
    words = {"is": "words", "x": 4, "y": 4, "w": 20, "h": 5, "say": "{number}", "size": 4}
    assert from_json(WAYBILL_100X180, [*to_json(WAYBILL_100X180), words]).elements
    with pytest.raises(Refused) as no:
        from_json(WAYBILL_100X180, [*to_json(WAYBILL_100X180), {**words, **change}])
    assert no.value.reason is Reason.BAD_INPUT
    what = str(no.value.facts["what"])
    assert says in what
    assert f"element {len(WAYBILL_100X180.elements) + 1}:" in what


def test_a_design_keeps_every_code_that_machines_read() -> None:
    for lost in range(len(WAYBILL_100X180.elements)):
        told = to_json(WAYBILL_100X180)
        gone = told.pop(lost)
        same_elsewhere = any(
            (one.get("kind"), one.get("content")) == (gone.get("kind"), gone.get("content")) for one in told
        )
        if gone["is"] == "code" and not same_elsewhere:
            assert refusal(lambda told=told: from_json(WAYBILL_100X180, told)) is Reason.BAD_INPUT  # type: ignore[misc]
        else:
            assert from_json(WAYBILL_100X180, told).elements


@pytest.mark.parametrize(
    "png", ["", "bm90IGEgcGljdHVyZQ==", "%%%", a_logo((1201, 2))], ids=["none", "text", "no base64", "huge"]
)
def test_only_small_pictures_are_taken(png: str) -> None:
    logo = {"is": "picture", "x": 60, "y": 92, "w": 10, "h": 5, "png": png}
    assert refusal(lambda: from_json(BAG_TAG_100X100, [*to_json(BAG_TAG_100X100), logo])) is Reason.BAD_INPUT


@pytest.mark.parametrize("told", [None, [], "x", [1], [{"is": "fill"}] * (ELEMENTS_MAX + 1)])
def test_a_design_is_a_list_of_elements(told: object) -> None:
    assert refusal(lambda: from_json(BAG_TAG_100X100, told)) is Reason.BAD_INPUT


def test_a_design_is_read_once_and_a_newer_one_is_printed_at_once(database: Database) -> None:
    def shown() -> Template:
        return database.read(lambda session: design_of(session, 1, BAG_TAG_100X100, None))

    def save(*elements: dict[str, Any]) -> None:
        acting(database, lambda call: save_design(call, BAG_TAG_100X100.name, [*to_json(BAG_TAG_100X100), *elements]))

    logo = {"is": "picture", "x": 60, "y": 92, "w": 10, "h": 5, "png": a_logo()}
    save(logo)
    first = shown()
    assert first != BAG_TAG_100X100
    assert shown() is first
    save(logo, {**logo, "x": 70})
    assert len(shown().elements) == len(first.elements) + 1
    acting(database, lambda call: drop_design(call, BAG_TAG_100X100.name))
    assert shown() == BAG_TAG_100X100
