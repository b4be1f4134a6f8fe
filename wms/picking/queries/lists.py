"""Batches on the floor with their people, and the totes an order's goods lie in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, case, func, select
from sqlalchemy.orm import Session

from wms.ledger.tables import Stock
from wms.outbound.tables import Wave
from wms.people.tables import Person
from wms.picking.tables import Batch, BatchOrder, PickLine
from wms.picking.values import BatchState, PickState
from wms.site.tables import Container
from wms.site.values import ContainerKind
from wms.work.tables import Task

ROWS_PER_PAGE_MAX = 500


@dataclass(frozen=True, slots=True)
class OpenBatch:
    """A batch as the supervisor sees it: who has it, how far he is. Walks in mm."""

    id: int
    no: str
    wave_no: str
    courier: str
    cut_off_at: datetime
    state: BatchState
    person: str | None
    cart_code: str | None
    walk_mm: int
    s_shape_mm: int
    began_at: datetime | None
    orders: int
    stops: int
    stops_left: int
    pieces: int
    picked: int
    short: int


def open_batches(session: Session, warehouse_id: int) -> list[OpenBatch]:
    """Batches that are not done, most urgent first."""
    return batches(session, warehouse_id, (BatchState.OPEN, BatchState.PICKING))


def batches(session: Session, warehouse_id: int, states: Iterable[BatchState], *, wave_no: str = "") -> list[OpenBatch]:
    """Batches of these states (of one wave), most urgent first."""
    wanted = (Batch.warehouse_id == warehouse_id) & Batch.state.in_([state.value for state in states])
    if wave_no:
        wave = select(Wave.id).where(Wave.warehouse_id == warehouse_id, Wave.no == wave_no).scalar_subquery()
        wanted &= Batch.wave_id == wave
    query = _batches(wanted)
    rows = session.execute(query.order_by(Wave.cut_off_at, Batch.id).limit(ROWS_PER_PAGE_MAX))
    return [_open(*row) for row in rows]


def _batches(wanted: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    """The wanted batches; the picks of no others are read."""
    is_open = PickLine.state == PickState.OPEN.value
    sums: Select[*tuple[Any, ...]] = select(
        PickLine.batch_id.label("batch_id"),
        func.count(func.distinct(PickLine.order_id)).label("orders"),
        func.count(func.distinct(PickLine.stop)).label("stops"),
        func.count(func.distinct(case((is_open, PickLine.stop)))).label("stops_left"),
        func.sum(PickLine.quantity).label("pieces"),
        func.sum(PickLine.picked).label("picked"),
        func.sum(PickLine.short).label("short"),
    )
    done = sums.join(Batch, Batch.id == PickLine.batch_id).where(wanted).group_by(PickLine.batch_id).subquery()
    return (
        select(
            Batch.id,
            Batch.no,
            Wave.no,
            Wave.courier,
            Wave.cut_off_at,
            Batch.state,
            Person.name,
            Container.code,
            Batch.walk_mm,
            Batch.s_shape_mm,
            Batch.began_at,
            *(done.c[name] for name in ("orders", "stops", "stops_left", "pieces", "picked", "short")),
        )
        .join(Wave, Wave.id == Batch.wave_id)
        .join(done, done.c.batch_id == Batch.id)
        .outerjoin(Task, Task.id == Batch.task_id)
        .outerjoin(Person, Person.id == Task.claimed_by)
        .outerjoin(Container, Container.place_id == Batch.cart_id)
        .where(wanted)
    )


def _open(id: int, no: str, wave: str, courier: str, cut_off_at: datetime, state: str, *rest: Any) -> OpenBatch:
    *facts, pieces, picked, short = rest
    head = (id, no, wave, courier, cut_off_at, BatchState(state))
    known: list[Any] = [*head, *facts, int(pieces), int(picked), int(short)]
    return OpenBatch(*known)


def order_tote_code(order_id: int) -> str:
    """The code of the tote that programs pick an order into."""
    return f"O{order_id}"


def totes_of_order(session: Session, warehouse_id: int, order_id: int) -> list[tuple[int, str]]:
    """Place ids and codes of the totes with goods of this order: on a cart, at the lane, or its own."""
    on_cart = select(BatchOrder.tote_id).where(BatchOrder.order_id == order_id, BatchOrder.tote_id.is_not(None))
    query = (
        select(Container.place_id, Container.code)
        .where(
            Container.warehouse_id == warehouse_id,
            Container.kind == ContainerKind.TOTE.value,
            Container.place_id.in_(on_cart) | (Container.code == order_tote_code(order_id)),
            select(Stock.id).where(Stock.place_id == Container.place_id, Stock.on_hand > 0).exists(),
        )
        .order_by(Container.code)
    )
    return [(row.place_id, row.code) for row in session.execute(query)]


def order_in_tote(session: Session, warehouse_id: int, tote_code: str) -> int | None:
    """The order whose goods lie in this tote now, or None: the last one it was given to, if it is not empty."""
    own = select(Container.place_id).where(
        Container.warehouse_id == warehouse_id, Container.kind == ContainerKind.TOTE.value, Container.code == tote_code
    )
    place_id = session.scalars(own).one_or_none()
    if place_id is None:
        return None
    filled = select(Stock.id).where(Stock.place_id == place_id, Stock.on_hand > 0).limit(1)
    if session.execute(filled).first() is None:
        return None
    given = select(BatchOrder.order_id).where(BatchOrder.tote_id == place_id).order_by(BatchOrder.id.desc()).limit(1)
    return session.scalars(given).one_or_none()
