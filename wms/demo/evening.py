"""Something to do for whoever comes after the day: a delivery at the door, a few orders that nobody has released."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime

from wms.demo.day import Rest
from wms.demo.plan import DAY, DayPlan, PlannedSku, receiver

ORDERS = 6
GOODS = 3
PIECES = 24
COURIER = "SF"  # whose truck comes last


@dataclass(frozen=True, slots=True)
class Left:
    """What waits: the delivery's number with the bar codes of its goods, and the orders' numbers."""

    asn: str
    barcodes: tuple[str, ...]
    orders: tuple[str, ...]


def leave_work(rest: Rest, plan: DayPlan, now: datetime) -> Left:
    """Announce the delivery and place the orders, as merchants' programs do. Raises RestRefused."""
    dice = random.Random(f"{plan.seed} evening")
    goods = _goods(plan)
    asn = f"IN{DAY:%m%d}-EVE"
    lines = [{"sku": sku.code, "quantity": PIECES} for sku in goods]
    rest.post("/api/v1/asns", {"no": asn, "merchant": goods[0].merchant, "lines": lines})
    orders = tuple(f"EVE-{number}" for number in range(1, ORDERS + 1))
    for no in orders:
        sku = dice.choice(plan.skus)
        rest.post(
            "/api/v1/orders",
            {
                "no": no,
                "merchant": sku.merchant,
                "courier": COURIER,
                "placed_at": now.isoformat(),
                "lines": [{"sku": sku.code, "quantity": 1}],
                "receiver": receiver(dice),
            },
        )
    return Left(asn, tuple(sku.barcode for sku in goods), orders)


def _goods(plan: DayPlan) -> list[PlannedSku]:
    """A few of one merchant's goods that keep for ever: a first receipt asks for no lot and no date."""
    for merchant, _name in plan.merchants:
        keeps = [sku for sku in plan.skus if sku.merchant == merchant and not sku.shelf_life_days]
        if keeps:
            return keeps[:GOODS]
    return [plan.skus[0]]
