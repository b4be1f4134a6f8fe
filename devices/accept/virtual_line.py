"""A simulated line and a gateway session joined in virtual time: hours of bad cable in minutes, the same for one seed.

Framing, session, decisions and bookings are the driver's own, the PLC is the simulator's; only the driver's loop is
written again here, with a disk that commits after 12 ms, that can be full, and a gateway that can be killed.
"""

from __future__ import annotations

import heapq
import random
from collections import deque
from collections.abc import Callable, Iterator

from devices.accept.plan import CHUTES, AcceptPlan
from devices.drivers.sorter_wsp.bookings import Bookings
from devices.drivers.sorter_wsp.deeds import Moment, Record
from devices.drivers.sorter_wsp.session import SorterSession
from devices.routes import RouteTable
from devices.simulators.sorter_belt import Belt, BeltTimes, Discharge, Offer
from devices.simulators.sorter_faults import Faults, Lane, read_faults
from devices.simulators.sorter_memory import Memory
from devices.simulators.sorter_plc import Plc

COMMIT_S = 0.012
UNIX_MS = 1_790_000_000_000
FIRST_PID = 100_000_001
FIRST_SESSION = 4_400
STEPS_MAX = 1_000_000
STEPS_A_PARCEL_MAX = 2_000


class VirtualLine:
    """`run` offers the parcels and turns until everything has come to rest."""

    def __init__(self, faults: str | Faults = "", *, seed: int = 1, baud: int = 115_200) -> None:
        self.now_s = 1000.0
        self.chance = random.Random(seed)
        self.plan = AcceptPlan(seed)
        self.routes = RouteTable(valid_s=1e9)
        self.routes.apply({"version": 1, "full": True, "changes": self.plan.changes()}, self.now_s)
        self.memory = Memory()
        # Neither by the clock nor by chance: one seed is one course of events.
        self.memory.next_pid, self.memory.session = FIRST_PID, FIRST_SESSION
        self.belt = Belt(BeltTimes(0.3, 0.5, 2.0), range(1, CHUTES + 1), self.memory)
        self._step_ms = 0
        self.plc = Plc(self.belt, self.memory, lambda: UNIX_MS + int(self.now_s * 1000) + self._step_ms)
        read = read_faults(faults) if isinstance(faults, str) else faults
        byte_s = 10 / baud if baud else 0.0
        self.to_gateway = Lane(byte_s, read, random.Random(seed + 1))
        self.to_plc = Lane(byte_s, read, random.Random(seed + 2))
        self.disk: list[Record] = []
        self.disk_full = False
        self.plugged = True
        self._agenda: list[tuple[float, int, Callable[[], None]]] = []
        self._agenda_number = 0
        self._committing: deque[tuple[float, Record]] = deque()
        self.session = self._new_session()
        self.plc.power_on(self.now_s)

    def _new_session(self) -> SorterSession:
        kept = [record.facts for record in self.disk if record.kind == "cfm"]
        session = SorterSession(
            node="GW1",
            boot=f"{self.chance.getrandbits(32):08X}",
            routes=self.routes,
            window_ms=300,
            server_reachable=lambda: False,
            bookings=Bookings(kept),
        )
        session.opened(self._moment())
        return session

    def _later(self, at_s: float, do: Callable[[], None]) -> None:
        self._agenda_number += 1
        heapq.heappush(self._agenda, (at_s, self._agenda_number, do))

    # --- what can happen ----------------------------------------------------------------------------------------------

    def at(self, seconds: float, do: Callable[[], None]) -> None:
        """Do something `seconds` after the start."""
        self._later(1000.0 + seconds, do)

    def kill_gateway(self) -> None:
        """What is not on disk is gone."""
        self._committing.clear()
        self.to_plc.cut()
        self.session = self._new_session()

    def fill_disk(self, seconds: float) -> None:
        """Nothing can be stored for a while."""
        self.disk_full = True

        def empty() -> None:
            self.disk_full = False

        self._later(self.now_s + seconds, empty)

    def step_clock(self, seconds: float) -> None:
        """The wall clocks of both ends jump, each the other way, and back the next time."""
        self._step_ms = 0 if self._step_ms else int(seconds * 1000)

    def cut_cable(self, seconds: float) -> None:
        """Pull the cable out for a while; what was under way is gone."""
        if not self.plugged:
            return
        self.plugged = False
        self.to_gateway.cut()
        self.to_plc.cut()
        self.session.closed()
        self._later(self.now_s + seconds, self._plug)

    def _plug(self) -> None:
        self.plugged = True
        self.session.opened(self._moment())

    def reboot_plc(self, seconds: float) -> None:
        """Take the PLC's power away for a while."""
        if not self.plc.powered:
            return
        self.plc.power_off()
        self._later(self.now_s + seconds, lambda: self.plc.power_on(self.now_s))

    # --- time ---------------------------------------------------------------------------------------------------------

    def run(self, parcels: int, per_hour: float = 60_000.0, rest_s: float = 60.0) -> list[Discharge]:
        """Offer `parcels`, wait until all is confirmed; what became of each."""
        begins_s = self.now_s + 1.0
        self._offer_next(self.plan.offers(parcels), begins_s, 3600 / per_hour)
        last_s = begins_s + parcels * 3600 / per_hour + 5.0
        for _ in range(STEPS_A_PARCEL_MAX * parcels + STEPS_MAX):
            self._step()
            at_rest = not self._agenda and not self.belt.parcels() and not self.memory.unacknowledged
            if self.now_s > last_s + rest_s or (self.now_s > last_s and at_rest):
                return list(self.belt.discharges)
        raise AssertionError("the line turns without getting anywhere")

    def _scan(self, offer: Offer) -> None:
        if self.plc.powered:
            self.plc.offer(offer, self.now_s)
        else:
            self._later(self.now_s + 0.1, lambda: self._scan(offer))

    def _offer_next(self, offers: Iterator[Offer], at_s: float, every_s: float) -> None:
        offer = next(offers, None)
        if offer is None:
            return

        def scan() -> None:
            self._scan(offer)
            self._offer_next(offers, at_s + every_s, every_s)

        self._later(at_s, scan)

    def _step(self) -> None:
        self.now_s = max(self.now_s, min(self._times())) + 1e-6
        while self._agenda and self._agenda[0][0] <= self.now_s:
            heapq.heappop(self._agenda)[2]()
        self._turn_plc()
        if self.plugged:
            self._turn_gateway()
        self._turn_disk()

    def _times(self) -> list[float]:
        times = [self._agenda[0][0]] if self._agenda else []
        times += [self._committing[0][0]] if self._committing else []
        times += [self.plc.next_s(), max(self.plc.next_frame_s(), self.to_gateway.free_s)]
        times += [self.to_gateway.next_s(), self.to_plc.next_s()]
        if self.plugged:
            times.append(self.session.wake_s())
            if self.session.has_frame(self._moment()):
                times.append(self.to_plc.free_s)
        return [*times, self.now_s + 0.05]

    def _turn_plc(self) -> None:
        self.plc.hear(self.to_plc.arrived(self.now_s), self.now_s)
        self.plc.tick(self.now_s)
        while self.to_gateway.free_s <= self.now_s and (frame := self.plc.next_frame(self.now_s)):
            if self.plugged:
                self.to_gateway.send(frame, self.now_s)

    def _turn_gateway(self) -> None:
        received = self.to_gateway.arrived(self.now_s)
        if received:
            self.session.receive(received, self._moment())
        self.session.due(self._moment())
        while self.to_plc.free_s <= self.now_s:
            frame = self.session.next_frame(self._moment())
            if frame is None:
                break
            self.to_plc.send(frame, self.now_s)
        for deed in self.session.take_deeds():
            assert isinstance(deed, Record)
            self._committing.append((self.now_s + COMMIT_S, deed))

    def _turn_disk(self) -> None:
        while self._committing and self._committing[0][0] <= self.now_s:
            _, record = self._committing.popleft()
            if not self.disk_full:
                self.disk.append(record)
            if record.key and self.disk_full:
                self.session.unrecorded(record.key, self._moment())
            elif record.key:
                self.session.recorded(record.key)

    def _moment(self) -> Moment:
        return Moment(self.now_s, UNIX_MS + int(self.now_s * 1000) - self._step_ms)

    # --- counting -----------------------------------------------------------------------------------------------------

    def booked(self) -> list[tuple[object, object, object]]:
        """Every durable confirmation: pid, chute, result."""
        return [
            (record.facts["pid"], record.facts["chute"], record.facts["result"])
            for record in self.disk
            if record.kind == "cfm"
        ]
