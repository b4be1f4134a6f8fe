"""TSPL label printers. Status by `<ESC>!?` before; after a job the printer is watched until it was busy and is idle.

That is weaker than ESC/POS's answer in order: with a printer that never says it is busy every job would be `uncertain`;
set `answers_status = false` for it and live with `sent`. Tried on our own simulator only.
"""

from __future__ import annotations

from typing import ClassVar

from devices.drivers.printing import Printer, read_answer
from devices.errors import DeviceError
from devices.framing.printer_status import TSPL_STATUS, PrinterState, tspl_state
from devices.transport import Transport

ANSWER_S = 1.0
WRITE_S = 2.0
WATCH_EVERY_S = 0.05


class TsplPrinter(Printer):
    """`verified` means: busy was seen after the last byte, then idle without a fault."""

    kind: ClassVar[str] = "printer_tspl"
    language: ClassVar[str] = "tspl"

    def ask_state(self, wire: Transport) -> PrinterState:
        wire.write(TSPL_STATUS, WRITE_S)
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
