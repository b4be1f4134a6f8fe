"""A driver's context without a gateway around it: a real outbox and spool, and any wire."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from devices.config import DeviceConfig
from devices.driver import Driver
from devices.errors import DeviceError
from devices.outbox import Outbox
from devices.routes import RouteTable
from devices.spool import Spool, job_of
from devices.station import Shared, StationContext, wall_ms
from devices.store import Store
from tests.devices.processes import WAIT_S
from tests.devices.server import print_command


class CountedPauses(threading.Event):
    """An end to wait for that keeps how long it was waited for, each time: pauses are counted, not timed."""

    def __init__(self) -> None:
        super().__init__()
        self.asked_s: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.asked_s.append(timeout or 0.0)
        return super().wait(timeout)


class Bench:
    """One device on a workbench. `run` keeps the driver going on a thread, as the supervisor would but at once."""

    def __init__(self, folder: Path, make: Any, url: str, **options: object) -> None:
        self.store = Store(folder / "bench.db", group_s=0.0)
        self.outbox = Outbox(self.store, wall_ms)
        self.spool = Spool(self.store, self.outbox, wall_ms)
        self.stopping = threading.Event()
        shared = Shared(self.outbox, self.spool, RouteTable(), self.stopping)
        table = {"name": "printer1", "driver": make.kind, "url": url, **options}
        self.context = StationContext(DeviceConfig("printer1", make.kind, url, True, table, make), shared)
        self.driver: Driver = make(self.context)
        self.faults: list[str] = []
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def _run(self) -> None:
        while not self.stopping.is_set():
            try:
                self.driver.run()
            except DeviceError as error:
                self.faults.append(str(error))
                time.sleep(0.005)

    def close(self) -> None:
        self.stopping.set()
        self.spool.wake()
        if self._thread.is_alive():
            self._thread.join(WAIT_S)
        self.store.close()

    def print(self, job: str, content: bytes, language: str = "escpos") -> None:
        self.spool.take(job_of(print_command(job, content, language=language)))

    def facts(self, kind: str) -> list[dict[str, Any]]:
        return [dict(event.facts) for event in self.outbox.unsent(10_000) if event.kind == kind]

    def told(self, job: str) -> list[str]:
        return [facts["state"] for facts in self.facts("print") if facts["job"] == job]

    def reason(self, job: str) -> str:
        return str([facts.get("reason", "") for facts in self.facts("print") if facts["job"] == job][-1])

    def wait_for(self, condition: Callable[[], Any], timeout_s: float = WAIT_S) -> None:
        end_s = time.monotonic() + timeout_s
        while not condition():
            if time.monotonic() > end_s:
                raise AssertionError(f"not within {timeout_s} s; faults {self.faults[-3:]}, {self.driver.health()}")
            time.sleep(0.002)
