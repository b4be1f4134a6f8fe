"""States of a half-built tour, and how each step of the building changes them.

A tour over a ladder of columns (aisles) and rows (cross aisles) is a connected multigraph whose degrees are even,
except at the two ends of an open tour. Seen from the column where building has arrived, only this matters: for every
row whether its crossing is untouched, even or odd, and which crossings already hang together. Ratliff and Rosenthal
(Operations Research 31, 1983) found the seven states of one block; Roodbergen and de Koster (EJOR 133, 2001) those of
two. Here the states of any number of rows are found by applying every step to every state until nothing new appears.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from itertools import product

import numpy as np
from numpy.typing import NDArray

# A row's entry: 0 untouched, else 2 * component + (1 if its degree is odd); components count from 1, top to bottom.
State = tuple[int, ...]

# How one aisle between two cross aisles may be walked.
SKIP, ONCE, TWICE, FROM_LOW, FROM_HIGH, FROM_BOTH = range(6)
AISLE_WAYS = 6

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class StepTable:
    """Transitions of one step, sorted by the state they lead to.

    Transition k leads from state `source[k]` by choice `choice[k]`; those into state s are `first[s] : first[s + 1]`.
    Every state has at least one (from the dead state), so that `np.minimum.reduceat` has no empty part.
    """

    source: Ints
    choice: Ints
    first: Ints
    sources: list[int]
    choices: list[int]
    firsts: list[int]
    layers: Layers


@dataclass(frozen=True)
class Layers:
    """The same transitions, for many tours at once: layer k holds the k-th into each state that has so many.

    States stand with the most transitions first, so that each layer covers the first states of the one before;
    `place` [states] says where each stands.
    """

    parts: tuple[tuple[Ints, Ints], ...]
    place: Ints


@dataclass(frozen=True)
class StateTables:
    """All steps for a number of rows. `dead` is the state no tour reaches; its cost stays infinite."""

    rows: int
    count: int
    begin: int
    dead: int
    closing: Ints
    aisle: tuple[StepTable, ...]
    touch: tuple[StepTable, ...]
    flip: tuple[StepTable, ...]
    across: StepTable
    patterns: Ints


@cache
def state_tables(rows: int, open_tour: bool) -> StateTables:
    """Tables for `rows` cross aisles; `open_tour` when the tour ends elsewhere than it begins."""
    patterns = sorted(product(range(3), repeat=rows))
    pattern_of = {pattern: index for index, pattern in enumerate(patterns)}
    steps: dict[tuple[str, int], Callable[[State], Iterable[tuple[int, State]]]] = {
        ("across", 0): lambda state: ((pattern_of[counts], after) for counts, after in _across(state)),
    }
    for row in range(rows):
        steps["touch", row] = lambda state, row=row: _touch_or_not(state, row)  # type: ignore[misc]
        if open_tour:
            steps["flip", row] = lambda state, row=row: _flip(state, row)  # type: ignore[misc]
    for row in range(rows - 1):
        steps["aisle", row] = lambda state, row=row: _aisle(state, row)  # type: ignore[misc]
    states, moves = _closure((0,) * rows, steps)
    number = {state: index for index, state in enumerate(states)}
    tables = {key: _table(number, found) for key, found in moves.items()}
    closing = [number[state] for state in states if _may_close(state)]
    return StateTables(
        rows=rows,
        count=len(states),
        begin=0,
        dead=len(states),
        closing=np.array(closing, dtype=np.int64),
        aisle=tuple(tables["aisle", row] for row in range(rows - 1)),
        touch=tuple(tables["touch", row] for row in range(rows)),
        flip=tuple(tables["flip", row] for row in range(rows)) if open_tour else (),
        across=tables["across", 0],
        patterns=np.array(patterns, dtype=np.int64),
    )


Moves = list[tuple[State, int, State]]


def _closure(
    begin: State, steps: dict[tuple[str, int], Callable[[State], Iterable[tuple[int, State]]]]
) -> tuple[list[State], dict[tuple[str, int], Moves]]:
    states = [begin]
    known = {begin}
    moves: dict[tuple[str, int], Moves] = {key: [] for key in steps}
    for state in states:  # grows while it is walked, until no step leads to a new state
        for key, step in steps.items():
            for choice, after in step(state):
                moves[key].append((state, choice, after))
                if after not in known:
                    known.add(after)
                    states.append(after)
    return states, moves


def _table(number: dict[State, int], moves: Moves) -> StepTable:
    dead = len(number)
    into: list[list[tuple[int, int]]] = [[] for _ in range(dead + 1)]
    for before, choice, after in moves:
        into[number[after]].append((number[before], choice))
    flat: list[tuple[int, int]] = []
    firsts: list[int] = []
    for arrivals in into:
        firsts.append(len(flat))
        flat.extend(arrivals or [(dead, 0)])
    sources, choices = [source for source, _ in flat], [choice for _, choice in flat]
    source, choice_, first = (np.array(values, dtype=np.int64) for values in (sources, choices, firsts))
    return StepTable(source, choice_, first, sources, choices, [*firsts, len(flat)], _layers(source, choice_, first))


def _layers(source: Ints, choice: Ints, first: Ints) -> Layers:
    count = np.diff(np.append(first, len(source)))
    order = np.argsort(-count, kind="stable")
    deep = [order[: np.count_nonzero(count > k)] for k in range(int(count.max()))]
    place = np.argsort(order)
    return Layers(tuple((source[first[states] + k], choice[first[states] + k]) for k, states in enumerate(deep)), place)


def _done(rows: int) -> State:
    return (-1,) * rows


def _normal(state: Iterable[int]) -> State:
    """Name components 1, 2, ... in the order of their first row."""
    names: dict[int, int] = {0: 0}
    return tuple(2 * names.setdefault(entry // 2, len(names)) + entry % 2 for entry in state)


def _touched(state: State, row: int) -> State:
    if state[row]:
        return state
    fresh = 2 * (1 + max(entry // 2 for entry in state))
    return (*state[:row], fresh, *state[row + 1 :])


def _joined(state: State, row: int) -> State:
    state = _touched(_touched(state, row), row + 1)
    kept, lost = state[row] // 2, state[row + 1] // 2
    return tuple(2 * kept + entry % 2 if entry // 2 == lost else entry for entry in state)


def _turned(state: State, *rows: int) -> State:
    return tuple(entry ^ 1 if row in rows else entry for row, entry in enumerate(state))


def _touch_or_not(state: State, row: int) -> Iterable[tuple[int, State]]:
    """Choice 0 leaves the crossing as it is; choice 1 visits it."""
    yield 0, state
    if state[row] >= 0:
        yield 1, _normal(_touched(state, row))


def _flip(state: State, row: int) -> Iterable[tuple[int, State]]:
    """The tour begins or ends here, so one leg more or less than an even number meets the crossing."""
    if state[row] >= 0:
        yield 0, _normal(_turned(_touched(state, row), row))


def _aisle(state: State, row: int) -> Iterable[tuple[int, State]]:
    yield SKIP, state
    if state[row] < 0:
        return
    joined = _joined(state, row)
    yield ONCE, _normal(_turned(joined, row, row + 1))
    yield TWICE, _normal(joined)
    yield FROM_LOW, _normal(_touched(state, row))
    yield FROM_HIGH, _normal(_touched(state, row + 1))
    yield FROM_BOTH, _normal(_touched(_touched(state, row), row + 1))


def _across(state: State) -> Iterable[tuple[tuple[int, ...], State]]:
    """Walk on to the next column: an odd crossing is left once, an even one twice or not at all."""
    if state[0] < 0 or not any(state):
        yield (0,) * len(state), state
        return
    ways = [(0,) if entry == 0 else (1,) if entry % 2 else (0, 2) for entry in state]
    for counts in product(*ways):
        kept = tuple(entry if count else 0 for entry, count in zip(state, counts, strict=True))
        if {entry // 2 for entry in kept} >= {entry // 2 for entry in state if entry}:
            yield counts, _normal(kept)
        elif not any(kept) and _may_close(state):
            yield counts, _done(len(state))


def _may_close(state: State) -> bool:
    """Whether the tour could be over here: nothing begun, already closed, or one part with even crossings only."""
    return state[0] < 0 or (all(entry % 2 == 0 for entry in state) and max(state) <= 2)
