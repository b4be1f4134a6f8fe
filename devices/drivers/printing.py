"""What all printers share: look at the printer, take the oldest job, print it once or say that nobody can know.

`sending` is committed before byte one. A fault before byte one gives the job back; any fault after it leaves it
`uncertain`, for a person to decide. One job is one connection, so that several stations can share a network printer.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, TypeVar

from devices.driver import Health, State
from devices.drivers.goodbye import WATCH_S, hang_up_in_order
from devices.errors import ConfigError, DeviceError, OutboxFull, WriteFault
from devices.framing.printer_status import PrinterState
from devices.health import HealthBoard
from devices.options import read_options, require
from devices.spool import Job, JobState
from devices.station import PrinterContext
from devices.transport import Transport
from devices.transport.file import FileWire

CHUNK_BYTES = 1_024
# A printer that takes nothing for so long will not print this label; a person is told within 10 s of the loss.
STUCK_S = 8.0
SETTLE_PAUSE_S = 0.5
ANSWER_BYTES = 256


Message = TypeVar("Message")


@dataclass(frozen=True, slots=True)
class PrinterOptions:
    """What this printer can, and how long it may take.

    `answers_status` false: it (or a file) says nothing; over TCP its orderly close must show that it has the label.
    `proves` false: it tells its state, but nothing that shows that a label was printed. `trusted`: a label of which
    nothing is shown counts as `sent`, so one may be lost unseen. `group`: printers with the same paper that stand in
    for each other after `failover_s`.
    """

    answers_status: bool = True
    proves: bool = True
    trusted: bool = False
    proof_s: float = 8.0
    look_every_s: float = 1.5
    group: str = ""
    failover_s: float = 5.0

    def __post_init__(self) -> None:
        require(0.5 <= self.failover_s <= 600, "failover_s must be 0.5 to 600")
        require(1 <= self.proof_s <= 60, "proof_s must be 1 to 60")
        require(0.2 <= self.look_every_s <= 60, "look_every_s must be 0.2 to 60")


class Printer:
    """Base of the printer drivers; one for each language says how to ask for status and for proof."""

    prints: ClassVar[bool] = True
    language: ClassVar[str]
    options_shape: ClassVar[type[PrinterOptions]] = PrinterOptions

    def __init__(self, context: PrinterContext) -> None:
        self._context = context
        self._options = read_options(self.options_shape, context.options)
        self._asks = self._options.answers_status and _can_answer(context.options)
        self._proves = self._asks and self._options.proves
        self._board = HealthBoard(context.now_ms)
        if self._options.group:
            context.spool.groups.join(context.name, self._options.group, self.language, context.monotonic_s())

    @classmethod
    def check(cls, options: Mapping[str, object]) -> None:
        """Raises ConfigError where the device's table cannot work."""
        read_options(cls.options_shape, options)

    def health(self) -> Health:
        self._board.note("jobs_waiting", self._context.spool.waiting(self._context.name))
        return self._board.health()

    def submit(self, command: Mapping[str, object]) -> None:
        raise ConfigError("print commands go to the spool, from where the printer takes them")

    def run(self) -> None:
        self._board.turn(State.CONNECTING)
        try:
            while not self._context.stopping():
                self._turn()
        except DeviceError:
            self._stands(able=False)
            raise

    def _turn(self) -> None:
        if self.print_next():
            return
        if self._look() and self._take_over():
            return
        self._next_job(self._options.look_every_s)

    def print_next(self) -> bool:
        """Print the oldest job that waits for this printer, or say that nobody can know; False if none waits."""
        job = self._next_job(0)
        if job is None or self._context.stopping():
            return False
        self._print(job)
        return True

    def ask_state(self, wire: Transport) -> PrinterState:
        """The printer's state now. Raises DeviceError if it does not answer."""
        raise NotImplementedError

    def before_job(self, wire: Transport) -> None:
        """Last thing before `sending`. Raises DeviceError if the wire is not clean for a job."""

    def prove(self, wire: Transport) -> str:
        """After the last byte: "" if the printer showed that it took all, else the reason why nobody can know.

        Raises DeviceError if the wire broke.
        """
        raise NotImplementedError

    def _next_job(self, timeout_s: float) -> Job | None:
        return self._context.spool.next_job(self._context.name, timeout_s)

    def _take_over(self) -> bool:
        """Take the oldest job of a printer of the group that cannot print it; True if there was one."""
        patience_s, now_s = self._options.failover_s, self._context.monotonic_s()
        others = self._context.spool.groups.unable(self._context.name, now_s, patience_s)
        if not others or self._context.spool.take_over(self._context.name, others, self.language) is None:
            return False
        self._board.count("jobs_taken_over")
        return True

    def _stands(self, *, able: bool) -> None:
        self._context.spool.groups.stands(self._context.name, able=able, now_s=self._context.monotonic_s())

    def _look(self) -> bool:
        """Show how the printer stands; True if it can print."""
        wire = self._context.open_transport()
        try:
            state = self._state(wire)
            self._show(state)
            return state.can_print
        finally:
            wire.close()

    def _state(self, wire: Transport) -> PrinterState:
        return self.ask_state(wire) if self._asks else PrinterState(can_print=True)

    def _show(self, state: PrinterState) -> None:
        self._board.turn(State.DEGRADED if state.reason else State.READY, state.reason)
        self._stands(able=state.can_print)

    def _print(self, job: Job) -> None:
        if job.language != self.language:
            self._settle(job, JobState.FAILED, "language_wrong")
            return
        wire = self._context.open_transport()
        try:
            state = self._state(wire)
            self._show(state)
            if state.can_print:
                self.before_job(wire)
                self._print_on(wire, job)
                return
        finally:
            wire.close()
        # The job waits; a person mends the printer meanwhile.
        self._pause(self._options.look_every_s)

    def _print_on(self, wire: Transport, job: Job) -> None:
        try:
            mine = self._context.spool.begin(job)
        except OutboxFull:
            # It may still have been written; what is surely not written is byte one, so the job goes back.
            self._settle(job, JobState.CLAIMED, "outbox_full")
            raise
        if not mine:
            return
        self._board.count("jobs")
        self._send(wire, job)
        if self._proves:
            self._settle(job, JobState.SENT, awaits_proof=True)
            self._settle_by_proof(wire, job)
        else:
            self._settle_unproved(wire, job)

    def _send(self, wire: Transport, job: Job) -> None:
        sent = 0
        try:
            while sent < len(job.content):
                chunk = job.content[sent : sent + CHUNK_BYTES]
                wire.write(chunk, STUCK_S)
                sent += len(chunk)
        except WriteFault as fault:
            if sent + fault.bytes_written == 0:
                self._settle(job, JobState.CLAIMED, "printer_lost")
            else:
                self._board.count("jobs_uncertain")
                self._settle(job, JobState.UNCERTAIN, "printer_lost")
            raise
        finally:
            self._board.count("bytes_out", sent)

    def _settle_by_proof(self, wire: Transport, job: Job) -> None:
        try:
            doubt = self.prove(wire)
        except DeviceError:
            self._board.count("jobs_uncertain")
            self._settle(job, JobState.UNCERTAIN, "printer_lost")
            raise
        self._board.count("jobs_uncertain" if doubt else "jobs_verified")
        self._settle(job, JobState.UNCERTAIN if doubt else JobState.VERIFIED, doubt)

    def _settle_unproved(self, wire: Transport, job: Job) -> None:
        """Nothing proves this label: `sent` if the printer showed that it has all of it, else a person looks."""
        try:
            doubt = self._doubt(wire)
        except DeviceError:
            self._board.count("jobs_uncertain")
            self._settle(job, JobState.UNCERTAIN, "printer_lost")
            raise
        if doubt:
            self._board.count("jobs_uncertain")
        self._settle(job, JobState.UNCERTAIN if doubt else JobState.SENT, doubt)

    def _doubt(self, wire: Transport) -> str:
        """After the last byte: "" if the printer has the label, as far as it can show that, else the reason."""
        if self._asks:
            # The question came down the wire behind the label, so a printer that answers has the whole of it.
            state = self.ask_state(wire)
            self._show(state)
            return "" if state.can_print else state.reason
        if isinstance(wire, FileWire) and not wire.answers:
            return ""
        if self._has_all(wire):
            return ""
        if self._context.stopping():
            return "gateway_stopped"
        return "" if self._options.trusted else "no_proof"

    def _has_all(self, wire: Transport) -> bool:
        options, context = self._options, self._context
        close_s = WATCH_S if options.trusted else options.proof_s
        return hang_up_in_order(
            wire, stuck_s=options.proof_s, close_s=close_s, now_s=context.monotonic_s, stopping=context.stopping
        )

    def _settle(self, job: Job, state: JobState, reason: str = "", *, awaits_proof: bool = False) -> None:
        """Commit what became of the job, however long the disk is full: the truth about a label is not dropped.

        If the gateway ends meanwhile, the job is found as `sending` at the next start and becomes `uncertain`.
        """
        while True:
            try:
                self._context.spool.change(job, state, reason, awaits_proof=awaits_proof)
                return
            except OutboxFull as error:
                self._board.turn(State.DEGRADED, f"outbox: {error}")
                if self._context.stopping():
                    return
                time.sleep(SETTLE_PAUSE_S)

    def _pause(self, pause_s: float) -> None:
        end_s = self._context.monotonic_s() + pause_s
        while not self._context.stopping() and self._context.monotonic_s() < end_s:
            time.sleep(0.05)


def _can_answer(options: Mapping[str, object]) -> bool:
    """A file never answers; a character device (`/dev/usb/lp0`) does where the configuration says so."""
    return not str(options.get("url", "")).startswith("file:") or options.get("answers_status") is True


def read_answer(wire: Transport, is_answer: Callable[[int], bool], timeout_s: float) -> int | None:
    """The first byte that `is_answer` accepts, others dropped; None if none came within `timeout_s`."""
    end_s = time.monotonic() + timeout_s
    while (left_s := end_s - time.monotonic()) > 0:
        content = wire.read(1, left_s)
        if content and is_answer(content[0]):
            return content[0]
    return None


def read_message(
    wire: Transport, decode: Callable[[bytes], tuple[int, Message | None]], timeout_s: float
) -> Message | None:
    """The first message that `decode` (bytes used, message) finds; None if none was whole within `timeout_s`."""
    buffer = b""
    end_s = time.monotonic() + timeout_s
    while (left_s := end_s - time.monotonic()) > 0:
        buffer += wire.read(ANSWER_BYTES, left_s)
        while buffer:
            used, message = decode(buffer)
            if message is not None:
                return message
            if used == 0:
                break
            buffer = buffer[used:]
    return None
