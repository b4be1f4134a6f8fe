"""The one HTTP envelope: who asks, under which id, what the answer looks like, what an error looks like.

A room's `api.py` declares routes with pydantic models and hands each to `command` (changes something; needs
`Idempotency-Key`) or
`question` (changes nothing). Everything else about HTTP stands here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, cast

import structlog
from apiflask import APIFlask
from flask import Response, current_app, request
from flask.json.provider import DefaultJSONProvider
from sqlalchemy.orm import Session
from werkzeug.exceptions import HTTPException
from werkzeug.routing import IntegerConverter, Map

from wms.core import openapi
from wms.core import straight as straight_way
from wms.core.call import Call, Who
from wms.core.clock import Clock
from wms.core.db import Database
from wms.core.json_in import is_storable, read_json
from wms.core.perform import Outcome, error_body, perform, to_json
from wms.core.refusal import Reason, Refused
from wms.core.straight import MARK, RAISED, Answer, Asked, StraightWay
from wms.core.turns import AtTheDoor

API_BODY_BYTES_MAX = 64 * 1024
PATH_NUMBER_MAX = 2**31 - 1
EXTENSION = "chuwei"
JSON_TYPE = straight_way.JSON_TYPE
SECURITY = "bearer"
_SECONDS = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Edge:
    """What every route needs: the database, the clock, and who holds an API key."""

    db: Database
    clock: Clock
    who_has_key: Callable[[str], Who]
    extras: dict[str, Any] = field(default_factory=dict)


def edge() -> Edge:
    """The edge of the running application."""
    return cast(Edge, current_app.extensions[EXTENSION])


def key_holder(right: str) -> Who:
    """Who sent this request by `Authorization: Bearer KEY`; refuses one without the right."""
    return _holder(_asked(), right)


def _asked() -> Asked:
    return Asked(request.environ, request.path, request.get_data(cache=True))


def _holder(asked: Asked, right: str) -> Who:
    scheme, _, key = asked.header("Authorization").partition(" ")
    if scheme.lower() != "bearer" or not key:
        raise Refused(Reason.KEY_UNKNOWN)
    who = edge().who_has_key(key)
    if right not in who.rights:
        raise Refused(Reason.NOT_ALLOWED, right=right)
    return who


def straight(answer: Callable[..., Answer]) -> Callable[..., Response]:
    """A route that needs nothing of Flask: `answer(asked, **path)` gives status and JSON text."""

    @wraps(answer)
    def view(**given: Any) -> Response:
        status, body = answer(_asked(), **given)
        return json_response(body, status)

    setattr(view, MARK, answer)
    return view


def command(right: str, *, status: int = 200) -> Callable[[Callable[..., Any]], Callable[..., Response]]:
    """A route that changes something: `work(call, body?, **path)` runs once per key and Idempotency-Key."""

    def wrap(work: Callable[..., Any]) -> Callable[..., Response]:
        @wraps(work)
        def answer(asked: Asked, **given: Any) -> Answer:
            who, at = _holder(asked, right), edge()
            outcome = perform(
                at.db,
                at.clock,
                who,
                asked.header("Idempotency-Key"),
                f"{asked.line}\n".encode() + asked.body,
                lambda call: work(call, **given),
                status=status,
            )
            return outcome.status, outcome.body

        return openapi.answers_with(status)(straight(answer))

    return wrap


def question(right: str) -> Callable[[Callable[..., Any]], Callable[..., Response]]:
    """A route that changes nothing: `ask(call, **path)` on a reading session."""

    def wrap(ask: Callable[..., Any]) -> Callable[..., Response]:
        @wraps(ask)
        def view(**given: Any) -> Response:
            who = key_holder(right)
            at = edge()

            def answer(session: Session) -> str:
                return to_json(ask(Call.begun(session, who, "question", at.clock.now()), **given))

            return json_response(at.db.read(answer))

        return view

    return wrap


def respond(outcome: Outcome) -> Response:
    """An outcome as it goes out."""
    return json_response(outcome.body, outcome.status)


def json_response(body: str, status: int = 200) -> Response:
    """JSON text as a response."""
    return Response(body, status=status, content_type=JSON_TYPE)


def wait_asked(most_s: float) -> float:
    """How long this call may wait for news (`wait_s`, also in fractions, 0 unless told), at most `most_s`.

    Raises BAD_INPUT: who asked without waiting would ask without end.
    """
    given = request.args.get("wait_s", "0")
    if not _SECONDS.fullmatch(given):
        raise Refused(Reason.BAD_INPUT, what="wait_s: seconds")
    return min(most_s, float(given))


def refusal_response(no: Refused, language: str = "") -> Response:
    """A refusal in the reader's language."""
    chosen = language or request.accept_languages.best_match(("zh", "en"), "en") or "en"
    return json_response(to_json(error_body(no, chosen)), no.reason.status)


class NumberInPath(IntegerConverter):
    """A whole number that columns can hold; a larger one is a page that is not there."""

    def __init__(self, map: Map, *args: Any, **options: Any) -> None:
        super().__init__(map, *args, **{"max": PATH_NUMBER_MAX, **options})


def make_flask(name: str, at: Edge) -> APIFlask:
    """An application with our envelope for every error and our headers on every answer."""
    app = APIFlask(name, title="Chuwei", version="1", spec_path="/api/openapi.json", docs_path=None)
    app.config["MAX_CONTENT_LENGTH"] = API_BODY_BYTES_MAX
    app.config["VALIDATION_ERROR_STATUS_CODE"] = 400
    app.config["SYNC_LOCAL_SPEC"] = False
    app.security_schemes = {"bearer": {"type": "http", "scheme": "bearer"}}
    app.spec_processor(lambda spec: openapi.complete(app, spec))
    app.url_map.converters["int"] = NumberInPath
    app.url_map.merge_slashes = False  # a code in a path may begin with two: it is no other code's address
    app.extensions[EXTENSION] = at
    app.error_processor(_apiflask_error)
    app.register_error_handler(Refused, refusal_response)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _our_error)
    app.json = StrictJson(app)
    app.before_request(_tell_what_was_raised)
    app.before_request(_refuse_unstorable)
    app.after_request(_headers)
    short = StraightWay(app, {**HEADERS, "Cache-Control": "no-store"}, API_BODY_BYTES_MAX)
    app.wsgi_app = AtTheDoor(short, at.db.turns)  # type: ignore[method-assign]
    return app


class StrictJson(DefaultJSONProvider):
    """Bodies that a route's model will judge are read as strictly as all others."""

    def loads(self, s: str | bytes, **_options: Any) -> Any:
        return read_json(s)


def _tell_what_was_raised() -> None:
    """The call went straight and something was raised: it is told as everything that is raised."""
    if RAISED in request.environ:
        raise request.environ[RAISED]


def _refuse_unstorable() -> None:
    """An address with NUL in it names nothing, and PostgreSQL will not even look."""
    if not is_storable(request.path) or not all(map(is_storable, request.args.values())):
        raise Refused(Reason.BAD_INPUT, what="the address")


def _apiflask_error(error: Any) -> tuple[dict[str, Any], int, Mapping[str, str]]:
    """A body that does not fit its model: which field, what is wrong."""
    no = Refused(Reason.BAD_INPUT, what=_field_errors(error.detail) or str(error.message))
    return error_body(no, "en"), no.reason.status, {}


def _field_errors(detail: Any) -> str:
    found: list[str] = []

    def walk(path: str, node: Any) -> None:
        if isinstance(node, Mapping):
            for name, below in node.items():
                walk(f"{path}.{name}" if path else str(name), below)
        elif isinstance(node, list | tuple):
            found.append(f"{path}: {'; '.join(map(str, node))}")
        elif node:
            found.append(f"{path}: {node}")

    walk("", detail)
    return ", ".join(found)[:400]


_HTTP_REASONS = {
    401: Reason.NOT_LOGGED_IN,
    403: Reason.NOT_ALLOWED,
    404: Reason.NOT_FOUND,
    405: Reason.NOT_FOUND,
    429: Reason.TOO_MANY_REQUESTS,
    503: Reason.BUSY,
}


def _http_error(error: HTTPException) -> Response:
    reason = _HTTP_REASONS.get(error.code or 400, Reason.BAD_INPUT)
    no = Refused(reason, what=error.description or error.name, right="", wait_s=1)
    return json_response(to_json(error_body(no, "en")), error.code or 400)


def _our_error(error: Exception) -> Response:
    """A mistake of ours: logged with its trace, answered without it."""
    log.error("request.failed", path=request.path, error=type(error).__name__, exc_info=error)
    body = {"error": {"reason": "our_mistake", "message": "A mistake of ours; it was logged.", "facts": {}}}
    return json_response(to_json(body), 500)


HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; style-src 'self'; script-src 'self'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
}


def _headers(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if response.content_type and response.content_type.startswith((JSON_TYPE, "text/html")):
        response.headers.setdefault("Cache-Control", "no-store")
    return response
