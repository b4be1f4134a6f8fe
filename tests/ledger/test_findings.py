"""What an audit found is written down once, freezes one row, and is closed by a person only when it is mended."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from tests.builders import Park, a_park, a_sku, stock_in
from wms.core.db import Database
from wms.core.promises import Broken
from wms.core.tables import OutboxRow
from wms.ledger.findings import SUBJECT_LENGTH_MAX, close_mended, note_broken
from wms.ledger.promises import PROMISES
from wms.ledger.service import freeze
from wms.ledger.tables import BrokenPromise, Stock

SUMS, HOLDS = (
    next(promise for promise in PROMISES if promise.name == name)
    for name in ("on_hand_is_the_sum_of_movements", "holds_sum_to_promised")
)


@pytest.fixture
def park(database: Database) -> Park:
    """Rows 1 and 2 of stock."""
    made = a_park(database)
    for slot in ("A01-01-1A", "A01-02-1A"):
        made.act(lambda call, slot=slot: stock_in(call, a_sku(call), slot, 10))  # type: ignore[misc]
    return made


def broken(park: Park, subject: str = "stock 1", stock_id: int | None = 1) -> Broken:
    return Broken(subject, "on hand 11, movements say 10", park.warehouse_id, stock_id)


def frozen(park: Park) -> list[str | None]:
    return list(park.read(lambda session: session.scalars(select(Stock.frozen_reason).order_by(Stock.id)).all()))


def open_findings(park: Park) -> list[str]:
    query = select(BrokenPromise.subject).where(BrokenPromise.closed_at.is_(None)).order_by(BrokenPromise.id)
    return list(park.read(lambda session: session.scalars(query).all()))


def noted(park: Park, *more: object, promise: object = SUMS) -> bool:
    return park.act(lambda call: note_broken(call, promise, broken(park, *more)))  # type: ignore[arg-type]


def closed(park: Park, *still: tuple[str, str]) -> int:
    return park.act(lambda call: close_mended(call, set(still)))


def test_a_break_is_noted_once_and_told_once(park: Park) -> None:
    assert [noted(park), noted(park)] == [True, False]
    assert open_findings(park) == ["stock 1"]
    told = park.read(lambda session: session.scalars(select(OutboxRow)).all())
    assert [(row.topic, row.aggregate, row.facts["subject"]) for row in told] == [
        ("promise.broken", f"promise:{SUMS.name}", "stock 1")
    ]


def test_only_its_row_is_frozen_with_promise_and_facts(park: Park) -> None:
    noted(park)
    assert frozen(park) == [f"{SUMS.name}: on hand 11, movements say 10", None]


def test_a_break_without_a_row_freezes_nothing(park: Park) -> None:
    assert noted(park, "request key:1:r", None)
    assert frozen(park) == [None, None]


def test_another_subject_promise_or_house_is_another_finding(park: Park) -> None:
    next_door = a_park(park.database, code="2")
    noted(park)
    assert noted(park, "stock 2", 2)
    assert noted(park, promise=HOLDS)
    assert next_door.act(lambda call: note_broken(call, SUMS, broken(next_door, "stock 1", None)))
    assert open_findings(park) == ["stock 1", "stock 2", "stock 1", "stock 1"]


def test_a_long_subject_is_cut_and_known_again(park: Park) -> None:
    long = "request " + "x" * SUBJECT_LENGTH_MAX
    assert [noted(park, long, None), noted(park, long, None)] == [True, False]
    assert open_findings(park) == [long[:128]]
    assert closed(park, (SUMS.name, long)) == 0
    assert closed(park) == 1


def test_a_closed_finding_may_be_found_again(park: Park) -> None:
    noted(park)
    assert closed(park) == 1
    assert (open_findings(park), frozen(park)) == ([], [None, None])
    assert noted(park)
    assert frozen(park)[0] is not None


def test_only_what_no_longer_shows_is_closed(park: Park) -> None:
    noted(park)
    noted(park, "stock 2", 2)
    assert closed(park, (SUMS.name, "stock 2")) == 1
    assert open_findings(park) == ["stock 2"]
    assert [reason is None for reason in frozen(park)] == [True, False]
    assert closed(park, (SUMS.name, "stock 2")) == 0, "what is closed is not closed again"


def test_another_house_closes_its_own_findings_only(park: Park) -> None:
    next_door = a_park(park.database, code="2")
    noted(park)
    assert next_door.act(lambda call: close_mended(call, set())) == 0
    assert open_findings(park) == ["stock 1"]


def test_what_a_person_froze_stays_frozen(park: Park) -> None:
    noted(park)
    park.act(lambda call: freeze(call.session, 1, "a person looks"))
    assert closed(park) == 1
    assert frozen(park)[0] == "a person looks"


def test_a_finding_that_names_no_row_lets_none_move(park: Park) -> None:
    for subject in ("stock of nobody", "stock 99", "1"):
        noted(park, subject, None)
    park.act(lambda call: freeze(call.session, 1, f"{SUMS.name}: x"))
    assert closed(park) == 3
    assert frozen(park)[0] == f"{SUMS.name}: x"
