"""Closing and opening from the map: the deeds, what the panel shows, what the exceptions say."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from tests.builders import a_park
from tests.outbound.orders import allocate, place
from tests.terminal.desk import Desk, a_desk
from tests.terminal.scene import found, stocked
from wms.core.db import Database
from wms.outbound.service.waves import drafts
from wms.people.values import Role
from wms.site import closing, queries
from wms.site.values import ClosureFacts
from wms.terminal.queries import waves
from wms.terminal.queries.look import Look


def closures(desk: Desk) -> tuple[ClosureFacts, ...]:
    return desk.park.read(lambda session: queries.hall(session, desk.park.warehouse_id)).closures


def test_an_aisle_is_closed_with_its_reason_and_opened_again(desk: Desk) -> None:
    answer = desk.do("close_floor", name="A02", why="漏水", until="", **{"from": None, "to": None})
    assert answer.status_code == 200, answer.get_data(as_text=True)
    (one,) = closures(desk)
    assert (one.name, one.why, one.until) == ("A02", "漏水", None)
    page = desk.page("?map=closed&aisle=A02")
    assert "漏水" in page
    assert 'class="hatch"' in page
    assert 'class="touch on" data-option="aisle=A02"' in page
    assert desk.do("open_floor", closure=one.id).status_code == 200
    assert closures(desk) == ()
    assert "没有封着的巷道和库区" in desk.page("?map=closed")


def test_a_zone_and_a_stretch_until_a_time_of_day(desk: Desk) -> None:
    assert desk.do("close_floor", name="B", why="盘点", until="").status_code == 200
    now = queries.warehouse
    local = desk.park.read(lambda session: now(session, desk.park.warehouse_id)).local(desk.park.clock.now())
    soon, past = local + timedelta(minutes=30), local - timedelta(minutes=30)
    given = {"from": 3, "to": None}
    assert desk.do("close_floor", name="A01", why="x", until=f"{soon:%H:%M}", **given).status_code == 200
    assert desk.do("close_floor", name="A02", why="x", until=f"{past:%H:%M}").status_code == 200
    zone, stretch, tomorrow = closures(desk)
    assert (zone.name, zone.aisle_index) == ("B", None)
    assert stretch.to_y_mm - stretch.from_y_mm == 2_000
    assert stretch.until is not None
    assert timedelta(minutes=29) < stretch.until - desk.park.clock.now() <= timedelta(minutes=30)
    assert tomorrow.until is not None
    assert timedelta(hours=23) < tomorrow.until - desk.park.clock.now() < timedelta(hours=24)


@pytest.mark.parametrize(
    "args",
    [
        {"name": "A99", "why": "x"},
        {"name": "A01", "why": ""},
        {"name": "", "why": "x"},
        {"name": "A01", "why": "x", "until": "25:00"},
        {"name": "A01", "why": "x", "from": 77},
        {"name": "A01", "why": "x", "from": "1"},
    ],
)
def test_bad_input_is_one_clear_line_and_closes_nothing(sqlite_desk: Desk, args: dict[str, object]) -> None:
    answer = sqlite_desk.do("close_floor", **args)
    assert answer.status_code in (404, 422, 400)
    assert answer.json["error"]["message"]
    assert closures(sqlite_desk) == ()


def test_who_may_not_block_slots_closes_nothing(sqlite_database: Database) -> None:
    desk = a_desk(a_park(sqlite_database))
    desk.hire("line", Role.LINE)
    assert desk.log_in("line").status_code == 200
    assert desk.do("close_floor", name="A02", why="x").status_code == 403
    assert closures(desk) == ()


def test_goods_out_of_reach_are_an_exception_whose_button_opens_the_way(desk: Desk) -> None:
    sku = stocked(desk, slot="A02-09-1A")
    place(desk.park, "O1", (sku, 3))
    allocate(desk.park, "O1")
    closed = desk.park.act(lambda call: closing.close_aisle(call, "A02", why="漏水"))
    trouble = found(desk)[f"closed:{closed.id}"]
    assert trouble.what.facts == {"name": "A02", "lines": "1"}
    assert (trouble.deed.name, trouble.deed.args) == ("open_floor", {"closure": closed.id})
    page = desk.page("?map=closed")
    assert "走不到、先不拣：1 行，1 单" in page
    assert "A02: 漏水" in page
    assert desk.do("open_floor", **trouble.deed.args).status_code == 200
    assert f"closed:{closed.id}" not in found(desk)


def test_orders_set_aside_are_not_counted_as_waiting_for_a_wave(desk: Desk) -> None:
    far, near = stocked(desk, "SALT", slot="A02-09-1A"), stocked(desk, "TEA", slot="A01-01-1A")
    for no, sku in (("O1", far), ("O2", near), ("O3", near)):
        place(desk.park, no, (sku, 1))
        allocate(desk.park, no)
    closed = desk.park.act(lambda call: closing.close_aisle(call, "A02", why="漏水"))
    assert waiting_orders(desk) == 2
    desk.park.act(lambda call: closing.open_again(call, closed.id))
    assert waiting_orders(desk) == 3


def waiting_orders(desk: Desk) -> int:
    """Orders the page counts as waiting; as many as would be gathered into waves."""
    park = desk.park

    def ask(session: Session) -> tuple[int, int]:
        now = park.clock.now()
        look = Look(session, queries.warehouse(session, park.warehouse_id), now, now)
        counted = sum(one.orders for one in waves.waiting(look))
        return counted, sum(len(draft.order_ids) for draft in drafts(session, park.warehouse_id))

    counted, gathered = park.read(ask)
    assert counted == gathered
    return counted
