"""Goods that lie in several slots are picked from those that make the walk shortest."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import select, update

from tests.builders import at_once, stock_in
from tests.outbound.orders import allocate, broken_promises, cancel, held_from, place
from tests.picking.floor import FAR, NEAR, Floor, a_floor
from tests.picking.test_planning import HALL, goods
from wms.core.call import Who
from wms.core.db import Database
from wms.core.refusal import Reason, Refused
from wms.exchange import waves
from wms.optimise.batching import Cart, Order
from wms.optimise.batching.crowding import Crew
from wms.optimise.geometry import Closed, RectHall, Stop
from wms.outbound import service as outbound
from wms.outbound.tables import Wave
from wms.picking.queries.alike import lying_alike
from wms.picking.queries.plans import PlanFacts, parts_of_plan, plan_of_wave
from wms.picking.rules.nearby import STOP_WORTH_MM, least_mm, nearer, shelves
from wms.picking.rules.nearby_check import check_nearer, complaints
from wms.picking.rules.planning import laid_out, problem_of, solve
from wms.picking.service import plans
from wms.picking.service.planning import cart_limits, goods_of
from wms.picking.solver import CREW, Ask, Done, plan
from wms.picking.tables import Batch, PickLine
from wms.picking.values import CartLimits, Goods, Lying, PlannedBatch, PlanState
from wms.site import queries as site
from wms.site.tables import Slot

WALL = datetime(2026, 11, 7, 6, 0, tzinfo=UTC)
BESIDE = "A01-01-2A"  # the same bay as NEAR, a level higher


def lying(stock: int, aisle: int, y_mm: int, free: int, lot: int = 1, turn: str = "since 2026-11-07") -> Lying:
    return Lying(stock, (lot, "", turn), stock, f"S{stock:02d}", 1, Stop(aisle, y_mm), free)


def own(*some: Goods, free: int = 0) -> list[Lying]:
    """The rows from which goods were promised; SKU, lot and row of a slot have one number here."""
    return [lying(one.stock_id, one.stop.aisle, one.stop.y_mm, free, lot=one.sku_id) for one in some]


def batches_of(*some: Goods, totes: int = 12, hall: RectHall = HALL) -> list[PlannedBatch]:
    return laid_out(solve(problem_of("W", hall, some, CartLimits(totes=totes))))


def chosen(promised: list[PlannedBatch], rows: list[Lying], hall: RectHall = HALL) -> list[PlannedBatch]:
    found = nearer(promised, hall, rows, lambda: False)
    check_nearer(promised, found, hall, rows)
    return found


def taken(batch: PlannedBatch) -> list[tuple[int, int, int]]:
    """Hold, row, quantity."""
    return sorted((each.hold_id, each.stock_id, each.quantity) for _, each in batch.picks)


class TestOnPaper:
    here, far = goods(1, 1, 0, 2_000), goods(1, 2, 2, 9_000, quantity=2)

    def test_goods_that_also_lie_on_the_way_are_taken_there(self) -> None:
        promised = batches_of(self.here, self.far)
        (batch,) = chosen(promised, [*own(self.far), lying(9, 0, 3_000, 5, lot=2)])
        assert taken(batch) == [(101, 1, 1), (102, 9, 2)]
        assert (batch.walk_mm, batch.promised_mm) == (6_000, promised[0].walk_mm)
        assert batch.promised_mm == 2 * (10_000 + 6_000)

    @pytest.mark.parametrize("other", [lying(9, 0, 3_000, 5, lot=3), lying(9, 0, 3_000, 5, lot=2, turn="until 2027")])
    def test_another_lot_or_turn_never_stands_for_what_was_promised(self, other: Lying) -> None:
        promised = batches_of(self.here, self.far)
        assert chosen(promised, [*own(self.far), other]) == promised

    def test_what_is_promised_to_others_is_not_taken(self) -> None:
        promised = batches_of(self.here, self.far)
        assert chosen(promised, [*own(self.far), lying(9, 0, 3_000, 0, lot=2)]) == promised

    def test_a_free_piece_is_given_once(self) -> None:
        some = [goods(1, 1, 0, 2_000), goods(1, 2, 2, 9_000), goods(2, 3, 0, 2_000), goods(2, 2, 2, 9_000)]
        found = chosen(batches_of(*some, totes=1), [*own(some[1]), lying(9, 0, 3_000, 1, lot=2)])
        assert sorted(row for batch in found for _, row, _ in taken(batch)) == [1, 2, 3, 9]

    def test_a_promise_may_come_from_two_rows_when_that_is_worth_the_stop(self) -> None:
        wanted = goods(1, 2, 2, 9_000, quantity=5)
        promised = batches_of(self.here, wanted)
        rows = [*own(wanted), lying(8, 0, 3_000, 3, lot=2), lying(9, 0, 4_000, 2, lot=2)]
        (batch,) = chosen(promised, rows)
        assert taken(batch) == [(101, 1, 1), (102, 8, 3), (102, 9, 2)]
        assert [stop for stop, _ in batch.picks] == [1, 2, 3]

    def test_a_few_metres_are_not_worth_a_further_stop(self) -> None:
        wanted = goods(1, 2, 0, 7_000, quantity=5)
        promised = batches_of(self.here, wanted)
        assert STOP_WORTH_MM > 2 * (7_000 - 4_000)
        rows = [*own(wanted), lying(8, 0, 3_000, 3, lot=2), lying(9, 0, 4_000, 2, lot=2)]
        assert chosen(promised, rows) == promised

    def test_what_can_stay_as_promised_stays(self) -> None:
        a, b = goods(1, 2, 2, 9_000), goods(2, 2, 2, 9_000)
        rows = [*own(a, free=5), lying(9, 2, 9_000, 9, lot=2)]
        promised = batches_of(self.here, a, b)
        assert chosen(promised, rows) == promised

    def test_when_the_time_is_over_the_promised_slots_stay(self) -> None:
        promised = batches_of(self.here, self.far)
        assert nearer(promised, HALL, [*own(self.far), lying(9, 0, 3_000, 5, lot=2)], lambda: True) == promised

    def test_a_slot_behind_a_closed_aisle_is_not_chosen(self) -> None:
        hall = replace(HALL, closed=(Closed(0, 2_500, 9_000),))
        promised = batches_of(self.here, self.far, hall=hall)
        assert chosen(promised, [*own(self.far), lying(9, 0, 3_000, 5, lot=2)], hall) == promised

    def test_the_bound_holds_for_every_choice_of_slots(self) -> None:
        some = {1: (self.here, self.far)}
        orders = [Order("1", tuple(each.stop for each in some[1]), (1,))]
        rows = shelves(HALL, [*own(self.far), lying(9, 0, 3_000, 5, lot=2)])
        assert least_mm(some, orders, [Cart((12,))], HALL, rows) == 6_000
        assert least_mm(some, orders, [Cart((12,))], HALL, shelves(HALL, [])) == 30_000

    def test_whatever_lies_where_no_walk_gets_longer_and_no_row_is_overdrawn(self) -> None:
        saved_mm = [self.saved_mm(random.Random(seed)) for seed in range(10)]
        assert min(saved_mm) >= 0
        assert sum(saved > 0 for saved in saved_mm) >= 7

    def saved_mm(self, dice: random.Random) -> int:
        some = [
            goods(order, slot, slot % 3, 700 * slot, quantity=dice.randint(1, 4))
            for order in range(1, 9)
            for slot in dice.sample(range(1, 28), 3)
        ]
        rows = {one.stock_id: one for one in own(*some)}
        for stock in range(100, 160):
            place = dice.randrange(3), dice.randrange(20_001)
            rows[stock] = lying(stock, *place, dice.randrange(4), lot=stock % 27 + 1)
        promised = batches_of(*some, totes=3)
        return sum(batch.promised_mm - batch.walk_mm for batch in chosen(promised, list(rows.values())))


class TestTheJudge:
    """Each complaint is heard when it is due."""

    here, far = goods(1, 1, 0, 2_000), goods(1, 2, 2, 9_000, quantity=2)
    rows = (*own(far), lying(9, 0, 3_000, 5, lot=2))

    def heard(self, spoil: Callable[[PlannedBatch], PlannedBatch]) -> str:
        promised = batches_of(self.here, self.far)
        (batch,) = nearer(promised, HALL, self.rows, lambda: False)
        assert list(complaints(promised, [batch], HALL, list(self.rows))) == []
        with pytest.raises(Refused) as no:
            check_nearer(promised, [spoil(batch)], HALL, list(self.rows))
        assert no.value.reason is Reason.PLAN_UNSOUND
        return str(no.value.facts["what"])

    def picked(self, **other: Any) -> Callable[[PlannedBatch], PlannedBatch]:
        def spoil(batch: PlannedBatch) -> PlannedBatch:
            picks = [(stop, replace(each, **other) if each.stock_id == 9 else each) for stop, each in batch.picks]
            return replace(batch, picks=tuple(picks))

        return spoil

    def test_a_promise_picked_by_halves(self) -> None:
        assert "not picked whole" in self.heard(self.picked(quantity=1))

    def test_other_goods(self) -> None:
        assert "something else" in self.heard(self.picked(lot_id=7))

    def test_a_row_that_is_not_alike(self) -> None:
        assert "may not stand for" in self.heard(self.picked(stock_id=1))

    def test_a_row_somewhere_else(self) -> None:
        assert "does not lie in" in self.heard(self.picked(slot_id=4))

    def test_more_than_is_free(self) -> None:
        promised = batches_of(self.here, self.far)
        found = nearer(promised, HALL, self.rows, lambda: False)
        less = [replace(row, free=1) if row.stock_id == 9 else row for row in self.rows]
        assert "of which 1 are free" in next(complaints(promised, found, HALL, less))

    def test_a_walk_that_is_longer_or_not_what_it_says(self) -> None:
        assert "less than as promised" in self.heard(lambda batch: replace(batch, walk_mm=40_000))
        assert "mm long" in self.heard(lambda batch: replace(batch, walk_mm=5_000))

    def test_other_orders(self) -> None:
        assert "other orders" in self.heard(lambda batch: replace(batch, order_ids=(1, 2)))


@pytest.fixture
def floor(database: Database) -> Floor:
    return a_floor(database)


def near_salt(floor: Floor, quantity: int = 5, **lot: Any) -> None:
    """Salt beside the tea: promised comes it from far away, where it came in first."""
    floor.park.act(lambda call: stock_in(call, floor.salt, BESIDE, quantity, **lot))


def drafted(floor: Floor, *nos: str, salt: int = 1) -> str:
    for no in nos:
        place(floor.park, no, (floor.tea, 1), (floor.salt, salt))
        allocate(floor.park, no)
    (wave,) = floor.park.act(lambda call: outbound.make_waves(call, hot_from=1_000))
    return str(wave)


def planned(floor: Floor, wave: str, crew: Crew = CREW) -> PlanFacts:
    """A plan as the process apart reckons it, here."""
    park = floor.park
    floor.park.act(lambda call: plans.want_plan(call, wave, WALL, think_s=5, rounds=1))
    row = park.act(lambda call: plans.begin_reckoning(call, wave, WALL))

    def ask(session: Any) -> tuple[Ask, list[Goods]]:
        some = goods_of(session, row.wave_id)
        rows = lying_alike(session, park.warehouse_id, sorted({each.sku_id for each in some}))
        hall, limits = site.hall(session, park.warehouse_id).now, cart_limits(session, park.warehouse_id)
        return Ask(wave, hall, limits, 1, 1, 5.0, tuple(rows), crew), some

    for frame in plan(*park.read(ask), threading.Event()):
        if isinstance(frame, list):
            park.act(lambda call, some=frame: plans.keep_batches(call, row.id, 1, some))  # type: ignore[misc]
        elif isinstance(frame, Done):
            park.act(lambda call, done=frame: plans.keep_plan(call, wave, row.id, done))  # type: ignore[misc]
    return plan_of(floor, wave)


def plan_of(floor: Floor, wave: str) -> PlanFacts:
    wave_id = floor.park.read(lambda session: session.scalars(select(Wave.id).where(Wave.no == wave)).one())
    found = floor.park.read(lambda session: plan_of_wave(session, wave_id))
    assert found is not None
    return found


def released(floor: Floor, wave: str) -> list[Batch]:
    floor.park.act(lambda call: plans.begin_release(call, wave, WALL))
    while floor.park.act(lambda call: plans.release_some(call, wave, WALL)):
        pass
    return floor.park.read(lambda session: list(session.scalars(select(Batch).order_by(Batch.id))))


def slots_picked(floor: Floor) -> list[tuple[str, int]]:
    query = select(Slot.code, PickLine.quantity).join(PickLine, PickLine.slot_id == Slot.place_id)
    return floor.park.read(lambda session: sorted((code, n) for code, n in session.execute(query)))


class TestOnTheFloor:
    def test_the_plan_says_what_it_saves_and_moves_nothing_before_it_is_released(self, floor: Floor) -> None:
        near_salt(floor)
        wave = drafted(floor, "N1")
        found = planned(floor, wave)
        assert found.state is PlanState.READY
        assert found.lower_bound_mm <= found.walk_mm < found.promised_mm
        (part,) = floor.park.read(lambda session: parts_of_plan(session, found.id))
        assert (part.walk_mm, part.promised_mm) == (found.walk_mm, found.promised_mm)
        assert held_from(floor.park, "N1") == [(NEAR, 1), (FAR, 1)]
        floor.park.act(lambda call: plans.discard(call, wave))
        assert held_from(floor.park, "N1") == [(NEAR, 1), (FAR, 1)]

    def test_released_the_promises_lie_where_the_plan_goes(self, floor: Floor) -> None:
        near_salt(floor)
        wave = drafted(floor, "N1", "N2")
        found = planned(floor, wave)
        (batch,) = released(floor, wave)
        assert (batch.walk_mm, batch.optimal) == (found.walk_mm, True)
        assert slots_picked(floor) == [(NEAR, 1), (NEAR, 1), (BESIDE, 1), (BESIDE, 1)]
        assert held_from(floor.park, "N1") == [(NEAR, 1), (BESIDE, 1)]
        assert broken_promises(floor.park) == []
        floor.park.act(lambda call: floor_begins(call, batch.id))
        floor.pick_all(batch.id)
        assert floor.on_hand(BESIDE) == 3
        assert broken_promises(floor.park) == []

    def test_a_promise_comes_in_parts_when_no_row_has_it_whole(self, floor: Floor) -> None:
        near_salt(floor, 3)
        floor.park.act(lambda call: stock_in(call, floor.salt, "A01-02-1A", 3))
        wave = drafted(floor, "N1", salt=5)
        walk_mm = planned(floor, wave).walk_mm
        assert released(floor, wave)[0].walk_mm == walk_mm
        assert sum(n for code, n in slots_picked(floor) if code in (BESIDE, "A01-02-1A")) == 5
        assert broken_promises(floor.park) == []

    def test_goods_gone_meanwhile_are_picked_where_they_were_promised(self, floor: Floor) -> None:
        near_salt(floor, 2)
        wave = drafted(floor, "N1", salt=2)
        found = planned(floor, wave)
        floor.park.act(lambda call: _promised_to_others(call, floor))
        (batch,) = released(floor, wave)
        assert (batch.walk_mm, batch.optimal) == (found.promised_mm, True)
        assert slots_picked(floor) == [(NEAR, 1), (FAR, 2)]
        assert broken_promises(floor.park) == []

    @pytest.mark.parametrize("flag", ["blocked", "under_count"])
    def test_from_a_slot_that_was_taken_out_of_use_meanwhile_nothing_is_taken(self, floor: Floor, flag: str) -> None:
        near_salt(floor)
        wave = drafted(floor, "N1")
        found = planned(floor, wave)
        shut = update(Slot).where(Slot.code == BESIDE).values({flag: True})
        floor.park.act(lambda call: call.session.execute(shut))
        assert released(floor, wave)[0].walk_mm == found.promised_mm
        assert held_from(floor.park, "N1") == [(NEAR, 1), (FAR, 1)]

    def test_orders_that_left_take_nothing_along(self, floor: Floor) -> None:
        near_salt(floor)
        wave = drafted(floor, "N1", "N2")
        walk_mm = planned(floor, wave).walk_mm
        cancel(floor.park, "N1")
        assert released(floor, wave)[0].walk_mm == walk_mm
        assert held_from(floor.park, "N2") == [(NEAR, 1), (BESIDE, 1)]
        assert broken_promises(floor.park) == []

    def test_goods_that_expire_otherwise_or_came_on_another_day_stay_out_of_it(self, floor: Floor) -> None:
        near_salt(floor, lot="L2", expires_on=date(2027, 6, 1))
        floor.park.clock.advance(days=2)
        floor.park.act(lambda call: stock_in(call, floor.salt, "A01-02-1A", 5))
        wave = drafted(floor, "N1", salt=6)
        found = planned(floor, wave)
        assert found.walk_mm == found.promised_mm
        assert held_from(floor.park, "N1") == [(NEAR, 1), (BESIDE, 5), (FAR, 1)]

    def test_the_house_does_all_of_it_in_a_process_apart(self, floor: Floor) -> None:
        near_salt(floor)
        wave = drafted(floor, "N1")
        floor.park.act(lambda call: plans.want_plan(call, wave, WALL, think_s=5, rounds=1, release_after=True))
        waves.plan(waves.House(floor.park.database, floor.park.clock, Who("system", floor.park.warehouse_id)), wave)
        assert slots_picked(floor) == [(NEAR, 1), (BESIDE, 1)]
        assert broken_promises(floor.park) == []

    def test_at_the_same_moment_others_want_the_same_goods(self, floor: Floor) -> None:
        """A release moves promises while orders are promised and cancelled: each piece is promised once."""
        near_salt(floor, 4)
        wave = drafted(floor, "N1", "N2", "N3")
        planned(floor, wave)
        for no in ("X1", "X2"):
            place(floor.park, no, (floor.salt, 9))
        floor.park.act(lambda call: plans.begin_release(call, wave, WALL))
        outcomes: list[object] = [
            *at_once(
                [
                    lambda: str(floor.park.act(lambda call: plans.release_some(call, wave, WALL))),
                    lambda: str(allocate(floor.park, "X1")),
                    lambda: str(allocate(floor.park, "X2")),
                    lambda: str(cancel(floor.park, "N2")),
                ]
            )
        ]
        assert not any(isinstance(outcome, Refused) for outcome in outcomes)
        assert broken_promises(floor.park) == []
        assert sum(n for _, n in held_from(floor.park, "N1")) == 2
        assert sum(n for _, n in held_from(floor.park, "N3")) == 2


def floor_begins(call: Any, batch_id: int) -> None:
    from wms.picking import service

    service.begin_batch(call, batch_id, "C-01")
    service.assign_tote(call, batch_id, 1, "T-0001")
    service.assign_tote(call, batch_id, 2, "T-0002")


def _promised_to_others(call: Any, floor: Floor) -> None:
    """An order of another takes the salt beside the tea."""
    from wms.ledger import service as ledger
    from wms.ledger.tables import Stock
    from wms.ledger.values import Purpose

    row = call.session.execute(
        select(Stock.id).join(Slot, Slot.place_id == Stock.place_id).where(Slot.code == BESIDE)
    ).scalar_one()
    ledger.hold(call, row, floor.salt.merchant_id, 1, Purpose.ORDER_LINE, 999)
