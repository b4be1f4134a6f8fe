"""Servers of one PostgreSQL database wake those who wait at each other."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import text

from wms.core import neighbours
from wms.core.db import Database
from wms.core.neighbours import PAYLOAD_MAX, Neighbours, messages

WAIT_S = 60.0
NAME = "person:1"


@contextmanager
def server(url: str) -> Iterator[Database]:
    """A database with its neighbours, listening."""
    database = Database.open(url)
    beside = Neighbours(database)
    beside.start()
    try:
        assert database.is_sqlite or beside.listening.wait(WAIT_S)
        yield database
    finally:
        beside.stop()
        database.dispose()


class Waiter:
    """Somebody who waits on a name at a server."""

    def __init__(self, at: Database, name: str = NAME) -> None:
        self.woken = False
        self._at, self._name, self._seen = at, name, at.wakes.seen(name)
        self._thread = threading.Thread(target=self._wait)
        self._thread.start()

    def _wait(self) -> None:
        self.woken = self._at.wakes.wait(self._name, self._seen, WAIT_S)

    def ends(self) -> bool:
        """Whether he was woken, before he would have looked again by himself."""
        self._thread.join(WAIT_S)
        return self.woken


def test_who_waits_at_one_server_is_woken_by_what_another_commits(pg_url: str) -> None:
    with server(pg_url) as one, server(pg_url) as other:
        for _turn in range(3):
            waits = Waiter(other)
            one.wakes.wake({NAME, "live"})
            assert waits.ends()
        back = Waiter(one, "live")
        other.wakes.wake({"live"})
        assert back.ends()


def test_nobody_hears_himself(pg_url: str) -> None:
    with server(pg_url) as one, server(pg_url) as other:
        waits = Waiter(other)
        before = one.wakes.seen(NAME)
        one.wakes.wake({NAME})
        assert waits.ends()
        answer = Waiter(one, "answer")  # what comes after it was said after it
        other.wakes.wake({"answer"})
        assert answer.ends()
        assert one.wakes.seen(NAME) == before + 1


def test_more_names_than_one_message_takes_all_arrive(pg_url: str) -> None:
    names = {f"person:{number}" for number in range(2_000)}
    with server(pg_url) as one, server(pg_url) as other:
        waiters = [Waiter(other, name) for name in ("person:0", "person:1999", "person:77")]
        one.wakes.wake(names)
        assert all(waiter.ends() for waiter in waiters)


def test_a_listener_whose_session_was_ended_listens_again_and_wakes_everybody(
    pg_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(neighbours, "AGAIN_AFTER_S", 0.01)
    ended = text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query = 'LISTEN chuwei_wakes'")
    with server(pg_url) as one, server(pg_url) as other:
        waits = Waiter(other)
        assert len(one.read(lambda session: session.execute(ended).all())) == 2
        assert waits.ends(), "something may have been said meanwhile"
        again = Waiter(other)
        one.wakes.wake({NAME})
        assert again.ends()


def test_on_sqlite_there_are_no_neighbours(sqlite_database: Database) -> None:
    before = threading.active_count()
    beside = Neighbours(sqlite_database)
    beside.start()
    assert threading.active_count() == before
    assert sqlite_database.wakes.tell is None
    beside.stop()


def test_messages_hold_every_name_once_and_fit() -> None:
    names = {f"gateway:{number}:commands" for number in range(1_000)}
    said = list(messages("me", names))
    assert len(said) > 1
    assert all(len(one.encode()) <= PAYLOAD_MAX and one.startswith("me\n") for one in said)
    assert sorted(name for one in said for name in one.split("\n")[1:]) == sorted(names)
    assert list(messages("me", set())) == []
