"""The labels' page: how a label looks, for all or for one merchant, and what is printed after it was changed."""

from __future__ import annotations

import base64
import json
from typing import Any

from sqlalchemy import select, update

from tests.builders import a_merchant
from tests.shipping.dock import Dock, a_dock, packed
from tests.terminal.desk import Desk, a_desk
from wms.core.outbox import Deliverer
from wms.core.refusal import Reason
from wms.exchange.reactions import reactions
from wms.packing.tables import Parcel
from wms.people.values import Role
from wms.printing.designs import to_json
from wms.printing.queries import EVERYBODY, design_of
from wms.printing.tables import PrintJob
from wms.printing.templates import SLOT_100X40, WAYBILL_100X180
from wms.printing.templates.elements import Template
from wms.shipping import service as shipping
from wms.site import queries as site

PNG = b"\x89PNG"


def changed(template: Template, say: str) -> list[dict[str, Any]]:
    """The label with its first words replaced."""
    told = to_json(template)
    first = next(number for number, one in enumerate(told) if one["is"] == "words")
    told[first] = {**told[first], "say": say}
    return told


def used(desk: Desk, template: Template, merchant: int = EVERYBODY) -> list[dict[str, Any]]:
    house = desk.park.warehouse_id
    return to_json(desk.park.read(lambda session: design_of(session, house, template, merchant)))


def preview(desk: Desk, given: dict[str, Any]) -> dict[str, Any]:
    answer = desk.client.post("/terminal/labels/preview", json=given, headers={"X-CSRF": desk.csrf})
    content: dict[str, Any] = json.loads(answer.get_data())
    return content


def test_a_design_is_shown_before_it_is_kept(sqlite_desk: Desk) -> None:
    desk = sqlite_desk
    given = {"label": SLOT_100X40.name, "elements": changed(SLOT_100X40, "新 {code}"), "dpi": 300}
    assert base64.b64decode(preview(desk, given)["png"]).startswith(PNG)
    assert used(desk, SLOT_100X40) == to_json(SLOT_100X40)
    wrong = {**given, "elements": changed(SLOT_100X40, "{secret}")}
    no = preview(desk, wrong)["error"]
    assert no["reason"] == Reason.BAD_INPUT.value
    assert "secret" in no["message"]


def test_a_merchants_own_design_goes_before_the_houses(desk: Desk) -> None:
    mine = desk.park.act(a_merchant)
    house, own = changed(SLOT_100X40, "园区"), changed(SLOT_100X40, "货主")
    assert desk.do("save_design", label=SLOT_100X40.name, of=EVERYBODY, elements=house).status_code == 200
    assert desk.do("save_design", label=SLOT_100X40.name, of=mine, elements=own).status_code == 200
    assert used(desk, SLOT_100X40, mine) == own
    assert used(desk, SLOT_100X40) == house
    desk.do("drop_design", label=SLOT_100X40.name, of=mine)
    assert used(desk, SLOT_100X40, mine) == house
    desk.do("drop_design", label=SLOT_100X40.name, of=EVERYBODY)
    assert used(desk, SLOT_100X40, mine) == to_json(SLOT_100X40)


def test_the_next_waybill_looks_as_designed(sqlite_database: Any) -> None:
    dock = a_dock(sqlite_database)
    desk = a_desk(dock.park)
    desk.hire(role=Role.MANAGER)
    desk.log_in()
    before = printed(dock)
    desk.do("save_design", label=WAYBILL_100X180.name, of=EVERYBODY, elements=changed(WAYBILL_100X180, "新面单"))
    after = printed(dock)
    assert len(after) == len(before) > 0
    assert after != before
    desk.do("drop_design", label=WAYBILL_100X180.name, of=EVERYBODY)
    assert printed(dock) == before


def printed(dock: Dock) -> bytes:
    """The first dots of the newest waybill: the courier's name, without its own number and time."""
    park, parcel_id = dock.park, packed(dock)
    station = park.read(lambda session: site.station_by_code(session, park.warehouse_id, "PK-01").id)
    packed_there = update(Parcel).where(Parcel.id == parcel_id).values(station_id=station)
    park.database.transact(lambda session: session.execute(packed_there))
    park.act(lambda call: shipping.label_parcel(call, parcel_id))
    Deliverer(park.database, reactions(park.database, park.clock)).deliver_some()
    query = select(PrintJob.content).order_by(PrintJob.id.desc()).limit(1)
    return park.read(lambda session: session.scalars(query).one())[: 100 * 80]


def test_only_who_may_changes_how_labels_look(sqlite_desk: Desk) -> None:
    desk = sqlite_desk
    desk.hire("sup", Role.SUPERVISOR)
    desk.log_in("sup")
    no = desk.do("save_design", label=SLOT_100X40.name, of=EVERYBODY, elements=to_json(SLOT_100X40))
    assert no.json["error"]["reason"] == Reason.NOT_ALLOWED.value
    assert desk.client.get("/terminal/labels").status_code == 200


def test_a_test_print_is_queued_at_its_station(sqlite_desk: Desk) -> None:
    desk = sqlite_desk
    assert desk.do("print_test", label=SLOT_100X40.name, of=EVERYBODY, station="PK-01").status_code == 200
    jobs = desk.park.read(lambda session: session.execute(select(PrintJob.document, PrintJob.subject)).all())
    assert [tuple(job) for job in jobs] == [(SLOT_100X40.name, "TEST")]


def test_a_label_or_merchant_that_is_not_there_is_refused(sqlite_desk: Desk) -> None:
    desk = sqlite_desk
    for args in ({"label": "nothing", "of": EVERYBODY}, {"label": SLOT_100X40.name, "of": 999}):
        no = desk.do("save_design", elements=to_json(SLOT_100X40), **args)
        assert no.json["error"]["reason"] == Reason.NOT_FOUND.value
    assert desk.client.get("/terminal/labels/nothing.png").status_code == 404
    assert desk.client.get(f"/terminal/labels/{SLOT_100X40.name}.png?dpi=72").status_code == 400
