"""S7 and S14: left and resumed, handed over, stopped orders, no network."""

from __future__ import annotations

import pytest

from tests.builders import acting
from tests.outbound.orders import broken_promises, cancel, order
from tests.picking.floor import FAR, NEAR, Floor, a_floor
from tests.picking.hand import LANE, Hand, at_the_rack, barcode, cart, code_of, slot, told, tote, walked
from wms.core import codes
from wms.core.db import Database
from wms.core.dialogue import AHEAD_MAX, Level, TextCard
from wms.core.refusal import Reason, Refused
from wms.outbound.values import OrderState
from wms.picking import service
from wms.picking.dialogue import CLUSTER_PICK, STOPPED_ORDER
from wms.picking.queries.walk import walk_of_batch
from wms.work import service as work


@pytest.fixture
def floor(database: Database) -> Floor:
    return a_floor(database)


class TestComingAndGoing:
    def test_left_anywhere_and_resumed_from_the_rows(self, floor: Floor) -> None:
        hand = at_the_rack(floor, ("A-1", [(floor.tea, 1)]), ("A-2", [(floor.tea, 1)]))
        for code in (slot(NEAR), barcode(floor, floor.tea), tote(1), barcode(floor, floor.tea)):
            hand.scan(code)
        hand.press("leave")
        again = Hand(floor.park, CLUSTER_PICK, hand.person_id)
        again.begin()
        assert (again.step, again.card("tote").position) == ("scan_slot", 2)

    def test_a_batch_handed_over_goes_on_in_other_hands(self, floor: Floor) -> None:
        hand = at_the_rack(floor, ("A-1", [(floor.tea, 2)]))
        hand.scan(slot(NEAR))
        other = floor.person("W-2")
        floor.park.act(lambda call: work.hand_over(call, 1, other))
        with pytest.raises(Refused) as no:
            hand.screen()
        assert no.value.reason is Reason.TASK_TAKEN
        assert code_of(hand.scan(barcode(floor, floor.tea))) == "S7-22"
        assert hand.over
        theirs = Hand(floor.park, CLUSTER_PICK, other)
        theirs.begin(task_id=1)
        walked(floor, theirs)
        theirs.scan(LANE)
        assert order(floor.park, "A-1").state is OrderState.PICKED

    def test_without_work_one_is_told(self, floor: Floor) -> None:
        hand = Hand(floor.park, CLUSTER_PICK, floor.person("W-1"))
        with pytest.raises(Refused) as no:
            hand.begin()
        assert no.value.reason is Reason.NO_WORK

    def test_get_work_gives_ones_own_batch_again(self, floor: Floor) -> None:
        hand = at_the_rack(floor, ("A-1", [(floor.tea, 2)]))
        floor.batch(("A-2", [(floor.nuts, 1)]))
        again = Hand(floor.park, CLUSTER_PICK, hand.person_id)
        again.begin()
        assert again.state["batch"] == hand.state["batch"]

    def test_when_a_tote_was_taken_off_meanwhile_the_cart_is_loaded_first_whatever_key_is_pressed(
        self, floor: Floor
    ) -> None:
        hand = at_the_rack(floor, ("A-1", [(floor.tea, 2)]), ("A-2", [(floor.nuts, 1)]))
        hand.scan(slot(NEAR))
        batch = int(hand.state["batch"])
        floor.park.act(lambda call: service.unassign_tote(call, batch, 2))
        assert (hand.step, hand.screen().step) == ("scan_sku", "scan_new_tote")
        assert hand.card("big").label == "号位"
        for key in ("short", "skip", "more", "back"):
            with pytest.raises(Refused) as no:
                hand.press(key)
            assert no.value.reason is Reason.STEP_WRONG
        hand.press("undo")
        assert (
            floor.park.read(lambda session: walk_of_batch(session, floor.park.warehouse_id, batch)).totes[0].tote_id
            is None
        )
        for number in (1, 2):
            hand.scan(tote(number))
        walked(floor, hand)
        assert told(hand.scan(LANE)).level is Level.DONE

    def test_when_the_walk_ended_on_another_device_no_key_leads_back(self, floor: Floor) -> None:
        hand = at_the_rack(floor, ("A-1", [(floor.tea, 1)]))
        hand.scan(slot(NEAR))
        other = Hand(floor.park, CLUSTER_PICK, hand.person_id)
        other.begin()
        walked(floor, other)
        assert hand.screen().step == "scan_lane"
        for key in ("short", "skip", "undo", "more", "back"):
            with pytest.raises(Refused) as no:
                hand.press(key)
            assert no.value.reason is Reason.STEP_WRONG
        assert told(hand.scan(LANE)).level is Level.DONE

    def test_keys_of_the_walk_work_when_another_device_loaded_the_cart(self, floor: Floor) -> None:
        floor.batch(("A-1", [(floor.tea, 2)]))
        hand = Hand(floor.park, CLUSTER_PICK, floor.person("W-1"))
        hand.begin()
        hand.scan(cart())
        other = Hand(floor.park, CLUSTER_PICK, hand.person_id)
        other.begin()
        other.scan(tote(1))
        assert (hand.step, hand.screen().step) == ("scan_new_tote", "scan_slot")
        hand.press("more")
        assert hand.step == "more"
        hand.press("back")
        assert hand.step == "scan_slot"


class TestStoppedOnTheWay:
    def test_the_next_scan_tells_that_an_order_was_stopped_and_its_picks_drop_out(self, floor: Floor) -> None:
        hand = at_the_rack(floor, ("A-1", [(floor.tea, 1)]), ("A-2", [(floor.tea, 1)]))
        hand.scan(slot(NEAR))
        hand.scan(barcode(floor, floor.tea))
        cancel(floor.park, "A-1")
        message = told(hand.scan(tote(1)))
        assert (message.level, message.code) == (Level.INTERCEPTED, "S7-21")
        assert "A-1" in message.title
        assert "1 号位 T-0001" in message.text
        assert floor.on_hand("T-0001") == 0
        assert (hand.step, hand.card("tote").position) == ("scan_slot", 2)
        assert told(hand.scan(slot(NEAR))).level is Level.OK
        assert broken_promises(floor.park) == []

    def test_a_right_scan_for_another_order_still_counts(self, floor: Floor) -> None:
        hand = at_the_rack(floor, ("A-1", [(floor.tea, 1)]), ("A-2", [(floor.tea, 1)]))
        hand.scan(slot(NEAR))
        hand.scan(barcode(floor, floor.tea))
        cancel(floor.park, "A-2")
        assert told(hand.scan(tote(1))).level is Level.INTERCEPTED
        assert (hand.step, floor.on_hand("T-0001")) == ("scan_lane", 1)

    def test_at_the_lane_totes_of_stopped_orders_are_told_apart(self, floor: Floor) -> None:
        hand = at_the_rack(floor, ("A-1", [(floor.tea, 1)]), ("A-2", [(floor.tea, 1)]))
        walked(floor, hand)
        cancel(floor.park, "A-1")
        titles = [card.title for card in hand.screen().cards if isinstance(card, TextCard)]
        assert titles == ["送打包台：1 箱", "拦截，放异常口：1 箱"]
        assert code_of(hand.scan(LANE)) == "S7-21"
        assert told(hand.scan(LANE)).level is Level.DONE
        assert [order(floor.park, no).state for no in ("A-1", "A-2")] == [OrderState.PICKING, OrderState.PICKED]

    def test_a_batch_that_lost_all_its_orders_ends(self, floor: Floor) -> None:
        floor.batch(("A-1", [(floor.tea, 1)]))
        hand = Hand(floor.park, CLUSTER_PICK, floor.person("W-1"))
        hand.begin()
        cancel(floor.park, "A-1")
        assert code_of(hand.scan(cart())) == "S7-21"
        assert hand.over

    def test_goods_of_a_stopped_order_go_back_to_their_slots(self, floor: Floor) -> None:
        hand = at_the_rack(floor, ("A-1", [(floor.tea, 1), (floor.salt, 2)]))
        walked(floor, hand)
        cancel(floor.park, "A-1")
        hand.scan(LANE)
        hand.scan(LANE)
        back = Hand(floor.park, STOPPED_ORDER, hand.person_id)
        back.begin()
        assert back.refused(slot(NEAR)).reason is Reason.WRONG_KIND_SCANNED
        back.scan(tote(1))
        assert [(fact.label, fact.note) for fact in back.card("facts").rows] in (
            [(NEAR, "x 1"), (FAR, "x 2")],
            [(FAR, "x 2"), (NEAR, "x 1")],
        )
        assert told(back.scan(slot(NEAR))).title == "好，还剩 2 件"
        assert told(back.scan(slot(FAR))).level is Level.DONE
        assert back.step == "scan_container"
        assert (floor.on_hand(NEAR), floor.on_hand(FAR)) == (10, 20)
        assert order(floor.park, "A-1").state is OrderState.CANCELLED
        assert broken_promises(floor.park) == []

    def test_a_tote_of_a_stopped_order_opens_its_dialogue_from_the_menu(self, floor: Floor) -> None:
        opens = STOPPED_ORDER.opens_with
        assert opens is not None
        hand = at_the_rack(floor, ("A-1", [(floor.tea, 1)]))
        walked(floor, hand)
        assert acting(floor.park.database, lambda call: opens(call, codes.read(tote(1)))) is None
        cancel(floor.park, "A-1")
        assert acting(floor.park.database, lambda call: opens(call, codes.read(tote(1)))) == {"container": "T-0001"}


class TestWithoutNetwork:
    def test_the_path_ahead_is_what_the_server_says_scan_by_scan(self, floor: Floor) -> None:
        hand = at_the_rack(
            floor, ("A-1", [(floor.tea, 2), (floor.salt, 5)]), ("A-2", [(floor.tea, 1), (floor.nuts, 1)])
        )
        for ahead in hand.ahead():
            message = hand.scan(ahead.accepts[0])
            assert hand.step == ahead.step
            assert message == ahead.message
            assert hand.screen() == ahead.screen
        assert hand.step == "scan_lane"

    def test_the_path_ahead_has_a_bound(self, floor: Floor) -> None:
        orders = [(f"A-{number}", [(floor.tea, 1), (floor.nuts, 1), (floor.salt, 1)]) for number in range(1, 11)]
        hand = at_the_rack(floor, *orders)
        assert len(hand.ahead()) == AHEAD_MAX

    def test_each_step_ahead_says_what_is_wrong_otherwise(self, floor: Floor) -> None:
        hand = at_the_rack(floor, ("A-1", [(floor.tea, 1)]))
        assert [(one.wrong, one.expected) for one in hand.ahead()] == [
            ("储位不对", NEAR),
            ("商品不对", barcode(floor, floor.tea)),
            ("箱不对", "T-0001"),
        ]

    def test_a_late_scan_is_judged_as_things_are_now(self, floor: Floor) -> None:
        """The tote's scan was made offline on a screen that is gone: the order was stopped meanwhile."""
        hand = at_the_rack(floor, ("A-1", [(floor.tea, 1)]), ("A-2", [(floor.nuts, 1)]))
        first = hand.card("location").code
        late = [one.accepts[0] for one in hand.ahead()[:3]]
        stopped = "A-1" if first == NEAR else "A-2"
        cancel(floor.park, stopped)
        levels = [told(hand.scan(code)).level for code in late]
        assert levels[0] is Level.INTERCEPTED
        assert Level.WRONG in levels[1:]
        assert floor.on_hand("T-0001") + floor.on_hand("T-0002") == 0
