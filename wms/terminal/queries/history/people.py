"""The card of somebody who works here: what he did today."""

from __future__ import annotations

from typing import Any

from sqlalchemy import or_, select

from wms.core.tables import AuditRow
from wms.ledger.tables import MovementRow
from wms.people.tables import Person
from wms.terminal.queries.history.common import movements, newest_first
from wms.terminal.queries.look import DAY, Look
from wms.terminal.values import Card, Happened, Inside, Words
from wms.work import queries as work

NAMED_MAX = 10
NOTES_MAX = 100


def person(look: Look, text: str) -> Card | None:
    """By badge or whole name."""
    rows = look.session.scalars(
        select(Person)
        .where(Person.warehouse_id == look.warehouse_id, or_(Person.badge == text, Person.name == text))
        .limit(2)
    ).all()
    if len(rows) != 1:
        return None
    one = rows[0]
    facts: list[tuple[str, Words | str]] = [
        ("badge", one.badge),
        ("role", Words(f"terminal.role.{one.role}")),
        ("state", Words("terminal.person.active" if one.active else "terminal.person.left")),
    ]
    inside = [
        Inside(str(task.facts.get("no") or task.subject), str(task.facts.get("no") or task.subject), _task_words(task))
        for task in work.tasks_of(look.session, look.warehouse_id, one.id)
    ]
    actor = f"person:{one.id}"
    moved = movements(look, (MovementRow.actor == actor) & (MovementRow.at >= look.now - DAY), {actor: one.name})
    return Card("person", one.badge, one.name, facts, inside, newest_first(moved, _notes(look, actor, one.name)))


def _task_words(task: Any) -> Words:
    return Words(f"terminal.task.{task.kind}")


def _notes(look: Look, actor: str, name: str) -> list[Happened]:
    """What the audit trail says of him since yesterday."""
    rows = look.session.execute(
        select(AuditRow.at, AuditRow.what)
        .where(
            AuditRow.warehouse_id == look.warehouse_id,
            AuditRow.day >= (look.now - DAY).date(),
            AuditRow.actor == actor,
        )
        .order_by(AuditRow.id.desc())
        .limit(NOTES_MAX)
    )
    return [Happened(row.at, Words("terminal.history.noted", {"what": row.what}), name) for row in rows]


def named(look: Look, text: str) -> list[Inside]:
    """People with these words in their name."""
    rows = look.session.execute(
        select(Person.badge, Person.name, Person.role)
        .where(Person.warehouse_id == look.warehouse_id, Person.name.contains(text, autoescape=True))
        .order_by(Person.badge)
        .limit(NAMED_MAX)
    )
    return [Inside(row.badge, row.name, Words(f"terminal.role.{row.role}")) for row in rows]
