"""A file or character device as a wire: labels kept for inspection, or a printer at `/dev/usb/lp0`."""

from __future__ import annotations

import contextlib
import os
import stat

from devices.errors import DeviceAbsent
from devices.transport.address import Address
from devices.transport.base import DescriptorWire


class FileWire(DescriptorWire):
    """Regular files are appended to and never answer; character devices are read too."""

    def __init__(self, address: Address) -> None:
        super().__init__(address.url)
        self._path = address.path
        self.answers = False

    def open(self) -> None:
        self.close()
        try:
            self.answers = os.path.exists(self._path) and stat.S_ISCHR(os.stat(self._path).st_mode)
            way = os.O_RDWR | os.O_NONBLOCK | os.O_NOCTTY if self.answers else os.O_WRONLY | os.O_APPEND | os.O_CREAT
            self._descriptor = os.open(self._path, way, 0o640)
        except OSError as error:
            raise DeviceAbsent(f"{self._path} cannot be opened for writing: {error.strerror}") from error
        self._opened += 1

    def close(self) -> None:
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            with contextlib.suppress(OSError):
                os.close(descriptor)

    def read(self, max_bytes: int, timeout_s: float) -> bytes:
        self._open_descriptor()
        return super().read(max_bytes, timeout_s) if self.answers else b""
