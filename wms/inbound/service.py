"""The receiving dock's use cases: announce, receive, put away, close."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import insert, select, update

from wms.catalog import queries as catalog_queries
from wms.catalog import service as catalog
from wms.catalog.tables import Lot
from wms.catalog.values import SkuFacts
from wms.core.audit_trail import note
from wms.core.call import Call
from wms.core.codes import Kind
from wms.core.codes import read as read_code
from wms.core.db.tables import table_of
from wms.core.outbox import announce
from wms.core.refusal import Reason, Refused
from wms.core.sql import touched
from wms.inbound import queries
from wms.inbound.rules import check_not_over, check_quantity, check_shelf_life
from wms.inbound.tables import Asn, AsnLine, Receipt
from wms.inbound.values import LotGiven, PutAway, Received
from wms.ledger import service as ledger
from wms.ledger.values import Condition, Movement, MovementKind, Virtual
from wms.site import queries as site_queries
from wms.site import service as site
from wms.site.values import ContainerFacts, ContainerKind
from wms.slotting import service as slotting
from wms.slotting.values import Goods, Suggestion
from wms.work import service as work

PUTAWAY = "putaway"
LINES_MAX = 2_000

_asn = table_of(Asn)
_line = table_of(AsnLine)
_receipt = table_of(Receipt)


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
    LOT_DATES_REQUIRED, LOT_DATES_WRONG.
    """
    check_quantity(quantity)
    marks = lot or LotGiven()
    lot_id = catalog.ensure_lot(call, sku, marks.code, marks.produced_on, marks.expires_on, marks.origin)
    lot_row = call.session.execute(select(Lot.code, Lot.expires_on).where(Lot.id == lot_id)).one()
    today = site_queries.warehouse(call.session, call.warehouse_id).local(call.now).date()
    check_shelf_life(lot_row.expires_on, today, sku.min_life_receipt_days)
    expected, received = _count_on_asn(call, asn_id, sku, quantity, over_allowed) if asn_id is not None else (0, 0)
    supplier = ledger.virtual_id(call.session, call.warehouse_id, Virtual.SUPPLIER)
    receipt_id = _write_receipt(call, asn_id, sku, lot_id, container.place_id, quantity, condition)
    ledger.post(
        call,
        [
            Movement(
                MovementKind.RECEIPT,
                sku.merchant_id,
                supplier,
                container.place_id,
                sku.id,
                lot_id,
                quantity,
                condition,
                reference=f"receipt:{receipt_id}",
            )
        ],
    )
    work.create(call, PUTAWAY, f"container:{container.place_id}", merchant_id=sku.merchant_id, container=container.code)
    call.wakes.add("live")
    return Received(receipt_id, container.code, container.place_id, lot_row.code, quantity, expected, received)


def _count_on_asn(call: Call, asn_id: int, sku: SkuFacts, quantity: int, over_allowed: bool) -> tuple[int, int]:
    """Count on the ASN's line; (expected, received after). One guarded statement per case, so that two docks never
    over-receive.
    """
    state = call.session.execute(
        select(_asn.c.state, _asn.c.no, _asn.c.merchant_id).where(
            _asn.c.id == asn_id, _asn.c.warehouse_id == call.warehouse_id
        )
    ).one_or_none()
    if state is None or state.merchant_id != sku.merchant_id:
        raise Refused(Reason.NOT_ON_ASN, sku=sku.code)
    if state.state in ("closed", "cancelled"):
        raise Refused(Reason.ASN_CLOSED, asn=state.no)
    row = call.session.execute(
        update(_line)
        .where(_line.c.asn_id == asn_id, _line.c.sku_id == sku.id)
        .values(received=_line.c.received + quantity)
        .returning(_line.c.expected, _line.c.received)
    ).one_or_none()
    if row is None:
        raise Refused(Reason.NOT_ON_ASN, sku=sku.code)
    check_not_over(row.expected, row.received, allowed=over_allowed)
    if state.state == "expected":
        call.session.execute(
            update(_asn).where(_asn.c.id == asn_id, _asn.c.state == "expected").values(state="receiving")
        )
    return int(row.expected), int(row.received)


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
    return int(call.session.execute(insert(_receipt).returning(_receipt.c.id), row).scalar_one())


def lpn(call: Call, scanned: str | None) -> ContainerFacts:
    """The container goods are received into: a scanned LPN or tote, made if its label is new; without one, a new
    number.
    """
    if not scanned:
        return site.make_container(call, ContainerKind.LPN)
    code = read_code(scanned)
    if code.kind not in (Kind.CONTAINER, Kind.TOTE, Kind.PLAIN):
        raise Refused(Reason.WRONG_KIND_SCANNED, expected=Kind.CONTAINER.value, scanned=scanned)
    try:
        return site_queries.container_by_code(call.session, call.warehouse_id, ContainerKind.LPN, code.body)
    except Refused as unknown:
        if unknown.reason is not Reason.CONTAINER_UNKNOWN:
            raise
    return site.make_container(call, ContainerKind.LPN, code.body)


def suggest(call: Call, container: ContainerFacts) -> list[Suggestion]:
    """Where this container should go: the best three slots; the first is kept for it. Raises CONTAINER_EMPTY,
    NO_SLOT_FITS.
    """
    goods = _goods(call, container)
    subject = f"container:{container.place_id}"
    for suggestion in slotting.choose(call, goods[0], subject=subject):
        if slotting.lease(call, suggestion.place_id, subject):
            return [suggestion]
    return slotting.choose(call, goods[0], subject=subject)


def suggest_other(call: Call, container: ContainerFacts, not_this: str) -> Suggestion:
    """The best lawful slot but `not_this`, kept for the container instead. Raises NO_SLOT_FITS."""
    subject = f"container:{container.place_id}"
    goods = _goods(call, container)[0]
    for suggestion in slotting.choose(call, goods, subject=subject):
        if suggestion.slot_code != not_this and slotting.lease(call, suggestion.place_id, subject):
            return suggestion
    raise Refused(Reason.NO_SLOT_FITS, why=not_this)


def _goods(call: Call, container: ContainerFacts) -> list[Goods]:
    rows = queries.in_container(call.session, call.warehouse_id, container.place_id)
    if call.merchant_id is not None:
        rows = [row for row in rows if row.merchant_id == call.merchant_id]
    if not rows:
        raise Refused(Reason.CONTAINER_EMPTY, container=container.code)
    skus = catalog_queries.skus_by_id(call.session, call.warehouse_id, {row.sku_id for row in rows})
    return [Goods(skus[row.sku_id], row.lot_id, row.on_hand, row.condition) for row in rows]


def put_away(
    call: Call, *, container: ContainerFacts, slot_code: str | None = None, quantity: int | None = None
) -> list[PutAway]:
    """Store what is in the container: into the slot scanned, else each SKU into the slot the system chooses.

    `quantity` stores only so many of the container's first SKU (the rest stays in it). Returning commits; raising
    rolls back.
    Raises CONTAINER_EMPTY, NO_SLOT_FITS, and the rule a scanned slot breaks (SLOT_...).
    """
    goods = _goods(call, container)
    if quantity is not None:
        if not 1 <= quantity <= goods[0].quantity:
            raise Refused(Reason.QUANTITY_WRONG, quantity=quantity)
        goods = [Goods(goods[0].sku, goods[0].lot_id, quantity, goods[0].condition)]
    done = [_store(call, container, one, slot_code) for one in goods]
    slotting.end_leases(call, f"container:{container.place_id}")
    if not queries.in_container(call.session, call.warehouse_id, container.place_id):
        work.done_about(call, PUTAWAY, f"container:{container.place_id}")
    call.wakes.add("live")
    return done


def _store(call: Call, container: ContainerFacts, goods: Goods, slot_code: str | None) -> PutAway:
    """One SKU and lot from the container into one slot. The slot's row is locked: two pallets may not both see the
    last 100 kg.
    """
    subject = f"container:{container.place_id}"
    proposed = slotting.choose(call, goods, subject=subject)[0] if slot_code is None else None
    place_id = (
        proposed.place_id
        if proposed
        else site_queries.slot_by_code(call.session, call.warehouse_id, slot_code or "").place_id
    )
    slot = site.lock_slot(call, place_id)
    slotting.check_lawful(call, goods, place_id, subject=subject)
    ledger.post(
        call,
        [
            Movement(
                MovementKind.PUTAWAY,
                goods.sku.merchant_id,
                container.place_id,
                place_id,
                goods.sku.id,
                goods.lot_id,
                goods.quantity,
                Condition(goods.condition),
                reference=f"container:{container.code}",
            )
        ],
    )
    slotting.stored(call, goods, slot)
    announce(call, "putaway.done", f"slot:{place_id}", sku=goods.sku.id, slot=slot.code, quantity=goods.quantity)
    return PutAway(
        slot.code,
        goods.quantity,
        proposed.reasons if proposed else (),
        proposed.nearest if proposed else "",
        proposed.why_not_nearest if proposed else None,
    )


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
