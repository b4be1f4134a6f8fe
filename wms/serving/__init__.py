"""A house behind an open port: binding it, saying what it stands on, serving until it is stopped."""

from __future__ import annotations

import errno
import gc
import sys
from datetime import datetime
from pathlib import Path

from wms.app import House
from wms.core.clock import Clock
from wms.core.db import Database
from wms.serving.certificates import Papers, papers
from wms.serving.plain_http import OnPlainHttp
from wms.serving.server import Server, Tls
from wms.settings import Settings
from wms.trouble import Trouble
from wms.upkeep import look_at_the_ground


def listen(house: House, settings: Settings, shown: Papers | None = None) -> Server:
    """A bound server, not yet running; over TLS when it has papers to show. Raises Trouble when the port cannot be had
    or the papers do not fit.
    """
    tls = _tls(shown) if shown else None
    _keep_for_good()
    app = house.app if tls or not settings.allow_http else OnPlainHttp(house.app)
    try:
        return Server(app, settings.host, settings.port, threads=settings.threads, tls=tls)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise Trouble(
                f"port {settings.port} on {settings.host} is taken: stop the other program or name another --port"
            ) from error
        if error.errno == errno.EACCES:
            raise Trouble(f"no permission for port {settings.port}: take one above 1023 with --port") from error
        raise Trouble(f"cannot listen on {settings.host}:{settings.port}: {error.strerror}") from error


def _keep_for_good() -> None:
    """What a house is made of stays: looking through it for rubbish again and again would stop everybody meanwhile.

    Before anybody may end the program by a signal: an exit raised in a finalizer is lost.
    """
    gc.collect()
    gc.freeze()


def papers_of(settings: Settings, database: Database, now: datetime) -> Papers:
    """The certificate named in the settings, else one made here, in `NAME.tls` beside the database file (beside the
    program for PostgreSQL). Raises Trouble.
    """
    if bool(settings.tls_cert) != bool(settings.tls_key):
        raise Trouble("WMS_TLS_CERT and WMS_TLS_KEY belong together: name both, or none to have them made")
    if settings.tls_cert:
        return Papers(Path(settings.tls_cert), Path(settings.tls_key))
    file = database.write_engine.url.database if database.is_sqlite else None
    folder = Path(f"{file or 'chuwei'}.tls")
    try:
        return papers(folder, settings.host, now)
    except (OSError, ValueError) as error:
        raise Trouble(f"cannot make a certificate in {folder}: {error}") from error


def _tls(shown: Papers) -> Tls:
    try:
        return Tls(shown.certificate, shown.key)
    except OSError as error:
        why = error.strerror if isinstance(error, FileNotFoundError | PermissionError) else str(error)
        raise Trouble(f"cannot use {shown.certificate} with {shown.key} for TLS: {why}") from error


def say_weaknesses(database: Database, clock: Clock, settings: Settings) -> list[str]:
    """One line on stderr for each thing that is not as it should be; the lines."""
    found = [one.sentence("en") for one in look_at_the_ground(database, clock, settings)]
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
