from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import ClassVar

import pytest

from devices.driver import Driver, Health, State
from devices.errors import ConfigError, DeviceAbsent, DeviceError, OutboxFull
from devices.station import wall_ms
from devices.supervisor import Keeper
from tests.devices.processes import wait_until


class Machine:
    """A driver whose fate the test holds: each run raises the next fault, or lasts until it is told to end."""

    kind: ClassVar[str] = "machine"
    backoff_s: ClassVar[tuple[float, float]] = (0.01, 0.04)

    def __init__(self, *faults: Exception) -> None:
        self.faults = list(faults)
        self.runs_s: list[float] = []
        self.ended = threading.Event()
        self.commands: list[Mapping[str, object]] = []
        self._state = State.CONNECTING

    def run(self) -> None:
        self.runs_s.append(time.monotonic())
        self._state = State.CONNECTING
        if self.faults:
            raise self.faults.pop(0)
        self._state = State.READY
        self.ended.wait(10)
        if self.faults:
            raise self.faults.pop(0)

    def health(self) -> Health:
        return Health(self._state)

    def submit(self, command: Mapping[str, object]) -> None:
        self.commands.append(command)


Keep = Callable[[Callable[[], Driver]], Keeper]


@pytest.fixture
def stopping() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


@pytest.fixture
def keep(stopping: threading.Event) -> Keep:
    def start(make: Callable[[], Driver]) -> Keeper:
        keeper = Keeper("machine1", "machine", make, stopping, wall_ms)
        keeper.start()
        return keeper

    return start


def test_a_driver_that_falls_is_run_again_and_its_fault_is_forgotten_when_it_is_ready(keep: Keep) -> None:
    machine = Machine(DeviceError("cable"), DeviceError("cable"))
    keeper = keep(lambda: machine)
    wait_until(lambda: keeper.health().state is State.READY)
    assert (keeper.health().reason, keeper.health().counters["restarts"]) == ("", 2)
    machine.ended.set()


def test_a_person_is_told_down_only_after_three_misses(keep: Keep) -> None:
    machine = Machine(*[DeviceError("cable")] * 40)
    keeper = keep(lambda: machine)
    assert keeper.health().state is State.CONNECTING
    wait_until(lambda: keeper.health().state is State.DOWN)
    assert len(machine.runs_s) >= 3
    assert keeper.health().reason == "lost: cable"
    wait_until(lambda: keeper.health().state is State.READY)
    machine.ended.set()


def test_pauses_grow_and_stay_bounded(keep: Keep) -> None:
    machine = Machine(*[DeviceError("cable")] * 6)
    keep(lambda: machine)
    wait_until(lambda: len(machine.runs_s) == 7)
    pauses_s = [later - earlier for earlier, later in zip(machine.runs_s, machine.runs_s[1:], strict=False)]
    assert pauses_s[0] >= 0.015
    assert min(pauses_s[2:]) >= 0.035
    machine.ended.set()


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (DeviceAbsent("port x is not there"), "absent: port x is not there"),
        (OutboxFull("disk"), "outbox: disk"),
        (ZeroDivisionError("by zero"), "driver_bug: ZeroDivisionError: by zero"),
    ],
)
def test_the_reason_says_what_kind_of_fault_it_was(keep: Keep, fault: Exception, reason: str) -> None:
    machine = Machine(*[fault] * 40)
    keeper = keep(lambda: machine)
    wait_until(lambda: keeper.health().reason == reason)
    machine.faults.clear()
    machine.ended.set()


def test_a_driver_that_cannot_be_made_is_shown_down_for_good(keep: Keep) -> None:
    def refuse() -> Driver:
        raise ConfigError("no such protocol")

    keeper = keep(refuse)
    wait_until(lambda: keeper.health().state is State.DOWN)
    assert keeper.health().reason == "config: no such protocol"
    assert not keeper.submit({"id": "c1"})


def test_the_object_outlives_its_faults(keep: Keep) -> None:
    made: list[Machine] = []

    def make() -> Driver:
        made.append(Machine(DeviceError("a"), DeviceError("b")))
        return made[-1]

    keeper = keep(make)
    wait_until(lambda: keeper.health().state is State.READY)
    assert keeper.submit({"id": "c1"})
    assert (len(made), made[0].commands) == (1, [{"id": "c1"}])
    made[0].ended.set()


def test_since_moves_only_when_something_changed(keep: Keep) -> None:
    machine = Machine()
    keeper = keep(lambda: machine)
    wait_until(lambda: keeper.health().state is State.READY)
    first = keeper.health().since_ms
    time.sleep(0.02)
    assert keeper.health().since_ms == first
    machine.ended.set()
