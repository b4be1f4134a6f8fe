"""Business time. Rooms get `now` with each call; only the edges own a clock.

Business time (cut-offs, ages, shelf life) may run faster than the wall clock in a demonstration. Timeouts, leases,
heartbeats and signatures never use it: they take `time.monotonic` or the wall clock where they stand.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Tells business time, always aware and in UTC."""

    def now(self) -> datetime: ...


class WallClock:
    """Business time is the machine's own."""

    def now(self) -> datetime:
        return datetime.now(UTC)


@dataclass
class ScaledClock:
    """Business time that began at `start` and runs `factor` times as fast as the wall clock."""

    start: datetime
    factor: float
    _begun_s: float = field(default_factory=time.monotonic)

    def now(self) -> datetime:
        return self.start + timedelta(seconds=(time.monotonic() - self._begun_s) * self.factor)


@dataclass
class HandClock:
    """Business time that only moves when it is moved: for tests and simulated days."""

    at: datetime

    def now(self) -> datetime:
        return self.at

    def advance(self, **delta: float) -> None:
        """Move on by `timedelta(**delta)`."""
        self.at += timedelta(**delta)
