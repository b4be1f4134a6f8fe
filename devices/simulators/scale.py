"""A simulated scale: `wms-devices simulate scale --protocol cas --port /tmp/scale`.

Controls: `{"put": grams}`, `{"remove": true}`, `{"overload": true}`, `{"underload": true}` (sics),
`{"shake": seconds}`, `{"off": seconds}`,
`{"unplug": seconds}`. After each change the value runs to its end in 0.3 s (--settles) before it stands still.
"""

from __future__ import annotations

import argparse
import random
import threading
import time
from collections.abc import Sequence
from functools import reduce
from typing import Any, Final

from devices.simulators.bench import Answer, Cable, add_common_arguments, chosen_faults, make_end, parse, stay

SETTLES_S: Final = 0.3
SETTLES_S_MAX: Final = 60.0
CONTINUOUS_EVERY_S: Final = 0.1
SHAKE_G: Final = 40
CAPACITY_G: Final = 30_000
# The platform was taken off: a scale that is asked says that it is below its range.
UNDER_G: Final = -20_000
PROTOCOLS: Final = ("cas", "yaohua", "sics")


class Platform:
    """What lies on the scale, and whether it has come to rest."""

    def __init__(self, seed: int = 0, settles_s: float = SETTLES_S) -> None:
        self._chance = random.Random(seed)
        self._settles_s = settles_s
        self._lock = threading.Lock()
        self._from_g = self._to_g = 0
        self._changed_s = time.monotonic() - settles_s
        self._shaken_until_s = 0.0

    def load(self, weight_g: int) -> None:
        with self._lock:
            self._from_g, self._to_g, self._changed_s = self._to_g, weight_g, time.monotonic()

    def shake(self, seconds: float) -> None:
        with self._lock:
            self._shaken_until_s = time.monotonic() + seconds

    def reading(self) -> tuple[int, bool]:
        """Grams and whether they stand still."""
        with self._lock:
            now_s = time.monotonic()
            part = min(1.0, (now_s - self._changed_s) / self._settles_s)
            weight_g = round(self._from_g + (self._to_g - self._from_g) * part)
            if now_s < self._shaken_until_s:
                return weight_g + self._chance.randint(-SHAKE_G, SHAKE_G), False
            return weight_g, part >= 1.0


def cas_line(weight_g: int, *, stable: bool) -> bytes:
    if weight_g > CAPACITY_G:
        return b"OL,GS,+-------kg\r\n"
    sign = "-" if weight_g < 0 else "+"
    return f"{'ST' if stable else 'US'},GS,{sign}{abs(weight_g) / 1000:7.3f}kg\r\n".encode("ascii")


def yaohua_frame(weight_g: int) -> bytes:
    digits = "999999" if weight_g > CAPACITY_G else f"{abs(weight_g):06d}"
    body = f"{'-' if weight_g < 0 else '+'}{digits}3".encode("ascii")
    check = reduce(lambda left, right: left ^ right, body)
    return b"\x02" + body + f"{check:02X}".encode("ascii") + b"\x03"


def sics_answer(asked: bytes, weight_g: int, *, stable: bool) -> bytes:
    if asked not in (b"SI", b"S"):
        return b"ES\r\n"
    if weight_g > CAPACITY_G:
        return b"S +\r\n"
    if weight_g <= UNDER_G:
        return b"S -\r\n"
    return f"S {'S' if stable else 'D'} {weight_g / 1000:10.3f} kg\r\n".encode("ascii")


class SimulatedScale:
    """The scale behind the cable: talks by itself, or answers when asked."""

    def __init__(self, protocol: str, seed: int = 0, settles_s: float = SETTLES_S) -> None:
        self.platform = Platform(seed, settles_s)
        self._protocol = protocol
        self._asked = b""
        self._off_until_s = 0.0
        self.cable: Cable | None = None

    def handle(self, asked: dict[str, Any]) -> Answer:
        if "put" in asked:
            self.platform.load(int(asked["put"]))
        elif asked.get("remove"):
            self.platform.load(0)
        elif asked.get("overload"):
            self.platform.load(CAPACITY_G * 2)
        elif asked.get("underload"):
            self.platform.load(UNDER_G)
        elif "shake" in asked:
            self.platform.shake(float(asked["shake"]))
        elif "off" in asked:
            self._off_until_s = time.monotonic() + float(asked["off"])
        else:
            raise ValueError("known are put, remove, overload, underload, shake, off and unplug")
        return {"ok": True}

    def heard(self, content: bytes) -> None:
        if self._protocol != "sics":
            return
        self._asked += content
        while b"\r\n" in self._asked:
            line, self._asked = self._asked.split(b"\r\n", 1)
            weight_g, stable = self.platform.reading()
            self._say(sics_answer(line, weight_g, stable=stable))

    def talk_for_ever(self) -> None:
        while True:
            time.sleep(CONTINUOUS_EVERY_S)
            weight_g, stable = self.platform.reading()
            self._say(cas_line(weight_g, stable=stable) if self._protocol == "cas" else yaohua_frame(weight_g))

    def _say(self, content: bytes) -> None:
        if self.cable is not None and time.monotonic() >= self._off_until_s:
            self.cable.say(content)


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds <= SETTLES_S_MAX:
        raise argparse.ArgumentTypeError(f"more than 0 and at most {SETTLES_S_MAX:g} seconds")
    return seconds


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="wms-devices simulate scale", description=__doc__)
    add_common_arguments(parser, baud=9600)
    parser.add_argument("--protocol", choices=PROTOCOLS, default="cas")
    parser.add_argument(
        "--settles", type=_seconds, default=SETTLES_S, metavar="S", help="seconds until a weight stands (default 0.3)"
    )
    chosen = parse(parser, argv)
    scale = SimulatedScale(chosen.protocol, chosen.seed, chosen.settles)
    scale.cable = Cable(make_end(chosen), scale.heard, baud=chosen.baud, faults=chosen_faults(chosen), seed=chosen.seed)
    if chosen.protocol != "sics":
        threading.Thread(target=scale.talk_for_ever, daemon=True).start()
    return stay("scale", scale.cable, scale.handle, chosen.control, protocol=chosen.protocol)
