"""The receiving dock's use cases: announce, receive, close; goods are put away by `putting_away`, through here too."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, insert, select, update

from wms.catalog import queries as catalog_queries
from wms.catalog import service as catalog
from wms.catalog.rules import NO_LOT
from wms.catalog.tables import Lot
from wms.catalog.values import SkuFacts
from wms.core.audit_trail import note
from wms.core.call import Call
from wms.core.db.tables import table_of
from wms.core.outbox import announce
from wms.core.refusal import Reason, Refused
from wms.core.sql import touched
from wms.inbound import queries
from wms.inbound.boxes import box, lpn, refuse_other_box
from wms.inbound.putting_away import PUTAWAY, inside, put_away, subject_of, suggest
from wms.inbound.rules import check_not_over, check_quantity, check_shelf_life
from wms.inbound.tables import Asn, AsnLine, Receipt
from wms.inbound.values import LotGiven, Received
from wms.ledger import service as ledger
from wms.ledger.values import Condition, Movement, MovementKind, Virtual
from wms.site import queries as site_queries
from wms.site.values import ContainerFacts
from wms.work import service as work

__all__ = [
    "PUTAWAY",
    "box",
    "close_asn",
    "create_asn",
    "inside",
    "lpn",
    "put_away",
    "receive",
    "subject_of",
    "suggest",
]

LINES_MAX = 2_000

OVER = ("closed", "cancelled")

_asn = table_of(Asn)
_line = table_of(AsnLine)
_receipt = table_of(Receipt)
_lots = table_of(Lot)
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
