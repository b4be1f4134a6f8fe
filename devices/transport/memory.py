"""Both ends of a wire in one process: hostile on demand, for tests."""

from __future__ import annotations

import threading
import time
from typing import ClassVar

from devices.errors import DeviceAbsent, DeviceError, WriteFault
from devices.transport.base import TransportStatus

BUFFERED_BYTES_MAX = 4_194_304


class _Lane:
    """Bytes on their way in one direction."""

    def __init__(self) -> None:
        self.waiting = bytearray()
        self.changed = threading.Condition()


class MemoryWire:
    """One end. `peer` is the other; `cut()` unplugs both, `mend()` plugs them in again.

    `bytes_until_cut` lets that many more bytes be written and then unplugs the wire in the middle of the write.
    """

    _named: ClassVar[dict[str, MemoryWire]] = {}
    _naming: ClassVar[threading.Lock] = threading.Lock()

    def __init__(self, url: str = "memory:", near: _Lane | None = None, far: _Lane | None = None) -> None:
        self.url = url
        self._near = near or _Lane()
        self._far = far or _Lane()
        self._open = False
        self._bytes_in = 0
        self._bytes_out = 0
        self._opened = 0
        self.plugged = True
        self.bytes_until_cut: int | None = None
        self.peer: MemoryWire = self
        if near is None:
            self.peer = MemoryWire(f"{url}#peer", self._far, self._near)
            self.peer.peer = self
            self.peer._open = True

    @classmethod
    def named(cls, name: str) -> MemoryWire:
        """The device's end of the wire `name`; the same object for everyone in this process."""
        with cls._naming:
            return cls._named.setdefault(name, cls(f"memory:{name}"))

    @classmethod
    def forget(cls, name: str) -> None:
        with cls._naming:
            cls._named.pop(name, None)

    def open(self) -> None:
        if not self.plugged:
            raise DeviceAbsent(f"{self.url} is not there")
        with self._near.changed:
            self._near.waiting.clear()
        self._open = True
        self._opened += 1

    def close(self) -> None:
        self._open = False

    def cut(self) -> None:
        """Unplug: both ends fail at their next read or write, those waiting fail now."""
        for end in (self, self.peer):
            end.plugged = False
            with end._near.changed:
                end._near.changed.notify_all()

    def mend(self) -> None:
        self.plugged = self.peer.plugged = True
        self.bytes_until_cut = None

    def read(self, max_bytes: int, timeout_s: float) -> bytes:
        end = time.monotonic() + max(0.0, timeout_s)
        with self._near.changed:
            while not self._near.waiting:
                self._assert_usable()
                left_s = end - time.monotonic()
                if left_s <= 0:
                    return b""
                self._near.changed.wait(left_s)
            content = bytes(self._near.waiting[:max_bytes])
            del self._near.waiting[:max_bytes]
        self._bytes_in += len(content)
        return content

    def write(self, content: bytes, deadline_s: float) -> None:
        allowed = len(content) if self.bytes_until_cut is None else min(len(content), self.bytes_until_cut)
        try:
            self._assert_usable()
        except DeviceError as error:
            raise WriteFault(str(error), bytes_written=0) from error
        with self._far.changed:
            if len(self._far.waiting) + allowed > BUFFERED_BYTES_MAX:
                raise WriteFault(f"{self.url} took no bytes for {deadline_s:g} s", bytes_written=0)
            self._far.waiting += content[:allowed]
            self._far.changed.notify_all()
        self._bytes_out += allowed
        if self.bytes_until_cut is not None:
            self.bytes_until_cut -= allowed
            if allowed < len(content):
                self.cut()
                raise WriteFault(f"{self.url} was unplugged while writing", bytes_written=allowed)

    def end_writing(self) -> bool:
        return False

    def untaken_bytes(self) -> int | None:
        self._assert_usable()
        return len(self._far.waiting)

    def status(self) -> TransportStatus:
        return TransportStatus(self._open and self.plugged, self._bytes_in, self._bytes_out, self._opened)

    def _assert_usable(self) -> None:
        if not self._open:
            raise DeviceError(f"{self.url} is not open")
        if not self.plugged:
            raise DeviceError(f"{self.url} was unplugged")
