"""The top row: how the day goes, each figure with its goal and its way so far."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import case, func, select

from wms.counting.tables import Count, CountLine
from wms.outbound.tables import Order, Wave
from wms.people.tables import LoginSession
from wms.picking.tables import Batch, PickLine
from wms.sorting.tables import DivertRow
from wms.sorting.values import Finding
from wms.terminal.queries.look import Look
from wms.terminal.rules.plots import added_up, buckets
from wms.terminal.values import STOP, WARN, Day, Figure, Flow, Words, Worker

ON_TIME_GOAL = 99.5
ACCURACY_GOAL = 99.95
ACCURACY_LINES_MIN = 20
COUNTS_OF = timedelta(days=30)
TREND_MAX = 48


def figures(look: Look, flow: Flow, day: Day, crew: Sequence[Worker]) -> list[Figure]:
    """Seven figures, in the order of the screen."""
    return [
        _shipped(look, day),
        _speed(flow, day),
        _on_time(look),
        _walk(look),
        _wrong(look),
        _accuracy(look),
        _people(look, crew),
    ]


def _goal(look: Look, name: str, usual: float) -> float:
    """A goal of the building's own (`settings.goals`), or the usual one."""
    goals = look.here.settings.get("goals")
    given = goals.get(name) if isinstance(goals, dict) else None
    return float(given) if isinstance(given, int | float) else usual


def _shipped(look: Look, day: Day) -> Figure:
    today = select(func.count()).where(Order.warehouse_id == look.warehouse_id, Order.shipped_at >= look.day_begin)
    shipped, due = look.session.execute(today).scalar_one(), day.came[-1]
    goal = int(_goal(look, "orders", due))
    if not goal:
        return Figure("shipped", f"{shipped:,}", Words("terminal.unit.orders"), Words("terminal.figure.shipped.none"))
    note = Words("terminal.figure.shipped.note", {"goal": f"{goal:,}", "percent": round(100 * shipped / goal)})
    return Figure("shipped", f"{shipped:,}", Words("terminal.unit.orders"), note, _thin(day.shipped), goal)


def _speed(flow: Flow, day: Day) -> Figure:
    unit = Words("terminal.unit.orders_per_h")
    if not flow.pace_per_h and not any(row.open for row, _ in flow.rows):
        return Figure("speed", "0", unit, Words("terminal.figure.speed.none"))
    slow = flow.pace_per_h < flow.needed_per_h
    note = Words("terminal.figure.speed.note", {"needed": f"{flow.needed_per_h:,}"})
    trend = _per_hour(day)
    return Figure("speed", f"{flow.pace_per_h:,}", unit, note, trend, flow.needed_per_h or None, WARN if slow else 0)


def _per_hour(day: Day) -> list[float]:
    """Orders packed in the hour before each quarter."""
    total = day.packed
    return [float(total[n] - total[max(0, n - 4)]) for n in range(1, len(total))][-TREND_MAX:]


def _on_time(look: Look) -> Figure:
    """Of the orders whose cut-off has passed today: how many had left by then."""
    kept = case((Order.shipped_at <= Order.cut_off_at, 1), else_=0)
    rows = look.session.execute(
        select(Order.cut_off_at, func.count().label("due"), func.sum(kept).label("kept"))
        .where(
            Order.warehouse_id == look.warehouse_id,
            Order.cut_off_at >= look.day_begin,
            Order.cut_off_at <= look.now,
            Order.cancelled_at.is_(None),
            Order.intercepted_at.is_(None),
        )
        .group_by(Order.cut_off_at)
        .order_by(Order.cut_off_at)
    ).all()
    unit, goal = Words("terminal.unit.percent"), _goal(look, "on_time_percent", ON_TIME_GOAL)
    if not rows:
        return Figure("on_time", None, unit, Words("terminal.figure.on_time.none"))
    percent = 100 * sum(row.kept for row in rows) / sum(row.due for row in rows)
    trend = [100.0 * row.kept / row.due for row in rows]
    note = Words("terminal.figure.goal", {"goal": f"{goal:g}"})
    return Figure("on_time", f"{percent:.1f}", unit, note, trend, goal, WARN if percent < goal else 0)


def _walk(look: Look) -> Figure:
    """Metres per line of today's waves, against the S-shape through the same batches."""
    lines = select(func.count()).where(PickLine.batch_id == Batch.id).correlate(Batch).scalar_subquery()
    rows: Sequence[Any] = look.session.execute(
        select(Batch.walk_mm, Batch.s_shape_mm, lines.label("lines"))
        .join(Wave, Wave.id == Batch.wave_id)
        .where(Batch.warehouse_id == look.warehouse_id, Wave.released_at >= look.day_begin)
        .order_by(Batch.id)
    ).all()
    unit = Words("terminal.unit.m_per_line")
    if not rows:
        return Figure("walk", None, unit, Words("terminal.figure.walk.none"))
    count = sum(row.lines for row in rows)
    walk_m, s_shape_m = (sum(row[n] for row in rows) / 1000 / count for n in (0, 1))
    saved = round(100 * (1 - walk_m / s_shape_m)) if s_shape_m else 0
    note = Words("terminal.figure.walk.note", {"s_shape": f"{s_shape_m:.1f}", "saved": saved})
    trend = [row.walk_mm / 1000 / row.lines for row in rows][-TREND_MAX:]
    return Figure("walk", f"{walk_m:.1f}", unit, note, trend, s_shape_m)


def _wrong(look: Look) -> Figure:
    """Parcels that fell into another chute than told, and how many the line has confirmed today."""
    wrong = func.sum(case((DivertRow.finding == Finding.MISSORT.value, 1), else_=0))
    row = look.session.execute(
        select(func.count().label("sorted"), func.coalesce(wrong, 0).label("wrong")).where(
            DivertRow.warehouse_id == look.warehouse_id, DivertRow.confirmed_at >= look.day_begin
        )
    ).one()
    unit = Words("terminal.unit.parcels")
    if not row.sorted:
        return Figure("wrong", None, unit, Words("terminal.figure.wrong.none"))
    note = Words("terminal.figure.wrong.note", {"sorted": f"{row.sorted:,}"})
    return Figure("wrong", f"{row.wrong:,}", unit, note, priority=STOP if row.wrong else 0)


def _accuracy(look: Look) -> Figure:
    """Lines counted in the last 30 days that were as the book said. A handful of lines, mostly counted because
    something was missing there, says nothing about the house.
    """
    right = func.sum(case((CountLine.counted == CountLine.expected, 1), else_=0))
    rows = look.session.execute(
        select(Count.counted_at, func.count().label("lines"), right.label("right"))
        .join(Count, Count.id == CountLine.count_id)
        .where(CountLine.warehouse_id == look.warehouse_id, Count.counted_at >= look.now - COUNTS_OF)
        .group_by(Count.id, Count.counted_at)
        .order_by(Count.counted_at)
    ).all()
    unit, goal = Words("terminal.unit.percent"), _goal(look, "accuracy_percent", ACCURACY_GOAL)
    if not rows:
        return Figure("accuracy", None, unit, Words("terminal.figure.accuracy.none"))
    lines, exact = sum(row.lines for row in rows), sum(row.right for row in rows)
    if lines < ACCURACY_LINES_MIN:
        return Figure("accuracy", None, unit, Words("terminal.figure.accuracy.few", {"lines": f"{lines:,}"}))
    percent = 100 * exact / lines
    note = Words("terminal.figure.accuracy.note", {"goal": f"{goal:g}", "lines": f"{lines:,}"})
    trend = _running([(row.right, row.lines) for row in rows])
    return Figure("accuracy", f"{percent:.2f}", unit, note, trend, goal, WARN if percent < goal else 0)


def _running(parts: Sequence[tuple[int, int]]) -> list[float]:
    """The percentage so far, count by count."""
    right = lines = 0
    so_far = []
    for exact, counted in parts:
        right, lines = right + exact, lines + counted
        so_far.append(100 * right / lines)
    return so_far[-TREND_MAX:]


def _people(look: Look, crew: Sequence[Worker]) -> Figure:
    idle = sum(worker.idle for worker in crew)
    note = Words("terminal.figure.people.note", {"idle": idle, "busy": sum(bool(w.in_hand) for w in crew)})
    unit = Words("terminal.unit.person" if len(crew) == 1 else "terminal.unit.people")
    return Figure("people", str(len(crew)), unit, note, _people_so_far(look), priority=WARN if idle else 0)


def _people_so_far(look: Look) -> list[float]:
    """How many were logged in at a device, quarter by quarter of the last twelve hours."""
    since = look.wall - timedelta(hours=12)
    sessions = look.session.execute(
        select(LoginSession.began_at, LoginSession.ended_at).where(
            LoginSession.warehouse_id == look.warehouse_id,
            LoginSession.device_id.is_not(None),
            LoginSession.ended_at.is_(None) | (LoginSession.ended_at >= since),
        )
    ).all()
    if not sessions:
        return []
    begin = max(since, min(row.began_at for row in sessions))
    moments: list[datetime] = buckets(begin, look.wall)
    came = added_up(moments, [row.began_at for row in sessions])
    gone = added_up(moments, [row.ended_at for row in sessions if row.ended_at])
    return [float(a - b) for a, b in zip(came, gone, strict=True)]


def _thin(values: Sequence[int]) -> list[float]:
    """At most `TREND_MAX` values, the last one kept."""
    step = max(1, len(values) // TREND_MAX)
    return [float(value) for value in values[::-step][::-1]]
