"""No process outlives its demonstration: not after the day, not after a signal, not when its parent is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from wms.demo.lifeline import Lifeline
from wms.demo.processes import NotReady, Processes, environment

GONE_S = 60.0
PARENT = """
import json, sys, time
from pathlib import Path
from wms.demo.processes import Processes
from wms.demo.run import asked_to_end

with asked_to_end(), Processes(Path(sys.argv[1]), stop_s=1.0) as processes:
    children = [processes.start(how, ["tests.demo.sleeper", how]) for how in ("kind", "deaf")]
    print(json.dumps([child.process.pid for child in children]), flush=True)
    time.sleep(60)
"""


def alive(number: int) -> bool:
    """Whether a process runs; one that only waits to be buried does not."""
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def gone(numbers: list[int]) -> bool:
    until_s = time.monotonic() + GONE_S
    while time.monotonic() < until_s:
        if not any(alive(number) for number in numbers):
            return True
        time.sleep(0.05)
    return False


on_linux = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


@on_linux
@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGKILL])
def test_however_the_parent_ends_its_children_end(sent: signal.Signals, tmp_path: Path) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(PARENT), str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=environment(),
    )
    assert parent.stdout is not None
    children = [int(part) for part in parent.stdout.readline().strip("[]\n ").split(",")]
    assert all(alive(number) for number in children)
    parent.send_signal(sent)
    parent.wait(GONE_S)
    parent.stdout.close()
    assert gone(children)


def test_leaving_the_block_ends_also_who_does_not_listen(tmp_path: Path) -> None:
    with Processes(tmp_path, stop_s=1.0) as processes:
        child = processes.start("deaf", ["tests.demo.sleeper", "deaf"])
        assert child.alive()
    assert not child.alive()


def test_nobody_is_started_once_the_end_has_begun(tmp_path: Path) -> None:
    with Processes(tmp_path, stop_s=1.0) as processes:
        child = processes.start("kind", ["tests.demo.sleeper"])
    with pytest.raises(NotReady, match="ending"):
        processes.start_again(child)


def test_a_program_that_fails_to_start_says_why(tmp_path: Path) -> None:
    with Processes(tmp_path, stop_s=1.0) as processes, pytest.raises(NotReady, match="the roof is off"):
        processes.start("broken", ["tests.demo.sleeper", "broken"])


def test_a_killed_program_can_be_started_again(tmp_path: Path) -> None:
    with Processes(tmp_path, stop_s=1.0) as processes:
        first = processes.start("kind", ["tests.demo.sleeper"])
        first.kill()
        second = processes.start_again(first)
        assert second.alive()
        assert second.process.pid != first.process.pid


@on_linux
def test_a_lifeline_lets_go_of_who_ended_by_himself() -> None:
    bystander = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    lifeline = Lifeline({**os.environ})
    lifeline.holds(bystander.pid)
    lifeline.lets_go(bystander.pid)
    lifeline.close()
    assert alive(bystander.pid)
    bystander.kill()
    bystander.wait()
