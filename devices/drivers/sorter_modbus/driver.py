"""The driver of a sorting line over Modbus/TCP: a poll every 20 ms by pymodbus, on one thread."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Final

from devices.driver import Context, Health, State
from devices.drivers.sorter_modbus.session import ModbusSession
from devices.drivers.sorter_wsp.bookings import BOOKED_MAX, Bookings
from devices.drivers.sorter_wsp.deeds import Moment
from devices.drivers.sorter_wsp.doing import Doer
from devices.options import read_options, require
from devices.transport.modbus import UNIT_MAX, ModbusWire, modbus_address

POLL_S: Final = 0.020


@dataclass(frozen=True, slots=True)
class ModbusSorterOptions:
    """`window_ms`: from the scan to the last moment an answer counts, as set in the PLC. `unit`: its Modbus number."""

    window_ms: int = 300
    unit: int = 1

    def __post_init__(self) -> None:
        require(100 <= self.window_ms <= 5_000, f"window_ms must be from 100 to 5000, not {self.window_ms}")
        require(0 <= self.unit <= UNIT_MAX, f"unit must be from 0 to {UNIT_MAX}, not {self.unit}")


class ModbusSorter:
    """A sorting line whose PLC serves the register map."""

    kind: ClassVar[str] = "sorter_modbus"
    uses_routes: ClassVar[bool] = True
    backoff_s: ClassVar[tuple[float, float]] = (0.020, 0.250)

    @staticmethod
    def check(options: Mapping[str, object]) -> None:
        """Raises ConfigError where the device's table cannot work."""
        read_options(ModbusSorterOptions, options)
        modbus_address(str(options.get("url", "")))

    def __init__(self, context: Context) -> None:
        self._context = context
        self._options = read_options(ModbusSorterOptions, context.options)
        self._open = False
        self._session = ModbusSession(
            boot=secrets.randbits(32),
            routes=context.routes,
            window_ms=self._options.window_ms,
            server_reachable=context.server_reachable,
            bookings=Bookings(context.kept("cfm", BOOKED_MAX)),
        )
        self._doer = Doer(context, self._session)

    def run(self) -> None:
        """Work the line until the gateway stops; raises DeviceError when the PLC is lost."""
        wire = ModbusWire(str(self._context.options["url"]), self._options.unit)
        self._open = True
        self._session.opened(self._moment())
        try:
            due_s = self._context.monotonic_s()
            while not self._context.stopping():
                self._session.poll(wire, self._moment)
                self._doer.do_all(self._session.take_deeds())
                due_s = max(due_s + POLL_S, self._context.monotonic_s())
                self._doer.wait_until(due_s)
        finally:
            self._open = False
            self._session.closed()
            wire.close()

    def health(self) -> Health:
        """Ready while the PLC's beat moves; degraded while events cannot be stored or the table is too old."""
        counters: Counter[str] = self._session.counters.copy()
        now_s = self._context.monotonic_s()
        if not self._open:
            return Health(State.CONNECTING, counters=counters)
        if not self._session.running:
            return Health(State.CONNECTING, "no_session: the PLC's beat stands still", counters=counters)
        if now_s < self._session.busy_until_s:
            return Health(State.DEGRADED, "outbox: confirmations cannot be stored now", counters=counters)
        if not self._context.routes.current.usable(now_s):
            reason = "routes: no table, or older than it may be; all goes to reject"
            return Health(State.DEGRADED, reason, counters=counters)
        return Health(State.READY, counters=counters)

    def submit(self, command: Mapping[str, object]) -> None:
        """Take `{id, kind: "chute", facts: {chute, command: OPEN|LOCK|CLEAR}}`; how it ended is an event `command`."""
        self._doer.take_command(command)

    def _moment(self) -> Moment:
        return Moment(self._context.monotonic_s(), self._context.now_ms())
