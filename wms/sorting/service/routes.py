"""The route table that the gateways hold: which chute each parcel is told, and what changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Integer, and_, bindparam, func, insert, select
from sqlalchemy.orm import Session, aliased

from wms.core.call import Call
from wms.core.db.tables import table_of
from wms.core.sql import is_postgresql
from wms.outbound.tables import Order
from wms.packing.tables import Parcel
from wms.packing.values import ParcelState
from wms.sorting.tables import RouteChange, SortRule
from wms.sorting.values import HOLD, REJECT, RouteEntry

ROUTES_WAKE = "routes"
ROUTES_LOCK = 0x526F
ROUTES_PAGE_MAX = 5_000
PARCELS_AT_ONCE = 500

_route_change = table_of(RouteChange)
_parcel = table_of(Parcel)
_order = table_of(Order)
_rule = table_of(SortRule)
_same_hub = and_(
    _rule.c.warehouse_id == _parcel.c.warehouse_id, _rule.c.courier == _parcel.c.courier, _rule.c.hub == _parcel.c.hub
)
_to_route = (
    select(
        _parcel.c.waybill, _parcel.c.courier, _parcel.c.hub, _parcel.c.state, _order.c.intercepted_at, _rule.c.chutes
    )
    .join(_order, _order.c.id == _parcel.c.order_id)
    .outerjoin(_rule, _same_hub)
    .where(
        _parcel.c.id.in_(bindparam("ids", expanding=True)),
        _parcel.c.warehouse_id == bindparam("w"),
        _parcel.c.waybill.is_not(None),
    )
    .order_by(_parcel.c.id)
)
_of_order = select(_parcel.c.id).where(_parcel.c.order_id == bindparam("order")).order_by(_parcel.c.id)
_newest_of_codes = (
    select(func.max(_route_change.c.id))
    .where(_route_change.c.warehouse_id == bindparam("w"), _route_change.c.code.in_(bindparam("codes", expanding=True)))
    .group_by(_route_change.c.code)
)
_stands = select(_route_change.c.code, _route_change.c.chutes, _route_change.c.reason).where(
    _route_change.c.id.in_(_newest_of_codes)
)
_one_writer = select(func.pg_advisory_xact_lock(bindparam("lock", type_=Integer), bindparam("w", type_=Integer)))
_write = insert(_route_change)
_newest = select(func.max(_route_change.c.id)).where(_route_change.c.warehouse_id == bindparam("w"))


def route_parcel(call: Call, parcel_id: int) -> None:
    """Write the parcel's route into the table that gateways hold: its hub's chutes, or reject for a stopped order.

    A hub without a chute has no route: the line says UNKNOWN, the parcel goes to reject and onto the worklist. A
    parcel that has left is taken out of the table.
    """
    route_parcels(call, [parcel_id])


def route_parcels(call: Call, parcel_ids: Sequence[int]) -> None:
    """The same for many: a few statements for every 500 of them."""
    lock_routes(call)
    for first in range(0, len(parcel_ids), PARCELS_AT_ONCE):
        _route_some(call, parcel_ids[first : first + PARCELS_AT_ONCE])


def _route_some(call: Call, parcel_ids: Sequence[int]) -> None:
    call.session.flush()  # what records say is to be seen
    rows = call.session.execute(_to_route, {"ids": list(parcel_ids), "w": call.warehouse_id}).all()
    _change(call, {str(row.waybill): _route(row) for row in rows})


def _route(row: Any) -> tuple[str | None, str]:
    """Chutes and reason."""
    if row.state == ParcelState.HANDED_OVER:
        return None, ""
    if row.intercepted_at is not None or row.state == ParcelState.CANCELLED:
        return str(REJECT), HOLD
    return row.chutes, ""


def waiting(call: Call) -> tuple[Any, ...]:
    """Parcels that will come over the line: they have a number and hang in no bag."""
    states = (ParcelState.LABELLED.value, ParcelState.SORTED.value)
    return (Parcel.warehouse_id == call.warehouse_id, Parcel.state.in_(states), Parcel.bag_id.is_(None))


def chutes_of(session: Session, warehouse_id: int, courier: str, hub: str) -> str | None:
    return session.scalars(
        select(SortRule.chutes).where(
            SortRule.warehouse_id == warehouse_id, SortRule.courier == courier, SortRule.hub == hub
        )
    ).one_or_none()


def route_order(call: Call, order_id: int) -> None:
    """All parcels of an order anew: after an interception, so that the line rejects them; after it was shipped, so
    that the table forgets them.
    """
    call.session.flush()
    route_parcels(call, list(call.session.execute(_of_order, {"order": order_id}).scalars()))


def lock_routes(call: Call) -> None:
    """One writer of plan and routes at a time, so that versions commit in their order. After bags and parcels, before
    the plan's own rows.
    """
    if is_postgresql(call.session):
        call.session.execute(_one_writer, {"lock": ROUTES_LOCK, "w": call.warehouse_id})


def _change(call: Call, routes: Mapping[str, tuple[str | None, str]]) -> None:
    """Write the changes of codes, unless they say what stands already."""
    if not routes:
        return
    known = call.session.execute(_stands, {"w": call.warehouse_id, "codes": list(routes)})
    stands = {row.code: (row.chutes, row.reason) for row in known}
    fresh = [
        {"warehouse_id": call.warehouse_id, "code": code, "chutes": told[0], "reason": told[1], "at": call.now}
        for code, told in routes.items()
        if code not in stands or stands[code] != told
    ]
    if fresh:
        call.session.execute(_write, fresh)
        call.wakes.add(ROUTES_WAKE)


def routes_since(session: Session, warehouse_id: int, version: int) -> list[RouteEntry]:
    """What changed after `version`, oldest first, at most one page: the newest word on each code.

    From the beginning (version 0) codes that were taken out again are left out.
    """
    if newest_version(session, warehouse_id) <= version:
        return []
    newer = aliased(RouteChange)
    newest = ~(
        select(newer.id)
        .where(newer.warehouse_id == RouteChange.warehouse_id, newer.code == RouteChange.code)
        .where(newer.id > RouteChange.id)
        .exists()
    )
    query = select(RouteChange).where(RouteChange.warehouse_id == warehouse_id, RouteChange.id > version, newest)
    if version == 0:
        query = query.where(RouteChange.chutes.is_not(None))
    rows = session.scalars(query.order_by(RouteChange.id).limit(ROUTES_PAGE_MAX)).all()
    return [RouteEntry(row.id, row.code, row.chutes, row.reason) for row in rows]


def newest_version(session: Session, warehouse_id: int) -> int:
    """The version of the whole table."""
    return int(session.execute(_newest, {"w": warehouse_id}).scalar_one() or 0)


def answer(session: Session, warehouse_id: int, codes: Sequence[str]) -> Mapping[str, Any]:
    """For a code the gateway's table does not know: the route, if the house knows the parcel.

    Codes that lead to different chutes (two labels on one parcel) are not known.
    """
    found = [one for one in (_route_of(session, warehouse_id, code) for code in dict.fromkeys(codes)) if one]
    if len({one["chute"] for one in found}) != 1:
        return {"known": False}
    return {"known": True, **found[0]}


def _route_of(session: Session, warehouse_id: int, code: str) -> dict[str, str] | None:
    """By the parcel itself: its row in the table may be a second younger than the parcel on the belt."""
    row = session.execute(
        select(Parcel.courier, Parcel.hub, Parcel.state, Order.intercepted_at)
        .join(Order, Order.id == Parcel.order_id)
        .where(Parcel.warehouse_id == warehouse_id, Parcel.waybill == code)
    ).one_or_none()
    if row is None or row.state == ParcelState.HANDED_OVER:
        return None
    if row.intercepted_at is not None or row.state == ParcelState.CANCELLED:
        return {"code": code, "chute": str(REJECT), "reason": HOLD}
    chutes = chutes_of(session, warehouse_id, row.courier, row.hub)
    return {"code": code, "chute": chutes} if chutes is not None else None
