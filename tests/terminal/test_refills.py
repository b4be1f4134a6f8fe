"""The slots' page, its side of pick faces: what is to be refilled and why, levels by hand, the rule, what was done."""

from __future__ import annotations

from sqlalchemy import select

from tests.slotting.faces import FACE, RESERVE, a_face, hands, refills
from tests.terminal.desk import Desk
from tests.terminal.test_slots import page
from wms.slotting.tables import FaceLevel, RefillRule


def levels_of(desk: Desk, sku_id: int) -> FaceLevel | None:
    query = select(FaceLevel).where(FaceLevel.sku_id == sku_id)
    return desk.park.read(lambda session: session.scalars(query).one_or_none())


def test_an_empty_house_says_what_will_stand_here(sqlite_desk: Desk) -> None:
    assert "没有要补的货" in page(sqlite_desk, plan="refills")
    assert "还没有算出存量" in page(sqlite_desk, plan="refills", side="levels")
    assert "还没有补过货" in page(sqlite_desk, plan="refills", side="refilled")


def test_what_is_to_be_refilled_stands_with_its_reason_and_can_be_called_off(sqlite_desk: Desk) -> None:
    desk = sqlite_desk
    a_face(desk.park)
    assert "1" in desk.do("plan_refills").json["says"]
    words = page(desk, plan="refills")
    assert f"{RESERVE} → {FACE}" in words
    assert "3 箱 = 36 件" in words
    assert "快拣完了" in words
    (row,) = refills(desk.park)
    assert desk.do("withdraw_refill", refill=row.id).status_code == 200
    assert "被取消" in page(desk, plan="refills", side="refilled")
    assert desk.do("withdraw_refill", refill=row.id).status_code == 409


def test_what_was_done_stands_with_how_much_and_how_soon(sqlite_desk: Desk) -> None:
    desk = sqlite_desk
    face = a_face(desk.park)
    desk.do("plan_refills")
    hands(desk.park).scan(RESERVE).scan(face.case).press("quantity", "3").scan(FACE)
    words = page(desk, plan="refills", side="refilled")
    assert "3 箱 = 36 件" in words
    assert "24 小时补 1 次 36 件" in words


def test_levels_are_set_by_hand_by_row_or_by_code_and_set_free(sqlite_desk: Desk) -> None:
    desk = sqlite_desk
    face = a_face(desk.park)
    desk.do("set_levels", sku=face.sku.id, least=5, most=50)
    row = levels_of(desk, face.sku.id)
    assert row is not None
    assert (row.quantity_min, row.quantity_max, row.by_hand) == (5, 50, True)
    desk.do("set_levels", code=face.sku.code, least=6, most=60)
    assert "60" in page(desk, plan="refills", side="levels")
    assert desk.do("set_levels", code="NO-SUCH", least=6, most=60).status_code == 404
    assert desk.do("set_levels", sku=face.sku.id, least=60, most=6).status_code == 400
    desk.do("free_levels", sku=face.sku.id)
    desk.do("plan_refills")
    assert levels_of(desk, face.sku.id) is None


def test_the_rule_is_changed_within_bounds(sqlite_desk: Desk) -> None:
    desk = sqlite_desk
    a_face(desk.park)
    wanted = {"reach_mm": 1_600, "lines_a_week": 3, "days_min": 2, "days_max": 4}
    assert desk.do("set_refill_rule", **wanted).status_code == 200
    row = desk.park.read(lambda session: session.scalars(select(RefillRule)).one())
    assert (row.reach_mm, row.lines_a_week, row.days_min, row.days_max) == (1_600, 3, 2, 4)
    assert "1600" in page(desk, plan="refills", side="rule")
    assert desk.do("set_refill_rule", **{**wanted, "days_min": 5}).status_code == 400
    desk.do("plan_refills")
    assert refills(desk.park) == []  # the reserve slot lies in reach now
