"""The slots' page: a plan on demand, its moves with gain and cost, all, some or none of them done."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from tests.slotting.past import FAR, a_busy_past, proposals
from tests.terminal.desk import Desk
from wms.core.outbox import Deliverer
from wms.exchange.reactions import reactions
from wms.slotting.tables import MovePlan
from wms.work import queries as work


def delivered(desk: Desk) -> None:
    """What was announced has been reacted to."""
    park = desk.park
    Deliverer(park.database, reactions(park.database, park.clock)).deliver_some()


def page(desk: Desk, **options: str) -> str:
    answer = desk.client.get("/terminal/slots", query_string=options)
    assert answer.status_code == 200
    return str(answer.get_data(as_text=True))


def tasks(desk: Desk) -> list[Any]:
    return desk.park.read(lambda session: work.tasks(session, desk.park.warehouse_id, kinds=["slot_move"]))


def test_an_empty_house_says_what_will_stand_here(sqlite_desk: Desk) -> None:
    words = page(sqlite_desk)
    assert "没有建议的移库" in words
    assert "没有要说明的移库" in words


def test_a_plan_asked_for_shows_its_moves_with_gain_and_cost(sqlite_desk: Desk) -> None:
    desk = sqlite_desk
    fast = a_busy_past(desk.park)
    assert desk.do("plan_moves").status_code == 200
    delivered(desk)
    made_by = desk.park.read(lambda session: session.scalars(select(MovePlan.made_by)).all())
    assert made_by == [f"person:{desk.person_id}"]
    first = proposals(desk.park)[0]
    words = page(desk)
    assert fast.code in words
    assert FAR in words
    assert f"{first.gain_m_week:,} m" in words
    assert f"{first.cost_m:,} m" in words
    assert "<svg" in page(desk, map="fill")
    assert "<table" in page(desk, map="table")


def test_all_some_or_none_of_the_moves_are_done(sqlite_desk: Desk) -> None:
    desk = sqlite_desk
    a_busy_past(desk.park)
    desk.do("plan_moves")
    delivered(desk)
    ids = [row.id for row in proposals(desk.park)]
    assert "1" in desk.do("accept_moves", moves=ids[:1]).json["says"]
    assert len(tasks(desk)) == 1
    desk.do("decline_moves", moves=ids)
    assert {row.state for row in proposals(desk.park)[1:]} <= {"declined"}
    desk.do("withdraw_move", move=ids[0])
    assert tasks(desk) == []
    assert "被撤回" in page(desk, side="decided")


def test_moves_are_given_as_a_list_of_numbers(sqlite_desk: Desk) -> None:
    for wrong in ("all", [1.5], [True], None):
        assert sqlite_desk.do("accept_moves", moves=wrong).status_code == 400
