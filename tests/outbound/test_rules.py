"""What the order desk decides on paper."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wms.core.refusal import Reason, Refused
from wms.outbound.rules import cancelling, in_turn, may_ship, next_cut_off, promise, state_after, waves
from wms.outbound.values import (
    Cancelled,
    FreeStock,
    OrderState,
    Shortage,
    WaitingOrder,
    WantedLine,
    WaveDraft,
    WaveKind,
)

SHANGHAI = ZoneInfo("Asia/Shanghai")
TODAY = date(2026, 11, 7)
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
SOME_LINES = st.builds(WantedLine, st.integers(1, 9), st.integers(1, 2), st.integers(1, 9))
SOME_DAYS = st.one_of(st.none(), st.integers(-3, 40))
CUT_OFF = datetime(2026, 11, 7, 8, 0, tzinfo=UTC)


def local(hour: int, minute: int = 0, day: int = 7) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=SHANGHAI)


def stock(stock_id: int, free: int, expires_in: int | None = None, *, sku: int = 1, days_here: int = 0) -> FreeStock:
    expires_on = None if expires_in is None else TODAY + timedelta(days=expires_in)
    return FreeStock(stock_id, sku, free, expires_on, LONG_AGO - timedelta(days=days_here))


def kinds(drafts: list[WaveDraft]) -> list[tuple[WaveKind, tuple[int, ...]]]:
    return [(draft.kind, draft.order_ids) for draft in drafts]


class TestCutOffs:
    def test_an_order_leaves_with_the_next_cut_off_of_the_day(self) -> None:
        assert next_cut_off(local(10), ["20:00", "16:00"], SHANGHAI) == local(16)

    def test_an_order_placed_at_the_very_cut_off_is_too_late_for_it(self) -> None:
        assert next_cut_off(local(16), ["16:00", "20:00"], SHANGHAI) == local(20)

    def test_an_order_after_the_last_cut_off_leaves_on_the_next_day(self) -> None:
        assert next_cut_off(local(20, 1), ["16:00", "20:00"], SHANGHAI) == local(16, day=8)

    def test_the_hours_are_those_of_the_warehouse(self) -> None:
        cut_off = next_cut_off(datetime(2026, 11, 7, 9, 0, tzinfo=UTC), ["16:00"], SHANGHAI)
        assert cut_off == datetime(2026, 11, 8, 8, 0, tzinfo=UTC)
        assert cut_off.tzinfo is UTC

    def test_without_cut_offs_an_order_leaves_within_its_day(self) -> None:
        assert next_cut_off(local(10), (), SHANGHAI) == local(23, 59)

    @pytest.mark.parametrize("nonsense", ["24:00", "7:00", "16:60", "noon", ""])
    def test_a_cut_off_that_is_no_time_is_refused(self, nonsense: str) -> None:
        with pytest.raises(Refused) as no:
            next_cut_off(local(10), [nonsense], SHANGHAI)
        assert no.value.reason is Reason.BAD_INPUT

    @given(st.integers(0, 365 * 24 * 60), st.sampled_from(["Asia/Shanghai", "Europe/Berlin"]))
    def test_a_cut_off_is_always_ahead_and_never_more_than_a_long_day(self, minutes: int, zone: str) -> None:
        placed = LONG_AGO + timedelta(minutes=minutes)
        ahead = next_cut_off(placed, ["03:00", "16:30"], ZoneInfo(zone)) - placed
        assert timedelta(0) < ahead <= timedelta(hours=25)


class TestTurn:
    def test_what_expires_first_goes_first(self) -> None:
        assert [row.stock_id for row in in_turn([stock(1, 5, 90), stock(2, 5, 30)])] == [2, 1]

    def test_of_equal_expiry_what_came_first_goes_first(self) -> None:
        assert [row.stock_id for row in in_turn([stock(1, 5, 30), stock(2, 5, 30, days_here=9)])] == [2, 1]

    def test_goods_without_a_date_go_last(self) -> None:
        assert [row.stock_id for row in in_turn([stock(1, 5, None, days_here=99), stock(2, 5, 30)])] == [2, 1]


class TestShelfLife:
    @pytest.mark.parametrize(
        ("expires_in", "min_days", "ships"), [(30, 30, True), (29, 30, False), (0, 0, True), (-1, 0, False)]
    )
    def test_goods_ship_while_enough_life_is_left(self, expires_in: int, min_days: int, ships: bool) -> None:
        assert may_ship(TODAY + timedelta(days=expires_in), TODAY, min_days) is ships

    def test_goods_that_do_not_expire_always_ship(self) -> None:
        assert may_ship(None, TODAY, 365)


class TestPromising:
    def test_a_line_may_take_from_several_slots_in_turn(self) -> None:
        promised = promise([WantedLine(7, 1, 8)], [stock(1, 5, 90), stock(2, 5, 30)], TODAY)
        assert [(take.stock_id, take.quantity) for take in promised.takes] == [(2, 5), (1, 3)]

    def test_a_line_gets_all_or_nothing_and_the_answer_says_how_much_there_was(self) -> None:
        promised = promise([WantedLine(7, 1, 6)], [stock(1, 5)], TODAY)
        assert promised.takes == ()
        assert (promised.short[0].quantity, promised.short[0].free) == (6, 5)
        assert promised.short[0].why is Shortage.NO_STOCK

    def test_goods_under_their_least_life_explain_the_shortage(self) -> None:
        promised = promise([WantedLine(7, 1, 3, min_life_ship_days=30)], [stock(1, 5, 10)], TODAY)
        assert promised.short[0].why is Shortage.LIFE_TOO_SHORT

    def test_goods_under_their_least_life_are_passed_over_for_later_ones(self) -> None:
        promised = promise([WantedLine(7, 1, 3, min_life_ship_days=30)], [stock(1, 5, 10), stock(2, 5, 40)], TODAY)
        assert [take.stock_id for take in promised.takes] == [2]

    def test_two_lines_of_one_sku_share_what_there_is(self) -> None:
        promised = promise([WantedLine(7, 1, 3), WantedLine(8, 1, 3)], [stock(1, 5)], TODAY)
        assert [take.line_id for take in promised.takes] == [7]
        assert [(short.line_id, short.free) for short in promised.short] == [(8, 2)]

    @given(
        st.lists(
            st.builds(WantedLine, st.integers(1, 9), st.integers(1, 2), st.integers(1, 9)),
            unique_by=lambda line: line.line_id,
        ),
        st.lists(
            st.tuples(
                st.integers(1, 9), st.integers(1, 2), st.integers(0, 9), st.one_of(st.none(), st.integers(-3, 40))
            )
        ),
    )
    def test_promises_are_whole_within_what_is_free_and_in_turn(
        self, lines: list[WantedLine], rows: list[tuple[int, int, int, int | None]]
    ) -> None:
        by_id = {row[0]: stock(row[0], row[2], row[3], sku=row[1]) for row in rows}
        promised = promise(lines, by_id.values(), TODAY)
        wanted = {line.line_id: line for line in lines}
        given_out: dict[int, int] = dict.fromkeys(by_id, 0)
        whole: dict[int, int] = {}
        for take in promised.takes:
            assert by_id[take.stock_id].sku_id == wanted[take.line_id].sku_id
            assert may_ship(by_id[take.stock_id].expires_on, TODAY, 0)
            given_out[take.stock_id] += take.quantity
            whole[take.line_id] = whole.get(take.line_id, 0) + take.quantity
        assert all(quantity <= by_id[stock_id].free for stock_id, quantity in given_out.items())
        assert whole == {line_id: wanted[line_id].quantity for line_id in whole}
        assert set(whole) | {short.line_id for short in promised.short} == set(wanted)
        assert set(whole).isdisjoint(short.line_id for short in promised.short)
        for sku_id in (1, 2):
            turn = [
                row for row in in_turn(by_id.values()) if row.sku_id == sku_id and may_ship(row.expires_on, TODAY, 0)
            ]
            emptied = [given_out[row.stock_id] < row.free for row in turn]
            first_left = emptied.index(True) if True in emptied else len(turn)
            assert all(given_out[row.stock_id] == 0 for row in turn[first_left + 1 :])


class TestWaves:
    def order(self, order_id: int, *content: tuple[int, int], courier: str = "YD", hours: int = 0) -> WaitingOrder:
        return WaitingOrder(order_id, courier, CUT_OFF + timedelta(hours=hours), content or ((order_id, 1), (99, 1)))

    def test_a_wave_has_one_courier_and_one_cut_off(self) -> None:
        drafts = waves([self.order(1), self.order(2, courier="ZT"), self.order(3, hours=4), self.order(4)])
        assert [(draft.courier, draft.order_ids) for draft in drafts] == [("YD", (1, 4)), ("ZT", (2,)), ("YD", (3,))]

    def test_one_line_orders_go_apart(self) -> None:
        drafts = waves([self.order(1, (5, 1)), self.order(2, (5, 1), (6, 1)), self.order(3, (7, 2))])
        assert [(draft.kind, draft.order_ids) for draft in drafts] == [
            (WaveKind.SINGLE, (1, 3)),
            (WaveKind.MULTI, (2,)),
        ]

    def test_many_orders_of_one_content_are_hot_and_go_apart(self) -> None:
        hot = [self.order(number, (5, 1), (6, 2)) for number in (1, 2, 3)]
        drafts = waves([*hot, self.order(4, (5, 1), (6, 1))], hot_from=3)
        assert [(draft.kind, draft.order_ids) for draft in drafts] == [
            (WaveKind.HOT, (1, 2, 3)),
            (WaveKind.MULTI, (4,)),
        ]

    def test_one_order_too_few_is_not_hot(self) -> None:
        assert [draft.kind for draft in waves([self.order(1, (5, 1)), self.order(2, (5, 1))], hot_from=3)] == ["single"]

    def test_a_wave_has_a_bound(self) -> None:
        drafts = waves([self.order(number) for number in range(1, 8)], orders_max=3)
        assert [len(draft.order_ids) for draft in drafts] == [3, 3, 1]

    @given(st.lists(st.tuples(st.integers(1, 3), st.integers(0, 2), st.sampled_from(["YD", "ZT"])), max_size=40))
    def test_every_order_is_in_exactly_one_wave(self, facts: list[tuple[int, int, str]]) -> None:
        orders = [
            self.order(number, (sku, 1), courier=courier, hours=hours)
            for number, (sku, hours, courier) in enumerate(facts, 1)
        ]
        drafts = waves(orders, hot_from=3, orders_max=5)
        assert sorted(order_id for draft in drafts for order_id in draft.order_ids) == [o.order_id for o in orders]


class TestCancelling:
    @pytest.mark.parametrize("state", [OrderState.PLACED, OrderState.ALLOCATED, OrderState.SHORT, OrderState.CANCELLED])
    def test_before_release_an_order_is_off(self, state: OrderState) -> None:
        assert cancelling(state, "1") is Cancelled.OFF

    @pytest.mark.parametrize("state", [OrderState.RELEASED, OrderState.PICKING, OrderState.PICKED, OrderState.PACKED])
    def test_after_release_it_must_be_caught(self, state: OrderState) -> None:
        assert cancelling(state, "1") is Cancelled.CAUGHT

    def test_after_the_handover_it_is_too_late(self) -> None:
        with pytest.raises(Refused) as no:
            cancelling(OrderState.SHIPPED, "1")
        assert no.value.reason is Reason.ORDER_HANDED_OVER

    def test_every_state_has_an_answer(self) -> None:
        for state in set(OrderState) - {OrderState.SHIPPED}:
            assert cancelling(state, "1") in Cancelled


def test_an_order_with_nothing_promised_waits_as_short() -> None:
    assert [state_after(quantity) for quantity in (0, 1)] == [OrderState.SHORT, OrderState.ALLOCATED]
