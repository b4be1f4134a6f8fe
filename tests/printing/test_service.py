"""The print spool: asked twice, printed once; what may be on paper is never printed again without a person."""

from __future__ import annotations

import base64
import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import func, select

from tests.builders import acting
from tests.printing.interpreters import tspl_paper
from wms.core.call import Call
from wms.core.db import Database
from wms.core.refusal import Reason, Refused
from wms.core.tables import AuditRow
from wms.printing import Language, queries, render, service, to_bytes
from wms.printing.rules import nonce_for
from wms.printing.samples import waybill
from wms.printing.tables import PrintJob
from wms.printing.templates import WAYBILL_76X130
from wms.printing.values import ExpressWaybill, JobState, PrintRequest, Trace
from wms.printing.values.jobs import TAKEN_OVER

STATION, OTHER_STATION = 7, 8
NUMBER = "4312345678901"
S = JobState


def request(key: str = "parcel:1/waybill", content: bytes = b"CLS\r\n", station_id: int = STATION) -> PrintRequest:
    return PrintRequest(key, station_id, WAYBILL_76X130.name, NUMBER, "76x130", "tspl", content)


def queued(database: Database, job: PrintRequest | None = None) -> int:
    return acting(database, lambda call: service.queue(call, job or request()))


def reported(database: Database, job_id: int, *states: JobState, station_id: int | None = None) -> JobState:
    def work(call: Call) -> JobState:
        return [service.report(call, job_id, state.value) for state in states][-1]

    return acting(database, work, station_id=station_id)


def state_of(database: Database, job_id: int) -> JobState:
    return database.read(lambda session: queries.job(session, 1, job_id)).state


def redraw(number: int, nonce: str) -> ExpressWaybill:
    return replace(waybill(NUMBER), reprint=number, nonce=nonce)


def reprinted(database: Database, job_id: int, request_id: str | None = None) -> int:
    who = {"request_id": request_id} if request_id else {}
    return acting(database, lambda call: service.reprint(call, job_id, redraw, why="卡纸"), 1, **who)


def test_a_job_asked_for_twice_is_printed_once(database: Database) -> None:
    first = queued(database)
    assert queued(database, request(content=b"drawn a second later")) == first
    assert queued(database, request("parcel:2/waybill")) != first
    offered = database.read(lambda session: service.offered(session, 1, STATION))
    assert [job.content for job in offered] == [b"CLS\r\n", b"CLS\r\n"]


def test_many_who_ask_at_once_get_one_job(database: Database) -> None:
    with ThreadPoolExecutor(8) as people:
        ids = list(people.map(lambda _: queued(database), range(24)))
    assert len(set(ids)) == 1
    assert database.read(lambda session: session.scalar(select(func.count()).select_from(PrintJob))) == 1


def test_the_gateway_is_handed_the_bytes_of_the_contract(database: Database) -> None:
    job_id = acting(
        database,
        lambda call: service.queue_label(
            call, key="k", station_id=STATION, template=WAYBILL_76X130, subject=NUMBER, values=waybill(NUMBER)
        ),
    )
    (job,) = database.read(lambda session: service.offered(session, 1, STATION))
    facts = job.to_json()
    content = base64.b64decode(facts.pop("bytes_b64"))
    assert facts == {
        "job": job_id,
        "document": "express_waybill_76x130",
        "media": "76x130",
        "language": "tspl",
        "sha256": hashlib.sha256(content).hexdigest(),
        "copies": 1,
        "reprint": 0,
    }
    assert content == to_bytes(render(WAYBILL_76X130, waybill(NUMBER)), WAYBILL_76X130, Language.TSPL)


def test_a_job_is_offered_to_its_own_station_until_it_is_claimed(database: Database) -> None:
    job_id = queued(database)
    for _ in range(2):
        assert [job.id for job in database.read(lambda session: service.offered(session, 1, STATION))] == [job_id]
    assert database.read(lambda session: service.offered(session, 1, OTHER_STATION)) == []
    reported(database, job_id, S.CLAIMED)
    assert database.read(lambda session: service.offered(session, 1, STATION)) == []


def test_no_more_jobs_are_offered_at_once_than_the_bound(database: Database) -> None:
    for number in range(service.OFFERED_MAX + 5):
        queued(database, request(f"parcel:{number}/waybill"))
    assert len(database.read(lambda session: service.offered(session, 1, STATION))) == service.OFFERED_MAX


def test_a_job_is_followed_until_it_is_on_paper_and_then_nobody_waits_for_it(database: Database) -> None:
    job_id = queued(database)
    assert [job.id for job in database.read(lambda session: queries.labels_due(session, 1))] == [job_id]
    assert reported(database, job_id, S.CLAIMED, S.SENDING, S.SENT, S.VERIFIED) is S.VERIFIED
    assert database.read(lambda session: queries.labels_due(session, 1, STATION)) == []


def test_a_repeated_or_late_report_changes_nothing(database: Database) -> None:
    job_id = queued(database)
    reported(database, job_id, S.CLAIMED, S.SENDING, S.SENT)
    assert reported(database, job_id, S.CLAIMED, S.SENT, S.FAILED) is S.SENT


def test_a_printer_that_stands_in_is_named_and_noted_once(database: Database) -> None:
    def claimed(printer: str, reason: str | None = None) -> JobState:
        return acting(database, lambda call: service.report(call, job_id, "claimed", reason, printer))

    job_id = queued(database)
    claimed("printer1")
    assert claimed("printer2", "failover") is S.CLAIMED
    assert claimed("printer2", "failover") is S.CLAIMED
    assert database.read(lambda session: queries.job(session, 1, job_id)).printer == "printer2"
    noted = select(AuditRow.facts).where(AuditRow.what == TAKEN_OVER)
    (facts,) = database.read(lambda session: session.scalars(noted).all())
    assert (facts["of"], facts["by"], facts["station"]) == ("printer1", "printer2", STATION)
    reported(database, job_id, S.SENDING, S.VERIFIED)
    assert claimed("printer1", "failover") is S.VERIFIED


def test_trouble_is_kept_as_it_was_told_but_harmless(database: Database) -> None:
    job_id = queued(database)
    acting(database, lambda call: service.report(call, job_id, "failed", "paper\x1b out\u202e", "PK-01 \x00printer"))
    job = database.read(lambda session: queries.job(session, 1, job_id))
    assert (job.trouble, job.printer) == ("paper out", "PK-01 printer")


def test_a_gateway_reports_only_on_jobs_of_its_own_station(database: Database) -> None:
    job_id = queued(database)
    with pytest.raises(Refused) as no:
        reported(database, job_id, S.SENT, station_id=OTHER_STATION)
    assert no.value.reason is Reason.PRINT_JOB_UNKNOWN
    assert reported(database, job_id, S.SENT, station_id=STATION) is S.SENT


@pytest.mark.parametrize("word", ["printed", "", "SENT", "queued\x00"])
def test_an_unknown_state_is_refused(database: Database, word: str) -> None:
    job_id = queued(database)
    with pytest.raises(Refused) as no:
        acting(database, lambda call: service.report(call, job_id, word))
    assert no.value.reason is Reason.BAD_INPUT


def test_an_unknown_job_is_refused_everywhere(database: Database) -> None:
    for ask in (
        lambda call: service.report(call, 999, "sent"),
        lambda call: service.reprint(call, 999, redraw, why=""),
        lambda call: service.print_anew(call, 999),
        lambda call: service.cancel(call, 999),
        lambda call: service.settle(call, 999, on_paper=True),
        lambda call: queries.job(call.session, 1, 999),
    ):
        with pytest.raises(Refused) as no:
            acting(database, ask)
        assert no.value.reason is Reason.PRINT_JOB_UNKNOWN


def test_a_merchant_sees_and_touches_no_other_merchants_job(database: Database) -> None:
    job_id = queued(database, replace(request(), merchant_id=3))
    with pytest.raises(Refused):
        acting(database, lambda call: service.cancel(call, job_id), merchant_id=4)
    acting(database, lambda call: service.cancel(call, job_id), merchant_id=3)
    assert state_of(database, job_id) is S.CANCELLED


def test_a_reprint_is_marked_counted_and_noted(database: Database) -> None:
    first = queued(database)
    reported(database, first, S.CLAIMED, S.SENDING, S.SENT)
    second, third = reprinted(database, first), reprinted(database, first)
    prints = database.read(lambda session: queries.prints_of(session, 1, NUMBER, WAYBILL_76X130.name))
    assert [(job.id, job.reprint) for job in prints] == [(first, 0), (second, 1), (third, 2)]
    assert len({job.nonce for job in prints}) == 3
    offered = database.read(lambda session: service.offered(session, 1, STATION))
    assert [job.reprint for job in offered] == [1, 2]
    bitmap = render(WAYBILL_76X130, redraw(2, prints[2].nonce))
    assert tspl_paper(offered[1].content).rows == bitmap.rows
    notes = database.read(lambda session: session.scalars(select(AuditRow.facts)).all())
    assert [(note["reprint"], note["why"]) for note in notes] == [(1, "卡纸"), (2, "卡纸")]


def test_a_reprint_asked_for_twice_under_one_request_id_is_one(database: Database) -> None:
    first = queued(database)
    reported(database, first, S.SENT)
    once = reprinted(database, first, request_id="r-1")
    assert reprinted(database, first, request_id="r-1") == once
    assert reprinted(database, first, request_id="r-2") != once


def test_reprints_by_several_people_at_once_are_all_counted_apart(database: Database) -> None:
    first = queued(database)
    reported(database, first, S.SENT)
    second = reprinted(database, first)
    with ThreadPoolExecutor(4) as people:
        list(people.map(lambda job_id: reprinted(database, job_id), [first, second] * 4))
    prints = database.read(lambda session: queries.prints_of(session, 1, NUMBER))
    assert sorted(job.reprint for job in prints) == list(range(10))


def test_a_reprint_of_a_job_still_queued_takes_the_first_out_of_the_queue(database: Database) -> None:
    first = queued(database)
    again = reprinted(database, first)
    assert state_of(database, first) is S.CANCELLED
    assert [job.id for job in database.read(lambda session: service.offered(session, 1, STATION))] == [again]


def test_only_the_newest_print_of_a_number_is_in_force(database: Database) -> None:
    nonce = nonce_for("pack-1", "parcel:1/waybill")
    first = queued(database, replace(request(), nonce=nonce))
    old = Trace(NUMBER, 0, nonce)
    assert database.read(lambda session: queries.is_in_force(session, 1, old))
    new_id = reprinted(database, first)
    new = database.read(lambda session: queries.job(session, 1, new_id))
    assert not database.read(lambda session: queries.is_in_force(session, 1, old))
    assert database.read(lambda session: queries.is_in_force(session, 1, Trace(NUMBER, 1, new.nonce)))
    assert not database.read(lambda session: queries.is_in_force(session, 1, Trace(NUMBER, 1, "ABCDEF")))
    assert not database.read(lambda session: queries.is_in_force(session, 1, Trace("YT1", 0, nonce)))


def test_a_failed_job_goes_to_another_printer_unmarked_and_only_once(database: Database) -> None:
    job_id = queued(database)
    reported(database, job_id, S.CLAIMED, S.FAILED)

    def move(call: Call) -> int:
        return service.print_anew(call, job_id, station_id=OTHER_STATION)

    moved = acting(database, move)
    assert acting(database, move) == moved
    (job,) = database.read(lambda session: service.offered(session, 1, OTHER_STATION))
    assert (job.id, job.content, job.reprint) == (moved, b"CLS\r\n", 0)
    assert state_of(database, job_id) is S.CANCELLED


@pytest.mark.parametrize("state", [S.CLAIMED, S.SENDING, S.SENT, S.VERIFIED, S.UNCERTAIN])
def test_what_may_be_on_paper_is_never_printed_again_unmarked(database: Database, state: JobState) -> None:
    job_id = queued(database)
    reported(database, job_id, state)
    with pytest.raises(Refused) as no:
        acting(database, lambda call: service.print_anew(call, job_id))
    assert no.value.reason is Reason.LABEL_MAYBE_PRINTED


def test_a_claimed_job_is_not_cancelled_any_more(database: Database) -> None:
    job_id = queued(database)
    reported(database, job_id, S.CLAIMED)
    acting(database, lambda call: service.cancel(call, job_id))
    assert state_of(database, job_id) is S.CLAIMED


def test_paper_is_the_truth_even_for_a_cancelled_job(database: Database) -> None:
    job_id = queued(database)
    acting(database, lambda call: service.cancel(call, job_id))
    assert reported(database, job_id, S.CLAIMED) is S.CANCELLED
    assert reported(database, job_id, S.SENDING, S.SENT) is S.SENT


@pytest.mark.parametrize(("on_paper", "then"), [(True, S.VERIFIED), (False, S.FAILED)])
def test_a_person_decides_about_an_uncertain_label(database: Database, on_paper: bool, then: JobState) -> None:
    job_id = queued(database)
    reported(database, job_id, S.SENDING, S.UNCERTAIN)
    acting(database, lambda call: service.settle(call, job_id, on_paper=on_paper))
    assert state_of(database, job_id) is then
    acting(database, lambda call: service.settle(call, job_id, on_paper=not on_paper))
    assert state_of(database, job_id) is then


def test_a_change_wakes_its_stations_gateway_and_the_screens(sqlite_database: Database) -> None:
    def work(call: Call) -> set[str]:
        service.queue(call, request())
        return set(call.wakes)

    assert acting(sqlite_database, work) == {service.commands_wake(STATION), "live"}
