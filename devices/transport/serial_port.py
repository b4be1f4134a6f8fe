"""Serial ports by pyserial: exclusive, 8N1 by default, no flow control, modem lines ignored."""

from __future__ import annotations

import contextlib
import errno
import os
import sys

import serial

from devices.errors import DeviceAbsent, DeviceError, WriteFault
from devices.transport.address import Address
from devices.transport.base import DescriptorWire

WRITE_TIMEOUT_S = 2.0
POSIX = os.name == "posix"


class SerialPort(DescriptorWire):
    """One serial port. The path may be a symlink that comes and goes: it is resolved anew at each open."""

    def __init__(self, address: Address) -> None:
        super().__init__(address.url)
        self._address = address
        self._port: serial.Serial | None = None

    def open(self) -> None:
        self.close()
        option = self._address.option
        try:
            port = serial.Serial(
                port=self._address.path,
                baudrate=int(option("baud", "9600")),
                bytesize=int(option("bits", "8")),
                parity=option("parity", "N"),
                stopbits=int(option("stop", "1")),
                timeout=0,
                write_timeout=WRITE_TIMEOUT_S,
                exclusive=True,
            )
        except (serial.SerialException, OSError, ValueError) as error:
            raise DeviceAbsent(_why_not_open(self._address.path, error)) from error
        self._port = port
        self._descriptor = port.fileno() if POSIX else 0
        self._opened += 1
        self._low_latency(port)

    def close(self) -> None:
        port, self._port, self._descriptor = self._port, None, None
        if port is not None:
            # A port whose device was pulled out may fail to close cleanly; the descriptor is gone either way.
            with contextlib.suppress(serial.SerialException, OSError):
                port.close()

    def read(self, max_bytes: int, timeout_s: float) -> bytes:
        if POSIX:
            return super().read(max_bytes, timeout_s)
        return self._read_by_pyserial(max_bytes, timeout_s)

    def write(self, content: bytes, deadline_s: float) -> None:
        if POSIX:
            super().write(content, deadline_s)
        else:
            self._write_by_pyserial(content, deadline_s)

    def _write_by_pyserial(self, content: bytes, deadline_s: float) -> None:
        self._open_descriptor()
        assert self._port is not None
        try:
            self._port.write_timeout = deadline_s
            self._port.write(content)
        except (serial.SerialException, OSError) as error:
            # Nobody tells how far it got, so we must assume the worst: all but the last byte.
            raise WriteFault(f"{self.url} failed while writing: {error}", bytes_written=len(content) - 1) from error
        self._bytes_out += len(content)

    def _read_by_pyserial(self, max_bytes: int, timeout_s: float) -> bytes:
        """Windows: no select on ports, so pyserial waits for the first byte and we take what else is there."""
        self._open_descriptor()
        assert self._port is not None
        try:
            self._port.timeout = timeout_s
            first = self._port.read(1)
            content = first + self._port.read(min(self._port.in_waiting, max_bytes - 1)) if first else b""
        except (serial.SerialException, OSError) as error:
            raise DeviceError(f"{self.url} went away while reading: {error}") from error
        self._bytes_in += len(content)
        return content

    @staticmethod
    def _low_latency(port: serial.Serial) -> None:
        """FTDI adapters hold bytes back for 16 ms unless asked not to; other ports refuse the question: fine."""
        if sys.platform == "linux":
            with contextlib.suppress(OSError, ValueError, AttributeError, NotImplementedError):
                port.set_low_latency_mode(True)


def _why_not_open(path: str, error: Exception) -> str:
    code = getattr(error, "errno", None)
    if code == errno.ENOENT or not os.path.exists(path):
        return f"port {path} is not there: is the cable in?"
    if code == errno.EACCES:
        return f"no permission for port {path}: add the user to the group of the port (often dialout) and log in again"
    if code in (errno.EBUSY, errno.EAGAIN) or "lock" in str(error).lower():
        return f"port {path} is in use by another program"
    return f"port {path} cannot be opened: {error}"
