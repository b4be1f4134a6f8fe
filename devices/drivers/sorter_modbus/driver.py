"""The driver of a sorting line over Modbus, on TCP or a serial line: a poll every 20 ms by pymodbus, on one thread."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Final

from devices.driver import Context
from devices.drivers.sorter_modbus.session import ModbusSession
from devices.drivers.sorter_wsp.bookings import BOOKED_MAX, Bookings
from devices.drivers.sorting_line import BAUD_MIN, SortingLine
from devices.errors import ConfigError
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


class ModbusSorter(SortingLine[ModbusWire, ModbusSession]):
    """A sorting line whose PLC serves the register map."""

    kind: ClassVar[str] = "sorter_modbus"
    silent: ClassVar[str] = "the PLC's beat stands still"

    @staticmethod
    def check(options: Mapping[str, object]) -> None:
        """Raises ConfigError where the device's table cannot work."""
        read_options(ModbusSorterOptions, options)
        address = modbus_address(str(options.get("url", "")))
        if address.scheme == "serial" and int(address.option("baud", "0")) < BAUD_MIN:
            raise ConfigError(f'"{address.url}": a sorting line needs at least {BAUD_MIN} baud, as in ?baud=115200')

    def __init__(self, context: Context) -> None:
        options = read_options(ModbusSorterOptions, context.options)
        self._unit = options.unit
        self._due_s = 0.0
        session = ModbusSession(
            boot=secrets.randbits(32),
            routes=context.routes,
            window_ms=options.window_ms,
            server_reachable=context.server_reachable,
            bookings=Bookings(context.kept("cfm", BOOKED_MAX)),
        )
        super().__init__(context, session)

    def _open_wire(self) -> ModbusWire:
        wire = ModbusWire(str(self._context.options["url"]), self._unit)
        self._due_s = self._context.monotonic_s()
        return wire

    def _turn(self, wire: ModbusWire) -> None:
        """One poll, and what others bring until the next."""
        self._session.poll(wire, self._moment)
        self._doer.do_all(self._session.take_deeds())
        self._due_s = max(self._due_s + POLL_S, self._context.monotonic_s())
        self._doer.wait_until(self._due_s)
