"""Cards of orders, parcels, bags, waves and batches. Who receives a parcel is on its label only, not here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import or_, select

from wms.catalog.tables import Merchant
from wms.core.refusal import Refused
from wms.ledger.tables import MovementRow, Stock
from wms.outbound import queries as outbound
from wms.outbound.tables import Order, Wave
from wms.packing import queries as packing
from wms.packing.tables import Parcel
from wms.picking.tables import Batch, BatchOrder
from wms.printing import queries as printing
from wms.shipping.tables import Bag
from wms.sorting.tables import DivertRow
from wms.terminal.queries.history.common import actors, happened, lying, movements, newest_first
from wms.terminal.queries.history.places import none_if_unknown
from wms.terminal.queries.look import Look
from wms.terminal.values import Card, Happened, Inside, Words

NUMBERED_MAX = 10
_STAMPS = (
    ("placed_at", "terminal.history.placed"),
    ("allocated_at", "terminal.history.allocated"),
    ("picked_at", "terminal.history.picked"),
    ("packed_at", "terminal.history.packed"),
    ("shipped_at", "terminal.history.shipped"),
    ("intercepted_at", "terminal.history.intercepted"),
    ("cancelled_at", "terminal.history.cancelled"),
)


def order(look: Look, no: str) -> Card | None:
    rows = look.session.execute(
        select(Order, Merchant.name, Merchant.code)
        .join(Merchant, Merchant.id == Order.merchant_id)
        .where(Order.warehouse_id == look.warehouse_id, Order.no == no)
        .limit(NUMBERED_MAX)
    ).all()
    if not rows:
        return None
    return _order_card(look, rows[0][0], rows[0][1], others=len(rows) - 1)


def _order_card(look: Look, one: Order, owner: str, others: int) -> Card:
    parcels = packing.parcels_of(look.session, one.id)
    facts: list[tuple[str, Words | str]] = [
        ("state", Words(f"outbound.state.{one.state}")),
        ("owner", owner),
        ("courier", look.courier(one.courier)),
        ("cut_off", Words("terminal.at", {"at": one.cut_off_at})),
        ("wave", _wave_no(look, one.wave_id)),
    ]
    if one.intercepted_at is not None:
        facts.append(("stopped", Words("terminal.at", {"at": one.intercepted_at})))
    if one.short_reason:
        facts.append(("short", Words(outbound.short_words(one.short_reason))))
    if others:
        facts.append(("same_number", Words("terminal.lookup.same_number", {"others": others})))
    references = [f"order:{one.id}", *(f"parcel:{parcel.id}" for parcel in parcels)]
    events = newest_first(
        _stamps(one),
        movements(look, MovementRow.reference.in_(references)),
        *(_parcel_events(look, parcel) for parcel in parcels),
    )
    return Card("order", one.no, one.no, facts, [*_lines(look, one.id), *_parcels(parcels)], events)


def _stamps(one: Order) -> list[Happened]:
    return [event for name, key in _STAMPS for event in happened(getattr(one, name), key)]


def _wave_no(look: Look, wave_id: int | None) -> str:
    if wave_id is None:
        return "—"
    return look.session.scalars(select(Wave.no).where(Wave.id == wave_id)).one()


def _lines(look: Look, order_id: int) -> list[Inside]:
    return [
        Inside(
            line.sku_code,
            line.sku_name,
            Words(
                "terminal.lookup.line",
                {"allocated": line.allocated, "picked": line.picked, "packed": line.packed, "shipped": line.shipped},
            ),
            line.quantity,
        )
        for line in outbound.lines_of(look.session, order_id)
    ]


def _parcels(parcels: Sequence[Parcel]) -> list[Inside]:
    return [Inside(one.code, one.waybill or one.code, Words(f"terminal.parcel.{one.state}"), None) for one in parcels]


def _parcel_events(look: Look, one: Parcel) -> list[Happened]:
    names = actors(look)
    code = one.waybill or one.code
    events = [
        *happened(
            one.packed_at, "terminal.history.parcel_packed", names.get(one.packed_by, one.packed_by), parcel=code
        ),
        *happened(one.label_checked_at, "terminal.history.label_checked", "", parcel=code),
        *happened(one.handed_over_at, "terminal.history.handed_over", "", parcel=code),
    ]
    return events + _passages(look, one) + _prints(look, one.waybill)


def _passages(look: Look, one: Parcel) -> list[Happened]:
    rows = look.session.execute(
        select(DivertRow.told_at, DivertRow.told_chute, DivertRow.chute, DivertRow.result, DivertRow.confirmed_at)
        .where(DivertRow.parcel_id == one.id)
        .order_by(DivertRow.id)
    )
    events: list[Happened] = []
    for row in rows:
        events += happened(row.told_at, "terminal.history.told", "", chute=row.told_chute)
        chute = "—" if row.chute is None else row.chute
        events += happened(row.confirmed_at, "terminal.history.sorted", "", chute=chute, result=row.result)
    return events


def _prints(look: Look, waybill: str | None) -> list[Happened]:
    if waybill is None:
        return []
    return [
        Happened(
            job.changed_at,
            Words(
                "terminal.history.printed",
                {"state": Words(f"terminal.print.{job.state.value}"), "reprint": job.reprint, "number": job.subject},
            ),
            job.printer or "",
        )
        for job in printing.prints_of(look.session, look.warehouse_id, waybill)
    ]


def parcel(look: Look, code: str) -> Card | None:
    try:
        one = packing.parcel_by_code(look.session, look.warehouse_id, code)
    except Refused:
        return None
    order_no, stopped = look.session.execute(
        select(Order.no, Order.intercepted_at).where(Order.id == one.order_id)
    ).one()
    weight = "—" if one.weight_g is None else f"{one.weight_g:,} g"
    facts: list[tuple[str, Words | str]] = [
        ("state", Words(f"terminal.parcel.{one.state}")),
        ("waybill", one.waybill or "—"),
        ("courier", look.courier(one.courier)),
        ("hub", one.hub or "—"),
        ("weight", weight),
        ("chute", "—" if one.chute is None else str(one.chute)),
    ]
    if stopped is not None:
        facts.append(("stopped", Words("terminal.at", {"at": stopped})))
    inside = [Inside(order_no, order_no, Words("terminal.kind.order")), *lying(look, Stock.place_id == one.place_id)]
    events = newest_first(movements(look, MovementRow.reference == f"parcel:{one.id}"), _parcel_events(look, one))
    return Card("parcel", one.code, one.waybill or one.code, facts, inside, events)


def bag(look: Look, code: str) -> Card | None:
    one = look.session.scalars(select(Bag).where(Bag.warehouse_id == look.warehouse_id, Bag.code == code)).one_or_none()
    if one is None:
        return None
    facts: list[tuple[str, Words | str]] = [
        ("state", Words(f"terminal.bag.{one.state}")),
        ("courier", look.courier(one.courier)),
        ("hub", one.hub),
        ("chute", "—" if one.chute is None else str(one.chute)),
        ("weight", f"{one.net_weight_g:,} g"),
    ]
    parcels = look.session.scalars(select(Parcel).where(Parcel.bag_id == one.id).order_by(Parcel.id)).all()
    events = newest_first(
        happened(one.opened_at, "terminal.history.bag_opened"), happened(one.closed_at, "terminal.history.bag_closed")
    )
    return Card("bag", one.code, one.code, facts, _parcels(parcels), events)


def wave(look: Look, no: str) -> Card | None:
    one: Any = none_if_unknown(lambda: outbound.wave_by_no(look.session, look.warehouse_id, no))
    if one is None:
        return None
    facts: list[tuple[str, Words | str]] = [
        ("state", Words(f"terminal.wave.{one.state}")),
        ("courier", look.courier(one.courier)),
        ("cut_off", Words("terminal.at", {"at": one.cut_off_at})),
        ("orders", f"{one.orders:,}"),
        ("walk", f"{one.walk_m:,} m"),
        ("s_shape", f"{one.s_shape_m:,} m"),
    ]
    batches = look.session.execute(select(Batch.no, Batch.state).where(Batch.wave_id == one.id).order_by(Batch.id))
    inside = [Inside(row.no, row.no, Words(f"terminal.batch.{row.state}")) for row in batches]
    return Card("wave", one.no, one.no, facts, inside, happened(one.released_at, "terminal.history.released"))


def batch(look: Look, no: str) -> Card | None:
    one = look.session.scalars(
        select(Batch).where(Batch.warehouse_id == look.warehouse_id, Batch.no == no)
    ).one_or_none()
    if one is None:
        return None
    facts: list[tuple[str, Words | str]] = [
        ("state", Words(f"terminal.batch.{one.state}")),
        ("walk", f"{one.walk_mm // 1000:,} m"),
        ("s_shape", f"{one.s_shape_mm // 1000:,} m"),
    ]
    rows = look.session.execute(
        select(Order.no, Order.state, BatchOrder.position)
        .join(BatchOrder, BatchOrder.order_id == Order.id)
        .where(BatchOrder.batch_id == one.id)
        .order_by(BatchOrder.position)
    )
    inside = [Inside(row.no, f"{row.position} · {row.no}", Words(f"outbound.state.{row.state}")) for row in rows]
    events = newest_first(
        happened(one.began_at, "terminal.history.batch_began"), happened(one.done_at, "terminal.history.batch_done")
    )
    return Card("batch", one.no, one.no, facts, inside, events)


def numbered(look: Look, text: str) -> list[Inside]:
    """Orders and parcels whose number begins or ends like this: people read out the last four digits."""
    if len(text) < 3:
        return []
    found = look.session.execute(
        select(Order.no, Order.state)
        .where(Order.warehouse_id == look.warehouse_id, Order.no.startswith(text, autoescape=True))
        .order_by(Order.id.desc())
        .limit(NUMBERED_MAX)
    )
    orders = [Inside(row.no, row.no, Words(f"outbound.state.{row.state}")) for row in found]
    ends = look.session.execute(
        select(Parcel.code, Parcel.waybill, Parcel.state)
        .where(
            Parcel.warehouse_id == look.warehouse_id,
            or_(Parcel.waybill.endswith(text, autoescape=True), Parcel.code.endswith(text, autoescape=True)),
        )
        .order_by(Parcel.id.desc())
        .limit(NUMBERED_MAX)
    )
    return orders + [Inside(row.code, row.waybill or row.code, Words(f"terminal.parcel.{row.state}")) for row in ends]
