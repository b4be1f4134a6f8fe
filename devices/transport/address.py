"""A device's URL, read once and checked before anything is opened."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from devices.errors import ConfigError

BAUD_RATES = frozenset({1200, 2400, 4800, 9600, 14400, 19200, 38400, 57600, 115200, 230400, 460800, 921600})


def _choice(*allowed: str) -> Callable[[str], bool]:
    return lambda value: value in allowed


def _baud(value: str) -> bool:
    return value.isdecimal() and int(value) in BAUD_RATES


def _seconds(value: str) -> bool:
    return value.replace(".", "", 1).isdecimal() and 0 < float(value) <= 60


OPTIONS: Mapping[str, Mapping[str, Callable[[str], bool]]] = {
    "serial": {
        "baud": _baud,
        "parity": _choice("N", "E", "O"),
        "bits": _choice("7", "8"),
        "stop": _choice("1", "2"),
    },
    "tcp": {"connect_s": _seconds},
    "pty": {},
    "file": {},
    "evdev": {},
    "memory": {},
}


@dataclass(frozen=True, slots=True)
class Address:
    """`path` for serial, pty, file, evdev and memory; `host` and `port` for tcp."""

    url: str
    scheme: str
    path: str = ""
    host: str = ""
    port: int = 0
    options: Mapping[str, str] | None = None

    def option(self, name: str, default: str) -> str:
        return (self.options or {}).get(name, default)


def parse_address(url: str) -> Address:
    """Read a device URL. Raises ConfigError with one line that says what is wrong and shows a right one."""
    parts = urlsplit(url)
    if parts.scheme not in OPTIONS:
        raise ConfigError(f'device url "{url}" must begin with one of {", ".join(f"{name}:" for name in OPTIONS)}')
    options = _checked_options(url, parts.scheme, parts.query)
    if parts.scheme == "tcp":
        return _tcp_address(url, options)
    path = parts.path if not parts.netloc else f"//{parts.netloc}{parts.path}"
    if not path and parts.scheme in ("serial", "file", "evdev", "memory"):
        raise ConfigError(f'device url "{url}" names no path, for example {_EXAMPLES[parts.scheme]}')
    return Address(url=url, scheme=parts.scheme, path=path, options=options)


_EXAMPLES = {
    "serial": "serial:///dev/ttyUSB0?baud=9600",
    "file": "file:///tmp/labels.bin",
    "evdev": "evdev:///dev/input/by-id/usb-Scanner-event-kbd",
    "memory": "memory:scale",
}


def _checked_options(url: str, scheme: str, query: str) -> dict[str, str]:
    options = dict(parse_qsl(query, keep_blank_values=True))
    for name, value in options.items():
        allowed = OPTIONS[scheme].get(name)
        if allowed is None:
            known = ", ".join(OPTIONS[scheme]) or "none"
            raise ConfigError(f'device url "{url}": unknown option {name}; known for {scheme}: {known}')
        if not allowed(value):
            raise ConfigError(f'device url "{url}": {name}={value} is not possible')
    return options


def _tcp_address(url: str, options: dict[str, str]) -> Address:
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError as error:
        raise ConfigError(f'device url "{url}": the port must be 1 to 65535') from error
    if not parts.hostname or not port:
        raise ConfigError(f'device url "{url}" needs host and port, for example tcp://192.168.1.50:9100')
    return Address(url=url, scheme="tcp", host=parts.hostname, port=port, options=options)
