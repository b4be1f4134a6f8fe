"""Real processes for tests: a gateway, and simulated machines with their control ports."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

ROOT = Path(__file__).resolve().parents[2]
# Limits matter only where something is broken: a busy machine may stand still for seconds.
WAIT_S = 60.0
CALL_S = 30.0
# Less than a long poll lasts (20 s): a gateway that waits for the end of its poll does not end in time.
STOP_S = 15.0


def wait_until(condition: Callable[[], Any], timeout_s: float = WAIT_S, what: str = "") -> Any:
    """The first truthy answer of `condition`; fails with `what` if none came in time."""
    end_s = time.monotonic() + timeout_s
    while time.monotonic() < end_s:
        if found := condition():
            return found
        time.sleep(0.02)
    raise AssertionError(f"not within {timeout_s:g} s: {what or condition}")


def wms_devices(*arguments: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "devices", *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=WAIT_S, cwd=cwd or ROOT, env=_environment()
    )


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}


class Process:
    """A `wms-devices` process that says in its first line that it is ready."""

    def __init__(self, *arguments: str | Path) -> None:
        self._arguments = [str(argument) for argument in arguments]
        self.ready: dict[str, Any] = {}
        self._process: subprocess.Popen[str] | None = None
        self.start()

    def start(self) -> None:
        process = subprocess.Popen(
            [sys.executable, "-m", "devices", *self._arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=_environment(),
        )
        self._process = process
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise AssertionError(f"{self._arguments} did not start: {self._end(process)}")
        self.ready = json.loads(line)

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def kill(self) -> None:
        """SIGKILL: no goodbye."""
        assert self._process is not None
        self._process.kill()
        self._end(self._process)

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        process = self._process
        assert process is not None
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        self._end(process)
        return process.returncode

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @staticmethod
    def _end(process: subprocess.Popen[str]) -> str:
        try:
            return process.communicate(timeout=STOP_S)[1]
        except subprocess.TimeoutExpired:
            process.kill()
            return process.communicate()[1] + " (had to be killed)"


class GatewayProcess(Process):
    """`wms-devices run`."""

    def __init__(self, config: Path) -> None:
        self.config = config
        super().__init__("run", config)

    def health(self) -> dict[str, Any]:
        with urllib.request.urlopen(self.ready["health"], timeout=CALL_S) as answer:
            found: dict[str, Any] = json.load(answer)
        return found

    def state_of(self, device: str) -> str:
        return str(next(entry["state"] for entry in self.health()["devices"] if entry["name"] == device))

    def wait_ready(self, *devices: str) -> None:
        for device in devices:
            wait_until(lambda device=device: self.state_of(device) == "ready", what=f"{device} ready")  # type: ignore[misc]

    def memory_kb(self) -> int:
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS")))


class MachineProcess(Process):
    """`wms-devices simulate`."""

    def __init__(self, *arguments: str | Path) -> None:
        super().__init__("simulate", *arguments)

    def control(self, **asked: Any) -> dict[str, Any]:
        with (
            socket.create_connection(("127.0.0.1", self.ready["control"]), timeout=CALL_S) as connection,
            connection.makefile("rw") as lines,
        ):
            lines.write(json.dumps(asked) + "\n")
            lines.flush()
            answer: dict[str, Any] = json.loads(lines.readline())
        assert "error" not in answer, answer
        return answer


def events_of(config: Path, kind: str) -> list[dict[str, Any]]:
    """What `wms-devices events --json` prints, of one kind."""
    printed = wms_devices("events", config, "--json")
    assert printed.returncode == 0, printed.stderr
    events = [json.loads(line) for line in printed.stdout.splitlines()]
    return [event for event in events if event["kind"] == kind]


def write_config(folder: Path, *devices: dict[str, Any], server_url: str = "", name: str = "station") -> Path:
    """A configuration in `folder`, its outbox beside it."""
    lines = ["[server]", f'url = "{server_url}"', "[outbox]", f'path = "{name}.db"']
    for device in devices:
        lines.append("[[device]]")
        lines += [f"{key} = {json.dumps(value)}" for key, value in device.items()]
    path = folder / f"{name}.toml"
    path.write_text("\n".join(lines) + "\n")
    return path
