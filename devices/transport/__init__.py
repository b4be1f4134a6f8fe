"""The wires: one small interface for serial ports, sockets, pseudo-terminals, files and memory, chosen by URL.

| URL | wire |
|---|---|
| `serial:///dev/serial/by-id/...?baud=115200` | a serial port, 8N1 if not said by `parity bits stop`; `serial:COM3` |
| `tcp://host:port` | dials; `connect_s` sets the time allowed (0.8) |
| `pty:` or `pty:///path` | makes a pseudo-terminal; we are its machine end, `path` becomes a symlink to the other |
| `file:///path` | appends to a file, or writes to a character device such as `/dev/usb/lp0` |
| `evdev:///dev/input/...` | a Linux input device, grabbed; only read |
| `memory:name` | both ends in one process, for tests |

One owner per wire. Only the owner reads and writes; `status` may be asked from anywhere.
"""

from __future__ import annotations

from devices.transport.address import Address, parse_address
from devices.transport.base import Transport, TransportStatus

__all__ = ["Address", "Transport", "TransportStatus", "make_transport", "open_transport", "parse_address"]


def open_transport(url: str) -> Transport:
    """Make the wire `url` names and open it. Raises ConfigError for a bad URL, DeviceAbsent if it cannot be opened."""
    wire = make_transport(url)
    wire.open()
    return wire


def make_transport(url: str) -> Transport:
    """The wire `url` names, not yet open."""
    address = parse_address(url)
    # Imported here so that a gateway without serial ports does not carry pyserial, and so on.
    if address.scheme == "serial":
        from devices.transport.serial_port import SerialPort

        return SerialPort(address)
    if address.scheme == "tcp":
        from devices.transport.tcp import TcpWire

        return TcpWire(address)
    if address.scheme == "pty":
        from devices.transport.pty_pair import PtyPair

        return PtyPair(address)
    if address.scheme == "file":
        from devices.transport.file import FileWire

        return FileWire(address)
    if address.scheme == "evdev":
        from devices.transport.evdev import EvdevWire

        return EvdevWire(address)
    from devices.transport.memory import MemoryWire

    return MemoryWire.named(address.path)
