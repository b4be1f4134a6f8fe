"""Logging in and out.

A wrong PIN is both refused and counted, and its hash takes long. So these functions own their transactions: they read,
verify outside of any transaction, then write. Times are the wall's: idling must not run faster in a demonstration.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import select, update
from sqlalchemy.orm import Session as DbSession

from wms.core import audit_trail
from wms.core.call import Call, Who
from wms.core.clock import Clock
from wms.core.db import Database
from wms.core.perform import system_call
from wms.core.refusal import Reason, Refused
from wms.people import queries, rules, secrets
from wms.people.tables import Device, LoginSession, Person
from wms.people.values import ATTEMPTS_MAX, DeviceFacts, Role, Session

AWAKE_NOTED_FOR = timedelta(seconds=30)
SESSIONS_NOTED_MAX = 10_000
_awake: WeakKeyDictionary[Database, dict[str, datetime]] = WeakKeyDictionary()


@dataclass(frozen=True, slots=True)
class _Door:
    """Where somebody stands who wants to log in."""

    device: DeviceFacts | None
    station_id: int | None


def log_in(
    db: Database,
    clock: Clock,
    *,
    warehouse_id: int,
    device_code: str,
    badge: str,
    pin: str,
    station_id: int | None = None,
) -> Session:
    """Badge and PIN at an enrolled device. A session elsewhere is taken over: `took_over_from` says whence.

    Raises DEVICE_NOT_ENROLLED, BADGE_UNKNOWN, PERSON_LOCKED, PIN_WRONG (with the tries left).
    """
    device = db.read(lambda session: queries.device_by_code(session, warehouse_id, device_code))
    person = db.read(lambda session: _person(session, warehouse_id, Person.badge == badge))
    if person is None:
        raise Refused(Reason.BADGE_UNKNOWN)
    rules.check_not_locked(person.locked_until, clock.now())
    if not secrets.matches(person.pin_hash, pin):
        raise _count_wrong(db, clock, person, Reason.PIN_WRONG)
    return _open(db, clock, person, _Door(device, station_id))


def log_in_with_password(
    db: Database, clock: Clock, *, warehouse_id: int, login: str, password: str, device_code: str | None = None
) -> Session:
    """Login and password, at the terminal. Unknown logins take as long as known ones. Raises PASSWORD_WRONG."""
    device = (
        db.read(lambda session: queries.device_by_code(session, warehouse_id, device_code)) if device_code else None
    )
    person = db.read(lambda session: _person(session, warehouse_id, Person.login == login))
    if person is None:
        secrets.matches(None, password)
        raise Refused(Reason.PASSWORD_WRONG)
    rules.check_not_locked(person.locked_until, clock.now())
    if not secrets.matches(person.password_hash, password):
        raise _count_wrong(db, clock, person, Reason.PASSWORD_WRONG)
    return _open(db, clock, person, _Door(device, None))


def log_out(db: Database, clock: Clock, token: str) -> None:
    """End a session; one that is over already stays so."""

    def end(session: DbSession) -> None:
        row = session.scalars(
            select(LoginSession).where(
                LoginSession.token_hash == secrets.fast_hash(token), LoginSession.ended_at.is_(None)
            )
        ).one_or_none()
        if row is not None:
            row.ended_at = clock.now()
            who = Who(f"person:{row.person_id}", row.warehouse_id)
            call = Call.begun(session, who, "log-out", clock.now())
            audit_trail.note(call, "person.logged_out")

    db.transact(end)


def stay_awake(db: Database, clock: Clock, token: str) -> None:
    """Note that the session is in use, at most once a minute: what this process noted lately it need not look up."""
    mark, noted, now = secrets.fast_hash(token), _awake.setdefault(db, {}), clock.now()
    if mark in noted and now - noted[mark] < AWAKE_NOTED_FOR:
        return
    if len(noted) >= SESSIONS_NOTED_MAX:
        noted.clear()
    noted[mark] = now
    limit = clock.now() - queries.SEEN_EVERY
    stale = (LoginSession.token_hash == mark) & (LoginSession.seen_at < limit)
    if db.read(lambda session: session.execute(select(LoginSession.id).where(stale)).first()) is not None:
        db.transact(lambda session: session.execute(update(LoginSession).where(stale).values(seen_at=clock.now())))


def _person(session: DbSession, warehouse_id: int, which: Any) -> Person | None:
    return session.scalars(
        select(Person).where(Person.warehouse_id == warehouse_id, Person.active.is_(True), which)
    ).one_or_none()


def _count_wrong(db: Database, clock: Clock, person: Person, reason: Reason) -> Refused:
    """Count the wrong try in a transaction of its own; the refusal to raise."""

    def count(call: Call) -> tuple[int, datetime | None]:
        row = call.session.get_one(Person, person.id, with_for_update=True)
        row.failed_attempts, row.locked_until = rules.after_a_wrong_try(row.failed_attempts, call.now)
        audit_trail.note(call, "person.locked" if row.locked_until else "person.wrong_secret", person=person.id)
        return row.failed_attempts, row.locked_until

    attempts, locked_until = _by(db, clock, person, count)
    if locked_until is not None:
        return Refused(Reason.PERSON_LOCKED, minutes=rules.minutes_left(locked_until, clock.now()))
    return Refused(reason, left=ATTEMPTS_MAX - attempts)


def _open(db: Database, clock: Clock, person: Person, door: _Door) -> Session:
    token, csrf = secrets.new_token(), secrets.new_token()
    device_id = door.device.id if door.device else None

    def begin(call: Call) -> str | None:
        call.session.execute(update(Person).where(Person.id == person.id).values(failed_attempts=0, locked_until=None))
        before = _end_open_session(call, person.id, device_id)
        call.session.add(
            LoginSession(
                warehouse_id=person.warehouse_id,
                person_id=person.id,
                device_id=device_id,
                station_id=door.station_id,
                token_hash=secrets.fast_hash(token),
                csrf=csrf,
                began_at=call.now,
                seen_at=call.now,
            )
        )
        audit_trail.note(call, "person.logged_in", device=door.device.code if door.device else "", took_over=before)
        return before

    took_over_from = _by(db, clock, person, begin)
    return Session(token, csrf, person.id, person.name, Role(person.role), person.language, took_over_from)


def _end_open_session(call: Call, person_id: int, device_id: int | None) -> str | None:
    """End what this person has open; the name of the other device it was on."""
    ended = call.session.execute(
        update(LoginSession)
        .where(LoginSession.person_id == person_id, LoginSession.ended_at.is_(None))
        .values(ended_at=call.now)
        .returning(LoginSession.device_id)
    ).scalars()
    others = sorted({each for each in ended if each is not None and each != device_id})
    if not others:
        return None
    return call.session.scalar(select(Device.name).where(Device.id == others[0]))


def _by(db: Database, clock: Clock, person: Person, work: Any) -> Any:
    return system_call(
        db, clock, person.warehouse_id, work, request_id=secrets.new_token(), actor=f"person:{person.id}"
    )
