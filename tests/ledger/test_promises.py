"""Each promise broken by hand behind the ledger's back is named, and what guards it refuses the break at first."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from tests.builders import Park, a_merchant, a_park, a_sku, stock_in
from wms.core.call import Call
from wms.core.db import Database
from wms.ledger import service, triggers
from wms.ledger.promises import PROMISES
from wms.ledger.values import Purpose


@pytest.fixture
def park(database: Database) -> Park:
    """Ten pieces in a slot, three of them promised."""
    park = a_park(database)
    park.act(_goods)
    return park


def _goods(call: Call) -> None:
    sku = a_sku(call)
    stock_in(call, sku, "A01-01-1A", 10)
    (stock_id,) = call.session.scalars(text("SELECT id FROM stock")).all()
    service.hold(call, stock_id, sku.merchant_id, 3, Purpose.ORDER_LINE, 1)


def broken(park: Park) -> set[str]:
    return {
        promise.name
        for promise in PROMISES
        if park.read(lambda session, promise=promise: list(promise.check(session)))  # type: ignore[misc]
    }


def by_hand(park: Park, *statements: str) -> None:
    """Run statements with every guard of the database off."""

    def run(session: Session) -> None:
        for statement in statements:
            session.execute(text(statement))

    if park.database.is_sqlite:
        with park.database.write_engine.connect() as connection:
            connection.exec_driver_sql("COMMIT")
            connection.exec_driver_sql("PRAGMA ignore_check_constraints=ON")
            connection.exec_driver_sql("BEGIN")
    park.database.transact(run)


def loosened(park: Park) -> list[str]:
    """Statements that take away the checks of stock (PostgreSQL has no switch for it)."""
    if park.database.is_sqlite:
        return []
    checks = ("ck_stock_promised_not_negative", "ck_stock_promised_within_on_hand")
    return [f"ALTER TABLE stock DROP CONSTRAINT {check}" for check in checks]


def unguarded(park: Park) -> list[str]:
    """Statements that take away the triggers."""
    of_table = "" if park.database.is_sqlite else " ON movement"
    return [f"DROP TRIGGER {name}{of_table}" for name in triggers.NAMES]


def test_a_sound_book_breaks_nothing(park: Park) -> None:
    assert broken(park) == set()


@pytest.mark.parametrize("value", ["promised = 11", "promised = -1"])
def test_promised_outside_of_on_hand_is_refused_by_the_database(park: Park, value: str) -> None:
    with pytest.raises(IntegrityError):
        park.database.transact(lambda session: session.execute(text(f"UPDATE stock SET {value}")))


@pytest.mark.parametrize("value", ["promised = 11", "promised = -1"])
def test_promised_outside_of_on_hand_is_named(park: Park, value: str) -> None:
    by_hand(park, *loosened(park), f"UPDATE stock SET {value}")
    assert broken(park) == {"promised_within_on_hand", "holds_sum_to_promised"}


def test_goods_without_a_movement_are_named(park: Park) -> None:
    by_hand(park, "UPDATE stock SET on_hand = on_hand + 1")
    assert broken(park) == {"on_hand_is_the_sum_of_movements"}


def test_a_stock_row_that_vanished_is_named(park: Park) -> None:
    by_hand(park, "DELETE FROM hold", "DELETE FROM stock")
    assert broken(park) == {"on_hand_is_the_sum_of_movements"}


def test_a_hold_that_was_forgotten_is_named(park: Park) -> None:
    by_hand(park, "UPDATE hold SET quantity = 2")
    assert broken(park) == {"holds_sum_to_promised"}


def test_goods_under_another_owner_are_named(park: Park) -> None:
    other = park.act(lambda call: a_merchant(call, "M2"))
    by_hand(park, f"UPDATE sku SET merchant_id = {other}")
    assert broken(park) == {"owners_apart"}


def test_a_movement_booked_twice_is_named(park: Park) -> None:
    copy = (
        "INSERT INTO movement (id, warehouse_id, merchant_id, kind, source_id, target_id, sku_id, lot_id, condition, "
        "book, quantity, reference, actor, request_key, line, at) SELECT id + 1000, warehouse_id, merchant_id, kind, "
        "source_id, target_id, sku_id, lot_id, condition, book, quantity, reference, actor, request_key, line, at "
        "FROM movement"
    )
    with pytest.raises(IntegrityError):
        park.database.transact(lambda session: session.execute(text(copy)))
    if park.database.is_sqlite:
        loose = ["CREATE TABLE loose AS SELECT * FROM movement", "DROP TABLE movement"]
        by_hand(park, *loose, "ALTER TABLE loose RENAME TO movement", *triggers.SQLITE, copy)
    else:
        by_hand(park, "ALTER TABLE movement DROP CONSTRAINT uq_movement_request_key_line", copy)
    assert broken(park) == {"done_once", "on_hand_is_the_sum_of_movements"}


@pytest.mark.parametrize("statement", ["UPDATE movement SET quantity = 1", "DELETE FROM movement"])
def test_movements_cannot_be_changed(park: Park, statement: str) -> None:
    with pytest.raises(DBAPIError, match="append-only"):
        park.database.transact(lambda session: session.execute(text(statement)))


@pytest.mark.postgres
def test_movements_cannot_be_emptied(pg_url: str) -> None:
    database = Database.open(pg_url)
    with pytest.raises(DBAPIError, match="append-only"):
        database.transact(lambda session: session.execute(text("TRUNCATE movement")))
    database.dispose()


def test_a_missing_guard_is_named(park: Park) -> None:
    by_hand(park, *unguarded(park))
    assert broken(park) == {"ledger_append_only"}


def test_a_changed_movement_is_named_even_when_its_guard_was_put_back(park: Park) -> None:
    back = triggers.statements("sqlite" if park.database.is_sqlite else "postgresql")
    by_hand(park, *unguarded(park), "UPDATE movement SET quantity = 9", *back)
    assert broken(park) == {"on_hand_is_the_sum_of_movements"}


def test_a_movement_whose_lot_is_of_another_sku_is_named_also_among_what_changed(park: Park) -> None:
    other = park.act(a_sku)
    back = triggers.statements("sqlite" if park.database.is_sqlite else "postgresql")
    by_hand(park, *unguarded(park), f"UPDATE movement SET sku_id = {other.id}", *back)
    assert broken(park) == {"on_hand_is_the_sum_of_movements"}
    (sums,) = (promise for promise in PROMISES if promise.name == "on_hand_is_the_sum_of_movements")
    moved = park.read(lambda session: session.scalars(text("SELECT id FROM movement")).all())
    for mark, named in ((min(moved) - 1, len(moved)), (max(moved), 0)):
        assert sums.check_since is not None
        found = park.read(lambda session, mark=mark: list(sums.check_since(session, mark)))  # type: ignore[misc]
        assert len([one for one in found if one.subject.startswith("movement ")]) == named


def test_every_promise_has_a_test_that_breaks_it() -> None:
    named = {
        "done_once",
        "promised_within_on_hand",
        "on_hand_is_the_sum_of_movements",
        "ledger_append_only",
        "holds_sum_to_promised",
        "owners_apart",
    }
    assert {promise.name for promise in PROMISES} == named
