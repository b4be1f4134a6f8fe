"""Python runs one thread at a time: calls take turns, instead of all getting half done at once.

Eight calls that fight for the interpreter at every statement cost twice the processor time of the same eight one after
the other. So a call takes the turn at the door and gives it back whenever it sleeps: before a long poll, at the disk,
in the queue of writers. A turn is a courtesy, never a lock: who gets none in time goes on without it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

PATIENCE_S = 0.05


class Turns:
    """One turn, handed from thread to thread."""

    def __init__(self, *, on: bool = True) -> None:
        """`on` is False where calls sleep at a database server most of their time: everybody runs then."""
        self._turn = threading.Lock()
        self._mine = threading.local()
        self._on = on

    @contextmanager
    def taken(self) -> Iterator[None]:
        """For the whole of a call. One that is part of a call has its turn already."""
        if getattr(self._mine, "calls", False):
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

    def lend(self) -> bool:
        """Give the turn away; False for a thread that never took one, or has lent it already."""
        if not getattr(self._mine, "calls", False):
            return False
        self._give()
        return True

    def take_back(self) -> None:
        """What `lend` gave away, for the rest of the call."""
        self._take()

    def _take(self) -> None:
        self._mine.calls = True
        self._mine.held = self._on and self._turn.acquire(timeout=PATIENCE_S)

    def _give(self) -> None:
        self._mine.calls = False
        if self._mine.held:
            self._mine.held = False
            self._turn.release()


class AtTheDoor:
    """A WSGI application whose calls take turns. What it streams afterwards takes none."""

    def __init__(self, app: Callable[..., Iterable[bytes]], turns: Turns) -> None:
        self._app = app
        self._turns = turns

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        with self._turns.taken():
            return self._app(environ, start_response)
