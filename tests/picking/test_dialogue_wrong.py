"""S7: every wrong scan has its own answer, and every key its way back."""

from __future__ import annotations

import pytest

from tests.builders import a_sku, stock_in
from tests.outbound.orders import lines
from tests.picking.floor import MIDDLE, NEAR, SPARE, Floor, a_floor
from tests.picking.hand import Hand, at_the_rack, barcode, cart, code_of, slot, told, tote, walked
from wms.core.db import Database
from wms.core.dialogue import Level
from wms.core.refusal import Reason, Refused
from wms.picking.dialogue import CLUSTER_PICK


@pytest.fixture
def floor(database: Database) -> Floor:
    return a_floor(database)


class TestWrongScans:
    def test_another_slot_is_told_with_the_right_one(self, floor: Floor) -> None:
        hand = at_the_rack(floor, ("A-1", [(floor.tea, 1)]))
        message = told(hand.scan(slot(MIDDLE)))
        assert (message.level, message.code, message.expected, message.scanned) == (Level.WRONG, "S7-11", NEAR, MIDDLE)
        assert message.speech == "储位不对，去 A 01，01，1A"
        assert hand.step == "scan_slot"

    def test_a_slot_that_is_done_is_told_apart(self, floor: Floor) -> None:
        hand = at_the_rack(floor, ("A-1", [(floor.tea, 1), (floor.salt, 1)]))
        first = hand.card("location").code
        for _ in range(3):
            hand.scan(hand.ahead()[0].accepts[0])
        assert code_of(hand.scan(slot(first))) == "S7-17"

    def test_other_goods_are_named_and_the_last_digits_told(self, floor: Floor) -> None:
        hand = at_the_rack(floor, ("A-1", [(floor.tea, 1)]))
        hand.scan(slot(NEAR))
        message = told(hand.scan(barcode(floor, floor.salt)))
        want = barcode(floor, floor.tea)
        assert (message.code, message.title, message.expected) == ("S7-12", "商品不对", want)
        assert "SALT 50 g" in message.text
        assert want[-4:] in message.text
        assert hand.step == "scan_sku"

    def test_an_unknown_code_is_told_apart_from_other_goods(self, floor: Floor) -> None:
        hand = at_the_rack(floor, ("A-1", [(floor.tea, 1)]))
        hand.scan(slot(NEAR))
        assert code_of(hand.scan("4006381333931")) == "S7-16"

    def test_a_tote_instead_of_goods_is_the_wrong_kind(self, floor: Floor) -> None:
        hand = at_the_rack(floor, ("A-1", [(floor.tea, 1)]))
        assert code_of(hand.scan(tote(1))) == "S7-10"
        assert code_of(hand.scan(barcode(floor, floor.tea))) == "S7-10"
        hand.scan(slot(NEAR))
        assert code_of(hand.scan(slot(NEAR))) == "S7-10"

    def test_another_lot_is_told(self, floor: Floor) -> None:
        milk = floor.park.act(lambda call: a_sku(call, "MILK", barcode="06901234567892"))
        floor.park.act(lambda call: stock_in(call, milk, SPARE, 3, "L1"))
        hand = at_the_rack(floor, ("A-1", [(milk, 1)]))
        hand.scan(slot(SPARE))
        assert code_of(hand.scan("]C1010690123456789210L2")) == "S7-18"
        assert told(hand.scan("]C1010690123456789210L1")).level is Level.OK

    def test_one_piece_too_many_goes_back(self, floor: Floor) -> None:
        hand = at_the_rack(floor, ("A-1", [(floor.tea, 1)]))
        hand.scan(slot(NEAR))
        hand.scan(barcode(floor, floor.tea))
        assert code_of(hand.scan(barcode(floor, floor.tea))) == "S7-15"
        assert hand.step == "scan_tote"
        hand.scan(tote(1))
        assert floor.on_hand("T-0001") == 1

    def test_another_orders_tote_is_told_with_the_right_place(self, floor: Floor) -> None:
        hand = at_the_rack(floor, ("A-1", [(floor.tea, 1)]), ("A-2", [(floor.tea, 1)]))
        hand.scan(slot(NEAR))
        hand.scan(barcode(floor, floor.tea))
        message = told(hand.scan(tote(2)))
        assert (message.code, message.expected, message.scanned) == ("S7-13", "T-0001", "T-0002")
        assert message.speech == "箱不对，放1号位"
        assert floor.on_hand("T-0002") == 0

    def test_a_tote_that_is_not_on_the_cart_is_told(self, floor: Floor) -> None:
        hand = at_the_rack(floor, ("A-1", [(floor.tea, 4)]))
        hand.scan(slot(NEAR))
        hand.scan(barcode(floor, floor.tea))
        assert (code_of(hand.scan(tote(9))), hand.step) == ("S7-14", "quantity")
        hand.press("quantity", "4")
        assert code_of(hand.scan(tote(9))) == "S7-14"

    def test_a_tote_in_use_cannot_be_put_on_a_cart(self, floor: Floor) -> None:
        floor.loaded(("A-1", [(floor.tea, 1)]))
        floor.batch(("A-2", [(floor.nuts, 1)]))
        hand = Hand(floor.park, CLUSTER_PICK, floor.person("W-1"))
        hand.begin(task_id=2)
        hand.scan(cart(2))
        assert hand.refused(tote(1)).reason is Reason.CONTAINER_IN_USE
        assert code_of(hand.scan(slot(NEAR))) == "S7-10"

    @pytest.mark.parametrize("value", ["0", "5", "-1", "viele", ""])
    def test_a_number_out_of_bounds_is_refused(self, floor: Floor, value: str) -> None:
        hand = at_the_rack(floor, ("A-1", [(floor.tea, 4)]))
        hand.scan(slot(NEAR))
        hand.scan(barcode(floor, floor.tea))
        with pytest.raises(Refused) as no:
            hand.press("quantity", value)
        assert no.value.reason is Reason.QUANTITY_WRONG


class TestKeys:
    def test_undo_takes_back_scans_until_the_goods_are_booked(self, floor: Floor) -> None:
        hand = at_the_rack(floor, ("A-1", [(floor.tea, 2)]), ("A-2", [(floor.tea, 1)]))
        tea = barcode(floor, floor.tea)
        hand.scan(slot(NEAR))
        hand.scan(tea)
        hand.scan(tea)
        steps = []
        for _ in range(3):
            hand.press("undo")
            steps.append((hand.step, hand.state["counted"]))
        assert steps == [("scan_sku", 1), ("scan_sku", 0), ("scan_slot", 0)]
        with pytest.raises(Refused) as no:
            hand.press("undo")
        assert no.value.reason is Reason.NOTHING_TO_UNDO
        for code in (slot(NEAR), tea, tea, tote(1)):
            hand.scan(code)
        with pytest.raises(Refused):
            hand.press("undo")
        assert floor.on_hand("T-0001") == 2

    def test_undo_takes_the_last_tote_off_the_cart(self, floor: Floor) -> None:
        floor.batch(("A-1", [(floor.tea, 1)]), ("A-2", [(floor.tea, 1)]))
        hand = Hand(floor.park, CLUSTER_PICK, floor.person("W-1"))
        hand.begin()
        hand.scan(cart())
        with pytest.raises(Refused):
            hand.press("undo")
        hand.scan(tote(1))
        hand.press("undo")
        assert hand.card("big").value == "1"

    def test_a_skipped_stop_comes_again_at_the_end(self, floor: Floor) -> None:
        hand = at_the_rack(floor, ("A-1", [(floor.tea, 1), (floor.salt, 1)]))
        first = hand.card("location").code
        assert told(hand.press("skip")).level is Level.INFO
        assert hand.card("location").code != first
        for _ in range(3):
            hand.scan(hand.ahead()[0].accepts[0])
        assert hand.card("location").code == first
        message = told(hand.press("skip"))
        assert (message.code, message.level) == ("S7-19", Level.ATTENTION)

    def test_short_goods_are_fetched_elsewhere(self, floor: Floor) -> None:
        floor.park.act(lambda call: stock_in(call, floor.tea, SPARE, 5))
        hand = at_the_rack(floor, ("A-1", [(floor.tea, 3)]))
        hand.scan(slot(NEAR))
        hand.press("short")
        shown = hand.screen().input
        assert shown is not None
        assert (shown.action, shown.max) == ("missing", 3)
        message = told(hand.press("missing", "3"))
        assert (message.code, message.level, message.title) == ("S7-31", Level.ATTENTION, f"别处还有，去 {SPARE}")
        assert (hand.step, hand.card("location").code) == ("scan_slot", SPARE)
        walked(floor, hand)
        assert floor.on_hand("T-0001") == 3

    def test_short_goods_that_are_nowhere_end_the_pick(self, floor: Floor) -> None:
        hand = at_the_rack(floor, ("A-1", [(floor.tea, 3)]))
        hand.scan(slot(NEAR))
        hand.press("short")
        assert code_of(hand.press("missing", "2")) == "S7-33"
        assert (hand.step, hand.card("item").quantity, hand.card("counts").short) == ("scan_sku", 1, 2)
        hand.scan(barcode(floor, floor.tea))
        hand.scan(tote(1))
        assert hand.step == "scan_lane"
        assert [(line.picked, line.short) for line in lines(floor.park, "A-1")] == [(1, 2)]

    def test_short_goods_that_are_elsewhere_in_part(self, floor: Floor) -> None:
        floor.park.act(lambda call: stock_in(call, floor.tea, SPARE, 1))
        hand = at_the_rack(floor, ("A-1", [(floor.tea, 3)]))
        hand.press("short")
        assert code_of(hand.press("missing", "3")) == "S7-32"
        assert hand.card("location").code == SPARE

    def test_one_may_think_again_about_short(self, floor: Floor) -> None:
        hand = at_the_rack(floor, ("A-1", [(floor.tea, 3)]))
        hand.press("short")
        hand.press("back")
        assert hand.step == "scan_slot"

    def test_goods_scanned_while_asked_how_many_are_missing_count(self, floor: Floor) -> None:
        hand = at_the_rack(floor, ("A-1", [(floor.tea, 1)]))
        hand.press("short")
        hand.scan(slot(NEAR))
        assert hand.step == "scan_sku"
