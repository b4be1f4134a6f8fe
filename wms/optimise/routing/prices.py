"""Prices per unit of each article, and what they prove: from every state at every step, how short the rest can be."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from wms.optimise.routing.ladder import NEVER
from wms.optimise.routing.options import Options
from wms.optimise.routing.rect import Frame
from wms.optimise.routing.states import AISLE_WAYS, StepTable, state_tables

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Leaving:
    """Transitions sorted by the state they leave: into `target` by `choice`, those of state s from `first[s]` on."""

    target: Ints
    choice: Ints
    first: Ints
    dense: Ints  # [states, choices] target, or the dead state


@dataclass(frozen=True)
class Step:
    """One step of the ladder: an aisle piece, the walk to the next column, or a crossing that must be visited."""

    kind: str
    column: int
    piece: int
    table: StepTable
    leaving: Leaving
    cost: Floats  # by choice; of an aisle piece only where it is not priced


@cache
def _leaving(rows: int, open_tour: bool, kind: str, row: int) -> Leaving:
    tables = state_tables(rows, open_tour)
    by_kind = {"aisle": tables.aisle, "touch": tables.touch, "flip": tables.flip, "across": (tables.across,)}
    table = by_kind[kind][row]
    target = np.repeat(np.arange(len(table.first)), np.diff([*table.first, len(table.source)]))
    real = table.source != tables.dead
    source, choice, target = table.source[real], table.choice[real], target[real]
    without = np.setdiff1d(np.arange(tables.count + 1), source)
    source = np.concatenate((source, without))
    choice = np.concatenate((choice, np.zeros_like(without)))
    target = np.concatenate((target, np.full_like(without, tables.dead)))
    order = np.argsort(source, kind="stable")
    dense = np.full((tables.count + 1, int(choice.max()) + 1), tables.dead)
    dense[source, choice] = target
    return Leaving(target[order], choice[order], np.searchsorted(source[order], np.arange(tables.count + 1)), dense)


def ladder_steps(base: Frame) -> list[Step]:
    """All steps over the hall, first to last."""
    rows, columns = len(base.row_y_mm), len(base.column_x_mm)
    open_tour = bool(base.flips)
    tables = state_tables(rows, open_tour)
    pattern_cost = (base.across_cost @ tables.patterns.T).astype(np.float64)
    must = np.array([NEVER, 0.0])
    steps: list[Step] = []
    for column in range(columns):
        for kind, nodes, table, cost in (
            ("touch", {base.start, base.end}, tables.touch, must),
            ("flip", set(base.flips), tables.flip, np.zeros(1)),
        ):
            for _, row in sorted(node for node in nodes if node[0] == column):
                steps.append(Step(kind, column, row, table[row], _leaving(rows, open_tour, kind, row), cost))
        for row in range(rows - 1):
            leaving = _leaving(rows, open_tour, "aisle", row)
            steps.append(Step("aisle", column, column * (rows - 1) + row, tables.aisle[row], leaving, np.zeros(6)))
        if column < columns - 1:
            leaving = _leaving(rows, open_tour, "across", 0)
            steps.append(Step("across", column, 0, tables.across, leaving, pattern_cost[column]))
    return steps


@dataclass(frozen=True)
class Priced:
    """What one set of prices proves: no solution is shorter than `bound`; `togo` [steps + 1][states] of the rest."""

    price: Floats
    bound: float
    togo: list[Floats]
    way_cost: Floats  # [pieces, 6]
    reduced: Floats  # [options]


class Prices:
    """Raises the bound by subgradient steps."""

    def __init__(self, base: Frame, options: Options, need: Ints) -> None:
        self.steps = ladder_steps(base)
        self.options = options
        self.need = need.astype(np.float64)
        tables = state_tables(len(base.row_y_mm), bool(base.flips))
        self.begin = tables.begin
        self._end = np.full(tables.count + 1, float(NEVER))
        self._end[tables.closing] = 0.0

    def judge(self, price: Floats) -> Priced:
        """The bound of some prices, by one pass from the last column to the first."""
        reduced = self.options.cost - self.options.units @ price
        way_cost = np.minimum.reduceat(reduced, self.options.first[:-1]).reshape(-1, AISLE_WAYS)
        togo = [self._end]
        for step in reversed(self.steps):
            cost = way_cost[step.piece] if step.kind == "aisle" else step.cost
            leaving = step.leaving
            togo.append(np.minimum.reduceat(cost[leaving.choice] + togo[-1][leaving.target], leaving.first))
        togo.reverse()
        bound = float(togo[0][self.begin] + price @ self.need)
        return Priced(price, bound, togo, way_cost, reduced)

    def chosen(self, priced: Priced) -> list[int]:
        """The options of the tour that is shortest at these prices."""
        state = self.begin
        picked: list[int] = []
        first = self.options.first
        for index, step in enumerate(self.steps):
            cost = priced.way_cost[step.piece] if step.kind == "aisle" else step.cost
            targets = step.leaving.dense[state]
            total = cost[: len(targets)] + priced.togo[index + 1][targets]
            choice = int(total.argmin())
            state = int(targets[choice])
            if step.kind == "aisle":
                pair = step.piece * AISLE_WAYS + choice
                picked.append(int(first[pair]) + int(priced.reduced[first[pair] : first[pair + 1]].argmin()))
        return picked

    def improve(self, best: Priced, target: float, rounds: int) -> Priced:
        """Better prices, stepping towards a bound of `target` (Polyak 1969; the stride halves when nothing gains)."""
        price, stride, idle = best.price, 1.0, 0
        priced = best
        for _ in range(rounds):
            missing = self.need - self.options.units[self.chosen(priced)].sum(axis=0)
            missing[(missing < 0) & (price <= 0)] = 0.0
            square = float(missing @ missing)
            if square == 0.0 or best.bound >= target:
                break
            price = np.maximum(0.0, price + stride * (target - priced.bound) / square * missing)
            priced = self.judge(price)
            if priced.bound > best.bound:
                best, idle = priced, 0
            else:
                idle += 1
                if idle >= 4:
                    stride, idle, price, priced = stride / 2, 0, best.price, best
        return best
