"""Every fault at every moment of a command: what the client hears, what is in the books, and that a retry mends it.

The command is a receipt of one piece over HTTP. A server in a process of its own stops at the moment wanted; the fault
strikes from outside (the wire, the process, the database, the disk, the clock); then the same command is sent again
until it is answered. In every cell exactly one piece is there in the end, and whoever was told so is told the same.
"""

from __future__ import annotations

import json
import threading
import time

from sqlalchemy import func, select

from tests.builders import a_park, a_sku
from tests.proofs.frame import Ground, Outcome, audit, proof, twin
from tests.proofs.matrix.faults import FAULTS, Cell, Fault
from tests.proofs.matrix.stand import (
    AFTER_ANSWER,
    AFTER_COMMIT,
    BEFORE_COMMIT,
    BEFORE_SEND,
    LONG_S,
    MOMENTS,
    SHORT_S,
    Client,
    Said,
    Server,
    Wire,
)
from tests.proofs.sabotage import replaced
from wms.core import perform
from wms.core.db import Database
from wms.inbound import service as inbound
from wms.ledger.tables import MovementRow
from wms.people import service as people
from wms.people.values import Role

TRIES_S = 30.0
ID = "receipt-1"


@proof(
    name="fault_matrix",
    promises=(1, 2),
    small={"faults": 5},
    full={"faults": len(FAULTS)},
    goal="in every cell the retry ends with exactly one effect, and nobody is told two things",
)
def fault_matrix(ground: Ground, *, faults: int) -> Outcome:
    chosen = [fault for fault in FAULTS if ground.kind in fault.on]
    step = max(1, len(chosen) // faults)
    cells = [(fault, moment) for fault in chosen[::step][:faults] for moment in MOMENTS]
    url, key = _prepared(ground)
    broken: list[str] = []
    for number, (fault, moment) in enumerate(cells):
        seen = _cell(url, key, f"{ID}-{number}", fault, moment)
        broken += [f"{fault.name}, {moment}: {each}" for each in seen]
    database = Database.open(url)
    broken += audit(database)
    database.dispose()
    return Outcome(f"{len(cells)} cells", tuple(broken), facts={"faults": len(cells) // len(MOMENTS)})


def _prepared(ground: Ground) -> tuple[str, str]:
    """A park with a delivery at the door; its address and the key of who receives."""
    database = Database.open(ground.url)
    park = a_park(database)
    park.act(lambda call: a_sku(call, "TEA"))
    park.act(lambda call: inbound.create_asn(call, no="A1", lines=[("TEA", 100_000)], merchant_code="M1"))
    key = park.act(lambda call: people.make_key(call, role=Role.INTEGRATOR))
    database.dispose()
    return ground.url, key


def _cell(url: str, key: str, request_id: str, fault: Fault, moment: str) -> list[str]:
    """What differed from what was expected."""
    before = _pieces(url)
    server = Server(url, moment if moment in (BEFORE_COMMIT, AFTER_COMMIT) else "")
    wire = Wire(server)
    body = {"asn": "A1", "sku": "TEA", "quantity": 1, "container": f"B{request_id[-3:].strip('-')}"}
    client = Client(wire.port, key, request_id, body)
    cell = Cell(url, server, wire, client, json.dumps({**body, "container": "OTHER"}), moment)
    if fault.expect[MOMENTS.index(moment)].startswith("silent"):
        client.patience_s = SHORT_S
    try:
        first = _struck(cell, fault, moment)
        client.patience_s = LONG_S
        for each in cell.threads:
            each.join()
        heard = f"{first.word} {_settled(url, before, fault, moment)}"
        for undo in cell.undo:
            undo()
        last = _until_answered(client)
        return list(_judged(fault, moment, heard, first, last, _pieces(url) - before, cell))
    finally:
        wire.close()
        server.kill()


def _struck(cell: Cell, fault: Fault, moment: str) -> Said:
    """The first try, with the fault at its moment."""
    if moment == BEFORE_SEND:
        fault.strike(cell)
        return cell.client.send()
    heard: list[Said] = []
    thread = threading.Thread(target=lambda: heard.append(cell.client.send()))
    thread.start()
    if moment == AFTER_ANSWER:
        thread.join()
        fault.strike(cell)
        return heard[0]
    cell.server.await_moment()
    fault.strike(cell)
    cell.server.go_on()
    thread.join()
    return heard[0]


def _settled(url: str, before: int, fault: Fault, moment: str) -> int:
    """Pieces received by the first try: a server that was not heard may still be at it."""
    wanted = int(fault.expect[MOMENTS.index(moment)].split()[1])
    until_s = time.monotonic() + 5.0
    while (found := _pieces(url) - before) != wanted and time.monotonic() < until_s:
        time.sleep(0.05)
    return found


def _until_answered(client: Client) -> Said:
    """As a PDA does: the same command until somebody answers."""
    until_s, said = time.monotonic() + TRIES_S, Said(0)
    while time.monotonic() < until_s and said.word in ("silent", "later"):
        said = client.send()
        time.sleep(0.05)
    return said


def _judged(fault: Fault, moment: str, heard: str, first: Said, last: Said, pieces: int, cell: Cell) -> list[str]:
    at = MOMENTS.index(moment)
    wrong = []
    if heard != fault.expect[at]:
        wrong.append(f"expected {fault.expect[at]!r}, was {heard!r} ({first.status} {first.body[:200]!r})")
    if pieces != 1:
        wrong.append(f"{pieces} pieces in the end")
    if last.status != fault.final[at]:
        wrong.append(f"the retry ended with {last.status} {last.body[:200]!r}")
    if first.word == "told" and last.body != first.body:
        wrong.append(f"told {first.body[:200]!r}, then {last.body[:200]!r}")
    told = {each.body for each in (*cell.copies, last) if each.word == "told"}
    if len(told) > 1:
        wrong.append(f"copies were told different things: {told}")
    return wrong


def _pieces(url: str) -> int:
    database = Database.open(url)
    query = select(func.coalesce(func.sum(MovementRow.quantity), 0)).where(MovementRow.kind == "receipt")
    found = database.read(lambda session: int(session.execute(query).scalar_one()))
    database.dispose()
    return found


@twin(of="fault_matrix", sabotage="every arrival counts as a new command", small={"faults": 1})
def every_arrival_is_new(ground: Ground, *, faults: int) -> Outcome:
    kept, numbers = perform._do, iter(range(10**9))

    def do(db: object, clock: object, who: object, request_id: str, *more: object) -> object:
        return kept(db, clock, who, f"{request_id}/{time.monotonic_ns()}/{next(numbers)}", *more)  # type: ignore[arg-type]

    with replaced(perform, _do=do):
        return fault_matrix(ground, faults=faults)
