"""Waking those who wait: long polls and deliverers sleep on a name and are woken after a commit that concerns them.

A wake is a courtesy, never the truth: who waits looks at the database again at the latest after his own timeout. What
another process commits is passed on by `wms/core/neighbours.py`.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Set

from wms.core.turns import Turns


class Wakes:
    """Named counters with one condition: `seen` before looking, `wait` after finding nothing."""

    def __init__(self, turns: Turns | None = None) -> None:
        self._turns = turns or Turns(None)
        self._changed = threading.Condition()
        self._counts: defaultdict[str, int] = defaultdict(int)
        self.tell: Callable[[Set[str]], object] | None = None  # other processes; must not wait for anything

    def seen(self, name: str) -> int:
        """The count to hand to `wait`: take it before looking, so that no wake falls between."""
        with self._changed:
            return self._counts[name]

    def wake(self, names: Iterable[str]) -> None:
        """Wake all who wait on one of `names`, here and elsewhere."""
        told = set(names)
        self.wake_here(told)
        tell = self.tell  # which a house that closes takes away
        if tell is not None:
            tell(told)

    def wake_here(self, names: Iterable[str] | None = None) -> None:
        """Wake those of this process only; without names all of them."""
        with self._changed:
            names = list(self._counts) if names is None else names
            for name in names:
                self._counts[name] += 1
            self._changed.notify_all()

    def wait(self, name: str, seen: int, timeout_s: float) -> bool:
        """Sleep until `name` was woken since `seen`; False when the time is over."""
        with self._turns.lent(), self._changed:
            return self._changed.wait_for(lambda: self._counts[name] != seen, timeout_s)
