"""Where goods should lie: the best three lawful slots with their reasons, a short lease on the one proposed."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import Any

import numpy as np
from sqlalchemy import and_, bindparam, delete, select
from sqlalchemy.orm import Session

from wms.catalog.tables import Sku
from wms.core.call import Call
from wms.core.clock import WallClock
from wms.core.db.tables import table_of
from wms.core.refusal import Reason, Refused
from wms.core.sql import insert_for, is_postgresql
from wms.ledger.tables import MovementRow, Stock
from wms.site.tables import Bay, Slot, Zone
from wms.slotting import rules
from wms.slotting.picture import Picture, picture_of
from wms.slotting.tables import SlotLease, Velocity
from wms.slotting.values import FILL_MAX, SUGGESTIONS, Goods, Rule, Suggestion

LEASE_MIN = 20
WALL = WallClock()
HALF_LIFE_DAYS = 14.0
TRIED_MAX = 12

_lease = table_of(SlotLease)
_stock = table_of(Stock)
_slot = table_of(Slot)
_zone = table_of(Zone)
_bay = table_of(Bay)
_sku = table_of(Sku)

_same_sku_places = select(_stock.c.place_id).where(
    _stock.c.warehouse_id == bindparam("w"),
    _stock.c.sku_id == bindparam("s"),
    _stock.c.lot_id == bindparam("l"),
    _stock.c.condition == bindparam("c"),
    _stock.c.book == bindparam("b"),
    _stock.c.on_hand > 0,
)
_leased_places = select(_lease.c.place_id).where(
    _lease.c.warehouse_id == bindparam("w"), _lease.c.until > bindparam("now"), _lease.c.subject != bindparam("for")
)
_lock = (
    select(_slot.c.place_id)
    .where(_slot.c.place_id == bindparam("p"), _slot.c.warehouse_id == bindparam("w"))
    .with_for_update()
)
_lock_bay = (
    select(_bay.c.id)
    .join(_slot, _slot.c.bay_id == _bay.c.id)
    .where(_slot.c.place_id == bindparam("p"), _slot.c.warehouse_id == bindparam("w"))
    .with_for_update(of=_bay)
)
_beside = _slot.alias()
_other_hazards = (
    select(_sku.c.hazard)
    .join(_stock, and_(_stock.c.sku_id == _sku.c.id, _stock.c.on_hand > 0))
    .join(_beside, _beside.c.place_id == _stock.c.place_id)
    .join(_slot, _slot.c.bay_id == _beside.c.bay_id)
    .where(
        _slot.c.place_id == bindparam("p"),
        _slot.c.warehouse_id == bindparam("w"),
        _sku.c.hazard.not_in(["", bindparam("h")]),
    )
    .order_by(_sku.c.hazard)
    .limit(1)
)
# The slot with everything that decides about it: one row, or one per stock row in it.
_look = (
    select(
        _slot.c.code,
        _slot.c.blocked,
        _slot.c.shut,
        _slot.c.under_count,
        _slot.c.bonded,
        _slot.c.width_mm,
        _slot.c.depth_mm,
        _slot.c.height_mm,
        _slot.c.weight_max_g,
        _slot.c.skus_max,
        _zone.c.kind.label("zone_kind"),
        _lease.c.subject.label("kept_for"),
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
    )
    .join(_zone, _zone.c.id == _slot.c.zone_id)
    .outerjoin(
        _lease,
        and_(
            _lease.c.place_id == _slot.c.place_id,
            _lease.c.until > bindparam("now", type_=_lease.c.until.type),
            _lease.c.subject != bindparam("for"),
        ),
    )
    .outerjoin(_stock, and_(_stock.c.place_id == _slot.c.place_id, _stock.c.on_hand > 0))
    .outerjoin(_sku, _sku.c.id == _stock.c.sku_id)
    .where(_slot.c.place_id == bindparam("p"), _slot.c.warehouse_id == bindparam("w"), _slot.c.retired.is_(False))
)

_end_leases = delete(_lease).where(_lease.c.warehouse_id == bindparam("w"), _lease.c.subject == bindparam("for"))
_end_other_leases = _end_leases.where(_lease.c.place_id != bindparam("but"))


def choose(
    call: Call,
    goods: Goods,
    *,
    subject: str = "",
    count: int = SUGGESTIONS,
    among: Collection[int] | None = None,
) -> list[Suggestion]:
    """The best slots for `goods`, best first, at most `count`. `subject` names who asks, so that his own lease does
    not shut him out. `among` names the places that come into question, if not all do.

    Raises NO_SLOT_FITS with the rule that shut out most slots.
    """
    for fresh in (False, True):
        picture = picture_of(call.session, call.warehouse_id, fresh=fresh)
        now = picture.occupied(_same_sku(call, goods), _leased(call, subject))
        found = _ranked(call, picture, now, goods, subject, count, among)
        if found:
            return found
    kept = rules.masks(picture.slots, now, goods)
    raise Refused(Reason.NO_SLOT_FITS, why=max(kept, key=lambda rule: int((~kept[rule]).sum())).value)


def _ranked(
    call: Call,
    picture: Picture,
    now: rules.Occupied,
    goods: Goods,
    subject: str,
    count: int,
    among: Collection[int] | None,
) -> list[Suggestion]:
    kept = rules.masks(picture.slots, now, goods)
    lawful = np.logical_and.reduce(list(kept.values()))
    if among is not None:
        lawful &= np.isin(picture.slots.place_id, np.fromiter(among, dtype=np.int64, count=len(among)))
    if not lawful.any():
        return []
    share = picture.slower_share(goods.sku.id, goods.sku.family)
    # Before anything is known of anybody's speed, the nearest slots are the best guess: not a ring halfway out.
    target = rules.target_mm(picture.slots, lawful, share) if picture.knows_speeds else 0.0
    score = np.where(lawful, rules.scores(picture.slots, now, goods, target), np.inf)
    best = rules.lowest(score, TRIED_MAX)
    nearest = rules.nearest(picture.slots, kept)
    found: list[Suggestion] = []
    for at in (int(index) for index in best if np.isfinite(score[index])):
        if _still_lawful(call, goods, int(picture.slots.place_id[at]), subject):
            found.append(_suggestion(picture, now, goods, at, float(score[at]), share, kept, nearest))
        if len(found) == count:
            break
    return found


def _suggestion(
    picture: Picture,
    now: rules.Occupied,
    goods: Goods,
    at: int,
    score: float,
    share: float,
    kept: dict[Rule, rules.Flags],
    nearest: int,
) -> Suggestion:
    slots = picture.slots
    fill = (now.used_volume[at] + goods.volume_mm3) / max(1, slots.volume[at])
    return Suggestion(
        slot_code=slots.codes[at],
        place_id=int(slots.place_id[at]),
        score=round(score, 2),
        reasons=rules.reasons(slots, now, goods, at, share),
        walk_m=int(slots.walk_mm[at]) // 1000,
        fill_share=round(float(fill), 3),
        why_not_nearest=rules.first_broken(kept, nearest) if at != nearest else None,
        nearest=slots.codes[nearest],
    )


def _same_sku(call: Call, goods: Goods) -> set[int]:
    """Slots where the same SKU and lot lies in the same condition and book: more may join it."""
    values = {
        "w": call.warehouse_id,
        "s": goods.sku.id,
        "l": goods.lot_id,
        "c": str(goods.condition),
        "b": goods.book,
    }
    return set(call.session.execute(_same_sku_places, values).scalars())


def _leased(call: Call, subject: str) -> set[int]:
    values = {"w": call.warehouse_id, "now": WALL.now(), "for": subject}
    return set(call.session.execute(_leased_places, values).scalars())


def _still_lawful(call: Call, goods: Goods, place_id: int, subject: str) -> bool:
    try:
        check_lawful(call, goods, place_id, subject=subject)
    except Refused:
        return False
    return True


def take_slot(call: Call, goods: Goods, place_id: int, *, subject: str = "") -> str:
    """Keep the slot's row from others until the commit and judge by it; the slot's code. Refuses as `check_lawful`.

    Two pallets may not both see the last 100 kg: what lies in the slot is read after its row is ours.
    """
    if is_postgresql(call.session):
        at = {"p": place_id, "w": call.warehouse_id}
        if goods.sku.hazard:  # two classes may not come into one bay at the same moment
            call.session.execute(_lock_bay, at)
        call.session.execute(_lock, at)
    return _judge(call, goods, place_id, subject)


def check_lawful(call: Call, goods: Goods, place_id: int, *, subject: str = "") -> None:
    """Against the rows as they are: may `goods` go into this slot? Raises the refusal of the first rule broken.

    The weight limit has no override: an overloaded beam falls on people.
    """
    _judge(call, goods, place_id, subject)


def _judge(call: Call, goods: Goods, place_id: int, subject: str) -> str:
    values = {"p": place_id, "w": call.warehouse_id, "now": WALL.now(), "for": subject}
    rows = call.session.execute(_look, values).all()
    if not rows:
        raise Refused(Reason.SLOT_UNKNOWN, slot=place_id)
    slot, inside = rows[0], [row for row in rows if row.on_hand]
    _check_open(slot)
    _check_kind(slot, goods)
    _check_company(slot, inside, goods)
    _check_room(slot, inside, goods)
    _check_hazards(call, slot, place_id, goods)
    return str(slot.code)


def _check_open(slot: Any) -> None:
    if slot.blocked:
        raise Refused(Reason.SLOT_BLOCKED, slot=slot.code)
    if slot.shut:
        raise Refused(Reason.SLOT_SHUT, slot=slot.code)
    if slot.under_count:
        raise Refused(Reason.SLOT_UNDER_COUNT, slot=slot.code)
    if slot.kept_for is not None:
        raise Refused(Reason.SLOT_KEPT, slot=slot.code)


def _check_kind(slot: Any, goods: Goods) -> None:
    if slot.bonded != goods.bonded or (not goods.bonded and slot.zone_kind != goods.sku.zone_kind):
        raise Refused(Reason.SLOT_WRONG_ZONE, slot=slot.code)


def _check_company(slot: Any, inside: list[Any], goods: Goods) -> None:
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


def _check_room(slot: Any, inside: list[Any], goods: Goods) -> None:
    piece = sorted((goods.sku.length_mm, goods.sku.width_mm, goods.sku.height_mm))
    room = sorted((slot.width_mm, slot.depth_mm, slot.height_mm))
    if any(side > space for side, space in zip(piece, room, strict=True)):
        raise Refused(Reason.SLOT_TOO_SMALL, slot=slot.code)
    used = sum(row.on_hand * row.piece_length_mm * row.piece_width_mm * row.piece_height_mm for row in inside)
    if used + goods.volume_mm3 > slot.width_mm * slot.depth_mm * slot.height_mm * FILL_MAX:
        raise Refused(Reason.SLOT_TOO_SMALL, slot=slot.code)
    excess_g = sum(row.on_hand * row.piece_weight_g for row in inside) + goods.weight_g - slot.weight_max_g
    if excess_g > 0:
        raise Refused(Reason.SLOT_WEIGHT_EXCEEDED, slot=slot.code, excess_g=excess_g)


def _check_hazards(call: Call, slot: Any, place_id: int, goods: Goods) -> None:
    """Goods of two hazard classes never share a bay: what one gives off, or sets alight, reaches the other."""
    if not goods.sku.hazard:
        return
    values = {"p": place_id, "w": call.warehouse_id, "h": goods.sku.hazard}
    other = call.session.execute(_other_hazards, values).scalar()
    if other is not None:
        raise Refused(Reason.SLOT_HAZARD_NEAR, slot=slot.code, other=other)


def lease(call: Call, place_id: int, subject: str, *, minutes: int = LEASE_MIN) -> bool:
    """Keep a slot for `subject` for twenty minutes, unless told; False when somebody else has it.

    By the wall clock: people walk no faster when a demonstration's day does.
    """
    now = WALL.now()
    until = now + timedelta(minutes=minutes)
    fresh = insert_for(call.session, _lease)
    statement = fresh.on_conflict_do_update(
        index_elements=["place_id"],
        set_={"subject": fresh.excluded.subject, "until": fresh.excluded.until},
        where=(_lease.c.until <= now) | (_lease.c.subject == subject),
    ).returning(_lease.c.place_id)
    row = {"place_id": place_id, "warehouse_id": call.warehouse_id, "subject": subject, "until": until}
    return call.session.execute(statement, row).first() is not None


def end_leases(call: Call, subject: str, *, but: int | None = None) -> None:
    """The goods are stored, or will not be. `but` names the slot that stays kept."""
    values = {"w": call.warehouse_id, "for": subject}
    if but is None:
        call.session.execute(_end_leases, values)
    else:
        call.session.execute(_end_other_leases, {**values, "but": but})


def stored(call: Call, goods: Goods, place_id: int) -> None:
    """Tell the picture of this process that goods went into a slot."""
    picture_of(call.session, call.warehouse_id).note_taken(place_id, goods.volume_mm3, goods.weight_g, goods.sku.hazard)


def slower_share(session: Session, warehouse_id: int, sku_id: int, family: str) -> float:
    """The share of SKUs that move faster: 0 = the fastest. An unknown SKU takes its family's mean, else the middle."""
    return picture_of(session, warehouse_id).slower_share(sku_id, family)


def learn_velocity(call: Call) -> int:
    """Lines picked in the last eight weeks, newer ones counting more (half-life two weeks); how many SKUs are known."""
    since = call.now - timedelta(weeks=8)
    speeds: dict[tuple[int, int], float] = {}
    rows = call.session.execute(
        select(MovementRow.merchant_id, MovementRow.sku_id, MovementRow.at).where(
            MovementRow.warehouse_id == call.warehouse_id, MovementRow.kind == "pick", MovementRow.at >= since
        )
    )
    for row in rows:
        age_days = (call.now - row.at).total_seconds() / 86_400
        key = (row.merchant_id, row.sku_id)
        speeds[key] = speeds.get(key, 0.0) + 0.5 ** (age_days / HALF_LIFE_DAYS) / 2.0
    velocity = table_of(Velocity)
    for (merchant_id, sku_id), speed in sorted(speeds.items()):
        values = {"merchant_id": merchant_id, "sku_id": sku_id, "lines_per_week": speed, "as_of": call.now}
        fresh = insert_for(call.session, velocity).values(warehouse_id=call.warehouse_id, **values)
        call.session.execute(
            fresh.on_conflict_do_update(
                index_elements=["warehouse_id", "sku_id"], set_={"lines_per_week": speed, "as_of": call.now}
            )
        )
    return len(speeds)
