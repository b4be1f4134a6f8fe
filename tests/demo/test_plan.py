"""The day as planned: the same from the same seed, whole before it begins, and with everything that shall go wrong."""

from __future__ import annotations

from collections import Counter

import pytest
from stdnum import ean

from wms.demo.plan import CYCLES, DAY, FAULT_LINES_MAX, DayPlan, at_local, plan_day, portions
from wms.demo.run import DAY_S_MAX, DAY_S_MIN, OPENS, pace


def ordered(plan: DayPlan) -> Counter[str]:
    """Pieces ordered of each SKU."""
    wanted: Counter[str] = Counter()
    for order in plan.orders:
        wanted.update(dict(order.lines))
    return wanted


def test_the_same_seed_plans_the_same_day() -> None:
    assert plan_day(7) == plan_day(7)


def test_another_seed_plans_other_orders_of_other_goods() -> None:
    one, other = plan_day(1), plan_day(2)
    assert [order.lines for order in one.orders] != [order.lines for order in other.orders]
    assert [sku.barcode for sku in one.skus] != [sku.barcode for sku in other.skus]


def test_the_usual_day_has_320_orders_of_600_goods_of_12_merchants() -> None:
    plan = plan_day(1)
    assert (len(plan.orders), len(plan.skus), len(plan.merchants)) == (320, 600, 12)


@pytest.mark.parametrize("seed", range(1, 6))
def test_numbers_and_bar_codes_are_used_once_and_are_sound(seed: int) -> None:
    plan = plan_day(seed)
    for codes in ([sku.code for sku in plan.skus], [order.no for order in plan.orders]):
        assert len(set(codes)) == len(codes)
    barcodes = {sku.barcode for sku in plan.skus}
    assert len(barcodes) == len(plan.skus)
    assert all(ean.is_valid(barcode) for barcode in barcodes)
    assert len({sku.name for sku in plan.skus}) == len(plan.skus), "a person tells goods apart by their names"


@pytest.mark.parametrize("seed", range(1, 6))
def test_all_that_is_ordered_is_in_the_house_but_for_two_goods_that_lack_two_pieces_each(seed: int) -> None:
    plan = plan_day(seed)
    wanted, there = ordered(plan), Counter({lot.sku: lot.quantity for lot in plan.lots if lot.asn.startswith("OPEN")})
    lacking = {sku: quantity - there[sku] for sku, quantity in wanted.items() if there[sku] < quantity}
    assert len(lacking) <= 2
    assert all(1 <= quantity <= 2 for quantity in lacking.values())


def test_a_morning_delivery_is_of_goods_nobody_ordered_so_that_it_cannot_change_a_fate() -> None:
    plan = plan_day(1)
    wanted = ordered(plan)
    late = [lot for lot in plan.lots if not lot.asn.startswith("OPEN")]
    assert late
    assert all(not wanted[lot.sku] for lot in late)


def test_each_order_belongs_to_the_first_release_after_it_was_placed() -> None:
    for order in plan_day(3).orders:
        releases = [at_local(DAY, clock) for clock in CYCLES]
        assert order.placed_at < releases[order.cycle]
        assert order.cycle == 0 or order.placed_at >= releases[order.cycle - 1]


@pytest.mark.parametrize("seed", range(1, 9))
def test_goods_that_are_not_in_their_slot_are_those_that_the_fewest_orders_want(seed: int) -> None:
    plan = plan_day(seed)
    small = [order for order in plan.orders if order.cycle == 0 and 1 < len(order.lines) <= FAULT_LINES_MAX]

    wanted = Counter(code for order in plan.orders for code in dict(order.lines))
    short = next(order for order in small if order.no == plan.faults.short_order)
    assert plan.faults.short_sku in dict(short.lines)
    assert wanted[plan.faults.short_sku] == min(wanted[code] for order in small for code in dict(order.lines))


@pytest.mark.parametrize("seed", range(1, 9))
def test_faults_meet_three_different_orders_of_the_first_release(seed: int) -> None:
    plan = plan_day(seed)
    faults, first = plan.faults, {order.no for order in plan.orders if order.cycle == 0}
    met = {faults.short_order, faults.cancelled_order, faults.no_read_order}
    assert len(met) == 3
    assert met <= first


@pytest.mark.parametrize("count", [10, 25, 100, 640])
def test_a_smaller_or_larger_day_is_planned_with_its_faults_in_time(count: int) -> None:
    plan = plan_day(1, count)
    assert len(plan.orders) == count
    assert plan.faults.full_chute_after <= count // 2
    assert plan.faults.gateway_killed_after <= max(1, count // 6), "three tables share the parcels"


def test_the_clock_runs_so_that_a_day_takes_from_twenty_seconds_to_seven_minutes() -> None:
    opens_to_last_release_s = (at_local(DAY, CYCLES[-1]) - at_local(DAY, OPENS)).total_seconds()
    for count in (10, 320, 5_000):
        assert DAY_S_MIN <= opens_to_last_release_s / pace(plan_day(1, count)) <= DAY_S_MAX


def test_portions_fit_a_bin_and_leave_nothing_out() -> None:
    assert list(portions(5, (100, 100, 100), 100)) == [5]
    by_volume = list(portions(1_000, (200, 200, 200), 100))
    assert by_volume == [19] * 52 + [12]
    by_weight = list(portions(100, (10, 10, 10), 5_000))
    assert by_weight == [11] * 9 + [1]


def test_a_piece_larger_than_a_bin_goes_alone() -> None:
    assert list(portions(3, (2_000, 900, 800), 80_000)) == [1, 1, 1]


def test_no_portion_of_nothing() -> None:
    assert list(portions(0, (10, 10, 10), 5)) == []
