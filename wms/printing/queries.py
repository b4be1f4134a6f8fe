"""Print jobs for lists, for the screens that wait for a label, and for the scan of one; what each label looks like."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Engine, Select, bindparam, func, select
from sqlalchemy.orm import Session

from wms.core.db.tables import table_of
from wms.core.refusal import Reason, Refused
from wms.printing.designs import from_json
from wms.printing.rules import DUE
from wms.printing.tables import LabelDesign, PrintJob
from wms.printing.templates import TEMPLATES
from wms.printing.templates.elements import Template
from wms.printing.values import JobState, PrintFacts, Trace

LIST_MAX = 200
EVERYBODY = 0  # in place of a merchant: the design of the house
DESIGNS_KEPT_MAX = 500
Version = tuple[int, datetime]
_reading = threading.Lock()
_read: WeakKeyDictionary[Engine, dict[Version, Template | None]] = WeakKeyDictionary()

_COLUMNS = (
    PrintJob.id,
    PrintJob.job_key,
    PrintJob.station_id,
    PrintJob.document,
    PrintJob.subject,
    PrintJob.media,
    PrintJob.language,
    PrintJob.reprint,
    PrintJob.nonce,
    PrintJob.state,
    PrintJob.trouble,
    PrintJob.printer,
    PrintJob.made_at,
    PrintJob.changed_at,
)

_job = table_of(PrintJob)
_asked_often = select(*(_job.c[column.key] for column in _COLUMNS)).where(_job.c.warehouse_id == bindparam("w"))
_job_of_id = _asked_often.where(_job.c.id == bindparam("job"))
_jobs_of_subject = _asked_often.where(_job.c.subject == bindparam("subject")).order_by(_job.c.id).limit(LIST_MAX)


def job(session: Session, warehouse_id: int, job_id: int) -> PrintFacts:
    """One job. Raises PRINT_JOB_UNKNOWN."""
    session.flush()  # a statement about tables does not do so by itself
    row = session.execute(_job_of_id, {"w": warehouse_id, "job": job_id}).one_or_none()
    if row is None:
        raise Refused(Reason.PRINT_JOB_UNKNOWN, job=job_id)
    return _facts(row)


def labels_due(session: Session, warehouse_id: int, station_id: int | None = None) -> list[PrintFacts]:
    """Labels somebody waits for, oldest first: not yet sent, or not known to be on paper. At most 200."""
    query = _jobs(warehouse_id).where(PrintJob.state.in_([state.value for state in DUE]))
    if station_id is not None:
        query = query.where(PrintJob.station_id == station_id)
    return [_facts(row) for row in session.execute(query.order_by(PrintJob.id).limit(LIST_MAX))]


def prints_of(session: Session, warehouse_id: int, subject: str, document: str | None = None) -> list[PrintFacts]:
    """Every print of a number, the first one first: who wants it again sees how often it was printed. At most 200."""
    if document is None:
        session.flush()  # a statement about tables does not do so by itself
        return [_facts(row) for row in session.execute(_jobs_of_subject, {"w": warehouse_id, "subject": subject})]
    query = _jobs(warehouse_id).where(PrintJob.subject == subject, PrintJob.document == document)
    return [_facts(row) for row in session.execute(query.order_by(PrintJob.id).limit(LIST_MAX))]


def is_in_force(session: Session, warehouse_id: int, trace: Trace) -> bool:
    """Is this the newest print of its number? An older one was replaced, so it may stick on the wrong parcel."""
    newest = session.execute(
        select(PrintJob.reprint, PrintJob.nonce)
        .where(
            PrintJob.warehouse_id == warehouse_id,
            PrintJob.subject == trace.number,
            PrintJob.nonce != "",
            PrintJob.state != JobState.CANCELLED.value,
        )
        .order_by(PrintJob.reprint.desc(), PrintJob.id.desc())
        .limit(1)
    ).one_or_none()
    return newest is not None and (newest.reprint, newest.nonce) == (trace.reprint, trace.nonce)


def _jobs(warehouse_id: int) -> Select[*tuple[Any, ...]]:
    return select(*_COLUMNS).where(PrintJob.warehouse_id == warehouse_id)


def _facts(row: Any) -> PrintFacts:
    return replace(PrintFacts(*row), state=JobState(row.state))


@dataclass(frozen=True, slots=True)
class DesignFacts:
    """A label as it is printed now for one merchant (or for all). `own` is False for the built-in one."""

    template: Template
    own: bool
    made_at: datetime | None
    made_by: str


def built_in(name: str) -> Template:
    """Raises NOT_FOUND."""
    if name not in TEMPLATES:
        raise Refused(Reason.NOT_FOUND, what=f"label {name[:40]}")
    return TEMPLATES[name]


def design_of(session: Session, warehouse_id: int, template: Template, merchant_id: int | None) -> Template:
    """What a label looks like for a merchant: his own design, else the house's, else the built-in one."""
    found = _newest(session, warehouse_id, template.name)
    for whose in (merchant_id or EVERYBODY, EVERYBODY):
        version = found.get(whose)
        own = None if version is None else _drawn(session, version, template)
        if own is not None:
            return own
    return template


def _newest(session: Session, warehouse_id: int, name: str) -> Mapping[int, Version]:
    """The newest design of each merchant."""
    newest = (
        select(func.max(LabelDesign.id))
        .where(LabelDesign.warehouse_id == warehouse_id, LabelDesign.template == name)
        .group_by(LabelDesign.merchant_id)
    )
    rows = session.execute(
        select(LabelDesign.merchant_id, LabelDesign.id, LabelDesign.made_at).where(LabelDesign.id.in_(newest))
    )
    return {row.merchant_id: (row.id, row.made_at) for row in rows}


def _drawn(session: Session, version: Version, template: Template) -> Template | None:
    """A design read and checked once for all its prints: a row never changes. None: back to what was before."""
    with _reading:
        known = _read.setdefault(session.get_bind().engine, {})
        if version in known:
            return known[version]
    elements = session.scalars(select(LabelDesign.elements).where(LabelDesign.id == version[0])).one()["of"]
    drawn = None if elements is None else from_json(template, elements)
    with _reading:
        if len(known) >= DESIGNS_KEPT_MAX:
            known.clear()
        known[version] = drawn
    return drawn


def design_facts(session: Session, warehouse_id: int, name: str, merchant_id: int) -> DesignFacts:
    """One label and who changed it last. Raises NOT_FOUND."""
    template = built_in(name)
    version = _newest(session, warehouse_id, name).get(merchant_id)
    row = None if version is None else session.get_one(LabelDesign, version[0])
    own = row is not None and row.elements["of"] is not None
    shown = design_of(session, warehouse_id, template, merchant_id)
    return DesignFacts(shown, own, row.made_at if row else None, row.made_by if row else "")
