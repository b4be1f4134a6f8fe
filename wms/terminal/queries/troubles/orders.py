"""Orders that miss their truck, wait for goods, or were stopped on the way."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, func, or_, select

from wms.catalog.tables import Sku
from wms.core.db.tables import table_of
from wms.outbound.queries import short_words
from wms.outbound.tables import Order, OrderLine, Wave
from wms.outbound.values import OrderState, WaveState
from wms.packing.tables import Parcel
from wms.picking.queries.aside import aside_lines
from wms.picking.tables import Batch, KeptPlan
from wms.picking.values import LOST_AFTER, BatchState, PlanState
from wms.site import queries as site
from wms.site.tables import Hall
from wms.terminal.queries.look import Look
from wms.terminal.queries.troubles import cures
from wms.terminal.values import HOLD, STOP, WARN, CutOff, Deed, Flow, Forecast, Trouble, Words
from wms.work.tables import Task
from wms.work.values import PRIORITY_URGENT

RELEASE_BEFORE = timedelta(minutes=90)
PLANNING_MAX = timedelta(minutes=5)
ROWS_MAX = 12
ON_THE_WAY = ("packed", "labelled", "sorted", "bagged")

_order = table_of(Order)


def late(look: Look, flow: Flow) -> Iterator[Trouble]:
    """Cut-offs that will be missed at today's pace."""
    for row, forecast in flow.rows:
        if forecast.late:
            yield _late(look, row, forecast)


def _late(look: Look, row: CutOff, forecast: Forecast) -> Trouble:
    key = f"late:{row.courier}:{row.at.isoformat()}"
    facts = {"courier": row.name, "at": row.at, "orders": f"{forecast.late:,}"}
    passed = "missed" if look.now > row.at else "late"
    stage = forecast.worst
    waiting = row.counts.get(stage, row.ready) - (row.short if stage == "to_allocate" else 0)
    note = Words(
        "terminal.trouble.late.note", {"stage": Words(f"terminal.stage.{stage}"), "orders": f"{max(0, waiting):,}"}
    )
    deed = _against_late(look, row, stage, key, waiting)
    return Trouble(key, "E-2101", STOP, Words(f"terminal.trouble.{passed}", facts), note, deed, None, row.at)


def _against_late(look: Look, row: CutOff, stage: str, key: str, waiting: int) -> Deed:
    """What helps at the stage where most orders wait."""
    if stage == "to_allocate":
        return Deed("allocate_waiting", Words("terminal.deed.allocate", {"orders": f"{waiting:,}"}))
    if stage == "to_wave":
        return cures.release(row.courier, row.at, waiting)
    if stage == "picking" and (batches := _not_urgent(look, row.courier, row.at)):
        words = Words("terminal.deed.urgent", {"batches": batches})
        return Deed("pick_first", words, {"courier": row.courier, "at": row.at.isoformat()})
    return cures.look_after(key)


def _not_urgent(look: Look, courier: str, at: datetime) -> int:
    """Batches of a cut-off that others may still be picked before."""
    query = (
        select(func.count())
        .select_from(Batch)
        .join(Wave, Wave.id == Batch.wave_id)
        .join(Task, Task.id == Batch.task_id)
        .where(
            Batch.warehouse_id == look.warehouse_id,
            Batch.state == BatchState.OPEN.value,
            Wave.courier == courier,
            Wave.cut_off_at == at,
            Task.priority > PRIORITY_URGENT,
        )
    )
    return int(look.session.execute(query).scalar_one())


def not_released(look: Look, flow: Flow) -> Iterator[Trouble]:
    """Orders that still lie at the desk although their truck comes soon."""
    for row, forecast in flow.rows:
        waiting = row.counts["to_wave"]
        if waiting and not forecast.late and timedelta(0) < row.at - look.now < RELEASE_BEFORE:
            key = f"waiting:{row.courier}:{row.at.isoformat()}"
            facts = {"courier": row.name, "at": row.at, "orders": f"{waiting:,}"}
            what = Words("terminal.trouble.waiting", facts)
            note = Words("terminal.trouble.waiting.note")
            yield Trouble(key, "E-2102", WARN, what, note, cures.release(row.courier, row.at, waiting), None, row.at)


def out_of_reach(look: Look) -> Iterator[Trouble]:
    """Aisles and zones that are closed although goods wait in them for orders."""
    closures = {one.id: one for one in site.hall(look.session, look.warehouse_id).closures} if _has_hall(look) else {}
    lines = aside_lines(look.session, look.warehouse_id) if closures else []
    for closure_id, closure in closures.items():
        behind = [line for line in lines if closure_id in line.closure_ids]
        if behind:
            orders = len({line.order_no for line in behind})
            what = Words("terminal.trouble.closed", {"name": closure.name, "lines": f"{len(behind):,}"})
            note = Words("terminal.trouble.closed.note", {"orders": f"{orders:,}", "why": closure.why})
            deed = Deed("open_floor", Words("terminal.closed.open", {"name": closure.name}), {"closure": closure_id})
            due = min(line.cut_off_at for line in behind)
            yield Trouble(f"closed:{closure_id}", "E-2107", WARN, what, note, deed, closure.closed_at, due)


def _has_hall(look: Look) -> bool:
    return (
        look.session.execute(select(Hall.id).where(Hall.warehouse_id == look.warehouse_id).limit(1)).first() is not None
    )


def short(look: Look) -> Iterator[Trouble]:
    """Goods that orders wait for, the ones most orders want first."""
    missing = func.sum(OrderLine.quantity - OrderLine.allocated)
    rows = look.session.execute(
        select(
            Sku.id,
            Sku.code,
            Sku.name,
            Sku.unit,
            Order.short_reason,
            func.count(func.distinct(Order.id)).label("orders"),
            missing.label("missing"),
            func.min(Order.placed_at).label("since"),
            func.min(Order.cut_off_at).label("due"),
        )
        .join(OrderLine, OrderLine.sku_id == Sku.id)
        .join(Order, Order.id == OrderLine.order_id)
        .where(
            Order.warehouse_id == look.warehouse_id,
            _may_still_come(),
            Order.intercepted_at.is_(None),
            OrderLine.allocated < OrderLine.quantity,
        )
        .group_by(Sku.id, Sku.code, Sku.name, Sku.unit, Order.short_reason)
        .order_by(func.count(func.distinct(Order.id)).desc(), Sku.id)
        .limit(ROWS_MAX)
    )
    for row in rows:
        yield _short(row)


def _may_still_come() -> Any:
    """Short before release, where stock may still be promised."""
    before_release = Order.state.in_([OrderState.SHORT.value, OrderState.ALLOCATED.value])
    return and_(before_release, Order.short_reason.is_not(None), or_(Order.wave_id.is_(None), Order.state == "short"))


def _short(row: Any) -> Trouble:
    facts = {"sku": row.name, "missing": f"{row.missing:,}", "unit": row.unit, "orders": f"{row.orders:,}"}
    note = Words("terminal.trouble.short.note", {"why": Words(short_words(row.short_reason)), "code": row.code})
    deed = Deed("allocate_sku", Words("terminal.deed.allocate", {"orders": f"{row.orders:,}"}), {"sku": row.id})
    key = f"short:{row.id}:{row.short_reason}"
    return Trouble(key, "S-1407", WARN, Words("terminal.trouble.short", facts), note, deed, row.since, row.due)


def stopped(look: Look) -> Iterator[Trouble]:
    """Parcels of cancelled orders that are still in the house: somebody fetches them out."""
    rows = look.session.execute(
        select(Order.id, Order.no, Order.intercepted_at, Parcel.waybill, Parcel.code, Parcel.state, Parcel.chute)
        .join(Parcel, Parcel.order_id == Order.id)
        .where(
            Order.warehouse_id == look.warehouse_id,
            Order.intercepted_at.is_not(None),
            Order.state != OrderState.CANCELLED.value,
            Parcel.state.in_(ON_THE_WAY),
        )
        .order_by(Order.intercepted_at, Parcel.id)
        .limit(ROWS_MAX)
    )
    for row in rows:
        key = f"stopped:{row.code}"
        tail = (row.waybill or row.code)[-4:]
        where = _where(row)
        note = Words("terminal.trouble.stopped.note", {"where": where, "order": row.no})
        what = Words("terminal.trouble.stopped", {"tail": tail})
        deed = Deed("fetch", Words("terminal.deed.fetch"), {"key": key, "order": row.id})
        yield Trouble(key, "X-1501", HOLD, what, note, deed, row.intercepted_at)


def _where(row: Any) -> Words:
    if row.chute is not None:
        return Words("terminal.where.chute", {"chute": row.chute})
    return Words(f"terminal.where.{row.state}")


def stuck_planning(look: Look) -> Iterator[Trouble]:
    """Waves whose planner died: the server was stopped while it reckoned, or while batches went to the floor."""
    silent = KeptPlan.beat_at < look.wall - LOST_AFTER
    reckoned = KeptPlan.state.in_([PlanState.WAITING.value, PlanState.RUNNING.value])
    half = KeptPlan.state == PlanState.RELEASING.value
    never = KeptPlan.id.is_(None) & (Wave.made_at < look.now - PLANNING_MAX)
    rows = look.session.execute(
        select(Wave.no, Wave.made_at, Wave.cut_off_at, half.label("half"))
        .outerjoin(KeptPlan, KeptPlan.wave_id == Wave.id)
        .where(
            Wave.warehouse_id == look.warehouse_id,
            Wave.state == WaveState.PLANNING.value,
            or_(never, silent & or_(reckoned, half)),
        )
    )
    for row in rows:
        name = "go_on" if row.half else "back_to_draft"
        deed = Deed(name, Words(f"terminal.deed.{name}"), {"wave": row.no})
        kind = "releasing" if row.half else "planning"
        what, note = Words(f"terminal.trouble.{kind}", {"wave": row.no}), Words(f"terminal.trouble.{kind}.note")
        yield Trouble(f"planning:{row.no}", "W-1601", WARN, what, note, deed, row.made_at, row.cut_off_at)
