"""What happens at the gate: people and devices are listed, keys made and revoked, languages chosen.

Logging in is in `gate.py`: it owns its transactions.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import update

from wms.core import audit_trail
from wms.core.call import Call
from wms.core.db.tables import table_of
from wms.core.db.types import Base
from wms.core.i18n import LANGUAGES
from wms.core.refusal import Reason, Refused
from wms.core.sql import insert_for
from wms.people import queries, rules, secrets
from wms.people.tables import ApiKey, Device, LoginSession, Person
from wms.people.values import DeviceKind, Role

CODE_LENGTH_MAX = 40
NAME_LENGTH_MAX = 60


def add_person(
    call: Call,
    *,
    badge: str,
    name: str,
    role: Role | str,
    pin: str | None = None,
    login: str | None = None,
    password: str | None = None,
    language: str = "zh",
) -> int:
    """List somebody with a badge and a PIN, or a login and a password, or both; the person's id.

    Raises ALREADY_EXISTS for a badge or login in use, BAD_INPUT for a weak secret.
    """
    if pin is not None:
        rules.check_pin(pin)
    if password is not None:
        rules.check_password(password)
    row = {
        "warehouse_id": call.warehouse_id,
        "badge": _text("badge", badge, CODE_LENGTH_MAX),
        "name": _text("name", name, NAME_LENGTH_MAX),
        "role": _role(role).value,
        "login": login,
        "pin_hash": secrets.slow_hash(pin) if pin is not None else None,
        "password_hash": secrets.slow_hash(password) if password is not None else None,
        "language": _language(language),
        "volume": 80,
        "speech": False,
        "failed_attempts": 0,
        "active": True,
    }
    person_id = _insert_new(call, Person, row, badge)
    audit_trail.note(call, "person.added", person=person_id, badge=badge, role=str(role))
    return person_id


def enrol_device(call: Call, *, code: str, kind: DeviceKind | str, name: str) -> int:
    """Let a handheld or a station's browser in; its id. A revoked one is let in again."""
    row = {
        "warehouse_id": call.warehouse_id,
        "code": _text("code", code, CODE_LENGTH_MAX),
        "kind": str(kind),
        "name": _text("name", name, NAME_LENGTH_MAX),
        "enrolled_at": call.now,
        "revoked_at": None,
    }
    table = table_of(Device)
    fresh = insert_for(call.session, table).values(row)
    again = {"kind": fresh.excluded.kind, "name": fresh.excluded.name, "revoked_at": None}
    statement = fresh.on_conflict_do_update(index_elements=["warehouse_id", "code"], set_=again)
    device_id = int(call.session.execute(statement.returning(table.c.id)).scalar_one())
    audit_trail.note(call, "device.enrolled", device=code, kind=str(kind))
    return device_id


def revoke_device(call: Call, code: str) -> None:
    """Shut a device out and end the sessions on it."""
    device = queries.device_by_code(call.session, call.warehouse_id, code)
    call.session.execute(update(Device).where(Device.id == device.id).values(revoked_at=call.now))
    _end_sessions(call, LoginSession.device_id == device.id)
    audit_trail.note(call, "device.revoked", device=code)


def dismiss(call: Call, person_id: int) -> None:
    """Somebody leaves: no more logging in; what they did stays in the books under their name."""
    queries.person_by_id(call.session, call.warehouse_id, person_id)
    call.session.execute(update(Person).where(Person.id == person_id).values(active=False))
    _end_sessions(call, LoginSession.person_id == person_id)
    audit_trail.note(call, "person.dismissed", person=person_id)


def set_pin(call: Call, person_id: int, pin: str) -> None:
    """A new PIN; a lock after wrong tries is lifted."""
    rules.check_pin(pin)
    queries.person_by_id(call.session, call.warehouse_id, person_id)
    values = {"pin_hash": secrets.slow_hash(pin), "failed_attempts": 0, "locked_until": None}
    call.session.execute(update(Person).where(Person.id == person_id).values(values))
    audit_trail.note(call, "person.pin_set", person=person_id)


def set_language(call: Call, language: str) -> None:
    """The asker's own language, from the next screen on."""
    _own(call, {"language": _language(language)})


def set_sound(call: Call, *, volume: int, speech: bool) -> None:
    """The asker's own volume (0-100) and whether codes are spoken."""
    if not 0 <= volume <= 100:
        raise Refused(Reason.BAD_INPUT, what="volume")
    _own(call, {"volume": volume, "speech": speech})


def _own(call: Call, values: dict[str, Any]) -> None:
    if call.person_id is None:
        raise Refused(Reason.NOT_LOGGED_IN)
    call.session.execute(
        update(Person).where(Person.id == call.person_id, Person.warehouse_id == call.warehouse_id).values(values)
    )


def make_key(call: Call, *, role: Role | str, merchant_id: int | None = None) -> str:
    """A program's key, told this once. A merchant's key needs the merchant; it sees no other's rows."""
    role = _role(role)
    if role is Role.MERCHANT and merchant_id is None:
        raise Refused(Reason.BAD_INPUT, what="merchant")
    key, prefix = secrets.new_key()
    row = {
        "warehouse_id": call.warehouse_id,
        "merchant_id": merchant_id,
        "role": role.value,
        "prefix": prefix,
        "key_hash": secrets.fast_hash(key),
        "made_at": call.now,
    }
    _insert_new(call, ApiKey, row, prefix)
    audit_trail.note(call, "key.made", prefix=prefix, role=role.value, merchant_id=merchant_id)
    return key


def revoke_key(call: Call, prefix: str) -> None:
    """The key is worth nothing from now on (other processes notice within five seconds). Raises NOT_FOUND."""
    statement = (
        update(ApiKey)
        .where(ApiKey.warehouse_id == call.warehouse_id, ApiKey.prefix == prefix, ApiKey.revoked_at.is_(None))
        .values(revoked_at=call.now)
        .returning(ApiKey.id)
    )
    if call.session.execute(statement).first() is None:
        raise Refused(Reason.NOT_FOUND, what=prefix)
    queries.forget_keys()
    audit_trail.note(call, "key.revoked", prefix=prefix)


def _end_sessions(call: Call, which: Any) -> None:
    open_ones = update(LoginSession).where(
        LoginSession.warehouse_id == call.warehouse_id, LoginSession.ended_at.is_(None), which
    )
    call.session.execute(open_ones.values(ended_at=call.now))


def _role(role: Role | str) -> Role:
    if str(role) not in set(Role):
        raise Refused(Reason.BAD_INPUT, what="role")
    return Role(role)


def _language(language: str) -> str:
    if language not in LANGUAGES:
        raise Refused(Reason.BAD_INPUT, what="language")
    return language


def _text(what: str, value: str, length_max: int) -> str:
    stripped = value.strip()
    if not 1 <= len(stripped) <= length_max or not stripped.isprintable():
        raise Refused(Reason.BAD_INPUT, what=what)
    return stripped


def _insert_new(call: Call, record: type[Base], row: dict[str, Any], what: str) -> int:
    table = table_of(record)
    statement = insert_for(call.session, table).values(row).on_conflict_do_nothing().returning(table.c.id)
    new_id = call.session.execute(statement).scalar_one_or_none()
    if new_id is None:
        raise Refused(Reason.ALREADY_EXISTS, what=what)
    return int(new_id)
