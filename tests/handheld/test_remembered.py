"""What is believed of a person spares a question, and decides nothing: where he stands is what his row says."""

from __future__ import annotations

import json
from itertools import count

import pytest
from sqlalchemy import func, select, update

from tests.outbound.orders import counted_statements
from tests.picking.floor import NEAR, Floor, a_floor
from tests.picking.hand import barcode, slot, tote
from wms.core.call import Who
from wms.core.clock import HandClock
from wms.core.db import Database
from wms.core.db.tables import table_of
from wms.core.perform import Outcome
from wms.handheld import shell
from wms.handheld.remembered import remembered
from wms.people.values import Role, rights_of
from wms.work.tables import DialogueState

_ids = count(1)
_state = table_of(DialogueState)


class Walker:
    """A picker before the slot of his first pick, who is remembered to stand there."""

    def __init__(self, floor: Floor) -> None:
        floor.loaded(("A-1", [(floor.tea, 1)]), ("A-2", [(floor.tea, 1)]))
        self.floor = floor
        self.database = floor.park.database
        person_id = floor.person("W-1")
        self.who = Who(f"person:{person_id}", floor.park.warehouse_id, rights_of(Role.SUPERVISOR), person_id=person_id)
        self.clock = HandClock(floor.park.clock.now())
        shell.act(self.database, self.clock, self.who, "begin", "choose", "cluster_pick")

    def scan(self, code: str) -> Outcome:
        return shell.scan(self.database, self.clock, self.who, f"scan-{next(_ids)}", code)

    def step(self) -> str:
        return self.database.read(lambda session: shell.standing(session, self.who.person_id or 0)).step

    def moved_by_another(self, step: str) -> None:
        """His row says something else than what is remembered."""
        self.database.transact(
            lambda session: session.execute(update(_state).values(step=step, version=_state.c.version + 1))
        )


@pytest.fixture
def walker(sqlite_database: Database) -> Walker:
    return Walker(a_floor(sqlite_database))


def level(outcome: Outcome) -> str:
    return str(json.loads(outcome.body)["message"]["level"])


def test_a_scan_after_a_scan_does_not_ask_where_its_person_stands(walker: Walker) -> None:
    with counted_statements(walker.database) as seen:
        assert walker.scan(slot(NEAR)).status == 200
    assert not [one for one in seen if one.startswith("SELECT") and "dialogue_state" in one]
    assert walker.step() == "scan_sku"


def test_a_scan_is_judged_by_the_row_when_the_person_was_moved(walker: Walker) -> None:
    walker.moved_by_another("scan_sku")
    outcome = walker.scan(barcode(walker.floor, walker.floor.tea))
    assert (outcome.status, level(outcome)) == (200, "ok")
    assert walker.step() == "scan_tote"


def test_a_no_that_rests_on_what_is_remembered_is_neither_told_nor_kept(walker: Walker) -> None:
    """At the slot there is nothing to choose; at the menu, where a supervisor has sent him, there is."""
    walker.scan(slot(NEAR))
    walker.database.transact(lambda session: shell.forget(session, walker.who.person_id or 0))
    for _ in range(2):  # and again, from what was stored
        outcome = shell.act(walker.database, walker.clock, walker.who, "again", "choose", "cluster_pick")
        assert outcome.status == 200, outcome.body
    assert walker.step() == "scan_slot"


def test_goods_are_booked_once_where_the_person_had_moved_on(walker: Walker) -> None:
    for code in (slot(NEAR), barcode(walker.floor, walker.floor.tea)):
        walker.scan(code)
    before = remembered(walker.database).take(walker.who.person_id)
    assert before is not None
    walker.scan(tote(1))
    remembered(walker.database).keep(walker.who.person_id, before)  # as if an older command had ended last
    walker.scan(tote(1))
    assert walker.floor.on_hand("T-0001") == 1


def test_a_repeated_scan_is_answered_as_before(walker: Walker) -> None:
    first, again = (shell.scan(walker.database, walker.clock, walker.who, "the same", slot(NEAR)) for _ in range(2))
    assert (again.body, again.replayed) == (first.body, True)
    assert walker.step() == "scan_sku"


def test_on_postgresql_nothing_is_remembered(pg_url: str) -> None:
    database = Database.open(pg_url)
    walker = Walker(a_floor(database))
    assert walker.scan(slot(NEAR)).status == 200
    assert remembered(database).take(walker.who.person_id) is None
    database.dispose()


def test_of_too_many_people_the_first_is_forgotten(walker: Walker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wms.handheld.remembered.PEOPLE_MAX", 1)
    belief = remembered(walker.database).take(walker.who.person_id)
    assert belief is not None
    remembered(walker.database).keep(1_001, belief)
    remembered(walker.database).keep(1_002, belief)
    assert remembered(walker.database).take(1_001) is None
    assert remembered(walker.database).take(1_002) is belief
    assert walker.database.read(lambda session: session.scalar(select(func.count()).select_from(_state))) == 1
