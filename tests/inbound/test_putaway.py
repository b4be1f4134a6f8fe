"""A box goes into its slots: where the system says and why, or where somebody puts it, if that is lawful."""

from __future__ import annotations

from functools import partial

import pytest
from sqlalchemy import select, update

from tests.builders import MORNING, Park, a_park, a_sku, at_once, stock_in
from tests.inbound.dock import broken_promises, lies_in, open_putaways, put_away, received, refusal
from wms.core.db import Database
from wms.core.refusal import Reason, Refused
from wms.inbound import service
from wms.inbound.values import LotGiven
from wms.ledger.tables import Stock
from wms.ledger.values import Condition
from wms.site import queries as site
from wms.site import service as site_service
from wms.site.tables import Slot
from wms.slotting.tables import SlotLease


@pytest.fixture
def park(database: Database) -> Park:
    return a_park(database)


@pytest.fixture
def quick(sqlite_database: Database) -> Park:
    return a_park(sqlite_database)


def slot_id(park: Park, code: str) -> int:
    return park.read(lambda session: site.slot_by_code(session, park.warehouse_id, code).place_id)


def test_a_box_goes_where_the_system_chooses_and_says_why(park: Park) -> None:
    sku = park.act(a_sku)
    box = received(park, sku, 4, "L-1")
    (done,) = put_away(park, "L-1")
    assert lies_in(park, box.container_id) == []
    assert lies_in(park, slot_id(park, done.slot_code)) == [(sku.code, 4)]
    assert done.reasons
    assert open_putaways(park) == []
    assert refusal(lambda: put_away(park, "L-1")) is Reason.CONTAINER_EMPTY
    assert broken_promises(park) == []


def test_more_of_the_same_lot_joins_it(park: Park) -> None:
    sku = park.act(a_sku)
    received(park, sku, 4, "L-1")
    (first,) = put_away(park, "L-1")
    received(park, sku, 4, "L-2")
    (second,) = put_away(park, "L-2")
    assert second.slot_code == first.slot_code
    assert "same_sku" in second.reasons


def test_a_box_of_several_skus_and_lots_goes_into_as_many_slots(park: Park) -> None:
    tea, nuts = park.act(lambda call: a_sku(call, "TEA", lot_tracked=True)), park.act(a_sku)
    received(park, tea, 2, "L-1", lot=LotGiven("B1"))
    received(park, tea, 3, "L-1", lot=LotGiven("B2"))
    received(park, nuts, 4, "L-1")
    done = put_away(park, "L-1")
    assert len({one.slot_code for one in done}) == 3
    assert sorted(one.quantity for one in done) == [2, 3, 4]


def test_a_part_of_a_box_may_be_stored(park: Park) -> None:
    sku = park.act(a_sku)
    box = received(park, sku, 10, "L-1")
    assert [one.quantity for one in put_away(park, "L-1", "A01-01-1A", quantity=4)] == [4]
    assert lies_in(park, box.container_id) == [(sku.code, 6)]
    assert len(open_putaways(park)) == 1
    assert refusal(lambda: put_away(park, "L-1", "A01-01-1A", quantity=7)) is Reason.QUANTITY_WRONG


def test_each_rule_a_slot_breaks_has_its_own_word(quick: Park) -> None:
    sku, heavy = quick.act(a_sku), quick.act(lambda call: a_sku(call, weight_g=60_001))
    long = quick.act(lambda call: a_sku(call, length_mm=3_000))
    foreign = quick.act(lambda call: a_sku(call, None, "M2"))
    lots = quick.act(lambda call: a_sku(call, lot_tracked=True))
    full = quick.read(lambda session: site.slot_by_code(session, quick.warehouse_id, "A01-01-1A").skus_max)
    for _ in range(full):
        quick.act(lambda call: stock_in(call, a_sku(call), "A01-01-1A", 1))
    quick.act(lambda call: stock_in(call, foreign, "A01-01-1B", 1))
    quick.act(lambda call: stock_in(call, lots, "A01-02-1A", 1, "B1"))
    quick.act(lambda call: site_service.block_slot(call, "A01-03-1A"))
    quick.act(lambda call: site_service.set_under_count(call, slot_id(quick, "A01-03-1B"), True))
    for number, (goods, slot, why) in enumerate(
        [
            (sku, "A01-01-1A", Reason.SLOT_TAKEN_BY_OTHER_SKU),
            (sku, "A01-01-1B", Reason.SLOT_OTHER_OWNER),
            (sku, "A01-03-1A", Reason.SLOT_BLOCKED),
            (sku, "A01-03-1B", Reason.SLOT_UNDER_COUNT),
            (sku, "D04-01-1A", Reason.SLOT_WRONG_ZONE),
            (sku, "B03-01-1A", Reason.SLOT_WRONG_ZONE),
            (sku, "Z99-01-1A", Reason.SLOT_UNKNOWN),
            (heavy, "A01-02-1B", Reason.SLOT_WEIGHT_EXCEEDED),
            (long, "A01-02-1B", Reason.SLOT_TOO_SMALL),
        ]
    ):
        received(quick, goods, 1, f"L-{number}")
        assert refusal(partial(put_away, quick, f"L-{number}", slot)) is why, slot
    received(quick, lots, 1, "L-99", lot=LotGiven("B2"))
    assert refusal(lambda: put_away(quick, "L-99", "A01-02-1A")) is Reason.LOT_WRONG
    received(quick, sku, 1, "L-98", condition=Condition.DAMAGED)
    put_away(quick, "L-98", "A02-01-1A")
    received(quick, sku, 1, "L-97")
    assert refusal(lambda: put_away(quick, "L-97", "A02-01-1A")) is Reason.LOT_WRONG


def test_two_who_carry_to_one_slot_never_overload_its_beam(park: Park) -> None:
    """The limit is read after the slot's row is ours: of two loads that fit alone, one stays outside."""
    limit_g = park.read(
        lambda session: session.scalars(select(Slot.weight_max_g).where(Slot.code == "A02-01-1A")).one()
    )
    sku = park.act(lambda call: a_sku(call, length_mm=50, width_mm=50, height_mm=50, weight_g=limit_g * 2 // 5))
    for number in range(4):
        received(park, sku, 1, f"L-{number}")
    answers = at_once([partial(put_away, park, f"L-{number}", "A02-01-1A") for number in range(4)])
    refused = [answer.reason for answer in answers if isinstance(answer, Refused)]
    assert refused == [Reason.SLOT_WEIGHT_EXCEEDED] * 2
    assert lies_in(park, slot_id(park, "A02-01-1A")) == [(sku.code, 2)]
    assert broken_promises(park) == []


def test_one_box_is_put_away_once(park: Park) -> None:
    sku = park.act(a_sku)
    received(park, sku, 6, "L-1")
    answers = at_once([partial(put_away, park, "L-1", slot) for slot in ("A01-01-1A", "A02-01-1A", "A02-02-1A")])
    assert sum(not isinstance(answer, Refused) for answer in answers) == 1
    total = park.read(lambda session: sum(session.scalars(select(Stock.on_hand))))
    assert total == 6
    assert broken_promises(park) == []


def test_a_slot_kept_for_one_box_takes_no_other(park: Park) -> None:
    sku, other = park.act(a_sku), park.act(a_sku)
    received(park, sku, 2, "L-1")
    received(park, other, 2, "L-2")
    kept = park.act(lambda call: service.suggest(call, service.box(call, "L-1"))).slot
    assert refusal(lambda: put_away(park, "L-2", kept.slot_code)) is Reason.SLOT_KEPT
    assert put_away(park, "L-1", kept.slot_code)
    received(park, other, 2, "L-3")
    again = park.act(lambda call: service.suggest(call, service.box(call, "L-2"))).slot
    park.clock.advance(hours=5)  # a fast business day ends no lease
    assert refusal(lambda: put_away(park, "L-3", again.slot_code)) is Reason.SLOT_KEPT
    park.database.transact(lambda session: session.execute(update(SlotLease).values(until=MORNING)))
    assert put_away(park, "L-3", again.slot_code)


def test_two_boxes_are_never_sent_to_one_slot(park: Park) -> None:
    skus = [park.act(a_sku) for _ in range(6)]
    for number, sku in enumerate(skus):
        received(park, sku, 2, f"L-{number}")

    def ask(box: str) -> str:
        return park.act(lambda call: service.suggest(call, service.box(call, box)).slot.slot_code)

    answers = at_once([partial(ask, f"L-{number}") for number in range(6)])
    slots = [answer for answer in answers if isinstance(answer, str)]
    assert len(slots) == len(set(slots))
    assert len(slots) == 6, "who lost all his proposals is made new ones: nobody is sent away"


def test_totes_and_parcels_of_orders_are_not_put_away(quick: Park) -> None:
    assert refusal(lambda: put_away(quick, "T-0001")) is Reason.WRONG_KIND_SCANNED
    assert refusal(lambda: put_away(quick, "NOBODY")) is Reason.CONTAINER_UNKNOWN


def test_to_a_merchant_a_box_of_others_does_not_exist(quick: Park) -> None:
    mine, foreign = quick.act(a_sku), quick.act(lambda call: a_sku(call, None, "M2"))
    received(quick, foreign, 2, "L-1")
    box = received(quick, mine, 1, "L-2").container_id

    def store(code: str) -> object:
        return quick.act_for(mine.merchant_id, lambda call: service.put_away(call, container=service.box(call, code)))

    no = refusal(lambda: store("L-1"))
    assert no is Reason.CONTAINER_UNKNOWN
    assert store("L-2")
    assert lies_in(quick, box) == []
