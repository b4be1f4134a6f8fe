"""The real application over its real database, in this process, with a switch for what may happen to a server."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from typing import Any

from tests.proofs.day.time import VirtualTime
from wms.app import House, make_house
from wms.core.db import Database
from wms.core.db.connecting import sqlite_module
from wms.core.outbox import Deliverer, Handler
from wms.settings import Settings

BUSY_MS = 5

Json = dict[str, Any]


class Server:
    """Answers calls without a socket in between; `restart` as after a power cut of the program alone."""

    def __init__(self, url: str, time: VirtualTime) -> None:
        self._url, self._time = url, time
        self.restarts = -1
        self.db: Database
        self.house: House
        self.restart()

    def restart(self) -> None:
        """A new program on the same database: nothing but rows survives."""
        if self.restarts >= 0:
            self.db.dispose()
        self.restarts += 1
        self.db = Database.open(self._url)
        self.house = make_house(self.db, self._time, Settings())
        self._client = self.house.app.test_client(use_cookies=False)

    def close(self) -> None:
        self.db.dispose()

    def call(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> tuple[int, Json, str]:
        """Status, JSON and the cookies set."""
        answer = self._client.open(path, method=method, data=body, headers=dict(headers))
        cookies = "; ".join(one.partition(";")[0] for one in answer.headers.getlist("Set-Cookie"))
        content = answer.get_data()
        return answer.status_code, (json.loads(content) if content else {}), cookies

    # --- what happens to it

    @contextmanager
    def held_by_another(self) -> Iterator[None]:
        """Another process keeps the database's write lock for too long."""
        with self._impatient():
            holder = sqlite_module().connect(self._url.removeprefix("sqlite:///"), isolation_level=None)
            holder.execute("BEGIN IMMEDIATE")
            try:
                yield
            finally:
                holder.rollback()
                holder.close()

    @contextmanager
    def _impatient(self) -> Iterator[None]:
        """The writer asks for the lock for milliseconds only: nobody has seconds to wait in virtual time."""
        self._pragma(f"busy_timeout={BUSY_MS}")
        try:
            yield
        finally:
            self._pragma("busy_timeout=5000")

    @contextmanager
    def disk_full(self) -> Iterator[None]:
        """Not a page more than there is."""
        self._pragma("max_page_count=1")  # SQLite takes the file's present size for less than that
        try:
            yield
        finally:
            self._pragma("max_page_count=1073741823")

    def _pragma(self, words: str) -> None:
        connection = self.db.write_engine.raw_connection()
        try:
            connection.cursor().execute(f"PRAGMA {words}")
        finally:
            connection.close()

    def deliver(self, *, fails: bool = False) -> None:
        """One round of the worker that carries announcements out; `fails`: what it hands over does not get through."""
        deliverer = self.house.deliverer
        if fails:
            handlers: dict[str, Handler] = dict.fromkeys(deliverer._handlers, _no_answer)
            deliverer = Deliverer(self.db, handlers)
        deliverer.deliver_some()

    def deliverer_dies(self) -> None:
        """A worker takes a batch and is gone: its leases stay."""
        self.db.transact(self.house.deliverer._claim)


def _no_answer(_told: object) -> None:
    raise ConnectionError("no answer")


class Trace:
    """What happened, in order: a hash over every line, and the lines themselves in a file for who has to search."""

    def __init__(self, path: Any, time: VirtualTime) -> None:
        self._file = path.open("w", encoding="utf-8")
        self._time = time
        self._hash = sha256()

    def note(self, *what: object) -> None:
        line = f"{self._time.elapsed_s:.3f} {' '.join(map(str, what))}\n"
        self._hash.update(line.encode())
        self._file.write(line)

    def so_far(self) -> str:
        """The hash of what happened until now."""
        return self._hash.hexdigest()

    def close(self) -> str:
        """The hash of the whole day."""
        self._file.close()
        return self._hash.hexdigest()
