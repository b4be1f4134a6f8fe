"""Will the orders make their cut-offs, at the pace of the last hour?

Orders are worked in the order of their cut-offs, so the work before a cut-off is all open work up to it. This is the
simplest forecast that a supervisor can check by hand; it knows nothing of who is where.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from math import ceil

from wms.terminal.values import STAGES, CutOff, Flow, Forecast

PACE_WINDOW = timedelta(hours=1)
PACE_WINDOW_MIN = timedelta(minutes=10)


def pace_per_h(packed: int, first_at: datetime | None, now: datetime) -> int:
    """Orders an hour from what was packed within the last hour; a day that began later is measured since then."""
    if first_at is None or packed == 0:
        return 0
    window = min(PACE_WINDOW, max(PACE_WINDOW_MIN, now - first_at))
    return round(packed * (timedelta(hours=1) / window))


def flow(rows: Sequence[CutOff], pace: int, now: datetime) -> Flow:
    """Each cut-off with its forecast, earliest first."""
    before = 0
    forecasts = []
    needed = 0.0
    for row in sorted(rows, key=lambda row: (row.at, row.courier)):
        before += row.open
        forecasts.append((row, _forecast(row, before, pace, now)))
        if row.open and row.at > now:
            needed = max(needed, before / ((row.at - now) / timedelta(hours=1)))
    return Flow(tuple(forecasts), pace, ceil(needed))


def _forecast(row: CutOff, before: int, pace: int, now: datetime) -> Forecast:
    if row.open == 0:
        late = row.total - row.shipped - row.short if now > row.at else 0
        return Forecast(now if not row.over else None, None, max(0, late), "handover" if late > 0 else "")
    if pace == 0:
        return Forecast(None, None, row.open if now > row.at else 0, _worst(row) if now > row.at else "")
    ready_at = now + timedelta(hours=before / pace)
    margin = row.at - ready_at
    if margin >= timedelta(0):
        return Forecast(ready_at, margin)
    late = row.open if now >= row.at else min(row.open, max(1, ceil(-margin / timedelta(hours=1) * pace)))
    return Forecast(ready_at, margin, late, _worst(row))


def _worst(row: CutOff) -> str:
    """The stage where most orders wait: help there helps most."""
    return max(STAGES, key=lambda stage: row.counts.get(stage, 0) - (row.short if stage == "to_allocate" else 0))
