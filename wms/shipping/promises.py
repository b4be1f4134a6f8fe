"""The dock's promise: what was handed over was labelled, weighed and belongs to no order that was stopped before."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import text
from sqlalchemy.orm import Session

from wms.core.promises import Broken, Promise

_LEFT_WRONGLY = """
SELECT p.id, p.warehouse_id, p.code FROM parcel AS p JOIN sales_order AS o ON o.id = p.order_id
WHERE p.state = 'handed_over'
  AND (p.waybill IS NULL OR p.weight_g IS NULL
       OR (o.intercepted_at IS NOT NULL AND o.intercepted_at < p.handed_over_at))
"""

_TWICE = "SELECT courier, number, COUNT(*) AS times FROM waybill GROUP BY courier, number HAVING COUNT(*) > 1"


def _left_wrongly(session: Session) -> Iterator[Broken]:
    for row in session.execute(text(_LEFT_WRONGLY)):
        yield Broken(
            f"parcel {row.code}",
            "was handed over without label or weight, or after its order was stopped",
            row.warehouse_id,
        )


def _numbers_once(session: Session) -> Iterator[Broken]:
    for row in session.execute(text(_TWICE)):
        yield Broken(f"waybill {row.courier} {row.number}", f"was given {row.times} times")


PROMISES = (
    Promise(
        7,
        "handover_lawful",
        "Only labelled, weighed parcels of orders that were not stopped leave the house",
        _left_wrongly,
    ),
    Promise(7, "waybill_once", "A waybill number is given once", _numbers_once),
)
