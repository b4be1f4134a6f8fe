"""Exact tour lengths of very many sets of orders at once.

Every set's stops are the union of its orders' stops. Per aisle the six ways of walking depend only on the nearest,
the furthest and the largest gap; those are found for all sets together, and one pass of the ladder prices them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wms.optimise.geometry import Stop
from wms.optimise.routing.ladder import NEVER, Ladder, shortest_length
from wms.optimise.routing.rect import Frame, place
from wms.optimise.routing.states import FROM_BOTH, FROM_HIGH, FROM_LOW, ONCE, SKIP, TWICE

SETS_AT_ONCE = 1_024  # keeps one pass of the ladder within the processor's cache

KNOWN_MAX = 2_000_000  # lengths remembered
EXACT_IN_32_BITS = 1 << 24

Ints = NDArray[np.int64]
Costs = NDArray[Any]  # whole numbers, as integers or as floats that hold them exactly
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
        self._scale()

    def _index_positions(self, inside: list[dict[tuple[int, int], list[int]]]) -> None:
        """Which positions of each cell an order needs, as bits: 64 positions to a word, nearest in the lowest bit."""
        base = self._base
        ys = {cell: sorted({y for one in inside for y in one.get(cell, ())}) for cell in self._cells}
        longest = max((len(values) for values in ys.values()), default=0)
        words = -(-longest // 64)
        self._offset: Costs = np.zeros((len(self._cells), 64 * words), dtype=np.int64)
        self._bits = np.zeros((words, len(self._cells), len(inside)), dtype=np.uint64)
        self._length: Costs = np.zeros((len(self._cells), 1), dtype=np.int64)
        for c, (column, row) in enumerate(self._cells):
            self._length[c, 0] = base.empty_cost[column, row, 1]
            rank = {y: k for k, y in enumerate(ys[column, row])}
            self._offset[c, : len(rank)] = [y - base.row_y_mm[row] for y in rank]
            for order, one in enumerate(inside):
                for y in one.get((column, row), ()):
                    self._bits[rank[y] // 64, c, order] |= np.uint64(1 << rank[y] % 64)

    def _scale(self) -> None:
        """Count in the largest unit that divides all lengths: small whole numbers are exact in 32-bit floats."""
        aisle, across = self._base.empty_cost, self._base.across_cost
        lengths = np.concatenate([aisle[aisle < NEVER], across.ravel(), self._offset.ravel(), self._length.ravel()])
        self._unit = max(1, int(np.gcd.reduce(lengths))) if len(lengths) else 1
        longest = 2 * int(aisle[..., 1][aisle[..., 1] < NEVER].sum() + across.sum()) // self._unit
        kind = np.float32 if longest < EXACT_IN_32_BITS else np.float64
        self._empty = np.where(aisle < NEVER, aisle // self._unit, NEVER).astype(kind)[..., None]
        self._across = across // self._unit
        self._offset = (self._offset // self._unit).astype(kind)
        self._length = (self._length // self._unit).astype(kind)

    def lengths(self, sets: Sequence[frozenset[int]]) -> list[int]:
        """Length of each set's shortest tour, in mm."""
        known = self._known
        missing = list({one for one in sets if one not in known})
        if len(known) + len(missing) > KNOWN_MAX:
            known.clear()
            missing = list(set(sets))
        for begin in range(0, len(missing), SETS_AT_ONCE):
            part = missing[begin : begin + SETS_AT_ONCE]
            known.update(zip(part, self._price(part).tolist(), strict=True))
        return [known[one] for one in sets]

    def length(self, one: Iterable[int]) -> int:
        return self.lengths([frozenset(one)])[0]

    def _price(self, sets: list[frozenset[int]]) -> Ints:
        self.priced += len(sets)
        member = _members(sets)
        cost = np.repeat(self._empty, len(sets), axis=3)
        if self._cells:
            columns, rows = np.array(self._cells).T
            cost[columns, rows] = self._ways(member)
        visits = _visited(self._visits, member) | self._always[:, None]
        touch = {node: visits[index] for index, node in enumerate(self._crossings)}
        lengths = shortest_length(Ladder(cost, self._across, touch, self._base.flips))
        return lengths.astype(np.int64) * self._unit

    def _ways(self, member: Ints) -> Costs:
        """Costs [cells, 6, sets] of walking each cell: from the nearest, the furthest and the largest gap."""
        nearest, furthest, gap = self._reaches(member)
        some = nearest >= 0
        ways = np.empty((len(self._cells), 6, member.shape[1]), dtype=nearest.dtype)
        ways[:, SKIP] = np.where(some, NEVER, 0)
        ways[:, ONCE] = self._length
        ways[:, TWICE] = 2 * self._length
        ways[:, FROM_LOW] = np.where(some, 2 * furthest, NEVER)
        ways[:, FROM_HIGH] = np.where(some, 2 * (self._length - nearest), NEVER)
        ways[:, FROM_BOTH] = np.where(gap > 0, 2 * (self._length - gap), NEVER)
        return ways

    def _reaches(self, member: Ints) -> tuple[Costs, Costs, Costs]:
        """Nearest and furthest position (-1: none) and largest gap [cells, sets], taking bit after bit away."""
        shape = len(self._cells), member.shape[1]
        nearest, furthest, gap = (np.full(shape, fill, dtype=self._offset.dtype) for fill in (-1, -1, 0))
        row = np.arange(shape[0])[:, None]
        for word, bits in enumerate(self._bits):
            left = bits[:, member[0]]
            for order in member[1:]:
                left |= bits[:, order]
            while left.any():
                rest = left & (left - np.uint64(1))
                here = left != 0
                position = np.bitwise_count((left ^ rest) - np.uint64(1)).astype(np.intp)
                offset = self._offset[row, np.where(here, position + 64 * word, 0)]
                gap = np.where(here & (furthest >= 0), np.maximum(gap, offset - furthest), gap)
                nearest = np.where(here & (nearest < 0), offset, nearest)
                furthest = np.where(here, offset, furthest)
                left = rest
        return nearest, furthest, gap


def _members(sets: list[frozenset[int]]) -> Ints:
    """Orders of each set as columns [largest set, sets], short ones filled up with their own first order."""
    largest = max(len(one) for one in sets)
    rows = [[*one, *[next(iter(one))] * (largest - len(one))] for one in sets]
    return np.array(rows, dtype=np.int64).T


def _visited(marks: Bools, member: Ints) -> Bools:
    """Marks [places, orders] joined over the orders of each set: [places, sets]."""
    joined = marks[:, member[0]]
    for row in member[1:]:
        joined |= marks[:, row]
    return joined
