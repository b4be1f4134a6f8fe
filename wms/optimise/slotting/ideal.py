"""The ideal layout: every SKU in the band where the house walks least, and what a place in each band is worth.

Found by rounds: what a SKU costs in a lane depends on who else lies there, so some SKUs are placed anew by min-cost
flow while the others stay, and again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from wms.optimise.slotting.flow import assign, prices
from wms.optimise.slotting.layout import ranked
from wms.optimise.slotting.values import Flags, Floats, Ground, Ints, Tuning

Costs = Callable[[Ints], Floats]  # from the lane of each SKU to (SKUs, bands) metres a week


@dataclass(frozen=True)
class Ideal:
    """Where each SKU would lie best.

    `cost` (SKUs, bands): metres a week; `price` (bands,): metres a week that a place there is worth to others; `band`
    (SKUs,): the ideal itself; `speed` (SKUs,): the lines a week it was made for; `signal`: how far the past that they
    come from is to be believed, 0 to 1.
    """

    cost: Floats
    price: Floats
    band: Ints
    speed: Floats
    signal: float

    @property
    def judged(self) -> Floats:
        """(SKUs, bands): a SKU's own cost and what it takes from others."""
        return np.asarray(self.cost + self.price)


def ideal_layout(
    ground: Ground,
    costs: Costs,
    speed: Floats,
    place: Ints,
    before: Ints | None,
    tuning: Tuning,
    *,
    seed: int,
    signal: float,
) -> Ideal:
    """From the layout as it is (`place`: the slot of each SKU) and the ideal of last time, so that plans do not jump.

    `costs` says what each SKU costs in each band while the SKUs lie in given lanes. Half the answer is for the ideal,
    half for the layout as it is: goods lie between the two for weeks.
    """
    dice = np.random.default_rng(seed)
    band = ranked(ground, speed) if before is None else before
    price: Floats | None = None
    for _ in range(tuning.first_rounds if before is None else tuning.rounds):
        cost = costs(ground.band_lane[band])
        band = _placed_anew(cost, band, dice.random(len(band)) < tuning.moved_share, ground, price)
        price = prices(cost, band, ground.band_slots)
    cost = (costs(ground.band_lane[band]) + costs(ground.slot_lane[place])) / 2.0
    best = assign(cost, ground.band_slots, price)
    return Ideal(cost, prices(cost, best, ground.band_slots), band, speed, signal)


def stay_put(ground: Ground, speed: Floats, place: Ints, signal: float) -> Ideal:
    """Every SKU is best where it is: for a past that says nothing."""
    bands = len(ground.band_slots)
    return Ideal(np.zeros((len(place), bands)), np.zeros(bands), ground.slot_band[place], speed, signal)


def _placed_anew(cost: Floats, band: Ints, chosen: Flags, ground: Ground, price: Floats | None) -> Ints:
    """The chosen SKUs go where they are cheapest while the others stay."""
    room = ground.band_slots - np.bincount(band[~chosen], minlength=len(ground.band_slots))
    band = band.copy()
    band[chosen] = assign(cost[chosen], room, price)
    return band
