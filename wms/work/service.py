"""What is done with tasks: put on the board, taken, put off, put aside, handed over, done.

One task is in one pair of hands: every step guards itself by the state it expects, so of two who claim at once one
wins and the other is told who has it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import and_, bindparam, case, func, or_, select, update

from wms.core import audit_trail
from wms.core.call import Call
from wms.core.refusal import Reason, Refused
from wms.core.sql import dialect_of, insert_of
from wms.people import queries as people
from wms.work import queries, rules
from wms.work.queries import COLUMNS, TABLE, asker, facts_of, visible
from wms.work.values import ASIDE_MINUTES, PRIORITY_NORMAL, TaskFacts, TaskState

_OVER = [TaskState.DONE.value, TaskState.CANCELLED.value]
WAKE = "live"


def create(
    call: Call,
    kind: str,
    subject: str,
    *,
    priority: int = PRIORITY_NORMAL,
    due_at: datetime | None = None,
    zone_id: int | None = None,
    merchant_id: int | None = None,
    **facts: object,
) -> int:
    """Put work on the board; the task's id. There is one task for a kind and subject.

    Asked again, the same task only becomes more urgent; one that was done or cancelled is opened anew.
    """
    rules.check_priority(priority)
    row = {
        "warehouse_id": call.warehouse_id,
        "merchant_id": merchant_id,
        "kind": kind,
        "state": TaskState.OPEN.value,
        "priority": priority,
        "due_at": due_at,
        "zone_id": zone_id,
        "subject": subject,
        "facts": facts,
        "made_at": call.now,
    }
    call.wakes.add(WAKE)
    return int(call.session.execute(_create(dialect_of(call.session)), row).scalar_one())


@cache
def _create(dialect: str) -> Any:
    """Write a task or open the known one again; the statement is made once, to be run with the row as its values."""
    fresh = insert_of(dialect, TABLE)
    return fresh.on_conflict_do_update(
        index_elements=["warehouse_id", "kind", "subject"], set_=_opened_again(fresh.excluded)
    ).returning(TABLE.c.id)


def _opened_again(new: Any) -> dict[str, Any]:
    over = TABLE.c.state.in_(_OVER)
    anew = {name: case((over, new[name]), else_=TABLE.c[name]) for name in ("facts", "made_at", "zone_id")}
    gone = {
        name: case((over, None), else_=TABLE.c[name])
        for name in ("claimed_by", "claimed_at", "skipped_until", "hindered", "done_at")
    }
    more_urgent = case((or_(over, new.priority < TABLE.c.priority), new.priority), else_=TABLE.c.priority)
    sooner = or_(over, TABLE.c.due_at.is_(None), new.due_at < TABLE.c.due_at)
    return {
        **anew,
        **gone,
        "state": case((over, TaskState.OPEN.value), else_=TABLE.c.state),
        "priority": more_urgent,
        "due_at": case((sooner, new.due_at), else_=TABLE.c.due_at),
    }


def claim(call: Call, task_id: int) -> TaskFacts:
    """Take this very task; taking one's own again changes nothing. Raises TASK_TAKEN (by whom), TASK_DONE."""
    person_id = _person(call)
    task = _take(call, task_id, person_id)
    if task is not None:
        return task
    found = queries.task_by_id(call, task_id)
    if found.state is TaskState.CLAIMED and found.claimed_by == person_id:
        return found
    rules.check_not_over(found)
    raise _taken(call, found)


def claim_next(call: Call, kinds: Collection[str]) -> TaskFacts | None:
    """Own work in progress, else the best free task of these kinds; None when there is none.

    Best: most urgent, soonest due, fewest people in its zone, oldest.
    """
    person_id = _person(call)
    of_merchant, wanted = call.merchant_id is not None, {**asker(call), "kinds": list(kinds)}
    row = call.session.execute(_in_hand(of_merchant), {**wanted, "p": person_id}).one_or_none()
    if row is not None:
        return facts_of(row)
    task_id = call.session.execute(_best_free(of_merchant), {**wanted, "now": call.now}).scalar_one_or_none()
    return None if task_id is None else _take(call, task_id, person_id)


_of_kinds = TABLE.c.kind.in_(bindparam("kinds", expanding=True))


@cache
def _in_hand(of_merchant: bool) -> Any:
    mine = (TABLE.c.state == TaskState.CLAIMED.value, TABLE.c.claimed_by == bindparam("p"))
    query = select(*COLUMNS).where(visible(of_merchant), _of_kinds, *mine)
    return query.order_by(TABLE.c.claimed_at, TABLE.c.id).limit(1)


@cache
def _best_free(of_merchant: bool) -> Any:
    others = TABLE.alias("others")
    crowd = (
        select(func.count(func.distinct(others.c.claimed_by)))
        .where(
            others.c.warehouse_id == TABLE.c.warehouse_id,
            others.c.state == TaskState.CLAIMED.value,
            others.c.zone_id == TABLE.c.zone_id,
        )
        .scalar_subquery()
    )
    return (
        select(TABLE.c.id)
        .where(visible(of_merchant), _of_kinds, _free)
        .order_by(TABLE.c.priority, TABLE.c.due_at.is_(None), TABLE.c.due_at, crowd, TABLE.c.made_at, TABLE.c.id)
        .limit(1)
        .with_for_update(skip_locked=True, of=TABLE)
    )


_rested = or_(TABLE.c.skipped_until.is_(None), TABLE.c.skipped_until <= bindparam("now"))
_free = and_(TABLE.c.state == TaskState.OPEN.value, _rested)


def _take(call: Call, task_id: int, person_id: int) -> TaskFacts | None:
    given = {**asker(call), "task": task_id, "p": person_id, "now": call.now}
    row = call.session.execute(_claim(call.merchant_id is not None), given).one_or_none()
    call.wakes.add(WAKE)
    return None if row is None else facts_of(row)


@cache
def _claim(of_merchant: bool) -> Any:
    now = bindparam("now", type_=TABLE.c.claimed_at.type)
    return (
        update(TABLE)
        .where(visible(of_merchant), TABLE.c.id == bindparam("task"), TABLE.c.state == TaskState.OPEN.value)
        .values(
            state=TaskState.CLAIMED.value, claimed_by=bindparam("p"), claimed_at=now, skipped_until=None, hindered=None
        )
        .returning(*COLUMNS)
    )


def done(call: Call, task_id: int) -> None:
    """The work is done. A task nobody claimed may be done as well (by a program, or on the way).

    Raises TASK_TAKEN when it is in somebody else's hands, TASK_DONE when it is over.
    """
    _leave(call, task_id, state=TaskState.DONE.value, done_at=call.now)


def done_about(call: Call, kind: str, subject: str) -> bool:
    """The work about this subject is done, whoever had it; False when there was none open."""
    return _close(call, kind, subject, state=TaskState.DONE.value, done_at=call.now)


def cancel(call: Call, task_id: int) -> None:
    """The work is not wanted any more, whoever has it. Raises TASK_DONE when it is over."""
    task = _locked(call, task_id)
    rules.check_not_over(task)
    _write(call, task_id, state=TaskState.CANCELLED.value, done_at=call.now)


def cancel_about(call: Call, kind: str, subject: str) -> bool:
    """The work about this subject is not wanted any more; False when there was none open."""
    return _close(call, kind, subject, state=TaskState.CANCELLED.value, done_at=call.now)


def skip(call: Call, task_id: int, minutes: int) -> None:
    """Later, not lost: the task is free again, and offered to nobody for so many minutes."""
    rules.check_minutes(minutes)
    until = call.now + timedelta(minutes=minutes)
    _leave(call, task_id, state=TaskState.OPEN.value, claimed_by=None, claimed_at=None, skipped_until=until)


def put_aside(call: Call, task_id: int, no: Refused) -> None:
    """It cannot be begun as things stand: free again, offered to nobody for `ASIDE_MINUTES`, and shown with its reason.

    Who takes it up again, or is given it, finds it as any other.
    """
    until = call.now + timedelta(minutes=ASIDE_MINUTES)
    why = {"reason": no.reason.value, "facts": dict(no.facts)}
    _leave(
        call,
        task_id,
        state=TaskState.OPEN.value,
        claimed_by=None,
        claimed_at=None,
        skipped_until=until,
        hindered=why,
    )


def offer_again(call: Call, task_id: int) -> None:
    """A task that was put aside, or off, is offered at once. Raises TASK_DONE when it is over."""
    rules.check_not_over(_locked(call, task_id))
    _write(call, task_id, skipped_until=None, hindered=None)


def give_back(call: Call, task_id: int) -> None:
    """Put one's task back on the board for whoever comes next."""
    _leave(call, task_id, state=TaskState.OPEN.value, claimed_by=None, claimed_at=None)


def hand_over(call: Call, task_id: int, person_id: int) -> None:
    """Give a task to somebody, whoever has it now. Raises NOT_FOUND for people who do not work here."""
    person = people.person_by_id(call.session, call.warehouse_id, person_id)
    if not person.active:
        raise Refused(Reason.NOT_FOUND, what=person.name)
    task = _locked(call, task_id)
    rules.check_not_over(task)
    values = {"claimed_by": person_id, "claimed_at": call.now, "skipped_until": None, "hindered": None}
    _write(call, task_id, state=TaskState.CLAIMED.value, **values)
    audit_trail.note(call, "task.handed_over", task=task_id, before=task.claimed_by, after=person_id)


def reprioritise(call: Call, task_id: int, priority: int) -> None:
    """Make a task more or less urgent."""
    rules.check_priority(priority)
    rules.check_not_over(_locked(call, task_id))
    _write(call, task_id, priority=priority)


def _leave(call: Call, task_id: int, **values: object) -> None:
    task = _locked(call, task_id)
    rules.check_not_over(task)
    if rules.in_others_hands(task, call.person_id):
        raise _taken(call, task)
    _write(call, task_id, **values)


def _locked(call: Call, task_id: int) -> TaskFacts:
    given = {**asker(call), "task": task_id}
    row = call.session.execute(_lock(call.merchant_id is not None), given).one_or_none()
    if row is None:
        raise Refused(Reason.NOT_FOUND, what=f"task {task_id}")
    return facts_of(row)


@cache
def _lock(of_merchant: bool) -> Any:
    return select(*COLUMNS).where(visible(of_merchant), TABLE.c.id == bindparam("task")).with_for_update()


def _write(call: Call, task_id: int, **values: object) -> None:
    call.session.execute(_change(tuple(values)), {"task": task_id, **_as_new(values)})
    call.wakes.add(WAKE)


@cache
def _change(columns: tuple[str, ...]) -> Any:
    """Change one task; the statement is made once for each set of columns."""
    return update(TABLE).where(TABLE.c.id == bindparam("task")).values(_new(columns))


def _new(columns: tuple[str, ...]) -> dict[str, Any]:
    return {name: bindparam(f"new_{name}", type_=TABLE.c[name].type) for name in columns}


def _as_new(values: Mapping[str, object]) -> dict[str, object]:
    return {f"new_{name}": each for name, each in values.items()}


def _close(call: Call, kind: str, subject: str, **values: object) -> bool:
    call.wakes.add(WAKE)
    about = {**asker(call), "of": kind, "about": subject}
    statement = _close_about(call.merchant_id is not None, tuple(values))
    return call.session.execute(statement, {**about, **_as_new(values)}).first() is not None


@cache
def _close_about(of_merchant: bool, columns: tuple[str, ...]) -> Any:
    """Change the open task of a kind and subject; the statement is made once for each set of columns."""
    statement = update(TABLE).where(
        visible(of_merchant),
        TABLE.c.kind == bindparam("of"),
        TABLE.c.subject == bindparam("about"),
        TABLE.c.state.not_in(_OVER),
    )
    return statement.values(_new(columns)).returning(TABLE.c.id)


def _taken(call: Call, task: TaskFacts) -> Refused:
    holder = task.claimed_by
    name = "" if holder is None else people.person_by_id(call.session, call.warehouse_id, holder).name
    return Refused(Reason.TASK_TAKEN, name=name)


def _person(call: Call) -> int:
    if call.person_id is None:
        raise Refused(Reason.NOT_LOGGED_IN)
    return call.person_id
