"""Scanners that play keyboard: the kernel's records through a named pipe, as a real gateway reads them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from devices.drivers.scanner_evdev import EvdevScanner
from devices.errors import ConfigError, DeviceAbsent
from devices.framing.evdev_keys import RECORD, Keys
from devices.simulators.scanner_evdev import record, typed
from devices.transport import open_transport
from tests.devices.processes import GatewayProcess, MachineProcess, events_of, wait_until, write_config

EVERY_SIGN = "".join(map(chr, range(0x20, 0x7F)))


def test_every_printable_character_and_gs_come_through() -> None:
    assert Keys().feed(typed(EVERY_SIGN + "\x1d")) == EVERY_SIGN.encode() + b"\x1d\n"


def test_records_may_come_in_any_pieces() -> None:
    whole, keys = typed("Lpn-7"), Keys()
    assert b"".join(keys.feed(whole[at : at + 5]) for at in range(0, len(whole), 5)) == b"Lpn-7\n"


def test_a_key_held_down_types_once() -> None:
    held = record(1, 30, 1) + record(1, 30, 2) * 5 + record(1, 30, 0)
    assert Keys().feed(held) == b"a"


def test_the_number_pad_and_its_enter_are_keys_too() -> None:
    pad = b"".join(record(1, code, 1) + record(1, code, 0) for code in (79, 80, 81, 96))
    assert Keys().feed(pad) == b"123\n"


def test_keys_nobody_prints_are_counted_and_nothing_else() -> None:
    keys = Keys()
    assert keys.feed(record(1, 59, 1) + record(2, 0, 7) + record(4, 4, 30)) == b""
    assert keys.unknown == 1


def test_a_code_from_which_the_kernel_lost_records_is_never_taken_as_a_shorter_one() -> None:
    first, rest = typed("AB")[: 4 * RECORD.size], typed("C")
    typed_now = Keys().feed(first + record(0, 3, 0) + record(1, 31, 1) + record(0, 0, 0) + rest)
    assert b"\x00" in typed_now.split(b"\n")[0]


def test_a_path_that_is_no_input_device_is_said(tmp_path: Path) -> None:
    with pytest.raises(DeviceAbsent, match="is the scanner plugged in"):
        open_transport(f"evdev://{tmp_path}/none")
    (tmp_path / "file").touch()
    with pytest.raises(DeviceAbsent, match="is no input device"):
        open_transport(f"evdev://{tmp_path}/file")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"url": "serial:///dev/ttyUSB0"}, "must be like evdev:"),
        ({"url": "evdev:///dev/input/event0", "suffix": "ETX"}, "must be CR"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_opens(options: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        EvdevScanner.check(options)


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[MachineProcess]:
    made = MachineProcess("scanner_evdev", "--port", tmp_path / "keyboard")
    yield made
    made.stop()


def test_a_gateway_takes_scans_loses_none_to_an_unplugged_cable_and_finds_the_scanner_again(
    tmp_path: Path, machine: MachineProcess
) -> None:
    device = {"name": "scanner1", "driver": "scanner_evdev", "url": machine.ready["url"], "aim": True}
    config = write_config(tmp_path, device, name="keyboard-station")
    with GatewayProcess(config) as gateway:
        gateway.wait_ready("scanner1")
        machine.control(scan="010690123456789210A\x1d17271231", aim="]C1")
        machine.control(scan="SF123")
        machine.control(scan="SF123")
        wait_until(lambda: len(events_of(config, "scan")) == 2)
        machine.control(dropped=True)
        machine.control(scan="SF124")
        machine.control(unplug=1)
        wait_until(lambda: gateway.state_of("scanner1") != "ready")
        gateway.wait_ready("scanner1")
        machine.control(scan="SF125")
        wait_until(lambda: len(events_of(config, "scan")) == 3)
        wait_until(lambda: "unsound" in gateway.health()["devices"][0]["counters"])  # told now and then
        counters = gateway.health()["devices"][0]["counters"]
    scans = events_of(config, "scan")
    assert [(scan["code"], scan.get("aim")) for scan in scans] == [
        ("010690123456789210A\x1d17271231", "]C1"),
        ("SF123", None),
        ("SF125", None),
    ]
    assert (counters["repeats"], counters["keys_lost"], counters["unsound"]) == (1, 1, 1)


def test_the_pipe_is_gone_with_its_machine(tmp_path: Path) -> None:
    machine = MachineProcess("scanner_evdev", "--port", tmp_path / "keyboard")
    assert os.path.exists(tmp_path / "keyboard")
    machine.stop()
    assert not os.path.exists(tmp_path / "keyboard")
