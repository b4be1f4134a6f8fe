"""Every statement that writes stock touches the one row it means, and no neighbour of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import pytest
from sqlalchemy import select

from tests.builders import MORNING, Park, a_park, a_person, a_sku, stock_in
from tests.outbound.orders import counted_statements
from wms.catalog.service import ensure_lot
from wms.catalog.values import SkuFacts
from wms.core.call import Call
from wms.core.db import Database
from wms.core.db.tables import table_of
from wms.core.refusal import Reason, Refused
from wms.ledger import service
from wms.ledger.promises import PROMISES
from wms.ledger.tables import Hold, MovementRow, Stock
from wms.ledger.values import Condition, Movement, MovementKind, Purpose, StockKey, Virtual
from wms.site import queries as site

HERE, THERE = "A01-01-1A", "A01-02-1A"
_stock = table_of(Stock)
_hold = table_of(Hold)


@dataclass(frozen=True)
class Street:
    """Ten pieces of `sku` (row 1, 4 promised by hold 1) beside ten of another merchant's (row 2, 4 promised by hold 2).

    Row 3 holds ten of `sku` in another slot.
    """

    park: Park
    sku: SkuFacts
    other: SkuFacts
    lot_id: int

    def place(self, code: str) -> int:
        return self.park.read(lambda session: site.slot_by_code(session, self.park.warehouse_id, code).place_id)

    def rows(self) -> dict[int, tuple[int, int, str | None]]:
        """Stock row -> on hand, promised, why frozen."""
        query = select(_stock.c.id, _stock.c.on_hand, _stock.c.promised, _stock.c.frozen_reason)
        return {
            row[0]: (row[1], row[2], row[3]) for row in self.park.read(lambda session: session.execute(query).all())
        }

    def holds(self) -> dict[int, tuple[int, object]]:
        """Hold -> what is left, when it was closed."""
        query = select(_hold.c.id, _hold.c.quantity, _hold.c.closed_at)
        return {row[0]: (row[1], row[2]) for row in self.park.read(lambda session: session.execute(query).all())}

    def movement(self, quantity: int = 1, **other: Any) -> Movement:
        places = (self.place(HERE), self.place(THERE))
        made = Movement(MovementKind.MOVE, self.sku.merchant_id, *places, self.sku.id, self.lot_id, quantity)
        return replace(made, **other)

    def refused(self, work: Callable[[Call], object]) -> Refused:
        """The refusal, after which every row is as it was."""
        before = (self.rows(), self.holds())
        with pytest.raises(Refused) as no:
            self.park.act(work)
        assert (self.rows(), self.holds()) == before
        return no.value


@pytest.fixture
def street(database: Database) -> Street:
    park = a_park(database)
    sku, other = park.act(a_sku), park.act(lambda call: a_sku(call, None, "M2"))
    lot_id = park.act(lambda call: stock_in(call, sku, HERE, 10))
    park.act(lambda call: stock_in(call, other, HERE, 10))
    park.act(lambda call: stock_in(call, sku, "A02-01-1A", 10))
    for row, owner in ((1, sku), (2, other)):
        park.act(lambda call, r=row, o=owner: service.hold(call, r, o.merchant_id, 4, Purpose.ORDER_LINE, r))  # type: ignore[misc]
    made = Street(park, sku, other, lot_id)
    assert made.rows() == {1: (10, 4, None), 2: (10, 4, None), 3: (10, 0, None)}
    return made


@pytest.fixture(autouse=True)
def _every_promise_holds_after_each_test(street: Street) -> object:
    yield
    for promise in PROMISES:
        broken = street.park.read(lambda session, promise=promise: list(promise.check(session)))  # type: ignore[misc]
        assert broken == [], promise.name


def test_a_movement_takes_from_its_own_row_only(street: Street) -> None:
    street.park.act(lambda call: service.post(call, [street.movement(2)]))
    assert street.rows() == {1: (8, 4, None), 2: (10, 4, None), 3: (10, 0, None), 4: (2, 0, None)}


@pytest.mark.parametrize("strange", ["merchant_id", "sku_id", "lot_id", "source_id", "condition", "book"])
def test_goods_are_taken_as_what_they_are_or_not_at_all(street: Street, strange: str) -> None:
    movement = street.movement(1, **{strange: stranger(street, strange)})
    assert street.refused(lambda call: service.post(call, [movement])).reason is Reason.STOCK_INSUFFICIENT


@pytest.mark.parametrize("strange", ["merchant_id", "sku_id", "lot_id", "source_id", "condition", "book"])
def test_promised_goods_are_taken_as_what_they_are_or_not_at_all(street: Street, strange: str) -> None:
    movement = street.movement(1, **{strange: stranger(street, strange)})
    assert street.refused(lambda call: service.consume(call, 1, 1, movement)).reason is Reason.HOLD_CLOSED


def stranger(street: Street, field: str) -> Any:
    """Another value of this field, one that exists."""
    known: dict[str, Callable[[], Any]] = {
        "merchant_id": lambda: street.other.merchant_id,
        "sku_id": lambda: street.other.id,
        "lot_id": lambda: street.park.act(lambda call: ensure_lot(call, street.sku, "L2")),
        "source_id": lambda: street.place("A01-03-1A"),
        "condition": lambda: Condition.DAMAGED,
        "book": lambda: "B1",
    }
    return known[field]()


def test_another_warehouse_has_no_say_in_this_one(street: Street) -> None:
    next_door = a_park(street.park.database, code="2")
    with pytest.raises(Refused) as no:
        next_door.act(lambda call: service.post(call, [street.movement()]))
    assert no.value.reason is Reason.STOCK_INSUFFICIENT
    assert street.rows()[1] == (10, 4, None)


def test_each_warehouse_has_virtual_places_of_its_own(street: Street) -> None:
    next_door = a_park(street.park.database, code="2")
    here, there = (
        park.read(lambda session, park=park: service.virtual_ids(session, park.warehouse_id))  # type: ignore[misc]
        for park in (street.park, next_door)
    )
    assert set(here) == set(there)
    assert not set(here.values()) & set(there.values())
    one = street.park.read(lambda session: service.virtual_id(session, street.park.warehouse_id, Virtual.SUPPLIER))
    assert one == here["SUPPLIER"]


def test_virtual_places_of_a_house_not_yet_built_are_asked_for_again(street: Street) -> None:
    unknown = street.park.warehouse_id + 1
    assert street.park.read(lambda session: service.virtual_ids(session, unknown)) == {}
    built = a_park(street.park.database, code="2")
    assert built.warehouse_id == unknown
    assert street.park.read(lambda session: service.virtual_ids(session, unknown)) != {}


def test_a_promise_is_made_on_its_own_row_and_says_what_for(street: Street) -> None:
    hold_id = street.park.act(lambda call: service.hold(call, 1, street.sku.merchant_id, 6, Purpose.MOVE, 77))
    assert street.rows() == {1: (10, 10, None), 2: (10, 4, None), 3: (10, 0, None)}
    row = street.park.read(lambda session: session.get_one(Hold, hold_id))
    told = (row.warehouse_id, row.merchant_id, row.stock_id, row.purpose, row.reference_id, row.quantity)
    assert told == (street.park.warehouse_id, street.sku.merchant_id, 1, "move", 77, 6)
    assert (row.made_at, row.closed_at) == (MORNING, None)


def test_a_promise_is_given_back_on_its_own_row(street: Street) -> None:
    street.park.act(lambda call: service.release(call, 1, 1, 3))
    assert street.rows() == {1: (10, 1, None), 2: (10, 4, None), 3: (10, 0, None)}
    assert street.holds() == {1: (1, None), 2: (4, None)}
    street.park.act(lambda call: service.release(call, 1, 1, 1))
    assert street.holds() == {1: (0, MORNING), 2: (4, None)}


def test_another_rows_promise_is_neither_given_back_nor_used(street: Street) -> None:
    assert street.refused(lambda call: service.release(call, 2, 1, 1)).reason is Reason.HOLD_CLOSED
    assert street.refused(lambda call: service.release(call, 1, 2, 1)).reason is Reason.HOLD_CLOSED
    assert street.refused(lambda call: service.consume(call, 2, 1, street.movement())).reason is Reason.HOLD_CLOSED


def test_of_two_promises_on_a_row_only_the_named_one_shrinks(street: Street) -> None:
    more = street.park.act(lambda call: service.hold(call, 1, street.sku.merchant_id, 5, Purpose.ORDER_LINE, 3))
    street.park.act(lambda call: service.consume(call, 1, 1, street.movement(2)))
    street.park.act(lambda call: service.release(call, more, 1, 1))
    assert street.holds() == {1: (2, None), 2: (4, None), more: (4, None)}
    assert street.rows()[1] == (8, 6, None)


def test_freezing_and_thawing_concern_one_row(street: Street) -> None:
    street.park.act(lambda call: service.freeze(call.session, 1, "audit"))
    street.park.act(lambda call: service.freeze(call.session, 2, "audit"))
    assert street.rows() == {1: (10, 4, "audit"), 2: (10, 4, "audit"), 3: (10, 0, None)}
    street.park.act(lambda call: service.thaw(call.session, 1))
    assert street.rows() == {1: (10, 4, None), 2: (10, 4, "audit"), 3: (10, 0, None)}


def test_a_refusal_tells_how_much_is_missing(street: Street) -> None:
    promised = street.refused(lambda call: service.post(call, [street.movement(7)]))
    assert (promised.reason, promised.facts) == (Reason.STOCK_PROMISED, {"wanted": 7, "free": 6, "shortage": 1})
    all_of_it = street.refused(lambda call: service.post(call, [street.movement(10)]))
    assert (all_of_it.reason, all_of_it.facts["shortage"]) == (Reason.STOCK_PROMISED, 4)
    lacking = street.refused(lambda call: service.post(call, [street.movement(11)]))
    assert (lacking.reason, lacking.facts) == (Reason.STOCK_INSUFFICIENT, {"wanted": 11, "free": 6, "shortage": 5})
    nothing = street.refused(lambda call: service.post(call, [street.movement(3, book="B1")]))
    assert nothing.facts == {"wanted": 3, "free": 0, "shortage": 3}
    used = street.refused(lambda call: service.consume(call, 1, 1, street.movement(5)))
    assert (used.reason, used.facts) == (Reason.HOLD_CLOSED, {"wanted": 5, "promised": 4})
    gone = street.refused(lambda call: service.hold(call, 99, street.sku.merchant_id, 1, Purpose.MOVE, 1))
    assert (gone.reason, gone.facts["free"]) == (Reason.STOCK_INSUFFICIENT, 0)


def test_a_movement_is_written_down_with_all_that_is_known_of_it(street: Street) -> None:
    person = a_person(street.park)
    made = street.movement(2, reference="why", kind=MovementKind.REPLENISH)
    person.act(lambda call: service.post(call, [made, replace(made, quantity=1)]))
    rows = street.park.read(
        lambda session: session.scalars(select(MovementRow).order_by(MovementRow.id.desc()).limit(2)).all()
    )
    last = rows[0]
    assert [row.line for row in rows] == [1, 0]
    assert (last.kind, last.reference, last.quantity, last.actor) == (
        "replenish",
        "why",
        1,
        f"person:{person.person_id}",
    )
    assert (last.merchant_id, last.source_id, last.target_id) == (made.merchant_id, made.source_id, made.target_id)
    assert (last.sku_id, last.lot_id, last.condition, last.book) == (made.sku_id, made.lot_id, "good", "")
    assert last.request_key.startswith(f"{last.actor}:test-")
    assert (last.warehouse_id, last.at) == (street.park.warehouse_id, MORNING)


def test_a_new_row_begins_with_nothing_promised(street: Street) -> None:
    street.park.act(lambda call: service.consume(call, 1, 1, street.movement(2)))
    rows = [row for _id, row in sorted(street.rows().items())]  # which number the new one gets is nobody's matter
    assert rows == [(8, 2, None), (10, 4, None), (10, 0, None), (2, 0, None)]


def test_promised_goods_may_leave_the_house(street: Street) -> None:
    customer = street.park.read(lambda session: service.virtual_id(session, street.park.warehouse_id, Virtual.CUSTOMER))
    street.park.act(lambda call: service.consume(call, 1, 1, street.movement(4, target_id=customer)))
    assert street.rows() == {1: (6, 0, None), 2: (10, 4, None), 3: (10, 0, None)}
    assert street.holds()[1] == (0, MORNING)


def place_of(street: Street, stock_id: int) -> int:
    return street.park.read(lambda session: session.get_one(Stock, stock_id).place_id)


def test_promised_goods_go_into_no_frozen_row(street: Street) -> None:
    there = place_of(street, 3)
    street.park.act(lambda call: service.freeze(call.session, 3, "audit"))
    no = street.refused(lambda call: service.consume(call, 1, 1, street.movement(1, target_id=there)))
    assert (no.reason, no.facts) == (Reason.STOCK_FROZEN, {"place": there})


def test_promised_goods_begin_a_new_stay_only_where_nothing_lies(street: Street) -> None:
    there, clock = place_of(street, 3), street.park.clock

    def since() -> object:
        return street.park.read(lambda session: session.get_one(Stock, 3).first_in_at)

    clock.advance(hours=1)
    street.park.act(lambda call: service.consume(call, 1, 1, street.movement(1, target_id=there)))
    assert (street.rows()[3], since()) == ((11, 0, None), MORNING)
    street.park.act(lambda call: service.post(call, [street.movement(11, source_id=there)]))
    street.park.act(lambda call: service.consume(call, 1, 1, street.movement(1, target_id=there)))
    assert (street.rows()[3], since()) == ((1, 0, None), clock.now())


def test_a_promise_does_not_follow_its_goods_unless_told(street: Street) -> None:
    hold = partial(service.hold, stock_id=3, merchant_id=street.sku.merchant_id, quantity=1, purpose=Purpose.MOVE)
    alone = street.park.act(lambda call: hold(call, reference_id=1))
    along = street.park.act(lambda call: hold(call, reference_id=2, follows=True))
    follow = street.park.read(lambda session: [session.get_one(Hold, one).follows for one in (alone, along)])
    assert follow == [False, True]


def test_goods_come_to_a_row_with_their_promise(street: Street) -> None:
    seen: list[object] = []

    def comes(call: Call) -> None:
        here = StockKey(street.sku.merchant_id, place_of(street, 1), street.sku.id, street.lot_id, "good", "")
        seen.append(service.put_down(call, here, 3, 2))
        seen.append(call.session.execute(select(Stock.on_hand, Stock.promised).where(Stock.id == 1)).one())
        raise Refused(Reason.STEP_WRONG)  # goods from nowhere do not stay

    street.refused(comes)
    assert seen == [1, (13, 6)]


def test_rows_are_locked_only_where_several_are_and_others_write_too(street: Street) -> None:
    """SQLite has one writer, and one row is locked by its own change: no question more than that."""
    supplier = street.park.read(lambda session: service.virtual_id(session, street.park.warehouse_id, Virtual.SUPPLIER))
    several = not street.park.database.is_sqlite
    works: list[tuple[Callable[[Call], object], bool]] = [
        (lambda call: service.post(call, [street.movement(1, source_id=supplier)]), False),
        (lambda call: service.post(call, [street.movement(1)]), several),
        (lambda call: service.keep_in_order(call, [1]), False),
        (lambda call: service.keep_in_order(call, [1, 3]), several),
    ]
    for work, locks in works:
        with counted_statements(street.park.database) as sent:
            street.park.act(work)
        asked = [one for one in sent if one.startswith("SELECT stock.id")]
        assert len(asked) == locks, sent
