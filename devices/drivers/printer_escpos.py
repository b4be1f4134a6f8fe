"""ESC/POS printers on TCP 9100, serial or a file. Status by DLE EOT before, proof by GS r 1 after.

Tried on our own simulator only; clones of these printers differ in what they answer.
"""

from __future__ import annotations

from typing import ClassVar

from devices.drivers.printing import Printer, read_answer
from devices.errors import DeviceError
from devices.framing.printer_status import (
    DLE_EOT,
    EOT_PARTS,
    GS_R_1,
    PrinterState,
    escpos_state,
    is_eot_answer,
    is_gs_r_answer,
)
from devices.station import PrinterContext
from devices.transport import Transport

ANSWER_S = 0.7
WRITE_S = 2.0
# While the proof is awaited the printer is asked this often whether it stands still.
LOOK_S = 0.5
# Answers to questions asked one after the other lie side by side: this long apart means that was all.
QUIET_S = 0.3


class EscposPrinter(Printer):
    """`verified` means: the printer answered a question that stood in order after the last byte of the job."""

    kind: ClassVar[str] = "printer_escpos"
    language: ClassVar[str] = "escpos"

    def ask_state(self, wire: Transport) -> PrinterState:
        answers: dict[int, int] = {}
        for part in EOT_PARTS:
            wire.write(DLE_EOT + bytes([part]), WRITE_S)
            answer = read_answer(wire, self._is_eot_answer, ANSWER_S)
            if answer is None:
                raise DeviceError("printer does not answer status requests: is it on, and is it an ESC/POS printer?")
            answers[part] = answer
        return escpos_state(answers)

    def __init__(self, context: PrinterContext) -> None:
        super().__init__(context)
        self._owes_answer = False
        self._answered_in_order = False

    def before_job(self, wire: Transport) -> None:
        """An answer that an earlier job did not get may still come, and would pass for the proof of this one.

        Answers come in order: once a question of now is answered, nothing old can follow.
        """
        if not self._owes_answer:
            return
        wire.write(GS_R_1, WRITE_S)
        if read_answer(wire, is_gs_r_answer, ANSWER_S) is None:
            raise DeviceError("printer is still busy with an earlier label: it does not answer in order")
        while read_answer(wire, is_gs_r_answer, QUIET_S) is not None:
            self._board.count("late_answers")
        self._owes_answer = False

    def prove(self, wire: Transport) -> str:
        self._owes_answer = True
        doubt = self._await_answer(wire)
        self._owes_answer = doubt != ""
        return doubt

    def _await_answer(self, wire: Transport) -> str:
        self._answered_in_order = False
        wire.write(GS_R_1, WRITE_S)
        end_s = self._context.monotonic_s() + self._options.proof_s
        while (left_s := end_s - self._context.monotonic_s()) > 0:
            if read_answer(wire, is_gs_r_answer, min(LOOK_S, left_s)) is not None:
                return ""
            if self._context.stopping():
                return "gateway_stopped"
            state = self.ask_state(wire)
            if self._answered_in_order:
                return ""
            if not state.can_print:
                # It stands still in the middle of our label; whether the rest comes after mending, nobody can tell.
                self._show(state)
                return state.reason
        return "no_proof"

    def _is_eot_answer(self, byte: int) -> bool:
        """The answer in order may come between the answers about the state: it is noted, not dropped."""
        self._answered_in_order = self._answered_in_order or is_gs_r_answer(byte)
        return is_eot_answer(byte)
