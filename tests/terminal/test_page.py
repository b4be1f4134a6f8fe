"""What a supervisor's eye and hand need: nothing overflows, is small, pale or jumps, and every key works."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from tests.builders import Park
from tests.outbound.orders import place
from tests.terminal.busy import NOW, a_busy_day
from tests.terminal.desk import PASSWORD, Desk, a_desk, serving
from wms.catalog import queries as catalog
from wms.catalog.tables import Sku
from wms.core.db import Database
from wms.people.tables import Person
from wms.people.values import Role
from wms.site import generator
from wms.site import service as site

pytestmark = pytest.mark.chromium

AXE = Path(__file__).parents[1] / "handheld" / "page" / "vendor" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
SECTIONS = (
    "",
    "waves",
    "slots",
    "slots?side=what_if&map=metres",
    "slots?side=forecasts&map=quiet",
    "slots?side=decided&map=fill",
    "slots?side=figures&map=table",
    "line",
    "line?side=hours",
    "people",
    "devices",
    "labels",
    "labels?label=slot_100x40",
    "look?q=R0003",
    "look?q=nobody",
    "?map=table&list=shelved",
    "?map=fill",
)
WIDTHS = (1280, 1440, 1920)
TARGET_PX, TEXT_PX = 24, 12
WAIT_MS = 60_000
LIVE_S = 3.0
TRIES_MAX = 20

MEASURE = """
([target, text]) => {
  const small = [], tiny = [], cut = [];
  for (const node of document.querySelectorAll("a, button, input")) {
    const {width, height} = node.getBoundingClientRect();
    if (width && (width < target || height < target)) small.push(`${node.outerHTML.slice(0, 90)} ${width}x${height}`);
  }
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || node.closest("svg, noscript")) continue;
    if (parseFloat(getComputedStyle(node).fontSize) < text) tiny.push(node.outerHTML.slice(0, 90));
  }
  for (const node of document.querySelectorAll(".btn, .kpi .v, .fl .cell, h2")) {
    if (node.scrollWidth > node.clientWidth + 1 && node.clientWidth) cut.push(node.outerHTML.slice(0, 120));
  }
  const root = document.documentElement;
  return {small, tiny, cut, over: root.scrollWidth - innerWidth, high: root.scrollHeight - innerHeight};
}
"""


@pytest.fixture(scope="module")
def busy(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Desk, str]]:
    """The busy afternoon in a whole park, served; built once for the file."""
    path = tmp_path_factory.mktemp("busy") / "busy.db"
    shutil.copyfile(request.getfixturevalue("sqlite_template"), path)
    database = Database.open(f"sqlite:///{path}")
    park = Park(database, database.transact(lambda session: generator.build_park(session, NOW, seed=1)))
    a_busy_day(park)
    desk = a_desk(park)
    for login in ("cheng", "smith"):
        desk.hire(login, Role.MANAGER, name=f"程{login}", language="zh" if login == "cheng" else "en")
    with serving(desk) as address:
        yield desk, address
    database.dispose()


class Screen:
    """A browser at the terminal. `troubles` collects script errors, policy violations and requests to others."""

    def __init__(self, page: Any, address: str) -> None:
        self.page, self.address, self.troubles = page, address, list[str]()
        page.set_default_timeout(WAIT_MS)
        page.on("pageerror", lambda error: self.troubles.append(f"error: {error}"))
        page.on("console", lambda said: self._said(said))
        page.on("request", lambda asked: self._asked(asked.url))

    def _said(self, said: Any) -> None:
        if said.type == "error" and "Failed to load resource" not in said.text:
            self.troubles.append(said.text)

    def _asked(self, url: str) -> None:
        if not url.startswith((self.address, "data:", "blob:")):
            self.troubles.append(f"asked {url}")

    def log_in(self, login: str = "cheng") -> Screen:
        self.page.goto(f"{self.address}/")
        self.page.fill("[name=login]", login)
        self.page.fill("[name=password]", PASSWORD)
        self.page.click("button[type=submit]")
        self.page.wait_for_selector("#flow .fl")
        self.page.wait_for_function("() => document.querySelector('#clock').textContent")
        return self

    def open(self, path: str = "") -> Screen:
        self.page.goto(f"{self.address}/terminal/{path}")
        self.page.wait_for_function("() => document.querySelector('#clock').textContent")
        return self

    def measured(self) -> dict[str, Any]:
        found: dict[str, Any] = self.page.evaluate(MEASURE, [TARGET_PX, TEXT_PX])
        return found

    def axe(self) -> list[str]:
        self.page.evaluate(AXE.read_text("utf-8"))
        found = self.page.evaluate("rules => axe.run(document, {runOnly: rules, resultTypes: ['violations']})", RULES)
        return [f"{one['id']}: {[node['html'][:160] for node in one['nodes']][:4]}" for one in found["violations"]]


@pytest.fixture
def screen(browser: Any, busy: tuple[Desk, str]) -> Iterator[Screen]:
    still = {"reduced_motion": "reduce", "locale": "zh-CN"}
    context = browser.new_context(viewport={"width": 1440, "height": 900}, **still)
    found = Screen(context.new_page(), busy[1])
    yield found
    context.close()
    assert found.troubles == []


@pytest.mark.parametrize("login", ["cheng", "smith"])
def test_every_section_stands_whole_at_every_width(screen: Screen, login: str) -> None:
    screen.log_in(login)
    for path in SECTIONS:
        screen.open(path)
        for width in WIDTHS:
            screen.page.set_viewport_size({"width": width, "height": 900 if width < 1900 else 1080})
            screen.page.wait_for_timeout(60)
            found = screen.measured()
            assert found["over"] <= 0, (path, width)
            assert found["high"] <= 0, (path, width)
            assert (found["small"], found["tiny"]) == ([], []), (path, width)
            assert width < 1440 or found["cut"] == [], (path, width)


@pytest.mark.parametrize(
    ("login", "theme", "sections"),
    [
        ("cheng", "light", SECTIONS),
        ("smith", "dark", SECTIONS[:6]),
        ("cheng", "dark", SECTIONS[:3]),
        ("smith", "light", SECTIONS[:3]),
    ],
)
def test_axe_finds_nothing(screen: Screen, login: str, theme: str, sections: tuple[str, ...]) -> None:
    screen.log_in(login)
    for path in sections:
        screen.open(path)
        screen.page.evaluate("theme => { document.documentElement.dataset.theme = theme; }", theme)
        assert screen.axe() == [], path


def test_axe_finds_nothing_at_the_door(screen: Screen) -> None:
    screen.page.goto(f"{screen.address}/terminal/login")
    assert screen.axe() == []
    found = screen.measured()
    assert (found["small"], found["tiny"], found["over"]) == ([], [], 0)


def test_a_new_order_shows_within_three_seconds_of_its_commit(screen: Screen, busy: tuple[Desk, str]) -> None:
    """On a machine that is busy with something else it may take longer: the best counts."""
    desk, _ = busy
    screen.log_in()
    sku = desk.park.read(lambda session: first_sku(session))
    took_s = []
    for number in range(TRIES_MAX):
        before = screen.page.inner_text(".fl tfoot")
        began_s = time.monotonic()
        place(desk.park, f"NEW-{number}", (sku, 1), merchant_code="M1")
        screen.page.wait_for_function(CHANGED, arg=before)
        took_s.append(time.monotonic() - began_s)
        if took_s[-1] < LIVE_S:
            return
    raise AssertionError(took_s)


CHANGED = "before => document.querySelector('.fl tfoot').innerText !== before"


def first_sku(session: Any) -> Any:
    return catalog.sku_by_id(session, 1, session.scalars(select(Sku.id)).first())


def test_a_button_does_its_work_and_the_row_goes_without_the_focus_being_lost(screen: Screen) -> None:
    screen.log_in()
    screen.page.keyboard.press("j")
    first = screen.page.evaluate("document.activeElement.closest('[data-row]').dataset.row")
    screen.page.keyboard.press("j")
    second = screen.page.evaluate("document.activeElement.closest('[data-row]').dataset.row")
    assert first != second
    screen.page.keyboard.press("k")
    screen.page.keyboard.press("s")
    screen.page.wait_for_function(
        "row => ![...document.querySelectorAll('[data-row]')].some((one) => one.dataset.row === row)", arg=first
    )
    assert "15" in screen.page.inner_text("#said")
    assert screen.page.evaluate("document.activeElement.closest('[data-row]')?.dataset.row") is not None
    screen.page.click("[data-key=list-shelved]")
    screen.page.click(f"[data-row='{first}'] button")
    screen.page.wait_for_function("() => document.querySelector('#said').textContent")
    assert "list=shelved" in screen.page.url


def test_rows_do_not_move_under_the_pointer(screen: Screen, busy: tuple[Desk, str]) -> None:
    desk, _ = busy
    screen.log_in()
    screen.page.hover("#troubles [data-row]")
    rows = screen.page.locator("#troubles [data-row]").count()
    desk.park.act(lambda call: site.set_chute(call, 20, "FULL", 60))
    screen.page.wait_for_selector("[data-fresh] button")
    assert screen.page.locator("#troubles [data-row]").count() == rows
    screen.page.mouse.move(300, 20)
    screen.page.wait_for_selector("[data-row='chute:20']")
    desk.park.act(lambda call: site.set_chute(call, 20, "OPEN", 3))


def test_keys_find_sections_maps_themes_and_are_off_inside_fields(screen: Screen) -> None:
    page = screen.log_in().page
    page.keyboard.press("t")
    assert page.get_attribute("html", "data-theme") == "dark"
    page.keyboard.press("m")
    page.wait_for_selector("[data-key=map-fill][aria-pressed=true]")
    page.keyboard.press("/")
    page.keyboard.type("t2")
    assert page.input_value("#find") == "t2"
    assert page.get_attribute("html", "data-theme") == "dark"
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    assert page.is_visible("#allkeys")
    page.uncheck("#lonekeys")
    page.click("#main")
    page.keyboard.press("t")
    assert page.get_attribute("html", "data-theme") == "dark"
    page.check("#lonekeys")
    page.click("#clock")
    page.keyboard.press("2")
    page.wait_for_url("**/terminal/waves")
    assert page.get_attribute("html", "data-theme") == "dark"


def test_the_language_changes_where_one_stands(screen: Screen) -> None:
    page = screen.log_in().page
    screen.open("waves?wave=W261107-001")
    page.click("#language")
    page.wait_for_selector("html[lang=en]")
    assert page.url.endswith("waves?wave=W261107-001")
    page.click("#language")
    page.wait_for_selector("html[lang=zh-CN]")


def test_a_wave_is_released_from_the_keyboard_and_its_plan_appears(screen: Screen) -> None:
    page = screen.log_in().page
    screen.open("waves")
    wave = page.inner_text("#wave_release header .mut")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("[data-key=release]", timeout=90_000)
    assert page.locator("#wave_map .stp").count() > 0
    assert page.locator("#wave_map polyline.d1").count() == 1
    assert page.locator(".gantt .own, .gantt .late").count() > 0
    page.keyboard.press("v")
    page.wait_for_selector(f"#wave_batches td >> text={wave}-01")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("#wave_batches h2 >> text=批次", timeout=WAIT_MS)
    page.wait_for_selector(f"#wave_batches td >> text={wave}-01")
    assert "km" in page.inner_text(".walks")
    assert page.locator("#primary").count() == 0


def test_a_lost_server_is_told_in_red_with_the_age_of_what_is_shown(screen: Screen) -> None:
    page = screen.log_in().page
    page.wait_for_timeout(300)
    page.context.set_offline(True)
    page.evaluate("dispatchEvent(new Event('pagehide'))")
    page.wait_for_selector("#off:not([hidden])")
    assert "连不上" in page.inner_text("#off")
    assert page.locator(".fl tbody tr").count() > 0


def test_names_of_people_are_data_on_the_live_page_too(screen: Screen, busy: tuple[Desk, str]) -> None:
    desk, _ = busy
    hostile = "<img src=x onerror=\"document.title='owned'\">"
    desk.park.database.transact(
        lambda session: session.execute(update(Person).where(Person.badge == "B008").values(name=hostile))
    )
    page = screen.log_in().page
    page.wait_for_function("() => document.querySelector('#crew').innerText.includes('<img')")
    assert page.title() != "owned"
    assert page.locator("#crew img, #over img").count() == 0
