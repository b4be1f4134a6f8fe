"""S7, scan by scan: what the hand sees and what is booked."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from tests.builders import a_sku, acting, stock_in
from tests.outbound.orders import broken_promises, counted_statements, order
from tests.picking.floor import FAR, NEAR, SPARE, Floor, a_floor
from tests.picking.hand import LANE, Hand, at_the_rack, barcode, cart, slot, told, tote, walked
from wms.catalog import service as catalog_service
from wms.catalog.values import SkuFacts
from wms.core import codes
from wms.core.db import Database
from wms.core.dialogue import Level, Scan, Turn
from wms.outbound.values import OrderState
from wms.picking.dialogue import CLUSTER_PICK


@pytest.fixture
def floor(database: Database) -> Floor:
    return a_floor(database)


class TestTheWholeWalk:
    def test_cart_totes_slots_goods_lane(self, floor: Floor) -> None:
        floor.batch(("A-1", [(floor.tea, 2), (floor.salt, 5)]), ("A-2", [(floor.tea, 1), (floor.nuts, 1)]))
        hand = Hand(floor.park, CLUSTER_PICK, floor.person("W-1"))
        hand.begin()
        assert hand.step == "scan_cart"
        assert told(hand.scan(cart())).level is Level.OK
        assert hand.card("big").value == "1"
        hand.scan(tote(1))
        hand.scan(tote(2))
        assert hand.step == "scan_slot"
        walked(floor, hand)
        assert told(hand.scan(LANE)).level is Level.DONE
        assert hand.over
        assert [order(floor.park, no).state for no in ("A-1", "A-2")] == [OrderState.PICKED, OrderState.PICKED]
        assert (floor.on_hand("T-0001"), floor.on_hand("T-0002")) == (7, 2)
        assert broken_promises(floor.park) == []

    def test_few_pieces_are_scanned_one_by_one(self, floor: Floor) -> None:
        hand = at_the_rack(floor, ("A-1", [(floor.tea, 2)]))
        hand.scan(slot(NEAR))
        tea = barcode(floor, floor.tea)
        assert hand.card("item").quantity == 2
        assert told(hand.scan(tea)).speech == "拿1罐"
        assert (hand.step, hand.card("item").quantity) == ("scan_sku", 1)
        assert told(hand.scan(tea)).speech == "放1号位"
        assert hand.step == "scan_tote"

    def test_of_many_pieces_one_is_scanned_and_the_number_confirmed(self, floor: Floor) -> None:
        hand = at_the_rack(floor, ("A-1", [(floor.tea, 4)]))
        hand.scan(slot(NEAR))
        hand.scan(barcode(floor, floor.tea))
        shown = hand.screen().input
        assert shown is not None
        assert (shown.kind, shown.value, shown.min, shown.max) == ("quantity", "4", 1, 4)
        hand.press("quantity", "4")
        assert hand.step == "scan_tote"
        hand.scan(tote(1))
        assert floor.on_hand("T-0001") == 4

    def test_the_tote_confirms_the_number_as_well(self, floor: Floor) -> None:
        hand = at_the_rack(floor, ("A-1", [(floor.tea, 4)]))
        hand.scan(slot(NEAR))
        hand.scan(barcode(floor, floor.tea))
        hand.scan(tote(1))
        assert (hand.step, floor.on_hand("T-0001")) == ("scan_lane", 4)

    def test_each_of_many_may_be_scanned_too(self, floor: Floor) -> None:
        hand = at_the_rack(floor, ("A-1", [(floor.tea, 4)]))
        hand.scan(slot(NEAR))
        for _ in range(4):
            hand.scan(barcode(floor, floor.tea))
        assert (hand.step, hand.card("item").quantity) == ("scan_tote", 4)

    def test_a_packaging_counts_its_pieces(self, floor: Floor) -> None:
        def make(call: Any) -> SkuFacts:
            sku = a_sku(call, "JAM", barcode="6900000000017")
            stock_in(call, sku, SPARE, 9)
            catalog_service.add_barcode(call, sku.merchant_id, sku.id, "16900000000014", 3)
            return sku

        jam = floor.park.act(make)
        hand = at_the_rack(floor, ("A-1", [(jam, 3)]))
        hand.scan(slot(SPARE))
        hand.scan("16900000000014")
        assert (hand.step, hand.card("item").quantity) == ("scan_tote", 3)

    def test_a_part_may_be_put_and_the_rest_follows(self, floor: Floor) -> None:
        hand = at_the_rack(floor, ("A-1", [(floor.tea, 6)]))
        hand.scan(slot(NEAR))
        hand.scan(barcode(floor, floor.tea))
        hand.press("quantity", "4")
        hand.scan(tote(1))
        assert (hand.step, floor.on_hand("T-0001")) == ("scan_sku", 4)
        counts = hand.card("counts")
        assert (counts.should, counts.done, counts.left, counts.short) == (6, 4, 2, 0)

    def test_in_the_same_slot_the_slot_is_not_scanned_again(self, floor: Floor) -> None:
        hand = at_the_rack(floor, ("A-1", [(floor.tea, 1)]), ("A-2", [(floor.tea, 1)]))
        hand.scan(slot(NEAR))
        hand.scan(barcode(floor, floor.tea))
        message = told(hand.scan(tote(1)))
        assert (hand.step, message.level) == ("scan_sku", Level.OK)
        assert (hand.card("tote").position, hand.card("counts").left) == (2, 1)

    def test_codes_may_be_typed_by_hand(self, floor: Floor) -> None:
        hand = at_the_rack(floor, ("A-1", [(floor.tea, 1)]))
        for code in (NEAR, "TEA", "T-0001", "PK-01"):
            assert told(hand.scan(code)).level in (Level.OK, Level.DONE)
        assert hand.over


class TestScreens:
    def test_the_screen_says_where_what_how_many_into_which_tote_and_what_is_next(self, floor: Floor) -> None:
        hand = at_the_rack(floor, ("A-1", [(floor.tea, 2), (floor.salt, 5)]))
        first = hand.card("location")
        screen = hand.screen()
        assert [card.kind for card in screen.cards] == ["location", "item", "counts", "tote", "next"]
        assert [(key.key, key.label) for key in screen.keys] == [
            ("F1", "缺货"),
            ("F2", "跳过"),
            ("F3", "撤销"),
            ("F4", "更多"),
        ]
        assert screen.prompt == "扫储位"
        assert [(pip.label, pip.state) for pip in screen.pips] == [("储位", "now"), ("商品", "next"), ("箱", "next")]
        assert first.code in (NEAR, FAR)
        assert first.words.startswith("A 区 0")
        assert first.level == 1
        assert first.walk_m is not None
        assert dict(screen.status) == {"车": "C-01", "截单": "16:00 剩 8:00"}
        item, tote_card, following = hand.card("item"), hand.card("tote"), hand.card("next")
        assert item.label == "拿 · 货主 M1"
        assert len(item.tail) == 4
        assert (tote_card.text, tote_card.position, tote_card.positions) == ("1 号位 T-0001", 1, 1)
        assert following.code in (NEAR, FAR)
        assert following.tail.startswith("还有 1 站")

    def test_lot_and_expiry_are_shown_where_there_are_any(self, floor: Floor) -> None:
        milk = floor.park.act(lambda call: a_sku(call, "MILK"))
        floor.park.act(lambda call: stock_in(call, milk, SPARE, 3, "260903", expires_on=date(2027, 3, 2)))
        hand = at_the_rack(floor, ("A-1", [(milk, 1)]))
        assert hand.card("item").lines == ["批次 260903", "到期 2027-03-02"]

    def test_english_says_the_same(self, floor: Floor) -> None:
        floor.loaded(("A-1", [(floor.tea, 1)]))
        hand = Hand(floor.park, CLUSTER_PICK, floor.person("W-1"), language="en")
        hand.begin()
        assert hand.screen().prompt == "Scan the slot"
        hand.scan(slot(NEAR))
        message = told(hand.scan(barcode(floor, floor.salt)))
        want = " ".join(barcode(floor, floor.tea)[-4:])
        assert (message.title, message.speech) == ("Wrong item", f"wrong item, want {want}")

    def test_more_shows_the_order_the_codes_and_the_walk_on_the_map(self, floor: Floor) -> None:
        hand = at_the_rack(floor, ("A-1", [(floor.tea, 1)]))
        hand.press("more")
        assert hand.card("map").svg_path.startswith("M")
        assert {fact.value for fact in hand.card("facts").rows} >= {"A-1", "TEA", barcode(floor, floor.tea)}
        hand.press("back")
        assert hand.step == "scan_slot"

    def test_a_scan_while_more_is_shown_counts(self, floor: Floor) -> None:
        hand = at_the_rack(floor, ("A-1", [(floor.tea, 1)]))
        hand.press("more")
        hand.scan(slot(NEAR))
        assert hand.step == "scan_sku"


def test_a_scan_that_books_costs_six_statements_at_most_of_the_room(floor: Floor) -> None:
    hand = at_the_rack(floor, ("A-1", [(floor.tea, 1)]), ("A-2", [(floor.tea, 1)]))
    for code in (slot(NEAR), barcode(floor, floor.tea), tote(1), barcode(floor, floor.tea)):
        hand.scan(code)
    step = CLUSTER_PICK.steps["scan_tote"]
    assert step.on_scan is not None
    on_scan = step.on_scan
    scan = Scan("s", codes.read(tote(2)), tote(2))
    who = {"person_id": hand.person_id, "now": floor.park.clock.now()}
    with counted_statements(floor.park.database) as seen:
        acting(floor.park.database, lambda call: on_scan(Turn(call, hand.state), scan), floor.park.warehouse_id, **who)
    cost = list(seen)
    assert floor.on_hand("T-0002") == 1
    assert len(cost) <= 6, "\n".join(cost)


def test_every_step_of_the_walk_is_reached(floor: Floor) -> None:
    floor.batch(("A-1", [(floor.tea, 4), (floor.salt, 1)]))
    hand = Hand(floor.park, CLUSTER_PICK, floor.person("W-1"))
    hand.begin()
    hand.scan(cart())
    hand.scan(tote(1))
    hand.press("more")
    hand.press("back")
    hand.press("short")
    hand.press("back")
    walked(floor, hand)
    assert hand.seen == set(CLUSTER_PICK.steps)
