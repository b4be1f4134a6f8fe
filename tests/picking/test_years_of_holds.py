"""What waits and what is promised is found as fast after years of orders as on the first day.

Counted are the steps of SQLite's machine, not seconds. It knows nothing of its tables' sizes here, as in a house that
was started a moment ago; PostgreSQL counts its rows by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert
from sqlalchemy.orm import Session

from tests import schema
from tests.builders import MORNING, Park, a_park, a_sku, stock_in
from tests.outbound.orders import allocate, place
from tests.years import steps
from wms.core.db import Database
from wms.core.db.tables import table_of
from wms.ledger.tables import Hold
from wms.outbound import queries as outbound
from wms.outbound.service.allocation import waiting_orders
from wms.outbound.service.waves import drafts
from wms.picking.service.planning import goods_of
from wms.terminal.queries.look import look
from wms.terminal.queries.waves import waiting

YEARS_OF_HOLDS = 4_000
STEPS_MORE_MAX = 1.2

Question = Callable[[Park, Session], Any]


def a_wave(park: Park, session: Session) -> Any:
    return drafts(session, park.warehouse_id)


def waiting_shown(park: Park, session: Session) -> Any:
    return waiting(look(session, park.warehouse_id, park.clock.now(), park.clock.now()))


def goods_of_some(park: Park, session: Session) -> Any:
    orders = [outbound.order_by_no(session, park.warehouse_id, f"N{number}").id for number in range(6)]
    return goods_of(session, 0, orders)


def orders_without_goods(park: Park, session: Session) -> Any:
    return waiting_orders(session, park.warehouse_id)


@pytest.fixture(scope="module")
def park(tmp_path_factory: pytest.TempPathFactory) -> Any:
    file: Path = tmp_path_factory.mktemp("years") / "park.db"
    schema.build(f"sqlite:///{file}")
    database = Database.open(f"sqlite:///{file}")
    park = a_park(database)
    tea = park.act(lambda call: a_sku(call, "TEA"))
    park.act(lambda call: stock_in(call, tea, "A01-01-1A", 50))
    for number in range(12):
        place(park, f"N{number}", (tea, 1))
        allocate(park, f"N{number}")
    yield park
    database.dispose()


def years_pass(park: Park) -> Callable[[], None]:
    """Promises made and kept, of orders long gone; returns what makes it today again."""
    holds = table_of(Hold)

    def pass_by(session: Session) -> None:
        known = session.execute(holds.select().limit(1)).mappings().one()
        old = {**known, "quantity": 0, "made_at": MORNING, "closed_at": MORNING}
        del old["id"]
        rows = [{**old, "reference_id": 1_000_000 + number} for number in range(YEARS_OF_HOLDS)]
        session.execute(insert(holds), rows)

    def never_were(session: Session) -> None:
        session.execute(holds.delete().where(holds.c.reference_id >= 1_000_000))

    park.database.transact(pass_by)
    return lambda: park.database.transact(never_were)


@pytest.mark.parametrize("question", [a_wave, waiting_shown, goods_of_some, orders_without_goods])
def test_old_promises_cost_nothing(park: Park, question: Question) -> None:
    first_day = steps(park, partial(question, park))
    undo = years_pass(park)
    try:
        assert steps(park, partial(question, park)) <= STEPS_MORE_MAX * first_day
    finally:
        undo()
