"""Races that others met and wrote down, each lived through here; and beside each the naive code, which loses.

The naive halves are laid beside each other by hand (both look, then both act), so that they lose every time and not
only on a bad day. Nothing of the others' code is used: only what their reports say went wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as StillWaiting
from dataclasses import dataclass
from functools import partial
from itertools import count

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, OperationalError

from tests.builders import Park, a_park, a_person, a_sku, at_once, stock_in
from tests.inbound.dock import announced
from tests.outbound.orders import allocate, allocated, order, place
from tests.proofs.frame import audit
from tests.proofs.sabotage import without_checks_of_stock
from tests.proofs.stage import SLOTS, Row, asked, one_lot_in, reason_of
from wms.catalog import queries as catalog
from wms.catalog.values import SkuFacts
from wms.core.call import Call, Who
from wms.core.db import Database
from wms.core.refusal import Reason, Refused
from wms.handheld import shell
from wms.ledger import service as ledger
from wms.ledger.values import Movement, MovementKind, Purpose, Virtual
from wms.outbound.values import OrderState
from wms.people.values import Role
from wms.picking.service.direct import pick_direct

WAITS_S = 0.5
SOON_S = 30
BARCODE = "6901234567892"

PROMISE_FIVE = (
    "INSERT INTO hold (warehouse_id, merchant_id, stock_id, purpose, reference_id, quantity, made_at, follows) "
    "SELECT warehouse_id, merchant_id, id, 'order_line', 1, 5, first_in_at, FALSE FROM stock WHERE id = :row"
)


@dataclass(frozen=True)
class Shelf:
    """One lot of one SKU in two slots; the second row of stock has the lower key, so ids and keys run in two ways."""

    park: Park
    low: Row
    high: Row

    @property
    def database(self) -> Database:
        return self.park.database

    def sku(self) -> SkuFacts:
        return self.park.read(lambda session: catalog.sku_by_id(session, self.park.warehouse_id, self.low.sku_id))

    def figures(self, row: Row) -> tuple[int, int]:
        """On hand and promised."""
        query = text("SELECT on_hand, promised FROM stock WHERE id = :row")
        found = self.park.read(lambda session: session.execute(query, {"row": row.stock_id}).one())
        return (found.on_hand, found.promised)

    def write(self, statement: str, **values: int) -> None:
        """Behind the ledger's back, as naive code writes."""
        self.database.transact(lambda session: session.execute(text(statement), values))

    def held(self, row: Row, quantity: int = 1) -> int:
        return self.park.act(
            lambda call: ledger.hold(call, row.stock_id, row.merchant_id, quantity, Purpose.ORDER_LINE, 1)
        )

    def moves(self, *movements: Movement) -> Callable[[], None]:
        return partial(self.park.act, lambda call: ledger.post(call, list(movements)))

    def broken(self) -> set[str]:
        """Names of the promises that do not hold."""
        return {sentence.split(":")[0] for sentence in audit(self.database)}


def a_shelf(database: Database, quantity: int) -> Shelf:
    park = a_park(database)
    return Shelf(park, *one_lot_in(park, (SLOTS[1], SLOTS[0]), quantity))


@pytest.fixture
def shelf(database: Database) -> Shelf:
    """Five pieces in each of two slots."""
    return a_shelf(database, 5)


@pytest.fixture
def pg_shelf(pg_url: str) -> Iterator[Shelf]:
    """As `shelf`, where rows are locked one by one."""
    database = Database.open(pg_url)
    yield a_shelf(database, 5)
    database.dispose()


class TestTwoAllocationsOfFiveUnits:
    """InvenTree #12478: two requests that each allocated a whole stock item of five units both succeeded."""

    def test_one_gets_them(self, shelf: Shelf) -> None:
        merchant = shelf.park.read(lambda session: catalog.merchants(session, shelf.park.warehouse_id))[0].code
        names = ["R1", "R2", "R3", "R4"]
        for name in names:
            place(shelf.park, name, (shelf.sku(), 10), merchant_code=merchant)
        at_once([partial(allocate, shelf.park, name) for name in names])
        assert sorted(sum(allocated(shelf.park, name)) for name in names) == [0, 0, 0, 10]
        assert (shelf.figures(shelf.low), shelf.figures(shelf.high)) == ((5, 5), (5, 5))
        assert shelf.broken() == set()

    def test_naively_both_get_them(self, shelf: Shelf) -> None:
        """What is free is read without a lock; the promise is a row of its own that nothing guards."""
        query = text("SELECT COALESCE(SUM(quantity), 0) FROM hold WHERE stock_id = :row")

        def free() -> int:
            row = {"row": shelf.low.stock_id}
            return 5 - int(shelf.park.read(lambda session: session.execute(query, row).scalar_one()))

        for seen in [free(), free()]:
            assert seen == 5
            shelf.write(
                PROMISE_FIVE,
                row=shelf.low.stock_id,
            )
        assert free() == -5
        assert shelf.broken() == {"holds_sum_to_promised"}


@pytest.mark.postgres
class TestBalancesThatAreSkipped:
    """odoo #272560: a balance somebody had locked was skipped, and a second one made: two promised of one."""

    def test_who_wants_a_balance_waits_for_it(self, pg_shelf: Shelf) -> None:
        row = pg_shelf.low
        with pg_shelf.database.write_engine.connect() as first, ThreadPoolExecutor(1) as pool:
            first.execute(text("UPDATE stock SET promised = 5 WHERE id = :row"), {"row": row.stock_id})
            second = pool.submit(pg_shelf.held, row)
            with pytest.raises(StillWaiting):
                second.result(WAITS_S)
            first.execute(
                text(PROMISE_FIVE),
                {"row": row.stock_id},
            )
            first.commit()
            with pytest.raises(Refused) as no:
                second.result(SOON_S)
        assert no.value.reason is Reason.STOCK_PROMISED
        assert pg_shelf.figures(row) == (5, 5)
        assert pg_shelf.broken() == set()

    def test_naively_one_piece_is_promised_twice(self, pg_shelf: Shelf) -> None:
        pg_shelf.write("CREATE TABLE balance (on_hand INTEGER, promised INTEGER)")
        pg_shelf.write("INSERT INTO balance VALUES (1, 0)")
        look = text("SELECT ctid FROM balance WHERE promised < on_hand FOR UPDATE SKIP LOCKED")
        engine = pg_shelf.database.write_engine
        with engine.connect() as first, engine.connect() as second:
            for one in (first, second):
                if one.execute(look).first() is None:
                    one.execute(text("INSERT INTO balance VALUES (0, 1)"))
                else:
                    one.execute(text("UPDATE balance SET promised = 1"))
            first.commit()
            second.commit()
        sums = text("SELECT SUM(on_hand), SUM(promised) FROM balance")
        assert tuple(pg_shelf.park.read(lambda session: session.execute(sums).one())) == (1, 2)


class TestABalanceReadBeforeItIsLocked:
    """odoo #55494: a balance was read, then locked, then written as read plus one; ten threads added less than ten."""

    def test_every_piece_is_added(self, shelf: Shelf) -> None:
        row, house = shelf.low, shelf.park.warehouse_id
        supplier = shelf.park.read(lambda session: ledger.virtual_id(session, house, Virtual.SUPPLIER))
        goods = (row.merchant_id, supplier, row.place_id, row.sku_id, row.lot_id, 1)
        at_once([shelf.moves(Movement(MovementKind.RECEIPT, *goods))] * 10)
        assert shelf.figures(row) == (15, 0)
        assert shelf.broken() == set()

    def test_naively_one_of_two_is_lost(self, shelf: Shelf) -> None:
        for on_hand, _promised in [shelf.figures(shelf.low), shelf.figures(shelf.low)]:
            shelf.write("UPDATE stock SET on_hand = :n WHERE id = :row", n=on_hand + 1, row=shelf.low.stock_id)
        assert shelf.figures(shelf.low) == (6, 0)


class TestCountersThatDrift:
    """odoo #62139: promises, picks and adjustments at once left counters that no longer said what was promised."""

    def test_picks_releases_and_adjustments_at_once_agree(self, shelf: Shelf) -> None:
        shrinkage = shelf.park.read(
            lambda session: ledger.virtual_id(session, shelf.park.warehouse_id, Virtual.SHRINKAGE)
        )
        row = shelf.high
        taken, freed = shelf.held(row, 2), shelf.held(row, 2)
        pick = row.going_to(shelf.low.place_id, 2, MovementKind.PICK)
        adjust = shelf.moves(row.going_to(shrinkage, 1, MovementKind.COUNT))
        works: list[Callable[[], None]] = [
            partial(shelf.park.act, lambda call: ledger.consume(call, taken, row.stock_id, pick)),
            partial(shelf.park.act, lambda call: ledger.release(call, freed, row.stock_id, 2)),
            adjust,
        ]
        answers: list[object] = [*at_once(works * 2)]
        refused = [answer for answer in answers if isinstance(answer, Refused)]
        assert {no.reason for no in refused} >= {Reason.HOLD_CLOSED}, "a promise is used once"
        on_hand, promised = shelf.figures(row)
        assert (on_hand, promised) in {(2, 0), (1, 0)}
        assert shelf.broken() == set()

    def test_an_adjustment_never_takes_what_is_promised(self, shelf: Shelf) -> None:
        shelf.held(shelf.high, 5)
        with pytest.raises(Refused) as no:
            shelf.moves(shelf.high.going_to(shelf.high.customer_id, 1))()
        assert no.value.reason is Reason.STOCK_PROMISED

    def test_naively_a_counter_and_its_promise_part(self, shelf: Shelf) -> None:
        """Two transactions for what is one thing, and the second never comes."""
        shelf.held(shelf.high, 2)
        shelf.write("UPDATE stock SET promised = promised - 2 WHERE id = :row", row=shelf.high.stock_id)
        assert shelf.broken() == {"holds_sum_to_promised"}


class TestFastScans:
    """erpnext #55012: ten quick scans of one article counted five."""

    def test_ten_scans_at_once_count_ten(self, database: Database) -> None:
        hand = a_person(a_park(database), role=Role.SUPERVISOR)
        sku = hand.act(lambda call: a_sku(call, "TEA", barcode=BARCODE))
        announced(hand, "A1", (sku, 100))
        who = Who(f"person:{hand.person_id}", hand.warehouse_id, hand.rights, person_id=hand.person_id)
        shell.act(database, hand.clock, who, "k1", "choose", "receive")
        shell.scan(database, hand.clock, who, "s0", "A1")
        scans = [partial(shell.scan, database, hand.clock, who, f"s{number}", BARCODE) for number in range(1, 11)]
        answers = at_once(scans)
        assert all(not isinstance(answer, Refused) and answer.status == 200 for answer in answers), answers
        at = database.read(lambda session: shell.standing(session, hand.person_id))
        assert at.state["counted"] == 10

    def test_naively_two_scans_count_one(self, shelf: Shelf) -> None:
        shelf.write("CREATE TABLE screen (counted INTEGER)")
        shelf.write("INSERT INTO screen VALUES (0)")
        look = text("SELECT counted FROM screen")
        seen = [shelf.park.read(lambda session: session.execute(look).scalar_one()) for _scan in range(2)]
        for counted in seen:
            shelf.write("UPDATE screen SET counted = :n", n=counted + 1)
        assert shelf.park.read(lambda session: session.execute(look).scalar_one()) == 1


class TestTheSecondTap:
    """odoo #204790: a button tapped again and again ran the same validation several times at once."""

    def an_order(self, shelf: Shelf) -> Callable[[str], str]:
        """Takes the last piece of an order; the reason of a refusal, or nothing."""
        merchant = shelf.park.read(lambda session: catalog.merchants(session, shelf.park.warehouse_id))[0].code
        place(shelf.park, "T1", (shelf.sku(), 5), merchant_code=merchant)
        allocate(shelf.park, "T1")
        slot = SLOTS[1] if shelf.figures(shelf.low)[1] else SLOTS[0]
        sku = shelf.sku().code

        def work(call: Call) -> dict[str, int]:
            return {"left": pick_direct(call, order_no="T1", sku_code=sku, slot_code=slot, quantity=5).left}

        return lambda tap: reason_of(asked(shelf.database, shelf.park.warehouse_id, "key:1", tap, work))

    def test_the_same_tap_again_gets_the_same_answer(self, shelf: Shelf) -> None:
        tap = self.an_order(shelf)
        assert at_once([partial(tap, "once")] * 8) == [""] * 8
        assert shelf.broken() == set()

    def test_another_tap_is_told_that_nothing_is_left(self, shelf: Shelf) -> None:
        tap, numbers = self.an_order(shelf), count(1)
        answers = at_once([partial(tap, f"tap {next(numbers)}") for _ in range(8)])
        assert answers.count("") == 1
        assert order(shelf.park, "T1").state == OrderState.PICKED
        assert shelf.broken() == set()

    def test_naively_the_goods_go_twice(self, shelf: Shelf) -> None:
        """Both taps see the work open, and both do it."""
        shelf.write("CREATE TABLE work (done INTEGER)")
        shelf.write("INSERT INTO work VALUES (0)")
        look = text("SELECT done FROM work")
        seen = [shelf.park.read(lambda session: session.execute(look).scalar_one()) for _tap in range(2)]
        for done in seen:
            if not done:
                shelf.moves(shelf.low.going_to(shelf.high.place_id, 1))()
                shelf.write("UPDATE work SET done = 1")
        assert shelf.figures(shelf.low) == (3, 0), "one piece was to go"


@pytest.mark.postgres
class TestLocksInARing:
    """erpnext #36835, #53638: deadlocks around the stock ledger. Here whoever waits keeps no higher row meanwhile."""

    def waits(self, shelf: Shelf, work: Callable[[], object]) -> tuple[Future[object], bool]:
        """The work, done while somebody has the lower row; and whether it kept the higher one to itself meanwhile."""
        engine = shelf.database.write_engine
        lock = "SELECT id FROM stock WHERE id = :row FOR UPDATE"
        with engine.connect() as somebody, engine.connect() as other, ThreadPoolExecutor(1) as pool:
            somebody.execute(text(lock), {"row": shelf.low.stock_id})
            waiting = pool.submit(work)
            with pytest.raises(StillWaiting):
                waiting.result(WAITS_S)
            try:
                other.execute(text(f"{lock} NOWAIT"), {"row": shelf.high.stock_id})
                kept = False
            except OperationalError:
                kept = True
            other.rollback()
            somebody.rollback()
            waiting.result(SOON_S)
        return waiting, kept

    def test_goods_that_move_down_take_the_lower_row_first(self, pg_shelf: Shelf) -> None:
        down = pg_shelf.moves(pg_shelf.high.going_to(pg_shelf.low.place_id, 1))
        assert self.waits(pg_shelf, down)[1] is False

    def test_a_promise_that_is_used_takes_the_lower_row_first(self, pg_shelf: Shelf) -> None:
        high = pg_shelf.high
        hold_id, down = pg_shelf.held(high), high.going_to(pg_shelf.low.place_id, 1)
        work = partial(pg_shelf.park.act, lambda call: ledger.consume(call, hold_id, high.stock_id, down))
        assert self.waits(pg_shelf, work)[1] is False

    def test_a_command_that_frees_the_higher_row_and_then_takes_the_lower_one(self, pg_shelf: Shelf) -> None:
        """As a short pick does, which looks for its goods elsewhere."""
        low, high = pg_shelf.low, pg_shelf.high
        hold_id = pg_shelf.held(high)

        def short(call: Call) -> None:
            ledger.keep_in_order(call, [high.stock_id, low.stock_id])
            ledger.release(call, hold_id, high.stock_id, 1)
            ledger.hold(call, low.stock_id, low.merchant_id, 1, Purpose.ORDER_LINE, 1)

        assert self.waits(pg_shelf, partial(pg_shelf.park.act, short))[1] is False

    def test_rows_that_are_not_touched_are_not_waited_for(self, pg_shelf: Shelf) -> None:
        low, high = pg_shelf.low, pg_shelf.high
        pg_shelf.park.act(lambda call: stock_in(call, a_sku(call), SLOTS[0], 1))
        pg_shelf.park.act(lambda call: stock_in(call, pg_shelf.sku(), SLOTS[2], 1, "L"))
        hold_id = pg_shelf.held(high)
        works = (
            pg_shelf.moves(high.going_to(low.place_id, 1)),
            partial(pg_shelf.park.act, lambda call: ledger.keep_in_order(call, [high.stock_id, low.stock_id])),
            partial(
                pg_shelf.park.act,
                lambda call: ledger.consume(call, hold_id, high.stock_id, high.going_to(low.place_id, 1)),
            ),
        )
        others = text("SELECT id FROM stock WHERE id NOT IN (:low, :high) FOR UPDATE")
        with pg_shelf.database.write_engine.connect() as somebody, ThreadPoolExecutor(1) as pool:
            kept = somebody.execute(others, {"low": low.stock_id, "high": high.stock_id}).all()
            assert len(kept) == 2, "other goods in the same slot, the same goods in another"
            try:
                for work in works:
                    pool.submit(work).result(SOON_S)
            finally:
                somebody.rollback()

    def test_naively_the_source_is_kept_while_the_target_is_waited_for(self, pg_shelf: Shelf) -> None:
        touch = text("UPDATE stock SET on_hand = on_hand WHERE id = :row")

        def work() -> None:
            with pg_shelf.database.write_engine.begin() as connection:
                for row in (pg_shelf.high, pg_shelf.low):
                    connection.execute(touch, {"row": row.stock_id})

        assert self.waits(pg_shelf, work)[1] is True


class TestBinsBelowNothing:
    """GreaterWMS #134: a list of bins with negative quantities."""

    def test_many_hands_take_what_is_there_and_not_one_more(self, shelf: Shelf) -> None:
        answers = at_once([shelf.moves(shelf.low.going_to(shelf.low.customer_id, 2, MovementKind.SHIP))] * 8)
        assert sum(not isinstance(answer, Refused) for answer in answers) == 2
        assert shelf.figures(shelf.low) == (1, 0)
        assert shelf.broken() == set()

    def test_the_database_itself_knows_no_negative_bin(self, shelf: Shelf) -> None:
        with pytest.raises(IntegrityError):
            shelf.write("UPDATE stock SET on_hand = -1 WHERE id = :row", row=shelf.low.stock_id)

    def test_naively_two_looks_take_more_than_there_is(self, shelf: Shelf) -> None:
        without_checks_of_stock(shelf.database)
        for on_hand, _promised in [shelf.figures(shelf.low), shelf.figures(shelf.low)]:
            if on_hand >= 3:
                shelf.write("UPDATE stock SET on_hand = on_hand - 3 WHERE id = :row", row=shelf.low.stock_id)
        assert shelf.figures(shelf.low) == (-1, 0)
        assert "promised_within_on_hand" in shelf.broken()
