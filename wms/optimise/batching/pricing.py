"""Exact tour lengths of very many sets of orders at once.

Every set's stops are the union of its orders' stops. Per aisle the six ways of walking depend only on the nearest,
the furthest and the largest gap; those are found for all sets together, and one pass of the ladder prices them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from wms.optimise.geometry import Stop
from wms.optimise.routing.ladder import NEVER, Ladder, shortest_length
from wms.optimise.routing.rect import Frame, place
from wms.optimise.routing.states import FROM_BOTH, FROM_HIGH, FROM_LOW, SKIP

SETS_AT_ONCE = 1_024  # keeps one pass of the ladder within the processor's cache

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


class TourPricer:
    """Lengths of the shortest tours over sets of orders, each computed once and remembered."""

    def __init__(self, base: Frame, orders_stops: Sequence[Sequence[Stop]]) -> None:
        self._base = base
        placed = [place(base, stops) for stops in orders_stops]
        self._cells = sorted({cell for one in placed for cell in one.inside})
        self._crossings = sorted({node for one in placed for node in one.crossings} | {base.start, base.end})
        self._index_positions([one.inside for one in placed])
        self._visits = np.zeros((len(self._crossings), len(placed)), dtype=np.bool_)
        for order, one in enumerate(placed):
            for index, node in enumerate(self._crossings):
                self._visits[index, order] = node in one.crossings
        self._always = np.array([node in (base.start, base.end) for node in self._crossings])
        self._known: dict[frozenset[int], int] = {}
        self.priced = 0

    def _index_positions(self, inside: list[dict[tuple[int, int], list[int]]]) -> None:
        """Occupied positions as one row per (cell, k-th position), padded to the longest cell."""
        base = self._base
        ys = {cell: sorted({y for one in inside for y in one.get(cell, ())}) for cell in self._cells}
        longest = max((len(values) for values in ys.values()), default=0)
        self._offset = np.zeros((longest, len(self._cells), 1), dtype=np.int64)
        self._occupied = np.zeros((longest, len(self._cells), len(inside)), dtype=np.bool_)
        self._length = np.zeros((len(self._cells), 1), dtype=np.int64)
        for c, (column, row) in enumerate(self._cells):
            low = base.row_y_mm[row]
            self._length[c, 0] = base.empty_cost[column, row, 1]
            rank = {y: k for k, y in enumerate(ys[column, row])}
            for y, k in rank.items():
                self._offset[k, c, 0] = y - low
            for order, one in enumerate(inside):
                for y in one.get((column, row), ()):
                    self._occupied[rank[y], c, order] = True

    def lengths(self, sets: Sequence[frozenset[int]]) -> list[int]:
        """Length of each set's shortest tour, in mm."""
        missing = list({one for one in sets if one not in self._known})
        for begin in range(0, len(missing), SETS_AT_ONCE):
            part = missing[begin : begin + SETS_AT_ONCE]
            for one, length in zip(part, self._price(part).tolist(), strict=True):
                self._known[one] = length
        return [self._known[one] for one in sets]

    def length(self, one: Iterable[int]) -> int:
        return self.lengths([frozenset(one)])[0]

    def _price(self, sets: list[frozenset[int]]) -> Ints:
        self.priced += len(sets)
        member = _members(sets)
        shape = (*self._base.empty_cost.shape, len(sets))
        cost = np.broadcast_to(self._base.empty_cost[..., None], shape).copy()
        if self._cells:
            columns, rows = np.array(self._cells).T
            cost[columns, rows] = self._ways(member)
        visits = _union(self._visits, member) | self._always[:, None]
        touch = {node: visits[index] for index, node in enumerate(self._crossings)}
        return shortest_length(Ladder(cost, self._base.across_cost, touch, self._base.flips))

    def _ways(self, member: NDArray[np.int64]) -> Ints:
        """Costs [cells, 6, sets] of walking each cell, from one scan over its positions."""
        count = member.shape[1]
        nearest = np.full((len(self._cells), count), -1, dtype=np.int64)
        furthest = np.full_like(nearest, -1)
        gap = np.zeros_like(nearest)
        for offset, occupied in zip(self._offset, self._occupied, strict=True):
            here = _union(occupied, member)
            nearest = np.where(here & (nearest < 0), offset, nearest)
            gap = np.where(here & (furthest >= 0), np.maximum(gap, offset - furthest), gap)
            furthest = np.where(here, offset, furthest)
        some = nearest >= 0
        ways = np.empty((len(self._cells), 6, count), dtype=np.int64)
        ways[:, SKIP] = np.where(some, NEVER, 0)
        ways[:, 1] = self._length
        ways[:, 2] = 2 * self._length
        ways[:, FROM_LOW] = np.where(some, 2 * furthest, NEVER)
        ways[:, FROM_HIGH] = np.where(some, 2 * (self._length - nearest), NEVER)
        ways[:, FROM_BOTH] = np.where(gap > 0, 2 * (self._length - gap), NEVER)
        return ways


def _members(sets: list[frozenset[int]]) -> NDArray[np.int64]:
    """Orders of each set as columns [largest set, sets], short ones filled up with their own first order."""
    largest = max(len(one) for one in sets)
    rows = [[*one, *[next(iter(one))] * (largest - len(one))] for one in sets]
    return np.array(rows, dtype=np.int64).T


def _union(marks: Bools, member: NDArray[np.int64]) -> Bools:
    """Marks [places, orders] joined over the orders of each set: [places, sets]."""
    joined = marks[:, member[0]]
    for row in member[1:]:
        joined |= marks[:, row]
    return joined
