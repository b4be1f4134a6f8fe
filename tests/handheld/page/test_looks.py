"""What a tired eye and a glove need: nothing scrolls, nothing is small, nothing is pale, nothing takes the focus."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.handheld.page import envelopes as goods
from tests.handheld.page.handheld import Handheld
from tests.handheld.page.scripted import Floor

pytestmark = pytest.mark.chromium

AXE = Path(__file__).parent / "vendor" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
SIZES = [(360, 640, "zh"), (360, 640, "en"), (320, 480, "zh"), (320, 480, "en"), (390, 844, "en")]
TARGET_PX = 48
TEXT_PX = 14
GLANCE_RATIO = 7.0
HOSTILE_NAME = "超长商品名称特级明前龙井礼盒装 Extraordinarilylongunbreakable 250 g × 12"


def hard_pick(language: str) -> goods.Json:
    """A screen at its worst: a long name, three digits, a long slot and sixteen totes."""
    screen = goods.pick_screen("sku", language)
    location, item, counts, tote, following = screen["cards"]
    item = {**item, "name": HOSTILE_NAME, "quantity": 240, "lines": [*item["lines"], "箱规 12"]}
    cards = [{**location, "code": "BW-B12-107-3"}, item, counts, {**tote, "positions": 16, "position": 13}, following]
    return {**screen, "cards": cards}


def chute_screen(chutes: str) -> goods.Json:
    """Sorting by hand: where this parcel goes, readable at arm's length."""
    first = chutes.split("/")[0]
    facts = [{"label": "运单号", "value": "SF1234567890123"}, {"label": "可用格口", "value": chutes}]
    chute = {"kind": "big", "label": "格口", "value": first, "unit": "", "tail": "杭州分拨", "state": "now"}
    return goods.plain_screen(chute, {"kind": "facts", "rows": facts}, text="放好，扫下一件")


def screens(language: str) -> dict[str, goods.Json]:
    picked = goods.pick_screen("sku", language)
    whole = {
        "go": goods.envelope(goods.pick_screen("slot", language)),
        "take": goods.envelope(picked),
        "put": goods.envelope(goods.pick_screen("tote", language)),
        "wrong": goods.envelope(picked, message=goods.wrong_message(language)),
        "attention": goods.envelope(goods.pick_screen("tote", language), message=goods.ATTENTION),
        "intercepted": goods.envelope(goods.pick_screen("slot", language), message=goods.INTERCEPTED),
        "done": goods.envelope(goods.pick_screen("slot", language), message=goods.DONE),
        "receive": goods.envelope(goods.receive_screen(language)),
        "menu": goods.envelope(goods.menu_screen(language)),
        "quantity": goods.envelope(goods.quantity_screen()),
        "text": goods.envelope(goods.quantity_screen("text", "")),
        "hard": goods.envelope(hard_pick(language)),
        "hard wrong": goods.envelope(hard_pick(language), message=goods.wrong_message(language)),
        "chute": goods.envelope(chute_screen("17/18")),
        "chute 3": goods.envelope(chute_screen("3")),
        "chute 117 wrong": goods.envelope(chute_screen("117/118"), message=goods.wrong_message(language)),
        "map": goods.envelope(goods.plain_screen({"kind": "map", "svg_path": "M0 0L100 60", "view": [0, 0, 100, 60]})),
    }
    return {name: {**one, "person": goods.person(language)} for name, one in whole.items()}


MEASURE = """
() => {
  const page = document.querySelector("#page");
  const outside = [];
  const small = [];
  const tiny = new Set();
  const box = page.getBoundingClientRect();
  for (const node of document.querySelectorAll("button, input:not([hidden])")) {
    const {width, height, left, right, top, bottom} = node.getBoundingClientRect();
    if (width < TARGET || height < TARGET) small.push(`${node.innerText} ${width}x${height}`);
    if (left < 0 || top < 0 || right > box.right + 0.5 || bottom > box.bottom + 0.5) outside.push(node.innerText);
  }
  const walker = document.createTreeWalker(page, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || node.closest("svg") || node.closest("noscript")) continue;
    if (parseFloat(getComputedStyle(node).fontSize) < TEXT_LEAST) tiny.add(node.outerHTML);
  }
  const scrolls = [...document.querySelectorAll("*")].filter((node) => {
    const {overflowX, overflowY} = getComputedStyle(node);
    return /auto|scroll/.test(overflowX + overflowY);
  });
  const work = document.querySelector("#work");
  const root = document.documentElement;
  return {
    outside, small, tiny: [...tiny], scrolls: scrolls.map((node) => node.tagName),
    over: [
      root.scrollWidth - innerWidth, root.scrollHeight - innerHeight,
      work.scrollHeight - work.clientHeight, page.scrollHeight - page.clientHeight,
    ],
  };
}
""".replace("TARGET", str(TARGET_PX)).replace("TEXT_LEAST", str(TEXT_PX))


def show(pda: Handheld, whole: goods.Json) -> None:
    """The next scan's answer."""
    pda.floor.script = lambda path, body: whole
    before = len(pda.floor.acted)
    pda.trigger("X")
    pda.until(lambda: len(pda.floor.acted) > before, "the answer")
    pda.page.wait_for_function(
        "token => document.querySelector('#status b').innerText === token", arg=whole["screen"]["title"]
    )
    title = (whole.get("message") or {}).get("title", "")
    pda.page.wait_for_function(
        "title => title ? document.body.innerText.includes(title) : !document.querySelector('.band')", arg=title
    )
    pda.page.wait_for_timeout(40)


@pytest.mark.parametrize(("width", "height", "language"), SIZES)
def test_every_screen_stands_whole_without_scrolling(
    pda: Handheld, floor: Floor, width: int, height: int, language: str
) -> None:
    pda.page.set_viewport_size({"width": width, "height": height})
    shown = screens(language)
    floor.state = lambda: shown["take"]
    pda.open()
    for name, whole in shown.items():
        show(pda, whole)
        measured = pda.page.evaluate(MEASURE)
        assert measured["outside"] == [], name
        assert measured["small"] == [], name
        assert measured["tiny"] == [], name
        assert measured["scrolls"] == [], name
        assert max(measured["over"]) <= 0, (name, measured["over"])


WITHIN = """
() => {
  const parts = [...document.querySelectorAll(".location .label, .location .code, .location .rack, .location .words")]
    .map((part) => part.getBoundingClientRect()).filter((box) => box.width);
  const card = document.querySelector(".location").getBoundingClientRect();
  const apart = (one, other) => one.bottom <= other.top + 4 || one.right <= other.left || other.bottom <= one.top + 4;
  return {
    inside: parts.every((part) => part.top >= card.top && part.bottom <= card.bottom + 1),
    apart: parts.every((one, at) => parts.slice(at + 1).every((other) => apart(one, other) || apart(other, one))),
    broken: [...document.querySelectorAll(".band .whole")].filter((code) => code.getClientRects().length !== 1).length,
    whole: document.querySelectorAll(".band .whole").length,
  };
}
"""


@pytest.mark.parametrize(("width", "height", "language"), SIZES)
def test_a_long_refusal_leaves_the_slot_whole_and_breaks_no_code(
    pda: Handheld, floor: Floor, width: int, height: int, language: str
) -> None:
    pda.page.set_viewport_size({"width": width, "height": height})
    walking = goods.pick_screen("slot", language)
    location, item, _, _, _ = walking["cards"]
    plain = {**walking, "cards": [{**location, "code": "A01-01-4A", "map": None}, item]}
    wrong = {**goods.wrong_message(language), "title": f"Wrong kind of code, scan {HOSTILE_NAME}", "text": ""}
    long = {**wrong, "expected": HOSTILE_NAME, "scanned": HOSTILE_NAME[::-1], "code": "wrong_kind_scanned"}
    short = {**wrong, "title": "Wrong slot: go to A01-01-4A", "expected": "A01-01-4A", "scanned": "A01-02-1A"}
    floor.state = lambda: goods.envelope(plain)
    pda.open()
    for screen in (plain, {**walking, "cards": [{**location, "code": "A01-01-4A"}, *walking["cards"][1:]]}):
        for message in (None, short, long):
            show(pda, {**goods.envelope(screen, message=message), "person": goods.person(language)})
            found = pda.page.evaluate(WITHIN)
            assert (found["inside"], found["apart"]) == (True, True), message
            assert (found["broken"], found["whole"]) == (0, int(message is short)), message


def test_the_page_s_own_screens_stand_whole_too(pda: Handheld, floor: Floor) -> None:
    pda.page.set_viewport_size({"width": 320, "height": 480})
    floor.state = lambda: goods.envelope(goods.pick_screen())
    pda.open()
    for walk in (
        ["F4"],
        ["F4", "page:settings"],
        ["F4", "page:by_hand"],
        ["F4", "page:by_hand", "pad:letters"],
        ["F4", "page:stored"],
    ):
        for action in walk:
            pda.press(action) if action == "F4" else pda.tap(f'[data-action="{action}"]')
        measured = pda.page.evaluate(MEASURE)
        assert (measured["outside"], measured["small"], measured["tiny"]) == ([], [], []), walk
        assert max(measured["over"]) <= 0, walk
        pda.press("F1")


# The parts of the screens left out stand in others.
LOOKED_THROUGH = {
    ("zh", "light"): (
        "go",
        "take",
        "wrong",
        "attention",
        "intercepted",
        "done",
        "receive",
        "menu",
        "quantity",
        "text",
        "map",
    ),
    ("en", "light"): ("take", "wrong", "receive", "menu", "text"),
    ("zh", "dark"): ("take", "wrong", "attention", "intercepted", "receive", "quantity"),
}


@pytest.mark.parametrize(("language", "theme"), LOOKED_THROUGH)
def test_axe_finds_nothing(pda: Handheld, floor: Floor, language: str, theme: str) -> None:
    shown = screens(language)
    floor.state = lambda: shown["take"]
    pda.open()
    pda.page.evaluate("theme => { document.documentElement.dataset.theme = theme; }", theme)
    pda.page.evaluate(AXE.read_text("utf-8"))
    for name in LOOKED_THROUGH[language, theme]:
        show(pda, shown[name])
        assert axe(pda) == [], name


def axe(pda: Handheld) -> list[str]:
    found: Any = pda.page.evaluate("rules => axe.run(document, {runOnly: rules, resultTypes: ['violations']})", RULES)
    return [f"{one['id']}: {[node['html'] for node in one['nodes']]}" for one in found["violations"]]


@pytest.mark.parametrize("path", ["/pda/", "/pda/selftest"])
def test_axe_finds_nothing_before_log_in_and_in_the_self_test(pda: Handheld, floor: Floor, path: str) -> None:
    floor.logged_in = False
    pda.open(path)
    pda.page.evaluate(AXE.read_text("utf-8"))
    assert axe(pda) == []
    pda.trigger("BD:0012")
    pda.page.wait_for_timeout(100)
    assert axe(pda) == []
    assert pda.page.evaluate(MEASURE)["small"] == []


GLANCES = [
    (".scan h1", ".scan"),
    (".location .code", ".location"),
    (".item h2", ".item"),
    (".item .figure b", ".item"),
    (".item .lines", ".item"),
    (".item .label", ".item"),
    (".strip span", ".strip"),
    (".strip .now b", ".strip .now"),
    (".tote .text", ".tote"),
    (".ticked", ".card"),
    (".pips .now", ".pips .now"),
    (".pips .next", ".pips .next"),
    ("#keys button", "#keys button"),
    ("#keys small", "#keys button"),
    (".following", "#page"),
    ("#status .entries", "#status"),
    (".band h2", ".band"),
    (".band .do", ".band"),
    ("#status.off .since", "#status"),
]


@pytest.mark.parametrize("dark", [False, True], ids=["white", "dark"])
def test_what_is_read_at_a_glance_has_a_contrast_of_seven(pda: Handheld, floor: Floor, dark: bool) -> None:
    shown = screens("zh")
    floor.state = lambda: shown["take"]
    pda.open()
    if dark:
        pda.page.evaluate("document.documentElement.dataset.theme = 'dark'")
    checked = set(measure_contrast(pda))
    for name in ("wrong", "attention", "intercepted"):
        show(pda, shown[name])
        checked |= set(measure_contrast(pda))
    floor.network = "cut"
    pda.trigger("X")
    pda.page.wait_for_selector("#status.off")
    checked |= set(measure_contrast(pda))
    assert checked == {selector for selector, _ in GLANCES}


def measure_contrast(pda: Handheld) -> list[str]:
    """The selectors found on this screen, each of at least seven to one."""
    found = []
    for selector, ground in GLANCES:
        pairs = pda.page.evaluate(
            CONTRAST,
            [selector, ground],
        )
        for colour, behind in pairs:
            assert contrast(colour, behind) >= GLANCE_RATIO, (selector, colour, behind)
        if pairs:
            found.append(selector)
    return found


CONTRAST = """
([selector, ground]) => {
  const groundOf = (node) => {
    while (node && getComputedStyle(node).backgroundColor === "rgba(0, 0, 0, 0)") node = node.parentElement;
    return node ? getComputedStyle(node).backgroundColor : "rgb(255, 255, 255)";
  };
  const pair = (node) => [getComputedStyle(node).color, groundOf(node.closest(ground))];
  return [...document.querySelectorAll(selector)].map(pair);
}
"""


def contrast(one: str, other: str) -> float:
    """WCAG's ratio of two `rgb(r, g, b)` colours."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    parts = [int(part) / 255 for part in colour.removeprefix("rgb(").removesuffix(")").split(",")]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_no_message_takes_the_focus_and_none_is_a_dialog(pda: Handheld, floor: Floor) -> None:
    shown = screens("zh")
    floor.state = lambda: shown["take"]
    pda.open()
    pda.page.focus('[data-key="F2"]')
    for name in ("wrong", "attention", "intercepted", "done", "take"):
        show(pda, shown[name])
        assert pda.page.evaluate("document.activeElement.dataset.key") == "F2", name
        assert pda.page.locator("[role=alertdialog], [role=dialog], dialog").count() == 0
        assert pda.page.locator("#alert[role=alert] .band").count() == (name == "wrong")
        spoken = pda.page.locator("#note[role=status] > *").count()
        assert spoken == (name in {"attention", "intercepted", "done"})


def test_each_grave_message_has_its_own_shape_and_words(pda: Handheld, floor: Floor) -> None:
    shown = screens("zh")
    floor.state = lambda: shown["take"]
    pda.open()
    shapes = []
    for name in ("wrong", "attention", "intercepted"):
        show(pda, shown[name])
        shapes.append(pda.page.get_attribute(".band .plate", "points"))
    assert len(set(shapes)) == 3


def test_differing_digits_are_underlined(pda: Handheld, floor: Floor) -> None:
    floor.state = lambda: goods.envelope(goods.pick_screen(), message=goods.wrong_message())
    pda.open()
    assert pda.page.locator(".compare b").all_inner_texts() == ["…12 4417", "…12 4147"]
    assert pda.page.locator(".compare u").all_inner_texts() == ["4", "1", "1", "4"]


DIFFERENCES = [
    ("6901234124417", "6901234124147", [[10, 12], [10, 12]]),
    ("B12-07-3", "B12-17-3", [[4, 5], [4, 5]]),
    ("T-0418", "T-418", [[2, 3], [2, 2]]),
    ("ABC", "ABC", [[0, 0], [0, 0]]),
    ("", "X1", [[0, 0], [0, 2]]),
]


def test_the_difference_of_two_codes(pda: Handheld, floor: Floor) -> None:
    floor.logged_in = False
    pda.open()
    difference = "async ([one, other]) => (await import('/pda/static/js/message.js')).difference(one, other)"
    for one, other, marked in DIFFERENCES:
        assert list(pda.page.evaluate(difference, [one, other]).values()) == marked


def test_the_right_flash_lasts_450_ms_and_nothing_else_moves(pda: Handheld, floor: Floor) -> None:
    floor.state = lambda: goods.envelope(goods.pick_screen())
    pda.open()
    floor.script = lambda path, body: goods.envelope(goods.pick_screen(), message=goods.OK)
    pda.trigger("X")
    pda.page.wait_for_selector("#flash:not([hidden])")
    pda.page.wait_for_selector("#flash", state="hidden")
    assert pda.page.evaluate("document.getAnimations().length") == 0


def test_dark_is_a_choice_that_stays(pda: Handheld, floor: Floor) -> None:
    floor.state = lambda: goods.envelope(goods.pick_screen())
    pda.page.emulate_media(color_scheme="dark")
    pda.open()
    assert pda.page.get_attribute("html", "data-theme") == "light"
    pda.press("F4")
    pda.tap('[data-action="page:settings"]')
    pda.tap('[data-action="page:dark"]')
    pda.page.wait_for_timeout(100)
    pda.page.reload()
    pda.page.wait_for_selector("html[data-theme=dark]")
