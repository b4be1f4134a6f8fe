"""The PLC of a simulated line that serves the Modbus register map: `wms-devices simulate sorter_modbus --tcp 0`.

Written from docs/reference/modbus.md alone; it shares no code with `devices.framing.modbus_map`. The belt is the one
of the WSP/1 line. Between two requests of the gateway nothing moves here, so a block is never torn, only damaged on the
way (`flip=P` per read).
"""

from __future__ import annotations

import random
import time
from collections import deque
from collections.abc import Callable
from typing import Final

from devices.simulators.modbus_server import ModbusEnd, ModbusServer, Registers
from devices.simulators.sorter_belt import Belt, Offer, Parcel
from devices.simulators.sorter_line import Alarm, LineSettings
from devices.simulators.sorter_memory import KeptConfirmation, Memory
from devices.simulators.sorter_wire import checksum, put_into_field

REGISTERS: Final = 1300
SCAN_S: Final = 0.005
BEAT_S: Final = 0.1
SILENCE_S: Final = 1.5
SPEED_MM_S: Final = 2000
RINGS: Final = {"REQ": (100, 48), "RES": (500, 16), "CFM": (700, 48), "CHS": (1100, 8), "CHC": (1200, 8)}
RESULTS: Final = {"OK": 1, "FULL": 2, "LATE": 3, "NOREAD": 4, "REJ": 5, "LOST": 6, "MISS": 7}
REASONS: Final = ["ROUTE", "ALT", "OVER", "NOREAD", "UNKNOWN", "MULTI", "HOLD", "CLOSED", "STALE", "PID", "ERROR"]
STATES: Final = {"OPEN": 0, "FULL": 1, "LOCK": 2, "JAM": 3}
ORDERS: Final = {1: "OPEN", 2: "LOCK", 3: "CLEAR"}
LINES: Final = {"STOP": 0, "RUN": 1, "ESTOP": 2, "JAM": 3}
CODE_REGISTERS, AIM_REGISTERS = 24, 6


def seal(registers: list[int]) -> list[int]:
    return [*registers, checksum(b"".join(value.to_bytes(2, "big") for value in registers))]


def sound(registers: list[int]) -> bool:
    return seal(registers[:-1]) == registers


def text(parts: tuple[str, ...], registers: int) -> list[int]:
    """As much of the list as fits; whole codes only, since half a code would be another one."""
    while len(";".join(map(put_into_field, parts))) > 2 * registers:
        parts = parts[:-1]
    raw = ";".join(map(put_into_field, parts)).encode("ascii").ljust(2 * registers, b"\0")
    return [raw[at] * 256 + raw[at + 1] for at in range(0, len(raw), 2)]


def two(number: int) -> list[int]:
    return [number // 65536, number % 65536]


class ModbusPlc:
    """Registers and belt; `scan` is one cycle of the PLC."""

    def __init__(self, belt: Belt, memory: Memory, clock_ms: Callable[[], int], chance: random.Random) -> None:
        self.belt, self._memory, self._clock_ms, self._chance = belt, memory, clock_ms, chance
        self.registers = Registers(REGISTERS)
        self.powered = self.answered = False
        self.line = "RUN"
        self._heads = {"REQ": 0, "CFM": 0, "CHS": 0}
        self._acks = {"RES": 0, "CHC": 0}
        self._waiting: dict[str, deque[list[int]]] = {"CFM": deque(), "CHS": deque()}
        self._confirmed: dict[int, int] = {}
        self._gateway_beat: tuple[int, ...] = ()
        self._heard_s = 0.0
        self._boot = 0

    def power_on(self, now_s: float) -> None:
        self.powered = True
        self._boot = self._chance.getrandbits(32)
        self.registers.holding[:] = [0] * REGISTERS
        self._begin_session(now_s)
        self.belt.report_lost()

    def power_off(self) -> None:
        self.powered = self.answered = False
        self.belt.power_off()

    def offer(self, offer: Offer, now_s: float) -> Parcel:
        return self.belt.scan(offer, now_s)

    def set_chute(self, chute: int, state: str) -> None:
        self.belt.chutes[chute] = state
        self._tell_chute(chute)

    def scan(self, now_s: float) -> None:
        """One cycle: hear the gateway, move the belt, fill rings, write the block."""
        if not self.powered:
            return
        self._hear_gateway(now_s)
        for kept in self.belt.tick(now_s, self._clock_ms()):
            if self.answered:
                self._tell_confirmation(kept)
        if self.answered:
            self._ask_for_parcels(now_s)
            for ring in ("CHS", "CFM"):
                self._fill(ring)
        self._write_block(now_s)

    # --- sessions -----------------------------------------------------------------------------------------------------

    def _begin_session(self, now_s: float) -> None:
        session = self._memory.session % 65535 + 1 if self._memory.session else self._chance.randint(1, 65535)
        self._memory.begin_session(session)
        self.answered = False
        self._heads = dict.fromkeys(self._heads, 0)
        self._acks = dict.fromkeys(self._acks, 0)
        for waiting in self._waiting.values():
            waiting.clear()
        self._confirmed.clear()
        self.belt.forget_requests()
        self._heard_s = now_s

    def _hear_gateway(self, now_s: float) -> None:
        block = self.registers.holding[32:48]
        if not sound(block) or block[0] != 1:
            block = []
        if block and (beat := (block[2], *block[8:10])) != self._gateway_beat:
            self._gateway_beat, self._heard_s = beat, now_s
            if block[1] == 0:
                self._begin_session(now_s)
            elif block[1] == self._memory.session:
                self._hear_block(block, now_s)
        if now_s - self._heard_s >= SILENCE_S:
            self._begin_session(now_s)

    def _hear_block(self, block: list[int], now_s: float) -> None:
        if not self.answered:
            self.answered = True
            for chute, state in self.belt.chutes.items():
                if state != "OPEN":
                    self._tell_chute(chute)
            for kept in self._memory.unacknowledged.values():
                self._tell_confirmation(kept)
            return
        for counter in [counter for counter in self._confirmed if (block[4] - counter) % 65536 < 32768]:
            self._memory.acknowledge(self._confirmed.pop(counter))
        self._take("RES", block[6], lambda slot: self._take_answer(slot, now_s))
        self._take("CHC", block[7], self._take_order)

    def _take(self, ring: str, head: int, take: Callable[[list[int]], None]) -> None:
        at, size = RINGS[ring]
        while (head - self._acks[ring]) % 65536 in range(1, 9):
            counter = (self._acks[ring] + 1) % 65536
            begin = at + counter % 8 * size
            slot = self.registers.holding[begin : begin + size]
            if slot[0] != counter or not sound(slot):
                return
            take(slot)
            self._acks[ring] = counter

    def _take_answer(self, slot: list[int], now_s: float) -> None:
        reason = REASONS[slot[6] - 1]
        answer = (slot[4], slot[5] or None, reason)
        # A counter of 0 stands for "not asked" on the belt, so asked ones are kept one higher.
        self.belt.answered(slot[1] * 65536 + slot[2], slot[9] + 1, answer, now_s)

    def _take_order(self, slot: list[int]) -> None:
        chute, order = slot[1], ORDERS[slot[2]]
        if chute not in self.belt.chutes:
            return
        if order == "CLEAR":
            self.belt.counts[chute] = 0
            order = "OPEN" if self.belt.chutes[chute] == "FULL" else self.belt.chutes[chute]
        self.set_chute(chute, order)

    # --- filling rings ------------------------------------------------------------------------------------------------

    def _room(self, ring: str) -> bool:
        block = self.registers.holding[32:48]
        ack = {"REQ": block[3], "CFM": block[4], "CHS": block[5]}[ring]
        return (self._heads[ring] - ack) % 65536 < 8

    def _put(self, ring: str, fields: list[int]) -> int:
        """Slot first, head after it; the counter it got."""
        counter = (self._heads[ring] + 1) % 65536
        at, size = RINGS[ring]
        slot = seal([counter, *fields])
        assert len(slot) == size, f"{ring} entry of {len(slot)} registers"
        begin = at + counter % 8 * size
        self.registers.holding[begin : begin + size] = slot
        self._heads[ring] = counter
        return counter

    def _fill(self, ring: str) -> None:
        while self._waiting[ring] and self._room(ring):
            fields = self._waiting[ring].popleft()
            counter = self._put(ring, fields)
            if ring == "CFM":
                self._confirmed[counter] = fields[0] * 65536 + fields[1]

    def _ask_for_parcels(self, now_s: float) -> None:
        while self._room("REQ") and (parcel := self.belt.request_due(now_s)) is not None:
            parcel.seq = self._put("REQ", self._request(parcel, now_s)) + 1
            parcel.next_request_s = float("inf")

    @staticmethod
    def _request(parcel: Parcel, now_s: float) -> list[int]:
        offer = parcel.offer
        sizes = [offer.length_mm or 0, offer.width_mm or 0, offer.height_mm or 0]
        aims = offer.aims if parcel.codes == offer.codes else ()
        age_ms = int((now_s - parcel.scanned_s) * 1000)
        head = [*two(parcel.pid), offer.induct, parcel.carrier, parcel.lap, age_ms, *two(offer.weight_g or 0), *sizes]
        return [*head, *text(parcel.codes, CODE_REGISTERS), *text(aims, AIM_REGISTERS), 0, 0, 0, 0, 0]

    def _tell_confirmation(self, kept: KeptConfirmation) -> None:
        chute = 65535 if kept.chute is None else kept.chute
        seconds, ms = divmod(kept.time_ms or 0, 1000)
        head = [*two(kept.pid), chute, RESULTS[kept.result], kept.carrier or 0, *two(seconds), ms, 0, 0, 0]
        self._waiting["CFM"].append([*head, *text(kept.codes, CODE_REGISTERS), *[0] * 11])

    def _tell_chute(self, chute: int) -> None:
        if self.answered:
            self._waiting["CHS"].append([chute, STATES[self.belt.chutes[chute]], self.belt.counts[chute], 0, 0, 0])

    def _write_block(self, now_s: float) -> None:
        seconds, ms = divmod(self._clock_ms(), 1000)
        speed = SPEED_MM_S if self.line == "RUN" else 0
        heads = [self._heads["REQ"], self._heads["CFM"], self._heads["CHS"], self._acks["RES"], self._acks["CHC"]]
        beat = int(now_s / BEAT_S) % 65536
        block = [1, self._memory.session, beat, LINES[self.line], speed, *heads, *two(self._boot), *two(seconds), ms]
        self.registers.holding[0:16] = seal(block)


class ModbusLine:
    """A whole line: PLC, belt and server turned by one loop, with faults. Used like `sorter_line.SimulatedLine`."""

    def __init__(
        self, settings: LineSettings, memory: Memory, listen: Callable[[Registers], ModbusEnd] = ModbusServer
    ) -> None:
        chance = random.Random(settings.seed)
        self.memory = memory
        self.faults_over = False
        self.clock_step_ms = 0
        self.belt = Belt(settings.times, settings.chutes, memory)
        self.plc = ModbusPlc(self.belt, memory, self._clock_ms, chance)
        self.end = listen(self.plc.registers)
        self._flip, self._chance = settings.faults.flip, chance
        self.plc.registers.damage = self._damaged
        self._alarms: list[Alarm] = []
        self._scan_s = time.monotonic()
        self.plc.power_on(self._scan_s)
        acts = {"unplug": self.unplug, "reboot": self.reboot, "clockstep": self._step_clock}
        for timed in settings.faults.timed:
            if timed.name in acts:
                self._again(acts[timed.name], timed.lasts_s, timed.every_s, self._scan_s + timed.every_s)

    def offer(self, offer: Offer, scanned_s: float | None = None) -> Parcel | None:
        """A parcel passes the scanner; None while the line has no power."""
        if not self.plc.powered:
            return None
        return self.plc.offer(offer, time.monotonic() if scanned_s is None else scanned_s)

    def at(self, at_s: float, do: Callable[[], None]) -> None:
        self._alarms.append(Alarm(at_s, do))

    def unplug(self, for_s: float) -> None:
        self.end.unplug()
        self.at(time.monotonic() + for_s, self.end.plug)

    def reboot(self, off_s: float) -> None:
        if self.plc.powered:
            self.plc.power_off()
            self.end.unplug()

            def back() -> None:
                self.plc.power_on(time.monotonic())
                self.end.plug()

            self.at(time.monotonic() + off_s, back)

    def turn(self, at_most_s: float = SCAN_S) -> None:
        """Answer the gateway until the next cycle of the PLC, then do it."""
        end_s = min(self._scan_s + SCAN_S, time.monotonic() + at_most_s)
        while (left_s := end_s - time.monotonic()) > 0:
            self.end.serve(left_s)
            if self.plc.powered and self.plc.answered:
                break  # what the gateway wrote is seen at once, as by a PLC with a short cycle
        now_s = time.monotonic()
        for alarm in [alarm for alarm in self._alarms if alarm.at_s <= now_s]:
            self._alarms.remove(alarm)
            alarm.do()
        self._scan_s = now_s
        self.plc.scan(now_s)

    def _damaged(self, values: list[int]) -> list[int]:
        if self.faults_over or self._chance.random() >= self._flip:
            return values
        place = self._chance.randrange(len(values))
        return [*values[:place], values[place] ^ 1 << self._chance.randrange(16), *values[place + 1 :]]

    def _again(self, act: Callable[[float], None], lasts_s: float, every_s: float, at_s: float) -> None:
        def happens() -> None:
            if not self.faults_over:
                act(lasts_s)
                self._again(act, lasts_s, every_s, at_s + every_s)

        self.at(at_s, happens)

    def _step_clock(self, seconds: float) -> None:
        self.clock_step_ms = 0 if self.clock_step_ms else int(seconds * 1000)

    def _clock_ms(self) -> int:
        return time.time_ns() // 1_000_000 + self.clock_step_ms
