"""What gateways tell: each event is booked once, in order; a gap is refused, so nothing is ever skipped.

A scan or weight of a station is booked in one transaction with the gateway's mark.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import bindparam, select, update
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from wms.core.audit_trail import note
from wms.core.call import Call, Who
from wms.core.clock import Clock, WallClock
from wms.core.db import Database
from wms.core.db.tables import table_of
from wms.core.perform import Outcome, system_call, to_json
from wms.core.refusal import Reason, Refused
from wms.exchange.gateways.service import REASON_LENGTH_MAX, WORD_LENGTH_MAX, has_lights, keep_health, order_lights
from wms.handheld import shell
from wms.handheld.standing import light_of
from wms.people import queries as people
from wms.printing import queries as printing_queries
from wms.printing import service as printing
from wms.printing.values import UNDER_WAY
from wms.site.tables import Station
from wms.sorting import service as sorting
from wms.sorting.tables import Gateway, GatewayCommand

EVENTS_MAX = 200
WEIGHT_G_MAX = 1_000_000
EVENT_LENGTH_MAX = 2_000
CODES_MAX = 8
BUTTON_MAX = 1_000
SEQ_MAX = 2**62
WALL = WallClock()

_gateway = table_of(Gateway)
_move_mark = (
    update(_gateway)
    .where(_gateway.c.id == bindparam("gateway"), _gateway.c.high_water == bindparam("before"))
    .values(high_water=bindparam("seq"), seen_at=bindparam("now"))
    .returning(_gateway.c.id)
)
log = structlog.get_logger(__name__)


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
    # What was booked has said that the gateway is there; who brought nothing new says it alone.
    return mark if fresh and gateway.boot == boot else db.transact(lambda session: _seen(session, gateway.id, boot))


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
    moved = {"gateway": gateway_id, "before": seq - 1, "seq": seq, "now": WALL.now()}
    return session.execute(_move_mark, moved).first() is not None


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
            _AT_STATION[kind](db, clock, gateway, seq, facts)
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


def _scan(db: Database, clock: Clock, gateway: Gateway, seq: int, facts: Mapping[str, Any]) -> None:
    """A station's own scanner read something: it is the scan of whoever is logged in there."""
    who, outcome = _at_station(db, gateway), None
    if who is not None:
        code, aim = str(facts["code"]), facts.get("aim")
        outcome = shell.scan(db, clock, who, _event_id(gateway, seq), code, aim, also=_marking(gateway, seq))
        shell.tell(db, clock, who, outcome)
        _light(db, clock, gateway, who)
    if not _booked(outcome):
        _in_turn(db, clock, gateway, seq, lambda call: None)


def _weight(db: Database, clock: Clock, gateway: Gateway, seq: int, facts: Mapping[str, Any]) -> None:
    """The station's scale stands still: kept for the table, and the weight of whoever waits for one there."""
    weight_g = int(facts["weight_g"])
    if not 0 <= weight_g <= WEIGHT_G_MAX:
        raise ValueError("weight out of range")

    def keep(call: Call) -> None:
        _keep_weight(call.session, gateway.station_id, weight_g, WALL.now())

    who, outcome = _at_station(db, gateway), None
    if who is not None:
        also = _marking(gateway, seq, keep)
        outcome = shell.weigh(db, clock, who, _event_id(gateway, seq), weight_g, also)
        if outcome is not None:
            shell.tell(db, clock, who, outcome)
    if not _booked(outcome):
        _in_turn(db, clock, gateway, seq, keep)


def _press(db: Database, clock: Clock, gateway: Gateway, seq: int, facts: Mapping[str, Any]) -> None:
    """A button of the station's put wall: the put of whoever is logged in there."""
    place = facts["button"]
    if type(place) is not int or not 1 <= place <= BUTTON_MAX:
        raise ValueError("a button nobody has")
    who, outcome = _at_station(db, gateway), None
    if who is not None:
        outcome = shell.press_button(db, clock, who, _event_id(gateway, seq), place, _marking(gateway, seq))
        if outcome is not None:
            shell.tell(db, clock, who, outcome)
            _light(db, clock, gateway, who)
    if not _booked(outcome):
        _in_turn(db, clock, gateway, seq, lambda call: None)


def _light(db: Database, clock: Clock, gateway: Gateway, who: Who) -> None:
    """Light the place where what is in the hand belongs, and no other, where the station has a wall with lights."""
    if not db.read(lambda session: has_lights(session, gateway.station_id)):
        return
    place = light_of(db, clock, who)
    only = {"only": [] if place is None else [place]}
    actor = f"gateway:{gateway.id}"
    system_call(
        db,
        clock,
        gateway.warehouse_id,
        lambda call: order_lights(call, gateway.station_id, only),
        request_id=f"lights:{gateway.id}",
        actor=actor,
    )


def _event_id(gateway: Gateway, seq: int) -> str:
    return f"gateway:{gateway.id}:event:{seq}"


def _marking(gateway: Gateway, seq: int, keep: shell.Also | None = None) -> shell.Also:
    """The gateway's mark moves with the scan, and `keep` is kept with it."""

    def also(call: Call) -> None:
        if _next_mark(call.session, gateway.id, seq) and keep is not None:
            keep(call)

    return also


def _booked(outcome: Outcome | None) -> bool:
    """Whether the scan was booked just now, and what goes with it. A refusal or a repeated answer books nothing."""
    return outcome is not None and outcome.status < 400 and not outcome.replayed


def _keep_weight(session: Session, station_id: int, weight_g: int, now: datetime) -> None:
    session.execute(update(Station).where(Station.id == station_id).values(weight_g=weight_g, weighed_at=now))


def _at_station(db: Database, gateway: Gateway) -> Who | None:
    return db.read(lambda session: people.who_is_at_station(session, gateway.station_id))


_AT_STATION: dict[str, Callable[[Database, Clock, Gateway, int, Mapping[str, Any]], None]] = {
    "scan": _scan,
    "weight": _weight,
    "press": _press,
}


def _cfm(call: Call, gateway: Gateway, facts: Mapping[str, Any]) -> None:
    sorting.confirm(call, gateway.id, facts)


def _divert(call: Call, gateway: Gateway, facts: Mapping[str, Any]) -> None:
    sorting.record_divert(call, gateway.id, facts)


def _double(call: Call, gateway: Gateway, facts: Mapping[str, Any]) -> None:
    note(call, "line.double", gateway=gateway.name, pid=int(facts["pid"]))


def _measure(call: Call, gateway: Gateway, facts: Mapping[str, Any]) -> None:
    """A parcel passed a DWS machine: kept by its codes, for whoever disputes a weight. It books nothing."""
    codes = [str(code)[:WORD_LENGTH_MAX] for code in list(facts["codes"])[:CODES_MAX]]
    fault = str(facts.get("fault") or "")[:WORD_LENGTH_MAX]
    measured = {name: _whole(facts.get(name)) for name in ("weight_g", "length_mm", "width_mm", "height_mm")}
    note(call, "parcel.measured", gateway=gateway.name, codes=codes, **measured, **({"fault": fault} if fault else {}))


def _whole(value: object) -> int | None:
    """Grams or millimetres; None where not measured."""
    if value is None:
        return None
    if type(value) is not int or not 0 <= value <= WEIGHT_G_MAX:
        raise ValueError("a measure out of range")
    return value


def _unreadable(call: Call, gateway: Gateway, facts: Mapping[str, Any]) -> None:
    """An entry of a line over Modbus that is sound and makes no sense: its PLC's program is wrong."""
    device = str(facts["device"])[:WORD_LENGTH_MAX]
    note(call, "line.unreadable", gateway=gateway.name, device=device, register=int(facts["register"]))
    call.wakes.add("live")


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
    job_id, told = int(facts["job"]), str(facts["state"])
    job = printing_queries.job(call.session, call.warehouse_id, job_id)
    if job.station_id != gateway.station_id:
        raise Refused(Reason.PRINT_JOB_UNKNOWN, job=job_id)
    if not {job.state, told} <= UNDER_WAY:  # else no screen looks different
        _redraw(call, gateway)
    reason, printer = facts.get("reason"), facts.get("printer")
    printing.report(
        call,
        job_id,
        told,
        reason=None if reason is None else str(reason),
        printer=None if printer is None else str(printer),
    )


def _redraw(call: Call, gateway: Gateway) -> None:
    """Whoever waits for a label there sees what became of it. Before the job, as whoever scans locks them."""
    here = people.who_is_at_station(call.session, gateway.station_id)
    if here is not None and here.person_id is not None:
        shell.labels_moved(call, here.person_id)


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
    "measure": _measure,
    "unreadable": _unreadable,
    "chute": _chute,
    "line": _line,
    "print": _print,
    "device": _device_state,
    "command": _command,
}
