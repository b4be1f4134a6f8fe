"""Posting, promising, giving back: both sides of every boundary, on both databases."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import pytest
from sqlalchemy import func, select

from tests.builders import MORNING, Park, a_park, a_sku, at_once, put_goods, stock_in
from wms.catalog.service import ensure_lot
from wms.catalog.values import SkuFacts
from wms.core.call import Call
from wms.core.db import Database
from wms.core.refusal import Reason, Refused
from wms.ledger import service
from wms.ledger.promises import PROMISES
from wms.ledger.rules import changes
from wms.ledger.tables import Hold, MovementRow, Stock
from wms.ledger.values import Condition, Movement, MovementKind, Purpose, Virtual
from wms.site import queries as site
from wms.site.values import VIRTUAL_PLACES

FROM, TO = "A01-01-1A", "A01-02-1A"


@dataclass(frozen=True)
class Shelf:
    """Ten pieces of one SKU in the slot A01-01-1A."""

    park: Park
    sku: SkuFacts
    lot_id: int

    def place(self, code: str) -> int:
        return self.park.read(lambda session: site.slot_by_code(session, self.park.warehouse_id, code).place_id)

    def movement(self, quantity: int, source: str = FROM, target: str = TO) -> Movement:
        places = (self.place(source), self.place(target))
        return Movement(MovementKind.MOVE, self.sku.merchant_id, *places, self.sku.id, self.lot_id, quantity)

    def moved(self, quantity: int, source: str = FROM, target: str = TO) -> None:
        movement = self.movement(quantity, source, target)
        self.park.act(lambda call: service.post(call, [movement]))

    def at(self, code: str = FROM) -> tuple[int, int]:
        """On hand and promised in a slot."""
        place_id = self.place(code)
        rows = self.park.read(
            lambda session: session.execute(
                select(Stock.on_hand, Stock.promised).where(Stock.place_id == place_id, Stock.sku_id == self.sku.id)
            ).all()
        )
        return (sum(row.on_hand for row in rows), sum(row.promised for row in rows))

    def stock_id(self, code: str = FROM) -> int:
        place_id = self.place(code)
        return self.park.read(lambda session: session.scalars(select(Stock.id).where(Stock.place_id == place_id)).one())

    def held(self, quantity: int) -> int:
        stock_id = self.stock_id()
        return self.park.act(
            lambda call: service.hold(call, stock_id, self.sku.merchant_id, quantity, Purpose.ORDER_LINE, 1)
        )

    def released(self, hold_id: int, quantity: int) -> None:
        stock_id = self.stock_id()
        self.park.act(lambda call: service.release(call, hold_id, stock_id, quantity))

    def consumed(self, hold_id: int, quantity: int) -> None:
        stock_id, movement = self.stock_id(), self.movement(quantity)
        self.park.act(lambda call: service.consume(call, hold_id, stock_id, movement))

    def movements(self) -> int:
        return self.park.read(lambda session: session.scalar(select(func.count()).select_from(MovementRow))) or 0


@pytest.fixture
def shelf(database: Database) -> Shelf:
    park = a_park(database)
    sku = park.act(a_sku)
    return Shelf(park, sku, park.act(lambda call: stock_in(call, sku, FROM, 10)))


@pytest.fixture(autouse=True)
def _every_promise_holds_after_each_test(shelf: Shelf) -> object:
    yield
    for promise in PROMISES:
        broken = shelf.park.read(lambda session, promise=promise: list(promise.check(session)))  # type: ignore[misc]
        assert broken == [], promise.name


def refusal(work: Callable[[], object]) -> Refused:
    with pytest.raises(Refused) as no:
        work()
    return no.value


def test_goods_leave_one_place_and_lie_in_the_other(shelf: Shelf) -> None:
    shelf.moved(4)
    assert (shelf.at(FROM), shelf.at(TO)) == ((6, 0), (4, 0))


def test_the_last_piece_may_go_and_not_one_more(shelf: Shelf) -> None:
    shelf.moved(10)
    assert shelf.at() == (0, 0)
    no = refusal(lambda: shelf.moved(1))
    assert (no.reason, no.facts["shortage"]) == (Reason.STOCK_INSUFFICIENT, 1)
    assert shelf.at(TO) == (10, 0)


def test_one_more_than_there_is_moves_nothing_at_all(shelf: Shelf) -> None:
    before = shelf.movements()
    fits, too_many = shelf.movement(5), shelf.movement(6)
    no = refusal(lambda: shelf.park.act(lambda call: service.post(call, [fits, too_many])))
    assert (no.reason, no.facts["shortage"]) == (Reason.STOCK_INSUFFICIENT, 1)
    assert (shelf.at(FROM), shelf.at(TO), shelf.movements()) == ((10, 0), (0, 0), before)


def test_goods_that_were_never_there_are_refused(shelf: Shelf) -> None:
    assert refusal(lambda: shelf.moved(1, source=TO, target=FROM)).reason is Reason.STOCK_INSUFFICIENT


def test_promised_goods_do_not_move(shelf: Shelf) -> None:
    shelf.held(7)
    shelf.moved(3)
    no = refusal(lambda: shelf.moved(1))
    assert (no.reason, no.facts["free"]) == (Reason.STOCK_PROMISED, 0)


def test_a_round_trip_in_one_post_writes_movements_and_changes_no_row(shelf: Shelf) -> None:
    there, back = shelf.movement(10), shelf.movement(10, TO, FROM)
    shelf.park.act(lambda call: service.post(call, [there, back]))
    assert (shelf.at(FROM), shelf.movements()) == ((10, 0), 3)


def test_other_conditions_books_and_lots_are_other_goods(shelf: Shelf) -> None:
    movement = shelf.movement(1)

    def other_lot(call: Call) -> int:
        return ensure_lot(call, shelf.sku, "L2")

    other = shelf.park.act(other_lot)
    for strange in (
        replace(movement, condition=Condition.DAMAGED),
        replace(movement, book="B1"),
        replace(movement, lot_id=other),
    ):
        no = refusal(lambda strange=strange: shelf.park.act(lambda call: service.post(call, [strange])))  # type: ignore[misc]
        assert no.reason is Reason.STOCK_INSUFFICIENT


def test_all_that_is_there_may_be_promised_and_not_one_more(shelf: Shelf) -> None:
    shelf.held(10)
    assert shelf.at() == (10, 10)
    no = refusal(lambda: shelf.held(1))
    assert (no.reason, no.facts["shortage"]) == (Reason.STOCK_PROMISED, 1)
    assert refusal(lambda: shelf.held(11)).reason is Reason.STOCK_INSUFFICIENT


def test_a_promise_is_given_back_in_parts_and_not_twice(shelf: Shelf) -> None:
    hold_id = shelf.held(5)
    shelf.released(hold_id, 2)
    assert shelf.at() == (10, 3)
    shelf.released(hold_id, 3)
    assert shelf.at() == (10, 0)
    assert refusal(lambda: shelf.released(hold_id, 1)).reason is Reason.HOLD_CLOSED


def test_more_than_was_promised_is_not_given_back(shelf: Shelf) -> None:
    shelf.held(5)
    mine = shelf.held(2)
    assert refusal(lambda: shelf.released(mine, 3)).reason is Reason.HOLD_CLOSED
    assert shelf.at() == (10, 7)


def test_a_promise_of_another_row_is_not_given_back(shelf: Shelf) -> None:
    hold_id = shelf.held(2)
    shelf.moved(5)
    elsewhere = shelf.stock_id(TO)
    work = partial(service.release, hold_id=hold_id, stock_id=elsewhere, quantity=1)
    assert refusal(lambda: shelf.park.act(work)).reason is Reason.HOLD_CLOSED


def test_promise_and_goods_go_together(shelf: Shelf) -> None:
    hold_id = shelf.held(5)
    shelf.consumed(hold_id, 5)
    assert (shelf.at(FROM), shelf.at(TO)) == ((5, 0), (5, 0))
    closed = shelf.park.read(lambda session: session.get_one(Hold, hold_id).closed_at)
    assert closed == MORNING


def test_a_promise_is_used_up_to_its_last_piece_and_not_beyond(shelf: Shelf) -> None:
    shelf.held(3)
    mine = shelf.held(2)
    shelf.consumed(mine, 1)
    assert refusal(lambda: shelf.consumed(mine, 2)).reason is Reason.HOLD_CLOSED
    shelf.consumed(mine, 1)
    assert refusal(lambda: shelf.consumed(mine, 1)).reason is Reason.HOLD_CLOSED
    assert shelf.at() == (8, 3)


def test_a_frozen_row_neither_gives_nor_takes(shelf: Shelf) -> None:
    hold_id, stock_id = shelf.held(2), shelf.stock_id()
    shelf.park.act(lambda call: service.freeze(call.session, stock_id, "audit"))
    for work in (
        lambda: shelf.moved(1),
        lambda: shelf.held(1),
        lambda: shelf.consumed(hold_id, 1),
        lambda: shelf.park.act(lambda call: stock_in(call, shelf.sku, FROM, 1)),
    ):
        assert refusal(work).reason is Reason.STOCK_FROZEN
    shelf.park.act(lambda call: service.thaw(call.session, stock_id))
    shelf.consumed(hold_id, 1)


def test_goods_in_an_emptied_place_begin_a_new_stay(shelf: Shelf) -> None:
    stock_id = shelf.stock_id()

    def since() -> object:
        return shelf.park.read(lambda session: session.get_one(Stock, stock_id).first_in_at)

    shelf.park.clock.advance(hours=1)
    shelf.park.act(lambda call: stock_in(call, shelf.sku, FROM, 1))
    assert since() == MORNING
    shelf.moved(11)
    shelf.park.clock.advance(hours=1)
    shelf.moved(11, TO, FROM)
    assert since() == shelf.park.clock.now()


def test_a_command_that_posts_twice_numbers_its_movements_through(shelf: Shelf) -> None:
    first, second = shelf.movement(1), shelf.movement(2)

    def both(call: Call) -> None:
        service.post(call, [first])
        service.post(call, [second])

    shelf.park.act(both)
    last = select(MovementRow.line).order_by(MovementRow.id.desc()).limit(2)
    assert shelf.park.read(lambda session: session.scalars(last).all()) == [1, 0]


def test_virtual_places_are_those_the_building_makes(shelf: Shelf) -> None:
    assert {place.value for place in Virtual} == set(VIRTUAL_PLACES)
    ids = shelf.park.read(lambda session: service.virtual_ids(session, shelf.park.warehouse_id))
    assert set(ids) == set(VIRTUAL_PLACES)
    rows = select(func.count()).select_from(Stock).where(Stock.place_id.in_(ids.values()))
    assert shelf.park.read(lambda session: session.scalar(rows)) == 0


def test_changes_come_in_key_order_and_leave_out_what_ends_as_it_began() -> None:
    far = Movement(MovementKind.MOVE, 1, 9, 2, 1, 1, 5)
    near = Movement(MovementKind.MOVE, 1, 2, 3, 1, 1, 5)
    net = changes([far, near], virtual_ids=frozenset())
    assert [(key.place_id, change) for key, change in net.items()] == [(3, 5), (9, -5)]
    assert list(changes([far], virtual_ids=frozenset({9}))) == [
        key for key in changes([far], frozenset()) if key.place_id == 2
    ]


@pytest.mark.parametrize("quantity", [0, -1])
def test_a_movement_moves_something(quantity: int) -> None:
    with pytest.raises(AssertionError):
        Movement(MovementKind.MOVE, 1, 1, 2, 1, 1, quantity)


def test_the_last_units_go_to_as_many_as_there_are(shelf: Shelf) -> None:
    rounds = 6 if shelf.park.database.is_sqlite else 4
    for number in range(rounds):
        row = shelf.stock_id()

        def claim(call: Call, row: int = row, number: int = number) -> int:
            return service.hold(call, row, shelf.sku.merchant_id, 1, Purpose.ORDER_LINE, number)

        answers = at_once([partial(shelf.park.act, claim)] * 16)
        wins = [answer for answer in answers if not isinstance(answer, Refused)]
        reasons = {answer.reason for answer in answers if isinstance(answer, Refused)}
        assert (len(wins), len(set(map(str, wins)))) == (10, 10)
        assert reasons == {Reason.STOCK_PROMISED}
        for hold_id in wins:
            assert isinstance(hold_id, int)
            shelf.released(hold_id, 1)


def test_the_last_unit_is_moved_once_by_many_hands(shelf: Shelf) -> None:
    shelf.moved(9)
    movement = shelf.movement(1)
    answers = at_once([partial(shelf.park.act, lambda call: service.post(call, [movement]))] * 8)
    refused = [answer for answer in answers if isinstance(answer, Refused)]
    assert len(refused) == 7
    assert (shelf.at(FROM), shelf.at(TO)) == ((0, 0), (10, 0))


def test_goods_crossing_between_two_slots_never_deadlock(shelf: Shelf) -> None:
    shelf.moved(5)
    there, back = shelf.movement(1), shelf.movement(1, TO, FROM)
    works = [lambda call: service.post(call, [there]), lambda call: service.post(call, [back])] * 5
    for _ in range(3):  # five each way and five in each slot: none runs short, whoever comes first
        answers = at_once([partial(shelf.park.act, work) for work in works])
        assert [answer for answer in answers if isinstance(answer, Refused)] == []
    assert sum(shelf.at(code)[0] for code in (FROM, TO)) == 10


def test_a_place_new_to_goods_is_begun_once_by_many(shelf: Shelf) -> None:
    place_id = shelf.place("A01-03-1A")

    def put(call: Call) -> None:
        put_goods(call, shelf.sku, place_id, 1, shelf.lot_id)

    at_once([partial(shelf.park.act, put)] * 8)
    assert shelf.at("A01-03-1A") == (8, 0)
