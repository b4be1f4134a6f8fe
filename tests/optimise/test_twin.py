"""The twin says of many tours at once what the route planner says of each."""

from __future__ import annotations

import numpy as np
import pytest

from wms.optimise.bench.slot.hall import HALL
from wms.optimise.geometry import HallError, Point, RectHall, Stop
from wms.optimise.routing import plan_route
from wms.optimise.twin import Stops, tour_lengths_mm

ONE_BLOCK = RectHall((0, 3_000, 7_000), (0, 20_000), Point(3_000, 0))
THREE_BLOCKS = RectHall((0, 4_000, 8_000, 12_000), (0, 30_000, 61_000, 90_000), Point(5_000, 0))
OPEN_ENDED = RectHall((0, 4_000, 8_000), (0, 15_000, 40_000), Point(0, 0), Point(8_000, 40_000))


def random_tours(hall: RectHall, tours: int, stops_max: int, seed: int) -> list[list[Stop]]:
    """Stops anywhere, also twice, on crossings and at the depot; some tours have none."""
    dice = np.random.default_rng(seed)
    rows = list(hall.cross_y_mm)
    found = []
    for _ in range(tours):
        size = int(dice.integers(0, stops_max + 1))
        aisles = dice.integers(0, len(hall.aisle_x_mm), size)
        ys = np.where(dice.random(size) < 0.15, dice.choice(rows, size), dice.integers(rows[0], rows[-1] + 1, size))
        found.append([Stop(int(aisle), int(y)) for aisle, y in zip(aisles, ys, strict=True)])
    return found


def side_by_side(tours: list[list[Stop]]) -> Stops:
    flat = [(number, *stop) for number, tour in enumerate(tours) for stop in tour]
    tour, aisle, y_mm = np.array(flat, dtype=np.int64).reshape(-1, 3).T
    return Stops(tour, aisle, y_mm, len(tours))


@pytest.mark.parametrize("hall", [HALL, ONE_BLOCK, THREE_BLOCKS, OPEN_ENDED])
def test_tours_side_by_side_are_as_long_as_tours_one_by_one(hall: RectHall) -> None:
    tours = random_tours(hall, 120, 14, seed=7)
    assert tour_lengths_mm(hall, side_by_side(tours)).tolist() == [plan_route(hall, tour).length_mm for tour in tours]


def test_full_carts_of_the_standard_hall_are_as_long_as_one_by_one() -> None:
    tours = random_tours(HALL, 40, 40, seed=8)
    assert tour_lengths_mm(HALL, side_by_side(tours)).tolist() == [plan_route(HALL, tour).length_mm for tour in tours]


def test_the_order_of_the_stops_does_not_matter() -> None:
    stops = side_by_side(random_tours(THREE_BLOCKS, 30, 10, seed=9))
    mixed = np.random.default_rng(1).permutation(len(stops.tour))
    shuffled = Stops(stops.tour[mixed], stops.aisle[mixed], stops.y_mm[mixed], stops.tours)
    assert (tour_lengths_mm(THREE_BLOCKS, stops) == tour_lengths_mm(THREE_BLOCKS, shuffled)).all()


def test_nobody_to_walk_is_no_walk() -> None:
    none = np.zeros(0, dtype=np.int64)
    assert tour_lengths_mm(HALL, Stops(none, none, none, 3)).tolist() == [0, 0, 0]


def test_a_hall_that_needs_a_search_is_refused() -> None:
    hall = RectHall((0, 4_000), (0, 20_000), Point(0, 0), Point(4_000, 20_000))
    many = RectHall((0, 4_000), (0, 10, 20, 30, 40, 50, 60), Point(0, 0))
    none = np.zeros(0, dtype=np.int64)
    assert tour_lengths_mm(hall, Stops(none, none, none, 1)).tolist() == [24_000]
    with pytest.raises(HallError, match="four blocks"):
        tour_lengths_mm(many, Stops(none, none, none, 1))
