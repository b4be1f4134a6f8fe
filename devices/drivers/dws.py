"""DWS machines: size, weight and code of each parcel in one line of JSON over TCP, acknowledged after the commit.

Tried with the simulated machine only; a real one will speak its maker's protocol, for which this file is the pattern.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from devices.driver import Context, State
from devices.drivers.line_reader import LineReader
from devices.errors import DeviceError, OutboxFull
from devices.framing.dws import LINE_BYTES_MAX, Measure, MeasureRefused, acknowledgement, read_line, refusal
from devices.framing.lines import Lines
from devices.options import read_options, require
from devices.transport import Transport

READ_S = 0.02
WRITE_S = 1.0
KNOWN_MAX = 20_000
KEPT_ASKED = 2_000


@dataclass(frozen=True, slots=True)
class DwsOptions:
    """`silent_s`: the machine sends a beat each second; without any line for so long it is lost."""

    silent_s: float = 3.0

    def __post_init__(self) -> None:
        require(1 <= self.silent_s <= 60, "silent_s must be 1 to 60")


class DwsMachine(LineReader):
    """Emits `measure` {boot, id, codes, weight_g, length_mm, width_mm, height_mm, fault?}, each measure once."""

    kind: ClassVar[str] = "dws"
    machine: ClassVar[str] = "a DWS machine"

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._options = read_options(DwsOptions, context.options)
        self._heard_s = 0.0
        self._known: OrderedDict[tuple[str, int], bool] = OrderedDict()
        for facts in context.kept("measure", KEPT_ASKED):
            self._known[str(facts["boot"]), int(str(facts["id"]))] = True
        self._box: deque[Callable[[Transport], None]] = deque()

    @staticmethod
    def check(options: Mapping[str, object]) -> None:
        """Raises ConfigError where the device's table cannot work."""
        read_options(DwsOptions, options)

    def _opened(self) -> Lines:
        self._heard_s = self._context.monotonic_s()
        return Lines(b"\n", LINE_BYTES_MAX)

    def _patience_s(self, lines: Lines) -> float:
        return READ_S

    def _turn(self, wire: Transport, dropped: int) -> None:
        super()._turn(wire, dropped)
        while self._box:
            self._box.popleft()(wire)
        if self._context.monotonic_s() - self._heard_s > self._options.silent_s:
            raise DeviceError(f"DWS machine said nothing for {self._options.silent_s:g} s: is it on?")

    def _hear(self, wire: Transport, line: bytes) -> None:
        self._heard_s = self._context.monotonic_s()
        try:
            measure = read_line(line)
        except MeasureRefused as no:
            self._board.count("unsound")
            if no.measure_id is not None:
                wire.write(refusal(no.measure_id, "FORMAT"), WRITE_S)
            return
        if measure is not None:
            self._take(wire, measure)

    def _take(self, wire: Transport, measure: Measure) -> None:
        name = (measure.boot, measure.measure_id)
        stored = self._known.get(name)
        if stored is None:
            self._store(wire, measure)
            return
        self._board.count("repeats")
        if stored:
            wire.write(acknowledgement(measure.boot, measure.measure_id), WRITE_S)

    def _store(self, wire: Transport, measure: Measure) -> None:
        try:
            ticket = self._context.emit("measure", facts_of(measure))
        except OutboxFull as error:
            self._busy(measure, str(error), wire)
            return
        self._known[measure.boot, measure.measure_id] = False
        if len(self._known) > KNOWN_MAX:
            self._known.popitem(last=False)
        ticket.on_commit(lambda: self._box.append(partial(self._stored, measure)))
        ticket.on_failure(lambda: self._box.append(partial(self._busy, measure, "the disk refused it")))

    def _stored(self, measure: Measure, wire: Transport) -> None:
        self._known[measure.boot, measure.measure_id] = True
        self._board.count("measures")
        self._board.turn(State.READY)
        wire.write(acknowledgement(measure.boot, measure.measure_id), WRITE_S)

    def _busy(self, measure: Measure, why: str, wire: Transport) -> None:
        self._known.pop((measure.boot, measure.measure_id), None)
        self._board.turn(State.DEGRADED, f"outbox: {why}")
        wire.write(refusal(measure.measure_id, "BUSY"), WRITE_S)


def facts_of(measure: Measure) -> dict[str, object]:
    """The event's facts."""
    facts: dict[str, object] = {
        "boot": measure.boot,
        "id": measure.measure_id,
        "codes": list(measure.codes),
        "weight_g": measure.weight_g,
        "length_mm": measure.length_mm,
        "width_mm": measure.width_mm,
        "height_mm": measure.height_mm,
    }
    return {**facts, "fault": measure.fault} if measure.fault else facts
