"""Better plans from many good batches: column generation, then choosing among the columns.

A linear programme over the batches known so far gives every order a price (its dual); new batches that are cheap at
those prices are grown order by order, keeping the most promising at every size; at times the best partition into
known batches is chosen by branch and bound. Covering an order twice is allowed on the way: leaving one out never
lengthens a tour. Gilmore and Gomory (1961) for the method; Muter and Öncan (IIE Transactions 47, 2015) for batches.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from threading import Thread
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wms.optimise.batching.loads import Loads
from wms.optimise.batching.pricing import TourPricer

Sets = list[frozenset[int]]
Floats = NDArray[np.float64]

GROWN_AT_ONCE = 2_500  # batches priced at each size
KEPT_AT_ONCE = 250  # of those, how many grow on
NEW_PER_ROUND = 150
CHOSEN_AMONG = 800  # columns in one choice
CHOICE_EVERY = 4  # dives
DIVE_ROUNDS = 3  # of pricing after each batch taken
SURE = 0.85  # a batch used this much is taken at once
NODES_MAX = 20  # of the branch and bound tree of one choice
EARLY_ROUNDS = 30  # of growing before the first dive; twice as many before each later one
ALL_MAX = 2_500  # with no more batches than this, all are known and the choice is exact
SIZE_MAX = 40  # orders in one grown batch


class Columns:
    """Known batches of some orders, the linear programme over them, and how they are chosen."""

    def __init__(self, orders: Sequence[int], loads: Loads, tours: TourPricer, setup_mm: int) -> None:
        self._orders = np.array(sorted(orders))
        self._row = {order: row for row, order in enumerate(self._orders.tolist())}
        self._loads, self._tours, self._setup = loads, tours, setup_mm
        self._known: dict[frozenset[int], float] = {}
        self._pairs = self._price_pairs()
        self._programme = _Programme(len(self._orders))
        self.bound = 0.0

    def _price_pairs(self) -> Floats:
        """How much longer the tour of order k gets by order j: [k, j]."""
        orders = self._orders.tolist()
        alone = np.array(self._tours.lengths([frozenset([order]) for order in orders]))
        pairs = [frozenset((a, b)) for a in orders for b in orders]
        together = np.array(self._tours.lengths(pairs)).reshape(len(orders), -1)
        longer: Floats = (together - alone[:, None]).astype(np.float64)
        return longer

    def add(self, batches: Iterable[frozenset[int]]) -> int:
        """Take batches in; how many were new."""
        fresh = [one for one in dict.fromkeys(batches) if one not in self._known]
        for one, length in zip(fresh, self._tours.lengths(fresh), strict=True):
            self._known[one] = length + self._setup
            self._programme.add([self._row[order] for order in one], length + self._setup)
        return len(fresh)

    def prices(self) -> tuple[float, Floats]:
        """Value of the linear programme, and the price of each order."""
        return self._programme.solve()

    def add_all(self, cancel: Callable[[], bool]) -> bool:
        """Take in every batch some cart carries, if they are few; whether that was so."""
        found: dict[frozenset[int], None] = {}
        layer: Sets = [frozenset([order]) for order in self._orders.tolist()]
        while layer and len(found) <= ALL_MAX and not cancel():
            found.update(dict.fromkeys(layer))
            later = ((one, order) for one in layer for order in self._orders.tolist() if order > max(one))
            bigger = dict.fromkeys(one | {order} for one, order in later)
            layer = [one for one in bigger if self._loads.may_ride(one)] if len(bigger) <= 4 * ALL_MAX else [*bigger]
        if layer or len(found) > ALL_MAX:
            return False
        self.add(found)
        return True

    def converge(self, cancel: Callable[[], bool], rounds: int) -> bool:
        """Grow new batches until none found is cheaper than the prices of its orders; whether that came to pass."""
        smooth: Floats | None = None
        for _ in range(rounds):
            if cancel():
                return False
            _, price = self.prices()
            smooth = price if smooth is None else 0.4 * smooth + 0.6 * price
            added = self.add(self.grow(smooth, cancel)[:NEW_PER_ROUND])
            if not added:
                smooth = price
                added = self.add(self.grow(price, cancel)[:NEW_PER_ROUND])
            if not added:
                return not cancel()
        return False

    def grow(self, price: Floats, cancel: Callable[[], bool], among: set[int] | None = None) -> Sets:
        """Batches (of the orders `among`) cheaper than the prices of their orders, the best first."""
        value = dict(zip(self._orders.tolist(), price.tolist(), strict=True))
        open_row = np.array([among is None or order in among for order in self._orders.tolist()])
        partial: Sets = [frozenset([order]) for order in value if among is None or order in among]
        found: dict[frozenset[int], float] = {}
        for _ in range(SIZE_MAX):
            if cancel() or not partial:
                break
            grown = self._promising(partial, price, open_row)
            lengths = self._tours.lengths(grown)
            worth = [
                length + self._setup - sum(value[order] for order in one)
                for one, length in zip(grown, lengths, strict=True)
            ]
            order = np.argsort(worth, kind="stable").tolist()
            partial = [grown[k] for k in order[:KEPT_AT_ONCE]]
            found.update((grown[k], worth[k]) for k in order[:KEPT_AT_ONCE] if worth[k] < -0.5)
        return sorted(found, key=lambda one: (found[one], sorted(one)))

    def _promising(self, partial: Sets, price: Floats, open_row: NDArray[np.bool_]) -> Sets:
        """One order more, where the guess from pairs is best and a cart still carries it."""
        size = len(partial[0])
        rows = np.array([[self._row[order] for order in sorted(one)] for one in partial]).reshape(-1, size)
        load = self._loads.load[self._orders]
        alike = self._loads.mix[self._orders][rows[:, 0]][:, None] == self._loads.mix[self._orders][None]
        fits = self._loads.fits(load[rows].sum(axis=1)[:, None] + load[None]) & alike & open_row
        np.put_along_axis(fits, rows, values=False, axis=1)
        base = np.array(self._tours.lengths(partial)) - price[rows].sum(axis=1)
        guess = base[:, None] + self._pairs[rows].min(axis=1) - price[None]
        guess[~fits] = np.inf
        flat = guess.ravel()
        best = np.arange(len(flat))
        if len(flat) > GROWN_AT_ONCE:
            best = np.argpartition(flat, GROWN_AT_ONCE)[:GROWN_AT_ONCE]
        best = best[np.isfinite(flat[best])]
        names = self._orders.tolist()
        return list(dict.fromkeys(partial[k // len(names)] | {names[k % len(names)]} for k in np.sort(best).tolist()))

    def choose(
        self, price: Floats, value: float, best: Sets, cancel: Callable[[], bool], seed: int, whole: bool = False
    ) -> Sets:
        """The cheapest cover by known batches that is found, made a partition; `best` where none is.

        `whole`: among all that could be part of a cheaper plan, until it is proved the cheapest.
        """
        best_cost = sum(self._known[one] for one in best)
        names = list(self._known)
        reduced = [self._known[one] - sum(price[self._row[order]] for order in one) for one in names]
        order = np.argsort(reduced, kind="stable").tolist()
        names = [names[k] for k in (order if whole else order[:CHOSEN_AMONG]) if reduced[k] < best_cost - value]
        names = list(dict.fromkeys([*best, *names]))
        cover = _cheapest_cover(
            [[self._row[o] for o in one] for one in names],
            [round(self._known[one]) for one in names],
            len(self._orders),
            len(best),
            cancel,
            seed,
            -1 if whole else NODES_MAX,
        )
        return self._parted([names[k] for k in cover]) if cover else best

    def dive(self, dice: random.Random, cancel: Callable[[], bool]) -> Sets:
        """A plan made by taking the batches the programme likes best, one or a few at a time, and pricing anew.

        Empty when cancelled before every order was in a batch.
        """
        names = list(self._known)
        taken: Sets = []
        left = set(self._orders.tolist())
        for _ in range(len(self._orders)):
            for _ in range(DIVE_ROUNDS):
                _, price = self._programme.solve()
                if cancel() or not self.add(self.grow(price, cancel, left)[:NEW_PER_ROUND]):
                    break
            if cancel():
                break
            self._programme.solve()
            names = list(self._known)
            liked = self._programme.liked(dice)
            fresh = [k for k in liked if names[k] & left and names[k] not in taken]
            taken += [names[k] for k in fresh]
            self._programme.fix(fresh)
            left -= {order for k in fresh for order in names[k]}
            if not left:
                break
        self._programme.free()
        return [] if left else self._parted(taken)

    def _parted(self, cover: Sets) -> Sets:
        """Each order stays in one batch: the one that becomes cheaper least by losing it keeps it."""
        batches = list(cover)
        for order in self._orders.tolist():
            holders = [k for k, one in enumerate(batches) if order in one]
            for k in holders[1:]:
                batches[k] = batches[k] - {order}
        return [one for one in batches if one]


class _Programme:
    """The covering programme, kept open so that each solution starts from the one before."""

    def __init__(self, rows: int) -> None:
        from ortools.linear_solver import pywraplp

        self._solver = pywraplp.Solver.CreateSolver("GLOP")
        self._infinity = self._solver.infinity()
        self._rows = [self._solver.Constraint(1.0, self._infinity) for _ in range(rows)]
        self._columns: list[Any] = []
        self._solver.Objective().SetMinimization()

    def add(self, rows: list[int], cost: float) -> None:
        column = self._solver.NumVar(0.0, self._infinity, "")
        self._columns.append(column)
        self._solver.Objective().SetCoefficient(column, cost)
        for row in rows:
            self._rows[row].SetCoefficient(column, 1.0)

    def liked(self, dice: random.Random) -> list[int]:
        """Columns used almost wholly, else the one used most (now and then the next)."""
        used = np.array([column.solution_value() if column.lb() < 0.5 else 0.0 for column in self._columns])
        sure = np.flatnonzero(used > SURE).tolist()
        if sure:
            return sure
        most = np.argsort(-used, kind="stable")[:3].tolist()
        return [most[0] if dice.random() < 0.7 else dice.choice(most)]

    def fix(self, columns: Iterable[int]) -> None:
        for k in columns:
            self._columns[k].SetLb(1.0)

    def free(self) -> None:
        for column in self._columns:
            column.SetLb(0.0)

    def solve(self) -> tuple[float, Floats]:
        status = self._solver.Solve()
        if status != self._solver.OPTIMAL:
            raise AssertionError("covering by known batches always has a solution")
        return self._solver.Objective().Value(), np.array([row.dual_value() for row in self._rows])


def _cheapest_cover(
    members: list[list[int]], cost: list[int], rows: int, hinted: int, cancel: Callable[[], bool], seed: int, nodes: int
) -> list[int]:
    """Columns of a cheap cover; the first `hinted` are one. Empty when cancelled before any was found."""
    from ortools.linear_solver import pywraplp

    solver = pywraplp.Solver.CreateSolver("SCIP")
    used = [solver.BoolVar("") for _ in members]
    cover = [solver.Constraint(1.0, solver.infinity()) for _ in range(rows)]
    for column, orders in enumerate(members):
        for row in orders:
            cover[row].SetCoefficient(used[column], 1.0)
        solver.Objective().SetCoefficient(used[column], float(cost[column]))
    solver.Objective().SetMinimization()
    solver.SetHint(used, [float(column < hinted) for column in range(len(used))])
    solver.SetSolverSpecificParametersAsString(f"limits/nodes = {nodes}\nrandomization/randomseedshift = {seed}\n")
    status = _solve_until(solver.Solve, solver.InterruptSolve, cancel)
    if status not in (solver.OPTIMAL, solver.FEASIBLE):
        return []
    return [column for column, x in enumerate(used) if x.solution_value() > 0.5]


def _solve_until(solve: Callable[[], int], stop: Callable[[], None], cancel: Callable[[], bool]) -> int:
    """Solve in a thread of its own, so that the search can be stopped from this one."""
    answer: list[int] = []
    thread = Thread(target=lambda: answer.append(solve()), daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(0.05)
        if cancel():
            stop()
    return answer[0] if answer else 0


def improve_by_columns(
    batches: Sets,
    loads: Loads,
    tours: TourPricer,
    setup_mm: int,
    polish: Callable[[Sets], Sets],
    cancel: Callable[[], bool],
    rounds: int,
    seed: int,
) -> Iterator[Sets]:
    """Better plans for the orders of `batches`, until new batches no longer pay, or the rounds are over."""
    columns = Columns([order for one in batches for order in one], loads, tours, setup_mm)
    columns.add([*batches, *(frozenset([order]) for one in batches for order in one)])
    best, best_cost = batches, _cost(batches, tours, setup_mm)
    if columns.add_all(cancel) and not cancel():
        value, price = columns.prices()
        yield columns.choose(price, value, best, cancel, seed, whole=True)
        return
    dice = random.Random(seed)
    for round_number in range(rounds):
        settled = columns.converge(cancel, EARLY_ROUNDS << min(round_number, 10))
        if cancel():
            return
        value, price = columns.prices()
        if settled and best_cost - value < 1.0:
            return
        dived = columns.dive(dice, cancel)
        plans = [polish(dived)] if dived else []
        if round_number % CHOICE_EVERY == CHOICE_EVERY - 1 and not cancel():
            columns.add([one for plan in plans for one in plan])
            value, price = columns.prices()
            nearest = min([best, *plans], key=lambda plan: _cost(plan, tours, setup_mm))
            plans.append(polish(columns.choose(price, value, nearest, cancel, seed + round_number)))
        for plan in plans:
            columns.add(plan)
            if _cost(plan, tours, setup_mm) < best_cost:
                best, best_cost = plan, _cost(plan, tours, setup_mm)
                yield best


def _cost(batches: Sets, tours: TourPricer, setup_mm: int) -> int:
    return sum(tours.lengths(batches)) + setup_mm * len(batches)
