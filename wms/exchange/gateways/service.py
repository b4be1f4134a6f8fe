"""What gateways tell and fetch. Each event is booked once, in order; a gap is refused, so nothing is ever skipped."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import bindparam, select, union_all, update
from sqlalchemy.orm import Session

from wms.core.audit_trail import note
from wms.core.call import Call
from wms.core.clock import WallClock
from wms.core.db.tables import table_of
from wms.core.refusal import Reason, Refused
from wms.printing import service as printing
from wms.printing.tables import PrintJob
from wms.printing.text import clean
from wms.printing.values import JobState
from wms.site.tables import Chute, Station, Warehouse
from wms.sorting.tables import Gateway, GatewayCommand, GatewayDevice

PAIRING_MIN = 10
PAIRING_DIGITS = 8
EVENTS_MAX = 200
DEVICE_STATES = frozenset({"disabled", "connecting", "ready", "degraded", "down"})
DEVICES_MAX = 64
COUNTERS_MAX = 100
WORD_LENGTH_MAX = 100
REASON_LENGTH_MAX = 300
WALL = WallClock()

_gateway, _device_row = table_of(Gateway), table_of(GatewayDevice)
_devices_of = select(_device_row).where(_device_row.c.gateway_id == bindparam("g"))
_keep_device = (
    update(_device_row)
    .where(_device_row.c.id == bindparam("d"))
    .values({what: bindparam(f"new_{what}") for what in ("since", "state", "reason", "driver", "counters")})
)
_keep_seen = update(_gateway).where(_gateway.c.id == bindparam("g")).values(seen_at=bindparam("now"))
_job, _command = table_of(PrintJob), table_of(GatewayCommand)
_lights_at = (
    select(_device_row.c.id)
    .join(_gateway, _gateway.c.id == _device_row.c.gateway_id)
    .where(_gateway.c.station_id == bindparam("station"), _device_row.c.driver.like("light_%"))
    .limit(1)
)
# Asked again and again by gateways that have nothing to do: one statement, kept compiled.
_anything_to_do = union_all(
    select(_job.c.id).where(
        _job.c.warehouse_id == bindparam("warehouse"),
        _job.c.station_id == bindparam("station"),
        _job.c.state == JobState.QUEUED.value,
    ),
    select(_command.c.id).where(_command.c.gateway_id == bindparam("gateway"), _command.c.result.is_(None)),
).limit(1)


def invite(call: Call, *, station_code: str, name: str) -> str:
    """A one-time pairing code for a station's gateway, good for ten minutes. A gateway of that name is paired anew."""
    station_id = call.session.scalars(
        select(Station.id).where(Station.warehouse_id == call.warehouse_id, Station.code == station_code)
    ).one_or_none()
    if station_id is None:
        raise Refused(Reason.STATION_UNKNOWN, station=station_code)
    gateway = call.session.scalars(
        select(Gateway).where(Gateway.warehouse_id == call.warehouse_id, Gateway.name == name)
    ).one_or_none()
    if gateway is None:
        gateway = Gateway(warehouse_id=call.warehouse_id, station_id=station_id, name=name, key_hex="")
        call.session.add(gateway)
    code = f"{secrets.randbelow(10**PAIRING_DIGITS):0{PAIRING_DIGITS}d}"
    gateway.station_id, gateway.pairing_hash = station_id, _hash(code)
    gateway.pairing_until = WALL.now() + timedelta(minutes=PAIRING_MIN)
    call.session.flush()
    note(call, "gateway.invited", gateway=name, station=station_code)
    return code


def pair(session: Session, code: str, devices: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Exchange the code for a key. The code works once; the mark of events taken stays, a new outbox goes on after it.

    Raises PAIRING_CODE_WRONG, BAD_INPUT.
    """
    gateway = session.scalars(
        select(Gateway).where(Gateway.pairing_hash == _hash(_bare(code))).with_for_update()
    ).one_or_none()
    if gateway is None or gateway.pairing_until is None or gateway.pairing_until < WALL.now():
        raise Refused(Reason.PAIRING_CODE_WRONG)
    gateway.key_hex = secrets.token_hex(32)
    gateway.pairing_hash, gateway.pairing_until, gateway.revoked_at = "", None, None
    session.flush()
    for device in devices[:DEVICES_MAX]:
        _device(session, gateway, _device_name(device), str(device.get("driver", ""))[:WORD_LENGTH_MAX])
    warehouse, station = session.get_one(Warehouse, gateway.warehouse_id), session.get_one(Station, gateway.station_id)
    return {
        "gateway": gateway.id,
        "key": gateway.key_hex,
        "warehouse": warehouse.code,
        "station": station.code,
        "server_time_s": int(WALL.now().timestamp()),
    }


def _bare(code: str) -> str:
    """A code as people type it: with blanks and dashes."""
    return "".join(sign for sign in code if sign.isalnum())


def _device_name(told: Any) -> str:
    name = told.get("name") if isinstance(told, Mapping) else None
    if not isinstance(name, str) or not 1 <= len(name) <= WORD_LENGTH_MAX or not name.isprintable():
        raise Refused(Reason.BAD_INPUT, what="device name")
    return name


def _hash(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()


def _device(session: Session, gateway: Gateway, name: str, driver: str) -> GatewayDevice:
    row = session.scalars(
        select(GatewayDevice).where(GatewayDevice.gateway_id == gateway.id, GatewayDevice.name == name)
    ).one_or_none()
    if row is None:
        row = GatewayDevice(
            warehouse_id=gateway.warehouse_id,
            gateway_id=gateway.id,
            name=name,
            driver=driver,
            state="connecting",
            reason="",
            since=WALL.now(),
            counters={},
        )
        session.add(row)
        session.flush()
    return row


def keep_health(session: Session, gateway: Gateway, told: Mapping[str, Any]) -> None:
    """The last word of a device on itself. Raises BAD_INPUT."""
    keep_health_of_all(session, gateway, [told])


def keep_health_of_all(session: Session, gateway: Gateway, devices: Sequence[Any]) -> None:
    """The last words of a gateway's devices on themselves; what they said before is not written again.

    Raises BAD_INPUT.
    """
    rows = {row.name: row for row in session.execute(_devices_of, {"g": gateway.id})}
    for told in devices:
        name = _device_name(told)
        now = _told_of(told, name)
        row = rows.get(name) or _device(session, gateway, name, now["driver"])
        now["driver"] = now["driver"] or row.driver
        if all(getattr(row, what) == value for what, value in now.items()):
            continue
        now["since"] = row.since if row.state == now["state"] else WALL.now()
        session.execute(_keep_device, {"d": row.id, **{f"new_{what}": value for what, value in now.items()}})


def _told_of(told: Any, name: str) -> dict[str, Any]:
    """What a device says of itself, within bounds. Raises BAD_INPUT."""
    state, counters = told.get("state"), told.get("counters") or {}
    if state not in DEVICE_STATES or not isinstance(counters, Mapping):
        raise Refused(Reason.BAD_INPUT, what=f"state or counters of {name}")
    return {
        "state": str(state),
        "reason": clean(str(told.get("reason") or ""), REASON_LENGTH_MAX),
        "driver": str(told.get("driver") or "")[:WORD_LENGTH_MAX],
        "counters": {str(what)[:WORD_LENGTH_MAX]: count for what, count in list(counters.items())[:COUNTERS_MAX]},
    }


def is_there(session: Session, gateway_id: int) -> None:
    """The gateway has just spoken."""
    session.execute(_keep_seen, {"g": gateway_id, "now": WALL.now()})


def commands_for(session: Session, gateway: Gateway) -> list[dict[str, Any]]:
    """What the gateway is to do: print jobs of its station and commands to its devices, oldest first."""
    asked = {"gateway": gateway.id, "warehouse": gateway.warehouse_id, "station": gateway.station_id}
    if session.execute(_anything_to_do, asked).first() is None:
        return []
    open_commands = session.scalars(
        select(GatewayCommand)
        .where(GatewayCommand.gateway_id == gateway.id, GatewayCommand.result.is_(None))
        .order_by(GatewayCommand.id)
        .limit(EVENTS_MAX)
    )
    orders = [{"id": f"c{row.id}", "device": row.device, "kind": row.kind, "facts": row.facts} for row in open_commands]
    jobs = printing.offered(session, gateway.warehouse_id, gateway.station_id)
    return orders + [_print_command(session, gateway, job) for job in jobs]


def _print_command(session: Session, gateway: Gateway, job: Any) -> dict[str, Any]:
    printer = session.scalars(
        select(GatewayDevice.name).where(
            GatewayDevice.gateway_id == gateway.id, GatewayDevice.driver == f"printer_{job.language}"
        )
    ).first()
    return {"id": f"p{job.id}", "device": printer or "printer", "kind": "print", "facts": job.to_json()}


def order_chute(call: Call, chute: int, command: str) -> None:
    """Tell every sorter gateway of the warehouse to OPEN, LOCK or CLEAR a chute."""
    known = select(Chute.id).where(Chute.warehouse_id == call.warehouse_id, Chute.number == chute)
    if call.session.execute(known).first() is None:
        raise Refused(Reason.CHUTE_UNKNOWN, chute=chute)
    here = (GatewayDevice.warehouse_id == call.warehouse_id, GatewayDevice.driver.like("sorter_%"))
    _order(call, here, "chute", {"chute": chute, "command": command})


def has_lights(session: Session, station_id: int) -> bool:
    """True where a gateway of the station has a controller of lights."""
    return session.execute(_lights_at, {"station": station_id}).first() is not None


def order_lights(call: Call, station_id: int, facts: Mapping[str, Any]) -> int:
    """Light a station's put wall: `{on, off}` or `{only}`, lists of lights. How many controllers were told; none where
    just this was ordered last and is not known to have failed.
    """
    last = call.session.execute(
        select(GatewayCommand.facts, GatewayCommand.result)
        .join(Gateway, Gateway.id == GatewayCommand.gateway_id)
        .where(Gateway.station_id == station_id, GatewayCommand.kind == "lights")
        .order_by(GatewayCommand.id.desc())
        .limit(1)
    ).one_or_none()
    if last is not None and last.facts == facts and last.result in (None, "taken"):
        return 0
    here = (Gateway.station_id == station_id, GatewayDevice.driver.like("light_%"))
    return _order(call, here, "lights", facts)


def _order(call: Call, which: Sequence[Any], kind: str, facts: Mapping[str, Any]) -> int:
    """A command to each device of `which`; how many there are."""
    devices = call.session.execute(
        select(GatewayDevice.gateway_id, GatewayDevice.name, Gateway.station_id)
        .join(Gateway, Gateway.id == GatewayDevice.gateway_id)
        .where(*which)
        .order_by(GatewayDevice.id)
    ).all()
    for device in devices:
        call.session.add(
            GatewayCommand(
                warehouse_id=call.warehouse_id,
                gateway_id=device.gateway_id,
                device=device.name,
                kind=kind,
                facts=dict(facts),
                made_at=call.now,
            )
        )
    call.session.flush()
    call.wakes.update(printing.commands_wake(device.station_id) for device in devices)
    return len(devices)
