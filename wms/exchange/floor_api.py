"""REST for those who steer the floor: waves, chutes, bags, gateways' pairing codes."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint
from flask import Response, request
from sqlalchemy import select

from wms.core.call import Call
from wms.core.openapi import answers_with
from wms.core.web import SECURITY, command, edge, key_holder, question, respond
from wms.exchange import waves
from wms.people.values import Right
from wms.shipping.tables import Bag
from wms.sorting import service as sorting

floor_api = APIBlueprint("floor", __name__, url_prefix="/api/v1", tag="floor")


@floor_api.post("/waves")
@floor_api.doc(summary="Promise stock to waiting orders and make waves", security=SECURITY)
@answers_with(201)
def make_waves() -> Response:
    who, at = key_holder(Right.RELEASE_WAVES), edge()
    return respond(waves.allocate_and_make(at.db, at.clock, who, request.headers.get("Idempotency-Key", "")))


@floor_api.post("/waves/<no>/release")
@floor_api.doc(summary="Plan a wave's batches and release it", security=SECURITY)
@answers_with(200)
def release(no: str) -> Response:
    who, at = key_holder(Right.RELEASE_WAVES), edge()
    return respond(waves.plan_and_release(at.db, at.clock, who, request.headers.get("Idempotency-Key", ""), no))


@floor_api.post("/chutes/<int:number>/empty")
@floor_api.doc(summary="Bags at a chute are closed and changed", security=SECURITY)
@command(Right.SORT)
def empty_chute(call: Call, number: int) -> dict[str, Any]:
    sorting.empty_chute(call, number)
    return {"chute": number}


@floor_api.get("/bags")
@floor_api.doc(summary="Bags that have not left", security=SECURITY)
@question(Right.SORT)
def bags(call: Call) -> dict[str, Any]:
    rows = call.session.scalars(
        select(Bag)
        .where(Bag.warehouse_id == call.warehouse_id, Bag.state.in_(("open", "closed")), Bag.parcels > 0)
        .order_by(Bag.id)
    )
    return {
        "bags": [
            {"code": bag.code, "courier": bag.courier, "hub": bag.hub, "parcels": bag.parcels, "state": bag.state}
            for bag in rows
        ]
    }
