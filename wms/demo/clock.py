"""The business clock of a demonstration: fast from the opening until the evening, then at the wall clock's pace.

So a day that is looked at for an hour is still that day, and a slow machine does not make couriers late.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta


@dataclass
class DayClock:
    """Business time that began at `start` and runs `factor` times as fast as the wall clock until `evening`."""

    start: datetime
    factor: float
    evening: datetime
    wall_s: Callable[[], float] = time.monotonic
    _begun_s: float = field(init=False)

    def __post_init__(self) -> None:
        self._begun_s = self.wall_s()

    def now(self) -> datetime:
        real_s = self.wall_s() - self._begun_s
        fast_s = max(0.0, (self.evening - self.start).total_seconds()) / self.factor
        if real_s <= fast_s:
            return self.start + timedelta(seconds=real_s * self.factor)
        return max(self.start, self.evening) + timedelta(seconds=real_s - fast_s)
