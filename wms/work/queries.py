"""Reads of the task board."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Select, and_, bindparam, case, func, select
from sqlalchemy.orm import Session

from wms.core.call import Call
from wms.core.db.tables import table_of
from wms.core.refusal import Reason, Refused
from wms.work.tables import Task
from wms.work.values import KindCount, TaskFacts, TaskState

ROWS_PER_PAGE_MAX = 500
TABLE = table_of(Task)
COLUMNS = (
    TABLE.c.id,
    TABLE.c.kind,
    TABLE.c.subject,
    TABLE.c.state,
    TABLE.c.priority,
    TABLE.c.due_at,
    TABLE.c.zone_id,
    TABLE.c.merchant_id,
    TABLE.c.facts,
    TABLE.c.made_at,
    TABLE.c.claimed_by,
    TABLE.c.claimed_at,
    TABLE.c.skipped_until,
    TABLE.c.hindered,
    TABLE.c.done_at,
)


def facts_of(row: Any) -> TaskFacts:
    """A row of `COLUMNS` as a value."""
    task_id, kind, subject, state, *rest = row
    return TaskFacts(task_id, kind, subject, TaskState(state), *rest)


def within(call: Call) -> Any:
    """The rows this asker may see."""
    mine = TABLE.c.warehouse_id == call.warehouse_id
    return mine if call.merchant_id is None else and_(mine, TABLE.c.merchant_id == call.merchant_id)


def visible(of_merchant: bool) -> Any:
    """As `within`, for statements that are made once and run with `asker`."""
    mine = TABLE.c.warehouse_id == bindparam("w")
    return and_(mine, TABLE.c.merchant_id == bindparam("m")) if of_merchant else mine


def asker(call: Call) -> dict[str, Any]:
    """The values of `visible`."""
    of_merchant = {} if call.merchant_id is None else {"m": call.merchant_id}
    return {"w": call.warehouse_id, **of_merchant}


def task_by_id(call: Call, task_id: int) -> TaskFacts:
    """A task. Raises NOT_FOUND."""
    row = call.session.execute(select(*COLUMNS).where(TABLE.c.id == task_id, within(call))).one_or_none()
    if row is None:
        raise Refused(Reason.NOT_FOUND, what=f"task {task_id}")
    return facts_of(row)


def task_about(call: Call, kind: str, subject: str) -> TaskFacts | None:
    """The task of this kind about this subject, in whatever state."""
    query = select(*COLUMNS).where(within(call), TABLE.c.kind == kind, TABLE.c.subject == subject)
    row = call.session.execute(query).one_or_none()
    return None if row is None else facts_of(row)


def tasks(
    session: Session,
    warehouse_id: int,
    *,
    kinds: Collection[str] | None = None,
    states: Collection[str] = (TaskState.OPEN, TaskState.CLAIMED),
    limit: int = 100,
) -> list[TaskFacts]:
    """The board: most urgent first."""
    query: Select[*tuple[Any, ...]] = select(*COLUMNS).where(
        TABLE.c.warehouse_id == warehouse_id, TABLE.c.state.in_([str(state) for state in states])
    )
    if kinds is not None:
        query = query.where(TABLE.c.kind.in_(list(kinds)))
    ordered = query.order_by(TABLE.c.priority, TABLE.c.due_at.is_(None), TABLE.c.due_at, TABLE.c.made_at, TABLE.c.id)
    return [facts_of(row) for row in session.execute(ordered.limit(min(limit, ROWS_PER_PAGE_MAX)))]


def put_aside(session: Session, warehouse_id: int, limit: int) -> list[TaskFacts]:
    """Free tasks that could not be begun when they were last tried, the first to be offered again first."""
    query = select(*COLUMNS).where(
        TABLE.c.warehouse_id == warehouse_id, TABLE.c.state == TaskState.OPEN.value, TABLE.c.hindered.is_not(None)
    )
    return [facts_of(row) for row in session.execute(query.order_by(TABLE.c.skipped_until, TABLE.c.id).limit(limit))]


def tasks_of(session: Session, warehouse_id: int, person_id: int) -> list[TaskFacts]:
    """What somebody has in hand, in the order it was taken."""
    query = select(*COLUMNS).where(
        TABLE.c.warehouse_id == warehouse_id,
        TABLE.c.claimed_by == person_id,
        TABLE.c.state == TaskState.CLAIMED.value,
    )
    return [facts_of(row) for row in session.execute(query.order_by(TABLE.c.claimed_at, TABLE.c.id))]


def board(session: Session, warehouse_id: int) -> list[KindCount]:
    """How much of each kind is open and in hand."""
    is_open = TABLE.c.state == TaskState.OPEN.value
    query = (
        select(
            TABLE.c.kind,
            func.sum(case((is_open, 1), else_=0)),
            func.sum(case((is_open, 0), else_=1)),
            func.min(case((is_open, TABLE.c.made_at))),
        )
        .where(TABLE.c.warehouse_id == warehouse_id, TABLE.c.state.in_(["open", "claimed"]))
        .group_by(TABLE.c.kind)
        .order_by(TABLE.c.kind)
    )
    return [
        KindCount(kind, int(opened), int(claimed), oldest) for kind, opened, claimed, oldest in session.execute(query)
    ]


def people_in_zones(session: Session, warehouse_id: int) -> dict[int, int]:
    """Zone id -> how many people have a task in hand there."""
    query = (
        select(TABLE.c.zone_id, func.count(func.distinct(TABLE.c.claimed_by)))
        .where(
            TABLE.c.warehouse_id == warehouse_id,
            TABLE.c.state == TaskState.CLAIMED.value,
            TABLE.c.zone_id.is_not(None),
        )
        .group_by(TABLE.c.zone_id)
    )
    return {zone_id: int(people) for zone_id, people in session.execute(query)}
