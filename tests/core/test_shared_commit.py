"""Those who wait for SQLite's one writer share a commit: all of it or none, and nobody is answered before."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session

from wms.core import turns
from wms.core.db import Database, shared_commit
from wms.core.db.shared_commit import Group
from wms.core.db.tables import table_of
from wms.core.refusal import Reason, Refused
from wms.core.tables import FileMark

TOGETHER = 6
PATIENCE_S = 60.0


def names(database: Database) -> list[str]:
    return list(database.read(lambda session: session.scalars(select(FileMark.name).order_by(FileMark.name)).all()))


def writes(name: str) -> Callable[[Session], str]:
    def write(session: Session) -> str:
        session.add(FileMark(name=name, value="1"))
        return name

    return write


def refuses(name: str) -> Callable[[Session], str]:
    def write(session: Session) -> str:
        session.add(FileMark(name=name, value="1"))
        session.flush()
        raise Refused(Reason.NOT_FOUND, what=name)

    return write


class Together:
    """Units of work that all wait while the first is held up: they come into one group with it."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.answers: dict[str, Any] = {}
        self.committed: list[int] = []

    def run(self, first: Callable[[Session], str], *others: Callable[[Session], str]) -> None:
        inside = threading.Event()

        def held_up(session: Session) -> str:
            again = inside.is_set()
            inside.set()
            while not again and self._waiting() < len(others):
                time.sleep(0.001)
            return first(session)

        threads = [threading.Thread(target=self._ask, args=("0", held_up))]
        threads[0].start()
        assert inside.wait(PATIENCE_S)
        for number, work in enumerate(others, 1):
            threads.append(threading.Thread(target=self._ask, args=(str(number), work)))
            threads[-1].start()
        for thread in threads:
            thread.join(PATIENCE_S)
            assert not thread.is_alive()

    def _waiting(self) -> int:
        shared = self.database._shared
        assert shared is not None
        return shared._waiting

    def _ask(self, name: str, work: Callable[[Session], str]) -> None:
        try:
            self.answers[name] = self.database.transact(work)
        except Exception as error:  # noqa: BLE001 - handed to the test
            self.answers[name] = error


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow machine does not part what a test wants together."""
    monkeypatch.setattr(shared_commit, "GROUP_S", PATIENCE_S)


@pytest.fixture
def commits(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many units each commit carried."""
    seen: list[int] = []
    end = Group.end

    def counted(group: Group) -> None:
        seen.append(group.units)
        end(group)

    monkeypatch.setattr(Group, "end", counted)
    return seen


def test_units_that_wait_share_one_commit(sqlite_database: Database, commits: list[int]) -> None:
    together = Together(sqlite_database)
    together.run(*(writes(f"n{number}") for number in range(TOGETHER)))
    assert commits == [TOGETHER]
    assert names(sqlite_database) == [f"n{number}" for number in range(TOGETHER)]
    assert together.answers == {str(number): f"n{number}" for number in range(TOGETHER)}


def test_one_that_fails_takes_back_only_itself(sqlite_database: Database, commits: list[int]) -> None:
    together = Together(sqlite_database)
    together.run(writes("a"), refuses("b"), writes("c"))
    assert commits == [3]
    assert names(sqlite_database) == ["a", "c"]
    assert isinstance(together.answers["1"], Refused)


_mark = insert(table_of(FileMark))


def puts(*marks: str) -> Callable[[Session], str]:
    """By a statement about the table, which is compiled once: an error of its own closes its cursor."""

    def put(session: Session) -> str:
        for mark in marks:
            session.execute(_mark, {"name": mark, "value": "1"})
        return marks[0]

    return put


def test_a_statement_that_fails_takes_back_those_before_it(sqlite_database: Database, commits: list[int]) -> None:
    for number in range(3):  # from the second time on it is compiled
        sqlite_database.transact(puts(f"k{number}"))
    commits.clear()
    together = Together(sqlite_database)
    together.run(puts("a"), puts("gone", "a"), puts("c"))
    assert commits == [3]
    assert names(sqlite_database) == ["a", "c", "k0", "k1", "k2"]
    assert isinstance(together.answers["1"], IntegrityError)


def test_who_meets_anothers_row_is_told_no_only_when_that_row_is_there_for_all(sqlite_database: Database) -> None:
    seen_by_readers: list[list[str]] = []

    class Watching(Together):
        def _ask(self, name: str, work: Callable[[Session], str]) -> None:
            super()._ask(name, work)
            seen_by_readers.append(names(self.database))

    together = Watching(sqlite_database)
    together.run(writes("same"), writes("same"))
    assert isinstance(together.answers["1"], IntegrityError)
    assert seen_by_readers == [["same"], ["same"]]


def test_nobody_is_answered_before_the_commit(sqlite_database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    together = Together(sqlite_database)
    end = Group.end
    answered_early: list[dict[str, Any]] = []

    def slow(group: Group) -> None:
        time.sleep(0.1)
        answered_early.append(dict(together.answers))
        end(group)

    monkeypatch.setattr(Group, "end", slow)
    together.run(writes("a"), writes("b"), refuses("c"))
    assert answered_early == [{}]


def test_a_shared_commit_that_fails_keeps_nothing_and_each_is_run_again_alone(
    sqlite_database: Database, commits: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a full disk does: the commit itself says no."""
    transaction = "sqlalchemy.engine.base.RootTransaction.commit"
    commit = pytest.importorskip("sqlalchemy.engine.base").RootTransaction.commit
    failed: list[int] = []

    def full_once(self: Any) -> None:
        if not failed:
            failed.append(1)
            raise OperationalError("COMMIT", {}, sqlite3.OperationalError("disk I/O error"))
        commit(self)

    monkeypatch.setattr(transaction, full_once)
    together = Together(sqlite_database)
    together.run(writes("a"), writes("b"), refuses("c"))
    assert commits[0] == 3
    assert commits[1:] == [1, 1, 1]
    assert names(sqlite_database) == ["a", "b"]
    assert isinstance(together.answers["2"], Refused)


def test_a_commit_that_fails_for_one_alone_is_told_to_him(
    sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_self: Any) -> None:
        raise OperationalError("COMMIT", {}, sqlite3.OperationalError("not a database"))

    monkeypatch.setattr("sqlalchemy.engine.base.RootTransaction.commit", broken)
    with pytest.raises(OperationalError):
        sqlite_database.transact(writes("a"))
    monkeypatch.undo()
    assert names(sqlite_database) == []
    assert sqlite_database.transact(writes("b")) == "b"


def test_a_database_that_throws_the_whole_transaction_away_loses_nobodys_work(sqlite_database: Database) -> None:
    """A full disk or a lack of memory may roll back everything at once: the others are run again."""
    thrown: list[int] = []

    def thrower(session: Session) -> str:
        if not thrown:
            thrown.append(1)
            session.connection().connection.cursor().execute("ROLLBACK")
            raise OperationalError("x", {}, sqlite3.OperationalError("database or disk is full"))
        return writes("b")(session)

    together = Together(sqlite_database)
    together.run(writes("a"), thrower, writes("c"))
    assert names(sqlite_database) == ["a", "b", "c"]
    assert together.answers == {"0": "a", "1": "b", "2": "c"}


def test_a_connection_that_cannot_take_back_is_given_up_and_the_others_are_run_again(sqlite_database: Database) -> None:
    broken: list[int] = []

    def breaks(session: Session) -> str:
        session.execute(_mark, {"name": "b", "value": "1"})
        if not broken:
            broken.append(1)
            session.connection().connection.driver_connection.close()  # type: ignore[union-attr]
            raise Refused(Reason.NOT_FOUND, what="b")
        return "b"

    together = Together(sqlite_database)
    together.run(writes("a"), breaks, writes("c"))
    assert names(sqlite_database) == ["a", "b", "c"]
    assert together.answers == {"0": "a", "1": "b", "2": "c"}


def test_work_that_asks_to_stand_alone_shares_no_commit(sqlite_database: Database, commits: list[int]) -> None:
    together = Together(sqlite_database)
    ask = together._ask

    def alone(name: str, work: Callable[[Session], str]) -> None:
        if name != "1":
            ask(name, work)
        else:
            together.answers[name] = sqlite_database.transact(work, alone=True)

    together._ask = alone  # type: ignore[method-assign]
    together.run(writes("a"), writes("b"))
    assert commits == [1, 1]
    assert names(sqlite_database) == ["a", "b"]


def test_who_waits_for_his_turn_after_the_commit_keeps_nobody_from_writing(
    sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "LEASE_S", PATIENCE_S)
    end = Group.end
    turn_gone, leave = threading.Event(), threading.Event()

    def busy() -> None:
        with sqlite_database.turns.taken():
            turn_gone.set()
            leave.wait(PATIENCE_S)

    def call() -> None:
        with sqlite_database.turns.taken():
            sqlite_database.transact(writes("a"))

    others = [threading.Thread(target=busy), threading.Thread(target=sqlite_database.transact, args=(writes("b"),))]

    def meanwhile_the_turn_goes(group: Group) -> None:
        end(group)
        if not turn_gone.is_set():
            others[0].start()
            assert turn_gone.wait(PATIENCE_S)

    monkeypatch.setattr(Group, "end", meanwhile_the_turn_goes)
    caller = threading.Thread(target=call)
    caller.start()
    assert turn_gone.wait(PATIENCE_S)
    others[1].start()
    others[1].join(PATIENCE_S / 2)
    written, still_waiting = not others[1].is_alive(), caller.is_alive()
    leave.set()
    for thread in (caller, *others):
        thread.join(PATIENCE_S)
    assert written
    assert still_waiting
