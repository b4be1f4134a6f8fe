"""Print jobs: each is printed once, or a person is told that nobody can know.

`claimed` -> `sending` -> `sent` -> `verified`, or `uncertain`, or `failed`; what is not yet here the server calls
`queued`. `sending` is on disk before byte one leaves. A fault before byte one returns to `claimed`; a fault after it is
`uncertain` and stays so: only a person may print that label again, as a new job. A job of which no byte has left may go
to another printer of the same group (`devices.failover`).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from devices import sqlite
from devices.errors import GatewayError
from devices.failover import FailoverGroups
from devices.outbox import Outbox, event_writer
from devices.store import Store

JOB_BYTES_MAX = 4_194_304
KEPT_DAYS = 30
DAY_MS = 86_400_000
FACT_CHARACTERS_MAX = 200


class JobState(StrEnum):
    CLAIMED = "claimed"
    SENDING = "sending"
    SENT = "sent"
    VERIFIED = "verified"
    UNCERTAIN = "uncertain"
    FAILED = "failed"


UNFINISHED = (JobState.CLAIMED, JobState.SENDING)


class JobRefused(GatewayError):
    """A print command that cannot become a job; `reason` is a stable code of docs/reference/gateway.md."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Job:
    """One document for one printer, already in the printer's own language."""

    job: str
    device: str
    command: str
    document: str
    media: str
    language: str
    content: bytes
    sha256: str
    reprint: int = 0


def job_of(command: Mapping[str, object]) -> Job:
    """Read a `print` command `{id, device, kind, facts}`. Raises JobRefused if it is not sound."""
    facts = command.get("facts")
    if not isinstance(facts, Mapping):
        raise JobRefused("command_malformed", "the command has no facts")
    content = _content(facts)
    return Job(
        job=_text(facts, "job"),
        device=str(command.get("device", "")),
        command=str(command.get("id", "")),
        document=_text(facts, "document", ""),
        media=_text(facts, "media", ""),
        language=_text(facts, "language"),
        content=content,
        sha256=hashlib.sha256(content).hexdigest(),
        reprint=_reprint(facts),
    )


def _content(facts: Mapping[str, object]) -> bytes:
    if facts.get("copies", 1) != 1:
        raise JobRefused("copies_not_one", "a job is one copy; a second copy is a second job")
    try:
        content = base64.b64decode(str(facts.get("bytes_b64", "")), validate=True)
    except (binascii.Error, ValueError) as error:
        raise JobRefused("content_damaged", "the bytes are not sound base64") from error
    if not 0 < len(content) <= JOB_BYTES_MAX:
        raise JobRefused("content_size", f"a job has 1 to {JOB_BYTES_MAX} bytes, this one {len(content)}")
    if hashlib.sha256(content).hexdigest() != facts.get("sha256"):
        raise JobRefused("content_damaged", "the bytes do not match their sha256")
    return content


def _text(facts: Mapping[str, object], name: str, default: str | None = None) -> str:
    value = facts.get(name, default)
    if type(value) is int:
        value = str(value)  # a server may number its jobs
    if not isinstance(value, str) or (default is None and not value) or len(value) > FACT_CHARACTERS_MAX:
        raise JobRefused("command_malformed", f"the command's {name} is missing or no text")
    return value


def _reprint(facts: Mapping[str, object]) -> int:
    value = facts.get("reprint", 0)
    if not isinstance(value, int) or value < 0:
        raise JobRefused("command_malformed", "the command's reprint is no number")
    return value


class Spool:
    """The jobs of all printers of the station. States change only here, each with its event in the same commit."""

    def __init__(self, store: Store, outbox: Outbox, now_ms: Callable[[], int]) -> None:
        self._store = store
        self._outbox = outbox
        self._now_ms = now_ms
        self._arrived = threading.Condition()
        self.groups = FailoverGroups()
        self._settle_what_a_stop_left_open()

    def take(self, job: Job) -> None:
        """Keep the job; taking the same job again changes nothing. Raises OutboxFull if it cannot be kept."""
        now_ms = self._now_ms()
        tell = event_writer(now_ms, job.device, "print", _facts(job.job, JobState.CLAIMED, job.device))
        row = (job.job, job.device, job.command, job.document, job.media, job.language, job.content, job.sha256)
        insert = """INSERT OR IGNORE INTO jobs
            (job, device, command, document, media, language, content, sha256, reprint, changed_ms,
             state, reason, awaits_proof, place)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'claimed', '', 0, (SELECT coalesce(max(place), 0) + 1 FROM jobs))"""

        def work(connection: sqlite.Connection) -> None:
            if connection.execute(insert, (*row, job.reprint, now_ms)).rowcount == 1:
                tell(connection)

        self._store.write(work)
        self._outbox.announce()
        with self._arrived:
            self._arrived.notify_all()

    def next_job(self, device: str, timeout_s: float) -> Job | None:
        """The oldest job waiting for `device`, waiting at most `timeout_s` for one to come."""
        found = self._oldest(device)
        if found is None and timeout_s > 0:
            with self._arrived:
                self._arrived.wait(timeout_s)
            found = self._oldest(device)
        return found

    def wake(self) -> None:
        """Let everyone who waits for a job look up: the gateway is stopping."""
        with self._arrived:
            self._arrived.notify_all()

    def waiting(self, device: str) -> int:
        ask = "SELECT count(*) FROM jobs WHERE device = ? AND state = 'claimed'"
        return int(self._store.read(lambda connection: connection.execute(ask, (device,)).fetchone()[0]))

    def state(self, job: str) -> JobState | None:
        ask = "SELECT state FROM jobs WHERE job = ?"
        found = self._store.read(lambda connection: connection.execute(ask, (job,)).fetchone())
        return JobState(found[0]) if found else None

    def begin(self, job: Job) -> bool:
        """Commit `sending`. False if the job is not waiting for this printer any more: then nobody may print it here.

        Raises OutboxFull if it could not be committed.
        """
        now_ms = self._now_ms()
        tell = event_writer(now_ms, job.device, "print", _facts(job.job, JobState.SENDING, job.device))
        begun: list[bool] = []

        def work(connection: sqlite.Connection) -> None:
            update = """UPDATE jobs SET state = 'sending', reason = '', changed_ms = ?
                WHERE job = ? AND device = ? AND state = 'claimed'"""
            begun.append(connection.execute(update, (now_ms, job.job, job.device)).rowcount == 1)
            if begun[-1]:
                tell(connection)

        self._store.write(work)
        self._outbox.announce()
        return begun[-1]

    def take_over(self, device: str, others: Sequence[str], language: str) -> Job | None:
        """Give `device` the oldest waiting job of `others` in `language`, and return it; None if there is none.

        Raises OutboxFull if it could not be committed.
        """
        now_ms = self._now_ms()
        facts = {"reason": "failover", "state": JobState.CLAIMED.value, "printer": device}
        moved: list[str] = []
        ask = f"""SELECT job FROM jobs WHERE state = 'claimed' AND language = ?
            AND device IN ({", ".join("?" * len(others))}) ORDER BY place LIMIT 1"""
        if self._store.read(lambda connection: connection.execute(ask, (language, *others)).fetchone()) is None:
            return None

        def work(connection: sqlite.Connection) -> None:
            moved.clear()
            for (job,) in connection.execute(ask, (language, *others)).fetchall():
                connection.execute("UPDATE jobs SET device = ?, changed_ms = ? WHERE job = ?", (device, now_ms, job))
                event_writer(now_ms, device, "print", {"job": job, **facts})(connection)
                moved.append(job)

        self._store.write(work)
        self._outbox.announce()
        return self._oldest(device) if moved else None

    def change(self, job: Job, state: JobState, reason: str = "", *, awaits_proof: bool = False) -> None:
        """Commit the job's new state and its event, then return. Raises OutboxFull if it could not be committed.

        `awaits_proof` with `sent`: the printer has yet to say that it took all; else the job is `uncertain`.
        A job that another printer took over meanwhile is left alone.
        """
        now_ms = self._now_ms()
        tell = event_writer(now_ms, job.device, "print", _facts(job.job, state, job.device, reason))
        mine = "SELECT 1 FROM jobs WHERE job = ? AND device = ?"

        def work(connection: sqlite.Connection) -> None:
            if connection.execute(mine, (job.job, job.device)).fetchone() is None:
                return
            _set_state(connection, job.job, state, reason, now_ms)
            connection.execute("UPDATE jobs SET awaits_proof = ? WHERE job = ?", (int(awaits_proof), job.job))
            tell(connection)

        self._store.write(work)
        self._outbox.announce()

    def _oldest(self, device: str) -> Job | None:
        ask = """SELECT job, device, command, document, media, language, content, sha256, reprint FROM jobs
            WHERE device = ? AND state = 'claimed' ORDER BY place LIMIT 1"""
        found = self._store.read(lambda connection: connection.execute(ask, (device,)).fetchone())
        return Job(*found) if found else None

    def _settle_what_a_stop_left_open(self) -> None:
        """Jobs caught between byte one and their proof by a stop: nobody knows, so a person must look."""
        now_ms = self._now_ms()
        reason = "gateway_stopped"

        def work(connection: sqlite.Connection) -> None:
            ask = "SELECT job, device FROM jobs WHERE state = 'sending' OR awaits_proof = 1 ORDER BY place"
            for job, device in connection.execute(ask).fetchall():
                _set_state(connection, job, JobState.UNCERTAIN, reason, now_ms)
                connection.execute("UPDATE jobs SET awaits_proof = 0 WHERE job = ?", (job,))
                event_writer(now_ms, device, "print", _facts(job, JobState.UNCERTAIN, device, reason))(connection)
            old = ("claimed", "sending", now_ms - KEPT_DAYS * DAY_MS)
            connection.execute("DELETE FROM jobs WHERE state NOT IN (?, ?) AND changed_ms < ?", old)

        self._store.write(work)


def _set_state(connection: sqlite.Connection, job: str, state: JobState, reason: str, now_ms: int) -> None:
    """A finished job keeps its row, so that it is known for ever and not printed again, but not its bytes."""
    connection.execute(
        "UPDATE jobs SET state = ?, reason = ?, changed_ms = ? WHERE job = ?", (state.value, reason, now_ms, job)
    )
    if state not in UNFINISHED:
        connection.execute("UPDATE jobs SET content = x'' WHERE job = ?", (job,))


def _facts(job: str, state: JobState, printer: str, reason: str = "") -> dict[str, object]:
    facts: dict[str, object] = {"job": job, "state": state.value, "printer": printer}
    return {**facts, "reason": reason} if reason else facts
