"""`wms serve`: the server, in the foreground, until it is stopped."""

from __future__ import annotations

import argparse
import signal
import sys
from typing import Any

from wms.app import make_house
from wms.cli.trouble import Trouble, add_db_option, open_database
from wms.core.clock import WallClock
from wms.serving import listen, papers_of, say_weaknesses, serve
from wms.settings import read_settings

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def add_to(commands: Any) -> None:
    parser = commands.add_parser("serve", help="run the server (loopback unless told otherwise)")
    parser.add_argument("--host", help="address to bind (WMS_HOST, 127.0.0.1)")
    parser.add_argument("--port", type=int, help="port to bind (WMS_PORT, 8640)")
    parser.add_argument(
        "--tls",
        action="store_true",
        default=None,
        help="HTTPS, by WMS_TLS_CERT and WMS_TLS_KEY or a certificate made here",
    )
    parser.add_argument(
        "--allow-http", action="store_true", default=None, help="plain HTTP beyond this machine: enrolled PDAs only"
    )
    add_db_option(parser)
    parser.set_defaults(run=_run)


def _run(given: argparse.Namespace) -> int:
    settings = read_settings(host=given.host, port=given.port, tls=given.tls, allow_http=given.allow_http)
    if settings.host not in LOOPBACK and not (settings.tls or settings.allow_http):
        raise Trouble(
            f"--host {settings.host} is reachable by others without encryption: say --tls, put a TLS proxy in front of "
            "127.0.0.1, or say --allow-http for enrolled PDAs on a closed network"
        )
    database = open_database(given.db)
    clock = WallClock()
    house = make_house(database, clock, settings)
    shown = papers_of(settings, database, clock.now()) if settings.tls else None
    server = listen(house, settings, shown)
    say_weaknesses(database, clock, settings)
    scheme = "https" if settings.tls else "http"
    print(f"Chuwei serves {database.url} at {scheme}://{settings.host}:{server.effective_port}/", file=sys.stderr)
    if shown is not None and shown.authority is not None:
        print(f"wms: trust {shown.authority} on PDAs and gateways, SHA-256 {shown.fingerprint}", file=sys.stderr)
    sys.stderr.flush()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    serve(house, server, database)
    return 0
