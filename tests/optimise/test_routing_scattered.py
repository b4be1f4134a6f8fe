"""Choosing cells and tour together."""

from __future__ import annotations

import random
from itertools import product

import pytest

from tests.optimise.oracles import random_hall, random_stops
from wms.optimise.check import RouteProblem, violations
from wms.optimise.geometry import HallError, RectHall, Stop
from wms.optimise.routing import plan_route
from wms.optimise.routing.scattered import Effort, ScatteredRoute, Supply, plan_scattered_route


def shortest_by_trying_all_choices(hall: RectHall, supplies: list[Supply], needs: dict[str, int]) -> int:
    lengths = []
    for chosen in product((False, True), repeat=len(supplies)):
        taken = [supply for supply, is_taken in zip(supplies, chosen, strict=True) if is_taken]
        if all(sum(s.quantity for s in taken if s.article == article) >= need for article, need in needs.items()):
            lengths.append(plan_route(hall, [supply.stop for supply in taken]).length_mm)
    return min(lengths)


def picked(supplies: list[Supply], found: ScatteredRoute) -> dict[str, int]:
    total: dict[str, int] = {}
    for pick in found.picks:
        assert 0 < pick.quantity <= supplies[pick.supply].quantity
        article = supplies[pick.supply].article
        total[article] = total.get(article, 0) + pick.quantity
    return total


@pytest.mark.parametrize("blocks", [1, 2, 3])
def test_no_choice_of_cells_is_shorter_than_a_proved_route(blocks: int) -> None:
    dice = random.Random(blocks)
    proved = 0
    for _ in range(12):
        hall = random_hall(dice, blocks)
        hall = RectHall(hall.aisle_x_mm, hall.cross_y_mm, hall.depot)
        supplies = [Supply(dice.choice("abc"), stop, dice.randint(1, 2)) for stop in random_stops(dice, hall, 7)]
        needs = {supply.article: dice.randint(1, supply.quantity) for supply in supplies}
        found = plan_scattered_route(hall, supplies, needs)
        best = shortest_by_trying_all_choices(hall, supplies, needs)
        assert found.route.lower_bound_mm <= best <= found.route.length_mm
        assert picked(supplies, found) == needs
        stops = [supplies[pick.supply].stop for pick in found.picks]
        assert violations(RouteProblem(hall, stops, hall.start_point, hall.end_point), found.route) == []
        if found.route.optimal:
            assert found.route.length_mm == best
            proved += 1
    assert proved >= 10


def test_a_narrow_search_never_claims_what_it_did_not_prove() -> None:
    dice = random.Random(5)
    hall = RectHall(tuple(range(0, 50, 5)), (0, 60))
    for _ in range(5):
        supplies = [Supply(str(number % 8), stop, 1) for number, stop in enumerate(random_stops(dice, hall, 60))]
        needs = dict.fromkeys("01234567", 1)
        narrow = plan_scattered_route(hall, supplies, needs, effort=Effort(5, ((2, 2),))).route
        wide = plan_scattered_route(hall, supplies, needs).route
        assert narrow.lower_bound_mm <= wide.length_mm
        assert not narrow.optimal or narrow.length_mm <= wide.length_mm


def test_too_little_of_an_article_is_named() -> None:
    with pytest.raises(HallError, match="article a: 3 are needed and 2 lie in the hall"):
        plan_scattered_route(RectHall((0, 5), (0, 10)), [Supply("a", Stop(0, 5), 2)], {"a": 3})


def test_nothing_needed_is_no_walk() -> None:
    assert plan_scattered_route(RectHall((0, 5), (0, 10)), [Supply("a", Stop(0, 5), 2)], {}).route.length_mm == 0
