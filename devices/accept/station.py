"""The gateway of an acceptance run: a real process in a folder of its own, to be killed, starved and confused."""

from __future__ import annotations

import json
import signal
import struct
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from devices.errors import DeviceError
from devices.outbox import read_events

END_S: Final = 10.0
ROUTES_S_MAX: Final = 20.0
DEVICE: Final = "line1"


class GatewayProcess:
    """`wms-devices run` on a configuration written here."""

    def __init__(
        self, folder: Path, url: str, window_ms: int, server_url: str, *, stepped_clock: bool, driver: str
    ) -> None:
        self.folder = folder
        self.outbox = folder / "station.db"
        self.starts = 0
        self._config = folder / "station.toml"
        self._clock = folder / "clock.step"
        self._stepped = stepped_clock
        self._process: subprocess.Popen[bytes] | None = None
        self._config.write_text(_config(url, window_ms, server_url, driver), encoding="ascii")
        self.step_clock(0.0)

    def start(self) -> None:
        """Start it; `wait_ready` or the line shows when it is there."""
        module = ["devices.accept.stepped_clock", str(self._clock)] if self._stepped else ["devices"]
        command = [sys.executable, "-m", *module, "run", str(self._config)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.starts += 1

    def wait_for_routes(self) -> None:
        """Return when the gateway has a routing table. Raises DeviceError if that takes too long."""
        assert self._process is not None
        assert self._process.stdout is not None
        ready = self._process.stdout.readline()
        if not ready:
            raise DeviceError(f"the gateway did not start: {self._config}")
        end_s = time.monotonic() + ROUTES_S_MAX
        while time.monotonic() < end_s:
            with urllib.request.urlopen(json.loads(ready)["health"], timeout=2.0) as answer:
                if json.load(answer)["routes"]["version"] > 0:
                    return
            time.sleep(0.05)
        raise DeviceError(f"the gateway had no routing table after {ROUTES_S_MAX:g} s")

    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        """SIGKILL, and started again at once, as a service manager would."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        self.start()

    def fill_disk(self) -> None:
        """From now on the kernel refuses every write to a file of this process (EFBIG), as a full disk does."""
        self._limit_files(0)

    def empty_disk(self) -> None:
        self._limit_files(None)

    def _limit_files(self, size: int | None) -> None:
        import resource  # Linux only, as this fault is

        assert self._process is not None
        most = resource.RLIM_INFINITY if size is None else size
        with suppress(ProcessLookupError):
            resource.prlimit(self._process.pid, resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))

    def step_clock(self, seconds: float) -> None:
        """What the gateway's wall clock is off from now on."""
        if not self._clock.exists():
            self._clock.write_bytes(bytes(8))
        with self._clock.open("r+b") as file:  # in place: the gateway has it mapped
            file.write(struct.pack("<d", seconds))

    def stop(self) -> None:
        """Ask it to end, and insist after a while."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def cpu_s(self) -> float:
        """CPU seconds of the process running now."""
        if self._process is None:
            return 0.0
        try:
            fields = Path(f"/proc/{self._process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        except OSError:
            return 0.0
        return (int(fields[11]) + int(fields[12])) / 100.0

    def events(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Kind and facts of every durable event, in order."""
        for event in read_events(self.outbox):
            yield event.kind, dict(event.facts)


def _config(url: str, window_ms: int, server_url: str, driver: str) -> str:
    routes = "" if server_url else '[routes]\nfile = "plan.csv"\n'
    return (
        f'[gateway]\nname = "accept"\n[server]\nurl = "{server_url}"\n[outbox]\npath = "station.db"\n{routes}'
        f'[[device]]\nname = "{DEVICE}"\ndriver = "{driver}"\nurl = {json.dumps(url)}\nwindow_ms = {window_ms}\n'
    )
