"""Who is let in over plain HTTP."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest

from tests.serving.test_server import echo
from wms.app import make_house
from wms.core.clock import WallClock
from wms.core.db import Database
from wms.serving import listen
from wms.serving.plain_http import OnPlainHttp
from wms.settings import Settings

HERE = ("127.0.0.1", "::1", "::ffff:127.0.0.1", "")
NETWORK = ("192.168.3.7", "10.0.0.1", "fe80::1%eth0", "::ffff:10.0.0.1", "127.0.0.1.example", "not an address")
FOR_ALL = ("/pda/", "/pda/login", "/pda/static/app.js", "/gateway/v1/events", "/gateway/v1/pair")
FOR_THE_MACHINE_ONLY = (
    "/",
    "/terminal/login",
    "/terminal/",
    "/api/v1/orders",
    "/api/openapi.json",
    "/pdax",
    "/static/a",
)


def ask(path: str, address: str) -> tuple[str, str]:
    said: list[str] = []
    environ: dict[str, Any] = {
        "PATH_INFO": path,
        "REMOTE_ADDR": address,
        "wsgi.input": BytesIO(),
        "CONTENT_LENGTH": "0",
    }
    body = b"".join(OnPlainHttp(echo)(environ, lambda status, _headers: said.append(status)))
    return said[0], body.decode()


@pytest.mark.parametrize("path", [*FOR_ALL, *FOR_THE_MACHINE_ONLY])
@pytest.mark.parametrize("address", HERE)
def test_on_the_machine_itself_every_door_is_open(path: str, address: str) -> None:
    assert ask(path, address)[0] == "200 OK"


@pytest.mark.parametrize("path", FOR_ALL)
@pytest.mark.parametrize("address", NETWORK)
def test_pdas_and_gateways_come_in_from_the_network(path: str, address: str) -> None:
    assert ask(path, address)[0] == "200 OK"


@pytest.mark.parametrize("path", FOR_THE_MACHINE_ONLY)
@pytest.mark.parametrize("address", NETWORK)
def test_passwords_and_keys_do_not_come_over_the_network_in_the_clear(path: str, address: str) -> None:
    status, body = ask(path, address)
    assert status == "403 FORBIDDEN"
    assert "https" in body
    assert ("needs_tls" in body) == path.startswith("/api/")


@pytest.mark.parametrize("allow_http", [True, False])
def test_the_server_stands_behind_it_when_it_serves_plain_http(database: Database, allow_http: bool) -> None:
    settings = Settings(port=0, allow_http=allow_http)
    server = listen(make_house(database, WallClock(), settings), settings)
    try:
        assert isinstance(server.wsgi_app, OnPlainHttp) is allow_http
    finally:
        server.stop()
