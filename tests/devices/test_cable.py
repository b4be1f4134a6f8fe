"""The simulated cable: bytes at the pace of the wire, and no work while nothing is on it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from devices.simulators import bench
from devices.simulators.bench import IDLE_S, Cable
from devices.simulators.cable_ends import PtyEnd
from tests.devices.processes import wait_until

BAUD = 9_600
LOOKS_MAX = 2  # and one for each full sleep; a cable that looks every 2 ms would look 200 times
FOR_EVER_S = 3_600.0


class CountedEnd(PtyEnd):
    """Counts how often the machine looked."""

    looks = 0

    def read(self, timeout_s: float) -> bytes | None:
        self.looks += 1
        return super().read(timeout_s)


@pytest.fixture
def end(tmp_path: Path) -> CountedEnd:
    return CountedEnd(str(tmp_path / "port"))


@pytest.fixture
def heard() -> list[bytes]:
    return []


@pytest.fixture
def cable(end: CountedEnd, heard: list[bytes]) -> Iterator[Cable]:
    made = Cable(end, heard.append, baud=BAUD)
    made.start()
    yield made
    made.stop()


@pytest.fixture
def far(end: CountedEnd, cable: Cable) -> Iterator[int]:
    """The gateway's end of the pseudo-terminal."""
    descriptor = os.open(str(end.shown["port"]), os.O_RDWR | os.O_NOCTTY)
    yield descriptor
    os.close(descriptor)


@pytest.fixture
def sound_sleep(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cable that is not woken sleeps longer than any test: what arrives all the same has woken it."""
    monkeypatch.setattr(bench, "IDLE_S", FOR_EVER_S)


def test_an_idle_cable_sleeps(end: CountedEnd, cable: Cable) -> None:
    time.sleep(0.1)
    before, began_s = end.looks, time.monotonic()
    time.sleep(0.8 * IDLE_S)
    looks = end.looks - before
    assert looks <= LOOKS_MAX + (time.monotonic() - began_s) / IDLE_S


@pytest.mark.usefixtures("sound_sleep")
def test_what_the_machine_says_wakes_the_cable_and_leaves_at_the_pace_of_the_wire(cable: Cable, far: int) -> None:
    time.sleep(0.1)  # asleep by now
    began_s, said = time.monotonic(), b"x" * 96
    cable.say(said)
    came = b""
    while len(came) < len(said):
        came += os.read(far, 256)
    assert time.monotonic() - began_s >= 0.1, "96 bytes take 100 ms at 9,600 baud"


@pytest.mark.usefixtures("sound_sleep")
def test_what_arrives_wakes_the_machine(cable: Cable, far: int, heard: list[bytes]) -> None:
    time.sleep(0.1)
    os.write(far, b"?")
    wait_until(lambda: heard == [b"?"])


@pytest.mark.usefixtures("sound_sleep")
def test_pulling_the_cable_out_does_not_wait_for_the_sleep_to_end(end: CountedEnd, cable: Cable) -> None:
    time.sleep(0.1)
    port = Path(str(end.shown["port"]))
    cable.unplug(FOR_EVER_S)
    wait_until(lambda: not port.is_symlink())
