"""A whole simulated line: PLC, belt and cable turned by one loop, with faults by chance and by the clock."""

from __future__ import annotations

import random
import select
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from devices.simulators.sorter_belt import Belt, BeltTimes, Offer, Parcel
from devices.simulators.sorter_cable import CableEnd
from devices.simulators.sorter_faults import Faults, Lane, Timed
from devices.simulators.sorter_memory import Memory
from devices.simulators.sorter_plc import Plc

BITS_PER_BYTE: Final = 10
LEAD_S: Final = 0.0005
TURN_S_MAX: Final = 0.1


@dataclass(slots=True)
class Alarm:
    """Something to be done at a time (monotonic seconds)."""

    at_s: float
    do: Callable[[], None]


@dataclass(slots=True)
class LineSettings:
    """What a simulated line is made of.

    `baud` 0: TCP, no pacing. `capacity`: parcels until a chute is full, 0: never.
    """

    chutes: Iterable[int] = range(1, 61)
    times: BeltTimes = field(default_factory=BeltTimes)
    baud: int = 115_200
    faults: Faults = field(default_factory=Faults)
    seed: int = 1
    capacity: int = 0


class SimulatedLine:
    """Turn it with `turn()` from one thread; everything else may be called between two turns."""

    def __init__(self, end: CableEnd, settings: LineSettings, memory: Memory) -> None:
        self.end = end
        self.memory = memory
        self.clock_step_ms = 0
        self.faults_over = False
        self.belt = Belt(settings.times, settings.chutes, memory)
        self.plc = Plc(self.belt, memory, self._clock_ms)
        byte_s = BITS_PER_BYTE / settings.baud if settings.baud else 0.0
        chance = random.Random(settings.seed)
        self._to_gateway = Lane(byte_s, settings.faults, random.Random(chance.getrandbits(64)))
        self._from_gateway = Lane(byte_s, settings.faults, random.Random(chance.getrandbits(64)))
        self._alarms: list[Alarm] = []
        self._watched: dict[int, Callable[[], None]] = {}
        self._plugged = True
        if settings.capacity:
            self.belt.on_count = lambda chute: self._count_to(chute, settings.capacity)
        begins_s = time.monotonic()
        self.plc.power_on(begins_s)
        for timed in settings.faults.timed:
            self._schedule(timed, begins_s)

    # --- from outside -------------------------------------------------------------------------------------------------

    def offer(self, offer: Offer, scanned_s: float | None = None) -> Parcel | None:
        """A parcel passes the scanner at `scanned_s` (now, if not given); None while the line has no power."""
        if not self.plc.powered:
            return None
        return self.plc.offer(offer, time.monotonic() if scanned_s is None else scanned_s)

    def at(self, at_s: float, do: Callable[[], None]) -> None:
        """Do something later."""
        self._alarms.append(Alarm(at_s, do))

    def watch(self, descriptor: int, do: Callable[[], None]) -> None:
        """Call `do` whenever `descriptor` has something to read."""
        self._watched[descriptor] = do

    def forget(self, descriptor: int) -> None:
        self._watched.pop(descriptor, None)

    def unplug(self, for_s: float) -> None:
        """Pull the cable out for a while."""
        if self._plugged:
            self._plugged = False
            self.end.unplug()
            self._to_gateway.cut()
            self._from_gateway.cut()
            self.at(time.monotonic() + for_s, self._plug)

    def reboot(self, off_s: float) -> None:
        """Take the PLC's power away for a while."""
        if self.plc.powered:
            self.plc.power_off()
            self._to_gateway.cut()
            self.at(time.monotonic() + off_s, lambda: self.plc.power_on(time.monotonic()))

    # --- turning ------------------------------------------------------------------------------------------------------

    def turn(self, at_most_s: float = TURN_S_MAX) -> None:
        """Wait for the next thing, at most `at_most_s`, and do it."""
        self._wait(at_most_s)
        now_s = time.monotonic()
        for alarm in [alarm for alarm in self._alarms if alarm.at_s <= now_s]:
            self._alarms.remove(alarm)
            alarm.do()
        self._from_gateway.send(self.end.read(), now_s)
        if self.end.take_new_connection():
            self._to_gateway.cut()
            self.plc.connected(now_s)
        self.plc.hear(self._from_gateway.arrived(time.monotonic()), time.monotonic())
        self.plc.tick(time.monotonic())
        self._speak()
        arrived = self._to_gateway.arrived(time.monotonic())
        if arrived:
            self.end.write(arrived)

    def _wait(self, at_most_s: float) -> None:
        now_s = time.monotonic()
        speaks_s = max(self.plc.next_frame_s(), self._to_gateway.free_s - LEAD_S)
        times = [alarm.at_s for alarm in self._alarms]
        times += [speaks_s, self.plc.next_s(), self._to_gateway.next_s(), self._from_gateway.next_s()]
        wait_s = max(0.0, min([now_s + at_most_s, *times]) - now_s)
        ready, _, _ = select.select([*self.end.sources(), *self._watched], [], [], wait_s)
        for descriptor in ready:
            if descriptor in self._watched:
                self._watched[descriptor]()

    def _speak(self) -> None:
        """Frames go out while the wire is free; never more than one waits."""
        while True:
            now_s = time.monotonic()
            if now_s < self._to_gateway.free_s - LEAD_S:
                return
            frame = self.plc.next_frame(now_s)
            if not frame:
                return
            self._to_gateway.send(frame, now_s)

    def _plug(self) -> None:
        self.end.plug()
        self._plugged = True

    def _count_to(self, chute: int, capacity: int) -> None:
        if self.belt.counts[chute] >= capacity and self.belt.chutes[chute] == "OPEN":
            self.plc.set_chute(chute, "FULL")

    def _clock_ms(self) -> int:
        return time.time_ns() // 1_000_000 + self.clock_step_ms

    # --- faults by the clock ------------------------------------------------------------------------------------------

    def _schedule(self, timed: Timed, from_s: float) -> None:
        acts: dict[str, Callable[[], None]] = {
            "unplug": lambda: self.unplug(timed.lasts_s),
            "reboot": lambda: self.reboot(timed.lasts_s),
            "clockstep": lambda: self._step_clock(timed.lasts_s),
        }
        if timed.name not in acts:
            return
        at_s = from_s + timed.every_s

        def act() -> None:
            if not self.faults_over:
                acts[timed.name]()
                self._schedule(timed, at_s)

        self.at(at_s, act)

    def _step_clock(self, seconds: float) -> None:
        """Forward and back in turn."""
        self.clock_step_ms = 0 if self.clock_step_ms else int(seconds * 1000)
