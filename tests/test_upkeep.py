"""The upkeep of a running house: it audits without repairing, and each job is safe to repeat."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, text, update

from tests.builders import MORNING, Park, a_park, a_sku, stock_in
from wms import upkeep
from wms.auditing import close_what_was_mended
from wms.core.clock import HandClock
from wms.core.db import Database
from wms.core.refusal import Reason, Refused
from wms.core.start_checks import written_down
from wms.core.tables import OutboxRow, RequestRow
from wms.ledger import service as ledger
from wms.ledger.tables import BrokenPromise, Stock
from wms.ledger.values import Purpose
from wms.settings import Settings

PLAIN = Settings()


@pytest.fixture
def park(database: Database) -> Park:
    made = a_park(database)
    made.act(lambda call: stock_in(call, a_sku(call), "A01-01-1A", 10))
    return made


def spoil(park: Park) -> None:
    """As if a disk, or somebody with a database tool, had changed a balance."""
    park.database.transact(lambda session: session.execute(text("UPDATE stock SET on_hand = 11")))


def findings(park: Park) -> list[BrokenPromise]:
    return list(park.read(lambda session: session.scalars(select(BrokenPromise)).all()))


def test_a_house_in_order_is_left_alone(park: Park) -> None:
    assert upkeep.audit(park.database, park.clock) == 0
    assert findings(park) == []
    assert park.read(lambda session: session.scalars(select(Stock.frozen_reason)).all()) == [None]


def test_a_broken_promise_is_written_down_told_and_its_stock_frozen(park: Park) -> None:
    spoil(park)
    assert upkeep.audit(park.database, park.clock) == 1
    (found,) = findings(park)
    assert (found.promise, found.warehouse_id) == ("on_hand_is_the_sum_of_movements", park.warehouse_id)
    assert found.facts == "on hand 11, movements say 10"
    assert park.read(lambda session: session.scalars(select(OutboxRow.topic)).all()) == ["promise.broken"]
    with pytest.raises(Refused) as refused:
        park.act(lambda call: ledger.hold(call, 1, 1, 1, Purpose.ORDER_LINE, 1))
    assert refused.value.reason is Reason.STOCK_FROZEN


def test_an_audit_repairs_nothing(park: Park) -> None:
    spoil(park)
    upkeep.audit(park.database, park.clock)
    assert park.read(lambda session: session.scalars(select(Stock.on_hand)).all()) == [11]


def test_what_was_found_is_not_found_again_until_a_person_has_looked(park: Park) -> None:
    spoil(park)
    assert [upkeep.audit(park.database, park.clock) for _ in range(3)] == [1, 0, 0]
    park.database.transact(lambda session: session.execute(update(BrokenPromise).values(closed_at=MORNING)))
    assert upkeep.audit(park.database, park.clock) == 1
    assert len(findings(park)) == 2


def close(park: Park, still_broken: set[tuple[str, str]]) -> int:
    return close_what_was_mended(park.database, park.clock, still_broken, "person:1")


def test_stock_moves_again_when_it_was_mended_and_somebody_says_so(park: Park) -> None:
    spoil(park)
    upkeep.audit(park.database, park.clock)
    park.database.transact(lambda session: session.execute(text("UPDATE stock SET on_hand = 10")))
    assert close(park, set()) == 1
    assert [finding.closed_at for finding in findings(park)] == [park.clock.now()]
    park.act(lambda call: ledger.hold(call, 1, 1, 1, Purpose.ORDER_LINE, 1))


def test_what_is_still_broken_stays_frozen(park: Park) -> None:
    spoil(park)
    upkeep.audit(park.database, park.clock)
    assert close(park, {("on_hand_is_the_sum_of_movements", "stock 1")}) == 0
    assert park.read(lambda session: session.scalars(select(Stock.frozen_reason)).all()) != [None]


def test_what_a_person_froze_is_not_freed_with_a_finding(park: Park) -> None:
    spoil(park)
    upkeep.audit(park.database, park.clock)
    park.act(lambda call: ledger.freeze(call.session, 1, "smells odd"))
    assert close(park, set()) == 1
    assert park.read(lambda session: session.scalars(select(Stock.frozen_reason)).all()) == ["smells odd"]


def test_an_empty_database_has_nothing_to_audit(database: Database) -> None:
    assert upkeep.audit(database, HandClock(MORNING)) == 0


def test_every_job_runs_on_a_park_and_may_be_repeated(park: Park) -> None:
    jobs = upkeep.upkeep(park.database, park.clock, PLAIN)
    for job in [*jobs, *jobs]:
        job.work()
    assert len({job.name for job in jobs}) == len(jobs)


def test_requests_are_forgotten_by_business_time(park: Park) -> None:
    row = RequestRow(
        actor="a", request_id="r", warehouse_id=1, fingerprint="f", status=200, answer="{}", answered_at=MORNING
    )
    park.database.transact(lambda session: session.add(row))
    upkeep.forget(park.database, park.clock)
    later = replace(park.clock, at=MORNING + timedelta(days=31))
    assert park.read(lambda session: session.scalars(select(RequestRow.request_id)).all()) == ["r"]
    upkeep.forget(park.database, later)
    assert park.read(lambda session: session.scalars(select(RequestRow.request_id)).all()) == []


def test_a_clock_that_fell_behind_while_serving_is_shown_and_forgotten_when_it_is_set(park: Park) -> None:
    def codes(settings: Settings = PLAIN) -> list[str]:
        upkeep.look_at_the_ground(park.database, park.clock, settings)
        known = {"fsync_off", "old_sqlite", "above_walls"}  # what the machine of this test may have
        return [one.code for one in park.read(written_down) if one.code not in known]

    assert codes() == []
    park.clock.advance(hours=-1)
    assert codes() == ["clock_behind"]
    park.clock.advance(hours=1)
    assert codes() == []
    assert codes(Settings(allow_http=True)) == ["plain_http"]
    assert codes(Settings(allow_http=True, tls=True)) == []
