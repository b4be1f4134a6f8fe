"""How a driver keeps its own health: a state with a reason, and counters that only grow."""

from __future__ import annotations

import threading
from collections.abc import Callable

from devices.driver import Health, State


class HealthBoard:
    """Written by the driver's thread, read by anyone."""

    def __init__(self, now_ms: Callable[[], int]) -> None:
        self._now_ms = now_ms
        self._lock = threading.Lock()
        self._state = State.CONNECTING
        self._reason = ""
        self._since_ms = now_ms()
        self._counters: dict[str, int] = {}

    def turn(self, state: State, reason: str = "") -> None:
        """Note the state; `since_ms` moves only when state or reason changed."""
        with self._lock:
            if (state, reason) != (self._state, self._reason):
                self._state, self._reason, self._since_ms = state, reason, self._now_ms()

    def count(self, counter: str, by: int = 1) -> None:
        with self._lock:
            self._counters[counter] = self._counters.get(counter, 0) + by

    def note(self, counter: str, value: int) -> None:
        """Set a counter kept elsewhere (the bytes of a wire)."""
        with self._lock:
            self._counters[counter] = value

    def health(self) -> Health:
        with self._lock:
            return Health(self._state, self._reason, self._since_ms, dict(self._counters))
