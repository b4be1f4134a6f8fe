"""ESC/POS and TSPL as strict readers: bytes in, operations out; a command they do not know is an error, never skipped.

A printer that guesses hides mistakes until the first real label; so these two refuse whatever is not in their tables.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Protocol

ESC, GS, DLE, LF, FF, CR = 0x1B, 0x1D, 0x10, 0x0A, 0x0C, 0x0D
COMMAND_BYTES_MAX: Final = 4_096
RASTER_BYTES_MAX: Final = 4_194_304


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing to do. `bytes_used` counts what it took of the stream.

    `do`: raster, text, feed, form, eject, ask (in order), status (at once), set (no effect here), unknown.
    """

    do: str
    bytes_used: int
    content: bytes = b""
    width_bytes: int = 0
    number: int = 0


class Reader(Protocol):
    def feed(self, content: bytes) -> Iterator[Operation]: ...
    def forget(self) -> None: ...


class StrictReader:
    """Collects bytes and takes operations off the front."""

    def __init__(self) -> None:
        self._buffer = b""

    def feed(self, content: bytes) -> Iterator[Operation]:
        self._buffer += content
        while self._buffer:
            operation = self._next(self._buffer)
            if operation is None:
                return
            self._buffer = self._buffer[operation.bytes_used :]
            yield operation

    def forget(self) -> None:
        """A new connection: what was begun is not finished."""
        self._buffer = b""

    def _next(self, buffer: bytes) -> Operation | None:
        raise NotImplementedError


def unknown(buffer: bytes, used: int) -> Operation:
    return Operation("unknown", max(1, used), buffer[: max(1, used)])


# --- ESC/POS ----------------------------------------------------------------------------------------------------------

# Command, number of parameter bytes, what it does here.
ESCPOS: Final = {
    b"\x1b@": (0, "set"),
    b"\x1ba": (1, "set"),
    b"\x1b!": (1, "set"),
    b"\x1bE": (1, "set"),
    b"\x1b-": (1, "set"),
    b"\x1bt": (1, "set"),
    b"\x1b2": (0, "set"),
    b"\x1b3": (1, "set"),
    b"\x1bd": (1, "lines"),
    b"\x1bJ": (1, "feed"),
    b"\x1dL": (2, "set"),
    b"\x1dW": (2, "set"),
    b"\x1dB": (1, "set"),
    b"\x1d!": (1, "set"),
    b"\x1dr": (1, "ask"),
}
LINE_DOTS: Final = 30
CUTS_WITHOUT_FEED: Final = frozenset({0, 1, 48, 49})
CUTS_WITH_FEED: Final = frozenset({65, 66})
RASTER_HEAD_BYTES: Final = 8


class EscposReader(StrictReader):
    def _next(self, buffer: bytes) -> Operation | None:
        first = buffer[0]
        if first == LF:
            return Operation("feed", 1, number=LINE_DOTS)
        if first == FF:
            return Operation("eject", 1)
        if first == CR:
            return Operation("set", 1)
        if 0x20 <= first <= 0x7E:
            length = next((at for at, byte in enumerate(buffer) if not 0x20 <= byte <= 0x7E), len(buffer))
            return Operation("text", length, buffer[:length])
        if first not in (ESC, GS, DLE):
            return unknown(buffer, 1)
        return self._command(buffer) if len(buffer) > 1 else None

    def _command(self, buffer: bytes) -> Operation | None:
        name = buffer[:2]
        if name == b"\x10\x04":
            return Operation("status", 3, number=buffer[2]) if len(buffer) >= 3 else None
        if name == b"\x1dV":
            return self._cut(buffer)
        if name == b"\x1dv":
            return self._raster(buffer)
        if name not in ESCPOS:
            return unknown(buffer, 2)
        parameters, does = ESCPOS[name]
        if len(buffer) < 2 + parameters:
            return None
        number = buffer[2] if parameters else 0
        if does == "lines":
            return Operation("feed", 3, number=number * LINE_DOTS)
        return Operation(does, 2 + parameters, number=number)

    @staticmethod
    def _cut(buffer: bytes) -> Operation | None:
        if len(buffer) < 3:
            return None
        if buffer[2] in CUTS_WITHOUT_FEED:
            return Operation("eject", 3)
        if buffer[2] not in CUTS_WITH_FEED:
            return unknown(buffer, 3)
        return Operation("eject", 4) if len(buffer) >= 4 else None

    @staticmethod
    def _raster(buffer: bytes) -> Operation | None:
        """GS v 0 m xL xH yL yH and the dots, one bit each, 1 is black."""
        if len(buffer) < RASTER_HEAD_BYTES:
            return None
        width_bytes = int.from_bytes(buffer[4:6], "little")
        rows = int.from_bytes(buffer[6:8], "little")
        size = width_bytes * rows
        if buffer[2:3] != b"0" or buffer[3] not in (0, 48) or not 0 < size <= RASTER_BYTES_MAX:
            return unknown(buffer, RASTER_HEAD_BYTES)
        if len(buffer) < RASTER_HEAD_BYTES + size:
            return None
        dots = buffer[RASTER_HEAD_BYTES : RASTER_HEAD_BYTES + size]
        return Operation("raster", RASTER_HEAD_BYTES + size, dots, width_bytes, rows)


# --- TSPL -------------------------------------------------------------------------------------------------------------

TSPL_SETTINGS: Final = frozenset(
    {b"SIZE", b"GAP", b"BLINE", b"OFFSET", b"DIRECTION", b"REFERENCE", b"DENSITY", b"SPEED", b"CODEPAGE", b"SHIFT"}
)
TSPL_MODES: Final = (0, 1)
BITMAP_NUMBERS: Final = 5
TSPL_QUESTIONS: Final = (b"\x1b!?", b"\x1b!S")
_INVERTED: Final = bytes(255 - byte for byte in range(256))


class TsplReader(StrictReader):
    def _next(self, buffer: bytes) -> Operation | None:
        if buffer[:1] == b"\x1b":
            if len(buffer) < 3:
                return None
            return Operation("status", 3, buffer[2:3]) if buffer[:3] in TSPL_QUESTIONS else unknown(buffer, 3)
        if buffer.startswith(b"BITMAP "):
            return self._bitmap(buffer)
        if b"BITMAP ".startswith(buffer):
            return None
        end = buffer.find(b"\n")
        if end < 0:
            return None if len(buffer) < COMMAND_BYTES_MAX else unknown(buffer, len(buffer))
        return self._line(buffer[:end].rstrip(b"\r"), end + 1, buffer)

    @staticmethod
    def _line(line: bytes, used: int, buffer: bytes) -> Operation:
        word, _, rest = line.partition(b" ")
        if not line or word in TSPL_SETTINGS:
            return Operation("set", used, line)
        if line == b"CLS":
            return Operation("form", used)
        if word == b"PRINT":
            numbers = rest.split(b",")
            if len(numbers) <= 2 and all(number.isdigit() and int(number) > 0 for number in numbers):
                copies = int(numbers[0]) * (int(numbers[1]) if len(numbers) == 2 else 1)
                return Operation("eject", used, number=copies)
        return unknown(buffer, used)

    @staticmethod
    def _bitmap(buffer: bytes) -> Operation | None:
        """BITMAP x,y,width in bytes,height,mode, and the dots; a bit of 0 is black there, of 1 here."""
        head = buffer[len(b"BITMAP ") : 64].split(b",", BITMAP_NUMBERS)
        if len(head) <= BITMAP_NUMBERS:
            return None if len(buffer) < 64 else unknown(buffer, len(buffer))
        if not all(number.isdigit() for number in head[:BITMAP_NUMBERS]):
            return unknown(buffer, len(buffer))
        across, down, width_bytes, rows, mode = (int(number) for number in head[:BITMAP_NUMBERS])
        begin = len(b"BITMAP ") + sum(len(number) + 1 for number in head[:BITMAP_NUMBERS])
        size = width_bytes * rows
        if across or down or mode not in TSPL_MODES or not 0 < size <= RASTER_BYTES_MAX:
            return unknown(buffer, begin)
        if len(buffer) < begin + size:
            return None
        dots = buffer[begin : begin + size].translate(_INVERTED)
        return Operation("raster", begin + size, dots, width_bytes, rows)
