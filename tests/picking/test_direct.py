"""Programs confirm picks one by one."""

from __future__ import annotations

import threading
from functools import partial
from typing import Any

import pytest

from tests.builders import a_sku, stock_in
from tests.outbound.orders import allocate, broken_promises, cancel, counted_statements, order, place
from tests.picking.floor import MIDDLE, NEAR, Floor, a_floor, refused
from wms.core.call import Call, Who
from wms.core.clock import HandClock
from wms.core.db import Database
from wms.core.perform import perform
from wms.core.refusal import Reason
from wms.outbound.values import OrderState
from wms.picking import queries, service


@pytest.fixture
def floor(database: Database) -> Floor:
    return a_floor(database)


class TestPickingForPrograms:
    def allocated(self, floor: Floor, *wanted: tuple[Any, int]) -> None:
        place(floor.park, "A-1", *wanted)
        allocate(floor.park, "A-1")

    def direct(self, call: Call, slot: str = NEAR, quantity: int = 1, **more: str) -> Any:
        facts = {"order_no": "A-1", "sku_code": "TEA", **more}
        return service.pick_direct(call, slot_code=slot, quantity=quantity, **facts)

    def test_goods_go_into_the_orders_own_tote_and_the_last_makes_it_picked(self, floor: Floor) -> None:
        self.allocated(floor, (floor.tea, 3), (floor.nuts, 1))
        first = floor.park.act(lambda call: self.direct(call, quantity=2))
        assert (first.quantity, first.left) == (2, 1)
        assert order(floor.park, "A-1").state is OrderState.PICKING
        floor.park.act(self.direct)
        floor.park.act(lambda call: self.direct(call, MIDDLE, sku_code="NUTS"))
        assert order(floor.park, "A-1").state is OrderState.PICKED
        assert floor.on_hand(first.tote_code) == 4
        found = floor.park.read(lambda session: queries.totes_of_order(session, 1, first.order_id))
        assert [code for _, code in found] == [first.tote_code]
        assert broken_promises(floor.park) == []

    def test_a_pick_from_two_lots_in_one_slot_takes_both(self, floor: Floor) -> None:
        floor.park.act(lambda call: stock_in(call, floor.tea, NEAR, 5, "B2"))
        self.allocated(floor, (floor.tea, 12))
        assert floor.park.act(lambda call: self.direct(call, quantity=12)).left == 0
        assert floor.on_hand(NEAR) == 3

    @pytest.mark.parametrize(
        ("what", "reason"),
        [
            ({"quantity": 4}, Reason.PICK_TOO_MANY),
            ({"quantity": 0}, Reason.QUANTITY_WRONG),
            ({"slot": MIDDLE}, Reason.SLOT_WRONG),
            ({"slot": "Z99-99-9"}, Reason.SLOT_UNKNOWN),
            ({"sku_code": "SALT"}, Reason.SKU_WRONG),
            ({"order_no": "A-9"}, Reason.ORDER_UNKNOWN),
        ],
    )
    def test_what_is_wrong_is_refused(self, floor: Floor, what: dict[str, Any], reason: Reason) -> None:
        self.allocated(floor, (floor.tea, 3))
        no = refused(floor.park, lambda call: self.direct(call, **what))
        assert no.reason is reason
        if reason is Reason.SLOT_WRONG:
            assert no.facts["expected"] == NEAR
        assert floor.on_hand(NEAR) == 10

    def test_an_order_without_promises_is_not_ready(self, floor: Floor) -> None:
        place(floor.park, "A-1", (floor.tea, 1))
        assert refused(floor.park, self.direct).reason is Reason.ORDER_NOT_READY

    def test_what_was_picked_is_not_picked_again(self, floor: Floor) -> None:
        self.allocated(floor, (floor.tea, 1), (floor.nuts, 1))
        floor.park.act(self.direct)
        assert refused(floor.park, self.direct).reason is Reason.PICK_DONE

    def test_an_order_that_is_being_walked_is_left_to_the_walker(self, floor: Floor) -> None:
        floor.loaded(("A-1", [(floor.tea, 1)]))
        assert refused(floor.park, self.direct).reason is Reason.ORDER_STATE_WRONG

    def test_a_stopped_order_is_not_picked_on_and_its_goods_go_back(self, floor: Floor) -> None:
        self.allocated(floor, (floor.tea, 3))
        tote = floor.park.act(self.direct).tote_code
        cancel(floor.park, "A-1")
        assert refused(floor.park, self.direct).reason is Reason.ORDER_INTERCEPTED
        floor.park.act(lambda call: service.restock(call, tote, NEAR))
        assert order(floor.park, "A-1").state is OrderState.CANCELLED
        assert floor.on_hand(NEAR) == 10
        assert broken_promises(floor.park) == []

    def test_another_merchants_key_does_not_find_the_order(self, floor: Floor) -> None:
        self.allocated(floor, (floor.tea, 1))
        other = floor.park.act(lambda call: a_sku(call, "TEA", "M2")).merchant_id
        stranger = Who("key:9", floor.park.warehouse_id, merchant_id=other)
        outcome = perform(
            floor.park.database,
            HandClock(floor.park.clock.now()),
            stranger,
            "r-1",
            "x",
            lambda c: {"x": str(self.direct(c))},
        )
        assert outcome.status == 404

    def test_with_its_tote_laid_out_a_pick_costs_seven_statements_with_its_answer(self, floor: Floor) -> None:
        self.allocated(floor, (floor.tea, 2))
        order_id = order(floor.park, "A-1").id
        floor.park.act(lambda call: service.lay_out_tote(call, order_id))
        for number in (1, 2):
            with counted_statements(floor.park.database) as seen:
                outcome = perform(
                    floor.park.database,
                    HandClock(floor.park.clock.now()),
                    Who("key:1", floor.park.warehouse_id),
                    f"r-{number}",
                    "x",
                    lambda call: {"left": self.direct(call).left},
                )
            assert outcome.status == 200
            assert len([one for one in seen if not one.startswith("BEGIN")]) <= 7, "\n".join(seen)

    def test_two_programs_at_the_last_lines_of_an_order_still_finish_it(self, floor: Floor) -> None:
        self.allocated(floor, (floor.tea, 1), (floor.nuts, 1))
        floor.park.act(lambda call: service.lay_out_tote(call, order(floor.park, "A-1").id))
        deeds = [partial(self.direct), partial(self.direct, slot=MIDDLE, sku_code="NUTS")]
        threads = [threading.Thread(target=floor.park.act, args=(deed,)) for deed in deeds]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert order(floor.park, "A-1").state is OrderState.PICKED
