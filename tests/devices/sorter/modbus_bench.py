"""A line over Modbus in virtual time: the gateway's session against the simulated PLC, register by register."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from devices.drivers.sorter_modbus.session import ModbusSession
from devices.drivers.sorter_wsp.bookings import Bookings
from devices.drivers.sorter_wsp.deeds import Moment, Record
from devices.errors import DeviceError
from devices.routes import RouteTable
from devices.simulators.sorter_belt import Belt, BeltTimes, Offer
from devices.simulators.sorter_memory import Memory
from devices.simulators.sorter_modbus import ModbusPlc

POLL_S = 0.020


class Line:
    """A session and a PLC in virtual time, register by register; `damage` is what the wire does to a read."""

    def __init__(self, rows: dict[str, str] | None = None, *, seed: int = 1) -> None:
        self.now_s = 100.0
        self.routes = RouteTable(valid_s=1e9)
        changes = [{"code": code, "chute": chute} for code, chute in (rows or {"SF1": "7", "SF2": "8/9"}).items()]
        self.routes.apply({"version": 3, "full": True, "changes": changes}, self.now_s)
        self.memory = Memory()
        self.belt = Belt(BeltTimes(0.3, 0.5, 2.0), range(1, 21), self.memory)
        self.plc = ModbusPlc(self.belt, self.memory, lambda: 1_790_000_000_000, random.Random(seed))
        self.disk: list[Record] = []
        self.disk_full = False
        self.connected = True
        self.plc.power_on(self.now_s)
        self.start()

    def start(self) -> None:
        """A gateway that has just started: what is on disk is all it knows."""
        kept = [record.facts for record in self.disk if record.kind == "cfm"]
        self.session = ModbusSession(
            boot=random.Random(len(self.disk)).getrandbits(32),
            routes=self.routes,
            window_ms=300,
            server_reachable=lambda: False,
            bookings=Bookings(kept),
        )
        self.session.opened(self.moment())

    def moment(self) -> Moment:
        return Moment(self.now_s, 1_790_000_000_000)

    def read(self, address: int, count: int) -> Sequence[int]:
        return self.plc.registers.damage(self.plc.registers.holding[address : address + count])

    def write(self, address: int, values: Sequence[int]) -> None:
        self.plc.registers.holding[address : address + len(values)] = values

    def turn(self, seconds: float = POLL_S) -> None:
        end_s = self.now_s + seconds
        while self.now_s < end_s:
            self.now_s += POLL_S
            self.plc.scan(self.now_s)
            if self.connected and self.plc.powered:
                self.session.poll(self, self.moment)
            for deed in self.session.take_deeds():
                assert isinstance(deed, Record)
                self.store(deed)
            self.plc.scan(self.now_s + POLL_S / 2)

    def store(self, record: Record) -> None:
        if not self.disk_full:
            self.disk.append(record)
        if record.key and self.disk_full:
            self.session.unrecorded(record.key, self.moment())
        elif record.key:
            self.session.recorded(record.key)

    def offer(self, *codes: str) -> None:
        self.plc.offer(Offer(codes), self.now_s)

    def of_kind(self, kind: str) -> list[dict[str, Any]]:
        return [dict(record.facts) for record in self.disk if record.kind == kind]

    def ended(self) -> list[tuple[Any, Any, Any]]:
        return [(parcel.pid, parcel.chute, parcel.result) for parcel in self.belt.discharges]

    def booked(self) -> list[tuple[Any, Any, Any]]:
        return [(facts["pid"], facts["chute"], facts["result"]) for facts in self.of_kind("cfm")]


class RoughLine(Line):
    """The same where everything goes wrong: calls that fail before or after they were done, a PLC that misses its
    cycle, bits that flip, commits that take their time.
    """

    def __init__(self, rows: dict[str, str], *, seed: int, fails: float) -> None:
        self.chance = random.Random(seed)
        self._fails = fails
        self._committing: list[tuple[float, Record]] = []
        super().__init__(rows, seed=seed)
        self.plc.registers.damage = self._damaged

    def calm(self) -> None:
        """From now on nothing goes wrong any more."""
        self._fails = 0.0
        self.plc.registers.damage = lambda values: values
        self.connected, self.disk_full = True, False
        if not self.plc.powered:
            self.plc.power_on(self.now_s)

    def kill(self) -> None:
        """SIGKILL and a new start: what was not committed is gone."""
        self._committing.clear()
        self.start()

    def read(self, address: int, count: int) -> Sequence[int]:
        self._perhaps_fail(self._fails)
        return super().read(address, count)

    def write(self, address: int, values: Sequence[int]) -> None:
        self._perhaps_fail(self._fails)
        super().write(address, values)
        self._perhaps_fail(self._fails)

    def turn(self, seconds: float = POLL_S) -> None:
        end_s = self.now_s + seconds
        while self.now_s < end_s:
            self.now_s += POLL_S
            if self.chance.random() < 0.7:
                self.plc.scan(self.now_s)
            if self.connected:
                self._poll()
            for deed in self.session.take_deeds():
                assert isinstance(deed, Record)
                self._committing.append((self.now_s + self.chance.uniform(0.01, 0.1), deed))
            self._commit()
            self.plc.scan(self.now_s + POLL_S / 2)

    def _poll(self) -> None:
        try:
            self.session.poll(self, self.moment)
        except DeviceError:
            self.session.closed()
            self.session.opened(self.moment())

    def _commit(self) -> None:
        for due in [due for due in self._committing if due[0] <= self.now_s]:
            self._committing.remove(due)
            self.store(due[1])

    def _perhaps_fail(self, share: float) -> None:
        if not self.plc.powered or self.chance.random() < share:
            raise DeviceError("the call came to nothing")

    def _damaged(self, values: list[int]) -> list[int]:
        if self.chance.random() >= 0.05:
            return values
        place = self.chance.randrange(len(values))
        return [*values[:place], values[place] ^ 1 << self.chance.randrange(16), *values[place + 1 :]]
