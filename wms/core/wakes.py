"""Waking those who wait: long polls and deliverers sleep on a name and are woken after a commit that concerns them.

A wake is a courtesy within one process, never the truth: who waits looks at the database again at the latest after his
own timeout, so a commit made by another process is only seen a little later.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterable

from wms.core.turns import Turns


class Wakes:
    """Named counters with one condition: `seen` before looking, `wait` after finding nothing."""

    def __init__(self, turns: Turns | None = None) -> None:
        self._turns = turns or Turns(None)
        self._changed = threading.Condition()
        self._counts: defaultdict[str, int] = defaultdict(int)

    def seen(self, name: str) -> int:
        """The count to hand to `wait`: take it before looking, so that no wake falls between."""
        with self._changed:
            return self._counts[name]

    def wake(self, names: Iterable[str]) -> None:
        """Wake all who wait on one of `names`."""
        with self._changed:
            for name in names:
                self._counts[name] += 1
            self._changed.notify_all()

    def wait(self, name: str, seen: int, timeout_s: float) -> bool:
        """Sleep until `name` was woken since `seen`; False when the time is over."""
        with self._turns.lent(), self._changed:
            return self._changed.wait_for(lambda: self._counts[name] != seen, timeout_s)
