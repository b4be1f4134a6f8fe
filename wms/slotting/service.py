"""Where goods should lie: the best three lawful slots with their reasons, a short lease on the one proposed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from wms.catalog.tables import Sku
from wms.core.call import Call
from wms.core.db.tables import table_of
from wms.core.refusal import Reason, Refused
from wms.core.sql import insert_for, touched
from wms.ledger.tables import MovementRow, Stock
from wms.site.tables import Slot
from wms.site.values import SlotFacts
from wms.slotting import rules
from wms.slotting.picture import Picture, picture_of
from wms.slotting.tables import SlotLease, Velocity
from wms.slotting.values import FILL_MAX, SUGGESTIONS, Goods, Rule, Suggestion

LEASE_MIN = 20
HALF_LIFE_DAYS = 14.0
TRIED_MAX = 12

_lease = table_of(SlotLease)
_stock = table_of(Stock)


def choose(call: Call, goods: Goods, *, subject: str = "") -> list[Suggestion]:
    """The best three slots for `goods`, best first. `subject` names who asks, so that his own lease does not shut him
    out.

    Raises NO_SLOT_FITS with the rule that shut out most slots.
    """
    for fresh in (False, True):
        picture = picture_of(call.session, call.warehouse_id, fresh=fresh)
        found = _ranked(call, picture, goods, subject)
        if found:
            return found
    raise Refused(Reason.NO_SLOT_FITS, why=_commonest_rule(call, picture, goods, subject))


def _ranked(call: Call, picture: Picture, goods: Goods, subject: str) -> list[Suggestion]:
    now = picture.occupied(_same_sku(call, goods), _leased(call, subject))
    kept = rules.masks(picture.slots, now, goods)
    lawful = np.logical_and.reduce(list(kept.values()))
    if not lawful.any():
        return []
    share = slower_share(call.session, call.warehouse_id, goods.sku.id, goods.sku.family)
    target = rules.target_mm(picture.slots, lawful, share)
    score = np.where(lawful, rules.scores(picture.slots, now, goods, target), np.inf)
    best = np.argsort(score, kind="stable")[:TRIED_MAX]
    nearest = int(np.argmin(picture.slots.walk_mm))
    found: list[Suggestion] = []
    for at in (int(index) for index in best if np.isfinite(score[index])):
        if _still_lawful(call, goods, int(picture.slots.place_id[at])):
            found.append(_suggestion(picture, now, goods, at, float(score[at]), share, kept, nearest))
        if len(found) == SUGGESTIONS:
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


def _commonest_rule(call: Call, picture: Picture, goods: Goods, subject: str) -> str:
    now = picture.occupied(_same_sku(call, goods), _leased(call, subject))
    kept = rules.masks(picture.slots, now, goods)
    return max(kept, key=lambda rule: int((~kept[rule]).sum())).value


def _same_sku(call: Call, goods: Goods) -> set[int]:
    """Slots where the same SKU and lot of the same owner lies alone in the same condition: more may join it."""
    rows = call.session.execute(
        select(_stock.c.place_id).where(
            _stock.c.warehouse_id == call.warehouse_id,
            _stock.c.sku_id == goods.sku.id,
            _stock.c.lot_id == goods.lot_id,
            _stock.c.condition == goods.condition,
            _stock.c.on_hand > 0,
        )
    )
    return {row.place_id for row in rows}


def _leased(call: Call, subject: str) -> set[int]:
    rows = call.session.execute(
        select(_lease.c.place_id).where(
            _lease.c.warehouse_id == call.warehouse_id, _lease.c.until > call.now, _lease.c.subject != subject
        )
    )
    return {row.place_id for row in rows}


def _still_lawful(call: Call, goods: Goods, place_id: int) -> bool:
    try:
        check_lawful(call, goods, place_id)
    except Refused:
        return False
    return True


def check_lawful(call: Call, goods: Goods, place_id: int, *, subject: str = "") -> None:
    """Against the rows as they are: may `goods` go into this slot? Raises the refusal of the first rule broken.

    The weight limit has no override: an overloaded beam falls on people.
    """
    slot = call.session.get(Slot, place_id)
    if slot is None or slot.warehouse_id != call.warehouse_id or slot.retired:
        raise Refused(Reason.SLOT_UNKNOWN, slot=place_id)
    _check_open(slot)
    _check_kind(call, slot, goods)
    inside = _inside(call.session, place_id)
    _check_company(slot, inside, goods)
    _check_room(slot, inside, goods)


def _check_open(slot: Slot) -> None:
    if slot.blocked:
        raise Refused(Reason.SLOT_BLOCKED, slot=slot.code)
    if slot.under_count:
        raise Refused(Reason.SLOT_UNDER_COUNT, slot=slot.code)


def _check_kind(call: Call, slot: Slot, goods: Goods) -> None:
    picture = picture_of(call.session, call.warehouse_id)
    kind = str(picture.slots.zone_kind[picture.index[slot.place_id]]) if slot.place_id in picture.index else ""
    if slot.bonded != goods.bonded or (kind and not goods.bonded and kind != goods.sku.zone_kind):
        raise Refused(Reason.SLOT_WRONG_ZONE, slot=slot.code)


def _inside(session: Session, place_id: int) -> list[Any]:
    piece = Sku.length_mm * Sku.width_mm * Sku.height_mm
    return list(
        session.execute(
            select(
                Stock.merchant_id,
                Stock.sku_id,
                Stock.lot_id,
                Stock.condition,
                (Stock.on_hand * piece).label("volume"),
                (Stock.on_hand * Sku.weight_g).label("weight"),
            )
            .join(Sku, Sku.id == Stock.sku_id)
            .where(Stock.place_id == place_id, Stock.on_hand > 0)
        )
    )


def _check_company(slot: Slot, inside: list[Any], goods: Goods) -> None:
    """One owner, and no more SKUs than the slot takes; lots and conditions of one SKU never mix."""
    for row in inside:
        if row.merchant_id != goods.sku.merchant_id:
            raise Refused(Reason.SLOT_OTHER_OWNER, slot=slot.code)
        if row.sku_id == goods.sku.id and (row.lot_id != goods.lot_id or row.condition != goods.condition):
            raise Refused(Reason.LOT_WRONG, expected=slot.code)
    others = {row.sku_id for row in inside} - {goods.sku.id}
    if len(others) + 1 > slot.skus_max:
        raise Refused(Reason.SLOT_TAKEN_BY_OTHER_SKU, slot=slot.code)


def _check_room(slot: Slot, inside: list[Any], goods: Goods) -> None:
    piece = sorted((goods.sku.length_mm, goods.sku.width_mm, goods.sku.height_mm))
    room = sorted((slot.width_mm, slot.depth_mm, slot.height_mm))
    if any(side > space for side, space in zip(piece, room, strict=True)):
        raise Refused(Reason.SLOT_TOO_SMALL, slot=slot.code)
    volume = slot.width_mm * slot.depth_mm * slot.height_mm
    if sum(row.volume for row in inside) + goods.volume_mm3 > volume * FILL_MAX:
        raise Refused(Reason.SLOT_TOO_SMALL, slot=slot.code)
    excess_g = sum(row.weight for row in inside) + goods.weight_g - slot.weight_max_g
    if excess_g > 0:
        raise Refused(Reason.SLOT_WEIGHT_EXCEEDED, slot=slot.code, excess_g=excess_g)


def lease(call: Call, place_id: int, subject: str) -> bool:
    """Keep a slot for `subject` for twenty minutes; False when somebody else has it."""
    until = call.now + timedelta(minutes=LEASE_MIN)
    fresh = insert_for(call.session, _lease)
    statement = fresh.on_conflict_do_update(
        index_elements=["place_id"],
        set_={"subject": fresh.excluded.subject, "until": fresh.excluded.until},
        where=(_lease.c.until <= call.now) | (_lease.c.subject == subject),
    )
    row = {"place_id": place_id, "warehouse_id": call.warehouse_id, "subject": subject, "until": until}
    return touched(call.session, statement, row) == 1


def end_leases(call: Call, subject: str) -> None:
    """The goods are stored, or will not be."""
    call.session.execute(delete(_lease).where(_lease.c.warehouse_id == call.warehouse_id, _lease.c.subject == subject))


def stored(call: Call, goods: Goods, slot: SlotFacts) -> None:
    """Tell the picture of this process that goods went into a slot."""
    picture = picture_of(call.session, call.warehouse_id)
    if slot.place_id in picture.index:
        picture.note_taken(slot.place_id, goods.volume_mm3, goods.weight_g)


def slower_share(session: Session, warehouse_id: int, sku_id: int, family: str) -> float:
    """The share of SKUs that move faster: 0 = the fastest. An unknown SKU takes its family's mean, else the middle."""
    speed = session.scalars(
        select(Velocity.lines_per_week).where(Velocity.warehouse_id == warehouse_id, Velocity.sku_id == sku_id)
    ).one_or_none()
    if speed is None and family:
        speed = session.scalars(
            select(func.avg(Velocity.lines_per_week))
            .join(Sku, Sku.id == Velocity.sku_id)
            .where(Velocity.warehouse_id == warehouse_id, Sku.family == family)
        ).one_or_none()
    if speed is None:
        return 0.5
    of_all = select(func.count()).select_from(Velocity).where(Velocity.warehouse_id == warehouse_id)
    faster = session.execute(of_all.where(Velocity.lines_per_week > speed)).scalar_one()
    return float(faster) / max(1, session.execute(of_all).scalar_one())


def learn_velocity(call: Call) -> int:
    """Lines picked in the last eight weeks, newer ones counting more (half-life two weeks); the number of SKUs known.
    """
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
