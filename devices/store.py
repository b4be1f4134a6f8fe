"""The station's one durable file: SQLite in WAL mode, one writer thread, commits shared by what arrives within 10 ms.

Events and print jobs live in the same file so that a job's new state and the event that tells of it are one commit.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from devices import sqlite
from devices.errors import ConfigError, OutboxFull

GROUP_S = 0.010
BATCH_MAX = 1_000
WAITING_MAX = 10_000
BUSY_TIMEOUT_MS = 2_000
# After a failed commit nothing is taken for this long; then one batch is tried again.
BLOCKED_S = 0.5
CLOSE_TIMEOUT_S = 10.0

log = logging.getLogger("devices")

T = TypeVar("T")
Work = Callable[[sqlite.Connection], object]

SCHEMA = """
CREATE TABLE IF NOT EXISTS events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    at_ms INTEGER NOT NULL, device TEXT NOT NULL, kind TEXT NOT NULL, facts TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS marks (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS jobs (
    job TEXT PRIMARY KEY, device TEXT NOT NULL, command TEXT NOT NULL, document TEXT NOT NULL, media TEXT NOT NULL,
    language TEXT NOT NULL, content BLOB NOT NULL, sha256 TEXT NOT NULL, reprint INTEGER NOT NULL,
    state TEXT NOT NULL, reason TEXT NOT NULL, awaits_proof INTEGER NOT NULL, place INTEGER NOT NULL,
    changed_ms INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS jobs_waiting ON jobs (device, place) WHERE state = 'claimed';
"""


class Receipt:
    """Settled once: committed or failed. Implements `devices.driver.Ticket`."""

    __slots__ = ("_committed", "_lock", "_on_commit", "_on_failure", "_settled")

    def __init__(self) -> None:
        self._settled = threading.Event()
        self._committed = False
        self._lock = threading.Lock()
        self._on_commit: list[Callable[[], None]] = []
        self._on_failure: list[Callable[[], None]] = []

    def wait(self, timeout_s: float) -> bool:
        return self._settled.wait(timeout_s) and self._committed

    def on_commit(self, callback: Callable[[], None]) -> None:
        self._call_or_keep(callback, self._on_commit, wanted=True)

    def on_failure(self, callback: Callable[[], None]) -> None:
        self._call_or_keep(callback, self._on_failure, wanted=False)

    def settle(self, *, committed: bool) -> None:
        """For the store only."""
        with self._lock:
            self._committed = committed
            self._settled.set()
            callbacks = self._on_commit if committed else self._on_failure
        for callback in callbacks:
            _call_safely(callback)

    def _call_or_keep(self, callback: Callable[[], None], kept: list[Callable[[], None]], *, wanted: bool) -> None:
        with self._lock:
            if not self._settled.is_set():
                kept.append(callback)
                return
        if self._committed is wanted:
            _call_safely(callback)


def _call_safely(callback: Callable[[], None]) -> None:
    """A stranger's driver may pass a callback with a mistake in it; the writer of all others must not die of it."""
    try:
        callback()
    except Exception:
        log.exception("a callback after a commit failed")


@dataclass(frozen=True, slots=True)
class _Order:
    work: Work
    receipt: Receipt


class Store:
    """The file at `path`. `submit` writes through the writer thread; `read` asks on a connection of its own."""

    def __init__(self, path: Path, group_s: float = GROUP_S) -> None:
        self.path = path
        self._group_s = group_s
        self._orders: queue.Queue[_Order | None] = queue.Queue(WAITING_MAX)
        self._blocked_until_s = 0.0
        self.trouble = ""
        self.commits = 0
        self._writing = self._connect()
        self._reading = self._connect()
        self._reading_lock = threading.Lock()
        self._closed = False
        self._writer = threading.Thread(target=self._write_for_ever, name="outbox", daemon=True)
        self._writer.start()

    def submit(self, work: Work) -> Receipt:
        """Have `work` done inside the next commit. Raises OutboxFull when nothing can be committed now.

        Works are small and are done in the order they came; one that fails fails its whole batch.
        """
        if self._closed:
            raise OutboxFull("the outbox is closed: the gateway is stopping")
        if time.monotonic() < self._blocked_until_s:
            raise OutboxFull(self.trouble)
        order = _Order(work, Receipt())
        try:
            self._orders.put_nowait(order)
        except queue.Full as error:
            raise OutboxFull(f"{WAITING_MAX} events are waiting for the disk") from error
        return order.receipt

    def write(self, work: Work, timeout_s: float = 5.0) -> None:
        """`submit` and wait for the commit. Raises OutboxFull if it did not come."""
        if not self.submit(work).wait(timeout_s):
            raise OutboxFull(self.trouble or f"no commit in {timeout_s:g} s")

    def read(self, ask: Callable[[sqlite.Connection], T]) -> T:
        with self._reading_lock:
            return ask(self._reading)

    def close(self) -> None:
        """Commit what is waiting, then close the file."""
        if self._closed:
            return
        self._closed = True
        self._orders.put(None, timeout=CLOSE_TIMEOUT_S)
        self._writer.join(CLOSE_TIMEOUT_S)
        with self._reading_lock:
            self._reading.close()

    def _connect(self) -> sqlite.Connection:
        try:
            connection = sqlite.connect(str(self.path), isolation_level=None, check_same_thread=False)
            connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.executescript(SCHEMA)
        except sqlite.Error as error:
            raise ConfigError(f"outbox {self.path} cannot be opened: {error}") from error
        return connection

    def _write_for_ever(self) -> None:
        going = True
        while going:
            batch, going = self._next_batch()
            if batch:
                self._commit(batch)
        self._writing.close()

    def _next_batch(self) -> tuple[list[_Order], bool]:
        """What came within the group's time after the first, and False once the end was asked for."""
        first = self._orders.get()
        if first is None:
            return [], False
        batch = [first]
        end = time.monotonic() + self._group_s
        while len(batch) < BATCH_MAX:
            try:
                order = self._orders.get(timeout=max(0.0, end - time.monotonic()))
            except queue.Empty:
                break
            if order is None:
                return batch, False
            batch.append(order)
        return batch, True

    def _commit(self, batch: list[_Order]) -> None:
        try:
            self._writing.execute("BEGIN IMMEDIATE")
            for order in batch:
                order.work(self._writing)
            self._writing.execute("COMMIT")
        except sqlite.Error as error:
            self._roll_back(f"cannot write to {self.path}: {error}")
            committed = False
        else:
            committed = True
            self.trouble = ""
            self.commits += 1
        for order in batch:
            order.receipt.settle(committed=committed)

    def _roll_back(self, trouble: str) -> None:
        self.trouble = trouble
        self._blocked_until_s = time.monotonic() + BLOCKED_S
        # Some failures have rolled back already; asking twice is an error that says nothing new.
        if self._writing.in_transaction:
            self._writing.execute("ROLLBACK")
