"""REST of the dock: close an order in one call, and the park's own re-routing."""

from __future__ import annotations

from typing import Annotated, Any

from apiflask import APIBlueprint
from pydantic import BaseModel, ConfigDict, Field

from wms.core.call import Call
from wms.core.web import SECURITY, command
from wms.people.values import Right
from wms.shipping import routes, service

shipping_api = APIBlueprint("shipping", __name__, url_prefix="/api/v1", tag="shipping")
Words = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f]+$")]


class RerouteIn(BaseModel):
    """Send a courier's parcels (or those of one hub) by another hub; `active` false ends it."""

    model_config = ConfigDict(extra="forbid")
    courier: Words
    to_hub: Words
    from_hub: Annotated[str, Field(max_length=64, pattern=r"^[^\x00-\x1f\x7f]*$")] = ""
    active: bool = True


@shipping_api.post("/orders/<no>/ship")
@shipping_api.doc(summary="Pack, label and hand over what was picked", security=SECURITY)
@command(Right.HAND_OVER)
def ship(call: Call, no: str) -> dict[str, Any]:
    return service.ship_order(call, no)


@shipping_api.post("/reroutes")
@shipping_api.input(RerouteIn)
@shipping_api.doc(summary="Re-route a courier's parcels", security=SECURITY)
@command(Right.MANAGE_COURIERS)
def reroute(call: Call, json_data: RerouteIn) -> dict[str, Any]:
    routes.set_reroute(call, **json_data.model_dump())
    return {"courier": json_data.courier, "to_hub": json_data.to_hub, "active": json_data.active}
