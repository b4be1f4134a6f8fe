"""At the packing table and at the dock with a PDA."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.builders import Park, a_person
from tests.inbound.hands import Hands
from tests.shipping.dock import Dock, a_dock, labelled, order, order_of, parcel, stop
from wms.catalog import queries as catalog
from wms.core.call import Call
from wms.core.codes import Kind, make
from wms.core.db import Database
from wms.core.dialogue import Level
from wms.core.refusal import Reason
from wms.outbound import service as outbound
from wms.packing import service as packing
from wms.people.values import Role
from wms.picking.service import assign_tote, begin_batch, finish_batch, pick, plan_wave
from wms.printing.render import render
from wms.printing.templates import BAG_TAG_100X100, TEMPLATES, WAYBILL_100X180
from wms.shipping import bags, manifests
from wms.shipping.dialogue import HANDOVER, PACK
from wms.shipping.labels import WAYBILL_TEMPLATE, bag_values, waybill_values

TOTE = make(Kind.TOTE, "T-0001")


@pytest.fixture
def dock(sqlite_database: Database) -> Dock:
    return a_dock(sqlite_database)


def in_tote(dock: Dock, quantity: int = 2) -> int:
    """An order picked on a cart into T-0001; its id."""
    from sqlalchemy import select

    from tests.shipping.dock import an_order
    from wms.picking.tables import PickLine

    park: Park = dock.park
    order_id = an_order(dock, quantity)
    (wave,) = park.act(lambda call: outbound.make_waves(call))
    park.act(lambda call: outbound.release_wave(call, wave))
    (batch,) = park.act(lambda call: plan_wave(call, wave)).batches
    park.act(lambda call: begin_batch(call, batch, "C-01"))
    park.act(lambda call: assign_tote(call, batch, 1, "T-0001"))
    line = park.read(lambda session: session.scalars(select(PickLine.id)).one())
    park.act(lambda call: pick(call, line, quantity, "T-0001"))
    park.act(lambda call: finish_batch(call, batch, "PK-01"))
    return order_id


def barcode(dock: Dock) -> str:
    codes = dock.park.read(lambda session: catalog.barcodes_of(session, dock.park.warehouse_id, dock.sku.id))
    return codes[0].barcode


def test_tote_items_weight_label(dock: Dock) -> None:
    order_id = in_tote(dock)
    hands = Hands(dock.park, PACK).scan(TOTE)
    assert hands.cards("counts")[0]["left"] == 2
    hands.scan(barcode(dock))
    assert hands.refused("6900000000007") is Reason.BARCODE_UNKNOWN
    hands.scan(barcode(dock))
    assert hands.step == "weigh"
    hands.weigh(0)
    assert hands.step == "weigh", "an empty scale says nothing"
    hands.weigh(725)
    assert hands.step == "scan_label"
    assert hands.refused("SF0") is Reason.LABEL_WRONG
    waybill = parcel(dock, 1).waybill or ""
    assert hands.scan(waybill).step == "scan_tote"
    assert order(dock, order_id).state == "packed"
    assert Hands(dock.park, PACK).refused(TOTE) is Reason.CONTAINER_EMPTY


def test_a_wrong_weight_keeps_the_parcel_and_only_some_may_force_it(dock: Dock) -> None:
    in_tote(dock)
    hands = Hands(dock.park, PACK).scan(TOTE).scan(barcode(dock)).scan(barcode(dock)).weigh(2_000)
    assert hands.message is not None
    assert (hands.step, hands.message.level) == ("weigh", Level.WRONG)
    assert "force" not in hands.keys.values()
    assert hands.refuses("force") is Reason.NOT_ALLOWED
    assert hands.refuses("weight", "²") is Reason.QUANTITY_WRONG, "a digit, but no number"
    supervisor = a_person(dock.park, "周姐", Role.SUPERVISOR)
    hands.park = supervisor
    assert hands.weigh(2_000).keys["F1"] == "force"
    assert hands.press("force").step == "scan_label"
    assert parcel(dock, 1).weight_g == 2_000


def test_one_order_in_two_boxes(dock: Dock) -> None:
    order_id = in_tote(dock, 3)
    hands = Hands(dock.park, PACK).scan(TOTE)
    assert hands.refuses("next_parcel") is Reason.ITEMS_MISSING, "an empty box"
    hands.scan(barcode(dock)).press("next_parcel").weigh(420)
    hands.scan(parcel(dock, 1).waybill or "")
    assert (hands.step, hands.state["parcel"]) == ("scan_item", 2)
    hands.scan(barcode(dock)).scan(barcode(dock)).press("weight", "720").scan(parcel(dock, 2).waybill or "")
    assert hands.step == "scan_tote"
    assert order(dock, order_id).state == "packed"


def test_a_stop_reaches_the_packers_hand(dock: Dock) -> None:
    order_id = in_tote(dock)
    hands = Hands(dock.park, PACK).scan(TOTE)
    stop(dock, order_id)
    assert hands.refused(barcode(dock)) is Reason.ORDER_INTERCEPTED


def test_the_truck_takes_parcels_and_bags_and_the_driver_signs(dock: Dock) -> None:
    loose, hung, left = labelled(dock), labelled(dock), labelled(dock)

    def hang(call: Call) -> str:
        row = packing.locked_parcel(call, hung.parcel_id)
        bag = bags.bag_of_chute(call, courier="YD", hub=row.hub, chute=5)
        bags.put_in_bag(call, bag, row)
        return bag.code

    bag = dock.park.act(hang)
    hands = Hands(dock.park, HANDOVER)
    assert [row["value"] for row in hands.cards("choose")[0]["rows"]] == ["YD", "ZT"]
    assert hands.refuses("choose", "XX") is Reason.COURIER_UNKNOWN
    hands.press("choose", "YD").scan(loose.waybill)
    assert hands.refused(loose.waybill) is Reason.PARCEL_TWICE
    hands.scan(make(Kind.BAG, bag))
    assert hands.cards("big")[0]["value"] == "2"
    hands.press("sign")
    assert hands.refuses("driver", "老张") is Reason.MANIFEST_INCOMPLETE
    assert hands.refuses("reason", "  ") is Reason.BAD_INPUT
    hands.press("reason", "车满")
    assert hands.refuses("driver", " ") is Reason.BAD_INPUT
    assert hands.press("driver", "老张").step is None
    assert parcel(dock, left.parcel_id).state == "labelled"


def test_a_stopped_parcel_stops_the_hand_at_the_dock(dock: Dock) -> None:
    made = labelled(dock)
    hands = Hands(dock.park, HANDOVER).press("choose", "YD")
    stop(dock, order_of(dock, made.parcel_id))
    assert hands.refused(made.waybill) is Reason.ORDER_INTERCEPTED


def test_the_label_says_where_it_goes_and_hides_whose_it_is(dock: Dock) -> None:
    """Drawn as it is printed: the full phone number stands nowhere in the values as printed."""
    made = labelled(dock)
    values = dock.park.read(lambda session: waybill_values(session, dock.park.warehouse_id, made.parcel_id))
    assert (values.number, values.route_code, values.bag_hub) == (made.waybill, "330-02", "杭州")
    assert (values.parcel_no, values.parcels, values.weight_g) == (1, 1, 720)
    assert values.contents == f"{dock.sku.name}×2"
    image = render(WAYBILL_100X180, replace(values, nonce="ABCDEF"))
    assert image.width_dots > 0
    assert TEMPLATES[WAYBILL_TEMPLATE] is WAYBILL_100X180
    with pytest.raises(Exception, match="parcel_unknown"):
        dock.park.read(lambda session: waybill_values(session, dock.park.warehouse_id, 4_711))


def test_a_bags_tag_is_drawn(dock: Dock) -> None:
    made = labelled(dock)

    def hang(call: Call) -> int:
        row = packing.locked_parcel(call, made.parcel_id)
        bag = bags.bag_of_chute(call, courier="YD", hub=row.hub, chute=5)
        bags.put_in_bag(call, bag, row)
        bags.close_bag(call, bag)
        return bag.id

    bag_id = dock.park.act(hang)
    values = dock.park.read(lambda session: bag_values(session, dock.park.warehouse_id, bag_id))
    assert (values.hub, values.parcels, values.gross_g, values.chute) == ("杭州", 1, 720, "5")
    assert render(BAG_TAG_100X100, values).width_dots > 0


def test_manifests_are_named_by_the_parks_own_day(dock: Dock) -> None:
    dock.park.clock.advance(hours=17)
    manifest = dock.park.act(lambda call: manifests.open_manifest(call, "YD"))
    assert manifest.no.startswith("M261108-")
