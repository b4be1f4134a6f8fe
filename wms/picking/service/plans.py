"""Plans of waves as rows: asked for, reckoned elsewhere, looked at, and sent to the floor a few batches at a time.

Every function here is one short transaction, so that nobody's scan waits for a wave however large it is. What happened
between planning and release is met batch by batch: orders that left are left out, and a walk whose goods are promised
elsewhere by now is reckoned anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, insert, select, update

from wms.core.call import Call
from wms.core.db.tables import table_of
from wms.core.refusal import Reason, Refused
from wms.core.sql import touched
from wms.optimise.geometry import Point, RectHall
from wms.outbound import service as outbound
from wms.outbound.tables import Wave
from wms.outbound.values import WaveState
from wms.picking.rules.planning import laid_again
from wms.picking.rules.rerouting import walkable
from wms.picking.service.carts import close_wave
from wms.picking.service.chosen import MovedHolds, move_to_chosen
from wms.picking.service.planning import make_batch, pinned_goods
from wms.picking.solver import Better, Done, Laid
from wms.picking.tables import Batch, KeptPlan, PlanBatch
from wms.picking.values import LOST_AFTER, Goods, PlannedBatch, PlanState, Wish
from wms.site import queries as site

HISTORY_MAX = 60
BATCHES_A_STEP = 1
MM_PER_M = 1_000
_UNDER_WAY = (PlanState.WAITING.value, PlanState.RUNNING.value)

_plan = table_of(KeptPlan)
_part = table_of(PlanBatch)
_wave = table_of(Wave)


def want_plan(
    call: Call, wave_no: str, beat_at: datetime, *, think_s: int, rounds: int, release_after: bool = False
) -> int:
    """Ask for a plan of a draft wave, also in the place of one that is there; the plan's id.

    `beat_at` is the machine's clock. Raises WAVE_UNKNOWN, WAVE_STATE_WRONG.
    """
    outbound.begin_planning(call, wave_no)
    wave_id = call.session.execute(
        select(_wave.c.id).where(_wave.c.warehouse_id == call.warehouse_id, _wave.c.no == wave_no)
    ).scalar_one()
    attempt = _forget(call, wave_id) + 1
    row = {
        "warehouse_id": call.warehouse_id,
        "wave_id": wave_id,
        "attempt": attempt,
        "asked_by": call.actor,
        "request_id": call.request_id,
        "asked_at": call.now,
        "release_after": release_after,
        "think_s": think_s,
        "rounds": rounds,
        "beat_at": beat_at,
        "why": {},
        "history": {"points": []},
    }
    return int(call.session.execute(insert(_plan).returning(_plan.c.id), row).scalar_one())


def _forget(call: Call, wave_id: int) -> int:
    """Take away the plan a wave has; which attempt it was."""
    known = call.session.execute(select(_plan.c.id, _plan.c.attempt).where(_plan.c.wave_id == wave_id)).one_or_none()
    if known is None:
        return 0
    call.session.execute(delete(_part).where(_part.c.plan_id == known.id))
    call.session.execute(delete(_plan).where(_plan.c.id == known.id))
    return int(known.attempt)


def plan_of(call: Call, wave_no: str) -> Any:
    """The plan's row with its wave's id, number, cut-off. Raises NOT_FOUND."""
    row = call.session.execute(
        select(_plan, _wave.c.no, _wave.c.cut_off_at, _wave.c.state.label("wave_state"))
        .join(_wave, _wave.c.id == _plan.c.wave_id)
        .where(_wave.c.warehouse_id == call.warehouse_id, _wave.c.no == wave_no)
    ).one_or_none()
    if row is None:
        raise Refused(Reason.NOT_FOUND, what=f"plan {wave_no[:40]}")
    return row


def begin_reckoning(call: Call, wave_no: str, beat_at: datetime) -> Any:
    """The planner takes it up; the plan's row. Raises NOT_FOUND, WAVE_STATE_WRONG when it waits no longer."""
    row = plan_of(call, wave_no)
    _to(call, row.id, (PlanState.WAITING,), PlanState.RUNNING, beat_at=beat_at)
    return row


def beat(call: Call, plan_ids: Sequence[int], beat_at: datetime, news: Better | None = None) -> Wish:
    """The planner lives: these plans wait for it, the first is being reckoned; what a supervisor wants of that."""
    call.session.execute(update(_plan).where(_plan.c.id.in_(plan_ids)).values(beat_at=beat_at))
    row = call.session.execute(select(_plan.c.wish, _plan.c.history).where(_plan.c.id == plan_ids[0])).one_or_none()
    if row is None:
        return Wish.CANCEL
    if news is not None:
        found = {
            "spent_ms": news.ms,
            "walk_mm": news.walk_mm,
            "lower_bound_mm": news.lower_bound_mm,
            "batches": news.batches,
            "history": {"points": thinned([*row.history["points"], [news.ms, news.walk_mm]])},
        }
        call.session.execute(update(_plan).where(_plan.c.id == plan_ids[0]).values(**found))
    call.wakes.add("live")
    return Wish(row.wish)


def thinned(points: Sequence[Sequence[int]], most: int = HISTORY_MAX) -> list[list[int]]:
    """At most so many points: the first and the last stay, of the rest every other one goes as often as needed."""
    kept = [list(point) for point in points]
    while len(kept) > most:
        kept = [kept[0], *kept[1:-1:2], kept[-1]]
    return kept


def wish(call: Call, wave_no: str, wanted: Wish) -> None:
    """Take the best so far of a plan that is being reckoned, or drop it. Raises WAVE_STATE_WRONG when it is not."""
    row = plan_of(call, wave_no)
    if row.state not in _UNDER_WAY:
        raise Refused(Reason.WAVE_STATE_WRONG, state=row.state)
    call.session.execute(update(_plan).where(_plan.c.id == row.id).values(wish=wanted.value))
    call.wakes.add("live")


def keep_batches(call: Call, plan_id: int, first_number: int, batches: Sequence[Laid]) -> None:
    """Some batches of a plan, numbered on from `first_number`."""
    rows = [
        {
            "warehouse_id": call.warehouse_id,
            "plan_id": plan_id,
            "number": number,
            "order_ids": {"ids": list(one.order_ids)},
            "picks": {"hold_stop": [list(pair) for pair in one.picks], "moved": [list(each) for each in one.moved]},
            "stops": one.stops,
            "pieces": one.pieces,
            "zone_id": one.zone_id,
            "walk_mm": one.walk_mm,
            "promised_mm": one.promised_mm,
            "s_shape_mm": one.s_shape_mm,
            "optimal": one.optimal,
            "method": one.method,
            "path": {"mm": [list(corner) for corner in one.path]},
        }
        for number, one in enumerate(batches, first_number)
    ]
    call.session.execute(insert(_part), rows)


def keep_plan(call: Call, wave_no: str, plan_id: int, done: Done) -> None:
    """The plan is whole: it can be looked at and released."""
    sums = call.session.execute(
        select(func.count(), func.sum(_part.c.stops), func.sum(_part.c.walk_mm)).where(_part.c.plan_id == plan_id)
    ).one()
    orders = sum(
        len(row.order_ids["ids"])
        for row in call.session.execute(select(_part.c.order_ids).where(_part.c.plan_id == plan_id))
    )
    history = call.session.execute(select(_plan.c.history).where(_plan.c.id == plan_id)).scalar_one()
    found = {
        "spent_ms": done.ms,
        "memory_mb": done.memory_mb,
        "walk_mm": done.walk_mm,
        "s_shape_mm": done.s_shape_mm,
        "first_come_mm": done.first_come_mm,
        "promised_mm": done.promised_mm,
        "lower_bound_mm": done.lower_bound_mm,
        "people": done.people,
        "crowded_before_s": done.crowded_before_s,
        "crowded_s": done.crowded_s,
        "batches": int(sums[0]),
        "stops": int(sums[1] or 0),
        "orders": orders,
        "wish": Wish.NONE.value,
        "history": {"points": thinned([*history["points"], [done.ms, done.walk_mm]])},
    }
    _to(call, plan_id, (PlanState.RUNNING,), PlanState.READY, **found)
    outbound.stop_planning(call, wave_no)


def give_up(call: Call, wave_no: str, state: PlanState, why: Mapping[str, Any] | None = None) -> None:
    """The plan failed, was lost or is not wanted: its wave is a draft again. Raises WAVE_STATE_WRONG."""
    row = plan_of(call, wave_no)
    call.session.execute(delete(_part).where(_part.c.plan_id == row.id))
    _to(call, row.id, (PlanState.WAITING, PlanState.RUNNING), state, why=dict(why or {}), wish=Wish.NONE.value)
    outbound.stop_planning(call, wave_no)


def give_up_lost(call: Call, wall_now: datetime) -> list[str]:
    """Plans whose planner was not heard of for a while: its server was stopped. Their waves' numbers."""
    lost = call.session.scalars(
        select(_wave.c.no)
        .join(_plan, _plan.c.wave_id == _wave.c.id)
        .where(
            _plan.c.warehouse_id == call.warehouse_id,
            _plan.c.state.in_(_UNDER_WAY),
            _plan.c.beat_at < wall_now - LOST_AFTER,
        )
        .order_by(_wave.c.no)
    ).all()
    for no in lost:
        give_up(call, no, PlanState.LOST)
    return list(lost)


def lost(call: Call, wave_no: str, wall_now: datetime) -> bool:
    """Make a wave a draft again whose planner is gone; False while somebody reckons.

    Raises WAVE_UNKNOWN, WAVE_STATE_WRONG when it is not being planned.
    """
    try:
        row = plan_of(call, wave_no)
    except Refused:
        outbound.stop_planning(call, wave_no)
        return True
    if row.state in _UNDER_WAY and row.beat_at >= wall_now - LOST_AFTER:
        return False
    give_up(call, wave_no, PlanState.LOST)
    return True


def half_released(call: Call, wall_now: datetime) -> list[str]:
    """Waves whose release was broken off: some of their batches are on the floor. Whoever asks goes on with them."""
    rows = call.session.scalars(
        select(_wave.c.no)
        .join(_plan, _plan.c.wave_id == _wave.c.id)
        .where(
            _plan.c.warehouse_id == call.warehouse_id,
            _plan.c.state == PlanState.RELEASING.value,
            _plan.c.beat_at < wall_now - LOST_AFTER,
        )
    )
    return sorted(rows)


def discard(call: Call, wave_no: str) -> None:
    """Throw a plan away that was not released. Raises NOT_FOUND, WAVE_STATE_WRONG."""
    row = plan_of(call, wave_no)
    if row.state not in (PlanState.READY, PlanState.FAILED, PlanState.LOST, PlanState.CANCELLED):
        raise Refused(Reason.WAVE_STATE_WRONG, state=row.state)
    _forget(call, row.wave_id)
    call.wakes.add("live")


def begin_release(call: Call, wave_no: str, beat_at: datetime) -> None:
    """From now on the plan's batches go to the floor. Raises NOT_FOUND, WAVE_STATE_WRONG when it is not ready."""
    row = plan_of(call, wave_no)
    _to(call, row.id, (PlanState.READY,), PlanState.RELEASING, beat_at=beat_at)
    outbound.begin_planning(call, wave_no)


def release_some(call: Call, wave_no: str, beat_at: datetime, batches_max: int = BATCHES_A_STEP) -> int:
    """The next few batches of a plan go to the floor, each whole with its orders; how many were still to go before.

    0 says that the wave is released. Safe to repeat and to go on with after a stop.
    """
    plan = plan_of(call, wave_no)
    if plan.state != PlanState.RELEASING.value:
        return 0
    call.session.execute(update(_plan).where(_plan.c.id == plan.id).values(beat_at=beat_at))
    waiting = (_part.c.plan_id == plan.id) & _part.c.batch_id.is_(None)
    left = int(call.session.execute(select(func.count()).select_from(_part).where(waiting)).scalar_one())
    if not left:
        _finish(call, plan)
        return 0
    parts = call.session.execute(select(_part).where(waiting).order_by(_part.c.number).limit(batches_max)).all()
    hall = site.hall(call.session, call.warehouse_id).now
    order_ids = [id for part in parts for id in part.order_ids["ids"]]
    outbound.keep_in_order(call, order_ids)
    moved = move_to_chosen(call, [part.picks for part in parts])
    goods = _by_order(pinned_goods(call, plan.wave_id, order_ids))
    for part in parts:
        batch_id = _release_part(call, plan, part, hall, goods, moved)
        call.session.execute(update(_part).where(_part.c.id == part.id).values(batch_id=batch_id))
    call.wakes.add("live")
    return left


def _by_order(goods: Iterable[Goods]) -> dict[int, list[Goods]]:
    found: dict[int, list[Goods]] = {}
    for each in goods:
        found.setdefault(each.order_id, []).append(each)
    return found


def _release_part(
    call: Call, plan: Any, part: Any, hall: RectHall, goods: Mapping[int, Sequence[Goods]], moved: MovedHolds
) -> int:
    """One batch with those of its orders that are still there; 0 when none is."""
    batch = _as_planned(part, hall, goods, moved)
    if batch is None:
        return 0
    outbound.release_orders(call, plan.wave_id, batch.order_ids)
    return make_batch(call, plan.wave_id, plan.cut_off_at, f"{plan.no}-{part.number:02d}", batch)


def _as_planned(
    part: Any, hall: RectHall, goods: Mapping[int, Sequence[Goods]], moved: MovedHolds
) -> PlannedBatch | None:
    """The batch as it was planned, or walked anew where its goods or its way are no longer those of the plan."""
    order_ids = tuple(id for id in part.order_ids["ids"] if id in goods)
    if not order_ids:
        return None
    by_hold = {each.hold_id: each for order_id in order_ids for each in goods[order_id]}
    holds = [(stop, hold_id) for hold_id, stop in part.picks["hold_stop"]]
    holds += [(stop, moved.get((hold_id, stock_id), 0)) for hold_id, stop, stock_id, _ in part.picks.get("moved", ())]
    planned = [(stop, by_hold.get(hold_id)) for stop, hold_id in holds]
    picks = tuple((stop, each) for stop, each in sorted(planned, key=lambda pick: pick[0]) if each is not None)
    corners = tuple((x, y) for x, y in part.path["mm"])
    same = len(picks) == len(by_hold) == len(planned)
    if not same or not walkable(hall, [Point(*corner) for corner in corners]):
        return laid_again(hall, order_ids, goods)
    return PlannedBatch(
        order_ids, picks, part.walk_mm, part.s_shape_mm, part.optimal, part.method, corners, part.promised_mm
    )


def _finish(call: Call, plan: Any) -> None:
    batches = _batch_sums(call, plan.wave_id)
    walks = {"walk_m": int(batches.walk_mm or 0) // MM_PER_M, "s_shape_m": int(batches.s_shape_mm or 0) // MM_PER_M}
    outbound.finish_release(call, plan.no, _orders_released(call, plan.id), **walks)
    call.session.execute(delete(_part).where(_part.c.plan_id == plan.id))
    _to(call, plan.id, (PlanState.RELEASING,), PlanState.RELEASED)
    close_wave(call, plan.wave_id)


def _batch_sums(call: Call, wave_id: int) -> Any:
    batch = table_of(Batch)
    sums = select(func.sum(batch.c.walk_mm).label("walk_mm"), func.sum(batch.c.s_shape_mm).label("s_shape_mm"))
    return call.session.execute(sums.where(batch.c.wave_id == wave_id)).one()


def _orders_released(call: Call, plan_id: int) -> int:
    rows = call.session.execute(select(_part.c.order_ids).where(_part.c.plan_id == plan_id, _part.c.batch_id > 0))
    return sum(len(row.order_ids["ids"]) for row in rows)


def _to(call: Call, plan_id: int, before: Sequence[PlanState], after: PlanState, **more: Any) -> None:
    """Move a plan from one of these states to another. Raises WAVE_STATE_WRONG when it stands elsewhere."""
    statement = (
        update(_plan)
        .where(_plan.c.id == plan_id, _plan.c.state.in_([state.value for state in before]))
        .values(state=after.value, **more)
    )
    call.wakes.add("live")
    if not touched(call.session, statement, {}):
        state = call.session.execute(select(_plan.c.state).where(_plan.c.id == plan_id)).scalar_one_or_none()
        raise Refused(Reason.WAVE_STATE_WRONG, state=state or WaveState.DRAFT.value)
