"""The linear programme over known batches, kept open, and the choice among them by branch and bound."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from math import gcd
from threading import Thread
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

SURE = 0.85  # a batch used this much is taken at once
ROUNDING = 1e-3  # mm: a column used by a solution has no reduced cost but for this
LOOK_S = 0.05  # between two looks at whether to go on


class Programme:
    """The covering programme over the batches known so far; each solution starts from the one before."""

    def __init__(self, rows: int) -> None:
        from ortools.linear_solver import pywraplp

        self._solver = pywraplp.Solver.CreateSolver("GLOP")
        infinity = self._solver.infinity()
        self._rows = [self._solver.Constraint(1.0, infinity) for _ in range(rows)]
        self._columns: list[Any] = []
        self._fixed: set[int] = set()
        self._infinity = infinity
        self._solver.Objective().SetMinimization()

    def add(self, rows: Sequence[int], cost: float) -> None:
        column = self._solver.NumVar(0.0, self._infinity, "")
        self._columns.append(column)
        self._solver.Objective().SetCoefficient(column, cost)
        for row in rows:
            self._rows[row].SetCoefficient(column, 1.0)

    def liked(self, reduced: Floats, dice: random.Random) -> list[int]:
        """Columns used almost wholly, else the one used most (now and then the next); `reduced` costs say which."""
        maybe = [k for k in np.flatnonzero(reduced < ROUNDING).tolist() if k not in self._fixed]
        used = np.array([self._columns[k].solution_value() for k in maybe])
        sure = [maybe[k] for k in np.flatnonzero(used > SURE).tolist()]
        if sure or not maybe:
            return sure
        most = [maybe[k] for k in np.argsort(-used, kind="stable")[:3].tolist()]
        return [most[0] if dice.random() < 0.7 else dice.choice(most)]

    def fix(self, columns: Iterable[int]) -> None:
        for k in columns:
            self._fixed.add(k)
            self._columns[k].SetLb(1.0)

    def free(self) -> None:
        for k in self._fixed:
            self._columns[k].SetLb(0.0)
        self._fixed.clear()

    def solve(self) -> tuple[float, Floats]:
        """Its value, and the price of each row."""
        status = self._solver.Solve()
        if status != self._solver.OPTIMAL:
            raise AssertionError("covering by known batches always has a solution")
        return self._solver.Objective().Value(), np.array([row.dual_value() for row in self._rows])


def cheapest_cover(
    members: list[list[int]], cost: list[int], rows: int, hinted: int, cancel: Callable[[], bool], seed: int, nodes: int
) -> tuple[list[int], bool]:
    """Columns of a cheap cover, and whether it is proved the cheapest; the first `hinted` are one.

    Empty when cancelled before any was found.
    """
    from ortools.linear_solver import pywraplp

    solver = pywraplp.Solver.CreateSolver("SCIP")
    unit = max(1, gcd(*cost))  # small whole costs let the solver round its bounds up
    used = [solver.BoolVar("") for _ in members]
    cover = [solver.Constraint(1.0, solver.infinity()) for _ in range(rows)]
    for column, orders in enumerate(members):
        for row in orders:
            cover[row].SetCoefficient(used[column], 1.0)
        solver.Objective().SetCoefficient(used[column], float(cost[column] // unit))
    solver.Objective().SetMinimization()
    solver.SetHint(used, [float(column < hinted) for column in range(len(used))])
    solver.SetSolverSpecificParametersAsString(f"limits/nodes = {nodes}\nrandomization/randomseedshift = {seed}\n")
    status = _solve_until(solver.Solve, solver.InterruptSolve, cancel)
    if status not in (solver.OPTIMAL, solver.FEASIBLE):
        return [], False
    return [column for column, x in enumerate(used) if x.solution_value() > 0.5], status == solver.OPTIMAL


def _solve_until(solve: Callable[[], int], stop: Callable[[], None], cancel: Callable[[], bool]) -> int:
    """Solve in a thread of its own, so that the search can be stopped from this one."""
    answer: list[int] = []
    thread = Thread(target=lambda: answer.append(solve()), daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(LOOK_S)
        if cancel():
            stop()
    return answer[0] if answer else 0
