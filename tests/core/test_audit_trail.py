"""The trail: whoever changes it is found out."""

from __future__ import annotations

from datetime import date, timedelta
from functools import partial

import pytest
from sqlalchemy import select, text

from tests.builders import MORNING, acting, at_once
from wms.core.audit_trail import FIRST_HASH, broken_links, note
from wms.core.call import Call
from wms.core.db import Database
from wms.core.tables import AuditRow

DAY = MORNING.date()


def noted(database: Database, *names: str, day: int = 0, warehouse_id: int = 1) -> None:
    def write(call: Call) -> None:
        for name in names:
            note(call, name, slot="A01-01-1A", old=1, text="储位", at=call.now)

    acting(database, write, warehouse_id, now=MORNING + timedelta(days=day))


def broken(database: Database) -> list[tuple[int, date, int]]:
    return database.read(lambda session: list(broken_links(session)))


@pytest.fixture
def trail(database: Database) -> Database:
    noted(database, "one", "two", "three", "four")
    return database


def test_an_untouched_trail_is_whole(trail: Database) -> None:
    rows = trail.read(lambda session: session.scalars(select(AuditRow).order_by(AuditRow.number)).all())
    assert [row.number for row in rows] == [1, 2, 3, 4]
    assert rows[0].previous_hash == FIRST_HASH
    assert [row.previous_hash for row in rows[1:]] == [row.hash for row in rows[:-1]]
    assert broken(trail) == []


@pytest.mark.parametrize(
    ("change", "shows_at"),
    [
        ("UPDATE audit_entry SET what = 'nothing' WHERE number = 2", [2]),
        ("UPDATE audit_entry SET actor = 'person:9' WHERE number = 4", [4]),
        ("UPDATE audit_entry SET facts = '{}' WHERE number = 1", [1]),
        ("DELETE FROM audit_entry WHERE number = 2", [3]),
        ("DELETE FROM audit_entry WHERE number = 1", [2]),
        ("UPDATE audit_entry SET number = 9 WHERE number = 2", [3, 9]),
    ],
)
def test_a_changed_or_missing_entry_shows(trail: Database, change: str, shows_at: list[int]) -> None:
    trail.transact(lambda session: session.execute(text(change)))
    numbers = [number for _, _, number in broken(trail)]
    assert set(shows_at) <= set(numbers)


def test_each_day_and_building_has_a_chain_of_its_own(trail: Database) -> None:
    noted(trail, "one", day=1)
    noted(trail, "one", warehouse_id=2)
    firsts = select(AuditRow.warehouse_id, AuditRow.day).where(AuditRow.previous_hash == FIRST_HASH)
    rows = trail.read(lambda session: session.execute(firsts).all())
    assert {(row.warehouse_id, row.day) for row in rows} == {(1, DAY), (1, DAY + timedelta(days=1)), (2, DAY)}
    assert broken(trail) == []


def test_an_entry_goes_with_its_transaction(database: Database) -> None:
    def in_vain(call: Call) -> None:
        note(call, "one")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        acting(database, in_vain)
    assert database.read(lambda session: session.scalars(select(AuditRow)).all()) == []


def test_notes_written_at_once_form_one_chain(database: Database) -> None:
    at_once([partial(noted, database, f"note {number}") for number in range(8)])
    numbers = database.read(lambda session: session.scalars(select(AuditRow.number).order_by(AuditRow.number)).all())
    assert numbers == list(range(1, 9))
    assert broken(database) == []
