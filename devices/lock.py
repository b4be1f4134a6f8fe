"""One gateway per outbox: a second one would confirm twice. The operating system frees the lock at any death."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from devices.errors import ConfigError


class OutboxLock:
    """Held from making to `release`. Raises ConfigError if another gateway has it."""

    def __init__(self, outbox: Path) -> None:
        path = outbox.with_name(outbox.name + ".lock")
        try:
            self._descriptor: int | None = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise ConfigError(f"outbox {outbox} cannot be used: {error.strerror}") from error
        try:
            _lock(self._descriptor)
        except OSError as error:
            self.release()
            raise ConfigError(f"outbox {outbox} is in use by another gateway: stop that one first") from error

    def release(self) -> None:
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)


if sys.platform != "win32":
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
else:
    import msvcrt

    def _lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
