"""What every wire can do, and the reading and writing of a file descriptor that several share."""

from __future__ import annotations

import os
import select
import struct
import time
from dataclasses import dataclass
from typing import Protocol

from devices.errors import DeviceError, WriteFault


@dataclass(frozen=True, slots=True)
class TransportStatus:
    """`open` now; bytes over the life of the object, so over all reopenings."""

    open: bool
    bytes_in: int
    bytes_out: int
    opened: int


def queued_bytes(descriptor: int) -> int | None:
    """What the kernel still has to send: TIOCOUTQ of a port, on Linux also of a TCP connection (there SIOCOUTQ, which
    counts what is not acknowledged); None where it does not tell."""
    try:
        import fcntl
        import termios

        answer = fcntl.ioctl(descriptor, termios.TIOCOUTQ, bytes(struct.calcsize("i")))
    except (ImportError, OSError):
        return None
    return int(struct.unpack("i", answer)[0])


class Transport(Protocol):
    """One wire. Bytes in, bytes out, every wait bounded."""

    @property
    def url(self) -> str:
        """The URL the wire was made from."""

    def open(self) -> None:
        """Open it, closing it first if need be; paths and names are resolved anew. Raises DeviceAbsent."""

    def close(self) -> None:
        """Close it; closing twice is nothing."""

    def read(self, max_bytes: int, timeout_s: float) -> bytes:
        """What has come, 1 to `max_bytes` bytes, waiting at most `timeout_s` for the first; b"" if none came.

        Raises DeviceError when the other end is gone.
        """

    def write(self, content: bytes, deadline_s: float) -> None:
        """Hand over all of `content` within `deadline_s` seconds from now.

        Raises WriteFault, which says how many bytes went.
        """

    def end_writing(self) -> bool:
        """Tell the other end that no more comes, which it answers by hanging up once it has read all (HungUp).

        False where the wire has no such word. Raises DeviceError when the other end is gone.
        """

    def untaken_bytes(self) -> int | None:
        """Bytes written that the other end's hardware (or our own port) still has to take; None: nobody can tell.

        Raises DeviceError when the other end is gone.
        """

    def status(self) -> TransportStatus:
        """Open or not, and the byte counts."""


class DescriptorWire:
    """A wire over a non-blocking POSIX file descriptor; subclasses open and close it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._descriptor: int | None = None
        self._bytes_in = 0
        self._bytes_out = 0
        self._opened = 0

    def read(self, max_bytes: int, timeout_s: float) -> bytes:
        descriptor = self._open_descriptor()
        try:
            ready, _, _ = select.select([descriptor], [], [], max(0.0, timeout_s))
            if not ready:
                return b""
            content = os.read(descriptor, max_bytes)
        except BlockingIOError:
            return b""
        except (OSError, ValueError) as error:
            raise DeviceError(f"{self.url} went away while reading: {error}") from error
        if not content:
            raise DeviceError(f"{self.url} was closed at the other end")
        self._bytes_in += len(content)
        return content

    def write(self, content: bytes, deadline_s: float) -> None:
        descriptor = self._open_descriptor()
        end = time.monotonic() + deadline_s
        written = 0
        while written < len(content):
            try:
                _, ready, _ = select.select([], [descriptor], [], max(0.0, end - time.monotonic()))
                if not ready:
                    raise WriteFault(f"{self.url} took no bytes for {deadline_s:g} s", bytes_written=written)
                sent = os.write(descriptor, content[written:])
            except BlockingIOError:
                continue
            except (OSError, ValueError) as error:
                raise WriteFault(f"{self.url} went away while writing: {error}", bytes_written=written) from error
            written += sent
            self._bytes_out += sent

    def end_writing(self) -> bool:
        return False

    def untaken_bytes(self) -> int | None:
        return queued_bytes(self._open_descriptor())

    def fileno(self) -> int:
        """For whoever waits on several wires at once. Raises DeviceError while it is closed."""
        return self._open_descriptor()

    def status(self) -> TransportStatus:
        return TransportStatus(self._descriptor is not None, self._bytes_in, self._bytes_out, self._opened)

    def _open_descriptor(self) -> int:
        if self._descriptor is None:
            raise DeviceError(f"{self.url} is not open")
        return self._descriptor
