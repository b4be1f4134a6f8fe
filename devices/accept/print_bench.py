"""One printer driver against one simulated printer in this process, for sweeps: any byte may be the last one.

The outbox is a real file, so that a gateway "killed" in the middle is made anew from what it had committed.
"""

from __future__ import annotations

import base64
import hashlib
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from devices.config import DeviceConfig
from devices.driver import State, driver_class
from devices.drivers.printing import Printer
from devices.errors import DeviceError
from devices.outbox import Outbox
from devices.routes import RouteTable
from devices.simulators.bench import Cable
from devices.simulators.cable_ends import PtyEnd, TcpEnd
from devices.simulators.printer import SimulatedPrinter
from devices.spool import Spool, job_of
from devices.station import Shared, StationContext, wall_ms
from devices.store import Store
from devices.transport import Transport

PRINTER: Final = "printer1"
REST_S_MAX: Final = 10.0
TRIES_MAX: Final = 100
# A sweep does not wait 8 s for each printer that never closes.
CLOSE_S: Final = 1.0
PAPER_MM_S: Final = 10.0


class Killed(BaseException):
    """The gateway's process ended here. No handler of the driver may catch it, as none could catch a SIGKILL."""


class KillingWire:
    """A wire whose user dies when the bench says so, after the bytes before were handed over."""

    def __init__(self, inner: Transport, bench: PrintBench) -> None:
        self._inner = inner
        self._bench = bench
        self.url = inner.url
        self.open, self.close, self.read, self.status = inner.open, inner.close, inner.read, inner.status
        self.end_writing, self.untaken_bytes = inner.end_writing, inner.untaken_bytes

    def write(self, content: bytes, deadline_s: float) -> None:
        left = self._bench.bytes_until_killed
        if left is None or len(content) <= left:
            self._inner.write(content, deadline_s)
            self._bench.bytes_until_killed = None if left is None else left - len(content)
            return
        if left:
            self._inner.write(content[:left], deadline_s)
        raise Killed


class _KillableContext(StationContext):
    """The gateway's context, with a wire its user may die on."""

    def __init__(self, config: DeviceConfig, shared: Shared, wrap: Callable[[Transport], KillingWire]) -> None:
        super().__init__(config, shared)
        self._wrap = wrap

    def open_transport(self) -> Transport:
        return self._wrap(super().open_transport())


class PrintBench:
    """Made for one language and wire: `serial`, `tcp`, `file`, or `silent` (a file) and `silent_tcp`, never asked."""

    def __init__(self, folder: Path, language: str, wire: str) -> None:
        self.bytes_until_killed: int | None = None
        self._folder = folder
        self._language = language
        folder.mkdir(parents=True, exist_ok=True)
        self.printer = SimulatedPrinter(language, folder, PAPER_MM_S, lambda told: None)
        end: TcpEnd | PtyEnd = TcpEnd(0) if wire.endswith("tcp") else PtyEnd(str(folder / "port"))
        self.cable = Cable(end, self.printer.heard, hung_up=self.printer.hung_up, can_take=self.printer.can_take)
        self.printer.cable = self.cable
        self.cable.start()
        tcp = str(end.shown["url"])
        url = {"tcp": tcp, "silent_tcp": tcp, "serial": f"serial://{folder}/port?baud=115200"}
        kind = f"printer_{language}"
        table: dict[str, object] = {"name": PRINTER, "driver": kind, "url": url.get(wire, f"file://{folder}/port")}
        table["look_every_s"] = 0.2
        if wire in ("file", "silent", "silent_tcp"):
            table["answers_status"] = wire == "file"
        if wire == "silent_tcp":
            table["proof_s"] = CLOSE_S
        make = driver_class(kind)
        self._config = DeviceConfig(PRINTER, kind, str(table["url"]), True, table, make)
        self._begin()

    def _begin(self) -> None:
        """What a start of the gateway does."""
        self._store = Store(self._folder / "station.db", group_s=0.0)
        outbox = Outbox(self._store, wall_ms)
        self.spool = Spool(self._store, outbox, wall_ms)
        shared = Shared(outbox, self.spool, RouteTable(), threading.Event())
        context = _KillableContext(self._config, shared, lambda inner: KillingWire(inner, self))
        self._driver = self._config.make(context)

    def print(self, job: str, content: bytes) -> tuple[str, float]:
        """Print one label as the gateway would, over faults and restarts: how it ended, and the seconds until told."""
        begun_s = time.monotonic()
        facts = {
            "job": job,
            "language": self._language,
            "bytes_b64": base64.b64encode(content).decode("ascii"),
            "sha256": hashlib.sha256(content).hexdigest(),
        }
        self.spool.take(job_of({"id": job, "device": PRINTER, "kind": "print", "facts": facts}))
        for _ in range(TRIES_MAX):
            if not self.spool.waiting(PRINTER):
                break
            self._try()
        return str(self.spool.state(job)), time.monotonic() - begun_s

    def _try(self) -> None:
        assert isinstance(self._driver, Printer)
        try:
            self._driver.print_next()
            if self._driver.health().state is State.DEGRADED:
                # It is shown with its reason (half a question is a mistake to a strict printer), and somebody mends it.
                self.printer.handle({"mend": True})
        except DeviceError:
            # The printer is shown as lost; somebody switches a dead one on again.
            self.cable.dead_after(None)
            time.sleep(0.005)
        except Killed:
            self.bytes_until_killed = None
            self._store.close()
            self._begin()

    def rest(self) -> None:
        """Return when the printer has nothing more to do."""
        end_s = time.monotonic() + REST_S_MAX
        while self.printer.handle({"report": True})["busy"] and time.monotonic() < end_s:
            time.sleep(0.002)

    def whole_labels(self) -> int:
        return sum(not label["partial"] for label in self.printer.labels)

    def close(self) -> None:
        self.cable.stop()
        self._store.close()
