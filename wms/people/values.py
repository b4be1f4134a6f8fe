"""Roles, rights, and who somebody is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

ATTEMPTS_MAX = 5
LOCK_FOR = timedelta(minutes=15)
IDLE_MAX = timedelta(minutes=15)
IDLE_MAX_PASSWORD = timedelta(hours=8)
PIN_DIGITS_MIN, PIN_DIGITS_MAX = 4, 8
PASSWORD_LENGTH_MIN = 10
SECRET_LENGTH_MAX = 128


class Role(StrEnum):
    """What somebody is here for; each role has its rights (`RIGHTS`)."""

    WORKER = "worker"
    PACKER = "packer"
    LINE = "line"
    SUPERVISOR = "supervisor"
    MANAGER = "manager"
    MERCHANT = "merchant"
    INTEGRATOR = "integrator"
    ADMIN = "admin"


class Right(StrEnum):
    """One thing somebody may do. Codes are stable: they stand in answers and in the guide."""

    # at the shelf
    RECEIVE = "receive"
    PUT_AWAY = "put_away"
    MOVE = "move"
    REPLENISH = "replenish"
    PICK = "pick"
    COUNT = "count"
    LOOK_UP = "look_up"
    TAKE_RETURNS = "take_returns"
    KIT = "kit"
    # at the table, the line and the dock
    PACK = "pack"
    WEIGH = "weigh"
    PRINT = "print"
    SORT = "sort"
    HAND_OVER = "hand_over"
    INTERCEPT = "intercept"
    # leading
    SEE_TERMINAL = "see_terminal"
    RELEASE_WAVES = "release_waves"
    ASSIGN_WORK = "assign_work"
    BLOCK_SLOTS = "block_slots"
    MOVE_PROMISED = "move_promised"
    FORCE_WEIGHT = "force_weight"
    REPRINT = "reprint"
    ADJUST_STOCK = "adjust_stock"
    APPROVE = "approve"
    CONTROL_LINE = "control_line"
    SEE_PERSONAL_DATA = "see_personal_data"
    # goods, orders and money of merchants
    READ_CATALOG = "read_catalog"
    WRITE_CATALOG = "write_catalog"
    READ_STOCK = "read_stock"
    READ_ORDERS = "read_orders"
    WRITE_ORDERS = "write_orders"
    READ_INBOUND = "read_inbound"
    WRITE_INBOUND = "write_inbound"
    READ_BILLS = "read_bills"
    WRITE_BILLS = "write_bills"
    READ_REPORTS = "read_reports"
    WRITE_WEBHOOKS = "write_webhooks"
    WRITE_CUSTOMS = "write_customs"
    # the house itself
    MANAGE_MERCHANTS = "manage_merchants"
    MANAGE_PEOPLE = "manage_people"
    MANAGE_DEVICES = "manage_devices"
    MANAGE_KEYS = "manage_keys"
    MANAGE_SITE = "manage_site"
    MANAGE_COURIERS = "manage_couriers"
    MANAGE_SETTINGS = "manage_settings"
    READ_AUDIT = "read_audit"


_FLOOR = frozenset(
    {
        Right.RECEIVE,
        Right.PUT_AWAY,
        Right.MOVE,
        Right.REPLENISH,
        Right.PICK,
        Right.COUNT,
        Right.LOOK_UP,
        Right.TAKE_RETURNS,
        Right.KIT,
    }
)
_TABLE = frozenset({Right.PACK, Right.WEIGH, Right.PRINT, Right.LOOK_UP, Right.TAKE_RETURNS, Right.KIT})
_LINE = frozenset({Right.SORT, Right.WEIGH, Right.HAND_OVER, Right.INTERCEPT, Right.LOOK_UP, Right.PRINT})
_LEADING = frozenset(
    {
        Right.SEE_TERMINAL,
        Right.RELEASE_WAVES,
        Right.ASSIGN_WORK,
        Right.BLOCK_SLOTS,
        Right.MOVE_PROMISED,
        Right.FORCE_WEIGHT,
        Right.REPRINT,
        Right.CONTROL_LINE,
        Right.READ_CATALOG,
        Right.READ_STOCK,
        Right.READ_ORDERS,
        Right.READ_INBOUND,
    }
)
_OWNER = frozenset(
    {
        Right.READ_CATALOG,
        Right.WRITE_CATALOG,
        Right.READ_STOCK,
        Right.READ_ORDERS,
        Right.WRITE_ORDERS,
        Right.READ_INBOUND,
        Right.WRITE_INBOUND,
        Right.READ_BILLS,
        Right.READ_REPORTS,
        Right.WRITE_WEBHOOKS,
    }
)
_OF_ONE_MERCHANT = _OWNER | _FLOOR | _TABLE | {Right.HAND_OVER}
_MACHINE_FLOOR = _FLOOR | _TABLE | _LINE | {Right.RELEASE_WAVES, Right.READ_AUDIT}
_SUPERVISOR = _FLOOR | _TABLE | _LINE | _LEADING
_MANAGER = (
    _SUPERVISOR
    | _OWNER
    | {
        Right.ADJUST_STOCK,
        Right.APPROVE,
        Right.SEE_PERSONAL_DATA,
        Right.WRITE_BILLS,
        Right.WRITE_CUSTOMS,
        Right.MANAGE_MERCHANTS,
        Right.MANAGE_COURIERS,
        Right.READ_AUDIT,
    }
)

RIGHTS: dict[Role, frozenset[Right]] = {
    Role.WORKER: _FLOOR,
    Role.PACKER: _TABLE,
    Role.LINE: _LINE,
    Role.SUPERVISOR: frozenset(_SUPERVISOR),
    Role.MANAGER: frozenset(_MANAGER),
    Role.MERCHANT: _OWNER,
    Role.INTEGRATOR: frozenset(_OWNER | _MACHINE_FLOOR),
    Role.ADMIN: frozenset(Right),
}


class DeviceKind(StrEnum):
    """What was let in."""

    HANDHELD = "handheld"
    STATION = "station"
    BROWSER = "browser"


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody at work. `token` is told once; `took_over_from` names the device whose session this one ended."""

    token: str
    csrf: str
    person_id: int
    name: str
    role: Role
    language: str
    took_over_from: str | None = None


@dataclass(frozen=True, slots=True)
class PersonFacts:
    id: int
    badge: str
    name: str
    role: Role
    login: str | None
    language: str
    volume: int
    speech: bool
    active: bool


@dataclass(frozen=True, slots=True)
class DeviceFacts:
    id: int
    code: str
    kind: str
    name: str
    revoked: bool


@dataclass(frozen=True, slots=True)
class KeyFacts:
    """An API key as lists show it."""

    id: int
    prefix: str
    role: Role
    merchant_id: int | None
    revoked: bool


def rights_of(role: Role | str, merchant_id: int | None = None) -> frozenset[str]:
    """The codes of a role's rights, as a call carries them.

    Who is bound to a merchant has no right over what belongs to everybody's goods at once: waves, chutes, bags, the
    house itself.
    """
    rights = RIGHTS[Role(role)] if merchant_id is None else RIGHTS[Role(role)] & _OF_ONE_MERCHANT
    return frozenset(right.value for right in rights)
