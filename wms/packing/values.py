"""What other rooms may know of packing: a parcel and what is in it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ParcelState(StrEnum):
    """The life of a parcel."""

    OPEN = "open"
    PACKED = "packed"
    LABELLED = "labelled"
    SORTED = "sorted"
    BAGGED = "bagged"
    HANDED_OVER = "handed_over"
    CANCELLED = "cancelled"


READY_TO_PACK = frozenset({"picked", "packed"})  # states of an order whose goods lie in totes


@dataclass(frozen=True, slots=True)
class ParcelFacts:
    """A parcel as the table sees it. Weights in g; pieces in base units; `left` = pieces of the order not in any
    parcel yet.
    """

    id: int
    code: str
    number: int
    order_id: int
    order_no: str
    merchant_id: int
    merchant_name: str
    courier: str
    state: ParcelState
    place_id: int
    station_id: int | None
    packed: int
    left: int
    expected_weight_g: int
    weight_g: int | None
    waybill: str | None


@dataclass(frozen=True, slots=True)
class LineToPack:
    """One line of an order at the packing table: how many were picked, how many are in a box."""

    order_line_id: int
    sku_id: int
    sku_code: str
    name: str
    unit: str
    code: str
    picked: int
    packed: int

    @property
    def tail(self) -> str:
        """The last of its bar code, which people compare."""
        return self.code[-4:]

    @property
    def left(self) -> int:
        return self.picked - self.packed


@dataclass(frozen=True, slots=True)
class ToPack:
    """An order at the packing table: its pieces, how many are in boxes, how many more of one article it wants, and the
    next lines of which pieces are left.
    """

    picked: int
    packed: int
    alike: int
    following: tuple[LineToPack, ...]
