"""Reads of the dispatch dock."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from wms.core.db.tables import table_of
from wms.core.refusal import Reason, Refused
from wms.outbound.tables import Order
from wms.packing.tables import Parcel
from wms.shipping.tables import Courier, Manifest

READY = ("labelled", "sorted", "bagged")


@dataclass(frozen=True, slots=True)
class ReadyParcels:
    """How many parcels wait for a courier's truck."""

    courier: str
    name: str
    parcels: int


def manifest(session: Session, warehouse_id: int, manifest_id: int) -> Manifest:
    """One manifest. Raises NOT_FOUND."""
    found = session.get(Manifest, manifest_id)
    if found is None or found.warehouse_id != warehouse_id:
        raise Refused(Reason.NOT_FOUND, what="manifest")
    return found


def ready_by_courier(session: Session, warehouse_id: int) -> list[ReadyParcels]:
    """Couriers with parcels to take, the most first; then those without."""
    counts = {
        row.courier: int(row.parcels)
        for row in session.execute(
            select(Parcel.courier, func.count().label("parcels"))
            .join(Order, Order.id == Parcel.order_id)
            .where(Parcel.warehouse_id == warehouse_id, Parcel.state.in_(READY), Order.intercepted_at.is_(None))
            .group_by(Parcel.courier)
        )
    }
    couriers = session.execute(
        select(Courier.code, Courier.name)
        .where(Courier.warehouse_id == warehouse_id, Courier.active)
        .order_by(Courier.code)
    )
    ready = [ReadyParcels(row.code, row.name, counts.get(row.code, 0)) for row in couriers]
    return sorted(ready, key=lambda one: (-one.parcels, one.courier))


_courier = table_of(Courier)
_cut_offs = select(_courier.c.cut_offs).where(
    _courier.c.warehouse_id == bindparam("w"), _courier.c.code == bindparam("of"), _courier.c.active
)


def cut_offs(session: Session, warehouse_id: int, courier: str) -> tuple[str, ...]:
    """The courier's cut-offs as local "HH:MM". Raises COURIER_UNKNOWN."""
    found = session.execute(_cut_offs, {"w": warehouse_id, "of": courier}).scalar_one_or_none()
    if found is None:
        raise Refused(Reason.COURIER_UNKNOWN, courier=courier[:40])
    return tuple(str(one) for one in found["local"])


def usual_courier(session: Session, warehouse_id: int) -> str:
    """The courier of an order that names none: the first that was set up here. Raises COURIER_UNKNOWN when there is
    none.
    """
    first = (
        select(Courier.code).where(Courier.warehouse_id == warehouse_id, Courier.active).order_by(Courier.id).limit(1)
    )
    found = session.scalars(first).one_or_none()
    if found is None:
        raise Refused(Reason.COURIER_UNKNOWN, courier="-")
    return found
