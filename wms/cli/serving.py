"""`wms serve`: the server, in the foreground, until it is stopped."""

from __future__ import annotations

import argparse
import errno
import signal
import sys
from typing import Any

from waitress.server import create_server

from wms.app import House, make_house
from wms.cli.trouble import Trouble, add_db_option, open_database
from wms.core.clock import WallClock
from wms.settings import Settings, read_settings

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def add_to(commands: Any) -> None:
    parser = commands.add_parser("serve", help="run the server (loopback unless told otherwise)")
    parser.add_argument("--host", help="address to bind (WMS_HOST, 127.0.0.1)")
    parser.add_argument("--port", type=int, help="port to bind (WMS_PORT, 8640)")
    parser.add_argument(
        "--allow-http", action="store_true", default=None, help="plain HTTP beyond this machine: enrolled PDAs only"
    )
    add_db_option(parser)
    parser.set_defaults(run=_run)


def _run(given: argparse.Namespace) -> int:
    settings = read_settings(host=given.host, port=given.port, allow_http=given.allow_http)
    if settings.host not in LOOPBACK and not settings.allow_http:
        raise Trouble(
            f"--host {settings.host} is reachable by others without encryption: put a TLS proxy in front of 127.0.0.1, "
            "or say --allow-http for enrolled PDAs on a closed network"
        )
    database = open_database(given.db)
    house = make_house(database, WallClock(), settings)
    server = listen(house, settings)
    print(f"Chuwei serves {database.url} at http://{settings.host}:{server.effective_port}/", file=sys.stderr)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    house.open()
    try:
        server.run()
    finally:
        house.close()
        database.dispose()
    return 0


def listen(house: House, settings: Settings) -> Any:
    """A bound server, not yet running. Raises Trouble when the port cannot be had."""
    try:
        return create_server(
            house.app,
            host=settings.host,
            port=settings.port,
            threads=settings.threads,
            connection_limit=settings.threads * 8,
            channel_timeout=60,
            ident="chuwei",
        )
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise Trouble(
                f"port {settings.port} on {settings.host} is taken: stop the other program or name another --port"
            ) from error
        if error.errno == errno.EACCES:
            raise Trouble(f"no permission for port {settings.port}: take one above 1023 with --port") from error
        raise Trouble(f"cannot listen on {settings.host}:{settings.port}: {error.strerror}") from error
