"""Reads at the gate: whose session, whose key, who works here, which devices are let in."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from wms.core.call import Who
from wms.core.db import Database
from wms.core.db.tables import table_of
from wms.core.refusal import Reason, Refused
from wms.people import secrets
from wms.people.tables import ApiKey, Device, LoginSession, Person
from wms.people.values import IDLE_MAX, IDLE_MAX_PASSWORD, DeviceFacts, KeyFacts, PersonFacts, Role, rights_of

KEY_CACHE_S = 5.0
KEYS_CACHED_MAX = 10_000
SEEN_EVERY = timedelta(minutes=1)

_logins = table_of(LoginSession)
_people = table_of(Person)
_devices = table_of(Device)
_who_is_in = (
    select(
        _logins.c.person_id,
        _logins.c.device_id,
        _logins.c.station_id,
        _logins.c.csrf,
        _logins.c.seen_at,
        _logins.c.ended_at,
        _people.c.warehouse_id,
        _people.c.role,
        _people.c.language,
        _people.c.active,
        _devices.c.id.is_not(None).label("on_device"),
        _devices.c.revoked_at,
    )
    .join(_people, _people.c.id == _logins.c.person_id)
    .outerjoin(_devices, _devices.c.id == _logins.c.device_id)
)
# Asked with every scan.
_of_token = _who_is_in.where(_logins.c.token_hash == bindparam("mark"))
_at_station = (
    _who_is_in.where(_logins.c.station_id == bindparam("station"), _logins.c.ended_at.is_(None))
    .order_by(_logins.c.id.desc())
    .limit(1)
)

_keys: WeakKeyDictionary[Any, dict[str, tuple[float, Who]]] = WeakKeyDictionary()


def who_has_session(session: Session, token: str, now: datetime) -> tuple[Who, str]:
    """Who sent this token, and the session's CSRF mark. `now` is the wall's time.

    Raises NOT_LOGGED_IN (unknown, ended, idle for too long) or LOGGED_IN_ELSEWHERE when another device took over.
    """
    found = session.execute(_of_token, {"mark": secrets.fast_hash(token)}).one_or_none()
    if found is None:
        raise Refused(Reason.NOT_LOGGED_IN)
    if found.ended_at is not None:
        raise _why_over(session, found)
    idle_max = IDLE_MAX if found.on_device else IDLE_MAX_PASSWORD
    if found.revoked_at is not None or not found.active or now - found.seen_at > idle_max:
        raise Refused(Reason.NOT_LOGGED_IN)
    return _who(found), found.csrf


def _who(found: Any) -> Who:
    return Who(
        actor=f"person:{found.person_id}",
        warehouse_id=found.warehouse_id,
        rights=rights_of(found.role),
        person_id=found.person_id,
        device_id=found.device_id,
        station_id=found.station_id,
        language=found.language,
    )


def _why_over(session: Session, login: Any) -> Refused:
    """A session ended by another log-in says where that was."""
    query = (
        select(Device.name)
        .join(LoginSession, LoginSession.device_id == Device.id)
        .where(
            LoginSession.person_id == login.person_id,
            LoginSession.ended_at.is_(None),
            LoginSession.began_at == login.ended_at,
        )
    )
    elsewhere = session.scalars(query).first()
    return Refused(Reason.LOGGED_IN_ELSEWHERE, device=elsewhere) if elsewhere else Refused(Reason.NOT_LOGGED_IN)


def who_holds(db: Database, key: str) -> Who:
    """As `who_has_key`, without a session while the key is remembered."""
    if secrets.looks_like_a_key(key):
        found = _keys.get(db.read_engine, {}).get(secrets.fast_hash(key))
        if found is not None and time.monotonic() < found[0]:
            return found[1]
    return db.read(lambda session: who_has_key(session, key))


def who_has_key(session: Session, key: str) -> Who:
    """Who may use this API key; remembered for five seconds. Raises KEY_UNKNOWN."""
    if not secrets.looks_like_a_key(key):
        raise Refused(Reason.KEY_UNKNOWN)
    mark = secrets.fast_hash(key)
    cache = _keys.setdefault(session.get_bind().engine, {})
    found = cache.get(mark)
    if found is not None and time.monotonic() < found[0]:
        return found[1]
    row = session.scalars(select(ApiKey).where(ApiKey.key_hash == mark, ApiKey.revoked_at.is_(None))).one_or_none()
    if row is None:
        cache.pop(mark, None)
        raise Refused(Reason.KEY_UNKNOWN)
    if len(cache) >= KEYS_CACHED_MAX:
        cache.clear()
    who = Who(f"key:{row.id}", row.warehouse_id, rights_of(row.role, row.merchant_id), row.merchant_id, language="en")
    cache[mark] = (time.monotonic() + KEY_CACHE_S, who)
    return who


def forget_keys() -> None:
    """Ask the database about every key again."""
    for cache in list(_keys.values()):
        cache.clear()


_PERSON_COLUMNS = (
    Person.id,
    Person.badge,
    Person.name,
    Person.role,
    Person.login,
    Person.language,
    Person.volume,
    Person.speech,
    Person.active,
)


def _person(row: Any) -> PersonFacts:
    person_id, badge, name, role, *rest = row
    return PersonFacts(person_id, badge, name, Role(role), *rest)


def person_by_id(session: Session, warehouse_id: int, person_id: int) -> PersonFacts:
    """Somebody who works (or worked) here. Raises NOT_FOUND."""
    query = select(*_PERSON_COLUMNS).where(Person.warehouse_id == warehouse_id, Person.id == person_id)
    row = session.execute(query).one_or_none()
    if row is None:
        raise Refused(Reason.NOT_FOUND, what=f"person {person_id}")
    return _person(row)


def people(session: Session, warehouse_id: int, *, active_only: bool = True) -> list[PersonFacts]:
    """Who works here, by badge."""
    query = select(*_PERSON_COLUMNS).where(Person.warehouse_id == warehouse_id).order_by(Person.badge)
    if active_only:
        query = query.where(Person.active.is_(True))
    return [_person(row) for row in session.execute(query)]


def people_at_work(session: Session, warehouse_id: int) -> list[PersonFacts]:
    """Who has an open session, by badge."""
    query = (
        select(*_PERSON_COLUMNS)
        .join(LoginSession, LoginSession.person_id == Person.id)
        .where(Person.warehouse_id == warehouse_id, LoginSession.ended_at.is_(None))
        .order_by(Person.badge)
    )
    return [_person(row) for row in session.execute(query)]


def device_by_code(session: Session, warehouse_id: int, code: str) -> DeviceFacts:
    """An enrolled device. Raises DEVICE_NOT_ENROLLED, also for one that was shut out."""
    query = select(Device).where(Device.warehouse_id == warehouse_id, Device.code == code, Device.revoked_at.is_(None))
    row = session.scalars(query).one_or_none()
    if row is None:
        raise Refused(Reason.DEVICE_NOT_ENROLLED, device=code[:40])
    return DeviceFacts(row.id, row.code, row.kind, row.name, revoked=False)


def devices(session: Session, warehouse_id: int) -> list[DeviceFacts]:
    """Every device that was ever let in, by code."""
    rows = session.scalars(select(Device).where(Device.warehouse_id == warehouse_id).order_by(Device.code))
    return [DeviceFacts(row.id, row.code, row.kind, row.name, row.revoked_at is not None) for row in rows]


def keys(session: Session, warehouse_id: int) -> list[KeyFacts]:
    """Every API key as lists show it, the newest first."""
    rows = session.scalars(select(ApiKey).where(ApiKey.warehouse_id == warehouse_id).order_by(ApiKey.id.desc()))
    return [KeyFacts(row.id, row.prefix, Role(row.role), row.merchant_id, row.revoked_at is not None) for row in rows]


def warehouse_of_device(session: Session, code: str) -> int:
    """The warehouse a device was let into: device codes are unique in a park. Raises DEVICE_NOT_ENROLLED."""
    found = session.scalars(
        select(Device.warehouse_id).where(Device.code == code, Device.revoked_at.is_(None)).limit(2)
    ).all()
    if len(found) != 1:
        raise Refused(Reason.DEVICE_NOT_ENROLLED, device=code[:40])
    return found[0]


def who_is_at_station(session: Session, station_id: int) -> Who | None:
    """Who is logged in at a station now; the last one to come, or None."""
    found = session.execute(_at_station, {"station": station_id}).one_or_none()
    return None if found is None else _who(found)
