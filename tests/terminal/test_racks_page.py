"""The rack side of the slots' page in a real browser: whole at every width, readable for all, and a press decides."""

from __future__ import annotations

from typing import Any

import pytest

from tests.builders import a_sku
from tests.inbound.dock import announced
from tests.slotting.racking import divisions, filled, spare
from tests.terminal.desk import PASSWORD, Desk, serving
from tests.terminal.test_page import AXE, MEASURE, RULES, TARGET_PX, TEXT_PX, WIDTHS
from tests.terminal.test_slots import delivered
from tests.terminal.test_slots_page import CUT_OFF

pytestmark = pytest.mark.chromium


def a_desk_with_a_plan(desk: Desk) -> Desk:
    """Some bays hold goods, more is announced than fits, parts lie ready, and a plan was asked for."""
    park = desk.park
    spare(park)
    filled(park, every=4)
    skus = park.act(lambda call: [a_sku(call) for _ in range(110)])
    announced(park, "N1", *((sku, 20) for sku in skus))
    desk.do("plan_divisions")
    delivered(desk)
    return desk


def test_bays_stand_whole_at_every_width_and_a_press_decides(browser: Any, sqlite_desk: Desk) -> None:
    desk = a_desk_with_a_plan(sqlite_desk)
    open_ones = len(divisions(desk.park, "proposed"))
    assert open_ones >= 1
    with serving(desk) as address:
        context = browser.new_context(viewport={"width": 1440, "height": 900}, locale="zh-CN")
        page = context.new_page()
        page.goto(f"{address}/")
        page.fill("[name=login]", "cheng")
        page.fill("[name=password]", PASSWORD)
        page.click("button[type=submit]")
        page.wait_for_url("**/terminal/")
        page.goto(f"{address}/terminal/slots")
        page.click("[data-option='plan=racks&side=why']")
        page.wait_for_selector("#slot_more svg.elevation")
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            found = page.evaluate(MEASURE, [TARGET_PX, TEXT_PX])
            assert (found["over"], found["high"]) == (0, 0), width
            assert (found["small"], found["tiny"]) == ([], []), width
        page.evaluate(AXE.read_text("utf-8"))
        found = page.evaluate("rules => axe.run(document, {runOnly: rules, resultTypes: ['violations']})", RULES)
        assert [one["id"] for one in found["violations"]] == []
        page.set_viewport_size({"width": WIDTHS[0], "height": 900})
        assert page.evaluate(CUT_OFF) == 0
        page.click("#slot_moves [data-deed=decline_divisions]")
        page.click("[data-option='side=decided']")
        page.wait_for_selector("#slot_more tbody tr")
        context.close()
    assert len(divisions(desk.park, "proposed")) == open_ones - 1
