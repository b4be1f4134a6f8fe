"""`wms-devices simulate sorter`: a sorting line of its own, to be sorted by a gateway.

It prints one JSON line when it is ready: `{"ready": true, "url": .., "control": PORT, ..}`; a gateway takes that `url`.
Parcels come by the control port (`sorter_control`) or, with `--plan` and `--rate`, by themselves.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from devices.errors import ConfigError
from devices.routes import read_plan
from devices.simulators.sorter_belt import BeltTimes, Offer
from devices.simulators.sorter_cable import CableEnd, PtyEnd, TcpEnd
from devices.simulators.sorter_control import ControlPort
from devices.simulators.sorter_faults import read_faults
from devices.simulators.sorter_line import TURN_S_MAX, LineSettings, SimulatedLine
from devices.simulators.sorter_memory import Memory

CHUTES_MAX: Final = 9_999


def main(argv: Sequence[str] | None = None) -> int:
    """Run the line until it is interrupted, or until `--parcels` have left it. Returns the exit code."""
    wish = _arguments().parse_args(argv)
    try:
        line, control = _build(wish)
    except (ConfigError, OSError) as error:
        print(f"simulate sorter: {error}", file=sys.stderr)
        return 2
    print(json.dumps({"ready": True, "machine": "sorter", **line.end.shown, "control": control.port}), flush=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        _run(line, control, wish)
    except KeyboardInterrupt:
        pass  # the way a simulated line is switched off
    finally:
        line.end.unplug()
        control.close()
        line.memory.close()
    return 0


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="wms-devices simulate sorter", description="A simulated WSP/1 sorting line.")
    place = parser.add_mutually_exclusive_group()
    place.add_argument("--link", type=Path, help="symlink to the pseudo-terminal (default: in a fresh folder)")
    place.add_argument("--tcp", type=int, metavar="PORT", help="listen there instead (0: any free port)")
    parser.add_argument("--baud", type=int, default=115_200, help="bytes are paced at this rate (pseudo-terminal only)")
    parser.add_argument("--control", type=int, default=0, metavar="PORT", help="control port (default: any free port)")
    parser.add_argument("--chutes", type=int, default=60, help="chutes 1 to N")
    parser.add_argument("--capacity", type=int, default=0, help="parcels until a chute is FULL (0: never)")
    parser.add_argument("--window-ms", type=int, default=300, help="from the scan to the last moment an answer counts")
    parser.add_argument("--chute-ms", type=int, default=1000, help="from the scan to the chute")
    parser.add_argument("--lap-ms", type=int, default=4000, help="from the scan to the next scan after going round")
    parser.add_argument("--memory", type=Path, help="file of the PLC's lasting memory")
    parser.add_argument("--faults", default="", help="as in flip=0.0001,drop=0.005,unplug=1:60,reboot=2:300")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--plan", type=Path, help="codes to offer by themselves, code,chute[,alternate]")
    parser.add_argument("--rate", type=float, default=3600.0, help="parcels per hour, with --plan")
    parser.add_argument("--parcels", type=int, default=0, help="with --plan: stop after so many (0: never)")
    return parser


def _build(wish: argparse.Namespace) -> tuple[SimulatedLine, ControlPort]:
    if not 1 <= wish.chutes <= CHUTES_MAX:
        raise ConfigError(f"--chutes must be from 1 to {CHUTES_MAX}")
    if not 0 < wish.window_ms <= wish.chute_ms <= wish.lap_ms:
        raise ConfigError("--window-ms, --chute-ms and --lap-ms must be more than 0 and grow in this order")
    if wish.rate <= 0:
        raise ConfigError("--rate must be more than 0")
    faults = read_faults(wish.faults)
    end: CableEnd
    if wish.tcp is not None:
        end = TcpEnd(wish.tcp)
    else:
        end = PtyEnd(wish.link or Path(tempfile.mkdtemp(prefix="sorter-")) / "line", wish.baud)
    settings = LineSettings(
        chutes=range(1, wish.chutes + 1),
        times=BeltTimes(wish.window_ms / 1000, wish.chute_ms / 1000, wish.lap_ms / 1000),
        baud=0 if wish.tcp is not None else wish.baud,
        faults=faults,
        seed=wish.seed,
        capacity=wish.capacity,
    )
    line = SimulatedLine(end, settings, Memory(wish.memory))
    return line, ControlPort(line, wish.control)


def _run(line: SimulatedLine, control: ControlPort, wish: argparse.Namespace) -> None:
    codes = sorted(read_plan(wish.plan)) if wish.plan else []
    chance = random.Random(wish.seed)
    offered = left = 0
    next_s = time.monotonic()
    while not (wish.parcels and codes and left >= wish.parcels and not line.memory.unacknowledged):
        line.turn(max(0.0, min(TURN_S_MAX, next_s - time.monotonic())) if codes else TURN_S_MAX)
        while codes and time.monotonic() >= next_s and not (wish.parcels and offered >= wish.parcels):
            offered += line.offer(Offer((chance.choice(codes),)), next_s) is not None
            next_s += 3600.0 / wish.rate
        while line.belt.discharges:
            control.tell(line.belt.discharges.popleft())
            left += 1


if __name__ == "__main__":
    sys.exit(main())
