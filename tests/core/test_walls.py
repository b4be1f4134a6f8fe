"""The second wall between merchants: a query that forgets its merchant shows nobody else's rows (PostgreSQL)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import NullPool, create_engine, func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

import wms
from tests.builders import Park, a_park, a_sku, stock_in
from wms.catalog import queries as catalog
from wms.catalog.tables import Merchant, Sku
from wms.core.call import Call, Who
from wms.core.db import Database, walls
from wms.ledger.tables import Stock
from wms.migrations import commands
from wms.migrations.metadata import every_table

FORGETFUL = select(func.coalesce(func.sum(Stock.on_hand), 0))  # asks about everybody's stock


def on_hand(call: Call) -> int:
    return call.session.scalar(FORGETFUL) or 0


@pytest.fixture
def park(pg_url: str) -> Iterator[Park]:
    """Two merchants: A has 10 pieces, B 20."""
    database = Database.open(pg_url)
    built = a_park(database)
    built.act(lambda call: stock_in(call, a_sku(call, "S1", "A"), "A01-01-1A", 10))
    built.act(lambda call: stock_in(call, a_sku(call, "S1", "B"), "A01-02-1A", 20))
    yield built
    database.dispose()


def merchant_id(park: Park, code: str) -> int:
    return park.read(lambda session: catalog.merchant_by_code(session, park.warehouse_id, code).id)


def test_a_query_that_forgets_its_merchant_sees_only_his_rows(park: Park) -> None:
    assert park.act_for(merchant_id(park, "A"), on_hand) == 10
    assert park.act_for(merchant_id(park, "B"), on_hand) == 20
    assert park.act(on_hand) == 30


def test_the_list_of_merchants_shows_himself(park: Park) -> None:
    codes = park.act_for(merchant_id(park, "A"), lambda call: call.session.scalars(select(Merchant.code)).all())
    assert codes == ["A"]


def test_a_pooled_connection_forgets_for_whom_it_asked(park: Park) -> None:
    for _turn in range(3):
        assert park.act_for(merchant_id(park, "A"), on_hand) == 10
        assert park.read(lambda session: session.scalar(FORGETFUL)) == 30


def test_a_read_stands_behind_the_wall_from_its_first_statement_to_its_last(park: Park) -> None:
    who = Who("key:1", park.warehouse_id, merchant_id=merchant_id(park, "A"))

    def seen(session: Session) -> list[int]:
        call = Call.begun(session, who, "question", park.clock.now())
        return [on_hand(call) for _ in range(3)]

    assert park.read(seen) == [10, 10, 10]
    assert park.read(lambda session: session.scalar(FORGETFUL)) == 30


def test_a_read_that_failed_behind_the_wall_leaves_no_wall_behind(park: Park) -> None:
    who = Who("key:1", park.warehouse_id, merchant_id=merchant_id(park, "A"))

    def fails(session: Session) -> None:
        assert on_hand(Call.begun(session, who, "question", park.clock.now())) == 10
        raise ZeroDivisionError

    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            park.read(fails)
        assert park.read(lambda session: session.scalar(FORGETFUL)) == 30


def test_nothing_can_be_written_or_changed_behind_the_wall(park: Park) -> None:
    a, b = merchant_id(park, "A"), merchant_id(park, "B")
    touched = park.act_for(a, lambda call: call.session.execute(text("UPDATE stock SET frozen_reason = 'x'")))
    assert touched.rowcount == 1  # type: ignore[attr-defined]
    with pytest.raises(DBAPIError, match="row-level security"):
        park.act_for(a, lambda call: call.session.execute(text(f"UPDATE sku SET merchant_id = {b}")))


def test_without_walls_the_same_query_tells_everything(park: Park) -> None:
    """The sabotage: what the walls are good for."""
    with park.database.write_engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE stock DISABLE ROW LEVEL SECURITY")
    assert park.act_for(merchant_id(park, "A"), on_hand) == 30


def test_a_wall_that_was_taken_down_is_named_and_comes_back_with_an_upgrade(empty_database_url: str) -> None:
    commands.upgrade(empty_database_url)
    if empty_database_url.startswith("sqlite"):
        assert commands.check(empty_database_url) == []
        return
    engine = create_engine(empty_database_url, poolclass=NullPool)
    for sabotage in (
        "ALTER TABLE sku DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE sku NO FORCE ROW LEVEL SECURITY",
        f"DROP POLICY {walls.POLICY} ON sku",
    ):
        with engine.begin() as connection:
            connection.exec_driver_sql(sabotage)
        assert commands.check(empty_database_url) == ["the wall between merchants is missing around sku"]
        commands.upgrade(empty_database_url)
        assert commands.check(empty_database_url) == []


def test_every_table_that_knows_a_merchant_stands_behind_a_wall() -> None:
    tables = {table.name for table in walls.walled(every_table())}
    assert {"merchant", "sku", "stock", "movement", "hold", "sales_order", "order_line"} <= tables
    assert all(walls.OWNER in table.columns for table in walls.walled(every_table()) if table.name != "merchant")


def test_a_call_is_begun_in_one_way_only() -> None:
    """`Call.begun` raises the wall; a call made otherwise would stand before it."""
    folder = Path(wms.__file__).parent
    others = [
        f"{path.relative_to(folder)}: {line.strip()}"
        for path in sorted(folder.rglob("*.py"))
        for line in path.read_text(encoding="utf-8").splitlines()
        if re.search(r"(?<![\w.])Call\(", line) and not line.lstrip().startswith(("class", "def"))
    ]
    assert others == []


def test_other_merchants_goods_may_have_the_same_code(park: Park) -> None:
    for code in ("A", "B"):
        found = park.act_for(merchant_id(park, code), lambda call: call.session.scalars(select(Sku.code)).all())
        assert found == ["S1"]
