"""Orders in a line each, and a count of what a piece of work costs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import event, select

from tests.builders import Park
from wms.catalog.values import SkuFacts
from wms.core.call import Call
from wms.core.db import Database
from wms.core.tables import OutboxRow
from wms.ledger.promises import PROMISES
from wms.ledger.tables import Hold, Stock
from wms.outbound import queries, service
from wms.outbound.tables import Order
from wms.outbound.values import Allocation, Cancellation
from wms.site import queries as site_queries


def an_order(
    call: Call,
    no: str,
    *lines: tuple[SkuFacts, int],
    merchant_code: str = "M1",
    courier: str = "YD",
    due: datetime | None = None,
) -> int:
    """An order of today's 16:00 cut-off, unless another is told; its id."""
    return service.create_order(
        call,
        merchant_code=merchant_code,
        no=no,
        courier=courier,
        lines=[(sku.code, quantity) for sku, quantity in lines],
        receiver={"name": "江小姐", "phone": "13800000000", "province": "浙江", "city": "杭州", "area_code": "330106"},
        cut_off_at=due,
        cut_offs=("16:00", "20:00"),
    )


def place(park: Park, no: str, *lines: tuple[SkuFacts, int], **facts: Any) -> int:
    """A placed order; its id."""
    return park.act(lambda call: an_order(call, no, *lines, **facts))


def allocate(park: Park, no: str) -> Allocation:
    return park.act(lambda call: service.allocate(call, no))


def cancel(park: Park, no: str) -> Cancellation:
    return park.act(lambda call: service.cancel_order(call, no))


def order(park: Park, no: str) -> queries.OrderFacts:
    return park.read(lambda session: queries.order_by_no(session, park.warehouse_id, no))


def lines(park: Park, no: str) -> list[queries.LineFacts]:
    return park.read(lambda session: queries.lines_of(session, order(park, no).id))


def broken_promises(park: Park) -> list[str]:
    """Everything the audit finds wrong with the stock."""
    return park.read(
        lambda session: [f"{promise.name}: {broken}" for promise in PROMISES for broken in promise.check(session)]
    )


@contextmanager
def counted_statements(database: Database) -> Iterator[list[str]]:
    """The statements sent meanwhile."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        seen.append(statement)

    event.listen(database.write_engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(database.write_engine, "before_cursor_execute", note)


def allocated(park: Park, no: str) -> list[int]:
    return [line.allocated for line in lines(park, no)]


def held_from(park: Park, no: str) -> list[tuple[str, int]]:
    """The slots that hold goods for an order, in the order of their codes."""

    def ask(session: Any) -> list[tuple[str, int]]:
        ids = [line.id for line in queries.lines_of(session, order(park, no).id)]
        rows = session.execute(
            select(Stock.place_id, Hold.quantity)
            .join(Stock, Stock.id == Hold.stock_id)
            .where(Hold.reference_id.in_(ids), Hold.quantity > 0)
        )
        return sorted((site_queries.code_of_place(session, place_id), quantity) for place_id, quantity in rows)

    return park.read(ask)


def outbox(park: Park) -> list[tuple[str, str]]:
    return park.read(lambda session: [(row.topic, row.aggregate) for row in session.scalars(select(OutboxRow))])


def put_in_state(park: Park, order_id: int, state: str) -> None:
    """Later rooms move orders on; here their word is enough."""

    def move(session: Any) -> None:
        session.get_one(Order, order_id).state = state

    park.database.transact(move)
