"""Passages over the line: one with all that was known of it, and the last hours chute by chute."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import select

from wms.outbound.tables import Order
from wms.packing.tables import Parcel
from wms.site import queries as site
from wms.sorting.queries import running_plan
from wms.sorting.tables import DivertRow
from wms.sorting.values import REJECT
from wms.terminal.queries.look import Look
from wms.terminal.queries.troubles.machines import kind_of_reject

HOURS = 4
STEP = timedelta(minutes=10)
STEPS = HOURS * 60 // 10
PASSAGES_MAX = 60_000


@dataclass(frozen=True, slots=True)
class Passage:
    """What the line asked, what it was told and what it did; and the parcel, where one is known by its code."""

    divert_id: int
    kind: str
    codes: tuple[str, ...]
    told_at: datetime | None
    told_chute: int | None
    told_reason: str
    told_version: int
    latency_ms: float | None
    confirmed_at: datetime | None
    chute: int | None
    result: str
    waybill: str
    order_no: str
    hub: str
    courier: str
    planned: tuple[int, ...]
    weight_g: int | None
    stopped: bool


def passage(look: Look, divert_id: int) -> Passage | None:
    """One passage of this building."""
    row = look.session.execute(
        select(DivertRow, Parcel, Order)
        .outerjoin(Parcel, Parcel.id == DivertRow.parcel_id)
        .outerjoin(Order, Order.id == Parcel.order_id)
        .where(DivertRow.warehouse_id == look.warehouse_id, DivertRow.id == divert_id)
    ).one_or_none()
    if row is None:
        return None
    divert, parcel, order = cast("tuple[DivertRow, Parcel | None, Order | None]", tuple(row))
    plan = running_plan(look.session, look.warehouse_id)
    return Passage(
        divert.id,
        kind_of_reject(divert),
        tuple(str(code) for code in divert.codes.get("codes") or []),
        divert.told_at,
        divert.told_chute,
        divert.told_reason,
        divert.told_version,
        None if divert.latency_us is None else divert.latency_us / 1000,
        divert.confirmed_at,
        divert.chute,
        divert.result,
        "" if parcel is None else parcel.waybill or "",
        "" if order is None else order.no,
        "" if parcel is None else parcel.hub,
        "" if parcel is None else look.courier(parcel.courier),
        () if parcel is None else plan.get((parcel.courier, parcel.hub), ()),
        None if parcel is None else parcel.weight_g,
        order is not None and order.intercepted_at is not None,
    )


@dataclass(frozen=True, slots=True)
class Hours:
    """Parcels by chute and step of ten minutes, the oldest first; chute 0 is the reject exit."""

    begin: datetime
    counts: Mapping[int, Sequence[int]]
    most: int


def last_hours(look: Look) -> Hours:
    """The line's last four hours, as it confirmed them."""
    begin = look.now - STEPS * STEP
    counts = {
        number: [0] * STEPS
        for number in (REJECT, *(one.number for one in site.chutes(look.session, look.warehouse_id)))
    }
    rows = look.session.execute(
        select(DivertRow.chute, DivertRow.confirmed_at)
        .where(DivertRow.warehouse_id == look.warehouse_id, DivertRow.confirmed_at > begin)
        .order_by(DivertRow.confirmed_at.desc())
        .limit(PASSAGES_MAX)
    )
    for chute, at in rows:
        if chute in counts and at is not None:
            counts[chute][min(STEPS - 1, int((at - begin) / STEP))] += 1
    return Hours(begin, counts, max((max(each) for each in counts.values()), default=0))
