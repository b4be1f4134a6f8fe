"""The slots' page, its rack side: a plan on demand, bays with gain, cost and payback, before and after, decided."""

from __future__ import annotations

import re

import pytest

from tests.builders import Park, a_sku
from tests.inbound.dock import announced
from tests.slotting.racking import bay, divisions, spare, spares
from tests.terminal.desk import Desk
from tests.terminal.test_slots import delivered, page
from wms.core.call import Call
from wms.core.outbox import announce
from wms.printing.tables import PrintJob
from wms.site.rules import Parts
from wms.slotting import dividing
from wms.sorting.tables import Gateway, GatewayDevice


@pytest.fixture
def desk(sqlite_desk: Desk) -> Desk:
    """Far more is announced than the shelves and bins take, and parts lie ready."""
    park = sqlite_desk.park
    spare(park)
    skus = park.act(lambda call: [a_sku(call) for _ in range(260)])
    announced(park, "N1", *((sku, 20) for sku in skus))
    return sqlite_desk


def planned(desk: Desk) -> None:
    assert desk.do("plan_divisions").status_code == 200
    delivered(desk)


def test_an_empty_house_says_what_to_do_first(sqlite_desk: Desk) -> None:
    words = page(sqlite_desk, plan="racks")
    assert "没有建议改的货架列" in words
    assert "先登记要来的货" in words
    assert "还没有定过货架列" in page(sqlite_desk, plan="racks", side="decided")
    assert "建议的移库" not in page(sqlite_desk, plan="racks")


def test_a_plan_shows_bays_with_what_fits_what_it_costs_and_when_it_pays(desk: Desk) -> None:
    planned(desk)
    first = divisions(desk.park)[0]
    words = page(desk, plan="racks")
    assert "要来 260 种商品" in words
    assert bay(desk.park, first).label in words
    assert f"{first.slots_before} → {first.slots_after}" in words
    assert f"+{first.skus_more}" in words
    assert f"¥{first.cost_cents / 100:,.2f}" in words
    assert words.count('class="elevation"') == 2
    before, after = re.findall(r'<svg class="elevation".*?</svg>', words)
    assert (before.count('"slot"'), after.count('"slot"')) == (first.slots_before, first.slots_after)
    assert "style=" not in before + after


def test_all_some_or_none_of_the_bays_are_done_and_withdrawn(desk: Desk) -> None:
    planned(desk)
    ids = [row.id for row in divisions(desk.park)]
    assert "1" in desk.do("accept_divisions", bays=ids[:1]).json["says"]
    assert "在腾空" in page(desk, plan="racks")
    desk.do("decline_divisions", bays=ids)
    assert {row.state for row in divisions(desk.park)} == {"accepted", "declined"}
    desk.do("withdraw_division", bay=ids[0])
    assert "被撤回" in page(desk, plan="racks", side="decided")
    for wrong in ("all", [1.5], None):
        assert desk.do("accept_divisions", bays=wrong).status_code == 400


def test_spare_parts_are_counted_here(desk: Desk) -> None:
    assert desk.do("set_spare_parts", depth_mm=600, beams=7, dividers=9).status_code == 200
    assert spares(desk.park) == Parts(7, 9)
    words = page(desk, plan="racks", side="parts")
    assert 'value="7"' in words
    assert "深 1,100 毫米" in words
    assert desk.do("set_spare_parts", depth_mm=600, beams=-1, dividers=9).status_code == 400


def a_printer(park: Park) -> None:
    """Behind the gateway of the receiving station."""

    def connect(call: Call) -> None:
        from wms.site import queries

        station = queries.station_by_code(call.session, call.warehouse_id, "RC-01")
        gateway = Gateway(warehouse_id=call.warehouse_id, station_id=station.id, name="rc", key_hex="00")
        call.session.add(gateway)
        call.session.flush()
        call.session.add(
            GatewayDevice(
                warehouse_id=call.warehouse_id,
                gateway_id=gateway.id,
                name="printer",
                driver="printer_tspl",
                state="ready",
                since=call.now,
                counters={},
            )
        )

    park.act(connect)


def test_the_labels_of_the_new_slots_print_once_while_the_parts_are_changed(desk: Desk) -> None:
    park = desk.park
    a_printer(park)
    planned(desk)
    row = divisions(park)[0]
    desk.do("accept_divisions", bays=[row.id])
    code = bay(park, row).slots[0].code
    park.act(lambda call: dividing.begin(call, row.id, code))
    delivered(desk)
    park.act(lambda call: announce(call, "bay.changing", f"bay:{row.bay_id}", division=row.id))  # told twice
    delivered(desk)
    jobs = park.read(lambda session: [(job.document, job.subject) for job in session.query(PrintJob)])
    park.act(lambda call: dividing.parts_changed(call, row.id))
    assert sorted(jobs) == sorted(("slot_100x40", slot.code) for slot in bay(park, row).slots)
