"""The process that plans waves: goods in, better and better plans out. It never opens a database.

It is started by `wms.picking.service.apart` and by nobody else; both ends are this program, so nothing from outside is
ever unpickled. What comes in, wave after wave: an `Ask`, lists of `Goods`, None. The end of the stream says stop: the
best plan so far is laid out, and the process ends. What goes out: `Better` each time a plan is shorter, lists of
`PlannedBatch` without their goods, `Done` or `No`; and `Free` when another wave may be asked for.
"""

from __future__ import annotations

import os
import pickle
import queue
import resource
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

from wms.core.refusal import Refused
from wms.optimise.batching import BatchPlan
from wms.optimise.batching.crowding import Crew
from wms.optimise.geometry import RectHall
from wms.picking.rules.nearby import least_mm, nearer, shelves
from wms.picking.rules.nearby_check import check_nearer
from wms.picking.rules.planning import check_sound, first_come_mm, improving, laid_out, most_visited_zone, problem_of
from wms.picking.rules.spread import spread_out
from wms.picking.values import CartLimits, Goods, Lying, PlannedBatch, Problem, WavePlan

NICE = 15
IDLE_S = 300.0  # nobody asked anything for so long: the memory is given back
REUSED_MB_MAX = 256  # who has grown larger over a large wave is not kept
QUIET_S = 8.0  # no better plan for so long: it is good enough
FIRST_PLAN_S_MAX = 120.0
NEARBY_S_MAX = 8.0  # how long slots are chosen once the batches stand
FINISH_S_MAX = 1.0  # how long a search that was told to stop may take to do so
BATCHES_A_FRAME = 8
LOOK_S = 0.02
SEARCH = "search"
CREW = Crew(people=1, walk_mm_per_s=1_200, stop_s=9.0, setup_s=60.0)


@dataclass(frozen=True, slots=True)
class Ask:
    """What is asked of the solver. The goods follow in bites, and what lies where with them."""

    wave_no: str
    hall: RectHall
    limits: CartLimits
    seed: int
    rounds: int
    think_s: float
    lying: tuple[Lying, ...] = ()
    crew: Crew = CREW


@dataclass(frozen=True, slots=True)
class Better:
    """A plan that is shorter than those before. Milliseconds since the goods were read; lengths in mm."""

    ms: int
    walk_mm: int
    lower_bound_mm: int
    batches: int


@dataclass(frozen=True, slots=True)
class Laid:
    """A batch as it goes back: its picks as (hold, stop), the goods themselves stay behind.

    `moved` are those taken from another row than they were promised from: (hold, stop, stock, quantity).
    """

    order_ids: tuple[int, ...]
    picks: tuple[tuple[int, int], ...]
    moved: tuple[tuple[int, int, int, int], ...]
    stops: int
    pieces: int
    zone_id: int
    walk_mm: int
    s_shape_mm: int
    optimal: bool
    method: str
    path: tuple[tuple[int, int], ...]
    promised_mm: int


@dataclass(frozen=True, slots=True)
class Done:
    """The plan is whole. `memory_mb` is the most this process ever held; `promised_mm` the walk over promised slots.

    So many seconds are `people` in each other's way, and would be had the batches been begun as they were found.
    """

    ms: int
    memory_mb: int
    walk_mm: int
    s_shape_mm: int
    first_come_mm: int
    lower_bound_mm: int
    promised_mm: int
    people: int = 0
    crowded_before_s: int = 0
    crowded_s: int = 0


@dataclass(frozen=True, slots=True)
class No:
    """There is no plan, and why."""

    what: str


@dataclass(frozen=True, slots=True)
class Free:
    """Nothing of the last wave is left over: another may be asked for."""


def laid(batch: PlannedBatch, promised_from: Mapping[int, int]) -> Laid:
    """A planned batch without its goods; `promised_from` is hold -> stock."""
    moved = [(stop, goods) for stop, goods in batch.picks if goods.stock_id != promised_from[goods.hold_id]]
    stays = [(stop, goods) for stop, goods in batch.picks if goods.stock_id == promised_from[goods.hold_id]]
    return Laid(
        batch.order_ids,
        tuple((goods.hold_id, stop) for stop, goods in stays),
        tuple((goods.hold_id, stop, goods.stock_id, goods.quantity) for stop, goods in moved),
        batch.stops,
        batch.pieces,
        most_visited_zone(batch),
        batch.walk_mm,
        batch.s_shape_mm,
        batch.optimal,
        batch.method,
        batch.path,
        batch.promised_mm,
    )


class _Search:
    """The search in a thread of its own, so that whoever waits for it is never held up by it."""

    def __init__(self, problem: Problem, stop: threading.Event, think_s: float) -> None:
        self._problem, self._stop = problem, stop
        self._began_s = time.monotonic()
        self._until_s = self._began_s + think_s
        self.best: BatchPlan | None = None
        self.no = ""
        self.news: list[Better] = []
        self._best_at_s = self._began_s
        self._thread = threading.Thread(target=self._run, name=SEARCH, daemon=True)
        self._thread.start()

    @property
    def ms(self) -> int:
        return round(1_000 * (time.monotonic() - self._began_s))

    def enough(self) -> bool:
        """Told to stop, out of time, nothing better for a while, or nothing better there can be."""
        now_s = time.monotonic()
        if self._stop.is_set() or now_s > self._until_s:
            return True
        best = self.best
        if best is None:
            return False
        return best.length_mm <= best.lower_bound_mm or now_s > self._best_at_s + QUIET_S

    def _run(self) -> None:
        try:
            for plan in improving(self._problem, self.enough):
                self.best, self._best_at_s = plan, time.monotonic()
                self.news.append(Better(self.ms, plan.length_mm, plan.lower_bound_mm, len(plan.batches)))
        except Refused as no:
            self.no = str(no.facts.get("what", no.reason.value))

    def over(self) -> bool:
        return not self._thread.is_alive()

    def wait(self) -> Iterator[Better]:
        """News until the search is over, or was told to end and would not; the first plan is always waited for."""
        asked_s: float | None = None
        while not self.over():
            yield from self._taken()
            if self.enough():
                asked_s = asked_s or time.monotonic()
                patience_s = FINISH_S_MAX if self.best is not None else FIRST_PLAN_S_MAX
                if time.monotonic() > asked_s + patience_s:
                    break
            self._thread.join(LOOK_S)
        yield from self._taken()

    def _taken(self) -> list[Better]:
        taken, self.news = self.news, []
        return taken


def plan(ask: Ask, goods: list[Goods], stop: threading.Event) -> Iterator[Better | list[Laid] | Done | No]:
    """What goes back to the parent, in its order."""
    problem = problem_of(ask.wave_no, ask.hall, goods, ask.limits, seed=ask.seed, rounds=ask.rounds)
    search = _Search(problem, stop, ask.think_s)
    yield from search.wait()
    if search.no or search.best is None:
        yield No(search.no or "no plan was found in time")
        return
    found = WavePlan(problem, search.best)
    promised = laid_out(found)
    try:
        check_sound(found)
        chosen = _nearer(ask, promised, stop)
        check_nearer(promised, chosen, ask.hall, ask.lying)
        begun = spread_out(chosen, ask.hall, ask.crew)
    except Refused as no:
        yield No(str(no.facts.get("what", no.reason.value)))
        return
    promised_from = {goods.hold_id: goods.stock_id for its in problem.goods.values() for goods in its}
    batches = [laid(batch, promised_from) for batch in begun.batches]
    for first in range(0, len(batches), BATCHES_A_FRAME):
        yield batches[first : first + BATCHES_A_FRAME]
    walk_mm = sum(batch.walk_mm for batch in batches)
    yield Done(
        search.ms,
        _memory_mb(),
        walk_mm,
        sum(batch.s_shape_mm for batch in batches),
        first_come_mm(replace(problem, rounds=0)),
        _bound(problem, found, ask, walk_mm),
        found.batches.length_mm,
        begun.people,
        begun.crowded_before_s,
        begun.crowded_s,
    )


def _nearer(ask: Ask, promised: list[PlannedBatch], stop: threading.Event) -> list[PlannedBatch]:
    """The batches picked from the slots that make their walks shortest, as far as the time allows."""
    told = stop.is_set()
    until_s = time.monotonic() + (FINISH_S_MAX if told else NEARBY_S_MAX)
    return nearer(promised, ask.hall, ask.lying, lambda: time.monotonic() > until_s or (stop.is_set() and not told))


def _bound(problem: Problem, found: WavePlan, ask: Ask, walk_mm: int) -> int:
    """No plan is shorter, whichever slots it chooses."""
    known = shelves(ask.hall, ask.lying)
    least = least_mm(problem.goods, problem.orders, problem.carts, problem.hall, known) if ask.lying else walk_mm
    return min(found.batches.lower_bound_mm, least, walk_mm)


def _listen(stream: BinaryIO, heard: queue.SimpleQueue[Any], stop: threading.Event) -> None:
    """What the parent says, as it comes; its end says stop."""
    try:
        while True:
            heard.put(pickle.load(stream))
    except (EOFError, OSError, pickle.UnpicklingError):
        stop.set()
        heard.put(None)


def _told(heard: queue.SimpleQueue[Any]) -> Iterator[Goods | Lying]:
    while (some := heard.get()) is not None:
        yield from some


def _next_ask(heard: queue.SimpleQueue[Any]) -> Ask | None:
    """What is asked next; None when nobody will, or did not for long."""
    try:
        asked: Ask | None = heard.get(timeout=IDLE_S)
    except queue.Empty:
        return None
    return asked


def _may_go_on(stop: threading.Event) -> bool:
    """Nobody said stop, no search that would not stop is still at it, and the memory is small."""
    quiet = not any(thread.name == SEARCH for thread in threading.enumerate())
    return quiet and not stop.is_set() and _memory_mb() <= REUSED_MB_MAX


def _memory_mb() -> int:
    """The most this process ever held. Linux hands getrusage's figure on from whoever started it, so not by that."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) // 1024
    except (OSError, StopIteration):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def main() -> None:
    """Wave after wave in, a plan for each out."""
    os.nice(NICE)
    given, out = sys.stdin.buffer, sys.stdout.buffer
    heard: queue.SimpleQueue[Any] = queue.SimpleQueue()
    stop = threading.Event()
    threading.Thread(target=_listen, args=(given, heard, stop), daemon=True).start()
    while (asked := _next_ask(heard)) is not None:
        told = list(_told(heard))
        goods = [one for one in told if isinstance(one, Goods)]
        lying = tuple(one for one in told if isinstance(one, Lying))
        for frame in plan(replace(asked, lying=lying), goods, stop):
            pickle.dump(frame, out)
            out.flush()
        if not _may_go_on(stop):
            break
        pickle.dump(Free(), out)
        out.flush()
    os._exit(0)  # a search that would not stop holds up nobody
