"""What printers say about themselves. Bits are tested, not whole bytes: makers fill the rest as they like.

ESC/POS: DLE EOT 1 to 4, answered at once, and GS r 1, answered in order: the proof that what went before was taken.
TSPL: `<ESC>!?`, one byte, or `<ESC>!S`, STX, four characters, ETX CR LF. ZPL is in `zpl_status`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

DLE_EOT = b"\x10\x04"
GS_R_1 = b"\x1dr\x01"
TSPL_STATUS = b"\x1b!?"
TSPL_LONG_STATUS = b"\x1b!S"
EOT_PARTS = (1, 2, 3, 4)


@dataclass(frozen=True, slots=True)
class PrinterState:
    """`reason` is "" when all is well, `paper_low` when it still prints, else what a person has to mend."""

    can_print: bool
    reason: str = ""
    busy: bool = False


READY = PrinterState(can_print=True)


def is_eot_answer(byte: int) -> bool:
    """A DLE EOT answer has bits 0 and 7 clear, 1 and 4 set."""
    return byte & 0b1001_0011 == 0b0001_0010


def is_gs_r_answer(byte: int) -> bool:
    """A GS r answer has bits 4 and 7 clear."""
    return byte & 0b1001_0000 == 0


def escpos_state(answers: Mapping[int, int]) -> PrinterState:
    """From the answers to DLE EOT n, by n (all of 1 to 4). What a person can mend comes first."""
    if answers[2] & 0b0000_0100:
        return PrinterState(can_print=False, reason="cover_open")
    if answers[4] & 0b0110_0000 or answers[2] & 0b0010_0000:
        return PrinterState(can_print=False, reason="paper_out")
    if answers[3] & 0b0000_1000:
        return PrinterState(can_print=False, reason="cutter_stuck")
    if answers[2] & 0b0100_0000 or answers[3] & 0b0110_0000:
        return PrinterState(can_print=False, reason="printer_error")
    if answers[1] & 0b0000_1000:
        return PrinterState(can_print=False, reason="paused")
    if answers[4] & 0b0000_1100:
        return PrinterState(can_print=True, reason="paper_low")
    return READY


# Bit, reason; the first that is set is told.
TSPL_FAULTS = ((0x01, "cover_open"), (0x04, "paper_out"), (0x02, "paper_jam"), (0x08, "ribbon_out"), (0x10, "paused"))
TSPL_BUSY = 0x20
TSPL_OTHER = 0x80


def tspl_state(byte: int) -> PrinterState:
    """From the answer to `<ESC>!?`."""
    busy = bool(byte & TSPL_BUSY)
    for bit, reason in TSPL_FAULTS:
        if byte & bit:
            return PrinterState(can_print=False, reason=reason, busy=busy)
    if byte & TSPL_OTHER:
        return PrinterState(can_print=False, reason="printer_error", busy=busy)
    return PrinterState(can_print=True, busy=busy)


TSPL_LONG_BYTES = 8
# Characters are `@` (40) and bits: of the fourth, media; of the third, printer; the first says what it does now.
TSPL_MEDIA_FAULTS = (
    (0x20, "cover_open"),
    (0x01, "paper_out"),
    (0x02, "paper_jam"),
    (0x04, "ribbon_out"),
    (0x08, "paper_jam"),
)
TSPL_PAPER_LOW = 0x01
TSPL_PAUSED = b"`"
TSPL_WORKING = b"BCFPW"


def decode_tspl_long(buffer: bytes) -> tuple[int, bytes | None]:
    """Bytes used, and the four characters if a whole answer was there. (0, None) asks for more."""
    begin = buffer.find(b"\x02")
    if begin != 0:
        return (len(buffer) if begin < 0 else begin), None
    if len(buffer) < TSPL_LONG_BYTES:
        return 0, None
    sound = buffer[5:TSPL_LONG_BYTES] == b"\x03\r\n" and all(0x40 <= byte <= 0x7F for byte in buffer[1:5])
    return (TSPL_LONG_BYTES, buffer[1:5]) if sound else (1, None)


def tspl_long_state(answer: bytes) -> PrinterState:
    """From the four characters of the answer to `<ESC>!S`."""
    doing, warning, fault, media = answer[:1], answer[1], answer[2], answer[3]
    busy = doing in TSPL_WORKING
    for bit, reason in TSPL_MEDIA_FAULTS:
        if media & bit:
            return PrinterState(can_print=False, reason=reason, busy=busy)
    if fault & 0x3F or doing == b"E":
        return PrinterState(can_print=False, reason="printer_error", busy=busy)
    if doing == TSPL_PAUSED:
        return PrinterState(can_print=False, reason="paused", busy=busy)
    low = "paper_low" if warning & TSPL_PAPER_LOW else ""
    return PrinterState(can_print=True, reason=low, busy=busy)
