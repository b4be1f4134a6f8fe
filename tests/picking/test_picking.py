"""Carts are loaded, goods are picked into totes, totes are left at the lane."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from sqlalchemy import select

from tests.outbound.orders import broken_promises, counted_statements, lines, order
from tests.picking.floor import FAR, NEAR, Floor, a_floor, refused, topics
from wms.core.call import Call
from wms.core.db import Database
from wms.core.refusal import Reason, Refused
from wms.ledger.tables import MovementRow
from wms.outbound import queries as outbound_queries
from wms.outbound.values import OrderState, WaveState
from wms.picking import queries, service
from wms.picking.queries.walk import forget
from wms.picking.values import PickState, Walk
from wms.site import queries as site
from wms.site import service as site_service
from wms.work import queries as work


@pytest.fixture
def floor(database: Database) -> Floor:
    return a_floor(database)


class TestLoadingTheCart:
    def test_a_cart_is_taken_and_the_orders_are_being_picked(self, floor: Floor) -> None:
        batch_id = floor.batch(("A-1", [(floor.tea, 1)]))
        floor.park.act(lambda call: service.begin_batch(call, batch_id, "C-01"))
        assert floor.walk(batch_id).cart_code == "C-01"
        assert order(floor.park, "A-1").state is OrderState.PICKING

    def test_the_same_cart_again_changes_nothing(self, floor: Floor) -> None:
        batch_id = floor.batch(("A-1", [(floor.tea, 1)]))
        for _ in range(2):
            floor.park.act(lambda call: service.begin_batch(call, batch_id, "C-01"))
        assert refused(floor.park, lambda call: service.begin_batch(call, batch_id, "C-02")).reason is Reason.STEP_WRONG

    def test_a_cart_in_use_is_refused(self, floor: Floor) -> None:
        first = floor.batch(("A-1", [(floor.tea, 1)]))
        second = floor.batch(("A-2", [(floor.tea, 1)]))
        floor.park.act(lambda call: service.begin_batch(call, first, "C-01"))
        no = refused(floor.park, lambda call: service.begin_batch(call, second, "C-01"))
        assert no.reason is Reason.CONTAINER_IN_USE

    def test_each_order_gets_an_empty_tote_of_its_own(self, floor: Floor) -> None:
        batch_id = floor.loaded(("A-1", [(floor.tea, 1)]), ("A-2", [(floor.nuts, 1)]))
        assert [tote.tote_code for tote in floor.walk(batch_id).totes] == ["T-0001", "T-0002"]
        on_cart = floor.park.read(
            lambda session: site.containers_in(
                session, floor.park.warehouse_id, site.container_by_code(session, 1, "cart", "C-01").place_id
            )
        )
        assert [(tote.code, tote.state) for tote in on_cart] == [("T-0001", "in_use"), ("T-0002", "in_use")]

    def test_what_is_known_of_a_walk_after_loading_is_what_its_rows_tell(self, floor: Floor) -> None:
        batch_id = floor.batch(("A-1", [(floor.tea, 1)]), ("A-2", [(floor.nuts, 1)]))
        steps: list[Callable[[Call], object]] = [
            lambda call: service.begin_batch(call, batch_id, "C-01"),
            lambda call: service.assign_tote(call, batch_id, 2, "T-0002"),
            lambda call: service.assign_tote(call, batch_id, 1, "T-0001"),
        ]

        def load(call: Call, step: Callable[[Call], object]) -> tuple[Walk, Walk]:
            step(call)
            known = queries.walk_of_batch(call.session, call.warehouse_id, batch_id)
            forget(call.session, batch_id)
            return known, queries.walk_of_batch(call.session, call.warehouse_id, batch_id)

        for step in steps:
            known, told = floor.park.act(lambda call, step=step: load(call, step))  # type: ignore[misc]
            assert known == told

    def test_a_tote_in_use_is_refused(self, floor: Floor) -> None:
        floor.loaded(("A-1", [(floor.tea, 1)]))
        second = floor.batch(("A-2", [(floor.tea, 1)]))
        floor.park.act(lambda call: service.begin_batch(call, second, "C-02"))
        no = refused(floor.park, lambda call: service.assign_tote(call, second, 1, "T-0001"))
        assert (no.reason, no.facts["container"]) == (Reason.CONTAINER_IN_USE, "T-0001")

    def test_a_tote_with_goods_left_in_it_is_refused(self, floor: Floor) -> None:
        batch_id = floor.loaded(("A-1", [(floor.tea, 1)]))
        floor.pick_all(batch_id)
        tote_id = floor.walk(batch_id).totes[0].tote_id
        floor.park.act(lambda call: site_service.free_container(call, tote_id or 0))
        second = floor.batch(("A-2", [(floor.tea, 1)]))
        floor.park.act(lambda call: service.begin_batch(call, second, "C-02"))
        no = refused(floor.park, lambda call: service.assign_tote(call, second, 1, "T-0001"))
        assert no.reason is Reason.CONTAINER_IN_USE

    def test_an_empty_tote_may_be_taken_off_again(self, floor: Floor) -> None:
        batch_id = floor.loaded(("A-1", [(floor.tea, 2)]))
        floor.park.act(lambda call: service.unassign_tote(call, batch_id, 1))
        floor.park.act(lambda call: service.assign_tote(call, batch_id, 1, "T-0001"))
        floor.pick_all(batch_id)
        no = refused(floor.park, lambda call: service.unassign_tote(call, batch_id, 1))
        assert no.reason is Reason.NOTHING_TO_UNDO


class TestPicking:
    def test_goods_go_from_the_slot_into_the_orders_tote(self, floor: Floor) -> None:
        batch_id = floor.loaded(("A-1", [(floor.tea, 3)]))
        (pick,) = floor.walk(batch_id).open_picks
        floor.park.act(lambda call: service.pick(call, pick.id, 3, "T-0001"))
        assert (floor.on_hand(NEAR), floor.on_hand("T-0001")) == (7, 3)
        assert [line.picked for line in lines(floor.park, "A-1")] == [3]
        rows = floor.park.read(
            lambda session: session.scalars(select(MovementRow).where(MovementRow.kind == "pick")).all()
        )
        assert [row.reference for row in rows] == [f"order:{order(floor.park, 'A-1').id}"]
        assert broken_promises(floor.park) == []

    def test_a_part_leaves_the_rest_open(self, floor: Floor) -> None:
        batch_id = floor.loaded(("A-1", [(floor.tea, 3)]))
        (pick,) = floor.walk(batch_id).open_picks
        floor.park.act(lambda call: service.pick(call, pick.id, 2))
        (rest,) = floor.walk(batch_id).open_picks
        assert (rest.picked, rest.left) == (2, 1)

    @pytest.mark.parametrize(
        ("quantity", "tote", "reason"),
        [
            (4, None, Reason.PICK_TOO_MANY),
            (0, None, Reason.QUANTITY_WRONG),
            (1, "T-0002", Reason.TOTE_OF_OTHER_ORDER),
            (1, "T-0009", Reason.TOTE_NOT_ON_CART),
        ],
    )
    def test_what_is_wrong_is_refused(self, floor: Floor, quantity: int, tote: str | None, reason: Reason) -> None:
        batch_id = floor.loaded(("A-1", [(floor.tea, 3)]), ("A-2", [(floor.nuts, 1)]))
        pick = next(pick for pick in floor.walk(batch_id).open_picks if pick.quantity == 3)
        assert refused(floor.park, lambda call: service.pick(call, pick.id, quantity, tote)).reason is reason
        assert floor.on_hand(NEAR) == 10

    def test_a_pick_is_done_once(self, floor: Floor) -> None:
        batch_id = floor.loaded(("A-1", [(floor.tea, 1)]))
        (pick,) = floor.walk(batch_id).open_picks
        floor.park.act(lambda call: service.pick(call, pick.id, 1))
        assert refused(floor.park, lambda call: service.pick(call, pick.id, 1)).reason is Reason.PICK_DONE

    def test_two_hands_at_one_pick_take_it_once(self, floor: Floor) -> None:
        batch_id = floor.loaded(("A-1", [(floor.tea, 1)]))
        (pick,) = floor.walk(batch_id).open_picks
        results: list[str] = []

        def take() -> None:
            try:
                floor.park.act(lambda call: service.pick(call, pick.id, 1))
                results.append("done")
            except Refused as no:
                results.append(no.reason.value)

        threads = [threading.Thread(target=take) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert sorted(results) == ["done", "pick_done", "pick_done", "pick_done"]
        assert floor.on_hand("T-0001") == 1

    def test_nothing_is_picked_before_the_order_has_a_tote(self, floor: Floor) -> None:
        batch_id = floor.batch(("A-1", [(floor.tea, 1)]))
        (pick,) = floor.walk(batch_id).open_picks
        assert refused(floor.park, lambda call: service.pick(call, pick.id, 1)).reason is Reason.STEP_WRONG

    def test_a_pick_costs_six_statements_at_most(self, floor: Floor) -> None:
        batch_id = floor.loaded(("A-1", [(floor.tea, 3)]), ("A-2", [(floor.tea, 1)]))
        first, second = floor.walk(batch_id).open_picks
        floor.park.act(lambda call: service.pick(call, first.id, first.left))
        with counted_statements(floor.park.database) as seen:
            floor.park.act(lambda call: service.pick(call, second.id, second.left))
        assert len([one for one in seen if not one.startswith("BEGIN")]) <= 6, "\n".join(seen)


class TestTheEndOfTheWalk:
    def test_at_the_lane_the_orders_are_picked_the_cart_free_and_the_wave_done(self, floor: Floor) -> None:
        batch_id = floor.loaded(("A-1", [(floor.tea, 1)]), ("A-2", [(floor.salt, 2)]))
        floor.pick_all(batch_id)
        floor.park.act(lambda call: service.finish_batch(call, batch_id, "PK-01"))
        assert [order(floor.park, no).state for no in ("A-1", "A-2")] == [OrderState.PICKED, OrderState.PICKED]
        lane = floor.park.read(lambda session: site.place_of_station(session, 1, "PK-01"))
        totes = floor.park.read(lambda session: site.containers_in(session, 1, lane))
        assert [tote.code for tote in totes] == ["T-0001", "T-0002"]
        cart = floor.park.read(lambda session: site.container_by_code(session, 1, "cart", "C-01"))
        assert cart.state == "free"
        (wave,) = floor.park.read(lambda session: outbound_queries.waves(session, 1))
        assert wave.state is WaveState.DONE
        assert floor.park.read(lambda session: work.tasks(session, 1)) == []
        assert topics(floor.park)[-1] == "batch.picked"

    def test_nobody_leaves_while_something_is_to_be_picked(self, floor: Floor) -> None:
        batch_id = floor.loaded(("A-1", [(floor.tea, 3)]))
        no = refused(floor.park, lambda call: service.finish_batch(call, batch_id, "PK-01"))
        assert (no.reason, no.facts["missing"]) == (Reason.ITEMS_MISSING, 3)

    def test_a_lane_nobody_knows_is_refused(self, floor: Floor) -> None:
        batch_id = floor.loaded(("A-1", [(floor.tea, 1)]))
        floor.pick_all(batch_id)
        no = refused(floor.park, lambda call: service.finish_batch(call, batch_id, "PK-99"))
        assert no.reason is Reason.STATION_UNKNOWN

    def test_packing_finds_an_orders_totes(self, floor: Floor) -> None:
        batch_id = floor.loaded(("A-1", [(floor.tea, 1)]))
        order_id = order(floor.park, "A-1").id
        assert floor.park.read(lambda session: queries.totes_of_order(session, 1, order_id)) == []
        floor.pick_all(batch_id)
        found = floor.park.read(lambda session: queries.totes_of_order(session, 1, order_id))
        assert [code for _, code in found] == ["T-0001"]


class TestSkipping:
    def test_a_skipped_stop_comes_last_and_is_not_lost(self, floor: Floor) -> None:
        batch_id = floor.loaded(("A-1", [(floor.tea, 1), (floor.nuts, 1), (floor.salt, 1)]))
        first, *others = [pick.slot_code for pick in floor.walk(batch_id).open_picks]
        stop = floor.walk(batch_id).open_picks[0].stop
        floor.park.act(lambda call: service.skip_stop(call, batch_id, stop))
        assert [pick.slot_code for pick in floor.walk(batch_id).open_picks] == [*others, first]

    def test_the_last_stop_cannot_be_skipped(self, floor: Floor) -> None:
        batch_id = floor.loaded(("A-1", [(floor.tea, 1)]))
        assert refused(floor.park, lambda call: service.skip_stop(call, batch_id, 1)).reason is Reason.STEP_WRONG


def test_the_supervisor_sees_who_has_which_batch_and_how_far_he_is(floor: Floor) -> None:
    batch_id = floor.loaded(("A-1", [(floor.tea, 3), (floor.salt, 1)]), ("A-2", [(floor.tea, 1), (floor.nuts, 1)]))
    first = floor.walk(batch_id).open_picks[0]
    floor.park.act(lambda call: service.pick(call, first.id, first.left))
    (batch,) = floor.park.read(lambda session: queries.open_batches(session, floor.park.warehouse_id))
    assert (batch.orders, batch.stops, batch.pieces, batch.picked, batch.short) == (2, 3, 6, first.quantity, 0)
    assert (batch.cart_code, batch.person, batch.state) == ("C-01", None, "picking")
    assert FAR in {pick.slot_code for pick in floor.walk(batch_id).picks if pick.state is PickState.OPEN}
