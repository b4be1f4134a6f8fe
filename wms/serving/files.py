"""A connection as two files: what comes, within its time, and what goes, as few packets as can be.

The server library's own read and write through Python's slow buffers, without a bound on how long a request may drip
in, and send head and body apart.
"""

from __future__ import annotations

import socket
import time
from typing import Any

from cheroot import errors

CHUNK_BYTES = 65_536
QUIET_S = 10.0  # without a byte in the middle of a request, or without taking a byte of the answer
REQUEST_S = 60.0  # for a whole request, however steadily it drips


class Reader:
    """What the other side sends. Raises TimeoutError when it is too slow."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._kept = b""
        self._until_s: float | None = None
        self.over = self.closed = False
        self.bytes_read = 0

    def await_request(self) -> bool:
        """Whether the next request has begun; False when all is quiet or (`over`) nobody is there any more."""
        self._until_s = None
        if not self._kept:
            try:
                self._fill()
            except TimeoutError:
                return False
        self._until_s = time.monotonic() + REQUEST_S
        return bool(self._kept)

    def has_data(self) -> bool:
        """Something was read that nobody has asked for yet, also what TLS has unlocked already."""
        pending = getattr(self._socket, "pending", None)
        return bool(self._kept) or bool(pending and pending())

    def readline(self, size: int | None = None) -> bytes:
        """To the end of the line, at most `size` bytes."""
        most = CHUNK_BYTES if size is None or size < 0 else size
        while (end := self._kept.find(b"\n", 0, most) + 1) == 0 and len(self._kept) < most and self._fill():
            pass
        return self._cut(end or most)

    def read(self, size: int | None = None) -> bytes:
        """`size` bytes, fewer only at the end. A size must be given: requests have no other end."""
        assert size is not None, "a request is read by its length"
        if size < 0:
            raise ValueError("a length below zero")
        while len(self._kept) < size and self._fill(size - len(self._kept)):
            pass
        return self._cut(size)

    def close(self) -> None:
        self.closed = True

    def _cut(self, size: int) -> bytes:
        found, self._kept = self._kept[:size], self._kept[size:]
        return found

    def _fill(self, wanted: int = 0) -> bool:
        if self._until_s is not None and time.monotonic() > self._until_s:
            raise TimeoutError("timed out")
        try:
            more = self._socket.recv(max(wanted, CHUNK_BYTES))
        except TimeoutError as error:
            raise TimeoutError("timed out") from error  # the words by which the library knows it
        except OSError as error:
            self.over = True
            raise errors.FatalSSLAlert(*error.args) from error
        self._kept += more
        self.bytes_read += len(more)
        self.over = not more
        return bool(more)


class Writer:
    """What goes out. The head waits for the first of the body."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._held = b""
        self.bytes_written = 0

    def hold(self, head: bytes) -> None:
        self._held += head

    def write(self, content: bytes) -> int:
        self._socket.sendall(self._held + content)
        self.bytes_written += len(self._held) + len(content)
        self._held = b""
        return len(content)

    def flush(self) -> None:
        if self._held:
            self.write(b"")


def file_of(sock: Any, mode: str = "r", _buffer: int = 0) -> Reader | Writer:
    """As the library asks for them."""
    return Reader(sock) if "r" in mode else Writer(sock)
