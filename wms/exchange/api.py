"""REST that belongs to no single room: scan anything."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint

from wms.core.call import Call
from wms.core.codes import read
from wms.core.web import SECURITY, question
from wms.handheld.finding import find
from wms.people.values import Right

exchange_api = APIBlueprint("exchange", __name__, url_prefix="/api/v1", tag="exchange")


@exchange_api.get("/codes/<path:code>")
@exchange_api.doc(summary="What is this code, where is it, how much", security=SECURITY)
@question(Right.READ_STOCK)
def code(call: Call, code: str) -> dict[str, Any]:
    found = find(call.session, call.warehouse_id, read(code), call.merchant_id)
    return {
        "kind": found.kind,
        "code": found.code,
        "title": found.title,
        "facts": dict(found.facts),
        "inside": [
            {"code": one.code, "title": one.title, "note": one.note, "quantity": one.quantity} for one in found.inside
        ],
    }
