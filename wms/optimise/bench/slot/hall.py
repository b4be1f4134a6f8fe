"""The hall of the standard experiment: 20 aisles, 6,000 slots, numbered in the order in which they are filled."""

from __future__ import annotations

import numpy as np

from wms.optimise.geometry import Point, RectHall
from wms.optimise.slotting.values import Ground, Ints, ground_of

AISLES, SIDES, BAYS, LEVELS = 20, 2, 30, 5
PITCH_MM, BAY_MM, LENGTH_MM = 4_000, 2_000, 62_000
DEPOT_AISLE = 10

HALL = RectHall(
    aisle_x_mm=tuple(PITCH_MM * aisle for aisle in range(AISLES)),
    cross_y_mm=(0, LENGTH_MM),
    depot=Point(PITCH_MM * DEPOT_AISLE, 0),
)


def _aisles_outwards() -> list[int]:
    """10, 9, 11, 8, 12, ..."""
    return sorted(range(AISLES), key=lambda aisle: (abs(aisle - DEPOT_AISLE), aisle))


def _slots() -> Ints:
    """(slots, 4): aisle, side, bay, level of each slot in the order of filling."""
    rows = [
        (aisle, side, bay, level)
        for aisle in _aisles_outwards()
        for bay in range(BAYS)
        for side in range(SIDES)
        for level in range(LEVELS)
    ]
    return np.array(rows, dtype=np.int64)


SLOTS = _slots()
SLOT_AISLE: Ints = SLOTS[:, 0]
SLOT_Y_MM: Ints = BAY_MM + BAY_MM * SLOTS[:, 2]
GROUND: Ground = ground_of(HALL, SLOT_AISLE, SLOT_Y_MM)
