"""Out of a box into slots: which one is kept for it, and what is stored there.

Where no slot takes all of an article, it goes into several: the one that takes most first.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import fields, replace
from typing import Any

from sqlalchemy import bindparam, select

from wms.catalog.tables import Sku
from wms.catalog.values import SkuFacts
from wms.core.call import Call
from wms.core.db.tables import table_of
from wms.core.refusal import Reason, Refused
from wms.inbound.boxes import refuse_other_box
from wms.inbound.values import Inside, Proposal, PutAway
from wms.ledger import service as ledger
from wms.ledger.tables import Stock
from wms.ledger.values import Condition, Movement, MovementKind
from wms.site.tables import Slot
from wms.site.values import ContainerFacts
from wms.slotting import judging
from wms.slotting import service as slotting
from wms.slotting.values import SUGGESTIONS, Goods, Rule, Suggestion
from wms.work import service as work

PUTAWAY = "putaway"
PROPOSALS_MAX = 6
PARTS_MAX = 50

_stock = table_of(Stock)
_slot = table_of(Slot)
_inside = (
    select(
        _stock.c.id.label("stock_id"),
        _stock.c.lot_id,
        _stock.c.on_hand,
        _stock.c.condition,
        _stock.c.book,
        *(table_of(Sku).c[each.name] for each in fields(SkuFacts)),
    )
    .join(table_of(Sku), table_of(Sku).c.id == _stock.c.sku_id)
    .where(_stock.c.warehouse_id == bindparam("w"), _stock.c.place_id == bindparam("p"), _stock.c.on_hand > 0)
    .order_by(_stock.c.sku_id, _stock.c.lot_id, _stock.c.id)
)
_anything_in = (
    select(_stock.c.id)
    .where(_stock.c.warehouse_id == bindparam("w"), _stock.c.place_id == bindparam("p"), _stock.c.on_hand > 0)
    .limit(1)
)
_slot_by_code = select(_slot.c.place_id).where(
    _slot.c.warehouse_id == bindparam("w"), _slot.c.code == bindparam("code"), _slot.c.retired.is_(False)
)


def suggest(call: Call, container: ContainerFacts, but: Collection[str] = ()) -> Proposal:
    """Where the container's first SKU should go: the best lawful slot (none of `but`), kept for it.

    Where no slot takes all of it, the one that takes most. What was kept before is let go. Raises CONTAINER_EMPTY,
    NO_SLOT_FITS when not one piece fits anywhere.
    """
    subject, first = subject_of(container), inside(call, container)[0]
    goods = first.goods
    try:
        return Proposal(_kept(call, subject, goods, but), first, goods.quantity)
    except Refused as no:
        fewer = _fewer(call, no, subject, goods, but)
    return Proposal(_kept(call, subject, fewer, but), first, fewer.quantity)


def _kept(call: Call, subject: str, goods: Goods, but: Collection[str]) -> Suggestion:
    """The best slot that nobody took meanwhile.

    Where others were faster with all that was proposed, it is proposed anew: what they took is out of it then.
    """
    for _round in range(PROPOSALS_MAX):
        for suggestion in slotting.choose(call, goods, subject=subject, count=SUGGESTIONS + len(but)):
            if suggestion.slot_code not in but and slotting.lease(
                call, suggestion.place_id, subject, weight_g=goods.weight_g
            ):
                slotting.end_leases(call, subject, but=suggestion.place_id)
                return suggestion
    raise Refused(Reason.NO_SLOT_FITS, why=Rule.LEASED.value)


def _fewer(call: Call, no: Refused, subject: str, goods: Goods, but: Collection[str] = ()) -> Goods:
    """As many of the goods as one slot takes, now that all of them were refused. Raises the refusal when none fits."""
    if no.reason is not Reason.NO_SLOT_FITS:
        raise no
    most = slotting.most_that_fits(call, goods, subject=subject, but=but)
    if not 1 <= most < goods.quantity:
        raise no
    return replace(goods, quantity=most)


def subject_of(container: ContainerFacts) -> str:
    """The name under which slots are kept for a box, and its task is on the board."""
    return f"container:{container.place_id}"


def inside(call: Call, container: ContainerFacts) -> list[Inside]:
    """What is to be stored out of a box, SKU by SKU. To a merchant a box of others does not exist.

    Raises CONTAINER_EMPTY, CONTAINER_UNKNOWN.
    """
    rows = call.session.execute(_inside, {"w": call.warehouse_id, "p": container.place_id}).all()
    mine = [row for row in rows if call.merchant_id in (None, row.merchant_id)]
    if rows and not mine:
        raise Refused(Reason.CONTAINER_UNKNOWN, container=container.code)
    if not mine:
        raise Refused(Reason.CONTAINER_EMPTY, container=container.code)
    return [Inside(row.stock_id, _goods(row)) for row in mine]


def _goods(row: Any) -> Goods:
    return Goods(SkuFacts(*row[5:]), row.lot_id, row.on_hand, row.condition, bool(row.book), row.book)


def put_away(
    call: Call,
    *,
    container: ContainerFacts,
    slot_code: str | None = None,
    quantity: int | None = None,
    only: int | None = None,
) -> list[PutAway]:
    """Store what is in the container: into the slot scanned, else each SKU into the slot the system chooses, and into
    several where no slot takes all of it.

    `quantity` stores only so many of the container's first SKU, or of the row of stock `only` (the rest stays in it).
    Returning commits; raising rolls back. Raises CONTAINER_EMPTY, NO_SLOT_FITS, QUANTITY_WRONG, and the rule a scanned
    slot breaks (SLOT_...).
    """
    goods = [one.goods for one in inside(call, refuse_other_box(container)) if only in (None, one.stock_id)]
    if quantity is not None:
        if not goods or not 1 <= quantity <= goods[0].quantity:
            raise Refused(Reason.QUANTITY_WRONG, quantity=quantity)
        goods = [replace(goods[0], quantity=quantity)]
    if slot_code is None:
        done = _store_anywhere(call, container, goods)
    else:
        place_id = _slot_place(call, slot_code)
        done = [_store(call, container, one, place_id) for one in goods]
    slotting.end_leases(call, subject_of(container))
    if call.session.execute(_anything_in, {"w": call.warehouse_id, "p": container.place_id}).first() is None:
        work.done_about(call, PUTAWAY, subject_of(container))
    call.wakes.add("live")
    return done


def _store_anywhere(call: Call, container: ContainerFacts, every: Sequence[Goods]) -> list[PutAway]:
    """Each SKU into the slot the system chooses."""
    if len(every) > 1:
        judging.one_of_many(call)
    try:
        return [part for goods in every for part in _store_somewhere(call, container, goods)]
    except Refused:
        slotting.look_again(call)  # what went into slots before this one does not stay there
        raise


def _store_somewhere(call: Call, container: ContainerFacts, goods: Goods) -> Iterator[PutAway]:
    """One SKU and lot into the best slot; where none takes all of it, into the ones that take most."""
    try:
        yield _store_best(call, container, goods)
        return
    except Refused as none_takes_all:
        if none_takes_all.reason is not Reason.NO_SLOT_FITS:
            raise
        no = none_takes_all
    judging.one_of_many(call)
    left = goods.quantity
    for part in range(PARTS_MAX):
        rest = replace(goods, quantity=left)
        most = slotting.most_that_fits(call, rest, subject=subject_of(container), fresh=part == 0)
        if not most:
            raise no
        yield _store_best(call, container, replace(goods, quantity=most))
        left -= most
        if not left:
            return
    raise no


def _store_best(call: Call, container: ContainerFacts, goods: Goods) -> PutAway:
    best = slotting.choose(call, goods, subject=subject_of(container), count=1)[0]
    stored = _store(call, container, goods, best.place_id)
    return replace(stored, reasons=best.reasons, nearest=best.nearest, why_not_nearest=best.why_not_nearest)


def _slot_place(call: Call, slot_code: str) -> int:
    place_id = call.session.execute(_slot_by_code, {"w": call.warehouse_id, "code": slot_code}).scalar_one_or_none()
    if place_id is None:
        raise Refused(Reason.SLOT_UNKNOWN, slot=slot_code[:40])
    return int(place_id)


def _store(call: Call, container: ContainerFacts, goods: Goods, place_id: int) -> PutAway:
    """One SKU and lot from the container into one slot, whose row is kept until the commit."""
    slot_code = judging.take_slot(call, goods, place_id, subject=subject_of(container))
    movement = Movement(
        MovementKind.PUTAWAY,
        goods.sku.merchant_id,
        container.place_id,
        place_id,
        goods.sku.id,
        goods.lot_id,
        goods.quantity,
        Condition(goods.condition),
        goods.book,
        reference=f"container:{container.code}",
    )
    ledger.post(call, [movement])
    slotting.stored(call, goods, place_id)
    return PutAway(slot_code, goods.quantity, (), "", None)
