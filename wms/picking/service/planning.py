"""A wave becomes batches: read, solve, write.

Solving may take seconds, so it holds no transaction: `prepare_wave` reads, `solve` is pure (and may run in another
process), `apply_plan` checks that nothing changed meanwhile and writes.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, insert, select, update
from sqlalchemy.orm import Session

from wms.catalog.tables import Sku
from wms.core.call import Call
from wms.core.db.tables import table_of
from wms.core.refusal import Reason, Refused
from wms.ledger import following
from wms.ledger.tables import Hold, Stock
from wms.ledger.values import Purpose
from wms.optimise.geometry import Point, Stop
from wms.outbound import service as outbound
from wms.outbound.tables import Order, OrderLine, Wave
from wms.outbound.values import OrderState, WaveState
from wms.picking.rules.planning import check_sound, laid_again, laid_out, most_visited_zone, problem_of, solve
from wms.picking.rules.rerouting import walkable
from wms.picking.tables import Batch, BatchOrder, PickLine
from wms.picking.values import TASK_KIND, CartLimits, Goods, Planned, PlannedBatch, Problem, WavePlan
from wms.site import queries as site
from wms.site.tables import Container, Slot
from wms.site.values import ContainerKind
from wms.work import service as work

MM_PER_M = 1_000
ROUNDS = 1
SOLVE_S_MAX = 3.0
LOOKS_MAX = 5

_batch = table_of(Batch)
_on_cart = table_of(BatchOrder)
_pick = table_of(PickLine)
_wave = table_of(Wave)


def prepare_wave(session: Session, warehouse_id: int, wave_no: str, *, seed: int = 0, rounds: int = ROUNDS) -> Problem:
    """Everything a solver needs of a wave, drafted or released. Raises WAVE_UNKNOWN, WAVE_STATE_WRONG.

    `rounds` is how hard to try, as `wms.optimise.batching.BatchLimits` has it: 1 is quick, each more takes seconds.
    """
    wave = _the_wave(session, warehouse_id, wave_no)
    hall = site.hall(session, warehouse_id).now
    limits = cart_limits(session, warehouse_id)
    return problem_of(wave_no, hall, goods_of(session, wave.id), limits, seed=seed, rounds=rounds)


def _the_wave(session: Session, warehouse_id: int, wave_no: str, *, lock: bool = False) -> Any:
    query = select(_wave.c.id, _wave.c.state, _wave.c.cut_off_at).where(
        _wave.c.warehouse_id == warehouse_id, _wave.c.no == wave_no
    )
    wave = session.execute(query.with_for_update() if lock else query).one_or_none()
    if wave is None:
        raise Refused(Reason.WAVE_UNKNOWN, wave=wave_no[:40])
    allowed = {WaveState.RELEASED} if lock else {WaveState.DRAFT, WaveState.PLANNING, WaveState.RELEASED}
    if wave.state not in allowed:
        raise Refused(Reason.WAVE_STATE_WRONG, state=wave.state)
    return wave


def cart_limits(session: Session, warehouse_id: int) -> CartLimits:
    """What the carts of a building carry."""
    return CartLimits(totes=_totes_on_a_cart(session, warehouse_id))


def _totes_on_a_cart(session: Session, warehouse_id: int) -> int:
    query = select(func.max(Container.positions)).where(
        Container.warehouse_id == warehouse_id, Container.kind == ContainerKind.CART.value
    )
    return session.execute(query).scalar_one() or CartLimits().totes


def goods_of(session: Session, wave_id: int, order_ids: Sequence[int] | None = None) -> list[Goods]:
    """What is promised to the orders of a wave (to some of them) that nobody has stopped.

    Orders with goods that cannot be walked to now are left out whole: they wait until the way is open.
    """
    query = _promised_goods(wave_id)
    if order_ids is not None:
        query = query.where(Order.id.in_(order_ids))
    rows = session.execute(query).all()
    cut_off = {row[1] for row in rows if row.shut}
    return [_promised(*row[:-1]) for row in rows if row[1] not in cut_off]


def pinned_goods(call: Call, wave_id: int, order_ids: Sequence[int] | None = None) -> list[Goods]:
    """As `goods_of`, for who sends somebody: from now on nobody carries these goods to a pick face. Raises BUSY."""
    for _ in range(LOOKS_MAX):
        goods = goods_of(call.session, wave_id, order_ids)
        if following.pin(call, [each.hold_id for each in goods]) == len(goods):
            return goods
    raise Refused(Reason.BUSY)


def _promised_goods(wave_id: int) -> Select[*tuple[Any, ...]]:
    return (
        select(
            Hold.id,
            Order.id,
            OrderLine.id,
            OrderLine.merchant_id,
            Stock.id,
            Slot.place_id,
            Slot.code,
            Slot.zone_id,
            Stock.sku_id,
            Stock.lot_id,
            Hold.quantity,
            Slot.aisle_index,
            Slot.y_mm,
            Sku.weight_g,
            Sku.length_mm * Sku.width_mm * Sku.height_mm,
            Slot.shut,
        )
        .join(OrderLine, OrderLine.order_id == Order.id)
        .join(Hold, (Hold.reference_id == OrderLine.id) & (Hold.purpose == Purpose.ORDER_LINE.value))
        .join(Stock, Stock.id == Hold.stock_id)
        .join(Slot, Slot.place_id == Stock.place_id)
        .join(Sku, Sku.id == Stock.sku_id)
        .where(
            Order.wave_id == wave_id,
            Order.state.in_([OrderState.ALLOCATED.value, OrderState.RELEASED.value]),
            Order.intercepted_at.is_(None),
            Hold.quantity > 0,
        )
        .order_by(Order.id, OrderLine.number, Hold.id)
    )


def _promised(*row: Any) -> Goods:
    *facts, aisle, y_mm, weight_g, volume_mm3 = row
    known: list[Any] = [*facts, Stop(aisle, y_mm), weight_g, volume_mm3]
    return Goods(*known)


def plan_wave(
    call: Call, wave_no: str, seed: int = 0, *, rounds: int = ROUNDS, seconds_max: float = SOLVE_S_MAX
) -> Planned:
    """All three at once, within the transaction: for small waves. Raises as its parts do.

    Others wait meanwhile, so after `seconds_max` the best plan so far is taken.
    """
    problem = prepare_wave(call.session, call.warehouse_id, wave_no, seed=seed, rounds=rounds)
    return apply_plan(call, wave_no, solve_within(problem, seconds_max))


def solve_within(problem: Problem, seconds_max: float) -> WavePlan:
    """The best plan found in about so many real seconds."""
    began_s = time.monotonic()
    return solve(problem, lambda: time.monotonic() - began_s > seconds_max)


def apply_plan(call: Call, wave_no: str, plan: WavePlan) -> Planned:
    """Make the batches of a released wave, each with its task. Orders cancelled since planning are left out.

    Raises WAVE_STATE_WRONG when the wave is not released or has its batches already, PLAN_UNSOUND for a plan that is
    not what it says, CHANGED_MEANWHILE when other goods are promised by now.
    """
    wave = _the_wave(call.session, call.warehouse_id, wave_no, lock=True)
    if call.session.execute(select(_batch.c.id).where(_batch.c.wave_id == wave.id).limit(1)).first():
        raise Refused(Reason.WAVE_STATE_WRONG, state="planned")
    check_sound(plan)
    goods = pinned_goods(call, wave.id)
    gone = _gone_since(plan.problem, goods)
    batches = _as_floor_is(call, laid_out(plan, gone), plan.problem)
    outbound.put_back(call, sorted(set(_released(call, wave.id)) - {each.order_id for each in goods}))
    ids = tuple(
        make_batch(call, wave.id, wave.cut_off_at, f"{wave_no}-{number:02d}", batch)
        for number, batch in enumerate(batches, 1)
    )
    planned = Planned(ids, sum(b.walk_mm for b in batches), sum(b.s_shape_mm for b in batches))
    walks = {"walk_m": planned.walk_mm // MM_PER_M, "s_shape_m": planned.s_shape_mm // MM_PER_M}
    over = {} if ids else {"state": WaveState.DONE.value, "done_at": call.now}
    call.session.execute(update(_wave).where(_wave.c.id == wave.id).values(**walks, **over))
    return planned


def _as_floor_is(call: Call, batches: Sequence[PlannedBatch], problem: Problem) -> list[PlannedBatch]:
    """Those whose way was closed since they were planned, walked anew."""
    hall = site.hall(call.session, call.warehouse_id).now
    return [
        one
        if walkable(hall, [Point(*corner) for corner in one.path])
        else laid_again(hall, one.order_ids, problem.goods)
        for one in batches
    ]


def _released(call: Call, wave_id: int) -> Sequence[int]:
    """Orders of the wave that nobody has stopped."""
    on_floor = (Order.wave_id == wave_id) & (Order.state == OrderState.RELEASED.value) & Order.intercepted_at.is_(None)
    return call.session.scalars(select(Order.id).where(on_floor)).all()


def _gone_since(problem: Problem, now: Sequence[Goods]) -> frozenset[int]:
    """Orders that left the wave since it was planned; whatever else changed asks for a new plan."""
    by_order: dict[int, list[Goods]] = {}
    for goods in now:
        by_order.setdefault(goods.order_id, []).append(goods)
    if any(tuple(goods) != problem.goods.get(order_id) for order_id, goods in by_order.items()):
        raise Refused(Reason.CHANGED_MEANWHILE)
    return frozenset(problem.goods) - set(by_order)


def make_batch(call: Call, wave_id: int, due_at: datetime, no: str, batch: PlannedBatch) -> int:
    """A batch on the floor with its orders, picks and task; its id."""
    made = insert(_batch).returning(_batch.c.id)
    batch_id = int(call.session.execute(made, _row(call, wave_id, no, batch)).scalar_one())
    orders = [
        {"warehouse_id": call.warehouse_id, "batch_id": batch_id, "order_id": order_id, "position": position}
        for position, order_id in enumerate(batch.order_ids, 1)
    ]
    call.session.execute(insert(_on_cart), orders)
    call.session.execute(insert(_pick), [pick_row(call, batch_id, stop, goods) for stop, goods in batch.picks])
    task_id = work.create(
        call,
        TASK_KIND,
        f"batch:{batch_id}",
        due_at=due_at,
        zone_id=most_visited_zone(batch),
        batch=batch_id,
        no=no,
        orders=len(batch.order_ids),
        pieces=batch.pieces,
        walk_m=batch.walk_mm // MM_PER_M,
    )
    call.session.execute(update(_batch).where(_batch.c.id == batch_id).values(task_id=task_id))
    return batch_id


def _row(call: Call, wave_id: int, no: str, batch: PlannedBatch) -> dict[str, Any]:
    return {
        "warehouse_id": call.warehouse_id,
        "wave_id": wave_id,
        "no": no,
        "walk_mm": batch.walk_mm,
        "s_shape_mm": batch.s_shape_mm,
        "optimal": batch.optimal,
        "method": batch.method,
        "path": {"mm": [list(corner) for corner in batch.path]},
        "hall_version": site.hall(call.session, call.warehouse_id).version,
    }


def pick_row(call: Call, batch_id: int, stop: int, goods: Goods) -> dict[str, Any]:
    """A pick as it is written: at which stop of the batch which promised goods are taken."""
    return {
        "warehouse_id": call.warehouse_id,
        "merchant_id": goods.merchant_id,
        "batch_id": batch_id,
        "order_id": goods.order_id,
        "order_line_id": goods.order_line_id,
        "hold_id": goods.hold_id,
        "stock_id": goods.stock_id,
        "slot_id": goods.slot_id,
        "sku_id": goods.sku_id,
        "lot_id": goods.lot_id,
        "stop": stop,
        "quantity": goods.quantity,
    }
