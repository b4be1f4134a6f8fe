"""What a PIN and a password must be, when somebody is locked out, and who may do what."""

from __future__ import annotations

from collections.abc import Set
from datetime import datetime
from math import ceil

from wms.core.refusal import Reason, Refused
from wms.people.values import (
    ATTEMPTS_MAX,
    LOCK_FOR,
    PASSWORD_LENGTH_MIN,
    PIN_DIGITS_MAX,
    PIN_DIGITS_MIN,
    SECRET_LENGTH_MAX,
    Right,
)


def require(rights: Set[str], right: Right | str) -> None:
    """Raises NOT_ALLOWED, naming the right that is missing."""
    if str(right) not in rights:
        raise Refused(Reason.NOT_ALLOWED, right=str(right))


def check_pin(pin: str) -> None:
    """Four to eight digits, not all the same. Raises BAD_INPUT."""
    sound = pin.isascii() and pin.isdecimal() and PIN_DIGITS_MIN <= len(pin) <= PIN_DIGITS_MAX
    if not sound or len(set(pin)) == 1:
        raise Refused(Reason.BAD_INPUT, what="pin")


def check_password(password: str) -> None:
    """Ten characters or more. Raises BAD_INPUT."""
    if not PASSWORD_LENGTH_MIN <= len(password) <= SECRET_LENGTH_MAX:
        raise Refused(Reason.BAD_INPUT, what="password")


def check_not_locked(locked_until: datetime | None, now: datetime) -> None:
    """Raises PERSON_LOCKED with the minutes left."""
    if locked_until is not None and now < locked_until:
        raise Refused(Reason.PERSON_LOCKED, minutes=minutes_left(locked_until, now))


def minutes_left(until: datetime, now: datetime) -> int:
    """Whole minutes to wait, rounded up."""
    return ceil((until - now).total_seconds() / 60)


def after_a_wrong_try(attempts_before: int, now: datetime) -> tuple[int, datetime | None]:
    """Wrong tries so far and, at the fifth, until when the person is locked (the count then begins anew)."""
    attempts = attempts_before + 1
    return (0, now + LOCK_FOR) if attempts >= ATTEMPTS_MAX else (attempts, None)
