"""What printers say about themselves. Bits are tested, not whole bytes: makers fill the rest as they like.

ESC/POS: DLE EOT 1 to 4, answered at once, and GS r 1, answered in order: the proof that what went before was taken.
TSPL: `<ESC>!?`, one byte.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

DLE_EOT = b"\x10\x04"
GS_R_1 = b"\x1dr\x01"
TSPL_STATUS = b"\x1b!?"
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
