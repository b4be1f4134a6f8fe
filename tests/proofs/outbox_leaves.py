"""What is announced leaves the house if and only if its transaction committed, in order within its aggregate.

Writers commit and roll back announcements for a printer, a line and a webhook; workers in processes of their own carry
them to a real receiver, are killed with batches in their hands, and are replaced. The receiver does not always answer,
and what one aggregate says it can never take.
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from typing import Any, ClassVar

from sqlalchemy import bindparam, insert, select
from sqlalchemy.orm import Session

from tests.builders import MORNING, a_park, acting
from tests.proofs.frame import Ground, Outcome, proof, twin
from tests.proofs.matrix.stand import die_with_parent
from wms.core import outbox
from wms.core.call import Call
from wms.core.db import Database
from wms.core.db.tables import table_of
from wms.core.outbox import Announcement, Deliverer, announce
from wms.core.tables import OutboxRow
from wms.terminal.queries.look import look
from wms.terminal.queries.troubles import house

CHANNELS = ("print", "divert", "webhook")
WRITERS = 4
AGGREGATES_EACH = 6
WORKERS = 2
LEASE_S, BACKOFF_S = 2.0, 0.05  # a claim that lasts longer than its lease delivers nothing
POISON = "order:poison"
PATIENCE_S = 60.0  # without anything arriving
NO_ANSWER_ONE_IN = 9
Fact = tuple[str, int]  # aggregate, number
Patch = Callable[[], None]


class InVain(Exception):
    """A transaction that is not to be."""


@dataclass
class Received:
    """What came out of the house, in the order in which it came."""

    facts: list[Fact] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    dice: Random = field(default_factory=lambda: Random(1))

    def take(self, fact: Fact) -> int:
        """The status it is answered with."""
        with self.lock:
            if fact[0] == POISON or self.dice.randrange(NO_ANSWER_ONE_IN) == 0:
                return 500
            self.facts.append(fact)
            return 200


class Receiver(BaseHTTPRequestHandler):
    received: ClassVar[Received]

    def do_POST(self) -> None:
        told = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(self.received.take((told["aggregate"], told["number"])))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@contextmanager
def receiving() -> Iterator[tuple[Received, int]]:
    """A receiver on a port of its own."""
    received = Received()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Here", (Receiver,), {"received": received}))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield received, server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Workers:
    """Deliverers in processes of their own, also those that take the place of killed ones, forked before any connection
    of ours is open: a child of later believes that it holds the locks its parent's SQLite held at that moment.
    """

    def __init__(self, url: str, port: int, sabotage: Patch | None, kills: int) -> None:
        self._waiting = [_forked(lambda: _deliver_for_ever(url, port, sabotage)) for _ in range(WORKERS + kills)]
        self._pids: list[int] = []
        self.kills = 0

    def start(self) -> None:
        pid, gate = self._waiting.pop()
        os.write(gate, b".")
        os.close(gate)
        self._pids.append(pid)

    def kill_one(self) -> None:
        """kill -9 with whatever it has in hand; another takes its place."""
        self._end(self._pids.pop(0))
        self.kills += 1
        self.start()

    def stop(self) -> None:
        while self._waiting:
            pid, gate = self._waiting.pop()
            os.close(gate)
            self._end(pid)
        while self._pids:
            self._end(self._pids.pop())

    @staticmethod
    def _end(pid: int) -> None:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def _forked(live: Callable[[], None]) -> tuple[int, int]:
    """A child that lives when a byte comes through its gate; its number, and the gate."""
    begin, gate = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            die_with_parent()
            os.close(gate)
            if os.read(begin, 1):
                live()
        finally:
            os._exit(1)
    os.close(begin)
    return pid, gate


def _deliver_for_ever(url: str, port: int, sabotage: Patch | None) -> None:
    """A worker: short leases and waits, for nobody has minutes here."""
    outbox.LEASE_S, outbox.BACKOFF_S_MAX, outbox.IDLE_S = LEASE_S, BACKOFF_S, 0.02  # type: ignore[assignment]
    if sabotage is not None:
        sabotage()

    def send(told: Announcement) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        body = json.dumps({"aggregate": told.aggregate, "number": told.facts["number"]})
        connection.request("POST", f"/{told.topic}", body, {"Content-Type": "application/json"})
        status = connection.getresponse().status
        connection.close()
        if status != 200:
            raise ConnectionError(f"the receiver said {status}")

    deliverer = Deliverer(Database.open(url), dict.fromkeys(CHANNELS, send))
    while True:
        if not deliverer._deliver_if_it_can():  # as its own thread does: a database that is busy ends no worker
            time.sleep(0.02)


@proof(
    name="outbox_leaves",
    promises=(7,),
    small={"facts": 160, "kills": 2},
    full={"facts": 2_000, "kills": 40},
    goal="every committed fact arrives, none that was rolled back, in order within its aggregate, whoever is killed",
)
def outbox_leaves(ground: Ground, *, facts: int, kills: int) -> Outcome:
    return _run(ground, facts, kills, announce, None)


Announce = Callable[..., None]


def _run(ground: Ground, facts: int, kills: int, say: Announce, sabotage: Patch | None) -> Outcome:
    with receiving() as (received, port):
        workers = Workers(ground.url, port, sabotage, kills)
        for _worker in range(WORKERS):
            workers.start()
        try:
            warehouse_id = a_park(ground.database()).warehouse_id
            began_s = time.monotonic()
            committed = _written(ground, warehouse_id, facts, kills, say, workers)
            _await(ground.database(), received)
            took_s = time.monotonic() - began_s
        finally:
            workers.stop()
    broken = [*_judged(committed, received.facts), *_poison(ground.database(), warehouse_id), *ground.audit()]
    again = len(received.facts) - len(set(received.facts))
    size = f"{facts:,} transactions, {WORKERS} workers, {workers.kills} kills"
    figures = {"committed": len(committed), "arrived": len(set(received.facts)), "arrived again": again}
    return Outcome(size, tuple(broken), len(committed) / took_s, "facts/s", figures)


def _written(ground: Ground, warehouse_id: int, facts: int, kills: int, say: Announce, workers: Workers) -> set[Fact]:
    """Let writers commit and roll back, and workers die meanwhile; what was committed."""
    database, committed = ground.database(), set[Fact]()
    writers = [
        threading.Thread(target=_write, args=(database, warehouse_id, number, facts // WRITERS, committed, say))
        for number in range(WRITERS)
    ]
    acting(database, lambda call: _poisoned(call, say), warehouse_id)
    for writer in writers:
        writer.start()
    dice = ground.random()
    while any(writer.is_alive() for writer in writers) or workers.kills < kills:
        time.sleep(0.05 + 0.3 * dice.random())
        if workers.kills < kills:
            workers.kill_one()
    for writer in writers:
        writer.join()
    return committed


def _poisoned(call: Call, say: Announce) -> None:
    for number in range(2):
        say(call, "webhook", POISON, number=number)


def _write(database: Database, warehouse_id: int, writer: int, facts: int, committed: set[Fact], say: Announce) -> None:
    """One after the other, so that the order within this writer's aggregates is the order of their commits."""
    dice = Random(f"writer {writer}")
    for number in range(facts):
        fact = (f"order:{writer}-{dice.randrange(AGGREGATES_EACH)}", number)
        vain = dice.random() < 0.3

        def work(call: Call, fact: Fact = fact, vain: bool = vain) -> None:
            say(call, CHANNELS[fact[1] % len(CHANNELS)], fact[0], number=fact[1])
            if vain:
                raise InVain

        try:
            acting(database, work, warehouse_id)
        except InVain:
            continue
        committed.add(fact)


def _await(database: Database, received: Received) -> None:
    """Until nothing waits but the poison, or nothing arrives any more."""
    waits = select(OutboxRow.id).where(OutboxRow.sent_at.is_(None), OutboxRow.aggregate != POISON).limit(1)
    aside = select(OutboxRow.id).where(OutboxRow.set_aside_at.is_not(None), OutboxRow.aggregate == POISON)
    arrived, moved_s = -1, time.monotonic()

    def settled(session: Session) -> bool:
        return session.execute(waits).first() is None and session.execute(aside).first() is not None

    while time.monotonic() - moved_s < PATIENCE_S and not database.read(settled):
        if len(received.facts) != arrived:
            arrived, moved_s = len(received.facts), time.monotonic()
        time.sleep(0.1)


def _judged(committed: set[Fact], arrived: Sequence[Fact]) -> Iterator[str]:
    yield from (f"{fact} was rolled back and left" for fact in sorted(set(arrived) - committed))
    yield from (f"{fact} was committed and never arrived" for fact in sorted(committed - set(arrived)))
    by_aggregate: defaultdict[str, list[int]] = defaultdict(list)
    for aggregate, number in arrived:
        by_aggregate[aggregate].append(number)
    for aggregate, numbers in sorted(by_aggregate.items()):
        if numbers != sorted(numbers):
            yield f"{aggregate} arrived out of order: {numbers[:20]}"


def _poison(database: Database, warehouse_id: int) -> Iterator[str]:
    """It lies at the terminal with its reason and what it holds up; two ways out."""
    here = look  # the terminal's own eyes
    shown = database.read(
        lambda session: list(house.set_aside(here(session, warehouse_id, MORNING, datetime.now(UTC))))
    )
    if len(shown) != 1:
        yield f"{len(shown)} facts lie aside at the terminal, one was poison"
        return
    (trouble,) = shown
    if "the receiver said 500" not in str(trouble.note.facts["why"]) or trouble.note.facts["behind"] != 1:
        yield f"the terminal says {trouble.note.facts}"
    if trouble.instead is None:
        yield "it can be sent again, and not given up"


@twin(of="outbox_leaves", sabotage="announces on a connection of its own", small={"facts": 60, "kills": 0})
def announced_outside(ground: Ground, *, facts: int, kills: int) -> Outcome:
    """What is told before the transaction is decided also leaves when it is rolled back."""
    kept: list[dict[str, Any]] = []
    lock = threading.Lock()

    def outside(call: Call, topic: str, aggregate: str, **told: object) -> None:
        row = {"warehouse_id": call.warehouse_id, "topic": topic, "aggregate": aggregate, "facts": told}
        with lock:
            kept.append({**row, "written_at": call.now, "attempts": 0})

    def later() -> None:
        while not ended.wait(0.02):
            with lock:
                rows, kept[:] = list(kept), []
            for row in rows:
                ground.database().transact(lambda session, r=row: session.execute(insert(table_of(OutboxRow)), r))  # type: ignore[misc]

    ended = threading.Event()
    ground.database()
    thread = threading.Thread(target=later)
    thread.start()
    try:
        return _run(ground, facts, kills, outside, None)
    finally:
        ended.set()
        thread.join()


def _all_at_once() -> None:
    """Every open row may be taken, whatever of its aggregate waits before it."""

    rows, now = table_of(OutboxRow).c, bindparam("now", type_=table_of(OutboxRow).c.lease_until.type)
    outbox._claimable = select(rows.id, rows.warehouse_id, rows.topic, rows.aggregate, rows.facts).where(
        rows.sent_at.is_(None),
        rows.set_aside_at.is_(None),
        rows.lease_until.is_(None) | (rows.lease_until <= now),
        rows.not_before.is_(None) | (rows.not_before <= now),
    )


@twin(of="outbox_leaves", sabotage="takes a fact although an older one of its aggregate waits")
def taken_out_of_order(ground: Ground, *, facts: int, kills: int) -> Outcome:
    return _run(ground, facts, kills, announce, _all_at_once)
