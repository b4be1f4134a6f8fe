"""A wave is planned in a process of its own, so that nobody's scan waits for the arithmetic.

The process (`wms.picking.solver`) is niced, never opens a database, and ends by itself when this one ends. One that is
done with its wave is kept a while: before a cut-off wave follows wave, and a start takes longer than a small plan.
"""

from __future__ import annotations

import os
import pickle
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from types import TracebackType
from typing import IO, Any

from wms.core.refusal import Reason, Refused
from wms.picking.solver import IDLE_S, Ask, Better, Done, Free, Laid, No
from wms.picking.values import Goods, Lying

FRAMES_WAITING_MAX = 200
LYING_A_BITE = 200
END_WAIT_S = 5.0
FREE_WAIT_S = 2.0  # it says so in the moment in which its plan is whole, unless the machine is full
KEPT_S = IDLE_S - 60.0  # one that is about to end by itself is not asked any more
ONE_CORE = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

Frame = Better | list[Laid] | Done
InTurn = Callable[[Callable[[], bytes]], bytes]


class _Child:
    """The process, and what it says, read by a thread of its own."""

    def __init__(self) -> None:
        self.frames: queue.Queue[Any] = queue.Queue(FRAMES_WAITING_MAX)
        command = [sys.executable, "-c", "from wms.picking.solver import main; main()"]
        environment = {**os.environ, **ONE_CORE}
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self.words: IO[bytes] = self._process.stdin
        self.kept_s = 0.0
        self._reader = threading.Thread(target=self._read, args=(self._process.stdout,), daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def usable(self) -> bool:
        """It has said that it is free, lives, and is not about to end by itself."""
        try:
            free = isinstance(self.frames.get(timeout=FREE_WAIT_S), Free)
        except queue.Empty:
            return False
        return free and self._process.poll() is None and time.monotonic() - self.kept_s < KEPT_S

    def _read(self, answers: IO[bytes]) -> None:
        try:
            while True:
                self.frames.put(pickle.load(answers))
        except (EOFError, OSError, pickle.UnpicklingError, ValueError):
            self.frames.put(None)

    def hush(self) -> None:
        """Nothing more will be said to it."""
        try:
            self.words.close()
        except OSError:
            return  # it is gone; its last frame says so

    def end(self) -> None:
        self._process.kill()
        self._process.wait(END_WAIT_S)
        self.hush()
        while self._reader.is_alive():
            self._drain()
            self._reader.join(0.05)

    def _drain(self) -> None:
        """A reader that waits for room in the queue must be let go."""
        while not self.frames.empty():
            self.frames.get_nowait()


class _Spare:
    """At most one process that is done with its wave and waits for the next."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._child: _Child | None = None

    def take(self) -> _Child | None:
        with self._lock:
            child, self._child = self._child, None
        if child is not None and not child.usable():
            child.end()
            return None
        return child

    def keep(self, child: _Child) -> None:
        child.kept_s = time.monotonic()
        with self._lock:
            one_too_many, self._child = self._child, child
        if one_too_many is not None:
            one_too_many.end()


_spare = _Spare()


def _at_once(work: Callable[[], bytes]) -> bytes:
    return work()


def _bites(lying: Sequence[Lying]) -> Iterator[Sequence[Lying]]:
    """A few at a time: while one piece is written, nobody else gets the interpreter."""
    for first in range(0, len(lying), LYING_A_BITE):
        yield lying[first : first + LYING_A_BITE]


class Apart:
    """One child process with one wave to plan. Leaving the `with` ends it, unless it is free for another."""

    def __init__(self, ask: Ask, goods: Iterable[Sequence[Goods]], in_turn: InTurn = _at_once) -> None:
        """Start it and hand it everything, each piece wrapped up by `in_turn`. Raises BUSY when it does not take it."""
        self._child = _spare.take() or _Child()
        self._done = self._stopped = False
        try:
            for part in (replace(ask, lying=()), *_bites(ask.lying), *goods, None):
                self._child.words.write(in_turn(partial(pickle.dumps, part)))
            self._child.words.flush()
        except OSError as error:
            self.end()
            raise Refused(Reason.BUSY) from error

    def __enter__(self) -> Apart:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if kind is None and self._done and not self._stopped:
            _spare.keep(self._child)
        else:
            self.end()

    @property
    def pid(self) -> int:
        return self._child.pid

    def next(self, wait_s: float) -> Frame | None:
        """What it says next, None when it said nothing for so long.

        Raises PLAN_UNSOUND when there is no plan, BUSY when it ended without a word.
        """
        try:
            frame = self._child.frames.get(timeout=wait_s)
        except queue.Empty:
            return None
        if frame is None:
            raise Refused(Reason.BUSY)
        if isinstance(frame, No):
            raise Refused(Reason.PLAN_UNSOUND, what=frame.what)
        self._done = isinstance(frame, Done)
        known: Frame = frame
        return known

    def stop(self) -> None:
        """Ask for the best plan so far."""
        self._stopped = True
        self._child.hush()

    def end(self) -> None:
        """It is not wanted any more."""
        self._child.end()
