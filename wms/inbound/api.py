"""REST of the receiving dock: ASNs, receipts, putaways."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from apiflask import APIBlueprint
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from wms.catalog import queries as catalog_queries
from wms.core.call import Call
from wms.core.web import SECURITY, command
from wms.inbound import queries, service
from wms.inbound.values import LotGiven
from wms.people.values import Right

inbound_api = APIBlueprint("inbound", __name__, url_prefix="/api/v1", tag="inbound")
Code = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f]+$")]
Quantity = Annotated[int, Field(ge=1, le=1_000_000)]


class AsnLineIn(BaseModel):
    model_config = ConfigDict(extra="forbid")
    sku: Code
    quantity: Quantity


class AsnIn(BaseModel):
    """An expected arrival of one merchant."""

    model_config = ConfigDict(extra="forbid")
    no: Code
    merchant: Code | None = None
    lines: Annotated[list[AsnLineIn], Field(min_length=1, max_length=500)]
    expected_at: AwareDatetime | None = None


class LotIn(BaseModel):
    """The batch as it stands on the goods."""

    model_config = ConfigDict(extra="forbid")
    code: Code | None = None
    produced_on: date | None = None
    expires_on: date | None = None
    origin: Annotated[str, Field(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")] = ""


BoxCode = Annotated[str, Field(min_length=1, max_length=46, pattern=r"^[0-9A-Za-z.-]+$")]


class ReceiptIn(BaseModel):
    """One SKU and lot received into a container (made if its code is new)."""

    model_config = ConfigDict(extra="forbid")
    asn: Code
    sku: Code
    quantity: Quantity
    lot: LotIn | Code | None = None
    container: BoxCode


class PutawayIn(BaseModel):
    """Store a container's goods: into `slot`, or where the system chooses."""

    model_config = ConfigDict(extra="forbid")
    container: BoxCode
    slot: Code | None = None


@inbound_api.post("/asns")
@inbound_api.input(AsnIn)
@inbound_api.doc(summary="Announce an arrival", security=SECURITY)
@command(Right.WRITE_INBOUND, status=201)
def create_asn(call: Call, json_data: AsnIn) -> dict[str, Any]:
    lines = [(line.sku, line.quantity) for line in json_data.lines]
    asn_id = service.create_asn(
        call, no=json_data.no, lines=lines, merchant_code=json_data.merchant, expected_at=json_data.expected_at
    )
    return {"id": asn_id, "no": json_data.no}


@inbound_api.post("/receipts")
@inbound_api.input(ReceiptIn)
@inbound_api.doc(summary="Receive one line", security=SECURITY)
@command(Right.RECEIVE, status=201)
def receive(call: Call, json_data: ReceiptIn) -> dict[str, Any]:
    asn_id, merchant_id = queries.asn_head(call.session, call.warehouse_id, json_data.asn, call.merchant_id)
    sku = catalog_queries.sku_by_code(call.session, call.warehouse_id, merchant_id, json_data.sku)
    done = service.receive(
        call,
        sku=sku,
        quantity=json_data.quantity,
        container=service.lpn(call, json_data.container.upper(), named=True),
        asn_id=asn_id,
        lot=_lot(json_data.lot),
    )
    return {
        "receipt": done.receipt_id,
        "container": done.container_code,
        "lot": done.lot_code,
        "expected": done.expected,
        "received": done.received,
    }


def _lot(given: LotIn | str | None) -> LotGiven:
    if isinstance(given, LotIn):
        return LotGiven(given.code, given.produced_on, given.expires_on, given.origin)
    return LotGiven(given)


@inbound_api.post("/putaways")
@inbound_api.input(PutawayIn)
@inbound_api.doc(summary="Put a container's goods away", security=SECURITY)
@command(Right.PUT_AWAY, status=201)
def put_away(call: Call, json_data: PutawayIn) -> dict[str, Any]:
    container = service.box(call, json_data.container.upper())
    done = service.put_away(call, container=container, slot_code=json_data.slot)
    return {
        "container": container.code,
        "slot": done[0].slot_code,
        "stored": [
            {
                "slot": one.slot_code,
                "quantity": one.quantity,
                "reasons": [why.value for why in one.reasons],
                "nearest": one.nearest,
                "why_not_nearest": one.why_not_nearest.value if one.why_not_nearest else None,
            }
            for one in done
        ],
    }
