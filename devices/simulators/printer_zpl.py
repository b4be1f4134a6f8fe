"""ZPL II as a strict reader: one label from ^XA to ^XZ with graphic fields in (compressed) hexadecimal, and ~HS.

As in `printer_languages`, a command that is not in the table is an error, never skipped.
"""

from __future__ import annotations

import re
from typing import Final

from devices.simulators.printer_languages import RASTER_BYTES_MAX, Operation, StrictReader, unknown

COMMAND_BYTES_MAX: Final = 64
GRAPHIC_NUMBERS: Final = 3
# Commands that change nothing on our paper, and what their parameters may be.
SETTINGS: Final = {
    b"^PW": rb"\d{1,5}",
    b"^LL": rb"\d{1,5}",
    b"^LH": rb"0,0",
    b"^LS": rb"0",
    b"^LT": rb"0",
    b"^FO": rb"0,0",
    b"^PO": rb"N",
    b"^PR": rb"\d{1,2}(,\d{1,2}){0,2}",
    b"^MD": rb"-?\d{1,2}",
    b"^MM": rb"[TCP]",
    b"^CI": rb"28",
    b"^FS": rb"",
}
COPIES_MAX: Final = 9_999
_STATUS: Final = b"~HS"


class ZplReader(StrictReader):
    """Keeps the number of copies from ^PQ to ^XZ."""

    def __init__(self) -> None:
        super().__init__()
        self._copies = 1
        self._begun = False

    def forget(self) -> None:
        super().forget()
        self._copies, self._begun = 1, False

    def _next(self, buffer: bytes) -> Operation | None:
        if buffer[:1] in (b"\r", b"\n"):
            return Operation("set", 1)
        if buffer.startswith(_STATUS):
            return Operation("status", len(_STATUS))
        if len(buffer) < 3:
            return None if buffer[:1] in (b"^", b"~") else unknown(buffer, 1)
        name = buffer[:3]
        if again := next((at for at in (1, 2) if buffer[at] in b"^~"), 0):
            return unknown(buffer, again)
        if name == b"^GF":
            return self._graphic(buffer) if self._begun else unknown(buffer, 3)
        return self._command(name, buffer)

    def _command(self, name: bytes, buffer: bytes) -> Operation | None:
        """A command ends where the next begins, or at the end of its line."""
        end = next((at for at in range(3, len(buffer)) if buffer[at] in b"^~\r\n"), None)
        if name in (b"^XA", b"^XZ"):
            return self._page(name)
        if end is None:
            return None if len(buffer) < COMMAND_BYTES_MAX else unknown(buffer, len(buffer))
        parameters = buffer[3:end]
        if not self._begun:
            return unknown(buffer, end)
        if name == b"^PQ":
            if not parameters.isdigit() or not 1 <= int(parameters) <= COPIES_MAX:
                return unknown(buffer, end)
            self._copies = int(parameters)
            return Operation("set", end)
        allowed = SETTINGS.get(name)
        if allowed is None or not re.fullmatch(allowed, parameters):
            return unknown(buffer, end)
        return Operation("set", end)

    def _page(self, name: bytes) -> Operation:
        begins = name == b"^XA"
        if begins is self._begun:
            return unknown(name, 3)
        self._begun = begins
        copies, self._copies = self._copies, 1
        return Operation("form", 3) if begins else Operation("eject", 3, number=copies)

    @staticmethod
    def _graphic(buffer: bytes) -> Operation | None:
        """^GFA,bytes sent,bytes in all,bytes a row,dots and the ^ of what follows."""
        head = buffer[:COMMAND_BYTES_MAX].split(b",", GRAPHIC_NUMBERS + 1)
        if len(head) <= GRAPHIC_NUMBERS + 1:
            return None if len(buffer) < COMMAND_BYTES_MAX else unknown(buffer, len(buffer))
        numbers = head[1 : GRAPHIC_NUMBERS + 1]
        begin = sum(len(part) + 1 for part in head[: GRAPHIC_NUMBERS + 1])
        if head[0] != b"^GFA" or not all(number.isdigit() and len(number) < 8 for number in numbers):
            return unknown(buffer, begin)
        end = buffer.find(b"^", begin)
        if end < 0:
            return None if len(buffer) < 2 * RASTER_BYTES_MAX else unknown(buffer, len(buffer))
        sent, total, width_bytes = (int(number) for number in numbers)
        dots = expand(buffer[begin:end], width_bytes) if width_bytes else None
        if dots is None or not sent == total == len(dots) <= RASTER_BYTES_MAX:
            return unknown(buffer, end)
        return Operation("raster", end, dots, width_bytes, len(dots) // width_bytes)


def expand(text: bytes, width_bytes: int) -> bytes | None:
    """The dots of compressed hexadecimal, None if it is none.

    G-Y are 1 to 19 and g-z 20 to 400 repeats of the next digit; `,` fills the row with white, `!` with black, `:` is
    the row before again.
    """
    digits_a_row = 2 * width_bytes
    rows: list[str] = []
    row, repeats = "", 0
    for sign in text.decode("latin-1"):
        if sign in "0123456789ABCDEF":
            row += sign * max(1, repeats)
            repeats = 0
        elif "G" <= sign <= "Y":
            repeats += ord(sign) - ord("F")
        elif "g" <= sign <= "z":
            repeats += 20 * (ord(sign) - ord("f"))
        elif sign in ",!" and not repeats:
            row = row.ljust(digits_a_row, "0" if sign == "," else "F")
        elif sign == ":" and rows and not row and not repeats:
            row = rows[-1]
        elif sign not in "\r\n":
            return None
        if len(row) > digits_a_row or len(rows) * width_bytes > RASTER_BYTES_MAX:
            return None
        if len(row) == digits_a_row:
            rows.append(row)
            row = ""
    return None if row or repeats else bytes.fromhex("".join(rows))
