from __future__ import annotations

import socket
import threading
from pathlib import Path

import pytest

from devices.errors import ConfigError, DeviceAbsent, DeviceError, WriteFault
from devices.transport import make_transport, open_transport, parse_address
from devices.transport.memory import MemoryWire
from devices.transport.pty_pair import PtyPair
from tests.devices.processes import WAIT_S

BYTES = bytes(range(256))


@pytest.mark.parametrize(
    ("url", "part"),
    [
        ("ttyUSB0", "must begin with one of serial:"),
        ("tcp://printer", "needs host and port"),
        ("tcp://printer:99999", "port must be 1 to 65535"),
        ("serial:", "names no path"),
        ("serial:///dev/ttyS0?baud=9601", "baud=9601 is not possible"),
        ("serial:///dev/ttyS0?speed=9600", "unknown option speed"),
        ("tcp://printer:9100?baud=9600", "unknown option baud"),
    ],
)
def test_a_wrong_url_is_named_before_anything_is_opened(url: str, part: str) -> None:
    with pytest.raises(ConfigError, match=part):
        parse_address(url)


def test_a_windows_port_is_a_path_too() -> None:
    assert parse_address("serial:COM3?baud=115200").path == "COM3"


def pty_and_port(link: Path) -> tuple[PtyPair, str]:
    pair = make_transport(f"pty://{link}")
    assert isinstance(pair, PtyPair)
    pair.open()
    return pair, f"serial://{link}?baud=115200"


def test_every_byte_passes_a_serial_port_unchanged_both_ways(tmp_path: Path) -> None:
    machine, url = pty_and_port(tmp_path / "port")
    port = open_transport(url)
    port.write(BYTES, 1)
    assert machine.read(1000, 1) == BYTES
    machine.write(BYTES, 1)
    assert port.read(1000, 1) == BYTES
    port.close()
    machine.close()
    assert (port.status().bytes_in, port.status().bytes_out, port.status().open) == (256, 256, False)


def test_a_serial_port_belongs_to_one_owner(tmp_path: Path) -> None:
    machine, url = pty_and_port(tmp_path / "port")
    port = open_transport(url)
    with pytest.raises(DeviceAbsent, match="in use by another program"):
        open_transport(url)
    port.close()
    open_transport(url).close()
    machine.close()


def test_a_symlink_that_comes_and_goes_is_followed_anew_at_each_open(tmp_path: Path) -> None:
    machine, url = pty_and_port(tmp_path / "port")
    port = open_transport(url)
    machine.close()
    with pytest.raises(DeviceError, match=r"closed at the other end|went away"):
        port.read(1, 1)
    with pytest.raises(DeviceAbsent, match="is not there"):
        port.open()
    blocker = PtyPair(parse_address("pty:"))
    blocker.open()  # takes the number the first pair had, so the link leads elsewhere now
    machine.open()
    port.open()
    port.write(b"again", 1)
    assert machine.read(10, 1) == b"again"
    for wire in (port, machine, blocker):
        wire.close()


def test_a_read_waits_no_longer_than_told(tmp_path: Path) -> None:
    machine, url = pty_and_port(tmp_path / "port")
    port = open_transport(url)
    assert port.read(10, 0.01) == b""
    port.close()
    machine.close()


def test_a_full_port_that_nobody_reads_fails_and_says_how_far_it_got(tmp_path: Path) -> None:
    machine, url = pty_and_port(tmp_path / "port")
    port = open_transport(url)
    with pytest.raises(WriteFault) as fault:
        port.write(bytes(1_000_000), 0.1)
    assert 0 < fault.value.bytes_written < 1_000_000
    port.close()
    machine.close()


def test_tcp_carries_bytes_and_tells_when_the_other_end_closes() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        wire = open_transport(f"tcp://127.0.0.1:{listener.getsockname()[1]}")
        peer, _ = listener.accept()
        assert wire._open_socket().getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)  # type: ignore[attr-defined]
        wire.write(BYTES, 1)
        assert peer.recv(1000) == BYTES
        peer.sendall(b"answer")
        assert wire.read(100, 1) == b"answer"
        peer.close()
        with pytest.raises(DeviceError, match="closed the connection"):
            wire.read(1, 1)
        wire.close()


def test_nobody_listening_is_an_absent_device() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        with pytest.raises(DeviceAbsent, match="does not answer"):
            open_transport(f"tcp://127.0.0.1:{silent.getsockname()[1]}")


def test_a_file_keeps_what_was_written(tmp_path: Path) -> None:
    wire = open_transport(f"file://{tmp_path}/labels.bin")
    wire.write(b"one", 1)
    wire.close()
    wire.open()
    wire.write(b"two", 1)
    assert wire.read(10, 0) == b""
    wire.close()
    assert (tmp_path / "labels.bin").read_bytes() == b"onetwo"


def test_a_file_in_no_folder_is_absent(tmp_path: Path) -> None:
    with pytest.raises(DeviceAbsent, match="cannot be opened"):
        open_transport(f"file://{tmp_path}/nowhere/labels.bin")


def test_both_ends_of_a_memory_wire_meet_and_it_breaks_where_told() -> None:
    wire = open_transport("memory:test-meet")
    assert isinstance(wire, MemoryWire)
    wire.bytes_until_cut = 3
    with pytest.raises(WriteFault) as fault:
        wire.write(b"hello", 1)
    assert fault.value.bytes_written == 3
    with pytest.raises(DeviceAbsent):
        wire.open()
    assert wire.peer.read(10, 0) == b"hel"
    wire.mend()
    wire.open()
    MemoryWire.forget("test-meet")


def test_a_reader_waiting_on_a_memory_wire_wakes_when_it_is_unplugged() -> None:
    wire = open_transport("memory:test-wake")
    assert isinstance(wire, MemoryWire)
    threading.Timer(0.05, wire.cut).start()
    with pytest.raises(DeviceError, match="unplugged"):
        wire.read(1, WAIT_S)
    MemoryWire.forget("test-wake")
