"""A box whose goods fit no slot whole goes into several, and what is stored stays stored."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.builders import Park, a_park, a_sku
from tests.inbound.dock import broken_promises, lies_in, open_putaways, put_away, received, refusal
from tests.inbound.hands import Hands
from wms.catalog.values import SkuFacts
from wms.core import codes
from wms.core.codes import Kind
from wms.core.db import Database
from wms.core.refusal import Reason
from wms.inbound import service
from wms.inbound.dialogue import PUTAWAY
from wms.site import queries as site
from wms.slotting import rules
from wms.slotting import service as slotting
from wms.slotting.picture import picture_of
from wms.slotting.values import Goods

BIG: dict[str, Any] = {"length_mm": 400, "width_mm": 400, "height_mm": 300, "weight_g": 9_000}
TINY_HALL: dict[str, Any] = {"length_mm": 600, "width_mm": 400, "height_mm": 400}  # of which a slot takes one
PIECES = 40


@pytest.fixture
def park(database: Database) -> Park:
    return a_park(database)


def boxed(park: Park, quantity: int = PIECES, box: str = "L-1", **sizes: Any) -> SkuFacts:
    """A box full of something."""
    sku = park.act(lambda call: a_sku(call, **{**BIG, **sizes}))
    received(park, sku, quantity, box)
    return sku


def in_slot(park: Park, code: str) -> list[tuple[str, int]]:
    place = park.read(lambda session: site.slot_by_code(session, park.warehouse_id, code)).place_id
    return lies_in(park, place)


def in_box(park: Park, code: str) -> list[tuple[str, int]]:
    place = park.act(lambda call: service.box(call, code)).place_id
    return lies_in(park, place)


def card(hands: Hands, kind: str) -> dict[str, Any]:
    return next(one for one in hands.screen["cards"] if one["kind"] == kind)


def test_a_box_no_slot_takes_whole_is_stored_in_parts_one_slot_after_the_other(park: Park) -> None:
    sku = boxed(park)
    hands = Hands(park, PUTAWAY, container="L-1")
    stored: dict[str, int] = {}
    while hands.step is not None:
        slot, pieces = str(card(hands, "location")["code"]), int(str(card(hands, "item")["quantity"]))
        assert slot not in stored
        if sum(stored.values()) + pieces < PIECES:
            here = card(hands, "facts")["rows"][0]["value"]
            assert here == f"{pieces} / {PIECES - sum(stored.values())}"
        hands.scan(codes.make(Kind.SLOT, slot))
        stored[slot] = pieces
        assert in_slot(park, slot) == [(sku.code, pieces)]
    assert len(stored) > 1
    assert sum(stored.values()) == PIECES
    assert max(stored.values()) == next(iter(stored.values())), "as few slots as can be: the first takes most"
    assert open_putaways(park) == []
    assert broken_promises(park) == []


def test_without_a_slot_given_the_house_stores_a_big_box_in_several(park: Park) -> None:
    boxed(park)
    done = put_away(park, "L-1")
    assert len({one.slot_code for one in done}) == len(done) > 1
    assert sum(one.quantity for one in done) == PIECES
    assert all(one.reasons for one in done)
    assert broken_promises(park) == []


def test_a_piece_no_slot_takes_is_refused_and_nothing_moves(park: Park) -> None:
    small, giant = boxed(park, 6), boxed(park, 1, length_mm=9_000, width_mm=9_000, height_mm=9_000)
    assert refusal(lambda: put_away(park, "L-1")) is Reason.NO_SLOT_FITS
    assert in_box(park, "L-1") == [(small.code, 6), (giant.code, 1)]
    assert [task.facts["container"] for task in open_putaways(park)] == ["L-1"]


def test_more_parts_than_anybody_walks_are_refused_and_the_house_sees_its_slots_as_they_are(park: Park) -> None:
    boxed(park, 4_000, **TINY_HALL)
    assert refusal(lambda: put_away(park, "L-1")) is Reason.NO_SLOT_FITS
    received(park, park.act(a_sku), 2, "L-2")
    put_away(park, "L-2")
    picture = park.act(lambda call: picture_of(call.session, park.warehouse_id))
    assert int((picture.occupied(set(), {}, None).used_volume > 0).sum()) == 1


def test_who_finds_less_room_types_how_many_fit_and_the_rest_goes_elsewhere(park: Park) -> None:
    sku = boxed(park, 6)
    hands = Hands(park, PUTAWAY, container="L-1")
    first = str(card(hands, "location")["code"])
    hands.press("part")
    assert hands.screen["input"]["max"] == 6
    for wrong in ("0", "7", "x", "-1", "²", ""):
        assert hands.refuses("quantity", wrong) is Reason.QUANTITY_WRONG
    hands.press("quantity", "4")
    assert (hands.step, card(hands, "item")["quantity"]) == ("scan_slot", 4)
    assert card(hands, "facts")["rows"][0]["value"] == "4 / 6"
    hands.scan(codes.make(Kind.SLOT, first))
    assert in_slot(park, first) == [(sku.code, 4)]
    second = str(card(hands, "location")["code"])
    assert second != first, "the book sees room there, the hand does not"
    assert card(hands, "item")["quantity"] == 2
    hands.scan(codes.make(Kind.SLOT, second))
    assert hands.step is None
    assert in_slot(park, second) == [(sku.code, 2)]


def test_the_number_of_all_of_them_is_no_part(park: Park) -> None:
    boxed(park, 6)
    hands = Hands(park, PUTAWAY, container="L-1")
    hands.press("part").press("back")
    assert hands.step == "scan_slot"
    hands.press("part").press("quantity", "6")
    assert card(hands, "item")["quantity"] == 6


def test_what_is_stored_stays_when_the_rest_finds_no_slot(park: Park) -> None:
    sku = boxed(park, 6)
    giant = boxed(park, 1, length_mm=9_000, width_mm=9_000, height_mm=9_000)
    assert in_box(park, "L-1") == [(sku.code, 6), (giant.code, 1)]
    hands = Hands(park, PUTAWAY, container="L-1")
    slot = str(card(hands, "location")["code"])
    hands.scan(codes.make(Kind.SLOT, slot))
    assert hands.step is None
    assert hands.message is not None
    assert (hands.message.level, hands.message.code) == ("attention", "no_slot_fits")
    assert in_slot(park, slot) == [(sku.code, 6)]
    assert in_box(park, "L-1") == [(giant.code, 1)]
    assert [task.facts["container"] for task in open_putaways(park)] == ["L-1"]


def test_a_slot_the_hand_found_full_is_not_proposed_again(park: Park) -> None:
    boxed(park)
    hands = Hands(park, PUTAWAY, container="L-1")
    full = str(card(hands, "location")["code"])
    hands.press("part").press("quantity", "2").scan(codes.make(Kind.SLOT, full))
    hands.press("other")
    for _part in range(20):
        if hands.step is None:
            break
        slot = str(card(hands, "location")["code"])
        assert slot != full
        hands.scan(codes.make(Kind.SLOT, slot))
    assert hands.step is None


def test_more_than_the_slot_takes_cannot_be_typed(park: Park) -> None:
    boxed(park)
    hands = Hands(park, PUTAWAY, container="L-1")
    most = int(card(hands, "item")["quantity"])
    hands.press("part")
    assert hands.refuses("quantity", str(most + 1)) in (Reason.SLOT_TOO_SMALL, Reason.SLOT_WEIGHT_EXCEEDED)


def test_what_the_screen_shows_is_what_is_booked_whatever_came_into_the_box_meanwhile(park: Park) -> None:
    other, sku = park.act(a_sku), boxed(park, 6)
    hands = Hands(park, PUTAWAY, container="L-1")
    hands.press("part").press("quantity", "4")
    slot = str(card(hands, "location")["code"])
    received(park, other, 3, "L-1")  # of an article that stands before the other
    received(park, sku, 5, "L-1")
    hands.scan(codes.make(Kind.SLOT, slot))
    assert in_slot(park, slot) == [(sku.code, 4)]
    assert in_box(park, "L-1") == [(other.code, 3), (sku.code, 7)]
    assert broken_promises(park) == []


def test_who_was_overtaken_at_a_box_is_shown_it_anew_and_nothing_is_booked(park: Park) -> None:
    sku, other = boxed(park, 6), boxed(park, 2)
    slow, quick = Hands(park, PUTAWAY, container="L-1"), Hands(park, PUTAWAY, container="L-1")
    slot = str(card(quick, "location")["code"])
    quick.scan(codes.make(Kind.SLOT, slot))
    before = in_slot(park, slot)
    slow.scan(codes.make(Kind.SLOT, slot))
    assert slow.message is not None
    assert (slow.step, slow.message.level) == ("scan_slot", "attention")
    assert (in_slot(park, slot), before) == ([(sku.code, 6)], [(sku.code, 6)])
    assert in_box(park, "L-1") == [(other.code, 2)]
    assert card(slow, "item")["quantity"] == 2


@pytest.mark.parametrize(("length_mm", "weight_g"), [(400, 9_000), (150, 9_000), (330, 100), (200, 21_000)])
def test_the_most_is_what_one_slot_takes_and_one_more_fits_nowhere(park: Park, length_mm: int, weight_g: int) -> None:
    sku = boxed(park, 3, length_mm=length_mm, width_mm=120, height_mm=110, weight_g=weight_g)
    put_away(park, "L-1")
    goods = Goods(sku, 1, 1_000_000)
    most = park.act(lambda call: slotting.most_that_fits(call, goods))
    picture = park.read(lambda session: picture_of(session, park.warehouse_id))
    now = picture.occupied(set(), {}, None)

    def fits(pieces: int) -> bool:
        kept = rules.masks(picture.slots, now, replace(goods, quantity=pieces))
        return bool(np.logical_and.reduce(list(kept.values())).any())

    assert 0 < most < goods.quantity
    assert fits(most)
    assert not fits(most + 1)
