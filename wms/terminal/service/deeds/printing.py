"""Labels: print elsewhere, print again, say what lies on paper."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import select

from wms.core.call import Call
from wms.core.refusal import Reason, Refused
from wms.people.values import Right
from wms.printing import service as printing
from wms.printing.tables import PrintJob
from wms.printing.values import JobState
from wms.shipping.labels import WAYBILL_TEMPLATE, reprint_waybill
from wms.shipping.tables import Waybill
from wms.site import queries as site
from wms.terminal.service.deeds.deed import Args, Deed, Done, number, said, text

JOBS_MAX = 50


def _print_at(call: Call, args: Args) -> Done:
    """Every label of a station that never reached paper, at another one (or the same again)."""
    station = site.station_by_code(call.session, call.warehouse_id, text(args, "station"))
    target = site.station_by_code(call.session, call.warehouse_id, text(args, "to"))
    unsent = [JobState.QUEUED.value, JobState.FAILED.value]
    jobs = call.session.scalars(
        select(PrintJob.id)
        .where(
            PrintJob.warehouse_id == call.warehouse_id,
            PrintJob.station_id == station.id,
            PrintJob.state.in_(unsent),
        )
        .order_by(PrintJob.id)
        .limit(JOBS_MAX)
    ).all()
    for job_id in jobs:
        printing.print_anew(call, job_id, station_id=target.id)
    return said("printed_at", jobs=len(jobs), station=target.name)


def _reprint(call: Call, args: Args) -> Done:
    """An uncertain label: a waybill is printed again with its mark; any other counts as not printed."""
    job = _job(call, number(args, "job"))
    if job.document == WAYBILL_TEMPLATE:
        parcel_id = call.session.scalars(
            select(Waybill.parcel_id).where(Waybill.warehouse_id == call.warehouse_id, Waybill.number == job.subject)
        ).first()
        if parcel_id is None:
            raise Refused(Reason.WAYBILL_UNKNOWN, waybill=job.subject)
        reprint_waybill(call, parcel_id, why="uncertain")
        printing.settle(call, job.id, on_paper=False)
    else:
        printing.settle(call, job.id, on_paper=False)
        printing.print_anew(call, job.id)
    return said("reprinted", tail=job.subject[-4:])


def _on_paper(call: Call, args: Args) -> Done:
    job = _job(call, number(args, "job"))
    printing.settle(call, job.id, on_paper=True)
    return said("on_paper", tail=job.subject[-4:])


def _job(call: Call, job_id: int) -> PrintJob:
    job = call.session.get(PrintJob, job_id)
    if job is None or job.warehouse_id != call.warehouse_id:
        raise Refused(Reason.PRINT_JOB_UNKNOWN, job=job_id)
    return job


DEEDS: Mapping[str, Deed] = {
    "print_at": Deed(Right.REPRINT, _print_at),
    "reprint": Deed(Right.REPRINT, _reprint),
    "on_paper": Deed(Right.REPRINT, _on_paper),
}
