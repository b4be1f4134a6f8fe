"""Looks at a station without touching its machines: ports, permissions, outbox, server; says how to mend what is wrong.

Ports are only opened, never written to: bytes sent on a guess could print a label or move a belt.
"""

from __future__ import annotations

import json
import os
import shutil
import stat
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from devices import sqlite
from devices.config import Config, DeviceConfig
from devices.errors import DeviceError, GatewayError
from devices.link import Line, ServerClock, load_key
from devices.lock import OutboxLock
from devices.routes import read_plan
from devices.transport import open_transport

BY_ID = Path("/dev/serial/by-id")
KEYBOARDS = Path("/dev/input/by-id")
MB = 1_048_576
FREE_BYTES_MIN = 500 * MB
HEALTH_S = 2.0
REASONS = {
    "absent": "check cable, power and url",
    "lost": "check cable and power; if it answers others, check baud and protocol",
    "outbox": "make room on the outbox's disk",
    "paper_out": "put in paper",
    "cover_open": "close the cover",
    "paused": "press the printer's pause key",
    "no_session": "check the PLC, its cable and baud",
    "routes": "check the server, or [routes] file",
}
CLOCK_WRONG_S = 60


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. `mend` says what to do about it if it is wrong."""

    what: str
    state: str
    wrong: bool = False
    mend: str = ""

    def as_line(self) -> dict[str, object]:
        return {"what": self.what, "state": self.state, "ok": not self.wrong, "mend": self.mend}

    def in_words(self) -> str:
        mark = "WRONG" if self.wrong else "ok   "
        return f"{mark} {self.what}: {self.state}" + (f"\n      -> {self.mend}" if self.mend else "")


def findings(config: Config | None) -> Iterator[Finding]:
    """Everything worth knowing; with a configuration also its devices, outbox and server."""
    warning = sqlite.library_warning()
    yield Finding("SQLite", warning or "sound", bool(warning), "pip install pysqlite3" if warning else "")
    yield from _ports()
    yield from _keyboards()
    if config is None:
        return
    yield from _outbox(config)
    yield from _disk(config)
    yield from _plan(config)
    for device in config.devices:
        if device.enabled and not device.url.startswith(("pty:", "memory:", "file:")):
            yield _device(device)
    if config.health_port:
        yield from _running(config)
    if config.server_url:
        yield _server(config)


def _ports() -> Iterator[Finding]:
    from serial.tools import list_ports

    found = sorted(list_ports.comports(), key=lambda port: port.device)
    if not found:
        yield Finding("serial ports", "none found")
    for port in found:
        if not _is_there(port):
            continue
        usable = os.access(port.device, os.R_OK | os.W_OK)
        name = next((str(link) for link in _links_to(port.device)), port.device)
        mend = "" if usable else _group_advice(port.device)
        yield Finding(f"port {name}", f"{port.description}" if usable else "no permission", not usable, mend)


def _keyboards() -> Iterator[Finding]:
    """Scanners that play keyboard; every other keyboard is among them."""
    if not KEYBOARDS.is_dir():
        return
    for link in sorted(KEYBOARDS.glob("*-event-kbd")):
        readable = os.access(link, os.R_OK)
        mend = "" if readable else _group_advice(os.path.realpath(link))
        yield Finding(f"keyboard {link}", "can be read" if readable else "no permission", not readable, mend)


def _is_there(port: object) -> bool:
    """Boards list ttyS0 to ttyS31 whether there is hardware behind them or not; those have no id."""
    return getattr(port, "hwid", "n/a") != "n/a"


def _links_to(device: str) -> Iterator[Path]:
    if BY_ID.is_dir():
        yield from (link for link in sorted(BY_ID.iterdir()) if os.path.realpath(link) == os.path.realpath(device))


def _group_advice(device: str) -> str:
    if os.name != "posix":
        return "close the other program that uses it"
    import grp

    try:
        group = grp.getgrgid(os.stat(device).st_gid).gr_name
    except (KeyError, OSError):
        group = "dialout"
    return f"sudo usermod -aG {group} USER, then log in again; or install the udev rules of docs/guide/gateway.md"


def _outbox(config: Config) -> Iterator[Finding]:
    try:
        OutboxLock(config.outbox).release()
        yield Finding(f"outbox {config.outbox}", "free, no gateway is running on it")
    except GatewayError as error:
        running = "in use" in str(error)
        mend = "" if running else "create the folder or change [outbox] path"
        yield Finding(
            f"outbox {config.outbox}", "in use: the gateway is running" if running else str(error), not running, mend
        )
    key = config.key_file
    if key.exists() and os.name == "posix" and stat.S_IMODE(key.stat().st_mode) & 0o077:
        yield Finding(f"key {key}", "others can read it", wrong=True, mend=f"chmod 600 {key}")


def _disk(config: Config) -> Iterator[Finding]:
    folder = config.outbox.parent
    if not folder.is_dir():
        return
    free = shutil.disk_usage(folder).free
    small = free < FREE_BYTES_MIN
    mend = f"make room on the disk of {folder}: a full outbox stops bookings and labels" if small else ""
    yield Finding(f"disk of {folder}", f"{free // MB} MB free", small, mend)


def _plan(config: Config) -> Iterator[Finding]:
    if config.routes_file is None:
        return
    try:
        codes = len(read_plan(config.routes_file))
    except GatewayError as error:
        yield Finding(f"plan {config.routes_file}", str(error), wrong=True, mend="mend the file or [routes] file")
        return
    yield Finding(f"plan {config.routes_file}", f"{codes} codes")


def _running(config: Config) -> Iterator[Finding]:
    """What a gateway that runs now says of its devices; nothing if none does."""
    url = f"http://127.0.0.1:{config.health_port}/health"
    try:
        with urllib.request.urlopen(url, timeout=HEALTH_S) as answer:
            devices = json.load(answer)["devices"]
    except (OSError, ValueError, KeyError):
        return
    for device in devices:
        wrong = device["state"] not in ("ready", "disabled")
        shown = f"{device['state']} {device['reason']}".strip()
        mend = REASONS.get(device["reason"].partition(":")[0], "see docs/reference/devices.md") if wrong else ""
        yield Finding(f"running device {device['name']}", shown, wrong, mend)


def _device(device: DeviceConfig) -> Finding:
    what = f"device {device.name} ({device.driver}, {device.url})"
    try:
        open_transport(device.url).close()
    except DeviceError as error:
        if "in use" in str(error):
            return Finding(what, "in use, most likely by the running gateway")
        mend = "check cable, power and url" if "permission" not in str(error) else str(error).rpartition(": ")[2]
        return Finding(what, str(error), wrong=True, mend=mend)
    return Finding(what, "opens")


def _server(config: Config) -> Finding:
    what = f"server {config.server_url}"
    clock = ServerClock()
    try:
        line = Line(config.server_url, load_key(config.key_file), clock, config.ca_file)
        try:
            line.get("/commands?wait_s=0")
        finally:
            line.close()
    except GatewayError as error:
        return Finding(what, str(error), wrong=True, mend="check url, network and pairing (wms-devices pair CODE URL)")
    if abs(clock.offset_s) > CLOCK_WRONG_S:
        return Finding(
            what, f"reached; this machine's clock is off by {-clock.offset_s} s", wrong=True, mend="set up NTP"
        )
    return Finding(what, "reached, key accepted")
