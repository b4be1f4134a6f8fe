"""The command line of `wms-devices accept`."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from devices.accept import accelerated
from devices.accept.trial import Trial, TrialReport, TrialSettings
from devices.errors import ConfigError, GatewayError
from devices.simulators.sorter_faults import read_faults

PARCELS_MAX: Final = 10_000_000
PROGRESS_PARCELS: Final = 50_000
RATE_MAX: Final = 500_000.0


def main(argv: Sequence[str] | None = None) -> int:
    """Run once and report. Exit code 0: every promise held; 1: one did not; 2: bad usage."""
    wish = _arguments().parse_args(argv)
    try:
        settings = _settings(wish)
    except ConfigError as error:
        print(f"accept: {error}", file=sys.stderr)
        return 2
    if wish.accelerated:
        return _accelerated(wish)
    with tempfile.TemporaryDirectory(prefix="accept-") as folder:
        try:
            report = Trial(settings, Path(folder)).run()
        except GatewayError as error:
            print(f"accept: {error}", file=sys.stderr)
            return 1
    print(json.dumps(report.as_line()) if wish.json else _in_words(report), flush=True)
    return 0 if report.holds() else 1


def _accelerated(wish: argparse.Namespace) -> int:
    try:
        report = accelerated.run(wish.parcels, wish.rate, wish.faults, wish.seed, told=_progress)
    except ConfigError as error:
        print(f"accept: {error}", file=sys.stderr)
        return 2
    print(json.dumps(report.as_line()) if wish.json else _in_words(report), flush=True)
    return 0 if report.holds() else 1


def _progress(so_far: accelerated.AcceleratedReport) -> None:
    """A line on stderr now and then, for whoever waits."""
    if so_far.parcels % PROGRESS_PARCELS == 0:
        broken = so_far.wrong_diverts + so_far.confirms_lost + so_far.booked_twice
        print(f"{so_far.parcels} parcels, {broken} broken promises, {so_far.seconds} s", file=sys.stderr, flush=True)


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="wms-devices accept",
        description="Drive a simulated sorting line against a real gateway process and count what came of it.",
    )
    parser.add_argument("--parcels", type=int, default=1000)
    parser.add_argument("--rate", type=float, default=20_000.0, metavar="PER_HOUR")
    parser.add_argument("--faults", default="", metavar="SPEC", help="as in flip=0.0001,drop=0.005,kill=20")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--tcp", action="store_true", help="TCP instead of a pseudo-terminal at 115,200 baud")
    parser.add_argument("--modbus", action="store_true", help="the register map over Modbus/TCP instead of WSP/1")
    parser.add_argument("--accelerated", action="store_true", help="in virtual time, without processes and a wire")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    return parser


def _settings(wish: argparse.Namespace) -> TrialSettings:
    if not 1 <= wish.parcels <= PARCELS_MAX:
        raise ConfigError(f"--parcels must be from 1 to {PARCELS_MAX}")
    if not 0 < wish.rate <= RATE_MAX:
        raise ConfigError(f"--rate must be more than 0 and at most {RATE_MAX:g} parcels per hour")
    if wish.seed < 0:
        raise ConfigError("--seed must be 0 or more")
    return TrialSettings(
        wish.parcels, wish.rate, read_faults(wish.faults, station=True), wish.seed, tcp=wish.tcp, modbus=wish.modbus
    )


def _in_words(report: TrialReport | accelerated.AcceleratedReport) -> str:
    return "\n".join(f"{name:>16}  {value}" for name, value in report.as_line().items())
