"""Modbus by pymodbus, over TCP or as RTU on a serial line: every call has a deadline."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any, Final

from pymodbus.client import ModbusSerialClient, ModbusTcpClient
from pymodbus.exceptions import ModbusException

from devices.errors import ConfigError, DeviceAbsent, DeviceError
from devices.transport.address import Address, parse_address

ANSWER_S: Final = 0.5
UNIT_MAX: Final = 247
# pymodbus reports each broken connection itself; the gateway shows it in its own words.
logging.getLogger("pymodbus").setLevel(logging.CRITICAL)


def modbus_address(url: str) -> Address:
    """The address of a Modbus machine: `tcp://host:port`, or `serial:///path?baud=..`. Raises ConfigError."""
    address = parse_address(url)
    if address.scheme not in ("tcp", "serial"):
        example = "tcp://192.168.1.60:502 or serial:///dev/ttyUSB0?baud=115200"
        raise ConfigError(f'"{url}": Modbus goes over tcp or a serial line, for example {example}')
    if address.scheme == "serial" and not address.option("baud", ""):
        raise ConfigError(f'"{url}" must name the speed of the line, as in ?baud=19200&parity=E')
    return address


def _client_of(address: Address) -> Any:
    if address.scheme == "tcp":
        return ModbusTcpClient(address.host, port=address.port, timeout=ANSWER_S, retries=0)
    return ModbusSerialClient(
        address.path,
        baudrate=int(address.option("baud", "")),
        bytesize=int(address.option("bits", "8")),
        parity=address.option("parity", "N"),
        stopbits=int(address.option("stop", "1")),
        timeout=ANSWER_S,
        retries=0,
    )


class ModbusWire:
    """One connection. Raises DeviceAbsent if nobody listens, DeviceError when it is lost or the machine refuses."""

    def __init__(self, url: str, unit: int) -> None:
        address = modbus_address(url)
        self._url = url
        self._unit = unit
        self._client = _client_of(address)
        if not self._client.connect():
            why = "is the machine on, and its Modbus server enabled?"
            raise DeviceAbsent(f"{url} does not answer: {why if address.scheme == 'tcp' else 'is the cable in?'}")

    def read(self, address: int, count: int) -> Sequence[int]:
        """Holding registers (FC 3)."""
        answer = self._ask(
            f"read registers {address} to {address + count - 1}",
            lambda: self._client.read_holding_registers(address, count=count, device_id=self._unit),
        )
        if len(answer.registers) != count:
            raise DeviceError(f"{self._url} sent {len(answer.registers)} registers instead of {count}")
        registers: Sequence[int] = answer.registers
        return registers

    def write(self, address: int, values: Sequence[int]) -> None:
        """Holding registers (FC 16)."""
        self._ask(
            f"write registers from {address}",
            lambda: self._client.write_registers(address, list(values), device_id=self._unit),
        )

    def read_coils(self, address: int, count: int) -> list[bool]:
        """Coils (FC 1)."""
        answer = self._ask(
            f"read coils {address} to {address + count - 1}",
            lambda: self._client.read_coils(address, count=count, device_id=self._unit),
        )
        return self._bits(answer, count)

    def read_inputs(self, address: int, count: int) -> list[bool]:
        """Discrete inputs (FC 2)."""
        answer = self._ask(
            f"read inputs {address} to {address + count - 1}",
            lambda: self._client.read_discrete_inputs(address, count=count, device_id=self._unit),
        )
        return self._bits(answer, count)

    def write_coils(self, address: int, values: Sequence[bool]) -> None:
        """Coils (FC 15)."""
        self._ask(
            f"write coils from {address}",
            lambda: self._client.write_coils(address, list(values), device_id=self._unit),
        )

    def close(self) -> None:
        self._client.close()

    def _bits(self, answer: Any, count: int) -> list[bool]:
        if len(answer.bits) < count:
            raise DeviceError(f"{self._url} sent {len(answer.bits)} bits instead of {count}")
        return [bool(bit) for bit in answer.bits[:count]]

    def _ask(self, what: str, call: Callable[[], Any]) -> Any:
        try:
            answer = call()
        except (ModbusException, OSError) as error:
            raise DeviceError(f"{self._url} went away ({what}): {error}") from error
        if answer.isError():
            raise DeviceError(f"{self._url} refused to {what}: {answer}")
        return answer
