"""The duplicate storm: every command arrives many times at once. It is done once, and all copies are answered alike.

Nine commands in ten book a piece into a slot and announce it, the tenth asks for more than there is and is refused; a
copy of a refusal is refused in the same words.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from uuid import uuid4

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from tests.proofs.frame import Ground, Outcome, proof, twin
from tests.proofs.sabotage import without_key
from tests.proofs.stage import Row, asked, in_threads, park_of, rows_of_stock
from wms.core import perform
from wms.core.call import Call
from wms.core.outbox import announce
from wms.ledger import service as ledger
from wms.ledger.values import Movement, MovementKind, Virtual

ROWS = 8
OPENING = 10
REFUSED_EVERY = 10
TOPIC = "storm.done"
_COUNTS = {
    "pieces": "SELECT SUM(on_hand) FROM stock",
    "movements": "SELECT COUNT(*) FROM movement",
    "announcements": f"SELECT COUNT(*) FROM outbox WHERE topic = '{TOPIC}'",
}


@proof(
    name="duplicate_storm",
    promises=(2,),
    small={"keys": 50, "copies": 20},
    full={"keys": 1_000, "copies": 20},
    goal="1,000 commands, 20 copies each at once: done exactly once, answered alike",
)
def duplicate_storm(ground: Ground, *, keys: int, copies: int) -> Outcome:
    return _storm(ground, rows_of_stock(park_of(ground.database()), ROWS, OPENING), keys, copies)


@twin(
    of="duplicate_storm",
    sabotage="no unique key on answered requests and none on movements",
    small={"keys": 10, "copies": 10},
)
def without_unique_keys(ground: Ground, *, keys: int, copies: int) -> Outcome:
    rows = rows_of_stock(park_of(ground.database()), ROWS, OPENING)
    without_key(ground.database(), "request", "pk_request")
    without_key(ground.database(), "movement", "uq_movement_request_key_line")
    return _storm(ground, rows, keys, copies)


def _storm(ground: Ground, rows: Sequence[Row], keys: int, copies: int) -> Outcome:
    database = ground.database()
    before = database.read(_counts)

    def send(_copy: int, key: int) -> tuple[int, str, bool]:
        try:
            answer = asked(database, rows[0].warehouse_id, "key:1", f"command {key}", _work(rows[key % ROWS], key))
        except SQLAlchemyError as error:  # who asks hears of a breakdown; the others go on
            return 500, type(error).__name__, False
        return answer.status, answer.body, answer.replayed

    began_s = time.monotonic()
    answers = in_threads(copies, keys, send)
    took_s = time.monotonic() - began_s
    done = {name: count - before[name] for name, count in database.read(_counts).items()}
    wanted = sum(not _is_refused(key) for key in range(keys))
    broken = [f"{count} {name} of {wanted} commands" for name, count in done.items() if count != wanted]
    broken += [sentence for key, of_key in enumerate(answers) for sentence in _unlike(key, of_key)]
    facts = {"commands": keys, "done": done["movements"], "refused": keys - wanted, "copies": keys * copies}
    size = f"{keys:,} commands x {copies} copies"
    return Outcome(size, (*broken, *ground.audit()), keys * copies / took_s, "copies/s", facts)


def _work(row: Row, key: int) -> Callable[[Call], perform.Answer]:
    def work(call: Call) -> perform.Answer:
        if _is_refused(key):
            ledger.post(call, [row.going_to(row.customer_id, 1_000_000, MovementKind.SHIP)])
        supplier = ledger.virtual_id(call.session, call.warehouse_id, Virtual.SUPPLIER)
        goods = (row.merchant_id, supplier, row.place_id, row.sku_id, row.lot_id, 1)
        ledger.post(call, [Movement(MovementKind.RECEIPT, *goods)])
        announce(call, TOPIC, f"storm:{key}")
        return {"mark": uuid4().hex}  # no two runs of the work answer alike

    return work


def _is_refused(key: int) -> bool:
    return key % REFUSED_EVERY == 0


def _unlike(key: int, answers: Sequence[tuple[int, str, bool]]) -> list[str]:
    """What is wrong with the answers to the copies of one command."""
    broken = []
    if len({body for _status, body, _replayed in answers}) != 1:
        broken.append(f"command {key} was answered in {len({body for _, body, _ in answers})} ways")
    if {status for status, _body, _replayed in answers} != {409 if _is_refused(key) else 200}:
        broken.append(f"command {key} was answered {sorted({status for status, _, _ in answers})}")
    if not _is_refused(key) and sum(not replayed for _status, _body, replayed in answers) != 1:
        broken.append(f"{sum(not replayed for _, _, replayed in answers)} copies of command {key} were done")
    return broken


def _counts(session: Session) -> dict[str, int]:
    return {name: int(session.execute(text(query)).scalar_one() or 0) for name, query in _COUNTS.items()}
