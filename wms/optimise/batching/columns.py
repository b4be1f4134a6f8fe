"""Better plans from many good batches: column generation, then choosing among the columns.

A linear programme over the batches known so far gives every order a price (its dual); new batches that are cheap at
those prices are looked up where all batches are known, else grown order by order, keeping the most promising at every
size; at times the best partition into known batches is chosen by branch and bound. Covering an order twice is allowed
on the way: leaving one out never lengthens a tour. Gilmore and Gomory (1961) for the method; Muter and Öncan (IIE
Transactions 47, 2015) for batches.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from wms.optimise.batching.every import every_batch
from wms.optimise.batching.loads import Loads
from wms.optimise.batching.pricing import TourPricer
from wms.optimise.batching.programme import Programme, cheapest_cover

Sets = list[frozenset[int]]
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

GROWN_AT_ONCE = 2_500  # batches priced at each size
KEPT_AT_ONCE = 250  # of those, how many grow on
NEW_PER_ROUND = 150
CHOSEN_AMONG = 800  # columns in one choice
CHOICE_EVERY = 4  # dives
DIVE_ROUNDS = 3  # of pricing after each batch taken
NODES_MAX = 20  # of the branch and bound tree of one choice
EARLY_ROUNDS = 30  # of growing before the first dive; twice as many before each later one
ALL_MAX = 1_500_000  # with no more batches than this, all get known and the bound of the programme is true
ALL_EARLY = 60_000  # so many at once, more only after some dives: pricing them takes seconds
DIVES_BEFORE_ALL = 3
PRICED_AT_ONCE = 16_384  # between two looks at whether to go on
NEAR_MAX, NEAR_NODES = 1_500, 400  # where all batches are known: columns and nodes of a choice that may prove the best
PRICINGS_MAX = 1_000
SIZE_MAX = 40  # orders in one grown batch


class Columns:
    """Known batches of some orders, the linear programme over them, and how they are chosen.

    Inside, an order is its place among `orders`, and a batch a row of places.
    """

    def __init__(self, orders: Sequence[int], loads: Loads, tours: TourPricer, setup_mm: int) -> None:
        self._orders = np.array(sorted(orders), dtype=np.int64)
        self._loads, self._tours, self._setup = loads, tours, setup_mm
        self._load, self._mix = loads.load[self._orders], loads.mix[self._orders]
        self._key = np.random.default_rng(1).integers(1, 1 << 62, len(self._orders), dtype=np.int64)
        self._known: dict[int, int] = {}  # by the sum of keys: its number
        self._members: list[list[int]] = []
        self._cost: list[float] = []
        self._wide = np.zeros((0, 1), dtype=np.int64)  # members as a matrix, filled up with a place that costs nothing
        self._programme = Programme(len(self._orders))
        self._every: list[tuple[Ints, Floats]] = []
        self._alone = self._tours.price(self._orders[None]).astype(np.float64)
        self._pairs = self._price_pairs()

    def _price_pairs(self) -> Floats:
        """How much longer the tour of order k gets by order j: [k, j]."""
        first, second = np.indices((len(self._orders), len(self._orders))).reshape(2, -1)
        together = self._tours.price(self._orders[np.stack((first, second))])
        longer: Floats = together.reshape(len(self._orders), -1) - self._alone[:, None]
        return longer

    def add_sets(self, batches: Iterable[frozenset[int]]) -> None:
        """Take batches in, by the orders' own numbers."""
        for one in batches:
            rows = np.searchsorted(self._orders, sorted(one))[None]
            self.add(rows, np.array(self._tours.lengths([one]), dtype=np.float64) + self._setup)

    def add(self, rows: Ints, cost: Floats) -> int:
        """Take batches of one size in; how many were new."""
        new = 0
        keys = self._key[rows].sum(axis=1).tolist()
        for key, members, price in zip(keys, rows.tolist(), cost.tolist(), strict=True):
            if key not in self._known:
                self._known[key] = len(self._members)
                self._members.append(members)
                self._cost.append(price)
                self._programme.add(members, price)
                new += 1
        return new

    def know_all(self, most: int, cancel: Callable[[], bool]) -> bool:
        """Price every batch some cart carries, if they are no more than `most`; whether that was done."""
        every = every_batch(self._orders, self._loads, most, cancel)
        priced: list[tuple[Ints, Floats]] = []
        for rows in every:
            lengths = np.empty(len(rows))
            for begin in range(0, len(rows), PRICED_AT_ONCE):
                if cancel():
                    return False
                part = slice(begin, begin + PRICED_AT_ONCE)
                lengths[part] = self._tours.price(self._orders[rows[part]].T)
            priced.append((rows, lengths + self._setup))
        self._every = priced
        return bool(priced)

    def prices(self) -> tuple[float, Floats]:
        """Value of the linear programme, and the price of each order."""
        return self._programme.solve()

    def converge(self, cancel: Callable[[], bool], rounds: int) -> bool:
        """Take in new batches until none found is cheaper than the prices of its orders; whether that came to pass."""
        smooth: Floats | None = None
        for _ in range(rounds):
            if cancel():
                return False
            _, price = self.prices()
            smooth = price if smooth is None else 0.4 * smooth + 0.6 * price
            if not self._add_cheap(smooth, price, cancel):
                smooth = price
                if not self._add_cheap(price, price, cancel):
                    return not cancel()
        return False

    def _add_cheap(
        self, guide: Floats, price: Floats, cancel: Callable[[], bool], among: NDArray[np.bool_] | None = None
    ) -> int:
        """Take in what is cheapest at the guiding prices; of what is looked up, only what is cheap at the true ones."""
        if not self._every:
            return self._take_in(self.grow(guide, cancel, among))
        found = []
        for rows, cost in self._every:
            worth = cost - guide[rows].sum(axis=1)
            if among is not None:
                worth[~among[rows].all(axis=1)] = 0.0
            best = np.argpartition(worth, NEW_PER_ROUND)[:NEW_PER_ROUND] if len(worth) > NEW_PER_ROUND else ...
            rows, cost, worth = rows[best], cost[best], worth[best]
            cheap = (cost - price[rows].sum(axis=1) < -0.5) & (worth < -0.5)
            found.append((rows[cheap], cost[cheap], worth[cheap]))
        return self._take_in(found)

    def _take_in(self, found: list[tuple[Ints, Floats, Floats]]) -> int:
        """Add the cheapest of some batches (members, cost, worth), sorted by size."""
        worth = np.concatenate([part[2] for part in found]) if found else np.zeros(0)
        limit = np.partition(worth, NEW_PER_ROUND)[NEW_PER_ROUND] if len(worth) > NEW_PER_ROUND else np.inf
        return sum(self.add(rows[value < limit], cost[value < limit]) for rows, cost, value in found)

    def grow(
        self, price: Floats, cancel: Callable[[], bool], among: NDArray[np.bool_] | None = None
    ) -> list[tuple[Ints, Floats, Floats]]:
        """Batches (of the places `among`) cheaper than the prices of their orders: members, cost and worth, by size."""
        may = np.ones(len(self._orders), dtype=np.bool_) if among is None else among
        rows = np.flatnonzero(may)[:, None]
        length = self._alone[rows[:, 0]]
        found: list[tuple[Ints, Floats, Floats]] = []
        for _ in range(SIZE_MAX):
            if cancel() or not len(rows):
                break
            rows = self._promising(rows, length, price, may)
            length = self._tours.price(self._orders[rows].T).astype(np.float64) if len(rows) else np.zeros(0)
            worth = length + self._setup - price[rows].sum(axis=1)
            kept = np.argsort(worth, kind="stable")[:KEPT_AT_ONCE]
            rows, length, worth = rows[kept], length[kept], worth[kept]
            cheap = worth < -0.5
            if cheap.any():
                found.append((rows[cheap], length[cheap] + self._setup, worth[cheap]))
        return found

    def _promising(self, rows: Ints, length: Floats, price: Floats, may: NDArray[np.bool_]) -> Ints:
        """One order more, where the guess from pairs is best and a cart still carries it."""
        carried = self._load[rows].sum(axis=1)
        fits = self._loads.fits(carried[:, None] + self._load[None]) & may
        fits &= self._mix[rows[:, :1]] == self._mix[None]
        np.put_along_axis(fits, rows, values=False, axis=1)
        guess = (length - price[rows].sum(axis=1))[:, None] + self._pairs[rows].min(axis=1) - price[None]
        row, order = np.nonzero(fits)
        value = guess[row, order]
        _, once = np.unique(self._key[rows].sum(axis=1)[row] + self._key[order], return_index=True)
        if len(once) > GROWN_AT_ONCE:
            once = once[np.argpartition(value[once], GROWN_AT_ONCE)[:GROWN_AT_ONCE]]
        once.sort()
        return np.column_stack((rows[row[once]], order[once]))

    def _reduced(self, price: Floats) -> Floats:
        """Cost of each known batch less the prices of its orders."""
        width = max(len(one) for one in self._members)
        if self._wide.shape[1] < width:
            self._wide = np.zeros((0, width), dtype=np.int64)
        nobody = len(self._orders)
        fresh = [one + [nobody] * (width - len(one)) for one in self._members[len(self._wide) :]]
        if fresh:
            self._wide = np.concatenate((self._wide.reshape(-1, self._wide.shape[1]), np.array(fresh)))
        worth: Floats = np.array(self._cost) - np.append(price, 0.0)[self._wide].sum(axis=1)
        return worth

    def choose(
        self, price: Floats, value: float, best: Sets, cancel: Callable[[], bool], seed: int, most: int, nodes: int
    ) -> tuple[Sets, bool]:
        """The cheapest cover by known batches that is found, made a partition; `best` where none is.

        Also whether no known batches make a cheaper plan.
        """
        known = [self._known[int(self._key[np.searchsorted(self._orders, sorted(one))].sum())] for one in best]
        gap = sum(self._cost[k] for k in known) - value
        reduced = self._reduced(price)
        order = np.argsort(reduced, kind="stable")[:most].tolist()
        names = list(dict.fromkeys([*known, *(k for k in order if reduced[k] < gap)]))
        everything = len(order) == len(reduced) or reduced[order[-1]] >= gap
        members, cost = [self._members[k] for k in names], [round(self._cost[k]) for k in names]
        cover, proved = cheapest_cover(members, cost, len(self._orders), len(best), cancel, seed, nodes)
        return (self._parted([names[k] for k in cover]) if cover else best), proved and everything

    def know_near(self, best_cost: float) -> int:
        """Take in every batch that could be part of a cheaper plan, if all are known and these are few; how many, or 0.

        The programme must have been solved over all of them.
        """
        value, price = self.prices()
        near = [np.flatnonzero(cost - price[rows].sum(axis=1) < best_cost - value) for rows, cost in self._every]
        count = sum(map(len, near))
        if count > NEAR_MAX:
            return 0
        for (rows, cost), which in zip(self._every, near, strict=True):
            self.add(rows[which], cost[which])
        return count

    def dive(self, dice: random.Random, cancel: Callable[[], bool]) -> Sets:
        """A plan made by taking the batches the programme likes best, one or a few at a time, and pricing anew.

        Empty when cancelled before every order was in a batch.
        """
        taken: list[int] = []
        left = np.ones(len(self._orders), dtype=np.bool_)
        for _ in range(len(self._orders)):
            for _ in range(DIVE_ROUNDS):
                _, price = self._programme.solve()
                if cancel() or not self._add_cheap(price, price, cancel, left):
                    break
            if cancel():
                break
            _, price = self._programme.solve()
            liked = self._programme.liked(self._reduced(price), dice)
            fresh = [k for k in liked if left[self._members[k]].any()]
            taken += fresh
            self._programme.fix(fresh)
            for k in fresh:
                left[self._members[k]] = False
            if not left.any():
                break
        self._programme.free()
        return [] if left.any() else self._parted(taken)

    def _parted(self, cover: Sequence[int]) -> Sets:
        """Each order stays in one batch: the first that holds it keeps it."""
        seen: set[int] = set()
        batches: Sets = []
        for k in cover:
            rest = [row for row in self._members[k] if row not in seen]
            seen.update(rest)
            batches.append(frozenset(self._orders[rest].tolist()))
        return [one for one in batches if one]


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

    def cost_of(plan: Sets) -> int:
        return sum(tours.lengths(plan)) + setup_mm * len(plan)

    columns = Columns([order for one in batches for order in one], loads, tours, setup_mm)
    columns.add_sets([*batches, *(frozenset([order]) for one in batches for order in one)])
    yield from _Search(columns, batches, cost_of, polish, cancel, seed).run(rounds)


class _Search:
    """Rounds of pricing, diving and choosing; `best` is the cheapest plan so far."""

    def __init__(
        self,
        columns: Columns,
        best: Sets,
        cost_of: Callable[[Sets], int],
        polish: Callable[[Sets], Sets],
        cancel: Callable[[], bool],
        seed: int,
    ) -> None:
        self._columns, self._cost_of, self._polish, self._cancel = columns, cost_of, polish, cancel
        self._seed, self._dice = seed, random.Random(seed)
        self.best = best

    def run(self, rounds: int) -> Iterator[Sets]:
        knows_all = self._columns.know_all(ALL_EARLY, self._cancel)
        for number in range(rounds):
            if number == DIVES_BEFORE_ALL and not knows_all:
                knows_all = self._columns.know_all(ALL_MAX, self._cancel)
            before = self.best
            pricings = PRICINGS_MAX if knows_all else EARLY_ROUNDS << min(number, 10)
            settled = self._columns.converge(self._cancel, pricings)
            if self._cancel():
                return
            proved = settled and self._proved(number, knows_all)
            if not proved:
                self._dive(number)
            if self.best is not before:
                yield self.best
            if proved:
                return

    def _proved(self, number: int, knows_all: bool) -> bool:
        """Whether nothing is cheaper than the best plan, perhaps after choosing among all that could be."""
        value, _ = self._columns.prices()
        if self._cost_of(self.best) - value < 1.0:
            return True
        if not knows_all or not self._columns.know_near(self._cost_of(self.best)):
            return False
        value, price = self._columns.prices()
        chosen, proved = self._columns.choose(
            price, value, self.best, self._cancel, self._seed + number, 2 * NEAR_MAX, NEAR_NODES
        )
        self._offer(chosen)
        return proved

    def _dive(self, number: int) -> None:
        """One dive; now and then also a choice among the cheapest of all batches known by then."""
        plans = [self._polish(self._columns.dive(self._dice, self._cancel))]
        plans = [plan for plan in plans if plan]
        if number % CHOICE_EVERY == CHOICE_EVERY - 1 and not self._cancel():
            nearest = min([self.best, *plans], key=self._cost_of)
            self._columns.add_sets(nearest)
            value, price = self._columns.prices()
            chosen, _ = self._columns.choose(
                price, value, nearest, self._cancel, self._seed + number, CHOSEN_AMONG, NODES_MAX
            )
            plans.append(self._polish(chosen))
        for plan in plans:
            self._offer(plan)

    def _offer(self, plan: Sets) -> None:
        self._columns.add_sets(plan)
        if self._cost_of(plan) < self._cost_of(self.best):
            self.best = plan
