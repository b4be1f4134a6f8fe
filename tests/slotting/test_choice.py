"""Where goods should lie: no rule is ever broken, nothing is ever lost, and there is a reason."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import select

from tests.builders import Park, a_park, a_sku, stock_in
from tests.inbound.dock import broken_promises, put_away, received, refusal
from wms.catalog.tables import Sku
from wms.catalog.values import SkuFacts
from wms.core.call import Call
from wms.core.db import Database
from wms.core.refusal import Reason, Refused
from wms.inbound import service as inbound
from wms.inbound.values import LotGiven
from wms.ledger.tables import MovementRow, Stock
from wms.ledger.values import Condition
from wms.site import queries as site
from wms.site import service as site_service
from wms.site.tables import Slot, Zone
from wms.site.values import NewSlot
from wms.slotting import picture, service
from wms.slotting.tables import Velocity
from wms.slotting.values import FILL_MAX, Goods, Rule, Why

PUTAWAYS = 2_000
PER_TRANSACTION = 50


@pytest.fixture
def park(sqlite_database: Database) -> Park:
    return a_park(sqlite_database)


def goods(park: Park, sku: SkuFacts, quantity: int = 1, **facts: Any) -> Goods:
    lot = park.act(lambda call: stock_in(call, sku, "B03-06-1A", 1))
    return Goods(sku, lot, quantity, **facts)


def broken_rules(park: Park) -> list[str]:
    """Every slot against every rule, recomputed from the rows by nobody's code but this."""
    query = (
        select(Slot, Zone.kind, Stock, Sku)
        .join(Zone, Zone.id == Slot.zone_id)
        .join(Stock, Stock.place_id == Slot.place_id)
        .join(Sku, Sku.id == Stock.sku_id)
        .where(Stock.on_hand > 0)
    )
    inside: defaultdict[str, list[Any]] = defaultdict(list)
    for row in park.read(lambda session: session.execute(query).all()):
        inside[row[0].code].append(row)
    return [f"{code}: {why}" for code, rows in inside.items() for why in _broken_in(rows)]


def _broken_in(rows: list[Any]) -> list[str]:
    slot, kind = rows[0][0], rows[0][1]
    volume = sum(stock.on_hand * sku.length_mm * sku.width_mm * sku.height_mm for _, _, stock, sku in rows)
    weight = sum(stock.on_hand * sku.weight_g for _, _, stock, sku in rows)
    room = sorted((slot.width_mm, slot.depth_mm, slot.height_mm))
    lots = Counter((stock.sku_id) for _, _, stock, _ in rows)
    found = {
        "too heavy": weight > slot.weight_max_g,
        "too full": volume > FILL_MAX * slot.width_mm * slot.depth_mm * slot.height_mm,
        "owners mixed": len({stock.merchant_id for _, _, stock, _ in rows}) > 1,
        "too many SKUs": len(lots) > slot.skus_max,
        "lots or conditions mixed": max(lots.values()) > 1,
        "bonded": bool(slot.bonded),
        "wrong zone": any(sku.zone_kind != kind for _, _, _, sku in rows),
        "blocked": slot.blocked or slot.under_count,
        "piece too big": any(
            sorted((sku.length_mm, sku.width_mm, sku.height_mm)) > room
            and any(a > b for a, b in zip(sorted((sku.length_mm, sku.width_mm, sku.height_mm)), room, strict=True))
            for _, _, _, sku in rows
        ),
    }
    return [why for why, broken in found.items() if broken]


def some_skus(call: Call, dice: random.Random) -> list[SkuFacts]:
    return [
        a_sku(
            call,
            merchant_code=dice.choice(["M1", "M2", "M3"]),
            length_mm=dice.choice([0, 40, 120, 300, 900]),
            width_mm=dice.choice([30, 80, 200, 600]),
            height_mm=dice.choice([20, 60, 150, 400]),
            weight_g=dice.choice([0, 20, 300, 2_000, 15_000]),
            lot_tracked=dice.random() < 0.3,
            zone_kind=dice.choice(["storage", "storage", "storage", "bulky"]),
        )
        for _ in range(30)
    ]


def test_two_thousand_random_putaways_break_no_rule_and_lose_nothing(park: Park) -> None:
    """Random goods into slots chosen or named at random, slots blocked and opened between; every slot judged anew."""
    dice = random.Random(20261107)
    skus = park.act(lambda call: some_skus(call, dice))
    codes = [slot.code for slot in park.read(lambda session: site.slots(session, park.warehouse_id))]
    blocked: set[str] = set()
    outcomes: Counter[str] = Counter()
    arrived = 0
    for _ in range(PUTAWAYS // PER_TRANSACTION):
        for code in blocked:
            park.act(partial(site_service.block_slot, slot_code=code, blocked=False))
        arrived += park.act(lambda call: _some_boxes(call, dice, skus, codes, outcomes))
        assert broken_rules(park) == []
        blocked = set(dice.sample(codes, 2)) - _filled(park)
        for code in blocked:
            park.act(partial(site_service.block_slot, slot_code=code))
    assert outcomes["stored"] > 200, outcomes
    assert len(outcomes) > 5, "random slots are refused for many reasons"
    on_hand = park.read(lambda session: sum(session.scalars(select(Stock.on_hand))))
    assert on_hand == arrived - _gone(park)
    assert broken_promises(park) == []


def _some_boxes(call: Call, dice: random.Random, skus: list[SkuFacts], codes: list[str], told: Counter[str]) -> int:
    arrived = 0
    for _ in range(PER_TRANSACTION):
        sku, quantity = dice.choice(skus), dice.randint(1, 30)
        lot = LotGiven(dice.choice(["B1", "B2"])) if sku.lot_tracked else None
        condition = Condition.DAMAGED if dice.random() < 0.1 else Condition.GOOD
        step = call.step(f"{dice.random()}")
        box = inbound.lpn(step, None)
        inbound.receive(step, sku=sku, quantity=quantity, container=box, lot=lot, condition=condition)
        arrived += quantity
        slot = dice.choice(codes) if dice.random() < 0.4 else None
        try:
            with call.session.begin_nested():
                inbound.put_away(step, container=box, slot_code=slot)
            told["stored"] += 1
        except Refused as no:
            told[no.reason.value] += 1
        _take_some_out(step, dice)
    return arrived


def _take_some_out(call: Call, dice: random.Random) -> None:
    """Someone buys: so that slots become free again."""
    from wms.ledger import service as ledger
    from wms.ledger.values import Movement, MovementKind, Virtual

    row = (
        call.session.execute(
            select(Stock).join(Slot, Slot.place_id == Stock.place_id).where(Stock.on_hand > 0).order_by(Stock.id)
        )
        .scalars()
        .all()
    )
    if len(row) < 25:
        return
    out = dice.choice(row)
    customer = ledger.virtual_id(call.session, call.warehouse_id, Virtual.CUSTOMER)
    condition = Condition(out.condition)
    ledger.post(
        call,
        [
            Movement(
                MovementKind.SHIP,
                out.merchant_id,
                out.place_id,
                customer,
                out.sku_id,
                out.lot_id,
                out.on_hand,
                condition,
            )
        ],
    )
    call.session.expire_all()


def _gone(park: Park) -> int:
    return park.read(
        lambda session: sum(session.scalars(select(MovementRow.quantity).where(MovementRow.kind == "ship")))
    )


def _filled(park: Park) -> set[str]:
    query = select(Slot.code).join(Stock, Stock.place_id == Slot.place_id).where(Stock.on_hand > 0)
    return set(park.read(lambda session: session.scalars(query).all()))


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
