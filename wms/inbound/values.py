"""What other rooms may know of the receiving dock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from wms.slotting.values import Goods, Rule, Suggestion, Why


@dataclass(frozen=True, slots=True)
class Expected:
    """One line of an ASN: how much was announced and how much has come. Base units."""

    line_id: int
    sku_id: int
    sku_code: str
    name: str
    unit: str
    expected: int
    received: int

    @property
    def left(self) -> int:
        return max(0, self.expected - self.received)


@dataclass(frozen=True, slots=True)
class AsnFacts:
    id: int
    no: str
    merchant_id: int
    merchant_name: str
    state: str
    lines: tuple[Expected, ...]


@dataclass(frozen=True, slots=True)
class Received:
    """What one receipt led to. `expected` 0 = it was not announced."""

    receipt_id: int
    container_code: str
    container_id: int
    lot_code: str
    quantity: int
    expected: int
    received: int


@dataclass(frozen=True, slots=True)
class Inside:
    """What is to be stored out of a box: its row of stock there, and all that lies there of it."""

    stock_id: int
    goods: Goods


@dataclass(frozen=True, slots=True)
class Proposal:
    """A slot kept for `quantity` pieces of what lies in a box: all of it, or as many as a slot takes."""

    slot: Suggestion
    inside: Inside
    quantity: int


@dataclass(frozen=True, slots=True)
class PutAway:
    """Where goods went and why there."""

    slot_code: str
    quantity: int
    reasons: tuple[Why, ...]
    nearest: str
    why_not_nearest: Rule | None


@dataclass(frozen=True, slots=True)
class LotGiven:
    """The batch as it stands on the goods."""

    code: str | None = None
    produced_on: date | None = None
    expires_on: date | None = None
    origin: str = ""
