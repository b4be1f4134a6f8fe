"""Modbus RTU on a serial line that is slow, lossy and late: what is asked is asked again, and never mixed up."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from devices.errors import DeviceError
from devices.simulators.modbus_rtu import ModbusRtuServer, crc16
from devices.simulators.modbus_server import Registers
from devices.transport.modbus import RTU_ANSWER_S, ModbusWire

COUNT: Final = 48
FAR: Final = 100
LATE_S: Final = 1.4 * RTU_ANSWER_S
GAP_S: Final = 0.05


class HostileMachine(ModbusRtuServer):
    """Answers as `plan` says, one word for each question, and soundly when the plan is over."""

    def __init__(self, registers: Registers, link: Path) -> None:
        super().__init__(registers, link)
        self.plan: deque[str] = deque()
        self.asked = 0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._serve_for_ever, daemon=True)
        self._thread.start()

    def _serve_for_ever(self) -> None:
        while not self._stopping.is_set():
            self.serve(0.02)

    def _answer(self, frame: bytes) -> None:
        if crc16(frame[:-2]) != frame[-2:]:
            return
        self.asked += 1
        how = self.plan.popleft() if self.plan else "soundly"
        response = bytes([self._unit]) + self._registers.answer(frame[1:-2])
        sound = response + crc16(response)
        if how == "late":
            self._stopping.wait(LATE_S)
        elif how == "lost":
            return
        elif how == "damaged":
            sound = sound[:3] + bytes([sound[3] ^ 0x10]) + sound[4:]
        elif how == "of another unit":
            sound = bytes([self._unit + 1]) + response[1:]
            sound += crc16(sound)
        if how == "in pieces":
            for at in range(0, len(sound), 20):
                self._end.write(sound[at : at + 20])
                time.sleep(GAP_S)
            return
        self._end.write(sound)

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join(5)
        self.unplug()


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[HostileMachine]:
    registers = Registers(registers=2 * FAR, coils=16, inputs=8)
    registers.holding[:FAR] = [1] * FAR
    registers.holding[FAR:] = [2] * FAR
    made = HostileMachine(registers, tmp_path / "line")
    yield made
    made.stop()


class Line:
    """The wire as a driver uses it: opened anew when it was lost."""

    def __init__(self, url: str) -> None:
        self.opened = 0
        self._url = url
        self._open()

    def _open(self) -> None:
        self.wire = ModbusWire(self._url, unit=1)
        self.opened += 1

    def read(self, address: int) -> list[int]:
        while True:
            try:
                return list(self.wire.read(address, COUNT))
            except DeviceError:
                self.wire.close()
                self._open()


@pytest.fixture
def line(tmp_path: Path, machine: HostileMachine) -> Iterator[Line]:
    made = Line(f"serial://{tmp_path}/line?baud=115200")
    yield made
    made.wire.close()


@pytest.fixture
def wire(line: Line) -> ModbusWire:
    return line.wire


@pytest.mark.parametrize("how", ["in pieces", "lost", "damaged", "late", "of another unit"])
def test_what_went_wrong_once_is_asked_again(machine: HostileMachine, wire: ModbusWire, how: str) -> None:
    machine.plan.append(how)
    assert list(wire.read(0, COUNT)) == [1] * COUNT
    machine.plan.append(how)
    wire.write(FAR, [7, 8])
    assert machine._registers.holding[FAR : FAR + 3] == [7, 8, 2]


@pytest.mark.parametrize("plan", [["late"], ["late", "late"], ["lost", "late"], ["late", "lost"], ["damaged", "late"]])
def test_a_late_answer_never_passes_for_that_to_the_next_question(
    machine: HostileMachine, line: Line, plan: list[str]
) -> None:
    machine.plan.extend(plan)
    for _ in range(3):
        assert line.read(0) == [1] * COUNT
        assert line.read(FAR) == [2] * COUNT


def test_a_late_echo_of_one_write_is_no_echo_of_another(machine: HostileMachine, wire: ModbusWire) -> None:
    machine.plan.extend(["late", "soundly", "soundly", "lost"])
    wire.write(0, [3, 3])
    wire.write(FAR, [4, 4])
    assert machine._registers.holding[0:2] == [3, 3]
    assert machine._registers.holding[FAR : FAR + 2] == [4, 4]


def test_a_late_look_at_buttons_is_not_taken_for_a_new_one(machine: HostileMachine, wire: ModbusWire) -> None:
    """Else a button that was let go long ago would be pressed once more."""
    machine._registers.inputs[0] = True
    machine.plan.append("late")
    assert wire.read_inputs(0, 8)[0]
    machine._registers.inputs[0] = False
    assert not wire.read_inputs(0, 8)[0]


def test_a_refusal_is_told_at_once_and_not_asked_again(machine: HostileMachine, wire: ModbusWire) -> None:
    with pytest.raises(DeviceError, match="refused to read registers 200"):
        wire.read(2 * FAR, 2)
    assert machine.asked == 1


def test_a_machine_that_says_nothing_is_lost(machine: HostileMachine, wire: ModbusWire) -> None:
    machine.plan.extend(["lost"] * 100)
    with pytest.raises(DeviceError, match="went away"):
        wire.read(0, COUNT)
    assert machine.asked == 2, "one question and one that would clear the line: a person is soon told"


def test_a_cable_that_is_out_is_lost_at_once(machine: HostileMachine, wire: ModbusWire) -> None:
    machine.plan.extend(["lost"])
    machine.stop()
    with pytest.raises(DeviceError, match="went away"):
        wire.read(0, COUNT)
