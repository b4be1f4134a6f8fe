"""Badge, PIN, and what may be wrong with them."""

from __future__ import annotations

import pytest

from tests.handheld.page import envelopes as goods
from tests.handheld.page.handheld import Handheld
from tests.handheld.page.scripted import Floor, Refuses

pytestmark = pytest.mark.chromium

MENU = goods.envelope(goods.menu_screen(), work={"task": None, "version": 0})


@pytest.fixture
def locked(pda: Handheld, floor: Floor) -> Handheld:
    floor.logged_in = False
    floor.script = lambda path, body: MENU
    return pda.open("/pda/?device=PDA-07")


def type_pin(pda: Handheld, pin: str = "4417") -> None:
    pda.sees("输密码")
    for digit in pin:
        pda.tap(f'.pad [data-value="{digit}"]')
    pda.tap('[data-action="pad:enter"]')


def test_badge_and_pin_open_the_menu(locked: Handheld, floor: Floor) -> None:
    locked.trigger("BD:0012")
    type_pin(locked)
    locked.sees("领任务")
    assert floor.heard == [("login", {"device": "PDA-07", "badge": "BD:0012", "pin": "4417"})]


def test_the_device_keeps_its_name(locked: Handheld) -> None:
    locked.open()
    locked.sees("PDA-07")


def test_a_station_can_be_scanned_before_the_pin(locked: Handheld, floor: Floor) -> None:
    locked.trigger("BD:0012")
    locked.sees("输密码")
    locked.press("F2")
    locked.trigger("ST:PACK-3")
    type_pin(locked)
    locked.until(lambda: bool(floor.heard), "the log in")
    assert floor.heard[0][1]["station"] == "ST:PACK-3"


def test_another_label_is_no_badge_and_no_station(locked: Handheld, floor: Floor) -> None:
    locked.trigger("SL.A01-01-1A.Z")
    locked.sees("这不是工牌")
    assert not locked.page.query_selector(".pad")
    locked.trigger("BA.0012.P")
    locked.sees("输密码")
    locked.trigger("CA.C-12.K")
    locked.sees("这不是工牌")
    locked.press("F2")
    locked.trigger("BA.0012.P")
    locked.sees("这不是工位码")
    locked.trigger("ST.PK-01.S")
    type_pin(locked)
    locked.until(lambda: bool(floor.heard), "the log in")
    told = floor.heard[0][1]
    assert (told["badge"], told["station"]) == ("BA.0012.P", "ST.PK-01.S")


def test_a_wrong_pin_says_so_and_asks_again(locked: Handheld, floor: Floor) -> None:
    def refuse(path: str, body: goods.Json) -> goods.Json:
        raise Refuses(401, "pin_wrong", "密码不对，还可试 4 次")

    floor.script = refuse
    locked.trigger("BD:0012")
    type_pin(locked, "0000")
    locked.sees("密码不对，还可试 4 次")
    assert locked.text(".typed") == ""
    locked.trigger("BD:0013")
    locked.page.wait_for_selector(".band", state="detached")


def test_a_person_logged_in_elsewhere_may_take_over(locked: Handheld, floor: Floor) -> None:
    def once(path: str, body: goods.Json) -> goods.Json:
        if not body.get("take_over"):
            raise Refuses(409, "logged_in_elsewhere", "正在 PDA-03 上用", take_over=True)
        return MENU

    floor.script = once
    locked.trigger("BD:0012")
    type_pin(locked)
    locked.sees("正在 PDA-03 上用")
    locked.press("F3")
    locked.sees("扫任意码")


def test_who_is_logged_in_elsewhere_is_told_and_keeps_the_scan(pda: Handheld, floor: Floor) -> None:
    def taken(path: str, body: goods.Json) -> goods.Json:
        raise Refuses(409, "logged_in_elsewhere", "已在 PDA-03 上登录")

    floor.state = lambda: MENU
    floor.script = taken
    pda.open()
    pda.trigger("A-1")
    pda.sees("已在 PDA-03 上登录")
    assert [record["state"] for record in pda.kept()] == ["waiting"]


def test_the_language_can_be_switched_before_anyone_logs_in(locked: Handheld) -> None:
    locked.tap(".language")
    locked.sees("Scan your badge")
    assert locked.floor.heard == []


def test_logging_out_leads_back_to_the_badge(pda: Handheld, floor: Floor) -> None:
    floor.state = lambda: MENU
    pda.open()
    floor.script = lambda path, body: {}
    pda.press("F4")
    pda.sees("请扫工牌")
    assert floor.heard == [("logout", {})]


def test_without_a_server_the_log_in_says_what_to_do(locked: Handheld, floor: Floor) -> None:
    locked.trigger("BD:0012")
    floor.network = "cut"
    type_pin(locked)
    locked.sees("连不上服务器")
