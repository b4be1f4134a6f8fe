"""ZPL printers, and TSPL's long answer: status by capability, proof by counts, hostile answers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from devices.driver import State
from devices.drivers import printer_tspl, printer_zpl
from devices.drivers.printer_tspl import TsplPrinter
from devices.drivers.printer_zpl import ZplPrinter
from devices.errors import ConfigError
from devices.framing import zpl_status
from devices.framing.printer_status import decode_tspl_long, tspl_long_state
from devices.simulators.printer_languages import Operation
from devices.simulators.printer_zpl import ZplReader, expand
from tests.devices.context import Bench
from tests.devices.labels import dots, tspl_label, zpl_label
from tests.devices.processes import WAIT_S
from tests.devices.test_printers import Twin, UnhurriedPrinter

ANSWER = b"\x02030,0,0,1440,000,0,0,0,000,0,0,0\x03\r\n\x02001,0,0,0,1,2,6,0,00000000,1,000\x03\r\n\x021234,0\x03\r\n"


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A printer in this process answers; that the machine stands still for a second is no fault of it."""
    for driver in (printer_zpl, printer_tspl):
        monkeypatch.setattr(driver, "ANSWER_S", WAIT_S)


@pytest.fixture
def twin(tmp_path: Path) -> Iterator[Twin]:
    made = Twin(tmp_path / "labels", "zpl", speed_mm_s=40)
    yield made
    made.cable.stop()


@pytest.fixture
def bench(tmp_path: Path, twin: Twin) -> Iterator[Bench]:
    made = Bench(tmp_path, ZplPrinter, str(twin.end.shown["url"]), look_every_s=0.2, proof_s=WAIT_S)
    yield made
    made.close()


def test_a_zpl_label_is_proved_when_nothing_is_left_to_print(bench: Bench, twin: Twin) -> None:
    bench.print("a", zpl_label(7, rows=64), language="zpl")
    bench.start()
    bench.wait_for(lambda: bench.told("a") == ["claimed", "sending", "sent", "verified"])
    assert (len(twin.whole), twin.printer.errors) == (1, [])


@pytest.mark.parametrize(
    ("control", "reason"),
    [({"paper": "out"}, "paper_out"), ({"cover": "open"}, "cover_open"), ({"pause": True}, "paused")],
)
def test_a_zpl_printer_that_cannot_print_keeps_the_job_until_it_is_mended(
    bench: Bench, twin: Twin, control: dict[str, Any], reason: str
) -> None:
    twin.printer.handle(control)
    bench.print("a", zpl_label(1), language="zpl")
    bench.start()
    bench.wait_for(lambda: bench.driver.health().reason == reason)
    assert (bench.driver.health().state, bench.told("a")) == (State.DEGRADED, ["claimed"])
    twin.printer.handle({"mend": True})
    bench.wait_for(lambda: bench.told("a")[-1] == "verified")
    assert len(twin.whole) == 1


def test_paper_that_ends_in_the_middle_leaves_the_label_to_a_person(bench: Bench, twin: Twin) -> None:
    twin.printer.handle({"stop_after_rows": 8})
    bench.print("a", zpl_label(1, rows=64), language="zpl")
    bench.start()
    bench.wait_for(lambda: bench.told("a")[-1] == "uncertain")
    assert bench.reason("a") == "paper_out"


def test_a_printer_that_never_finishes_is_no_proof(tmp_path: Path, twin: Twin) -> None:
    """Far more labels than it prints meanwhile: it answers, but something is left."""
    bench = Bench(tmp_path, ZplPrinter, str(twin.end.shown["url"]), look_every_s=0.2, proof_s=1)
    bench.print("a", zpl_label(1, rows=64) * 20, language="zpl")
    bench.start()
    bench.wait_for(lambda: bench.told("a")[-1] == "uncertain")
    assert bench.reason("a") == "no_proof"
    bench.close()


def test_a_printer_that_proves_nothing_ends_at_sent(tmp_path: Path, twin: Twin) -> None:
    bench = Bench(tmp_path, ZplPrinter, str(twin.end.shown["url"]), proves=False)
    bench.print("a", zpl_label(1), language="zpl")
    bench.start()
    bench.wait_for(lambda: bench.told("a") == ["claimed", "sending", "sent"])
    bench.close()


def test_a_reset_behind_the_last_byte_of_an_unproved_label_is_told(tmp_path: Path, twin: Twin) -> None:
    bench = Bench(tmp_path, ZplPrinter, str(twin.end.shown["url"]), answers_status=False, proof_s=WAIT_S)
    content = zpl_label(1)
    twin.cable.reset_after(len(content) - 1)
    bench.print("a", content, language="zpl")
    bench.start()
    bench.wait_for(lambda: bench.told("a")[-1] == "uncertain")
    assert (bench.reason("a"), twin.whole) == ("printer_lost", [])
    bench.close()


# --- the answer's bytes -----------------------------------------------------------------------------------------------


def with_field(line: int, field: int, value: bytes) -> bytes:
    lines = [part.split(b",") for part in ANSWER.split(b"\r\n")[:3]]
    end = b"\x03" if field == len(lines[line]) - 1 else b""
    lines[line][field] = value + end
    return b"\r\n".join(b",".join(fields) for fields in lines) + b"\r\n"


@pytest.mark.parametrize(
    ("line", "field", "reason"),
    [
        (0, 1, "paper_out"),
        (0, 2, "paused"),
        (0, 9, "printer_error"),
        (0, 11, "printer_error"),
        (1, 2, "cover_open"),
        (1, 3, "ribbon_out"),
    ],
)
def test_zpl_status_is_read_field_by_field(line: int, field: int, reason: str) -> None:
    used, lines = zpl_status.decode(with_field(line, field, b"1"))
    assert used == len(ANSWER)
    assert lines is not None
    state = zpl_status.zpl_state(lines)
    assert (state.can_print, state.reason) == (False, reason)


@pytest.mark.parametrize(("line", "field"), [(0, 4), (0, 7), (1, 8)])
def test_a_zpl_printer_with_something_left_is_busy(line: int, field: int) -> None:
    _, lines = zpl_status.decode(with_field(line, field, b"3"))
    assert lines is not None
    assert zpl_status.zpl_state(lines).busy


@pytest.mark.parametrize("lost", range(len(ANSWER)))
def test_an_answer_that_lost_a_byte_never_hides_the_next(lost: int) -> None:
    buffer, found = ANSWER[:lost] + ANSWER[lost + 1 :] + ANSWER, []
    while buffer:
        used, lines = zpl_status.decode(buffer)
        if used == 0:
            break
        buffer = buffer[used:]
        if lines is not None:
            found.append(zpl_status.zpl_state(lines).can_print)
    assert found[-1:] == [True]


def test_an_answer_without_end_does_not_fill_the_memory() -> None:
    assert zpl_status.decode(b"\x02" + b"1" * 2_000) == (2_001, None)


@pytest.mark.parametrize(
    ("answer", "can_print", "reason", "busy"),
    [
        (b"@@@@", True, "", False),
        (b"P@@@", True, "", True),
        (b"@A@@", True, "paper_low", False),
        (b"E@@A", False, "paper_out", False),
        (b"E@@`", False, "cover_open", False),
        (b"`@@@", False, "paused", False),
        (b"E@H@", False, "printer_error", False),
    ],
)
def test_the_long_answer_of_tspl_is_read_bit_by_bit(answer: bytes, *, can_print: bool, reason: str, busy: bool) -> None:
    assert decode_tspl_long(b"\x02" + answer + b"\x03\r\n") == (8, answer)
    state = tspl_long_state(answer)
    assert (state.can_print, state.reason, state.busy) == (can_print, reason, busy)


def test_a_tspl_printer_asked_the_long_way_proves_a_label(tmp_path: Path) -> None:
    twin = Twin(tmp_path / "labels", "tspl", make=UnhurriedPrinter)
    bench = Bench(tmp_path, TsplPrinter, str(twin.end.shown["url"]), status="long")
    bench.print("a", tspl_label(1, rows=64), language="tspl")
    bench.start()
    bench.wait_for(lambda: bench.told("a")[-1] == "verified")
    bench.close()
    twin.cable.stop()


def test_a_wrong_way_of_asking_is_refused_before_anything_opens() -> None:
    with pytest.raises(ConfigError, match="status must be short or long"):
        TsplPrinter.check({"status": "loud"})


# --- the twin ---------------------------------------------------------------------------------------------------------


def operations(content: bytes) -> list[Operation]:
    return [operation for operation in ZplReader().feed(content) if operation.do != "set"]


def test_the_twin_draws_what_the_label_says() -> None:
    does = operations(zpl_label(5))
    assert [operation.do for operation in does] == ["form", "raster", "eject"]
    assert does[1].content == dots(5)


def test_compressed_hexadecimal_is_understood() -> None:
    rows = ["00000000", "00000000", "10000000", "00000000", "FFFFFFFF", "AA000FFF"]
    assert expand(b",:1,,!HAI0IF", 4) == bytes.fromhex("".join(rows))
    assert expand(b"1", 4) is None
    assert expand(b"HA:", 4) is None


@pytest.mark.parametrize(
    "garbage",
    [b"^XZ", b"~JR", b"^XA^GB800,800,400^FS", b"^XA^FO1,0", b"^XA^GFA,4,4,0,00000000^FS", b"^XA^XA", b"^XA^GFB,4,4,4,"],
)
def test_the_twin_refuses_what_it_does_not_know(garbage: bytes) -> None:
    assert "unknown" in [operation.do for operation in operations(garbage + b"\n" * 64)]
