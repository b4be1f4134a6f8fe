"""The print spool: a job is queued with its bytes, offered to its station's gateway, and followed until it is on paper.

A job is unique by its business key. What was sent is never sent again by itself: a person decides, and the new paper is
marked and counted.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from wms.core.audit_trail import note
from wms.core.call import Call
from wms.core.db.tables import table_of
from wms.core.refusal import Reason, Refused
from wms.core.sql import insert_for
from wms.printing.languages import Language, to_bytes
from wms.printing.queries import design_of
from wms.printing.render import render
from wms.printing.rules import NEVER_SENT, after_report, nonce_for
from wms.printing.tables import PrintJob
from wms.printing.templates import TEMPLATES
from wms.printing.templates.elements import Template
from wms.printing.text import clean
from wms.printing.values import JobState, LabelValues, Offered, PrintRequest
from wms.printing.values.jobs import TAKEN_OVER
from wms.printing.values.labels import REPRINT_MAX

OFFERED_MAX = 20
FAILOVER = "failover"  # a gateway's word for it
TROUBLE_LENGTH_MAX = 300

Redraw = Callable[[int, str], LabelValues]  # (number of the reprint, nonce) -> the label with both on it


def commands_wake(station_id: int) -> str:
    """What the long poll of a station's gateway sleeps on."""
    return f"commands:{station_id}"


def queue(call: Call, job: PrintRequest) -> int:
    """Put a job in the queue; its id. The same key again changes nothing and gives the first job's id."""
    jobs = table_of(PrintJob)
    row = {
        "warehouse_id": call.warehouse_id,
        "merchant_id": job.merchant_id,
        "job_key": job.key,
        "station_id": job.station_id,
        "document": job.document,
        "subject": job.subject,
        "media": job.media,
        "language": job.language,
        "content": job.content,
        "sha256": hashlib.sha256(job.content).hexdigest(),
        "reprint": job.reprint,
        "nonce": job.nonce,
        "state": JobState.QUEUED.value,
        "made_at": call.now,
        "changed_at": call.now,
    }
    call.session.execute(
        insert_for(call.session, jobs)
        .values(row)
        .on_conflict_do_nothing(index_elements=[jobs.c.warehouse_id, jobs.c.job_key])
    )
    call.wakes.update({"live", commands_wake(job.station_id)})
    return call.session.execute(
        select(PrintJob.id).where(PrintJob.warehouse_id == call.warehouse_id, PrintJob.job_key == job.key)
    ).scalar_one()


def queue_label(
    call: Call,
    *,
    key: str,
    station_id: int,
    template: Template,
    subject: str,
    values: LabelValues,
    language: Language = Language.TSPL,
    merchant_id: int | None = None,
    reprint: int = 0,
    nonce: str = "",
) -> int:
    """Draw a label and queue it; the job's id. Refuses CODE_UNPRINTABLE; drawing takes some 30 ms."""
    content = to_bytes(render(template, values), template, language)
    request = PrintRequest(
        key=key,
        station_id=station_id,
        document=template.name,
        subject=subject,
        media=template.media,
        language=language.value,
        content=content,
        merchant_id=merchant_id,
        reprint=reprint,
        nonce=nonce,
    )
    return queue(call, request)


def reprint(call: Call, job_id: int, redraw: Redraw, *, why: str, station_id: int | None = None) -> int:
    """Print a label again, marked 补打 #n and with a nonce of its own; the new job's id.

    `redraw` fills the label in anew, so that what changed since the first print is right. The request id makes it
    happen once; the trail keeps who asked and why. A first print still in the queue is taken out of it.
    """
    first = _locked(call, job_id)
    key = f"{_first_key(first)}/reprint/{hashlib.sha256(call.request_id.encode()).hexdigest()[:24]}"
    known = _by_key(call, key)
    if known is not None:
        return known
    if first.state == JobState.QUEUED.value:
        _change(call, first, JobState.CANCELLED)
    number = _next_reprint(call, first)
    nonce = nonce_for(call.request_id, key)
    new_id = queue_label(
        call,
        key=key,
        station_id=station_id or first.station_id,
        template=design_of(call.session, call.warehouse_id, TEMPLATES[first.document], first.merchant_id),
        subject=first.subject,
        values=redraw(number, nonce),
        language=Language(first.language),
        merchant_id=first.merchant_id,
        reprint=number,
        nonce=nonce,
    )
    note(call, "print.reprinted", job=new_id, of=job_id, document=first.document, reprint=number, why=clean(why))
    return new_id


def print_anew(call: Call, job_id: int, *, station_id: int | None = None) -> int:
    """Give a job that never reached paper to a printer again, perhaps at another station; the new job's id.

    The paper is the same and bears no mark. Raises LABEL_MAYBE_PRINTED if a byte of it may have been sent: that is a
    reprint.
    """
    stuck = _locked(call, job_id)
    key = f"{_first_key(stuck)}/anew/{job_id}"
    known = _by_key(call, key)
    if known is not None:
        return known
    if JobState(stuck.state) not in NEVER_SENT:
        raise Refused(Reason.LABEL_MAYBE_PRINTED, job=job_id, state=stuck.state)
    request = PrintRequest(
        key=key,
        station_id=station_id or stuck.station_id,
        document=stuck.document,
        subject=stuck.subject,
        media=stuck.media,
        language=stuck.language,
        content=stuck.content,
        merchant_id=stuck.merchant_id,
        reprint=stuck.reprint,
        nonce=stuck.nonce,
    )
    _change(call, stuck, JobState.CANCELLED)
    return queue(call, request)


def cancel(call: Call, job_id: int) -> None:
    """Take a job out of the queue. Nothing happens to one that a gateway has already taken."""
    job = _locked(call, job_id)
    if job.state == JobState.QUEUED.value:
        _change(call, job, JobState.CANCELLED)


def settle(call: Call, job_id: int, *, on_paper: bool) -> None:
    """A person looked: the uncertain label is there, or it is not. Anything but uncertain stays as it is."""
    job = _locked(call, job_id)
    if job.state != JobState.UNCERTAIN.value:
        return
    _change(call, job, JobState.VERIFIED if on_paper else JobState.FAILED)
    note(call, "print.settled", job=job_id, document=job.document, on_paper=on_paper)


def offered(session: Session, warehouse_id: int, station_id: int) -> list[Offered]:
    """What the station's gateway is to print next, oldest first, at most 20: again and again until it claims them."""
    rows = session.scalars(
        select(PrintJob)
        .where(
            PrintJob.warehouse_id == warehouse_id,
            PrintJob.station_id == station_id,
            PrintJob.state == JobState.QUEUED.value,
        )
        .order_by(PrintJob.id)
        .limit(OFFERED_MAX)
    )
    return [
        Offered(row.id, row.document, row.media, row.language, row.content, row.sha256, row.reprint) for row in rows
    ]


def report(call: Call, job_id: int, state: str, reason: str | None = None, printer: str | None = None) -> JobState:
    """Book what a gateway tells of a job; the job's state after it. A repeated or late report changes nothing.

    Raises PRINT_JOB_UNKNOWN for a job of another station, BAD_INPUT for an unknown state.
    """
    reported = _state(state)
    job = _locked(call, job_id)
    if call.who.station_id is not None and call.who.station_id != job.station_id:
        raise Refused(Reason.PRINT_JOB_UNKNOWN, job=job_id)
    then = after_report(JobState(job.state), reported)
    if then == reported == JobState.CLAIMED and reason == FAILOVER and printer:
        _taken_over(call, job, clean(printer, TROUBLE_LENGTH_MAX))
    elif then != job.state:
        _change(call, job, then)
        job.trouble = clean(reason, TROUBLE_LENGTH_MAX) if reason else None
        job.printer = clean(printer, TROUBLE_LENGTH_MAX) if printer else job.printer
    return then


def _taken_over(call: Call, job: PrintJob, printer: str) -> None:
    """Another printer of its group has it, since its own could not print. A repeated report changes nothing."""
    before = job.printer
    if before == printer:
        return
    if job.state != JobState.CLAIMED:
        _change(call, job, JobState.CLAIMED)
    job.printer = printer
    call.session.flush()
    note(call, TAKEN_OVER, job=job.id, station=job.station_id, document=job.document, of=before or "", by=printer)
    call.wakes.add("live")


def _state(word: str) -> JobState:
    if word not in set(JobState):
        raise Refused(Reason.BAD_INPUT, what=clean(word, 40))
    return JobState(word)


def _locked(call: Call, job_id: int) -> PrintJob:
    job = call.session.scalars(
        select(PrintJob).where(PrintJob.warehouse_id == call.warehouse_id, PrintJob.id == job_id).with_for_update()
    ).one_or_none()
    if job is None or (call.merchant_id is not None and job.merchant_id != call.merchant_id):
        raise Refused(Reason.PRINT_JOB_UNKNOWN, job=job_id)
    return job


def _by_key(call: Call, key: str) -> int | None:
    return call.session.execute(
        select(PrintJob.id).where(PrintJob.warehouse_id == call.warehouse_id, PrintJob.job_key == key)
    ).scalar_one_or_none()


def _first_key(job: PrintJob) -> str:
    return job.job_key.split("/reprint/")[0].split("/anew/")[0]


def _next_reprint(call: Call, first: PrintJob) -> int:
    prints = (
        PrintJob.warehouse_id == call.warehouse_id,
        PrintJob.subject == first.subject,
        PrintJob.document == first.document,
    )
    # Two who reprint two prints of one number wait for each other at its oldest print, and count on.
    call.session.execute(select(PrintJob.id).where(*prints).order_by(PrintJob.id).limit(1).with_for_update())
    highest = call.session.execute(select(func.max(PrintJob.reprint)).where(*prints)).scalar_one()
    if highest >= REPRINT_MAX:
        raise Refused(Reason.TOO_MANY_REQUESTS, wait_s=0)
    return int(highest) + 1


def _change(call: Call, job: PrintJob, state: JobState) -> None:
    job.state = state.value
    job.changed_at = call.now
    call.session.flush()
    call.wakes.update({"live", commands_wake(job.station_id)})
