"""Choosing cells and tour together, when an article lies in several places.

Every way of walking an aisle passes some cells; a tour must pass enough of each article. Giving each unit a price
(Lagrange multipliers, raised for what is missing and lowered for what is passed too often) leaves a tour problem the
ladder solves exactly: its value bounds every solution from below. A search from column to column over partial tours
(their state and what is still missing) then looks for a tour, dropping whatever the prices prove too long; when it
drops nothing else, the tour it finds is optimal. Held and Karp (1971) for the bound; Goeke and Schneider (2021) and
Heßler and Irnich (2022) for the problem on the ladder.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from math import gcd
from typing import NamedTuple

import numpy as np

from wms.optimise.geometry import HallError, Point, RectHall, Stop, check_stop, stop_point
from wms.optimise.routing.cells import Cells
from wms.optimise.routing.ladder import NEVER
from wms.optimise.routing.options import Ints, Options, aisle_options
from wms.optimise.routing.partial import Search
from wms.optimise.routing.prices import Prices
from wms.optimise.routing.rect import corners, exact_path, frame, visit_order
from wms.optimise.routing.route import WALK_MM_PER_S, Route
from wms.optimise.routing.states import AISLE_WAYS

CHANGES_MAX = 10  # rounds of changing cells one by one
ROUNDING = 0.01  # mm: far above the rounding of prices, far below a difference in length


class Supply(NamedTuple):
    """Some of an article at a place."""

    article: str
    stop: Stop
    quantity: int


@dataclass(frozen=True)
class Effort:
    """How long to search: rounds of pricing, and for each search over partial tours how many are kept at each step,
    and from how many groups."""

    price_rounds: int = 40
    searches: tuple[tuple[int, int], ...] = ((40, 15), (160, 50), (120, 15))


@dataclass(frozen=True)
class Pick:
    """Take `quantity` from supply number `supply`."""

    supply: int
    quantity: int


@dataclass(frozen=True)
class ScatteredRoute:
    """A route and what is taken where, in walking order. The route's sequence counts the picks."""

    route: Route
    picks: tuple[Pick, ...]


def plan_scattered_route(
    hall: RectHall,
    supplies: Sequence[Supply],
    needs: dict[str, int],
    start: Point | None = None,
    effort: Effort | None = None,
) -> ScatteredRoute:
    """A short route from `start` and back that picks all `needs`, and from which supplies.

    Raises HallError when a supply lies outside the hall, and when there is not enough of an article.
    """
    task = _Task(hall, supplies, needs, start or hall.start_point, effort or Effort())
    return task.solve()


class _Task:
    def __init__(
        self, hall: RectHall, supplies: Sequence[Supply], needs: dict[str, int], start: Point, effort: Effort
    ) -> None:
        self._hall, self._start, self._effort = hall, start, effort
        self._supplies = supplies
        self._articles = [article for article, quantity in needs.items() if quantity > 0]
        self._need = np.array([needs[article] for article in self._articles], dtype=np.int64)
        self._base = frame(hall, start, hall.end_point if start == hall.start_point else start)
        self._check()

    def _check(self) -> None:
        lying = dict.fromkeys(self._articles, 0)
        for supply in self._supplies:
            check_stop(self._hall, supply.stop)
            if supply.article in lying:
                lying[supply.article] += supply.quantity
        for article, need in zip(self._articles, self._need.tolist(), strict=True):
            if lying[article] < need:
                raise HallError(f"article {article}: {need} are needed and {lying[article]} lie in the hall")

    def solve(self) -> ScatteredRoute:
        if not self._articles:
            return self._result([], 0.0, proved=True)
        options = self._options()
        prices = Prices(self._base, options, self._need)
        unit = self._length_unit()
        wanted = [index for index, supply in enumerate(self._supplies) if self._is_wanted(supply)]
        self._cells = self._cells_of(wanted)
        picks, length = self._settled(wanted, self._near(), changes_max=0)  # soon outdone: not worth improving
        first = prices.judge(np.full(len(self._need), length / (2.0 * self._need.sum())))
        best = prices.improve(first, float(length), self._effort.price_rounds // 3)
        passed = [pick.supply for pick in self._passed(options, prices.chosen(best))]
        other = self._cells.completed(frozenset(wanted.index(supply) for supply in passed))
        repaired = self._settled(wanted, [Pick(wanted[cell], 0) for cell in sorted(other)], changes_max=1)
        picks, length = min((picks, length), repaired, key=lambda pair: pair[1])
        proved = False
        for width, groups in self._effort.searches:
            found = Search(prices, best, float(length), width, groups, unit).run()
            if found.options:
                found_here = self._settled(wanted, self._passed(options, found.options))
                picks, length = min((picks, length), found_here, key=lambda pair: pair[1])
            proved = proved or found.complete
            if proved or best.bound > length - unit + ROUNDING:
                return self._result(picks, best.bound, proved=True)
            best = prices.improve(best, float(length), self._effort.price_rounds // 2)
        return self._result(picks, best.bound, proved=best.bound > length - unit + ROUNDING)

    def _options(self) -> Options:
        """Options of every aisle piece, column by column; supplies on a crossing belong to the piece above or below."""
        base = self._base
        pieces = len(base.row_y_mm) - 1
        article = {name: index for index, name in enumerate(self._articles)}
        lying: dict[int, dict[int, Ints]] = {}
        for supply in self._supplies:
            if supply.article in article and supply.quantity > 0:
                piece, offset = self._spot(supply.stop)
                at = lying.setdefault(piece, {}).setdefault(offset, np.zeros(len(article), dtype=np.int64))
                at[article[supply.article]] += supply.quantity
        stock = {piece: (sorted(at), np.array([at[offset] for offset in sorted(at)])) for piece, at in lying.items()}
        lengths: list[int | None] = [
            int(cost[1]) if cost[1] < NEVER else None for cost in base.empty_cost.reshape(-1, AISLE_WAYS)
        ]
        assert len(lengths) == pieces * len(base.column_x_mm)
        return aisle_options(lengths, stock, self._need)

    def _spot(self, stop: Stop) -> tuple[int, int]:
        base = self._base
        row = max(bisect_left(base.row_y_mm, stop.y_mm) - 1, 0 if base.hub is None else 1)
        column = base.column_of_aisle[stop.aisle]
        return column * (len(base.row_y_mm) - 1) + row, base.offset_mm((column, row), stop.y_mm)

    def _length_unit(self) -> int:
        """Every round tour's length is a multiple of this: each line is crossed as often one way as the other."""
        places = [value for x in (self._hall.aisle_x_mm, self._hall.cross_y_mm) for value in np.diff(x).tolist()]
        low = self._hall.cross_y_mm[0]
        places += [supply.stop.y_mm - low for supply in self._supplies]
        end = self._base.crossing(self._base.end)
        places += [end.x_mm - self._hall.aisle_x_mm[0], self._start.x_mm - self._hall.aisle_x_mm[0]]
        return 1 if self._hall.hub or end != self._start else 2 * gcd(*places)

    def _near(self) -> list[Pick]:
        """Take everything from where it lies nearest to the start."""
        near = [
            abs(x - self._start.x_mm) + abs(y - self._start.y_mm)
            for x, y in (stop_point(self._hall, supply.stop) for supply in self._supplies)
        ]
        return self._taken(sorted(range(len(self._supplies)), key=near.__getitem__))

    def _taken(self, supplies: Sequence[int]) -> list[Pick]:
        missing = dict(zip(self._articles, self._need.tolist(), strict=True))
        picks: list[Pick] = []
        for index in supplies:
            supply = self._supplies[index]
            quantity = min(missing.get(supply.article, 0), supply.quantity)
            if quantity > 0:
                missing[supply.article] -= quantity
                picks.append(Pick(index, quantity))
        return picks

    def _passed(self, options: Options, chosen: list[int]) -> list[Pick]:
        """What is taken along the chosen ways."""
        passed = [
            index
            for index, supply in enumerate(self._supplies)
            for piece, offset in [self._spot(supply.stop)]
            if offset <= options.low[chosen[piece]] or 0 <= options.high[chosen[piece]] <= offset
        ]
        return self._taken(passed)

    def _is_wanted(self, supply: Supply) -> bool:
        return supply.quantity > 0 and supply.article in self._articles

    def _cells_of(self, wanted: list[int]) -> Cells:
        number = {article: index for index, article in enumerate(self._articles)}
        supplies = [self._supplies[index] for index in wanted]
        article = np.array([number[supply.article] for supply in supplies], dtype=np.int64)
        quantity = np.array([supply.quantity for supply in supplies], dtype=np.int64)
        return Cells(self._base, [supply.stop for supply in supplies], article, quantity, self._need)

    def _settled(self, wanted: list[int], picks: list[Pick], changes_max: int = CHANGES_MAX) -> tuple[list[Pick], int]:
        """Picks improved cell by cell, and the length of their tour."""
        place = {supply: cell for cell, supply in enumerate(wanted)}
        taken, length = self._cells.improved(frozenset(place[pick.supply] for pick in picks), changes_max)
        return self._taken([wanted[cell] for cell in sorted(taken)]), length

    def _result(self, picks: list[Pick], bound: float, proved: bool) -> ScatteredRoute:
        stops = [self._supplies[pick.supply].stop for pick in picks]
        end = self._base.crossing(self._base.end)
        length, path = exact_path(self._hall, stops, self._start, end)
        order = visit_order(path, [stop_point(self._hall, stop) for stop in stops])
        unit = self._length_unit()
        lower = length if proved else min(length, -(-int(np.ceil(bound - ROUNDING)) // unit) * unit)
        route = Route(
            sequence=tuple(range(len(order))),
            path=corners(path, self._hall.hub),
            length_mm=length,
            seconds=length / WALK_MM_PER_S,
            method="prices and partial tours",
            optimal=lower == length,
            lower_bound_mm=lower,
        )
        return ScatteredRoute(route, tuple(picks[index] for index in order))
