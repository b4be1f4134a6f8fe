"""A small Modbus/TCP server for simulated machines: holding registers and coils, one connection, no thread.

Written from the public Modbus specification for machines that must share no code with the drivers. Function codes 1
(read coils), 2 (read inputs), 3 (read holding registers), 5 and 15 (write coils), 16 (write registers); all else is
exception 1.
"""

from __future__ import annotations

import select
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from typing import Final, Protocol

from devices.errors import ConfigError

HEAD: Final = struct.Struct(">HHHB")
READ_MAX: Final = 125
WRITE_MAX: Final = 123
COILS_MAX: Final = 1968
ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_VALUE = 1, 2, 3
RECEIVE_BYTES: Final = 4096


class Registers:
    """The machine's memory. `damage` may change what a read gives, as a bad gateway in between would."""

    def __init__(self, registers: int = 0, coils: int = 0, inputs: int = 0) -> None:
        self.holding = [0] * registers
        self.coils = [False] * coils
        self.inputs = [False] * inputs
        self.damage: Callable[[list[int]], list[int]] = lambda values: values

    def answer(self, request: bytes) -> bytes:
        """The response PDU to a request PDU."""
        function = request[0]
        try:
            match function:
                case 3:
                    return self._read(*struct.unpack(">HH", request[1:5]))
                case 16:
                    return self._write(request)
                case 1:
                    return self._read_bits(1, self.coils, *struct.unpack(">HH", request[1:5]))
                case 2:
                    return self._read_bits(2, self.inputs, *struct.unpack(">HH", request[1:5]))
                case 5:
                    return self._write_coil(request)
                case 15:
                    return self._write_coils(request)
        except struct.error:
            return bytes([function | 0x80, ILLEGAL_VALUE])
        return bytes([function | 0x80, ILLEGAL_FUNCTION])

    def _read(self, at: int, count: int) -> bytes:
        if not 1 <= count <= READ_MAX:
            return bytes([0x83, ILLEGAL_VALUE])
        if at + count > len(self.holding):
            return bytes([0x83, ILLEGAL_ADDRESS])
        values = self.damage(self.holding[at : at + count])
        return bytes([3, 2 * count]) + struct.pack(f">{count}H", *values)

    def _write(self, request: bytes) -> bytes:
        at, count, size = struct.unpack(">HHB", request[1:6])
        if not 1 <= count <= WRITE_MAX or size != 2 * count or len(request) != 6 + size:
            return bytes([0x90, ILLEGAL_VALUE])
        if at + count > len(self.holding):
            return bytes([0x90, ILLEGAL_ADDRESS])
        self.holding[at : at + count] = struct.unpack(f">{count}H", request[6:])
        return request[:5]

    @staticmethod
    def _read_bits(function: int, bits: list[bool], at: int, count: int) -> bytes:
        if not 1 <= count <= COILS_MAX or at + count > len(bits):
            return bytes([function | 0x80, ILLEGAL_ADDRESS])
        packed = bytearray((count + 7) // 8)
        for place, lit in enumerate(bits[at : at + count]):
            packed[place // 8] |= lit << place % 8
        return bytes([function, len(packed)]) + bytes(packed)

    def _write_coil(self, request: bytes) -> bytes:
        at, value = struct.unpack(">HH", request[1:5])
        if value not in (0x0000, 0xFF00):
            return bytes([0x85, ILLEGAL_VALUE])
        if at >= len(self.coils):
            return bytes([0x85, ILLEGAL_ADDRESS])
        self.coils[at] = value == 0xFF00
        return request[:5]

    def _write_coils(self, request: bytes) -> bytes:
        at, count, size = struct.unpack(">HHB", request[1:6])
        if not 1 <= count <= COILS_MAX or size != (count + 7) // 8 or len(request) != 6 + size:
            return bytes([0x8F, ILLEGAL_VALUE])
        if at + count > len(self.coils):
            return bytes([0x8F, ILLEGAL_ADDRESS])
        for place in range(count):
            self.coils[at + place] = bool(request[6 + place // 8] >> place % 8 & 1)
        return request[:5]


class ModbusEnd(Protocol):
    """The machine's end of a wire on which it is asked."""

    address: str

    def serve(self, timeout_s: float) -> None:
        """Wait at most `timeout_s` for the other end, and answer it."""

    def unplug(self) -> None: ...
    def plug(self) -> None: ...


class ModbusServer:
    """Listens on loopback; `serve(timeout_s)` answers what has come. A newer connection replaces the older."""

    def __init__(self, registers: Registers, port: int = 0) -> None:
        self._registers = registers
        self._listener: socket.socket | None = self._listen(port)
        self.port = int(self._listener.getsockname()[1])
        self.address = f"tcp://127.0.0.1:{self.port}"
        self._connection: socket.socket | None = None
        self._buffer = b""

    def serve(self, timeout_s: float) -> None:
        """Wait at most `timeout_s` for the other end, and answer it."""
        sockets = [end for end in (self._listener, self._connection) if end is not None]
        ready, _, _ = select.select(sockets, [], [], max(0.0, timeout_s))
        listener = self._listener
        if listener is not None and listener in ready:
            self._accept(listener)
        elif ready:
            self._receive()

    def unplug(self) -> None:
        """The cable is out: nobody listens, what was open is reset."""
        self._hang_up()
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    def plug(self) -> None:
        if self._listener is None:
            self._listener = self._listen(self.port)

    @staticmethod
    def _listen(port: int) -> socket.socket:
        try:
            return socket.create_server(("127.0.0.1", port), backlog=4)
        except OSError as error:
            raise ConfigError(f"port {port} cannot be opened: {error.strerror}") from error

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            connection, _ = listener.accept()
            self._hang_up()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._connection = connection

    def _hang_up(self) -> None:
        connection, self._connection, self._buffer = self._connection, None, b""
        if connection is not None:
            with suppress(OSError):
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.close()

    def _receive(self) -> None:
        assert self._connection is not None
        try:
            content = self._connection.recv(RECEIVE_BYTES)
        except OSError:
            content = b""
        if not content:
            self._hang_up()
            return
        self._buffer += content
        while len(self._buffer) > HEAD.size:
            transaction, protocol, length, unit = HEAD.unpack_from(self._buffer)
            if protocol != 0 or not 2 <= length <= 254:
                self._hang_up()
                return
            if len(self._buffer) < 6 + length:
                return
            request, self._buffer = self._buffer[HEAD.size : 6 + length], self._buffer[6 + length :]
            response = self._registers.answer(request)
            with suppress(OSError):
                self._connection.sendall(HEAD.pack(transaction, 0, len(response) + 1, unit) + response)
