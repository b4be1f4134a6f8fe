from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import ClassVar

import pytest

from devices.courier import HEALTH_EVERY_S
from devices.driver import Driver, Health, State
from devices.errors import ConfigError, DeviceAbsent, DeviceError, OutboxFull
from devices.station import wall_ms
from devices.supervisor import ABSENT_PAUSE_S, BACKOFF_S, MISSES_BEFORE_DOWN, Keeper
from tests.devices.context import CountedPauses
from tests.devices.processes import WAIT_S, wait_until

# What a person is promised: a machine that is gone is shown within so long, and taken up again within so long.
SHOWN_S_MAX = 3.0
TAKEN_UP_S_MAX = 1.0


class Machine:
    """A driver whose fate the test holds: each run raises the next fault, or lasts until it is told to end."""

    kind: ClassVar[str] = "machine"
    backoff_s: ClassVar[tuple[float, float]] = (0.01, 0.04)

    def __init__(self, *faults: Exception) -> None:
        self.faults = list(faults)
        self.runs = 0
        self.ended = threading.Event()
        self.commands: list[Mapping[str, object]] = []
        self._state = State.CONNECTING

    def run(self) -> None:
        self.runs += 1
        self._state = State.CONNECTING
        if self.faults:
            raise self.faults.pop(0)
        self._state = State.READY
        self.ended.wait(WAIT_S)
        if self.faults:
            raise self.faults.pop(0)

    def health(self) -> Health:
        return Health(self._state)

    def submit(self, command: Mapping[str, object]) -> None:
        self.commands.append(command)


Keep = Callable[[Callable[[], Driver]], Keeper]


@pytest.fixture
def stopping() -> Iterator[CountedPauses]:
    event = CountedPauses()
    yield event
    event.set()


@pytest.fixture
def keep(stopping: CountedPauses) -> Keep:
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
    assert machine.runs >= 3
    assert keeper.health().reason == "lost: cable"
    wait_until(lambda: keeper.health().state is State.READY)
    machine.ended.set()


def test_pauses_grow_and_stay_bounded(keep: Keep, stopping: CountedPauses) -> None:
    machine = Machine(*[DeviceError("cable")] * 6)
    keep(lambda: machine)
    wait_until(lambda: machine.runs == 7)
    assert stopping.asked_s == [0.02, 0.04, 0.04, 0.04, 0.04, 0.04]
    machine.ended.set()


def test_an_unplugged_machine_is_shown_soon_and_looked_for_so_often_that_it_is_back_within_a_second(
    keep: Keep, stopping: CountedPauses, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Machine, "backoff_s", BACKOFF_S)
    machine = Machine(*[DeviceAbsent("is the cable in?")] * 40)
    keeper = keep(lambda: machine)
    wait_until(lambda: keeper.health().state is State.DOWN)
    assert sum(stopping.asked_s[: MISSES_BEFORE_DOWN - 1]) + HEALTH_EVERY_S < SHOWN_S_MAX
    wait_until(lambda: len(stopping.asked_s) > 5)
    assert max(stopping.asked_s) == ABSENT_PAUSE_S < TAKEN_UP_S_MAX
    machine.faults.clear()
    wait_until(lambda: keeper.health().state is State.READY)
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
