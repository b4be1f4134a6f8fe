"""What a hand does when it reads a PDA's screen: the next scan, key or number, and nothing a person could not know.

Bar codes of goods are on the goods, those of slots and totes on their labels: `Goods` is what lies before the
worker's eyes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from wms.core.codes import Kind, make
from wms.demo.plan import DayPlan

TOTE = re.compile(r"T-\d{4}")


@dataclass(frozen=True, slots=True)
class Goods:
    """Bar codes by name, as printed on the goods, and the lots that stand on the cartons."""

    barcodes: Mapping[str, str]
    lots: Mapping[tuple[str, str], tuple[str, str]] = field(default_factory=dict)

    @classmethod
    def of(cls, plan: DayPlan) -> Goods:
        names = {sku.code: sku.name for sku in plan.skus}
        lots = {
            (lot.asn, names[lot.sku]): (lot.lot, lot.expires_on.isoformat() if lot.expires_on else "")
            for lot in plan.lots
        }
        return cls({sku.name: sku.barcode for sku in plan.skus}, lots)


def card(screen: Mapping[str, Any], kind: str) -> dict[str, Any] | None:
    """The first card of a kind on the screen."""
    return next((one for one in screen["cards"] if one["kind"] == kind), None)


def must(screen: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """A card that this step always shows."""
    found = card(screen, kind)
    assert found is not None, f"{screen['dialogue']}.{screen['step']} shows no {kind}"
    return found


def slot_code(screen: Mapping[str, Any]) -> str:
    """The label of the slot the screen sends to."""
    return make(Kind.SLOT, str(must(screen, "location")["code"]))


def tote_code(screen: Mapping[str, Any]) -> str:
    """The label of the tote the screen points to."""
    found = TOTE.search(str(must(screen, "tote")["text"]))
    assert found is not None, "the screen names a tote"
    return make(Kind.TOTE, found[0])


def next_pick_scan(screen: Mapping[str, Any], goods: Goods) -> str:
    """In the cluster pick: what to scan for the step shown."""
    step = screen["step"]
    if step == "scan_slot":
        return slot_code(screen)
    if step == "scan_sku":
        return goods.barcodes[str(must(screen, "item")["name"])]
    if step in ("scan_tote", "quantity"):
        return tote_code(screen)
    raise AssertionError(f"no scan is wanted at {step}")
