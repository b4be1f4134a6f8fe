"""A pick face that runs low is refilled from reserve: planned once, fetched scan by scan, right at every stop."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from tests.builders import Park, a_park, a_sku, stock_in
from tests.inbound.dock import broken_promises, refusal
from tests.inbound.hands import Hands
from tests.slotting.faces import (
    CASE,
    FACE,
    RESERVE,
    RESERVE_2,
    Faced,
    a_face,
    carried,
    code_of,
    hands,
    held,
    of_sku,
    on_hand,
    planned,
    refills,
)
from wms.core.db import Database
from wms.core.dialogue import Level
from wms.core.refusal import Reason
from wms.core.tables import OutboxRow
from wms.site import service as site_service
from wms.slotting import carrying
from wms.slotting.dialogue.refilling import BACK, ITEM, QUANTITY, SOURCE, TARGET
from wms.work import queries as work_queries


@pytest.fixture
def park(database: Database) -> Park:
    return a_park(database)


def test_a_low_face_is_refilled_in_whole_cases_scan_by_scan(park: Park) -> None:
    face = a_face(park, here=3, there=100, least=10, most=40)
    assert planned(park) == 1
    (row,) = refills(park)
    assert (row.reason, row.quantity, row.case_quantity) == ("low", 36, CASE)
    hand = hands(park)
    assert hand.cards("location")[0]["code"] == RESERVE
    assert "3 箱 = 36 件" in hand.cards("item")[0]["lines"]
    assert hand.scan(RESERVE).step == ITEM
    assert held(park) == 36
    assert hand.scan(face.case).step == QUANTITY
    assert hand.screen["input"]["value"] == "3"
    assert hand.press("quantity", "3").step == TARGET
    assert broken_promises(park) == []
    assert hand.cards("location")[0]["code"] == FACE
    last = hand.scan(FACE)
    assert last.step is None
    assert last.message is not None
    assert last.message.level is Level.DONE
    assert (on_hand(park, FACE), on_hand(park, RESERVE), held(park)) == (39, 64, 0)
    assert carried(park) == [36]
    assert [(one.state, one.moved) for one in refills(park)] == [("done", 36)]
    assert refusal(lambda: hands(park)) is Reason.NO_WORK
    assert broken_promises(park) == []


def test_an_empty_face_is_filled_and_nothing_is_asked_for_twice(park: Park) -> None:
    a_face(park, here=0)
    assert planned(park) == 1
    assert planned(park) == 0
    (row,) = refills(park)
    assert (row.reason, row.quantity) == ("empty", 36)
    assert code_of(park, row.target_id) != RESERVE


def test_a_face_that_has_enough_is_left_alone(park: Park) -> None:
    a_face(park, here=10, least=10)
    assert planned(park) == 0


def test_a_sku_without_levels_is_never_refilled(park: Park) -> None:
    sku = park.act(a_sku)
    park.act(lambda call: stock_in(call, sku, RESERVE, 100))
    assert planned(park) == 0


def at_step(face: Faced, step: str) -> Hands:
    """Somebody who has come as far as this step."""
    hand = hands(face.park)
    if step != SOURCE:
        hand.scan(RESERVE)
    if step in (QUANTITY, TARGET):
        hand.scan(face.case)
    if step == TARGET:
        hand.press("quantity", "3")
    assert hand.step == step
    return hand


@pytest.mark.parametrize("step", [SOURCE, ITEM, TARGET])
def test_a_wrong_scan_changes_nothing(park: Park, step: str) -> None:
    face = a_face(park)
    planned(park)
    hand = at_step(face, step)
    stranger = Faced(park, park.act(a_sku), 0)
    wrong = {SOURCE: FACE, ITEM: stranger.piece, TARGET: RESERVE}[step]
    expected = {SOURCE: Reason.SLOT_WRONG, ITEM: Reason.SKU_WRONG, TARGET: Reason.SLOT_WRONG}[step]
    assert hand.refused(wrong) is expected
    assert hand.step == step
    assert broken_promises(park) == []


@pytest.mark.parametrize("step", [SOURCE, ITEM, QUANTITY, TARGET])
def test_whoever_leaves_off_leaves_the_goods_free_and_the_walk_on_the_board(park: Park, step: str) -> None:
    face = a_face(park)
    planned(park)
    hand = at_step(face, step).press("leave")
    assert hand.step is None
    assert (held(park), on_hand(park, RESERVE), on_hand(park, FACE)) == (0, 100, 3)
    assert broken_promises(park) == []
    again = hands(park).scan(RESERVE).scan(face.piece).press("quantity", "3").scan(FACE)
    assert again.step is None
    assert on_hand(park, FACE) == 39


def test_too_little_at_the_source_is_taken_and_its_slot_is_to_be_counted(park: Park) -> None:
    face = a_face(park)
    planned(park)
    hand = hands(park).scan(RESERVE).scan(face.piece).press("by_piece").press("quantity", "7")
    assert hand.message is not None
    assert hand.message.level is Level.ATTENTION
    assert held(park) == 7
    hand.scan(FACE)
    assert (on_hand(park, FACE), on_hand(park, RESERVE), held(park)) == (10, 93, 0)
    told = park.read(lambda session: session.scalars(select(OutboxRow).where(OutboxRow.topic == carrying.SHORT)).all())
    assert [(row.facts["slot"], row.facts["short"]) for row in told] == [(RESERVE, 29)]
    assert broken_promises(park) == []


def test_nothing_at_the_source_drops_the_refill(park: Park) -> None:
    a_face(park)
    planned(park)
    last = hands(park).press("nothing")
    assert last.step is None
    assert [(row.state, row.dropped_why) for row in refills(park)] == [("dropped", "stock_insufficient")]
    assert held(park) == 0
    assert refusal(lambda: hands(park)) is Reason.NO_WORK


def test_more_than_was_asked_for_is_refused(park: Park) -> None:
    face = a_face(park)
    planned(park)
    hand = hands(park).scan(RESERVE).scan(face.case)
    assert hand.refuses("quantity", "4") is Reason.QUANTITY_WRONG
    assert hand.refuses("quantity", "-1") is Reason.QUANTITY_WRONG


def test_a_face_blocked_meanwhile_gives_way_to_another_in_reach(park: Park) -> None:
    face = a_face(park)
    planned(park)
    hand = at_step(face, TARGET)
    park.act(lambda call: site_service.block_slot(call, FACE))
    assert hand.refused(FACE) is Reason.SLOT_BLOCKED
    hand.press("other")
    elsewhere = str(hand.cards("location")[0]["code"])
    assert elsewhere not in (FACE, RESERVE)
    assert hand.scan(elsewhere).step is None
    assert (on_hand(park, elsewhere, face.sku), on_hand(park, RESERVE)) == (36, 64)
    assert broken_promises(park) == []


def test_a_refill_called_off_on_the_way_is_put_back_and_not_booked(park: Park) -> None:
    face = a_face(park)
    planned(park)
    hand = at_step(face, TARGET)
    park.act(lambda call: carrying.withdraw(call, refills(park)[0].id))
    assert held(park) == 0
    assert hand.scan(FACE).step == BACK
    assert hand.cards("location")[0]["code"] == RESERVE
    assert hand.scan(RESERVE).step is None
    assert (on_hand(park, RESERVE), carried(park)) == (100, [])
    assert broken_promises(park) == []


@pytest.mark.parametrize(
    ("step", "place", "goods"), [(SOURCE, "now", "next"), (ITEM, "done", "now"), (TARGET, "now", "done")]
)
def test_only_the_card_of_the_step_at_hand_is_black(park: Park, step: str, place: str, goods: str) -> None:
    face = a_face(park)
    planned(park)
    hand = at_step(face, step)
    assert (hand.cards("location")[0]["state"], hand.cards("item")[0]["state"]) == (place, goods)
    assert hand.cards("item")[0]["tail"] == face.case[-4:]


def test_pieces_have_the_end_of_their_own_code(park: Park) -> None:
    face = a_face(park, there=17, most=30)
    planned(park)
    hand = at_step(face, QUANTITY)
    hand.press("by_piece")
    assert hand.press("quantity", "11").cards("item")[0]["tail"] == face.piece[-4:]


def test_what_is_scanned_while_a_number_is_asked_for_is_looked_at(park: Park) -> None:
    face = a_face(park)
    planned(park)
    hand = at_step(face, QUANTITY)
    assert hand.scan(face.case).step == QUANTITY
    assert hand.refused(RESERVE) is Reason.BARCODE_UNKNOWN
    assert hand.refused(Faced(park, park.act(a_sku), 0).piece) is Reason.SKU_WRONG


def test_who_has_to_put_something_back_is_not_told_what_is_left(park: Park) -> None:
    face = a_face(park)
    planned(park)
    hand = at_step(face, TARGET)
    park.act(lambda call: carrying.withdraw(call, refills(park)[0].id))
    assert hand.scan(FACE).step == BACK
    assert hand.cards("facts") == []


@pytest.mark.parametrize("step", [SOURCE, ITEM])
def test_a_refill_called_off_before_it_is_taken_ends_the_walk(park: Park, step: str) -> None:
    face = a_face(park)
    planned(park)
    hand = at_step(face, step)
    park.act(lambda call: carrying.withdraw(call, refills(park)[0].id))
    assert hand.scan(RESERVE if step == SOURCE else face.piece).step is None
    assert held(park) == 0


def test_goods_on_their_way_are_promised_to_nobody_and_their_slots_are_kept(park: Park) -> None:
    face = a_face(park, there=36)
    planned(park)
    at_step(face, TARGET)
    assert planned(park) == 0
    row = refills(park)[0]
    assert (row.state, row.held, row.taken) == ("carried", 36, 36)


def test_a_walk_fetches_everything_first_and_puts_it_down_after(park: Park) -> None:
    first, second = a_face(park), a_face(park, here=0, at=RESERVE_2)
    assert planned(park) == 2
    assert len({row.walk_id for row in refills(park)}) == 1
    hand = hands(park).scan(RESERVE).scan(first.case).press("quantity", "3")
    assert hand.step == SOURCE
    assert set(hand.keys) == {"F1", "F2", "F3", "F4"}
    hand.scan(RESERVE_2).scan(second.piece).press("quantity", "3")
    for _ in range(2):
        assert str(hand.step) == TARGET
        hand.scan(str(hand.cards("location")[0]["code"]))
    assert [row.state for row in refills(park)] == ["done", "done"]
    assert (of_sku(park, first.sku), of_sku(park, second.sku)) == (103, 100)
    assert broken_promises(park) == []


def test_what_is_put_off_comes_last_and_a_walk_of_nothing_else_waits(park: Park) -> None:
    first = a_face(park)
    a_face(park, here=0, at=RESERVE_2)
    planned(park)
    hand = hands(park).press("later")
    assert hand.cards("location")[0]["code"] == RESERVE_2
    hand.press("later")
    assert hand.step is None
    assert refusal(lambda: hands(park)) is Reason.NO_WORK
    (task,) = park.read(lambda session: work_queries.tasks(session, park.warehouse_id, kinds=["replenish"]))
    assert task.skipped_until is not None
    assert first.sku.id in {row.sku_id for row in refills(park, "open")}
