"""Slots turn out empty, orders are stopped on the way."""

from __future__ import annotations

import pytest

from tests.builders import stock_in
from tests.outbound.orders import allocate, broken_promises, cancel, lines, order, place
from tests.picking.floor import MIDDLE, NEAR, SPARE, Floor, a_floor, refused, topics
from wms.core.db import Database
from wms.core.refusal import Reason
from wms.outbound import queries as outbound_queries
from wms.outbound.values import OrderState
from wms.picking import service
from wms.picking.service import stopped
from wms.picking.values import COUNT_KIND
from wms.site import queries as site
from wms.site import service as site_service
from wms.work import queries as work


@pytest.fixture
def floor(database: Database) -> Floor:
    return a_floor(database)


class TestShortPicks:
    def test_missing_goods_come_from_another_slot_where_the_detour_is_shortest(self, floor: Floor) -> None:
        batch_id = floor.loaded(("A-1", [(floor.tea, 3), (floor.salt, 1)]))
        floor.park.act(lambda call: stock_in(call, floor.tea, SPARE, 5))
        tea = next(pick for pick in floor.walk(batch_id).open_picks if pick.slot_code == NEAR)
        shorted = floor.park.act(lambda call: service.short_pick(call, tea.id, 2))
        assert (shorted.elsewhere, shorted.lost, shorted.slots) == (2, 0, (SPARE,))
        walk = floor.walk(batch_id)
        after = walk.pick(tea.id)
        assert after is not None
        assert (after.left, after.short) == (1, 2)
        assert len({(pick.stop, pick.slot_code) for pick in walk.picks}) == len({pick.stop for pick in walk.picks}) == 3
        floor.pick_all(batch_id)
        assert [line.picked for line in lines(floor.park, "A-1")] == [3, 1]
        assert order(floor.park, "A-1").short_reason is None
        assert broken_promises(floor.park) == []

    def test_goods_that_are_nowhere_explain_the_order_and_have_the_slot_counted(self, floor: Floor) -> None:
        batch_id = floor.loaded(("A-1", [(floor.tea, 3), (floor.nuts, 1)]))
        tea = next(pick for pick in floor.walk(batch_id).open_picks if pick.slot_code == NEAR)
        shorted = floor.park.act(lambda call: service.short_pick(call, tea.id, 2))
        assert shorted.lost == 2
        found = lines(floor.park, "A-1")[0]
        assert (found.quantity, found.allocated, found.short) == (3, 1, 2)
        told = floor.park.read(lambda session: outbound_queries.explained(session, 1))
        assert [(each.order_no, each.why, each.missing) for each in told] == [("A-1", "not_found", 2)]
        (count,) = floor.park.read(lambda session: work.tasks(session, 1, kinds=[COUNT_KIND]))
        assert (count.subject, count.facts["reason"]) == (f"slot:{tea.slot_id}", "short_pick")
        assert floor.park.read(lambda session: site.slot_by_code(session, 1, NEAR)).under_count
        assert "order.short" in topics(floor.park)
        assert broken_promises(floor.park) == []

    def test_goods_that_were_not_found_are_promised_to_nobody_else(self, floor: Floor) -> None:
        batch_id = floor.loaded(("A-1", [(floor.tea, 3)]))
        (tea,) = floor.walk(batch_id).open_picks
        floor.park.act(lambda call: service.short_pick(call, tea.id, 3))
        place(floor.park, "A-2", (floor.tea, 1))
        assert allocate(floor.park, "A-2").allocated == 0

    def test_an_order_of_which_nothing_was_found_ends_short_and_its_tote_is_free(self, floor: Floor) -> None:
        batch_id = floor.loaded(("A-1", [(floor.tea, 3)]), ("A-2", [(floor.nuts, 1)]))
        tea = next(pick for pick in floor.walk(batch_id).open_picks if pick.slot_code == NEAR)
        floor.park.act(lambda call: service.short_pick(call, tea.id, 3))
        floor.pick_all(batch_id)
        floor.park.act(lambda call: service.finish_batch(call, batch_id, "PK-01"))
        assert [order(floor.park, no).state for no in ("A-1", "A-2")] == [OrderState.SHORT, OrderState.PICKED]
        assert floor.park.read(lambda session: site.container_by_code(session, 1, "tote", "T-0001")).state == "free"

    @pytest.mark.parametrize("missing", [0, 4])
    def test_no_more_can_be_missing_than_is_wanted(self, floor: Floor, missing: int) -> None:
        batch_id = floor.loaded(("A-1", [(floor.tea, 3)]))
        (tea,) = floor.walk(batch_id).open_picks
        no = refused(floor.park, lambda call: service.short_pick(call, tea.id, missing))
        assert no.reason is Reason.QUANTITY_WRONG


class TestStoppedOrders:
    def test_an_order_stopped_before_anything_was_picked_is_cancelled_and_its_stock_free(self, floor: Floor) -> None:
        batch_id = floor.loaded(("A-1", [(floor.tea, 2)]), ("A-2", [(floor.nuts, 1)]))
        cancel(floor.park, "A-1")
        (dropped,) = floor.park.act(lambda call: service.drop_stopped(call, batch_id))
        assert dropped.order_no == "A-1"
        stopped = order(floor.park, "A-1")
        assert stopped.state is OrderState.CANCELLED
        assert [pick.slot_code for pick in floor.walk(batch_id).open_picks] == [MIDDLE]
        assert broken_promises(floor.park) == []
        assert floor.park.act(lambda call: service.drop_stopped(call, batch_id)) == ()

    def test_a_batch_nobody_began_and_with_nothing_left_is_called_off(self, floor: Floor) -> None:
        batch_id = floor.batch(("A-1", [(floor.tea, 2)]))
        cancel(floor.park, "A-1")
        floor.park.act(lambda call: service.stop_picking(call, order(floor.park, "A-1").id))
        assert floor.walk(batch_id).state == "cancelled"
        assert floor.park.read(lambda session: work.tasks(session, 1)) == []

    def test_nothing_goes_into_the_tote_of_a_stopped_order(self, floor: Floor) -> None:
        batch_id = floor.loaded(("A-1", [(floor.tea, 2)]))
        (pick,) = floor.walk(batch_id).open_picks
        cancel(floor.park, "A-1")
        assert refused(floor.park, lambda call: service.pick(call, pick.id, 1)).reason is Reason.ORDER_INTERCEPTED

    def test_an_order_nobody_stopped_goes_on(self, floor: Floor) -> None:
        floor.loaded(("A-1", [(floor.tea, 2)]))
        order_id = order(floor.park, "A-1").id
        assert refused(floor.park, lambda call: service.stop_picking(call, order_id)).reason is Reason.ORDER_STATE_WRONG

    def test_picked_goods_of_a_stopped_order_go_back_and_then_it_is_cancelled(self, floor: Floor) -> None:
        batch_id = floor.loaded(("A-1", [(floor.tea, 2), (floor.salt, 1)]))
        tea = next(pick for pick in floor.walk(batch_id).open_picks if pick.slot_code == NEAR)
        floor.park.act(lambda call: service.pick(call, tea.id, 2))
        cancel(floor.park, "A-1")
        floor.park.act(lambda call: service.drop_stopped(call, batch_id))
        assert order(floor.park, "A-1").state is OrderState.PICKING
        floor.park.act(lambda call: service.finish_batch(call, batch_id, "PK-01"))
        left = floor.park.act(lambda call: service.restock(call, "T-0001", NEAR))
        assert left.goods == []
        assert (floor.on_hand(NEAR), floor.on_hand("T-0001")) == (10, 0)
        assert order(floor.park, "A-1").state is OrderState.CANCELLED
        assert [(line.allocated, line.picked) for line in lines(floor.park, "A-1")] == [(0, 0), (0, 0)]
        assert floor.park.read(lambda session: site.container_by_code(session, 1, "tote", "T-0001")).state == "free"
        assert topics(floor.park)[-1] == "order.cancelled"
        assert broken_promises(floor.park) == []

    def test_goods_go_back_only_where_slotting_allows_it(self, floor: Floor) -> None:
        batch_id = floor.loaded(("A-1", [(floor.tea, 2)]))
        floor.pick_all(batch_id)
        cancel(floor.park, "A-1")
        no = refused(floor.park, lambda call: service.restock(call, "T-0001", "D04-01-1A"))
        assert no.reason is Reason.SLOT_WRONG_ZONE
        assert floor.on_hand("T-0001") == 2

    def test_goods_whose_slot_is_under_count_are_shown_another(self, floor: Floor) -> None:
        batch_id = floor.loaded(("A-1", [(floor.tea, 2)]))
        floor.pick_all(batch_id)
        cancel(floor.park, "A-1")
        (goods,) = floor.park.act(lambda call: stopped.stopped_in(call, "T-0001")).goods
        assert floor.park.act(lambda call: stopped.slot_for(call, goods)) == NEAR
        near = floor.park.read(lambda session: site.slot_by_code(session, 1, NEAR))
        floor.park.act(lambda call: site_service.set_under_count(call, near.place_id, True))
        another = floor.park.act(lambda call: stopped.slot_for(call, goods))
        assert another not in (None, NEAR)
        assert floor.park.act(lambda call: service.restock(call, "T-0001", str(another))).goods == []
        assert floor.on_hand(str(another)) == 2

    def test_goods_of_a_going_order_stay_in_their_tote(self, floor: Floor) -> None:
        batch_id = floor.loaded(("A-1", [(floor.tea, 2)]))
        floor.pick_all(batch_id)
        no = refused(floor.park, lambda call: service.restock(call, "T-0001", NEAR))
        assert no.reason is Reason.ORDER_STATE_WRONG

    def test_an_empty_tote_has_nothing_to_go_back(self, floor: Floor) -> None:
        no = refused(floor.park, lambda call: service.restock(call, "T-0001", NEAR))
        assert no.reason is Reason.CONTAINER_EMPTY
