"""How fast people really walk and pick, learnt from the moments of their scans. Pure.

From one stop of a walk to the next one sees metres, pieces and seconds. Medians are taken of recent ones, so that a
chat, a lift that was slow or a wrong scan moves nothing; longer than `BREAK_S` was a break. What is learnt stays within
bounds that a person can walk, and too few legs teach nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from wms.picking.rules.schedule import Pace

BREAK_S = 240.0
SCAN_S = 2.0  # quicker than this between two stops was scanned from memory, or twice
LEGS_MIN = 20
LEGS_MAX = 2_000  # the newest of them count
BESIDE_M, AWAY_M = 1.0, 3.0  # nearer is standing, further is walking; between is neither for sure
S_PER_M = (0.4, 3.0)
S_PER_STOP = (3.0, 60.0)


@dataclass(frozen=True, slots=True)
class Leg:
    """From one stop to the next: how far, how many pieces at its end, how long; in which zone, on which walk."""

    zone_id: int
    batch_id: int
    metres: float
    pieces: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Learnt:
    """The pace of a zone (0: of the whole building), and from how many walks and legs."""

    zone_id: int
    pace: Pace
    walks: int
    legs: int


def learn(legs: Sequence[Leg]) -> list[Learnt]:
    """Of each zone and of the building, from the newest legs first. A zone with too few says nothing."""
    usable = [leg for leg in legs if SCAN_S <= leg.seconds <= BREAK_S]
    zones = sorted({leg.zone_id for leg in usable})
    found = [_learnt(0, usable), *(_learnt(zone, [leg for leg in usable if leg.zone_id == zone]) for zone in zones)]
    return [one for one in found if one is not None]


def _learnt(zone_id: int, legs: Sequence[Leg]) -> Learnt | None:
    newest = legs[:LEGS_MAX]
    if len(newest) < LEGS_MIN:
        return None
    known = Pace()
    still = (leg.seconds - leg.pieces * known.s_per_piece for leg in newest if leg.metres <= BESIDE_M)
    s_per_stop = _within(still, S_PER_STOP, known.s_per_stop)
    going = (
        (leg.seconds - s_per_stop - leg.pieces * known.s_per_piece) / leg.metres
        for leg in newest
        if leg.metres >= AWAY_M
    )
    s_per_m = _within(going, S_PER_M, known.s_per_m)
    return Learnt(zone_id, Pace(s_per_m, s_per_stop), len({leg.batch_id for leg in newest}), len(newest))


def _within(values: Iterable[float], bounds: tuple[float, float], otherwise: float) -> float:
    seen = list(values)
    if len(seen) < LEGS_MIN:
        return otherwise
    return min(bounds[1], max(bounds[0], median(seen)))
