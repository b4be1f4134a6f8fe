"""The receiving dock's use cases: announce, receive, put away, close."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields, replace
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, insert, select, update

from wms.catalog import queries as catalog_queries
from wms.catalog import service as catalog
from wms.catalog.rules import NO_LOT
from wms.catalog.tables import Lot, Sku
from wms.catalog.values import SkuFacts
from wms.core.audit_trail import note
from wms.core.call import Call
from wms.core.db.tables import table_of
from wms.core.outbox import announce
from wms.core.refusal import Reason, Refused
from wms.core.sql import touched
from wms.inbound import queries
from wms.inbound.boxes import box, lpn, refuse_other_box
from wms.inbound.rules import check_not_over, check_quantity, check_shelf_life
from wms.inbound.tables import Asn, AsnLine, Receipt
from wms.inbound.values import LotGiven, Proposal, PutAway, Received
from wms.ledger import service as ledger
from wms.ledger.tables import Stock
from wms.ledger.values import Condition, Movement, MovementKind, Virtual
from wms.site import queries as site_queries
from wms.site.tables import Slot
from wms.site.values import ContainerFacts
from wms.slotting import judging
from wms.slotting import service as slotting
from wms.slotting.values import Goods, Rule, Suggestion
from wms.work import service as work

__all__ = [
    "PUTAWAY",
    "box",
    "close_asn",
    "create_asn",
    "first_goods",
    "lpn",
    "put_away",
    "receive",
    "subject_of",
    "suggest",
]

PUTAWAY = "putaway"
LINES_MAX = 2_000
PROPOSALS_MAX = 6

OVER = ("closed", "cancelled")

_asn = table_of(Asn)
_line = table_of(AsnLine)
_receipt = table_of(Receipt)
_lots = table_of(Lot)
_stock = table_of(Stock)
_slot = table_of(Slot)
_LOT_COLUMNS = (_lots.c.id, _lots.c.code, _lots.c.produced_on, _lots.c.expires_on)

_known_lot = select(*_LOT_COLUMNS).where(
    _lots.c.warehouse_id == bindparam("w"), _lots.c.sku_id == bindparam("s"), _lots.c.code == bindparam("code")
)
_asn_locked = (
    select(_asn.c.state, _asn.c.no, _asn.c.merchant_id)
    .where(_asn.c.id == bindparam("a"), _asn.c.warehouse_id == bindparam("w"))
    .with_for_update()
)
_count = (
    update(_line)
    .where(_line.c.asn_id == bindparam("a"), _line.c.sku_id == bindparam("s"))
    .values(received=_line.c.received + bindparam("q"))
    .returning(_line.c.expected, _line.c.received)
)
_insert_receipt = insert(_receipt).returning(_receipt.c.id)
_inside = (
    select(
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


def create_asn(
    call: Call,
    *,
    no: str,
    lines: Sequence[tuple[str, int]],
    merchant_code: str | None = None,
    expected_at: datetime | None = None,
) -> int:
    """Announce an arrival: (SKU code, quantity) per line; the same SKU twice is one line. Its id.

    Raises SKU_UNKNOWN, QUANTITY_WRONG, ALREADY_EXISTS, MERCHANT_BLOCKED.
    """
    merchant = catalog.open_merchant(call, merchant_code)
    wanted: dict[str, int] = {}
    for code, quantity in lines:
        check_quantity(quantity)
        wanted[code] = wanted.get(code, 0) + quantity
    if not 1 <= len(wanted) <= LINES_MAX:
        raise Refused(Reason.BAD_INPUT, what=f"lines: 1 to {LINES_MAX}")
    skus = catalog_queries.skus_by_code(call.session, call.warehouse_id, merchant.id, wanted)
    for code in wanted:
        if code not in skus:
            raise Refused(Reason.SKU_UNKNOWN, sku=code[:40])
    taken = select(Asn.id).where(Asn.warehouse_id == call.warehouse_id, Asn.merchant_id == merchant.id, Asn.no == no)
    if call.session.execute(taken).first() is not None:
        raise Refused(Reason.ALREADY_EXISTS, what=no[:40])
    head = {
        "warehouse_id": call.warehouse_id,
        "merchant_id": merchant.id,
        "no": no,
        "state": "expected",
        "expected_at": expected_at,
        "made_at": call.now,
    }
    asn_id = int(call.session.execute(insert(_asn).returning(_asn.c.id), head).scalar_one())
    rows = [
        {
            "warehouse_id": call.warehouse_id,
            "merchant_id": merchant.id,
            "asn_id": asn_id,
            "sku_id": skus[code].id,
            "expected": quantity,
            "received": 0,
        }
        for code, quantity in wanted.items()
    ]
    call.session.execute(insert(_line), rows)
    return asn_id


def receive(
    call: Call,
    *,
    sku: SkuFacts,
    quantity: int,
    container: ContainerFacts,
    asn_id: int | None = None,
    lot: LotGiven | None = None,
    condition: Condition = Condition.GOOD,
    over_allowed: bool = False,
) -> Received:
    """Take `quantity` of one SKU and lot into a container; a putaway task is made for it.

    Raises QUANTITY_WRONG, ASN_CLOSED, NOT_ON_ASN, OVER_RECEIPT, SHELF_LIFE_TOO_SHORT, LOT_REQUIRED,
    LOT_DATES_REQUIRED, LOT_DATES_WRONG, WRONG_KIND_SCANNED for a container that is not for goods received.
    """
    check_quantity(quantity)
    refuse_other_box(container)
    batch = _lot(call, sku, lot or LotGiven())
    if batch.expires_on is not None and sku.min_life_receipt_days > 0:
        today = site_queries.warehouse(call.session, call.warehouse_id).local(call.now).date()
        check_shelf_life(batch.expires_on, today, sku.min_life_receipt_days)
    expected, received = _count_on_asn(call, asn_id, sku, quantity, over_allowed) if asn_id is not None else (0, 0)
    receipt_id = _write_receipt(call, asn_id, sku, batch.id, container.place_id, quantity, condition)
    supplier = ledger.virtual_id(call.session, call.warehouse_id, Virtual.SUPPLIER)
    movement = Movement(
        MovementKind.RECEIPT,
        sku.merchant_id,
        supplier,
        container.place_id,
        sku.id,
        batch.id,
        quantity,
        condition,
        reference=f"receipt:{receipt_id}",
    )
    ledger.post(call, [movement])
    work.create(call, PUTAWAY, subject_of(container), merchant_id=sku.merchant_id, container=container.code)
    call.wakes.add("live")
    return Received(receipt_id, container.code, container.place_id, batch.code, quantity, expected, received)


def _lot(call: Call, sku: SkuFacts, given: LotGiven) -> Any:
    """The batch's row. A known one needs no dates again; a new one is listed."""
    code = given.code or (NO_LOT if given.expires_on is None and given.produced_on is None else None)
    if code is not None and (given.code or not (sku.lot_tracked or sku.dated)):
        known = call.session.execute(_known_lot, {"w": call.warehouse_id, "s": sku.id, "code": code}).one_or_none()
        if known is not None and _says_the_same(known, given) and not (sku.dated and known.expires_on is None):
            return known
    lot_id = catalog.ensure_lot(call, sku, given.code, given.produced_on, given.expires_on, given.origin)
    return call.session.execute(select(*_LOT_COLUMNS).where(_lots.c.id == lot_id)).one()


def _says_the_same(known: Any, given: LotGiven) -> bool:
    """No date given is another than the one on file."""
    return given.produced_on in (None, known.produced_on) and given.expires_on in (None, known.expires_on)


def _count_on_asn(call: Call, asn_id: int, sku: SkuFacts, quantity: int, over_allowed: bool) -> tuple[int, int]:
    """Count on the ASN's line; (expected, received after). The ASN's row is locked, so that nothing is counted on one
    that somebody closes meanwhile, and two docks never over-receive.
    """
    asn = call.session.execute(_asn_locked, {"a": asn_id, "w": call.warehouse_id}).one_or_none()
    if asn is None or asn.merchant_id != sku.merchant_id:
        raise Refused(Reason.NOT_ON_ASN, sku=sku.code)
    if asn.state in OVER:
        raise Refused(Reason.ASN_CLOSED, asn=asn.no)
    line = call.session.execute(_count, {"a": asn_id, "s": sku.id, "q": quantity}).one_or_none()
    if line is None:
        raise Refused(Reason.NOT_ON_ASN, sku=sku.code)
    check_not_over(line.expected, line.received, allowed=over_allowed)
    if asn.state == "expected":
        call.session.execute(update(_asn).where(_asn.c.id == asn_id).values(state="receiving"))
    return int(line.expected), int(line.received)


def _write_receipt(
    call: Call, asn_id: int | None, sku: SkuFacts, lot_id: int, container_id: int, quantity: int, condition: Condition
) -> int:
    row = {
        "warehouse_id": call.warehouse_id,
        "merchant_id": sku.merchant_id,
        "asn_id": asn_id,
        "sku_id": sku.id,
        "lot_id": lot_id,
        "container_id": container_id,
        "quantity": quantity,
        "condition": condition.value,
        "actor": call.actor,
        "at": call.now,
    }
    return int(call.session.execute(_insert_receipt, row).scalar_one())


def suggest(call: Call, container: ContainerFacts, not_this: str = "") -> Proposal:
    """Where the container's first SKU should go: the best lawful slot (but `not_this`), kept for it.

    Where no slot takes all of it, the one that takes most. What was kept before is let go. Raises CONTAINER_EMPTY,
    NO_SLOT_FITS when not one piece fits anywhere.
    """
    subject, goods = subject_of(container), first_goods(call, container)
    try:
        return Proposal(_kept(call, subject, goods, not_this), goods.quantity, part=False)
    except Refused as no:
        fewer = _fewer(call, no, subject, goods, not_this)
    return Proposal(_kept(call, subject, fewer, not_this), fewer.quantity, part=True)


def _kept(call: Call, subject: str, goods: Goods, not_this: str) -> Suggestion:
    """The best slot that nobody took meanwhile.

    Where others were faster with all that was proposed, it is proposed anew: what they took is out of it then.
    """
    for _round in range(PROPOSALS_MAX):
        for suggestion in slotting.choose(call, goods, subject=subject):
            if suggestion.slot_code != not_this and slotting.lease(
                call, suggestion.place_id, subject, weight_g=goods.weight_g
            ):
                slotting.end_leases(call, subject, but=suggestion.place_id)
                return suggestion
    raise Refused(Reason.NO_SLOT_FITS, why=Rule.LEASED.value)


def _fewer(call: Call, no: Refused, subject: str, goods: Goods, not_this: str = "") -> Goods:
    """As many of the goods as one slot takes, now that all of them were refused. Raises the refusal when none fits."""
    most = slotting.most_that_fits(call, goods, subject=subject, but=not_this)
    if no.reason is not Reason.NO_SLOT_FITS or not 1 <= most < goods.quantity:
        raise no
    return replace(goods, quantity=most)


def subject_of(container: ContainerFacts) -> str:
    """The name under which slots are kept for a box, and its task is on the board."""
    return f"container:{container.place_id}"


def first_goods(call: Call, container: ContainerFacts) -> Goods:
    """What is put away next out of the box. Raises CONTAINER_EMPTY."""
    return _goods(call, container)[0]


def _goods(call: Call, container: ContainerFacts) -> list[Goods]:
    """What is to be stored, SKU by SKU. To a merchant a box of others does not exist."""
    rows = call.session.execute(_inside, {"w": call.warehouse_id, "p": container.place_id}).all()
    mine = [row for row in rows if call.merchant_id in (None, row.merchant_id)]
    if rows and not mine:
        raise Refused(Reason.CONTAINER_UNKNOWN, container=container.code)
    if not mine:
        raise Refused(Reason.CONTAINER_EMPTY, container=container.code)
    return [Goods(SkuFacts(*row[4:]), row.lot_id, row.on_hand, row.condition, bool(row.book), row.book) for row in mine]


def put_away(
    call: Call, *, container: ContainerFacts, slot_code: str | None = None, quantity: int | None = None
) -> list[PutAway]:
    """Store what is in the container: into the slot scanned, else each SKU into the slot the system chooses, and into
    several where no slot takes all of it.

    `quantity` stores only so many of the container's first SKU (the rest stays in it). Returning commits; raising
    rolls back. Raises CONTAINER_EMPTY, NO_SLOT_FITS, QUANTITY_WRONG, and the rule a scanned slot breaks (SLOT_...).
    """
    goods = _goods(call, refuse_other_box(container))
    if quantity is not None:
        if not 1 <= quantity <= goods[0].quantity:
            raise Refused(Reason.QUANTITY_WRONG, quantity=quantity)
        goods = [replace(goods[0], quantity=quantity)]
    place_id = None if slot_code is None else _slot_place(call, slot_code)
    if place_id is None and len(goods) > 1:
        judging.one_of_many(call)
    if place_id is None:
        done = [part for one in goods for part in _store_anywhere(call, container, one)]
    else:
        done = [_store(call, container, one, place_id) for one in goods]
    slotting.end_leases(call, subject_of(container))
    if call.session.execute(_anything_in, {"w": call.warehouse_id, "p": container.place_id}).first() is None:
        work.done_about(call, PUTAWAY, subject_of(container))
    call.wakes.add("live")
    return done


def _slot_place(call: Call, slot_code: str) -> int:
    place_id = call.session.execute(_slot_by_code, {"w": call.warehouse_id, "code": slot_code}).scalar_one_or_none()
    if place_id is None:
        raise Refused(Reason.SLOT_UNKNOWN, slot=slot_code[:40])
    return int(place_id)


def _store_anywhere(call: Call, container: ContainerFacts, goods: Goods) -> Iterator[PutAway]:
    """One SKU and lot from the container into the best slot; where none takes all, into one after the other."""
    subject, left = subject_of(container), goods.quantity
    while left:
        part = replace(goods, quantity=left)
        try:
            best = slotting.choose(call, part, subject=subject, count=1)[0]
        except Refused as no:
            part = _fewer(call, no, subject, part)
            judging.one_of_many(call)
            best = slotting.choose(call, part, subject=subject, count=1)[0]
        stored = _store(call, container, part, best.place_id)
        yield replace(stored, reasons=best.reasons, nearest=best.nearest, why_not_nearest=best.why_not_nearest)
        left -= part.quantity


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


def close_asn(call: Call, asn_id: int) -> dict[str, int]:
    """Nothing more comes: differences stay on the lines for the merchant. Pieces expected and received."""
    closed = update(_asn).where(_asn.c.id == asn_id, _asn.c.warehouse_id == call.warehouse_id)
    if touched(call.session, closed.where(_asn.c.state.in_(("expected", "receiving"))).values(state="closed"), {}) != 1:
        raise Refused(Reason.ASN_CLOSED, asn=asn_id)
    facts = queries.asn_by_id(call.session, call.warehouse_id, asn_id)
    expected, received = sum(line.expected for line in facts.lines), sum(line.received for line in facts.lines)
    note(call, "asn.closed", asn=facts.no, expected=expected, received=received)
    announce(call, "asn.closed", f"asn:{asn_id}", asn=asn_id, expected=expected, received=received)
    return {"expected": expected, "received": received}
