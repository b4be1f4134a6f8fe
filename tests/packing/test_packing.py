"""The packing table: what goes in is counted, one order may fill several boxes, a wrong weight is told."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
from sqlalchemy import select

from tests.builders import Park, a_sku, at_once, put_goods, stock_in
from tests.inbound.dock import lies_in, refusal
from tests.shipping.dock import Dock, a_dock, an_order, broken_promises, order, packed, parcel, pick_all, picked, stop
from wms.core.db import Database
from wms.core.refusal import Reason, Refused
from wms.outbound.tables import OrderLine
from wms.packing import queries, rules, service
from wms.packing.tables import Parcel, ParcelItem
from wms.packing.values import ParcelFacts
from wms.picking.service import assign_tote, begin_batch, finish_batch, pick, plan_wave
from wms.site import queries as site


@pytest.fixture
def dock(database: Database) -> Dock:
    return a_dock(database)


@pytest.fixture
def quick(sqlite_database: Database) -> Dock:
    return a_dock(sqlite_database)


def begun(dock: Dock, order_id: int) -> ParcelFacts:
    return dock.park.act(lambda call: service.begin_parcel(call, order_id=order_id))


def pack(dock: Dock, parcel_id: int, quantity: int = 1, sku_id: int | None = None) -> None:
    dock.park.act(lambda call: service.pack_item(call, parcel_id, sku_id or dock.sku.id, quantity))


def finish(dock: Dock, parcel_id: int, weight_g: int | None, **how: bool) -> Parcel:
    return dock.park.act(lambda call: service.finish_parcel(call, parcel_id, weight_g, **how))


def test_a_parcel_is_begun_filled_and_closed(dock: Dock) -> None:
    order_id = picked(dock, 3)
    box = begun(dock, order_id)
    assert (box.packed, box.left, box.number) == (0, 3, 1)
    assert begun(dock, order_id).id == box.id, "two tables see one box"
    pack(dock, box.id, 2)
    pack(dock, box.id)
    done = finish(dock, box.id, 1_000)
    assert (done.state, done.weight_g, done.expected_weight_g) == ("packed", 1_000, 1_020)
    assert lies_in(dock.park, box.place_id) == [("NUT", 3)]
    assert order(dock, order_id).state == "packed"
    assert refusal(lambda: begun(dock, order_id)) is Reason.ORDER_STATE_WRONG
    assert broken_promises(dock) == []


def test_an_order_may_fill_several_parcels(dock: Dock) -> None:
    order_id = picked(dock, 5)
    first = begun(dock, order_id)
    pack(dock, first.id, 3)
    assert refusal(lambda: finish(dock, first.id, 1_020)) is Reason.ITEMS_MISSING
    finish(dock, first.id, 1_020, more_parcels=True)
    assert order(dock, order_id).state == "picked"
    second = begun(dock, order_id)
    assert (second.number, second.left) == (2, 2)
    assert refusal(lambda: finish(dock, second.id, 120)) is Reason.ITEMS_MISSING
    pack(dock, second.id, 2)
    finish(dock, second.id, 720)
    assert order(dock, order_id).state == "packed"


def test_one_sku_on_two_lines_is_packed_as_one(dock: Dock) -> None:
    """A case of four for lines of one and three: each line gets its own."""
    order_id = an_order(dock, skus=((dock.sku, 1), (dock.sku, 3)))
    pick_all(dock, order_id, {"NUT": ("A01-01-1A", 4)})
    box = begun(dock, order_id)
    pack(dock, box.id, 4)
    lines = dock.park.read(
        lambda session: session.scalars(select(OrderLine.packed).where(OrderLine.order_id == order_id)).all()
    )
    items = dock.park.read(lambda session: session.scalars(select(ParcelItem.quantity)).all())
    assert sorted(lines) == sorted(items) == [1, 3]
    assert refusal(lambda: pack(dock, box.id)) is Reason.ITEM_EXTRA


def test_pieces_of_two_lots_are_told_apart_in_the_box(quick: Dock) -> None:
    sku = quick.park.act(lambda call: a_sku(call, "TEA", lot_tracked=True))
    quick.park.act(lambda call: stock_in(call, sku, "A01-02-1A", 2, "B1"))
    quick.park.act(lambda call: stock_in(call, sku, "A01-02-1B", 2, "B2"))
    order_id = an_order(quick, skus=((sku, 4),))
    pick_all(quick, order_id, {"TEA": ("A01-02-1A", 2)})
    pick_all(quick, order_id, {"TEA": ("A01-02-1B", 2)})
    box = begun(quick, order_id)
    for _ in range(4):
        pack(quick, box.id, 1, sku.id)
    items = quick.park.read(lambda session: session.scalars(select(ParcelItem.quantity)).all())
    assert items == [2, 2]


def test_wrong_and_extra_items_are_told_apart(quick: Dock) -> None:
    stranger = quick.park.act(a_sku)
    box = begun(quick, picked(quick, 1))
    assert refusal(lambda: pack(quick, box.id, 1, stranger.id)) is Reason.SKU_WRONG
    assert refusal(lambda: pack(quick, box.id, 2)) is Reason.ITEM_EXTRA
    assert refusal(lambda: pack(quick, box.id, 0)) is Reason.QUANTITY_WRONG
    assert refusal(lambda: pack(quick, 4_711)) is Reason.PARCEL_UNKNOWN


def test_ten_fast_scans_are_ten_pieces(dock: Dock) -> None:
    box = begun(dock, picked(dock, 8))
    answers = at_once([partial(pack, dock, box.id) for _ in range(10)])
    refused = [answer.reason for answer in answers if isinstance(answer, Refused)]
    assert refused == [Reason.ITEM_EXTRA] * 2
    assert lies_in(dock.park, box.place_id) == [("NUT", 8)]
    assert broken_promises(dock) == []


def test_a_stopped_order_is_packed_no_further(dock: Dock) -> None:
    order_id = picked(dock, 2)
    box = begun(dock, order_id)
    pack(dock, box.id)
    stop(dock, order_id)
    steps: list[Callable[[], object]] = [
        lambda: begun(dock, order_id),
        lambda: pack(dock, box.id),
        lambda: finish(dock, box.id, 420, more_parcels=True),
        lambda: dock.park.act(lambda call: service.check_label(call, box.id, "X")),
    ]
    assert {refusal(step) for step in steps} == {Reason.ORDER_INTERCEPTED}


def test_an_order_somebody_still_picks_is_not_ready(quick: Dock) -> None:
    assert refusal(lambda: begun(quick, an_order(quick))) is Reason.ORDER_NOT_READY
    assert refusal(lambda: begun(quick, 4_711)) is Reason.ORDER_UNKNOWN
    foreign = quick.park.act(lambda call: a_sku(call, None, "M2")).merchant_id
    order_id = picked(quick)
    begin = lambda call: service.begin_parcel(call, order_id=order_id)  # noqa: E731
    assert refusal(lambda: quick.park.act_for(foreign, begin)) is Reason.ORDER_UNKNOWN


@pytest.mark.parametrize(
    ("weight_g", "check", "why"),
    [
        (None, True, Reason.WEIGHT_MISSING),
        (0, True, Reason.WEIGHT_MISSING),
        (720 - 61, True, Reason.WEIGHT_OUTSIDE_TOLERANCE),
        (720 + 61, True, Reason.WEIGHT_OUTSIDE_TOLERANCE),
        (720 - 60, True, None),
        (720 + 60, True, None),
        (9_000, False, None),
    ],
)
def test_the_weight_must_fit_what_is_inside(quick: Dock, weight_g: int | None, check: bool, why: Reason | None) -> None:
    box = begun(quick, picked(quick, 2))
    pack(quick, box.id, 2)
    if why is not None:
        assert refusal(lambda: finish(quick, box.id, weight_g, check=check)) is why
        assert parcel(quick, box.id).state == "open"
    else:
        assert finish(quick, box.id, weight_g, check=check).weight_g == weight_g


def test_tolerance_is_a_share_of_heavy_parcels_and_some_grams_of_light_ones() -> None:
    assert (rules.tolerance_g(100), rules.tolerance_g(750), rules.tolerance_g(10_000)) == (60, 60, 800)
    assert rules.expected_weight_g([(300, 2), (0, 1)]) == 0, "an unknown weight checks nothing"


def test_the_label_on_the_box_must_be_its_own(quick: Dock) -> None:
    box = packed(quick)

    def check(code: str) -> object:
        return quick.park.act(lambda call: service.check_label(call, box, code))

    assert refusal(lambda: check("1")) is Reason.LABEL_DUE
    assert refusal(lambda: quick.park.act(lambda call: service.check_label(call, 4_711, "1"))) is Reason.PARCEL_UNKNOWN


def test_bonded_goods_keep_their_book_into_the_box(quick: Dock) -> None:
    """What was promised from a customs book leaves by that book."""
    sku = quick.park.act(lambda call: a_sku(call, "WINE"))
    tote = site.container_by_code
    quick.park.act(lambda call: stock_in(call, sku, "A01-03-1A", 2))
    order_id = an_order(quick, skus=((sku, 2),))
    pick_all(quick, order_id, {"WINE": ("A01-03-1A", 2)})
    place = quick.park.read(lambda session: tote(session, quick.park.warehouse_id, "tote", f"O{order_id}").place_id)
    lot = quick.park.act(lambda call: stock_in(call, sku, "A01-03-1B", 1))
    quick.park.act(lambda call: put_goods(call, sku, place, 1, lot, book="BOOK-7"))
    box = begun(quick, order_id)
    pack(quick, box.id, 2, sku.id)
    assert lies_in(quick.park, box.place_id) == [("WINE", 2)]
    assert broken_promises(quick) == []


def test_totes_are_free_again_when_the_order_lies_in_its_boxes(quick: Dock) -> None:
    park: Park = quick.park
    order_id = an_order(quick, 2)
    batch_id = planned_batch(quick)
    park.act(lambda call: begin_batch(call, batch_id, "C-01"))
    park.act(lambda call: assign_tote(call, batch_id, 1, "T-0001"))
    from wms.picking.tables import PickLine

    line = park.read(lambda session: session.scalars(select(PickLine.id)).one())
    park.act(lambda call: pick(call, line, 2, "T-0001"))
    park.act(lambda call: finish_batch(call, batch_id, "PK-01"))

    def state() -> str:
        found = park.read(lambda session: site.container_by_code(session, park.warehouse_id, "tote", "T-0001"))
        return found.state

    assert state() == "in_use"
    box = begun(quick, order_id)
    pack(quick, box.id, 2)
    finish(quick, box.id, 720)
    assert state() == "free"


def planned_batch(dock: Dock) -> int:
    from wms.outbound import service as outbound

    (wave,) = dock.park.act(lambda call: outbound.make_waves(call))
    dock.park.act(lambda call: outbound.release_wave(call, wave))
    (batch,) = dock.park.act(lambda call: plan_wave(call, wave)).batches
    return int(getattr(batch, "id", batch))


def test_an_order_of_many_lines_is_told_by_its_next_four_and_its_sums(quick: Dock) -> None:
    skus = [quick.park.act(partial(a_sku, code=f"NUT-{n}")) for n in range(6)]
    for sku in skus:
        quick.park.act(partial(stock_in, sku=sku, slot_code="A01-01-1A", quantity=9))
    order_id = an_order(quick, skus=tuple((sku, 3) for sku in skus))
    pick_all(quick, order_id, {sku.code: ("A01-01-1A", 3) for sku in skus})
    parcel_id = begun(quick, order_id).id
    pack(quick, parcel_id, 3, skus[0].id)
    pack(quick, parcel_id, 1, skus[1].id)
    told = quick.park.read(lambda session: queries.to_pack(session, order_id, skus[1].id))
    assert (told.picked, told.packed, told.alike) == (18, 4, 2)
    assert [(one.sku_code, one.left) for one in told.following] == [
        ("NUT-1", 2),
        ("NUT-2", 3),
        ("NUT-3", 3),
        ("NUT-4", 3),
    ]


def test_what_is_left_to_pack_is_listed_with_its_tail(quick: Dock) -> None:
    order_id = picked(quick, 2)
    (line,) = quick.park.read(lambda session: queries.to_pack(session, order_id)).following
    assert (line.picked, line.packed, line.left, len(line.tail)) == (2, 0, 2, 4)
