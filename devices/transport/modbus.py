"""Modbus by pymodbus, over TCP or as RTU on a serial line: every call has a deadline.

Where a frame of RTU ends is known by its length and its CRC, not by pauses: a program that did not run for a moment
sees pauses that were none. A frame that is lost or damaged is asked for again. But answers of RTU bear no number, so
one that comes late would pass for the answer to a later question: before anything else is asked, the line is cleared by
a question of another function, since a machine answers in order.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pymodbus.client import ModbusSerialClient, ModbusTcpClient
from pymodbus.exceptions import ModbusException, ModbusIOException

from devices.errors import ConfigError, DeviceAbsent, DeviceError
from devices.transport.address import Address, parse_address

ANSWER_S: Final = 0.5
# Shorter on a serial line: three tries, each with a second question, fail within the 3 s in which a person is told.
RTU_ANSWER_S: Final = 0.3
UNIT_MAX: Final = 247
# How often something is asked on a serial line, where bytes get lost; TCP repeats for itself.
TRIES: Final = 4
# Nothing for so long: longer than 3.5 characters and than what USB adapters hold back.
QUIET_S: Final = 0.05
READ_COILS, READ_INPUTS, READ_REGISTERS, WRITE_COILS, WRITE_REGISTERS = 1, 2, 3, 15, 16
REFUSED: Final = 0x80
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
        timeout=RTU_ANSWER_S,
        retries=0,
    )


@dataclass(frozen=True, slots=True)
class _Question:
    """`fits`: whether an answer of this function can be the one to this question."""

    what: str
    function: int
    ask: Callable[[], Any]
    fits: Callable[[Any], bool]

    def answered_by(self, answer: Any) -> bool:
        return bool(answer.function_code == self.function) and self.fits(answer)

    def refused_by(self, answer: Any) -> bool:
        return bool(answer.function_code == self.function | REFUSED)


class ModbusWire:
    """One connection. Raises DeviceAbsent if nobody listens, DeviceError when it is lost or the machine refuses."""

    def __init__(self, url: str, unit: int) -> None:
        address = modbus_address(url)
        self._url = url
        self._unit = unit
        self._tries = 1 if address.scheme == "tcp" else TRIES
        self._client = _client_of(address)
        if not self._client.connect():
            why = "is the machine on, and its Modbus server enabled?"
            raise DeviceAbsent(f"{url} does not answer: {why if address.scheme == 'tcp' else 'is the cable in?'}")

    def read(self, address: int, count: int) -> Sequence[int]:
        """Holding registers (FC 3)."""
        answer = self._ask(
            f"read registers {address} to {address + count - 1}",
            READ_REGISTERS,
            lambda: self._client.read_holding_registers(address, count=count, device_id=self._unit),
            lambda answer: len(answer.registers) == count,
        )
        registers: Sequence[int] = answer.registers
        return registers

    def write(self, address: int, values: Sequence[int]) -> None:
        """Holding registers (FC 16)."""
        self._ask(
            f"write registers from {address}",
            WRITE_REGISTERS,
            lambda: self._client.write_registers(address, list(values), device_id=self._unit),
            lambda answer: (answer.address, answer.count) == (address, len(values)),
        )

    def read_coils(self, address: int, count: int) -> list[bool]:
        """Coils (FC 1)."""
        answer = self._ask(
            f"read coils {address} to {address + count - 1}",
            READ_COILS,
            lambda: self._client.read_coils(address, count=count, device_id=self._unit),
            lambda answer: _octets(len(answer.bits)) == _octets(count),
        )
        return [bool(bit) for bit in answer.bits[:count]]

    def read_inputs(self, address: int, count: int) -> list[bool]:
        """Discrete inputs (FC 2)."""
        answer = self._ask(
            f"read inputs {address} to {address + count - 1}",
            READ_INPUTS,
            lambda: self._client.read_discrete_inputs(address, count=count, device_id=self._unit),
            lambda answer: _octets(len(answer.bits)) == _octets(count),
        )
        return [bool(bit) for bit in answer.bits[:count]]

    def write_coils(self, address: int, values: Sequence[bool]) -> None:
        """Coils (FC 15)."""
        self._ask(
            f"write coils from {address}",
            WRITE_COILS,
            lambda: self._client.write_coils(address, list(values), device_id=self._unit),
            lambda answer: (answer.address, answer.count) == (address, len(values)),
        )

    def close(self) -> None:
        self._client.close()

    def _ask(self, what: str, function: int, ask: Callable[[], Any], fits: Callable[[Any], bool]) -> Any:
        """The answer that fits; asking twice does no harm, since all that is asked for can be done twice."""
        question = _Question(what, function, ask, fits)
        fault: Exception | None = None
        for _ in range(self._tries):
            answer, fault = self._hear(question)
            if answer is not None and question.answered_by(answer):
                return answer
            if answer is not None and question.refused_by(answer):
                raise DeviceError(f"{self._url} refused to {what}: {answer}")
            if self._tries > 1 and not self._clear(question):
                break
        why = f"{fault}" if fault else "what it answered was not asked"
        raise DeviceError(f"{self._url} went away ({what}): {why}") from fault

    def _hear(self, question: _Question) -> tuple[Any, Exception | None]:
        """What came as an answer, or why none did. Raises DeviceError if the connection is gone."""
        try:
            return question.ask(), None
        except ModbusIOException as error:
            return None, error
        except (ModbusException, OSError) as error:
            raise DeviceError(f"{self._url} went away ({question.what}): {error}") from error

    def _clear(self, asked: _Question) -> bool:
        """Let what is late come in: it comes before the answer to a question of another function, be that a no.

        False if the machine is silent altogether.
        """
        function = READ_INPUTS if asked.function == READ_COILS else READ_COILS
        one_bit = self._client.read_discrete_inputs if function == READ_INPUTS else self._client.read_coils
        clearing = _Question(
            asked.what, function, lambda: one_bit(0, count=1, device_id=self._unit), lambda answer: True
        )
        speaks = False
        for _ in range(self._tries):
            speaks = self._listen_until_quiet(asked.what) or speaks
            answer, _ = self._hear(clearing)
            if answer is not None and (clearing.answered_by(answer) or clearing.refused_by(answer)):
                return True
            speaks = speaks or answer is not None
            if not speaks:
                return False
        return False

    def _listen_until_quiet(self, what: str) -> bool:
        """Drop what comes until nothing does; True if something came."""
        heard = False
        end_s = time.monotonic() + RTU_ANSWER_S
        quiet_s = time.monotonic()
        try:
            while min(end_s, quiet_s + QUIET_S) > time.monotonic():
                port = self._client.socket
                if port is None:
                    raise DeviceError(f"{self._url} went away ({what})")
                if port.in_waiting and port.read(port.in_waiting):
                    quiet_s, heard = time.monotonic(), True
                time.sleep(QUIET_S / 10)
        except OSError as error:
            raise DeviceError(f"{self._url} went away ({what}): {error}") from error
        return heard


def _octets(bits: int) -> int:
    return (bits + 7) // 8
