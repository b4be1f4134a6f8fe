"""Print jobs for lists, for the screens that wait for a label, and for the scan of one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from wms.core.refusal import Reason, Refused
from wms.printing.rules import DUE
from wms.printing.tables import PrintJob
from wms.printing.values import JobState, PrintFacts, Trace

LIST_MAX = 200

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


def job(session: Session, warehouse_id: int, job_id: int) -> PrintFacts:
    """One job. Raises PRINT_JOB_UNKNOWN."""
    row = session.execute(_jobs(warehouse_id).where(PrintJob.id == job_id)).one_or_none()
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
    query = _jobs(warehouse_id).where(PrintJob.subject == subject)
    if document is not None:
        query = query.where(PrintJob.document == document)
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
