"""Couriers, their number ranges and routes: what a manager sets up."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select

from wms.core.audit_trail import note
from wms.core.call import Call
from wms.core.db.tables import table_of
from wms.core.db.types import Base
from wms.core.refusal import Reason, Refused
from wms.core.sql import insert_for
from wms.shipping.tables import Courier, RouteRule, WaybillPool

_TIME = re.compile(r"^([01]\d|2[0-3]):[0-5]\d$")
_AREA = re.compile(r"^(\d{2}|\d{4}|\d{6})?$")


def add_courier(call: Call, *, code: str, name: str, cut_offs: Sequence[str], product: str = "") -> None:
    """A courier with its daily cut-offs (local "HH:MM"). Raises BAD_INPUT, ALREADY_EXISTS."""
    wrong = [one for one in cut_offs if not _TIME.match(one)]
    if wrong or not cut_offs:
        raise Refused(Reason.BAD_INPUT, what=f"cut_offs: {', '.join(wrong) or 'none'} (HH:MM is meant)")
    row = {
        "warehouse_id": call.warehouse_id,
        "code": code,
        "name": name,
        "product": product,
        "cut_offs": {"local": sorted(cut_offs)},
        "weight_max_g": 30_000,
        "active": True,
    }
    if not _is_new(call, Courier, row):
        raise Refused(Reason.ALREADY_EXISTS, what=code)


def add_pool(
    call: Call,
    *,
    courier: str,
    first: int,
    last: int,
    prefix: str = "",
    digits: int = 0,
    merchant_id: int | None = None,
) -> None:
    """A range of waybill numbers. Raises COURIER_UNKNOWN, BAD_INPUT (turned round, or overlapping another range)."""
    known = select(Courier.id).where(Courier.warehouse_id == call.warehouse_id, Courier.code == courier)
    if call.session.execute(known).first() is None:
        raise Refused(Reason.COURIER_UNKNOWN, courier=courier)
    if not 0 <= first <= last:
        raise Refused(Reason.BAD_INPUT, what=f"first and last: {first} to {last}")
    overlaps = select(WaybillPool.id).where(
        WaybillPool.warehouse_id == call.warehouse_id,
        WaybillPool.courier == courier,
        WaybillPool.prefix == prefix,
        WaybillPool.first <= last,
        WaybillPool.last >= first,
    )
    if call.session.execute(overlaps).first() is not None:
        raise Refused(Reason.BAD_INPUT, what=f"{first} to {last} overlaps a range that is known")
    call.session.add(
        WaybillPool(
            warehouse_id=call.warehouse_id,
            courier=courier,
            merchant_id=merchant_id,
            prefix=prefix,
            digits=digits or len(str(last)),
            first=first,
            last=last,
            next=first,
        )
    )
    call.session.flush()
    note(call, "waybills.range_added", courier=courier, first=first, last=last)


def add_route(call: Call, *, courier: str, match: str, route_code: str, hub: str, priority: int = 0) -> None:
    """Where a courier sends an area (national code prefix of 2, 4 or 6 digits, "" for everywhere else)."""
    if not _AREA.match(match):
        raise Refused(Reason.BAD_INPUT, what=f"area: {match} (2, 4 or 6 digits, or empty)")
    row = {
        "warehouse_id": call.warehouse_id,
        "courier": courier,
        "match": match,
        "route_code": route_code,
        "hub": hub,
        "priority": priority,
    }
    if not _is_new(call, RouteRule, row):
        raise Refused(Reason.ALREADY_EXISTS, what=f"{courier} {match}")


def _is_new(call: Call, record: type[Base], row: dict[str, Any]) -> bool:
    """Write the row unless there is one with its key; the count of rows an INSERT tells is not the same everywhere."""
    table = table_of(record)
    fresh = insert_for(call.session, table).on_conflict_do_nothing().returning(table.c.id)
    return call.session.execute(fresh, row).first() is not None
