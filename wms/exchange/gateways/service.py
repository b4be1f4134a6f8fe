"""What gateways tell and fetch. Each event is booked once, in order; a gap is refused, so nothing is ever skipped."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from wms.core.audit_trail import note
from wms.core.call import Call, Who
from wms.core.clock import Clock, WallClock
from wms.core.db import Database
from wms.core.perform import system_call
from wms.core.refusal import Reason, Refused
from wms.handheld import shell
from wms.people import queries as people
from wms.printing import service as printing
from wms.site.tables import Chute, Station, Warehouse
from wms.sorting import service as sorting
from wms.sorting.tables import Gateway, GatewayCommand, GatewayDevice

PAIRING_MIN = 10
EVENTS_MAX = 200
COMMANDS_WAKE = "commands"
DEVICE_STATES = frozenset({"disabled", "connecting", "ready", "degraded", "down"})
WEIGHT_G_MAX = 1_000_000
WALL = WallClock()

log = structlog.get_logger(__name__)


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
    code = f"{secrets.randbelow(10**8):08d}"
    gateway.station_id, gateway.pairing_hash = station_id, _hash(code)
    gateway.pairing_until = WALL.now() + timedelta(minutes=PAIRING_MIN)
    call.session.flush()
    note(call, "gateway.invited", gateway=name, station=station_code)
    return code


def pair(session: Session, code: str, devices: list[Mapping[str, Any]], first_seq: int = 1) -> dict[str, Any]:
    """Exchange the code for a key. The code works once. `first_seq` is the number of the gateway's next event.

    Raises PAIRING_CODE_WRONG.
    """
    gateway = session.scalars(
        select(Gateway).where(Gateway.pairing_hash == _hash(code)).with_for_update()
    ).one_or_none()
    if gateway is None or gateway.pairing_until is None or gateway.pairing_until < WALL.now():
        raise Refused(Reason.PAIRING_CODE_WRONG)
    gateway.key_hex = secrets.token_hex(32)
    gateway.pairing_hash, gateway.pairing_until, gateway.revoked_at = "", None, None
    gateway.high_water = max(0, first_seq - 1)
    session.flush()
    for device in devices:
        _device(session, gateway, str(device["name"]), str(device.get("driver", "")))
    warehouse, station = session.get_one(Warehouse, gateway.warehouse_id), session.get_one(Station, gateway.station_id)
    return {
        "gateway": gateway.id,
        "key": gateway.key_hex,
        "warehouse": warehouse.code,
        "station": station.code,
        "server_time_s": int(WALL.now().timestamp()),
    }


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


def take_events(db: Database, clock: Clock, gateway: Gateway, boot: str, events: list[Mapping[str, Any]]) -> int:
    """Book events after the high-water mark; the new mark. Raises EVENT_GAP when one is missing before them."""
    mark = gateway.high_water
    fresh = sorted((event for event in events if int(event["seq"]) > mark), key=lambda event: int(event["seq"]))
    for event in fresh[:EVENTS_MAX]:
        seq = int(event["seq"])
        if seq != mark + 1:
            raise Refused(Reason.EVENT_GAP, expected=mark + 1)
        _take(db, clock, gateway, event)
        mark = seq
    db.transact(lambda session: _mark(session, gateway.id, boot, mark))
    return mark


def _mark(session: Session, gateway_id: int, boot: str, mark: int) -> None:
    session.execute(
        update(Gateway).where(Gateway.id == gateway_id).values(boot=boot, high_water=mark, seen_at=WALL.now())
    )


def _take(db: Database, clock: Clock, gateway: Gateway, event: Mapping[str, Any]) -> None:
    """Book one event in its own transaction. What is refused or malformed is kept in the trail and does not stop the
    rest.
    """
    kind = str(event.get("kind"))
    request_id = f"event:{event['seq']}"
    facts = event.get("facts") or {}
    try:
        if kind in _AT_STATION:
            _AT_STATION[kind](db, clock, gateway, f"gateway:{gateway.id}:{request_id}", facts)
        else:
            book = _BOOKED.get(kind, _unknown)
            system_call(
                db,
                clock,
                gateway.warehouse_id,
                lambda call: book(call, gateway, facts),
                request_id=request_id,
                actor=f"gateway:{gateway.id}",
            )
    except (Refused, KeyError, ValueError, TypeError) as error:
        log.warning("gateway.event_set_aside", gateway=gateway.name, seq=event["seq"], kind=kind, error=str(error))
        system_call(
            db,
            clock,
            gateway.warehouse_id,
            lambda call: note(call, "gateway.event_set_aside", gateway=gateway.name, seq=event["seq"], kind=kind),
            request_id=request_id,
            actor=f"gateway:{gateway.id}",
        )


def _scan(db: Database, clock: Clock, gateway: Gateway, request_id: str, facts: Mapping[str, Any]) -> None:
    """A station's own scanner read something: it is the scan of whoever is logged in there."""
    who = _at_station(db, gateway)
    if who is not None:
        shell.scan(db, clock, who, request_id, str(facts["code"]), facts.get("aim"))


def _weight(db: Database, clock: Clock, gateway: Gateway, request_id: str, facts: Mapping[str, Any]) -> None:
    weight_g = int(facts["weight_g"])
    if not 0 <= weight_g <= WEIGHT_G_MAX:
        raise ValueError("weight out of range")
    db.transact(lambda session: _keep_weight(session, gateway.station_id, weight_g, WALL.now()))
    who = _at_station(db, gateway)
    if who is not None:
        shell.weigh(db, clock, who, request_id, weight_g)


def _keep_weight(session: Session, station_id: int, weight_g: int, now: datetime) -> None:
    session.execute(update(Station).where(Station.id == station_id).values(weight_g=weight_g, weighed_at=now))


def _at_station(db: Database, gateway: Gateway) -> Who | None:
    return db.read(lambda session: people.who_is_at_station(session, gateway.station_id))


_AT_STATION: dict[str, Callable[[Database, Clock, Gateway, str, Mapping[str, Any]], None]] = {
    "scan": _scan,
    "weight": _weight,
}


def _cfm(call: Call, gateway: Gateway, facts: Mapping[str, Any]) -> None:
    sorting.confirm(call, gateway.id, facts)


def _divert(call: Call, gateway: Gateway, facts: Mapping[str, Any]) -> None:
    sorting.record_divert(call, gateway.id, facts)


def _double(call: Call, gateway: Gateway, facts: Mapping[str, Any]) -> None:
    note(call, "line.double", gateway=gateway.name, pid=facts.get("pid"))


def _chute(call: Call, gateway: Gateway, facts: Mapping[str, Any]) -> None:
    sorting.chute_state(call, int(facts["chute"]), str(facts["state"]), int(facts.get("count") or 0))


def _line(call: Call, gateway: Gateway, facts: Mapping[str, Any]) -> None:
    note(call, "line.state", gateway=gateway.name, state=str(facts["state"]))
    call.wakes.add("live")


def _print(call: Call, gateway: Gateway, facts: Mapping[str, Any]) -> None:
    printing.report(
        call, int(facts["job"]), str(facts["state"]), reason=facts.get("reason"), printer=facts.get("printer")
    )


def _device_state(call: Call, gateway: Gateway, facts: Mapping[str, Any]) -> None:
    name = str(facts["device"]) if "device" in facts else str(facts["name"])
    keep_health(call.session, gateway, {**facts, "name": name})
    call.wakes.add("live")


def _command(call: Call, gateway: Gateway, facts: Mapping[str, Any]) -> None:
    number = str(facts["id"]).removeprefix("c")
    call.session.execute(
        update(GatewayCommand)
        .where(GatewayCommand.id == int(number), GatewayCommand.gateway_id == gateway.id)
        .values(result=str(facts["result"]), done_at=call.now)
    )


def _unknown(call: Call, gateway: Gateway, facts: Mapping[str, Any]) -> None:
    note(call, "gateway.event_unknown", gateway=gateway.name)


_BOOKED: dict[str, Callable[[Call, Gateway, Mapping[str, Any]], None]] = {
    "cfm": _cfm,
    "divert": _divert,
    "double": _double,
    "chute": _chute,
    "line": _line,
    "print": _print,
    "device": _device_state,
    "command": _command,
}


def keep_health(session: Session, gateway: Gateway, told: Mapping[str, Any]) -> None:
    """The last word of a device on itself."""
    row = _device(session, gateway, str(told["name"]), str(told.get("driver", "")))
    state = str(told.get("state", "ready"))
    if state not in DEVICE_STATES:
        raise ValueError(f"unknown device state {state!r}")
    if row.state != state:
        row.since = WALL.now()
    row.state, row.reason = state, str(told.get("reason") or "")[:300]
    row.driver = str(told.get("driver") or row.driver)
    row.counters = dict(told.get("counters") or row.counters)
    session.flush()


def commands_for(session: Session, gateway: Gateway) -> list[dict[str, Any]]:
    """What the gateway is to do: print jobs of its station and commands to its devices, oldest first."""
    open_commands = session.scalars(
        select(GatewayCommand)
        .where(GatewayCommand.gateway_id == gateway.id, GatewayCommand.result.is_(None))
        .order_by(GatewayCommand.id)
        .limit(EVENTS_MAX)
    )
    orders = [{"id": f"c{row.id}", "device": row.device, "kind": row.kind, "facts": row.facts} for row in open_commands]
    return orders + [_print_command(session, gateway, job) for job in printing.offered(session, gateway.station_id)]


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
    sorters = call.session.scalars(
        select(GatewayDevice).where(
            GatewayDevice.warehouse_id == call.warehouse_id, GatewayDevice.driver.like("sorter_%")
        )
    ).all()
    for device in sorters:
        call.session.add(
            GatewayCommand(
                warehouse_id=call.warehouse_id,
                gateway_id=device.gateway_id,
                device=device.name,
                kind="chute",
                facts={"chute": chute, "command": command},
                made_at=call.now,
            )
        )
    call.session.flush()
    call.wakes.add(COMMANDS_WAKE)
