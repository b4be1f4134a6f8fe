"""Packing tables and the sorting line of a demonstration: simulated machines, and a real gateway for each station."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wms.demo.processes import Child, Control, NotReady, Processes, environment

PAIR_S = 60.0
LAMPS_GREEN_S = 60.0
LISTENING = ("ready", "degraded")  # degraded: it works, and somebody should look at it
SCANNER_BAUD, SCALE_BAUD, LINE_BAUD = 9_600, 9_600, 115_200
PAPER_MM_S, SETTLES_S = 1_800, 0.1  # a day in three minutes has quick machines
CHUTE_MS, LAP_MS = 350, 1_200


@dataclass(slots=True)
class Table:
    """A packing table: scanner, scale and printer behind one gateway."""

    code: str
    gateway: Child
    scanner: Control
    scale: Control
    printer: Control
    labels: Path


@dataclass(slots=True)
class Line:
    """The sorting line behind its gateway; `watch` streams what leaves it."""

    code: str
    gateway: Child
    control: Control
    watch: Control
    config: Path


@dataclass(slots=True)
class Floor:
    """Every station of the day."""

    tables: dict[str, Table] = field(default_factory=dict)
    line: Line | None = None


Invite = Callable[[str, str], str]  # (station code, gateway name) -> pairing code


def set_up_table(processes: Processes, folder: Path, server_url: str, code: str, invite: Invite) -> Table:
    """Three machines and their gateway, paired and running. Raises NotReady."""
    scanner_port, scale_port = folder / f"{code}-scanner", folder / f"{code}-scale"
    labels = folder / "labels" / code
    scanner = _simulate(
        processes, f"{code}-scanner", "scanner", "--port", str(scanner_port), "--baud", str(SCANNER_BAUD)
    )
    scale = _simulate(
        processes,
        f"{code}-scale",
        "scale",
        "--port",
        str(scale_port),
        "--baud",
        str(SCALE_BAUD),
        "--settles",
        str(SETTLES_S),
    )
    printer = _simulate(
        processes, f"{code}-printer", "printer", "--tcp", "0", "--out", str(labels), "--speed", str(PAPER_MM_S)
    )
    devices = [
        {"name": "scanner", "driver": "scanner_serial", "url": f"serial://{scanner_port}?baud={SCANNER_BAUD}"},
        {"name": "scale", "driver": "scale", "protocol": "cas", "url": f"serial://{scale_port}?baud={SCALE_BAUD}"},
        {"name": "printer", "driver": "printer_escpos", "url": printer.ready["url"]},
    ]
    gateway = _gateway(processes, folder, server_url, code, devices, invite)
    return Table(code, gateway, _control(scanner), _control(scale), _control(printer), labels)


def set_up_line(processes: Processes, folder: Path, server_url: str, code: str, invite: Invite) -> Line:
    """The sorting line on a pseudo-terminal at 115,200 baud and its gateway. Raises NotReady."""
    line = _simulate(
        processes,
        f"{code}-line",
        "sorter",
        "--link",
        str(folder / f"{code}-line"),
        "--baud",
        str(LINE_BAUD),
        "--chutes",
        "24",
        "--chute-ms",
        str(CHUTE_MS),
        "--lap-ms",
        str(LAP_MS),
        "--memory",
        str(folder / f"{code}-line.memory"),
    )
    url = f"serial://{folder / f'{code}-line'}?baud={LINE_BAUD}"
    devices = [{"name": "line", "driver": "sorter_wsp", "url": url, "window_ms": 300}]
    gateway = _gateway(processes, folder, server_url, code, devices, invite)
    watch = _control(line)
    watch.ask(do="watch")
    return Line(code, gateway, _control(line), watch, folder / f"{code}.toml")


def _simulate(processes: Processes, name: str, machine: str, *options: str) -> Child:
    return processes.start(name, ["devices", "simulate", machine, *options])


def _control(machine: Child) -> Control:
    return Control(int(machine.ready["control"]))


def _gateway(
    processes: Processes, folder: Path, server_url: str, code: str, devices: list[dict[str, Any]], invite: Invite
) -> Child:
    config = folder / f"{code}.toml"
    config.write_text(_toml(code, server_url, devices), "utf-8")
    _pair(folder, config, invite(code, code), server_url)
    gateway = processes.start(f"{code}-gateway", ["devices", "run", str(config)])
    await_devices(gateway)
    return gateway


def await_devices(gateway: Child) -> None:
    """Until the station's lamps are green: a trigger pulled before that is not heard by anybody. Raises NotReady."""
    until_s = time.monotonic() + LAMPS_GREEN_S
    states: dict[str, str] = {}
    while time.monotonic() < until_s:
        with urllib.request.urlopen(gateway.ready["health"], timeout=LAMPS_GREEN_S) as answer:
            states = {device["name"]: device["state"] for device in json.load(answer)["devices"]}
        if all(state in LISTENING for state in states.values()):
            return
        time.sleep(0.1)
    raise NotReady(f"{gateway.name}: " + ", ".join(f"{name} is {state}" for name, state in states.items()))


def _toml(code: str, server_url: str, devices: list[dict[str, Any]]) -> str:
    lines = ["[gateway]", f'name = "{code}"', "[server]", f'url = "{server_url}"', "[outbox]", f'path = "{code}.db"']
    for device in devices:
        lines.append("[[device]]")
        lines += [f"{key} = {json.dumps(value)}" for key, value in device.items()]
    return "\n".join(lines) + "\n"


def _pair(folder: Path, config: Path, code: str, server_url: str) -> None:
    words = [sys.executable, "-m", "devices", "pair", code, server_url, "--config", str(config)]
    done = subprocess.run(
        words, capture_output=True, text=True, timeout=PAIR_S, check=False, cwd=folder, env=environment()
    )
    if done.returncode:
        raise NotReady(f"{config.stem} could not be paired: {done.stderr.strip() or done.stdout.strip()}")
