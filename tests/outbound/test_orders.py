"""Orders come in and are stopped."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from tests.builders import MORNING, Park, a_merchant, a_park, a_sku, acting, stock_in
from tests.outbound.orders import (
    allocate,
    allocated,
    an_order,
    broken_promises,
    cancel,
    held_from,
    lines,
    order,
    outbox,
    place,
    put_in_state,
)
from wms.catalog.values import SkuFacts
from wms.core.call import Call
from wms.core.db import Database
from wms.core.refusal import Reason, Refused
from wms.outbound import queries, service
from wms.outbound.values import Cancelled, OrderState, Shortage

SLOT, OTHER_SLOT, THIRD_SLOT = "A01-01-1A", "A01-02-1A", "A01-03-1A"


@pytest.fixture
def park(database: Database) -> Park:
    return a_park(database)


@pytest.fixture
def tea(park: Park) -> SkuFacts:
    return park.act(lambda call: a_sku(call, "TEA"))


class TestTakingOrders:
    def test_an_order_is_placed_with_its_lines_and_its_cut_off_in_warehouse_time(
        self, park: Park, tea: SkuFacts
    ) -> None:
        place(park, "A-1", (tea, 2), (tea, 1))
        placed = order(park, "A-1")
        assert placed.state is OrderState.PLACED
        assert placed.cut_off_at == datetime(2026, 11, 7, 16, 0, tzinfo=ZoneInfo("Asia/Shanghai"))
        assert [(line.number, line.quantity) for line in lines(park, "A-1")] == [(1, 2), (2, 1)]

    def test_a_cut_off_may_be_told_outright(self, park: Park, tea: SkuFacts) -> None:
        due = MORNING + timedelta(hours=3)
        place(park, "A-1", (tea, 1), due=due)
        assert order(park, "A-1").cut_off_at == due

    def test_the_same_number_again_is_refused(self, park: Park, tea: SkuFacts) -> None:
        place(park, "A-1", (tea, 2))
        with pytest.raises(Refused) as no:
            place(park, "A-1", (tea, 2))
        assert no.value.reason is Reason.ALREADY_EXISTS

    def test_two_merchants_may_use_the_same_number(self, park: Park, tea: SkuFacts) -> None:
        place(park, "A-1", (tea, 2))
        theirs = park.act(lambda call: a_sku(call, "TEA", "M2"))
        place(park, "A-1", (theirs, 2), merchant_code="M2")
        with pytest.raises(Refused) as no:
            order(park, "A-1")
        assert no.value.reason is Reason.BAD_INPUT
        found = park.read(lambda session: queries.order_by_no(session, park.warehouse_id, "A-1", merchant_code="M2"))
        assert found.no == "A-1"

    def test_nobody_orders_another_merchants_goods(self, park: Park, tea: SkuFacts) -> None:
        park.act(lambda call: a_merchant(call, "M2"))
        with pytest.raises(Refused) as no:
            place(park, "A-1", (tea, 1), merchant_code="M2")
        assert no.value.reason is Reason.SKU_UNKNOWN

    def test_a_merchants_key_cannot_order_for_another(self, park: Park, tea: SkuFacts) -> None:
        other = park.act(lambda call: a_merchant(call, "M2"))
        with pytest.raises(Refused) as no:
            acting(park.database, lambda call: an_order(call, "A-1", (tea, 1)), park.warehouse_id, merchant_id=other)
        assert no.value.reason is Reason.MERCHANT_UNKNOWN

    def test_a_blocked_merchant_cannot_order(self, park: Park, tea: SkuFacts) -> None:
        park.database.transact(lambda session: session.execute(text("UPDATE merchant SET blocked_reason = 'unpaid'")))
        with pytest.raises(Refused) as no:
            place(park, "A-1", (tea, 1))
        assert (no.value.reason, no.value.facts["why"]) == (Reason.MERCHANT_BLOCKED, "unpaid")

    @pytest.mark.parametrize(("quantity", "reason"), [(0, Reason.QUANTITY_WRONG), (-1, Reason.QUANTITY_WRONG)])
    def test_a_line_wants_something(self, park: Park, tea: SkuFacts, quantity: int, reason: Reason) -> None:
        with pytest.raises(Refused) as no:
            place(park, "A-1", (tea, quantity))
        assert no.value.reason is reason

    def test_an_order_without_lines_is_refused(self, park: Park, tea: SkuFacts) -> None:
        with pytest.raises(Refused) as no:
            park.act(lambda call: an_order(call, "A-1"))
        assert no.value.reason is Reason.BAD_INPUT


class TestCancelling:
    def test_before_release_the_stock_is_free_again(self, park: Park, tea: SkuFacts) -> None:
        park.act(lambda call: stock_in(call, tea, SLOT, 5))
        place(park, "A-1", (tea, 3))
        allocate(park, "A-1")
        answer = cancel(park, "A-1")
        assert (answer.outcome, answer.state) == (Cancelled.OFF, OrderState.ALLOCATED)
        assert order(park, "A-1").state is OrderState.CANCELLED
        assert (held_from(park, "A-1"), allocated(park, "A-1")) == ([], [0])
        assert outbox(park) == [("order.cancelled", f"order:{answer.order_id}")]
        assert broken_promises(park) == []

    def test_a_draft_wave_loses_the_order(self, park: Park, tea: SkuFacts) -> None:
        park.act(lambda call: stock_in(call, tea, SLOT, 5))
        for no in ("A-1", "A-2"):
            place(park, no, (tea, 1))
            allocate(park, no)
        (wave,) = park.act(service.make_waves)
        cancel(park, "A-1")
        assert park.act(lambda call: service.release_wave(call, wave)) == 1
        assert order(park, "A-1").wave_id is None

    @pytest.mark.parametrize("state", ["released", "picking", "picked", "packed"])
    def test_after_release_it_is_marked_and_announced_once(self, park: Park, tea: SkuFacts, state: str) -> None:
        order_id = place(park, "A-1", (tea, 1))
        put_in_state(park, order_id, state)
        answers = [cancel(park, "A-1") for _ in range(2)]
        assert [answer.outcome for answer in answers] == [Cancelled.CAUGHT] * 2
        caught = order(park, "A-1")
        assert (caught.state, caught.intercepted_at) == (state, MORNING)
        assert outbox(park) == [("order.intercepted", f"order:{order_id}")]

    def test_after_the_handover_it_is_refused(self, park: Park, tea: SkuFacts) -> None:
        order_id = place(park, "A-1", (tea, 1))
        put_in_state(park, order_id, "shipped")
        with pytest.raises(Refused) as no:
            cancel(park, "A-1")
        assert no.value.reason is Reason.ORDER_HANDED_OVER

    def test_asked_twice_it_stays_cancelled_and_is_told_once(self, park: Park, tea: SkuFacts) -> None:
        place(park, "A-1", (tea, 1))
        for _ in range(2):
            assert cancel(park, "A-1").outcome is Cancelled.OFF
        assert [topic for topic, _ in outbox(park)] == ["order.cancelled"]

    def test_an_unknown_order_cannot_be_cancelled(self, park: Park) -> None:
        with pytest.raises(Refused) as no:
            cancel(park, "A-1")
        assert no.value.reason is Reason.ORDER_UNKNOWN


def test_the_stages_count_orders_by_courier_cut_off_and_state(park: Park, tea: SkuFacts) -> None:
    def some(call: Call) -> None:
        for number, courier in enumerate(("YD", "YD", "ZT"), 1):
            an_order(call, f"A-{number}", (tea, 1), courier=courier)

    park.act(some)
    put_in_state(park, order(park, "A-2").id, "picking")
    park.act(lambda call: service.cancel_order(call, "A-2"))
    found = park.read(lambda session: queries.stages(session, park.warehouse_id))
    assert [(each.courier, each.state, each.orders, each.intercepted) for each in found] == [
        ("YD", "picking", 1, 1),
        ("YD", "placed", 1, 0),
        ("ZT", "placed", 1, 0),
    ]


def test_every_reason_of_a_shortage_has_words(park: Park) -> None:
    assert {queries.short_words(why) for why in (*Shortage, "cancelled", "???")} == {
        "outbound.short.no_stock",
        "outbound.short.life_too_short",
        "outbound.short.not_found",
        "outbound.short.cancelled",
        "outbound.short.way_closed",
        "outbound.short.other",
    }
