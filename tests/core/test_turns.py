"""Calls take turns at the interpreter; who sleeps lends his away, and nobody is kept out for long."""

from __future__ import annotations

import contextlib
import threading
import time

import pytest

from wms.core import turns
from wms.core.turns import AtTheDoor, Turns
from wms.core.wakes import Wakes

PATIENCE_S = 60.0


def hold(one: Turns, inside: threading.Event, leave: threading.Event) -> threading.Thread:
    def run() -> None:
        with one.taken():
            inside.set()
            leave.wait(PATIENCE_S)

    thread = threading.Thread(target=run)
    thread.start()
    assert inside.wait(PATIENCE_S)
    return thread


def got(one: Turns) -> bool:
    """Whether the turn is to be had, waiting for it as long as a caller does."""
    with one.taken():
        return bool(one._mine.held)


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who waits for a turn waits longer than any test: whoever goes on did not have to wait."""
    monkeypatch.setattr(turns, "PATIENCE_S", 3_600.0)


def test_a_call_waits_for_the_turn_of_another_but_not_for_long() -> None:
    one, inside, leave = Turns(), threading.Event(), threading.Event()
    thread = hold(one, inside, leave)
    began_s = time.monotonic()
    assert not got(one)
    assert time.monotonic() - began_s >= turns.PATIENCE_S
    assert thread.is_alive()
    leave.set()
    thread.join(PATIENCE_S)
    assert got(one)


@pytest.mark.usefixtures("patient")
def test_who_sleeps_on_a_wake_lends_his_turn() -> None:
    one = Turns()
    wakes = Wakes(one)
    asleep = threading.Event()

    def poll() -> None:
        with one.taken():
            seen = wakes.seen("route")
            asleep.set()
            wakes.wait("route", seen, PATIENCE_S)

    thread = threading.Thread(target=poll)
    thread.start()
    assert asleep.wait(PATIENCE_S)
    assert got(one)
    assert thread.is_alive()
    wakes.wake(["route"])
    thread.join(PATIENCE_S)
    assert not thread.is_alive()


def test_a_thread_that_took_no_turn_lends_none() -> None:
    one = Turns()
    with one.lent():
        assert got(one)
    assert got(one)


@pytest.mark.usefixtures("patient")
def test_where_calls_sleep_at_a_server_nobody_waits() -> None:
    one, inside, leave = Turns(on=False), threading.Event(), threading.Event()
    thread = hold(one, inside, leave)
    assert not got(one), "there are no turns"
    assert thread.is_alive()
    leave.set()
    thread.join(PATIENCE_S)


def test_a_turn_comes_back_from_a_call_that_failed() -> None:
    one = Turns()

    def breaks(_environ: object, _start: object) -> list[bytes]:
        raise ZeroDivisionError

    for _ in range(2):
        with contextlib.suppress(ZeroDivisionError):
            AtTheDoor(breaks, one)({}, None)
    assert got(one)


def test_a_call_within_a_call_has_its_turn_already_and_leaves_it_to_the_outer() -> None:
    one = Turns()
    with one.taken():
        with one.taken():
            assert one._mine.held
        assert one._mine.held
        with one.lent(), one.taken():
            assert one._mine.held
        assert one._mine.held
    assert got(one)
