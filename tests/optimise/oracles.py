"""Slow and obvious answers to compare with, and random halls small enough for them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import permutations

from wms.optimise.geometry import Point, RectHall, Stop, distance_mm, stop_point


def shortest_by_trying_all(hall: RectHall, stops: Sequence[Stop], start: Point, end: Point) -> int:
    """Length of the shortest tour by Held and Karp's recursion over subsets (JSIAM 10, 1962)."""
    places = sorted({stop_point(hall, stop) for stop in stops})
    best = {(1 << k, k): distance_mm(hall, start, place) for k, place in enumerate(places)}
    for visited in range(1, 1 << len(places)):
        for last in range(len(places)):
            if (visited, last) not in best:
                continue
            for after in range(len(places)):
                if visited >> after & 1:
                    continue
                key = (visited | 1 << after, after)
                length = best[visited, last] + distance_mm(hall, places[last], places[after])
                best[key] = min(best.get(key, length), length)
    everything = (1 << len(places)) - 1
    if not places:
        return distance_mm(hall, start, end)
    return min(best[everything, k] + distance_mm(hall, place, end) for k, place in enumerate(places))


def cheapest_cycle(cost: Sequence[Sequence[int]]) -> int:
    """Length of the cheapest way from place 0 over all to the last place, any order in between."""
    last = len(cost) - 1
    middle = range(1, last)
    return min(
        sum(cost[a][b] for a, b in zip((0, *order), (*order, last), strict=True)) for order in permutations(middle)
    )


def random_hall(dice: random.Random, blocks: int) -> RectHall:
    """A hall with uneven spacing whose tours begin and end somewhere on the cross aisles, also between aisles."""
    aisle_x = tuple(sorted(dice.sample(range(40), dice.randint(1, 4))))
    cross_y = tuple(sorted(dice.sample(range(-10, 60), blocks + 1)))
    depot = Point(dice.randint(aisle_x[0], aisle_x[-1]), dice.choice(cross_y))
    end = Point(dice.randint(aisle_x[0], aisle_x[-1]), dice.choice(cross_y)) if dice.random() < 0.5 else None
    return RectHall(aisle_x, cross_y, depot, end)


def random_hub_hall(dice: random.Random, blocks: int) -> RectHall:
    """A hall whose depot lies on open floor before the aisles."""
    hall = random_hall(dice, blocks)
    depot = Point(hall.aisle_x_mm[0], hall.cross_y_mm[0] - 5)
    spokes = tuple(x - depot.x_mm + dice.randint(3, 5) for x in hall.aisle_x_mm)
    return RectHall(hall.aisle_x_mm, hall.cross_y_mm, depot, spokes_mm=spokes)


def random_stops(dice: random.Random, hall: RectHall, count: int) -> list[Stop]:
    """Stops anywhere, now and then on a cross aisle or twice in one place."""
    stops: list[Stop] = []
    for _ in range(count):
        y = dice.randint(hall.cross_y_mm[0], hall.cross_y_mm[-1])
        if dice.random() < 0.2:
            y = dice.choice(hall.cross_y_mm)
        stops.append(Stop(dice.randrange(len(hall.aisle_x_mm)), y))
        if dice.random() < 0.1:
            stops.append(stops[-1])
    return stops
