"""The gateways' doors under /gateway/v1. Long polls wait on a name and look again; they never hold a transaction
open.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, request
from sqlalchemy.orm import Session

from wms.core.clock import WallClock
from wms.core.json_in import is_storable, read_object
from wms.core.perform import to_json
from wms.core.refusal import Reason, Refused
from wms.core.web import edge, json_response, wait_asked
from wms.exchange.gateways import events as booking
from wms.exchange.gateways import service
from wms.exchange.gateways.signing import Nonces, Signed, check, is_number
from wms.printing import service as printing
from wms.sorting import service as sorting
from wms.sorting.tables import Gateway

WAIT_S_MAX = 25.0
LOOK_AGAIN_S = 1.0
BODY_BYTES_MAX = 1024 * 1024
CODE_LENGTH_MAX = 128
CODES_MAX = 8
WALL = WallClock()

gateways = Blueprint("gateways", __name__, url_prefix="/gateway/v1")
_nonces = Nonces()


@gateways.after_request
def _tell_time(response: Response) -> Response:
    """A gateway whose clock is wrong learns the time from any answer."""
    response.headers["X-Server-Time"] = str(int(WALL.now().timestamp()))
    return response


def _gateway() -> Gateway:
    """The gateway that signed this call. Raises KEY_UNKNOWN and what signing.check raises."""
    request.max_content_length = BODY_BYTES_MAX
    given = request.headers.get("X-Gateway", "")
    known = is_number(given)
    gateway = edge().db.read(lambda session: session.get(Gateway, int(given)) if known else None)
    if gateway is None or not gateway.key_hex or gateway.revoked_at is not None:
        raise Refused(Reason.KEY_UNKNOWN)
    path = request.full_path if request.query_string else request.path
    signed = Signed(
        request.method,
        path,
        request.headers.get("X-Time", ""),
        request.headers.get("X-Nonce", ""),
        request.get_data(cache=True),
        request.headers.get("X-Signature", ""),
    )
    check(signed, gateway.id, gateway.key_hex, _nonces)
    return gateway


def _body(*, storable: bool = True) -> dict[str, Any]:
    return read_object(request.get_data(cache=True), storable=storable)


def _list(body: dict[str, Any], name: str) -> list[Any]:
    found = body.get(name, [])
    if not isinstance(found, list):
        raise Refused(Reason.BAD_INPUT, what=f"{name}: a list")
    return found


@gateways.post("/pair")
def pair() -> Response:
    body = _body()
    code, devices = body.get("code"), _list(body, "devices")
    if not isinstance(code, str) or len(code) > CODE_LENGTH_MAX:
        raise Refused(Reason.BAD_INPUT, what="code")
    return json_response(to_json(edge().db.transact(lambda session: service.pair(session, code, devices))))


@gateways.post("/events")
def events() -> Response:
    # An event that can never be booked is set aside alone; it must not hold up those that came with it.
    gateway, body, at = _gateway(), _body(storable=False), edge()
    told = body.get("events")
    if not isinstance(told, list) or len(told) > booking.EVENTS_MAX:
        raise Refused(Reason.BAD_INPUT, what=f"events: a list of at most {booking.EVENTS_MAX}")
    boot = str(body.get("boot", ""))[:8]
    if not is_storable(boot):
        raise Refused(Reason.BAD_INPUT, what="boot")
    mark = booking.take_events(at.db, at.clock, gateway, boot, told)
    at.db.wakes.wake(["live"])
    return json_response(to_json({"high_water": mark}))


@gateways.post("/health")
def health() -> Response:
    gateway, body = _gateway(), _body()
    devices = _list(body, "devices")[: service.DEVICES_MAX]

    def keep(session: Session) -> None:
        service.is_there(session, gateway.id)
        service.keep_health_of_all(session, gateway, devices)

    edge().db.transact(keep)
    return json_response("{}")


@gateways.get("/commands")
def commands() -> Response:
    gateway = _gateway()
    wake = printing.commands_wake(gateway.station_id)
    found = _wait_for(wake, lambda session: service.commands_for(session, gateway))
    return json_response(to_json({"commands": found or []}))


@gateways.get("/routes")
def routes() -> Response:
    gateway = _gateway()
    since = request.args.get("since", "0")
    if not is_number(since):
        raise Refused(Reason.BAD_INPUT, what="since: a number")
    # A gateway that is ahead of us has seen what a restored database forgot: it gets the whole table.
    newest = edge().db.read(lambda session: sorting.newest_version(session, gateway.warehouse_id))
    version = int(since) if int(since) <= newest else 0
    found = _wait_for(sorting.ROUTES_WAKE, lambda session: sorting.routes_since(session, gateway.warehouse_id, version))
    changes = [
        {"code": entry.code, "chute": entry.chutes, **({"reason": entry.reason} if entry.reason else {})}
        for entry in found or []
    ]
    body = {
        "version": found[-1].version if found else version,
        "full": version == 0,
        "changes": changes,
        "overflow": None,
    }
    return json_response(to_json(body))


@gateways.post("/ask")
def ask() -> Response:
    gateway, body = _gateway(), _body()
    codes = [str(code)[:CODE_LENGTH_MAX] for code in _list(body, "codes")][:CODES_MAX]
    found = edge().db.read(lambda session: sorting.answer(session, gateway.warehouse_id, codes))
    return json_response(to_json(found))


def _wait_for(wake: str, look: Callable[[Session], list[Any]]) -> list[Any]:
    """What `look` finds, at once or when woken, until `wait_s` is over."""
    at = edge()
    until = time.monotonic() + wait_asked(WAIT_S_MAX)
    while True:
        seen = at.db.wakes.seen(wake)
        found = at.db.read(look)
        left = until - time.monotonic()
        if found or left <= 0:
            return found
        at.db.wakes.wait(wake, seen, min(left, LOOK_AGAIN_S))
