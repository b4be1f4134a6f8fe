"""A Linux input device (a scanner that plays keyboard), read raw and grabbed, so that nothing it types lands elsewhere.

`evdev:///dev/input/by-id/...-event-kbd`. A named pipe is read too, for simulators. Needs no library: the grab is one
ioctl (EVIOCGRAB of linux/input.h).
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import sys

from devices.errors import DeviceAbsent, WriteFault
from devices.transport.address import Address
from devices.transport.base import DescriptorWire

EVIOCGRAB = 0x40044590


class EvdevWire(DescriptorWire):
    """Read only. The path may be a symlink that comes and goes: it is resolved anew at each open."""

    def __init__(self, address: Address) -> None:
        super().__init__(address.url)
        self._path = address.path

    def open(self) -> None:
        self.close()
        try:
            descriptor = os.open(self._path, os.O_RDONLY | os.O_NONBLOCK)
        except OSError as error:
            raise DeviceAbsent(_why_not_open(self._path, error)) from error
        try:
            if not stat.S_ISFIFO(os.fstat(descriptor).st_mode):
                _grab(descriptor)
        except OSError as error:
            os.close(descriptor)
            raise DeviceAbsent(_why_not_open(self._path, error)) from error
        self._descriptor = descriptor
        self._opened += 1

    def close(self) -> None:
        """Closing frees the grab."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            with contextlib.suppress(OSError):
                os.close(descriptor)

    def write(self, content: bytes, deadline_s: float) -> None:
        raise WriteFault(f"{self.url} is only read", bytes_written=0)


def _grab(descriptor: int) -> None:
    if sys.platform != "linux":
        raise OSError(errno.ENOTSUP, "input devices are read on Linux only")
    import fcntl

    fcntl.ioctl(descriptor, EVIOCGRAB, 1)


def _why_not_open(path: str, error: OSError) -> str:
    if error.errno == errno.ENOENT:
        return f"input device {path} is not there: is the scanner plugged in?"
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"no permission for {path}: add the user to the group of the device (often input) and log in again"
    if error.errno == errno.EBUSY:
        return f"input device {path} is grabbed by another program"
    if error.errno in (errno.ENOTTY, errno.EINVAL):
        return f"{path} is no input device"
    return f"input device {path} cannot be opened: {error.strerror}"
