"""The line page's sort plan: worked out on demand, shown beside the running one, used or not."""

from __future__ import annotations

from functools import partial

import pytest

from tests.terminal.desk import Desk
from tests.terminal.test_slots import delivered
from wms.core.refusal import Reason
from wms.shipping import couriers
from wms.sorting import service as sorting
from wms.sorting.queries import proposed_plan, running_plan, waiting_switches
from wms.sorting.values import Plan


@pytest.fixture
def line(sqlite_desk: Desk) -> Desk:
    """One courier with two hubs; the plan runs."""
    act = sqlite_desk.park.act
    act(partial(couriers.add_courier, code="YD", name="韵达", cut_offs=["16:00"]))
    for match, code, hub in (("", "100-01", "上海"), ("33", "330-02", "杭州")):
        act(partial(couriers.add_route, courier="YD", match=match, route_code=code, hub=hub))
    act(sorting.plan_chutes)
    return sqlite_desk


def running(desk: Desk) -> Plan:
    return desk.park.read(lambda session: running_plan(session, desk.park.warehouse_id))


def page(desk: Desk) -> str:
    return str(desk.client.get("/terminal/line").get_data(as_text=True))


def test_what_if_a_chute_closed_is_shown_before_anything_changes(line: Desk) -> None:
    before = running(line)
    chute = before["YD", "杭州"][0]
    assert "没有待定的分拣方案" in page(line)
    assert line.do("plan_line", without=[chute]).status_code == 200
    delivered(line)
    words = page(line)
    assert f"不用格口 {chute}" in words
    assert "用新方案" in words
    assert running(line) == before


def test_a_proposed_plan_is_used_or_not(line: Desk) -> None:
    chute = running(line)["YD", "杭州"][0]
    line.do("plan_line", without=[chute])
    delivered(line)
    shown = line.park.read(lambda session: proposed_plan(session, line.park.warehouse_id))
    assert shown is not None
    assert line.do("accept_line_plan", plan=shown.id).status_code == 200
    assert chute not in running(line)["YD", "杭州"]
    assert line.do("accept_line_plan", plan=shown.id).json["error"]["reason"] == Reason.NOT_FOUND.value
    line.do("plan_line")
    delivered(line)
    again = line.park.read(lambda session: proposed_plan(session, line.park.warehouse_id))
    assert again is not None
    line.do("decline_line_plan", plan=again.id)
    assert "没有待定的分拣方案" in page(line)
    assert line.park.read(lambda session: waiting_switches(session, line.park.warehouse_id)) == {}


def test_a_chute_that_is_not_there_is_refused(line: Desk) -> None:
    assert line.do("plan_line", without=[99]).json["error"]["reason"] == Reason.CHUTE_UNKNOWN.value


def test_several_chutes_are_tried_as_closed_at_once_as_people_type_them(line: Desk) -> None:
    first, second = running(line)["YD", "杭州"][0], running(line)["YD", "上海"][0]
    assert line.do("plan_line", closed=f" {second}，{first} ").status_code == 200
    delivered(line)
    words = page(line)
    both = ", ".join(map(str, sorted((first, second))))
    assert f"不用格口 {both}" in words
    assert f'value="{both}"' in words


@pytest.mark.parametrize("typed", ["five", "5;x", "5, -1", "12345", 7, "1 " * 150])
def test_chutes_nobody_can_read_are_refused(line: Desk, typed: object) -> None:
    assert line.do("plan_line", closed=typed).json["error"]["reason"] == Reason.BAD_INPUT.value


def test_a_chute_s_tile_says_in_a_word_what_its_button_tries(line: Desk) -> None:
    assert ">试关</button>" in page(line)
    assert ">?</button>" not in page(line)
