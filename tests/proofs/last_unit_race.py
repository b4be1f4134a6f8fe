"""The last unit: many want what few can have, all at the same moment. As many win as there are pieces, never more.

Half of the claimants promise a piece to themselves, the others take one away. On PostgreSQL the same is done once more
by processes of their own, as several servers would.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from sqlalchemy import text
from sqlalchemy.orm import Session

from tests.proofs.frame import POSTGRESQL, Ground, Outcome, proof, twin
from tests.proofs.stage import Row, asked, in_processes, in_threads, park_of, reason_of, rows_of_stock
from wms.core.call import Call
from wms.core.db import Database
from wms.ledger import service as ledger
from wms.ledger.values import MovementKind, Purpose

PIECES = 10
LOSSES = {"stock_insufficient", "stock_promised"}
WON = ""

Claim = Callable[[int, int], str]


@proof(
    name="last_unit_race",
    promises=(3, 6),
    small={"rounds": 10, "claimants": 16},
    full={"rounds": 200, "claimants": 16},
    goal="200 rounds of 16 claimants of 10 pieces: exactly 10 win each",
)
def last_unit_race(ground: Ground, *, rounds: int, claimants: int) -> Outcome:
    rows = rows_of_stock(park_of(ground.database()), rounds, PIECES)
    return _raced(ground, rows, claimants, lambda: in_threads(claimants, rounds, _claiming(ground.database(), rows)))


@proof(
    name="last_unit_race_of_processes",
    promises=(3, 6),
    on=(POSTGRESQL,),
    small={"rounds": 10, "claimants": 12},
    full={"rounds": 200, "claimants": 16},
    goal="200 rounds of 16 claimants in 4 processes that claim 10 pieces: exactly 10 win each",
)
def last_unit_race_of_processes(ground: Ground, *, rounds: int, claimants: int) -> Outcome:
    rows = rows_of_stock(park_of(ground.database()), rounds, PIECES)
    return _raced(ground, rows, claimants, lambda: in_processes(claimants, rounds, claiming, ground.url, rows))


@twin(of="last_unit_race", sabotage="reads what is free before its transaction, and writes what it read plus one")
def read_before_lock(ground: Ground, *, rounds: int, claimants: int) -> Outcome:
    rows = rows_of_stock(park_of(ground.database()), rounds, PIECES)
    naive = _reading_first(ground.database(), rows)
    return _raced(ground, rows, claimants, lambda: in_threads(claimants, rounds, naive))


@twin(of="last_unit_race_of_processes", sabotage="reads the row before it locks it", on=(POSTGRESQL,))
def read_before_lock_in_processes(ground: Ground, *, rounds: int, claimants: int) -> Outcome:
    rows = rows_of_stock(park_of(ground.database()), rounds, PIECES)
    return _raced(ground, rows, claimants, lambda: in_processes(claimants, rounds, reading_first, ground.url, rows))


def claiming(url: str, rows: Sequence[Row]) -> Claim:
    """How a process of its own claims."""
    return _claiming(Database.open(url), rows)


def reading_first(url: str, rows: Sequence[Row]) -> Claim:
    """How a process of its own claims naively."""
    return _reading_first(Database.open(url), rows)


def _claiming(database: Database, rows: Sequence[Row]) -> Claim:
    def claim(claimant: int, turn: int) -> str:
        def work(call: Call) -> dict[str, bool]:
            row = rows[turn]
            if claimant % 2:
                ledger.hold(call, row.stock_id, row.merchant_id, 1, Purpose.ORDER_LINE, claimant)
            else:
                ledger.post(call, [row.going_to(row.customer_id, 1, MovementKind.SHIP)])
            return {"won": True}

        return reason_of(asked(database, rows[turn].warehouse_id, f"key:{claimant}", f"round {turn}", work))

    return claim


def _reading_first(database: Database, rows: Sequence[Row]) -> Claim:
    look = text("SELECT on_hand, promised FROM stock WHERE id = :row")
    write = text("UPDATE stock SET promised = :promised WHERE id = :row")

    def claim(claimant: int, turn: int) -> str:
        row = rows[turn].stock_id
        seen = database.read(lambda session: session.execute(look, {"row": row}).one())
        if seen.on_hand == seen.promised:
            return "stock_promised"
        time.sleep(0)  # nothing but the chance for others to run that any real program gives them
        database.transact(lambda session: session.execute(write, {"row": row, "promised": seen.promised + 1}))
        return WON

    return claim


def _raced(ground: Ground, rows: Sequence[Row], claimants: int, race: Callable[[], list[list[str]]]) -> Outcome:
    began_s = time.monotonic()
    answers = race()
    took_s = time.monotonic() - began_s
    left = ground.database().read(_free)
    broken = [
        f"round {turn}: {of_round.count(WON)} won {PIECES} pieces"
        for turn, of_round in enumerate(answers)
        if of_round.count(WON) != PIECES
    ]
    strange = {each for of_round in answers for each in of_round} - LOSSES - {WON}
    broken += [f"a claimant was told {each}" for each in sorted(strange)]
    broken += [f"row {row.stock_id} has {left[row.stock_id]} pieces left" for row in rows if left[row.stock_id]]
    wins = sum(each.count(WON) for each in answers)
    facts = {"wins": wins, "pieces": PIECES * len(rows), "refusals": claimants * len(rows) - wins}
    size = f"{len(rows)} rounds x {claimants} claimants"
    return Outcome(size, (*broken, *ground.audit()), claimants * len(rows) / took_s, "claims/s", facts)


def _free(session: Session) -> dict[int, int]:
    return dict(session.execute(text("SELECT id, on_hand - promised FROM stock")).all())
