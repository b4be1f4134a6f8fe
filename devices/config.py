"""One TOML file says what a station has. All of it is checked, and every mistake named, before anything is opened.

```toml
[gateway]
name = "packing-1"                  # default: the file's name
[server]
url = "https://wms.example.com"     # empty or missing: works alone
[outbox]
path = "station.db"                 # relative to this file
[routes]
file = "plan.csv"                   # only where there is no server
[health]
port = 0                            # loopback; 0: any free port, shown in the first line printed
[[device]]
name = "scanner1"
driver = "scanner_serial"
url = "serial:///dev/serial/by-id/...?baud=9600"
```
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from devices.driver import Driver, driver_class
from devices.errors import ConfigError
from devices.transport import parse_address

NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
DEVICES_MAX = 64
SECTIONS: Mapping[str, Mapping[str, type]] = {
    "gateway": {"name": str},
    "server": {"url": str, "ca_file": str, "allow_http": bool},
    "outbox": {"path": str},
    "routes": {"file": str, "overflow": str},
    "health": {"port": int},
}


class ConfigErrors(ConfigError):
    """Everything that is wrong with a configuration, one line each."""

    def __init__(self, path: Path, lines: Iterable[str]) -> None:
        self.lines = [f"{path}: {line}" for line in lines]
        super().__init__("\n".join(self.lines))


@dataclass(frozen=True, slots=True)
class DeviceConfig:
    name: str
    driver: str
    url: str
    enabled: bool
    options: Mapping[str, object]
    make: type[Driver]


@dataclass(frozen=True, slots=True)
class Config:
    """A sound configuration. Paths are absolute; `server_url` "" means that the station works alone."""

    path: Path
    name: str
    outbox: Path
    server_url: str = ""
    ca_file: Path | None = None
    routes_file: Path | None = None
    routes_overflow: str | None = None
    health_port: int = 0
    devices: tuple[DeviceConfig, ...] = field(default_factory=tuple)

    @property
    def key_file(self) -> Path:
        """Where pairing leaves the gateway's key: beside the outbox, readable by its owner only."""
        return self.outbox.with_name(self.outbox.name + ".key")

    @property
    def routes_kept(self) -> Path:
        """Where the table of the server is kept over a restart."""
        return self.outbox.with_name(self.outbox.name + ".routes")


def load_config(path: Path) -> Config:
    """Read and check the file at `path`. Raises ConfigErrors that names each mistake on a line of its own."""
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigErrors(path, [f"cannot be read: {error.strerror}"]) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigErrors(path, [f"is not TOML: {error}"]) from error
    wrong: list[str] = []
    sections = {name: _section(tables, name, wrong) for name in SECTIONS}
    wrong += [f"unknown section [{name}]" for name in tables if name not in SECTIONS and name != "device"]
    devices = _devices(tables.get("device"), wrong)
    _check_server(sections["server"], wrong)
    _check_health(sections["health"], wrong)
    if not NAME.fullmatch(str(sections["gateway"].get("name", "gateway"))):
        wrong.append("[gateway] name: letters, digits and _ . - only, 1 to 64 of them")
    if wrong:
        raise ConfigErrors(path, wrong)
    return _config(path.resolve(), sections, devices)


def _config(path: Path, sections: Mapping[str, Mapping[str, object]], devices: list[DeviceConfig]) -> Config:
    def beside(value: object) -> Path | None:
        return path.parent / str(value) if value else None

    overflow = sections["routes"].get("overflow")
    port = sections["health"].get("port", 0)
    assert isinstance(port, int)
    return Config(
        path=path,
        name=str(sections["gateway"].get("name", path.stem)),
        outbox=path.parent / str(sections["outbox"].get("path") or "station.db"),
        server_url=str(sections["server"].get("url", "")).rstrip("/"),
        ca_file=beside(sections["server"].get("ca_file")),
        routes_file=beside(sections["routes"].get("file")),
        routes_overflow=str(overflow) if overflow else None,
        health_port=port,
        devices=tuple(devices),
    )


def _section(tables: Mapping[str, object], name: str, wrong: list[str]) -> Mapping[str, object]:
    section = tables.get(name, {})
    if not isinstance(section, Mapping):
        wrong.append(f"[{name}] must be a section")
        return {}
    for key, value in section.items():
        wanted = SECTIONS[name].get(key)
        if wanted is None:
            wrong.append(f"[{name}] unknown key {key}; known are {', '.join(SECTIONS[name])}")
        elif type(value) is not wanted:
            wrong.append(f"[{name}] {key} must be of type {wanted.__name__}, not {value!r}")
    return section


def _check_server(section: Mapping[str, object], wrong: list[str]) -> None:
    url = section.get("url", "")
    if not url or not isinstance(url, str):
        return
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        wrong.append(f'[server] url "{url}" must be like https://wms.example.com')
    elif parts.query or parts.fragment:
        wrong.append(f'[server] url "{url}" must have no ? and no #')
    elif parts.scheme == "http" and parts.hostname not in LOOPBACK and section.get("allow_http") is not True:
        wrong.append(
            f'[server] url "{url}": use https, or set allow_http = true and know that all can be read on the way'
        )


def _check_health(section: Mapping[str, object], wrong: list[str]) -> None:
    port = section.get("port", 0)
    if isinstance(port, int) and not 0 <= port <= 65535:
        wrong.append("[health] port must be 0 to 65535")


def _devices(tables: object, wrong: list[str]) -> list[DeviceConfig]:
    if not isinstance(tables, list) or not tables or not all(isinstance(table, Mapping) for table in tables):
        wrong.append("no [[device]]: a gateway needs at least one")
        return []
    if len(tables) > DEVICES_MAX:
        wrong.append(f"{len(tables)} devices: a gateway takes at most {DEVICES_MAX}")
        return []
    devices = []
    for place, table in enumerate(tables, start=1):
        label = f'[[device]] "{table["name"]}"' if table.get("name") else f"[[device]] number {place}"
        device = _collect(wrong, label, lambda table=table: _device(table))  # type: ignore[misc]
        if device is not None:
            devices.append(device)
    _check_alone(devices, wrong)
    return devices


def _collect(wrong: list[str], label: str, read: Callable[[], DeviceConfig]) -> DeviceConfig | None:
    try:
        return read()
    except ConfigError as error:
        wrong.append(f"{label}: {error}")
        return None


def _device(table: Mapping[str, object]) -> DeviceConfig:
    name, kind, url, enabled = table.get("name"), table.get("driver"), table.get("url"), table.get("enabled", True)
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise ConfigError("name: letters, digits and _ . - only, 1 to 64 of them")
    if not isinstance(kind, str):
        raise ConfigError("driver is missing")
    if not isinstance(url, str):
        raise ConfigError('url is missing, for example "serial:///dev/ttyUSB0?baud=9600"')
    if not isinstance(enabled, bool):
        raise ConfigError("enabled must be true or false")
    parse_address(url)
    make = driver_class(kind)
    check = getattr(make, "check", None)
    if check is not None:
        check(table)
    return DeviceConfig(name=name, driver=kind, url=url, enabled=enabled, options=dict(table), make=make)


def _check_alone(devices: list[DeviceConfig], wrong: list[str]) -> None:
    """Two devices with one name cannot be told apart; two on one port would eat each other's bytes."""
    names: set[str] = set()
    ports: dict[tuple[str, str], str] = {}
    for device in devices:
        if device.name in names:
            wrong.append(f'[[device]] "{device.name}": the name is given twice')
        names.add(device.name)
        address = parse_address(device.url)
        if address.scheme != "serial" or not device.enabled:
            continue
        other = ports.setdefault((address.scheme, address.path), device.name)
        if other != device.name:
            wrong.append(f'[[device]] "{device.name}": port {address.path} is already used by "{other}"')
