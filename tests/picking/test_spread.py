"""Batches are begun so that people meet less in the aisles, and the plan says so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.builders import acting, stock_in
from tests.outbound.orders import allocate, broken_promises, place
from tests.picking.floor import MIDDLE, Floor, a_floor
from tests.picking.test_nearby import planned, released
from tests.picking.test_planning import HALL, goods
from wms.core.db import Database
from wms.optimise.batching.crowding import Crew
from wms.outbound import service as outbound
from wms.picking.rules.planning import laid_out, problem_of, solve
from wms.picking.rules.spread import complaints, spread_out, turned
from wms.picking.service.pace import crew_of
from wms.picking.values import CartLimits, PlannedBatch, SpreadPlan
from wms.work import service as work

CREW = Crew(people=2, walk_mm_per_s=1_000, stop_s=9.0, setup_s=60.0)


def batches() -> list[PlannedBatch]:
    """Two into the first aisle, two into the last, one order each."""
    some = [goods(order, order, 0 if order < 3 else 2, 4_000 + 100 * order) for order in range(1, 5)]
    return laid_out(solve(problem_of("W", HALL, some, CartLimits(totes=1))))


class TestOnPaper:
    def test_those_who_would_meet_begin_apart_and_nobody_walks_further(self) -> None:
        found = spread_out(batches(), HALL, CREW)
        assert found.crowded_s == 0 < found.crowded_before_s
        assert sum(one.walk_mm for one in found.batches) == sum(one.walk_mm for one in batches())
        assert sorted(one.order_ids for one in found.batches) == [(1,), (2,), (3,), (4,)]

    def test_turned_a_batch_has_its_last_stop_first(self) -> None:
        some = [goods(1, 1, 0, 2_000), goods(1, 2, 2, 5_000), goods(1, 3, 2, 5_000)]
        (batch,) = laid_out(solve(problem_of("W", HALL, some, CartLimits())))
        back = turned(batch)
        assert [stop for stop, _ in back.picks] == [1, 2, 3]
        assert [each.slot_id for _, each in back.picks] == [each.slot_id for _, each in reversed(batch.picks)]
        assert back.path == batch.path[::-1]
        assert turned(back) == batch

    @pytest.mark.parametrize(
        ("spoil", "complaint"),
        [
            (lambda plan: replace(plan, batches=plan.batches[1:]), "other batches"),
            (lambda plan: replace(plan, crowded_before_s=0), "not 0 s"),
            (lambda plan: replace(plan, crowded_s=99), "not 99 s"),
            (lambda plan: replace(plan, batches=tuple(_path_of_another(plan))), "batch"),
        ],
    )
    def test_a_claim_that_is_not_true_is_heard(self, spoil: Callable[[SpreadPlan], SpreadPlan], complaint: str) -> None:
        found = spread_out(batches(), HALL, CREW)
        assert list(complaints(batches(), found, HALL, CREW)) == []
        assert any(complaint in one for one in complaints(batches(), spoil(found), HALL, CREW))


def _path_of_another(plan: SpreadPlan) -> list[PlannedBatch]:
    first, second, *rest = plan.batches
    return [replace(first, path=second.path), second, *rest]


@pytest.fixture
def floor(database: Database) -> Floor:
    return a_floor(database)


class TestOnTheFloor:
    def test_the_plan_keeps_how_long_people_are_in_the_way_and_goes_in_its_order(self, floor: Floor) -> None:
        floor.park.act(lambda call: stock_in(call, floor.nuts, MIDDLE, 40))
        for number in range(1, 27):  # twelve totes a cart: three batches
            place(floor.park, f"N{number}", (floor.tea if number % 3 == 0 else floor.salt, 1), (floor.nuts, 1))
            allocate(floor.park, f"N{number}")
        (wave,) = floor.park.act(lambda call: outbound.make_waves(call, hot_from=1_000))
        found = planned(floor, str(wave), Crew(people=3, walk_mm_per_s=1_200, stop_s=9.0, setup_s=60.0))
        assert (found.people, found.batches) == (3, 3)
        assert 0 <= found.crowded_s <= found.crowded_before_s
        assert found.crowded_before_s > 0
        made = released(floor, str(wave))
        assert sum(batch.walk_mm for batch in made) == found.walk_mm
        assert broken_promises(floor.park) == []

    def test_the_crew_are_those_who_picked_lately_and_at_least_two(self, floor: Floor) -> None:
        park = floor.park

        def people() -> int:
            return park.read(lambda session: crew_of(session, park.warehouse_id, park.clock.now())).people

        assert people() == 2
        for number in range(3):
            batch_id = floor.batch((f"O{number}", [(floor.tea, 1), (floor.salt, 1)]))
            task_id, person = floor.walk(batch_id).task_id, floor.person(f"W-{number}")
            who = {"now": park.clock.now(), "actor": f"person:{person}", "person_id": person}
            acting(park.database, lambda call, t=task_id: work.claim(call, t), park.warehouse_id, **who)  # type: ignore[misc]
        assert people() == 3
