"""Printers that prove nothing: what `sent` rests on, with machines that end a TCP connection in every way."""

from __future__ import annotations

import ctypes
import socket
import struct
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import pytest

from devices.drivers.printer_escpos import EscposPrinter
from devices.drivers.printer_tspl import TsplPrinter
from devices.drivers.printer_zpl import ZplPrinter
from devices.simulators.cable_ends import PtyEnd
from tests.devices.context import Bench
from tests.devices.labels import escpos_label, tspl_label, zpl_label
from tests.devices.test_printers import Twin

LANGUAGES: Final = {
    "escpos": (EscposPrinter, escpos_label),
    "tspl": (TsplPrinter, tspl_label),
    "zpl": (ZplPrinter, zpl_label),
}
LATE_S: Final = 3.0
WAIT_S: Final = 30.0
RESET: Final = struct.pack("ii", 1, 0)
SO_ATTACH_FILTER: Final = 26
BPF_RETURN: Final = 0x06
# A label that does not fit into the receive buffer of its machine, so that the kernel cannot take the rest of it.
LONG_ROWS: Final = 8_192
BUFFER_BYTES: Final = 4_096
LAST_COMMAND_BYTES: Final = 4
CUT: Final = b"\x1dV"
language = pytest.mark.parametrize("language", sorted(LANGUAGES))
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="packets are dropped by a filter of Linux")


class Machine:
    """Listens as a printer does and deals with each connection as `deal` says; keeps what it read."""

    def __init__(self, deal: Callable[[Machine, socket.socket], None]) -> None:
        self.heard = b""
        self.leaving = threading.Event()
        self._deal = deal
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen()
        self.url = f"tcp://127.0.0.1:{self._listener.getsockname()[1]}"
        self._held: list[socket.socket] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self._held.append(connection)
                self._deal(self, connection)

    def read_all(self, connection: socket.socket) -> None:
        while content := connection.recv(4_096):
            self.heard += content

    def close(self) -> None:
        self.leaving.set()
        for held in (self._listener, *self._held):
            held.close()


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    connection.close()


def drop_all(connection: socket.socket) -> None:
    """From now on the kernel drops each packet that comes to this connection: nothing is acknowledged any more."""
    program = ctypes.create_string_buffer(struct.pack("HBBI", BPF_RETURN, 0, 0, 0))
    whole = struct.pack("HxxxxxxP", 1, ctypes.addressof(program))
    connection.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, whole)


# --- the ways machines end a connection -------------------------------------------------------------------------------


def reads_and_closes(machine: Machine, connection: socket.socket) -> None:
    machine.read_all(connection)
    connection.close()


def reads_and_is_reset_late(machine: Machine, connection: socket.socket) -> None:
    machine.read_all(connection)
    machine.leaving.wait(LATE_S)
    reset(connection)


def closes_in_the_middle(machine: Machine, connection: socket.socket) -> None:
    machine.heard += connection.recv(10)
    connection.close()


def reads_and_never_closes(machine: Machine, connection: socket.socket) -> None:
    machine.read_all(connection)
    machine.leaving.wait()


def is_a_black_hole(machine: Machine, connection: socket.socket) -> None:
    drop_all(connection)
    machine.leaving.wait()


def is_a_black_hole_after_the_first_bytes(machine: Machine, connection: socket.socket) -> None:
    machine.heard += connection.recv(64)
    is_a_black_hole(machine, connection)


@pytest.fixture
def printed(tmp_path: Path) -> Iterator[Callable[..., tuple[Bench, Machine]]]:
    """Print one label on such a machine and wait for its end."""
    made: list[Any] = []

    def printing(
        language: str, deal: Callable[[Machine, socket.socket], None], *, rows: int = 8, **options: object
    ) -> tuple[Bench, Machine]:
        make, label = LANGUAGES[language]
        machine = Machine(deal)
        bench = Bench(tmp_path, make, machine.url, answers_status=False, look_every_s=0.2, **options)
        made.extend((bench, machine))
        bench.print("a", label(1, rows=rows), language=language)
        bench.start()
        bench.wait_for(lambda: bench.told("a")[-1] in ("sent", "verified", "uncertain"), WAIT_S)
        return bench, machine

    yield printing
    for one in made:
        one.close()


def ended(bench: Bench) -> tuple[str, str]:
    return bench.told("a")[-1], bench.reason("a")


@language
def test_a_printer_that_read_all_and_hung_up_has_the_label(printed: Any, language: str) -> None:
    bench, machine = printed(language, reads_and_closes)
    assert bench.told("a") == ["claimed", "sending", "sent"]
    assert machine.heard == LANGUAGES[language][1](1)


@language
def test_a_reset_long_after_the_last_byte_is_a_lost_label_that_is_told(printed: Any, language: str) -> None:
    bench, machine = printed(language, reads_and_is_reset_late)
    assert ended(bench) == ("uncertain", "printer_lost")
    assert machine.heard == LANGUAGES[language][1](1)


@language
def test_a_printer_that_closes_in_the_middle_is_no_orderly_end(printed: Any, language: str) -> None:
    bench, _ = printed(language, closes_in_the_middle)
    assert ended(bench) == ("uncertain", "printer_lost")


@language
def test_a_printer_that_never_hangs_up_is_told_as_uncertain(printed: Any, language: str) -> None:
    bench, _ = printed(language, reads_and_never_closes, proof_s=1)
    assert ended(bench) == ("uncertain", "no_proof")


@on_linux
@language
@pytest.mark.parametrize("deal", [is_a_black_hole, is_a_black_hole_after_the_first_bytes])
def test_bytes_that_nobody_acknowledges_are_a_lost_label_that_is_told(printed: Any, language: str, deal: Any) -> None:
    bench, _ = printed(language, deal, rows=LONG_ROWS, proof_s=1)
    assert ended(bench) == ("uncertain", "printer_lost")


@on_linux
@language
def test_not_even_a_printer_on_trust_is_believed_when_nothing_is_acknowledged(printed: Any, language: str) -> None:
    bench, _ = printed(language, is_a_black_hole, rows=LONG_ROWS, proof_s=1, trusted=True)
    assert ended(bench) == ("uncertain", "printer_lost")


def test_a_printer_on_trust_may_keep_its_connection_open(printed: Any) -> None:
    bench, _ = printed("escpos", reads_and_never_closes, trusted=True)
    assert ended(bench) == ("sent", "")


def test_a_gateway_that_ends_before_the_printer_hung_up_leaves_the_label_to_a_person(tmp_path: Path) -> None:
    machine = Machine(reads_and_never_closes)
    bench = Bench(tmp_path, EscposPrinter, machine.url, answers_status=False)
    bench.print("a", escpos_label(1))
    bench.start()
    bench.wait_for(lambda: machine.heard == escpos_label(1))
    bench.stopping.set()
    bench.wait_for(lambda: bench.told("a")[-1] == "uncertain")
    assert bench.reason("a") == "gateway_stopped"
    bench.close()
    machine.close()


# --- wires on which nobody can say goodbye ----------------------------------------------------------------------------


@pytest.mark.parametrize("url", ["file://{port}", "serial://{port}?baud=115200"])
@pytest.mark.parametrize(("trusted", "end"), [(False, ("uncertain", "no_proof")), (True, ("sent", ""))])
def test_a_cable_that_brings_no_answer_proves_nothing(
    tmp_path: Path, url: str, *, trusted: bool, end: tuple[str, str]
) -> None:
    twin = Twin(tmp_path / "labels", "escpos", serial=tmp_path / "printer")
    assert isinstance(twin.end, PtyEnd)
    bench = Bench(tmp_path, EscposPrinter, url.format(port=tmp_path / "printer"), answers_status=False, trusted=trusted)
    bench.print("a", escpos_label(1))
    bench.start()
    bench.wait_for(lambda: bench.told("a")[-1] in ("sent", "uncertain"))
    assert ended(bench) == end
    bench.wait_for(lambda: len(twin.whole) == 1)
    bench.close()
    twin.cable.stop()


# --- printers that tell their state, but prove nothing ----------------------------------------------------------------


@language
def test_a_printer_that_answers_behind_the_label_has_the_whole_of_it(tmp_path: Path, language: str) -> None:
    make, label = LANGUAGES[language]
    twin = Twin(tmp_path / "labels", language)
    bench = Bench(tmp_path, make, str(twin.end.shown["url"]), proves=False, look_every_s=0.2)
    bench.print("a", label(1), language=language)
    bench.start()
    bench.wait_for(lambda: bench.told("a") == ["claimed", "sending", "sent"])
    bench.wait_for(lambda: len(twin.whole) == 1)
    bench.close()
    twin.cable.stop()


@language
def test_a_printer_that_falls_silent_in_the_label_has_perhaps_not_got_it(tmp_path: Path, language: str) -> None:
    """It is dead before the last command, and the reset that would tell so comes late."""
    make, label = LANGUAGES[language]
    twin = Twin(tmp_path / "labels", language)
    bench = Bench(tmp_path, make, str(twin.end.shown["url"]), proves=False, look_every_s=0.2)
    questions = question_bytes(twin, bench)
    twin.cable.reset_after(questions + len(label(1)) - LAST_COMMAND_BYTES, late_s=LATE_S)
    bench.print("a", label(1), language=language)
    bench.start()
    bench.wait_for(lambda: bench.told("a")[-1] == "uncertain")
    assert (bench.reason("a"), twin.whole) == ("printer_lost", [])
    bench.close()
    twin.cable.stop()


def question_bytes(twin: Twin, bench: Bench) -> int:
    """How many bytes the driver says before byte one of a label."""
    bench.driver._look()  # type: ignore[attr-defined]
    return twin.cable.bytes_heard


def test_paper_that_ends_in_the_label_is_told(tmp_path: Path) -> None:
    twin = Twin(tmp_path / "labels", "escpos")
    bench = Bench(tmp_path, EscposPrinter, str(twin.end.shown["url"]), proves=False, look_every_s=0.2)

    def heard(content: bytes) -> None:
        if CUT in content:
            twin.printer.handle({"paper": "out"})
        twin.printer.heard(content)

    twin.cable._heard = heard
    bench.print("a", escpos_label(1))
    bench.start()
    bench.wait_for(lambda: bench.told("a")[-1] == "uncertain")
    assert (bench.reason("a"), twin.whole) == ("paper_out", [])
    bench.close()
    twin.cable.stop()
