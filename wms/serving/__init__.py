"""A house behind an open port: binding it, saying what it stands on, serving until it is stopped."""

from __future__ import annotations

import errno
import sys

from wms.app import House
from wms.core.clock import Clock
from wms.core.db import Database
from wms.serving.server import Server
from wms.settings import Settings
from wms.trouble import Trouble
from wms.upkeep import look_at_the_ground


def listen(house: House, settings: Settings) -> Server:
    """A bound server, not yet running. Raises Trouble when the port cannot be had."""
    try:
        return Server(house.app, settings.host, settings.port, threads=settings.threads)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise Trouble(
                f"port {settings.port} on {settings.host} is taken: stop the other program or name another --port"
            ) from error
        if error.errno == errno.EACCES:
            raise Trouble(f"no permission for port {settings.port}: take one above 1023 with --port") from error
        raise Trouble(f"cannot listen on {settings.host}:{settings.port}: {error.strerror}") from error


def say_weaknesses(database: Database, clock: Clock) -> list[str]:
    """One line on stderr for each thing that is not as it should be; the lines."""
    found = [one.sentence("en") for one in look_at_the_ground(database, clock)]
    for sentence in found:
        print(f"wms: warning: {sentence}", file=sys.stderr, flush=True)
    return found


def serve(house: House, server: Server, database: Database) -> None:
    """Serve until somebody stops it, then close what was opened."""
    house.open()
    try:
        server.run()
    finally:
        server.stop()
        house.close()
        database.dispose()
