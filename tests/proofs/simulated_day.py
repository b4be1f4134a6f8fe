"""A whole day in one process: thirty PDAs, four gateways, every kind of fault, and not one piece goes astray."""

from __future__ import annotations

import time
from pathlib import Path
from random import SystemRandom
from typing import Any

from tests.proofs.day.faults import FAULTS
from tests.proofs.day.hand import Hand
from tests.proofs.day.park import MARK_EVERY_SCANS, PDAS, STATIONS, Day
from tests.proofs.day.time import ruled
from tests.proofs.frame import SQLITE, Ground, Outcome, proof, twin
from tests.proofs.sabotage import replaced
from wms.core import perform

ONE_IN = 6


def lived(url: str, folder: Path, seed: int, scans: int, until: int = 0) -> tuple[Day, str]:
    """One day, and the hash of its trace; with `until` only its beginning."""
    day = Day(url, folder, seed, scans, ONE_IN)
    day.until = until or scans
    with ruled(day.time, seed):
        try:
            day.build()
            day.live()
        finally:
            day.server.close()
    return day, day.trace.close()


@proof(
    name="simulated_day",
    promises=(1, 2, 3, 4, 6, 7, 8),
    on=(SQLITE,),
    small={"scans": 90, "kinds": 25, "again": 60},
    full={"scans": 50_000, "kinds": len(FAULTS), "again": 500},
    goal="every acknowledged scan's effect is there once, an independent account of the goods agrees, and the same "
    "seed gives the same trace",
)
def simulated_day(ground: Ground, *, scans: int, kinds: int, again: int) -> Outcome:
    began_s = time.monotonic()
    day, trace = lived(ground.url, ground.folder, ground.seed, scans)
    took_s = time.monotonic() - began_s
    broken = list(day.world.broken)
    happened = dict(sorted(day.deck.happened.items()))
    if len(happened) < kinds:
        broken.append(f"{len(happened)} kinds of fault happened, {kinds} were wanted: {sorted(happened)}")
    broken += _same_again(ground, day, scans, again)
    size = f"{day.world.scans:,} scans, {PDAS} PDAs, {len(STATIONS)} gateways, {sum(happened.values()):,} faults"
    facts = {
        "kinds of fault": len(happened),
        "acknowledged": len(day.world.acknowledged),
        "conflicts shown": day.world.conflicts,
        "trace": trace[:16],
    }
    return Outcome(size, tuple(broken), day.world.scans / took_s, "scans/s", facts)


def _same_again(ground: Ground, day: Day, scans: int, again: int) -> list[str]:
    """The beginning of the same day once more, on a fresh database: the same trace, mark for mark."""
    folder = ground.folder / "again"
    folder.mkdir(exist_ok=True)
    second, _trace = lived(ground.another_url(), folder, ground.seed, scans, again)
    wrong = [f"the same day again: {each}" for each in second.world.broken]
    common = sorted(set(day.marks) & set(second.marks))
    if not common or common[-1] < again // MARK_EVERY_SCANS * MARK_EVERY_SCANS:
        wrong.append(f"the same day again ended at {second.world.scans} scans, {again} were wanted")
    parted = [mark for mark in common if day.marks[mark] != second.marks[mark]]
    return wrong + [f"the same seed went another way before scan {mark}" for mark in parted[:1]]


@twin(of="simulated_day", sabotage="every arrival counts as a new command", small={"scans": 60, "kinds": 0, "again": 0})
def day_without_ids(ground: Ground, *, scans: int, kinds: int, again: int) -> Outcome:
    """A retry whose answer was lost acts twice: the goods on the shelves and the books part."""
    kept, numbers = perform._do, iter(range(10**9))

    def do(db: Any, clock: Any, who: Any, request_id: str, *more: Any) -> Any:
        return kept(db, clock, who, f"{request_id}/{next(numbers)}", *more)

    with replaced(perform, _do=do):
        return _of(lived(ground.url, ground.folder, ground.seed, scans)[0])


@twin(of="simulated_day", sabotage="chance is not the seed's", small={"scans": 60, "kinds": 0, "again": 60})
def day_of_true_chance(ground: Ground, *, scans: int, kinds: int, again: int) -> Outcome:
    """Somebody's dice are not seeded: the same seed no longer gives the same day."""
    day, _trace = lived(ground.url, ground.folder, ground.seed, scans)
    with replaced(Hand, chance=lambda _hand: SystemRandom()):
        return Outcome(f"{day.world.scans:,} scans", tuple(_same_again(ground, day, scans, again)))


def _of(day: Day) -> Outcome:
    return Outcome(f"{day.world.scans:,} scans", tuple(day.world.broken))
