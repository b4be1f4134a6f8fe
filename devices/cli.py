"""`wms-devices`: run a station, read its events, pair it, look for what is wrong, simulate its machines.

Exit codes: 0 done, 1 what was checked does not hold, 2 bad usage or bad input, one clear line each on stderr.
"""

from __future__ import annotations

import argparse
import io
import json
import logging
import signal
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.resources import files
from pathlib import Path

from devices.config import Config, load_config
from devices.errors import ConfigError, GatewayError

SIMULATORS = {
    "scanner": "devices.simulators.scanner",
    "scanner_evdev": "devices.simulators.scanner_evdev",
    "scale": "devices.simulators.scale",
    "dws": "devices.simulators.dws",
    "light": "devices.simulators.light",
    "printer": "devices.simulators.printer",
    "sorter": "devices.simulators.sorter",
    "sorter_modbus": "devices.simulators.sorter_modbus_command",
}
# What `wms-devices file NAME` prints, from the package's data folder.
FILES = {"service": "wms-devices@.service", "rules": "70-chuwei.rules"}
# Commands with options of their own: the rest of the line is theirs, and their modules are heavy.
PASSED_ON = {"accept": "devices.accept", "sweep": "devices.accept.prints"}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        if arguments and arguments[0] in PASSED_ON:
            return _call(PASSED_ON[arguments[0]], arguments[1:])
        if len(arguments) > 1 and arguments[0] == "simulate" and arguments[1] in SIMULATORS:
            return _call(SIMULATORS[arguments[1]], arguments[2:])
        chosen = _parser().parse_args(arguments)
        return int(chosen.act(chosen))
    except GatewayError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def _call(module: str, arguments: Sequence[str]) -> int:
    return int(import_module(module).main(list(arguments)) or 0)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="wms-devices", description="The gateway of one station.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    run = commands.add_parser("run", help="run the station until SIGTERM or Ctrl+C")
    run.add_argument("config", type=Path, metavar="CONFIG.toml")
    run.add_argument("--verbose", action="store_true", help="log more, on stderr")
    run.set_defaults(act=_run)

    events = commands.add_parser("events", help="print every durable event in order, also while the gateway runs")
    events.add_argument("config", type=Path, metavar="CONFIG.toml")
    events.add_argument("--json", action="store_true", help="one JSON object per line")
    events.set_defaults(act=_events)

    pairing = commands.add_parser("pair", help="exchange a one-time code for this gateway's key")
    pairing.add_argument("code", metavar="CODE")
    pairing.add_argument("url", metavar="URL", help="the server, for example https://wms.example.com")
    pairing.add_argument("--config", type=Path, default=Path("station.toml"), metavar="CONFIG.toml")
    pairing.set_defaults(act=_pair)

    doctor = commands.add_parser(
        "doctor", help="list ports, permissions and devices; say what is wrong and how to mend it"
    )
    doctor.add_argument("config", type=Path, nargs="?", metavar="CONFIG.toml")
    doctor.add_argument("--json", action="store_true")
    doctor.set_defaults(act=_doctor)

    shipped = commands.add_parser("file", help="print a file for this machine: the systemd service, the udev rules")
    shipped.add_argument("name", choices=sorted(FILES))
    shipped.set_defaults(act=_file)

    simulate = commands.add_parser("simulate", help="a simulated machine; each has --help of its own")
    simulate.add_argument("machine", choices=sorted(SIMULATORS))
    simulate.set_defaults(act=lambda chosen: 2)

    accept = commands.add_parser("accept", help="drive a simulated sorting line against a real gateway; see --help")
    accept.set_defaults(act=lambda chosen: 2)

    sweep = commands.add_parser("sweep", help="a fault at every byte of a print job; counts the labels; see --help")
    sweep.set_defaults(act=lambda chosen: 2)
    return parser


def _file(chosen: argparse.Namespace) -> int:
    sys.stdout.write(files(__package__).joinpath("data", FILES[chosen.name]).read_text(encoding="utf-8"))
    return 0


def _run(chosen: argparse.Namespace) -> int:
    from devices.gateway import open_gateway

    logging.basicConfig(
        level=logging.INFO if chosen.verbose else logging.WARNING,
        stream=sys.stderr,
        format="%(asctime)s %(levelname)s %(threadName)s: %(message)s",
    )
    gateway = open_gateway(load_config(chosen.config))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: gateway.stop())
    print(
        json.dumps({"ready": True, "gateway": gateway.config.name, "health": f"{gateway.page.url}/health"}), flush=True
    )
    gateway.run()
    return 0


def _events(chosen: argparse.Namespace) -> int:
    from devices.outbox import read_events

    config = load_config(chosen.config)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        for event in read_events(config.outbox):
            line = event.as_line()
            print(json.dumps(line) if chosen.json else _in_words(line))
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader has seen enough; Python would complain once more while closing stdout.
        sys.stderr.close()
    return 0


def _in_words(line: dict[str, object]) -> str:
    facts = " ".join(
        f"{name}={value}" for name, value in line.items() if name not in ("seq", "at_ms", "device", "kind")
    )
    return f"{line['seq']:>8} {line['at_ms']} {line['device']} {line['kind']} {facts}"


def _pair(chosen: argparse.Namespace) -> int:
    from devices.link import pair, save_key

    config = load_config(chosen.config)
    url = _server_url(chosen.url, config)
    devices = [{"name": device.name, "driver": device.driver} for device in config.devices]
    answer = pair(url, chosen.code, config.name, devices, config.ca_file)
    config.key_file.parent.mkdir(parents=True, exist_ok=True)
    key = save_key(config.key_file, url, answer)
    shown = {"gateway": key.gateway, "warehouse": answer.get("warehouse"), "station": answer.get("station")}
    print(json.dumps({"paired": True, **shown, "key_file": str(config.key_file)}, ensure_ascii=False))
    return 0


def _server_url(url: str, config: Config) -> str:
    """The code must not go to another server than the configuration's: a typing mistake would give it away."""
    url = url.rstrip("/")
    if config.server_url != url:
        named = f'"{config.server_url}"' if config.server_url else "no server"
        raise ConfigError(f'{config.path}: [server] url names {named}; set url = "{url}" there first')
    return url


def _doctor(chosen: argparse.Namespace) -> int:
    from devices.doctor import findings

    wrong = 0
    for finding in findings(load_config(chosen.config) if chosen.config else None):
        print(json.dumps(finding.as_line(), ensure_ascii=False) if chosen.json else finding.in_words())
        wrong += finding.wrong
    return 1 if wrong else 0
