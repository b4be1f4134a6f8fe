"""Whose goods, which goods, which batch."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import partial

import pytest

from tests.builders import Park, a_merchant, a_park, a_sku, at_once
from wms.catalog import queries, rules, service
from wms.catalog.values import LotFacts, SkuFacts
from wms.core.call import Call
from wms.core.db import Database
from wms.core.refusal import Reason, Refused

TODAY = date(2026, 11, 7)


@pytest.fixture
def park(database: Database) -> Park:
    return a_park(database)


def refusal(work: Callable[[], object]) -> Reason:
    with pytest.raises(Refused) as no:
        work()
    return no.value.reason


def scanned(park: Park, barcode: str, merchant_id: int | None = None) -> list[tuple[str, int]]:
    found = park.read(lambda session: queries.skus_by_barcode(session, park.warehouse_id, barcode, merchant_id))
    return [(each.sku.code, each.quantity) for each in found]


def test_a_merchants_code_is_used_once(park: Park) -> None:
    park.act(a_merchant)
    assert refusal(lambda: park.act(a_merchant)) is Reason.ALREADY_EXISTS


def test_two_merchants_may_use_one_sku_code_and_one_bar_code(park: Park) -> None:
    first = park.act(lambda call: a_sku(call, "S1", "M1", barcode="6901234567892"))
    second = park.act(lambda call: a_sku(call, "S1", "M2", barcode="6901234567892"))
    assert first.id != second.id
    assert scanned(park, "6901234567892") == [("S1", 1), ("S1", 1)]
    assert len(scanned(park, "6901234567892", second.merchant_id)) == 1
    look = partial(queries.the_sku_of_barcode, warehouse_id=park.warehouse_id, barcode="6901234567892")
    assert refusal(lambda: park.read(look)) is Reason.BARCODE_AMBIGUOUS
    assert park.read(partial(look, merchant_id=first.merchant_id)).sku == first


def test_one_merchant_uses_a_bar_code_for_one_thing(park: Park) -> None:
    park.act(lambda call: a_sku(call, "S1", barcode="6901234567892"))
    assert refusal(lambda: park.act(lambda call: a_sku(call, "S2", barcode="06901234567892"))) is Reason.ALREADY_EXISTS


@pytest.mark.parametrize("written", ["6901234567892", "06901234567892"])
@pytest.mark.parametrize("read", ["6901234567892", "06901234567892"])
def test_a_gtin_is_the_same_however_it_is_written(park: Park, written: str, read: str) -> None:
    park.act(lambda call: a_sku(call, "S1", barcode=written))
    assert scanned(park, read) == [("S1", 1)]


def test_a_upc_is_found_by_its_ean(park: Park) -> None:
    park.act(lambda call: a_sku(call, "S1", barcode="036000291452"))
    assert scanned(park, "0036000291452") == scanned(park, "00036000291452") == [("S1", 1)]


@pytest.mark.parametrize("barcode", ["16901234567899", "ABC-0123456789", "００００００００００００"])
def test_other_codes_are_taken_word_for_word(barcode: str) -> None:
    assert rules.bare_barcode(barcode) == barcode


def test_a_packaging_stands_for_its_pieces(park: Park) -> None:
    sku = park.act(lambda call: a_sku(call, "S1", barcode="6901234567892"))
    park.act(lambda call: service.add_barcode(call, sku.merchant_id, sku.id, "16901234567899", 12))
    assert scanned(park, "16901234567899") == [("S1", 12)]
    assert (
        refusal(lambda: park.act(lambda call: service.add_barcode(call, sku.merchant_id, sku.id, "26901234567896", 0)))
        is Reason.QUANTITY_WRONG
    )
    listed = park.read(lambda session: queries.barcodes_of(session, park.warehouse_id, sku.id))
    assert [(each.barcode, each.quantity) for each in listed] == [("6901234567892", 1), ("16901234567899", 12)]


def test_an_unknown_bar_code_says_so(park: Park) -> None:
    assert scanned(park, "4006381333931") == []
    look = partial(queries.the_sku_of_barcode, warehouse_id=park.warehouse_id, barcode="4006381333931")
    assert refusal(lambda: park.read(look)) is Reason.BARCODE_UNKNOWN


@pytest.mark.parametrize("wrong", [{"name": ""}, {"code": "x\x00"}, {"weight_g": -1}, {"shelf_life_days": -1}])
def test_a_sku_is_listed_properly_or_not_at_all(park: Park, wrong: dict[str, object]) -> None:
    park.act(a_merchant)
    facts = {"merchant_code": "M1", "code": "S1", "name": "核桃", **wrong}
    assert refusal(lambda: park.act(lambda call: service.add_sku(call, **facts))) is Reason.BAD_INPUT  # type: ignore[arg-type]
    assert park.read(lambda session: queries.skus(session, park.warehouse_id)) == []


def test_a_merchants_program_sees_and_lists_its_own_goods_only(park: Park) -> None:
    mine = park.act(lambda call: a_sku(call, "S1", "M1"))
    theirs = park.act(lambda call: a_sku(call, "S1", "M2"))
    add = partial(service.add_sku, code="S2", name="茶")
    park.act_for(mine.merchant_id, add)
    found = park.read(lambda session: queries.skus(session, park.warehouse_id, mine.merchant_id))
    assert [each.code for each in found] == ["S1", "S2"]
    foreign = partial(service.add_sku, merchant_code="M2", code="S3", name="茶")
    assert refusal(lambda: park.act_for(mine.merchant_id, foreign)) is Reason.MERCHANT_UNKNOWN
    measure = partial(service.measure_sku, sku_id=theirs.id, length_mm=1, width_mm=1, height_mm=1, weight_g=1)
    assert refusal(lambda: park.act_for(mine.merchant_id, measure)) is Reason.SKU_UNKNOWN
    look = partial(queries.sku_by_code, warehouse_id=park.warehouse_id, merchant_id=theirs.merchant_id, code="S2")
    assert refusal(lambda: park.read(look)) is Reason.SKU_UNKNOWN


def test_a_blocked_merchant_begins_nothing_new(park: Park) -> None:
    park.act(a_merchant)
    park.act(lambda call: service.block_merchant(call, "M1", "欠费"))
    assert refusal(lambda: park.act(lambda call: service.open_merchant(call, "M1"))) is Reason.MERCHANT_BLOCKED
    assert park.act(lambda call: service.own_merchant(call, "M1")).blocked_reason == "欠费"
    park.act(lambda call: service.block_merchant(call, "M1", None))
    assert park.act(lambda call: service.open_merchant(call, "M1")).code == "M1"


def test_who_names_no_merchant_must_be_one(park: Park) -> None:
    merchant_id = park.act(a_merchant)
    assert park.act_for(merchant_id, service.own_merchant).code == "M1"
    assert refusal(lambda: park.act(service.own_merchant)) is Reason.BAD_INPUT


def test_measured_sizes_replace_unknown_ones(park: Park) -> None:
    sku = park.act(lambda call: a_sku(call, "S1", length_mm=0, weight_g=0))
    park.act(lambda call: service.measure_sku(call, sku.id, length_mm=10, width_mm=20, height_mm=30, weight_g=40))
    found = park.read(lambda session: queries.sku_by_id(session, park.warehouse_id, sku.id))
    assert (found.length_mm, found.weight_g, found.volume_mm3) == (10, 40, 6_000)


def test_pages_of_skus_go_on_after_the_last_code(park: Park) -> None:
    for number in range(5):
        park.act(lambda call, number=number: a_sku(call, f"S{number}"))  # type: ignore[misc]
    first = park.read(lambda session: queries.skus(session, park.warehouse_id, limit=3))
    rest = park.read(lambda session: queries.skus(session, park.warehouse_id, after=first[-1].code))
    assert [each.code for each in (*first, *rest)] == ["S0", "S1", "S2", "S3", "S4"]


def lot(park: Park, sku: SkuFacts, *marks: object) -> LotFacts:
    lot_id = park.act(lambda call: service.ensure_lot(call, sku, *marks))  # type: ignore[arg-type]
    return park.read(lambda session: queries.lot_by_id(session, park.warehouse_id, lot_id))


def test_goods_without_a_batch_lie_in_one_lot(park: Park) -> None:
    sku = park.act(lambda call: a_sku(call, "S1"))
    assert lot(park, sku) == lot(park, sku)
    assert lot(park, sku).code == rules.NO_LOT


def test_a_batch_is_listed_once_even_by_two_at_once(park: Park) -> None:
    sku = park.act(lambda call: a_sku(call, "S1", lot_tracked=True))

    def received(call: Call) -> int:
        return service.ensure_lot(call, sku, "L1")

    found = at_once([partial(park.act, received)] * 4)
    assert len(set(map(str, found))) == 1


def test_a_tracked_sku_needs_its_batch(park: Park) -> None:
    sku = park.act(lambda call: a_sku(call, "S1", lot_tracked=True))
    assert refusal(lambda: lot(park, sku)) is Reason.LOT_REQUIRED
    assert lot(park, sku, "L1").code == "L1"


def test_a_sku_with_a_shelf_life_needs_a_date(park: Park) -> None:
    sku = park.act(lambda call: a_sku(call, "S1", shelf_life_days=30))
    assert refusal(lambda: lot(park, sku, "L1")) is Reason.LOT_DATES_REQUIRED
    assert lot(park, sku, "L1", date(2026, 11, 1)).expires_on == date(2026, 12, 1)
    assert lot(park, sku, None, None, date(2026, 12, 24)).code == "20261224"


def test_dates_make_sense_or_are_refused(park: Park) -> None:
    sku = park.act(lambda call: a_sku(call, "S1"))
    assert lot(park, sku, "L0", TODAY, TODAY).produced_on == TODAY
    assert refusal(lambda: lot(park, sku, "L1", date(2026, 11, 8))) is Reason.LOT_DATES_WRONG
    assert refusal(lambda: lot(park, sku, "L1", TODAY, date(2026, 11, 6))) is Reason.LOT_DATES_WRONG


def test_today_is_the_day_at_the_park(park: Park) -> None:
    sku = park.act(lambda call: a_sku(call, "S1"))
    park.clock.advance(hours=16)  # midnight at the park, still the 7th in UTC
    assert lot(park, sku, "L1", date(2026, 11, 8)).produced_on == date(2026, 11, 8)


def test_one_batch_has_one_date(park: Park) -> None:
    sku = park.act(lambda call: a_sku(call, "S1"))
    lot(park, sku, "L1", None, date(2027, 1, 1))
    assert lot(park, sku, "L1").expires_on == date(2027, 1, 1)
    assert refusal(lambda: lot(park, sku, "L1", None, date(2027, 1, 2))) is Reason.LOT_DATES_WRONG


def test_lots_are_listed_with_the_first_to_expire_first(park: Park) -> None:
    sku = park.act(lambda call: a_sku(call, "S1"))
    lot(park, sku)
    lot(park, sku, "LATE", None, date(2027, 2, 1))
    lot(park, sku, "SOON", None, date(2027, 1, 1))
    listed = park.read(lambda session: queries.lots_of(session, park.warehouse_id, sku.id))
    assert [each.code for each in listed] == ["SOON", "LATE", rules.NO_LOT]


@pytest.mark.parametrize(("expires_on", "left"), [(date(2026, 11, 7), 0), (date(2026, 11, 6), -1), (None, None)])
def test_life_left_counts_the_last_day_as_none(expires_on: date | None, left: int | None) -> None:
    assert rules.life_left_days(LotFacts(1, 1, "L", None, expires_on, ""), TODAY) == left
