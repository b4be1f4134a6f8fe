"""Troubles that somebody put aside for a while: kept in the audit trail, so that it is known who and why."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from wms.core.tables import AuditRow
from wms.people.tables import Person
from wms.terminal.queries.look import Look
from wms.terminal.values import Shelved

SHELVED = "trouble.shelved"
FOR = timedelta(minutes=15)


def shelved(look: Look) -> dict[str, Shelved]:
    """By the trouble's key."""
    since = look.now - FOR
    rows = look.session.execute(
        select(AuditRow.at, AuditRow.actor, AuditRow.facts)
        .where(
            AuditRow.warehouse_id == look.warehouse_id,
            AuditRow.day >= since.date(),
            AuditRow.what == SHELVED,
            AuditRow.at > since,
        )
        .order_by(AuditRow.id)
    ).all()
    names = _names(look) if rows else {}
    found: dict[str, Shelved] = {}
    for row in rows:
        key = str(row.facts["trouble"])
        found.pop(key, None)
        if not row.facts.get("over"):
            found[key] = Shelved(key, names.get(row.actor, row.actor), str(row.facts["why"]), row.at + FOR)
    return found


def _names(look: Look) -> dict[str, str]:
    rows = look.session.execute(select(Person.id, Person.name).where(Person.warehouse_id == look.warehouse_id))
    return {f"person:{row.id}": row.name for row in rows}
