"""Bags (集包): parcels for one hub in one sack, opened by the first parcel, closed with a label."""

from __future__ import annotations

from uuid import uuid4

from sqlalchemy import select, update

from wms.core.call import Call
from wms.core.outbox import announce
from wms.core.refusal import Reason, Refused
from wms.packing.tables import Parcel
from wms.packing.values import ParcelState
from wms.shipping.service import refuse_to_leave, take_out_of_bag
from wms.shipping.tables import Bag, Waybill

PARCELS_MAX = 60
WEIGHT_MAX_G = 25_000

take_out = take_out_of_bag


def bag_of_chute(call: Call, *, courier: str, hub: str, chute: int, weight_g: int = 0) -> Bag:
    """The open bag hanging at a chute for a hub; a new one where there is none, or where `weight_g` more would be too
    much for one person to lift.
    """
    bag = call.session.scalars(
        select(Bag)
        .where(
            Bag.warehouse_id == call.warehouse_id,
            Bag.chute == chute,
            Bag.courier == courier,
            Bag.hub == hub,
            Bag.state == "open",
        )
        .order_by(Bag.id)
        .limit(1)
        .with_for_update(),
        execution_options={"populate_existing": True},
    ).first()
    if bag is not None and bag.parcels and bag.net_weight_g + weight_g > WEIGHT_MAX_G:
        close_bag(call, bag)
        bag = None
    return bag or _new_bag(call, courier, hub, chute)


def _new_bag(call: Call, courier: str, hub: str, chute: int | None) -> Bag:
    bag = Bag(
        warehouse_id=call.warehouse_id,
        code=f"new-{uuid4().hex}",
        courier=courier,
        hub=hub,
        chute=chute,
        opened_at=call.now,
    )
    bag.state, bag.parcels, bag.net_weight_g = "open", 0, 0
    call.session.add(bag)
    call.session.flush()
    bag.code = f"G{bag.id:07d}"
    call.session.flush()
    return bag


def put_in_bag(call: Call, bag: Bag, parcel: Parcel) -> None:
    """One more parcel in the bag; a full bag is closed. Raises BAG_CLOSED, BAG_WRONG_HUB, and what forbids a parcel
    to leave.
    """
    refuse_to_leave(call, parcel)
    if bag.state != "open":
        raise Refused(Reason.BAG_CLOSED, bag=bag.code)
    if (parcel.courier, parcel.hub) != (bag.courier, bag.hub):
        raise Refused(Reason.BAG_WRONG_HUB, hub=parcel.hub, expected=bag.hub)
    if parcel.bag_id is not None:
        raise Refused(Reason.PARCEL_TWICE, parcel=parcel.waybill or parcel.code)
    parcel.bag_id = bag.id
    parcel.state = ParcelState.BAGGED.value
    bag.parcels += 1
    bag.net_weight_g += parcel.weight_g or 0
    call.session.flush()
    call.session.execute(update(Waybill).where(Waybill.parcel_id == parcel.id).values(state="bagged"))
    if bag.parcels >= PARCELS_MAX or bag.net_weight_g >= WEIGHT_MAX_G:
        close_bag(call, bag)


def close_bag(call: Call, bag: Bag) -> None:
    """Seal the bag; its tag is printed after the commit. An empty one is void."""
    if bag.state != "open":
        raise Refused(Reason.BAG_CLOSED, bag=bag.code)
    bag.state = "closed" if bag.parcels else "void"
    bag.closed_at = call.now
    call.session.flush()
    if bag.parcels:
        announce(call, "bag.closed", f"bag:{bag.id}", bag=bag.id)


def bag_by_code(call: Call, code: str) -> Bag | None:
    """A bag by its code, or None."""
    return call.session.scalars(
        select(Bag).where(Bag.warehouse_id == call.warehouse_id, Bag.code == code).with_for_update(),
        execution_options={"populate_existing": True},
    ).one_or_none()
