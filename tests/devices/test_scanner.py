from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.driver import State
from devices.drivers.scanner_serial import Repeats, Scan, ScannerOptions, SerialScanner, read_scan
from devices.framing.lines import LINE_BYTES_MAX, Lines, decode
from devices.transport.memory import MemoryWire
from tests.devices.context import Bench

CRLF = b"\r\n"
CODE = b"6901234567892"


@pytest.fixture
def wire() -> Iterator[MemoryWire]:
    yield MemoryWire.named("scanner")
    MemoryWire.forget("scanner")


@pytest.fixture
def bench(tmp_path: Path, wire: MemoryWire) -> Iterator[Bench]:
    made = Bench(tmp_path, SerialScanner, "memory:scanner", noread="NOREAD")
    made.start()
    made.wait_for(lambda: made.driver.health().state is State.READY)
    yield made
    made.close()


def codes(bench: Bench) -> list[str]:
    return [facts["code"] for facts in bench.facts("scan")]


def test_a_scan_is_stored_with_an_id_of_its_own(bench: Bench, wire: MemoryWire) -> None:
    wire.peer.write(CODE + CRLF + b"4006381333931" + CRLF, 1)
    bench.wait_for(lambda: codes(bench) == ["6901234567892", "4006381333931"])
    ids = {facts["scan_id"] for facts in bench.facts("scan")}
    assert len(ids) == 2


def test_a_trigger_that_bounced_is_one_scan(bench: Bench, wire: MemoryWire) -> None:
    wire.peer.write((CODE + CRLF) * 3 + b"1" + CRLF + CODE + CRLF, 1)
    bench.wait_for(lambda: len(codes(bench)) == 3)
    assert codes(bench) == ["6901234567892", "1", "6901234567892"]
    assert bench.driver.health().counters["repeats"] == 2


def test_no_read_is_no_scan(bench: Bench, wire: MemoryWire) -> None:
    wire.peer.write(b"NOREAD" + CRLF + CODE + CRLF, 1)
    bench.wait_for(lambda: codes(bench) == ["6901234567892"])
    assert bench.driver.health().counters["noreads"] == 1


def test_half_a_code_is_dropped_after_silence_and_does_not_spoil_the_next(bench: Bench, wire: MemoryWire) -> None:
    wire.peer.write(b"69012345", 1)
    bench.wait_for(lambda: bench.driver.health().counters.get("dropped", 0) == 1)
    wire.peer.write(CODE + CRLF, 1)
    bench.wait_for(lambda: codes(bench) == ["6901234567892"])


def test_a_scanner_that_was_unplugged_goes_on_afterwards(bench: Bench, wire: MemoryWire) -> None:
    wire.cut()
    bench.wait_for(lambda: bool(bench.faults))
    wire.mend()
    bench.wait_for(lambda: wire.status().open)
    wire.peer.write(CODE + CRLF, 1)
    bench.wait_for(lambda: codes(bench) == ["6901234567892"])


def test_the_group_separator_of_gs1_stays_in_the_code() -> None:
    line = b"]C1010690123456789210A\x1d17271231"
    assert read_scan(line, ScannerOptions(aim=True)) == Scan("010690123456789210A\x1d17271231", "]C1")


def test_without_aim_switched_on_a_bracket_is_part_of_the_code() -> None:
    assert read_scan(b"]C1ABC", ScannerOptions()) == Scan("]C1ABC")


@pytest.mark.parametrize("line", [b"", b"\xff\xfe", b"AB\x00C", b"AB\x1b[2J", b"A" * 129, "a\u202eb".encode()])
def test_what_is_no_printable_code_is_no_scan(line: bytes) -> None:
    assert read_scan(line, ScannerOptions()) is None


def test_a_prefix_that_is_missing_is_no_scan() -> None:
    options = ScannerOptions(prefix="\x02")
    assert read_scan(b"\x02ABC", options) == Scan("ABC")
    assert read_scan(b"ABC", options) is None


def test_the_same_code_counts_again_after_the_time_of_repeats() -> None:
    repeats = Repeats(0.4)
    scan = Scan("A")
    assert not repeats.is_repeat(scan, 10.0)
    assert repeats.is_repeat(scan, 10.39)
    assert repeats.is_repeat(scan, 10.78)  # counted from the end of the one before, also a repeated one
    assert not repeats.is_repeat(scan, 11.18)
    assert not repeats.is_repeat(Scan("B"), 11.2)
    assert not repeats.is_repeat(scan, 11.3)


# --- framing ----------------------------------------------------------------------------------------------------------


def test_a_line_may_have_exactly_the_longest_length() -> None:
    longest = b"A" * LINE_BYTES_MAX
    assert list(Lines(CRLF).feed(longest + CRLF)) == [longest]


def test_a_line_too_long_is_dropped_with_its_tail() -> None:
    lines = Lines(CRLF)
    assert list(lines.feed(b"A" * 300)) == []
    assert list(lines.feed(b"TAIL\r")) == []
    assert list(lines.feed(b"\nNEXT\r\n")) == [b"NEXT"]
    assert lines.dropped == 1


@given(
    st.lists(
        st.binary(min_size=0, max_size=40).filter(lambda line: b"\r" not in line and b"\n" not in line), max_size=8
    ),
    st.lists(st.integers(1, 7), min_size=1, max_size=20),
)
def test_however_bytes_are_cut_the_lines_are_the_same(wanted: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(line + CRLF for line in wanted)
    lines, at = Lines(CRLF), 0
    got: list[bytes] = []
    while at < len(stream):
        size = cuts[at % len(cuts)]
        got += lines.feed(stream[at : at + size])
        at += size
    assert got == wanted


@given(st.binary(max_size=600))
def test_no_bytes_break_the_framing_and_its_buffer_stays_bounded(content: bytes) -> None:
    lines = Lines(CRLF)
    assert all(len(line) <= LINE_BYTES_MAX for line in lines.feed(content))
    used, _ = decode(content, CRLF)
    assert 0 <= used <= len(content)
    assert len(lines._buffer) <= LINE_BYTES_MAX + 1
