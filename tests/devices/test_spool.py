from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from devices.outbox import Outbox
from devices.spool import JobRefused, JobState, Spool, job_of
from devices.station import wall_ms
from devices.store import Store
from tests.devices.server import print_command


class Station:
    """A spool on a real file that can be closed and opened again."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.open()

    def open(self) -> None:
        self.store = Store(self.path)
        self.outbox = Outbox(self.store, wall_ms)
        self.spool = Spool(self.store, self.outbox, wall_ms)

    def restart(self) -> None:
        self.store.close()
        self.open()

    def told(self, job: str) -> list[object]:
        return [event.facts["state"] for event in self.outbox.unsent(1000) if event.facts.get("job") == job]


@pytest.fixture
def station(tmp_path: Path) -> Iterator[Station]:
    opened = Station(tmp_path / "station.db")
    yield opened
    opened.store.close()


def take(station: Station, name: str, content: bytes = b"label") -> None:
    station.spool.take(job_of(print_command(name, content)))


def test_a_job_taken_twice_is_one_job(station: Station) -> None:
    take(station, "a")
    take(station, "a")
    assert station.told("a") == ["claimed"]
    assert station.spool.waiting("printer1") == 1


def test_a_finished_job_that_is_offered_again_is_not_printed_again(station: Station) -> None:
    take(station, "a")
    job = station.spool.next_job("printer1", 0)
    assert job is not None
    for state in (JobState.SENDING, JobState.SENT, JobState.VERIFIED):
        station.spool.change(job, state)
    station.restart()
    take(station, "a")
    assert station.spool.next_job("printer1", 0) is None
    assert station.told("a") == ["claimed", "sending", "sent", "verified"]


def test_jobs_are_printed_in_the_order_they_came(station: Station) -> None:
    for name in ("b", "a", "c"):
        take(station, name)
    printed = []
    while job := station.spool.next_job("printer1", 0):
        printed.append(job.job)
        station.spool.change(job, JobState.SENDING)
    assert printed == ["b", "a", "c"]


def test_a_printer_gets_only_its_own_jobs(station: Station) -> None:
    take(station, "a")
    assert station.spool.next_job("printer2", 0) is None


@pytest.mark.parametrize(
    ("state", "awaits_proof", "after"),
    [
        (JobState.CLAIMED, False, JobState.CLAIMED),
        (JobState.SENDING, False, JobState.UNCERTAIN),
        (JobState.SENT, True, JobState.UNCERTAIN),
        (JobState.SENT, False, JobState.SENT),
        (JobState.VERIFIED, False, JobState.VERIFIED),
        (JobState.FAILED, False, JobState.FAILED),
    ],
)
def test_a_stop_leaves_no_job_undecided(
    station: Station, state: JobState, *, awaits_proof: bool, after: JobState
) -> None:
    take(station, "a")
    job = station.spool.next_job("printer1", 0)
    assert job is not None
    station.spool.change(job, state, awaits_proof=awaits_proof)
    station.restart()
    assert station.spool.state("a") is after
    again = station.spool.next_job("printer1", 0)
    assert (again is not None) is (after is JobState.CLAIMED)
    station.restart()
    assert station.told("a").count("uncertain") == (1 if after is JobState.UNCERTAIN else 0)


def changed(**facts: Any) -> dict[str, Any]:
    command = print_command("a", b"label")
    return {**command, "facts": {**command["facts"], **facts}}


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        (changed(sha256="0" * 64), "content_damaged"),
        (changed(bytes_b64="%%%"), "content_damaged"),
        (changed(bytes_b64="", sha256=hashlib.sha256(b"").hexdigest()), "content_size"),
        (changed(copies=2), "copies_not_one"),
        (changed(job=""), "command_malformed"),
        (changed(job=None), "command_malformed"),
        (changed(language=["escpos"]), "command_malformed"),
        (changed(reprint=-1), "command_malformed"),
        ({"id": "x", "device": "printer1", "kind": "print"}, "command_malformed"),
    ],
)
def test_an_unsound_print_command_is_refused_with_its_reason(command: dict[str, Any], reason: str) -> None:
    with pytest.raises(JobRefused) as refusal:
        job_of(command)
    assert refusal.value.reason == reason


def test_a_job_carries_its_bytes_unchanged(station: Station) -> None:
    content = bytes(range(256)) * 40
    take(station, "a", content)
    job = station.spool.next_job("printer1", 0)
    assert job is not None
    assert job.content == content
    assert job.sha256 == hashlib.sha256(base64.b64decode(base64.b64encode(content))).hexdigest()
