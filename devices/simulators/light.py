"""The simulated controller of a put wall's lights: `wms-devices simulate light --tcp 5020 --lights 16`.

Controls: `{"report": true}` (which lights are on), `{"reset": true}` (all dark, as after a power cut),
`{"stuck": n}` (light n stays dark whatever is written), `{"press": n}` (button n goes down for a moment),
`{"hold": n}` (and stays down; 0: all up), `{"unplug": seconds}`.
"""

from __future__ import annotations

import argparse
import signal
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from devices.simulators.bench import Answer, Control, say
from devices.simulators.modbus_server import ModbusEnd, Registers
from devices.simulators.modbus_wires import add_wire, listening

TURN_S: Final = 0.02
LIGHTS_MAX: Final = 1_000
PRESS_S: Final = 0.25


class SimulatedLights:
    """Lights and their Modbus server, turned by one thread."""

    def __init__(self, lights: int, listen: Callable[[Registers], ModbusEnd]) -> None:
        self.registers = Registers(coils=lights, inputs=lights)
        self._up_s = 0.0
        self.server = listen(self.registers)
        self._stuck: set[int] = set()
        self._plug_s = 0.0
        self._unplug_for_s = 0.0
        self._stopping = threading.Event()

    def run(self) -> None:
        """Serve until `stop`."""
        while not self._stopping.is_set():
            if self._unplug_for_s:
                self._plug_s, self._unplug_for_s = time.monotonic() + self._unplug_for_s, 0.0
                self.server.unplug()
            if self._plug_s and time.monotonic() >= self._plug_s:
                self._plug_s = 0.0
                self.server.plug()
            if self._plug_s:
                time.sleep(TURN_S)
            else:
                self.server.serve(TURN_S)
            if self._up_s and time.monotonic() >= self._up_s:
                self._up_s = 0.0
                self.registers.inputs[:] = [False] * len(self.registers.inputs)
            for light in self._stuck:
                self.registers.coils[light - 1] = False
        self.server.unplug()

    def stop(self) -> None:
        self._stopping.set()

    def handle(self, asked: dict[str, Any]) -> Answer:
        if asked.get("report"):
            return {"on": [place + 1 for place, lit in enumerate(self.registers.coils) if lit]}
        if asked.get("reset"):
            self.registers.coils[:] = [False] * len(self.registers.coils)
        elif "stuck" in asked:
            self._stuck = {int(asked["stuck"])} if asked["stuck"] else set()
        elif "press" in asked:
            self.registers.inputs[int(asked["press"]) - 1] = True
            self._up_s = time.monotonic() + PRESS_S
        elif "hold" in asked:
            self._up_s = 0.0
            self.registers.inputs[:] = [place + 1 == asked["hold"] for place in range(len(self.registers.inputs))]
        elif "unplug" in asked:
            self._unplug_for_s = float(asked["unplug"])
        else:
            raise ValueError("known are report, reset, stuck, press, hold and unplug")
        return {"ok": True}


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="wms-devices simulate light", description=__doc__)
    add_wire(parser)
    parser.add_argument("--lights", type=int, default=16)
    parser.add_argument("--control", type=int, default=0, metavar="PORT", help="control port on loopback; 0: any free")
    chosen = parser.parse_args(list(argv))
    if not 1 <= chosen.lights <= LIGHTS_MAX:
        parser.error(f"--lights must be from 1 to {LIGHTS_MAX}")
    wall = SimulatedLights(chosen.lights, listening(chosen))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: wall.stop())
    control = Control(wall.handle, chosen.control)
    say({"ready": True, "machine": "light", "url": wall.server.address, "control": control.port})
    wall.run()
    control.stop()
    return 0
