"""What a scan costs, counted: statements and commits of the command, by no clock.

The scans go through the PDA's shell and the gateway's link as they do in the house; what is counted is the whole
command, from the question where its person stands to the stored answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from sqlalchemy import event, text

from tests.builders import Park, a_park, a_sku
from tests.inbound.dock import announced
from tests.picking.floor import NEAR, a_floor
from tests.picking.hand import barcode, slot, tote
from tests.proofs.frame import SQLITE, Ground, Outcome, proof, twin
from tests.proofs.sabotage import replaced
from tests.shipping.dock import a_dock, labelled
from tests.shipping.test_dialogues import in_tote
from wms.catalog import queries as catalog
from wms.core import perform
from wms.core.call import Call, Who
from wms.core.codes import Kind, make
from wms.core.db import Database
from wms.exchange.gateways import events as link_events
from wms.exchange.gateways import service as link
from wms.handheld import shell
from wms.handheld.standing import WHERE_LEFT_KEPT
from wms.people import service as people
from wms.people.values import Role, rights_of
from wms.shipping.values import Labelled
from wms.sorting import service as sorting
from wms.sorting.tables import Gateway

# In all: where the person stands, what his room reads and writes, where he stands now, the stored answer. A pick takes
# at most eight; the others may cost what they cost today, so that no change makes them dearer unseen.
STATEMENTS_MAX = {
    "count a piece": 6,
    "receive into a box": 15,
    "put away: which box": 12,
    "put away into the slot": 18,
    "pick: at the slot": 4,
    "pick: the goods": 4,
    "pick into the tote": 8,
    "pack: which tote": 14,
    "pack a piece": 15,
    "pack the last piece": 16,
    "weigh the parcel": 23,
    "sort: the line confirms": 17,
}
COMMITS = 1
_ids = count(1)
NOT_COUNTED = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE", "ROLLBACK", "PRAGMA")


@dataclass
class Cost:
    """What one command sent to the database."""

    statements: list[str] = field(default_factory=list)
    commits: int = 0


@contextmanager
def counted(database: Database) -> Iterator[Cost]:
    """Every statement and commit of the writing engine, as long as the block lasts."""
    cost = Cost()

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if not statement.startswith(NOT_COUNTED):
            cost.statements.append(" ".join(statement.split())[:90])

    def committed(_connection: Any) -> None:
        cost.commits += 1

    event.listen(database.write_engine, "before_cursor_execute", note)
    event.listen(database.write_engine, "commit", committed)
    try:
        yield cost
    finally:
        event.remove(database.write_engine, "before_cursor_execute", note)
        event.remove(database.write_engine, "commit", committed)


class Pda:
    """A worker with a PDA: each scan and key is counted under the name of the step it was made at."""

    def __init__(self, park: Park, costs: dict[str, Cost], role: Role = Role.SUPERVISOR) -> None:
        self.park, self._costs = park, costs
        person_id = park.act(lambda call: _person(call, role))
        who = Who(f"person:{person_id}", park.warehouse_id, rights_of(role), person_id=person_id)
        self._who = who

    def begin(self, dialogue: str) -> Pda:
        return self.press("choose", dialogue)

    def scan(self, code: str, name: str = "") -> Pda:
        at = (self.park.database, self.park.clock, self._who)
        return self._counted(name, lambda: shell.scan(*at, f"scan-{next(_ids)}", code))

    def press(self, action: str, value: str = "") -> Pda:
        at = (self.park.database, self.park.clock, self._who)
        return self._counted("", lambda: shell.act(*at, f"key-{next(_ids)}", action, value))

    def weigh(self, weight_g: int, name: str = "") -> Pda:
        at = (self.park.database, self.park.clock, self._who)
        return self._counted(name, lambda: shell.weigh(*at, f"weight-{next(_ids)}", weight_g))

    def proposed(self) -> str:
        """The slot the screen names."""
        at = self.park.read(lambda session: shell.standing(session, self._who.person_id or 0))
        return str(at.state["slot"])

    def _counted(self, name: str, do: Callable[[], Any]) -> Pda:
        with counted(self.park.database) as cost:
            outcome = do()
        assert outcome is not None
        assert outcome.status == 200, f"{name}: {outcome.body}"
        if name:
            self._costs[name] = cost
        return self


def _person(call: Call, role: Role) -> int:
    return people.add_person(call, badge=f"W{next(_ids):05d}", name="程丽", role=role)


def _receive_and_put_away(database: Database, costs: dict[str, Cost]) -> None:
    park = a_park(database)
    sku = park.act(lambda call: a_sku(call, "TEA", barcode="6901234567892"))
    announced(park, "A1", (sku, 100))
    for box in ("L-1", "L-2"):  # the second time nothing is new any more: that is the scan of every day
        pda = Pda(park, costs).begin("receive").scan("A1").scan("6901234567892", "count a piece")
        pda.scan(make(Kind.CONTAINER, box), "receive into a box")
    for box in ("L-1", "L-2"):
        pda = Pda(park, costs).begin("putaway").scan(make(Kind.CONTAINER, box), "put away: which box")
        pda.scan(slot(pda.proposed()), "put away into the slot")


def _pick(database: Database, costs: dict[str, Cost]) -> None:
    floor = a_floor(database)
    floor.loaded(("A-1", [(floor.tea, 1)]), ("A-2", [(floor.tea, 1)]), ("A-3", [(floor.tea, 1)]))
    tea = barcode(floor, floor.tea)
    pda = Pda(floor.park, costs).begin("cluster_pick").scan(slot(NEAR), "pick: at the slot").scan(tea).scan(tote(1))
    pda.scan(tea, "pick: the goods").scan(tote(2), "pick into the tote")


def _pack(database: Database, costs: dict[str, Cost]) -> None:
    dock = a_dock(database)
    in_tote(dock, 3)
    code = dock.park.read(lambda session: catalog.barcodes_of(session, dock.park.warehouse_id, dock.sku.id))[0].barcode
    pda = Pda(dock.park, costs).begin("pack").scan(make(Kind.TOTE, "T-0001"), "pack: which tote")
    pda.scan(code).scan(code, "pack a piece").scan(code, "pack the last piece").weigh(120 + 900, "weigh the parcel")


def _sort(database: Database, costs: dict[str, Cost]) -> None:
    """What one more confirmation in a call costs; the call itself tells once that the gateway is there."""
    dock = a_dock(database)
    dock.park.act(sorting.plan_chutes)
    gateway = dock.park.act(_paired)
    numbers = count(1)
    calls = []
    for parcels in (1, 1, 2):  # the very first opens the bag of its chute
        events = [_confirmation(dock.park, labelled(dock), next(numbers)) for _ in range(parcels)]
        with counted(database) as cost:
            link_events.take_events(database, dock.park.clock, gateway, "b0", events)
        calls.append(cost)
    _first, one, two = calls
    costs["sort: the line confirms"] = Cost(two.statements[len(one.statements) :], two.commits - one.commits)


def _paired(call: Call) -> Gateway:
    code = link.invite(call, station_code="LINE-1", name="line 1")
    return call.session.get_one(Gateway, link.pair(call.session, code, [])["gateway"])


def _confirmation(park: Park, made: Labelled, number: int) -> dict[str, Any]:
    park.act(lambda call: sorting.route_parcel(call, made.parcel_id))
    routes = park.read(lambda session: sorting.routes_since(session, park.warehouse_id, 0))
    chutes = next(route.chutes for route in routes if route.code == made.waybill)
    facts = {"pid": number, "codes": [made.waybill], "chute": int(str(chutes).split("/")[0]), "result": "OK"}
    return {"seq": number, "kind": "cfm", "device": "line", "facts": facts}


SCENES = (_receive_and_put_away, _pick, _pack, _sort)


@proof(
    name="cost_gates",
    promises=(1,),
    small={},
    full={},
    goal="one commit a scan; a pick at most 8 statements in all, no scan more than it is known to take",
)
def cost_gates(ground: Ground) -> Outcome:
    return _counted_all(ground)


@twin(of="cost_gates", sabotage="every answer is kept twice, in a transaction of its own")
def one_more_commit(ground: Ground) -> Outcome:
    honest = perform._do

    def twice(db: Database, *given: Any) -> perform.Outcome:
        outcome = honest(db, *given)
        db.transact(lambda session: session.execute(text("UPDATE request SET status = status")))
        return outcome

    with replaced(perform, _do=twice):
        return _counted_all(ground)


@twin(of="cost_gates", sabotage="every scan asks twice where its person stands", on=(SQLITE,))
def one_more_question(ground: Ground) -> Outcome:
    honest = shell._kept

    def twice(call: Call) -> shell.Standing:
        call.session.execute(WHERE_LEFT_KEPT, {"p": call.person_id})
        return honest(call)

    with replaced(shell, _kept=twice):
        return _counted_all(ground)


def _counted_all(ground: Ground) -> Outcome:
    costs: dict[str, Cost] = {}
    for scene in SCENES:
        database = Database.open(ground.another_url())
        try:
            scene(database, costs)
        finally:
            database.dispose()
    broken = [
        f"{name}: {len(cost.statements)} statements, {cost.commits} commits\n" + "\n".join(cost.statements)
        for name, cost in costs.items()
        if len(cost.statements) > STATEMENTS_MAX[name] or cost.commits != COMMITS
    ]
    assert costs.keys() == STATEMENTS_MAX.keys()
    facts = {f"{name}:": len(cost.statements) for name, cost in costs.items()}
    return Outcome(f"{len(costs)} kinds of scan", tuple(broken), None, "", facts)
