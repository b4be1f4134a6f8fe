"""All sensible ways of walking each aisle when articles lie in several cells, and what each way passes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wms.optimise.routing.ladder import NEVER
from wms.optimise.routing.states import AISLE_WAYS, FROM_BOTH, FROM_HIGH, FROM_LOW, ONCE, SKIP, TWICE

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Options:
    """Ways of walking, sorted by aisle piece (column, row) and way; each pair has at least one.

    `first` [pieces * 6 + 1]: where each pair begins. `cost`: length; NEVER marks a pair without a real option.
    `units` [options, articles]: how much of each article is passed, at most what is needed. `low`, `high`: how far
    the piece is walked from below, and down to where from above (mm from below), -1 for not at all.
    """

    first: Ints
    cost: Ints
    units: NDArray[np.float32]
    low: Ints
    high: Ints


# Per piece: sorted offsets, and how much of each article lies at each [offsets, articles].
Stock = tuple[list[int], Ints]


def aisle_options(lengths: list[int | None], stock: Mapping[int, Stock], need: Ints) -> Options:
    """Options for pieces of the given lengths (None: no aisle there), with `stock` by piece number."""
    first, cost, low, high = [0], [], [], []
    units: list[Ints] = []
    nothing = np.zeros((1, len(need)), dtype=np.int64)
    for piece, length in enumerate(lengths):
        for ways in _ways_of_piece(length, stock.get(piece), need):
            for way_cost, way_low, way_high, _ in ways or [(NEVER, -1, -1, nothing)]:
                cost.append(way_cost)
                low.append(way_low)
                high.append(way_high)
            units.extend(way[3] for way in ways or [(NEVER, -1, -1, nothing)])
            first.append(len(cost))
    numbers = [np.array(values, dtype=np.int64) for values in (first, cost, low, high)]
    return Options(numbers[0], numbers[1], np.concatenate(units).astype(np.float32), numbers[2], numbers[3])


Way = tuple[int, int, int, Ints]


def _ways_of_piece(length: int | None, stock: Stock | None, need: Ints) -> list[list[Way]]:
    nothing = np.zeros((1, len(need)), dtype=np.int64)
    ways: list[list[Way]] = [[] for _ in range(AISLE_WAYS)]
    ways[SKIP] = [(0, -1, -1, nothing)]
    if length is None:
        return ways
    offsets, lying = stock or ([], nothing[:0])
    everything = np.minimum(lying.sum(axis=0, keepdims=True), need)
    ways[ONCE] = [(length, length, 0, everything)]
    ways[TWICE] = [(2 * length, length, 0, everything)]
    if offsets:
        _dead_ends(ways, length, offsets, lying, need)
    return ways


def _dead_ends(ways: list[list[Way]], length: int, offsets: list[int], lying: Ints, need: Ints) -> None:
    """Walking in from one end or both and back; only as far as something needed comes within reach."""
    from_low = np.minimum(lying.cumsum(axis=0), need)
    from_high = np.minimum(lying[::-1].cumsum(axis=0)[::-1], need)
    lows, highs = _growing(from_low), [len(offsets) - 1 - k for k in _growing(from_high[::-1])]
    for k in lows:
        ways[FROM_LOW].append((2 * offsets[k], offsets[k], -1, from_low[k : k + 1]))
    for k in highs:
        ways[FROM_HIGH].append((2 * (length - offsets[k]), -1, offsets[k], from_high[k : k + 1]))
    both = np.minimum(from_low[lows][:, None] + from_high[highs][None], need)
    total = both.sum(axis=2)
    # A reach that adds nothing to the next shorter one, on either side, is never worth walking.
    adds_low = np.diff(total, axis=0, prepend=from_high[highs].sum(axis=1)[None]) > 0
    adds_high = np.diff(total, axis=1, prepend=from_low[lows].sum(axis=1)[:, None]) > 0
    reach_low, reach_high = np.array(offsets)[lows], np.array(offsets)[highs]
    fits = adds_low & adds_high & (reach_low[:, None] < reach_high[None])
    for i, j in np.argwhere(fits).tolist():
        low, high = int(reach_low[i]), int(reach_high[j])
        ways[FROM_BOTH].append((2 * (low + length - high), low, high, both[i, j : j + 1]))


def _growing(passed: Ints) -> list[int]:
    """Rows whose sum is more than the row's before."""
    return np.flatnonzero(np.diff(passed.sum(axis=1), prepend=0) > 0).tolist()
