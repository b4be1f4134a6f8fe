"""A slot judged by the rows as they are: the rules of `rules.masks` once more, and nobody changes what they see.

Lock order of everybody who puts goods into a slot: its bay, itself, then rows of stock. So the last kilograms of a beam
are given once, and two hazard classes never come into one bay at the same moment. Who needs several slots in one
transaction says so first (`one_of_many`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Integer, and_, bindparam, func, select

from wms.catalog.tables import Lot, Sku
from wms.core.call import Call
from wms.core.clock import WallClock
from wms.core.db.tables import table_of
from wms.core.refusal import Reason, Refused
from wms.core.sql import is_postgresql
from wms.ledger.tables import Stock
from wms.site.rules import floors_mm
from wms.site.tables import Bay, Slot, Zone
from wms.site.values import ZoneKind
from wms.slotting.tables import LiftRule, SlotLease
from wms.slotting.values import FILL_MAX, GOOD, Goods, Lift

MANY_LOCK = 7_412  # any number no other advisory lock of this house has
WALL = WallClock()

_lease, _stock, _slot = table_of(SlotLease), table_of(Stock), table_of(Slot)
_zone, _bay, _sku = table_of(Zone), table_of(Bay), table_of(Sku)
_lot, _lift_rule = table_of(Lot), table_of(LiftRule)
_named = _slot.alias("named")

_expires = select(_lot.c.expires_on).where(_lot.c.id == bindparam("l"))
_one_of_many = select(func.pg_advisory_xact_lock(bindparam("lock", type_=Integer), bindparam("w", type_=Integer)))
# PostgreSQL locks them in the order in which they are named here.
_keep = (
    select(_slot.c.place_id)
    .join(_bay, _bay.c.id == _slot.c.bay_id)
    .where(_slot.c.place_id == bindparam("p"), _slot.c.warehouse_id == bindparam("w"))
    .with_for_update(of=[_bay, _slot])
)
# All slots of the bay with everything that decides about one of them: a row each, or one per stock row in it.
_look = (
    select(
        _slot.c.place_id,
        _slot.c.code,
        _slot.c.level,
        _slot.c.blocked,
        _slot.c.shut,
        _slot.c.under_count,
        _slot.c.bonded,
        _slot.c.width_mm,
        _slot.c.depth_mm,
        _slot.c.height_mm,
        _slot.c.weight_max_g,
        _slot.c.level_weight_max_g,
        _slot.c.skus_max,
        _bay.c.weight_max_g.label("bay_weight_max_g"),
        _bay.c.weight_stated,
        _zone.c.kind.label("zone_kind"),
        _zone.c.temperature,
        _lease.c.subject.label("kept_for"),
        _lease.c.weight_g.label("coming_g"),
        _stock.c.on_hand,
        _stock.c.merchant_id,
        _stock.c.sku_id,
        _stock.c.lot_id,
        _stock.c.condition,
        _stock.c.book,
        _sku.c.length_mm.label("piece_length_mm"),
        _sku.c.width_mm.label("piece_width_mm"),
        _sku.c.height_mm.label("piece_height_mm"),
        _sku.c.weight_g.label("piece_weight_g"),
        _sku.c.hazard,
        _sku.c.lookalike,
        _sku.c.code.label("sku_code"),
        _lot.c.expires_on,
        _lift_rule.c.heavy_piece_g,
        _lift_rule.c.shoulder_mm,
    )
    .select_from(_named)
    .join(_slot, _slot.c.bay_id == _named.c.bay_id)
    .join(_bay, _bay.c.id == _slot.c.bay_id)
    .join(_zone, _zone.c.id == _slot.c.zone_id)
    .outerjoin(
        _lease,
        and_(_lease.c.place_id == _slot.c.place_id, _lease.c.until > bindparam("now", type_=_lease.c.until.type)),
    )
    .outerjoin(_stock, and_(_stock.c.place_id == _slot.c.place_id, _stock.c.on_hand > 0))
    .outerjoin(_sku, _sku.c.id == _stock.c.sku_id)
    .outerjoin(_lot, _lot.c.id == _stock.c.lot_id)
    .outerjoin(_lift_rule, _lift_rule.c.warehouse_id == _slot.c.warehouse_id)
    .where(
        _named.c.place_id == bindparam("p"),
        _named.c.warehouse_id == bindparam("w"),
        _named.c.retired.is_(False),
        _slot.c.retired.is_(False),
    )
)


def one_of_many(call: Call) -> None:
    """Of those who need several slots in one transaction, one comes after the other: each of them waits for others'
    bays with bays of its own in hand.
    """
    if is_postgresql(call.session):
        call.session.execute(_one_of_many, {"lock": MANY_LOCK, "w": call.warehouse_id})


def keep_slot(call: Call, place_id: int) -> None:
    """The slot's bay and the slot are ours until the commit: what lies there changes for nobody else meanwhile."""
    if is_postgresql(call.session):
        call.session.execute(_keep, {"p": place_id, "w": call.warehouse_id})


def take_slot(call: Call, goods: Goods, place_id: int, *, subject: str = "") -> str:
    """Keep the slot from others until the commit and judge by it; the slot's code. Refuses as `check_lawful`.

    Two pallets may not both see the last 100 kg: what lies in the bay is read after its row is ours.
    """
    keep_slot(call, place_id)
    return check_lawful(call, goods, place_id, subject=subject)


def check_lawful(call: Call, goods: Goods, place_id: int, *, subject: str = "") -> str:
    """Against the rows as they are: may `goods` go into this slot? Its code. Raises the refusal of the first rule
    broken.

    The weight limits have no override: an overloaded beam falls on people.
    """
    values = {"p": place_id, "w": call.warehouse_id, "now": WALL.now()}
    bay = call.session.execute(_look, values).all()
    here = [row for row in bay if row.place_id == place_id]
    if not here:
        raise Refused(Reason.SLOT_UNKNOWN, slot=place_id)
    slot, inside = here[0], [row for row in here if row.on_hand]
    _check_open(slot, subject)
    _check_kind(slot, goods)
    _check_temperature(slot, goods)
    _check_company(slot, inside, goods)
    _check_room(slot, inside, goods)
    _check_beams(slot, bay, goods, subject)
    _check_uprights(slot, bay, goods, subject)
    _check_lift(slot, bay, goods)
    _check_hazards(slot, bay, goods)
    _check_lookalikes(slot, bay, goods)
    _check_expiry(call, slot, bay, goods)
    return str(slot.code)


def _check_open(slot: Any, subject: str) -> None:
    if slot.blocked:
        raise Refused(Reason.SLOT_BLOCKED, slot=slot.code)
    if slot.shut:
        raise Refused(Reason.SLOT_SHUT, slot=slot.code)
    if slot.under_count:
        raise Refused(Reason.SLOT_UNDER_COUNT, slot=slot.code)
    if slot.kept_for not in (None, subject):
        raise Refused(Reason.SLOT_KEPT, slot=slot.code)


def _check_kind(slot: Any, goods: Goods) -> None:
    if slot.bonded != goods.bonded or (not goods.bonded and slot.zone_kind != goods.sku.zone_kind):
        raise Refused(Reason.SLOT_WRONG_ZONE, slot=slot.code)


def _check_temperature(slot: Any, goods: Goods) -> None:
    if slot.temperature != goods.sku.temperature:
        raise Refused(Reason.SLOT_WRONG_TEMPERATURE, slot=slot.code)


def _check_company(slot: Any, inside: Sequence[Any], goods: Goods) -> None:
    """One owner, and no more SKUs than the slot takes; lots, conditions and books of one SKU never mix."""
    mine = (goods.lot_id, str(goods.condition), goods.book)
    for row in inside:
        if row.merchant_id != goods.sku.merchant_id:
            raise Refused(Reason.SLOT_OTHER_OWNER, slot=slot.code)
        if row.sku_id == goods.sku.id and (row.lot_id, row.condition, row.book) != mine:
            raise Refused(Reason.LOT_WRONG, expected=slot.code)
    others = {row.sku_id for row in inside} - {goods.sku.id}
    if len(others) + 1 > slot.skus_max:
        raise Refused(Reason.SLOT_TAKEN_BY_OTHER_SKU, slot=slot.code)


def _check_room(slot: Any, inside: Sequence[Any], goods: Goods) -> None:
    piece = sorted((goods.sku.length_mm, goods.sku.width_mm, goods.sku.height_mm))
    room = sorted((slot.width_mm, slot.depth_mm, slot.height_mm))
    if any(side > space for side, space in zip(piece, room, strict=True)):
        raise Refused(Reason.SLOT_TOO_SMALL, slot=slot.code)
    used = sum(row.on_hand * row.piece_length_mm * row.piece_width_mm * row.piece_height_mm for row in inside)
    if used + goods.volume_mm3 > slot.width_mm * slot.depth_mm * slot.height_mm * FILL_MAX:
        raise Refused(Reason.SLOT_TOO_SMALL, slot=slot.code)
    excess_g = _lying_g(inside) + goods.weight_g - slot.weight_max_g
    if excess_g > 0:
        raise Refused(Reason.SLOT_WEIGHT_EXCEEDED, slot=slot.code, excess_g=excess_g)


def _lying_g(rows: Iterable[Any]) -> int:
    return sum(row.on_hand * row.piece_weight_g for row in rows if row.on_hand)


def _check_beams(slot: Any, bay: Sequence[Any], goods: Goods, subject: str) -> None:
    """What the pair of beams under the slot's level carries."""
    if slot.level_weight_max_g is not None:
        level = [row for row in bay if row.level == slot.level]
        excess_g = _carried_g(slot, level, goods, subject) - slot.level_weight_max_g
        if excess_g > 0:
            raise Refused(Reason.SLOT_LEVEL_WEIGHT_EXCEEDED, slot=slot.code, excess_g=excess_g)


def _check_uprights(slot: Any, bay: Sequence[Any], goods: Goods, subject: str) -> None:
    """What the uprights of the bay carry, where somebody said it."""
    if slot.weight_stated:
        excess_g = _carried_g(slot, bay, goods, subject) - slot.bay_weight_max_g
        if excess_g > 0:
            raise Refused(Reason.SLOT_BAY_WEIGHT_EXCEEDED, slot=slot.code, excess_g=excess_g)


def _carried_g(slot: Any, rows: Sequence[Any], goods: Goods, subject: str) -> int:
    """What lies in these slots, what is on its way there, and this load.

    Whoever has the slot kept for him was promised his share: for him counts what lies there. All others leave room for
    what is on its way. Goods that only change their slot among these are counted once.
    """
    promised = slot.kept_for is not None and slot.kept_for == subject
    coming_g = 0 if promised else _coming_g(rows, subject)
    leaving_g = goods.weight_g if any(row.place_id == goods.leaves for row in rows) else 0
    return _lying_g(rows) + coming_g - leaving_g + goods.weight_g


def _coming_g(rows: Iterable[Any], subject: str) -> int:
    """On its way into these slots, for others."""
    kept: defaultdict[int, int] = defaultdict(int)
    for row in rows:
        if row.kept_for not in (None, subject):
            kept[row.place_id] = row.coming_g
    return sum(kept.values())


def _check_hazards(slot: Any, bay: Sequence[Any], goods: Goods) -> None:
    """Goods of two hazard classes never share a bay: what one gives off, or sets alight, reaches the other."""
    if not goods.sku.hazard:
        return
    others = sorted({row.hazard for row in bay if row.hazard} - {goods.sku.hazard})
    if others:
        raise Refused(Reason.SLOT_HAZARD_NEAR, slot=slot.code, other=others[0])


def _check_lift(slot: Any, bay: Sequence[Any], goods: Goods) -> None:
    """Heavy pieces are not lifted by hand above the shoulder; where goods are bulky, a truck lifts them."""
    lift = Lift() if slot.heavy_piece_g is None else Lift(slot.heavy_piece_g, slot.shoulder_mm)
    if goods.sku.weight_g <= lift.heavy_piece_g or slot.zone_kind == ZoneKind.BULKY:
        return
    levels: defaultdict[int, int] = defaultdict(int)
    for row in bay:
        levels[row.level] = max(levels[row.level], row.height_mm)
    if floors_mm(levels)[slot.level] > lift.shoulder_mm:
        raise Refused(Reason.SLOT_TOO_HIGH, slot=slot.code)


def _check_lookalikes(slot: Any, bay: Sequence[Any], goods: Goods) -> None:
    """What is easily taken for each other does not lie in one bay."""
    mine = goods.sku
    for row in bay if mine.lookalike else ():
        if (row.merchant_id, row.lookalike) == (mine.merchant_id, mine.lookalike) and row.sku_id != mine.id:
            raise Refused(Reason.SLOT_LOOKALIKE_NEAR, slot=slot.code, other=row.sku_code)


def _check_expiry(call: Call, slot: Any, bay: Sequence[Any], goods: Goods) -> None:
    """In one bay, goods of one SKU never stand higher than others of it that expire later."""
    others = [
        row
        for row in bay
        if row.sku_id == goods.sku.id
        and row.lot_id != goods.lot_id
        and row.condition == GOOD == goods.condition
        and row.expires_on is not None
        and row.level != slot.level
    ]
    expires = call.session.execute(_expires, {"l": goods.lot_id}).scalar() if others else None
    for row in others if expires is not None else ():
        higher, later = slot.level > row.level, expires > row.expires_on
        if row.expires_on != expires and higher != later:
            raise Refused(Reason.SLOT_EXPIRY_ORDER, slot=slot.code, other=row.code)
