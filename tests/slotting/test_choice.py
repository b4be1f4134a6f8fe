"""Where goods should lie: no rule is ever broken, nothing is ever lost, and there is a reason."""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import select

from tests.builders import Park, a_park, a_sku, at_once, put_goods, stock_in
from tests.inbound.dock import broken_promises, put_away, received, refusal
from tests.slotting.putaways import PER_TRANSACTION, Stowing
from wms.catalog import service as catalog
from wms.catalog.values import SkuFacts
from wms.core.call import Call
from wms.core.db import Database
from wms.core.refusal import Reason, Refused
from wms.site import queries as site
from wms.site import service as site_service
from wms.site.tables import Slot
from wms.site.values import NewSlot
from wms.slotting import judging, picture, service
from wms.slotting.tables import Velocity
from wms.slotting.values import Goods, Rule, Why

PUTAWAYS = 2_000


@pytest.fixture
def park(sqlite_database: Database) -> Park:
    return a_park(sqlite_database)


def goods(park: Park, sku: SkuFacts, quantity: int = 1, **facts: Any) -> Goods:
    lot = park.act(lambda call: stock_in(call, sku, "B03-06-1A", 1))
    return Goods(sku, lot, quantity, **facts)


def test_two_thousand_random_putaways_break_no_rule_and_lose_nothing(park: Park) -> None:
    stowing = Stowing(park, random.Random(20261107))
    for _ in range(PUTAWAYS // PER_TRANSACTION):
        assert stowing.some() == []
    assert stowing.outcomes["stored"] > 200, stowing.outcomes
    assert stowing.outcomes["slot_hazard_near"] > 0, stowing.outcomes
    assert len(stowing.outcomes) > 6, "random slots are refused for many reasons"
    assert stowing.lost() == 0
    assert broken_promises(park) == []


def test_the_best_three_come_with_their_reasons(park: Park) -> None:
    sku = park.act(a_sku)
    asked = goods(park, sku)
    found = park.act(lambda call: service.choose(call, asked))
    assert len({one.slot_code for one in found}) == 3
    assert [one.score for one in found] == sorted(one.score for one in found)
    assert all(one.reasons for one in found)


def test_why_not_the_nearest_is_told(park: Park) -> None:
    sku = park.act(a_sku)
    asked = goods(park, sku)
    nearest = park.act(lambda call: service.choose(call, asked))[0].nearest
    other = park.act(lambda call: a_sku(call, None, "M2"))
    park.act(lambda call: stock_in(call, other, nearest, 1))
    found = _fresh(park, asked)
    assert (found.nearest, found.why_not_nearest) == (nearest, Rule.TAKEN)


def _fresh(park: Park, asked: Goods) -> Any:
    def ask(call: Call) -> Any:
        picture.picture_of(call.session, call.warehouse_id, fresh=True)
        return service.choose(call, asked)[0]

    return park.act(ask)


def test_fast_goods_lie_near_and_slow_ones_far(park: Park) -> None:
    fast, slow = park.act(a_sku), park.act(a_sku)
    now = park.clock.now()
    rows = [(fast, 90.0), (slow, 0.1)]

    def learn(call: Call) -> None:
        for sku, speed in rows:
            values = {"merchant_id": sku.merchant_id, "sku_id": sku.id, "lines_per_week": speed, "as_of": now}
            call.session.add(Velocity(warehouse_id=call.warehouse_id, **values))
        for number in range(20):
            filler = a_sku(call)
            values = {"merchant_id": filler.merchant_id, "sku_id": filler.id, "as_of": now}
            call.session.add(Velocity(warehouse_id=call.warehouse_id, lines_per_week=1.0 + number, **values))

    park.act(learn)
    near, far = _fresh(park, goods(park, fast)), _fresh(park, goods(park, slow))
    assert near.walk_m < far.walk_m
    assert Why.NEAR_FOR_FAST in near.reasons
    assert Why.FAR_FOR_SLOW in far.reasons


def test_an_unknown_sku_takes_its_familys_speed(park: Park) -> None:
    known, kin, stranger = (park.act(partial(a_sku, family=family)) for family in ("茶", "茶", "酒"))

    def learn(call: Call) -> None:
        rows = [(known, 50.0)] + [(a_sku(call), 1.0) for _ in range(9)]
        for sku, speed in rows:
            values = {"merchant_id": sku.merchant_id, "sku_id": sku.id, "lines_per_week": speed}
            call.session.add(Velocity(warehouse_id=call.warehouse_id, as_of=call.now, **values))

    park.act(learn)

    def share(sku: SkuFacts) -> float:
        return park.read(lambda session: service.slower_share(session, park.warehouse_id, sku.id, sku.family))

    assert (share(kin), share(stranger)) == (0.0, 0.5)


def test_velocity_is_learnt_from_picks_and_forgets(park: Park) -> None:
    from tests.shipping.dock import Dock, pick_all
    from tests.shipping.dock import an_order as dock_order
    from wms.shipping import couriers

    sku = park.act(lambda call: a_sku(call, "NUT"))
    park.act(lambda call: stock_in(call, sku, "A01-01-1A", 50))
    park.act(lambda call: couriers.add_courier(call, code="YD", name="韵达", cut_offs=["16:00"]))
    dock = Dock(park, sku)
    for _ in range(3):
        pick_all(dock, dock_order(dock, 1), {"NUT": ("A01-01-1A", 1)})
    assert park.act(service.learn_velocity) == 1

    def speed() -> float:
        return park.read(lambda session: session.scalars(select(Velocity.lines_per_week)).one())

    assert speed() == pytest.approx(1.5)
    park.clock.at += timedelta(days=14)
    park.act(service.learn_velocity)
    assert speed() == pytest.approx(0.75)


def test_goods_too_heavy_or_too_many_fit_nowhere_and_the_rule_is_named(park: Park) -> None:
    sku = park.act(lambda call: a_sku(call, weight_g=10_000_000))
    asked = goods(park, sku)
    with pytest.raises(Refused) as no:
        park.act(lambda call: service.choose(call, asked))
    assert (no.value.reason, no.value.facts["why"]) == (Reason.NO_SLOT_FITS, "weight")


def test_a_slot_that_was_built_today_is_proposed(park: Park) -> None:
    """The picture of the building is drawn anew when the building changes."""
    tall = park.act(lambda call: a_sku(call, length_mm=2_900, width_mm=1_000, height_mm=1_000))
    asked = goods(park, tall)
    assert refusal(lambda: park.act(lambda call: service.choose(call, asked))) is Reason.NO_SLOT_FITS
    row = NewSlot("A01-12-9", 3_000, 1_200, 1_200, 900_000)
    park.act(lambda call: site_service.add_slots(call, [row]))
    assert park.act(lambda call: service.choose(call, asked))[0].slot_code == "A01-12-9"


def test_volumes_and_weights_pass_32_bits(database: Database) -> None:
    """A pallet of a thousand big cartons: sums that a 32-bit number does not hold."""
    park = a_park(database)
    big = park.act(lambda call: a_sku(call, length_mm=1_000, width_mm=1_000, height_mm=1_000, weight_g=900_000))
    park.act(lambda call: stock_in(call, big, "B03-01-1A", 90_000))
    small = park.act(a_sku)
    received(park, small, 3, "L-1")
    assert put_away(park, "L-1")
    received(park, big, 1, "L-2")
    assert refusal(lambda: put_away(park, "L-2", "B03-01-1A")) in (Reason.SLOT_WRONG_ZONE, Reason.SLOT_TOO_SMALL)


def test_bonded_goods_go_to_bonded_slots_only(park: Park) -> None:
    sku = park.act(a_sku)
    asked = goods(park, sku, bonded=True, book="BOOK-1")
    found = park.act(lambda call: service.choose(call, asked))
    assert all(one.slot_code.startswith("D") for one in found)


def test_goods_of_two_hazard_classes_are_never_sent_to_one_bay(park: Park) -> None:
    acid, spray = park.act(lambda call: (a_sku(call, hazard="8"), a_sku(call, hazard="3")))
    park.act(lambda call: stock_in(call, acid, "A01-01-1A", 1))
    lot = park.act(lambda call: catalog.ensure_lot(call, spray, None, None, None))
    bay = {slot.place_id: slot.bay_id for slot in park.read(lambda session: session.scalars(select(Slot)).all())}
    shut = bay[park.read(lambda session: site.slot_by_code(session, park.warehouse_id, "A01-01-1A")).place_id]
    found = park.act(lambda call: service.choose(call, Goods(spray, lot, 1), count=1_000))
    assert found
    assert shut not in {bay[one.place_id] for one in found}


def test_two_hazard_classes_that_come_to_one_bay_at_once_do_not_both_get_in(database: Database) -> None:
    park = a_park(database)
    bays: defaultdict[int, list[int]] = defaultdict(list)
    for slot in park.read(lambda session: session.scalars(select(Slot).order_by(Slot.place_id)).all()):
        bays[slot.bay_id].append(slot.place_id)
    for first, second in [each[:2] for each in bays.values() if len(each) > 1][:8]:
        skus = [park.act(partial(a_sku, hazard=hazard)) for hazard in ("8", "3")]
        works = [
            partial(park.act, partial(_stow, sku, place)) for sku, place in zip(skus, (first, second), strict=True)
        ]
        told = [getattr(one, "reason", None) for one in at_once(works)]
        assert sorted(told, key=str) == [None, Reason.SLOT_HAZARD_NEAR], told


def _stow(sku: SkuFacts, place_id: int, call: Call) -> None:
    lot = catalog.ensure_lot(call, sku, None, None, None)
    judging.take_slot(call, Goods(sku, lot, 1), place_id)
    put_goods(call, sku, place_id, 1, lot)
