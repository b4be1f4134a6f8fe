"""Shift and swap: orders move to another batch, or change places with one, while that shortens the tours.

All moves between two batches are priced in one call; of the best moves of all pairs, those that share no batch are
made together (Henn and Wäscher, EJOR 222, 2012, for the neighbourhoods).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import combinations
from typing import NamedTuple

import numpy as np

from wms.optimise.batching.loads import Loads
from wms.optimise.batching.pricing import TourPricer

Sets = list[frozenset[int]]


class Move(NamedTuple):
    """Two batches become two others (the first may become empty); `gain` is what it saves, in mm."""

    gain: int
    a: frozenset[int]
    b: frozenset[int]


def improve(
    batches: Sets, loads: Loads, tours: TourPricer, setup_mm: int, stop: Callable[[], bool], rounds: int
) -> Iterator[Sets]:
    """Better and better plans until no shift or swap helps, `stop` says so, or `rounds` are over."""
    numbered = dict(enumerate(batches))
    fresh = set(numbered)
    moves: dict[tuple[int, int], Move] = {}
    for _ in range(rounds):
        if stop():
            return
        _price_pairs(numbered, fresh, moves, loads, tours, setup_mm, stop)
        chosen = _apart(moves)
        if not chosen:
            return
        fresh = _make(numbered, moves, chosen)
        yield list(numbered.values())


def _price_pairs(
    numbered: dict[int, frozenset[int]],
    fresh: set[int],
    moves: dict[tuple[int, int], Move],
    loads: Loads,
    tours: TourPricer,
    setup_mm: int,
    stop: Callable[[], bool],
) -> None:
    pairs = [(a, b) for a, b in combinations(sorted(numbered), 2) if a in fresh or b in fresh]
    for begin in range(0, len(pairs), 64):
        if stop():
            return
        part = pairs[begin : begin + 64]
        found = [(pair, _moves(numbered[pair[0]], numbered[pair[1]], loads)) for pair in part]
        tours.lengths([one for _, both in found for move in both for one in move if one])
        for pair, candidates in found:
            best = _best(numbered[pair[0]], numbered[pair[1]], candidates, tours, setup_mm)
            if best:
                moves[pair] = best


def _moves(a: frozenset[int], b: frozenset[int], loads: Loads) -> list[tuple[frozenset[int], frozenset[int]]]:
    """All shifts and swaps between two batches that some cart carries."""
    one, other = list(a), list(b)
    if loads.mix[one[0]] != loads.mix[other[0]]:
        return []
    load_a, load_b = loads.load[[*one]], loads.load[[*other]]
    total_a, total_b = load_a.sum(axis=0), load_b.sum(axis=0)
    found: list[tuple[frozenset[int], frozenset[int]]] = []
    for i in np.flatnonzero(loads.fits(total_b + load_a)).tolist():
        found.append((a - {one[i]}, b | {one[i]}))
    for j in np.flatnonzero(loads.fits(total_a + load_b)).tolist():
        found.append((b - {other[j]}, a | {other[j]}))
    change = load_b[None, :, :] - load_a[:, None, :]
    swaps = np.argwhere(loads.fits(total_a + change) & loads.fits(total_b - change))
    for i, j in swaps.tolist():
        found.append((a - {one[i]} | {other[j]}, b - {other[j]} | {one[i]}))
    return found


def _best(
    a: frozenset[int],
    b: frozenset[int],
    candidates: list[tuple[frozenset[int], frozenset[int]]],
    tours: TourPricer,
    setup_mm: int,
) -> Move | None:
    before = tours.length(a) + tours.length(b)
    best: Move | None = None
    for one, other in candidates:
        after = tours.length(other) + (tours.length(one) if one else -setup_mm)
        if before - after > (best.gain if best else 0):
            best = Move(before - after, one, other)
    return best


def _apart(moves: dict[tuple[int, int], Move]) -> list[tuple[int, int]]:
    """The best moves that share no batch, best first."""
    taken: set[int] = set()
    chosen: list[tuple[int, int]] = []
    for pair in sorted(moves, key=lambda pair: (-moves[pair].gain, pair)):
        if not taken & set(pair):
            taken |= set(pair)
            chosen.append(pair)
    return chosen


def _make(
    numbered: dict[int, frozenset[int]], moves: dict[tuple[int, int], Move], chosen: list[tuple[int, int]]
) -> set[int]:
    """Replace the batches of the chosen moves; the new ones get new numbers and need pricing."""
    fresh: set[int] = set()
    after = max(numbered) + 1
    gone = {number for pair in chosen for number in pair}
    made = [one for pair in chosen for one in (moves[pair].a, moves[pair].b) if one]
    for number in gone:
        del numbered[number]
    for one in made:
        numbered[after] = one
        fresh.add(after)
        after += 1
    for pair in [pair for pair in moves if gone & set(pair)]:
        del moves[pair]
    return fresh
