"""SQLite's one writer. Those who wait for it share a commit.

A commit waits for the disk, and only one can be under way. So whoever has finished and sees others waiting leaves the
transaction open for the next of them; the last one commits for all. Each unit of work stands in a savepoint of its own:
one that fails takes back itself only. Nobody, whether done or refused, is answered before the commit that carries what
he has seen; if that fails, nothing of it is there, and each is run again alone.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection, Engine

from wms.core.turns import Turns

T = TypeVar("T")

UNITS_MAX = 16
GROUP_S = 0.02  # no unit joins a group that is older
LOOK_AGAIN_S = 0.25  # a group left open by a thread that died is committed by whoever waits for it


class CommitLost(Exception):
    """The shared commit failed: nothing was kept, neither ours nor the others'."""


class Group:
    """Units of work that become durable together or not at all."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        try:
            self.transaction = connection.begin()
        except BaseException:
            connection.close()
            raise
        self.began_s = time.monotonic()
        self.units = 0
        self.kept = 0
        self.error: BaseException | None = None
        self.done = threading.Event()

    @property
    def whole(self) -> bool:
        """False when the database has thrown the whole transaction away (a full disk, for one)."""
        if self.connection.invalidated or not self.transaction.is_active:
            return False
        return bool(getattr(self.connection.connection, "in_transaction", True))

    def takes_more(self) -> bool:
        return self.whole and self.units < UNITS_MAX and time.monotonic() - self.began_s < GROUP_S

    def end(self) -> None:
        """Commit if there is anything to keep; then tell everybody."""
        try:
            if not self.whole:
                raise CommitLost("the database ended the transaction by itself")
            if self.kept:
                self.transaction.commit()
            else:
                self.transaction.rollback()
        except BaseException as error:
            self.error = error
            if not isinstance(error, Exception):
                raise
        finally:
            self.connection.close()
            self.done.set()


class SharedCommit:
    """Runs units of work one after the other on the engine's single connection."""

    def __init__(self, engine: Engine, mutex: threading.Lock, turns: Turns) -> None:
        self._engine = engine
        self._turns = turns
        self._mutex = mutex
        self._open: Group | None = None
        self._waiting = 0
        self._counting = threading.Lock()

    def run(self, unit: Callable[[Connection], T], *, alone: bool = False) -> T:
        """Run `unit` in a savepoint of its own making; returns or raises when its commit has come.

        Raises CommitLost when others' work was in a commit that failed, else the commit's own error.
        """
        lent = self._seize()
        try:
            return self._run(unit, alone)
        finally:
            if lent:
                self._turns.take_back()

    def _seize(self) -> bool:
        """Wait for the mutex; whether our turn was lent away meanwhile. It is taken back after the commit only: who
        has the writer keeps everybody waiting, and does not wait for a turn with it in his hands.
        """
        with self._counting:
            self._waiting += 1
        try:
            if self._mutex.acquire(blocking=False):
                return False
            lent = self._turns.lend()
            self._mutex.acquire()
            return lent
        finally:
            with self._counting:
                self._waiting -= 1

    def _run(self, unit: Callable[[Connection], T], alone: bool) -> T:
        group = self._enter(alone)
        failure: BaseException | None = None
        try:
            result = unit(group.connection)
            group.kept += 1
        except BaseException as error:  # noqa: BLE001 - raised below, when the commit it relied on has come
            failure = error
        finally:
            self._leave(group, alone)
        self._await(group)
        if group.error is not None and group.units > 1:
            raise CommitLost from group.error
        if failure is not None:
            raise failure
        if group.error is not None:
            raise group.error
        return result

    def _enter(self, alone: bool) -> Group:
        """The open group, or a new one; the mutex is ours from before this to `_leave`."""
        try:
            if self._open is not None and alone:
                with self._turns.lent():
                    self._end()
            if self._open is None:
                self._open = Group(self._engine.connect())
            self._open.units += 1
            return self._open
        except BaseException:
            self._mutex.release()
            raise

    def _leave(self, group: Group, alone: bool) -> None:
        """The next may write before we have our turn back: who waits for a turn keeps nobody from the disk."""
        if self._waiting and not alone and group.takes_more():
            self._mutex.release()
            return
        with self._turns.lent():
            try:
                self._end()
            finally:
                self._mutex.release()

    def _end(self) -> None:
        """Commit what is open. The mutex is ours; our turn is lent away."""
        group, self._open = self._open, None
        if group is not None:
            group.end()

    def _await(self, group: Group) -> None:
        if group.done.is_set():
            return
        with self._turns.lent():
            while not group.done.wait(LOOK_AGAIN_S):
                with self._mutex:
                    if self._open is group:
                        self._end()
