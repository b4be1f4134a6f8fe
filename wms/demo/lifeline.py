"""Ends the demonstration's processes when their parent is gone, however it went: also by a SIGKILL or a closed window.

`python -m wms.demo.lifeline` reads process numbers on standard input, one a line (`-N`: N has ended and was waited
for). The end of its input is the end of the parent; what is left then is asked to end, and a little later made to.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable

GRACE_S = 5.0
INSIST = getattr(signal, "SIGKILL", signal.SIGTERM)  # Windows knows one way only


class Lifeline:
    """The parent's end: tell it who was started and who ended. Closing it ends whoever is still named."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._lock = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "wms.demo.lifeline"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
            env=environment,
            start_new_session=True,  # Ctrl+C in the parent's window is not meant for it
        )

    def holds(self, number: int) -> None:
        self._tell(number)

    def lets_go(self, number: int) -> None:
        self._tell(-number)

    def close(self) -> None:
        """Wait until everybody named is gone."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(GRACE_S * 2)

    def _tell(self, number: int) -> None:
        assert self._process.stdin is not None
        # Without a lifeline the day goes on: the parent ends its children itself wherever it can.
        with self._lock, contextlib.suppress(BrokenPipeError, ValueError):
            self._process.stdin.write(f"{number}\n")
            self._process.stdin.flush()


def end(numbers: Iterable[int], grace_s: float = GRACE_S) -> None:
    """Ask these processes to end; after `grace_s` seconds make them."""
    left = {number for number in numbers if _sent(number, signal.SIGTERM)}
    until_s = time.monotonic() + grace_s
    while left and time.monotonic() < until_s:
        time.sleep(0.1)
        left = {number for number in left if _sent(number, 0)}
    for number in left:
        _sent(number, INSIST)


def _sent(number: int, what: int) -> bool:
    """Whether somebody was there to get the signal (0 only asks)."""
    try:
        os.kill(number, what)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def main() -> int:
    living: set[int] = set()
    for line in sys.stdin:
        number = int(line)
        if number > 0:
            living.add(number)
        else:
            living.discard(-number)
    end(living)
    return 0


if __name__ == "__main__":
    sys.exit(main())
