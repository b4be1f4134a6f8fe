from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from devices.driver import State
from devices.drivers import printer_escpos, printer_tspl
from devices.drivers.printer_escpos import EscposPrinter
from devices.drivers.printer_tspl import TsplPrinter
from devices.framing.printer_status import escpos_state, is_eot_answer, is_gs_r_answer, tspl_state
from devices.simulators.bench import Cable
from devices.simulators.cable_ends import PtyEnd, TcpEnd
from devices.simulators.printer import SimulatedPrinter
from devices.simulators.printer_languages import Operation
from tests.devices.context import Bench
from tests.devices.labels import escpos_label, tspl_label
from tests.devices.processes import WAIT_S

STATUS_BYTES = 12
PROOF_BYTES = 3
LABEL = escpos_label(1)


class UnhurriedPrinter(SimulatedPrinter):
    """Ends no label before somebody was told that it is busy: however late one looks, there is something to see."""

    def __init__(self, language: str, out: Path, speed_mm_s: float, tell: Callable[[dict[str, Any]], None]) -> None:
        self._seen = threading.Event()
        super().__init__(language, out, speed_mm_s, tell)

    def _answer_at_once(self, asked: Operation) -> None:
        busy = self._busy()
        super()._answer_at_once(asked)
        if busy:
            self._seen.set()

    def _eject(self, copies: int) -> None:
        assert self._seen.wait(WAIT_S)
        self._seen.clear()
        super()._eject(copies)


class Twin:
    """A simulated printer on a TCP port of this process."""

    def __init__(
        self,
        folder: Path,
        language: str,
        speed_mm_s: float = 0,
        serial: Path | None = None,
        make: type[SimulatedPrinter] = SimulatedPrinter,
    ) -> None:
        folder.mkdir(exist_ok=True)
        self.told: list[dict[str, Any]] = []
        self.printer = make(language, folder, speed_mm_s, self.told.append)
        self.end: TcpEnd | PtyEnd = PtyEnd(str(serial)) if serial else TcpEnd(0)
        self.cable = Cable(self.end, self.printer.heard, hung_up=self.printer.hung_up, can_take=self.printer.can_take)
        self.printer.cable = self.cable
        self.cable.start()

    @property
    def whole(self) -> list[str]:
        """The dots of each whole label that came out."""
        return [label["dots_sha256"] for label in self.printer.labels if not label["partial"]]


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A printer in this process answers; that the machine stands still for a second is no fault of it."""
    for driver in (printer_escpos, printer_tspl):
        monkeypatch.setattr(driver, "ANSWER_S", WAIT_S)


@pytest.fixture
def escpos(tmp_path: Path) -> Iterator[Twin]:
    twin = Twin(tmp_path / "labels", "escpos")
    yield twin
    twin.cable.stop()


@pytest.fixture
def tspl(tmp_path: Path) -> Iterator[Twin]:
    twin = Twin(tmp_path / "labels", "tspl", make=UnhurriedPrinter)
    yield twin
    twin.cable.stop()


@pytest.fixture
def bench(tmp_path: Path, escpos: Twin) -> Iterator[Bench]:
    made = Bench(tmp_path, EscposPrinter, str(escpos.end.shown["url"]), look_every_s=0.2, proof_s=WAIT_S)
    yield made
    made.close()


def start(bench: Bench, job: str = "a", content: bytes = LABEL) -> None:
    bench.print(job, content)
    bench.start()


def test_a_label_is_printed_once_and_proved(bench: Bench, escpos: Twin) -> None:
    start(bench)
    bench.wait_for(lambda: bench.told("a") == ["claimed", "sending", "sent", "verified"])
    assert len(escpos.whole) == 1
    assert escpos.printer.errors == []


def test_labels_come_out_in_order(bench: Bench, escpos: Twin) -> None:
    for number in range(5):
        bench.print(str(number), escpos_label(number))
    bench.start()
    bench.wait_for(lambda: all(bench.told(str(number))[-1] == "verified" for number in range(5)))
    assert len(set(escpos.whole)) == 5


@pytest.mark.parametrize(
    ("control", "reason"),
    [({"paper": "out"}, "paper_out"), ({"cover": "open"}, "cover_open"), ({"pause": True}, "paused")],
)
def test_a_printer_that_cannot_print_keeps_the_job_waiting_until_it_is_mended(
    bench: Bench, escpos: Twin, control: dict[str, Any], reason: str
) -> None:
    escpos.printer.handle(control)
    start(bench)
    bench.wait_for(lambda: bench.driver.health().reason == reason)
    assert bench.driver.health().state is State.DEGRADED
    assert bench.told("a") == ["claimed"]
    escpos.printer.handle({"mend": True})
    bench.wait_for(lambda: bench.told("a")[-1] == "verified")
    assert len(escpos.whole) == 1


def test_low_paper_is_shown_and_prints_all_the_same(bench: Bench, escpos: Twin) -> None:
    escpos.printer.handle({"paper": "low"})
    start(bench)
    bench.wait_for(lambda: bench.told("a")[-1] == "verified")
    bench.wait_for(lambda: bench.driver.health().reason == "paper_low")


@pytest.mark.parametrize("why", ["paper_out", "cover_open", "paused"])
def test_a_printer_that_stops_in_the_middle_leaves_the_label_to_a_person(bench: Bench, escpos: Twin, why: str) -> None:
    escpos.printer.handle({"stop_after_rows": 3, "why": why})
    start(bench)
    bench.wait_for(lambda: bench.told("a")[-1] == "uncertain")
    assert bench.reason("a") == why
    escpos.printer.handle({"mend": True})
    bench.print("b", escpos_label(2))
    bench.wait_for(lambda: bench.told("b")[-1] == "verified")
    assert bench.told("a").count("sending") == 1


def test_a_printer_that_falls_silent_after_the_label_is_no_proof(
    bench: Bench, escpos: Twin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(printer_escpos, "ANSWER_S", 0.7)

    class Mute:
        """The printer loses its voice once the first row is on paper."""

        def hears(self, told: dict[str, Any]) -> None:
            escpos.printer.handle({"mute": True})

    escpos.printer._tell = Mute().hears
    start(bench)
    bench.wait_for(lambda: bench.told("a")[-1] == "uncertain")
    assert bench.reason("a") == "printer_lost"


def test_a_job_in_another_language_fails_before_byte_one(bench: Bench, escpos: Twin) -> None:
    bench.print("a", tspl_label(1), language="tspl")
    bench.start()
    bench.wait_for(lambda: bench.told("a") == ["claimed", "failed"])
    assert (escpos.whole, escpos.printer.errors) == ([], [])


def test_a_fault_at_any_byte_never_gives_two_labels(
    tmp_path: Path, escpos: Twin, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection is reset after n bytes, for every n from the first status request to the end of the proof."""
    bench = Bench(tmp_path, EscposPrinter, str(escpos.end.shown["url"]), look_every_s=0.2, proof_s=1.5)
    monkeypatch.setattr(printer_escpos, "QUIET_S", 0.01)  # our wire has no slow printer at its end
    ends: dict[str, list[str]] = {}
    for at in range(STATUS_BYTES + len(LABEL) + PROOF_BYTES):
        job, before = f"job{at}", len(escpos.whole)
        escpos.cable.reset_after(at)
        bench.print(job, LABEL)
        while bench.spool.waiting("printer1"):
            bench_runs_once(bench)
        ends.setdefault(bench.told(job)[-1], []).append(job)
        bench.wait_for(lambda: not escpos.printer.handle({"report": True})["busy"])
        copies = len(escpos.whole) - before
        assert copies <= 1, f"reset after {at} bytes: {copies} labels"
        if bench.told(job)[-1] == "verified":
            assert copies == 1, f"reset after {at} bytes: proved, but nothing came out"
    bench.close()
    # A reset among the status requests costs nothing: the job is simply tried again.
    assert len(ends["verified"]) >= STATUS_BYTES
    assert set(ends) == {"verified", "uncertain"}
    assert escpos.printer.errors == []


def bench_runs_once(bench: Bench) -> None:
    """Run the driver until it has no more jobs or falls, without the pauses of a supervisor."""
    from devices.errors import DeviceError

    job = bench.spool.next_job("printer1", 0)
    assert job is not None
    try:
        bench.driver._print(job)  # type: ignore[attr-defined]
    except DeviceError as error:
        bench.faults.append(str(error))


def test_a_file_takes_labels_and_the_job_stays_sent(tmp_path: Path) -> None:
    bench = Bench(tmp_path, EscposPrinter, f"file://{tmp_path}/labels.bin")
    start(bench)
    bench.wait_for(lambda: bench.told("a") == ["claimed", "sending", "sent"])
    assert (tmp_path / "labels.bin").read_bytes() == LABEL
    bench.close()


def test_a_tspl_label_is_proved_by_busy_and_then_idle(tmp_path: Path, tspl: Twin) -> None:
    bench = Bench(tmp_path, TsplPrinter, str(tspl.end.shown["url"]), look_every_s=0.2)
    bench.print("a", tspl_label(1, rows=64), language="tspl")
    bench.start()
    bench.wait_for(lambda: bench.told("a") == ["claimed", "sending", "sent", "verified"])
    assert len(tspl.whole) == 1
    bench.close()


def test_a_tspl_printer_that_stops_in_the_middle_leaves_the_label_to_a_person(tmp_path: Path, tspl: Twin) -> None:
    bench = Bench(tmp_path, TsplPrinter, str(tspl.end.shown["url"]), look_every_s=0.2)
    tspl.printer.handle({"stop_after_rows": 8})
    bench.print("a", tspl_label(1, rows=64), language="tspl")
    bench.start()
    bench.wait_for(lambda: bench.told("a")[-1] == "uncertain")
    assert bench.reason("a") == "paper_out"
    bench.close()


@pytest.mark.parametrize("garbage", [b"\x1bZ", b"\x1dv1", b"\x80", b"\x1dV\x63", b"\x1b(A"])
def test_the_twin_refuses_what_it_does_not_know(bench: Bench, escpos: Twin, garbage: bytes) -> None:
    start(bench, content=LABEL + garbage + escpos_label(2))
    bench.wait_for(lambda: bench.told("a")[-1] == "uncertain")
    assert escpos.printer.errors
    assert len(escpos.whole) == 1


# --- status bytes, from the table of docs/reference/devices.md --------------------------------------------------------


@pytest.mark.parametrize(
    ("answers", "can_print", "reason"),
    [
        ((0x12, 0x12, 0x12, 0x12), True, ""),
        ((0x12, 0x12, 0x12, 0x1E), True, "paper_low"),
        ((0x1A, 0x32, 0x12, 0x7E), False, "paper_out"),
        ((0x1A, 0x16, 0x12, 0x12), False, "cover_open"),
        ((0x1A, 0x12, 0x12, 0x12), False, "paused"),
        ((0x1A, 0x52, 0x1A, 0x12), False, "cutter_stuck"),
        ((0x1A, 0x52, 0x32, 0x12), False, "printer_error"),
    ],
)
def test_escpos_status_is_read_bit_by_bit(answers: tuple[int, ...], *, can_print: bool, reason: str) -> None:
    state = escpos_state(dict(enumerate(answers, start=1)))
    assert (state.can_print, state.reason) == (can_print, reason)


@pytest.mark.parametrize(
    ("byte", "can_print", "reason", "busy"),
    [
        (0x00, True, "", False),
        (0x20, True, "", True),
        (0x04, False, "paper_out", False),
        (0x01, False, "cover_open", False),
        (0x10, False, "paused", False),
        (0x05, False, "cover_open", False),
        (0x80, False, "printer_error", False),
    ],
)
def test_tspl_status_is_read_bit_by_bit(byte: int, *, can_print: bool, reason: str, busy: bool) -> None:
    state = tspl_state(byte)
    assert (state.can_print, state.reason, state.busy) == (can_print, reason, busy)


def test_no_byte_is_both_a_status_and_a_proof() -> None:
    assert [byte for byte in range(256) if is_eot_answer(byte) and is_gs_r_answer(byte)] == []


def test_an_answer_that_comes_late_is_no_proof_of_the_next_label(tmp_path: Path) -> None:
    """On a serial cable the answer an earlier job waited for in vain comes when the printer has caught up."""
    twin = Twin(tmp_path / "labels", "escpos", speed_mm_s=4, serial=tmp_path / "printer")
    url = f"serial://{tmp_path}/printer?baud=115200"
    bench = Bench(tmp_path, EscposPrinter, url, look_every_s=0.2, proof_s=WAIT_S)
    twin.printer.handle({"stop_after_rows": 3, "why": "paused"})
    start(bench, "a", escpos_label(1, rows=32))
    bench.wait_for(lambda: bench.told("a")[-1] == "uncertain")
    bench.print("b", escpos_label(2, rows=32))
    twin.printer.handle({"mend": True})
    bench.wait_for(lambda: bench.told("b")[-1] in ("verified", "uncertain"))
    assert bench.told("b")[-1] == "verified"
    assert len(set(twin.whole)) == 2
    bench.close()
    twin.cable.stop()
