"""What can go wrong on a line, as one text: `flip=0.0001,drop=0.005,unplug=1:60`.

Per direction: `flip=P` per byte (one bit), `drop=P` and `dup=P` per chunk of 16 bytes, `delay=P:SECONDS` per chunk
(order kept). By the clock: `unplug=S:EVERY_S`, `reboot=S:EVERY_S`, `clockstep=S:EVERY_S`, and for `accept` only
`kill=EVERY_S`, `wms_down=S:EVERY_S`, `disk_full=S:EVERY_S`.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Final

from devices.errors import ConfigError

CHUNK_BYTES: Final = 16
CHANCES: Final = ("flip", "drop", "dup")
LINE_EVENTS: Final = ("unplug", "reboot", "clockstep")
STATION_EVENTS: Final = ("kill", "wms_down", "disk_full")


@dataclass(frozen=True, slots=True)
class Timed:
    """A fault that comes every `every_s` seconds and lasts `lasts_s` (for `clockstep`: the size of the step)."""

    name: str
    lasts_s: float
    every_s: float


@dataclass(frozen=True, slots=True)
class Faults:
    """A fault text, read."""

    flip: float = 0.0
    drop: float = 0.0
    dup: float = 0.0
    delay: float = 0.0
    delay_s: float = 0.0
    timed: tuple[Timed, ...] = ()


def read_faults(text: str, *, station: bool = False) -> Faults:
    """Read a fault text. `station`: those of `accept` are allowed too. Raises ConfigError naming what is wrong."""
    values: dict[str, float] = {}
    timed: list[Timed] = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, _, value = part.partition("=")
        if name in CHANCES:
            values[name] = _chance(part, value)
        elif name == "delay":
            chance, _, seconds = value.partition(":")
            values["delay"], values["delay_s"] = _chance(part, chance), _seconds(part, seconds)
        elif name in LINE_EVENTS or (station and name in STATION_EVENTS):
            timed.append(_timed(part, name, value))
        else:
            raise ConfigError(f'fault "{part}" is unknown; known are {", ".join(_known(station))}')
    return Faults(**values, timed=tuple(timed))


def _known(station: bool) -> list[str]:
    return [*CHANCES, "delay", *LINE_EVENTS, *(STATION_EVENTS if station else ())]


def _timed(part: str, name: str, value: str) -> Timed:
    if name == "kill":
        return Timed(name, 0.0, _seconds(part, value))
    lasts, _, every = value.partition(":")
    timed = Timed(name, _seconds(part, lasts), _seconds(part, every))
    if name != "clockstep" and timed.lasts_s >= timed.every_s:
        raise ConfigError(f'fault "{part}" would never end: it must last less than it takes to come again')
    return timed


def _chance(part: str, value: str) -> float:
    try:
        chance = float(value)
    except ValueError as error:
        raise ConfigError(f'fault "{part}" needs a chance, as in flip=0.0001') from error
    if not 0.0 <= chance <= 1.0:
        raise ConfigError(f'fault "{part}": a chance is from 0 to 1')
    return chance


def _seconds(part: str, value: str) -> float:
    try:
        seconds = float(value)
    except ValueError as error:
        raise ConfigError(f'fault "{part}" needs seconds, as in unplug=1:60, delay=0.01:0.05 or kill=20') from error
    if not 0.0 < seconds <= 1e6:
        raise ConfigError(f'fault "{part}": seconds must be more than 0')
    return seconds


@dataclass(slots=True)
class Lane:
    """One direction of a cable: bytes go in when they are sent and come out when they have arrived.

    A byte takes `byte_s` seconds (10 bits at the baud rate), 0 on TCP. A pseudo-terminal does not pace, so we must.
    """

    byte_s: float
    faults: Faults
    chance: random.Random
    free_s: float = 0.0
    _arrivals: list[tuple[float, bytes]] = field(default_factory=list)

    def send(self, content: bytes, now_s: float) -> None:
        """Put `content` on the wire behind what is still on it."""
        for start in range(0, len(content), CHUNK_BYTES):
            chunk = content[start : start + CHUNK_BYTES]
            times = 2 if self.faults.dup and self.chance.random() < self.faults.dup else 1
            for _ in range(times):
                self._send_chunk(chunk, now_s)

    def _send_chunk(self, chunk: bytes, now_s: float) -> None:
        self.free_s = max(now_s, self.free_s) + len(chunk) * self.byte_s
        if self.faults.drop and self.chance.random() < self.faults.drop:
            return
        arrives_s = self.free_s
        if self.faults.delay and self.chance.random() < self.faults.delay:
            arrives_s += self.faults.delay_s
        if self._arrivals:
            arrives_s = max(arrives_s, self._arrivals[-1][0])
        self._arrivals.append((arrives_s, self._flipped(chunk)))

    def _flipped(self, chunk: bytes) -> bytes:
        if not self.faults.flip:
            return chunk
        flips = [self.chance.random() < self.faults.flip for _ in chunk]
        if not any(flips):
            return chunk
        return bytes(
            byte ^ (1 << self.chance.randrange(8)) if flip else byte for byte, flip in zip(chunk, flips, strict=True)
        )

    def arrived(self, now_s: float) -> bytes:
        """What has come out by now."""
        ready = 0
        while ready < len(self._arrivals) and self._arrivals[ready][0] <= now_s:
            ready += 1
        content = b"".join(chunk for _, chunk in self._arrivals[:ready])
        del self._arrivals[:ready]
        return content

    def next_s(self) -> float:
        """When the next bytes come out; infinity if none are under way."""
        return self._arrivals[0][0] if self._arrivals else float("inf")

    def cut(self) -> None:
        """The cable was pulled: what was on it is gone."""
        self._arrivals.clear()
        self.free_s = 0.0
