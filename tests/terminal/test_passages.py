"""One passage over the line with all that was known of it, and the line's last hours."""

from __future__ import annotations

from typing import Any

import pytest

from tests.shipping.dock import Dock, a_dock, labelled, order_of, stop
from tests.terminal.desk import Desk, a_desk
from wms.core.db import Database
from wms.people.values import Role
from wms.sorting import service as sorting
from wms.sorting.queries import running_plan

GATEWAY = 1


@pytest.fixture
def dock(sqlite_database: Database) -> Dock:
    dock = a_dock(sqlite_database)
    dock.park.act(sorting.plan_chutes)
    return dock


@pytest.fixture
def desk(dock: Dock) -> Desk:
    desk = a_desk(dock.park)
    desk.hire(role=Role.SUPERVISOR)
    assert desk.log_in().status_code == 200
    return desk


def passed(dock: Dock, pid: int, codes: list[str], chute: int, result: str, reason: str = "ROUTE") -> None:
    told = {"pid": pid, "codes": codes, "chute": chute, "reason": reason, "version": 7, "lap": 0, "latency_us": 4_200}
    dock.park.act(lambda call: sorting.record_divert(call, GATEWAY, told))
    facts = {"pid": pid, "codes": codes, "chute": chute, "result": result}
    dock.park.act(lambda call: sorting.confirm(call, GATEWAY, facts))


def page(desk: Desk, **options: Any) -> str:
    answer = desk.client.get("/terminal/line", query_string=options)
    assert answer.status_code == 200
    return str(answer.get_data(as_text=True))


def test_a_reject_shows_what_was_known_and_what_to_do(dock: Dock, desk: Desk) -> None:
    made = labelled(dock)
    passed(dock, 1, [made.waybill], 0, "REJ", "UNKNOWN")
    words = page(desk, passage=1)
    assert made.waybill in words
    assert "4 ms" in words
    assert "杭州 →" in words
    assert "没有格口" in words or "面单" in words
    picture = desk.client.get(f"/terminal/parcels/{made.waybill}.png")
    assert picture.get_data().startswith(b"\x89PNG")


def test_a_no_read_has_no_parcel_and_says_so(dock: Dock, desk: Desk) -> None:
    passed(dock, 2, [], 0, "NOREAD", "NOREAD")
    words = page(desk, passage=1)
    assert "补打" in words
    assert ".png" not in words


def test_another_ones_passage_or_none_shows_the_plan(desk: Desk) -> None:
    assert "算新方案" in page(desk, passage=99)
    assert "算新方案" in page(desk, passage="x")
    assert desk.client.get("/terminal/parcels/nothing.png").status_code == 404


def test_the_last_hours_count_each_chute(dock: Dock, desk: Desk) -> None:
    one, other = labelled(dock), labelled(dock)
    chute = dock.park.read(lambda session: running_plan(session, dock.park.warehouse_id))["YD", "杭州"][0]
    passed(dock, 1, [one.waybill], chute, "OK")
    passed(dock, 2, [other.waybill], chute, "OK")
    words = page(desk, side="hours")
    assert 'title="2"' in words
    assert words.count('title="0"') == 7 * 24 - 1


def test_a_line_that_stood_still_says_so(desk: Desk) -> None:
    assert "没有过件" in page(desk, side="hours")


def test_a_stopped_order_is_named_on_its_passage(dock: Dock, desk: Desk) -> None:
    made = labelled(dock)
    stop(dock, order_of(dock, made.parcel_id))
    passed(dock, 1, [made.waybill], 0, "REJ", "HOLD")
    assert "拦截" in page(desk, passage=1)
