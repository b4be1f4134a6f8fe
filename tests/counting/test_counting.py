"""Blind counts: the book is never shown, large differences need a second person, moved goods are counted again."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
from sqlalchemy import select

from tests.builders import Park, a_park, a_person, a_sku, at_once, stock_in
from tests.inbound.dock import broken_promises, lies_in, put_away, received, refusal
from tests.inbound.hands import Hands
from wms.catalog.values import SkuFacts
from wms.core.db import Database
from wms.core.refusal import Reason, Refused
from wms.counting import service
from wms.counting.dialogue import COUNT
from wms.counting.tables import Count
from wms.counting.values import Counted, CountResult
from wms.inbound.values import LotGiven
from wms.ledger import service as ledger
from wms.ledger.tables import Stock
from wms.ledger.values import Movement, MovementKind, Purpose
from wms.people.values import Role
from wms.site import queries as site
from wms.work import service as work

SLOT = "A01-01-1A"


@pytest.fixture
def park(database: Database) -> Park:
    return a_park(database)


@pytest.fixture
def quick(sqlite_database: Database) -> Park:
    return a_park(sqlite_database)


def filled(park: Park, quantity: int = 10) -> tuple[SkuFacts, int]:
    """A SKU in the slot, and its lot."""
    sku = park.act(a_sku)
    return sku, park.act(lambda call: stock_in(call, sku, SLOT, quantity))


def begin(park: Park) -> int:
    return park.act(lambda call: service.begin_count(call, SLOT))


def finish(park: Park, count_id: int, *found: tuple[SkuFacts, int, int]) -> CountResult:
    counted = [Counted(sku.merchant_id, sku.id, lot, quantity) for sku, lot, quantity in found]
    return park.act(lambda call: service.finish_count(call, count_id, counted))


def approve(park: Park, count_id: int) -> None:
    park.act(lambda call: service.approve(call, count_id))


def there(park: Park) -> list[tuple[str, int]]:
    place = park.read(lambda session: site.slot_by_code(session, park.warehouse_id, SLOT).place_id)
    return lies_in(park, place)


def under_count(park: Park) -> bool:
    return park.read(lambda session: site.slot_by_code(session, park.warehouse_id, SLOT).under_count)


def move_one(park: Park, sku: SkuFacts, lot: int) -> None:
    """Somebody takes one out meanwhile."""
    here, away = (
        park.read(partial(site.slot_by_code, warehouse_id=park.warehouse_id, code=code)).place_id
        for code in (SLOT, "A02-01-1A")
    )
    one = Movement(MovementKind.MOVE, sku.merchant_id, here, away, sku.id, lot, 1)
    park.act(lambda call: ledger.post(call, [one]))


@pytest.mark.parametrize("found", [10, 6, 14])
def test_small_differences_are_booked_at_once(park: Park, found: int) -> None:
    sku, lot = filled(park)
    count = begin(park)
    assert under_count(park)
    result = finish(park, count, (sku, lot, found))
    assert (result.more, result.fewer, result.waits) == (max(0, found - 10), max(0, 10 - found), False)
    assert there(park) == [(sku.code, found)]
    assert not under_count(park)
    assert broken_promises(park) == []


@pytest.mark.parametrize("found", [5, 15, 0])
def test_large_differences_wait_for_a_second_person(park: Park, found: int) -> None:
    sku, lot = filled(park)
    counter, supervisor = a_person(park), a_person(park, "周姐", Role.SUPERVISOR)
    count = begin(counter)
    assert finish(counter, count, (sku, lot, found)).waits
    assert there(park) == [(sku.code, 10)]
    assert under_count(park)
    assert refusal(lambda: approve(counter, count)) is Reason.COUNT_NEEDS_SECOND_PERSON
    approve(supervisor, count)
    assert there(park) == ([(sku.code, found)] if found else [])
    assert refusal(lambda: approve(supervisor, count)) is Reason.TASK_DONE
    assert broken_promises(park) == []


def test_what_was_not_counted_is_not_there_and_what_was_not_expected_is(park: Park) -> None:
    filled(park, 3)
    other = park.act(a_sku)
    lot = park.act(lambda call: stock_in(call, other, "A02-01-1A", 1))
    finish(park, begin(park), (other, lot, 2))
    assert there(park) == [(other.code, 2)]
    assert broken_promises(park) == []


def test_goods_moved_meanwhile_are_counted_again(park: Park) -> None:
    sku, lot = filled(park)
    count = begin(park)
    move_one(park, sku, lot)
    assert refusal(lambda: finish(park, count, (sku, lot, 10))) is Reason.COUNT_MOVED_MEANWHILE
    assert begin(park) == count
    assert finish(park, count, (sku, lot, 9)).fewer == 0


def test_a_pick_that_races_with_the_end_of_a_count_is_never_booked_as_a_loss(park: Park) -> None:
    sku, lot = filled(park, 40)
    for _ in range(8):
        before = sum(quantity for _, quantity in there(park))
        count = begin(park)
        both: list[Callable[[], object]] = [
            partial(finish, park, count, (sku, lot, before)),
            partial(move_one, park, sku, lot),
        ]
        counted, _ = at_once(both)
        assert there(park) == [(sku.code, before - 1)]
        if isinstance(counted, Refused):
            assert counted.reason is Reason.COUNT_MOVED_MEANWHILE
            park.act(partial(service.give_up, count_id=count))
    assert broken_promises(park) == []


def test_promised_pieces_that_are_not_there_wait_for_somebody_who_frees_the_orders(park: Park) -> None:
    sku, lot = filled(park, 4)
    stock_id = park.read(lambda session: session.scalars(select(Stock.id)).one())
    hold = park.act(lambda call: ledger.hold(call, stock_id, sku.merchant_id, 3, Purpose.ORDER_LINE, 1))
    counter, supervisor = a_person(park), a_person(park, "周姐", Role.SUPERVISOR)
    count = begin(counter)
    assert finish(counter, count, (sku, lot, 2)).waits
    assert refusal(lambda: approve(supervisor, count)) is Reason.STOCK_PROMISED
    park.act(lambda call: ledger.release(call, hold, stock_id, 3))
    approve(supervisor, count)
    assert there(park) == [(sku.code, 2)]


def test_a_new_count_overtakes_one_that_waits(quick: Park) -> None:
    sku, lot = filled(quick)
    counter, supervisor = a_person(quick), a_person(quick, "周姐", Role.SUPERVISOR)
    first = begin(counter)
    finish(counter, first, (sku, lot, 1))
    second = begin(supervisor)
    assert second != first
    assert refusal(lambda: approve(supervisor, first)) is Reason.TASK_DONE
    finish(supervisor, second, (sku, lot, 10))
    assert not under_count(quick)


def test_a_count_ends_once(quick: Park) -> None:
    sku, lot = filled(quick)
    count = begin(quick)
    ends: list[Callable[[], object]] = [
        lambda: finish(quick, count, (sku, lot, 10)),
        lambda: approve(quick, count),
        lambda: quick.act(lambda call: service.give_up(call, count)),
    ]
    assert refusal(ends[1]) is Reason.TASK_DONE, "nobody approves what is not counted"
    ends[0]()
    assert {refusal(end) for end in ends} == {Reason.TASK_DONE}
    again = begin(quick)
    assert refusal(lambda: finish(quick, again, (sku, lot, -1))) is Reason.QUANTITY_WRONG


def test_two_who_count_one_slot_share_the_count(park: Park) -> None:
    filled(park)
    answers = at_once([partial(begin, park) for _ in range(4)])
    assert len(set(map(str, answers))) == 1
    assert len(park.read(lambda session: session.scalars(select(Count.id)).all())) == 1


def test_nothing_is_put_into_a_slot_that_is_counted(quick: Park) -> None:
    sku, _ = filled(quick)
    begin(quick)
    received(quick, sku, 1, "L-1")
    assert refusal(lambda: put_away(quick, "L-1", SLOT)) is Reason.SLOT_UNDER_COUNT


def test_the_hand_counts_blind(quick: Park) -> None:
    sku = quick.act(lambda call: a_sku(call, barcode="6901234567892", name="贡菊"))
    quick.act(lambda call: stock_in(call, sku, SLOT, 37))
    hands = Hands(quick, COUNT).scan(SLOT)
    assert "37" not in str(hands.screen), "the book's figure is never shown"
    hands.scan("6901234567892").scan("06901234567892")
    assert hands.cards("count_big")[0]["value"] == 2
    hands.press("plus_one").press("minus_one").press("quantity", "36")
    assert "37" not in str(hands.screen)
    assert hands.refused("4711") is Reason.BARCODE_UNKNOWN
    assert hands.refuses("quantity", "1e3") is Reason.QUANTITY_WRONG
    assert hands.press("done").step is None
    assert there(quick) == [(sku.code, 36)]


def test_two_lots_in_one_slot_are_asked_for(quick: Park) -> None:
    sku = quick.act(lambda call: a_sku(call, barcode="6901234567892", lot_tracked=True))
    for lot in ("B1", "B2"):
        received(quick, sku, 1, "L-1", lot=LotGiven(lot))
    hands = Hands(quick, COUNT).scan(SLOT).scan("6901234567892")
    rows = hands.cards("choose")[0]["rows"]
    assert [row["title"] for row in rows] == ["B1", "B2"]
    hands.press("choose", rows[1]["value"]).press("done")
    assert there(quick) == [(sku.code, 1)]


def test_goods_that_never_lay_here_are_counted_too(quick: Park) -> None:
    sku = quick.act(lambda call: a_sku(call, barcode="6901234567892"))
    Hands(quick, COUNT, slot=SLOT).scan("6901234567892").press("done")
    assert there(quick) == [(sku.code, 1)]


def test_a_hand_whose_goods_were_moved_begins_again(quick: Park) -> None:
    sku = quick.act(lambda call: a_sku(call, barcode="6901234567892"))
    lot = quick.act(lambda call: stock_in(call, sku, SLOT, 3))
    hands = Hands(quick, COUNT, slot=SLOT).scan("6901234567892").press("quantity", "3")
    move_one(quick, sku, lot)
    hands.press("done")
    assert hands.message is not None
    assert (hands.step, hands.state["found"], hands.message.code) == ("scan_item", [], "count_moved_meanwhile")
    hands.scan("6901234567892").press("plus_one").press("done")
    assert there(quick) == [(sku.code, 2)]


def test_who_leaves_gives_the_slot_free(quick: Park) -> None:
    filled(quick)
    assert Hands(quick, COUNT, slot=SLOT).press("leave").step is None
    assert not under_count(quick)


def test_the_task_of_a_short_pick_is_done_with_the_count(quick: Park) -> None:
    sku, lot = filled(quick)
    place = quick.read(lambda session: site.slot_by_code(session, quick.warehouse_id, SLOT).place_id)
    task = quick.act(lambda call: work.create(call, "count", f"slot:{place}", slot=SLOT))
    finish(quick, begin(quick), (sku, lot, 10))
    assert refusal(lambda: quick.act(lambda call: work.done(call, task))) is Reason.TASK_DONE
