"""What the planner of layouts is given: the slots on their lanes, past order lines, and how it was tuned."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from wms.optimise.geometry import Point, RectHall, distance_mm

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

BAND_MM = 10_000


@dataclass(frozen=True)
class Ground:
    """The slots of a hall as the planner sees them.

    A lane is one aisle between two cross aisles; a band is a stretch of some metres of a lane. Per slot: its band and
    how deep it lies in its lane, from the end nearer to the depot. Per band: its lane, its mean depth, its slots. Per
    lane: its length and how far its nearer end is from the depot.
    """

    slot_band: Ints
    slot_depth_m: Floats
    band_lane: Ints
    band_depth_m: Floats
    band_slots: Ints
    lane_length_m: Floats
    lane_reach_m: Floats

    @property
    def slot_lane(self) -> Ints:
        return self.band_lane[self.slot_band]

    @property
    def lanes(self) -> int:
        return len(self.lane_length_m)


def ground_of(hall: RectHall, aisle: Ints, y_mm: Ints, band_mm: int = BAND_MM) -> Ground:
    """Sort slots (aisle index and place along it, shape (slots,)) into lanes and bands, from each lane's first slot."""
    edges = np.array(hall.cross_y_mm, dtype=np.int64)
    block = np.clip(np.searchsorted(edges, y_mm, side="right") - 1, 0, hall.blocks - 1)
    lane = aisle * hall.blocks + block
    near, far, reach = _lane_ends(hall)
    depth_mm = np.abs(y_mm - near[lane])
    length_mm = np.abs(far - near)
    per_lane = int(length_mm.max() // band_mm) + 1
    first_mm = np.full(len(near), np.iinfo(np.int64).max)
    np.minimum.at(first_mm, lane, depth_mm)
    key = lane * per_lane + (depth_mm - first_mm[lane]) // band_mm
    bands, slot_band, sizes = np.unique(key, return_inverse=True, return_counts=True)
    band_depth = np.bincount(slot_band, depth_mm) / sizes
    return Ground(
        slot_band=slot_band.astype(np.int64),
        slot_depth_m=depth_mm / 1000.0,
        band_lane=bands // per_lane,
        band_depth_m=band_depth / 1000.0,
        band_slots=sizes.astype(np.int64),
        lane_length_m=length_mm / 1000.0,
        lane_reach_m=reach / 1000.0,
    )


def _lane_ends(hall: RectHall) -> tuple[Ints, Ints, Ints]:
    """Per lane: y of the end nearer to the depot, y of the other, and the walk from the depot to the nearer one."""
    rows = []
    for x in hall.aisle_x_mm:
        for low, high in pairwise(hall.cross_y_mm):
            walks = {y: distance_mm(hall, hall.start_point, Point(x, y)) for y in (low, high)}
            near = low if walks[low] <= walks[high] else high
            rows.append((near, low + high - near, walks[near]))
    near, far, reach = np.array(rows, dtype=np.int64).T
    return near, far, reach


@dataclass(frozen=True)
class Lines:
    """Past order lines, one entry each: of which order, which SKU, and how many weeks ago (0 = last week)."""

    order: Ints
    sku: Ints
    age_weeks: Ints


@dataclass(frozen=True)
class Tuning:
    """Settings of the planner, found on weeks 8-29 of the standard experiment.

    `order_weeks`, `order_half_life_weeks`: how far back orders are read for what is bought together. `doubt_visits`:
    so many visits of an average SKU are added to each SKU's own, so that a rarely ordered one is not placed by
    chance. `tour_lines_max`: lines on a full cart. `turning`: how much of a visit turns round instead of walking
    through. `depth_share`: what a metre of depth costs when the lane is walked anyway. `rounds`, `first_rounds`,
    `moved_share`: how often which share of the SKUs is placed anew. `payback_weeks`: a move must earn `move_cost_m`
    in this time. `signal_min`: below it the past is noise and nothing is done.
    """

    order_weeks: int = 20
    order_half_life_weeks: float = 8.0
    doubt_visits: float = 3.0
    tour_lines_max: int = 40
    turning: float = 0.5
    depth_share: float = 0.05
    rounds: int = 3
    first_rounds: int = 8
    moved_share: float = 0.5
    payback_weeks: float = 2.0
    move_cost_m: float = 120.0
    signal_min: float = 0.15
