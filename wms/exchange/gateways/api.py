"""The gateways' doors under /gateway/v1. Long polls wait on a name and look again; they never hold a transaction
open.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, request
from sqlalchemy.orm import Session

from wms.core.clock import WallClock
from wms.core.perform import to_json
from wms.core.refusal import Reason, Refused
from wms.core.web import edge, json_response
from wms.exchange.gateways import service
from wms.exchange.gateways.signing import Nonces, Signed, check
from wms.sorting import service as sorting
from wms.sorting.tables import Gateway

WAIT_S_MAX = 25.0
LOOK_AGAIN_S = 1.0
BODY_BYTES_MAX = 1024 * 1024
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
    gateway = edge().db.read(lambda session: session.get(Gateway, int(given)) if given.isdigit() else None)
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


def _body() -> dict[str, Any]:
    try:
        body = json.loads(request.get_data(cache=True))
    except ValueError as error:
        raise Refused(Reason.BAD_INPUT, what="the body is not JSON") from error
    if not isinstance(body, dict):
        raise Refused(Reason.BAD_INPUT, what="the body is not an object")
    return body


@gateways.post("/pair")
def pair() -> Response:
    body = _body()
    first_seq = int(body.get("first_seq") or 1)
    made = edge().db.transact(
        lambda session: service.pair(session, str(body.get("code", "")), list(body.get("devices") or []), first_seq)
    )
    return json_response(to_json(made))


@gateways.post("/events")
def events() -> Response:
    gateway, body, at = _gateway(), _body(), edge()
    told = body.get("events")
    if not isinstance(told, list) or len(told) > service.EVENTS_MAX:
        raise Refused(Reason.BAD_INPUT, what=f"events: a list of at most {service.EVENTS_MAX}")
    mark = service.take_events(at.db, at.clock, gateway, str(body.get("boot", ""))[:8], told)
    at.db.wakes.wake(["live"])
    return json_response(to_json({"high_water": mark}))


@gateways.post("/health")
def health() -> Response:
    gateway, body = _gateway(), _body()

    def keep(session: Session) -> None:
        here = session.get_one(Gateway, gateway.id)
        here.seen_at = WALL.now()
        for told in body.get("devices") or []:
            service.keep_health(session, here, told)

    edge().db.transact(keep)
    return json_response("{}")


@gateways.get("/commands")
def commands() -> Response:
    gateway = _gateway()
    found = _wait_for(service.COMMANDS_WAKE, lambda session: service.commands_for(session, gateway))
    return json_response(to_json({"commands": found or []}))


@gateways.get("/routes")
def routes() -> Response:
    gateway = _gateway()
    since = request.args.get("since", "0")
    if not since.isdigit():
        raise Refused(Reason.BAD_INPUT, what="since: a number")
    version = int(since)
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
    codes = [str(code) for code in body.get("codes") or []][:8]
    found = edge().db.read(lambda session: sorting.answer(session, gateway.warehouse_id, codes))
    return json_response(to_json(found))


def _wait_for(wake: str, look: Callable[[Session], list[Any]]) -> list[Any]:
    """What `look` finds, at once or when woken, until `wait_s` is over."""
    at = edge()
    until = time.monotonic() + min(WAIT_S_MAX, float(request.args.get("wait_s", "0") or 0))
    while True:
        seen = at.db.wakes.seen(wake)
        found = at.db.read(look)
        left = until - time.monotonic()
        if found or left <= 0:
            return found
        at.db.wakes.wait(wake, seen, min(left, LOOK_AGAIN_S))
