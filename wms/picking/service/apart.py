"""A wave is planned in a process of its own, so that nobody's scan waits for the arithmetic.

The process (`wms.picking.solver`) is niced, never opens a database, and ends by itself when this one ends.
"""

from __future__ import annotations

import os
import pickle
import queue
import subprocess
import sys
import threading
from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import IO, Any

from wms.core.refusal import Reason, Refused
from wms.picking.solver import Ask, Better, Done, Laid, No
from wms.picking.values import Goods

FRAMES_WAITING_MAX = 200
END_WAIT_S = 5.0
ONE_CORE = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

Frame = Better | list[Laid] | Done


class Apart:
    """One child process with one wave to plan. Leaving the `with` ends it, whatever it does."""

    def __init__(self, ask: Ask, goods: Iterable[Sequence[Goods]]) -> None:
        """Start it and hand it everything. Raises BUSY when it does not take it."""
        self._frames: queue.Queue[Any] = queue.Queue(FRAMES_WAITING_MAX)
        command = [sys.executable, "-c", "from wms.picking.solver import main; main()"]
        environment = {**os.environ, **ONE_CORE}
        self._child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        self._words: IO[bytes] = self._child.stdin
        self._reader = threading.Thread(target=self._read, args=(self._child.stdout,), daemon=True)
        self._reader.start()
        try:
            for part in (ask, *goods, None):
                pickle.dump(part, self._words)
            self._words.flush()
        except OSError as error:
            self.end()
            raise Refused(Reason.BUSY) from error

    def __enter__(self) -> Apart:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.end()

    @property
    def pid(self) -> int:
        return self._child.pid

    def _read(self, answers: IO[bytes]) -> None:
        try:
            while True:
                self._frames.put(pickle.load(answers))
        except (EOFError, OSError, pickle.UnpicklingError, ValueError):
            self._frames.put(None)

    def next(self, wait_s: float) -> Frame | None:
        """What it says next, None when it said nothing for so long.

        Raises PLAN_UNSOUND when there is no plan, BUSY when it ended without a word.
        """
        try:
            frame = self._frames.get(timeout=wait_s)
        except queue.Empty:
            return None
        if frame is None:
            raise Refused(Reason.BUSY)
        if isinstance(frame, No):
            raise Refused(Reason.PLAN_UNSOUND, what=frame.what)
        known: Frame = frame
        return known

    def stop(self) -> None:
        """Ask for the best plan so far."""
        try:
            self._words.close()
        except OSError:
            return  # it is gone; `next` says so

    def end(self) -> None:
        """It is not wanted any more."""
        self._child.kill()
        self._child.wait(END_WAIT_S)
        self.stop()
        while self._reader.is_alive():
            self._drain()
            self._reader.join(0.05)

    def _drain(self) -> None:
        """A reader that waits for room in the queue must be let go."""
        while not self._frames.empty():
            self._frames.get_nowait()
