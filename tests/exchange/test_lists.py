"""A park of one's own out of lists: its slots, how its zones are kept, and its goods' needs."""

from __future__ import annotations

from itertools import product

import pytest
from sqlalchemy import select

from tests import builders
from tests.exchange.lists import a_known_park, importer, refused
from wms.catalog import queries as catalog
from wms.core.db import Database
from wms.site import queries as site
from wms.site.racks import profiles
from wms.site.service import make_warehouse
from wms.site.tables import Bay, Slot


@pytest.fixture
def park(database: Database) -> builders.Park:
    return a_known_park(database)


SLOT = "code,width_mm,depth_mm,height_mm,weight_max_g"


def own_park(database: Database, *lines: str) -> builders.Park:
    here = database.transact(lambda session: make_warehouse(session, builders.MORNING, "1", "一号仓", "Asia/Shanghai"))
    park = builders.Park(database, here)
    importer(park)("slots", *lines)
    return park


def test_a_list_of_codes_and_sizes_is_enough_for_a_hall(sqlite_database: Database) -> None:
    park = own_park(
        sqlite_database,
        SLOT,
        "B02-01-1,980,600,450,60000",
        "A01-01-1A,980,600,450,60000",
        "A01-01-1B,980,600,450,60000",
        "A01-12-2,980,600,450,60000",
    )
    hall = park.read(lambda session: site.hall(session, park.warehouse_id))
    assert [(aisle.zone_code, aisle.number, aisle.index, aisle.x_mm) for aisle in hall.aisles] == [
        ("A", 1, 0, 1_900),
        ("B", 2, 1, 4_500),
    ]
    far = park.read(lambda session: site.slot_by_code(session, park.warehouse_id, "A01-12-2"))
    near = park.read(lambda session: site.slot_by_code(session, park.warehouse_id, "A01-01-1A"))
    assert (far.side, near.side, far.y_mm - near.y_mm) == ("R", "L", 10_000)
    assert hall.hall.cross_y_mm[0] < near.y_mm < far.y_mm < hall.hall.cross_y_mm[1]
    stations = park.read(lambda session: [one.code for one in site.stations(session, park.warehouse_id)])
    assert stations == ["DK-01", "PK-01", "RC-01", "SG-01"]


def test_a_list_with_places_is_built_as_listed_and_can_grow(database: Database) -> None:
    header = SLOT + ",zone_kind,x_mm,y_mm,skus_max"
    park = own_park(
        database,
        header,
        "A01-01-1,980,600,450,60000,storage,2000,7300,3",
        "D02-01-1,980,600,450,60000,bonded,5000,9300,1",
    )
    take = importer(park)
    take("slots", header, "A01-02-1,980,600,450,60000,storage,2000,8000,1", "E05-01-1,900,900,900,9000,,9000,7300,1")
    hall = park.read(lambda session: site.hall(session, park.warehouse_id))
    assert [(aisle.number, aisle.x_mm) for aisle in hall.aisles] == [(1, 2_000), (2, 5_000), (5, 9_000)]
    assert hall.width_mm >= 9_000
    bonded = park.read(lambda session: site.slot_by_code(session, park.warehouse_id, "D02-01-1"))
    assert (bonded.bonded, bonded.y_mm, bonded.aisle_index) == (True, 9_300, 1)
    assert refused(park, "slots", header, "B03-01-1,9,9,9,9,,7000,7300,1")[0][0] == 2
    assert "stands at x 2000" in refused(park, "slots", header, "A01-03-1,9,9,9,9,,2100,7300,1")[0][1]
    assert "outside of the aisles" in refused(park, "slots", header, "A01-03-1,9,9,9,9,,2000,90000,1")[0][1]
    assert "zone D is bonded" in refused(park, "slots", header, "D02-03-1,9,9,9,9,bulky,5000,9300,1")[0][1]


def test_every_wrong_slot_is_named(park: builders.Park) -> None:
    bad = refused(
        park,
        "slots",
        SLOT + ",zone_kind,x_mm",
        "E05-01-1,980,600,450,60000,storage,30000",
        "E05-01-1,980,600,450,60000,storage,30000",
        "E05-02-1,980,600,450,60000,storage,31000",
        "E05-03-1,980,600,450,60000,bulky,30000",
        "E5-1,980,600,450,60000,storage,30000",
        "E05-04-1,0,600,450,60000,storage,30000",
        "E05-05-1,980,600,450,,storage,30000",
        "E05-06-1,980,600,450,60000,cold,30000",
        "A01-01-1A,980,600,450,60000,storage,",
    )
    assert sorted({number for number, _what in bad}) == [3, 4, 5, 6, 7, 8, 9, 10]


def test_what_beams_and_uprights_carry_is_listed_once_for_all_slots_on_them(park: builders.Park) -> None:
    header = SLOT + ",level_weight_max_g,bay_weight_max_g,y_mm"
    bad = refused(
        park,
        "slots",
        header,
        "A01-13-1A,980,600,450,60000,100000,150000,5000",
        "A01-13-1B,980,600,450,60000,90000,150000,5000",
        "A01-13-2A,980,600,450,60000,,140000,5000",
        "A01-14-1A,980,600,450,60000,0,,5000",
        "A01-14-1B,980,600,450,60000,heavy,,5000",
    )
    assert [number for number, _what in bad] == [3, 4, 5, 6]
    assert bad[0][1] == "level_weight_max_g: 90000 for level A01-13-1, but row 2 says 100000"
    assert bad[1][1] == "bay_weight_max_g: 140000 for bay A01-13, but row 2 says 150000"
    take = importer(park)
    take("slots", header, "A01-13-1A,980,600,450,60000,100000,150000,5000", "A01-14-1A,980,600,450,60000,,,5000")
    rows = park.read(
        lambda session: session.execute(
            select(Slot.code, Slot.level_weight_max_g, Bay.weight_max_g)
            .join(Bay, Bay.id == Slot.bay_id)
            .where(Bay.number > 12)
            .order_by(Slot.code)
        ).all()
    )
    assert [tuple(row) for row in rows] == [("A01-13-1A", 100_000, 150_000), ("A01-14-1A", None, 60_000)]
    late = refused(park, "slots", header, "A01-13-2A,980,600,450,60000,,140000,5000")
    assert "150000 g was listed" in late[0][1]
    late = refused(park, "slots", header, "A01-13-1B,980,600,450,60000,90000,150000,5000")
    assert "A01-13-1B: level_weight_max_g" in late[0][1]


def test_a_list_says_how_a_zone_is_kept_once_for_all_its_slots(park: builders.Park) -> None:
    header = SLOT + ",temperature,x_mm,y_mm"
    bad = refused(
        park,
        "slots",
        header,
        "E05-01-1,980,600,450,60000,chilled,60000,5000",
        "E05-01-2,980,600,450,60000,frozen,60000,5000",
        "F06-01-1,980,600,450,60000,cold,70000,5000",
    )
    assert [number for number, _what in bad] == [3, 4]
    assert bad[1][1] == "temperature: 'cold' is not one of ambient, cool, chilled, frozen"
    importer(park)("slots", header, "E05-01-1,980,600,450,60000,chilled,60000,5000")
    zones = park.read(lambda session: site.zones(session, park.warehouse_id))
    assert {zone.code: zone.temperature for zone in zones} == {
        "A": "ambient",
        "B": "ambient",
        "D": "ambient",
        "E": "chilled",
    }
    late = refused(park, "slots", header, "E05-02-1,980,600,450,60000,frozen,60000,5000")
    assert "zone E is kept chilled" in late[0][1]


def test_skus_say_how_they_are_kept(park: builders.Park) -> None:
    header = "merchant,code,name,hazard,zone_kind,temperature,lookalike"
    bad = refused(park, "skus", header, "M1,X-1,甲,,bonded,,", "M1,X-2,乙,,,warm,", "M1,X-3,丙,,,," + "x" * 65)
    assert [number for number, _what in bad] == [2, 3, 4]
    assert bad[0][1] == "zone_kind: 'bonded' is not one of storage, bulky"
    importer(park)("skus", header, "M1,X-1,甲,3,bulky,Frozen,TIN", "M1,X-2,乙,,,,")
    merchant = park.read(lambda session: catalog.merchant_by_code(session, park.warehouse_id, "M1"))
    facts = park.read(lambda s: catalog.skus_by_code(s, park.warehouse_id, merchant.id, ["X-1", "X-2"]))
    assert [(one.hazard, one.zone_kind, one.temperature, one.lookalike) for one in facts.values()] == [
        ("3", "bulky", "frozen", "TIN"),
        ("", "storage", "ambient", ""),
    ]


def test_a_profile_of_ones_own_may_say_what_its_beams_carry(park: builders.Park) -> None:
    header = "code,levels,positions,width_mm,depth_mm,height_mm,weight_max_g,level_weight_max_g"
    importer(park)("profiles", header, "jar,3,5,390,600,200,20000,60000", "jug,3,5,390,600,200,20000,")
    known = park.read(lambda session: profiles(session, park.warehouse_id))
    assert (known["jar"].level_weight_max_g, known["jug"].level_weight_max_g) == (60_000, None)
    assert refused(park, "profiles", header, "jar,3,5,390,600,200,20000,0")[0][0] == 2


def test_a_whole_park_comes_in_from_one_file(sqlite_database: Database) -> None:
    bays = product(enumerate("AABB", 1), range(1, 25), range(1, 5))
    codes = [f"{zone}{aisle:02d}-{bay:02d}-{level}" for (aisle, zone), bay, level in bays]
    park = own_park(sqlite_database, SLOT, *(f"{code},980,600,450,60000" for code in codes))
    assert park.read(lambda session: len(site.slots(session, park.warehouse_id))) == len(codes)
