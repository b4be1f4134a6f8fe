"""What other rooms may know of picking: batches, walks, the goods on them, and plans before they are applied."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import cached_property
from typing import NamedTuple

from wms.optimise.batching import BatchPlan, Cart, Order
from wms.optimise.geometry import RectHall, Stop

TASK_KIND = "cluster_pick"
COUNT_KIND = "count"
LOST_AFTER = timedelta(seconds=20)  # a plan whose planner was not heard of for so long
# How several bar codes stand in one text: they hold no control characters, so these part them.
BETWEEN_CODES, BEFORE_QUANTITY = "\n", "\t"


class BatchState(StrEnum):
    OPEN = "open"
    PICKING = "picking"
    DONE = "done"
    CANCELLED = "cancelled"


class PlanState(StrEnum):
    """A plan waits for the planner, is reckoned, is ready to be looked at, goes to the floor batch by batch."""

    WAITING = "waiting"
    RUNNING = "running"
    READY = "ready"
    RELEASING = "releasing"
    RELEASED = "released"
    FAILED = "failed"
    LOST = "lost"
    CANCELLED = "cancelled"


class Wish(StrEnum):
    """What a supervisor wants of a plan that is being reckoned: the best so far, or nothing of it."""

    NONE = ""
    STOP = "stop"
    CANCEL = "cancel"


class PickState(StrEnum):
    OPEN = "open"
    DONE = "done"
    SHORT = "short"
    CANCELLED = "cancelled"
    ASIDE = "aside"


@dataclass(frozen=True, slots=True)
class CartLimits:
    """What a cart carries: totes (one an order), grams, and millilitres of goods."""

    totes: int = 12
    weight_g: int = 150_000
    volume_ml: int = 540_000


@dataclass(frozen=True, slots=True)
class Goods:
    """A promised portion of an order line: how much, of which stock row, and where one stands to take it."""

    hold_id: int
    order_id: int
    order_line_id: int
    merchant_id: int
    stock_id: int
    slot_id: int
    slot_code: str
    zone_id: int
    sku_id: int
    lot_id: int
    quantity: int
    stop: Stop
    weight_g: int = 0
    volume_mm3: int = 0


@dataclass(frozen=True, slots=True)
class Lying:
    """A stock row from which goods may be taken. Rows with the same `alike` hold goods that may stand for each other:
    one lot of one owner in one customs book, whose turn is the same. `free` is what nobody was promised.
    """

    stock_id: int
    alike: tuple[int, str, str]
    slot_id: int
    slot_code: str
    zone_id: int
    stop: Stop
    free: int


@dataclass(frozen=True)
class Problem:
    """A wave to be planned, with everything a solver needs: it may travel to another process."""

    wave_no: str
    hall: RectHall
    carts: tuple[Cart, ...]
    orders: tuple[Order, ...]
    goods: Mapping[int, tuple[Goods, ...]]
    seed: int = 0
    rounds: int = 1


@dataclass(frozen=True)
class WavePlan:
    """A problem with its solution, to be checked again before it is applied."""

    problem: Problem
    batches: BatchPlan


@dataclass(frozen=True, slots=True)
class PlannedBatch:
    """A batch as it will be walked: orders by cart position, picks with their stop (1, 2, ...) in walking order.

    Goods may be taken from another row than the one their hold is in: `promised_mm` is the walk over the promised ones.
    """

    order_ids: tuple[int, ...]
    picks: tuple[tuple[int, Goods], ...]
    walk_mm: int
    s_shape_mm: int
    optimal: bool
    method: str
    path: tuple[tuple[int, int], ...]
    promised_mm: int

    @property
    def pieces(self) -> int:
        return sum(goods.quantity for _, goods in self.picks)

    @property
    def stops(self) -> int:
        return max((stop for stop, _ in self.picks), default=0)


@dataclass(frozen=True, slots=True)
class SpreadPlan:
    """Batches in the order in which they are begun by so many people; how many seconds these are in each other's way,
    and would have been in the order in which the batches were found.
    """

    batches: tuple[PlannedBatch, ...]
    people: int
    crowded_before_s: int
    crowded_s: int


@dataclass(frozen=True, slots=True)
class Planned:
    """What planning a wave came to. Lengths in mm; the S-shape is walked for the same batches."""

    batches: tuple[int, ...]
    walk_mm: int
    s_shape_mm: int


@dataclass(frozen=True, slots=True)
class ToteOnCart:
    """An order's place on the cart. `stopped`: the order was cancelled; `dropped`: its picks were taken out."""

    position: int
    order_id: int
    order_no: str
    tote_id: int | None
    tote_code: str | None
    stopped: bool
    dropped: bool


class PickFacts(NamedTuple):
    """One take of a walk: from this slot, so many of this, for the order at that position of the cart.

    A tuple, for every scan makes as many as its walk has: a frozen dataclass sets each of its fields by itself.
    """

    id: int
    stop: int
    order_id: int
    order_line_id: int
    position: int
    hold_id: int
    stock_id: int
    book: str
    slot_id: int
    slot_code: str
    side: str
    level: int
    levels: int
    aisle_index: int
    y_mm: int
    merchant_id: int
    merchant_name: str
    sku_id: int
    sku_code: str
    sku_name: str
    unit: str
    lot_id: int
    lot_code: str
    expires_on: date | None
    quantity: int
    picked: int
    short: int
    why: str
    state: PickState
    barcodes_text: str

    @property
    def barcodes(self) -> tuple[tuple[str, int], ...]:
        """The bar codes of the goods, each with how many pieces it stands for."""
        pairs = [pair.rpartition(BEFORE_QUANTITY) for pair in self.barcodes_text.split(BETWEEN_CODES) if pair]
        return tuple(sorted((code, int(quantity)) for code, _, quantity in pairs))

    @property
    def left(self) -> int:
        return self.quantity - self.picked - self.short if self.state is PickState.OPEN else 0

    @property
    def wanted(self) -> int:
        """What is still to come, also while it is set aside."""
        return self.quantity - self.picked - self.short

    @property
    def place(self) -> Stop:
        return Stop(self.aisle_index, self.y_mm)

    @property
    def barcode(self) -> str:
        """The bar code of a single piece, or the SKU's code where it bears none."""
        return next((code for code, quantity in self.barcodes if quantity == 1), self.sku_code)


@dataclass(frozen=True)
class Walk:
    """A batch under way, as one read of the database saw it. `picks` stand in walking order."""

    batch_id: int
    no: str
    state: BatchState
    task_id: int | None
    claimed_by: int | None
    cart_id: int | None
    cart_code: str | None
    wave_id: int
    courier: str
    cut_off_at: datetime
    hall_version: int
    hall_version_now: int
    totes: tuple[ToteOnCart, ...]
    picks: tuple[PickFacts, ...]

    @property
    def floor_changed(self) -> bool:
        """Whether something was closed or opened since this walk was laid out."""
        return self.hall_version != self.hall_version_now

    @cached_property
    def aside_picks(self) -> tuple[PickFacts, ...]:
        """What cannot be reached now."""
        return tuple(pick for pick in self.picks if pick.state is PickState.ASIDE)

    @cached_property
    def open_picks(self) -> tuple[PickFacts, ...]:
        return tuple(pick for pick in self.picks if pick.left)

    @cached_property
    def open_stops(self) -> tuple[int, ...]:
        return tuple(sorted({pick.stop for pick in self.open_picks}))

    def pick(self, pick_id: int) -> PickFacts | None:
        return next((pick for pick in self.picks if pick.id == pick_id), None)

    def at(self, position: int) -> ToteOnCart:
        return next(tote for tote in self.totes if tote.position == position)

    def of_stop(self, stop: int) -> Iterator[PickFacts]:
        return (pick for pick in self.picks if pick.stop == stop)

    @property
    def next_empty_position(self) -> ToteOnCart | None:
        """The first position that still wants a tote."""
        return next((tote for tote in self.totes if tote.tote_id is None and not tote.dropped), None)

    @property
    def to_drop(self) -> tuple[ToteOnCart, ...]:
        """Orders that were cancelled since somebody last looked."""
        return tuple(tote for tote in self.totes if tote.stopped and not tote.dropped)

    def with_tote(self, position: int, tote_id: int, tote_code: str) -> Walk:
        """The walk after this tote was put on the cart."""
        put = replace(self.at(position), tote_id=tote_id, tote_code=tote_code)
        return replace(self, totes=tuple(put if tote.position == position else tote for tote in self.totes))

    def with_pick(self, pick_id: int, *, picked: int = 0, short: int = 0) -> Walk:
        """The walk after a take of `picked` and a shortage of `short` at this pick."""
        return replace(self, picks=tuple(_after(p, picked, short) if p.id == pick_id else p for p in self.picks))


def _after(pick: PickFacts, picked: int, short: int) -> PickFacts:
    taken, lacking = pick.picked + picked, pick.short + short
    over = taken + lacking == pick.quantity
    state = PickState.OPEN if not over else PickState.DONE if taken else PickState.SHORT
    return pick._replace(picked=taken, short=lacking, state=state)


@dataclass(frozen=True, slots=True)
class Found:
    """Where missing goods may be taken instead."""

    stock_id: int
    slot_id: int
    slot_code: str
    lot_id: int
    free: int
    stop: Stop


@dataclass(frozen=True, slots=True)
class Shorted:
    """What a short pick came to: how many come from another slot (and which), how many not at all."""

    missing: int
    elsewhere: int
    slots: tuple[str, ...] = ()

    @property
    def lost(self) -> int:
        return self.missing - self.elsewhere


@dataclass(frozen=True, slots=True)
class WalkChange:
    """What closing or opening did to a walk: what is closed, picks set aside, picks that came back, pieces that come
    from another slot now.
    """

    names: tuple[str, ...]
    aside: int
    back: int
    elsewhere: int


@dataclass(frozen=True, slots=True)
class DirectPick:
    """What a program's pick came to."""

    order_id: int
    tote_code: str
    quantity: int
    left: int


@dataclass(frozen=True, slots=True)
class StoppedGoods:
    """One kind of goods in the tote of a stopped order, and the slot it was taken from."""

    merchant_id: int
    sku_id: int
    sku_name: str
    lot_id: int
    book: str
    quantity: int
    slot_code: str


@dataclass(frozen=True, slots=True)
class Stopped:
    """A tote or parcel with goods of a stopped order."""

    place_id: int
    code: str
    order_id: int
    order_no: str
    goods: Sequence[StoppedGoods] = field(default=())
