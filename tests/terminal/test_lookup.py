"""Any code leads to its card with its whole history, and a history says who and when."""

from __future__ import annotations

from html import unescape

import pytest

from tests.builders import a_person, a_sku, stock_in
from tests.outbound.orders import allocate, cancel, place
from tests.picking.floor import Floor
from tests.shipping.dock import a_dock, labelled
from tests.terminal.desk import Desk, a_desk
from tests.terminal.scene import stocked
from wms.core import codes
from wms.core.codes import Kind
from wms.core.db import Database
from wms.people.values import Role
from wms.picking import service as picking
from wms.picking.queries import walk_of_batch
from wms.shipping import manifests
from wms.shipping.tables import Manifest


def look(desk: Desk, asked: str) -> str:
    answer = desk.client.get("/terminal/look", query_string={"q": asked})
    assert answer.status_code == 200
    return unescape(answer.get_data(as_text=True))


def test_a_slot_tells_what_lies_there_and_who_moved_it(desk: Desk) -> None:
    stocked(desk, slot="A01-01-1A")
    page = look(desk, codes.make(Kind.SLOT, "A01-01-1A"))
    assert "TEA 50 g" in page
    assert "收货 供应商 → A01-01-1A" in page
    assert "系统" in page
    assert look(desk, "a01-01-1a").count("TEA 50 g") == page.count("TEA 50 g")


def test_an_order_tells_its_whole_way(desk: Desk) -> None:
    nuts, salt = stocked(desk, "NUTS", 9, "A01-05-2A"), stocked(desk, "SALT", 9, "A02-09-1A")
    floor = Floor(desk.park, stocked(desk), nuts, salt)
    batch = floor.batch(("N1", [(floor.tea, 2)]))
    picker = a_person(desk.park, "章强")
    picker.act(lambda call: picking.begin_batch(call, batch, "C-01"))
    picker.act(lambda call: picking.assign_tote(call, batch, 1, "T-0001"))
    walk = desk.park.read(lambda session: walk_of_batch(session, desk.park.warehouse_id, batch))
    picker.act(lambda call: picking.pick(call, walk.picks[0].id, 2))
    page = look(desk, "N1")
    for words in ("下单", "分配库存", "拣货 A01-01-1A → T-0001", "章强", "W261107-001", "16:00"):
        assert words in page
    assert "N1" in look(desk, "W261107-001-01")
    assert "拣货 A01-01-1A → T-0001" in look(desk, "T-0001")


def test_a_stopped_order_says_since_when(sqlite_desk: Desk) -> None:
    desk = sqlite_desk
    tea = stocked(desk)
    place(desk.park, "N1", (tea, 1))
    allocate(desk.park, "N1")
    cancel(desk.park, "N1")
    assert "已取消" in look(desk, "N1")


@pytest.mark.parametrize("asked", ["TEA", "6901234567892", "LOT-7", "TEA 50"])
def test_goods_are_found_by_code_bar_code_lot_and_name(sqlite_desk: Desk, asked: str) -> None:
    park = sqlite_desk.park
    sku = park.act(lambda call: a_sku(call, "TEA", barcode="6901234567892", name="TEA 50 g"))
    park.act(lambda call: stock_in(call, sku, "A01-01-1A", 7, "LOT-7"))
    page = look(sqlite_desk, asked)
    assert "TEA 50 g" in page
    assert ("7" in page) or ("TEA" in page)


def test_a_bar_code_two_owners_share_lists_both(sqlite_desk: Desk) -> None:
    for merchant in ("M1", "M2"):
        sqlite_desk.park.act(lambda call, m=merchant: a_sku(call, f"S-{m}", m, barcode="6901234567892"))  # type: ignore[misc]
    page = look(sqlite_desk, "6901234567892")
    assert "S-M1" in page
    assert "S-M2" in page


def test_somebody_is_found_by_badge_and_by_a_part_of_the_name(sqlite_desk: Desk) -> None:
    picker = a_person(sqlite_desk.park, "欧阳小满")
    tea = stocked(sqlite_desk, quantity=0)
    picker.act(lambda call: stock_in(call, tea, "A01-01-1A", 3))
    assert "收货 供应商 → A01-01-1A" in look(sqlite_desk, "欧阳小满")
    assert "欧阳小满" in look(sqlite_desk, "小满")


@pytest.mark.parametrize("asked", ["", "   ", "NOTHING-LIKE-IT", "\x07", "%", "_", "'; DROP TABLE sku; --", "😀" * 200])
def test_what_nobody_knows_is_said_plainly(sqlite_desk: Desk, asked: str) -> None:
    stocked(sqlite_desk)
    assert "TEA 50 g" not in look(sqlite_desk, asked)


def test_names_are_data_never_markup(sqlite_desk: Desk) -> None:
    hostile = "<img src=x onerror=alert(1)>"
    sku = sqlite_desk.park.act(lambda call: a_sku(call, "EVIL", name=hostile))
    sqlite_desk.park.act(lambda call: stock_in(call, sku, "A01-01-1A", 1))
    raw = sqlite_desk.client.get("/terminal/look", query_string={"q": "A01-01-1A"}).get_data(as_text=True)
    assert hostile not in raw
    assert "&lt;img src=x" in raw
    asked = sqlite_desk.client.get("/terminal/look", query_string={"q": '"><script>alert(1)</script>'})
    assert "<script>alert" not in asked.get_data(as_text=True)


def test_a_manifest_is_found_by_its_number_and_printed_to_be_signed(sqlite_database: Database) -> None:
    dock = a_dock(sqlite_database)
    made = labelled(dock)
    opened = dock.park.act(lambda call: manifests.open_manifest(call, "YD"))
    dock.park.act(lambda call: manifests.hand_over(call, opened.id, made.waybill))
    no = dock.park.read(lambda session: session.get_one(Manifest, opened.id).no)
    desk = a_desk(dock.park)
    desk.hire(role=Role.SUPERVISOR)
    desk.log_in()
    words = desk.client.get("/terminal/look", query_string={"q": no}).get_data(as_text=True)
    assert made.waybill in words
    assert f"/terminal/manifests/{no}.pdf" in words
    assert desk.client.get(f"/terminal/manifests/{no}.pdf").get_data().startswith(b"%PDF-")
    assert desk.client.get("/terminal/manifests/M0.pdf").status_code == 404
    assert no in desk.client.get("/terminal/look", query_string={"q": no[:5]}).get_data(as_text=True)
