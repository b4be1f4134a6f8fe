"""Manifests (交接单): what one courier's truck takes, scanned parcel by parcel or bag by bag, signed at the end."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import uuid4

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from wms.core.audit_trail import note
from wms.core.call import Call
from wms.core.outbox import announce
from wms.core.refusal import Reason, Refused
from wms.outbound.tables import Order
from wms.packing.queries import parcel_by_code
from wms.packing.service import locked_parcel
from wms.packing.tables import Parcel
from wms.packing.values import ParcelState
from wms.shipping import bags
from wms.shipping.service import hand_over_parcel, refuse_to_leave
from wms.shipping.tables import Bag, Courier, Manifest
from wms.site import queries as site

_LEAVING = (ParcelState.LABELLED.value, ParcelState.SORTED.value, ParcelState.BAGGED.value)


@dataclass(frozen=True, slots=True)
class HandedOver:
    """What one scan at the dock handed over. `stopped` names parcels of the bag that were taken out because their
    order was stopped.
    """

    code: str
    parcels: int
    weight_g: int
    total: int
    stopped: tuple[str, ...] = ()


def open_manifest(call: Call, courier: str) -> Manifest:
    """The courier's open manifest, or a new one. Raises COURIER_UNKNOWN."""
    known = select(Courier.id).where(Courier.warehouse_id == call.warehouse_id, Courier.code == courier, Courier.active)
    # The courier's row is locked, so that two docks do not open two manifests.
    if call.session.execute(known.with_for_update()).first() is None:
        raise Refused(Reason.COURIER_UNKNOWN, courier=courier[:40])
    manifest = call.session.scalars(
        select(Manifest)
        .where(Manifest.warehouse_id == call.warehouse_id, Manifest.courier == courier, Manifest.state == "open")
        .order_by(Manifest.id)
        .limit(1)
        .with_for_update(),
        execution_options={"populate_existing": True},
    ).first()
    if manifest is None:
        manifest = Manifest(
            warehouse_id=call.warehouse_id,
            no=f"new-{uuid4().hex}",
            courier=courier,
            opened_at=call.now,
        )
        manifest.state, manifest.parcels, manifest.bags, manifest.weight_g = "open", 0, 0, 0
        call.session.add(manifest)
        call.session.flush()
        today = site.warehouse(call.session, call.warehouse_id).local(call.now)
        manifest.no = f"M{today:%y%m%d}-{manifest.id:05d}"
        call.session.flush()
    return manifest


def hand_over(call: Call, manifest_id: int, code: str) -> HandedOver:
    """One scan at the dock: a bag, or a parcel by waybill or own code.

    Raises COURIER_WRONG, MANIFEST_CLOSED, PARCEL_TWICE, PARCEL_NOT_WEIGHED, ORDER_INTERCEPTED, PARCEL_UNKNOWN,
    BAG_CLOSED (handed over already).
    """
    manifest = _open(call, manifest_id)
    bag = bags.bag_by_code(call, code)
    if bag is not None:
        return _hand_over_bag(call, manifest, bag)
    parcel = locked_parcel(call, parcel_by_code(call.session, call.warehouse_id, code).id)
    _refuse_other_courier(manifest, parcel.courier)
    refuse_to_leave(call, parcel)
    bags.take_out(call, parcel)  # it is in the hand, so it is in no bag
    hand_over_parcel(call, parcel, manifest.id)
    manifest.parcels += 1
    manifest.weight_g += parcel.weight_g or 0
    call.session.flush()
    return HandedOver(code, 1, parcel.weight_g or 0, manifest.parcels)


def _hand_over_bag(call: Call, manifest: Manifest, bag: Bag) -> HandedOver:
    _refuse_other_courier(manifest, bag.courier)
    if bag.state == "handed_over":
        raise Refused(Reason.PARCEL_TWICE, parcel=bag.code)
    if bag.state == "void":
        raise Refused(Reason.BAG_CLOSED, bag=bag.code)
    if bag.state == "open":
        bags.close_bag(call, bag)
    stopped = _refuse_stopped_inside(call, bag)
    if stopped:
        raise Refused(Reason.ORDER_INTERCEPTED, order=", ".join(stopped))
    inside = call.session.scalars(
        select(Parcel).where(Parcel.bag_id == bag.id).order_by(Parcel.id).with_for_update(),
        execution_options={"populate_existing": True},
    ).all()
    for number, parcel in enumerate(inside):
        hand_over_parcel(call.step(str(number)), parcel, manifest.id)
    bag.state = "handed_over"
    bag.manifest_id = manifest.id
    manifest.parcels += len(inside)
    manifest.bags += 1
    manifest.weight_g += sum(parcel.weight_g or 0 for parcel in inside)
    call.session.flush()
    return HandedOver(bag.code, len(inside), bag.net_weight_g, manifest.parcels)


def _refuse_stopped_inside(call: Call, bag: Bag) -> list[str]:
    """Waybills in the bag whose order was stopped: the bag does not leave with them."""
    rows = call.session.execute(
        select(Parcel.waybill)
        .join(Order, Order.id == Parcel.order_id)
        .where(Parcel.bag_id == bag.id, Order.intercepted_at.is_not(None))
    )
    return [str(row.waybill) for row in rows]


def missing(session: Session, manifest: Manifest) -> list[str]:
    """Waybills of the courier's parcels that are ready and not handed over: to be named before the truck leaves."""
    rows = session.execute(
        select(Parcel.waybill)
        .join(Order, Order.id == Parcel.order_id)
        .where(
            Parcel.warehouse_id == manifest.warehouse_id,
            Parcel.courier == manifest.courier,
            Parcel.state.in_(_LEAVING),
            Order.intercepted_at.is_(None),
        )
        .order_by(Parcel.id)
    )
    return [str(row.waybill) for row in rows]


def close_manifest(
    call: Call, manifest_id: int, *, signed_by: str, vehicle: str = "", missing_reason: str | None = None
) -> Manifest:
    """The driver signs. Every parcel is counted again. Raises MANIFEST_INCOMPLETE when ready parcels stay behind
    without a reason.
    """
    manifest = _open(call, manifest_id)
    left = missing(call.session, manifest)
    if left and not missing_reason:
        raise Refused(Reason.MANIFEST_INCOMPLETE, missing=len(left), parcels=left[:20])
    booked = call.session.execute(
        select(func.count()).select_from(Parcel).where(Parcel.manifest_id == manifest.id, Parcel.state == "handed_over")
    ).scalar_one()
    assert booked == manifest.parcels, f"manifest {manifest.no}: {manifest.parcels} scanned, {booked} booked"
    manifest.state, manifest.closed_at = "closed", call.now
    manifest.signed_by, manifest.vehicle, manifest.missing_reason = signed_by, vehicle, missing_reason
    call.session.flush()
    note(
        call, "manifest.closed", manifest=manifest.no, parcels=manifest.parcels, bags=manifest.bags, signed_by=signed_by
    )
    announce(call, "manifest.closed", f"manifest:{manifest.id}", manifest=manifest.id)
    return manifest


def _open(call: Call, manifest_id: int) -> Manifest:
    manifest = call.session.scalars(
        select(Manifest)
        .where(Manifest.id == manifest_id, Manifest.warehouse_id == call.warehouse_id)
        .with_for_update(),
        execution_options={"populate_existing": True},
    ).one_or_none()
    if manifest is None:
        raise Refused(Reason.NOT_FOUND, what=f"manifest {manifest_id}")
    if manifest.state != "open":
        raise Refused(Reason.MANIFEST_CLOSED, manifest=manifest.no)
    return manifest


def _refuse_other_courier(manifest: Manifest, courier: str) -> None:
    if courier != manifest.courier:
        raise Refused(Reason.COURIER_WRONG, courier=courier)
