"""Typing with a glove: the page's own pad, the machine's own keys, never the soft keyboard unless asked for."""

from __future__ import annotations

import pytest

from tests.handheld.page import envelopes as goods
from tests.handheld.page.handheld import Handheld
from tests.handheld.page.scripted import Floor

pytestmark = pytest.mark.chromium

PICK = goods.envelope(goods.pick_screen())


def asking(pda: Handheld, floor: Floor, screen: goods.Json) -> Handheld:
    floor.state = lambda: goods.envelope(screen)
    floor.script = lambda path, body: PICK
    return pda.open()


def sent(pda: Handheld) -> tuple[str, str | None]:
    pda.until(lambda: bool(pda.floor.acted), "an action at the server")
    return pda.floor.acted[-1]["action"], pda.floor.acted[-1].get("value")


def test_the_first_digit_replaces_the_proposed_quantity(pda: Handheld, floor: Floor) -> None:
    asking(pda, floor, goods.quantity_screen())
    assert pda.text(".typed") == "12"
    for digit in "36":
        pda.tap(f'.pad [data-value="{digit}"]')
    pda.tap('[data-action="pad:enter"]')
    assert sent(pda) == ("quantity", "36")


def test_enter_confirms_the_shown_number(pda: Handheld, floor: Floor) -> None:
    asking(pda, floor, goods.quantity_screen())
    pda.press("Enter")
    assert sent(pda) == ("quantity", "12")


def test_a_quantity_out_of_range_is_told_here(pda: Handheld, floor: Floor) -> None:
    asking(pda, floor, goods.quantity_screen())
    for digit in "49":
        pda.press(digit)
        pda.page.wait_for_timeout(80)
    pda.press("Enter")
    pda.sees("要在 1 到 48 之间")
    pda.press("Backspace")
    pda.press("Enter")
    assert sent(pda) == ("quantity", "4")
    assert len(floor.acted) == 1


@pytest.mark.parametrize(("typed", "value"), [("20270318", "2027-03-18"), ("270318", "2027-03-18")])
def test_a_date_is_typed_as_digits(pda: Handheld, floor: Floor, typed: str, value: str) -> None:
    asking(pda, floor, goods.quantity_screen("date", ""))
    for digit in typed:
        pda.tap(f'.pad [data-value="{digit}"]')
    pda.press("Enter")
    assert sent(pda) == ("date", value)


@pytest.mark.parametrize(("typed", "says"), [("20270231", "没有这一天"), ("2027", "要输全年月日")])
def test_a_date_that_cannot_be_is_told_here(pda: Handheld, floor: Floor, typed: str, says: str) -> None:
    asking(pda, floor, goods.quantity_screen("date", ""))
    for digit in typed:
        pda.tap(f'.pad [data-value="{digit}"]')
    pda.press("Enter")
    pda.sees(says)
    assert floor.acted == []


def test_a_pin_shows_dots_only(pda: Handheld, floor: Floor) -> None:
    asking(pda, floor, goods.quantity_screen("pin", ""))
    for digit in "4417":
        pda.tap(f'.pad [data-value="{digit}"]')
    assert pda.text(".typed") == "●●●●"
    pda.tap('[data-action="pad:enter"]')
    assert sent(pda) == ("pin", "4417")


def test_words_may_be_typed_with_the_system_s_keyboard_when_asked_for(pda: Handheld, floor: Floor) -> None:
    asking(pda, floor, goods.quantity_screen("text", ""))
    assert pda.page.locator("input:visible").count() == 0
    pda.tap('[data-action="pad:system"]')
    pda.page.fill(".system-field", "外箱破了")
    pda.press("Enter")
    assert sent(pda) == ("text", "外箱破了")


def test_a_code_typed_by_hand_is_a_scan(pda: Handheld, floor: Floor) -> None:
    asking(pda, floor, goods.pick_screen())
    pda.press("F4")
    pda.tap('[data-action="page:by_hand"]')
    pda.tap('[data-action="pad:letters"]')
    pda.tap('.pad [data-value="T"]')
    pda.tap('.pad [data-value="-"]')
    pda.tap('[data-action="pad:letters"]')
    for digit in "0418":
        pda.tap(f'.pad [data-value="{digit}"]')
    pda.tap('[data-action="pad:enter"]')
    pda.until(lambda: floor.codes() == ["T-0418"], "the typed code")


def test_a_double_tap_books_once(pda: Handheld, floor: Floor) -> None:
    floor.delay_s = 0.2
    asking(pda, floor, goods.pick_screen())
    pda.page.dblclick('[data-key="F1"]')
    pda.until(lambda: pda.kept() == [], "an empty queue")
    assert [body["action"] for body in floor.acted] == ["short"]


def test_plus_one_twice_is_two(pda: Handheld, floor: Floor) -> None:
    asking(pda, floor, goods.receive_screen("zh"))
    floor.script = lambda path, body: goods.envelope(goods.receive_screen("zh"))
    pda.page.dblclick('[data-action="plus_one"]')
    pda.until(lambda: [body["action"] for body in floor.acted] == ["plus_one"] * 2, "both")


def test_a_row_is_chosen_by_touch_or_by_its_number(pda: Handheld, floor: Floor) -> None:
    asking(pda, floor, goods.menu_screen())
    floor.script = lambda path, body: goods.envelope(goods.menu_screen())
    pda.tap('[data-value="putaway"]')
    pda.until(lambda: len(floor.acted) == 1, "the touch")
    pda.press("2")
    pda.until(lambda: len(floor.acted) == 2, "the key")
    assert [(body["action"], body["value"]) for body in floor.acted] == [("choose", "putaway"), ("choose", "receive")]


def test_a_long_list_has_pages_instead_of_scrolling(pda: Handheld, floor: Floor) -> None:
    rows = [{"value": f"asn:{at}", "title": f"ASN 1105-{at:03d}", "note": "云岭茶铺 · 9 行"} for at in range(17)]
    asking(pda, floor, goods.plain_screen({"kind": "choose", "rows": rows}))
    seen: list[str] = []
    for _ in range(4):
        seen += pda.page.locator(".choose .row:not(.turn) b").all_inner_texts()
        pda.tap('[data-action="page:turn"]')
    assert [row["title"] for row in rows] == list(dict.fromkeys(seen))
    assert pda.text(".choose .row:first-child b") in seen


def test_f_keys_act_by_their_place_and_escape_leaves(pda: Handheld, floor: Floor) -> None:
    asking(pda, floor, goods.pick_screen())
    for key in ("F1", "F2", "F3", "Escape"):
        pda.press(key)
    pda.until(lambda: len(floor.acted) == 4, "four keys")
    assert [body["action"] for body in floor.acted] == ["short", "skip", "undo", "leave"]


def test_the_language_switches_at_once_and_tells_the_server(pda: Handheld, floor: Floor) -> None:
    asking(pda, floor, goods.pick_screen())
    floor.script = lambda path, body: goods.envelope(goods.pick_screen(language=body["language"]), body["language"])
    pda.tap(".language")
    pda.sees("Scan item")
    assert [(path, body["language"]) for path, body in floor.heard] == [("language", "en")]
    assert pda.page.get_attribute("html", "lang") == "en"
    pda.tap(".language")
    pda.sees("扫商品")
