"""Plans of layouts: cheapest flows at true prices, receipts into free places only, moves that pay, silence at noise."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from wms.optimise.bench.slot.hall import GROUND, SLOTS
from wms.optimise.geometry import Point, RectHall, Stop
from wms.optimise.routing import plan_route
from wms.optimise.slotting.flow import assign, prices
from wms.optimise.slotting.forecast import believed, signal, speeds
from wms.optimise.slotting.ideal import Ideal
from wms.optimise.slotting.judge import Walks, replay
from wms.optimise.slotting.layout import Free, into_slots, ranked
from wms.optimise.slotting.plan import Move, Planner, moves, steer
from wms.optimise.slotting.receipts import bands_in_turn
from wms.optimise.slotting.values import Floats, Ground, Ints, Lines, Tuning, ground_of
from wms.optimise.slotting.visits import lonely_shares

TINY = ground_of(
    RectHall((0, 4_000), (0, 22_000), Point(0, 0)),
    np.repeat(np.array([0, 1]), 8),
    np.tile(np.arange(2_000, 18_000, 2_000), 2),
)


def cost_of(cost: Floats, band: Ints) -> float:
    return float(cost[np.arange(len(band)), band].sum())


def every_layout(cost: Floats, room: Ints) -> list[Ints]:
    skus, bands = cost.shape
    layouts = (np.array(each) for each in product(range(bands), repeat=skus))
    return [band for band in layouts if (np.bincount(band, minlength=bands) <= room).all()]


def test_a_band_is_a_stretch_of_a_lane_from_its_first_slot() -> None:
    assert TINY.lanes == 2
    assert TINY.band_slots.tolist() == [5, 3, 5, 3]
    assert TINY.lane_reach_m.tolist() == [0.0, 4.0]
    assert GROUND.band_slots.tolist() == [50] * 120


def test_lanes_behind_a_cross_aisle_are_measured_from_the_end_nearer_to_the_depot() -> None:
    hall = RectHall((0,), (0, 20_000, 40_000), Point(0, 40_000))
    ground = ground_of(hall, np.array([0, 0]), np.array([15_000, 39_000]))
    assert ground.slot_depth_m.tolist() == [5.0, 1.0]
    assert ground.lane_reach_m.tolist() == [20.0, 0.0]


@pytest.mark.parametrize("seed", range(8))
def test_the_flow_finds_the_cheapest_layout(seed: int) -> None:
    dice = np.random.default_rng(seed)
    cost, room = dice.integers(0, 50, (5, 3)).astype(float), np.array([2, 2, 1 + seed % 3])
    best = min(cost_of(cost, band) for band in every_layout(cost, room))
    band = assign(cost, room)
    assert (np.bincount(band, minlength=3) <= room).all()
    assert cost_of(cost, band) == best


@pytest.mark.parametrize("seed", range(5))
def test_at_the_prices_of_the_flow_everybody_is_content(seed: int) -> None:
    dice = np.random.default_rng(seed)
    cost, room = dice.random((40, 6)) * 100, np.full(6, 8)
    band = assign(cost, room)
    judged = cost + prices(cost, band, room)
    assert (judged[np.arange(40), band] <= judged.min(axis=1) + 1e-2).all()
    assert (prices(cost, band, room)[np.bincount(band, minlength=6) < room] == 0).all()


def test_goods_that_may_lie_nowhere_are_told() -> None:
    cost = np.array([[1.0, np.inf], [np.inf, np.inf]])
    with pytest.raises(ValueError, match="may lie in"):
        assign(cost, np.array([2, 2]))
    with pytest.raises(ValueError, match="3 SKUs do not fit into 2 places"):
        assign(np.ones((3, 2)), np.array([1, 1]))


def test_few_arcs_give_the_same_plan_as_all_arcs() -> None:
    cost, room = np.random.default_rng(3).random((300, 60)) * 100, np.full(60, 6)
    band = assign(cost, room)
    again = assign(cost, room, prices(cost, band, room))
    assert cost_of(cost, again) == pytest.approx(cost_of(cost, band), abs=0.5)


def lawful_turns(left: Ints, free: Ints, bands: Ints) -> bool:
    """Whether every receipt found a place free when it came."""
    room = free.copy()
    for leaves, takes in zip(left, bands, strict=True):
        room[leaves] += 1
        room[takes] -= 1
        if room[takes] < 0:
            return False
    return True


@pytest.mark.parametrize("seed", range(6))
def test_receipts_take_only_what_is_free_when_they_come_and_no_plan_is_cheaper(seed: int) -> None:
    dice = np.random.default_rng(seed)
    cost = dice.integers(0, 50, (5, 3)).astype(float)
    left, free = dice.integers(0, 3, 5), np.array([1, 0, 0])
    lawful = [np.array(each) for each in product(range(3), repeat=5) if lawful_turns(left, free, np.array(each))]
    bands = bands_in_turn(cost, free, left)
    assert lawful_turns(left, free, bands)
    assert cost_of(cost, bands) == min(cost_of(cost, each) for each in lawful)


def test_without_receipts_nothing_is_steered() -> None:
    assert bands_in_turn(np.zeros((0, 3)), np.ones(3, dtype=np.int64), np.zeros(0, dtype=np.int64)).tolist() == []


def an_ideal(ground: Ground, cost: Floats) -> Ideal:
    band = assign(cost, ground.band_slots)
    return Ideal(cost, prices(cost, band, ground.band_slots), band, np.ones(len(cost)), 1.0)


def test_steering_never_puts_two_skus_into_one_slot_and_touches_no_other() -> None:
    dice = np.random.default_rng(5)
    place = dice.permutation(16)[:12]
    receipts = np.array([1, 4, 5, 9])
    after = steer(TINY, place, receipts, an_ideal(TINY, dice.random((12, 4)) * 10))
    assert len(set(after.tolist())) == 12
    others = np.setdiff1d(np.arange(12), receipts)
    assert (after[others] == place[others]).all()


def test_moves_pay_go_to_free_slots_and_stay_within_their_number() -> None:
    dice = np.random.default_rng(6)
    place = dice.permutation(16)[:12]
    cost = dice.random((12, 4)) * 200
    tuning = Tuning(payback_weeks=2.0, move_cost_m=60.0)
    fixed = np.zeros(12, dtype=np.bool_)
    fixed[3] = True
    planned = moves(TINY, place, an_ideal(TINY, cost), tuning, 3, fixed)
    assert 0 < len(planned) <= 3
    lies = place.copy()
    for move in planned:
        assert lies[move.sku] == move.source
        assert move.target not in lies
        assert move.sku != 3
        assert move.gain_m > 30.0
        lies[move.sku] = move.target
    assert moves(TINY, place, an_ideal(TINY, cost), Tuning(move_cost_m=1e6), 3, fixed) == []


def test_a_band_gives_its_shallowest_free_slot_first() -> None:
    free = Free(TINY, np.array([0, 2]))
    assert [free.take(0) for _ in range(3)] == [1, 3, 4]
    free.leave(0)
    assert free.take(0) == 0
    assert free.count.tolist() == [0, 3, 5, 3]


def test_the_first_guess_puts_the_fastest_nearest() -> None:
    band = ranked(TINY, np.array([1.0, 9.0, 5.0, 2.0, 3.0, 4.0]))
    assert band.tolist() == [1, 0, 0, 0, 0, 0]


def test_whoever_lies_in_his_band_stays_in_his_slot() -> None:
    place = np.array([4, 0, 8])
    assert into_slots(TINY, np.array([0, 1, 0]), np.ones(3), place).tolist() == [4, 5, 0]


def test_the_forecast_halves_its_memory_and_a_sku_never_ordered_has_no_speed() -> None:
    assert speeds(np.array([[3.0, 0.0], [0.0, 0.0]]), 1.0).tolist() == [1.0, 0.0]
    assert speeds(np.zeros((0, 2)), 1.0).tolist() == [0.0, 0.0]


def test_a_past_that_says_nothing_is_not_believed() -> None:
    dice = np.random.default_rng(2)
    rates = dice.gamma(0.5, 4.0, 800)
    steady = dice.poisson(rates, (12, 800)).astype(float)
    noise = np.array([dice.permutation(week) for week in steady])
    assert signal(steady, 2.0) > 0.7
    assert signal(noise, 2.0) < 0.1
    assert believed(np.array([1.0, 3.0]), 0.0).tolist() == [2.0, 2.0]


def test_a_sku_bought_with_others_costs_less_among_them() -> None:
    order, sku = np.repeat(np.arange(30), 2), np.tile(np.array([0, 1]), 30)
    lines = Lines(order, sku, np.zeros(60, dtype=np.int64))
    tuning = Tuning(tour_lines_max=2)
    share = lonely_shares(lines, np.array([1, 0, 0]), 2, tuning)
    assert share[0, 0] < 0.2 < 0.9 < share[0, 1]
    assert lonely_shares(Lines(*(np.zeros(0, dtype=np.int64),) * 3), np.array([1]), 2, tuning).tolist() == [[1.0, 1.0]]


def test_a_planner_that_learns_nothing_leaves_all_where_it_is() -> None:
    dice = np.random.default_rng(4)
    skus = 200
    counts = np.array([dice.permutation(np.arange(skus) % 7) for _ in range(8)]).astype(float)
    sku = np.tile(np.arange(skus), 8)
    lines = Lines(np.arange(8 * skus) // 5, sku, np.repeat(np.arange(8), skus))
    place = dice.permutation(len(SLOTS))[:skus]
    planner = Planner(GROUND)
    ideal = planner.ideal(counts, lines, place)
    assert (planner.steer(place, np.arange(0, skus, 3), ideal) == place).all()
    assert planner.moves(place, ideal, 60, np.zeros(0, dtype=np.int64)) == []


def test_goods_only_move_where_these_very_goods_may_lie() -> None:
    dice = np.random.default_rng(6)
    place = dice.permutation(16)[:12]
    ideal = an_ideal(TINY, dice.random((12, 4)) * 200)
    free = np.setdiff1d(np.arange(16), place)
    only = np.zeros(16, dtype=np.bool_)
    only[free[-1]] = True
    planned = moves(TINY, place, ideal, Tuning(move_cost_m=1.0), 5, None, lambda sku: only)
    assert [move.target for move in planned][:1] in ([], [int(free[-1])])
    assert moves(TINY, place, ideal, Tuning(move_cost_m=1.0), 5, None, lambda sku: ~only & False) == []


def test_a_full_band_is_hoped_for_again_when_somebody_leaves_it() -> None:
    place = np.r_[np.arange(5), 8]  # band 0 is full; SKU 5 in the far lane would love it
    cost = np.zeros((6, 4))
    cost[0] = [900.0, 0.0, 900.0, 900.0]
    cost[5] = [0.0, 800.0, 850.0, 850.0]
    ideal = Ideal(cost, np.zeros(4), np.zeros(6, dtype=np.int64), np.ones(6), 1.0)
    planned = moves(TINY, place, ideal, Tuning(move_cost_m=10.0), 5)
    assert [(move.sku, move.target) for move in planned] == [(0, 5), (5, 0)]


def test_a_replay_is_the_difference_of_tours_walked_one_by_one() -> None:
    hall = RectHall((0, 4_000), (0, 22_000), Point(0, 0))
    aisle, y_mm = np.repeat(np.array([0, 1]), 8), np.tile(np.arange(2_000, 18_000, 2_000), 2)
    walks = Walks(np.array([0, 0, 1, 1, 2]), np.array([0, 1, 0, 2, 2]), 3)
    place = np.array([15, 1, 2])
    made = [Move(0, 15, 0, 1.0), Move(1, 1, 3, 1.0)]

    def metres(layout: list[int]) -> float:
        tours = [
            [Stop(int(aisle[layout[sku]]), int(y_mm[layout[sku]])) for sku in tour] for tour in ((0, 1), (0, 2), (2,))
        ]
        return sum(plan_route(hall, tour).length_mm for tour in tours) / 1000.0

    found = replay(hall, aisle, y_mm, walks, place, made)
    assert found.walked_m == metres([15, 1, 2])
    assert found.planned_m == metres([0, 3, 2])
    assert found.saved_m == (metres([15, 1, 2]) - metres([0, 1, 2]), metres([15, 1, 2]) - metres([15, 3, 2]))
