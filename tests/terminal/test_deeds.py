"""Every button does what it says, through the service of its room, once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select, update

from tests.builders import a_park, a_person, stock_in
from tests.outbound.orders import allocate, cancel, order, place
from tests.picking.floor import Floor
from tests.terminal.desk import Desk
from tests.terminal.scene import a_gateway, a_job, a_reject, at_work, found, only, scanned, stocked
from wms.core.outbox import Announcement, Deliverer
from wms.core.promises import Broken
from wms.core.start_checks import Weakness, write_down
from wms.core.tables import AuditRow, OutboxRow
from wms.counting import service as counting
from wms.counting.values import Counted
from wms.ledger.findings import note_broken
from wms.ledger.promises import PROMISES
from wms.outbound import service as outbound
from wms.outbound.tables import Wave
from wms.picking.tables import Batch, KeptPlan
from wms.printing import service as printing
from wms.printing.tables import PrintJob
from wms.site import queries as site
from wms.site import service as site_service
from wms.site.tables import Hall
from wms.sorting.tables import DivertRow, Gateway, GatewayCommand
from wms.terminal.board import View
from wms.terminal.pages.blueprints import kept
from wms.terminal.service.planner import Planner
from wms.terminal.values import Trouble
from wms.work import service as work
from wms.work.tables import Task


def press(desk: Desk, trouble: Trouble) -> Any:
    """Its own button, as the page sends it."""
    answer = desk.do(trouble.deed.name, **trouble.deed.args)
    assert answer.status_code == 200, answer.json
    return answer.json


def planned(desk: Desk) -> Planner:
    """The planner, when it has nothing left to do."""
    with desk.app.app_context():
        planner = kept().planner
    planner.wait_until_idle()
    return planner


def waves(desk: Desk) -> dict[str, Wave]:
    return {one.no: one for one in desk.park.read(lambda session: session.scalars(select(Wave)).all())}


def test_releasing_a_cut_off_makes_its_waves_plans_them_and_sends_them_to_the_floor(desk: Desk) -> None:
    tea = stocked(desk)
    for no in ("N1", "N2", "N3"):
        place(desk.park, no, (tea, 2))
        allocate(desk.park, no)
    desk.park.clock.advance(hours=7)  # 15:00, an hour before the cut-off
    trouble = only(desk)
    assert trouble.key.startswith("waiting:YD")
    assert press(desk, trouble)["says"]
    planned(desk)
    (wave,) = waves(desk).values()
    assert wave.state == "released"
    assert 0 < wave.walk_m <= wave.s_shape_m
    assert desk.park.read(lambda session: session.scalars(select(Batch.no)).all()) == [f"{wave.no}-01"]
    assert order(desk.park, "N1").state == "released"
    noted = desk.park.read(
        lambda session: session.scalars(select(AuditRow).where(AuditRow.what == "wave.planned")).one()
    )
    assert noted.actor == f"person:{desk.person_id}"
    assert noted.facts["first_come_m"] >= wave.walk_m


def test_a_wave_whose_orders_all_left_is_closed_instead_of_planned(sqlite_desk: Desk) -> None:
    desk = sqlite_desk
    tea = stocked(desk)
    place(desk.park, "N1", (tea, 2))
    allocate(desk.park, "N1")
    (wave,) = desk.park.act(outbound.make_waves)
    cancel(desk.park, "N1")
    desk.do("release_wave", wave=wave)
    planned(desk)
    assert waves(desk)[wave].state == "cancelled"


def test_a_wave_that_cannot_be_planned_is_a_draft_again_and_says_why(sqlite_desk: Desk) -> None:
    desk = sqlite_desk
    tea = stocked(desk)
    place(desk.park, "N1", (tea, 2))
    allocate(desk.park, "N1")
    (wave,) = desk.park.act(outbound.make_waves)
    no_hall = update(Hall).values(version=Hall.version + 1, cross_y_mm={"mm": [0]})
    desk.park.database.transact(lambda session: session.execute(no_hall))
    desk.do("plan_wave", wave=wave)
    planned(desk)
    kept_plan = desk.park.read(lambda session: session.scalars(select(KeptPlan)).one())
    assert (kept_plan.state, kept_plan.why["reason"]) == ("failed", "busy")
    assert waves(desk)[wave].state == "draft"


def test_a_planner_that_died_leaves_a_row_with_the_way_back(sqlite_desk: Desk) -> None:
    desk = sqlite_desk
    tea = stocked(desk)
    place(desk.park, "N1", (tea, 2))
    allocate(desk.park, "N1")
    (wave,) = desk.park.act(outbound.make_waves)
    desk.park.act(lambda call: outbound.begin_planning(call, wave))
    desk.park.clock.advance(minutes=6)
    press(desk, found(desk)[f"planning:{wave}"])
    assert waves(desk)[wave].state == "draft"


def test_the_same_press_sent_twice_is_done_once(sqlite_desk: Desk) -> None:
    desk = sqlite_desk
    tea = stocked(desk)
    for no in ("N1", "N2"):
        place(desk.park, no, (tea, 2))
        allocate(desk.park, no)
    press_id = uuid4().hex
    first, again = (desk.post("do", {"id": press_id, "deed": "make_waves", "args": {}}) for _ in range(2))
    assert first.json == again.json
    planned(desk)
    assert len(waves(desk)) == 1


def test_orders_that_wait_for_goods_get_them_when_the_goods_are_there(desk: Desk) -> None:
    tea = stocked(desk, quantity=0)
    place(desk.park, "N1", (tea, 2))
    allocate(desk.park, "N1")
    trouble = only(desk)
    assert (trouble.code, trouble.what.facts["missing"], trouble.what.facts["orders"]) == ("S-1407", "2", "1")
    desk.park.act(lambda call: stock_in(call, tea, "A01-01-1A", 5))
    assert "1 单配齐" in press(desk, trouble)["says"]
    assert order(desk.park, "N1").state == "allocated"
    assert found(desk) == {}


def test_a_late_cut_off_offers_to_pick_its_batches_first(desk: Desk) -> None:
    floor = Floor(
        desk.park, stocked(desk), stocked(desk, "NUTS", 10, "A01-05-2A"), stocked(desk, "SALT", 10, "A02-09-1A")
    )
    floor.batch(("N1", [(floor.tea, 1)]), ("N2", [(floor.nuts, 1)]))
    desk.park.clock.advance(hours=9)  # an hour after the cut-off
    trouble = only(desk)
    assert (trouble.code, trouble.priority, trouble.deed.name) == ("E-2101", 1, "pick_first")
    press(desk, trouble)
    assert desk.park.read(lambda session: session.scalars(select(Task.priority)).all()) == [1]
    assert only(desk).deed.name == "acknowledge"


def test_work_in_idle_hands_goes_to_whoever_is_about(desk: Desk) -> None:
    slow, quick = a_person(desk.park, "汪建国"), a_person(desk.park, "许芳")
    floor = Floor(
        desk.park, stocked(desk), stocked(desk, "NUTS", 10, "A01-05-2A"), stocked(desk, "SALT", 10, "A02-09-1A")
    )
    floor.batch(("N1", [(floor.tea, 1)]))
    task_id = desk.park.read(lambda session: session.scalars(select(Task.id)).one())
    for number, one in enumerate((slow, quick)):
        at_work(desk, one.person_id, number)
    slow.act(lambda call: work.claim(call, task_id))
    desk.park.clock.advance(minutes=10)
    scanned(desk, quick.person_id)
    trouble = only(desk)
    assert trouble.key == f"idle:{slow.person_id}"
    assert "许芳" in press(desk, trouble)["says"]
    assert desk.park.read(lambda session: session.get_one(Task, task_id).claimed_by) == quick.person_id


def test_idle_work_that_nobody_can_take_goes_back_to_the_board(sqlite_desk: Desk) -> None:
    desk = sqlite_desk
    slow = a_person(desk.park, "汪建国")
    at_work(desk, slow.person_id, 1)
    task_id = slow.act(lambda call: work.create(call, "count", "slot:1"))
    slow.act(lambda call: work.claim(call, task_id))
    desk.park.clock.advance(minutes=10)
    assert only(desk).deed.name == "free_task"
    press(desk, only(desk))
    assert desk.park.read(lambda session: session.get_one(Task, task_id).state) == "open"


def test_labels_of_a_dead_printer_go_to_the_nearest_that_works(desk: Desk) -> None:
    a_gateway(desk, "PK-01", ("printer", "printer_tspl", "down"))
    a_gateway(desk, "PK-02", ("printer", "printer_tspl", "ready"))
    a_job(desk, "L1", "PK-01")
    a_job(desk, "L2", "PK-01", "failed")
    desk.park.clock.advance(minutes=1)
    trouble = only(desk)  # the printer is told once, with its labels
    assert (trouble.key, trouble.priority, trouble.deed.args["to"]) == ("labels:PK-01", 1, "PK-02")
    press(desk, trouble)
    there = desk.park.read(lambda session: site.station_by_code(session, desk.park.warehouse_id, "PK-02"))
    jobs = desk.park.read(lambda session: session.execute(select(PrintJob.station_id, PrintJob.state)).all())
    assert sorted(job.state for job in jobs if job.station_id == there.id) == ["queued", "queued"]
    assert [job.state for job in jobs if job.station_id != there.id] == ["cancelled", "cancelled"]


def test_a_printer_that_stands_in_for_another_is_told_for_ten_minutes(sqlite_desk: Desk) -> None:
    desk = sqlite_desk
    for key in ("L1", "L2"):
        job = a_job(desk, key, "PK-01")
        desk.park.act(lambda call, job=job: printing.report(call, job, "claimed", None, "printer1"))  # type: ignore[misc]
        desk.park.act(lambda call, job=job: printing.report(call, job, "claimed", "failover", "printer2"))  # type: ignore[misc]
    station = desk.park.read(lambda session: site.station_by_code(session, desk.park.warehouse_id, "PK-01"))
    assert only(desk).key == f"taken_over:{station.id}:printer1:printer2"
    words = desk.page("")
    assert "2 张标签改由 printer2 打印" in words
    assert "printer1 打不了" in words
    desk.park.clock.advance(minutes=11)
    assert found(desk) == {}


def test_a_label_nobody_is_sure_of_asks_for_a_person(sqlite_desk: Desk) -> None:
    job = a_job(sqlite_desk, "L1", "PK-01", "uncertain")
    assert only(sqlite_desk).deed.name == "reprint"
    sqlite_desk.do("on_paper", job=job)
    assert found(sqlite_desk) == {}
    again = a_job(sqlite_desk, "L2", "PK-01", "uncertain")
    press(sqlite_desk, only(sqlite_desk))
    states = sqlite_desk.park.read(lambda session: session.execute(select(PrintJob.id, PrintJob.state)).all())
    assert {row.id: row.state for row in states}[again] == "cancelled"
    assert [row.state for row in states].count("queued") == 1


def test_a_silent_gateway_is_told_and_its_devices_are_unknown(sqlite_desk: Desk) -> None:
    desk = sqlite_desk
    gateway_id = a_gateway(desk, "PK-01", ("printer", "printer_tspl", "ready"))
    old = datetime.now(UTC) - timedelta(minutes=3)
    desk.park.database.transact(lambda session: setattr(session.get_one(Gateway, gateway_id), "seen_at", old))
    assert only(desk).code == "G-3101"
    assert "不明" in desk.page("devices")


@pytest.mark.parametrize(("state", "deed"), [("FULL", "empty_chute"), ("JAM", "open_chute")])
def test_a_chute_is_cured_at_the_line(desk: Desk, state: str, deed: str) -> None:
    gateway_id = a_gateway(desk, "LINE-1", ("line", "sorter_wsp", "ready"))
    desk.park.act(lambda call: site_service.set_chute(call, 3, state, 60))
    trouble = only(desk)
    assert (trouble.priority, trouble.deed.name) == (1, deed)
    press(desk, trouble)
    orders = desk.park.read(
        lambda session: session.execute(select(GatewayCommand.gateway_id, GatewayCommand.facts)).all()
    )
    told = desk.park.read(lambda session: session.scalars(select(OutboxRow.topic)).all())
    if deed == "open_chute":
        assert [tuple(row) for row in orders] == [(gateway_id, {"chute": 3, "command": "OPEN"})]
    else:
        assert "chute.emptied" in told


def test_what_the_line_threw_out_stays_listed_until_somebody_has_seen_to_it(desk: Desk) -> None:
    a_reject(desk)
    a_reject(desk, 2, chute=4, told_chute=5, told_reason="ROUTE", result="MISS", finding="MISSORT")
    rows = found(desk)
    assert {key: one.priority for key, one in rows.items()} == {"rejected:NOREAD": 2, "rejected:MISSORT": 1}
    ids = desk.park.read(lambda session: session.scalars(select(DivertRow.id)).all())
    for divert in ids:
        assert desk.do("reject_done", divert=divert).status_code == 200
    assert found(desk) == {}


def a_fact(desk: Desk, **more: Any) -> None:
    now = desk.park.clock.now()
    facts = {"topic": "order.shipped", "aggregate": "order:1", "facts": {}, "written_at": now, **more}
    row = OutboxRow(warehouse_id=desk.park.warehouse_id, **facts)
    desk.park.database.transact(lambda session: session.add(row))


def a_fact_set_aside(desk: Desk) -> Trouble:
    a_fact(desk, attempts=8, set_aside_at=desk.park.clock.now(), trouble="no answer")
    return only(desk)


def test_a_fact_given_up_lets_those_behind_it_go_on_and_stays_in_the_trail(sqlite_desk: Desk) -> None:
    desk = sqlite_desk
    a_fact_set_aside(desk)
    a_fact(desk)
    trouble = only(desk)
    assert (trouble.note.facts["why"], trouble.note.facts["behind"]) == ("no answer", 1)
    assert trouble.instead is not None
    page = desk.client.get("/terminal/").get_data(as_text=True)
    assert f'data-deed="{trouble.instead.name}"' in page
    assert desk.do(trouble.instead.name, **trouble.instead.args).status_code == 200
    assert found(desk) == {}
    told: list[Announcement] = []
    Deliverer(desk.park.database, {"order.shipped": told.append}).deliver_some()
    assert len(told) == 1, "the one behind it"
    kept = desk.park.read(lambda session: session.scalars(select(AuditRow).order_by(AuditRow.id.desc())).first())
    assert kept is not None
    assert (kept.what, kept.facts["trouble"]) == ("outbox.dismissed", "no answer")
    assert desk.do(trouble.instead.name, **trouble.instead.args).json["error"]["reason"] == "not_found"


def test_a_fact_that_could_not_be_sent_is_tried_again(sqlite_desk: Desk) -> None:
    desk = sqlite_desk
    trouble = a_fact_set_aside(desk)
    press(desk, trouble)
    fresh = desk.park.read(lambda session: session.get_one(OutboxRow, trouble.deed.args["row"]))
    assert (fresh.set_aside_at, fresh.attempts) == (None, 0)
    assert desk.do("send_again", row=trouble.deed.args["row"]).json["error"]["reason"] == "not_found"


def test_a_large_difference_is_approved_by_a_second_person(desk: Desk) -> None:
    tea = stocked(desk)
    lot_id = desk.park.act(lambda call: stock_in(call, tea, "A01-05-2A", 10))
    counter = a_person(desk.park)
    count_id = counter.act(lambda call: counting.begin_count(call, "A01-05-2A"))
    counter.act(lambda call: counting.finish_count(call, count_id, [Counted(tea.merchant_id, tea.id, lot_id, 2)]))
    press(desk, found(desk)[f"count:{count_id}"])
    assert f"count:{count_id}" not in found(desk)


def test_goods_the_audit_froze_are_counted(sqlite_desk: Desk) -> None:
    desk = sqlite_desk
    stocked(desk)
    promise = next(one for one in PROMISES if one.name == "on_hand_is_the_sum_of_movements")
    broken = Broken("stock 1", "on hand 20, movements say 19", desk.park.warehouse_id, 1)
    desk.park.act(lambda call: note_broken(call, promise, broken))
    trouble = only(desk)
    assert (trouble.code, trouble.priority, trouble.deed.args) == ("H-5101", 1, {"slot": "A01-01-1A"})
    shown = desk.page()
    assert "账对不上：A01-01-1A · " in shown
    assert "最后一笔：收货" in shown
    press(desk, trouble)
    task = desk.park.read(lambda session: session.scalars(select(Task)).one())
    assert (task.kind, task.priority, task.facts["slot"]) == ("count", 2, "A01-01-1A")


def test_what_is_weak_about_the_ground_is_listed_until_it_is_mended(sqlite_desk: Desk) -> None:
    desk = sqlite_desk
    write = desk.park.database.transact
    write(lambda session: write_down(session, [Weakness("clock_behind", {"behind_s": "3,600", "last": "2026-11-07"})]))
    trouble = only(desk)
    assert (trouble.code, trouble.priority) == ("H-5201", 2)
    shown = desk.page()
    assert "服务器时钟慢了" in shown
    assert "时钟比最后一笔移动慢 3,600 秒" in shown
    write(lambda session: write_down(session, []))
    assert not found(desk)


def test_a_shelved_row_is_listed_apart_with_the_name_for_a_quarter_of_an_hour(sqlite_desk: Desk) -> None:
    desk = sqlite_desk
    a_reject(desk)
    trouble = only(desk)
    press(desk, trouble)
    assert "未识读 1 件" not in desk.page()
    assert "未识读 1 件" in desk.page("?list=shelved")
    assert "程丽" in desk.page("?list=shelved")
    desk.do("take_back", key=trouble.key)
    assert "未识读 1 件" in desk.page()
    press(desk, trouble)
    desk.park.clock.advance(minutes=16)
    assert "未识读 1 件" in desk.page()


def test_another_building_s_rows_are_neither_seen_nor_touched(sqlite_desk: Desk) -> None:
    desk = sqlite_desk
    other = Desk(a_park(desk.park.database, code="2"), desk.app, desk.client)
    a_reject(other)
    divert = desk.park.read(lambda session: session.scalars(select(DivertRow.id)).one())
    assert found(desk) == {}
    assert desk.do("reject_done", divert=divert).status_code == 404


def test_one_drawing_serves_all_who_look_at_once(sqlite_desk: Desk) -> None:
    with sqlite_desk.app.app_context():
        board = kept().board
    view = View("overview", sqlite_desk.park.warehouse_id, "zh")
    assert board.drawn(view) is board.drawn(view)
    assert board.draw_now(view) is not board.draw_now(view)


def test_a_finding_nobody_knows_is_wrong_input_and_no_mistake_of_ours(sqlite_desk: Desk) -> None:
    answer = sqlite_desk.do("route_again", kind="<x>")
    assert (answer.status_code, answer.get_json()["error"]["facts"]) == (400, {"what": "kind"})
