"""At the dock with a PDA: receive and put away, one scan after the other, and what can go wrong."""

from __future__ import annotations

from typing import Any

import pytest

from tests.builders import Park, a_park, a_sku
from tests.inbound.dock import announced, asn, lies_in, open_putaways, received
from tests.inbound.hands import Hands
from wms.core.codes import Kind, make
from wms.core.db import Database
from wms.core.dialogue import Level
from wms.core.refusal import Reason
from wms.inbound import service
from wms.inbound.dialogue import PUTAWAY, RECEIVE
from wms.site import queries as site

BARCODE = "6901234567892"
BOX = make(Kind.CONTAINER, "L-1")


@pytest.fixture
def park(sqlite_database: Database) -> Park:
    return a_park(sqlite_database)


def expecting(park: Park, quantity: int = 10, **facts: Any) -> Hands:
    """A PDA at the item step of an ASN of one SKU."""
    sku = park.act(lambda call: a_sku(call, "TEA", barcode=BARCODE, name="高山贡菊", **facts))
    announced(park, "A1", (sku, quantity))
    return Hands(park, RECEIVE).scan("A1")


def test_scans_count_and_the_box_ends_the_count(park: Park) -> None:
    hands = expecting(park)
    for _ in range(3):
        hands.scan(BARCODE)
    assert hands.cards("count_big")[0]["value"] == 3
    assert hands.cards("counts")[0] | {"labels": 0} == {
        "kind": "counts", "should": 10, "done": 3, "left": 7, "short": 0, "labels": 0, "now": "left",
    }  # fmt: skip
    hands.press("plus_one").press("minus_one").press("quantity", "8").scan(BOX)
    assert hands.step == "scan_item"
    assert hands.message is not None
    assert hands.message.level is Level.DONE
    assert asn(park, 1).lines[0].received == 8
    assert [task.facts["container"] for task in open_putaways(park)] == ["L-1"]


def test_a_new_box_gets_a_number(park: Park) -> None:
    hands = expecting(park).scan(BARCODE).press("put").press("new_container")
    assert hands.message is not None
    assert "L0" in hands.message.text


def test_wrong_scans_say_what_was_meant(park: Park) -> None:
    hands = expecting(park)
    park.act(lambda call: a_sku(call, "OTHER", barcode="6909999999990"))
    assert hands.refused("6909999999990") is Reason.NOT_ON_ASN
    assert hands.refused("6900000000007") is Reason.BARCODE_UNKNOWN
    assert hands.refused(make(Kind.SLOT, "A01-01-1A")) is Reason.WRONG_KIND_SCANNED
    assert hands.refused(BOX) is Reason.WRONG_KIND_SCANNED, "nothing is counted yet"
    hands.scan(BARCODE).press("put")
    assert hands.refused(BARCODE) is Reason.CONTAINER_UNKNOWN, "an item's code is no box"
    assert hands.refused(make(Kind.TOTE, "T-0001")) is Reason.WRONG_KIND_SCANNED


@pytest.mark.parametrize("typed", ["0", "-1", "1e3", "", "999999", "²"])
def test_odd_quantities_are_refused(park: Park, typed: str) -> None:
    assert expecting(park).scan(BARCODE).refuses("quantity", typed) is Reason.QUANTITY_WRONG


def test_goods_with_a_batch_are_asked_for_it_once(park: Park) -> None:
    hands = expecting(park, lot_tracked=True, shelf_life_days=365).scan(BARCODE).press("put")
    assert hands.step == "type_lot"
    hands.press("lot", "B1")
    assert hands.step == "type_expiry"
    assert hands.refuses("expiry", "tomorrow") is Reason.LOT_DATES_WRONG
    hands.press("expiry", "2027-10-01").scan(BOX)
    hands.scan(BARCODE).press("put").press("lot", "B1")
    assert hands.step == "scan_container", "the date of this batch is on file"
    hands.scan(BOX)
    assert lies_in(park, box_id(park, "L-1")) == [("TEA", 2)]


def box_id(park: Park, code: str) -> int:
    return park.read(lambda session: site.container_by_code(session, park.warehouse_id, "lpn", code).place_id)


def test_a_gs1_code_brings_batch_and_date_and_another_batch_is_not_mixed_in(park: Park) -> None:
    hands = expecting(park, lot_tracked=True, shelf_life_days=365)
    hands.scan(f"010{BARCODE}1727123110B1", "]C1").scan(f"010{BARCODE}1727123110B1", "]C1")
    assert hands.refused(f"010{BARCODE}1727123110B2", "]C1") is Reason.LOT_WRONG
    assert hands.refused(f"010{BARCODE}1728123110B1", "]C1") is Reason.LOT_WRONG
    hands.scan(BOX)
    assert asn(park, 1).lines[0].received == 2


def test_undo_forgets_the_count_and_damaged_is_noted(park: Park) -> None:
    hands = expecting(park).scan(BARCODE).press("undo")
    assert hands.refuses("undo") is Reason.NOTHING_TO_UNDO
    assert hands.refuses("damaged") is Reason.STEP_WRONG
    hands.scan(BARCODE).press("damaged").scan(BOX)
    assert asn(park, 1).lines[0].received == 1


def test_f4_leaves_and_never_closes_the_asn(park: Park) -> None:
    """The key that leaves everywhere else must not end a delivery here."""
    hands = expecting(park)
    assert hands.keys["F4"] == "leave"
    assert hands.keys["F1"] == "close"
    hands.press("close")
    assert hands.message is not None
    assert (hands.step, hands.message.level) == ("scan_item", Level.ATTENTION)
    assert asn(park, 1).state == "expected"
    assert hands.press("close").step is None
    assert asn(park, 1).state == "closed"


def test_a_closed_asn_is_not_opened_again(park: Park) -> None:
    expecting(park)
    park.act(lambda call: service.close_asn(call, 1))
    assert Hands(park, RECEIVE).refused("A1") is Reason.ASN_CLOSED
    assert Hands(park, RECEIVE).refused("A2") is Reason.ASN_UNKNOWN
    assert Hands(park, RECEIVE).refuses("choose", "x") is Reason.STEP_WRONG


def a_box(park: Park, *quantities: int) -> None:
    for quantity in quantities:
        received(park, park.act(a_sku), quantity, "L-1")


def test_the_proposed_slot_is_shown_with_its_reason_and_stores(park: Park) -> None:
    a_box(park, 4)
    hands = Hands(park, PUTAWAY).scan(BOX)
    slot = hands.cards("location")[0]["code"]
    assert hands.cards("facts")[0]["rows"][0]["value"], "a reason is shown"
    assert hands.scan(make(Kind.SLOT, slot)).step is None
    assert open_putaways(park) == []


def test_another_lawful_slot_is_confirmed_by_itself(park: Park) -> None:
    a_box(park, 4)
    hands = Hands(park, PUTAWAY, container="L-1")
    other = "A02-03-2A" if hands.state["slot"] != "A02-03-2A" else "A02-03-2B"
    hands.scan(other)
    assert hands.message is not None
    assert (hands.step, hands.message.level) == ("scan_slot", Level.ATTENTION)
    assert hands.scan(other).step is None
    assert hands.message is not None
    assert other in hands.message.title


def test_an_unlawful_slot_says_which_rule_at_once(park: Park) -> None:
    a_box(park, 4)
    hands = Hands(park, PUTAWAY).scan(BOX)
    assert hands.refused("B03-01-1A") is Reason.SLOT_WRONG_ZONE
    assert hands.refused("Z99-01-1A") is Reason.SLOT_UNKNOWN
    assert hands.refused(BOX) is Reason.WRONG_KIND_SCANNED


def test_each_sku_of_a_mixed_box_gets_its_own_slot(park: Park) -> None:
    a_box(park, 4, 5, 6)
    hands = Hands(park, PUTAWAY).scan(BOX)
    used = set()
    for _ in range(2):
        used.add(hands.state["slot"])
        assert hands.scan(hands.state["slot"]).step == "scan_slot"
    used.add(hands.state["slot"])
    assert hands.scan(hands.state["slot"]).step is None
    assert len(used) == 3
    assert lies_in(park, box_id(park, "L-1")) == []


def test_another_proposal_lets_the_first_slot_go(park: Park) -> None:
    a_box(park, 4)
    received(park, park.act(a_sku), 1, "L-2")
    hands = Hands(park, PUTAWAY).scan(BOX)
    first = hands.state["slot"]
    hands.press("other")
    assert hands.state["slot"] != first
    second = Hands(park, PUTAWAY).scan(make(Kind.CONTAINER, "L-2"))
    assert second.scan(first).step in (None, "scan_slot"), "nobody keeps it any more"


def test_an_empty_or_foreign_box_is_refused(park: Park) -> None:
    assert Hands(park, PUTAWAY).refused("T-0001") is Reason.WRONG_KIND_SCANNED
    assert Hands(park, PUTAWAY).refused("L-404") is Reason.CONTAINER_UNKNOWN
    park.act(lambda call: service.lpn(call, BOX))
    assert Hands(park, PUTAWAY).refused(BOX) is Reason.CONTAINER_EMPTY
