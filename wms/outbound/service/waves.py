"""Orders are gathered into waves and released to the floor."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from wms.core.call import Call
from wms.core.db.tables import table_of
from wms.core.outbox import announce
from wms.core.refusal import Reason, Refused
from wms.core.sql import touched
from wms.outbound import queries
from wms.outbound.rules import HOT_FROM_ORDERS, WAVE_ORDERS_MAX, waves
from wms.outbound.tables import Order, OrderLine, Wave
from wms.outbound.values import OrderState, WaitingOrder, WaveDraft, WaveState
from wms.site import queries as site
from wms.site.tables import Warehouse
from wms.slotting.refilling import ask_before_wave

ORDERS_PER_CALL_MAX = 20_000

_orders = table_of(Order)
_lines = table_of(OrderLine)
_waves = table_of(Wave)


def make_waves(
    call: Call,
    until: datetime | None = None,
    *,
    hot_from: int = HOT_FROM_ORDERS,
    orders_max: int = WAVE_ORDERS_MAX,
) -> list[str]:
    """Put allocated orders due by `until` (all, without it) into draft waves; the waves' numbers, most urgent first.

    One wave per courier, cut-off and kind: hot contents (`hot_from` orders of one content), one-line orders, others.
    """
    _lock_warehouse(call)
    found = drafts(call.session, call.warehouse_id, until, hot_from=hot_from, orders_max=orders_max)
    return [_make(call, draft) for draft in found]


def drafts(
    session: Session,
    warehouse_id: int,
    until: datetime | None = None,
    *,
    hot_from: int = HOT_FROM_ORDERS,
    orders_max: int = WAVE_ORDERS_MAX,
) -> list[WaveDraft]:
    """Which waves the orders that are ready would make, most urgent first. Nothing is written."""
    return waves(_waiting(session, warehouse_id, until), hot_from, orders_max)


def open_wave(call: Call, draft: WaveDraft) -> str:
    """A wave without orders yet, marked as being planned so that nobody takes it half full; its number."""
    _lock_warehouse(call)
    row = {
        "warehouse_id": call.warehouse_id,
        "no": _next_no(call),
        "courier": draft.courier,
        "kind": draft.kind.value,
        "cut_off_at": draft.cut_off_at,
        "made_at": call.now,
        "state": WaveState.PLANNING.value,
    }
    call.session.execute(insert(_waves), row)
    return str(row["no"])


def join_wave(call: Call, wave_no: str, order_ids: Sequence[int]) -> int:
    """Orders that still wait join a wave that is being filled; how many."""
    wave_id = (
        select(_waves.c.id).where(_waves.c.warehouse_id == call.warehouse_id, _waves.c.no == wave_no).scalar_subquery()
    )
    still = (
        _orders.c.id.in_(order_ids)
        & (_orders.c.state == OrderState.ALLOCATED.value)
        & _orders.c.wave_id.is_(None)
        & _orders.c.intercepted_at.is_(None)
    )
    return touched(call.session, update(_orders).where(still).values(wave_id=wave_id), {})


def drop_empty(call: Call, wave_no: str) -> None:
    """A wave that nobody joined: others have its orders."""
    _step(call, wave_no, (WaveState.PLANNING,), WaveState.CANCELLED, done_at=call.now)


def _lock_warehouse(call: Call) -> None:
    """Keeps two clerks from giving two waves one number."""
    lock = select(table_of(Warehouse).c.id).where(table_of(Warehouse).c.id == call.warehouse_id).with_for_update()
    call.session.execute(lock).one()


def _next_no(call: Call) -> str:
    """W, today in the warehouse, and how many waves the day has with this one."""
    today = site.warehouse(call.session, call.warehouse_id).local(call.now)
    local_day = f"W{today:%y%m%d}"
    so_far = select(func.count(_waves.c.id)).where(
        _waves.c.warehouse_id == call.warehouse_id, _waves.c.no.startswith(f"{local_day}-")
    )
    return f"{local_day}-{int(call.session.execute(so_far).scalar_one()) + 1:03d}"


def _waiting(session: Session, warehouse_id: int, until: datetime | None) -> list[WaitingOrder]:
    due = (
        select(_orders.c.id, _orders.c.courier, _orders.c.cut_off_at)
        .where(
            _orders.c.warehouse_id == warehouse_id,
            _orders.c.state == OrderState.ALLOCATED.value,
            _orders.c.wave_id.is_(None),
            _orders.c.intercepted_at.is_(None),
            ~queries.HAS_GOODS_OUT_OF_REACH,
        )
        .order_by(_orders.c.cut_off_at, _orders.c.id)
        .limit(ORDERS_PER_CALL_MAX)
    )
    if until is not None:
        due = due.where(_orders.c.cut_off_at <= until)
    chosen = due.subquery()
    query = (
        select(chosen.c.id, chosen.c.courier, chosen.c.cut_off_at, _lines.c.sku_id, _lines.c.allocated)
        .join(_lines, _lines.c.order_id == chosen.c.id)
        .where(_lines.c.allocated > 0)
        .order_by(chosen.c.id, _lines.c.sku_id)
    )
    contents: dict[int, dict[int, int]] = {}
    heads: dict[int, tuple[str, datetime]] = {}
    for order_id, courier, cut_off_at, sku_id, quantity in session.execute(query):
        heads[order_id] = (courier, cut_off_at)
        content = contents.setdefault(order_id, {})
        content[sku_id] = content.get(sku_id, 0) + quantity
    return [
        WaitingOrder(order_id, *heads[order_id], tuple(sorted(content.items())))
        for order_id, content in contents.items()
    ]


def _make(call: Call, draft: WaveDraft) -> str:
    no = open_wave(call, draft)
    join_wave(call, no, draft.order_ids)
    stop_planning(call, no)
    return no


def begin_planning(call: Call, wave_no: str) -> None:
    """Mark a draft as being planned, so that nobody else plans or cancels it meanwhile."""
    _step(call, wave_no, (WaveState.DRAFT,), WaveState.PLANNING)


def stop_planning(call: Call, wave_no: str) -> None:
    """Nobody plans the wave any more, or not yet: it is a draft, and what its orders need is to come into reach."""
    _step(call, wave_no, (WaveState.PLANNING,), WaveState.DRAFT)
    ask_before_wave(call)


def release_wave(call: Call, wave_no: str) -> int:
    """Send a wave to the floor: its orders are released and "wave.released" is announced; how many orders.

    Orders cancelled meanwhile have left it. A wave without orders is closed instead. Raises WAVE_UNKNOWN,
    WAVE_STATE_WRONG.
    """
    wave_id = _step(call, wave_no, (WaveState.DRAFT, WaveState.PLANNING), WaveState.RELEASED, released_at=call.now)
    orders = release_orders(call, wave_id)
    if not orders:
        _step(call, wave_no, (WaveState.RELEASED,), WaveState.CANCELLED, done_at=call.now)
        return 0
    announce(call, "wave.released", f"wave:{wave_id}", wave=wave_no, orders=orders)
    return orders


def keep_in_order(call: Call, order_ids: Sequence[int]) -> None:
    """Keep these orders from others until the commit, ids ascending: orders come before rows of stock."""
    rows = select(_orders.c.id).where(_orders.c.id.in_(sorted(order_ids))).order_by(_orders.c.id)
    call.session.execute(rows.with_for_update())


def release_orders(call: Call, wave_id: int, order_ids: Sequence[int] | None = None) -> int:
    """Orders of a wave (some of them, or all) that nobody has stopped go to the floor; how many."""
    ready = _of_wave(wave_id, OrderState.ALLOCATED)
    if order_ids is not None:
        ready &= _orders.c.id.in_(order_ids)
    return touched(call.session, update(_orders).where(ready).values(state=OrderState.RELEASED.value), {})


def put_back(call: Call, order_ids: Sequence[int]) -> int:
    """Orders on the floor of which nothing was picked wait for another wave; how many."""
    still = _orders.c.id.in_(order_ids) & (_orders.c.state == OrderState.RELEASED.value)
    back = {"state": OrderState.ALLOCATED.value, "wave_id": None}
    return touched(call.session, update(_orders).where(still).values(**back), {})


def _of_wave(wave_id: int, state: OrderState) -> Any:
    return (_orders.c.wave_id == wave_id) & (_orders.c.state == state.value) & _orders.c.intercepted_at.is_(None)


def finish_release(call: Call, wave_no: str, orders: int, **walks: int) -> None:
    """The last of a wave is on the floor: "wave.released" is announced. Without any orders it is closed instead.

    What it still has that did not go waits for another wave. Raises WAVE_UNKNOWN, WAVE_STATE_WRONG.
    """
    after = WaveState.RELEASED if orders else WaveState.CANCELLED
    moment = {"released_at": call.now} if orders else {"done_at": call.now}
    wave_id = _step(call, wave_no, (WaveState.PLANNING,), after, **moment, **walks)
    call.session.execute(update(_orders).where(_of_wave(wave_id, OrderState.ALLOCATED)).values(wave_id=None))
    if orders:
        announce(call, "wave.released", f"wave:{wave_id}", wave=wave_no, orders=orders)


def cancel_wave(call: Call, wave_no: str) -> None:
    """Give up a draft: its orders wait for another wave. Raises WAVE_UNKNOWN, WAVE_STATE_WRONG."""
    wave_id = _step(call, wave_no, (WaveState.DRAFT,), WaveState.CANCELLED, done_at=call.now)
    call.session.execute(update(_orders).where(_orders.c.wave_id == wave_id).values(wave_id=None))


def _step(call: Call, wave_no: str, before: Sequence[WaveState], after: WaveState, **more: Any) -> int:
    """Move a wave from one of these states to another; its id."""
    statement = (
        update(_waves)
        .where(
            _waves.c.warehouse_id == call.warehouse_id,
            _waves.c.no == wave_no,
            _waves.c.state.in_([state.value for state in before]),
        )
        .values(state=after.value, **more)
        .returning(_waves.c.id)
    )
    wave_id = call.session.execute(statement).scalar_one_or_none()
    call.wakes.add("live")
    if wave_id is None:
        wave = queries.wave_by_no(call.session, call.warehouse_id, wave_no)
        raise Refused(Reason.WAVE_STATE_WRONG, state=wave.state.value)
    return int(wave_id)
