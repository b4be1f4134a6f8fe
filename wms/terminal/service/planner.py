"""What a supervisor asked for and what takes long: stock promised, waves gathered, planned and released.

One thread does one thing after the other, each in short steps (`wms.exchange.waves`). How far a plan got stands in the
database; a server that stops meanwhile leaves it there, and it is told as lost.
"""

from __future__ import annotations

import queue
import threading
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import structlog

from wms.core.call import Who
from wms.core.clock import Clock
from wms.core.db import Database
from wms.core.refusal import Reason, Refused
from wms.exchange import waves
from wms.outbound import queries as outbound
from wms.picking.queries import plans
from wms.picking.values import PlanState

QUEUE_MAX = 200
WAVE_ORDERS_LARGE = 5_000
LIVE = "live"

log = structlog.get_logger(__name__)


class Job(StrEnum):
    """What the planner can be asked for."""

    ALLOCATE = "allocate"
    GATHER = "gather"
    CUT_OFF = "cut_off"
    WAVE = "wave"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A job: `wave` names a wave; `courier` and `at` a cut-off, `at` alone until when is gathered."""

    job: Job
    wave: str = ""
    courier: str = ""
    at: datetime | None = None


class Planner:
    """One for a running house. The thread begins with the first job."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db, self._clock = db, clock
        self._wanted: queue.Queue[tuple[Who, Wanted]] = queue.Queue(QUEUE_MAX)
        self._pending: list[tuple[int, Wanted]] = []
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def want(self, who: Who, wanted: Wanted) -> None:
        """Do it when its turn comes. Asked again before that, it is done once. Raises BUSY."""
        with self._lock:
            if (who.warehouse_id, wanted) in self._pending:
                return
            try:
                self._wanted.put_nowait((who, wanted))
            except queue.Full as error:
                raise Refused(Reason.BUSY) from error
            self._pending.append((who.warehouse_id, wanted))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="wave-planner", daemon=True)
                self._thread.start()

    def busy_with(self, warehouse_id: int) -> list[Wanted]:
        """What this planner has to do for a building, the job in hand first."""
        with self._lock:
            return [wanted for where, wanted in self._pending if where == warehouse_id]

    def wait_until_idle(self) -> None:
        """Until everything asked for so far is done or failed."""
        self._wanted.join()

    def _run(self) -> None:
        while True:
            who, wanted = self._wanted.get()
            house = waves.House(self._db, self._clock, who)
            try:
                self._do(house, wanted)
            except Refused as no:
                self._failed(house, wanted, no)
            except Exception as error:
                log.error("wave.job_failed", job=wanted.job.value, wave=wanted.wave, exc_info=error)
                self._failed(house, wanted, Refused(Reason.BUSY))
            finally:
                with self._lock:
                    self._pending.remove((who.warehouse_id, wanted))
                self._db.wakes.wake([LIVE])
                self._wanted.task_done()

    def _do(self, house: waves.House, wanted: Wanted) -> None:
        if wanted.job is Job.ALLOCATE:
            waves.allocate(house)
        elif wanted.job is Job.GATHER:
            waves.gather(house, wanted.at, orders_max=WAVE_ORDERS_LARGE)
        elif wanted.job is Job.CUT_OFF:
            assert wanted.at is not None, "a cut-off has its moment"
            for no in waves.send_cut_off(house, wanted.courier, wanted.at):
                self.want(house.who, Wanted(Job.WAVE, no))
        else:
            self._wave(house, wanted.wave)

    def _wave(self, house: waves.House, no: str) -> None:
        """Plan it or release it, whichever it waits for."""
        where = house.who.warehouse_id
        found = self._db.read(lambda session: outbound.wave_by_no(session, where, no))
        kept = self._db.read(lambda session: plans.plan_of_wave(session, found.id))
        if kept is not None and kept.state is PlanState.RELEASING:
            waves.release(house, no)
        elif kept is not None and kept.state is PlanState.WAITING:
            waves.plan(house, no, lambda: self._waiting(where, no))

    def _waiting(self, warehouse_id: int, in_hand: str) -> list[int]:
        """The ids of the plans that wait for this planner behind the one in hand."""
        numbers = [one.wave for one in self.busy_with(warehouse_id) if one.wave and one.wave != in_hand]
        return self._db.read(lambda session: plans.waiting_plans(session, warehouse_id, numbers)) if numbers else []

    def _failed(self, house: waves.House, wanted: Wanted, no: Refused) -> None:
        """A wave that could not be planned is a draft again, and its card says why."""
        log.warning("wave.job_refused", job=wanted.job.value, wave=wanted.wave, reason=no.reason.value)
        if wanted.wave:
            try:
                waves.give_up(house, wanted.wave, no)
            except Refused as gone:
                log.warning("wave.not_a_draft_again", wave=wanted.wave, reason=gone.reason.value)
