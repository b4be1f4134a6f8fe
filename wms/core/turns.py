"""Python runs one thread at a time: calls take turns, instead of all getting half done at once.

Eight calls that fight for the interpreter at every statement cost twice the processor time of the same eight one after
the other. So a call takes a turn at the door, in the order in which calls come, and gives it back whenever it sleeps:
before a long poll, at the disk, in the queue of writers. A turn is a courtesy, never a lock: who keeps one for long is
let go on with it, but the next no longer waits for him.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

LEASE_S = 0.05  # so long a turn keeps others waiting


class _Turn:
    """One call's: waited for, held, or over."""

    __slots__ = ("handed", "since_s")

    def __init__(self) -> None:
        self.since_s = 0.0
        self.handed: threading.Lock | None = None


class Turns:
    """So many turns, handed from thread to thread."""

    def __init__(self, most: int | None = 1) -> None:
        """`most` calls run at once; None: everybody does."""
        self._most = most
        self._mine = threading.local()
        self._changing = threading.Lock()
        self._held: dict[_Turn, None] = {}  # the oldest first
        self._waiting: deque[_Turn] = deque()
        self._back: deque[_Turn] = deque()  # of calls that have begun: they come first

    @contextmanager
    def taken(self) -> Iterator[None]:
        """For the whole of a call. One that is part of a call has its turn already."""
        if self.mine:
            yield
            return
        self._take()
        try:
            yield
        finally:
            self._give()

    @contextmanager
    def lent(self) -> Iterator[None]:
        """While this thread sleeps. Nothing happens for a thread that never took a turn."""
        lent = self.lend()
        try:
            yield
        finally:
            if lent:
                self.take_back()

    @property
    def mine(self) -> bool:
        """Whether this thread is in a call and has lent its turn to nobody."""
        return getattr(self._mine, "turn", None) is not None

    def lend(self) -> bool:
        """Give the turn away; False for a thread that never took one, or has lent it already."""
        if not self.mine:
            return False
        self._give()
        return True

    def take_back(self) -> None:
        """What `lend` gave away, for the rest of the call: who has begun comes before those who have not."""
        self._take(first=True)

    def _take(self, *, first: bool = False) -> None:
        turn = self._mine.turn = _Turn()
        if self._most is None or self._begun(turn, self._most, first):
            return
        assert turn.handed is not None
        while not turn.handed.acquire(timeout=LEASE_S):
            self._let_go_on()

    def _begun(self, turn: _Turn, most: int, first: bool) -> bool:
        """At once when one is free; else it stands in the queue."""
        with self._changing:
            if len(self._held) < most:
                self._hand_to(turn)
                return True
            turn.handed = threading.Lock()
            turn.handed.acquire()
            (self._back if first else self._waiting).append(turn)
            return False

    def _give(self) -> None:
        turn, self._mine.turn = self._mine.turn, None
        if self._most is not None:
            with self._changing:
                self._end(turn)

    def _let_go_on(self) -> None:
        """Whoever had his turn for long keeps nobody waiting any more."""
        long_ago_s = time.monotonic() - LEASE_S
        with self._changing:
            for turn in [turn for turn in self._held if turn.since_s <= long_ago_s]:
                self._end(turn)

    def _end(self, turn: _Turn) -> None:
        """It is the next one's, unless it was so already."""
        if turn in self._held:
            del self._held[turn]
            line = self._back or self._waiting
            if line:
                self._hand_to(line.popleft())

    def _hand_to(self, turn: _Turn) -> None:
        turn.since_s = time.monotonic()
        self._held[turn] = None
        if turn.handed is not None:
            turn.handed.release()


class AtTheDoor:
    """A WSGI application whose calls take turns. What it streams afterwards takes none."""

    def __init__(self, app: Callable[..., Iterable[bytes]], turns: Turns) -> None:
        self._app = app
        self._turns = turns

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        with self._turns.taken():
            return self._app(environ, start_response)
