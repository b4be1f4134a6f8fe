"""Without a network the hand goes on by the path it has; what was scanned is replayed in order and nothing is lost."""

from __future__ import annotations

from typing import Any

import pytest

from tests.handheld.page import envelopes as goods
from tests.handheld.page.handheld import Handheld
from tests.handheld.page.scripted import Floor, Refuses, Script

pytestmark = pytest.mark.chromium

STOPS = ["B12-07-3", "6901234124417", "T-0418", "B14-02-1"]


def stop(number: int) -> goods.Json:
    """The screen on which `STOPS[number]` is wanted."""
    screen = goods.pick_screen(["slot", "sku", "tote"][number % 3])
    return {**screen, "token": f"17.{number}", "title": f"第 {number} 步"}


def path() -> list[goods.Json]:
    """The whole way ahead of the first stop."""
    wrong = "不是这个"
    return [
        {"accepts": [f"SL:{code}:K", code], "wrong": {"text": wrong, "expected": code}, "screen": stop(at + 1)}
        for at, code in enumerate(STOPS)
    ]


FIRST = goods.envelope(stop(0), ahead=path())


def judge(floor: Floor, refuses: str = "") -> Script:
    """The server's side of the walk: right in order, wrong for `refuses` and whatever is out of turn."""
    right: list[str] = []

    def answer(_: str, body: goods.Json) -> goods.Json:
        code = body.get("code", "")
        if code == refuses or len(right) >= len(STOPS) or code != STOPS[len(right)]:
            return goods.envelope(stop(len(right)), message=goods.wrong_message())
        right.append(code)
        screen = {**stop(len(right)), "title": f"服务器 {len(right)}"}
        return goods.envelope(screen, message=goods.OK, ahead=path()[len(right) :])

    return answer


@pytest.fixture
def walking(pda: Handheld, floor: Floor) -> Handheld:
    floor.state = lambda: FIRST
    floor.script = judge(floor)
    return pda.open()


def go_offline(pda: Handheld, how: str = "cut") -> None:
    pda.floor.network = how


def come_back(pda: Handheld) -> None:
    """The wireless is there again; the device notices by its own event, as a real one does."""
    pda.floor.network = "up"
    pda.page.evaluate("window.dispatchEvent(new Event('online'))")


@pytest.mark.parametrize("how", ["cut", "busy"])
def test_scans_go_on_by_the_path_and_are_replayed_under_the_same_ids(walking: Handheld, floor: Floor, how: str) -> None:
    go_offline(walking, how)
    walking.trigger(*STOPS[:3], gap_ms=50)
    walking.sees("离线 0:0")
    walking.sees("待传 3")
    ids = [record["id"] for record in walking.kept()]
    walking.asks("扫储位")  # three scans further: the next slot
    come_back(walking)
    walking.sees("服务器 3")
    assert [body["id"] for body in floor.acted] == ids
    assert floor.codes() == STOPS[:3]
    assert walking.kept() == []
    assert walking.page.locator("#status.off").count() == 0


def test_what_was_kept_says_to_which_work_it_belongs(walking: Handheld, floor: Floor) -> None:
    usual, versions = judge(floor), iter(range(8, 20))
    floor.script = lambda path, body: {**usual(path, body), "work": {"task": 12, "version": next(versions)}}
    go_offline(walking)
    walking.trigger(*STOPS[:3], gap_ms=50)
    walking.sees("待传 3")
    come_back(walking)
    walking.sees("服务器 3")
    assert [(body["kept"], body["work"]["version"]) for body in floor.acted] == [(True, 7), (True, 8), (True, 9)]
    walking.trigger(STOPS[3])
    walking.sees("服务器 4")
    assert "kept" not in floor.acted[-1]


def test_what_waited_for_a_log_in_is_kept_too(walking: Handheld, floor: Floor) -> None:
    floor.script = session_ended
    walking.trigger(STOPS[0])
    walking.sees("请扫工牌")
    floor.script = log_in_as(goods.person(), judge(floor))
    log_in(walking)
    walking.sees("服务器 1")
    assert [body["kept"] for body in floor.acted if "code" in body] == [True]


def test_the_server_s_word_wins_over_the_path(walking: Handheld, floor: Floor) -> None:
    go_offline(walking)
    walking.trigger(STOPS[0])
    walking.sees("待传 1")
    floor.script = lambda path, body: goods.envelope(goods.receive_screen("zh"), message=goods.DONE)
    come_back(walking)
    walking.sees("这一站拣完")
    walking.sees("笋干")


def test_a_wrong_scan_is_told_at_once_and_never_sent(walking: Handheld, floor: Floor) -> None:
    go_offline(walking)
    walking.trigger(STOPS[0])
    walking.sees("待传 1")
    walking.trigger("B99-99-9")
    walking.sees("不是这个")
    assert walking.page.get_attribute("#page", "data-level") == "wrong"
    assert len(walking.kept()) == 1
    come_back(walking)
    walking.sees("服务器 1")
    assert floor.codes() == STOPS[:1]


def test_a_refused_replay_stops_its_task_and_the_rest_is_kept_and_listed(walking: Handheld, floor: Floor) -> None:
    go_offline(walking)
    walking.trigger(*STOPS[:3], gap_ms=50)
    walking.sees("待传 3")
    floor.script = judge(floor, refuses=STOPS[1])
    come_back(walking)
    walking.sees("后面还存着 1 次")
    assert floor.codes() == STOPS[:2]
    assert [record["state"] for record in walking.kept()] == ["conflict", "held"]
    walking.page.reload()
    walking.sees("后面还存着 1 次")
    walking.trigger("B14-02-1")
    walking.sees("后面还存着 2 次")
    assert floor.codes() == STOPS[:2]


def test_after_a_conflict_the_rest_is_sent_when_the_person_says_so(walking: Handheld, floor: Floor) -> None:
    conflict_of_the_second(walking, floor)
    floor.script = lambda path, body: goods.envelope(stop(3), message=goods.OK)
    walking.press("F1")
    walking.until(lambda: walking.kept() == [], "an empty queue")
    assert floor.codes() == STOPS[:3]


def test_a_conflict_holds_up_no_other_task(walking: Handheld, floor: Floor) -> None:
    conflict_of_the_second(walking, floor)
    other = goods.envelope(goods.receive_screen("zh"), work={"task": 13, "version": 8})
    floor.state = lambda: other
    floor.script = lambda path, body: other
    walking.page.wait_for_function("() => document.querySelector('#status b')?.innerText === '收货'")
    walking.trigger("6900000000017")
    walking.until(lambda: floor.codes() == [*STOPS[:2], "6900000000017"], "the other task's scan")
    assert [record["state"] for record in walking.kept()] == ["conflict", "held"]


def test_after_a_conflict_giving_up_asks_twice(walking: Handheld, floor: Floor) -> None:
    conflict_of_the_second(walking, floor)
    walking.press("F2")
    walking.sees("1 次都不要了？")
    walking.press("F1")
    assert len(walking.kept()) == 2
    walking.press("F2")
    walking.press("F3")
    walking.until(lambda: walking.kept() == [], "an empty queue")
    assert floor.codes() == STOPS[:2]


def conflict_of_the_second(pda: Handheld, floor: Floor) -> None:
    go_offline(pda)
    pda.trigger(*STOPS[:3], gap_ms=50)
    pda.sees("待传 3")
    floor.script = judge(floor, refuses=STOPS[1])
    come_back(pda)
    pda.sees("后面还存着 1 次")


def test_a_reload_keeps_the_queue_and_the_place(walking: Handheld, floor: Floor) -> None:
    go_offline(walking, "busy")
    walking.trigger(*STOPS[:2], gap_ms=50)
    walking.sees("待传 2")
    walking.asks("扫周转箱")
    before = walking.kept()
    walking.page.reload()
    walking.sees("待传 2")
    walking.asks("扫周转箱")
    assert [record["id"] for record in walking.kept()] == [record["id"] for record in before]
    come_back(walking)
    walking.sees("服务器 2")
    assert [body["id"] for body in floor.acted] == [record["id"] for record in before]


def test_a_record_the_server_will_not_take_is_a_conflict_not_a_loss(walking: Handheld, floor: Floor) -> None:
    def refuse(path: str, body: goods.Json) -> goods.Json:
        raise Refuses(422, "request_id_reused", "同一请求编号内容不同")

    floor.script = refuse
    walking.trigger(STOPS[0])
    walking.sees("同一请求编号内容不同")
    assert [record["state"] for record in walking.kept()] == ["conflict"]


def test_a_record_the_server_stumbles_over_is_set_aside_after_five_tries(walking: Handheld, floor: Floor) -> None:
    def stumble(path: str, body: goods.Json) -> goods.Json:
        raise Refuses(500, "our_mistake", "")

    floor.script = stumble
    walking.trigger(STOPS[0])
    for _ in range(8):
        walking.page.evaluate("window.dispatchEvent(new Event('online'))")
        walking.page.wait_for_timeout(60)
    walking.sees("服务器没收，请叫班长")
    assert len(floor.heard) == 5
    assert [record["state"] for record in walking.kept()] == ["conflict"]


def test_keys_that_need_the_server_are_dashed_say_so_and_send_nothing(pda: Handheld, floor: Floor) -> None:
    screen = goods.offline_screen()
    floor.state = lambda: goods.envelope(screen, ahead=[{"accepts": ["A"], "screen": screen}])
    pda.open()
    go_offline(pda)
    pda.trigger("A")
    pda.sees("要等联网；手上的可以做完")
    pda.until(lambda: any("before" in record for record in pda.kept()), "the scan is judged on the device")
    assert "dashed" in str(pda.page.get_attribute('[data-key="F4"]', "class"))
    pda.press("F4")
    pda.page.wait_for_selector(".band.attention")
    assert [record["body"].get("action") for record in pda.kept()] == [None]


def test_undo_takes_back_the_last_scan_the_server_cannot_have_heard(walking: Handheld, floor: Floor) -> None:
    go_offline(walking)
    walking.trigger(*STOPS[:2], gap_ms=50)
    walking.sees("待传 2")
    walking.press("F3")
    walking.sees("已撤销上一次")
    assert [record["body"]["code"] for record in walking.kept()] == STOPS[:1]
    walking.asks("扫商品")


def test_counting_goes_on_without_a_network(pda: Handheld, floor: Floor) -> None:
    floor.state = lambda: goods.envelope(goods.receive_screen("zh"))
    pda.open()
    go_offline(pda)
    for _ in range(3):
        pda.tap('[data-action="plus_one"]')
    pda.sees("待传 3")
    pda.sees("39")


def test_past_the_end_of_the_path_a_scan_is_stored_and_judged_later(walking: Handheld, floor: Floor) -> None:
    go_offline(walking)
    walking.trigger(*STOPS, "ONE-MORE", gap_ms=50)
    walking.sees("已存，联网后判对错")
    assert len(walking.kept()) == 5


def test_a_session_that_ended_keeps_the_queue_for_its_person(walking: Handheld, floor: Floor) -> None:
    floor.script = session_ended
    walking.trigger(STOPS[0])
    walking.sees("请扫工牌")
    assert len(walking.kept()) == 1
    floor.script = log_in_as(goods.person(), judge(floor))
    log_in(walking)
    walking.sees("服务器 1")
    assert floor.codes() == STOPS[:1]


def test_another_person_never_sends_what_the_last_one_scanned(walking: Handheld, floor: Floor) -> None:
    floor.script = session_ended
    walking.trigger(STOPS[0])
    walking.sees("请扫工牌")
    other = {**goods.person(), "name": "李梅"}
    floor.script = log_in_as(other, judge(floor))
    log_in(walking)
    walking.sees("第 0 步")
    assert floor.codes() == []
    assert [record["who"] for record in walking.kept()] == ["章强"]


def session_ended(path: str, body: goods.Json) -> goods.Json:
    raise Refuses(401, "not_logged_in", "请先登录")


def log_in_as(person: goods.Json, then: Script) -> Script:
    def answer(path: str, body: goods.Json) -> Any:
        return {**FIRST, "person": person} if path == "login" else then(path, body)

    return answer


def log_in(pda: Handheld) -> None:
    pda.trigger("BD:0012")
    pda.sees("输密码")
    for digit in "1234":
        pda.tap(f'.pad [data-value="{digit}"]')
    pda.press("Enter")


def test_an_order_cancelled_in_the_middle_of_a_replay_is_told_at_its_end(walking: Handheld, floor: Floor) -> None:
    go_offline(walking)
    walking.trigger(*STOPS[:3], gap_ms=50)
    walking.sees("待传 3")
    usual = judge(floor)

    def answer(path: str, body: goods.Json) -> goods.Json:
        return {**usual(path, body), "message": goods.ATTENTION if body["code"] == STOPS[1] else goods.OK}

    floor.script = answer
    come_back(walking)
    walking.sees("少拿一罐")
    assert floor.codes() == STOPS[:3]


def test_the_path_is_asked_for_when_the_hand_rests_and_used_when_the_network_goes(pda: Handheld, floor: Floor) -> None:
    asked: list[int] = []

    def ahead() -> goods.Json:
        asked.append(1)
        return {"token": "17.0", "ahead": path()}

    floor.state = lambda: {**FIRST, "ahead": None, "path": True}
    floor.ahead = ahead
    floor.script = judge(floor)
    pda.open()
    pda.until(lambda: bool(asked), "the path is asked for")
    pda.page.wait_for_timeout(300)
    go_offline(pda)
    pda.trigger(*STOPS[:2], gap_ms=50)
    pda.sees("待传 2")
    pda.asks("扫周转箱")
    come_back(pda)
    pda.sees("服务器 2")
    assert floor.codes() == STOPS[:2]
