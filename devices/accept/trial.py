"""One acceptance run: parcels offered on time, faults by the clock, and the count at the end.

What a parcel's end really was is known from the simulated belt; what the gateway made of it is read from its outbox.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from devices.accept.plan import CHUTES, AcceptPlan
from devices.accept.rejects import explain
from devices.accept.server_process import ServerProcess
from devices.accept.station import GatewayProcess
from devices.errors import DeviceError
from devices.simulators.sorter_belt import BeltTimes, Discharge
from devices.simulators.sorter_cable import CableEnd, PtyEnd, TcpEnd
from devices.simulators.sorter_faults import Faults, Timed
from devices.simulators.sorter_line import TURN_S_MAX, LineSettings, SimulatedLine
from devices.simulators.sorter_memory import Memory
from devices.simulators.sorter_modbus import ModbusLine

SESSION_S_MAX: Final = 30.0
SETTLE_S: Final = 0.5
# After the last parcel: what is still unconfirmed must be confirmed within this time.
DRAIN_S_MAX: Final = 60.0


@dataclass(frozen=True, slots=True)
class TrialSettings:
    """What is to be tried. `rate`: parcels per hour."""

    parcels: int
    rate: float
    faults: Faults
    seed: int
    tcp: bool = False
    modbus: bool = False
    baud: int = 115_200
    times: BeltTimes = BeltTimes(window_s=0.300, chute_s=0.500, lap_s=2.000)  # noqa: RUF009  # frozen, so safely shared


@dataclass(slots=True)
class TrialReport:
    """What came of it. Latency: scan to the last byte of the answer at the PLC, over all scans that got one."""

    parcels: int
    sorted: int
    rejected: int
    wrong_diverts: int
    confirms_lost: int
    p50_ms: float | None
    p99_ms: float | None
    p999_ms: float | None
    scans: int
    unanswered: int
    booked_twice: int
    unacknowledged: int
    results: dict[str, int]
    rejected_because: dict[str, int]
    unexplained: int
    gateway_starts: int
    gateway_cpu_s: float
    server_events: int | None
    seconds: float
    realtime: bool
    calibration_ms: float

    def holds(self) -> bool:
        """The promises, not the figures of this machine."""
        broken = self.wrong_diverts + self.confirms_lost + self.booked_twice + self.unacknowledged + self.unexplained
        return broken == 0 and self.sorted + self.rejected == self.parcels

    def as_line(self) -> dict[str, object]:
        return asdict(self)


class Trial:
    """Everything a run needs, in `folder`; call `run` once."""

    def __init__(self, settings: TrialSettings, folder: Path) -> None:
        self._settings = settings
        self._plan = AcceptPlan(settings.seed)
        self._plan.write(folder / "plan.csv")
        names = {timed.name for timed in settings.faults.timed}
        self._server = ServerProcess(folder, self._plan) if "wms_down" in names else None
        line_settings = LineSettings(
            chutes=range(1, CHUTES + 1),
            times=settings.times,
            baud=0 if settings.tcp else settings.baud,
            faults=settings.faults,
            seed=settings.seed,
        )
        # In memory only: a write to the disk that the gateway syncs would hold up the measuring line itself.
        self._line = _line(settings, line_settings, folder)
        self._gateway = GatewayProcess(
            folder,
            self._line.end.address,
            round(settings.times.window_s * 1000),
            self._server.url if self._server else "",
            stepped_clock="clockstep" in names,
            driver="sorter_modbus" if settings.modbus else "sorter_wsp",
        )
        self._discharges: list[Discharge] = []
        self._over = False
        self._clock_off = False
        self._realtime = False

    def run(self) -> TrialReport:
        """Offer all parcels, let everything come to rest, count. Raises DeviceError if no session comes about."""
        begun_s = time.monotonic()
        self._realtime = ask_for_realtime()
        try:
            self._gateway.start()
            self._gateway.wait_for_routes()
            self._wait_for_session()
            self._arm_faults()
            self._offer_all()
            self._come_to_rest()
            cpu_s = self._gateway.cpu_s()
        finally:
            self._gateway.stop()
            if self._server is not None:
                self._server.kill()
            self._line.end.unplug()
            self._line.memory.close()
        return self._report(time.monotonic() - begun_s, cpu_s)

    def _wait_for_session(self) -> None:
        end_s = time.monotonic() + SESSION_S_MAX
        while not self._line.plc.answered:
            if time.monotonic() > end_s:
                raise DeviceError(f"the gateway did not answer the line in {SESSION_S_MAX:g} s")
            self._line.turn()
        self._turn_until(time.monotonic() + SETTLE_S)

    def _offer_all(self) -> None:
        every_s = 3600.0 / self._settings.rate
        next_s = time.monotonic()
        for offer in self._plan.offers(self._settings.parcels):
            self._turn_until(next_s)
            while self._line.offer(offer, next_s) is None:
                # The line stands without power: parcels wait before the scanner.
                self._turn_until(time.monotonic() + TURN_S_MAX)
                next_s = time.monotonic()
            next_s += every_s

    def _turn_until(self, end_s: float) -> None:
        while (left_s := end_s - time.monotonic()) > 0:
            self._line.turn(min(left_s, TURN_S_MAX))
            self._collect()

    def _come_to_rest(self) -> None:
        self._over = self._line.faults_over = True
        end_s = time.monotonic() + DRAIN_S_MAX
        while time.monotonic() < end_s:
            if not self._line.belt.parcels() and not self._line.memory.unacknowledged and self._line.plc.powered:
                return
            self._line.turn()
            self._collect()

    def _collect(self) -> None:
        discharges = self._line.belt.discharges
        while discharges:
            self._discharges.append(discharges.popleft())

    # --- faults of the station; those of the line are done by the line ------------------------------------------------

    def _arm_faults(self) -> None:
        acts: dict[str, Callable[[Timed], None]] = {
            "kill": lambda timed: self._gateway.kill(),
            "disk_full": self._disk_full,
            "wms_down": self._wms_down,
            "clockstep": self._step_clock,
        }
        for timed in self._settings.faults.timed:
            if timed.name in acts:
                self._again(timed, acts[timed.name], time.monotonic() + timed.every_s)

    def _again(self, timed: Timed, act: Callable[[Timed], None], at_s: float) -> None:
        def happens() -> None:
            if not self._over:
                act(timed)
                self._again(timed, act, at_s + timed.every_s)

        self._line.at(at_s, happens)

    def _disk_full(self, timed: Timed) -> None:
        self._gateway.fill_disk()
        self._line.at(time.monotonic() + timed.lasts_s, self._gateway.empty_disk)

    def _wms_down(self, timed: Timed) -> None:
        assert self._server is not None
        self._server.kill()
        self._line.at(time.monotonic() + timed.lasts_s, self._server.start)

    def _step_clock(self, timed: Timed) -> None:
        """The other way than the PLC's clock, so that the two are apart by twice the step."""
        self._clock_off = not self._clock_off
        self._gateway.step_clock(-timed.lasts_s if self._clock_off else 0.0)

    # --- counting -----------------------------------------------------------------------------------------------------

    def _report(self, seconds: float, cpu_s: float) -> TrialReport:
        self._collect()
        booked: Counter[object] = Counter()
        told: dict[object, tuple[object, object]] = {}
        reasons: dict[object, object] = {}
        for kind, facts in self._gateway.events():
            if kind == "cfm":
                booked[facts["pid"]] += 1
                told[facts["pid"]] = (facts["chute"], facts["result"])
            elif kind == "divert":
                reasons[facts["pid"]] = facts["reason"]
        results = Counter(discharge.result for discharge in self._discharges)
        lost = sum(told.get(parcel.pid) != (parcel.chute, parcel.result) for parcel in self._discharges)
        rejects = explain(self._discharges, {pid: result for pid, (_, result) in told.items()}, reasons)
        latencies = sorted(self._line.belt.latencies_ms)
        return TrialReport(
            parcels=self._settings.parcels,
            sorted=results["OK"],
            rejected=len(self._discharges) - results["OK"],
            wrong_diverts=sum(map(self._plan.is_wrong, self._discharges)),
            confirms_lost=lost,
            p50_ms=percentile(latencies, 0.50),
            p99_ms=percentile(latencies, 0.99),
            p999_ms=percentile(latencies, 0.999),
            scans=self._line.belt.scans,
            unanswered=self._line.belt.unanswered,
            booked_twice=sum(count - 1 for count in booked.values()),
            unacknowledged=len(self._line.memory.unacknowledged),
            results=dict(results),
            rejected_because=rejects.because,
            unexplained=rejects.unexplained,
            gateway_starts=self._gateway.starts,
            gateway_cpu_s=round(cpu_s, 2),
            server_events=self._server.events() if self._server else None,
            seconds=round(seconds, 1),
            realtime=self._realtime,
            calibration_ms=round(calibrate(), 2),
        )


def _line(settings: TrialSettings, line_settings: LineSettings, folder: Path) -> SimulatedLine | ModbusLine:
    if settings.modbus:
        return ModbusLine(line_settings, Memory())
    end: CableEnd = TcpEnd() if settings.tcp else PtyEnd(folder / "line", settings.baud)
    return SimulatedLine(end, line_settings, Memory())


def percentile(ordered: Sequence[float], share: float) -> float | None:
    """The smallest value that `share` of all do not exceed (nearest rank); None of nothing."""
    if not ordered:
        return None
    rank = max(1, -(-len(ordered) * share // 1))
    return round(ordered[min(len(ordered), int(rank)) - 1], 2)


def ask_for_realtime() -> bool:
    """Put this process and the gateway it starts before others, as the station's service unit does; False if refused.

    A simulated cable that is late by a time slice of some other program would be counted as the gateway's slowness.
    """
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    except (OSError, AttributeError):
        return False
    return True


def calibrate() -> float:
    """Milliseconds this machine takes now for a fixed piece of work, to compare figures of different machines."""
    begun_s = time.perf_counter()
    total = 0
    for number in range(1_000_000):
        total += number & 7
    assert total > 0
    return (time.perf_counter() - begun_s) * 1000
