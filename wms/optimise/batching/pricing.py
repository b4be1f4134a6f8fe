"""Exact tour lengths of very many sets of orders at once.

Every set's stops are the union of its orders' stops. Per aisle the six ways of walking depend only on the nearest,
the furthest and the largest gap; those are found for all sets together, and one pass of the ladder prices them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from wms.optimise.geometry import Stop
from wms.optimise.routing.ladder import NEVER, Ladder, shortest_length
from wms.optimise.routing.rect import Frame, Placed, place
from wms.optimise.routing.states import FROM_BOTH, FROM_HIGH, FROM_LOW, ONCE, SKIP, TWICE

SETS_AT_ONCE = 1_024  # keeps one pass of the ladder within the processor's cache

BITS_MAX = 12  # positions looked up at once: tables of 4,096 values per cell stay in the processor's cache
FEW_POSITIONS, BITS_OF_MANY = 100, 8  # where a cell has more positions, smaller tables save memory
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
        crossing = {node: index for index, node in enumerate(self._crossings)}
        for order, one in enumerate(placed):
            for node in one.crossings:
                self._visits[crossing[node], order] = True
        self._last = self._last_columns(placed)
        self._always = np.array([node in (base.start, base.end) for node in self._crossings])
        self._known: dict[frozenset[int], int] = {}
        self.priced = 0
        self._scale()

    def _last_columns(self, placed: Sequence[Placed]) -> Ints:
        """Per order the last column its tours reach: none goes further, for it could go back along that column's aisle.

        With a hub every column may be worth walking to, and where aisles are closed too; so may the next one where a
        tour begins or ends between aisles.
        """
        base = self._base
        most = len(base.column_x_mm) - 1
        least = max(base.start[0], base.end[0])
        anywhere = base.hub is not None or bool(base.shut)
        least = most if anywhere else next(k for k in (*base.column_of_aisle, most) if k >= least)
        reach = [[column for column, _ in (*one.inside, *one.crossings)] for one in placed]
        return np.array([max([least, *columns]) for columns in reach], dtype=np.int64)

    def _index_positions(self, inside: list[dict[tuple[int, int], list[int]]]) -> None:
        """Which positions of each cell an order needs, as bits: some to a word, nearest in the lowest bit."""
        base = self._base
        found: dict[tuple[int, int], set[int]] = {cell: set() for cell in self._cells}
        for one in inside:
            for cell, places in one.items():
                found[cell].update(places)
        ys = {cell: sorted(places) for cell, places in found.items()}
        longest = max((len(values) for values in ys.values()), default=0)
        bits_max = BITS_MAX if longest <= FEW_POSITIONS else BITS_OF_MANY
        words = -(-longest // bits_max)
        self._bits_per_word = -(-longest // words) if words else 1
        self._offset: Costs = np.zeros((len(self._cells), self._bits_per_word * words), dtype=np.int64)
        self._bits = np.zeros((words, len(self._cells), len(inside)), dtype=np.uint16)
        self._length: Costs = np.zeros((len(self._cells), 1), dtype=np.int64)
        for c, (column, row) in enumerate(self._cells):
            self._length[c, 0] = base.length_mm((column, row))
            self._offset[c, : len(ys[column, row])] = base.offsets_mm((column, row), ys[column, row])
        index = {cell: c for c, cell in enumerate(self._cells)}
        rank = {cell: {y: k for k, y in enumerate(places)} for cell, places in ys.items()}
        for order, one in enumerate(inside):
            for cell, places in one.items():
                for y in places:
                    word, bit = divmod(rank[cell][y], self._bits_per_word)
                    self._bits[word, index[cell], order] |= 1 << bit

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
        width = self._bits_per_word
        self._words = [
            _word_table(self._offset[:, word * width : (word + 1) * width]) for word in range(len(self._bits))
        ]

    def lengths(self, sets: Sequence[frozenset[int]]) -> list[int]:
        """Length of each set's shortest tour, in mm."""
        known = self._known
        missing = list({one for one in sets if one not in known})
        if len(known) + len(missing) > KNOWN_MAX:
            known.clear()
            missing = list(set(sets))
        if missing:
            known.update(zip(missing, self.price(_members(missing)).tolist(), strict=True))
        return [known[one] for one in sets]

    def length(self, one: Iterable[int]) -> int:
        return self.lengths([frozenset(one)])[0]

    def price(self, member: Ints) -> Ints:
        """Lengths of the tours over the orders of each column of `member` [orders, sets]; none is remembered.

        An order may stand in a column more than once.
        """
        self.priced += member.shape[1]
        lengths = np.empty(member.shape[1], dtype=np.int64)
        last = self._last[member].max(axis=0)
        turn = np.argsort(last, kind="stable")
        for begin in range(0, len(turn), SETS_AT_ONCE):
            part = turn[begin : begin + SETS_AT_ONCE]
            lengths[part] = self._pass(member[:, part], int(last[part[-1]]) + 1)
        return lengths

    def _pass(self, member: Ints, columns: int) -> Ints:
        """Prices of some sets that walk in the first `columns` columns only."""
        cells = sum(column < columns for column, _ in self._cells)
        cost = np.repeat(self._empty[:columns], member.shape[1], axis=3)
        if cells:
            column, row = np.array(self._cells[:cells]).T
            cost[column, row] = self._ways(member, cells)
        visits = _visited(self._visits, member) | self._always[:, None]
        touch = {node: visits[index] for index, node in enumerate(self._crossings) if node[0] < columns}
        lengths = shortest_length(Ladder(cost, self._across[: columns - 1], touch, self._base.flips))
        return lengths.astype(np.int64) * self._unit

    def _ways(self, member: Ints, cells: int) -> Costs:
        """Costs [cells, 6, sets] of walking the first cells: from the nearest, the furthest and the largest gap."""
        nearest, furthest, gap = self._reaches(member, cells)
        some, whole = nearest >= 0, self._length[:cells]
        ways = np.empty((cells, 6, member.shape[1]), dtype=nearest.dtype)
        ways[:, SKIP] = np.where(some, NEVER, 0)
        ways[:, ONCE] = whole
        ways[:, TWICE] = 2 * whole
        ways[:, FROM_LOW] = np.where(some, 2 * furthest, NEVER)
        ways[:, FROM_HIGH] = np.where(some, 2 * (whole - nearest), NEVER)
        ways[:, FROM_BOTH] = np.where(gap > 0, 2 * (whole - gap), NEVER)
        return ways

    def _reaches(self, member: Ints, cells: int) -> tuple[Costs, Costs, Costs]:
        """Nearest and furthest position (-1: none) and largest gap [cells, sets], word after word."""
        shape = cells, member.shape[1]
        nearest, furthest, gap = (np.full(shape, fill, dtype=self._offset.dtype) for fill in (-1, -1, 0))
        row = np.arange(cells, dtype=np.intp)[:, None] << self._bits_per_word
        for bits, table in zip(self._bits[:, :cells], self._words, strict=True):
            found = bits[:, member[0]]
            for order in member[1:]:
                found |= bits[:, order]
            at = row + found
            some, seen = found != 0, furthest >= 0
            low = table.nearest.take(at)
            np.maximum(gap, table.gap.take(at), out=gap)
            np.maximum(gap, low - furthest, out=gap, where=some & seen)
            np.copyto(nearest, low, where=some & ~seen)
            np.copyto(furthest, table.furthest.take(at), where=some)
        return nearest, furthest, gap


class _WordTable(NamedTuple):
    """Nearest, furthest and largest gap for every value of a word [cells, values], flat."""

    nearest: Costs
    furthest: Costs
    gap: Costs


def _word_table(offset: Costs) -> _WordTable:
    """The table of the positions [cells, bits] of one word, grown by one higher bit at a time."""
    cells, bits = offset.shape
    nearest, furthest, gap = (np.zeros((cells, 1 << bits), dtype=offset.dtype) for _ in range(3))
    for bit in range(bits):
        here, half = offset[:, bit : bit + 1], 1 << bit
        nearest[:, half : 2 * half] = nearest[:, :half]
        nearest[:, half] = offset[:, bit]
        furthest[:, half : 2 * half] = here
        gap[:, half : 2 * half] = np.maximum(gap[:, :half], here - furthest[:, :half])
        gap[:, half] = 0
    return _WordTable(nearest.ravel(), furthest.ravel(), gap.ravel())


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
