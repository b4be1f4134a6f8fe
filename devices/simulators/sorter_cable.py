"""The ends of the simulated cable: a pseudo-terminal with a symlink that comes and goes, or a listening TCP port."""

from __future__ import annotations

import contextlib
import os
import socket
from pathlib import Path
from typing import Protocol

READ_BYTES = 4096


class CableEnd(Protocol):
    """The machine's end of a cable."""

    @property
    def address(self) -> str:
        """Where the gateway finds the other end, as a device URL."""

    @property
    def shown(self) -> dict[str, object]:
        """The address and its parts, for the line that says "ready"."""

    def sources(self) -> list[int]:
        """Descriptors to wait on."""

    def read(self) -> bytes:
        """What has come, without waiting."""

    def write(self, content: bytes) -> None:
        """Send; what nobody takes is lost, as on a real cable."""

    def take_new_connection(self) -> bool:
        """True once for each new connection (TCP only)."""

    def unplug(self) -> None:
        """Pull the cable out."""

    def plug(self) -> None:
        """Put it in again."""


class PtyEnd:
    """A pseudo-terminal; the gateway opens `link`, which leads nowhere while the cable is out."""

    def __init__(self, link: Path, baud: int) -> None:
        self.link = link
        self.address = f"serial://{link}?baud={baud}"
        self._near = self._far = -1
        self.plug()

    @property
    def shown(self) -> dict[str, object]:
        return {"url": self.address, "port": str(self.link)}

    def sources(self) -> list[int]:
        return [self._near] if self._near >= 0 else []

    def read(self) -> bytes:
        try:
            return os.read(self._near, READ_BYTES) if self._near >= 0 else b""
        except OSError:
            return b""  # nobody has the other end open just now, or nothing is there

    def write(self, content: bytes) -> None:
        if self._near >= 0:
            with contextlib.suppress(BlockingIOError):
                os.write(self._near, content)

    def take_new_connection(self) -> bool:
        return False

    def plug(self) -> None:
        import tty  # not on Windows, where only TCP is offered

        self._near, self._far = os.openpty()
        # Our own handle on the far end keeps the terminal alive while the gateway is away.
        tty.setraw(self._far)
        os.set_blocking(self._near, False)
        fresh = self.link.with_name(f".{self.link.name}.new")
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(os.ttyname(self._far))
        fresh.replace(self.link)

    def unplug(self) -> None:
        if self._near < 0:
            return
        self.link.unlink(missing_ok=True)
        os.close(self._far)
        os.close(self._near)
        self._near = self._far = -1


class TcpEnd:
    """A listening port; one connection, a newer one replaces the older."""

    def __init__(self, port: int = 0) -> None:
        self._port = port
        self._listener: socket.socket | None = None
        self._connection: socket.socket | None = None
        self._new = False
        self.plug()
        self.address = f"tcp://127.0.0.1:{self._port}"

    @property
    def shown(self) -> dict[str, object]:
        return {"url": self.address, "host": "127.0.0.1", "tcp": self._port}

    def sources(self) -> list[int]:
        return [part.fileno() for part in (self._listener, self._connection) if part is not None]

    def read(self) -> bytes:
        self._accept()
        if self._connection is None:
            return b""
        try:
            content = self._connection.recv(READ_BYTES)
        except BlockingIOError:
            return b""
        except OSError:
            content = b""
        if not content:
            self._hang_up()
        return content

    def write(self, content: bytes) -> None:
        if self._connection is None:
            return
        try:
            self._connection.send(content)
        except BlockingIOError:
            return
        except OSError:
            self._hang_up()

    def take_new_connection(self) -> bool:
        new, self._new = self._new, False
        return new

    def plug(self) -> None:
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self._port))
        listener.listen(4)
        listener.setblocking(False)
        self._port = listener.getsockname()[1]
        self._listener = listener

    def unplug(self) -> None:
        self._hang_up()
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    def _accept(self) -> None:
        if self._listener is None:
            return
        try:
            connection, _ = self._listener.accept()
        except OSError:
            return  # nobody is calling
        self._hang_up()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setblocking(False)
        self._connection, self._new = connection, True

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
