"""Bays divided anew: found where more fits, decided by a person, carried out scan by scan, right at every moment."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
from sqlalchemy import select

from tests.builders import Park, a_park, a_person, a_sku, stock_in
from tests.inbound.dock import broken_promises, refusal
from tests.slotting.racking import (
    accepted,
    bay,
    carried_out,
    carry,
    divisions,
    filled,
    hands_on,
    on_hand,
    planned,
    promise,
    proposed,
    some_skus,
    spare,
    spares,
)
from wms.core.call import Call
from wms.core.db import Database
from wms.core.dialogue import Level
from wms.core.refusal import Reason, Refused
from wms.ledger.tables import Stock
from wms.site import closing
from wms.site import service as site_service
from wms.site.rules import Parts
from wms.slotting import dividing, judging, service
from wms.slotting.dialogue import CHANGE, LABEL
from wms.slotting.tables import BayDivision, MoveProposal, SlotLease
from wms.slotting.values import Goods
from wms.work import queries as work_queries


@pytest.fixture
def park(sqlite_database: Database) -> Park:
    made = a_park(sqlite_database)
    spare(made)
    return a_person(made)


@pytest.fixture
def either_park(database: Database) -> Park:
    made = a_park(database)
    spare(made)
    return a_person(made)


def tasks(park: Park, kind: str) -> list[str]:
    found = park.read(lambda session: work_queries.tasks(session, park.warehouse_id, kinds=[kind]))
    return [task.state.value for task in found if task.state.value in ("open", "claimed")]


def test_an_empty_bay_is_cut_scan_by_scan_and_takes_more(either_park: Park) -> None:
    park = either_park
    row = proposed(park)
    before = bay(park, row)
    assert accepted(park, row) == 1
    hand = hands_on(park, "bay_divide")
    assert hand is not None
    assert hand.scan(before.slots[0].code).step == CHANGE
    assert spares(park) == Parts(60 - max(0, row.beams), 300 - max(0, row.dividers))
    assert hand.press("changed").step == LABEL
    after = bay(park, row)
    assert len(after.slots) == row.slots_after
    assert all(slot.blocked for slot in after.slots)
    for slot in reversed(after.slots):
        hand.scan(slot.code)
    assert hand.step is None
    assert hand.message is not None
    assert hand.message.level is Level.DONE
    assert not any(slot.blocked for slot in bay(park, row).slots)
    assert [one.state for one in divisions(park)] == ["done"]
    assert tasks(park, "bay_divide") == []
    assert spares(park) == Parts(60 - row.beams, 300 - row.dividers)
    assert broken_promises(park) == []
    stowed = [stow(park) for _ in range(18)]
    assert set(stowed) <= {slot.place_id for slot in after.slots}
    assert len(set(stowed)) == 18


def stow(park: Park) -> int:
    """A SKU finds a slot by the service's own choice."""

    def put(call: Call) -> int:
        goods = Goods(a_sku(call), 0, 20)
        place_id = service.choose(call, goods, count=1)[0].place_id
        stock_in(call, goods.sku, judging.take_slot(call, goods, place_id), 20)
        return place_id

    return park.act(put)


def an_emptied_bay(park: Park) -> BayDivision:
    """Every bay holds small goods and has a few empty slots; one of them is to be emptied and cut."""
    filled(park, every=4)
    planned(park, some_skus(park, 60), bays_max=1)
    (row,) = divisions(park, "proposed")
    assert row.goods, "a bay with goods pays too"
    assert accepted(park, row) == 1
    return row


def test_a_bay_with_goods_is_emptied_first(either_park: Park) -> None:
    park = either_park
    row = an_emptied_bay(park)
    before = on_hand(park)
    assert tasks(park, "bay_divide") == []
    assert len(tasks(park, "slot_move")) == row.goods
    after = carried_out(park, row)
    assert len(after.slots) == row.slots_after
    assert on_hand(park) == before
    assert broken_promises(park) == []
    found = park.read(lambda session: session.scalars(select(MoveProposal)).all())
    assert {move.state for move in found} == {"done"}
    assert {move.plan_id for move in found} == {None}


def test_nothing_comes_into_a_bay_that_is_under_way(park: Park) -> None:
    row = proposed(park)
    accepted(park, row)
    no = refusal(lambda: stow(park))
    assert no is Reason.NO_SLOT_FITS
    goods = park.act(lambda call: Goods(a_sku(call), 0, 1))
    place_id = bay(park, row).slots[0].place_id
    assert refusal(lambda: park.act(lambda call: judging.take_slot(call, goods, place_id))) is Reason.SLOT_KEPT


def test_all_some_or_none_and_a_newer_plan_replaces_what_nobody_decided(park: Park) -> None:
    filled(park, but=24)
    skus = some_skus(park, 200)
    planned(park, skus)
    first, second, *_ = divisions(park)
    assert park.act(lambda call: dividing.accept(call, [first.id, first.id])) == 1
    assert park.act(lambda call: dividing.decline(call, [first.id, second.id])) == 1
    planned(park, skus)
    assert {row.state for row in divisions(park) if row.plan_id == first.plan_id} == {
        "accepted",
        "declined",
        "dropped",
    }
    assert first.bay_id not in {row.bay_id for row in divisions(park, "proposed")}
    with pytest.raises(Refused):
        park.act(lambda call: dividing.accept(call, range(1_000)))


STOPS: Mapping[str, Callable[[Park, BayDivision], None]] = {
    "accepted": lambda park, row: None,
    "on the way": lambda park, row: half_emptied(park),
    "changing": lambda park, row: standing_before(park, row),
}


def half_emptied(park: Park) -> None:
    first = hands_on(park, "slot_move")
    assert first is not None
    carry(park, first)
    second = hands_on(park, "slot_move")
    assert second is not None
    second.scan(second.screen["status"][0]["value"])


def standing_before(park: Park, row: BayDivision) -> None:
    while (move := hands_on(park, "slot_move")) is not None:
        carry(park, move)
    hand = hands_on(park, "bay_divide")
    assert hand is not None
    hand.scan(bay(park, row).slots[0].code)


@pytest.mark.parametrize("stop", STOPS)
def test_given_up_at_any_point_the_bay_is_as_it_was_and_its_parts_are_back(either_park: Park, stop: str) -> None:
    park = either_park
    row = an_emptied_bay(park)
    before, pieces = bay(park, row), on_hand(park)
    STOPS[stop](park, row)
    park.act(lambda call: dividing.withdraw(call, row.id))
    assert bay(park, row) == before
    assert spares(park) == Parts(60, 300)
    assert on_hand(park) == pieces
    assert tasks(park, "bay_divide") == tasks(park, "slot_move") == []
    assert park.read(lambda session: session.scalars(select(SlotLease.subject)).all()) == []
    assert park.read(lambda session: sum(session.scalars(select(Stock.promised)))) == 0
    assert broken_promises(park) == []


def test_once_the_parts_are_changed_only_the_labels_are_left(park: Park) -> None:
    row = proposed(park)
    accepted(park, row)
    standing_before(park, row)
    park.act(lambda call: dividing.parts_changed(call, row.id))
    assert refusal(lambda: park.act(lambda call: dividing.withdraw(call, row.id))) is Reason.TASK_DONE
    assert refusal(lambda: park.act(lambda call: dividing.parts_changed(call, row.id))) is Reason.TASK_DONE


def test_whoever_leaves_off_leaves_the_bay_to_the_next_where_it_stands(park: Park) -> None:
    row = proposed(park)
    accepted(park, row)
    hand = hands_on(park, "bay_divide")
    assert hand is not None
    hand.scan(bay(park, row).slots[0].code)
    hand.press("leave")
    again = hands_on(park, "bay_divide")
    assert again is not None
    assert again.step == CHANGE
    again.press("changed")
    again.scan(bay(park, row).slots[0].code)
    again.press("leave")
    last = hands_on(park, "bay_divide")
    assert last is not None
    assert (last.step, last.cards("counts")[0]["left"]) == (LABEL, row.slots_after - 1)


def test_goods_that_came_back_are_sent_away_again(park: Park) -> None:
    row = proposed(park, free=12)
    accepted(park, row)
    code = bay(park, row).slots[0].code
    park.act(lambda call: stock_in(call, a_sku(call), code, 1))
    hand = hands_on(park, "bay_divide")
    assert hand is not None
    assert hand.scan(code).step is None
    assert hand.message is not None
    assert hand.message.level is Level.ATTENTION
    assert (tasks(park, "bay_divide"), len(tasks(park, "slot_move"))) == ([], 1)
    assert len(carried_out(park, row).slots) == row.slots_after


def test_promised_goods_hold_up_the_bay_and_nothing_is_lost(park: Park) -> None:
    row = proposed(park, free=12)
    accepted(park, row)
    code = bay(park, row).slots[0].code
    park.act(lambda call: stock_in(call, a_sku(call), code, 2))
    promise(park, code)
    hand = hands_on(park, "bay_divide")
    assert hand is not None
    assert hand.scan(code).step is None
    assert hands_on(park, "bay_divide") is None  # not before half an hour is over
    park.clock.at += dividing.LATER
    assert hands_on(park, "bay_divide") is not None
    assert [one.state for one in divisions(park)] == ["accepted"]


def _bring(park: Park, row: BayDivision) -> None:
    park.act(lambda call: stock_in(call, a_sku(call), bay(park, row).slots[0].code, 1))


def _count(park: Park, row: BayDivision) -> None:
    park.act(lambda call: site_service.set_under_count(call, bay(park, row).slots[0].place_id, True))


def _block(park: Park, row: BayDivision) -> None:
    park.act(lambda call: site_service.block_slot(call, bay(park, row).slots[0].code))


def _close(park: Park, row: BayDivision) -> None:
    park.act(lambda call: closing.close_aisle(call, bay(park, row).label.split("-")[0], why="水"))


MEANWHILE: Mapping[Reason, Callable[[Park, BayDivision], None]] = {
    Reason.BAY_IN_USE: _bring,
    Reason.SLOT_UNDER_COUNT: _count,
    Reason.SLOT_BLOCKED: _block,
    Reason.SLOT_SHUT: _close,
}


@pytest.mark.parametrize("why", MEANWHILE)
def test_a_bay_is_cut_only_when_nothing_lies_in_it_and_nobody_counts_or_closes_it(
    either_park: Park, why: Reason
) -> None:
    park = either_park
    row = proposed(park)
    accepted(park, row)
    standing_before(park, row)
    MEANWHILE[why](park, row)
    before = bay(park, row)
    assert refusal(lambda: park.act(lambda call: dividing.parts_changed(call, row.id))) is why
    assert bay(park, row) == before
    assert broken_promises(park) == []


def test_parts_that_are_gone_are_missed_before_anything_is_done(park: Park) -> None:
    row = proposed(park)
    accepted(park, row)
    spare(park, 0, 0)
    hand = hands_on(park, "bay_divide")
    assert hand is not None
    assert hand.refused(bay(park, row).slots[0].code) is Reason.PARTS_MISSING
    assert [one.state for one in divisions(park)] == ["accepted"]


def test_wrong_scans_change_nothing(park: Park) -> None:
    row = proposed(park)
    accepted(park, row)
    hand = hands_on(park, "bay_divide")
    assert hand is not None
    assert hand.refused("A01-01-1A") is Reason.SLOT_WRONG
    assert hand.refused("6900000000017") in (Reason.SLOT_WRONG, Reason.WRONG_KIND_SCANNED)
    hand.scan(bay(park, row).slots[0].code)
    hand.press("changed")
    assert hand.refused("A01-01-1A") is Reason.SLOT_WRONG
    assert all(slot.blocked for slot in bay(park, row).slots)
