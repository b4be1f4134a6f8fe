"""Swaps and shifts among very many batches: guessed from the parts of the hall they walk into, then priced exactly.

For each order the guess says what its batch saves without it and what every other batch pays for it. Only the most
promising pairs of orders are priced; of those that help, all that touch different batches are made at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from wms.optimise.batching.loads import Loads
from wms.optimise.batching.overlap import Parts
from wms.optimise.batching.pricing import TourPricer

Sets = list[frozenset[int]]
Ints = NDArray[np.int64]
Floats = NDArray[np.float32]

TARGETS = 6  # other batches looked at for each order
PRICED_MAX = 1_500  # moves in one round
PRICED_AT_ONCE = 128  # between two looks at whether to go on
MADE_MAX = 40  # moves in one round: their tours are written down before anybody can cancel
BATCHES_AT_ONCE = 450  # among which orders move in one round
NOISE = 0.3  # of a part: what the guess does not see
NOBODY = -1


class Moves(NamedTuple):
    """Order `one` goes from batch `a` to `b`, and `other` (NOBODY: none) from `b` to `a`; `guess` is the saving."""

    one: Ints
    other: Ints
    a: Ints
    b: Ints
    guess: Floats

    def take(self, which: Ints) -> Moves:
        return Moves(self.one[which], self.other[which], self.a[which], self.b[which], self.guess[which])


def exchange(
    batches: Sets,
    parts: Parts,
    loads: Loads,
    tours: TourPricer,
    setup_mm: int,
    cancel: Callable[[], bool],
    rounds: int,
    seed: int,
) -> Iterator[Sets]:
    """Better and better plans, one after each round that gained, until nothing more is found in a few rounds."""
    dice = np.random.default_rng(seed)
    current = list(batches)
    tried: set[tuple[frozenset[int], frozenset[int]]] = set()
    idle = 0
    for _ in range(rounds):
        here = _neighbours(current, parts, dice)
        moves = _guessed([current[k] for k in here], parts, loads, dice)
        if cancel():
            return
        gained = _make_best(current, here, moves, tours, setup_mm, tried, cancel)
        idle = 0 if gained else idle + 1
        if gained:
            current = [one for one in current if one]
            yield list(current)
        if cancel() or idle > 2 + 2 * len(current) // BATCHES_AT_ONCE:
            return


def _neighbours(batches: Sets, parts: Parts, dice: np.random.Generator) -> list[int]:
    """All batches, or as many as are looked at in one round: those that walk most like one of them."""
    if len(batches) <= BATCHES_AT_ONCE:
        return list(range(len(batches)))
    visited = np.array([parts.visits[list(one)].max(axis=0) for one in batches])
    apart = np.abs(visited - visited[dice.integers(len(batches))]).sum(axis=1)
    return [int(k) for k in np.sort(np.argsort(apart, kind="stable")[:BATCHES_AT_ONCE])]


def _guessed(batches: Sets, parts: Parts, loads: Loads, dice: np.random.Generator) -> Moves:
    """The most promising moves among some batches, the best guess first; batches are numbered as they stand."""
    orders = np.array([order for one in batches for order in sorted(one)], dtype=np.int64)
    of = np.repeat(np.arange(len(batches)), [len(one) for one in batches])
    visits = parts.visits[orders]
    count = np.zeros((len(batches), visits.shape[1]), dtype=np.float32)
    np.add.at(count, of, visits)
    saved = (visits * (count[of] == 1)).sum(axis=1)
    paid = visits @ (count == 0).astype(np.float32).T
    noise = dice.random(paid.shape, dtype=np.float32) * np.float32(NOISE)
    paid_or_not = paid + noise
    paid_or_not[np.arange(len(orders)), of] = np.inf
    total = np.array([loads.total(one) for one in batches])
    targets = min(TARGETS, len(batches) - 1)
    found = []
    for b in np.argpartition(paid_or_not, targets - 1, axis=1)[:, :targets].T if targets > 0 else ():
        found += [_shifts(orders, of, b, saved, paid, total, loads), _swaps(orders, of, b, saved, paid, total, loads)]
    if not found:
        found = [_shifts(orders[:0], of[:0], of[:0], saved[:0], paid[:0], total, loads)]
    one, other, a, b = (np.concatenate([moves[k] for moves in found]) for k in range(4))
    moves = Moves(one, other, a, b, np.concatenate([moves.guess for moves in found]))
    return moves.take(np.argsort(-moves.guess, kind="stable"))


def _shifts(orders: Ints, of: Ints, b: Ints, saved: Floats, paid: Floats, total: Ints, loads: Loads) -> Moves:
    row = np.arange(len(orders))
    guess = saved - paid[row, b]
    mix = _mix_of_batches(orders, of, total, loads)
    fits = loads.fits(total[b] + loads.load[orders]) & (mix[b] == loads.mix[orders]) & (guess > -1)
    nobody = np.full(len(orders), NOBODY, dtype=np.int64)
    return Moves(orders, nobody, of, b, guess).take(np.flatnonzero(fits))


def _mix_of_batches(orders: Ints, of: Ints, total: Ints, loads: Loads) -> Ints:
    mix = np.zeros(len(total), dtype=np.int64)
    mix[of] = loads.mix[orders]
    return mix


def _swaps(orders: Ints, of: Ints, b: Ints, saved: Floats, paid: Floats, total: Ints, loads: Loads) -> Moves:
    """For each order the member of batch `b` that is best given in exchange."""
    first = np.searchsorted(of, np.arange(len(total) + 1))
    most = int(np.diff(first).max())
    member = first[b][:, None] + np.arange(most)
    real = member < first[b + 1][:, None]
    member[~real] = 0
    mine = np.arange(len(orders))[:, None]
    change = loads.load[orders[member]] - loads.load[orders][:, None]
    fits = loads.fits(total[of][:, None] + change) & loads.fits(total[b][:, None] - change) & real
    fits &= loads.mix[orders[member]] == loads.mix[orders][:, None]
    guess = np.where(fits, saved[member] - paid[member, of[mine]], -np.inf)
    best = guess.argmax(axis=1)
    row = np.arange(len(orders))
    value = (saved - paid[row, b] + guess[row, best]).astype(np.float32)
    return Moves(orders, orders[member[row, best]], of, b, value).take(np.flatnonzero(value > -1))


def _make_best(
    current: Sets,
    here: list[int],
    moves: Moves,
    tours: TourPricer,
    setup_mm: int,
    tried: set[tuple[frozenset[int], frozenset[int]]],
    cancel: Callable[[], bool],
) -> bool:
    """Price the first moves not tried before, and make those that help; whether any did."""
    pairs: list[tuple[int, int, frozenset[int], frozenset[int]]] = []
    for one, other, a, b in zip(*(values.tolist() for values in moves[:4]), strict=True):
        if len(pairs) >= PRICED_MAX:
            break
        given = frozenset() if other == NOBODY else frozenset([other])
        after = (current[here[a]] - {one} | given, current[here[b]] - given | {one})
        if after not in tried:
            tried.add(after)
            pairs.append((here[a], here[b], *after))
    for begin in range(0, len(pairs), PRICED_AT_ONCE):
        if cancel():
            return False
        part = pairs[begin : begin + PRICED_AT_ONCE]
        tours.lengths([one for *_, x, y in part for one in (x, y) if one])
    gains = [_gain(current, pair, tours, setup_mm) for pair in pairs]
    touched: set[int] = set()
    for k in np.argsort(-np.array(gains), kind="stable").tolist():
        a, b, x, y = pairs[k]
        if gains[k] <= 0 or len(touched) >= 2 * MADE_MAX:
            break
        if not touched & {a, b}:
            touched |= {a, b}
            current[a], current[b] = x, y
    return bool(touched)


def _gain(
    current: Sets, pair: tuple[int, int, frozenset[int], frozenset[int]], tours: TourPricer, setup_mm: int
) -> int:
    a, b, x, y = pair
    after = tours.length(y) + (tours.length(x) if x else -setup_mm)
    return tours.length(current[a]) + tours.length(current[b]) - after
