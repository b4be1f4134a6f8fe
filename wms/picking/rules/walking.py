"""Where a picker stands in his walk, and where a right scan leads. Pure, so that a PDA without network can be told
ahead what the server would say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from wms.catalog.rules import bare_barcode
from wms.core.codes import Kind, Read
from wms.core.refusal import Reason, Refused
from wms.optimise.geometry import Point, RectHall, stop_point
from wms.picking.rules.ways import way_mm
from wms.picking.values import PickFacts, Walk

EACH_MAX = 3


class At(StrEnum):
    """The steps of the walk."""

    CART = "scan_cart"
    NEW_TOTE = "scan_new_tote"
    SLOT = "scan_slot"
    SKU = "scan_sku"
    QUANTITY = "quantity"
    TOTE = "scan_tote"
    SHORT = "short"
    LANE = "scan_lane"
    MORE = "more"


@dataclass(frozen=True, slots=True)
class Where:
    """A step of the walk, the pick in hand, and how many pieces of it were scanned but not put into the tote yet.

    `same_slot`: the slot was proved by an earlier pick, which is booked, so there is nothing to undo.
    """

    step: At
    pick_id: int = 0
    counted: int = 0
    same_slot: bool = False

    def to_json(self) -> dict[str, Any]:
        return {"pick": self.pick_id, "counted": self.counted, "same_slot": self.same_slot}


def where_was(step: str, state: Mapping[str, Any]) -> Where:
    """From what the dialogue remembered."""
    return Where(At(step), int(state.get("pick", 0)), int(state.get("counted", 0)), bool(state.get("same_slot")))


def start(walk: Walk) -> Where:
    """Where whoever takes this batch goes on, whoever began it: told by the rows alone."""
    if walk.cart_id is None:
        return Where(At.CART)
    if walk.next_empty_position is not None:
        return Where(At.NEW_TOTE)
    return onward(walk, None)


def onward(walk: Walk, after: PickFacts | None) -> Where:
    """To the next open pick; in the slot where one stands already the slot is not scanned again."""
    if not walk.open_picks:
        return Where(At.LANE)
    pick = walk.open_picks[0]
    if after is not None and after.slot_id == pick.slot_id and after.stop == pick.stop:
        return Where(At.SKU, pick.id, same_slot=True)
    return Where(At.SLOT, pick.id)


def counted(where: Where, pick: PickFacts, pieces: int) -> Where:
    """After a right scan of the goods: few pieces are scanned one by one, of many one is enough and the number is
    confirmed.
    """
    total = where.counted + pieces
    if total >= pick.left:
        return replace(where, step=At.TOTE, counted=total)
    return replace(where, step=At.QUANTITY if pick.left > EACH_MAX else At.SKU, counted=total)


def undone(where: Where, pick: PickFacts) -> Where | None:
    """One scan back; None when the last scan is booked already."""
    if where.step is At.TOTE and where.counted > EACH_MAX:
        return replace(where, step=At.SKU, counted=0)
    if where.counted > 0:
        return replace(where, step=At.SKU, counted=where.counted - 1 if pick.left <= EACH_MAX else 0)
    if where.step is At.SKU and not where.same_slot:
        return replace(where, step=At.SLOT)
    return None


def pieces_of(pick: PickFacts, read: Read) -> int | None:
    """How many pieces of the wanted SKU this code stands for; None when it is another."""
    wanted = {bare_barcode(code): quantity for code, quantity in pick.barcodes}
    return wanted.get(bare_barcode(read.body)) or (1 if read.body == pick.sku_code else None)


def names_slot(pick: PickFacts, read: Read) -> bool:
    """The slot's label, or its code typed by hand."""
    return read.kind in (Kind.SLOT, Kind.PLAIN) and read.body == pick.slot_code


def lot_differs(pick: PickFacts, read: Read) -> str | None:
    """The lot a GS1 code names, when it is not the one that was promised."""
    lot = read.gs1.lot if read.gs1 else None
    return lot if lot is not None and lot != pick.lot_code else None


def metres_to(hall: RectHall, walk: Walk, pick: PickFacts) -> int:
    """From the stop before (or from the depot) to this pick, in whole metres."""
    earlier = [other for other in walk.picks if 0 < other.stop < pick.stop]
    here = stop_point(hall, max(earlier, key=lambda other: other.stop).place) if earlier else hall.start_point
    return _metres(way_mm(hall, here, stop_point(hall, pick.place)))


def metres_between(hall: RectHall, a: PickFacts, b: PickFacts) -> int:
    return _metres(way_mm(hall, stop_point(hall, a.place), stop_point(hall, b.place)))


def _metres(length_mm: int) -> int:
    return (length_mm + 500) // 1_000


def path_on_map(path: Sequence[Point], depth_mm: int) -> str:
    """The walk as an SVG path in metres, the front of the hall at the bottom."""
    return "".join(
        f"{'L' if number else 'M'}{point.x_mm / 1000:.1f} {(depth_mm - point.y_mm) / 1000:.1f}"
        for number, point in enumerate(path)
    )


def lawful(walk: Walk, where: Where) -> Where:
    """Where one stood, unless the walk went on meanwhile (another device, a stopped order): then where it is now."""
    if where.step in (At.CART, At.NEW_TOTE, At.LANE) or walk.cart_id is None or walk.next_empty_position is not None:
        return start(walk)
    pick = walk.pick(where.pick_id)
    if pick is None or not pick.left or (walk.open_picks and pick.stop != walk.open_picks[0].stop):
        return start(walk)
    return replace(where, counted=min(where.counted, pick.left))


def pick_at(walk: Walk, where: Where) -> PickFacts:
    """The pick in hand."""
    pick = walk.pick(where.pick_id)
    assert pick is not None, "a walking step has its pick"
    return pick


def number_of(value: str, most: int) -> int:
    """A number as it was typed, 1 to `most`. Raises QUANTITY_WRONG."""
    if not value.isdecimal() or not 1 <= int(value) <= most:
        raise Refused(Reason.QUANTITY_WRONG, quantity=value[:12])
    return int(value)


def place_lit(walk: Walk, where: Where) -> int | None:
    """The place of a put wall where what is in the hand belongs; None while nothing is to be put."""
    pick = walk.pick(where.pick_id) if where.step in (At.QUANTITY, At.TOTE) else None
    return None if pick is None else pick.position
