"""REST of picking, for a program that picks without a PDA."""

from __future__ import annotations

from typing import Annotated, Any

from apiflask import APIBlueprint
from pydantic import BaseModel, ConfigDict, Field

from wms.core.call import Call
from wms.core.web import SECURITY, command
from wms.people.values import Right
from wms.picking.service.direct import pick_direct

picking_api = APIBlueprint("picking", __name__, url_prefix="/api/v1", tag="picking")
Code = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f]+$")]


class PickIn(BaseModel):
    """One take: from the slot promised to the order into the order's own tote."""

    model_config = ConfigDict(extra="forbid")
    order: Code
    sku: Code
    slot: Code
    quantity: Annotated[int, Field(ge=1, le=100_000)]


@picking_api.post("/picks")
@picking_api.input(PickIn)
@picking_api.doc(summary="Confirm one pick", security=SECURITY)
@command(Right.PICK, status=201)
def pick(call: Call, json_data: PickIn) -> dict[str, Any]:
    done = pick_direct(
        call, order_no=json_data.order, sku_code=json_data.sku, slot_code=json_data.slot, quantity=json_data.quantity
    )
    return {"order": json_data.order, "tote": done.tote_code, "left": done.left}
