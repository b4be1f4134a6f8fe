"""The audit of every minute asks only of what changed, and finds there whatever the full audit finds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from tests.builders import Park, a_call, a_merchant, a_park, a_sku, stock_in
from wms.catalog.values import SkuFacts
from wms.core.call import Call
from wms.core.db import Database
from wms.core.promises import Broken, Promise
from wms.ledger import service, summing
from wms.ledger.promises import PROMISES
from wms.ledger.tables import MovementRow, MovementSum, Stock
from wms.ledger.values import Movement, MovementKind, Purpose
from wms.site import queries as site
from wms.upkeep import audit_what_changed

SLOTS = ("A01-01-1A", "A01-01-1B", "A01-02-1A", "A01-02-1B")


@pytest.fixture
def park(database: Database) -> Park:
    return a_park(database)


def move(call: Call, sku: SkuFacts, from_slot: int, to_slot: int, pieces: int) -> None:
    """Pieces come into a slot, some go on to another, one of them is promised."""
    lot_id = stock_in(call, sku, SLOTS[from_slot], pieces)
    source, target = (
        site.slot_by_code(call.session, call.warehouse_id, SLOTS[slot]).place_id for slot in (from_slot, to_slot)
    )
    if source != target:
        service.post(call, [Movement(MovementKind.MOVE, sku.merchant_id, source, target, sku.id, lot_id, pieces)])
    row = call.session.execute(FREE, {"place": target, "sku": sku.id}).one()
    service.hold(call, row.id, sku.merchant_id, 1, Purpose.ORDER_LINE, 1)


FREE = text("SELECT id FROM stock WHERE place_id = :place AND sku_id = :sku")
TOUCHED = text(
    "SELECT s.id FROM stock AS s WHERE EXISTS (SELECT 1 FROM movement AS m WHERE m.id > :mark AND m.lot_id = s.lot_id "
    "AND s.place_id IN (m.source_id, m.target_id)) ORDER BY s.id"
)
DAMAGE = (
    "UPDATE stock SET on_hand = on_hand + 1 WHERE id = :stock",
    "UPDATE stock SET on_hand = on_hand - 1 WHERE id = :stock AND on_hand > promised",
    "UPDATE stock SET promised = promised + 1 WHERE id = :stock AND on_hand > promised",
    "UPDATE stock SET promised = promised - 1 WHERE id = :stock AND promised > 0",
    "DELETE FROM stock WHERE id = :stock AND id NOT IN (SELECT stock_id FROM hold)",
    "UPDATE hold SET quantity = quantity + 1 WHERE stock_id = :stock",
    "UPDATE hold SET quantity = 0 WHERE stock_id = :stock",
    "DELETE FROM hold WHERE stock_id = :stock",
    "UPDATE sku SET merchant_id = :other WHERE id = (SELECT sku_id FROM stock WHERE id = :stock)",
    "INSERT INTO movement (warehouse_id, merchant_id, kind, source_id, target_id, sku_id, lot_id, condition, book, "
    "quantity, reference, actor, request_key, line, at) SELECT warehouse_id, merchant_id, kind, source_id, target_id, "
    "sku_id, lot_id, condition, book, 1, '', 'hand', 'by hand ' || :stock, 0, at FROM movement "
    "WHERE id = (SELECT MAX(id) FROM movement)",
)
moves = st.tuples(st.integers(0, 2), st.integers(0, 3), st.integers(0, 3), st.integers(1, 9))
Found = set[tuple[str, Broken]]


class Undo(Exception):
    """Everything an example did is rolled back, so that the next one begins with a sound book."""


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    before=st.lists(moves, max_size=6),
    after=st.lists(moves, min_size=1, max_size=4),
    damage=st.lists(st.tuples(st.sampled_from(DAMAGE), st.integers(0, 99)), max_size=3),
)
def test_damage_among_what_changed_is_found_as_the_full_audit_finds_it(
    park: Park, before: list[Any], after: list[Any], damage: list[Any]
) -> None:
    seen: list[tuple[set[int], Found, Found]] = []

    def example(call: Call) -> None:
        skus = [a_sku(call) for _ in range(3)]
        other = a_merchant(call, f"X{next(numbers)}")
        _moved(call, skus, before)
        summed_up(call.session)
        mark = summing.summed(call.session).mark
        _moved(call, skus, after)
        rows = set(call.session.scalars(TOUCHED, {"mark": mark}))
        _spoil(call.session, sorted(rows), damage, other)
        full = found(lambda one: one.check(call.session))
        touched = found(lambda one: one.check_since(call.session, mark) if one.check_since else [])
        seen.append((rows, touched, full))
        raise Undo

    with pytest.raises(Undo):
        park.act(example)
    rows, touched, full = seen[-1]
    assert touched <= full
    assert {(name, broken) for name, broken in full if broken.stock_id is None or broken.stock_id in rows} <= touched
    assert touched or not damage or _undone(damage)


def found(ask: Callable[[Promise], Iterable[Broken]]) -> Found:
    return {(promise.name, broken) for promise in PROMISES for broken in ask(promise)}


numbers = count(1)


def _moved(call: Call, skus: list[SkuFacts], walks: list[Any]) -> None:
    for at, (sku, *walk) in enumerate(walks):
        move(call.step(f"{next(numbers)}-{at}"), skus[sku], *walk)


def _spoil(session: Session, rows: list[int], damage: list[Any], other: int) -> None:
    for statement, which in damage:
        try:
            with session.begin_nested():
                session.execute(text(statement), {"stock": rows[which % len(rows)], "other": other})
        except IntegrityError:
            continue  # the database itself said no


def _undone(damage: list[Any]) -> bool:
    """Two hands may undo each other's damage, and some statements hit nothing."""
    return len(damage) > 1 or any(" AND " in statement or "hold" in statement for statement, _which in damage)


def summed_up(session: Session) -> None:
    upto = int(session.execute(text("SELECT COALESCE(MAX(id), 0) FROM movement")).scalar_one())
    while summing.add_up(session, upto):
        pass


def flows(session: Session) -> dict[tuple[Any, ...], int]:
    """What the sums should be: every movement at both its real ends."""
    virtual = set(session.scalars(text("SELECT id FROM place WHERE kind = 'virtual'")))
    sums: Counter[tuple[Any, ...]] = Counter()
    for row in session.execute(select(MovementRow.__table__)):
        for place, sign in ((row.target_id, 1), (row.source_id, -1)):
            if place not in virtual:
                sums[place, row.lot_id, row.condition, row.book] += sign * row.quantity
    return dict(sums)


def kept(session: Session) -> dict[tuple[Any, ...], int]:
    rows = session.execute(select(MovementSum.__table__))
    return {(row.place_id, row.lot_id, row.condition, row.book): row.total for row in rows}


def test_the_sums_are_those_of_the_movements_however_they_were_bitten_off(
    park: Park, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(summing, "BITE", 3)
    sku = park.act(a_sku)
    for pieces in range(1, 8):
        park.act(lambda call, pieces=pieces: move(call, sku, pieces % 3, 3, pieces))  # type: ignore[misc]
        park.database.transact(lambda session: summing.add_up(session, 10**9))
    park.database.transact(summed_up)
    assert park.read(kept) == park.read(flows)


def test_a_minute_without_movements_costs_no_sums(park: Park) -> None:
    assert not park.database.transact(lambda session: summing.add_up(session, summing.settled(session)))


def test_damage_in_a_row_that_moves_is_frozen_within_the_minute(park: Park) -> None:
    sku = park.act(a_sku)
    park.act(lambda call: move(call, sku, 0, 1, 5))
    for _minute in range(3):
        assert audit_what_changed(park.database, park.clock) == 0
    park.act(lambda call: move(call, sku, 0, 1, 5))
    park.database.transact(lambda session: session.execute(text("UPDATE stock SET on_hand = on_hand + 1")))
    assert audit_what_changed(park.database, park.clock) == 2
    assert set(park.read(lambda session: session.scalars(select(Stock.frozen_reason)).all())) != {None}


@pytest.mark.parametrize("rounds", [1, 4])
def test_a_number_taken_by_a_transaction_still_under_way_is_not_passed(pg_url: str, rounds: int) -> None:
    """A slow import has numbered its movements and commits after the audit has looked: nothing of it is forgotten."""
    database = Database.open(pg_url)
    park = a_park(database)
    sku = park.act(a_sku)
    with Session(database.write_engine) as slow:
        move(a_call(slow, park.warehouse_id, request_id="slow"), sku, 0, 1, 5)
        slow.flush()
        other = park.act(a_sku)
        park.act(lambda call: move(call, other, 2, 3, 4))
        for _round in range(rounds):
            assert audit_what_changed(database, park.clock) == 0
        slow.commit()
    for _round in range(4):
        assert audit_what_changed(database, park.clock) == 0
    assert park.read(kept) == park.read(flows)
    database.dispose()
