"""A batch under way, read in one statement: what a scan is judged by and a screen is drawn from.

Within a transaction the walk is read once. Whoever writes hands in the changed walk with `remember`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import String, and_, bindparam, cast, func, select
from sqlalchemy.orm import Session

from wms.catalog.tables import Lot, Merchant, Sku, SkuBarcode
from wms.core.db.tables import table_of
from wms.core.refusal import Reason, Refused
from wms.ledger.tables import Stock
from wms.optimise.geometry import Point
from wms.outbound.tables import Order, Wave
from wms.picking.tables import Batch, BatchOrder, PickLine
from wms.picking.values import BEFORE_QUANTITY, BETWEEN_CODES, BatchState, PickFacts, PickState, ToteOnCart, Walk
from wms.site.tables import Bay, Container, Hall, Slot
from wms.work.tables import Task

DROPPED = "cancelled"
_STATES: dict[str, PickState] = {state.value: state for state in PickState}

_batch = table_of(Batch)
_wave = table_of(Wave)
_task = table_of(Task)
_on_cart = table_of(BatchOrder)
_order = table_of(Order)
_pick = table_of(PickLine)
_stock = table_of(Stock)
_sku = table_of(Sku)
_lot = table_of(Lot)
_merchant = table_of(Merchant)
_slot = table_of(Slot)
_bay = table_of(Bay)
_hall = table_of(Hall)
_barcode = table_of(SkuBarcode)
_cart = table_of(Container).alias("cart")
_tote = table_of(Container).alias("tote")

_code_and_quantity = _barcode.c.barcode + BEFORE_QUANTITY + cast(_barcode.c.quantity, String)
_barcodes = (
    select(func.aggregate_strings(_code_and_quantity, BETWEEN_CODES))
    .where(_barcode.c.sku_id == _pick.c.sku_id)
    .correlate(_pick)
    .scalar_subquery()
)
_version_now = (
    select(_hall.c.version)
    .where(_hall.c.warehouse_id == _batch.c.warehouse_id)
    .order_by(_hall.c.id)
    .limit(1)
    .correlate(_batch)
    .scalar_subquery()
)
_HEAD = (
    _batch.c.id,
    _batch.c.no,
    _batch.c.state,
    _batch.c.task_id,
    _task.c.claimed_by,
    _batch.c.cart_id,
    _cart.c.code,
    _batch.c.wave_id,
    _wave.c.courier,
    _wave.c.cut_off_at,
    _batch.c.hall_version,
    _version_now,
)
_TOTE = (
    _on_cart.c.position,
    _on_cart.c.order_id,
    _order.c.no,
    _on_cart.c.tote_id,
    _tote.c.code,
    _order.c.intercepted_at.is_not(None),
    _on_cart.c.state == DROPPED,
)
_PICK = (
    _pick.c.id,
    _pick.c.stop,
    _pick.c.order_id,
    _pick.c.order_line_id,
    _on_cart.c.position,
    _pick.c.hold_id,
    _pick.c.stock_id,
    _stock.c.book,
    _pick.c.slot_id,
    _slot.c.code,
    _slot.c.side,
    _slot.c.level,
    _bay.c.levels,
    _slot.c.aisle_index,
    _slot.c.y_mm,
    _pick.c.merchant_id,
    _merchant.c.name,
    _pick.c.sku_id,
    _sku.c.code,
    _sku.c.name,
    _sku.c.unit,
    _pick.c.lot_id,
    _lot.c.code,
    _lot.c.expires_on,
    _pick.c.quantity,
    _pick.c.picked,
    _pick.c.short,
    _pick.c.why,
    _pick.c.state,
    _barcodes,
)
_read = (
    select(*(column.label(f"c{number}") for number, column in enumerate((*_HEAD, *_TOTE, *_PICK))))
    .select_from(_batch)
    .join(_wave, _wave.c.id == _batch.c.wave_id)
    .join(_on_cart, _on_cart.c.batch_id == _batch.c.id)
    .join(_order, _order.c.id == _on_cart.c.order_id)
    .join(_pick, and_(_pick.c.batch_id == _batch.c.id, _pick.c.order_id == _on_cart.c.order_id))
    .join(_stock, _stock.c.id == _pick.c.stock_id)
    .join(_sku, _sku.c.id == _pick.c.sku_id)
    .join(_lot, _lot.c.id == _pick.c.lot_id)
    .join(_merchant, _merchant.c.id == _pick.c.merchant_id)
    .join(_slot, _slot.c.place_id == _pick.c.slot_id)
    .join(_bay, _bay.c.id == _slot.c.bay_id)
    .outerjoin(_task, _task.c.id == _batch.c.task_id)
    .outerjoin(_cart, _cart.c.place_id == _batch.c.cart_id)
    .outerjoin(_tote, _tote.c.place_id == _on_cart.c.tote_id)
    .where(_batch.c.warehouse_id == bindparam("w"))
    .order_by(_pick.c.stop, _pick.c.sku_id, _pick.c.lot_id, _on_cart.c.position, _pick.c.id)
)
_of_batch = _read.where(_batch.c.id == bindparam("b"))
_that = _pick.alias("that")
_of_pick = _read.where(_batch.c.id == select(_that.c.batch_id).where(_that.c.id == bindparam("p")).scalar_subquery())


def walk_of_batch(session: Session, warehouse_id: int, batch_id: int) -> Walk:
    """The batch with its cart, totes and picks. Raises NOT_FOUND."""
    known: Walk | None = session.info.get(("walk", batch_id))
    if known is not None:
        return known
    rows = session.execute(_of_batch, {"w": warehouse_id, "b": batch_id}).all()
    return remember(session, _walk(rows, f"batch {batch_id}"))


def walk_of_pick(session: Session, warehouse_id: int, pick_line_id: int) -> Walk:
    """The walk a pick belongs to. Raises NOT_FOUND."""
    rows = session.execute(_of_pick, {"w": warehouse_id, "p": pick_line_id}).all()
    return remember(session, _walk(rows, f"pick {pick_line_id}"))


def path_of_batch(session: Session, batch_id: int) -> list[Point]:
    """The corners of the walk as it was planned, for the map."""
    path = session.execute(select(_batch.c.path).where(_batch.c.id == batch_id)).scalar_one()
    return [Point(*corner) for corner in path["mm"]]


def remember(session: Session, walk: Walk) -> Walk:
    """What this transaction knows of the walk from now on."""
    session.info["walk", walk.batch_id] = walk
    return walk


def forget(session: Session, batch_id: int) -> None:
    """So much was changed that the walk is read again."""
    session.info.pop(("walk", batch_id), None)


def _walk(rows: Sequence[Any], what: str) -> Walk:
    if not rows:
        raise Refused(Reason.NOT_FOUND, what=what)
    heads, totes = len(_HEAD), len(_HEAD) + len(_TOTE)
    id, no, state, *rest = rows[0][:heads]
    of_position = {row[heads]: row for row in rows}
    on_cart = {position: ToteOnCart(*row[heads:totes]) for position, row in of_position.items()}
    picks = tuple(_pick_of(row[totes:]) for row in rows)
    in_order = tuple(on_cart[position] for position in sorted(on_cart))
    facts: list[Any] = [id, no, BatchState(state), *rest, in_order, picks]
    return Walk(*facts)


def _pick_of(row: Sequence[Any]) -> PickFacts:
    *facts, state, barcodes = row
    return PickFacts._make((*facts, _STATES[state], barcodes or ""))
