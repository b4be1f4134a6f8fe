"""The second opinion: what a move would have saved on tours that were really walked.

The planner's gain is a forecast for the average week; the twin replays recent tours with the goods in their new slot.
A replay knows chance and no future, so it only vetoes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from wms.optimise.geometry import RectHall
from wms.optimise.slotting.plan import Move
from wms.optimise.slotting.values import Floats, Ints
from wms.optimise.twin import Stops, tour_lengths_mm

STOPS_SHARED_MAX = 20_000
TOURS_AT_ONCE = 100


@dataclass(frozen=True)
class Walks:
    """Recent tours by what was picked: line k of tour `tour[k]` picked SKU `sku[k]`. `tours` counts them."""

    tour: Ints
    sku: Ints
    tours: int


@dataclass(frozen=True)
class Replay:
    """Metres of the tours as the goods lie, with every move made, and what each move alone would have saved."""

    walked_m: float
    planned_m: float
    saved_m: tuple[float, ...]


def replay(hall: RectHall, aisle: Ints, y_mm: Ints, walks: Walks, place: Ints, moves: Sequence[Move]) -> Replay:
    """Replay `walks` under a layout (`place`: the slot of each SKU; `aisle`, `y_mm`: of each slot) and its moves.

    Raises HallError where tours side by side cannot be computed (see `twin`).
    """

    def lengths(tour: Ints, slot: Ints, tours: int) -> Ints:
        return tour_lengths_mm(hall, Stops(tour, aisle[slot], y_mm[slot], tours))

    walked = lengths(walks.tour, place[walks.sku], walks.tours)
    after = place.copy()
    for move in moves:
        after[move.sku] = move.target
    planned = lengths(walks.tour, after[walks.sku], walks.tours)
    saved = []
    for move in moves:
        touched = np.zeros(walks.tours, dtype=np.bool_)
        touched[walks.tour[walks.sku == move.sku]] = True
        lines = touched[walks.tour]
        tour = (np.cumsum(touched) - 1)[walks.tour[lines]]
        sku = walks.sku[lines]
        slot = np.where(sku == move.sku, move.target, place[sku])
        alone = lengths(tour, slot, int(touched.sum()))
        saved.append(float(walked[touched].sum() - alone.sum()) / 1000.0)
    return Replay(float(walked.sum()) / 1000.0, float(planned.sum()) / 1000.0, tuple(saved))


def shares_m(hall: RectHall, aisle: Ints, y_mm: Ints, walks: Walks, place: Ints) -> Floats:
    """Metres of all tours shared among the SKUs' slots, by what each stop adds to its tour. Shape (SKUs,).

    A stop adds what the tour would be shorter without it, and one metre, so that stops that lie on the way have a
    share too. Of more than 20,000 stops only every so many-th tour is looked at, for all.
    """
    stop = np.unique(walks.tour * len(place) + walks.sku)
    every = max(1, -(-len(stop) // STOPS_SHARED_MAX))
    stop = stop[stop // len(place) % every == 0]
    metres = np.zeros(len(place))
    tour, sku = np.divmod(stop, len(place))
    cuts = np.flatnonzero(np.r_[True, tour[1:] != tour[:-1]]) if len(tour) else np.zeros(0, dtype=np.int64)
    for begin in range(0, len(cuts), TOURS_AT_ONCE):
        first = cuts[begin]
        last = cuts[begin + TOURS_AT_ONCE] if begin + TOURS_AT_ONCE < len(cuts) else len(tour)
        some = place[sku[first:last]]
        metres += np.bincount(
            sku[first:last],
            _shared(hall, tour[first:last], aisle[some], y_mm[some]),
            minlength=len(place),
        )
    return metres * every


def _shared(hall: RectHall, tour: Ints, aisle: Ints, y_mm: Ints) -> Floats:
    """The metres of some tours (ascending, no stop twice) shared among their stops; shape of `tour`."""
    _, number, size = np.unique(tour, return_inverse=True, return_counts=True)
    lengths = tour_lengths_mm(hall, Stops(number, aisle, y_mm, len(size)))
    first = np.cumsum(size) - size
    # For each stop its tour without it: stop k's copy of the tour is all the stops of the tour but k.
    copies = np.repeat(np.arange(len(tour)), size[number])
    within = np.arange(len(copies)) - np.repeat(np.cumsum(size[number]) - size[number], size[number])
    other = first[number[copies]] + within
    kept = other != copies
    without = tour_lengths_mm(hall, Stops(copies[kept], aisle[other[kept]], y_mm[other[kept]], len(tour)))
    without[size[number] == 1] = 0
    weight = (lengths[number] - without) / 1000.0 + 1.0
    return np.asarray(lengths[number] / 1000.0 * weight / np.bincount(number, weight)[number])
