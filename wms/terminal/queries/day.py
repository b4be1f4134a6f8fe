"""The day as a line: orders come in, orders shipped, and where it leads."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import or_, select

from wms.outbound.tables import Order
from wms.terminal.queries.look import Look
from wms.terminal.rules.plots import added_up, buckets
from wms.terminal.values import Day, Flow

BEFORE_FIRST = timedelta(minutes=30)
AFTER_LAST = timedelta(minutes=30)
SPAN_MIN = timedelta(hours=6)


def day_of(look: Look, flow: Flow) -> Day:
    """All orders of today's cut-offs, added up by when they came and when they left."""
    rows = look.session.execute(
        select(Order.placed_at, Order.packed_at, Order.shipped_at).where(
            Order.warehouse_id == look.warehouse_id,
            Order.cancelled_at.is_(None),
            or_(
                (Order.cut_off_at >= look.day_begin) & (Order.cut_off_at < look.day_begin + timedelta(days=1)),
                Order.shipped_at >= look.day_begin,
            ),
        )
    ).all()
    came = [row.placed_at for row in rows]
    shipped = [row.shipped_at for row in rows if row.shipped_at is not None]
    first = min(came, default=look.now)
    cut_offs = _cut_offs(look, flow)
    begin, end = _span(look, [*came, *shipped], [at for at, _ in cut_offs])
    moments = [moment for moment in buckets(begin, end) if moment < look.now] + [look.now]
    came_by_end = _came_by_end(len(came), first, look.now, cut_offs)
    return Day(
        begin,
        end,
        look.now,
        moments,
        added_up(moments, came),
        added_up(moments, [row.packed_at for row in rows if row.packed_at is not None]),
        added_up(moments, shipped),
        cut_offs,
        came_by_end,
        _shipped_by_end(look, flow, len(shipped), came_by_end, cut_offs),
    )


def _cut_offs(look: Look, flow: Flow) -> list[tuple[datetime, str]]:
    """Today's cut-offs; couriers that share one moment share one line."""
    tomorrow = look.day_begin + timedelta(days=1)
    at: dict[datetime, list[str]] = {}
    for row, _ in flow.rows:
        if look.day_begin <= row.at < tomorrow:
            at.setdefault(row.at, []).append(row.name)
    return [(moment, " ".join(names)) for moment, names in sorted(at.items())]


def _span(look: Look, moments: list[datetime], cut_offs: list[datetime]) -> tuple[datetime, datetime]:
    """From the first order of today to after the last cut-off, in whole hours of the building's clock."""
    today = [moment for moment in moments if moment >= look.day_begin]
    first = min([*today, look.now]) - BEFORE_FIRST
    local = look.here.local(first)
    begin = max(
        look.day_begin, first - timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
    )
    last = max([look.now, *cut_offs]) + AFTER_LAST
    return begin, max(last, begin + SPAN_MIN)


def _came_by_end(so_far: int, first: datetime, now: datetime, cut_offs: list[tuple[datetime, str]]) -> int:
    """Orders by the last cut-off, if they go on coming as they did. Nobody knows better without a history of days."""
    if not cut_offs or now >= cut_offs[-1][0] or now - first < timedelta(hours=1):
        return so_far
    return round(so_far * ((cut_offs[-1][0] - first) / (now - first)))


def _shipped_by_end(
    look: Look, flow: Flow, shipped: int, came_by_end: int, cut_offs: list[tuple[datetime, str]]
) -> int:
    """What will have left by the last cut-off: what is ready, and what today's pace gets done of all that comes."""
    ready = sum(row.ready for row, _ in flow.rows)
    hours_left = max(timedelta(0), cut_offs[-1][0] - look.now) / timedelta(hours=1) if cut_offs else 0.0
    return max(shipped, min(came_by_end, shipped + ready + round(flow.pace_per_h * hours_left)))
