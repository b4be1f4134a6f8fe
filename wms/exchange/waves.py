"""Waves on their way to the floor: stock promised, gathered, planned in a process apart, released batch by batch.

Each step is a transaction of its own and short, so that nobody's scan waits for a wave however large it is; between two
steps the machine is left to others for as long as the step had it, not for as long as it waited for it. A wave that is
broken off anywhere can be gone on with.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from itertools import count
from typing import Any, TypeVar

from sqlalchemy.orm import Session

from wms.core import audit_trail
from wms.core.call import Call, Who
from wms.core.clock import Clock, WallClock
from wms.core.db import Database
from wms.core.perform import Outcome, perform, stored, system_call
from wms.core.refusal import Reason, Refused
from wms.outbound import queries as outbound
from wms.outbound.rules import WAVE_ORDERS_MAX
from wms.outbound.service import allocation
from wms.outbound.service import waves as drafts
from wms.outbound.values import WaveDraft, WaveState
from wms.picking.queries import plans as plan_queries
from wms.picking.queries.alike import lying_alike
from wms.picking.service import plans
from wms.picking.service.apart import Apart
from wms.picking.service.pace import crew_of
from wms.picking.service.planning import cart_limits, goods_of
from wms.picking.solver import Ask, Better, Done
from wms.picking.values import LOST_AFTER, Goods, Lying, PlanState, Wish
from wms.site import queries as site

PLANNED = "wave.planned"
GATHER = "allocate and make waves"
THINK_S = 15
ROUNDS = 200
ROUNDS_QUICK = 1
GRACE_S = 180.0  # beyond the time to think: for the first plan of a very large wave, laying out and checking
BEAT_S = 1.0
LISTEN_S = 0.2
ORDERS_A_READ = 40
SKUS_A_READ = 20
ORDERS_A_STEP = 8
ORDERS_A_DRAFT_STEP = 200
STEPS_MAX = 100_000
REST_S_MAX = 0.1
WALL = WallClock()

T = TypeVar("T")


class House:
    """The house acts for somebody: each step in a transaction of its own, with a rest after it.

    It waits for its turn as those who scan do, instead of running between their statements.
    """

    def __init__(self, db: Database, clock: Clock, who: Who) -> None:
        self.db, self.clock, self.who = db, clock, who
        self._steps = count(1)
        self._began_ns = time.monotonic_ns()

    def act(self, work: Callable[[Call], T]) -> T:
        request_id = f"wave:{self._began_ns}:{next(self._steps)}"
        who = self.who

        def step() -> T:
            done: T = system_call(self.db, self.clock, who.warehouse_id, work, request_id=request_id, actor=who.actor)
            return done

        return self.in_turn(step)

    def read(self, work: Callable[[Session], T]) -> T:
        """A look at the rows, with a rest after it."""
        return self.in_turn(lambda: self.db.read(work))

    def in_turn(self, step: Callable[[], T]) -> T:
        """A short piece of work that waits for its turn and rests for as long as it took."""
        began_s = time.thread_time()
        with self.db.turns.taken():
            done = step()
        with self.db.turns.lent():
            time.sleep(min(REST_S_MAX, time.thread_time() - began_s))
        return done


def bites(ids: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    """The ids, so many at a time."""
    for first in range(0, len(ids), size):
        yield ids[first : first + size]


def allocate(house: House) -> tuple[int, int]:
    """Promise stock to all orders that wait for it, most urgent first, a few at a time; pieces promised and short."""
    waiting = house.read(lambda session: allocation.waiting_orders(session, house.who.warehouse_id))
    done = [
        one
        for ids in bites(waiting, ORDERS_A_STEP)
        for one in house.act(lambda call, ids=ids: allocation.allocate_these(call, ids))  # type: ignore[misc]
    ]
    return sum(one.allocated for one in done), sum(one.short for one in done)


def gather(house: House, until: datetime | None = None, *, orders_max: int = WAVE_ORDERS_MAX) -> list[str]:
    """Put allocated orders due by `until` (all, without it) into draft waves; their numbers, most urgent first."""
    where = house.who.warehouse_id
    # Long, and by one statement: those who scan run between its pieces rather than wait for the whole of it.
    found = house.db.read(lambda session: drafts.drafts(session, where, until, orders_max=orders_max))
    return [no for draft in found if (no := _gathered(house, draft))]


def _gathered(house: House, draft: WaveDraft) -> str:
    """One wave, filled a few orders at a time; nothing when somebody else has them all by now."""
    no = house.act(lambda call: drafts.open_wave(call, draft))
    joined = sum(
        house.act(lambda call, ids=ids: drafts.join_wave(call, no, ids))  # type: ignore[misc]
        for ids in bites(draft.order_ids, ORDERS_A_DRAFT_STEP)
    )
    house.act(lambda call: drafts.stop_planning(call, no) if joined else drafts.drop_empty(call, no))
    return no if joined else ""


def send_cut_off(house: House, courier: str, at: datetime) -> list[str]:
    """Everything of a courier's cut-off is to go: what is in no wave is gathered, then each draft waits for its plan.

    The numbers of the waves, which the planner then takes up.
    """
    gather(house, at)
    going = house.read(lambda session: outbound.waves(session, house.who.warehouse_id, (WaveState.DRAFT,)))
    numbers = [one.no for one in going if (one.courier, one.cut_off_at) == (courier, at)]
    for no in numbers:
        house.act(lambda call, no=no: go(call, no))  # type: ignore[misc]
    return numbers


def go(call: Call, wave_no: str) -> None:
    """Send a draft to the floor: as it was planned, or by a quick plan when it has none that is ready."""
    found = outbound.wave_by_no(call.session, call.warehouse_id, wave_no)
    kept = plan_queries.plan_of_wave(call.session, found.id)
    if kept is not None and kept.state is PlanState.READY:
        plans.begin_release(call, wave_no, WALL.now())
    else:
        plans.want_plan(call, wave_no, WALL.now(), think_s=THINK_S, rounds=ROUNDS_QUICK, release_after=True)


def allocate_and_make(db: Database, clock: Clock, who: Who, request_id: str) -> Outcome:
    """Promise stock to the orders that wait for it, and put those ready into draft waves. Asked twice, done once.

    The outcome's content: pieces allocated and short, the waves' numbers.
    """
    known = stored(db, who, request_id, GATHER)
    if known is not None:
        return known
    house = House(db, clock, who)
    allocated, short = allocate(house)
    answer = {"allocated": allocated, "short": short, "waves": gather(house)}
    return perform(db, clock, who, request_id, GATHER, lambda call: answer, status=201)


def plan(house: House, wave_no: str, waiting: Callable[[], list[int]] = list) -> None:
    """Reckon the plan a wave waits for, and keep it; then release it, if that was wished.

    `waiting` are the ids of other plans that wait for this planner: they are kept alive meanwhile. Raises PLAN_UNSOUND,
    BUSY when the process apart came to nothing; a plan that was cancelled is no error.
    """
    row = house.act(lambda call: plans.begin_reckoning(call, wave_no, WALL.now()))
    parts = _Parts(house, row.id)
    done = _reckoned(house, row, parts, waiting)
    if done is None:
        house.act(lambda call: plans.give_up(call, wave_no, PlanState.CANCELLED))
        return
    house.act(lambda call: _keep(call, wave_no, row.id, done))
    if row.release_after:
        house.act(lambda call: plans.begin_release(call, wave_no, WALL.now()))
        release(house, wave_no)


def _keep(call: Call, wave_no: str, plan_id: int, done: Done) -> None:
    plans.keep_plan(call, wave_no, plan_id, done)
    walks = {"walk_m": done.walk_mm, "s_shape_m": done.s_shape_mm, "first_come_m": done.first_come_mm}
    audit_trail.note(call, PLANNED, wave=wave_no, **{name: length // 1_000 for name, length in walks.items()})


class _Parts:
    """The batches of a plan, written down as they come."""

    def __init__(self, house: House, plan_id: int) -> None:
        self._house, self._plan_id, self._number = house, plan_id, 1

    def keep(self, some: list[Any]) -> None:
        first = self._number
        self._number += len(some)
        self._house.act(lambda call: plans.keep_batches(call, self._plan_id, first, some))


def _reckoned(house: House, row: Any, parts: _Parts, waiting: Callable[[], list[int]]) -> Done | None:
    """Goods there, batches back; None when a supervisor wants nothing of it any more."""
    ask, goods = _question(house, row)
    if not goods:
        return Done(0, 0, 0, 0, 0, 0, 0)
    until_s, beaten_s, news = time.monotonic() + row.think_s + GRACE_S, 0.0, None
    with Apart(ask, goods, house.in_turn) as apart:
        while time.monotonic() < until_s:
            with house.db.turns.lent():
                frame = apart.next(LISTEN_S)
            if isinstance(frame, Done):
                return frame
            if isinstance(frame, list):
                parts.keep(frame)
            elif isinstance(frame, Better):
                news = frame
            if time.monotonic() >= beaten_s + BEAT_S:
                beaten_s = time.monotonic()
                wish = _beat(house, [row.id, *waiting()], news)
                news = None
                if wish is Wish.CANCEL:
                    return None
                if wish is Wish.STOP:
                    apart.stop()
    raise Refused(Reason.BUSY)


def _beat(house: House, plan_ids: list[int], news: Better | None) -> Wish:
    return house.act(lambda call: plans.beat(call, plan_ids, WALL.now(), news))


def _question(house: House, row: Any) -> tuple[Ask, list[list[Goods]]]:
    """What the solver needs, read in bites: one long read would keep the interpreter from those who scan."""
    where = house.who.warehouse_id
    hall = house.read(lambda session: site.hall(session, where).now)
    limits = house.read(lambda session: cart_limits(session, where))
    orders = house.read(lambda session: plan_queries.orders_to_plan(session, row.wave_id))
    goods = [some for some in _bites(house, row.wave_id, orders) if some]
    lying = tuple(_lying_alike(house, sorted({each.sku_id for some in goods for each in some})))
    crew = house.read(lambda session: crew_of(session, where, house.clock.now()))
    return Ask(row.no, hall, limits, row.attempt, row.rounds, float(row.think_s), lying, crew), goods


def _bites(house: House, wave_id: int, order_ids: list[int]) -> Iterator[list[Goods]]:
    for ids in bites(order_ids, ORDERS_A_READ):
        yield house.read(lambda session, ids=ids: goods_of(session, wave_id, ids))  # type: ignore[misc]


def _lying_alike(house: House, sku_ids: list[int]) -> Iterator[Lying]:
    """Where else such goods lie that may stand for those promised."""
    for ids in bites(sku_ids, SKUS_A_READ):
        yield from house.read(lambda session, ids=ids: lying_alike(session, house.who.warehouse_id, ids))  # type: ignore[misc]


def release(house: House, wave_no: str) -> None:
    """All batches of a plan to the floor, a few at a time. What is on the floor can be picked at once."""
    for _step in range(STEPS_MAX):
        if not house.act(lambda call: plans.release_some(call, wave_no, WALL.now())):
            return
    raise Refused(Reason.BUSY)


def give_up(house: House, wave_no: str, no: Refused) -> None:
    """The plan failed: the wave is a draft again, and its card says why."""
    why = {"reason": no.reason.value, "facts": no.facts}
    house.act(lambda call: plans.give_up(call, wave_no, PlanState.FAILED, why))


def mend_plans(db: Database, clock: Clock, warehouse_id: int) -> list[str]:
    """What a server that was stopped left behind: lost plans are given up, half a release is gone on with."""
    before = WALL.now() - LOST_AFTER
    if not db.read(lambda session: plan_queries.silent_plans(session, warehouse_id, before)):
        return []
    house = House(db, clock, Who("system", warehouse_id))
    lost = house.act(lambda call: plans.give_up_lost(call, WALL.now()))
    half = house.act(lambda call: plans.half_released(call, WALL.now()))
    for wave_no in half:
        release(house, wave_no)
    return [*lost, *half]


def plan_and_release(db: Database, clock: Clock, who: Who, request_id: str, wave_no: str) -> Outcome:
    """Plan a draft wave quickly and release it with its batches. Asked twice, released once.

    The outcome's content: wave, orders, batches, walk_m, s_shape_m. Raises WAVE_UNKNOWN, WAVE_STATE_WRONG before
    anything is written.
    """
    house = House(db, clock, who)
    known = stored(db, who, request_id, f"release {wave_no}")
    if known is not None:
        return known
    begun = perform(db, clock, who, f"{request_id}:plan"[-128:], wave_no, lambda call: _want(call, wave_no))
    if begun.status != 200:
        return begun
    if not begun.replayed:
        try:
            plan(house, wave_no)
        except Refused as no:
            give_up(house, wave_no, no)
            raise
    return perform(db, clock, who, request_id, f"release {wave_no}", lambda call: _released(call.session, who, wave_no))


def _want(call: Call, wave_no: str) -> dict[str, Any]:
    plans.want_plan(call, wave_no, WALL.now(), think_s=THINK_S, rounds=ROUNDS_QUICK, release_after=True)
    return {"wave": wave_no}


def _released(session: Session, who: Who, wave_no: str) -> dict[str, Any]:
    wave = outbound.wave_by_no(session, who.warehouse_id, wave_no)
    if wave.state in (WaveState.DRAFT, WaveState.PLANNING):
        raise Refused(Reason.BUSY)
    batches = plan_queries.batches_made(session, wave.id)
    return {
        "wave": wave_no,
        "orders": wave.orders,
        "batches": batches,
        "walk_m": wave.walk_m,
        "s_shape_m": wave.s_shape_m,
    }
