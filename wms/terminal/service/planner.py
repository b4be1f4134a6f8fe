"""Waves on their way to the floor: planned one after the other by a thread, released when their plan is there.

A wave that is being planned says so in the database; how far it got, and why it failed, is known here only. A server
that stops meanwhile leaves it "planning": the overview offers to make it a draft again.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from wms.core import audit_trail
from wms.core.call import Call, Who
from wms.core.clock import Clock
from wms.core.db import Database
from wms.core.perform import system_call
from wms.core.refusal import Reason, Refused
from wms.outbound import service as outbound
from wms.picking import service as picking
from wms.picking.values import Planned, Problem, WavePlan
from wms.terminal.queries.waves import PLANNED
from wms.terminal.service.solving import THINK_S, plan_apart

QUEUE_MAX = 200
TRIES_MAX = 3
REMEMBERED_MAX = 500
LIVE = "live"

Solve = Callable[[Problem], tuple[WavePlan, int]]
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a wave got: "waiting", "planning", "released" or "failed" with the refusal. `since_s` is monotonic."""

    step: str
    since_s: float
    no: Refused | None = None


@dataclass(frozen=True, slots=True)
class _Wanted:
    who: Who
    wave_no: str


class Planner:
    """One for a running house. The thread begins with the first wave."""

    def __init__(self, db: Database, clock: Clock, solve: Solve = plan_apart) -> None:
        self._db, self._clock, self._solve = db, clock, solve
        self._wanted: queue.Queue[_Wanted] = queue.Queue(QUEUE_MAX)
        self._progress: dict[tuple[int, str], Progress] = {}
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def release(self, who: Who, wave_no: str) -> None:
        """Plan and release a wave that is marked as being planned. Asked twice, planned once. Raises BUSY."""
        key = who.warehouse_id, wave_no
        with self._lock:
            if key in self._progress and self._progress[key].step in ("waiting", "planning"):
                return
            try:
                self._wanted.put_nowait(_Wanted(who, wave_no))
            except queue.Full as error:
                raise Refused(Reason.BUSY) from error
            self._remember(key, Progress("waiting", time.monotonic()))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="wave-planner", daemon=True)
                self._thread.start()

    def progress(self, warehouse_id: int, wave_no: str) -> Progress | None:
        """How far it got, as far as this process knows."""
        with self._lock:
            return self._progress.get((warehouse_id, wave_no))

    def seconds_left(self, progress: Progress) -> int:
        """How long the arithmetic may still take at most."""
        return max(0, round(THINK_S - (time.monotonic() - progress.since_s)))

    def wait_until_idle(self) -> None:
        """Until everything asked for so far is released or failed."""
        self._wanted.join()

    def _remember(self, key: tuple[int, str], progress: Progress) -> None:
        while len(self._progress) >= REMEMBERED_MAX:
            self._progress.pop(next(iter(self._progress)))
        self._progress[key] = progress

    def _tell(self, wanted: _Wanted, step: str, no: Refused | None = None) -> None:
        with self._lock:
            self._remember((wanted.who.warehouse_id, wanted.wave_no), Progress(step, time.monotonic(), no))
        self._db.wakes.wake([LIVE])

    def _run(self) -> None:
        while True:
            wanted = self._wanted.get()
            try:
                self._tell(wanted, "planning")
                self._plan(wanted)
                self._tell(wanted, "released")
            except Refused as no:
                self._give_up(wanted, no)
            except Exception as error:
                log.error("wave.planning_failed", wave=wanted.wave_no, exc_info=error)
                self._give_up(wanted, Refused(Reason.BUSY))
            finally:
                self._wanted.task_done()

    def _plan(self, wanted: _Wanted) -> None:
        """Read, reckon, write. Orders may be cancelled meanwhile; other goods promised meanwhile ask for a new plan."""
        for attempt in range(1, TRIES_MAX + 1):
            problem = self._db.read(
                lambda session: picking.prepare_wave(session, wanted.who.warehouse_id, wanted.wave_no)
            )
            plan = self._solve(problem) if problem.orders else None
            try:
                self._act(wanted, f"{attempt}", lambda call, plan=plan: _release(call, wanted.wave_no, plan))  # type: ignore[misc]
            except Refused as no:
                if no.reason is not Reason.CHANGED_MEANWHILE or attempt == TRIES_MAX:
                    raise
            else:
                return

    def _give_up(self, wanted: _Wanted, no: Refused) -> None:
        """The wave is a draft again, and its card says why."""
        try:
            self._act(wanted, "given-up", lambda call: outbound.stop_planning(call, wanted.wave_no))
        except Refused as gone:
            log.warning("wave.not_a_draft_again", wave=wanted.wave_no, reason=gone.reason.value)
        self._tell(wanted, "failed", no)

    def _act(self, wanted: _Wanted, step: str, work: Callable[[Call], object]) -> None:
        request_id = f"wave:{wanted.wave_no}:{time.monotonic_ns()}:{step}"
        where, actor = wanted.who.warehouse_id, wanted.who.actor
        system_call(self._db, self._clock, where, work, request_id=request_id, actor=actor)


def _release(call: Call, wave_no: str, plan: tuple[WavePlan, int] | None) -> None:
    """Release and batches in one transaction: nobody sees a released wave without its batches."""
    orders = outbound.release_wave(call, wave_no)
    call.wakes.add(LIVE)
    if not orders or plan is None:
        audit_trail.note(call, "wave.released", wave=wave_no, orders=orders)
        return
    planned: Planned = picking.apply_plan(call, wave_no, plan[0])
    facts = {
        "batches": len(planned.batches),
        "walk_m": planned.walk_mm // 1000,
        "s_shape_m": planned.s_shape_mm // 1000,
    }
    audit_trail.note(call, PLANNED, wave=wave_no, orders=orders, first_come_m=plan[1] // 1000, **facts)
