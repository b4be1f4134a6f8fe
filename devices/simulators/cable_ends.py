"""The machine's end of a simulated cable: a pseudo-terminal, or a TCP port that it listens on."""

from __future__ import annotations

import select
import socket
from contextlib import suppress
from typing import Final, Protocol

from devices.errors import ConfigError, DeviceError
from devices.transport.address import Address
from devices.transport.pty_pair import PtyPair

LOOPBACK: Final = "127.0.0.1"
READ_BYTES_MAX: Final = 4_096


class End(Protocol):
    """The machine's end of a wire."""

    @property
    def shown(self) -> dict[str, object]: ...
    def sources(self) -> list[int]:
        """Descriptors on which something may come."""

    def read(self, timeout_s: float) -> bytes | None: ...
    def write(self, content: bytes) -> None: ...
    def unplug(self) -> None: ...
    def plug(self) -> None: ...
    def close(self) -> None: ...


class PtyEnd:
    """The machine's end of a pseudo-terminal; `path` may be a symlink that comes and goes with the cable."""

    def __init__(self, path: str) -> None:
        self._pair = PtyPair(Address(url="pty:", scheme="pty", path=path))
        self._pair.open()

    @property
    def shown(self) -> dict[str, object]:
        return {"port": self._pair.port_path, "url": f"serial://{self._pair.port_path}"}

    def sources(self) -> list[int]:
        with suppress(DeviceError):
            return [self._pair.fileno()]
        return []

    def read(self, timeout_s: float) -> bytes | None:
        with suppress(DeviceError):
            return self._pair.read(READ_BYTES_MAX, timeout_s)
        return None

    def write(self, content: bytes) -> None:
        # A port nobody reads from fills up; a real cable would drop the bytes on the floor.
        with suppress(DeviceError):
            self._pair.write(content, 0.05)

    def unplug(self) -> None:
        self._pair.close()

    def plug(self) -> None:
        self._pair.open()

    close = unplug


class TcpEnd:
    """The machine listens; one connection at a time, a second waits until the first is closed."""

    def __init__(self, port: int) -> None:
        self._listener = self._listen(port)
        self._port = int(self._listener.getsockname()[1])
        self._connection: socket.socket | None = None

    @property
    def shown(self) -> dict[str, object]:
        return {"host": LOOPBACK, "tcp": self._port, "url": f"tcp://{LOOPBACK}:{self._port}"}

    def sources(self) -> list[int]:
        """A second caller waits, so he wakes nobody."""
        number = (self._connection or self._listener).fileno()
        return [number] if number >= 0 else []

    def read(self, timeout_s: float) -> bytes | None:
        """What came; b"" if nothing did, None if the other end hung up."""
        if self._connection is None:
            self._accept(timeout_s)
            return b""
        try:
            ready, _, _ = select.select([self._connection], [], [], timeout_s)
            content = self._connection.recv(READ_BYTES_MAX) if ready else b""
        except OSError:
            ready, content = [self._connection], b""
        if ready and not content:
            self.hang_up()
            return None
        return content

    def write(self, content: bytes) -> None:
        if self._connection is not None:
            with suppress(OSError):
                self._connection.sendall(content)

    def hang_up(self, *, reset: bool = False) -> None:
        connection, self._connection = self._connection, None
        if connection is None:
            return
        if reset:
            # Linger of zero: the other end gets a reset, as from a printer whose plug was pulled.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
        connection.close()

    def unplug(self) -> None:
        self.hang_up(reset=True)
        self._listener.close()

    def plug(self) -> None:
        self._listener = self._listen(self._port)

    close = unplug

    def _accept(self, timeout_s: float) -> None:
        try:
            ready, _, _ = select.select([self._listener], [], [], timeout_s)
            if ready:
                self._connection, _ = self._listener.accept()
                self._connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except (OSError, ValueError):
            self._connection = None

    @staticmethod
    def _listen(port: int) -> socket.socket:
        try:
            return socket.create_server((LOOPBACK, port), backlog=8)
        except OSError as error:
            raise ConfigError(f"port {port} cannot be opened: {error.strerror}") from error
