"""The line's last hours as a film: a moment is chosen or played, and each chute shows what it took then."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from tests.shipping.dock import a_dock, labelled
from tests.terminal.desk import PASSWORD, a_desk, serving
from wms.core.db import Database
from wms.people.values import Role
from wms.sorting import service as sorting
from wms.sorting.queries import running_plan

pytestmark = pytest.mark.chromium

MOMENTS = 24
ROW = "td => td.map(one => Number(one.title))"


@pytest.fixture
def page(browser: Any, sqlite_database: Database) -> Iterator[Any]:
    """Two parcels sorted half an hour ago, one just now; the line's page with its last hours."""
    dock = a_dock(sqlite_database)
    dock.park.act(sorting.plan_chutes)
    chute = dock.park.read(lambda session: running_plan(session, dock.park.warehouse_id))["YD", "杭州"][0]
    for pid, minutes in ((1, 0), (2, 0), (3, 30)):
        dock.park.clock.at += timedelta(minutes=minutes)
        facts = {"pid": pid, "codes": [labelled(dock).waybill], "chute": chute, "result": "OK"}
        dock.park.act(lambda call, facts=facts: sorting.confirm(call, 1, facts))  # type: ignore[misc]
    desk = a_desk(dock.park)
    desk.hire("cheng", Role.SUPERVISOR, name="程", language="zh")
    context = browser.new_context(viewport={"width": 1440, "height": 900}, locale="zh-CN")
    with serving(desk) as address:
        page = context.new_page()
        page.goto(f"{address}/")
        page.fill("[name=login]", "cheng")
        page.fill("[name=password]", PASSWORD)
        page.click("button[type=submit]")
        page.wait_for_selector("#flow")
        page.goto(f"{address}/terminal/line?side=hours")
        yield page
        context.close()


def test_a_moment_is_chosen_and_the_film_plays_to_its_end(page: Any) -> None:
    moment, said = page.locator("[data-film] input"), page.locator("[data-film] output")
    page.wait_for_function("() => document.querySelector('[data-film] output').textContent.includes('1 件')")
    then = MOMENTS - 3
    moment.fill(str(then))
    at = page.locator(f".strip tbody td:nth-of-type({then + 1})").evaluate_all(ROW)
    assert sum(at) == 2
    assert "2 件，异常 0 件" in said.text_content()
    assert page.locator(".strip td.at").count() == len(at)
    assert page.locator(".strip tbody .then .num").all_text_contents() == [str(one) for one in at]
    page.click("[data-film-play]")
    page.wait_for_function(f"() => document.querySelector('[data-film] input').value === '{MOMENTS - 1}'")
    page.wait_for_function("() => document.querySelector('[data-film-play]').ariaPressed === 'false'")
