"""Scanners that play keyboard on Linux: grabbed, so that neither a console nor a browser eats their codes.

The characters go the way of a serial scanner's. Tried with the simulated one only, which writes the kernel's records
into a named pipe; which keys a real scanner types for GS waits for a real one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from devices.driver import Context
from devices.drivers.scanner_serial import ScannerOptions, SerialScanner
from devices.errors import ConfigError
from devices.framing.evdev_keys import END, Keys
from devices.framing.lines import Lines
from devices.options import read_options, require
from devices.transport import Transport, parse_address


@dataclass(frozen=True, slots=True)
class EvdevOptions(ScannerOptions):
    """As for serial scanners; the suffix is a key: CR (Enter) or TAB."""

    suffix: str = "CR"

    def __post_init__(self) -> None:
        ScannerOptions.__post_init__(self)
        require(self.suffix in ("CR", "TAB"), "suffix of a scanner that plays keyboard must be CR (Enter) or TAB")


class EvdevScanner(SerialScanner):
    """Emits `scan` {scan_id, code, aim?}."""

    kind: ClassVar[str] = "scanner_evdev"

    def __init__(self, context: Context) -> None:
        super().__init__(context, read_options(EvdevOptions, context.options))
        self._keys = Keys(tab_ends=self._options.suffix == "TAB")

    @staticmethod
    def check(options: Mapping[str, object]) -> None:
        """Raises ConfigError where the device's table cannot work."""
        read_options(EvdevOptions, options)
        url = str(options.get("url", ""))
        if parse_address(url).scheme != "evdev":
            raise ConfigError(f'"{url}" must be like evdev:///dev/input/by-id/usb-...-event-kbd')

    def _opened(self) -> Lines:
        self._keys.forget()
        return Lines(END)

    def _letters(self, content: bytes) -> bytes:
        return self._keys.feed(content)

    def _turn(self, wire: Transport, dropped: int) -> None:
        super()._turn(wire, dropped)
        self._board.note("keys_lost", self._keys.lost)
        self._board.note("keys_unknown", self._keys.unknown)
