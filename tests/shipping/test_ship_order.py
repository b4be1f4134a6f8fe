"""Close an order in one go: for programs that pack without a table."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
from sqlalchemy import select

from tests.builders import a_sku, at_once, stock_in
from tests.inbound.dock import refusal
from tests.outbound.orders import counted_statements
from tests.shipping.dock import Dock, a_dock, an_order, broken_promises, order, parcel, pick_all, picked, stop
from wms.core.db import Database
from wms.core.refusal import Reason, Refused
from wms.ledger.tables import MovementRow
from wms.outbound.tables import OrderLine
from wms.packing import service as packing
from wms.packing.tables import Parcel
from wms.shipping import service

STATEMENTS_MAX = 20


@pytest.fixture
def dock(database: Database) -> Dock:
    return a_dock(database)


def ship(dock: Dock, order_id: int) -> dict[str, object]:
    no = order(dock, order_id).no
    return dock.park.act(lambda call: service.ship_order(call, no))


def test_what_was_picked_is_packed_numbered_and_gone(dock: Dock) -> None:
    tea = dock.park.act(lambda call: a_sku(call, "TEA"))
    dock.park.act(lambda call: stock_in(call, tea, "A01-02-1A", 5, "B1"))
    order_id = an_order(dock, skus=((dock.sku, 1), (tea, 2), (dock.sku, 3)))
    pick_all(dock, order_id, {"NUT": ("A01-01-1A", 4), "TEA": ("A01-02-1A", 2)})
    ship(dock, order_id)
    assert order(dock, order_id).state == "shipped"
    (box,) = dock.park.read(lambda session: session.scalars(select(Parcel)).all())
    assert (box.state, box.weight_g, box.hub) == ("handed_over", 120 + 6 * 300, "杭州")
    lines = dock.park.read(lambda session: session.scalars(select(OrderLine).order_by(OrderLine.number)).all())
    assert [(line.packed, line.shipped) for line in lines] == [(1, 1), (2, 2), (3, 3)]
    kinds = dock.park.read(lambda session: session.scalars(select(MovementRow.kind)).all())
    assert kinds.count("pack") == kinds.count("ship") == 3
    assert broken_promises(dock) == []
    assert refusal(lambda: ship(dock, order_id)) is Reason.ORDER_NOT_READY


def test_boxes_that_were_packed_before_go_with_it(dock: Dock) -> None:
    order_id = picked(dock, 5)
    first = dock.park.act(lambda call: packing.begin_parcel(call, order_id=order_id))
    dock.park.act(lambda call: packing.pack_item(call, first.id, dock.sku.id, 2))
    dock.park.act(lambda call: packing.finish_parcel(call, first.id, 720, more_parcels=True))
    answer = ship(dock, order_id)
    assert len(answer["parcels"]) == 2  # type: ignore[arg-type]
    assert order(dock, order_id).state == "shipped"
    assert broken_promises(dock) == []


def test_an_open_box_is_filled_and_goes(dock: Dock) -> None:
    order_id = picked(dock, 5)
    first = dock.park.act(lambda call: packing.begin_parcel(call, order_id=order_id))
    dock.park.act(lambda call: packing.pack_item(call, first.id, dock.sku.id, 2))
    ship(dock, order_id)
    assert parcel(dock, first.id).state == "handed_over"
    assert order(dock, order_id).state == "shipped"
    assert broken_promises(dock) == []


def test_an_order_is_shipped_once_whoever_asks(dock: Dock) -> None:
    order_id = picked(dock, 2)
    answers = at_once([partial(ship, dock, order_id) for _ in range(4)])
    assert sum(isinstance(answer, dict) for answer in answers) == 1
    assert {no.reason for no in answers if isinstance(no, Refused)} == {Reason.ORDER_NOT_READY}
    assert broken_promises(dock) == []


def test_a_stop_and_a_close_at_once_never_both_happen(dock: Dock) -> None:
    for _ in range(10):
        order_id = picked(dock, 1)
        both: list[Callable[[], object]] = [partial(ship, dock, order_id), partial(stop, dock, order_id)]
        at_once(both)
        found = order(dock, order_id)
        assert (found.state == "shipped") != (found.intercepted_at is not None)
    assert broken_promises(dock) == []


def test_what_is_not_ready_is_not_shipped(dock: Dock) -> None:
    assert refusal(lambda: ship(dock, an_order(dock))) is Reason.ORDER_NOT_READY
    order_id = picked(dock)
    stop(dock, order_id)
    assert refusal(lambda: ship(dock, order_id)) is Reason.ORDER_INTERCEPTED
    assert refusal(lambda: dock.park.act(lambda call: service.ship_order(call, "NO"))) is Reason.ORDER_UNKNOWN


def test_closing_an_order_costs_few_statements(sqlite_database: Database) -> None:
    dock = a_dock(sqlite_database)
    order_id = picked(dock, 2)
    no = order(dock, order_id).no
    with counted_statements(sqlite_database) as statements:
        dock.park.act(lambda call: service.ship_order(call, no))
    assert len(statements) <= STATEMENTS_MAX
