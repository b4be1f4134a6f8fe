"""Every pull of the trigger arrives: once, in order, whatever screen, focus, keyboard or network do."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.handheld.page import envelopes as goods
from tests.handheld.page.handheld import Handheld
from tests.handheld.page.scripted import Floor

pytestmark = pytest.mark.chromium

TEN = [f"69012345{number:05d}" for number in range(10)]
PICK = goods.envelope(goods.pick_screen())


@pytest.fixture
def picking(pda: Handheld, floor: Floor) -> Handheld:
    floor.state = lambda: PICK
    floor.script = lambda path, body: {**PICK, "message": goods.OK}
    return pda.open()


def arrived(pda: Handheld, count: int) -> list[str]:
    pda.until(lambda: len(pda.floor.acted) >= count, f"{count} scans at the server")
    pda.page.wait_for_timeout(120)  # an extra one would still come
    return pda.floor.codes()


def test_ten_scans_at_50_ms_all_land_in_order(picking: Handheld) -> None:
    picking.trigger(*TEN, gap_ms=50)
    assert arrived(picking, 10) == TEN


def test_ten_scans_land_while_a_wrong_band_shows(picking: Handheld, floor: Floor) -> None:
    floor.script = lambda path, body: {**PICK, "message": goods.wrong_message()}
    picking.trigger("first")
    picking.sees("商品不对")
    picking.trigger(*TEN, gap_ms=50)
    assert arrived(picking, 11) == ["first", *TEN]


def test_ten_scans_land_while_answers_are_slow(picking: Handheld, floor: Floor) -> None:
    floor.delay_s = 0.15
    picking.trigger(*TEN, gap_ms=50)
    picking.sees("待传")
    assert arrived(picking, 10) == TEN


def test_ten_quick_scans_of_one_article_are_ten(picking: Handheld) -> None:
    picking.trigger(*["6901234124417"] * 10, gap_ms=50)
    assert len(arrived(picking, 10)) == 10


def test_each_scan_carries_its_own_id_of_32_hex_digits_and_the_screen_it_was_made_on(picking: Handheld) -> None:
    picking.trigger(*TEN)
    arrived(picking, 10)
    ids = [body["id"] for body in picking.floor.acted]
    assert len(set(ids)) == 10
    assert all(re.fullmatch(r"[0-9a-f]{32}", one) for one in ids)
    assert {(body["expects"], body["work"]["task"]) for body in picking.floor.acted} == {("17.sku", 12)}
    assert picking.floor.csrf_seen == {"token-of-the-test"}


def test_an_answer_that_was_lost_is_asked_for_again_under_the_same_id(picking: Handheld, floor: Floor) -> None:
    floor.network = "deaf"
    picking.trigger("A-1")
    picking.until(lambda: len(floor.heard) >= 2, "the same scan twice")
    floor.network = "up"
    picking.until(lambda: picking.kept() == [], "an empty queue")
    assert len(floor.acted) == 1
    assert len({body["id"] for _, body in floor.heard}) == 1


def test_a_scan_lies_on_the_device_before_the_beep(pda: Handheld, floor: Floor) -> None:
    pda.page.add_init_script(
        """window.happened = [];
        const begin = IDBDatabase.prototype.transaction;
        IDBDatabase.prototype.transaction = function (...how) {
            const work = begin.apply(this, how);
            const writes = how[0] === "queue" && how[1] === "readwrite";
            if (writes) work.addEventListener("complete", () => window.happened.push("stored"));
            return work;
        };
        const tone = AudioContext.prototype.createOscillator;
        AudioContext.prototype.createOscillator = function () {
            window.happened.push("beep");
            return tone.call(this);
        };"""
    )
    floor.state = lambda: PICK
    pda.open()
    floor.delay_s = 0.5
    floor.script = lambda path, body: PICK
    pda.trigger("A-1")
    pda.page.wait_for_function("() => window.happened.includes('beep')")
    assert pda.page.evaluate("window.happened")[:2] == ["stored", "beep"]


@pytest.mark.parametrize("key_code", [0, 229], ids=["plain keyboard", "Chinese input method open"])
def test_letters_come_from_the_place_of_the_key(picking: Handheld, key_code: int) -> None:
    picking.trigger("SL:B12-07-3:K", key_code=key_code)
    assert arrived(picking, 1) == ["SL:B12-07-3:K"]


def test_capslock_changes_nothing(picking: Handheld) -> None:
    picking.page.evaluate(
        """() => {
            const always = {bubbles: true, cancelable: true, modifierCapsLock: true};
            const press = (code, key, shiftKey) => document.body.dispatchEvent(
                new KeyboardEvent("keydown", {code, key, shiftKey, ...always}));
            press("F9", "F9"); press("KeyB", "b", true); press("KeyB", "B", false); press("Enter", "Enter");
        }"""
    )
    assert arrived(picking, 1) == ["Bb"]


def test_the_browser_s_own_keyboard_scans_too(picking: Handheld) -> None:
    for code in ("T-0418", "b12"):
        picking.press("F9")
        picking.page.keyboard.type(code)
        picking.press("Enter")
    assert arrived(picking, 2) == ["T-0418", "b12"]


def test_a_focused_field_cannot_eat_a_scan(picking: Handheld, floor: Floor) -> None:
    floor.script = lambda path, body: goods.envelope(goods.quantity_screen("text", ""))
    picking.trigger("open")
    picking.tap('[data-action="pad:system"]')
    picking.page.fill(".system-field", "破了")
    picking.trigger("6901234124417", target=".system-field", key_code=229)
    assert arrived(picking, 2) == ["open", "6901234124417"]


def test_a_focused_key_is_not_pressed_by_the_scanner_s_enter(picking: Handheld) -> None:
    picking.page.focus('[data-key="F1"]')
    picking.press("F9")
    picking.page.keyboard.type("A 1")
    picking.press("Enter")
    assert arrived(picking, 1) == ["A 1"]
    assert [path for path, _ in picking.floor.heard] == ["scan"]


def test_the_gs_of_a_gs1_code_is_kept_and_the_aim_id_split_off(picking: Handheld) -> None:
    picking.trigger("]C10106901234124417109T\x1d3012")
    arrived(picking, 1)
    assert picking.floor.acted[0]["code"] == "0106901234124417109T\x1d3012"
    assert picking.floor.acted[0]["aim"] == "]C1"


@pytest.mark.parametrize("end", [("Enter", "Enter"), ("Tab",), ("NumpadEnter",)])
def test_whatever_ends_a_scan_counts_once(picking: Handheld, end: tuple[str, ...]) -> None:
    picking.trigger("A-1", "A-2", end=end, gap_ms=100)
    assert arrived(picking, 2) == ["A-1", "A-2"]


def test_without_a_prefix_speed_tells_the_scanner_from_the_hand(picking: Handheld, floor: Floor) -> None:
    floor.script = lambda path, body: goods.envelope(goods.quantity_screen())
    picking.trigger("6901234124417", prefix="")
    assert arrived(picking, 1) == ["6901234124417"]
    picking.sees("输数量")
    for digit in "37":
        picking.press(digit)
        picking.page.wait_for_timeout(80)
    assert picking.text(".typed") == "37"
    assert len(floor.acted) == 1


def test_a_pasted_code_is_a_scan(picking: Handheld) -> None:
    picking.page.evaluate(
        """() => {
            const clipboardData = new DataTransfer();
            clipboardData.setData("text", "T-0418\\r\\n");
            document.body.dispatchEvent(new ClipboardEvent("paste", {clipboardData, bubbles: true, cancelable: true}));
        }"""
    )
    assert arrived(picking, 1) == ["T-0418"]


def test_a_code_longer_than_128_is_refused_here_and_says_so(picking: Handheld) -> None:
    picking.trigger("9" * 129)
    picking.sees("条码太长")
    picking.trigger("9" * 128)
    assert arrived(picking, 1) == ["9" * 128]


def test_a_hostile_barcode_stays_text(picking: Handheld, floor: Floor) -> None:
    hostile = "<img src=x onerror=alert(1)>"
    message = {**goods.wrong_message(), "title": hostile, "scanned": hostile}
    floor.script = lambda path, body: {**PICK, "message": message}
    picking.trigger("x")
    picking.sees(hostile)
    assert picking.page.locator("img").count() == 0


def test_what_others_do_to_the_screen_comes_without_a_scan(picking: Handheld, floor: Floor) -> None:
    weighed = goods.plain_screen({"kind": "big", "label": "重量", "value": "1.250", "unit": "kg"}, token="4.two")
    floor.state = lambda: goods.envelope(weighed, work={"task": 12, "version": 8}, message=goods.DONE)
    picking.sees("1.250")
    picking.sees("这一站拣完")


def test_an_idle_page_notices_that_the_network_is_gone(picking: Handheld, floor: Floor) -> None:
    floor.network = "cut"
    picking.sees("离线 0:0")
    floor.network = "up"
    picking.sees("在线")


def test_pages_ask_only_their_own_server(picking: Handheld, floor: Floor) -> None:
    picking.trigger("A-1")
    arrived(picking, 1)
    own: Any = floor.url  # type: ignore[attr-defined]
    assert [url for url in picking.asked if not url.startswith(own)] == []
