"""What other rooms may know of orders and waves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum


class OrderState(StrEnum):
    """The life of an order. SHORT: nothing of it could be promised or found; it waits, with its reason."""

    PLACED = "placed"
    ALLOCATED = "allocated"
    RELEASED = "released"
    PICKING = "picking"
    PICKED = "picked"
    PACKED = "packed"
    SHIPPED = "shipped"
    CANCELLED = "cancelled"
    SHORT = "short"


class WaveState(StrEnum):
    DRAFT = "draft"
    PLANNING = "planning"
    RELEASED = "released"
    DONE = "done"
    CANCELLED = "cancelled"


class WaveKind(StrEnum):
    """HOT: many orders of one content. SINGLE: one-line orders. MULTI: all others."""

    HOT = "hot"
    SINGLE = "single"
    MULTI = "multi"


class Shortage(StrEnum):
    """Why goods of an order do not come: the stable codes of `short_reason`, words under `outbound.short.<code>`."""

    NO_STOCK = "no_stock"
    LIFE_TOO_SHORT = "life_too_short"
    NOT_FOUND = "not_found"
    WAY_CLOSED = "way_closed"


class Cancelled(StrEnum):
    """What a cancellation came to: the order is off, or it is on its way and will be caught."""

    OFF = "cancelled"
    CAUGHT = "intercepted"


@dataclass(frozen=True, slots=True)
class Receiver:
    """Who gets the parcel. `area_code` is the six-digit district code that couriers route by."""

    name: str = ""
    phone: str = ""
    province: str = ""
    city: str = ""
    district: str = ""
    address: str = ""
    area_code: str = ""


@dataclass(frozen=True, slots=True)
class WantedLine:
    """An order line that still waits for stock: `quantity` is what is not promised yet."""

    line_id: int
    sku_id: int
    quantity: int
    min_life_ship_days: int = 0


@dataclass(frozen=True, slots=True)
class FreeStock:
    """A stock row that may be promised, and how much of it is free."""

    stock_id: int
    sku_id: int
    free: int
    expires_on: date | None
    first_in_at: datetime
    in_reach: bool = True


@dataclass(frozen=True, slots=True)
class Take:
    """So much of a stock row for that order line."""

    line_id: int
    stock_id: int
    quantity: int


@dataclass(frozen=True, slots=True)
class ShortLine:
    """A line that gets nothing: how much it wants, how much was free for it, and why that is not enough."""

    line_id: int
    sku_id: int
    quantity: int
    free: int
    why: Shortage


@dataclass(frozen=True, slots=True)
class Promised:
    """What a look at the stock came to: whole lines taken, whole lines short."""

    takes: Sequence[Take] = ()
    short: Sequence[ShortLine] = ()


@dataclass(frozen=True, slots=True)
class AllocatedLine:
    """An order line after allocation."""

    number: int
    sku_code: str
    quantity: int
    allocated: int
    free: int = 0
    why: Shortage | None = None


@dataclass(frozen=True, slots=True)
class Allocation:
    """What is promised to an order: pieces allocated, pieces short, and each line."""

    order_id: int
    order_no: str
    state: OrderState
    allocated: int
    short: int
    lines: Sequence[AllocatedLine] = field(default=())

    @property
    def whole(self) -> bool:
        return self.short == 0


@dataclass(frozen=True, slots=True)
class WaitingOrder:
    """An allocated order before its wave. `content` is its sorted (SKU, quantity) pairs."""

    order_id: int
    courier: str
    cut_off_at: datetime
    content: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class WaveDraft:
    """Orders to go into one wave."""

    courier: str
    cut_off_at: datetime
    kind: WaveKind
    order_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Cancellation:
    """The answer to a cancellation: what happens, and in which stage it met the order."""

    order_id: int
    order_no: str
    outcome: Cancelled
    state: OrderState
