"""Calls that go straight say and do exactly what they say and do through Flask."""

from __future__ import annotations

import io
import json
import sys
from typing import Any

import pytest
from flask import request

from tests.builders import Park, a_park, a_sku
from tests.inbound.dock import announced
from wms.core.call import Call
from wms.core.db import Database
from wms.core.refusal import Reason, Refused
from wms.core.straight import StraightWay
from wms.core.web import API_BODY_BYTES_MAX, Edge, command, make_flask
from wms.inbound.api import inbound_api
from wms.people import service as people
from wms.people.queries import who_has_key
from wms.people.values import Right, Role

RECEIPT = {"asn": "A1", "sku": "TEA", "quantity": 3, "container": "BOX-1"}
Told = tuple[str, list[tuple[str, str]], bytes]


class Doors:
    """One application, entered straight and through Flask; `through_flask` counts what Flask saw."""

    def __init__(self, park: Park) -> None:
        db = park.database
        edge = Edge(db, park.clock, lambda key: db.read(lambda session: who_has_key(session, key)))
        self._app = make_flask("doors", edge)
        self._app.register_blueprint(inbound_api)
        self._app.post("/api/v1/broken")(command(Right.RECEIVE)(_breaks))
        self._app.post("/api/v1/busy")(command(Right.RECEIVE)(_is_busy))
        self.through_flask: list[str] = []
        self._app.before_request(lambda: self.through_flask.append(request.path))
        self._key = park.act(lambda call: people.make_key(call, role=Role.INTEGRATOR))

    def straight(self, **asked: Any) -> Told:
        return _ask(self._app.wsgi_app, self._environ(**asked))

    def flask(self, **asked: Any) -> Told:
        way: Any = self._app.wsgi_app
        straight: StraightWay = way._app
        return _ask(straight._through_flask, self._environ(**asked))

    def _environ(
        self, path: str = "receipts", body: Any = RECEIPT, method: str = "POST", query: str = "", **headers: str
    ) -> dict[str, Any]:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        given = {"HTTP_AUTHORIZATION": f"Bearer {self._key}", "HTTP_IDEMPOTENCY_KEY": "k1", **headers}
        return {
            "REQUEST_METHOD": method,
            "PATH_INFO": f"/api/v1/{path}",
            "QUERY_STRING": query,
            "SERVER_NAME": "here",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "CONTENT_TYPE": "application/json",
            "CONTENT_LENGTH": str(len(content)),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(content),
            "wsgi.errors": sys.stderr,
            "wsgi.version": (1, 0),
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
            **given,
        }


def _breaks(_call: Call) -> dict[str, Any]:
    raise RuntimeError("broken")


def _is_busy(_call: Call) -> dict[str, Any]:
    raise Refused(Reason.BUSY)


def _ask(app: Any, environ: dict[str, Any]) -> Told:
    heads: list[tuple[str, list[tuple[str, str]]]] = []
    body = b"".join(app(environ, lambda status, headers, _why=None: heads.append((status, headers))))
    return heads[-1][0].upper(), sorted(heads[-1][1]), body


@pytest.fixture
def doors(database: Database) -> Doors:
    park = a_park(database)
    sku = park.act(lambda call: a_sku(call, "TEA"))
    announced(park, "A1", (sku, 100))
    return Doors(park)


def test_a_command_is_done_without_flask_and_repeated_by_it_word_for_word(doors: Doors) -> None:
    done = doors.straight()
    assert done[0] == "201 CREATED"
    assert doors.through_flask == []
    assert doors.flask() == done
    assert doors.straight() == done


@pytest.mark.parametrize(
    "asked",
    [
        {"body": {**RECEIPT, "sku": "NOBODY"}},
        {"body": {**RECEIPT, "quantity": 1_000}},
        {"body": {**RECEIPT, "quantity": "many"}},
        {"body": {**RECEIPT, "colour": "red"}},
        {"body": b"{"},
        {"body": b""},
        {"body": b'{"asn": "\\u0000"}'},
        {"body": b"x" * (API_BODY_BYTES_MAX + 1)},
        {"CONTENT_TYPE": "text/plain"},
        {"CONTENT_LENGTH": "999"},
        {"HTTP_AUTHORIZATION": ""},
        {"HTTP_AUTHORIZATION": "Bearer nobody"},
        {"HTTP_IDEMPOTENCY_KEY": ""},
        {"HTTP_IDEMPOTENCY_KEY": "x" * 200},
        {"query": "a=b"},
        {"query": "a=%00"},
        {"method": "GET", "body": b""},
        {"method": "PUT"},
        {"path": "nowhere"},
        {"path": "receipts/"},
        {"path": "rec\x00eipts"},
        {"path": "asns/99999999999/close", "body": b""},
        {"path": "broken", "body": b""},
        {"path": "busy", "body": b""},
        {"path": "busy", "body": b"", "HTTP_ACCEPT_LANGUAGE": "zh-CN,zh;q=0.9"},
    ],
    ids=str,
)
def test_whatever_is_odd_is_told_as_flask_tells_it(doors: Doors, asked: dict[str, Any]) -> None:
    assert doors.straight(**asked) == doors.flask(**asked)


def test_a_code_in_a_path_that_begins_with_slashes_is_no_other_code(doors: Doors) -> None:
    status, *_rest = doors.flask(path="//asns", method="GET", body=b"")
    assert str(status).startswith("404"), "it would be sent on to /asns"
