"""What other rooms may know of counting."""

from __future__ import annotations

from dataclasses import dataclass

COUNT_TASK = "count"
APPROVAL_PIECES = 5


@dataclass(frozen=True, slots=True)
class Counted:
    """One SKU and lot as counted. Base units."""

    merchant_id: int
    sku_id: int
    lot_id: int
    quantity: int
    condition: str = "good"


@dataclass(frozen=True, slots=True)
class CountResult:
    """What a count came to: pieces found more and fewer; `waits` when a second person must approve."""

    count_id: int
    slot_code: str
    more: int
    fewer: int
    waits: bool
