"""The nine policies of the standard experiment: each a layout a week, from what earlier weeks showed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from wms.optimise.bench.slot.hall import GROUND, SLOTS
from wms.optimise.bench.slot.orders import Season
from wms.optimise.slotting.layout import into_slots
from wms.optimise.slotting.plan import Planner
from wms.optimise.slotting.values import Floats, Ints, Tuning

START_WEEK = 8
RENEWED_SHARE = 0.25
MOVES_PER_WEEK = 60
TUNING = Tuning()
CLASS_SHARES = (0.80, 0.95)  # of the lines: A, then A and B


@dataclass(frozen=True)
class Layout:
    """Where every SKU lies in a week, and how many moves led there that were no receipts."""

    week: int
    place: Ints
    moves: int = 0


Policy = Callable[[Season, int, int], Iterator[Layout]]  # (season, last week, seed)


def random_place(skus: int, seed: int) -> Ints:
    return np.random.default_rng(seed).permutation(len(SLOTS))[:skus]


def compact_place(skus: int, seed: int) -> Ints:
    return np.random.default_rng(seed).permutation(skus)


def turnover_place(lines: Floats) -> Ints:
    """Most lines first in the order of filling; ties by SKU."""
    place = np.empty(len(lines), dtype=np.int64)
    place[np.argsort(-lines, kind="stable")] = np.arange(len(lines))
    return place


def abc_place(lines: Floats, seed: int) -> Ints:
    """Classes by their share of the lines, random inside a class."""
    order = np.argsort(-lines, kind="stable")
    before = np.r_[0.0, np.cumsum(lines[order])[:-1]] / max(1.0, lines.sum())
    letter = np.searchsorted(CLASS_SHARES, before, side="right")
    shuffled = np.lexsort((np.random.default_rng(seed).random(len(lines)), letter))
    place = np.empty(len(lines), dtype=np.int64)
    place[order[shuffled]] = np.arange(len(lines))
    return place


def static_lines(season: Season) -> Floats:
    lines: Floats = season.counts[:START_WEEK].sum(axis=0)
    return lines


def _unchanged(place: Callable[[Season, int], Ints]) -> Policy:
    def policy(season: Season, last: int, seed: int) -> Iterator[Layout]:
        always = place(season, seed)
        for week in range(START_WEEK, last + 1):
            yield Layout(week, always)

    return policy


def hindsight(season: Season, last: int, seed: int) -> Iterator[Layout]:
    """By the week's own lines, which nobody can know."""
    before: Ints | None = None
    for week in range(START_WEEK, last + 1):
        place = turnover_place(season.counts[week])
        yield Layout(week, place, 0 if before is None else int((place != before).sum()))
        before = place


def planner_for(season: Season) -> Planner:
    """The planner of the house, told how many lines its carts take."""
    return Planner(GROUND, replace(TUNING, tour_lines_max=season.cart_lines))


def weekly_unbounded(season: Season, last: int, seed: int) -> Iterator[Layout]:
    """The ideal of the planner, whatever it takes."""
    place = turnover_place(static_lines(season))
    planner = planner_for(season)
    for week in range(START_WEEK, last + 1):
        ideal = planner.ideal(season.counts[:week], season.before(week), place)
        before, place = place, into_slots(GROUND, ideal.band, ideal.speed, place)
        yield Layout(week, place, int((place != before).sum()))


def renewed(season: Season, week: int, dice: np.random.Generator) -> Ints:
    """The SKUs that receive goods this week."""
    known = season.ever_ordered(week)
    return known[dice.random(len(known)) < RENEWED_SHARE]


def dynamic(start: Callable[[Season], Ints], most: int = MOVES_PER_WEEK) -> Policy:
    """Receipts steered, then a few moves that pay."""

    def policy(season: Season, last: int, seed: int) -> Iterator[Layout]:
        dice = np.random.default_rng(seed)
        place = start(season)
        planner = planner_for(season)
        for week in range(START_WEEK, last + 1):
            receipts = renewed(season, week, dice)
            ideal = planner.ideal(season.counts[:week], season.before(week), place)
            place = planner.steer(place, receipts, ideal)
            moved = planner.moves(place, ideal, most, fixed=receipts)
            for move in moved:
                place[move.sku] = move.target
            yield Layout(week, place.copy(), len(moved))

    return policy


POLICIES: dict[str, Policy] = {
    "random": _unchanged(lambda season, seed: random_place(season.skus, seed)),
    "compact": _unchanged(lambda season, seed: compact_place(season.skus, seed)),
    "sku_number": _unchanged(lambda season, seed: np.arange(season.skus)),
    "abc_static": _unchanged(lambda season, seed: abc_place(static_lines(season), seed)),
    "turnover_static": _unchanged(lambda season, seed: turnover_place(static_lines(season))),
    "weekly_unbounded": weekly_unbounded,
    "dynamic_from_random": dynamic(lambda season: random_place(season.skus, 1)),
    "dynamic_from_static": dynamic(lambda season: turnover_place(static_lines(season))),
    "hindsight": hindsight,
}
MEAN_OF_SEEDS = {"random": range(1, 6), "compact": range(1, 6)}
