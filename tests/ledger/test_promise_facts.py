"""What a broken promise tells: its number, and the row that is to be frozen."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from tests.builders import Park, a_park, a_sku, stock_in
from wms.core.db import Database
from wms.core.promises import Broken
from wms.ledger.promises import PROMISES

NUMBERS = {
    "done_once": 2,
    "promised_within_on_hand": 3,
    "on_hand_is_the_sum_of_movements": 4,
    "ledger_append_only": 5,
    "holds_sum_to_promised": 6,
    "owners_apart": 9,
}


@pytest.fixture
def park(database: Database) -> Park:
    """Ten pieces in row 1, five in row 2."""
    made = a_park(database)
    for slot, quantity in (("A01-01-1A", 10), ("A01-02-1A", 5)):
        made.act(lambda call, slot=slot, quantity=quantity: stock_in(call, a_sku(call), slot, quantity))  # type: ignore[misc]
    return made


def breaks_of(park: Park, name: str) -> list[Broken]:
    (promise,) = (promise for promise in PROMISES if promise.name == name)
    return park.read(lambda session: list(promise.check(session)))


def by_hand(park: Park, statement: str) -> None:
    park.database.transact(lambda session: session.execute(text(statement)))


def test_promises_bear_the_numbers_of_the_reference_page() -> None:
    assert {promise.name: promise.number for promise in PROMISES} == NUMBERS


def test_a_wrong_balance_names_its_row(park: Park) -> None:
    by_hand(park, "UPDATE stock SET on_hand = 6 WHERE id = 2")
    (found,) = breaks_of(park, "on_hand_is_the_sum_of_movements")
    assert (found.subject, found.stock_id, found.warehouse_id) == ("stock 2", 2, park.warehouse_id)
    assert found.facts == "on hand 6, movements say 5"


def test_goods_without_a_row_of_stock_are_named_and_freeze_nothing(park: Park) -> None:
    by_hand(park, "DELETE FROM stock WHERE id = 2")
    (found,) = breaks_of(park, "on_hand_is_the_sum_of_movements")
    assert (found.subject, found.stock_id) == ("a place without its stock row", None)


def test_a_promise_without_its_hold_names_its_row(park: Park) -> None:
    by_hand(park, "UPDATE stock SET promised = 1 WHERE id = 2")
    (found,) = breaks_of(park, "holds_sum_to_promised")
    assert (found.subject, found.stock_id, found.facts) == ("stock 2", 2, "promised 1, holds say 0")


def test_a_sound_book_has_nothing_to_tell(park: Park) -> None:
    assert [found for name in NUMBERS for found in breaks_of(park, name)] == []
