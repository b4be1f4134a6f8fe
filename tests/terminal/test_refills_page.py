"""The side of pick faces in a real browser: whole at every width, readable for all, its buttons do what they say."""

from __future__ import annotations

from typing import Any

import pytest

from tests.slotting.faces import a_face, refills
from tests.terminal.desk import PASSWORD, Desk, serving
from tests.terminal.test_page import AXE, MEASURE, RULES, TARGET_PX, TEXT_PX, WIDTHS
from tests.terminal.test_refills import levels_of
from tests.terminal.test_slots_page import CUT_OFF

pytestmark = pytest.mark.chromium


def test_refills_stand_whole_at_every_width_and_buttons_do_what_they_say(browser: Any, sqlite_desk: Desk) -> None:
    desk = sqlite_desk
    faces = [
        a_face(desk.park, here=0, at=f"A01-0{number}-4A", name=name)
        for number, name in enumerate(("绩溪山核桃仁 500g 罐装 五香味", "Organic chrysanthemum tea, 60 g, in tins"), 1)
    ]
    desk.do("plan_refills")
    with serving(desk) as address:
        context = browser.new_context(viewport={"width": 1440, "height": 900}, locale="en-GB")
        page = context.new_page()
        page.goto(f"{address}/")
        page.fill("[name=login]", "cheng")
        page.fill("[name=password]", PASSWORD)
        page.click("button[type=submit]")
        page.wait_for_url("**/terminal/")
        for side in ("rule", "refilled", "levels"):
            page.goto(f"{address}/terminal/slots?plan=refills&side={side}")
            page.wait_for_selector("#slot_moves tbody tr")
            for width in WIDTHS:
                page.set_viewport_size({"width": width, "height": 900})
                found = page.evaluate(MEASURE, [TARGET_PX, TEXT_PX])
                assert (found["over"], found["high"]) == (0, 0), (side, width)
                assert (found["small"], found["tiny"]) == ([], []), (side, width)
            page.evaluate(AXE.read_text("utf-8"))
            found = page.evaluate("rules => axe.run(document, {runOnly: rules, resultTypes: ['violations']})", RULES)
            assert [one["id"] for one in found["violations"]] == [], side
            page.set_viewport_size({"width": WIDTHS[0], "height": 900})
            assert page.evaluate(CUT_OFF) == 0, side
        row = f"#slot_more tr:has([data-key='level-{faces[0].sku.id}'])"
        page.fill(f"{row} [name=least]", "7")
        page.fill(f"{row} [name=most]", "70")
        page.click(f"{row} [data-deed=set_levels]")
        page.wait_for_function("key => document.querySelector(key)?.defaultValue === '70'", arg=f"{row} [name=most]")
        page.click("#slot_moves [data-deed=withdraw_refill]")
        page.wait_for_function("() => document.querySelectorAll('#slot_moves tbody tr').length === 1")
        context.close()
    level = levels_of(desk, faces[0].sku.id)
    assert level is not None
    assert (level.quantity_min, level.quantity_max) == (7, 70)
    assert len(refills(desk.park, "dropped")) == 1
