"""A put wall: the place where the goods belong is lit, and its button confirms the put."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count

import pytest
from sqlalchemy import select

from tests.exchange.link import Link, a_link, all_of
from tests.outbound.orders import broken_promises
from tests.picking.floor import NEAR, Floor, a_floor
from tests.picking.hand import barcode, slot
from wms.core.call import Who
from wms.core.clock import WallClock
from wms.core.db import Database
from wms.core.refusal import Reason
from wms.handheld import shell
from wms.people import gate
from wms.people import queries as people_queries
from wms.people import service as people
from wms.people.values import DeviceKind
from wms.site.tables import Station
from wms.sorting.tables import GatewayCommand

_scans = count(1)
STATION = "PK-01"


@dataclass
class Wall:
    """A station with a scanner and a wall, somebody logged in, and two orders of tea to be put into two places."""

    floor: Floor
    link: Link
    who: Who

    def scan(self, code: str) -> None:
        told = {"scan_id": f"s{next(_scans)}", "code": code}
        assert self.link.tell(("scan", told), device="scanner1") == 200

    def press(self, place: int) -> None:
        assert self.link.tell(("press", {"button": place}), device="wall1") == 200

    def lights(self) -> list[list[int]]:
        """What was ordered, one after the other."""
        return [row.facts["only"] for row in all_of(self.floor.park, GatewayCommand) if row.kind == "lights"]

    def message(self) -> str:
        standing = self.floor.park.read(lambda session: shell.standing(session, self.who.person_id or 0))
        return str((standing.message or {}).get("code"))

    def take_tea(self) -> None:
        self.scan(barcode(self.floor, self.floor.tea))


@pytest.fixture
def wall(database: Database) -> Wall:
    floor = a_floor(database)
    park, clock = floor.park, WallClock()
    floor.loaded(("A-1", [(floor.tea, 1)]), ("A-2", [(floor.tea, 1)]))
    floor.person("W-1")
    park.act(lambda call: people.enrol_device(call, code="PDA-7", kind=DeviceKind.HANDHELD, name="手持 7"))
    station = park.read(lambda session: session.scalars(select(Station.id).where(Station.code == STATION)).one())
    home = park.warehouse_id
    gate.log_in(database, clock, warehouse_id=home, device_code="PDA-7", badge="W-1", pin="2468", station_id=station)
    who = park.read(lambda session: people_queries.who_is_at_station(session, station))
    assert who is not None
    link = a_link(park, STATION)
    lights = {"name": "wall1", "driver": "light_modbus", "state": "ready", "reason": "", "counters": {}}
    assert link.call("POST", "health", {"devices": [lights]}) == 200
    assert shell.act(database, park.clock, who, "begin", "choose", "cluster_pick").status == 200
    made = Wall(floor, link, who)
    made.scan(slot(NEAR))
    return made


def test_the_place_of_the_goods_is_lit_and_its_button_puts_them_there(wall: Wall) -> None:
    assert wall.lights() == [[]]
    wall.take_tea()
    assert wall.lights() == [[], [1]]
    wall.press(1)
    assert wall.floor.on_hand("T-0001") == 1
    assert wall.lights() == [[], [1], []]
    wall.take_tea()
    wall.press(2)
    assert wall.floor.on_hand("T-0002") == 1
    assert wall.lights() == [[], [1], [], [2], []]
    assert broken_promises(wall.floor.park) == []


@pytest.mark.parametrize(("place", "said"), [(2, "S7-13"), (9, "S7-14")])
def test_another_place_s_button_books_nothing_and_says_why(wall: Wall, place: int, said: str) -> None:
    wall.take_tea()
    wall.press(place)
    assert wall.floor.on_hand("T-0001") == wall.floor.on_hand("T-0002") == 0
    assert said in wall.message()
    assert wall.lights() == [[], [1]]
    wall.press(1)
    assert wall.floor.on_hand("T-0001") == 1


def test_a_button_that_nobody_waits_for_changes_nothing(wall: Wall) -> None:
    mark = wall.link.seq
    wall.press(1)
    assert (wall.link.mark, wall.floor.on_hand("T-0001")) == (mark + 1, 0)
    wall.take_tea()
    again = wall.link.event("press", {"button": 1}, "wall1")
    assert wall.link.push([again]) == wall.link.push([again]) == 200
    assert wall.floor.on_hand("T-0001") == 1


def test_a_press_too_late_is_told(wall: Wall) -> None:
    """The step asks for goods, and the hand presses once more."""
    wall.take_tea()
    wall.press(1)
    before = wall.message()
    wall.press(1)
    assert (wall.floor.on_hand("T-0001"), wall.message()) == (1, before)
    assert Reason.STEP_WRONG.value not in wall.message()
