"""Every batch some cart carries, where they are few enough to know them all."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from wms.optimise.batching.loads import Loads

Ints = NDArray[np.int64]

ROWS_AT_ONCE = 20_000


def every_batch(orders: Ints, loads: Loads, most: int, cancel: Callable[[], bool]) -> list[Ints]:
    """Places in `orders` of the members of each batch, [batches, size] for size 1, 2, ...; none if more than `most`."""
    load, mix = loads.load[orders], loads.mix[orders]
    layer = np.arange(len(orders), dtype=np.int64)[:, None]
    found: list[Ints] = []
    total = 0
    while len(layer):
        found.append(layer)
        total += len(layer)
        parts: list[Ints] = []
        more = 0
        for begin in range(0, len(layer), ROWS_AT_ONCE):
            part = _one_more(layer[begin : begin + ROWS_AT_ONCE], load, mix, loads)
            parts.append(part)
            more += len(part)
            if total + more > most or cancel():
                return []
        layer = np.concatenate(parts)
    return found


def _one_more(rows: Ints, load: Ints, mix: Ints, loads: Loads) -> Ints:
    """The rows with each later order that still fits."""
    carried = load[rows].sum(axis=1)
    fits = loads.fits(carried[:, None] + load[None]) & (mix[rows[:, :1]] == mix[None])
    fits &= np.arange(len(load)) > rows[:, -1:]
    row, order = np.nonzero(fits)
    return np.column_stack((rows[row], order))
