"""The house looks at finished walks and learns how fast its people are. Bounded: the newest stops of some weeks."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from sqlalchemy import delete, func, or_, select
from sqlalchemy.orm import Session

from wms.core.call import Call
from wms.core.db.tables import table_of
from wms.core.sql import insert_for
from wms.optimise.batching.crowding import Crew
from wms.optimise.geometry import Point, RectHall, Stop, stop_point
from wms.picking.rules.pace import Leg, learn
from wms.picking.rules.schedule import Pace, Paces
from wms.picking.rules.ways import way_mm
from wms.picking.tables import Batch, LearntPace, PickLine
from wms.picking.values import TASK_KIND, BatchState
from wms.site import queries as site
from wms.site.tables import Hall, Slot
from wms.work.tables import Task
from wms.work.values import TaskState

SHIFT = timedelta(hours=12)
PEOPLE_MIN, PEOPLE_MAX = 2, 40
RECENT = timedelta(days=28)
STOPS_MAX = 20_000
MM_PER_M = 1_000

_learnt = table_of(LearntPace)


def learn_pace(call: Call) -> int:
    """Learn anew from the walks that were finished lately; how many paces are known now. Safe to repeat."""
    halls = select(Hall.id).where(Hall.warehouse_id == call.warehouse_id).limit(1)
    if call.session.execute(halls).first() is None:
        return 0
    hall = site.hall(call.session, call.warehouse_id).hall
    found = learn(_legs(_stops(call.session, call.warehouse_id, call.now - RECENT), hall))
    known = [one.zone_id for one in found]
    gone = (_learnt.c.warehouse_id == call.warehouse_id) & _learnt.c.zone_id.not_in(known)
    call.session.execute(delete(_learnt).where(gone))
    rows = [
        {
            "warehouse_id": call.warehouse_id,
            "zone_id": one.zone_id,
            "s_per_m": one.pace.s_per_m,
            "s_per_stop": one.pace.s_per_stop,
            "walks": one.walks,
            "legs": one.legs,
            "learnt_at": call.now,
        }
        for one in found
    ]
    for row in rows:  # zones ascending: two servers that learn at once wait for each other
        fresh = insert_for(call.session, _learnt).values(row)
        newer = {name: row[name] for name in ("s_per_m", "s_per_stop", "walks", "legs", "learnt_at")}
        call.session.execute(fresh.on_conflict_do_update(index_elements=["warehouse_id", "zone_id"], set_=newer))
    return len(rows)


def _stops(session: Session, warehouse_id: int, since: datetime) -> list[Any]:
    """Stops of finished walks with the moment of their last scan: the newest walk first, each in the order of scans."""
    at = func.max(PickLine.done_at).label("at")
    query = (
        select(
            PickLine.batch_id,
            Slot.zone_id,
            Slot.aisle_index,
            Slot.y_mm,
            func.sum(PickLine.picked).label("pieces"),
            at,
        )
        .join(Batch, Batch.id == PickLine.batch_id)
        .join(Slot, Slot.place_id == PickLine.slot_id)
        .where(
            Batch.warehouse_id == warehouse_id,
            Batch.state == BatchState.DONE.value,
            Batch.done_at >= since,
            PickLine.picked > 0,
        )
        .group_by(PickLine.batch_id, PickLine.stop, PickLine.slot_id, Slot.zone_id, Slot.aisle_index, Slot.y_mm)
        .order_by(PickLine.batch_id.desc(), at)
        .limit(STOPS_MAX)
    )
    return list(session.execute(query))


def _legs(stops: list[Any], hall: RectHall) -> list[Leg]:
    known: dict[tuple[Point, Point], int] = {}
    legs = []
    for before, after in pairwise(stops):
        if before.batch_id != after.batch_id or before.at is None or after.at is None:
            continue
        ends = (
            stop_point(hall, Stop(before.aisle_index, before.y_mm)),
            stop_point(hall, Stop(after.aisle_index, after.y_mm)),
        )
        if ends not in known:
            known[ends] = way_mm(hall, *ends)
        seconds = (after.at - before.at).total_seconds()
        legs.append(Leg(after.zone_id, after.batch_id, known[ends] / MM_PER_M, int(after.pieces), seconds))
    return legs


def paces(session: Session, warehouse_id: int) -> Paces:
    """What was learnt last."""
    rows = session.execute(select(_learnt).where(_learnt.c.warehouse_id == warehouse_id)).all()
    by_zone = {row.zone_id: Pace(row.s_per_m, row.s_per_stop) for row in rows}
    return Paces(by_zone, next((row.walks for row in rows if row.zone_id == 0), 0))


def crew_of(session: Session, warehouse_id: int, now: datetime) -> Crew:
    """How many people pick these days, and how fast. At least two: one alone is in nobody's way."""
    task = table_of(Task)
    of_picking = (task.c.warehouse_id == warehouse_id) & (task.c.kind == TASK_KIND) & task.c.claimed_by.is_not(None)
    lately = or_(task.c.done_at >= now - SHIFT, task.c.state == TaskState.CLAIMED.value)
    people = session.execute(select(func.count(task.c.claimed_by.distinct())).where(of_picking, lately)).scalar_one()
    pace = paces(session, warehouse_id).by_zone.get(0) or Pace()
    walk_mm_per_s = max(1, round(1_000 / pace.s_per_m))
    return Crew(min(PEOPLE_MAX, max(PEOPLE_MIN, int(people))), walk_mm_per_s, pace.s_per_stop, pace.setup_s)
