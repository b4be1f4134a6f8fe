"""The exact shortest tour over a ladder: columns of aisles joined by rows of cross aisles.

One pass from the first column to the last keeps, for every state (see `states`), the cheapest way to reach it. Costs
are whole numbers, so walking back needs no stored choices: a step is right where the sums agree.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wms.optimise.routing.states import AISLE_WAYS, StateTables, StepTable, state_tables

NEVER = 1 << 40  # longer than any walk; small enough that sums of many never overflow

# Whole numbers, as integers or as floats that hold them exactly.
Costs = NDArray[Any]


@dataclass(frozen=True)
class Ladder:
    """One or many tours over the same ladder.

    `aisle_cost` [columns, rows - 1, 6 ways] or [columns, rows - 1, 6 ways, tours]: cost of each way of walking one
    aisle between two cross aisles. `across_cost` [columns - 1, rows]: length of each cross aisle to the next column.
    `touch` {(column, row): must visit}: crossings to visit, as bool or bool[tours]. `flips`: crossings where the tour
    begins or ends, (column, row), both or none.
    """

    aisle_cost: Costs
    across_cost: Costs
    touch: Mapping[tuple[int, int], NDArray[np.bool_]] = field(default_factory=dict)
    flips: tuple[tuple[int, int], ...] = ()

    @property
    def columns(self) -> int:
        return len(self.aisle_cost)

    @property
    def rows(self) -> int:
        return int(self.aisle_cost.shape[1]) + 1

    def tables(self) -> StateTables:
        return state_tables(self.rows, bool(self.flips))


@dataclass(frozen=True)
class Chosen:
    """How the best tour walks: `aisle_way` [column][row], and `across_times` [column][row] to the next column."""

    aisle_way: list[list[int]]
    across_times: list[list[int]]


@dataclass(frozen=True)
class _Step:
    """One step of the pass: which table, the cost of each choice (or one for all), and where it happens."""

    kind: str
    column: int
    row: int
    table: StepTable
    cost: Costs


def shortest_length(ladder: Ladder) -> Costs:
    """Length of the shortest tour of each of many; at least NEVER where there is none."""
    tables = ladder.tables()
    reached = _begin(ladder, tables)
    for step in _steps(ladder, tables):
        reached = _arrive(step, reached)
    result: Costs = reached[tables.closing].min(axis=0)
    return result


def _arrive(step: _Step, reached: Costs) -> Costs:
    """Cheapest ways [states, tours] after a step. Layer by layer, for whole rows are compared fastest."""
    (source, choice), *later = step.table.layers.parts
    result: Costs = _grown(step, reached, source, choice)
    for source, choice in later:
        part = result[: len(source)]
        np.minimum(part, _grown(step, reached, source, choice), out=part)
    arrived: Costs = result.take(step.table.layers.place, axis=0)
    return arrived


def _grown(step: _Step, reached: Costs, source: NDArray[np.int64], choice: NDArray[np.int64]) -> Costs:
    grown: Costs = reached.take(source, axis=0)  # cheaper than an index
    grown += step.cost.take(choice, axis=0) if len(step.cost) > 1 else step.cost[0]
    return grown


def shortest_tour(ladder: Ladder) -> tuple[int, Chosen]:
    """The shortest tour of a ladder with one tour, and how it walks."""
    tables = ladder.tables()
    reached = [_begin(ladder, tables)]
    steps = _steps(ladder, tables)
    for step in steps:
        cost = step.cost[step.table.choice] if len(step.cost) > 1 else step.cost
        reached.append(np.minimum.reduceat(reached[-1][step.table.source] + cost, step.table.first))
    state = int(tables.closing[reached[-1][tables.closing].argmin()])
    length = int(reached[-1][state])
    if length >= NEVER:
        raise AssertionError("a ladder always has a tour")
    return length, _walk_back(ladder, tables, steps, reached, state)


def shortest_tours(ladder: Ladder) -> list[tuple[int, Chosen]]:
    """The shortest tour of each of many over the same ladder, and how it walks."""
    tables = ladder.tables()
    reached = [_begin(ladder, tables)]
    steps = _steps(ladder, tables)
    for step in steps:
        reached.append(_arrive(step, reached[-1]))
    state = tables.closing[reached[-1][tables.closing].argmin(axis=0)]
    tours = np.arange(len(state))
    lengths = reached[-1][state, tours]
    if (lengths >= NEVER).any():
        raise AssertionError("a ladder always has a tour")
    aisle_way = np.zeros((ladder.columns, ladder.rows - 1, len(state)), dtype=np.int64)
    across_times = np.zeros((ladder.columns - 1, ladder.rows, len(state)), dtype=np.int64)
    for step, before, after in zip(reversed(steps), reversed(reached[:-1]), reversed(reached[1:]), strict=True):
        taken = _transitions(step, before, after[state, tours], state)
        state = step.table.source[taken]
        choice = step.table.choice[taken]
        if step.kind == "aisle":
            aisle_way[step.column, step.row] = choice
        elif step.kind == "across":
            across_times[step.column] = tables.patterns[choice].T
    ways, times = aisle_way.transpose(2, 0, 1).tolist(), across_times.transpose(2, 0, 1).tolist()
    return [(int(length), Chosen(*walk)) for length, *walk in zip(lengths, ways, times, strict=True)]


def _transitions(step: _Step, before: Costs, total: Costs, state: NDArray[np.int64]) -> NDArray[np.int64]:
    """For each tour a transition into its state whose sum agrees."""
    ends = np.append(step.table.first, len(step.table.source))
    most = int(np.diff(ends)[state].max())
    arriving = step.table.first[state][:, None] + np.arange(most)
    real = arriving < ends[state + 1][:, None]
    arriving[~real] = 0
    tours = np.arange(len(state))[:, None]
    cost = np.broadcast_to(step.cost.reshape(len(step.cost), -1), (len(step.cost), len(state)))
    choice = step.table.choice[arriving] if len(step.cost) > 1 else np.zeros_like(arriving)
    agrees = (before[step.table.source[arriving], tours] + cost[choice, tours] == total[:, None]) & real
    assert agrees.any(axis=1).all(), "every reached state has a step leading to it"
    result: NDArray[np.int64] = arriving[tours[:, 0], agrees.argmax(axis=1)]
    return result


def _begin(ladder: Ladder, tables: StateTables) -> Costs:
    reached = np.full((tables.count + 1, *ladder.aisle_cost.shape[3:]), NEVER, dtype=ladder.aisle_cost.dtype)
    reached[tables.begin] = 0
    return reached


def _steps(ladder: Ladder, tables: StateTables) -> list[_Step]:
    """All steps in order: per column the crossings to visit, the aisles, then the walk to the next column."""
    across = (ladder.across_cost @ tables.patterns.T).astype(ladder.aisle_cost.dtype)
    if ladder.aisle_cost.ndim == 4:
        across = across[:, :, None]
    steps: list[_Step] = []
    touched = _by_column(ladder)
    for column in range(ladder.columns):
        for row, flip in touched.get(column, ()):
            steps.append(_crossing_step(ladder, tables, column, row, flip))
        for row, table in enumerate(tables.aisle):
            steps.append(_Step("aisle", column, row, table, ladder.aisle_cost[column, row]))
        if column < ladder.columns - 1:
            steps.append(_Step("across", column, 0, tables.across, across[column]))
    return steps


def _by_column(ladder: Ladder) -> dict[int, list[tuple[int, bool]]]:
    touched: dict[int, list[tuple[int, bool]]] = {}
    for column, row in ladder.touch:
        touched.setdefault(column, []).append((row, False))
    for column, row in ladder.flips:
        touched.setdefault(column, []).append((row, True))
    return touched


def _crossing_step(ladder: Ladder, tables: StateTables, column: int, row: int, flip: bool) -> _Step:
    if flip:
        table = tables.flip[row]
        return _Step("flip", column, row, table, np.zeros(1, dtype=ladder.aisle_cost.dtype))
    table = tables.touch[row]
    must = ladder.touch[column, row]
    either = np.array([np.where(must, NEVER, 0), np.zeros_like(must, dtype=np.int64)])
    return _Step("touch", column, row, table, either.astype(ladder.aisle_cost.dtype))


def _walk_back(ladder: Ladder, tables: StateTables, steps: list[_Step], reached: list[Costs], state: int) -> Chosen:
    aisle_way = [[0] * (ladder.rows - 1) for _ in range(ladder.columns)]
    across_times = [[0] * ladder.rows for _ in range(ladder.columns - 1)]
    patterns = tables.patterns
    for step, before, after in zip(reversed(steps), reversed(reached[:-1]), reversed(reached[1:]), strict=True):
        taken = _transition(step, before, int(after[state]), state)
        state = step.table.sources[taken]
        choice = step.table.choices[taken]
        if step.kind == "aisle":
            aisle_way[step.column][step.row] = choice
        elif step.kind == "across":
            across_times[step.column] = patterns[choice].tolist()
    return Chosen(aisle_way, across_times)


def _transition(step: _Step, before: Costs, total: int, state: int) -> int:
    for k in range(step.table.firsts[state], step.table.firsts[state + 1]):
        cost = step.cost[step.table.choices[k]] if len(step.cost) > 1 else step.cost[0]
        if before[step.table.sources[k]] + cost == total:
            return k
    raise AssertionError("every reached state has a step leading to it")


def aisle_ways(length_mm: int, inside_mm: list[int]) -> list[int]:
    """Cost of the six ways to walk one aisle of `length_mm` with stops at sorted distances `inside_mm` from below."""
    if not inside_mm:
        return [0, length_mm, 2 * length_mm, NEVER, NEVER, NEVER]
    both = NEVER
    if len(inside_mm) > 1:
        gap = max(b - a for a, b in pairwise(inside_mm))
        both = 2 * (length_mm - gap)
    return [NEVER, length_mm, 2 * length_mm, 2 * inside_mm[-1], 2 * (length_mm - inside_mm[0]), both]


def no_aisle() -> list[int]:
    """Costs where no aisle joins two crossings."""
    return [0] + [NEVER] * (AISLE_WAYS - 1)
