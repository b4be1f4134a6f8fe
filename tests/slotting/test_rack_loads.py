"""What a pair of beams and the uprights of a bay carry: all that lies there together, and what is on its way."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import pytest
from sqlalchemy import select, update

from tests.builders import Park, a_park, a_sku, at_once, put_goods, stock_in
from tests.inbound.dock import put_away, received, refusal
from tests.slotting.asked import goods_of, why_not
from tests.slotting.past import slot_id
from wms.catalog import service as catalog
from wms.catalog.values import SkuFacts
from wms.core.call import Call
from wms.core.db import Database
from wms.core.refusal import Reason, Refused
from wms.site import racks
from wms.site import service as site_service
from wms.site.rules import BIN, SMALL
from wms.site.tables import Bay, Slot
from wms.site.values import NewSlot
from wms.slotting import judging, moving, service
from wms.slotting.tables import MovePlan, MoveProposal
from wms.slotting.values import Goods, Rule

LEVEL_G = 100_000  # of a level of bins
ONE_LEVEL = ("A01-01-1A", "A01-01-1B")


@pytest.fixture
def park(sqlite_database: Database) -> Park:
    return a_park(sqlite_database)


def of_weight(park: Park, weight_g: int, count: int = 1) -> list[SkuFacts]:
    make = partial(a_sku, weight_g=weight_g, length_mm=50, width_mm=50, height_mm=50)
    return park.act(lambda call: [make(call) for _ in range(count)])


def lay(park: Park, sku: SkuFacts, code: str, quantity: int = 1) -> int:
    return park.act(lambda call: stock_in(call, sku, code, quantity))


def uprights_carry(park: Park, code: str, weight_g: int) -> None:
    bay = select(Slot.bay_id).where(Slot.code == code).scalar_subquery()
    values = {"weight_max_g": weight_g, "weight_stated": True}
    park.act(lambda call: call.session.execute(update(Bay).where(Bay.id == bay).values(values)))


def test_a_level_takes_what_its_beams_carry_to_the_gram(park: Park) -> None:
    there, fits, over = of_weight(park, 55_000)[0], of_weight(park, 45_000)[0], of_weight(park, 45_001)[0]
    lay(park, there, ONE_LEVEL[0])
    received(park, over, 1, "L-1")
    assert refusal(lambda: put_away(park, "L-1", ONE_LEVEL[1])) is Reason.SLOT_LEVEL_WEIGHT_EXCEEDED
    assert why_not(park, goods_of(park, over), ONE_LEVEL[1]) is Rule.LEVEL_WEIGHT
    assert why_not(park, goods_of(park, fits), ONE_LEVEL[1]) is None
    assert why_not(park, goods_of(park, over), "A01-01-2B") is None
    received(park, fits, 1, "L-2")
    assert put_away(park, "L-2", ONE_LEVEL[1])


def test_a_bay_takes_what_its_uprights_carry_to_the_gram(park: Park) -> None:
    uprights_carry(park, "A01-01-1A", 60_000)
    there, fits, over = of_weight(park, 40_000)[0], of_weight(park, 20_000)[0], of_weight(park, 20_001)[0]
    lay(park, there, "A01-01-1A")
    received(park, over, 1, "L-1")
    assert refusal(lambda: put_away(park, "L-1", "A01-01-2B")) is Reason.SLOT_BAY_WEIGHT_EXCEEDED
    assert why_not(park, goods_of(park, over), "A01-01-2B") is Rule.BAY_WEIGHT
    assert why_not(park, goods_of(park, over), "A01-02-2B") is None
    received(park, fits, 1, "L-2")
    assert put_away(park, "L-2", "A01-01-2B")


def test_what_is_on_its_way_counts_for_others_and_not_for_whom_the_slot_is_kept(park: Park) -> None:
    first, second = of_weight(park, 60_000, 2)
    coming = {slot_id(park, ONE_LEVEL[0]): 60_000}
    assert why_not(park, goods_of(park, second), ONE_LEVEL[1], coming) is Rule.LEVEL_WEIGHT
    received(park, first, 1, "L-1")
    received(park, second, 1, "L-2")
    place = slot_id(park, ONE_LEVEL[0])
    park.act(lambda call: service.lease(call, place, "container:another", weight_g=60_000))
    assert refusal(lambda: put_away(park, "L-2", ONE_LEVEL[1])) is Reason.SLOT_LEVEL_WEIGHT_EXCEEDED
    mine = goods_of(park, first)
    assert park.act(lambda call: judging.take_slot(call, mine, place, subject="container:another")) == ONE_LEVEL[0]
    park.act(lambda call: service.end_leases(call, "container:another"))
    assert put_away(park, "L-2", ONE_LEVEL[1])


def test_a_proposal_keeps_the_weight_of_its_box(park: Park) -> None:
    from wms.inbound import service as inbound
    from wms.slotting.tables import SlotLease

    sku = of_weight(park, 700)[0]
    received(park, sku, 3, "L-1")
    park.act(lambda call: inbound.suggest(call, inbound.box(call, "L-1")))
    assert park.read(lambda session: session.scalars(select(SlotLease.weight_g)).all()) == [2_100]


def test_goods_that_change_their_slot_on_one_level_are_counted_once(park: Park) -> None:
    sku = of_weight(park, 60_000)[0]
    lot = lay(park, sku, ONE_LEVEL[0])
    source, target = (slot_id(park, code) for code in ONE_LEVEL)
    plain, moved = Goods(sku, lot, 1), Goods(sku, lot, 1, leaves=source)
    assert why_not(park, plain, ONE_LEVEL[1]) is Rule.LEVEL_WEIGHT
    assert why_not(park, moved, ONE_LEVEL[1]) is None
    assert refusal(lambda: park.act(lambda call: judging.take_slot(call, plain, target))) is (
        Reason.SLOT_LEVEL_WEIGHT_EXCEEDED
    )
    park.act(lambda call: _carried(call, sku, source, target))
    assert park.read(lambda session: session.scalars(select(MoveProposal.state)).one()) == "done"


def _carried(call: Call, sku: SkuFacts, source: int, target: int) -> None:
    """A move from slot to slot, set out for and put down."""
    plan = MovePlan(
        warehouse_id=call.warehouse_id,
        made_at=call.now,
        made_by="test",
        lines=0,
        tours=0,
        weeks=0,
        walked_m=0,
        planned_m=0,
        signal_percent=0,
    )
    call.session.add(plan)
    call.session.flush()
    row = MoveProposal(
        warehouse_id=call.warehouse_id,
        merchant_id=sku.merchant_id,
        plan_id=plan.id,
        sku_id=sku.id,
        source_id=source,
        target_id=target,
        lines_per_week=1.0,
        gain_m_week=1,
        replayed_m_week=1,
        cost_m=1,
        confidence_percent=50,
    )
    call.session.add(row)
    call.session.flush()
    assert moving.accept(call, [row.id]) == 1
    carry = moving.set_out(call, row.id)
    assert not isinstance(carry, Refused), carry
    moving.put_down(call, row.id, carry.target.code)


def test_two_loads_that_come_to_one_level_at_once_do_not_both_get_in(database: Database) -> None:
    """Both fit alone: what lies on the level is read after its bay is ours."""
    park = a_park(database)
    for bay in range(1, 9):
        skus = of_weight(park, 60_000, 2)
        codes = [f"A01-{bay:02d}-2{letter}" for letter in "AB"]
        assert _told(park, skus, codes) == [None, Reason.SLOT_LEVEL_WEIGHT_EXCEEDED], bay


def test_two_loads_that_come_to_one_bay_at_once_do_not_both_get_in(database: Database) -> None:
    park = a_park(database)
    for bay in range(1, 9):
        uprights_carry(park, f"A01-{bay:02d}-1A", 90_000)
        skus = of_weight(park, 50_000, 2)
        assert _told(park, skus, [f"A01-{bay:02d}-{level}A" for level in (1, 2)]) == [
            None,
            Reason.SLOT_BAY_WEIGHT_EXCEEDED,
        ], bay


def _told(park: Park, skus: Sequence[SkuFacts], codes: Sequence[str]) -> list[Reason | None]:
    works = [partial(park.act, partial(_stow, sku, slot_id(park, code))) for sku, code in zip(skus, codes, strict=True)]
    return sorted((getattr(one, "reason", None) for one in at_once(works)), key=str)


def _stow(sku: SkuFacts, place_id: int, call: Call) -> None:
    lot = catalog.ensure_lot(call, sku)
    judging.take_slot(call, Goods(sku, lot, 1), place_id)
    put_goods(call, sku, place_id, 1, lot)


def test_boxes_of_several_goods_never_wait_for_each_other_in_a_ring(database: Database) -> None:
    """Each box goes into several bays, and all at once: none is refused, nothing is done twice."""
    park = a_park(database)
    skus = of_weight(park, 300, 6)
    for number in range(6):
        for sku in skus if number % 2 else reversed(skus):
            received(park, sku, 2, f"L-{number}")
    done = at_once([partial(put_away, park, f"L-{number}") for number in range(6)])
    assert [len(each) for each in done if isinstance(each, list)] == [6] * 6


def test_dividing_a_bay_leaves_its_beams_as_strong_as_they_were(park: Park) -> None:
    def limits(profile: str) -> set[int | None]:
        bay = park.read(lambda session: session.scalars(select(Slot.bay_id).where(Slot.code == "A01-01-1A")).one())
        known = park.read(lambda session: racks.profiles(session, park.warehouse_id))[profile]
        return {slot.level_weight_max_g for slot in park.act(lambda c: racks.redivide(c, bay, known, "test"))}

    assert limits(SMALL.name) == {LEVEL_G}
    park.act(lambda call: call.session.execute(update(Slot).values(level_weight_max_g=None)))
    assert limits(BIN.name) == {BIN.level_weight_max_g}, "nobody knew: as the profile says"
    weak = update(Slot).where(Slot.code == "A01-01-2A").values(level_weight_max_g=70_000)
    park.act(lambda call: call.session.execute(weak))
    assert limits(SMALL.name) == {70_000}, "the weakest beams of the bay may go anywhere in it"


def test_a_bay_said_to_be_weaker_than_its_slots_may_still_be_divided(park: Park) -> None:
    uprights_carry(park, "A01-01-1A", 60_000)
    bay = park.read(lambda session: session.scalars(select(Slot.bay_id).where(Slot.code == "A01-01-1A")).one())
    assert park.act(lambda call: racks.redivide(call, bay, SMALL, "test"))
    row = park.read(lambda session: session.get_one(Bay, bay))
    assert (row.weight_max_g, row.weight_stated) == (60_000, True)


def test_listed_limits_are_kept_and_must_agree(park: Park) -> None:
    row = NewSlot("A01-13-1A", 980, 600, 450, 60_000, 1, 5_000, level_weight_max_g=80_000, bay_weight_max_g=90_000)
    park.act(lambda call: site_service.add_slots(call, [row]))
    bay = park.read(lambda session: session.scalars(select(Bay).where(Bay.number == 13)).one())
    assert (bay.weight_max_g, bay.weight_stated) == (90_000, True)
    same = NewSlot("A01-13-1B", 980, 600, 450, 60_000, level_weight_max_g=80_000)
    park.act(lambda call: site_service.add_slots(call, [same]))
    bay = park.read(lambda session: session.scalars(select(Bay).where(Bay.number == 13)).one())
    assert bay.weight_max_g == 90_000, "slots at their limit may be more than the uprights carry"
    for wrong in (
        NewSlot("A01-13-1C", 980, 600, 450, 60_000, level_weight_max_g=70_000),
        NewSlot("A01-13-2", 980, 600, 450, 60_000, bay_weight_max_g=70_000),
        NewSlot("A01-13-2", 980, 600, 450, 60_000, level_weight_max_g=0),
    ):
        assert refusal(partial(park.act, partial(site_service.add_slots, rows=[wrong]))) is Reason.BAD_INPUT
