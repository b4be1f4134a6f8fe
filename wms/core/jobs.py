"""What a running house does by itself every so often: one thread, one job at a time, in the order of their turns.

Intervals are real seconds, however fast the business day runs. A job that took long rests ten times as long before its
next turn, so that upkeep never takes more than about a tenth of the machine from those who work. A job that fails is
logged and has its next turn like any other.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

REST_FACTOR = 10
FIRST_AFTER_S_MAX = 60.0
STOP_WAIT_S = 30.0
IDLE_S_MAX = 60.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Job:
    """A named piece of upkeep. `work` must be safe to repeat and to run in several processes at once."""

    name: str
    every_s: float
    work: Callable[[], object]


class Jobs:
    """Runs jobs when they are due; each has its first turn within a minute of the start."""

    def __init__(self, jobs: Sequence[Job], monotonic_s: Callable[[], float] = time.monotonic) -> None:
        self._jobs = {job.name: job for job in jobs}
        self._now_s = monotonic_s
        began_s = monotonic_s()
        self._due_s = {job.name: began_s + min(job.every_s, FIRST_AFTER_S_MAX) for job in jobs}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="jobs", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Stop after the job in hand, at most half a minute."""
        self._stop.set()
        self._thread.join(STOP_WAIT_S)

    def _run(self) -> None:
        while not self._stop.is_set():
            self.run_due()
            self._stop.wait(min(IDLE_S_MAX, max(0.0, self._next_s() - self._now_s())))

    def _next_s(self) -> float:
        return min(self._due_s.values(), default=self._now_s() + IDLE_S_MAX)

    def run_due(self) -> list[str]:
        """Run once every job whose turn has come; their names."""
        due = sorted((at_s, name) for name, at_s in self._due_s.items() if at_s <= self._now_s())
        names = [name for _at_s, name in due]
        for name in names:
            if self._stop.is_set():
                break
            self._turn(self._jobs[name])
        return names

    def _turn(self, job: Job) -> None:
        began_s = self._now_s()
        try:
            job.work()
        except Exception as error:  # noqa: BLE001 - one job's trouble must not end the others' upkeep
            log.warning("job.failed", job=job.name, error=f"{type(error).__name__}: {error}")
        ended_s = self._now_s()
        self._due_s[job.name] = ended_s + max(job.every_s, REST_FACTOR * (ended_s - began_s))
