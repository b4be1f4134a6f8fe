"""The answer of ZPL printers to ~HS: three lines STX ... ETX CR LF of fields between commas.

Line 1: 2 paper out, 3 pause, 5 formats in the buffer, 8 partial format, 10 corrupt memory, 11 12 too cold, too hot.
Line 2: 3 head up, 4 ribbon out, 9 labels left of the batch (fields counted from 1, as in the ZPL II programming guide).
"""

from __future__ import annotations

from typing import Final

from devices.framing.printer_status import PrinterState

ZPL_STATUS: Final = b"~HS"
STX, ETX = b"\x02", b"\x03"
LINES: Final = 3
ANSWER_BYTES_MAX: Final = 512
FIELDS_MIN: Final = (12, 11, 2)
FIELD_DIGITS_MAX: Final = 8

# Line, field (both from 0), reason; what a person can mend comes first.
FAULTS: Final = (
    (1, 2, "cover_open"),
    (0, 1, "paper_out"),
    (1, 3, "ribbon_out"),
    (0, 9, "printer_error"),
    (0, 10, "printer_error"),
    (0, 11, "printer_error"),
    (0, 2, "paused"),
)
# What is not yet on paper: formats in the buffer, a format that has begun, labels of the batch.
UNDONE: Final = ((0, 4), (0, 7), (1, 8))


def decode(buffer: bytes) -> tuple[int, tuple[tuple[int, ...], ...] | None]:
    """Bytes used, and the numbers of the three lines if a whole answer was there. (0, None) asks for more.

    (n, None) with n > 0: bytes that are no answer, to be dropped.
    """
    begin = buffer.find(STX)
    if begin < 0:
        return len(buffer), None
    if begin > 0:
        return begin, None
    lines: list[tuple[int, ...]] = []
    at = 0
    for number in range(LINES):
        end = buffer.find(ETX, at)
        if end < 0:
            return (len(buffer), None) if len(buffer) > ANSWER_BYTES_MAX else (0, None)
        line = _numbers(buffer[at:end], FIELDS_MIN[number])
        if line is None:
            return end + 1, None
        lines.append(line)
        at = end + 1
        while buffer[at : at + 1] in (b"\r", b"\n"):
            at += 1
    return at, tuple(lines)


def _numbers(line: bytes, fields_min: int) -> tuple[int, ...] | None:
    """The fields of `STX...`, None if they are no numbers; the flags of printers are 0 or 1, the counts decimal."""
    if not line.startswith(STX):
        return None
    fields = line[1:].split(b",")
    if len(fields) < fields_min or not all(0 < len(field) <= FIELD_DIGITS_MAX for field in fields):
        return None
    # Only decimal fields are looked at; a password may hold letters.
    return tuple(int(field) if field.isdigit() else -1 for field in fields)


def zpl_state(lines: tuple[tuple[int, ...], ...]) -> PrinterState:
    """From the three lines of an answer."""
    busy = any(lines[line][field] != 0 for line, field in UNDONE)
    for line, field, reason in FAULTS:
        if lines[line][field] != 0:
            return PrinterState(can_print=False, reason=reason, busy=busy)
    return PrinterState(can_print=True, busy=busy)
