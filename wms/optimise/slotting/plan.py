"""Where the next receipt of each SKU should go, and the few moves that pay.

Receipts are cheap to steer: each takes the free slot that is best at the prices of the ideal. A move must earn its walk
within the payback time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from wms.optimise.slotting.forecast import believed, best_half_life, signal, speeds
from wms.optimise.slotting.ideal import Ideal, ideal_layout, stay_put
from wms.optimise.slotting.layout import Free
from wms.optimise.slotting.receipts import bands_in_turn
from wms.optimise.slotting.values import Flags, Floats, Ground, Ints, Lines, Tuning
from wms.optimise.slotting.visits import band_costs, lonely_shares

Lawful = Callable[[int], Flags]  # from a SKU to its lawful slots, (slots,)

TRIES_PER_MOVE = 200
SPEED_MIN = 0.001  # lines a week: who was never ordered still lies somewhere


@dataclass(frozen=True)
class Move:
    """Carry a SKU from its slot to a free one; metres a week that saves, others' gain included."""

    sku: int
    source: int
    target: int
    gain_m: float


class Planner:
    """Plans week after week; remembers the ideal of last time, so that plans do not jump."""

    def __init__(self, ground: Ground, tuning: Tuning | None = None, before: Ints | None = None) -> None:
        self._ground = ground
        self._tuning = tuning or Tuning()
        self._before = before

    def ideal(self, counts: Floats, lines: Lines, place: Ints, allowed: Flags | None = None) -> Ideal:
        """From lines a week so far (`counts`, weeks by SKUs, oldest first), past order lines and the layout as it is.

        `allowed` (SKUs, bands) says which goods may lie where. The same past gives the same plan. Where the past says
        nothing, the ideal is what is.
        """
        tuning, ground = self._tuning, self._ground
        half_life = best_half_life(counts)
        slope = signal(counts, half_life)
        speed = believed(speeds(counts, half_life), slope) + SPEED_MIN
        if slope < tuning.signal_min:
            return stay_put(ground, speed, place, slope)

        def costs(lane: Ints) -> Floats:
            cost = band_costs(ground, speed, lonely_shares(lines, lane, ground.lanes, tuning), tuning)
            return cost if allowed is None else np.where(allowed, cost, np.inf)

        ideal = ideal_layout(ground, costs, speed, place, self._before, tuning, seed=len(counts), signal=slope)
        self._before = ideal.band
        return ideal

    def steer(self, place: Ints, receipts: Ints, ideal: Ideal) -> Ints:
        """See `steer`; where the past says nothing, goods go where they were."""
        if ideal.signal < self._tuning.signal_min:
            return place.copy()
        return steer(self._ground, place, receipts, ideal)

    def moves(self, place: Ints, ideal: Ideal, most: int, fixed: Ints, lawful: Lawful | None = None) -> list[Move]:
        """See `moves`; where the past says nothing, nothing is moved."""
        if ideal.signal < self._tuning.signal_min:
            return []
        stay = np.zeros(len(place), dtype=np.bool_)
        stay[fixed] = True
        return moves(self._ground, place, ideal, self._tuning, most, stay, lawful)


def steer(ground: Ground, place: Ints, receipts: Ints, ideal: Ideal) -> Ints:
    """Announced receipts, one after the other, into free slots; the new layout.

    A SKU's old slot is free by the time its receipt comes. Planned together, at the prices of the ideal: a place left
    for those who come later is worth something. Of a band's slots the shallowest is taken, or the one it had.
    """
    place = place.copy()
    free = Free(ground, place)
    bands = bands_in_turn(ideal.judged[receipts], free.count, ground.slot_band[place[receipts]])
    for sku, band in zip(receipts.tolist(), bands.tolist(), strict=True):
        free.leave(place[sku])
        place[sku] = free.take(band, place[sku])
    return place


def moves(
    ground: Ground,
    place: Ints,
    ideal: Ideal,
    tuning: Tuning,
    most: int,
    fixed: Flags | None = None,
    lawful: Lawful | None = None,
) -> list[Move]:
    """At most `most` moves, the best first, each of which earns its cost in the payback time. `fixed` SKUs stay.

    One after the other through free slots: what a move leaves, a later one may take. `lawful(sku)` says slot by slot
    where these very goods may go.
    """
    place = place.copy()
    free = Free(ground, place)
    judged, everyone = ideal.judged, np.arange(len(place))
    here = ground.slot_band[place]
    movable = np.ones(len(place), dtype=np.bool_) if fixed is None else ~fixed
    now = judged[everyone, here]
    hoped = np.where(movable, now - np.where(free.count > 0, judged, np.inf).min(axis=1), -np.inf)
    refused: dict[int, list[int]] = {}
    found: list[Move] = []
    enough = tuning.move_cost_m / tuning.payback_weeks
    for _ in range(TRIES_PER_MOVE * most):
        sku = int(hoped.argmax()) if len(hoped) else -1
        if sku < 0 or hoped[sku] <= enough or len(found) == most:
            break
        open_cost = np.where(free.count > 0, judged[sku], np.inf)
        open_cost[refused.get(sku, [])] = np.inf
        band = int(open_cost.argmin())
        gain = float(now[sku] - open_cost[band])
        if gain < hoped[sku]:  # a place it hoped for is gone
            hoped[sku] = gain
            continue
        target = free.take_lawful(band, None if lawful is None else lawful(sku))
        if target is None:
            refused.setdefault(sku, []).append(band)
            continue
        found.append(Move(sku, int(place[sku]), target, gain))
        left = int(here[sku])
        free.leave(place[sku])
        place[sku], here[sku], movable[sku], hoped[sku] = target, band, False, -np.inf
        if free.count[left] == 1:  # the band was full: others may hope for it now
            hoped = np.where(movable, np.maximum(hoped, now - judged[:, left]), -np.inf)
    return found
