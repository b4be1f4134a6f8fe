"""A backup is taken while everybody works; later the database is lost; the backup and the journals bring all back.

Programs and PDAs work (each with goods and a slot of its own, so that what a command does depends on no other's luck);
in the middle of it `wms db backup` copies the running database. Work goes on, then the server is killed and the backup
takes the place of its database. Everybody sends his journal again from its beginning, in order, under the old ids: what
the backup holds is answered and not done again, what came after it is done once more. In the end all that was
acknowledged before the disaster is there exactly once.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

from sqlalchemy import NullPool, create_engine, func, make_url, select
from sqlalchemy.orm import Session

from tests.proofs.fire.hands import Crowd, Life
from tests.proofs.fire.park import COURIER, MERCHANT, SLOTS, FirePark, build
from tests.proofs.fire.servers import Servers, Where
from tests.proofs.fire.verdict import judge
from tests.proofs.fire.wire import Ask, Entry, Wire, pda, program
from tests.proofs.frame import Ground, Outcome, proof, twin
from wms import backups
from wms.core import codes
from wms.core.codes import Kind
from wms.core.tables import RequestRow
from wms.trouble import Trouble

FREE_SECONDS_MAX = 10.0
LOOK_EVERY_S = 0.1
RECEIVED, ORDERED = 3, 2
PROGRAMS = 4
Replay = Callable[[Wire, Sequence[Entry]], None]


@proof(
    name="restored_under_load",
    promises=(1, 2, 4),
    small={"hands": 2, "before": 25, "after": 35},
    full={"hands": 4, "before": 1_500, "after": 1_500},
    goal="0 lost, 0 doubled after the journals came again",
)
def restored_under_load(ground: Ground, **size: int) -> Outcome:
    return _restored(ground, _send_again, **size)


@twin(of="restored_under_load", sabotage="nobody sends his journal again")
def restored_without_journals(ground: Ground, **size: int) -> Outcome:
    return _restored(ground, lambda _wire, _journal: None, **size)


@twin(of="restored_under_load", sabotage="the journals come again under new ids")
def restored_with_new_ids(ground: Ground, **size: int) -> Outcome:
    return _restored(ground, _send_under_new_ids, **size)


def _restored(ground: Ground, replay: Replay, *, hands: int, before: int, after: int) -> Outcome:
    park = build(ground.database(), hands)
    ground.close()
    copy = ground.folder / "copy.backup"
    with Servers(ground.url, ground.folder) as servers:
        servers.start()
        clients = _crowd(park, servers.where)
        clients.start()
        clients.await_more(before)
        backups.back_up(ground.url, copy)
        clients.await_more(after)
        clients.finish()
        servers.kill()
        kept_as = _restore(copy, ground.url)
        held = ground.database().read(_commands_held)
        servers.start()
        again = _replayed(clients, servers.where, replay)
        servers.stop()
    verdict = judge(ground.database(), again or clients.journal)
    ground.close()
    _drop(ground.url, kept_as)
    broken = dict.fromkeys([*clients.failures, *_otherwise(clients.journal, again), *verdict.sentences])
    facts = {**verdict.facts, "before the disaster": len(clients.journal), "in the backup": held}
    return Outcome(f"{PROGRAMS} programs, {hands} PDAs", tuple(broken), facts=facts)


def _commands_held(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(RequestRow)) or 0


# --- who works


def _crowd(park: FirePark, where: Where) -> Crowd:
    wires = [program(where, park.key_actor, park.key) for _ in range(PROGRAMS)]
    wires += [pda(where, badge) for badge in park.people]
    lives = [_orders(park, number) for number in range(PROGRAMS)]
    lives += [_boxes(park, PROGRAMS + number) for number in range(len(park.people))]
    return Crowd(wires, lives)


def _orders(park: FirePark, number: int) -> Life:
    """Receive, put away, order, allocate, pick, ship: always the same goods, always the same slot."""
    ids, good = count(1), park.goods[number]

    def ask(kind: str, path: str, body: dict[str, Any] | None, books: int = 0) -> Ask:
        return Ask(f"/api/v1/{path}", body, f"O{number}-{next(ids)}", kind, books)

    for turn in count():
        no = f"O{number}X{turn}"
        receipt = {"asn": "ASN-1", "sku": good.code, "quantity": RECEIVED, "container": f"B{no}"}
        yield ask("receipt", "receipts", receipt, RECEIVED)
        yield ask("putaway", "putaways", {"container": f"B{no}", "slot": SLOTS[number]}, RECEIVED)
        lines = [{"sku": good.code, "quantity": ORDERED}]
        yield ask("order", "orders", {"no": no, "merchant": MERCHANT, "courier": COURIER, "lines": lines})
        yield ask("allocate", f"orders/{no}/allocate", None)
        pick = {"order": no, "sku": good.code, "slot": SLOTS[number], "quantity": ORDERED}
        yield ask("pick", "picks", pick, ORDERED)
        yield ask("ship", f"orders/{no}/ship", None, 2 * ORDERED)  # into the box, and out of the door


def _boxes(park: FirePark, number: int) -> Life:
    """A person counts goods into one new box after the other."""
    ids, good = count(1), park.goods[number]

    def scan(code: str, books: int = 0) -> Ask:
        own = f"P{number}-{next(ids)}"
        return Ask("/pda/scan", {"id": own, "code": code, "at_ms": 0}, own, "scan", books)

    yield scan(park.asn)
    for turn in count():
        yield scan(good.barcode)
        yield scan(codes.make(Kind.CONTAINER, f"P{number}X{turn}"), 1)


# --- the disaster, and after it


def _restore(copy: Path, url: str) -> str:
    """Put the backup in place as soon as the dead server's sessions are gone; where the old database is kept."""
    until_s = time.monotonic() + FREE_SECONDS_MAX
    while True:
        try:
            return backups.restore(copy, url, replace=True).kept_as
        except Trouble as trouble:
            if "in use" not in str(trouble) or time.monotonic() > until_s:
                raise
            time.sleep(LOOK_EVERY_S)


def _replayed(clients: Crowd, where: Where, replay: Replay) -> list[Entry]:
    """What everybody writes down while he sends his journal again, all at the same time."""
    fresh = [Wire(where, wire.actor, wire.head) for wire in clients.wires]
    with ThreadPoolExecutor(len(fresh)) as pool:
        list(pool.map(replay, fresh, [wire.journal for wire in clients.wires]))
    for wire in fresh:
        wire.close()
    return [entry for wire in fresh for entry in wire.journal]


def _send_again(wire: Wire, journal: Sequence[Entry]) -> None:
    for entry in journal:
        wire.ask(entry.ask)


def _send_under_new_ids(wire: Wire, journal: Sequence[Entry]) -> None:
    for entry in journal:
        number = f"again-{entry.ask.id}"
        body = {**entry.ask.body, "id": number} if entry.ask.body and "id" in entry.ask.body else entry.ask.body
        wire.ask(replace(entry.ask, id=number, body=body))


def _otherwise(before: Sequence[Entry], again: Sequence[Entry]) -> Iterator[str]:
    """What was done before and is refused now, or the other way round."""
    for old, new in zip(before, again, strict=False):
        if old.accepted != new.accepted:
            told = json.dumps(new.answer.get("error") or new.answer.get("message"), ensure_ascii=False)
            yield f"{new.ask.kind} {new.ask.id} ended otherwise when its journal came again: {told[:200]}"
            return


def _drop(url: str, kept_as: str) -> None:
    """The database that was replaced; a file goes with the proof's folder."""
    if not kept_as or url.startswith("sqlite"):
        return
    engine = create_engine(make_url(url).set(database="postgres"), poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f'DROP DATABASE IF EXISTS "{kept_as}" WITH (FORCE)')
