"""Every code on every label is read back, also from paper that has suffered."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from tests.printing.optics import DAMAGES, dead_column, scan, zone
from wms.core.refusal import Reason, Refused
from wms.printing import TEMPLATES, pages_of, render
from wms.printing.raster import DOTS_PER_MM, Canvas
from wms.printing.samples import Sample, samples, waybill
from wms.printing.symbols import GS1, LINEAR, Kind
from wms.printing.templates import PACKING_LIST_100X150, WAYBILL_76X130, WAYBILL_100X180
from wms.printing.templates.elements import Code, Template
from wms.printing.values import PackedLine, PackingList, ToteLabel

DPIS = sorted(DOTS_PER_MM)
DEAD_EVERY_DOTS = 17  # of all columns; the waybill's own number is tried at each


def codes_of(sample: Sample) -> list[tuple[Code, str]]:
    words = sample.values.words()
    return [(code, words[code.content]) for code in sample.template.codes() if not code.needs or words[code.needs]]


def expected(kind: Kind, content: str) -> bytes:
    """What a scanner sends: element strings lose their brackets; our variable-length element stands last."""
    return (re.sub(r"[\[\]]", "", content) if kind in GS1 else content).encode("ascii")


@pytest.mark.parametrize("dpi", DPIS)
@pytest.mark.parametrize("sample", samples(), ids=lambda sample: sample.template.name)
@pytest.mark.parametrize("damage", DAMAGES)
def test_every_code_of_every_label_is_read_back_byte_for_byte(sample: Sample, dpi: int, damage: str) -> None:
    bitmap = render(sample.template, sample.values, dpi)
    assert codes_of(sample), "a label of the house without a code"
    for code, content in codes_of(sample):
        seen = DAMAGES[damage](zone(bitmap, code.box, DOTS_PER_MM[dpi]))
        assert scan(seen, code.kind) == [expected(code.kind, content)], (code.kind, content)


@pytest.mark.parametrize("dpi", DPIS)
@pytest.mark.parametrize("sample", samples(), ids=lambda sample: sample.template.name)
def test_a_dead_heating_element_hides_no_code(sample: Sample, dpi: int) -> None:
    bitmap = render(sample.template, sample.values, dpi)
    for code, content in codes_of(sample):
        whole = zone(bitmap, code.box, DOTS_PER_MM[dpi])
        for column in range(0, whole.width, DEAD_EVERY_DOTS):
            found = scan(dead_column(whole, column), code.kind)
            assert found == [expected(code.kind, content)], (code.kind, content, column)


@pytest.mark.slow
@pytest.mark.parametrize("template", [WAYBILL_100X180, WAYBILL_76X130], ids=lambda template: template.name)
@pytest.mark.parametrize("number", ["YT1234567890123", "4312345678901", "773123456789012", "SF1234567890123"])
def test_the_waybill_number_is_read_whichever_column_is_dead(template: Template, number: str) -> None:
    main = next(code for code in template.codes() if code.content == "number")
    whole = zone(render(template, waybill(number)), main.box, DOTS_PER_MM[203])
    for column in range(whole.width):
        assert scan(dead_column(whole, column), Kind.CODE_128) == [number.encode()], column


@pytest.mark.parametrize("dpi", DPIS)
@pytest.mark.parametrize("sample", samples(), ids=lambda sample: sample.template.name)
def test_modules_are_at_least_three_dots_and_quiet_zones_stay_inside_the_codes_box(sample: Sample, dpi: int) -> None:
    for code, content in codes_of(sample):
        canvas = Canvas(sample.template.width_mm, sample.template.height_mm, dpi)
        placed = canvas.code(code.box, code.kind, content)
        assert placed.module_dots >= 3, (code.kind, content)
        assert placed.left >= canvas.dots(code.box.x)
        assert placed.right <= canvas.dots(code.box.x + code.box.w)
        assert placed.top >= canvas.dots(code.box.y)
        assert placed.bottom <= canvas.dots(code.box.y + code.box.h)


@pytest.mark.parametrize("dpi", DPIS)
@pytest.mark.parametrize("sample", samples(), ids=lambda sample: sample.template.name)
def test_all_modules_of_a_code_are_whole_dots_of_one_width(sample: Sample, dpi: int) -> None:
    for code, content in codes_of(sample):
        canvas = Canvas(sample.template.width_mm, sample.template.height_mm, dpi)
        placed = canvas.code(code.box, code.kind, content)
        image = canvas.bitmap().image()
        rows = (placed.top,) if code.kind in LINEAR else range(placed.top, placed.bottom, 3)
        for y in rows:
            row = image.crop((placed.left, y, placed.right, y + 1)).convert("L").tobytes()
            assert all(length % placed.module_dots == 0 for length in _runs(row))


def _runs(row: bytes) -> list[int]:
    return [len(run[0]) for run in re.finditer(rb"\x00+|\xff+", row)]


def test_equal_values_give_equal_dots_and_a_label_has_its_papers_size() -> None:
    for sample in samples():
        first, second = render(sample.template, sample.values), render(sample.template, sample.values)
        assert first == second
        assert first.width_dots == sample.template.width_mm * 8
        assert first.height_dots == sample.template.height_mm * 8
        assert first.missing_glyphs == ""


def test_every_template_has_a_sample_and_a_name_of_its_own() -> None:
    assert {sample.template.name for sample in samples()} == set(TEMPLATES)
    assert all(name.endswith(template.media) for name, template in TEMPLATES.items())


def test_a_reprint_is_marked_and_its_trace_code_differs_from_the_first_print() -> None:
    first, again = waybill(), replace(waybill(), reprint=2, nonce="XXYYZZ")
    assert first.words()["number"] == again.words()["number"]
    assert first.trace_code != again.trace_code
    assert again.words()["reprint"] == "补打 #2"
    assert first.words()["reprint"] == ""
    assert render(WAYBILL_100X180, first).rows != render(WAYBILL_100X180, again).rows


def test_a_waybill_shows_neither_full_names_nor_full_phones() -> None:
    words = " ".join(waybill().words().values())
    assert "张三丰" not in words
    assert "13800000000" not in words
    assert "138****0000" in words


def test_a_courier_whose_rule_allows_it_gets_the_whole_name() -> None:
    assert replace(waybill(), masked=False).words()["receiver_name"] == "张三丰"


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("YT1234567890123", "YT 1234 5678 90123"),
        ("4312345678901", "4312 3456 78901"),
        ("773123456789012", "7731 2345 6789 012"),
        ("12", "12"),
    ],
)
def test_a_number_is_shown_in_groups(number: str, shown: str) -> None:
    assert replace(waybill(), number=number).words()["number_spaced"] == shown


@pytest.mark.parametrize("number", ["YT12345\x1b@", "中通123", "", "YT" + "1" * 60, "yt123"])
def test_a_number_that_cannot_stand_in_a_code_is_refused_not_changed(number: str) -> None:
    with pytest.raises(Refused) as no:
        render(WAYBILL_100X180, replace(waybill(), number=number))
    assert no.value.reason is Reason.CODE_UNPRINTABLE


@pytest.mark.parametrize("code", ["t-0418", "T 0418", "T.0418", "", "-1"])
def test_a_tote_code_that_could_pass_for_another_kind_is_refused(code: str) -> None:
    with pytest.raises(Refused):
        ToteLabel(code, "仓").words()


@pytest.mark.parametrize(("lines", "pages"), [(0, 1), (1, 1), (11, 1), (12, 2), (23, 3)])
def test_a_long_packing_list_goes_on_to_the_next_page(lines: int, pages: int) -> None:
    sample = next(sample for sample in samples() if sample.template is PACKING_LIST_100X150).values
    assert isinstance(sample, PackingList)
    whole = replace(sample, lines=tuple(PackedLine(f"S-{n}", f"商品 {n}", n, "件") for n in range(1, lines + 1)))
    parts = pages_of(whole, PACKING_LIST_100X150)
    assert len(parts) == pages
    assert [row["no"] for part in parts for row in part.rows()] == [str(n) for n in range(1, lines + 1)]
    assert {part.words()["quantity_total"] for part in parts} == {str(lines * (lines + 1) // 2)}
    assert all(render(PACKING_LIST_100X150, part) for part in parts)
