"""Calls take turns at the interpreter; who sleeps lends his away, and nobody is kept out for long."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable

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


def begun(one: Turns, then: Callable[[], None]) -> threading.Thread:
    """A call that waits for its turn: the thread, once it stands in the queue."""
    before = len(one._waiting)

    def run() -> None:
        with one.taken():
            then()

    thread = threading.Thread(target=run)
    thread.start()
    wait_until(lambda: len(one._waiting) == before + 1)
    return thread


def is_free(one: Turns) -> bool:
    """Whether who comes now need not wait."""
    return not one._waiting and not one._back and len(one._held) < (one._most or 1)


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Turns keep others waiting longer than any test: whoever goes on did not have to wait."""
    monkeypatch.setattr(turns, "LEASE_S", 3_600.0)


def test_a_call_waits_for_the_turn_of_another_but_not_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    one, inside, leave = Turns(), threading.Event(), threading.Event()
    thread = hold(one, inside, leave)
    began_s = time.monotonic()
    with one.taken():
        assert time.monotonic() - began_s >= turns.LEASE_S
        assert thread.is_alive()
        assert len(one._held) == 1, "he who kept it for long has it no more"
        monkeypatch.setattr(turns, "LEASE_S", 3_600.0)
        next_one = begun(one, lambda: None)
        leave.set()
        thread.join(PATIENCE_S)
        assert next_one.is_alive(), "what he no longer has he cannot give away"
        assert len(one._held) == 1
    next_one.join(PATIENCE_S)
    assert is_free(one)


@pytest.mark.usefixtures("patient")
def test_so_many_calls_run_at_once_and_the_next_comes_when_one_ends() -> None:
    one = Turns(2)
    first, second = (threading.Event(), threading.Event()), (threading.Event(), threading.Event())
    threads = [hold(one, *first), hold(one, *second)]
    done: list[str] = []
    third = begun(one, lambda: done.append("third"))
    assert done == []
    second[1].set()
    third.join(PATIENCE_S)
    assert done == ["third"]
    assert threads[0].is_alive()
    first[1].set()
    for thread in threads:
        thread.join(PATIENCE_S)
    assert is_free(one)


@pytest.mark.usefixtures("patient")
def test_calls_come_in_their_order_and_who_has_begun_before_those_who_have_not() -> None:
    one, done = Turns(), list[str]()
    sleepers = [Sleeper(one, done, f"slept {number}") for number in range(3)]

    def first() -> None:
        done.append("first")

    def second() -> None:
        done.append("second")

    inside, leave = threading.Event(), threading.Event()
    holder = hold(one, inside, leave)
    waiting = [begun(one, first), begun(one, second)]
    for number, sleeper in enumerate(sleepers):
        sleeper.wake.set()
        wait_until(lambda: len(one._back) == number + 1)  # noqa: B023 - asked at once
    leave.set()
    for thread in (holder, *(sleeper.thread for sleeper in sleepers), *waiting):
        thread.join(PATIENCE_S)
    assert done == ["slept 0", "slept 1", "slept 2", "first", "second"]
    assert is_free(one)


class Sleeper:
    """A call that has lent its turn away until it is woken."""

    def __init__(self, one: Turns, done: list[str], name: str) -> None:
        self.wake, asleep = threading.Event(), threading.Event()

        def run() -> None:
            with one.taken():
                with one.lent():
                    asleep.set()
                    self.wake.wait(PATIENCE_S)
                done.append(name)

        self.thread = threading.Thread(target=run)
        self.thread.start()
        assert asleep.wait(PATIENCE_S)


def wait_until(true: Callable[[], bool]) -> None:
    until_s = time.monotonic() + PATIENCE_S
    while not true() and time.monotonic() < until_s:
        time.sleep(0.001)
    assert true()


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
    assert is_free(one)
    assert thread.is_alive()
    wakes.wake(["route"])
    thread.join(PATIENCE_S)
    assert not thread.is_alive()


def test_a_thread_that_took_no_turn_lends_none() -> None:
    one = Turns()
    with one.lent():
        assert is_free(one)
    assert is_free(one)
    assert not one.mine


@pytest.mark.usefixtures("patient")
def test_without_turns_nobody_waits() -> None:
    one, inside, leave = Turns(None), threading.Event(), threading.Event()
    thread = hold(one, inside, leave)
    with one.taken():
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
    assert is_free(one)


def test_a_call_within_a_call_has_its_turn_already_and_leaves_it_to_the_outer() -> None:
    one = Turns()
    with one.taken():
        with one.taken():
            assert len(one._held) == 1
        assert len(one._held) == 1
        with one.lent(), one.taken():
            assert len(one._held) == 1
        assert one.mine
    assert is_free(one)
