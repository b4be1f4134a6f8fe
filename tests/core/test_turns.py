"""Calls take turns at the interpreter; who sleeps lends his away, and nobody is kept out for long."""

from __future__ import annotations

import contextlib
import threading
import time

from wms.core import turns
from wms.core.turns import AtTheDoor, Turns
from wms.core.wakes import Wakes

PATIENCE_S = 10.0


def hold(one: Turns, inside: threading.Event, leave: threading.Event) -> threading.Thread:
    def run() -> None:
        with one.taken():
            inside.set()
            leave.wait(PATIENCE_S)

    thread = threading.Thread(target=run)
    thread.start()
    assert inside.wait(PATIENCE_S)
    return thread


def waited_s(one: Turns) -> float:
    began_s = time.monotonic()
    with one.taken():
        return time.monotonic() - began_s


def test_a_call_waits_for_the_turn_of_another_but_not_for_long() -> None:
    one, inside, leave = Turns(), threading.Event(), threading.Event()
    thread = hold(one, inside, leave)
    assert waited_s(one) >= turns.PATIENCE_S
    leave.set()
    thread.join(PATIENCE_S)
    assert waited_s(one) < turns.PATIENCE_S


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
    assert min(waited_s(one) for _ in range(20)) < turns.PATIENCE_S
    wakes.wake(["route"])
    thread.join(PATIENCE_S)
    assert not thread.is_alive()


def test_a_thread_that_took_no_turn_lends_none() -> None:
    one = Turns()
    with one.lent():
        pass
    assert waited_s(one) < turns.PATIENCE_S


def test_where_calls_sleep_at_a_server_nobody_waits() -> None:
    one, inside, leave = Turns(on=False), threading.Event(), threading.Event()
    thread = hold(one, inside, leave)
    assert waited_s(one) < turns.PATIENCE_S
    leave.set()
    thread.join(PATIENCE_S)


def test_a_turn_comes_back_from_a_call_that_failed() -> None:
    one = Turns()

    def breaks(_environ: object, _start: object) -> list[bytes]:
        raise ZeroDivisionError

    for _ in range(2):
        with contextlib.suppress(ZeroDivisionError):
            AtTheDoor(breaks, one)({}, None)
    assert waited_s(one) < turns.PATIENCE_S
