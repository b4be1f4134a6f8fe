"""How fast each SKU will move next week, and how far the past is to be believed.

Exponential smoothing of weekly lines (Brown 1956). How much it is worth is measured, not assumed: the slope of what
came on what was forecast is 1 for a perfect forecast and 0 where the past says nothing.
"""

from __future__ import annotations

import numpy as np

from wms.optimise.slotting.values import Floats

TESTED_WEEKS = 6
LEARNING_WEEKS_MIN = 3
HALF_LIVES_WEEKS = (1.5, 2.0, 3.0, 4.0, 6.0)


def speeds(counts: Floats, half_life_weeks: float) -> Floats:
    """Lines a week expected of each SKU; `counts` is (weeks, SKUs), oldest week first. Shape (SKUs,)."""
    weeks = len(counts)
    if not weeks:
        return np.zeros(counts.shape[1])
    weight = 0.5 ** (np.arange(weeks - 1, -1, -1) / half_life_weeks)
    result: Floats = weight @ counts / weight.sum()
    return result


def best_half_life(counts: Floats) -> float:
    """The half-life, in weeks, whose forecasts came truest over the last weeks; the shortest where nothing is known.

    A house with many lines forgets quickly and follows the season; one with few lines must remember longer.
    """
    scores = [_likeness(*_said_and_was(counts, each)) for each in HALF_LIVES_WEEKS]
    return HALF_LIVES_WEEKS[int(np.argmax(scores))]


def signal(counts: Floats, half_life_weeks: float) -> float:
    """The slope of what came on what had been forecast, over the last weeks; 0 to 1, 1 when there is too little past.

    Square roots first, so that one SKU with a great week does not decide.
    """
    said, was = _said_and_was(counts, half_life_weeks)
    if not len(said):
        return 1.0
    spread = float(((said - said.mean()) ** 2).sum())
    if spread == 0.0:
        return 0.0
    slope = float(((said - said.mean()) * (was - was.mean())).sum()) / spread
    return min(1.0, max(0.0, slope))


def _said_and_was(counts: Floats, half_life_weeks: float) -> tuple[Floats, Floats]:
    """Square roots of what was forecast and of what came, of all SKUs over the last weeks with lines."""
    tested = range(max(LEARNING_WEEKS_MIN, len(counts) - TESTED_WEEKS), len(counts))
    weeks = [week for week in tested if counts[week].any()]
    if not weeks:
        return np.zeros(0), np.zeros(0)
    said = np.concatenate([speeds(counts[:week], half_life_weeks) for week in weeks])
    return np.sqrt(said), np.sqrt(np.concatenate([counts[week] for week in weeks]))


def _likeness(said: Floats, was: Floats) -> float:
    """Correlation; 0 where either does not vary."""
    if not len(said) or said.std() == 0.0 or was.std() == 0.0:
        return 0.0
    return float(np.corrcoef(said, was)[0, 1])


def believed(speed: Floats, slope: float) -> Floats:
    """Speeds pulled towards their mean as far as the past is not to be believed."""
    return np.asarray(speed.mean() + slope * (speed - speed.mean()))
