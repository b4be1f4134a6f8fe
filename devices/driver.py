"""What a driver is and what it is given: the only page a person needs who writes a driver for a new machine.

A driver is one class, registered by its `kind` in the entry point group `chuwei.drivers` (or in `BUILT_IN` below).
The supervisor makes it once, then calls `run()` on a thread of its own, again and again as long as the gateway lives:
state that must outlive an unplugged cable (answers already given to a sorting line, say) is kept on the object.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from importlib import import_module
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, ClassVar, Protocol, cast

from devices.errors import ConfigError

if TYPE_CHECKING:
    from devices.routes import RouteAnswer, RouteTable
    from devices.transport import Transport

ENTRY_POINT_GROUP = "chuwei.drivers"

# Imported only when a configuration names them, so that a scanner's gateway does not carry a sorting line.
BUILT_IN: Mapping[str, str] = {
    "scanner_serial": "devices.drivers.scanner_serial:SerialScanner",
    "dws": "devices.drivers.dws:DwsMachine",
    "light_modbus": "devices.drivers.light_modbus:PutWallLights",
    "scanner_evdev": "devices.drivers.scanner_evdev:EvdevScanner",
    "scale": "devices.drivers.scale:Scale",
    "printer_escpos": "devices.drivers.printer_escpos:EscposPrinter",
    "printer_tspl": "devices.drivers.printer_tspl:TsplPrinter",
    "printer_zpl": "devices.drivers.printer_zpl:ZplPrinter",
    "sorter_modbus": "devices.drivers.sorter_modbus:ModbusSorter",
    "sorter_wsp": "devices.drivers.sorter_wsp:WspSorter",
}


class State(StrEnum):
    """How a device stands, as a person at the control terminal reads it."""

    DISABLED = "disabled"
    CONNECTING = "connecting"
    READY = "ready"
    DEGRADED = "degraded"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class Health:
    """One device's state now. `since_ms` is Unix milliseconds by the gateway's clock; counters only grow."""

    state: State
    reason: str = ""
    since_ms: int = 0
    counters: Mapping[str, int] = field(default_factory=dict)


class Ticket(Protocol):
    """The receipt for one durable event: it is settled once, committed or failed, and never changes after."""

    def wait(self, timeout_s: float) -> bool:
        """True once the event is on disk; False if it failed or `timeout_s` seconds passed."""

    def on_commit(self, callback: Callable[[], None]) -> None:
        """Call `callback` once after the commit (at once if that is past), on the outbox's thread: be quick there."""

    def on_failure(self, callback: Callable[[], None]) -> None:
        """Call `callback` once if the event could not be stored (disk full); it is gone and must be offered again."""


class Context(Protocol):
    """What a driver gets from the gateway; all of it may be called from any thread."""

    @property
    def name(self) -> str:
        """The device's name in the configuration."""

    @property
    def options(self) -> Mapping[str, object]:
        """The device's table in the configuration, checked by the driver itself."""

    @property
    def routes(self) -> RouteTable:
        """Where parcels go; `.current` is one unchanging snapshot."""

    def emit(self, kind: str, facts: Mapping[str, object]) -> Ticket:
        """Store one durable event for the server. Raises OutboxFull when it cannot commit (disk full)."""

    def kept(self, kind: str, limit: int) -> list[Mapping[str, object]]:
        """Facts of this device's newest durable events of `kind`, at most `limit`, oldest first; for a fresh start."""

    def tell(self, kind: str, facts: Mapping[str, object]) -> None:
        """Say something that need not last: the latest of each kind wins (health, live figures)."""

    def open_transport(self) -> Transport:
        """Open the wire named by `url` in the options. Raises DeviceAbsent when it cannot be opened."""

    def now_ms(self) -> int:
        """Wall clock, Unix milliseconds UTC; may be wrong and may jump."""

    def monotonic_s(self) -> float:
        """Seconds on a clock that never jumps; for every timeout."""

    def ask_server(self, pid: int, codes: Sequence[str], answer: Callable[[RouteAnswer | None], None]) -> None:
        """Ask aside where an unknown parcel goes; never blocks.

        `answer` comes on another thread, with None when nobody knows.
        """

    def server_reachable(self) -> bool:
        """True while the last call to the server went through."""

    def stopping(self) -> bool:
        """True once the gateway is asked to end; `run` returns soon after."""


class Driver(Protocol):
    """One machine. Built once; `run` is called again after each fault.

    A class may also carry `backoff_s: ClassVar[tuple[float, float]]` (first and longest pause between tries, seconds),
    `uses_routes: ClassVar[bool]` (the gateway then fetches the routing table) and the static method
    `check(options) -> None` (raises ConfigError before anything is opened).
    """

    kind: ClassVar[str]

    def __init__(self, context: Context) -> None: ...

    def run(self) -> None:
        """Open the wire and work until `context.stopping()`; raises DeviceError when the device is lost."""

    def health(self) -> Health:
        """The state as the driver sees it; called from other threads, must not block."""

    def submit(self, command: Mapping[str, object]) -> None:
        """Take a command of the server: `{id, device, kind, facts}`; called from other threads, must not block."""


def known_kinds() -> list[str]:
    """Every driver kind that can be named in a configuration, sorted."""
    installed = {point.name for point in entry_points(group=ENTRY_POINT_GROUP)}
    return sorted(installed | set(BUILT_IN))


def driver_class(kind: str) -> type[Driver]:
    """The class registered for `kind`; raises ConfigError naming the known kinds when there is none."""
    for point in entry_points(group=ENTRY_POINT_GROUP):
        if point.name == kind:
            return cast(type[Driver], point.load())
    if kind not in BUILT_IN:
        raise ConfigError(f'unknown driver "{kind}"; known are {", ".join(known_kinds())}')
    module, _, name = BUILT_IN[kind].partition(":")
    return cast(type[Driver], getattr(import_module(module), name))
