"""The builders other tests begin with."""

from __future__ import annotations

from sqlalchemy import select

from tests.builders import a_park, a_sku, stock_in
from wms.core.call import Call
from wms.core.db import Database
from wms.ledger.tables import Stock


def test_goods_stand_in_a_small_park_after_three_lines(database: Database) -> None:
    park = a_park(database)

    def goods(call: Call) -> int:
        return stock_in(call, a_sku(call, "S1"), "A01-01-1A", 10)

    park.act(goods)
    assert park.read(lambda session: session.execute(select(Stock.on_hand, Stock.promised)).all()) == [(10, 0)]
