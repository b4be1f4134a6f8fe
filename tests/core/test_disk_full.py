"""A disk without room: a command is refused whole, and goes through when there is room again."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select, text

from tests.builders import Park, a_park, a_sku, stock_in
from wms.core.db import Database
from wms.core.refusal import Reason, Refused
from wms.ledger.promises import PROMISES
from wms.ledger.tables import Stock

PIECES = 400  # commands; some fit into what is left of the last pages


def bound(park: Park, pages_more: int) -> None:
    """SQLite's own bound on the file gives the same error as a disk without room. On the connection that writes."""

    def limit(session: Any) -> None:
        pages = session.execute(text("PRAGMA page_count")).scalar_one()
        session.execute(text(f"PRAGMA max_page_count = {pages + pages_more}"))

    park.database.transact(limit)


def test_a_full_disk_refuses_whole_commands_and_goes_on_when_there_is_room(sqlite_database: Database) -> None:
    park = a_park(sqlite_database)
    sku = park.act(a_sku)
    bound(park, 2)
    done = 0
    with pytest.raises(Refused) as refused:  # noqa: PT012  # how many fit before it is full is SQLite's matter
        for _command in range(PIECES):
            park.act(lambda call: stock_in(call, sku, "A01-01-1A", 1))
            done += 1
    assert refused.value.reason is Reason.DISK_FULL
    assert 0 < done < PIECES
    assert park.read(lambda session: session.scalars(select(Stock.on_hand)).all()) == [done]
    bound(park, 100_000)
    park.act(lambda call: stock_in(call, sku, "A01-01-1A", 1))
    assert park.read(lambda session: session.scalars(select(Stock.on_hand)).all()) == [done + 1]
    assert not [broken for promise in PROMISES for broken in park.read(lambda s, p=promise: list(p.check(s)))]  # type: ignore[misc]
