"""The judge: what clients wrote down against what the rows say.

Lost: acknowledged, but its answer or its movements are not there. Doubled: more pieces moved under one id than it asked
for, something moved that nobody has in his journal, or sums (received, ordered, shipped) above what was acknowledged.
The sums do not look at ids, so they also catch a server that forgets them.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select, update

from tests.proofs.fire.hands import Crowd
from tests.proofs.fire.wire import Entry
from tests.proofs.frame import audit
from wms.core.db import Database
from wms.core.tables import OutboxRow, RequestRow
from wms.inbound.tables import AsnLine
from wms.ledger.tables import MovementRow
from wms.outbound.tables import Order

SHOWN_MAX = 5
REPLAYED_MAX = 60
DELIVERY_SECONDS_MAX = 60.0
LOOK_EVERY_S = 0.1


@dataclass(frozen=True)
class Verdict:
    """What was found. `lost` and `doubled` count, `sentences` say (the first few of each kind)."""

    acknowledged: int
    retried: int
    refused: int
    lost: int
    doubled: int
    sentences: tuple[str, ...]

    @property
    def facts(self) -> dict[str, object]:
        return {
            "acknowledged": self.acknowledged,
            "sent again": self.retried,
            "refused": self.refused,
            "lost": self.lost,
            "doubled": self.doubled,
        }


def judge(database: Database, journal: Sequence[Entry], *, orders_before: int = 0) -> Verdict:
    """Compare a journal with the rows; every promise of the house is asked as well."""
    sums = list(_sums(database, journal, orders_before))
    lost = [*_answers_lost(database, journal), *_movements_lost(database, journal), *_those("lost", sums)]
    doubled = [*_those("doubled", sums), *_movements_doubled(database, journal)]
    return Verdict(
        acknowledged=len(journal),
        retried=sum(entry.sent > 1 for entry in journal),
        refused=sum(not entry.accepted for entry in journal),
        lost=len(lost),
        doubled=len(doubled),
        sentences=(*lost[:SHOWN_MAX], *doubled[:SHOWN_MAX], *audit(database)[:SHOWN_MAX]),
    )


def replayed(crowd: Crowd) -> list[str]:
    """The last commands of every client once more: a sentence for each that is not answered as it was."""
    wrong: list[str] = []
    each_max = max(1, REPLAYED_MAX // len(crowd.wires))
    for wire in crowd.wires:
        for entry in list(wire.journal)[-each_max:]:
            status, answer = wire.once(entry.ask)
            if status != entry.status or _told(answer) != _told(entry.answer):
                wrong.append(f"{_name(entry)} was answered otherwise when it was sent again: {status}")
        wire.close()
    return wrong


def undelivered(database: Database) -> list[str]:
    """A sentence if something that was announced stays in the outbox of a running server.

    The leases of workers that were killed are ended at once, as half a minute would.
    """
    database.transact(lambda session: session.execute(update(OutboxRow).values(lease_until=None, not_before=None)))
    waiting = select(func.count()).select_from(OutboxRow).where(OutboxRow.sent_at.is_(None))
    until_s = time.monotonic() + DELIVERY_SECONDS_MAX
    while (left := database.read(lambda session: session.scalar(waiting))) and time.monotonic() < until_s:
        time.sleep(LOOK_EVERY_S)
    return [f"{left} announcements were never delivered"] if left else []


def _told(answer: dict[str, Any]) -> Any:
    """What a command says; a PDA's screen is drawn from the rows as they are now and is no part of it."""
    return answer["message"] if "screen" in answer else answer


def _name(entry: Entry) -> str:
    return f"{entry.ask.kind} {entry.actor}:{entry.ask.id}"


def _key(entry: Entry) -> str:
    return f"{entry.actor}:{entry.ask.id}"


def _answers_lost(database: Database, journal: Sequence[Entry]) -> Iterator[str]:
    rows = database.read(
        lambda session: session.execute(
            select(RequestRow.actor, RequestRow.request_id, RequestRow.status, RequestRow.answer)
        ).all()
    )
    stored = {f"{row.actor}:{row.request_id}": row for row in rows}
    for entry in journal:
        row = stored.get(_key(entry))
        if row is None:
            yield f"lost: {_name(entry)} was acknowledged, and nothing remembers it"
        elif "screen" not in entry.answer and (row.status, json.loads(row.answer)) != (entry.status, entry.answer):
            yield f"lost: {_name(entry)} was acknowledged with another answer than the stored one"


def _moved(database: Database, journal: Sequence[Entry]) -> dict[str, int]:
    """Request key -> pieces moved, of the journal's actors."""
    actors = {entry.actor for entry in journal}
    query = select(MovementRow.request_key, func.sum(MovementRow.quantity)).group_by(MovementRow.request_key)
    rows = database.read(lambda session: session.execute(query.where(MovementRow.actor.in_(actors))).all())
    return {key: int(pieces) for key, pieces in rows}


def _expected(journal: Sequence[Entry]) -> dict[str, int]:
    return {_key(entry): entry.ask.books if entry.accepted else 0 for entry in journal}


def _movements_lost(database: Database, journal: Sequence[Entry]) -> Iterator[str]:
    moved = _moved(database, journal)
    for key, pieces in _expected(journal).items():
        if moved.get(key, 0) < pieces:
            yield f"lost: {key} was acknowledged with {pieces} pieces, {moved.get(key, 0)} moved"


def _movements_doubled(database: Database, journal: Sequence[Entry]) -> Iterator[str]:
    expected = _expected(journal)
    for key, pieces in _moved(database, journal).items():
        if pieces > expected.get(key, 0):
            yield f"doubled: {key} moved {pieces} pieces, {expected.get(key, 0)} were acknowledged"


def _sums(database: Database, journal: Sequence[Entry], orders_before: int) -> Iterator[str]:
    """Pieces received and orders taken, counted where no request id stands."""
    done: Counter[str] = Counter()
    for entry in journal:
        if entry.accepted:
            done[entry.ask.kind] += 1
            done[f"pieces {entry.ask.kind}"] += entry.ask.books
    orders = database.read(lambda session: session.scalar(select(func.count()).select_from(Order))) or 0
    yield from _compared("orders were taken", orders, orders_before + done["order"])
    received = database.read(lambda session: session.scalar(select(func.sum(AsnLine.received)))) or 0
    counted = done["pieces receipt"] + sum(_boxed(entry) for entry in journal)
    yield from _compared("pieces were received", received, counted)


def _compared(what: str, there: int, acknowledged: int) -> Iterator[str]:
    if there != acknowledged:
        kind = "doubled" if there > acknowledged else "lost"
        yield f"{kind}: sum: {there} {what}, {acknowledged} were acknowledged"


def _those(kind: str, sentences: Sequence[str]) -> list[str]:
    return [one for one in sentences if one.startswith(kind)]


def _boxed(entry: Entry) -> int:
    """Pieces a PDA's scan took into a box: it books goods, and it leaves the dialogue where it was."""
    if not entry.accepted or entry.ask.kind != "scan" or not entry.ask.books:
        return 0
    return entry.ask.books if entry.answer["screen"]["dialogue"] == "receive" else 0
