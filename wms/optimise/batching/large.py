"""Very many orders: savings inside clusters of neighbours, then better plans for one neighbourhood after another."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from wms.optimise.batching.greedy import savings
from wms.optimise.batching.loads import Loads
from wms.optimise.batching.pricing import TourPricer
from wms.optimise.batching.problem import Order
from wms.optimise.batching.search import improve

Sets = list[frozenset[int]]
Places = NDArray[np.float64]

ORDERS_AT_ONCE = 150  # beyond this, all pairs of orders are too many to price
CLUSTER = 60
NEIGHBOURS = 12  # batches improved together


def places_of(orders: Sequence[Order]) -> Places:
    """Per order where it makes one walk: the furthest and the mean aisle, the furthest and the mean y."""
    rows = []
    for order in orders:
        aisles, ys = [stop.aisle for stop in order.stops] or [0], [stop.y_mm for stop in order.stops] or [0]
        rows.append([max(aisles), sum(aisles) / len(aisles), max(ys), sum(ys) / len(ys)])
    places = np.array(rows, dtype=np.float64).reshape(-1, 4)
    spread = places.max(axis=0, initial=1.0) - places.min(axis=0, initial=0.0)
    result: Places = places / np.where(spread > 0, spread, 1.0)
    return result


def savings_in_clusters(loads: Loads, tours: TourPricer, places: Places, cancel: Callable[[], bool]) -> Sets:
    """Savings among orders that walk to the same part of the hall; those left when cancelled stay alone."""
    order = np.lexsort((places[:, 2], np.round(places[:, 3] * 2), places[:, 0], loads.mix)).tolist()
    batches: Sets = []
    for begin in range(0, len(order), CLUSTER):
        alone = [frozenset([one]) for one in order[begin : begin + CLUSTER]]
        batches += alone if cancel() else savings(loads, tours, alone)
    return batches


def improve_neighbourhoods(
    batches: Sets,
    loads: Loads,
    tours: TourPricer,
    places: Places,
    setup_mm: int,
    cancel: Callable[[], bool],
    rounds: int,
    seed: int,
) -> Iterator[Sets]:
    """Shift and swap among a batch and those that walk where it does, one batch after the other."""
    dice = random.Random(seed)
    current = list(batches)
    for _ in range(rounds):
        centre = np.array([places[list(one)].mean(axis=0) for one in current])
        turns = list(range(len(current)))
        dice.shuffle(turns)
        gained = False
        for turn in turns:
            if cancel():
                break
            near = np.argsort(np.abs(centre - centre[turn]).sum(axis=1), kind="stable")[:NEIGHBOURS].tolist()
            before = [current[k] for k in near if current[k]]
            *_, after = before, *improve(before, loads, tours, setup_mm, cancel, len(before))
            if after is not before:
                gained = True
                for k, one in zip(near, [*after, *[frozenset[int]()] * len(near)], strict=False):
                    current[k] = one
        current = [one for one in current if one]
        if not gained:
            return
        yield list(current)
        if cancel():
            return
