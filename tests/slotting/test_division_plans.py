"""Plans of bays divided anew: where more fits, what is left alone and why, and what became of plans."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from tests.builders import Park, a_park, a_person
from tests.inbound.dock import announced
from tests.slotting.past import a_busy_past, slot_id
from tests.slotting.racking import (
    accepted,
    carried_out,
    divisions,
    filled,
    planned,
    promise,
    proposed,
    some_skus,
    spare,
)
from wms.core.call import Call
from wms.core.db import Database
from wms.inbound.queries import coming
from wms.site import queries as site
from wms.site import service as site_service
from wms.slotting import dividing, moving, planning, service
from wms.slotting.tables import BayDivision, DivisionPlan, MoveProposal


@pytest.fixture
def park(sqlite_database: Database) -> Park:
    made = a_park(sqlite_database)
    spare(made)
    return a_person(made)


def test_a_bay_is_proposed_where_more_fits_and_told_by_what_and_at_what_work(park: Park) -> None:
    filled(park, but=6)
    plan = planned(park, some_skus(park, 18), bays_max=1)
    (row,) = divisions(park)
    assert (plan.wanted, plan.skus_before, plan.skus_after) == (18, 6, 18)
    assert (row.slots_before, row.slots_after, row.skus_more, row.goods) == (6, row.slots_after, 12, 0)
    assert row.slots_after >= 18
    assert abs(row.litres_more - (plan.litres_after - plan.litres_before)) <= 1
    assert row.cost_cents > 0
    assert row.gain_cents_month > 0
    assert plan.optimal


def test_nothing_is_proposed_where_all_fits_or_nothing_comes(park: Park) -> None:
    filled(park, but=6)
    planned(park, some_skus(park, 6))
    planned(park, [])
    assert divisions(park) == []


def test_without_parts_nothing_is_proposed_that_takes_some(park: Park) -> None:
    spare(park, 0, 0)
    filled(park, but=6)
    planned(park, some_skus(park, 18))
    assert all(row.beams <= 0 and row.dividers <= 0 for row in divisions(park))


def test_what_cannot_be_changed_is_told_with_the_reason(park: Park) -> None:
    filled(park, but=6)
    promise(park, "A01-01-1A")
    park.act(lambda call: site_service.block_slot(call, "A01-02-1A"))
    park.act(lambda call: service.lease(call, slot_id(park, "A02-12-1A"), "container:1"))
    plan = planned(park, some_skus(park, 18))
    assert plan.kept["promised"] == [1, "A01-01"]
    assert plan.kept["blocked"] == [1, "A01-02"]
    assert plan.kept["kept"] == [1, "A02-12"]


def test_what_is_coming_is_what_is_announced_and_what_waits_in_boxes(park: Park) -> None:
    one, other = some_skus(park, 2)
    announced(park, "N1", (one, 30), (other, 5))
    assert park.read(lambda session: coming(session, park.warehouse_id)) == {one.id: 30, other.id: 5}


def test_a_bay_that_is_no_longer_what_the_plan_saw_is_dropped(park: Park) -> None:
    row = proposed(park)
    accepted(park, row)
    carried_out(park, row)
    twin = park.act(lambda call: _again(call, row))
    assert park.act(lambda call: dividing.accept(call, [twin])) == 0
    assert [one.dropped_why for one in divisions(park) if one.id == twin] == ["changed_meanwhile"]


def _again(call: Call, row: BayDivision) -> int:
    """The same bay as an older plan saw it."""
    values: dict[str, Any] = {
        column.name: getattr(row, column.name) for column in BayDivision.__table__.columns if column.name != "id"
    }
    old = call.session.get_one(BayDivision, row.id)
    old.plan_id = _new_plan(call, row.plan_id)
    call.session.flush()
    twin = BayDivision(**{**values, "state": "proposed", "task_id": None, "closed_at": None})
    call.session.add(twin)
    call.session.flush()
    return twin.id


def _new_plan(call: Call, plan_id: int) -> int:
    old = call.session.get_one(DivisionPlan, plan_id)
    values = {
        column.name: getattr(old, column.name) for column in DivisionPlan.__table__.columns if column.name != "id"
    }
    made = DivisionPlan(**values)
    call.session.add(made)
    call.session.flush()
    return made.id


def test_moves_of_other_plans_end_with_the_bay_and_count_as_dropped(park: Park) -> None:
    a_busy_past(park)
    planning.plan_moves(park.database, park.clock, park.warehouse_id, most=1)
    (move,) = park.read(lambda session: session.scalars(select(MoveProposal)).all())
    park.act(lambda call: moving.accept(call, [move.id]))
    planned(park, some_skus(park, 900), bays_max=40)
    target = park.read(lambda session: site.slot_by_id(session, park.warehouse_id, move.target_id))
    assert target.bay_id not in {row.bay_id for row in divisions(park)}, "a bay somebody is sent to stays"
    park.act(lambda call: moving.withdraw(call, move.id))
    planned(park, some_skus(park, 900), bays_max=40)
    planning.plan_moves(park.database, park.clock, park.warehouse_id, most=10)
    moves = park.read(
        lambda session: session.scalars(select(MoveProposal).where(MoveProposal.state == "proposed")).all()
    )
    slots = {slot.place_id: slot.bay_id for slot in park.read(lambda session: site.slots(session, park.warehouse_id))}
    row = next(one for one in divisions(park, "proposed") if one.bay_id in {slots[move.target_id] for move in moves})
    accepted(park, row)
    dropped = park.read(
        lambda session: session.scalars(select(MoveProposal).where(MoveProposal.dropped_why == "bay_divided")).all()
    )
    assert {slots[move.target_id] for move in dropped} | {slots[move.source_id] for move in dropped} >= {row.bay_id}
