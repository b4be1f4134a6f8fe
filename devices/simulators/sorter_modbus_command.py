"""`wms-devices simulate sorter_modbus`: a sorting line behind a Modbus server, to be sorted by a gateway.

It prints one JSON line when it is ready, with the `url` a gateway takes; with `--plan` and `--rate` parcels come.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from devices.routes import read_plan
from devices.simulators.modbus_wires import add_wire, listening
from devices.simulators.sorter_belt import BeltTimes, Offer
from devices.simulators.sorter_faults import read_faults
from devices.simulators.sorter_line import LineSettings
from devices.simulators.sorter_memory import Memory
from devices.simulators.sorter_modbus import ModbusLine

CHUTES_MAX: Final = 9_999
TURN_S: Final = 0.005


def main(argv: Sequence[str]) -> int:
    """Run until it is interrupted; each parcel that leaves the line is a JSON line."""
    parser = argparse.ArgumentParser(prog="wms-devices simulate sorter_modbus", description="A line over Modbus.")
    add_wire(parser)
    parser.add_argument("--chutes", type=int, default=60, help="chutes 1 to N")
    parser.add_argument("--window-ms", type=int, default=300)
    parser.add_argument("--memory", type=Path, help="file of the PLC's lasting memory")
    parser.add_argument("--faults", default="", help="as in flip=0.001,unplug=1:60,reboot=2:300")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--plan", type=Path, help="codes to offer by themselves, code,chute[,alternate]")
    parser.add_argument("--rate", type=float, default=3600.0, help="parcels per hour, with --plan")
    wish = parser.parse_args(list(argv))
    if not 1 <= wish.chutes <= CHUTES_MAX or wish.rate <= 0:
        parser.error(f"--chutes must be from 1 to {CHUTES_MAX}, --rate more than 0")
    settings = LineSettings(
        chutes=range(1, wish.chutes + 1),
        times=BeltTimes(window_s=wish.window_ms / 1000),
        faults=read_faults(wish.faults),
        seed=wish.seed,
    )
    line = ModbusLine(settings, Memory(wish.memory), listening(wish))
    print(json.dumps({"ready": True, "machine": "sorter_modbus", "url": line.end.address}), flush=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        _run(line, sorted(read_plan(wish.plan)) if wish.plan else [], 3600.0 / wish.rate, wish.seed)
    except KeyboardInterrupt:
        return 0
    finally:
        line.end.unplug()
        line.memory.close()
    return 0


def _run(line: ModbusLine, codes: list[str], every_s: float, seed: int) -> None:
    chance = random.Random(seed)
    next_s = time.monotonic()
    while True:
        line.turn(TURN_S)
        if codes and time.monotonic() >= next_s:
            line.offer(Offer((chance.choice(codes),)), next_s)
            next_s += every_s
        while line.belt.discharges:
            left = line.belt.discharges.popleft()
            told = {"pid": left.pid, "codes": left.codes, "chute": left.chute, "result": left.result}
            print(json.dumps(told), flush=True)
