"""The sorting line: chutes as they hang, what it did in the last hour, what it threw out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import case, func, select

from wms.site import queries as site
from wms.sorting.rules import group_of
from wms.sorting.tables import DivertRow, RouteChange, SortRule
from wms.sorting.values import REJECT, Finding
from wms.terminal.queries.look import Look
from wms.terminal.queries.troubles.machines import kind_of_reject, rejects, tail_of_reject
from wms.terminal.values import STOP, WARN, ChuteTile, Figure, Words

NOREAD_PERCENT_MAX = 1.0
REJECTS_SHOWN = 40
LAPS = 12


@dataclass(frozen=True, slots=True)
class Reject:
    """A parcel a person must deal with."""

    divert_id: int
    kind: str
    tail: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Line:
    """The line now. `route_version` is the last change of the route table."""

    chutes: Sequence[ChuteTile]
    figures: Sequence[Figure]
    rejects: Sequence[Reject]
    route_version: int


def line(look: Look) -> Line:
    version = look.session.scalar(select(func.max(RouteChange.id)).where(RouteChange.warehouse_id == look.warehouse_id))
    out = rejects(look)
    found = [
        Reject(row.id, kind_of_reject(row), tail_of_reject(row), row.confirmed_at or row.told_at)
        for row in out[:REJECTS_SHOWN]
    ]
    return Line(chute_wall(look), _figures(look, len(out)), found, int(version or 0))


def chute_wall(look: Look) -> list[ChuteTile]:
    """Every chute with the hubs that fall into it."""
    hubs: defaultdict[int, list[Any]] = defaultdict(list)
    rules = look.session.execute(
        select(SortRule.courier, SortRule.hub, SortRule.chutes)
        .where(SortRule.warehouse_id == look.warehouse_id)
        .order_by(SortRule.courier, SortRule.hub)
    )
    for rule in rules:
        for number in group_of(rule.chutes):
            hubs[number].append(rule)
    return [
        ChuteTile(
            chute.number,
            chute.state,
            chute.parcels,
            chute.parcels_max,
            [rule.hub for rule in hubs[chute.number]],
            sorted({look.courier(rule.courier) for rule in hubs[chute.number]}),
        )
        for chute in site.chutes(look.session, look.warehouse_id)
    ]


def _figures(look: Look, rejects_open: int) -> list[Figure]:
    row = _counts(look)
    parcels = Words("terminal.unit.parcels")
    noread = 100 * row.noread / row.sorted if row.sorted else None
    latency = Words("terminal.line.latency.none")
    if row.latency_us is not None:
        latency = Words("terminal.line.latency", {"ms": f"{row.latency_us / 1000:.0f}"})
    return [
        Figure("speed", f"{row.last_hour:,}", Words("terminal.unit.parcels_per_h"), latency, _by_quarter(look)),
        Figure("sorted", f"{row.sorted:,}", parcels, Words("terminal.line.sorted.note", {"ok": f"{row.ok:,}"})),
        Figure(
            "noread",
            None if noread is None else f"{noread:.1f}",
            Words("terminal.unit.percent"),
            Words("terminal.line.noread.note", {"limit": f"{NOREAD_PERCENT_MAX:g}"}),
            priority=WARN if noread is not None and noread > NOREAD_PERCENT_MAX else 0,
        ),
        Figure(
            "rejects", f"{rejects_open:,}", parcels, Words("terminal.line.rejects.note", {"all": f"{row.rejected:,}"})
        ),
        Figure("lost", f"{row.lost:,}", parcels, Words("terminal.line.lost.note"), priority=WARN if row.lost else 0),
        Figure("missort", f"{row.wrong:,}", parcels, Words("terminal.line.goal0"), priority=STOP if row.wrong else 0),
    ]


def _counts(look: Look) -> Any:
    def how_many(which: Any) -> Any:
        return func.coalesce(func.sum(case((which, 1), else_=0)), 0)

    return look.session.execute(
        select(
            func.count(DivertRow.confirmed_at).label("sorted"),
            how_many((DivertRow.chute != REJECT) & (DivertRow.finding == "")).label("ok"),
            how_many(DivertRow.chute == REJECT).label("rejected"),
            how_many(DivertRow.result == "NOREAD").label("noread"),
            how_many(DivertRow.finding == Finding.MISSORT.value).label("wrong"),
            how_many(DivertRow.finding == Finding.LOST.value).label("lost"),
            how_many(DivertRow.confirmed_at > look.now - timedelta(hours=1)).label("last_hour"),
            func.max(DivertRow.latency_us).label("latency_us"),
        ).where(
            DivertRow.warehouse_id == look.warehouse_id,
            (DivertRow.confirmed_at >= look.day_begin) | (DivertRow.told_at >= look.day_begin),
        )
    ).one()


def _by_quarter(look: Look) -> list[float]:
    """Parcels an hour, five minutes by five minutes of the last hour."""
    since = look.now - timedelta(hours=1)
    times = look.session.scalars(
        select(DivertRow.confirmed_at).where(
            DivertRow.warehouse_id == look.warehouse_id, DivertRow.confirmed_at > since
        )
    ).all()
    counts = [0.0] * LAPS
    for at in times:
        if at is not None:
            counts[min(LAPS - 1, int((at - since) / timedelta(minutes=60 / LAPS)))] += LAPS
    return counts if times else []
