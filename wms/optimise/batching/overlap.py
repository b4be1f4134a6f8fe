"""Which orders walk into the same parts of the hall: a first plan for any number of orders, in one look at each.

A part is one aisle between two cross aisles. An order costs a batch the parts it adds, less most of what it would cost
alone: so large orders that overlap much are taken before small ones that fit anywhere (a seed algorithm with a
relative measure; de Koster, van der Poort and Wolters, IJPR 37, 1999, compare absolute ones).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from wms.optimise.batching.loads import Loads
from wms.optimise.batching.problem import Order
from wms.optimise.geometry import RectHall

Sets = list[frozenset[int]]
Ints = NDArray[np.int64]
Floats = NDArray[np.float32]

ALONE = 0.7  # share of its own cost that an order brings with it
REACH = 0.3  # cost of walking one aisle further, in parts
ORDERS_AT_ONCE = 5_000  # looked at for each place in a batch
NOT_ALLOWED = np.float32(1e9)


class Parts:
    """Per order the parts of the hall it walks into, what that costs alone, and how far it reaches."""

    def __init__(self, orders: Sequence[Order], hall: RectHall) -> None:
        rows = np.array(hall.cross_y_mm[1:-1], dtype=np.int64)
        owner = np.repeat(np.arange(len(orders)), [len(order.stops) for order in orders])
        stops = np.array([stop for order in orders for stop in order.stops], dtype=np.int64).reshape(-1, 2)
        self.visits: Floats = np.zeros((len(orders), len(hall.aisle_x_mm) * hall.blocks), dtype=np.float32)
        self.visits[owner, stops[:, 0] * hall.blocks + np.searchsorted(rows, stops[:, 1])] = 1.0
        pitch = np.array(hall.aisle_x_mm, dtype=np.float64) - hall.start_point.x_mm
        step = max(1.0, float(np.ptp(pitch)) / max(1, len(pitch) - 1))
        self.reach: Floats = np.zeros(len(orders), dtype=np.float32)
        np.maximum.at(self.reach, owner, (np.abs(pitch)[stops[:, 0]] / step).astype(np.float32))
        self.alone: Floats = self.visits.sum(axis=1) + np.float32(REACH) * self.reach


def overlapping(parts: Parts, loads: Loads, cancel: Callable[[], bool]) -> Sets:
    """Batches of orders that walk to the same parts, the longest order first; once cancelled, each alone."""
    batches: Sets = []
    turn = np.lexsort((parts.alone, parts.reach, loads.mix))
    for begin in range(0, len(turn), ORDERS_AT_ONCE):
        batches += _overlapping(parts, loads, np.sort(turn[begin : begin + ORDERS_AT_ONCE]), cancel)
    return batches


def _overlapping(parts: Parts, loads: Loads, orders: Ints, cancel: Callable[[], bool]) -> Sets:
    visits, alone, reach = parts.visits[orders], parts.alone[orders], parts.reach[orders]
    load, mix = loads.load[orders], loads.mix[orders]
    free = np.ones(len(orders), dtype=np.bool_)
    batches: Sets = []
    for seed in np.argsort(-alone, kind="stable").tolist():
        if not free[seed]:
            continue
        near = np.flatnonzero(free & (mix == mix[seed]))
        at = int(np.searchsorted(near, seed))
        members = _ridden_with(near, at, visits[near], alone[near], reach[near], load[near], loads, cancel)
        free[members] = False
        batches.append(frozenset(orders[members].tolist()))
    return batches


def _ridden_with(
    orders: Ints,
    seed: int,
    visits: Floats,
    alone: Floats,
    reach: Floats,
    load: Ints,
    loads: Loads,
    cancel: Callable[[], bool],
) -> Ints:
    """The seed and those of the orders that are taken to it one by one, as long as a cart carries them."""
    members, carried = [seed], load[seed].copy()
    missing, furthest = 1.0 - visits[seed], reach[seed]
    taken = np.zeros(len(orders), dtype=np.bool_)
    taken[seed] = True
    while not cancel():
        added = visits @ missing + REACH * np.maximum(reach - furthest, 0) - ALONE * alone
        added[taken | ~loads.fits(carried + load)] = NOT_ALLOWED
        best = int(added.argmin())
        if added[best] == NOT_ALLOWED:
            break
        taken[best] = True
        members.append(best)
        carried += load[best]
        missing, furthest = np.minimum(missing, 1.0 - visits[best]), max(furthest, reach[best])
    return orders[members]


def insert(batches: Sets, fresh: Sequence[int], parts: Parts, loads: Loads, cancel: Callable[[], bool]) -> Sets:
    """The batches with further orders: each goes where it adds least; those that fit nowhere ride together."""
    grown = list(batches)
    visited = np.array([parts.visits[list(one)].max(axis=0) for one in grown]).reshape(-1, parts.visits.shape[1])
    carried = np.array([loads.total(one) for one in grown]).reshape(-1, loads.load.shape[1])
    mix = np.array([loads.mix[next(iter(one))] for one in grown], dtype=np.int64)
    left: list[int] = []
    for order in sorted(fresh, key=lambda order: -float(parts.alone[order])):
        fits = np.flatnonzero(loads.fits(carried + loads.load[order]) & (mix == loads.mix[order]))
        if not len(fits):
            left.append(order)
            continue
        best = int(fits[((1.0 - visited[fits]) @ parts.visits[order]).argmin()])
        grown[best] = grown[best] | {order}
        visited[best] = np.maximum(visited[best], parts.visits[order])
        carried[best] += loads.load[order]
    return grown + (_overlapping(parts, loads, np.array(sorted(left)), cancel) if left else [])
