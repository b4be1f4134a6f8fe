"""ZPL label printers on TCP 9100, serial or a file. Status by ~HS before; after a job ~HS until nothing is left.

~HS comes down the same wire behind the job, so the printer has read the whole job when it answers; that no format and
no label of the batch is left then means that it was printed. Tried on our own simulator only: whether a printer counts
the label that is under its head just now waits for a real one. Set `proves = false` for a clone that does not count.
"""

from __future__ import annotations

from typing import ClassVar

from devices.drivers.printing import Printer, read_message
from devices.errors import DeviceError
from devices.framing.printer_status import PrinterState
from devices.framing.zpl_status import ZPL_STATUS, decode, zpl_state
from devices.transport import Transport

ANSWER_S = 1.0
WRITE_S = 2.0
WATCH_EVERY_S = 0.1
# Between the last format and the last label a printer may be idle for a moment: one quiet answer is not enough.
IDLE_ANSWERS = 2


class ZplPrinter(Printer):
    """`verified` means: after the last byte, nothing left to print in two answers one after the other, and no fault."""

    kind: ClassVar[str] = "printer_zpl"
    language: ClassVar[str] = "zpl"

    def ask_state(self, wire: Transport) -> PrinterState:
        wire.write(ZPL_STATUS, WRITE_S)
        lines = read_message(wire, decode, ANSWER_S)
        if lines is None:
            raise DeviceError("printer does not answer ~HS: is it on, and is it a ZPL printer?")
        return zpl_state(lines)

    def prove(self, wire: Transport) -> str:
        end_s = self._context.monotonic_s() + self._options.proof_s
        idle = 0
        while self._context.monotonic_s() < end_s:
            state = self.ask_state(wire)
            if not state.can_print:
                self._show(state)
                return state.reason
            idle = 0 if state.busy else idle + 1
            if idle >= IDLE_ANSWERS:
                return ""
            if self._context.stopping():
                return "gateway_stopped"
            self._pause(WATCH_EVERY_S)
        return "no_proof"
