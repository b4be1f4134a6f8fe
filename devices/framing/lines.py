"""Codes and weights that end with a suffix: what serial scanners and many scales send."""

from __future__ import annotations

from collections.abc import Iterator

LINE_BYTES_MAX = 128

SUFFIXES = {"CRLF": b"\r\n", "CR": b"\r", "LF": b"\n", "TAB": b"\t", "ETX": b"\x03"}


def decode(buffer: bytes, suffix: bytes, bytes_max: int = LINE_BYTES_MAX) -> tuple[int, bytes | None]:
    """Bytes used, and the line before its suffix if a whole one was there. (0, None) asks for more.

    (n, None) with n > 0: too long for a line, to be dropped.
    """
    end = buffer.find(suffix)
    if end > bytes_max:
        return end + len(suffix), None
    if end >= 0:
        return end + len(suffix), buffer[:end]
    # The first bytes of the suffix may lie at the end of what is here; they do not make the line too long.
    if len(buffer) - (len(suffix) - 1) > bytes_max:
        return len(buffer), None
    return 0, None


class Lines:
    """Collects bytes into lines. After a line that was too long everything up to its suffix is dropped too."""

    def __init__(self, suffix: bytes, bytes_max: int = LINE_BYTES_MAX) -> None:
        self._suffix = suffix
        self._bytes_max = bytes_max
        self._buffer = b""
        self._skipping = False
        self.dropped = 0

    def feed(self, content: bytes) -> Iterator[bytes]:
        """The lines that became whole with `content`."""
        self._buffer += content
        while self._buffer:
            if self._skipping and not self._skipped():
                return
            used, line = decode(self._buffer, self._suffix, self._bytes_max)
            if used == 0:
                return
            whole = self._suffix in self._buffer[:used]
            self._buffer = self._buffer[used:]
            if line is None:
                self.dropped += 1
                self._skipping = not whole
            else:
                yield line

    def silence(self) -> None:
        """No byte came for a while: what was begun will not be finished."""
        if self._buffer and not self._skipping:
            self.dropped += 1
        self._buffer = b""
        self._skipping = False

    @property
    def begun(self) -> bool:
        """True while part of a line is waiting for the rest."""
        return bool(self._buffer) or self._skipping

    def _skipped(self) -> bool:
        """Drop up to the suffix; True once it has come."""
        end = self._buffer.find(self._suffix)
        if end < 0:
            # Keep what may be the first half of the suffix.
            self._buffer = self._buffer[-(len(self._suffix) - 1) :] if len(self._suffix) > 1 else b""
            return False
        self._buffer = self._buffer[end + len(self._suffix) :]
        self._skipping = False
        return True
