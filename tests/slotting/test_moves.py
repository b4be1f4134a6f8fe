"""Proposed moves: found where they pay, decided by a person, carried out scan by scan, and right at every moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from tests.builders import Park, a_park, a_person, a_sku, stock_in
from tests.inbound.dock import broken_promises, refusal
from tests.inbound.hands import Hands
from tests.slotting.past import FAR, NEAR, WEEKS, a_busy_past, proposals, slot_id
from wms.core.call import Call
from wms.core.db import Database
from wms.core.dialogue import Level
from wms.core.refusal import Reason, Refused
from wms.ledger import service as ledger
from wms.ledger.tables import Hold, Stock
from wms.ledger.values import Purpose
from wms.site import queries as site
from wms.site import service as site_service
from wms.slotting import moving, planning
from wms.slotting.dialogue import ITEM, SLOT_MOVE, SOURCE, TARGET
from wms.slotting.tables import MovePlan, MoveProposal
from wms.work import queries as work_queries
from wms.work import service as work


@pytest.fixture
def park(database: Database) -> Park:
    return a_park(database)


def planned(park: Park, **facts: Any) -> int:
    return planning.plan_moves(park.database, park.clock, park.warehouse_id, **facts)


def on_hand(park: Park, code: str) -> int:
    place = slot_id(park, code)
    return park.read(lambda session: sum(session.scalars(select(Stock.on_hand).where(Stock.place_id == place))))


def held(park: Park) -> int:
    query = select(Hold.quantity).where(Hold.purpose == Purpose.MOVE.value)
    return park.read(lambda session: sum(session.scalars(query)))


def code_of(park: Park, place: int) -> str:
    return park.read(lambda session: site.slot_by_id(session, park.warehouse_id, place).code)


@dataclass(frozen=True)
class Accepted:
    """A move on the board of a park, and somebody who works there."""

    park: Park
    found: MoveProposal

    @property
    def target(self) -> str:
        return code_of(self.park, self.found.target_id)

    @property
    def barcode(self) -> str:
        return barcode(self.park, self.found.sku_id)


def an_accepted_move(park: Park) -> Accepted:
    a_busy_past(park)
    planned(park, most=1)
    (found,) = proposals(park)
    assert park.act(lambda call: moving.accept(call, [found.id])) == 1
    return Accepted(a_person(park), found)


def hands(park: Park) -> Hands:
    """Somebody asks the board for work and gets the move."""
    task = park.act(lambda call: work.claim_next(call, [SLOT_MOVE.takes]))
    if task is None:
        raise Refused(Reason.NO_WORK)
    return Hands(park, SLOT_MOVE, task_id=task.id, **task.facts)


def barcode(park: Park, sku_id: int) -> str:
    from wms.catalog import queries as catalog

    return park.read(lambda session: catalog.barcodes_of(session, park.warehouse_id, sku_id)[0].barcode)


def test_a_fast_sku_at_the_far_end_is_proposed_a_slot_nearer_and_told_what_it_saves(park: Park) -> None:
    fast = a_busy_past(park)
    planned(park)
    (plan,) = park.read(lambda session: session.scalars(select(MovePlan)).all())
    first = proposals(park)[0]
    assert first.sku_id == fast.id
    walks = {slot.place_id: slot for slot in park.read(lambda session: site.slots(session, park.warehouse_id))}
    assert walks[first.target_id].aisle_index <= walks[first.source_id].aisle_index
    assert first.gain_m_week * 2 >= first.cost_m > 60
    assert first.replayed_m_week > 0
    assert plan.planned_m < plan.walked_m
    assert (plan.weeks, plan.lines) == (WEEKS, WEEKS * 34 + 3)


def test_a_house_without_a_past_is_proposed_nothing(park: Park) -> None:
    park.act(lambda call: stock_in(call, a_sku(call), FAR, 5))
    planned(park)
    assert proposals(park) == []


def test_promised_goods_are_never_proposed(park: Park) -> None:
    fast = a_busy_past(park)

    def promise(call: Call) -> None:
        stock = call.session.scalars(select(Stock).where(Stock.place_id == slot_id(park, FAR))).one()
        ledger.hold(call, stock.id, stock.merchant_id, 1, Purpose.ORDER_LINE, 1)

    park.act(promise)
    planned(park)
    assert fast.id not in {row.sku_id for row in proposals(park)}


def test_no_more_moves_are_proposed_than_were_asked_for(park: Park) -> None:
    a_busy_past(park)
    planned(park, most=0)
    assert proposals(park) == []


def test_a_newer_plan_replaces_what_nobody_decided(park: Park) -> None:
    a_busy_past(park)
    planned(park, most=1)
    planned(park, most=1)
    assert [(row.state, row.dropped_why) for row in proposals(park)] == [
        ("dropped", "newer_plan"),
        ("proposed", None),
    ]


def test_what_is_accepted_already_is_not_proposed_again(park: Park) -> None:
    a_busy_past(park)
    planned(park, most=1)
    (first,) = proposals(park)
    park.act(lambda call: moving.accept(call, [first.id]))
    planned(park, most=1)
    assert [row.state for row in proposals(park)] == ["accepted"]


def test_accepting_twice_makes_one_task_and_a_declined_move_makes_none(park: Park) -> None:
    a_busy_past(park)
    planned(park, most=1)
    (first,) = proposals(park)
    assert park.act(lambda call: moving.accept(call, [first.id, first.id])) == 1
    assert park.act(lambda call: moving.accept(call, [first.id])) == 0
    assert park.act(lambda call: moving.decline(call, [first.id])) == 0
    tasks = park.read(lambda session: work_queries.tasks(session, park.warehouse_id, kinds=["slot_move"]))
    assert [task.state.value for task in tasks] == ["open"]
    planned(park, most=1)
    park.act(lambda call: moving.decline(call, [row.id for row in proposals(park, "proposed")]))
    assert len(park.read(lambda session: work_queries.tasks(session, park.warehouse_id, kinds=["slot_move"]))) == 1


def test_three_scans_carry_the_goods(park: Park) -> None:
    move = an_accepted_move(park)
    before = on_hand(park, FAR)
    target = move.target
    hand = hands(move.park)
    assert hand.cards("location")[0]["code"] == FAR
    assert hand.scan(FAR).step == ITEM
    assert held(park) == before
    assert hand.scan(move.barcode).step == TARGET
    assert hand.cards("location")[0]["code"] == target
    last = hand.scan(target)
    assert last.step is None
    assert last.message is not None
    assert last.message.level is Level.DONE
    assert (on_hand(park, FAR), on_hand(park, target), held(park)) == (0, before, 0)
    assert [row.state for row in proposals(park)] == ["done"]
    assert refusal(lambda: hands(move.park)) is Reason.NO_WORK
    assert broken_promises(park) == []


@pytest.mark.parametrize("step", [SOURCE, ITEM, TARGET])
def test_a_wrong_scan_changes_nothing(park: Park, step: str) -> None:
    move = an_accepted_move(park)
    hand = hands(move.park)
    for right in {SOURCE: [], ITEM: [FAR], TARGET: [FAR, move.barcode]}[step]:
        hand.scan(right)
    stranger = park.act(a_sku)
    wrong = {SOURCE: NEAR, ITEM: barcode(park, stranger.id), TARGET: FAR}[step]
    expected = {SOURCE: Reason.SLOT_WRONG, ITEM: Reason.SKU_WRONG, TARGET: Reason.SLOT_WRONG}[step]
    assert hand.refused(wrong) is expected
    assert hand.step == step
    assert broken_promises(park) == []


def test_whoever_leaves_off_leaves_the_goods_free_and_the_task_on_the_board(park: Park) -> None:
    move = an_accepted_move(park)
    hand = hands(move.park)
    hand.scan(FAR)
    hand.scan(move.barcode)
    hand.press("leave")
    assert (held(park), on_hand(park, FAR) > 0) == (0, True)
    assert broken_promises(park) == []
    again = hands(move.park)
    again.scan(FAR)
    again.scan(move.barcode)
    assert again.scan(move.target).step is None


def _take_target(move: Accepted) -> None:
    move.park.act(lambda call: stock_in(call, a_sku(call), move.target, 1))


def _promise_goods(move: Accepted) -> None:
    def promise(call: Call) -> None:
        stock = call.session.scalars(select(Stock).where(Stock.place_id == move.found.source_id)).one()
        ledger.hold(call, stock.id, stock.merchant_id, 1, Purpose.ORDER_LINE, 1)

    move.park.act(promise)


def _block_target(move: Accepted) -> None:
    move.park.act(lambda call: site_service.block_slot(call, move.target))


CHANGES: Mapping[str, Any] = {
    "slot_taken_by_other_sku": _take_target,
    "stock_promised": _promise_goods,
    "slot_blocked": _block_target,
}


@pytest.mark.parametrize("why", CHANGES)
def test_a_move_that_is_not_right_any_more_is_dropped_when_somebody_sets_out(park: Park, why: str) -> None:
    move = an_accepted_move(park)
    CHANGES[why](move)
    hand = hands(move.park)
    last = hand.scan(FAR)
    assert last.step is None
    assert last.message is not None
    assert last.message.code == why
    assert [(row.state, row.dropped_why) for row in proposals(park)] == [("dropped", why)]
    assert held(park) == 0
    assert refusal(lambda: hands(move.park)) is Reason.NO_WORK
    assert broken_promises(park) == []


def test_a_move_withdrawn_on_the_way_is_not_booked(park: Park) -> None:
    move = an_accepted_move(park)
    hand = hands(move.park)
    hand.scan(FAR)
    park.act(lambda call: moving.withdraw(call, move.found.id))
    assert held(park) == 0
    assert hand.refused(move.barcode) is Reason.TASK_DONE
    assert on_hand(park, FAR) > 0
    assert broken_promises(park) == []


def test_goods_on_their_way_are_promised_to_nobody(park: Park) -> None:
    move = an_accepted_move(park)
    hands(move.park).scan(FAR)

    def promise(call: Call) -> None:
        stock = call.session.scalars(select(Stock).where(Stock.place_id == move.found.source_id)).one()
        ledger.hold(call, stock.id, stock.merchant_id, 1, Purpose.ORDER_LINE, 1)

    assert refusal(lambda: park.act(promise)) is Reason.STOCK_PROMISED


def test_a_plan_is_made_once_a_night(park: Park) -> None:
    park.clock.at = park.clock.at.replace(hour=18)  # two in the morning at the park
    assert planning.plan_at_night(park.database, park.clock) == 1
    assert planning.plan_at_night(park.database, park.clock) == 0
    park.clock.at += timedelta(hours=24)
    assert planning.plan_at_night(park.database, park.clock) == 1
    park.clock.at += timedelta(hours=18)
    assert planning.plan_at_night(park.database, park.clock) == 0
