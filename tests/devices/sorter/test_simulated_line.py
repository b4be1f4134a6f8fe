"""The simulated line itself: its own framing, its paced and faulty cable, its lasting memory, its control port."""

from __future__ import annotations

import json
import os
import random
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import pytest

from devices.errors import ConfigError
from devices.framing.wsp import encode, read_body
from devices.framing.wsp_values import Unreadable
from devices.simulators.sorter_belt import Offer
from devices.simulators.sorter_cable import TcpEnd
from devices.simulators.sorter_control import offer_of
from devices.simulators.sorter_faults import Faults, Lane, read_faults
from devices.simulators.sorter_line import LineSettings, SimulatedLine
from devices.simulators.sorter_memory import KeptConfirmation, Memory
from devices.simulators.sorter_wire import Ear, build, checksum, take_from_field
from tests.devices.processes import WAIT_S, events_of, wait_until
from tests.devices.sorter.page import examples_of_the_page

EXAMPLES = examples_of_the_page()
TRIES_MAX = 20

# --- framing of its own -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example[1:8].decode())
def test_the_lines_own_framing_reads_and_writes_the_examples_of_the_page(example: bytes) -> None:
    ((kind, seq, session, *fields),) = Ear().listen(example)
    values = [
        tuple(take_from_field(item) for item in field.split(";")) if ";" in field else take_from_field(field)
        for field in fields
    ]
    assert build(kind, int(seq), int(session), *values) == example


def test_the_two_framings_agree_on_the_checksum() -> None:
    assert checksum(b"123456789") == 0x29B1


def test_the_two_framings_agree_on_what_noise_is() -> None:
    """Hurt streams of all examples: both ears hear the same telegrams."""
    from devices.framing.wsp import Reader

    chance = random.Random(3)
    for _ in range(300):
        stream = bytearray(b"".join(chance.sample(EXAMPLES, 6)))
        for _ in range(chance.randrange(6)):
            place = chance.randrange(len(stream))
            stream[place] = chance.choice((2, 3, 13, 0x25, chance.randrange(256)))
        ours = [telegram for telegram in Reader().feed(bytes(stream)) if not isinstance(telegram, Unreadable)]
        theirs = [read_body("|".join(parts).encode()) for parts in Ear().listen(bytes(stream))]
        assert ours == [telegram for telegram in theirs if telegram and not isinstance(telegram, Unreadable)]
        for telegram in ours:
            assert encode(telegram)


# --- the cable --------------------------------------------------------------------------------------------------------


def test_every_fault_of_the_page_is_read() -> None:
    faults = read_faults("flip=0.0001,drop=0.005,dup=0.01,delay=0.02:0.05,unplug=1:60,reboot=2:300,clockstep=3600:30")
    assert (faults.flip, faults.drop, faults.dup, faults.delay, faults.delay_s) == (0.0001, 0.005, 0.01, 0.02, 0.05)
    assert [(timed.name, timed.lasts_s, timed.every_s) for timed in faults.timed] == [
        ("unplug", 1, 60),
        ("reboot", 2, 300),
        ("clockstep", 3600, 30),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "flop=1",
        "flip",
        "flip=x",
        "flip=2",
        "flip=-0.1",
        "delay=0.1",
        "delay=0.1:0",
        "unplug=5",
        "unplug=5:4",
        "kill=20",
    ],
)
def test_a_fault_nobody_can_mean_is_refused_by_name(text: str) -> None:
    with pytest.raises(ConfigError, match=text.partition("=")[0]):
        read_faults(text)


def test_faults_of_the_station_are_only_for_accept() -> None:
    names = [timed.name for timed in read_faults("kill=20,wms_down=5:30,disk_full=2:10", station=True).timed]
    assert names == ["kill", "wms_down", "disk_full"]


def test_a_byte_takes_ten_bits_on_the_wire() -> None:
    lane = Lane(10 / 115_200, Faults(), random.Random(1))
    lane.send(b"x" * 73, 0.0)
    assert lane.arrived(73 * 10 / 115_200 - 1e-6) == b"x" * 64
    assert lane.arrived(73 * 10 / 115_200 + 1e-6) == b"x" * 9
    lane.send(b"y", 0.0)
    assert lane.next_s() == pytest.approx(74 * 10 / 115_200)


@pytest.mark.parametrize(
    ("faults", "lowest", "highest"),
    [
        (Faults(drop=0.1), 13_000, 15_800),
        (Faults(dup=0.1), 16_200, 19_000),
        (Faults(delay=0.1, delay_s=1), 16_000, 16_000),
    ],
)
def test_chunks_are_lost_doubled_and_delayed_as_often_as_asked(faults: Faults, lowest: int, highest: int) -> None:
    lane = Lane(0.0, faults, random.Random(5))
    lane.send(bytes(16_000), 0.0)
    assert lowest <= len(lane.arrived(10.0)) <= highest


def test_a_delay_keeps_the_order() -> None:
    lane = Lane(0.0, Faults(delay=0.3, delay_s=0.05), random.Random(5))
    content = bytes(range(256)) * 4
    came = b""
    for number in range(0, len(content), 16):
        lane.send(content[number : number + 16], number / 1000)
    for moment in range(200):
        came += lane.arrived(moment / 100)
    assert came == content


def test_flipped_bits_are_as_many_as_asked_and_one_for_each_byte() -> None:
    lane = Lane(0.0, Faults(flip=0.01), random.Random(5))
    lane.send(bytes(50_000), 0.0)
    bits = [byte.bit_count() for byte in lane.arrived(1.0)]
    assert set(bits) == {0, 1}
    assert 400 < sum(bits) < 600


def test_on_tcp_a_newer_connection_replaces_the_older() -> None:
    end = TcpEnd()
    place = ("127.0.0.1", int(end.address.rpartition(":")[2]))
    with socket.create_connection(place) as older, socket.create_connection(place) as newer:
        newer.sendall(b"new")
        wait_until(lambda: end.read() == b"new")
        older.settimeout(WAIT_S)
        assert older.recv(10) == b""
        end.write(b"hello")
        newer.settimeout(WAIT_S)
        assert newer.recv(10) == b"hello"
    end.unplug()


# --- memory -----------------------------------------------------------------------------------------------------------


def test_what_the_plc_must_remember_outlives_its_process(tmp_path: Path) -> None:
    memory = Memory(tmp_path / "memory")
    pids = [memory.give_pid((f"C{number}",), number) for number in range(4)]
    memory.begin_session(77)
    for pid in pids[:3]:
        memory.confirm(KeptConfirmation(pid, ("C",), 5, "OK", 1, None))
    memory.acknowledge(pids[0])
    memory.close()
    with (tmp_path / "memory").open("a") as file:
        file.write('{"acknowledged": ')  # the power failed in the middle of a line
    again = Memory(tmp_path / "memory")
    assert list(again.unacknowledged) == pids[1:3]
    assert again.on_line == {pids[3]: (("C3",), 3)}
    assert (again.session, again.next_pid) == (77, pids[3] + 1)


# --- control port -----------------------------------------------------------------------------------------------------


def test_a_parcel_that_cannot_be_is_refused() -> None:
    assert offer_of({"codes": ["A"], "weight_g": 5}) == Offer(("A",), weight_g=5)
    for wish in ({"codes": "A"}, {"codes": [""]}, {"codes": ["A"], "colour": 3}, {"codes": ["x" * 151]}, {"fate": "x"}):
        with pytest.raises((ValueError, TypeError)):
            offer_of(dict(wish))


class Control:
    """A client of the control port."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=WAIT_S)
        self._file: IO[str] = self._socket.makefile("rw", encoding="utf-8")

    def ask(self, **wish: object) -> dict[str, Any]:
        self._file.write(json.dumps(wish) + "\n")
        self._file.flush()
        return self.next_line()

    def next_line(self) -> dict[str, Any]:
        line: dict[str, Any] = json.loads(self._file.readline())
        return line

    def until(self, **wanted: object) -> dict[str, Any]:
        def status() -> dict[str, Any]:
            shown = self.ask(do="status")
            return shown if all(shown[name] == value for name, value in wanted.items()) else {}

        found: dict[str, Any] = wait_until(status, what=f"{wanted}")
        return found

    def sorted(self, code: str) -> tuple[object, ...]:
        """How a parcel with this code left the line, once one was answered in its window.

        A busy machine may miss a window of 300 ms; how often it does is for `wms-devices accept` to tell.
        """
        for _ in range(TRIES_MAX):
            pid = self.ask(do="offer", codes=[code])["pid"]
            left = self.next_line()
            assert left["pid"] == pid
            if left["result"] != "LATE":
                return left["pid"], left["chute"], left["result"], left["reason"]
        raise AssertionError(f"{code}: late {TRIES_MAX} times")

    def close(self) -> None:
        self._file.close()
        self._socket.close()


@pytest.fixture
def station(tmp_path: Path) -> Iterator[tuple[Control, Path]]:
    """A simulated line and a gateway, each a process of its own, over a pseudo-terminal."""
    folder = tmp_path
    (folder / "plan.csv").write_text("A,5,6\nB,7\n", encoding="ascii")
    module = [sys.executable, "-m", "devices"]
    line = subprocess.Popen(
        [*module, "simulate", "sorter", "--link", str(folder / "line"), "--chute-ms", "400", "--lap-ms", "900"],
        stdout=subprocess.PIPE,
    )
    assert line.stdout is not None
    ready = json.loads(line.stdout.readline())
    config = folder / "station.toml"
    config.write_text(
        '[outbox]\npath = "station.db"\n[routes]\nfile = "plan.csv"\n'
        f'[[device]]\nname = "line1"\ndriver = "sorter_wsp"\nurl = "{ready["url"]}"\n',
        encoding="ascii",
    )
    gateway = subprocess.Popen([*module, "run", str(config)], stdout=subprocess.DEVNULL)
    control = Control(ready["control"])
    yield control, config
    control.close()
    for process in (gateway, line):
        process.terminate()
        assert process.wait(WAIT_S) == 0
    line.stdout.close()


def test_parcels_offered_at_the_control_port_are_sorted_by_a_real_gateway(station: tuple[Control, Path]) -> None:
    control, config = station
    control.until(session=True)
    assert control.ask(do="watch")["ok"]
    ends = [control.sorted(code) for code in ("A", "B", "NOBODY")]
    assert [end[1:] for end in ends] == [(5, "OK", "ROUTE"), (7, "OK", "ROUTE"), (0, "REJ", "UNKNOWN")]
    assert not control.ask(do="dance")["ok"]

    def booked() -> list[tuple[object, ...]]:
        """What the gateway has on disk, read while it runs."""
        return [(event["pid"], event["chute"], event["result"]) for event in events_of(config, "cfm")]

    wait_until(lambda: {end[:3] for end in ends} <= set(booked()))
    assert len(set(booked())) == len(booked())


def test_a_chute_shut_at_the_line_is_known_to_the_gateway_and_a_reboot_loses_nothing(
    station: tuple[Control, Path],
) -> None:
    control, config = station
    control.until(session=True)
    assert control.ask(do="chute", chute=5, state="FULL")["ok"]
    wait_until(lambda: [(told["chute"], told["state"]) for told in events_of(config, "chute")] == [(5, "FULL")])
    control.ask(do="watch")
    assert control.sorted("A")[1:] == (6, "OK", "ALT")
    for _ in range(TRIES_MAX):
        control.until(session=True)
        pid = control.ask(do="offer", codes=["B"])["pid"]
        control.ask(do="reboot", s=0.3)
        left = control.next_line()
        assert left["pid"] == pid
        if left["result"] == "LOST":
            return
    raise AssertionError("every parcel had left the line before its power went")


# --- the loop ---------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(os.name != "posix", reason="pseudo-terminals are a POSIX thing")
def test_the_link_leads_nowhere_while_the_cable_is_out(tmp_path: Path) -> None:
    from devices.simulators.sorter_cable import PtyEnd

    end = PtyEnd(tmp_path / "line", 115_200)
    line = SimulatedLine(end, LineSettings(), Memory())
    assert (tmp_path / "line").exists()
    line.unplug(0.05)
    assert not (tmp_path / "line").exists()

    def plugged() -> bool:
        line.turn(0.01)
        return (tmp_path / "line").exists()

    wait_until(plugged)
    end.unplug()
