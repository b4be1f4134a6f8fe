"""What can go wrong at a station, as neutral errors raised `from` their cause."""

from __future__ import annotations


class GatewayError(Exception):
    """Base of everything the gateway says no with; the text is one line for a person."""


class ConfigError(GatewayError):
    """The configuration cannot be used; the command ends with exit code 2."""


class DeviceError(GatewayError):
    """A device or its wire failed; the supervisor closes it, waits and tries again."""


class DeviceAbsent(DeviceError):
    """The port could not be opened: unplugged, switched off, in use or not allowed."""


class HungUp(DeviceError):
    """The other end closed the connection in order: it had read all that came to it until then."""


class WriteFault(DeviceError):
    """A write did not finish.

    `bytes_written` is how many bytes had certainly been handed to the operating system; the device may have got fewer.
    """

    def __init__(self, message: str, *, bytes_written: int) -> None:
        super().__init__(message)
        self.bytes_written = bytes_written


class OutboxFull(GatewayError):
    """The outbox cannot commit now (disk full, or its bound reached); nothing was stored."""
