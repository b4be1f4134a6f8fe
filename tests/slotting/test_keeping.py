"""Cold goods in cold zones, look-alikes in other bays, heavy pieces below the shoulder, and what expires first low."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
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
from wms.inbound.values import LotGiven
from wms.site.tables import Slot, Zone
from wms.slotting import costs, judging, service
from wms.slotting.values import Goods, Lift, Rule

SOON, LATE = date(2027, 1, 31), date(2027, 6, 30)
HEAVY = {"weight_g": 15_001, "length_mm": 200, "width_mm": 200, "height_mm": 200}


@pytest.fixture
def park(sqlite_database: Database) -> Park:
    return a_park(sqlite_database)


def chosen(park: Park, goods: Goods, count: int = 1_000) -> list[str]:
    return [one.slot_code for one in park.act(lambda call: service.choose(call, goods, count=count))]


def refused_at(park: Park, sku: SkuFacts, code: str, lot: LotGiven | None = None) -> Reason | None:
    """What a scan of the slot says to one piece; None where it is stored."""
    box = f"L-{sku.id}-{code}"
    received(park, sku, 1, box, lot=lot)
    try:
        put_away(park, box, code)
    except Refused as no:
        return no.reason
    return None


def chill(park: Park, zone: str, temperature: str = "chilled") -> None:
    cooled = update(Zone).where(Zone.code == zone).values(temperature=temperature)
    park.act(lambda call: call.session.execute(cooled))


# --- temperature


def test_goods_go_to_zones_that_are_kept_as_they_need(park: Park) -> None:
    chill(park, "B")
    cold, warm = (park.act(partial(a_sku, zone_kind="bulky", temperature=each)) for each in ("chilled", "ambient"))
    assert {code[0] for code in chosen(park, goods_of(park, cold))} == {"B"}
    assert why_not(park, goods_of(park, warm), "B03-01-1A") is Rule.TEMPERATURE
    assert refused_at(park, warm, "B03-01-1A") is Reason.SLOT_WRONG_TEMPERATURE
    assert refused_at(park, cold, "B03-01-1A") is None
    frozen = park.act(partial(a_sku, temperature="frozen"))
    with pytest.raises(Refused) as no:
        chosen(park, goods_of(park, frozen))
    assert (no.value.reason, no.value.facts["why"]) == (Reason.NO_SLOT_FITS, "temperature")


def test_bonded_goods_are_kept_cold_as_well(park: Park) -> None:
    cold = park.act(partial(a_sku, temperature="chilled"))
    asked = goods_of(park, cold, bonded=True, book="B-1")
    assert why_not(park, asked, "D04-01-1A") is Rule.TEMPERATURE
    chill(park, "D")
    drawn_anew = chosen(a_park_seen_again(park), asked)
    assert {code[0] for code in drawn_anew} == {"D"}


def a_park_seen_again(park: Park) -> Park:
    """A slot more, so that the building is read anew."""
    from wms.site import service as site
    from wms.site.values import NewSlot

    park.act(lambda call: site.add_slots(call, [NewSlot("A01-12-9", 980, 600, 450, 60_000)]))
    return park


@pytest.mark.parametrize("facts", [{"temperature": "warm"}, {"zone_kind": "bonded"}, {"lookalike": "x" * 65}])
def test_words_nobody_knows_are_refused(park: Park, facts: dict[str, str]) -> None:
    assert refusal(lambda: park.act(lambda call: a_sku(call, **facts))) is Reason.BAD_INPUT


def test_how_goods_are_kept_may_be_said_anew(park: Park) -> None:
    red, blue = park.act(lambda call: (a_sku(call, hazard="3"), a_sku(call, lookalike="TEA")))
    park.act(lambda call: stock_in(call, blue, "A01-03-1A", 1))
    assert refused_at(park, red, "A01-03-2A") is None
    again = park.act(lambda call: catalog.set_keeping(call, red.code, merchant_code="M1", lookalike="TEA"))
    assert (again.hazard, again.lookalike, again.temperature) == ("3", "TEA", "ambient")
    assert refused_at(park, again, "A01-03-1B") is Reason.SLOT_LOOKALIKE_NEAR
    warm = partial(catalog.set_keeping, code=red.code, merchant_code="M1", temperature="warm")
    assert refusal(lambda: park.act(warm)) is Reason.BAD_INPUT
    park.act(lambda call: a_sku(call, None, "M2"))
    theirs = partial(catalog.set_keeping, code=red.code, merchant_code="M2", lookalike="")
    assert refusal(lambda: park.act(theirs)) is Reason.SKU_UNKNOWN


# --- look-alikes


def test_look_alikes_of_one_merchant_are_never_in_one_bay(park: Park) -> None:
    red, blue, other = park.act(
        lambda call: (
            a_sku(call, lookalike="TEA"),
            a_sku(call, lookalike="TEA"),
            a_sku(call, None, "M2", lookalike="TEA"),
        )
    )
    park.act(lambda call: stock_in(call, red, "A01-03-1A", 1))
    assert why_not(park, goods_of(park, blue), "A01-03-4B") is Rule.LOOKALIKE
    assert why_not(park, goods_of(park, red), "A01-03-4B") is None
    assert why_not(park, goods_of(park, other), "A01-03-4B") is None
    found = chosen(park, goods_of(park, blue))
    assert found
    assert not [code for code in found if code.startswith("A01-03")]
    assert refused_at(park, blue, "A01-03-2A") is Reason.SLOT_LOOKALIKE_NEAR
    assert refused_at(park, other, "A01-03-2A") is None
    assert refused_at(park, blue, "A01-05-2A") is None


def test_what_was_just_stored_is_known_to_the_next_proposal(park: Park) -> None:
    red, blue = park.act(lambda call: (a_sku(call, lookalike="TEA"), a_sku(call, lookalike="TEA")))
    best = chosen(park, goods_of(park, blue), 1)[0]
    assert refused_at(park, red, best) is None
    assert chosen(park, goods_of(park, blue), 1)[0][:6] != best[:6]


def test_two_look_alikes_that_come_to_one_bay_at_once_do_not_both_get_in(database: Database) -> None:
    park = a_park(database)
    for bay in range(1, 9):
        skus = [park.act(partial(a_sku, lookalike=f"G{bay}")) for _ in range(2)]
        works = [
            partial(park.act, partial(_stow, sku, slot_id(park, f"A01-{bay:02d}-1{letter}")))
            for sku, letter in zip(skus, "AB", strict=True)
        ]
        told = sorted((getattr(one, "reason", None) for one in at_once(works)), key=str)
        assert told == [None, Reason.SLOT_LOOKALIKE_NEAR], told


def _stow(sku: SkuFacts, place_id: int, call: Call) -> None:
    lot = catalog.ensure_lot(call, sku)
    judging.take_slot(call, Goods(sku, lot, 1), place_id)
    put_goods(call, sku, place_id, 1, lot)


# --- lifting


def test_heavy_pieces_stay_below_the_shoulder_and_trucks_lift_higher(park: Park) -> None:
    """Floors of bins: 50, 550, 1,050 and 1,550 mm."""
    heavy, light = park.act(lambda call: (a_sku(call, **HEAVY), a_sku(call, **HEAVY | {"weight_g": 15_000})))  # type: ignore[arg-type]
    assert why_not(park, goods_of(park, heavy), "A01-01-3A") is None
    assert why_not(park, goods_of(park, heavy), "A01-01-4A") is Rule.LIFT
    assert why_not(park, goods_of(park, light), "A01-01-4A") is None
    assert not [code for code in chosen(park, goods_of(park, heavy)) if code.startswith("A01") and code[7] == "4"]
    assert refused_at(park, heavy, "A01-01-4A") is Reason.SLOT_TOO_HIGH
    assert refused_at(park, light, "A01-01-4A") is None
    bulky = park.act(lambda call: a_sku(call, zone_kind="bulky", **HEAVY))  # type: ignore[arg-type]
    assert refused_at(park, bulky, "B03-01-2A") is None


def test_a_manager_says_what_is_heavy_and_how_high_a_shoulder_is(park: Park) -> None:
    light = park.act(lambda call: a_sku(call, **HEAVY | {"weight_g": 8_000}))  # type: ignore[arg-type]
    park.act(lambda call: costs.set_lift(call, Lift(heavy_piece_g=7_999, shoulder_mm=1_000)))
    assert why_not(park, goods_of(park, light), "A01-01-3A") is Rule.LIFT
    assert refused_at(park, light, "A01-01-3A") is Reason.SLOT_TOO_HIGH
    assert refused_at(park, light, "A01-01-2A") is None
    for wrong in (Lift(0, 1_400), Lift(15_000, 0)):
        assert refusal(partial(park.act, partial(costs.set_lift, lift=wrong))) is Reason.BAD_INPUT


# --- what expires first


def dated(park: Park) -> tuple[SkuFacts, Callable[[str, date], int]]:
    """Goods with a date, and how to lay one lot of them somewhere."""
    sku = park.act(partial(a_sku, lot_tracked=True))

    def lay(code: str, day: date) -> int:
        return park.act(lambda call: stock_in(call, sku, code, 1, lot=f"B{day}", expires_on=day))

    return sku, lay


def test_in_one_bay_what_expires_first_is_never_the_higher_one(park: Park) -> None:
    sku, lay = dated(park)
    soon = lay("A01-03-2A", SOON)
    late = park.act(lambda call: catalog.ensure_lot(call, sku, "B-late", expires_on=LATE))
    sooner = park.act(lambda call: catalog.ensure_lot(call, sku, "B-sooner", expires_on=date(2026, 12, 1)))
    never = park.act(lambda call: catalog.ensure_lot(call, sku, "B-never"))
    asked = {
        (late, "A01-03-1A"): Rule.EXPIRY,
        (late, "A01-03-2B"): None,
        (late, "A01-03-3A"): None,
        (late, "A01-05-1A"): None,
        (sooner, "A01-03-1A"): None,
        (sooner, "A01-03-3A"): Rule.EXPIRY,
        (never, "A01-03-1A"): None,
        (soon, "A01-03-1A"): None,
    }
    for (lot, code), why in asked.items():
        goods = Goods(sku, lot, 1)
        # the lot lies in no slot yet: its day comes with the question
        assert _why_not_dated(park, goods, code) is why, (lot, code)
        no = _refused_by_rows(park, goods, code)
        assert no is (Reason.SLOT_EXPIRY_ORDER if why else None), (lot, code)
    damaged = Goods(sku, late, 1, "damaged")
    assert _why_not_dated(park, damaged, "A01-03-1A") is None
    assert _refused_by_rows(park, damaged, "A01-03-1A") is None
    assert not [code for code in chosen(park, Goods(sku, late, 1)) if code.startswith("A01-03-1")]


def _why_not_dated(park: Park, goods: Goods, code: str) -> Rule | None:
    from wms.catalog.tables import Lot
    from wms.slotting import picture, rules

    def ask(call: Call) -> Rule | None:
        drawn = picture.picture_of(call.session, call.warehouse_id, fresh=True)
        day = call.session.scalars(select(Lot.expires_on).where(Lot.id == goods.lot_id)).one()
        now = drawn.occupied((), {}, None if day is None else day.toordinal())
        return rules.first_broken(rules.masks(drawn.slots, now, goods), drawn.slots.codes.index(code))

    return park.act(ask)


def _refused_by_rows(park: Park, goods: Goods, code: str) -> Reason | None:
    place = slot_id(park, code)
    try:
        park.act(lambda call: judging.check_lawful(call, goods, place))
    except Refused as no:
        return no.reason
    return None


def test_the_order_of_expiry_is_asked_at_the_scan_of_a_box(park: Park) -> None:
    sku, lay = dated(park)
    lay("A01-03-2A", SOON)
    assert refused_at(park, sku, "A01-03-1A", LotGiven("B9", expires_on=LATE)) is Reason.SLOT_EXPIRY_ORDER
    assert refused_at(park, sku, "A01-03-3A", LotGiven("B9", expires_on=LATE)) is None


def test_every_floor_is_above_the_levels_below_it(park: Park) -> None:
    from wms.slotting.picture import picture_of

    drawn = park.read(lambda session: picture_of(session, park.warehouse_id, fresh=True))
    found = {code[:3] + code[6:8]: int(mm) for code, mm in zip(drawn.slots.codes, drawn.slots.floor_mm, strict=True)}
    assert [found[f"A01-{level}"] for level in range(1, 5)] == [50, 550, 1_050, 1_550]
    assert [found[f"A02-{level}"] for level in range(1, 4)] == [50, 720, 1_390]
    assert park.read(lambda session: session.scalars(select(Slot.level).where(Slot.retired)).all()) == []
