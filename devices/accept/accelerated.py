"""`wms-devices accept --accelerated`: a million parcels in virtual time, with every fault, on all cores.

The run is cut into shifts of `SHIFT_PARCELS` parcels, each a line of its own with the next seed; so it takes little
memory, is the same for one seed whatever the machine, and a shift that went wrong can be run again alone.
"""

from __future__ import annotations

import multiprocessing
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from typing import Final

from devices.accept.rejects import explain
from devices.accept.virtual_line import VirtualLine
from devices.errors import ConfigError
from devices.simulators.sorter_faults import Timed, read_faults

SHIFT_PARCELS: Final = 2_000
ACTS: Final = frozenset({"kill", "unplug", "reboot", "disk_full", "clockstep"})


@dataclass(slots=True)
class AcceleratedReport:
    """What came of it, over all shifts. `hours`: how long the line ran by its own clock."""

    parcels: int = 0
    sorted: int = 0
    rejected: int = 0
    wrong_diverts: int = 0
    confirms_lost: int = 0
    booked_twice: int = 0
    unacknowledged: int = 0
    scans: int = 0
    unanswered: int = 0
    unexplained: int = 0
    results: dict[str, int] = field(default_factory=dict)
    rejected_because: dict[str, int] = field(default_factory=dict)
    seeds_broken: list[int] = field(default_factory=list)
    hours: float = 0.0
    seconds: float = 0.0

    def holds(self) -> bool:
        broken = self.wrong_diverts + self.confirms_lost + self.booked_twice + self.unacknowledged + self.unexplained
        return broken == 0 and self.sorted + self.rejected == self.parcels

    def as_line(self) -> dict[str, object]:
        return asdict(self)

    def add(self, other: AcceleratedReport) -> None:
        """Count another shift in."""
        for name in ("parcels", "sorted", "rejected", "wrong_diverts", "confirms_lost", "booked_twice"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name in ("unacknowledged", "unexplained", "scans", "unanswered", "hours"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.results = dict(Counter(self.results) + Counter(other.results))
        self.rejected_because = dict(Counter(self.rejected_because) + Counter(other.rejected_because))
        self.seeds_broken += other.seeds_broken


def run(
    parcels: int,
    rate: float,
    faults: str,
    seed: int,
    *,
    told: Callable[[AcceleratedReport], None] = lambda so_far: None,
    shift_parcels: int = SHIFT_PARCELS,
) -> AcceleratedReport:
    """Run all shifts; `told` hears the count after each. Raises ConfigError for a fault that has no virtual time."""
    begun_s = time.monotonic()
    read = read_faults(faults, station=True)
    if unknown := [timed.name for timed in read.timed if timed.name not in ACTS]:
        raise ConfigError(f"--accelerated knows no {unknown[0]}: there is no server in virtual time")
    total = AcceleratedReport()
    work = partial(shift, rate=rate, faults=faults)
    with multiprocessing.get_context("spawn").Pool(os.cpu_count()) as pool:
        for part in pool.imap_unordered(work, _shifts(parcels, seed, shift_parcels)):
            total.add(part)
            total.seconds = round(time.monotonic() - begun_s, 1)
            told(replace(total))
    total.hours = round(total.hours, 1)
    return total


def _shifts(parcels: int, seed: int, size: int) -> Iterator[tuple[int, int]]:
    """Parcels and seed of each."""
    for number, first in enumerate(range(0, parcels, size)):
        yield min(size, parcels - first), seed + number


def shift(work: tuple[int, int], *, rate: float, faults: str) -> AcceleratedReport:
    """One line from its start until everything is confirmed."""
    parcels, seed = work
    read = read_faults(faults, station=True)
    line = VirtualLine(replace(read, timed=()), seed=seed)
    lasts_s = parcels * 3600 / rate
    for timed in read.timed:
        _arm(line, timed, lasts_s)
    begun_s = line.now_s
    line.run(parcels, per_hour=rate)
    report = count(line, parcels)
    report.hours = (line.now_s - begun_s) / 3600
    if not report.holds():
        report.seeds_broken.append(seed)
    return report


def _arm(line: VirtualLine, timed: Timed, until_s: float) -> None:
    acts: dict[str, Callable[[], None]] = {
        "kill": line.kill_gateway,
        "unplug": lambda: line.cut_cable(timed.lasts_s),
        "reboot": lambda: line.reboot_plc(timed.lasts_s),
        "disk_full": lambda: line.fill_disk(timed.lasts_s),
        "clockstep": lambda: line.step_clock(timed.lasts_s),
    }
    number = 1
    while number * timed.every_s < until_s:
        line.at(number * timed.every_s, acts[timed.name])
        number += 1


def count(line: VirtualLine, parcels: int) -> AcceleratedReport:
    """What became of the parcels, by the belt and by the disk of the gateway."""
    ended = {parcel.pid: (parcel.chute, parcel.result) for parcel in line.belt.discharges}
    booked = line.booked()
    told = {pid: (chute, result) for pid, chute, result in booked}
    results = Counter(result for _, result in ended.values())
    diverts = (record.facts for record in line.disk if record.kind == "divert")
    reasons = {facts["pid"]: facts["reason"] for facts in diverts}
    rejects = explain(line.belt.discharges, {pid: result for pid, (_, result) in told.items()}, reasons)
    return AcceleratedReport(
        parcels=parcels,
        sorted=results["OK"],
        rejected=len(ended) - results["OK"],
        wrong_diverts=sum(map(line.plan.is_wrong, line.belt.discharges)),
        confirms_lost=sum(told.get(pid) != end for pid, end in ended.items()),
        booked_twice=len(booked) - len(told),
        unacknowledged=len(line.memory.unacknowledged),
        scans=line.belt.scans,
        unanswered=line.belt.unanswered,
        unexplained=rejects.unexplained,
        results=dict(results),
        rejected_because=rejects.because,
    )
