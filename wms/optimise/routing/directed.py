"""Tours over a table of distances that may differ by direction.

Places 0 .. n-1 are to be visited; place n is home: its row holds the distances from the start, its column those to
the end. Up to 12 places are solved exactly (Held and Karp, JSIAM 10, 1962). Beyond, a local search exchanges any two
neighbouring segments (all directed 3-opt moves without reversal, Or 1976) or reverses one (2-opt), and kicks itself
out of each local optimum (Martin, Otto and Felten, 1992).
"""

from __future__ import annotations

import random
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from wms.optimise.routing.route import Limits

EXACT_PLACES_MAX = 12
SEGMENTS_MAX = 60  # how far apart the ends of two exchanged segments may lie

Ints = NDArray[np.int64]


class Ordered(NamedTuple):
    """Places in visiting order; whether that is proved best."""

    order: list[int]
    length: int
    optimal: bool


def best_order(distance: Ints, limits: Limits) -> Ordered:
    """The shortest order found for a table [n + 1, n + 1] with home last."""
    places = len(distance) - 1
    if places <= EXACT_PLACES_MAX:
        return _by_subsets(distance)
    return _by_search(distance, limits)


def order_length(distance: Ints, order: list[int]) -> int:
    home = len(distance) - 1
    tour = [home, *order, home]
    return int(distance[tour[:-1], tour[1:]].sum())


def _by_subsets(distance: Ints) -> Ordered:
    n = len(distance) - 1
    if n == 0:
        return Ordered([], int(distance[0, 0]), optimal=True)  # straight from the start to the end
    best = np.full((1 << n, n), np.iinfo(np.int64).max // 4, dtype=np.int64)
    best[1 << np.arange(n), np.arange(n)] = distance[n, :n]
    masks = np.arange(1, 1 << n)
    sizes = np.array([int(mask).bit_count() for mask in masks])
    for size in range(1, n):
        of_size = masks[sizes == size]
        for j in range(n):
            without = of_size[of_size >> j & 1 == 0]
            best[without | 1 << j, j] = (best[without] + distance[:n, j]).min(axis=1)
    return _read_subsets(distance, best, n)


def _read_subsets(distance: Ints, best: Ints, n: int) -> Ordered:
    visited = (1 << n) - 1
    ends = best[visited] + distance[:n, n]
    last = int(ends.argmin())
    order = [last]
    while visited & (visited - 1):
        visited ^= 1 << last
        last = int((best[visited] + distance[:n, last]).argmin())
        order.append(last)
    return Ordered(order[::-1], int(ends.min()), optimal=True)


def nearest_next(distance: Ints) -> list[int]:
    """From home always on to the nearest place left."""
    home = len(distance) - 1
    left = set(range(home))
    order: list[int] = []
    here = home
    while left:
        here = min(left, key=lambda place: (distance[here, place], place))
        left.remove(here)
        order.append(here)
    return order


def _by_search(distance: Ints, limits: Limits) -> Ordered:
    home = len(distance) - 1
    dice = random.Random(limits.seed)
    tour, length = _descend(distance, np.array([home, *nearest_next(distance), home]))
    best, best_length = tour, length
    patience = 0
    for _ in range(limits.rounds):
        if limits.stop():
            break
        other, other_length = _descend(distance, _kicked(tour, dice))
        patience = 0 if other_length < length else patience + 1
        if other_length <= length:
            tour, length = other, other_length
        if length < best_length:
            best, best_length = tour, length
        if patience > 30 + home:  # start over from the best, a little further away
            tour, length = _descend(distance, _kicked(_kicked(best, dice), dice))
            patience = 0
    return Ordered(best[1:-1].tolist(), best_length, optimal=False)


def _kicked(tour: Ints, dice: random.Random) -> Ints:
    """Put three short neighbouring segments in the opposite order, none reversed: a local double bridge."""
    size = len(tour)
    reach = min(size - 1, 30)
    begin = dice.randrange(0, size - reach)
    a, b, c = sorted(dice.sample(range(begin + 1, begin + reach), 3)) if reach > 4 else (1, 2, 3)
    d = dice.randrange(c, begin + reach) if c < begin + reach else c
    pieces = (
        (tour[:a], tour[b:c], tour[a:b], tour[c:]) if d == c else (tour[:a], tour[c:d], tour[b:c], tour[a:b], tour[d:])
    )
    return np.concatenate(pieces)


def _descend(distance: Ints, tour: Ints) -> tuple[Ints, int]:
    """Make the best move until none shortens the tour."""
    size = len(tour) - 1
    bound = 20 * size
    table = distance
    for _ in range(bound):
        local = table[tour[:, None], tour]
        legs = local[np.arange(size), np.arange(1, size + 1)]
        exchange, (i, j, k) = _best_exchange(local, legs)
        reversal, (p, q) = _best_reversal(local, legs)
        if min(exchange, reversal) >= 0:
            break
        if exchange <= reversal:
            tour = np.concatenate((tour[: i + 1], tour[j + 1 : k + 1], tour[i + 1 : j + 1], tour[k + 1 :]))
        else:
            tour = np.concatenate((tour[: p + 1], tour[q:p:-1], tour[q + 1 :]))
    return tour, int(distance[tour[:-1], tour[1:]].sum())


@cache
def _cuts(size: int) -> tuple[Ints, Ints, Ints]:
    """All i < j < k of a tour's legs that are not too far apart, as flat indices (i, j), (k, i) and (j, k)."""
    i, j, k = np.meshgrid(np.arange(size), np.arange(size), np.arange(size), indexing="ij")
    fits = (i < j) & (j < k) & (k - i <= SEGMENTS_MAX)
    i, j, k = i[fits], j[fits], k[fits]
    return i * size + j, k * size + i, j * size + k


def _best_exchange(local: Ints, legs: Ints) -> tuple[int, tuple[int, int, int]]:
    size = len(legs)
    first, second, third = _cuts(size)
    if not len(first):
        return 0, (0, 0, 0)
    gain = (local[:size, 1:] - legs[:, None]).ravel()
    change = gain[first]
    change += gain[second]
    change += gain[third]
    best = int(change.argmin())
    i, j = divmod(int(first[best]), size)
    return int(change[best]), (i, j, int(third[best]) % size)


def _best_reversal(local: Ints, legs: Ints) -> tuple[int, tuple[int, int]]:
    """Reverse the places after leg p up to leg q; legs walked the other way count with their own distance."""
    size = len(legs)
    back = local[np.arange(1, size + 1), np.arange(size)]
    turned = np.concatenate(([0], np.cumsum(back - legs)))
    # new legs p -> q and p+1 -> q+1; the legs p+1 .. q-1 are turned
    change = local[:size, :size] + local[1:, 1:] - legs[:, None] - legs[None, :]
    change = change + turned[None, :size] - turned[1:, None]
    change[np.tril_indices(size)] = 0
    best = int(change.argmin())
    p, q = divmod(best, size)
    return int(change[p, q]), (p, q)
