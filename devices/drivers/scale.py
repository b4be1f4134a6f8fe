"""Scales: `cas` and `yaohua` talk all the time, `sics` is asked. One event for each weight that came to rest."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

from devices.driver import Context, Health, State
from devices.errors import ConfigError, DeviceError, OutboxFull
from devices.framing import stx_etx
from devices.framing.lines import Lines
from devices.framing.scales import YAOHUA_CONTENT_BYTES, Reading, read_cas, read_sics, read_yaohua
from devices.health import HealthBoard
from devices.options import read_options, require
from devices.transport import Transport

READ_BYTES_MAX = 4_096
READ_S = 0.05
LINE_BYTES_MAX = 32
# A format without a stable flag: the same value for this long has come to rest.
REST_S = 0.5
# Two readings further apart are not "the same value for so long": what lay between was not seen.
GAP_S = 0.3
ASK_EVERY_S = 0.2
ASK = b"SI\r\n"
WRITE_S = 1.0


@dataclass(frozen=True, slots=True)
class ScaleOptions:
    """`min_g`: less is an empty scale; `change_g`: that much apart is another load; `silent_s`: then it is lost."""

    protocol: str = "cas"
    min_g: int = 5
    change_g: int = 10
    silent_s: float = 2.0

    def __post_init__(self) -> None:
        require(self.protocol in PROTOCOLS, f"protocol must be one of {', '.join(PROTOCOLS)}")
        require(1 <= self.min_g <= 100_000, "min_g must be 1 to 100000")
        require(1 <= self.change_g <= 100_000, "change_g must be 1 to 100000")
        require(0.5 <= self.silent_s <= 60, "silent_s must be 0.5 to 60")


class Rest:
    """Whether a reading is at rest: by its flag, or the same value for `REST_S` without a gap."""

    def __init__(self) -> None:
        self._value_g: int | None = None
        self._since_s = 0.0
        self._last_s = 0.0

    def stable(self, reading: Reading, now_s: float) -> bool:
        if reading.weight_g != self._value_g or now_s - self._last_s > GAP_S:
            self._value_g, self._since_s = reading.weight_g, now_s
        self._last_s = now_s
        if reading.weight_g is None:
            return False
        return reading.stable if reading.stable is not None else now_s - self._since_s >= REST_S


class Loads:
    """Tells a new load from the one already told: it was lifted, or changed by more than `change_g`."""

    def __init__(self, min_g: int, change_g: int) -> None:
        self._min_g = min_g
        self._change_g = change_g
        self._told_g: int | None = None

    def is_new(self, weight_g: int, *, stable: bool) -> bool:
        changed = self._told_g is not None and abs(weight_g - self._told_g) >= self._change_g
        if weight_g < self._min_g or changed:
            self._told_g = None
        return stable and weight_g >= self._min_g and self._told_g is None

    def told(self, weight_g: int) -> None:
        self._told_g = weight_g

    def forget(self) -> None:
        self._told_g = None


class _LineReader:
    """Readings from lines ending CR LF."""

    def __init__(self, read: Callable[[bytes], Reading | None]) -> None:
        self._lines = Lines(b"\r\n", LINE_BYTES_MAX)
        self._read = read

    def feed(self, content: bytes) -> Iterator[Reading | None]:
        for line in self._lines.feed(content):
            yield self._read(line)


class _FrameReader:
    """Readings from STX ETX frames."""

    def __init__(self) -> None:
        self._buffer = b""

    def feed(self, content: bytes) -> Iterator[Reading | None]:
        self._buffer += content
        while self._buffer:
            used, frame = stx_etx.decode(self._buffer, YAOHUA_CONTENT_BYTES)
            if used == 0:
                return
            self._buffer = self._buffer[used:]
            yield read_yaohua(frame) if frame is not None else None


PROTOCOLS: Mapping[str, Callable[[], _LineReader | _FrameReader]] = {
    "cas": lambda: _LineReader(read_cas),
    "yaohua": _FrameReader,
    "sics": lambda: _LineReader(read_sics),
}


class Scale:
    """Emits `weight` {weight_g, stable: true}; tells `weight` {weight_g, stable} as it lives."""

    kind: ClassVar[str] = "scale"

    def __init__(self, context: Context) -> None:
        self._context = context
        self._options = read_options(ScaleOptions, context.options)
        self._board = HealthBoard(context.now_ms)
        self._loads = Loads(self._options.min_g, self._options.change_g)
        self._rest = Rest()

    @staticmethod
    def check(options: Mapping[str, object]) -> None:
        read_options(ScaleOptions, options)

    def health(self) -> Health:
        return self._board.health()

    def submit(self, command: Mapping[str, object]) -> None:
        raise ConfigError("a scale takes no commands")

    def run(self) -> None:
        self._board.turn(State.CONNECTING)
        wire = self._context.open_transport()
        try:
            self._read_for_ever(wire)
        finally:
            wire.close()

    def _read_for_ever(self, wire: Transport) -> None:
        reader = PROTOCOLS[self._options.protocol]()
        # What waited in the port while nobody listened is of unknown age.
        wire.read(READ_BYTES_MAX, 0)
        heard_s = self._context.monotonic_s()
        asked_s = 0.0
        while not self._context.stopping():
            now_s = self._context.monotonic_s()
            if self._options.protocol == "sics" and now_s - asked_s >= ASK_EVERY_S:
                asked_s = now_s
                wire.write(ASK, WRITE_S)
            if self._take_all(reader.feed(wire.read(READ_BYTES_MAX, READ_S))):
                heard_s = self._context.monotonic_s()
            elif now_s - heard_s > self._options.silent_s:
                raise DeviceError(f"scale said nothing for {self._options.silent_s:g} s: is it on, and baud right?")

    def _take_all(self, readings: Iterator[Reading | None]) -> bool:
        """True if there was a sound reading among them."""
        sound = False
        for reading in readings:
            if reading is None:
                self._board.count("unsound")
                continue
            sound = True
            self._board.count("readings")
            self._take(reading)
        return sound

    def _take(self, reading: Reading) -> None:
        stable = self._rest.stable(reading, self._context.monotonic_s())
        self._context.tell("weight", {"weight_g": reading.weight_g, "stable": stable, "at_ms": self._context.now_ms()})
        if reading.weight_g is None:
            self._loads.forget()
            self._board.turn(State.DEGRADED, reading.fault)
            return
        if not self._loads.is_new(reading.weight_g, stable=stable) or self._store(reading.weight_g):
            self._board.turn(State.READY)

    def _store(self, weight_g: int) -> bool:
        """False while the disk is full: the load counts as not told, so its next reading tries again."""
        try:
            ticket = self._context.emit("weight", {"weight_g": weight_g, "stable": True})
        except OutboxFull as error:
            self._board.turn(State.DEGRADED, f"outbox: {error}")
            return False
        self._loads.told(weight_g)
        ticket.on_commit(lambda: self._board.count("weights"))
        ticket.on_failure(self._loads.forget)
        return True
