"""The small map on the PDA: the way to the next slot and the rest of the walk, found once for a walk."""

from __future__ import annotations

import json
from dataclasses import asdict
from itertools import pairwise

import pytest

from tests.picking.floor import FAR, MIDDLE, NEAR, Floor, a_floor
from tests.picking.hand import Hand, at_the_rack, barcode, slot, tote
from wms.core.db import Database
from wms.core.dialogue import WalkMap
from wms.optimise.geometry import Closed, Point, RectHall
from wms.picking.dialogue import walk_map
from wms.picking.rules.ways import way, way_mm
from wms.site import closing, queries

BYTES_MAX = 1_000


@pytest.fixture
def floor(database: Database) -> Floor:
    return a_floor(database)


def shown(hand: Hand) -> WalkMap:
    found = hand.card("location").map
    assert isinstance(found, WalkMap)
    return found


def corners(points: str) -> list[tuple[int, int]]:
    return [(int(x), int(y)) for x, y in (one.split(",") for one in points.split())]


def place_of(floor: Floor, code: str) -> tuple[int, int]:
    """A slot on the map, in decimetres from the left and from the back."""

    def ask(session):  # type: ignore[no-untyped-def]
        hall = queries.hall(session, floor.park.warehouse_id).hall
        found = queries.slot_by_code(session, floor.park.warehouse_id, code)
        return hall.aisle_x_mm[found.aisle_index] // 100, (hall.cross_y_mm[-1] - found.y_mm) // 100

    return floor.park.read(ask)  # type: ignore[no-any-return]


def test_the_way_leads_from_stop_to_stop_and_the_rest_to_the_end(floor: Floor) -> None:
    hand = at_the_rack(floor, ("O1", [(floor.tea, 1), (floor.nuts, 1), (floor.salt, 1)]))
    seen = [hand.card("location").code]
    first = shown(hand)
    assert first.there == place_of(floor, seen[0])
    assert corners(first.leg)[0] == first.here
    assert corners(first.leg)[-1] == first.there == corners(first.rest)[0]
    home = corners(first.rest)[-1]
    assert home == first.here  # the walk ends where it began
    sku = {NEAR: floor.tea, MIDDLE: floor.nuts, FAR: floor.salt}[seen[0]]
    hand.scan(slot(seen[0]))
    assert hand.card("location").map is None  # he is there
    hand.scan(barcode(floor, sku))
    hand.scan(tote(1))
    second = shown(hand)
    assert second.here == first.there
    assert second.there == place_of(floor, hand.card("location").code)
    assert (second.view, second.aisles) == (first.view, first.aisles)


def test_it_is_small_and_within_its_frame(floor: Floor) -> None:
    hand = at_the_rack(floor, ("O1", [(floor.tea, 1), (floor.nuts, 1), (floor.salt, 1)]))
    found = shown(hand)
    assert len(json.dumps(asdict(found))) < BYTES_MAX
    left, top, width, height = found.view
    for x, y in (*corners(found.leg), *corners(found.rest)):
        assert left < x < left + width
        assert top < y < top + height


def test_a_whole_walk_is_found_once(floor: Floor) -> None:
    hand = at_the_rack(floor, ("O1", [(floor.tea, 1), (floor.nuts, 1), (floor.salt, 1)]))
    found = walk_map._lines.cache_info().misses
    for _ in range(3):
        code = hand.card("location").code
        hand.scan(slot(code))
        hand.scan(barcode(floor, {NEAR: floor.tea, MIDDLE: floor.nuts, FAR: floor.salt}[code]))
        hand.scan(tote(1))
    assert hand.step == "scan_lane"
    assert walk_map._lines.cache_info().misses == found


def test_what_is_closed_is_drawn_and_walked_around(floor: Floor) -> None:
    hand = at_the_rack(floor, ("O1", [(floor.tea, 1), (floor.salt, 1)]))
    assert shown(hand).shut == ""
    floor.park.act(lambda call: closing.close_aisle(call, "B03", why="漏水"))
    assert shown(hand).shut.startswith("M")


def test_who_was_closed_in_is_shown_the_way_out() -> None:
    hall = RectHall((0, 3_000), (0, 20_000), Point(0, 0), closed=(Closed(0, 2_000, 18_000),))
    out = way(hall, Point(0, 10_000), Point(3_000, 10_000))
    assert all(a.x_mm == b.x_mm or a.y_mm in hall.cross_y_mm for a, b in pairwise(out))
    assert way_mm(hall, Point(0, 10_000), Point(3_000, 10_000)) == 23_000
