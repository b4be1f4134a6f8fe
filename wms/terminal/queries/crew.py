"""Who is at work, what he does, when he scanned last, and where he was then."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select

from wms.ledger.tables import MovementRow
from wms.ledger.values import MovementKind
from wms.people.tables import LoginSession, Person
from wms.picking.tables import Batch, PickLine
from wms.picking.values import PickState
from wms.site import queries as site
from wms.site.tables import Slot, Station, Zone
from wms.terminal.queries.look import Look
from wms.terminal.values import TaskInHand, Worker
from wms.work.tables import DialogueState, Task
from wms.work.values import TaskState, name_of

IDLE_AFTER = timedelta(minutes=8)
SEEN_LATELY = timedelta(hours=2)
PEOPLE_MAX = 200
BEHIND_TABLE_MM = 3_400
_BY_HAND = [
    kind.value
    for kind in (
        MovementKind.RECEIPT,
        MovementKind.PUTAWAY,
        MovementKind.MOVE,
        MovementKind.REPLENISH,
        MovementKind.PICK,
        MovementKind.UNPICK,
        MovementKind.PACK,
        MovementKind.RETURN,
        MovementKind.KIT,
    )
]


def crew(look: Look) -> list[Worker]:
    """Everybody logged in at a device, the idle first, then the slowest scan first."""
    rows = look.session.execute(_at_work(look)).all()
    actors = [f"person:{row.id}" for row in rows]
    moved, places = _scans(look, actors), _places(look, actors)
    tasks = _in_hand(look)
    workers = [_worker(look, row, moved, places, tasks.get(row.id, ())) for row in rows]
    return sorted(_with_usual(workers), key=lambda one: (not one.idle, one.badge))


def _at_work(look: Look) -> Any:
    return (
        select(
            Person.id,
            Person.name,
            Person.badge,
            LoginSession.began_at,
            DialogueState.dialogue,
            DialogueState.changed_at,
            Station.code.label("station"),
            Station.x_mm,
            Station.y_mm,
        )
        .join(LoginSession, (LoginSession.person_id == Person.id) & LoginSession.ended_at.is_(None))
        .outerjoin(DialogueState, DialogueState.person_id == Person.id)
        .outerjoin(Station, Station.id == LoginSession.station_id)
        .where(Person.warehouse_id == look.warehouse_id, LoginSession.device_id.is_not(None))
        .order_by(Person.badge)
        .limit(PEOPLE_MAX)
    )


def _worker(
    look: Look,
    row: Any,
    moved: Mapping[str, tuple[int, datetime]],
    places: Mapping[str, tuple[int, int, str]],
    tasks: Sequence[TaskInHand],
) -> Worker:
    actor = f"person:{row.id}"
    pieces, moved_at = moved.get(actor, (0, None))
    scans = [at for at in (row.changed_at, moved_at) if at is not None]
    last = max(scans) if scans else None
    stands = places.get(actor)
    x_mm, y_mm = (
        (row.x_mm, row.y_mm + BEHIND_TABLE_MM) if row.station else (stands[0], stands[1]) if stands else (None, None)
    )
    since = last or look.in_business_time(row.began_at) or look.now
    doing = row.dialogue if row.dialogue not in (None, "menu") else ""
    return Worker(
        person_id=row.id,
        name=row.name,
        badge=row.badge,
        doing=doing or (tasks[0].kind if tasks else "") or "menu",
        place=row.station or (stands[2] if stands else ""),
        pieces_per_h=pieces,
        usual_per_h=0,
        last_scan_at=last,
        in_hand=tasks,
        idle=bool(tasks) and look.now - since > IDLE_AFTER,
        x_mm=x_mm,
        y_mm=y_mm,
    )


def _with_usual(workers: Sequence[Worker]) -> list[Worker]:
    """What people at the same work move in an hour: the mark beside one's own bar."""
    same: defaultdict[str, list[int]] = defaultdict(list)
    for one in workers:
        if one.pieces_per_h:
            same[one.doing].append(one.pieces_per_h)
    usual = {doing: round(sum(values) / len(values)) for doing, values in same.items()}
    return [replace(one, usual_per_h=usual.get(one.doing, 0)) for one in workers]


def _scans(look: Look, actors: Sequence[str]) -> dict[str, tuple[int, datetime]]:
    """Pieces each moved by hand in the last hour, and when he moved the last one."""
    rows = look.session.execute(
        select(MovementRow.actor, func.sum(MovementRow.quantity).label("pieces"), func.max(MovementRow.at).label("at"))
        .where(
            MovementRow.warehouse_id == look.warehouse_id,
            MovementRow.at > look.now - timedelta(hours=1),
            MovementRow.actor.in_(actors),
            MovementRow.kind.in_(_BY_HAND),
        )
        .group_by(MovementRow.actor)
    )
    return {row.actor: (int(row.pieces), row.at) for row in rows}


def _places(look: Look, actors: Sequence[str]) -> dict[str, tuple[int, int, str]]:
    """x, y and zone of the slot each had his hand in last, if that was lately."""
    last = (
        select(func.max(MovementRow.id).label("id"))
        .join(Slot, (Slot.place_id == MovementRow.source_id) | (Slot.place_id == MovementRow.target_id))
        .where(
            MovementRow.warehouse_id == look.warehouse_id,
            MovementRow.at > look.now - SEEN_LATELY,
            MovementRow.actor.in_(actors),
        )
        .group_by(MovementRow.actor)
        .subquery()
    )
    rows = look.session.execute(
        select(MovementRow.actor, Slot.aisle_index, Slot.y_mm, Zone.code)
        .join(last, last.c.id == MovementRow.id)
        .join(Slot, (Slot.place_id == MovementRow.source_id) | (Slot.place_id == MovementRow.target_id))
        .join(Zone, Zone.id == Slot.zone_id)
    ).all()
    if not rows:
        return {}
    aisle_x_mm = site.hall(look.session, look.warehouse_id).hall.aisle_x_mm
    return {row.actor: (aisle_x_mm[row.aisle_index], row.y_mm, row.code) for row in rows}


def _in_hand(look: Look) -> dict[int, list[TaskInHand]]:
    """Claimed tasks by who has them."""
    stops_left = (
        select(func.count(func.distinct(PickLine.stop)))
        .where(PickLine.batch_id == Batch.id, PickLine.state == PickState.OPEN.value)
        .correlate(Batch)
        .scalar_subquery()
    )
    rows = look.session.execute(
        select(Task.id, Task.kind, Task.subject, Task.claimed_by, Task.facts, stops_left.label("left"))
        .outerjoin(Batch, Batch.task_id == Task.id)
        .where(Task.warehouse_id == look.warehouse_id, Task.state == TaskState.CLAIMED.value)
        .order_by(Task.claimed_at, Task.id)
    )
    found: defaultdict[int, list[TaskInHand]] = defaultdict(list)
    for row in rows:
        name = name_of(row.facts, row.subject)
        found[row.claimed_by].append(TaskInHand(row.id, row.kind, name, int(row.left or 0)))
    return found
