"""Goods arrive: counted on their ASN, with their batch, into a box."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import partial

import pytest

from tests.builders import Park, a_park, a_sku, at_once
from tests.inbound.dock import announced, asn, broken_promises, lies_in, open_putaways, received, refusal
from wms.catalog import queries as catalog
from wms.core.codes import Kind, make
from wms.core.db import Database
from wms.core.refusal import Reason, Refused
from wms.inbound import queries, service
from wms.inbound.values import LotGiven
from wms.ledger.values import Condition


@pytest.fixture
def park(database: Database) -> Park:
    return a_park(database)


@pytest.fixture
def quick(sqlite_database: Database) -> Park:
    return a_park(sqlite_database)


def test_a_receipt_counts_on_the_asn_and_asks_for_a_putaway(park: Park) -> None:
    sku = park.act(a_sku)
    asn_id = announced(park, "A1", (sku, 10), (sku, 5))
    done = received(park, sku, 6, "L-1", asn_id=asn_id)
    assert (done.container_code, done.lot_code, done.expected, done.received) == ("L-1", "-", 15, 6)
    assert received(park, sku, 4, "L-1", asn_id=asn_id).received == 10
    assert lies_in(park, done.container_id) == [(sku.code, 10)]
    assert asn(park, asn_id).state == "receiving"
    board = open_putaways(park)
    assert [(task.subject, task.facts["container"]) for task in board] == [(f"container:{done.container_id}", "L-1")]
    assert broken_promises(park) == []


def test_more_than_announced_is_refused_unless_somebody_may_take_it(park: Park) -> None:
    sku = park.act(a_sku)
    asn_id = announced(park, "A1", (sku, 10))
    received(park, sku, 9, "L-1", asn_id=asn_id)
    assert refusal(lambda: received(park, sku, 2, "L-1", asn_id=asn_id)) is Reason.OVER_RECEIPT
    assert asn(park, asn_id).lines[0].received == 9
    assert received(park, sku, 2, "L-1", asn_id=asn_id, over_allowed=True).received == 11


def test_two_docks_never_receive_more_than_was_announced(park: Park) -> None:
    sku = park.act(a_sku)
    asn_id = announced(park, "A1", (sku, 12))
    docks = [partial(received, park, sku, 2, f"L-{number}", asn_id=asn_id) for number in range(8)]
    answers = at_once(docks)
    refused = [answer for answer in answers if isinstance(answer, Refused)]
    assert [no.reason for no in refused] == [Reason.OVER_RECEIPT] * 2
    assert asn(park, asn_id).lines[0].received == 12
    assert broken_promises(park) == []


def test_two_docks_that_scan_one_new_label_fill_one_box(park: Park) -> None:
    sku = park.act(a_sku)
    answers = at_once([partial(received, park, sku, 1, "L-7") for _ in range(4)])
    boxes = {answer.container_id for answer in answers if not isinstance(answer, Refused)}
    assert len(boxes) == 1
    assert lies_in(park, boxes.pop()) == [(sku.code, 4)]


def test_nothing_is_counted_on_a_closed_asn(park: Park) -> None:
    sku = park.act(a_sku)
    asn_id = announced(park, "A1", (sku, 10))
    received(park, sku, 4, "L-1", asn_id=asn_id)
    assert park.act(lambda call: service.close_asn(call, asn_id)) == {"expected": 10, "received": 4}
    assert refusal(lambda: received(park, sku, 1, "L-1", asn_id=asn_id)) is Reason.ASN_CLOSED
    assert refusal(lambda: park.act(lambda call: service.close_asn(call, asn_id))) is Reason.ASN_CLOSED


def test_closing_and_counting_at_once_agree_on_the_sum(park: Park) -> None:
    sku = park.act(a_sku)
    for round_ in range(5):
        asn_id = announced(park, f"A{round_}", (sku, 10))
        closing: Callable[[], object] = partial(park.act, partial(service.close_asn, asn_id=asn_id))
        counting: Callable[[], object] = partial(received, park, sku, 10, f"L-{round_}", asn_id=asn_id)
        closed, counted = at_once([closing, counting])
        told = 0 if isinstance(counted, Refused) else 10
        assert closed == {"expected": 10, "received": told}


def test_what_is_not_announced_is_not_on_the_asn(quick: Park) -> None:
    sku, other = quick.act(a_sku), quick.act(a_sku)
    foreign = quick.act(lambda call: a_sku(call, None, "M2"))
    asn_id = announced(quick, "A1", (sku, 10))
    assert refusal(lambda: received(quick, other, 1, "L-1", asn_id=asn_id)) is Reason.NOT_ON_ASN
    assert refusal(lambda: received(quick, foreign, 1, "L-1", asn_id=asn_id)) is Reason.NOT_ON_ASN
    assert received(quick, other, 1, "L-1").expected == 0


@pytest.mark.parametrize("quantity", [0, -1, 1_000_001])
def test_a_scanned_code_in_the_quantity_field_is_no_quantity(quick: Park, quantity: int) -> None:
    sku = quick.act(a_sku)
    assert refusal(lambda: received(quick, sku, quantity, "L-1")) is Reason.QUANTITY_WRONG


def test_a_dated_sku_needs_its_date_once(park: Park) -> None:
    sku = park.act(lambda call: a_sku(call, "TEA", lot_tracked=True, shelf_life_days=365))
    assert refusal(lambda: received(park, sku, 1, "L-1")) is Reason.LOT_DATES_REQUIRED
    assert refusal(lambda: received(park, sku, 1, "L-1", lot=LotGiven("B1"))) is Reason.LOT_DATES_REQUIRED
    received(park, sku, 1, "L-1", lot=LotGiven("B1", produced_on=date(2026, 10, 1)))
    assert received(park, sku, 2, "L-1", lot=LotGiven("B1")).lot_code == "B1"
    lots = park.read(lambda session: catalog.lots_of(session, park.warehouse_id, sku.id))
    assert [(lot.code, lot.expires_on) for lot in lots] == [("B1", date(2027, 10, 1))]
    wrong = LotGiven("B1", expires_on=date(2027, 10, 2))
    assert refusal(lambda: received(park, sku, 1, "L-1", lot=wrong)) is Reason.LOT_DATES_WRONG


@pytest.mark.parametrize(("expires_on", "taken"), [(date(2027, 2, 15), True), (date(2027, 2, 14), False)])
def test_goods_with_too_little_life_left_stay_outside(quick: Park, expires_on: date, taken: bool) -> None:
    """The day of the park counts: at 00:30 there it is still the day before in UTC."""
    quick.clock.advance(hours=16.5)
    sku = quick.act(lambda call: a_sku(call, "TEA", shelf_life_days=365, min_life_receipt_days=99))
    take = partial(received, quick, sku, 1, "L-1", lot=LotGiven("B1", expires_on=expires_on))
    if taken:
        assert take().lot_code == "B1"
    else:
        assert refusal(take) is Reason.SHELF_LIFE_TOO_SHORT


def test_damaged_goods_lie_apart(quick: Park) -> None:
    sku = quick.act(a_sku)
    received(quick, sku, 5, "L-1")
    box = received(quick, sku, 2, "L-1", condition=Condition.DAMAGED).container_id
    rows = quick.read(lambda session: queries.in_container(session, quick.warehouse_id, box))
    assert sorted((row.condition, row.on_hand) for row in rows) == [("damaged", 2), ("good", 5)]


def test_an_items_bar_code_is_no_box(quick: Park) -> None:
    """Who scans the item instead of the box must not make a box of that name."""
    scan = "6901234567892"
    assert refusal(lambda: quick.act(lambda call: service.lpn(call, scan))) is Reason.CONTAINER_UNKNOWN
    label = make(Kind.CONTAINER, "L-9")
    made = quick.act(lambda call: service.lpn(call, label))
    assert quick.act(lambda call: service.lpn(call, label)) == quick.act(lambda call: service.lpn(call, "L-9")) == made
    assert quick.act(lambda call: service.lpn(call, None)).code.startswith("L")


@pytest.mark.parametrize("scan", [make(Kind.TOTE, "T-0001"), "T-0001", "C-01", make(Kind.SLOT, "A01-01-1A")])
def test_nothing_is_received_into_totes_carts_or_slots(quick: Park, scan: str) -> None:
    no = refusal(lambda: quick.act(lambda call: service.lpn(call, scan, named=True)))
    assert no is Reason.WRONG_KIND_SCANNED


def test_an_asn_is_announced_once_and_whole(quick: Park) -> None:
    sku = quick.act(a_sku)
    announced(quick, "A1", (sku, 1))
    assert refusal(lambda: announced(quick, "A1", (sku, 1))) is Reason.ALREADY_EXISTS
    assert refusal(lambda: announced(quick, "A2", (sku, 0))) is Reason.QUANTITY_WRONG
    assert refusal(lambda: announced(quick, "A2")) is Reason.BAD_INPUT
    foreign = quick.act(lambda call: a_sku(call, "OTHER", "M2"))
    assert refusal(lambda: announced(quick, "A2", (foreign, 1))) is Reason.SKU_UNKNOWN
