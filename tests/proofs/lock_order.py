"""The order of locks: whoever takes several rows of stock takes them ids ascending, so that nobody waits in a ring.

Rows are made so that their ids run against the order of their keys. Workers promise two rows at once as allocation
does, consume promises from row to row, and post several movements in one command. PostgreSQL itself counts deadlocks.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from itertools import count
from random import Random
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from tests.proofs.frame import POSTGRESQL, Ground, Outcome, proof, twin
from tests.proofs.sabotage import replaced
from tests.proofs.stage import SLOTS, Row, asked, in_threads, one_lot_in, park_of, reason_of
from wms.core.call import Call
from wms.core.db import Database
from wms.core.refusal import Refused
from wms.ledger import service as ledger
from wms.ledger.values import Purpose

ROWS = 4
PIECES = 100_000
COUNTED_WITHIN_S = 5.0
_a_hold = text("SELECT id FROM hold WHERE stock_id = :row AND quantity > 0 LIMIT 1 FOR UPDATE SKIP LOCKED")
_SIZES = {"workers": 8, "commands": 40}


@proof(
    name="lock_order",
    promises=(3, 4, 6),
    on=(POSTGRESQL,),
    small=_SIZES,
    full={"workers": 16, "commands": 500},
    goal="8,000 commands of 16 workers on 4 rows, in every direction: no deadlock",
)
def lock_order(ground: Ground, *, workers: int, commands: int) -> Outcome:
    return _crowd(ground, workers, commands)


@twin(of="lock_order", sabotage="rows are locked as they are needed", small={"workers": 8, "commands": 4})
def unordered_locks(ground: Ground, *, workers: int, commands: int) -> Outcome:
    with replaced(ledger, _lock=lambda *_given: None):
        return _crowd(ground, workers, commands)


def _crowd(ground: Ground, workers: int, commands: int) -> Outcome:
    database = ground.database()
    rows = one_lot_in(park_of(database), list(reversed(SLOTS[:ROWS])), PIECES)
    chances = [Random(ground.seed * 1_000 + worker) for worker in range(workers)]
    numbers = count(1)
    began_s = time.monotonic()

    def ask(worker: int, _turn: int) -> str:
        work = _any_command(chances[worker], rows)
        try:
            return reason_of(asked(database, rows[0].warehouse_id, f"key:{worker}", f"c{next(numbers)}", work))
        except Refused as busy:  # gave up after five tries: no answer that is kept
            return str(busy.reason.value)

    answers = [reason for of_round in in_threads(workers, commands, ask) for reason in of_round]
    took_s = time.monotonic() - began_s
    broken = [f"{len(answers) - answers.count('')} commands were refused: {sorted(set(answers) - {''})}"] * any(answers)
    broken += ground.audit()
    deadlocks = _deadlocks(ground)
    broken += [f"{deadlocks} deadlocks"] * (deadlocks > 0)
    facts = {"commands": len(answers), "deadlocks": deadlocks, "refused": len(answers) - answers.count("")}
    return Outcome(
        f"{workers} workers x {commands} commands", tuple(broken), len(answers) / took_s, "commands/s", facts
    )


def _any_command(chance: Random, rows: Sequence[Row]) -> Callable[[Call], dict[str, Any]]:
    one, two, three = chance.sample(rows, 3)
    do = chance.choice((_promise_both, _consume_across, _post_several))

    def work(call: Call) -> dict[str, Any]:
        do(call, one, two, three)
        return {}

    return work


def _promise_both(call: Call, one: Row, two: Row, _three: Row) -> None:
    for row in sorted((one, two), key=lambda each: each.stock_id):
        ledger.hold(call, row.stock_id, row.merchant_id, 1, Purpose.ORDER_LINE, 1)


def _consume_across(call: Call, one: Row, two: Row, _three: Row) -> None:
    """As a pick does, of a promise made before; a hold of its own is made by another command in between."""
    query = text(
        "SELECT id FROM hold WHERE stock_id = :row AND quantity > 0 ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED"
    )
    held = call.session.execute(query, {"row": one.stock_id}).scalar_one_or_none()
    if held is not None:
        ledger.consume(call, held, one.stock_id, one.going_to(two.place_id, 1))


def _post_several(call: Call, one: Row, two: Row, three: Row) -> None:
    ledger.post(call, [one.going_to(two.place_id, 2), three.going_to(two.place_id, 1)])


def _deadlocks(ground: Ground) -> int:
    """As PostgreSQL counted them; sessions tell their figures when they end."""
    ground.close()
    reader = Database.open(ground.url)
    try:
        before, until_s = -1, time.monotonic() + COUNTED_WITHIN_S
        while (now := reader.transact(_told)) != before and time.monotonic() < until_s:
            before = now
            time.sleep(1.0)
        return now
    finally:
        reader.dispose()


def _told(session: Session) -> int:
    session.execute(text("SELECT pg_stat_clear_snapshot()"))
    query = text("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
    return int(session.execute(query).scalar_one())
