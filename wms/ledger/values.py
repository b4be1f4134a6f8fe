"""What other rooms may know of the ledger: kinds of movement, conditions, virtual places, and a movement as asked
for.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class MovementKind(StrEnum):
    """Why goods went from one place to another."""

    RECEIPT = "receipt"
    PUTAWAY = "putaway"
    MOVE = "move"
    REPLENISH = "replenish"
    PICK = "pick"
    UNPICK = "unpick"
    PACK = "pack"
    UNPACK = "unpack"
    SHIP = "ship"
    RETURN = "return"
    COUNT = "count"
    RECONDITION = "recondition"
    KIT = "kit"
    TRANSFER = "transfer"


class Condition(StrEnum):
    """In what state goods are: only good ones are promised to orders."""

    GOOD = "good"
    DAMAGED = "damaged"
    HOLD = "hold"


class Virtual(StrEnum):
    """Places outside the shelves: they have no stock row, their balance is what movements say."""

    SUPPLIER = "SUPPLIER"
    CUSTOMER = "CUSTOMER"
    SHRINKAGE = "SHRINKAGE"
    KIT = "KIT"
    TRANSIT = "TRANSIT"
    RECONDITION = "RECONDITION"


class Purpose(StrEnum):
    """What a hold promises stock to."""

    ORDER_LINE = "order_line"
    WAVE = "wave"
    MOVE = "move"


@dataclass(frozen=True, slots=True)
class Movement:
    """Goods to go from one place to another. `quantity` in base units, greater than 0; places by their id."""

    kind: MovementKind
    merchant_id: int
    source_id: int
    target_id: int
    sku_id: int
    lot_id: int
    quantity: int
    condition: Condition = Condition.GOOD
    book: str = ""
    reference: str = ""

    def __post_init__(self) -> None:
        assert self.quantity > 0, "a movement moves something"
        assert self.source_id != self.target_id, "a movement goes somewhere"


@dataclass(frozen=True, slots=True, order=True)
class StockKey:
    """The natural key of a stock row within a warehouse. In its order rows are made; those that are there are locked by
    their ids.
    """

    merchant_id: int
    place_id: int
    sku_id: int
    lot_id: int
    condition: str
    book: str
