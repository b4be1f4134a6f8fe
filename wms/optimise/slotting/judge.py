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
from wms.optimise.slotting.values import Ints
from wms.optimise.twin import Stops, tour_lengths_mm


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
