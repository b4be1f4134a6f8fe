"""The floor plan as a picture."""

from __future__ import annotations

import re
from xml.etree.ElementTree import fromstring

import pytest

from tests.builders import Park, a_park
from wms.core.db import Database
from wms.optimise.geometry import Point
from wms.site import closing, picture, queries, service
from wms.site.map import DASHES, FloorPlan, MapBay, MapBox, MapLabel, MapPerson, MapRoute, heat_classes, map_svg

SVG = "{http://www.w3.org/2000/svg}"
WALLS = (Point(0, 0), Point(10_000, 0), Point(10_000, 8_000), Point(0, 8_000))


def drawn(park: Park, **facts: object) -> str:
    return map_svg(park.read(lambda session: picture.floor_plan(session, park.warehouse_id, **facts)))  # type: ignore[arg-type]


def test_every_bay_station_and_chute_is_on_the_map(database: Database) -> None:
    root = fromstring(drawn(a_park(database)))
    classes = [each.get("class") for each in root.iter()]
    assert classes.count("h0") == 4 * 12
    assert classes.count("eq") == 4 + 6  # RC-01, PK-01, PK-02, DK-01 and the chutes
    words = [each.text for each in root.iter(f"{SVG}text")]
    assert {"A 区", "B 区", "D 区", "分拣线"} <= set(words)


def test_heat_shows_as_a_class_and_as_a_number(database: Database) -> None:
    park = a_park(database)
    bay = park.read(lambda session: picture.bays(session, park.warehouse_id, queries.hall(session, park.warehouse_id)))[
        0
    ]
    svg = drawn(park, heat={bay.id: 14})
    assert re.search(r'<rect class="h6"[^>]*><title>A01-01: 14</title>', svg)


def test_a_blocked_aisle_is_hatched_and_named(database: Database) -> None:
    park = a_park(database)
    assert 'class="hatch"' not in drawn(park)
    aisle = park.read(lambda session: queries.hall(session, park.warehouse_id)).aisles[2].name
    park.act(lambda call: closing.close_aisle(call, aisle, why="漏水"))
    assert f"▲ {aisle} 封道" in drawn(park)
    assert f"▲ {aisle} closed" in drawn(park, language="en")
    assert 'fill="url(#floor-hatch)"' in drawn(park)


def test_a_full_chute_bears_the_octagon_with_its_number(database: Database) -> None:
    park = a_park(database)
    park.act(lambda call: service.set_chute(call, 2, "FULL"))
    assert drawn(park).count('class="sign stop"') == 1


def test_no_picture_has_inline_style_or_script() -> None:
    plan = FloorPlan(
        10_000,
        8_000,
        WALLS,
        bays=[MapBay(1_000, 1_000, 600, 6, '"><script>alert(1)</script>')],
        boxes=[MapBox(5_000, 5_000, 1_000, 1_000, "<b>01</b>", "warn")],
        people=[MapPerson(2_000, 2_000, "<林", "hold")],
        routes=[MapRoute((Point(0, 0), Point(0, 8_000)), "A & B")],
        title='"onload="',
    )
    svg = map_svg(plan)
    root = fromstring(svg)
    assert not [each for each in root.iter() if each.get("style") or each.get("onload") or each.tag == f"{SVG}script"]
    assert "<script" not in svg


def test_neighbouring_routes_differ_by_their_dashes() -> None:
    walk = MapRoute((Point(0, 0), Point(0, 8_000)))
    svg = map_svg(FloorPlan(10_000, 8_000, WALLS, routes=[walk] * len(DASHES)))
    root = fromstring(svg)
    patterns = [each.get("stroke-dasharray") for each in root.iter(f"{SVG}polyline")]
    assert len(set(patterns)) == len(DASHES)


def test_the_front_wall_is_drawn_at_the_bottom() -> None:
    svg = map_svg(FloorPlan(10_000, 8_000, WALLS, people=[MapPerson(0, 0, "前"), MapPerson(0, 8_000, "后")]))
    front, back = (float(found) for found in re.findall(r'<circle cx="0" cy="([\d.]+)"', svg))
    assert (front, back) == (64.0, 0.0)


def test_a_small_hall_is_drawn_larger_so_that_words_keep_their_size_beside_it() -> None:
    small, large = FloorPlan(10_000, 8_000, WALLS), FloorPlan(120_000, 80_000, WALLS)
    assert small.view == "-4 -4 88 72"
    assert large.view == "-4 -4 128 88"
    assert (small.place(10_000, 0), large.place(10_000, 0)) == ((80.0, 64.0), (10.0, 80.0))


@pytest.mark.parametrize("depth_mm", [8_000, 80_000])
def test_words_over_the_back_wall_stay_in_the_picture(depth_mm: int) -> None:
    plan = FloorPlan(depth_mm, depth_mm, WALLS, labels=[MapLabel(4_000, depth_mm + 1_200, "A 区")])
    word = next(fromstring(map_svg(plan)).iter(f"{SVG}text"))
    top = float(plan.view.split()[1])
    assert top + 2.6 <= float(word.get("y") or 0) < 0


def test_heat_spreads_over_seven_steps() -> None:
    assert heat_classes([0, 1, 20, 40]) == [0, 1, 3, 6]
    assert heat_classes([0, 0]) == [0, 0]
    assert heat_classes([]) == []


def test_the_name_of_a_door_stands_clear_of_the_front_wall() -> None:
    door, table = MapBox(40_000, 700, 2_400, 1_400, "01"), MapBox(60_000, 20_000, 2_400, 1_400, "02")
    svg = map_svg(FloorPlan(120_000, 80_000, WALLS, boxes=[door, table]))
    assert re.findall(r'<text class="zt2" x="[\d.]+" y="([\d.]+)"[^>]*>(\d+)', svg) == [("77.8", "01"), ("63.1", "02")]
