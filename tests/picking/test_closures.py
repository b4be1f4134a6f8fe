"""Aisles and zones are closed while orders are promised, planned, and walked."""

from __future__ import annotations

from itertools import pairwise

import pytest
from sqlalchemy import select

from tests.builders import at_once, stock_in
from tests.outbound.orders import allocate, broken_promises, cancel, held_from, order, place
from tests.picking.floor import FAR, MIDDLE, NEAR, Floor, a_floor, refused, topics
from tests.picking.hand import LANE, Hand, barcode, slot, tote
from wms.core.db import Database
from wms.core.dialogue import Level
from wms.core.refusal import Reason
from wms.exchange.floor import follow
from wms.ledger.tables import Hold
from wms.optimise.geometry import Point, RectHall
from wms.outbound.service import waves
from wms.outbound.values import OrderState, Shortage
from wms.picking import service
from wms.picking.dialogue import CLUSTER_PICK
from wms.picking.queries.aside import aside_counts, aside_lines
from wms.picking.queries.walk import path_of_batch
from wms.picking.rules.rerouting import walkable
from wms.picking.service import closures
from wms.picking.values import BatchState, PickState
from wms.site import closing, queries

MIDDLE_FREE = "A01-07-1A"


@pytest.fixture
def floor(database: Database) -> Floor:
    return a_floor(database)


def close(floor: Floor, name: str, **more: object) -> int:
    """Closed, and everything followed."""
    closed = floor.park.act(lambda call: closing.close_aisle(call, name, why="漏水", **more))  # type: ignore[arg-type]
    go_on(floor)
    return closed.id


def open_again(floor: Floor, closure_id: int) -> None:
    floor.park.act(lambda call: closing.open_again(call, closure_id))
    go_on(floor)


def go_on(floor: Floor) -> int:
    return follow(floor.park.database, floor.park.clock, floor.park.warehouse_id)


def slots(floor: Floor, batch_id: int) -> list[str]:
    return [pick.slot_code for pick in floor.walk(batch_id).open_picks]


def aside(floor: Floor, batch_id: int) -> list[tuple[str, str]]:
    return [(pick.slot_code, pick.why) for pick in floor.walk(batch_id).aside_picks]


def a_picker(floor: Floor) -> Hand:
    return Hand(floor.park, CLUSTER_PICK, floor.person("W-1"))


def walks_open_floor(floor: Floor, batch_id: int) -> bool:
    hall = floor.park.read(lambda session: queries.hall(session, floor.park.warehouse_id))
    return walkable(hall.now, floor.park.read(lambda session: path_of_batch(session, batch_id)))


class TestBeforeTheWalk:
    def test_what_cannot_be_reached_is_set_aside_with_its_reason_and_comes_back(self, floor: Floor) -> None:
        batch_id = floor.batch(("O1", [(floor.tea, 1)]), ("O2", [(floor.salt, 2)]))
        before = floor.walk(batch_id)
        closure = close(floor, "A02")
        assert slots(floor, batch_id) == [NEAR]
        assert aside(floor, batch_id) == [(FAR, "A02: 漏水")]
        assert walks_open_floor(floor, batch_id)
        lines = floor.park.read(lambda session: aside_lines(session, floor.park.warehouse_id))
        assert [(one.order_no, one.slot_code, one.quantity, one.why) for one in lines] == [("O2", FAR, 2, "A02: 漏水")]
        assert lines[0].closure_ids == (closure,)
        assert floor.park.read(lambda session: aside_counts(session, floor.park.warehouse_id)) == (1, 1)
        open_again(floor, closure)
        after = floor.walk(batch_id)
        assert [(p.slot_code, p.stop, p.state, p.why) for p in after.picks] == [
            (p.slot_code, p.stop, p.state, "") for p in before.picks
        ]
        assert floor.park.read(lambda session: aside_lines(session, floor.park.warehouse_id)) == []
        assert broken_promises(floor.park) == []

    def test_the_same_goods_elsewhere_are_taken_instead(self, floor: Floor) -> None:
        floor.park.act(lambda call: stock_in(call, floor.salt, MIDDLE_FREE, 5))
        batch_id = floor.batch(("O1", [(floor.tea, 1)]), ("O2", [(floor.salt, 7)]))
        close(floor, "A02")
        assert {(p.slot_code, p.left) for p in floor.walk(batch_id).open_picks} == {(NEAR, 1), (MIDDLE_FREE, 5)}
        assert aside(floor, batch_id) == [(FAR, "A02: 漏水")]
        assert [pick.wanted for pick in floor.walk(batch_id).aside_picks] == [2]
        holds = floor.park.read(lambda session: sorted(session.scalars(select(Hold.quantity).where(Hold.quantity > 0))))
        assert holds == [1, 2, 5]
        assert broken_promises(floor.park) == []

    def test_who_begins_leaves_orders_behind_that_he_could_not_pick_whole(self, floor: Floor) -> None:
        batch_id = floor.batch(("O1", [(floor.tea, 1), (floor.nuts, 1)]), ("O2", [(floor.tea, 1), (floor.salt, 2)]))
        closure = close(floor, "A02")
        hand = a_picker(floor)
        message = hand.begin()
        assert message is None  # the walk was laid out before anybody had it
        assert [tote.order_no for tote in floor.walk(batch_id).totes if not tote.dropped] == ["O1"]
        left = order(floor.park, "O2")
        assert (left.state, left.wave_id) == (OrderState.ALLOCATED, None)
        assert floor.park.act(waves.make_waves) == []  # no wave takes it while the way is closed
        open_again(floor, closure)
        assert len(floor.park.act(waves.make_waves)) == 1
        assert broken_promises(floor.park) == []

    def test_a_batch_of_which_nothing_is_left_is_called_off_and_the_next_one_given(self, floor: Floor) -> None:
        far = floor.batch(("O1", [(floor.salt, 1)]))
        near = floor.batch(("O2", [(floor.tea, 1)]))
        close(floor, "A02")
        hand = a_picker(floor)
        hand.begin()
        assert hand.state["batch"] == near
        assert floor.walk(far).state is BatchState.CANCELLED
        hand.press("leave")
        floor.park.act(lambda call: service.begin_batch(call, near, "C-01"))
        assert broken_promises(floor.park) == []

    def test_a_walk_that_touches_nothing_closed_stays_as_it_is(self, floor: Floor) -> None:
        batch_id = floor.batch(("O1", [(floor.tea, 1), (floor.nuts, 1)]))
        path = floor.park.read(lambda session: path_of_batch(session, batch_id))
        floor.park.act(lambda call: closing.close_aisle(call, "D04", why="x"))
        assert go_on(floor) == 0
        assert floor.park.read(lambda session: path_of_batch(session, batch_id)) == path
        assert not floor.walk(batch_id).floor_changed

    def test_a_way_that_is_closed_is_walked_around(self, floor: Floor) -> None:
        batch_id = floor.batch(("O1", [(floor.salt, 1)]))
        before = floor.park.read(lambda session: path_of_batch(session, batch_id))
        hall = hall_now(floor)
        used = next(
            a.x_mm for a, b in pairwise(before) if a.x_mm == b.x_mm and min(a.y_mm, b.y_mm) == hall.cross_y_mm[0]
        )
        close(floor, ("A01", "A02")[hall.aisle_x_mm.index(used)], bays=(1, 5))
        assert slots(floor, batch_id) == [FAR]
        assert walks_open_floor(floor, batch_id)
        assert not walkable(hall_now(floor), before)


def hall_now(floor: Floor) -> RectHall:
    return floor.park.read(lambda session: queries.hall(session, floor.park.warehouse_id)).now


class TestPlansAndPromises:
    def test_a_new_plan_keeps_out_of_what_is_closed(self, floor: Floor) -> None:
        wave = floor.release(("O1", [(floor.tea, 1)]), ("O2", [(floor.salt, 1)]))
        floor.park.act(lambda call: closing.close_aisle(call, "A02", why="x"))
        planned = floor.park.act(lambda call: service.plan_wave(call, wave))
        assert [slots(floor, batch_id) for batch_id in planned.batches] == [[NEAR]]
        assert order(floor.park, "O2").state is OrderState.ALLOCATED

    def test_promised_goods_of_waiting_orders_are_promised_from_elsewhere(self, floor: Floor) -> None:
        floor.park.act(lambda call: stock_in(call, floor.salt, MIDDLE_FREE, 5))
        place(floor.park, "O1", (floor.salt, 3))
        allocate(floor.park, "O1")
        close(floor, "A02")
        assert floor.park.read(lambda session: aside_counts(session, floor.park.warehouse_id)) == (0, 0)
        assert len(floor.park.act(waves.make_waves)) == 1
        assert broken_promises(floor.park) == []

    def test_nothing_is_promised_from_behind_a_closed_way(self, floor: Floor) -> None:
        floor.park.act(lambda call: closing.close_aisle(call, "A02", why="x"))
        place(floor.park, "O1", (floor.salt, 3))
        assert allocate(floor.park, "O1").allocated == 0


class TestOnTheWay:
    def test_the_next_scan_tells_and_the_rest_is_walked_around(self, floor: Floor) -> None:
        batch_id = floor.loaded(("O1", [(floor.tea, 1), (floor.nuts, 1), (floor.salt, 1)]))
        hand = a_picker(floor)
        hand.begin()
        floor.park.act(lambda call: closing.close_aisle(call, "A02", why="漏水"))
        message = hand.scan(slot(NEAR))
        assert message is not None
        assert (message.level, message.code) == (Level.ATTENTION, "S7-23")
        assert "A02" in message.title
        assert "1" in message.text
        assert hand.step == "scan_sku"  # the scan itself counted
        assert slots(floor, batch_id) == [NEAR, MIDDLE]
        assert aside(floor, batch_id) == [(FAR, "A02: 漏水")]
        assert hand.scan(barcode(floor, floor.tea)).level is Level.OK  # type: ignore[union-attr]

    def test_a_stop_he_walks_to_that_was_closed_is_no_longer_the_next(self, floor: Floor) -> None:
        batch_id = floor.loaded(("O1", [(floor.tea, 1), (floor.salt, 1)]))
        hand = a_picker(floor)
        hand.begin()
        first = floor.walk(batch_id).open_picks[0].slot_code
        floor.park.act(lambda call: closing.close_aisle(call, first[:3], why="漏水"))
        message = hand.scan(slot(first))
        assert message is not None
        assert message.code == "S7-23"
        assert hand.step == "scan_slot"
        assert hand.card("location").code != first

    def test_who_stands_at_the_slot_finishes_there(self, floor: Floor) -> None:
        batch_id = floor.loaded(("O1", [(floor.tea, 1), (floor.nuts, 1), (floor.salt, 1)]))
        hand = a_picker(floor)
        hand.begin()
        here = floor.walk(batch_id).open_picks[0]
        hand.scan(slot(here.slot_code))
        floor.park.act(lambda call: closing.close_aisle(call, here.slot_code[:3], why="漏水"))
        message = hand.scan(here.barcode)
        assert message is not None
        assert message.code == "S7-23"
        assert hand.step == "scan_tote"
        hand.scan(tote(1))
        assert floor.walk(batch_id).pick(here.id).state is PickState.DONE  # type: ignore[union-attr]

    def test_opened_again_it_comes_back_into_the_walk(self, floor: Floor) -> None:
        batch_id = floor.loaded(("O1", [(floor.tea, 1), (floor.salt, 1)]))
        hand = a_picker(floor)
        hand.begin()
        closed = floor.park.act(lambda call: closing.close_aisle(call, "A02", why="漏水"))
        hand.scan(slot(NEAR))
        floor.park.act(lambda call: closing.open_again(call, closed.id))
        message = hand.scan(barcode(floor, floor.tea))
        assert message is not None
        assert message.title == "又开放了，路线已改"
        assert slots(floor, batch_id) == [NEAR, FAR]

    def test_at_the_lane_what_could_not_be_reached_is_short_and_says_why(self, floor: Floor) -> None:
        floor.loaded(("O1", [(floor.tea, 1), (floor.salt, 2)]))
        hand = a_picker(floor)
        hand.begin()
        floor.park.act(lambda call: closing.close_aisle(call, "A02", why="漏水"))
        for code in (slot(NEAR), barcode(floor, floor.tea), tote(1)):
            hand.scan(code)
        assert hand.step == "scan_lane"
        hand.scan(LANE)
        known = order(floor.park, "O1")
        assert (known.state, known.short_reason) == (OrderState.PICKED, Shortage.WAY_CLOSED.value)
        assert "order.short" in topics(floor.park)
        assert floor.park.read(lambda session: list(session.scalars(select(Hold.id).where(Hold.quantity > 0)))) == []
        assert broken_promises(floor.park) == []

    def test_a_stopped_order_takes_what_is_set_aside_with_it(self, floor: Floor) -> None:
        batch_id = floor.loaded(("O1", [(floor.tea, 1)]), ("O2", [(floor.salt, 2)]))
        floor.park.act(lambda call: closing.close_aisle(call, "A02", why="漏水"))
        floor.park.act(lambda call: service.lay_out_again(call, batch_id))
        cancel(floor.park, "O2")
        floor.park.act(lambda call: service.drop_stopped(call, batch_id))
        assert floor.walk(batch_id).aside_picks == ()
        assert broken_promises(floor.park) == []

    def test_a_batch_somebody_began_is_left_to_his_next_scan(self, floor: Floor) -> None:
        batch_id = floor.loaded(("O1", [(floor.salt, 1)]))
        close(floor, "A02")
        assert slots(floor, batch_id) == [FAR]
        assert floor.park.act(lambda call: service.lay_out_open(call, batch_id)) is None


def test_a_pick_set_aside_is_not_picked(floor: Floor) -> None:
    batch_id = floor.loaded(("O1", [(floor.tea, 1), (floor.salt, 1)]))
    floor.park.act(lambda call: closing.close_aisle(call, "A02", why="漏水"))
    floor.park.act(lambda call: service.lay_out_again(call, batch_id))
    (out,) = floor.walk(batch_id).aside_picks
    assert refused(floor.park, lambda call: service.pick(call, out.id, 1)).reason is Reason.PICK_DONE


def test_the_walk_of_a_batch_starts_at_the_depot(floor: Floor) -> None:
    batch_id = floor.batch(("O1", [(floor.tea, 1), (floor.salt, 1)]))
    close(floor, "A02")
    path = floor.park.read(lambda session: path_of_batch(session, batch_id))
    assert path[0] == path[-1] == Point(*hall_now(floor).start_point)


class TestAtOnce:
    def test_an_aisle_is_closed_and_opened_while_people_pick_and_orders_wait(self, floor: Floor) -> None:
        """No deadlock, no promise lost: what an order was allocated is picked, or still held for it."""
        floor.park.act(lambda call: stock_in(call, floor.salt, MIDDLE_FREE, 5))
        goods = [(floor.tea, 1), (floor.nuts, 1), (floor.salt, 2)]
        begun = floor.loaded(("O1", goods), ("O2", goods))
        ahead = floor.batch(("O3", goods), ("O4", [(floor.salt, 3), (floor.nuts, 1)]))
        place(floor.park, "O5", (floor.salt, 4))
        allocate(floor.park, "O5")

        def close_and_open() -> None:
            for _ in range(3):
                open_again(floor, close(floor, "A02"))

        def pick_all() -> None:
            floor.pick_all(begun)

        def wander() -> None:
            for _ in range(4):
                floor.park.act(lambda call: service.lay_out_open(call, ahead))
                cut_off = floor.park.read(lambda session: closures.orders_cut_off(session, floor.park.warehouse_id))
                floor.park.act(lambda call, ids=cut_off: closures.promise_elsewhere(call, ids))  # type: ignore[misc]

        assert at_once([close_and_open, pick_all, wander]) == [None, None, None]
        assert broken_promises(floor.park) == []
        assert floor.walk(begun).open_picks == ()
        for no, pieces in (("O1", 0), ("O2", 0), ("O3", 4), ("O4", 4), ("O5", 4)):
            assert sum(quantity for _, quantity in held_from(floor.park, no)) == pieces, no
        assert sum(pick.wanted for pick in floor.walk(ahead).picks) == 8
