"""How right forecasts were: what a plan expected is written down and, when its week is over, put beside what came.

Goods: order lines of the fastest SKUs. Moves: what the tours of the week after a move would have been with the goods
still in the old slot.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import numpy as np
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from wms.core.call import Call
from wms.core.clock import Clock
from wms.core.db import Database
from wms.core.ids import new_id
from wms.core.perform import system_call
from wms.ledger.tables import MovementRow
from wms.ledger.values import MovementKind
from wms.optimise.geometry import RectHall
from wms.optimise.twin import Stops, tour_lengths_mm
from wms.site import queries as site
from wms.site.tables import Slot
from wms.slotting.past import Pick, read_picks, walks_of
from wms.slotting.picture import Picture, picture_of
from wms.slotting.tables import MoveProposal, SkuForecast

SKUS_MAX = 200
FORECAST_EVERY = timedelta(days=7)
JUDGED_AFTER = timedelta(days=7)
JUDGED_A_TIME = 10
WEEKS_SHOWN = 12


@dataclass(frozen=True, slots=True)
class Expected:
    """Lines expected of a SKU in the coming week."""

    sku_id: int
    merchant_id: int
    lines: float


@dataclass(frozen=True, slots=True)
class WeekForecast:
    """One forecast against its week: lines said and come of so many SKUs; `right` is 1 minus the misses per line."""

    made_at: datetime
    skus: int
    said: float
    came: int
    missed: float

    @property
    def right(self) -> float:
        return max(0.0, 1.0 - self.missed / max(1.0, self.said, self.came))


@dataclass(frozen=True, slots=True)
class MovesJudged:
    """Moves a week old or older: metres a week they were to save, and did save on the tours walked since."""

    moves: int
    said_m: int
    saved_m: int


def write_down(call: Call, expected: Sequence[Expected]) -> int:
    """Keep a forecast, at most one a week; how many SKUs it spoke of."""
    newest: datetime | None = call.session.scalars(
        select(SkuForecast.made_at)
        .where(SkuForecast.warehouse_id == call.warehouse_id)
        .order_by(SkuForecast.made_at.desc())
        .limit(1)
    ).first()
    if newest is not None and call.now - newest < FORECAST_EVERY:
        return 0
    fastest = sorted(expected, key=lambda one: (-one.lines, one.sku_id))[:SKUS_MAX]
    call.session.add_all(
        SkuForecast(
            warehouse_id=call.warehouse_id,
            merchant_id=one.merchant_id,
            sku_id=one.sku_id,
            made_at=call.now,
            said_lines=round(one.lines, 2),
        )
        for one in fastest
    )
    call.session.flush()
    return len(fastest)


def judge(db: Database, clock: Clock) -> int:
    """Forecasts whose week is over, and moves done a week ago, in every warehouse; how many were judged."""
    judged = 0
    for here in db.read(site.warehouses):
        judged += int(system_call(db, clock, here.id, judge_forecasts, request_id=new_id()))
        for proposal_id, came, saved in db.read(partial(_moves_against_tours, here.id, clock.now())):
            work = partial(_note_judged, proposal_id=proposal_id, came=came, saved=saved)
            judged += int(system_call(db, clock, here.id, work, request_id=new_id()))
    return judged


def judge_forecasts(call: Call) -> int:
    """Put what came beside the forecasts whose week is over; how many rows."""
    due = call.session.scalars(
        select(SkuForecast)
        .where(
            SkuForecast.warehouse_id == call.warehouse_id,
            SkuForecast.came_lines.is_(None),
            SkuForecast.made_at <= call.now - JUDGED_AFTER,
        )
        .order_by(SkuForecast.made_at, SkuForecast.id)
        .limit(SKUS_MAX)
    ).all()
    for made_at in sorted({row.made_at for row in due}):
        lines = _lines_between(call, made_at, made_at + JUDGED_AFTER)
        for row in due:
            if row.made_at == made_at:
                row.came_lines = lines.get(row.sku_id, 0)
    call.session.flush()
    return len(due)


def _lines_between(call: Call, begin: datetime, end: datetime) -> Mapping[int, int]:
    row = MovementRow
    counted = select(row.sku_id, func.count()).where(
        row.warehouse_id == call.warehouse_id,
        row.kind == MovementKind.PICK.value,
        row.at > begin,
        row.at <= end,
    )
    return {sku_id: int(count) for sku_id, count in call.session.execute(counted.group_by(row.sku_id)).all()}


def _moves_against_tours(warehouse_id: int, now: datetime, session: Session) -> list[tuple[int, int, int]]:
    """Of each move that is due: its id, the lines of its goods in the week after it, and the metres it saved."""
    gone = select(Slot.place_id).where(Slot.warehouse_id == warehouse_id, Slot.retired)
    due = session.execute(
        select(
            MoveProposal.id,
            MoveProposal.sku_id,
            MoveProposal.source_id,
            MoveProposal.target_id,
            MoveProposal.closed_at,
        )
        .where(
            MoveProposal.warehouse_id == warehouse_id,
            MoveProposal.state == "done",
            MoveProposal.plan_id.is_not(None),
            MoveProposal.source_id.not_in(gone),
            MoveProposal.target_id.not_in(gone),
            MoveProposal.judged_at.is_(None),
            MoveProposal.closed_at <= now - JUDGED_AFTER,
        )
        .order_by(MoveProposal.closed_at)
        .limit(JUDGED_A_TIME)
    ).all()
    if not due:
        return []
    hall, picture = site.hall(session, warehouse_id), picture_of(session, warehouse_id)
    found = []
    for row in due:
        assert row.closed_at is not None, "what is done has an end"
        picks = read_picks(session, warehouse_id, row.closed_at + JUDGED_AFTER, JUDGED_AFTER)
        came = sum(pick.sku_id == row.sku_id for pick in picks)
        saved_mm = _saved_mm(hall.hall, picture, picks, row.sku_id, row.source_id, row.target_id)
        found.append((int(row.id), came, round(saved_mm / 1000)))
    return found


def _saved_mm(hall: RectHall, picture: Picture, picks: Iterable[Pick], sku_id: int, source: int, target: int) -> int:
    """The tours that fetched these goods from their new slot, with the goods back in the old one, less as walked."""
    there = [(pick, picture.index[pick.place_id]) for pick in picks if pick.place_id in picture.index]
    if source not in picture.index or target not in picture.index:
        return 0
    walks = walks_of(there)
    ordered = sorted(range(len(there)), key=lambda number: (there[number][0].actor, there[number][0].at))
    mine = np.array([there[number][0].sku_id == sku_id for number in ordered], dtype=np.bool_)
    mine &= walks.sku == picture.index[target]
    touched = np.zeros(walks.tours, dtype=np.bool_)
    touched[walks.tour[mine]] = True
    kept = touched[walks.tour]
    tour = (np.cumsum(touched) - 1)[walks.tour[kept]]
    slot = walks.sku[kept]
    before = np.where(mine[kept], picture.index[source], slot)
    lengths = [
        int(
            tour_lengths_mm(
                hall, Stops(tour, picture.slots.aisle[at], picture.slots.y_mm[at], int(touched.sum()))
            ).sum()
        )
        for at in (before, slot)
    ]
    return lengths[0] - lengths[1]


def _note_judged(call: Call, *, proposal_id: int, came: int, saved: int) -> int:
    row = call.session.get_one(MoveProposal, proposal_id)
    row.judged_at, row.came_lines, row.saved_m = call.now, came, saved
    call.session.flush()
    call.wakes.add("live")
    return 1


def weeks_judged(session: Session, warehouse_id: int) -> list[WeekForecast]:
    """Forecasts whose week is over, the newest first."""
    row = SkuForecast
    missed = func.sum(func.abs(row.came_lines - row.said_lines))
    query = (
        select(row.made_at, func.count(), func.sum(row.said_lines), func.sum(row.came_lines), missed)
        .where(row.warehouse_id == warehouse_id, row.came_lines.is_not(None))
        .group_by(row.made_at)
        .order_by(row.made_at.desc())
        .limit(WEEKS_SHOWN)
    )
    return [
        WeekForecast(made_at, skus, float(said), int(came or 0), float(off))
        for made_at, skus, said, came, off in session.execute(query).all()
    ]


def moves_judged(session: Session, warehouse_id: int) -> MovesJudged:
    """All moves judged so far."""
    row = MoveProposal
    query = select(
        func.count(), func.coalesce(func.sum(row.gain_m_week), 0), func.coalesce(func.sum(row.saved_m), 0)
    ).where(row.warehouse_id == warehouse_id, row.judged_at.is_not(None))
    found: Any = session.execute(query).one()
    return MovesJudged(*(int(each) for each in found))
