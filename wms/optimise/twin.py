"""The twin: many exact tours over one hall at once, to replay a past month under a layout that does not exist yet.

The same ladder as for one tour (see `routing.ladder`), with all tours side by side in numpy: a thousand tours of forty
stops take milliseconds. Tours are lengths only; nobody walks the past again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wms.optimise.geometry import HallError, RectHall
from wms.optimise.routing.ladder import NEVER, Ladder, shortest_length
from wms.optimise.routing.rect import Frame, frame, is_exact
from wms.optimise.routing.states import FROM_BOTH, FROM_HIGH, FROM_LOW, ONCE, SKIP, TWICE

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Stops:
    """The stops of many tours: stop k belongs to tour `tour[k]` and lies in aisle `aisle[k]` at `y_mm[k]`.

    `tours` counts the tours, also those without stops.
    """

    tour: Ints
    aisle: Ints
    y_mm: Ints
    tours: int


def tour_lengths_mm(hall: RectHall, stops: Stops) -> Ints:
    """Length of the shortest walk from the hall's start over the stops of each tour to its end, in mm.

    Exact for at most four blocks with both ends on cross aisles (HallError otherwise). Shape (tours,).
    """
    if not is_exact(hall, hall.start_point, hall.end_point):
        raise HallError("tours side by side need a hall of at most four blocks with its ends on cross aisles")
    if hall.closed:
        raise HallError("tours side by side are judged in the hall as it was built, without closed stretches")
    base = frame(hall, hall.start_point, hall.end_point)
    column = np.array(base.column_of_aisle, dtype=np.int64)[stops.aisle]
    rows = np.array(base.row_y_mm, dtype=np.int64)
    row = np.searchsorted(rows, stops.y_mm)
    on_crossing = rows[np.minimum(row, len(rows) - 1)] == stops.y_mm
    inside = ~on_crossing
    cost = _aisle_costs(base, stops.tours, stops.tour[inside], column[inside], row[inside] - 1, stops.y_mm[inside])
    touch = _crossings(base, stops.tours, stops.tour[on_crossing], column[on_crossing], row[on_crossing])
    lengths: Ints = shortest_length(Ladder(cost, base.across_cost, touch, base.flips))
    empty = np.bincount(stops.tour, minlength=stops.tours) == 0
    if hall.start_point == hall.end_point:
        lengths[empty] = 0
    return lengths


def _aisle_costs(base: Frame, tours: int, tour: Ints, column: Ints, row: Ints, y_mm: Ints) -> NDArray[Any]:
    """[columns, rows - 1, 6 ways, tours]: what each way of walking each aisle costs each tour."""
    cost = np.repeat(base.empty_cost[:, :, :, None], tours, axis=3)
    if not len(tour):
        return cost
    blocks = base.empty_cost.shape[1]
    part = (column * blocks + row) * tours + tour
    span = int(base.row_y_mm[-1] - base.row_y_mm[0]) + 1
    key = np.sort(part * span + (y_mm - base.row_y_mm[0]))
    part, y = np.divmod(key, span)
    first = np.flatnonzero(np.r_[True, part[1:] != part[:-1]])
    last = np.r_[first[1:], len(part)] - 1
    part = part[first]
    at_row, at_tour = part // tours % blocks, part % tours
    at_column = part // tours // blocks
    edges = np.array(base.row_y_mm, dtype=np.int64) - base.row_y_mm[0]
    low, high = edges[at_row], edges[at_row + 1]
    step = np.r_[0, np.diff(y)]
    step[first] = 0
    gap = np.maximum.reduceat(step, first)
    cost[at_column, at_row, SKIP, at_tour] = NEVER
    cost[at_column, at_row, ONCE, at_tour] = high - low
    cost[at_column, at_row, TWICE, at_tour] = 2 * (high - low)
    cost[at_column, at_row, FROM_LOW, at_tour] = 2 * (y[last] - low)
    cost[at_column, at_row, FROM_HIGH, at_tour] = 2 * (high - y[first])
    cost[at_column, at_row, FROM_BOTH, at_tour] = np.where(last > first, 2 * (high - low - gap), NEVER)
    return cost


def _crossings(base: Frame, tours: int, tour: Ints, column: Ints, row: Ints) -> dict[tuple[int, int], Flags]:
    """Which tours must visit which crossing: both ends of every tour, and stops that lie on a crossing."""
    found = sorted({base.start, base.end, *zip(column.tolist(), row.tolist(), strict=True)})
    touch: dict[tuple[int, int], Flags] = {}
    for node in found:
        must = np.zeros(tours, dtype=np.bool_)
        must[tour[(column == node[0]) & (row == node[1])]] = True
        touch[node] = must | (node in (base.start, base.end))
    return touch
