"""The self-test page tells whoever sets up a PDA what its scanner really sends, and keeps what fits."""

from __future__ import annotations

import pytest

from tests.handheld.page import envelopes as goods
from tests.handheld.page.handheld import Handheld
from tests.handheld.page.scripted import Floor

pytestmark = pytest.mark.chromium


@pytest.fixture
def bench(pda: Handheld) -> Handheld:
    return pda.open("/pda/selftest")


def test_it_shows_prefix_end_speed_separator_aim_and_keys(bench: Handheld) -> None:
    bench.trigger("]C10106901234124417109T\x1d3012")
    bench.sees("⟨GS⟩3012")
    shown = bench.text("#work")
    for words in (
        "有：F9",
        "有：Enter",
        "ms/字符",
        "保留，1 个",
        "]C1",
        "不影响",
        "能存",
        "F9 BracketRight KeyC Digit1",
    ):
        assert words in shown


def test_it_sees_an_open_input_method(bench: Handheld) -> None:
    bench.trigger("ABC123", key_code=229)
    bench.sees("开着（229），照样能扫")


def test_another_prefix_is_named_and_taken_by_one_key(bench: Handheld, floor: Floor) -> None:
    bench.trigger("6901234124417", prefix="F8")
    bench.sees("F8，设的是 F9")
    bench.press("F1")
    bench.sees("已记住")
    bench.trigger("6901234124417", prefix="F8")
    bench.sees("有：F8")
    floor.state = lambda: goods.envelope(goods.pick_screen())
    floor.script = lambda path, body: goods.envelope(goods.pick_screen(), message=goods.OK)
    bench.open("/pda/")
    bench.trigger("A1", prefix="F8")
    bench.until(lambda: floor.codes() == ["A1"], "a scan with the new prefix")


def test_a_scanner_that_only_fills_a_field_can_be_used(bench: Handheld, floor: Floor) -> None:
    bench.press("F3")
    bench.sees("填框：开")
    floor.state = lambda: goods.envelope(goods.pick_screen())
    floor.script = lambda path, body: goods.envelope(goods.pick_screen(), message=goods.OK)
    bench.open("/pda/")
    assert bench.page.get_attribute("#field", "inputmode") == "none"
    bench.page.keyboard.insert_text("T-0418\n")
    bench.until(lambda: floor.codes() == ["T-0418"], "the filled code")
    assert bench.page.evaluate("document.activeElement.id") == "field"


def test_it_speaks_both_languages(bench: Handheld) -> None:
    bench.tap(".language")
    bench.sees("Scan any code")
