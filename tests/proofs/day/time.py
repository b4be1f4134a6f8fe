"""Virtual time: processes that sleep without anybody waiting, and chance that comes from the seed alone."""

from __future__ import annotations

import heapq
import random
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import count
from typing import TypeVar

from tests.proofs.sabotage import replaced
from wms.core.clock import WallClock

T = TypeVar("T")
Process = Iterator[float]  # yields how many seconds it sleeps


class VirtualTime:
    """The day's clock and its calendar of who wakes when. Those due at the same moment wake in the order they slept."""

    def __init__(self, start: datetime) -> None:
        self._start, self.elapsed_s = start, 0.0
        self._calendar: list[tuple[float, int, Process]] = []
        self._turns = count()

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self.elapsed_s)

    def begin(self, process: Process, after_s: float = 0.0) -> None:
        """Let a process run from a moment on."""
        heapq.heappush(self._calendar, (self.elapsed_s + after_s, next(self._turns), process))

    def run(self, goes_on: Callable[[], bool]) -> None:
        """Wake whoever is due, as long as somebody sleeps and the day goes on."""
        while self._calendar and goes_on():
            self.elapsed_s, _turn, process = heapq.heappop(self._calendar)
            sleep_s = next(process, None)
            if sleep_s is not None:
                self.begin(process, sleep_s)


class Chance:
    """What `secrets` gives, from a seed: ids, tokens and nonces are the same in every run of the same seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(f"secrets of {seed}")

    def token_hex(self, nbytes: int = 32) -> str:
        return self._random.randbytes(nbytes).hex()

    def token_urlsafe(self, nbytes: int = 32) -> str:
        return self._random.randbytes(nbytes).hex()[: nbytes * 4 // 3 + 1]

    def randbelow(self, most: int) -> int:
        return self._random.randrange(most)

    def choice(self, among: Sequence[T]) -> T:
        return self._random.choice(among)


@contextmanager
def ruled(time: VirtualTime, seed: int) -> Iterator[None]:
    """Inside, the wall clock shows virtual time and nothing is left to the machine's chance."""
    chance = Chance(seed)
    names = ("token_hex", "token_urlsafe", "randbelow", "choice")
    seeded = {name: getattr(chance, name) for name in names}
    with replaced(secrets, **seeded), replaced(WallClock, now=lambda _clock: time.now()):
        yield
