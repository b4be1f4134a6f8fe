from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.driver import State
from devices.drivers.scale import Loads, Rest, Scale
from devices.framing import stx_etx
from devices.framing.scales import CANNOT, ERROR, OVERLOAD, UNDERLOAD, Reading, read_cas, read_sics, read_yaohua
from devices.simulators.scale import cas_line, sics_answer, yaohua_frame
from devices.transport.memory import MemoryWire
from tests.devices.context import Bench
from tests.devices.processes import WAIT_S

Start = Callable[..., Bench]


@pytest.fixture
def wire() -> Iterator[MemoryWire]:
    yield MemoryWire.named("scale")
    MemoryWire.forget("scale")


@pytest.fixture
def start(tmp_path: Path, wire: MemoryWire) -> Iterator[Start]:
    benches: list[Bench] = []

    def started(**options: Any) -> Bench:
        bench = Bench(tmp_path, Scale, "memory:scale", **options)
        bench.start()
        bench.wait_for(lambda: wire.status().open)
        benches.append(bench)
        return bench

    yield started
    for bench in benches:
        bench.close()


def weights(bench: Bench) -> list[int]:
    return [facts["weight_g"] for facts in bench.facts("weight")]


def say(wire: MemoryWire, *frames: bytes, every_s: float = 0.02) -> None:
    for frame in frames:
        wire.peer.write(frame, 1)
        time.sleep(every_s)


def say_until(wire: MemoryWire, bench: Bench, condition: Callable[[], Any], *frames: bytes) -> None:
    """Say it again and again, as a scale does, until it is heard."""

    def heard() -> bool:
        say(wire, *frames)
        return bool(condition())

    bench.wait_for(heard)


def empty_until_heard(wire: MemoryWire, bench: Bench) -> None:
    """What comes before the driver listens is dropped: an empty scale speaks until it is heard."""
    say_until(wire, bench, lambda: bench.driver.health().counters.get("readings"), cas_line(0, stable=True))


@pytest.mark.parametrize(
    ("line", "reading"),
    [
        (b"ST,GS,+  1.235kg", Reading(1235, True)),
        (b"US,GS,+  1.235kg", Reading(1235, False)),
        (b"ST,NT,-  0.020kg", Reading(-20, True)),
        (b"OL,GS,+-------kg", OVERLOAD),
        (b"ST,GS,+  1.235lb", None),
        (b"ST,GS,+  1.2 5kg", None),
        (b"ST,GS,+   1.235kg", None),
        (b"ST,GS,+-------kg", None),
        (b"st,gs,+  1.235kg", None),
    ],
)
def test_cas_lines(line: bytes, reading: Reading | None) -> None:
    assert read_cas(line) == reading


@pytest.mark.parametrize(
    ("content", "reading"),
    [
        (b"+00123531D", Reading(1235, None)),
        (b"+00123531E", None),
        (b"+00123531d", None),
        (b"+0012353", None),
    ],
)
def test_yaohua_frames(content: bytes, reading: Reading | None) -> None:
    assert read_yaohua(content) == reading


def test_yaohua_overload_is_no_weight() -> None:
    assert stx_etx.decode(yaohua_frame(99_999_999), 10)[1] is not None
    assert read_yaohua(yaohua_frame(99_999)[1:-1]) == OVERLOAD


@pytest.mark.parametrize(
    ("line", "reading"),
    [
        (b"S S      1.235 kg", Reading(1235, True)),
        (b"S D      1.235 kg", Reading(1235, False)),
        (b"S S     -0.020 kg", Reading(-20, True)),
        (b"S +", OVERLOAD),
        (b"S I", CANNOT),
        (b"ES", ERROR),
        (b"S -", UNDERLOAD),
        (b"S S 1.235 kg", None),
    ],
)
def test_sics_answers(line: bytes, reading: Reading | None) -> None:
    assert read_sics(line) == reading


@given(st.integers(-9_999, 30_000), st.booleans())
def test_every_weight_survives_each_wire(weight_g: int, stable: bool) -> None:
    assert read_cas(cas_line(weight_g, stable=stable)[:-2]) == Reading(weight_g, stable)
    assert read_sics(sics_answer(b"SI", weight_g, stable=stable)[:-2]) == Reading(weight_g, stable)
    assert read_yaohua(yaohua_frame(weight_g)[1:-1]) == Reading(weight_g, None)


@given(st.binary(max_size=100))
def test_no_bytes_break_the_frames(content: bytes) -> None:
    buffer = content
    while buffer:
        used, frame = stx_etx.decode(buffer, 10)
        assert frame is None or len(frame) == 10
        if used == 0:
            assert len(buffer) < 12
            break
        buffer = buffer[used:]


def test_without_a_flag_a_weight_is_stable_after_half_a_second_of_the_same() -> None:
    rest = Rest()
    reading = Reading(1235, None)
    assert [rest.stable(reading, at) for at in (0.0, 0.2, 0.4, 0.5)] == [False, False, False, True]
    assert not rest.stable(Reading(1236, None), 0.6)
    assert not rest.stable(Reading(1236, None), 1.2)  # a gap: what lay between was not seen


def test_a_load_is_told_once_until_it_is_lifted_or_changed() -> None:
    loads = Loads(min_g=5, change_g=10)
    assert not loads.is_new(3, stable=True)
    assert not loads.is_new(1235, stable=False)
    assert loads.is_new(1235, stable=True)
    loads.told(1235)
    assert not loads.is_new(1236, stable=True)
    assert loads.is_new(1245, stable=True)
    assert loads.is_new(1245, stable=True)  # not yet told: the disk may have been full
    loads.told(1245)
    assert not loads.is_new(4, stable=False)
    assert loads.is_new(1245, stable=True)


def test_one_event_for_each_load_that_came_to_rest(start: Start, wire: MemoryWire) -> None:
    bench = start()
    empty_until_heard(wire, bench)
    moving = [cas_line(400, stable=False), cas_line(900, stable=False)]
    say(wire, *moving, cas_line(1235, stable=True), cas_line(1236, stable=True), cas_line(0, stable=True))
    say(wire, cas_line(1235, stable=True))
    bench.wait_for(lambda: weights(bench) == [1235, 1235])
    assert bench.facts("weight")[0] == {"weight_g": 1235, "stable": True}


def test_overload_is_shown_and_never_a_weight(start: Start, wire: MemoryWire) -> None:
    bench = start()
    empty_until_heard(wire, bench)
    say(wire, cas_line(99_999, stable=True))
    bench.wait_for(lambda: bench.driver.health().reason == "overload")
    assert bench.driver.health().state is State.DEGRADED
    say(wire, cas_line(100, stable=True))
    bench.wait_for(lambda: weights(bench) == [100])
    bench.wait_for(lambda: bench.driver.health().state is State.READY)


def test_a_scale_that_says_nothing_is_lost(start: Start, wire: MemoryWire) -> None:
    bench = start(silent_s=0.5)
    say(wire, cas_line(0, stable=True))
    bench.wait_for(lambda: any("said nothing for 0.5 s" in fault for fault in bench.faults))


def test_weights_that_waited_in_the_port_while_nobody_listened_are_not_believed(start: Start, wire: MemoryWire) -> None:
    bench = start(silent_s=0.5)
    bench.wait_for(lambda: bool(bench.faults))
    say_until(wire, bench, lambda: weights(bench), cas_line(77, stable=True))
    assert weights(bench) == [77]


def test_a_scale_that_must_be_asked_is_asked(start: Start, wire: MemoryWire) -> None:
    bench = start(protocol="sics")
    heard = wire.peer.read(100, WAIT_S)
    assert heard.startswith(b"SI\r\n")
    stop = threading.Event()

    def answer() -> None:
        while not stop.is_set():
            if wire.peer.read(100, 0.1):
                wire.peer.write(sics_answer(b"SI", 820, stable=True), 1)

    answering = threading.Thread(target=answer)
    answering.start()
    bench.wait_for(lambda: weights(bench) == [820])
    stop.set()
    answering.join()


def test_yaohua_frames_with_noise_between_are_read(start: Start, wire: MemoryWire) -> None:
    bench = start(protocol="yaohua")
    say_until(wire, bench, lambda: weights(bench), b"\x00\x02+0", yaohua_frame(1235))
    assert weights(bench) == [1235]
    assert bench.driver.health().counters["unsound"] > 0
