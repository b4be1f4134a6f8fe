"""Where goods should lie: the best three lawful slots with their reasons, a short lease on the one proposed."""

from __future__ import annotations

import math
from collections.abc import Collection
from datetime import date, timedelta

import numpy as np
from sqlalchemy import bindparam, delete, select
from sqlalchemy.orm import Session

from wms.catalog.tables import Lot
from wms.core.call import Call
from wms.core.clock import WallClock
from wms.core.db.tables import table_of
from wms.core.refusal import Reason, Refused
from wms.core.sql import insert_for
from wms.ledger.tables import Stock
from wms.slotting import rules
from wms.slotting.judging import check_lawful
from wms.slotting.picture import Picture, picture_of
from wms.slotting.seasons import lately, seasons
from wms.slotting.tables import SlotLease, Velocity
from wms.slotting.values import SUGGESTIONS, Goods, Rule, Suggestion

LEASE_MIN = 20
WALL = WallClock()
TRIED_MAX = 12

_lease = table_of(SlotLease)
_stock = table_of(Stock)

_same_sku_places = select(_stock.c.place_id).where(
    _stock.c.warehouse_id == bindparam("w"),
    _stock.c.sku_id == bindparam("s"),
    _stock.c.lot_id == bindparam("l"),
    _stock.c.condition == bindparam("c"),
    _stock.c.book == bindparam("b"),
    _stock.c.on_hand > 0,
)
_leased_places = select(_lease.c.place_id, _lease.c.weight_g).where(
    _lease.c.warehouse_id == bindparam("w"), _lease.c.until > bindparam("now"), _lease.c.subject != bindparam("for")
)
_lot_expires = select(table_of(Lot).c.expires_on).where(table_of(Lot).c.id == bindparam("l"))
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
        expires = _expires(call, goods) if goods.sku.id in picture.dated else None
        now = picture.occupied(_same_sku(call, goods), _leased(call, subject), expires)
        found = _ranked(call, picture, now, goods, subject, count, among)
        if found:
            return found
    kept = rules.masks(picture.slots, now, goods)
    raise Refused(Reason.NO_SLOT_FITS, why=max(kept, key=lambda rule: int((~kept[rule]).sum())).value)


def most_that_fits(
    call: Call, goods: Goods, *, subject: str = "", but: Collection[str] = (), fresh: bool = False
) -> int:
    """How many pieces of `goods` fit lawfully into one slot (none of `but`), at most all of them; 0 = not one.

    `fresh` looks at the building anew; else it is seen as when `choose` looked last.
    """
    picture = picture_of(call.session, call.warehouse_id, fresh=fresh)
    expires = _expires(call, goods) if goods.sku.id in picture.dated else None
    now = picture.occupied(_same_sku(call, goods), _leased(call, subject), expires)
    return rules.most(picture.slots, now, goods, but)


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


def _expires(call: Call, goods: Goods) -> int | None:
    day: date | None = call.session.execute(_lot_expires, {"l": goods.lot_id}).scalar()
    return None if day is None else day.toordinal()


def _leased(call: Call, subject: str) -> dict[int, int]:
    """Slots kept for others, and the grams that are on their way there."""
    values = {"w": call.warehouse_id, "now": WALL.now(), "for": subject}
    return {row.place_id: row.weight_g for row in call.session.execute(_leased_places, values)}


def _still_lawful(call: Call, goods: Goods, place_id: int, subject: str) -> bool:
    try:
        check_lawful(call, goods, place_id, subject=subject)
    except Refused:
        return False
    return True


def lease(call: Call, place_id: int, subject: str, *, weight_g: int = 0, minutes: int = LEASE_MIN) -> bool:
    """Keep a slot for `subject` for twenty minutes, unless told; False when somebody else has it. `weight_g` comes.

    By the wall clock: people walk no faster when a demonstration's day does.
    """
    now = WALL.now()
    until = now + timedelta(minutes=minutes)
    fresh = insert_for(call.session, _lease)
    statement = fresh.on_conflict_do_update(
        index_elements=["place_id"],
        set_={name: fresh.excluded[name] for name in ("subject", "until", "weight_g")},
        where=(_lease.c.until <= now) | (_lease.c.subject == subject),
    ).returning(_lease.c.place_id)
    row = {"place_id": place_id, "warehouse_id": call.warehouse_id, "subject": subject, "until": until}
    row["weight_g"] = weight_g
    return call.session.execute(statement, row).first() is not None


def end_leases(call: Call, subject: str, *, but: int | None = None) -> None:
    """The goods are stored, or will not be. `but` names the slot that stays kept."""
    values = {"w": call.warehouse_id, "for": subject}
    if but is None:
        call.session.execute(_end_leases, values)
    else:
        call.session.execute(_end_other_leases, {**values, "but": but})


def look_again(call: Call) -> None:
    """What was told of goods in slots does not hold: who asks next looks at the building anew."""
    picture_of(call.session, call.warehouse_id).drawn_s = -math.inf


def stored(call: Call, goods: Goods, place_id: int) -> None:
    """Tell the picture of this process that goods went into a slot."""
    picture = picture_of(call.session, call.warehouse_id)
    picture.note_taken(place_id, goods.volume_mm3, goods.weight_g, goods.sku.hazard)
    picture.note_alike(place_id, goods.sku.id, goods.sku.merchant_id, goods.sku.lookalike)


def slower_share(session: Session, warehouse_id: int, sku_id: int, family: str) -> float:
    """The share of SKUs that move faster: 0 = the fastest. An unknown SKU takes its family's mean, else the middle."""
    return picture_of(session, warehouse_id).slower_share(sku_id, family)


def learn_velocity(call: Call) -> int:
    """Lines picked lately, as much more or less as the coming weeks had last year; how many SKUs are known."""
    known = lately(call.session, call.warehouse_id, call.now)
    coming = seasons(call.session, call.warehouse_id, call.now).coming(known)
    velocity = table_of(Velocity)
    for (merchant_id, sku_id), speed in sorted(coming.items()):
        values = {"merchant_id": merchant_id, "sku_id": sku_id, "lines_per_week": speed, "as_of": call.now}
        fresh = insert_for(call.session, velocity).values(warehouse_id=call.warehouse_id, **values)
        call.session.execute(
            fresh.on_conflict_do_update(
                index_elements=["warehouse_id", "sku_id"], set_={"lines_per_week": speed, "as_of": call.now}
            )
        )
    return len(coming)
