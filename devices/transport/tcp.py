"""TCP: the gateway dials, small packets leave at once."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import sys
import time

from devices.errors import DeviceAbsent, DeviceError, HungUp, WriteFault
from devices.transport.address import Address
from devices.transport.base import TransportStatus, queued_bytes

# Three failed tries and their pauses stay below the 3 s in which a person is told that a device is down.
CONNECT_S = "0.8"
DRAIN_BYTES_MAX = 65_536
# Bytes that nobody acknowledges for so long are thrown away, also behind our close: a label that a person was told is
# lost must not come out of the printer when the cable is in again.
UNACKNOWLEDGED_MS_MAX = 10_000


class TcpWire:
    """One connection to a device that listens (a PLC, a printer on 9100, a scale behind an adapter)."""

    def __init__(self, address: Address) -> None:
        self.url = address.url
        self._address = address
        self._socket: socket.socket | None = None
        self._bytes_in = 0
        self._bytes_out = 0
        self._opened = 0

    def open(self) -> None:
        self.close()
        place = (self._address.host, self._address.port)
        try:
            connection = socket.create_connection(place, timeout=float(self._address.option("connect_s", CONNECT_S)))
        except OSError as error:
            raise DeviceAbsent(f"{self.url} does not answer: {error}") from error
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        if sys.platform == "linux":
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNACKNOWLEDGED_MS_MAX)
        connection.setblocking(False)
        self._socket = connection
        self._opened += 1

    def close(self) -> None:
        connection, self._socket = self._socket, None
        if connection is None:
            return
        # Bytes left unread would turn our close into a reset, and a reset makes the other end forget what we sent.
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_WR)
            connection.recv(DRAIN_BYTES_MAX)
        connection.close()

    def read(self, max_bytes: int, timeout_s: float) -> bytes:
        connection = self._open_socket()
        try:
            ready, _, _ = select.select([connection], [], [], max(0.0, timeout_s))
            if not ready:
                return b""
            content = connection.recv(max_bytes)
        except BlockingIOError:
            return b""
        except (OSError, ValueError) as error:
            raise DeviceError(f"{self.url} went away while reading: {error}") from error
        if not content:
            raise HungUp(f"{self.url} closed the connection")
        self._bytes_in += len(content)
        return content

    def write(self, content: bytes, deadline_s: float) -> None:
        connection = self._open_socket()
        end = time.monotonic() + deadline_s
        written = 0
        while written < len(content):
            try:
                _, ready, _ = select.select([], [connection], [], max(0.0, end - time.monotonic()))
                if not ready:
                    raise WriteFault(f"{self.url} took no bytes for {deadline_s:g} s", bytes_written=written)
                sent = connection.send(content[written:])
            except BlockingIOError:
                continue
            except (OSError, ValueError) as error:
                raise WriteFault(f"{self.url} went away while writing: {error}", bytes_written=written) from error
            written += sent
            self._bytes_out += sent

    def end_writing(self) -> bool:
        try:
            self._open_socket().shutdown(socket.SHUT_WR)
        except OSError as error:
            raise DeviceError(f"{self.url} went away: {error}") from error
        return True

    def untaken_bytes(self) -> int | None:
        """Bytes not acknowledged by the other end's TCP, our own "no more comes" counted as one."""
        connection = self._open_socket()
        if fault := connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            raise DeviceError(f"{self.url} went away: {os.strerror(fault)}")
        return queued_bytes(connection.fileno()) if sys.platform == "linux" else None

    def status(self) -> TransportStatus:
        return TransportStatus(self._socket is not None, self._bytes_in, self._bytes_out, self._opened)

    def _open_socket(self) -> socket.socket:
        if self._socket is None:
            raise DeviceError(f"{self.url} is not open")
        return self._socket
