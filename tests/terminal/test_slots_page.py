"""The slots' page in a real browser: whole at every width, readable for all, with a list of proposals on it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.slotting.past import a_busy_past, proposals
from tests.terminal.desk import PASSWORD, Desk, serving
from tests.terminal.test_page import AXE, MEASURE, RULES, TARGET_PX, TEXT_PX, WIDTHS
from tests.terminal.test_slots import delivered

CUT_OFF = "() => [...document.querySelectorAll('.scroll')].filter((x) => x.scrollWidth > x.clientWidth + 1).length"

pytestmark = pytest.mark.chromium


def test_proposals_stand_whole_at_every_width_and_a_press_decides(browser: Any, sqlite_desk: Desk) -> None:
    desk = sqlite_desk
    a_busy_past(desk.park)
    desk.do("plan_moves")
    delivered(desk)
    open_ones = len(proposals(desk.park, "proposed"))
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
        page.wait_for_selector("#slot_moves tbody tr")
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
        page.click("#slot_moves [data-deed=decline_moves]")
        page.click("[data-option='side=decided']")
        page.wait_for_selector("#slot_more tbody tr")
        context.close()
    assert len(proposals(desk.park, "proposed")) == open_ones - 1
