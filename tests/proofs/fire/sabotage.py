"""What is done to a server so that a promise must break: patches from outside, put on in the process to be killed."""

from __future__ import annotations

import contextvars
import secrets
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from queue import SimpleQueue
from typing import Any

from wms.core import perform
from wms.core.perform import Outcome, to_json

COMMIT_LATE_S = 0.25
ANSWER_LATE_S = 0.25


def answer_before_commit() -> None:
    """The answer leaves while its transaction is still open; the commit follows a little later."""
    kept = perform._do

    def do(db: Any, clock: Any, who: Any, request_id: str, mark: str, work: Any, status: int) -> Any:
        told: SimpleQueue[Outcome | Exception] = SimpleQueue()

        def early(call: Any) -> Any:
            result = work(call)
            told.put(Outcome(status, to_json(result)))
            time.sleep(COMMIT_LATE_S)
            return result

        def run() -> None:
            try:
                told.put(kept(db, clock, who, request_id, mark, early, status))
            except Exception as error:  # noqa: BLE001 - carried over to the thread that asked, which raises it
                told.put(error)

        threading.Thread(target=contextvars.copy_context().run, args=(run,), daemon=True).start()
        first = told.get()
        if isinstance(first, Exception):
            raise first
        return first

    _put_in(do)


def fresh_ids() -> None:
    """Every arrival gets an id of the server's own, so a retry is a new command; and answers are slow to leave, so that
    a kill falls between a commit and its answer.
    """
    kept = perform._do

    def do(db: Any, clock: Any, who: Any, _request_id: str, mark: str, work: Any, status: int) -> Any:
        done = kept(db, clock, who, secrets.token_hex(16), mark, work, status)
        time.sleep(ANSWER_LATE_S)
        return done

    _put_in(do)


def forget_every_tenth() -> None:
    """Every tenth command is answered and rolled back, as if its commit had gone astray."""
    kept, numbers = perform._do, count(1)

    def do(db: Any, clock: Any, who: Any, request_id: str, mark: str, work: Any, status: int) -> Any:
        if next(numbers) % 10:
            return kept(db, clock, who, request_id, mark, work, status)
        answers: list[Outcome] = []

        def astray(call: Any) -> Any:
            answers.append(Outcome(status, to_json(work(call))))
            raise _Astray

        with suppress(_Astray):
            kept(db, clock, who, request_id, mark, astray, status)
        return answers[-1]

    _put_in(do)


class _Astray(Exception):
    """Rolls a command back that was answered."""


def _put_in(do: Callable[..., Any]) -> None:
    perform.__dict__["_do"] = do


KINDS: dict[str, Callable[[], None]] = {
    "answer_before_commit": answer_before_commit,
    "fresh_ids": fresh_ids,
    "forget_every_tenth": forget_every_tenth,
}
