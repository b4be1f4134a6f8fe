"""Wakes between the servers of one database: what one has committed, those who wait at another look at.

On PostgreSQL a server notifies the others (NOTIFY) of the names it woke, gathered for a moment so that a crowd of scans
is one message, and listens to what they say. On SQLite there is one server and nothing to do. Like every wake it is a
courtesy: what is lost on the way is seen when the one who waits looks again by himself.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Set
from functools import partial
from typing import Any

import structlog
from sqlalchemy import text
from sqlalchemy.orm import Session

from wms.core.db import Database
from wms.core.ids import new_id

CHANNEL = "chuwei_wakes"
GATHER_S = 0.03
LISTEN_S = 0.5  # then it looks whether it is to stop
AGAIN_AFTER_S = 1.0
PAYLOAD_MAX = 7_000  # bytes; PostgreSQL takes 8,000
_notify = text(f"SELECT pg_notify('{CHANNEL}', :said)")
log = structlog.get_logger(__name__)


class Neighbours:
    """Two threads between `start` and `stop`: one speaks, one listens."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._me = new_id()
        self._names: set[str] = set()
        self._adding = threading.Lock()
        self._something = threading.Event()
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self.listening = threading.Event()

    def start(self) -> None:
        if self._db.is_sqlite:
            return
        self._db.wakes.tell = self._add
        for work in (self._speak, self._listen):
            thread = threading.Thread(target=work, name=f"neighbours {work.__name__}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def stop(self) -> None:
        """What was still to be told is told first, if the database takes it."""
        self._db.wakes.tell = None
        self._stop.set()
        self._something.set()
        for thread in self._threads:
            thread.join(LISTEN_S * 10)

    def _add(self, names: Set[str]) -> None:
        with self._adding:
            self._names |= names
        self._something.set()

    def _speak(self) -> None:
        while self._something.wait():
            self._something.clear()
            last = self._stop.is_set()
            with self._adding:
                names, self._names = self._names, set()
            try:
                for said in messages(self._me, names):
                    self._db.read(partial(_say, said=said))
            except Exception as error:  # noqa: BLE001 - who was to be woken looks again by himself
                log.warning("neighbours.not_told", error=type(error).__name__)
            if last:
                return
            if self._stop.wait(GATHER_S):
                self._something.set()

    def _listen(self) -> None:
        while not self._stop.is_set():
            try:
                self._hear()
            except Exception as error:  # noqa: BLE001 - whatever ended it, it is begun anew
                log.warning("neighbours.not_heard", error=f"{type(error).__name__}: {error}")
            self.listening.clear()
            self._stop.wait(AGAIN_AFTER_S)

    def _hear(self) -> None:
        """Until it is to stop. Raises whatever becomes of the connection."""
        connection = self._db.read_engine.raw_connection()
        driver: Any = connection.dbapi_connection
        connection.detach()  # ours as long as it lasts
        try:
            driver.execute(f"LISTEN {CHANNEL}")
            self._db.wakes.wake_here()  # of what was said before nothing was heard
            self.listening.set()
            while not self._stop.is_set():
                for note in driver.notifies(timeout=LISTEN_S):
                    speaker, *names = note.payload.split("\n")
                    if speaker != self._me:
                        self._db.wakes.wake_here(names)
        finally:
            driver.close()


def _say(session: Session, said: str) -> None:
    session.execute(_notify, {"said": said})


def messages(speaker: str, names: Set[str]) -> Iterator[str]:
    """Who speaks and the names, a line each, in as many messages as it takes."""
    said = speaker
    for name in sorted(names):
        if len(f"{said}\n{name}".encode()) > PAYLOAD_MAX:
            yield said
            said = speaker
        said = f"{said}\n{name}"
    if said != speaker:
        yield said
