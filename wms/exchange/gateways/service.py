"""What gateways tell and fetch. Each event is booked once, in order; a gap is refused, so nothing is ever skipped."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import select, update
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from wms.core.audit_trail import note
from wms.core.call import Call, Who
from wms.core.clock import Clock, WallClock
from wms.core.db import Database
from wms.core.db.tables import table_of
from wms.core.perform import system_call, to_json
from wms.core.refusal import Reason, Refused
from wms.handheld import shell
from wms.people import queries as people
from wms.printing import queries as printing_queries
from wms.printing import service as printing
from wms.printing.text import clean
from wms.site.tables import Chute, Station, Warehouse
from wms.sorting import service as sorting
from wms.sorting.tables import Gateway, GatewayCommand, GatewayDevice

PAIRING_MIN = 10
PAIRING_DIGITS = 8
EVENTS_MAX = 200
COMMANDS_WAKE = "commands"
DEVICE_STATES = frozenset({"disabled", "connecting", "ready", "degraded", "down"})
WEIGHT_G_MAX = 1_000_000
DEVICES_MAX = 64
COUNTERS_MAX = 100
WORD_LENGTH_MAX = 100
REASON_LENGTH_MAX = 300
EVENT_LENGTH_MAX = 2_000
SEQ_MAX = 2**62
WALL = WallClock()

_gateway = table_of(Gateway)
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


def take_events(db: Database, clock: Clock, gateway: Gateway, boot: str, events: Sequence[Mapping[str, Any]]) -> int:
    """Book the events that are new, in order; the high-water mark after them.

    Raises EVENT_GAP when one is missing before them, BAD_INPUT when one has no number.
    """
    mark = db.read(lambda session: _high_water(session, gateway.id))
    fresh = sorted((event for event in events if _seq(event) > mark), key=_seq)
    for event in fresh[:EVENTS_MAX]:
        if _seq(event) != mark + 1:
            raise Refused(Reason.EVENT_GAP, expected=mark + 1)
        _take(db, clock, gateway, event)
        mark += 1
    return db.transact(lambda session: _seen(session, gateway.id, boot))


def _high_water(session: Session, gateway_id: int) -> int:
    return int(session.execute(select(_gateway.c.high_water).where(_gateway.c.id == gateway_id)).scalar_one())


def _seq(event: Any) -> int:
    seq = event.get("seq") if isinstance(event, Mapping) else None
    if type(seq) is not int or not 1 <= seq <= SEQ_MAX:
        raise Refused(Reason.BAD_INPUT, what="seq")
    return seq


def _seen(session: Session, gateway_id: int, boot: str) -> int:
    """The gateway is there; its mark as it stands."""
    here = update(_gateway).where(_gateway.c.id == gateway_id).values(boot=boot, seen_at=WALL.now())
    return int(session.execute(here.returning(_gateway.c.high_water)).scalar_one())


def _next_mark(session: Session, gateway_id: int, seq: int) -> bool:
    """Move the mark to `seq`, in the transaction that books it; False when another call has booked it already."""
    here = update(_gateway).where(_gateway.c.id == gateway_id, _gateway.c.high_water == seq - 1)
    return session.execute(here.values(high_water=seq).returning(_gateway.c.id)).first() is not None


def _take(db: Database, clock: Clock, gateway: Gateway, event: Mapping[str, Any]) -> None:
    """Book one event and its mark in one transaction, so that each is booked once.

    What can never be booked is set aside in the trail and does not stop what follows; "not now" (busy, no database)
    stops here, and the gateway sends it again.
    """
    seq, kind = _seq(event), str(event.get("kind"))[:WORD_LENGTH_MAX]
    facts = event.get("facts")
    try:
        if not isinstance(facts, Mapping):
            raise TypeError("facts are no object")
        if kind in _AT_STATION:
            _AT_STATION[kind](db, clock, gateway, f"gateway:{gateway.id}:event:{seq}", facts)
            _in_turn(db, clock, gateway, seq, lambda call: None)
        else:
            book = _BOOKED.get(kind, _unknown)
            told = {**facts, "device": str(event.get("device") or facts.get("device") or "")}
            _in_turn(db, clock, gateway, seq, lambda call: book(call, gateway, told))
    except Exception as error:
        if _not_now(error):
            raise
        why = ascii(f"{type(error).__name__}: {error}")[:REASON_LENGTH_MAX]
        log.warning("gateway.event_set_aside", gateway=gateway.name, seq=seq, kind=kind, error=why)
        _in_turn(db, clock, gateway, seq, lambda call: _set_aside(call, gateway, event, why))


def _in_turn(db: Database, clock: Clock, gateway: Gateway, seq: int, book: Callable[[Call], None]) -> None:
    def once(call: Call) -> None:
        if _next_mark(call.session, gateway.id, seq):
            book(call)

    actor = f"gateway:{gateway.id}"
    system_call(db, clock, gateway.warehouse_id, once, request_id=f"event:{seq}", actor=actor)


def _not_now(error: Exception) -> bool:
    """The database's or our own passing trouble, not the event's fault."""
    if isinstance(error, Refused):
        return error.reason.status >= 500
    return isinstance(error, OperationalError | InterfaceError | PoolTimeout)


def _set_aside(call: Call, gateway: Gateway, event: Mapping[str, Any], why: str) -> None:
    """For a person to look at: the event as it came, and why it was not booked."""
    came = ascii(to_json(event))[:EVENT_LENGTH_MAX]
    note(call, "gateway.event_set_aside", gateway=gateway.name, seq=_seq(event), event=came, why=why)


def _scan(db: Database, clock: Clock, gateway: Gateway, request_id: str, facts: Mapping[str, Any]) -> None:
    """A station's own scanner read something: it is the scan of whoever is logged in there."""
    who = _at_station(db, gateway)
    if who is not None:
        outcome = shell.scan(db, clock, who, request_id, str(facts["code"]), facts.get("aim"))
        shell.tell(db, clock, who, outcome)


def _weight(db: Database, clock: Clock, gateway: Gateway, request_id: str, facts: Mapping[str, Any]) -> None:
    weight_g = int(facts["weight_g"])
    if not 0 <= weight_g <= WEIGHT_G_MAX:
        raise ValueError("weight out of range")
    db.transact(lambda session: _keep_weight(session, gateway.station_id, weight_g, WALL.now()))
    who = _at_station(db, gateway)
    if who is not None:
        outcome = shell.weigh(db, clock, who, request_id, weight_g)
        if outcome is not None:
            shell.tell(db, clock, who, outcome)


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
    note(call, "line.double", gateway=gateway.name, pid=int(facts["pid"]))


def _chute(call: Call, gateway: Gateway, facts: Mapping[str, Any]) -> None:
    sorting.chute_state(call, int(facts["chute"]), str(facts["state"]), int(facts.get("count") or 0))


def _line(call: Call, gateway: Gateway, facts: Mapping[str, Any]) -> None:
    note(
        call,
        "line.state",
        gateway=gateway.name,
        device=str(facts["device"])[:WORD_LENGTH_MAX],
        state=str(facts["state"])[:WORD_LENGTH_MAX],
    )
    call.wakes.add("live")


def _print(call: Call, gateway: Gateway, facts: Mapping[str, Any]) -> None:
    """A gateway speaks of its own station's jobs only."""
    job_id = int(facts["job"])
    if printing_queries.job(call.session, call.warehouse_id, job_id).station_id != gateway.station_id:
        raise Refused(Reason.PRINT_JOB_UNKNOWN, job=job_id)
    reason, printer = facts.get("reason"), facts.get("printer")
    printing.report(
        call,
        job_id,
        str(facts["state"]),
        reason=None if reason is None else str(reason),
        printer=None if printer is None else str(printer),
    )


def _device_state(call: Call, gateway: Gateway, facts: Mapping[str, Any]) -> None:
    keep_health(call.session, gateway, {**facts, "name": facts["device"]})
    call.wakes.add("live")


def _command(call: Call, gateway: Gateway, facts: Mapping[str, Any]) -> None:
    number = str(facts["id"]).removeprefix("c")
    if not number.isdecimal():
        return  # a print command: its job tells its own states
    call.session.execute(
        update(GatewayCommand)
        .where(
            GatewayCommand.id == int(number), GatewayCommand.gateway_id == gateway.id, GatewayCommand.result.is_(None)
        )
        .values(result=str(facts["result"])[:WORD_LENGTH_MAX], done_at=call.now)
    )


def _unknown(call: Call, gateway: Gateway, facts: Mapping[str, Any]) -> None:
    """A kind from a later version, or a stranger's driver."""
    device = str(facts["device"])[:WORD_LENGTH_MAX]
    note(call, "gateway.event_unknown", gateway=gateway.name, device=device)


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
    """The last word of a device on itself. Raises BAD_INPUT."""
    name = _device_name(told)
    state, counters = told.get("state"), told.get("counters") or {}
    if state not in DEVICE_STATES or not isinstance(counters, Mapping):
        raise Refused(Reason.BAD_INPUT, what=f"state or counters of {name}")
    row = _device(session, gateway, name, str(told.get("driver") or "")[:WORD_LENGTH_MAX])
    if row.state != state:
        row.since = WALL.now()
    row.state, row.reason = str(state), clean(str(told.get("reason") or ""), REASON_LENGTH_MAX)
    row.driver = str(told.get("driver") or row.driver)[:WORD_LENGTH_MAX]
    row.counters = {str(name)[:WORD_LENGTH_MAX]: count for name, count in list(counters.items())[:COUNTERS_MAX]}
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
