"""TSPL label printers. Status by `<ESC>!?` (or `<ESC>!S`) before; after a job: watched until it was busy and is idle.

That is weaker than ESC/POS's answer in order: with a printer that never says it is busy every job would be `uncertain`;
set `proves = false` for it and live with `sent`: it has the label. Tried on our own simulator only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from devices.drivers.printing import Printer, PrinterOptions, read_answer, read_message
from devices.errors import DeviceError
from devices.framing.printer_status import (
    TSPL_LONG_STATUS,
    TSPL_STATUS,
    PrinterState,
    decode_tspl_long,
    tspl_long_state,
    tspl_state,
)
from devices.options import require
from devices.transport import Transport

ANSWER_S = 1.0
WRITE_S = 2.0
WATCH_EVERY_S = 0.05
# Ends a line that a connection broken off in its middle may have left; an empty line is no command.
LINE_END = b"\r\n"


@dataclass(frozen=True, slots=True)
class TsplOptions(PrinterOptions):
    """`status`: short asks by `<ESC>!?`, long by `<ESC>!S`, which newer printers answer."""

    status: str = "short"

    def __post_init__(self) -> None:
        PrinterOptions.__post_init__(self)
        require(self.status in ("short", "long"), "status must be short or long")


class TsplPrinter(Printer):
    """`verified` means: busy was seen after the last byte, then idle without a fault."""

    kind: ClassVar[str] = "printer_tspl"
    language: ClassVar[str] = "tspl"
    options_shape: ClassVar[type[PrinterOptions]] = TsplOptions

    def ask_state(self, wire: Transport) -> PrinterState:
        assert isinstance(self._options, TsplOptions)
        if self._options.status == "long":
            wire.write(LINE_END + TSPL_LONG_STATUS, WRITE_S)
            characters = read_message(wire, decode_tspl_long, ANSWER_S)
            if characters is None:
                raise DeviceError("printer does not answer <ESC>!S: is it on, and does it know it? try status = short")
            return tspl_long_state(characters)
        wire.write(LINE_END + TSPL_STATUS, WRITE_S)
        answer = read_answer(wire, lambda byte: True, ANSWER_S)
        if answer is None:
            raise DeviceError("printer does not answer status requests: is it on, and is it a TSPL printer?")
        return tspl_state(answer)

    def prove(self, wire: Transport) -> str:
        end_s = self._context.monotonic_s() + self._options.proof_s
        was_busy = False
        while self._context.monotonic_s() < end_s:
            state = self.ask_state(wire)
            if not state.can_print:
                self._show(state)
                return state.reason
            if was_busy and not state.busy:
                return ""
            was_busy = was_busy or state.busy
            if self._context.stopping():
                return "gateway_stopped"
            self._pause(WATCH_EVERY_S)
        return "no_proof"
