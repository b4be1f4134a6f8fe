"""A simulated DWS machine: `wms-devices simulate dws --tcp 7100`. It repeats each measure until it is acknowledged.

Controls: `{"pass": ["SF1"], "weight_g": 1200, "length_mm": 300, "width_mm": 200, "height_mm": 150, "fault": ""}`,
`{"raw": "text of a line"}`, `{"off": seconds}`, `{"report": true}`, `{"unplug": seconds}`.
"""

from __future__ import annotations

import argparse
import json
import random
import threading
import time
from collections.abc import Sequence
from typing import Any, Final

from devices.simulators.bench import Answer, Cable, add_common_arguments, chosen_faults, make_end, parse, stay

REPEAT_S: Final = 0.5
BEAT_S: Final = 1.0
LOOK_S: Final = 0.02
MEASURED: Final = ("weight_g", "length_mm", "width_mm", "height_mm", "fault")


class SimulatedDws:
    """The machine behind the cable."""

    def __init__(self, seed: int = 0) -> None:
        self.cable: Cable | None = None
        self._boot = f"{random.Random(seed or time.time_ns()).getrandbits(32):08X}"
        self._lock = threading.Lock()
        self._last_id = 0
        self._open: dict[int, tuple[str, float]] = {}
        self._acknowledged: list[int] = []
        self._refused: list[dict[str, Any]] = []
        self._heard = b""
        self._off_until_s = 0.0

    def handle(self, asked: dict[str, Any]) -> Answer:
        with self._lock:
            if asked.get("report"):
                return {"open": sorted(self._open), "acknowledged": self._acknowledged, "refused": self._refused}
            if "off" in asked:
                self._off_until_s = time.monotonic() + float(asked["off"])
            elif "raw" in asked:
                self._say(str(asked["raw"]))
            elif "pass" in asked:
                self._last_id += 1
                line = {"boot": self._boot, "id": self._last_id, "codes": asked["pass"]}
                line |= {name: asked[name] for name in MEASURED if name in asked}
                self._open[self._last_id] = (json.dumps(line), 0.0)
                return {"ok": True, "id": self._last_id}
            else:
                raise ValueError("known are pass, raw, off, report and unplug")
        return {"ok": True}

    def heard(self, content: bytes) -> None:
        *lines, self._heard = (self._heard + content).split(b"\n")
        with self._lock:
            for line in lines:
                self._hear(json.loads(line))

    def hung_up(self) -> None:
        self._heard = b""

    def talk_for_ever(self) -> None:
        beat, beat_s = 0, 0.0
        while True:
            time.sleep(LOOK_S)
            now_s = time.monotonic()
            if now_s - beat_s >= BEAT_S:
                beat, beat_s = beat + 1, now_s
                self._say(json.dumps({"beat": beat}))
            with self._lock:
                for number, (line, sent_s) in list(self._open.items()):
                    if now_s - sent_s >= REPEAT_S:
                        self._open[number] = (line, now_s)
                        self._say(line)

    def _hear(self, told: dict[str, Any]) -> None:
        if "ack" in told and told["boot"] == self._boot:
            self._open.pop(told["ack"], None)
            self._acknowledged.append(told["ack"])
        elif told.get("reason") == "FORMAT":
            self._open.pop(told["nak"], None)
            self._refused.append(told)

    def _say(self, line: str) -> None:
        if self.cable is not None and time.monotonic() >= self._off_until_s:
            self.cable.say(line.encode("utf-8") + b"\n")


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="wms-devices simulate dws", description=__doc__)
    add_common_arguments(parser, baud=0)
    chosen = parse(parser, argv)
    machine = SimulatedDws(chosen.seed)
    machine.cable = Cable(
        make_end(chosen),
        machine.heard,
        baud=chosen.baud,
        faults=chosen_faults(chosen),
        seed=chosen.seed,
        hung_up=machine.hung_up,
    )
    threading.Thread(target=machine.talk_for_ever, daemon=True).start()
    return stay("dws", machine.cable, machine.handle, chosen.control)
