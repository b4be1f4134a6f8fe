"""Whatever a stranger types stays a drawing inside its own box."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, cast

import pytest

from tests.printing.interpreters import escpos_paper, tspl_paper, zpl_paper
from tests.printing.optics import scan, zone
from wms.printing import TEMPLATES, Language, render, to_bytes
from wms.printing.raster import Box, Canvas, Type
from wms.printing.samples import Sample, samples
from wms.printing.symbols import GS1
from wms.printing.templates.elements import Across, Down, Element, Template, Words
from wms.printing.text import clean
from wms.printing.values import LabelValues, PackedLine, Party

HOSTILE = {
    "escape": "\x1b@\x1bi\x1dV\x00\x10\x14\x01\x00\x05",
    "zpl": '^XZ^XA^FO0,0^GB800,1440,800^FS~JR~DG"\\&',
    "tspl": '"\r\nCLS\r\nBAR 0,0,800,1440\r\nPRINT 99\r\n',
    "bidi": "\u202e\u2067abc\u202d \u200f\u0639\u0631\u0628\u0649\u200e \u2066\u2069",
    "zero width": "张\u200b\u200c\u200d\u2060三\ufeff" * 20,
    "very long": "浙江省杭州市西湖区" * 2000,
    "one long word": "W" * 5000,
    "emoji": "👨‍👩‍👧‍👦🇨🇳❤️🔥" * 10,
    "rare": "𠮷𪚥䶮㐂龘靐齉爩" * 6,
    "stacked marks": "Z" + "\u0351\u0363\u0489" * 300,
    "format": "{number} {0.__class__} %s %n",
    "tall": "\ufdfa\u0e49\u0e49\u0e49\u0e49ꧏÅ̊",
}


@dataclass(frozen=True, slots=True)
class Poisoned:
    """A label whose free texts all hold the same hostile words; its codes and what they need stay as they were."""

    whole: LabelValues
    kept: frozenset[str]
    words_put: str

    def words(self) -> dict[str, str]:
        return {name: word if name in self.kept else self.words_put for name, word in self.whole.words().items()}

    def rows(self) -> list[dict[str, str]]:
        names = ("no", "sku_code", "name", "quantity", "unit")
        return [dict.fromkeys(names, self.words_put)] * 11


def poisoned(sample: Sample, words_put: str) -> Poisoned:
    codes = list(sample.template.codes())
    kept = {code.content for code in codes} | {code.needs for code in codes}
    return Poisoned(sample.values, frozenset(kept), words_put)


@pytest.mark.parametrize("attack", HOSTILE)
@pytest.mark.parametrize("sample", samples(), ids=lambda sample: sample.template.name)
def test_hostile_text_changes_no_dot_of_a_code_and_sends_no_command(sample: Sample, attack: str) -> None:
    honest = render(sample.template, sample.values)
    hostile = render(sample.template, poisoned(sample, HOSTILE[attack]))
    for code in sample.template.codes():
        if not code.needs or sample.values.words()[code.needs]:
            assert zone(hostile, code.box, 8).tobytes() == zone(honest, code.box, 8).tobytes()
    assert escpos_paper(to_bytes(hostile, sample.template, Language.ESCPOS)).rows == hostile.rows
    assert tspl_paper(to_bytes(hostile, sample.template, Language.TSPL)).rows == hostile.rows
    assert zpl_paper(to_bytes(hostile, sample.template, Language.ZPL)).rows == hostile.rows


@pytest.mark.parametrize("attack", HOSTILE)
@pytest.mark.parametrize("sample", samples(), ids=lambda sample: sample.template.name)
def test_real_values_made_of_hostile_text_still_print_a_label_that_scans(sample: Sample, attack: str) -> None:
    words = sample.values.words()
    coded = {words[code.content] for code in sample.template.codes()}
    attacked = {
        field.name: _attacked(getattr(sample.values, field.name), HOSTILE[attack])
        for field in fields(cast(Any, sample.values))
        if not any(str(getattr(sample.values, field.name)) in content for content in coded if content)
    }
    values = replace(cast(Any, sample.values), **{name: value for name, value in attacked.items() if value is not None})
    bitmap = render(sample.template, values)
    for code in sample.template.codes():
        if code.kind not in GS1:
            assert scan(zone(bitmap, code.box, 8), code.kind) == [words[code.content].encode("ascii")]


def _attacked(value: object, words: str) -> object:
    """Hostile texts in place of honest ones; None leaves numbers, dates and closed words alone."""
    match value:
        case "up" | "down" | "":
            return None
        case str():
            return words
        case Party():
            return Party(words, words, words)
        case tuple():
            return tuple(PackedLine(words, words, 1, words) for _ in value)
        case _:
            return None


@pytest.mark.parametrize("attack", HOSTILE)
@pytest.mark.parametrize("style", [Type(6), Type(6, 2, lines=3, bold=True), Type(20, on_ink=True), Type(4, top=True)])
def test_no_text_leaves_its_box(attack: str, style: Type) -> None:
    canvas = Canvas(60, 40, 203)
    canvas.text(Box(20, 15, 20, 8), clean(HOSTILE[attack]), style)
    ink = canvas.bitmap().image().convert("L").point(lambda grey: 255 - grey).getbbox()
    if ink is not None:
        assert ink[0] >= 160
        assert ink[1] >= 120
        assert ink[2] <= 320
        assert ink[3] <= 184


@pytest.mark.parametrize("template", TEMPLATES.values(), ids=lambda template: template.name)
def test_nothing_of_a_template_overlaps_the_place_of_a_code(template: Template) -> None:
    for code in template.codes():
        for other in template.elements:
            if other is not code:
                assert not _overlap(code.box, _box_of(other)), (code, other)


@pytest.mark.parametrize("template", TEMPLATES.values(), ids=lambda template: template.name)
def test_nothing_of_a_template_leaves_the_paper_and_no_two_texts_share_a_place(template: Template) -> None:
    words = [element for element in template.elements if isinstance(element, Words)]
    for element in template.elements:
        box = _box_of(element)
        assert box.x >= 0
        assert box.y >= 0
        assert box.x + box.w <= template.width_mm + 0.5
        assert box.y + box.h <= template.height_mm + 0.5
    for number, first in enumerate(words):
        for second in words[number + 1 :]:
            if not (first.needs or second.needs):
                assert not _overlap(first.box, second.box), (first, second)


def _box_of(element: Element) -> Box:
    match element:
        case Across(x, y, length, weight):
            return Box(x, y, length, weight)
        case Down(x, y, length, weight):
            return Box(x, y, weight, length)
        case _:
            return element.box


def _overlap(one: Box, other: Box) -> bool:
    apart_x = one.x + one.w <= other.x + 1e-6 or other.x + other.w <= one.x + 1e-6
    apart_y = one.y + one.h <= other.y + 1e-6 or other.y + other.h <= one.y + 1e-6
    return not (apart_x or apart_y)


def test_what_cannot_be_seen_prints_the_same_label_as_if_it_were_not_there() -> None:
    sample = samples()[0]
    honest = poisoned(sample, "张三 1 室")
    hidden = poisoned(sample, "\u202e张\u200b三\x1b\x00\n1\ufeff  室\u2069")
    assert render(sample.template, hidden) == render(sample.template, honest)
