"""REST of orders: take one, promise stock to it, cancel it, see it."""

from __future__ import annotations

from typing import Annotated, Any

from apiflask import APIBlueprint
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from wms.catalog import service as catalog
from wms.core.call import Call
from wms.core.web import SECURITY, command, edge, question
from wms.outbound import queries
from wms.outbound.service.allocation import allocate as promise
from wms.outbound.service.orders import LINES_MAX, cancel_order, create_order
from wms.outbound.values import Receiver
from wms.people.values import Right

outbound_api = APIBlueprint("outbound", __name__, url_prefix="/api/v1", tag="outbound")
Code = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f]+$")]
Words = Annotated[str, Field(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]


class OrderLineIn(BaseModel):
    model_config = ConfigDict(extra="forbid")
    sku: Code
    quantity: Annotated[int, Field(ge=1, le=100_000)]
    price_cents: Annotated[int, Field(ge=0, le=1_000_000_000)] = 0


class ReceiverIn(BaseModel):
    """Who gets the parcel; `area_code` is the six-digit district code couriers route by."""

    model_config = ConfigDict(extra="forbid")
    name: Words = ""
    phone: Words = ""
    province: Words = ""
    city: Words = ""
    district: Words = ""
    address: Words = ""
    area_code: Annotated[str, Field(pattern=r"^(\d{2}|\d{4}|\d{6})?$")] = ""


class OrderIn(BaseModel):
    """A buyer's order. It leaves by the courier's next cut-off; without a courier the park's usual one takes it."""

    model_config = ConfigDict(extra="forbid")
    no: Code
    merchant: Code | None = None
    courier: Code | None = None
    lines: Annotated[list[OrderLineIn], Field(min_length=1, max_length=LINES_MAX)]
    receiver: ReceiverIn = ReceiverIn()
    shop: Words = ""
    remark: Words = ""
    placed_at: AwareDatetime | None = None


@outbound_api.post("/orders")
@outbound_api.input(OrderIn)
@outbound_api.doc(summary="Take an order", security=SECURITY)
@command(Right.WRITE_ORDERS, status=201)
def create(call: Call, json_data: OrderIn) -> dict[str, Any]:
    merchant = catalog.open_merchant(call, json_data.merchant)
    courier = json_data.courier or edge().extras["usual_courier"](call.session, call.warehouse_id)
    order_id = create_order(
        call,
        merchant_code=merchant.code,
        no=json_data.no,
        courier=courier,
        lines=[(line.sku, line.quantity, line.price_cents) for line in json_data.lines],
        receiver=Receiver(**json_data.receiver.model_dump()),
        shop=json_data.shop,
        remark=json_data.remark,
        placed_at=json_data.placed_at,
        cut_offs=edge().extras["cut_offs"](call.session, call.warehouse_id, courier),
    )
    return {"id": order_id, "no": json_data.no, "courier": courier}


@outbound_api.post("/orders/<no>/allocate")
@outbound_api.doc(summary="Promise stock to an order", security=SECURITY)
@command(Right.WRITE_ORDERS)
def allocate(call: Call, no: str) -> dict[str, Any]:
    done = promise(call, no)
    takes = queries.promised_slots(call.session, done.order_id)
    lines = [
        {
            "sku": line.sku_code,
            "quantity": line.quantity,
            "allocated": line.allocated,
            "takes": [
                {"slot": take.slot_code, "quantity": take.quantity} for take in takes if take.sku_code == line.sku_code
            ],
        }
        for line in done.lines
    ]
    return {"order": no, "state": done.state.value, "allocated": done.allocated, "short": done.short, "lines": lines}


@outbound_api.post("/orders/<no>/cancel")
@outbound_api.doc(summary="Cancel an order, wherever it is before handover", security=SECURITY)
@command(Right.WRITE_ORDERS)
def cancel(call: Call, no: str) -> dict[str, Any]:
    done = cancel_order(call, no)
    return {"order": no, "outcome": done.outcome.value, "state": done.state.value}


@outbound_api.get("/orders/<no>")
@outbound_api.doc(summary="One order with its lines", security=SECURITY)
@question(Right.READ_ORDERS)
def order(call: Call, no: str) -> dict[str, Any]:
    found = queries.order_by_no(call.session, call.warehouse_id, no, call.merchant_id)
    lines = queries.lines_of(call.session, found.id)
    return {
        "no": found.no,
        "state": found.state.value,
        "lines": [
            {"sku": line.sku_code, "quantity": line.quantity, "picked": line.picked, "shipped": line.shipped}
            for line in lines
        ],
    }
