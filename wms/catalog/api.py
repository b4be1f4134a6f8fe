"""REST of the catalogue: SKUs."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from apiflask import APIBlueprint
from pydantic import BaseModel, ConfigDict, Field

from wms.catalog import queries, service
from wms.core.call import Call
from wms.core.web import SECURITY, command, question
from wms.people.values import Right

catalog_api = APIBlueprint("catalog", __name__, url_prefix="/api/v1", tag="catalog")
Code = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f]+$")]
Name = Annotated[str, Field(min_length=1, max_length=300, pattern=r"^[^\x00-\x1f\x7f]+$")]
Word = Annotated[str, Field(max_length=64, pattern=r"^[^\x00-\x1f\x7f]*$")]
Size = Annotated[int, Field(ge=0, le=100_000)]
Days = Annotated[int, Field(ge=0, le=36_500)]


class Barcode(BaseModel):
    """A bar code on a piece, or on a packaging of `quantity` pieces."""

    model_config = ConfigDict(extra="forbid")
    code: Code
    quantity: Annotated[int, Field(ge=1, le=100_000)] = 1


class SkuIn(BaseModel):
    """A SKU. Lengths in mm, weight in g, 0 = not known yet; lives in days.

    `hazard` is a class whose goods keep apart from others'; SKUs with the same `lookalike` are kept in different bays.
    """

    model_config = ConfigDict(extra="forbid")
    code: Code
    name: Name
    merchant: Code | None = None
    barcodes: Annotated[list[Barcode], Field(max_length=50)] = []
    unit: Annotated[str, Field(min_length=1, max_length=20, pattern=r"^[^\x00-\x1f\x7f]*$")] = "件"
    family: Annotated[str, Field(max_length=100, pattern=r"^[^\x00-\x1f\x7f]*$")] = ""
    length_mm: Size = 0
    width_mm: Size = 0
    height_mm: Size = 0
    weight_g: Annotated[int, Field(ge=0, le=10_000_000)] = 0
    lot_tracked: bool = False
    shelf_life_days: Days | None = None
    min_life_receipt_days: Days = 0
    min_life_ship_days: Days = 0
    fragile: bool = False
    hazard: Word = ""
    zone_kind: Literal["storage", "bulky"] = "storage"
    temperature: Literal["ambient", "cool", "chilled", "frozen"] = "ambient"
    lookalike: Word = ""


@catalog_api.post("/skus")
@catalog_api.input(SkuIn)
@catalog_api.doc(summary="Add a SKU", security=SECURITY)
@command(Right.WRITE_CATALOG, status=201)
def add_sku(call: Call, json_data: SkuIn) -> dict[str, Any]:
    given = json_data.model_dump(exclude={"merchant", "barcodes", "code", "name"})
    sku_id = service.add_sku(
        call,
        merchant_code=json_data.merchant,
        code=json_data.code,
        name=json_data.name,
        barcodes=[(barcode.code, barcode.quantity) for barcode in json_data.barcodes],
        **given,
    )
    return {"id": sku_id, "code": json_data.code}


class KeepingIn(BaseModel):
    """How a SKU is kept from now on; what is left out stays as it is. See `POST /api/v1/skus`."""

    model_config = ConfigDict(extra="forbid")
    merchant: Code | None = None
    hazard: Word | None = None
    zone_kind: Literal["storage", "bulky"] | None = None
    temperature: Literal["ambient", "cool", "chilled", "frozen"] | None = None
    lookalike: Word | None = None


@catalog_api.post("/skus/<code>/keeping")
@catalog_api.input(KeepingIn)
@catalog_api.doc(summary="Say anew how a SKU is kept", security=SECURITY)
@command(Right.WRITE_CATALOG)
def set_keeping(call: Call, code: str, json_data: KeepingIn) -> dict[str, Any]:
    given = json_data.model_dump(exclude={"merchant"})
    sku = service.set_keeping(call, code, merchant_code=json_data.merchant, **given)
    return {"code": sku.code} | {name: getattr(sku, name) for name in service.KEEPING}


@catalog_api.get("/skus/<code>")
@catalog_api.doc(summary="One SKU", security=SECURITY)
@question(Right.READ_CATALOG)
def sku(call: Call, code: str) -> dict[str, Any]:
    merchant = service.own_merchant(call)
    found = queries.sku_by_code(call.session, call.warehouse_id, merchant.id, code)
    return {"code": found.code, "name": found.name, "unit": found.unit, "weight_g": found.weight_g}
