"""The line is down or a parcel lies beside it: a person sorts."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from wms.core.call import Call
from wms.core.refusal import Reason, Refused
from wms.outbound.tables import Order
from wms.packing.queries import parcel_by_code
from wms.packing.service import locked_parcel
from wms.packing.tables import Parcel
from wms.packing.values import ParcelState
from wms.sorting.service.passages import into_bag
from wms.sorting.service.routes import chutes_of

ON_THE_LINE = frozenset({ParcelState.LABELLED.value, ParcelState.SORTED.value, ParcelState.BAGGED.value})


def chute_for(session: Session, warehouse_id: int, code: str) -> tuple[Parcel, str]:
    """For sorting by hand: the parcel and its chutes.

    Raises PARCEL_UNKNOWN, PARCEL_TWICE (it has left), ORDER_INTERCEPTED, PARCEL_STATE_WRONG, NO_ROUTE.
    """
    parcel = parcel_by_code(session, warehouse_id, code)
    if parcel.state == ParcelState.HANDED_OVER:
        raise Refused(Reason.PARCEL_TWICE, parcel=code)
    order = session.execute(select(Order.no, Order.intercepted_at).where(Order.id == parcel.order_id)).one()
    if order.intercepted_at is not None:
        raise Refused(Reason.ORDER_INTERCEPTED, order=order.no)
    if parcel.state not in ON_THE_LINE:
        raise Refused(Reason.PARCEL_STATE_WRONG, state=parcel.state)
    chutes = chutes_of(session, warehouse_id, parcel.courier, parcel.hub)
    if chutes is None:
        raise Refused(Reason.NO_ROUTE, courier=parcel.courier, area=parcel.hub)
    return parcel, chutes


def sort_by_hand(call: Call, parcel_id: int, chute: int) -> None:
    """A person put the parcel into its chute: into the bag there. What hangs in a bag already stays there.

    Raises PARCEL_UNKNOWN, ORDER_INTERCEPTED, PARCEL_STATE_WRONG.
    """
    parcel = locked_parcel(call, parcel_id)
    if parcel.bag_id is None:
        into_bag(call, parcel, chute)
