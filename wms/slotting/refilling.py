"""Which pick faces are filled from reserve now: orders wait, empty, or low; one refill of a kind, merged into walks.

One plan at a time in a warehouse (its rule's row is kept meanwhile), so several servers may plan and nothing is asked
for twice. Nothing is promised or kept here: whoever sets out looks again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from sqlalchemy import BigInteger, and_, cast, func, insert, select, update

from wms.catalog import queries as catalog
from wms.catalog.tables import Lot, Sku
from wms.catalog.values import SkuFacts
from wms.core.call import Call
from wms.core.db.tables import table_of
from wms.core.outbox import announce
from wms.core.refusal import Refused
from wms.core.sql import insert_new, touched
from wms.ledger.tables import Stock
from wms.ledger.values import Condition
from wms.site.tables import Slot
from wms.slotting import refill_rules, service
from wms.slotting.levels import packagings
from wms.slotting.reach import in_reach, locked_rule
from wms.slotting.refill_rules import PRIORITIES, Begun, Levels, Piece, RefillReason, to_carry
from wms.slotting.tables import FaceLevel, Refill, RefillWalk
from wms.slotting.values import Goods
from wms.work import service as work

REFILL_TASK = "replenish"
WANTED = "refills.wanted"
OPEN_STATES = ("open", "carried")
PLANNED_MAX = 60
SMALLER_TRIES = 6
SHORT_RESTS = timedelta(hours=4)  # until somebody has counted, nobody is sent to a slot that had too little

_refill = table_of(Refill)
_walk = table_of(RefillWalk)


@dataclass(frozen=True, slots=True)
class Need:
    """So much of a stock row in reserve is promised to orders that nobody has been sent to fetch yet."""

    stock_id: int
    quantity: int
    reason: RefillReason


@dataclass(frozen=True, slots=True)
class Lying:
    """A stock row of a SKU with levels. `usable`: somebody may go there and take of it."""

    id: int
    place_id: int
    zone_id: int
    stop: tuple[int, int]
    bonded: bool
    sku_id: int
    lot_id: int
    book: str
    on_hand: int
    promised: int
    expires_on: date | None
    first_in_at: datetime
    reach: bool
    usable: bool


@dataclass(frozen=True, slots=True)
class Want:
    """Fetch about so much out of this row; `follows` of it is promised to orders and comes with its promise."""

    row: Lying
    quantity: int
    reason: RefillReason
    follows: int = 0


@dataclass(slots=True)
class Ground:
    """What a plan looks at, and learns of its own proposals."""

    levels: Mapping[int, Levels]
    skus: Mapping[int, SkuFacts]
    cases: Mapping[int, Sequence[int]]
    rows: Mapping[int, Lying]
    reach: frozenset[int]
    coming: set[int] = field(default_factory=set)
    leaving: defaultdict[int, int] = field(default_factory=lambda: defaultdict(int))
    aimed: dict[int, int] = field(default_factory=dict)

    def of_sku(self, sku_id: int, *, reach: bool) -> list[Lying]:
        """Its rows in reach or in reserve, the first to expire first."""
        rows = [row for row in self.rows.values() if row.sku_id == sku_id and row.reach is reach]
        return sorted(
            rows, key=lambda row: (row.expires_on is None, row.expires_on or date.max, row.first_in_at, row.id)
        )

    def open_to(self, sku_id: int) -> set[int]:
        """Slots in reach that nobody carries other goods to."""
        return {place for place in self.reach if self.aimed.get(place, sku_id) == sku_id}


def ask_for_refills(call: Call, sku_ids: Collection[int]) -> None:
    """Orders were promised goods in reserve: a plan is to look soon, if one of the SKUs has levels. Once a command."""
    known = ("refills asked for", call.request_id)
    if not sku_ids or known in call.session.info:
        return
    mine = (FaceLevel.warehouse_id == call.warehouse_id) & FaceLevel.sku_id.in_(sorted(sku_ids))
    if call.session.scalars(select(FaceLevel.id).where(mine).limit(1)).first() is not None:
        call.session.info[known] = True
        announce(call, WANTED, "refills")


def ask_before_wave(call: Call) -> None:
    """A wave is gathered: a plan is to look soon at what its orders need, if any SKU has levels."""
    mine = select(FaceLevel.sku_id).where(FaceLevel.warehouse_id == call.warehouse_id).limit(1)
    ask_for_refills(call, call.session.scalars(mine).all())


def plan(call: Call, needs: Sequence[Need] = ()) -> int:
    """Put on the board what pick faces need; how many refills are new. `needs` are told by who knows the orders.

    At most 60 at a time: the rest waits for the next look.
    """
    locked_rule(call)
    ground = _ground(call)
    if not ground.levels:
        return 0
    sooner = _make_urgent(call, ground, needs)
    made: list[Piece] = []
    for want in _wants(ground, needs):
        piece = _ask(call, ground, want)
        if piece is not None:
            made.append(piece)
        if len(made) == PLANNED_MAX:
            break
    if made or sooner:
        _part(call, made, sooner)
        call.wakes.add("live")
    return len(made)


def _ground(call: Call) -> Ground:
    session, house = call.session, call.warehouse_id
    rows = session.scalars(select(FaceLevel).where(FaceLevel.warehouse_id == house))
    levels = {row.sku_id: Levels(row.quantity_min, row.quantity_max) for row in rows}
    if not levels:
        return Ground({}, {}, {}, {}, frozenset())
    reach = select(Slot.place_id).where(Slot.warehouse_id == house, Slot.retired.is_(False), in_reach(house))
    ground = Ground(
        levels,
        catalog.skus_by_id(session, house, levels),
        packagings(session, house, levels),
        {row.id: row for row in _lying(call) if row.sku_id in levels},
        frozenset(session.scalars(reach)),
    )
    for row in session.scalars(select(Refill).where(Refill.warehouse_id == house, Refill.state.in_(OPEN_STATES))):
        ground.coming.add(row.sku_id)
        ground.leaving[row.source_id] += row.quantity - row.held
        ground.aimed[row.target_id] = row.sku_id
    return ground


def _lying(call: Call) -> Iterator[Lying]:
    """Good stock in slots of SKUs with levels."""
    short = select(Refill.id).where(
        Refill.source_id == Slot.place_id,
        Refill.short > 0,
        Refill.closed_at.is_(None) | (Refill.closed_at > call.now - SHORT_RESTS),
    )
    usable = and_(
        ~(Slot.blocked | Slot.shut | Slot.under_count | Slot.retired),
        Stock.frozen_reason.is_(None),
        ~short.exists(),
    )
    query = (
        select(
            Stock.id,
            Stock.place_id,
            Slot.zone_id,
            Slot.aisle_index,
            Slot.y_mm,
            Slot.bonded,
            Stock.sku_id,
            Stock.lot_id,
            Stock.book,
            Stock.on_hand,
            Stock.promised,
            Lot.expires_on,
            Stock.first_in_at,
            in_reach(call.warehouse_id),
            usable,
        )
        .join(Slot, Slot.place_id == Stock.place_id)
        .join(Lot, Lot.id == Stock.lot_id)
        .join(FaceLevel, (FaceLevel.sku_id == Stock.sku_id) & (FaceLevel.warehouse_id == Stock.warehouse_id))
        .where(
            Stock.warehouse_id == call.warehouse_id,
            Stock.on_hand > 0,
            Stock.condition == Condition.GOOD.value,
        )
    )
    for stock, place, zone, aisle, y_mm, *rest in call.session.execute(query).all():
        yield Lying(stock, place, zone, (aisle, y_mm), *rest)


def _make_urgent(call: Call, ground: Ground, needs: Sequence[Need]) -> dict[int, tuple[int, int]]:
    """What orders wait for now, and is on the board already for a lesser reason, comes sooner: walk -> zone, urgency.

    Refills are kept before walks and tasks, as by who carries them.
    """
    reasons = {(row.place_id, row.lot_id): each for each in needs if (row := ground.rows.get(each.stock_id))}
    query = select(Refill).where(Refill.warehouse_id == call.warehouse_id, Refill.state == "open").order_by(Refill.id)
    sooner: dict[int, tuple[int, int]] = {}
    for refill in call.session.scalars(query).all():
        need = reasons.get((refill.source_id, refill.lot_id))
        if need is None or refill.priority <= PRIORITIES[need.reason] or refill.walk_id is None:
            continue
        still = (_refill.c.id == refill.id) & (_refill.c.state == "open")
        changed = {"reason": need.reason.value, "priority": PRIORITIES[need.reason]}
        if touched(call.session, update(_refill).where(still).values(**changed), {}):
            zone_id = ground.rows[need.stock_id].zone_id
            urgency = min(PRIORITIES[need.reason], sooner.get(refill.walk_id, (zone_id, 9))[1])
            sooner[refill.walk_id] = (zone_id, urgency)
    return sooner


def _wants(ground: Ground, needs: Sequence[Need]) -> Iterator[Want]:
    """The most urgent first. What orders need is brought with what the face lacks; the rest comes from the next row."""
    lacking = {sku: each for sku in sorted(ground.levels) if (each := _lacks(ground, sku)) is not None}
    for need in sorted(needs, key=lambda each: (PRIORITIES[each.reason], each.stock_id)):
        row = ground.rows.get(need.stock_id)
        if row is not None and row.usable and not row.reach and need.quantity > ground.leaving[row.place_id]:
            _, lacks = lacking.pop(row.sku_id, (need.reason, 0))
            yield Want(row, need.quantity + lacks, need.reason, need.quantity)
    for sku_id, (reason, quantity) in sorted(lacking.items(), key=lambda each: (PRIORITIES[each[1][0]], each[0])):
        yield from _from_reserve(ground, sku_id, quantity, reason)


def _lacks(ground: Ground, sku_id: int) -> tuple[RefillReason, int] | None:
    """Why and how much is missing in reach, if it is and nothing is on its way yet."""
    if sku_id in ground.coming:
        return None
    here = ground.of_sku(sku_id, reach=True)
    free = sum(row.on_hand - row.promised for row in here)
    levels = ground.levels[sku_id]
    if not here:
        return RefillReason.EMPTY, levels.quantity_max
    return (RefillReason.LOW, levels.quantity_max - free) if free < levels.quantity_min else None


def _from_reserve(ground: Ground, sku_id: int, quantity: int, reason: RefillReason) -> Iterator[Want]:
    for row in ground.of_sku(sku_id, reach=False):
        free = row.on_hand - row.promised - ground.leaving[row.place_id]
        if row.usable and free > 0 and quantity > 0:
            yield Want(row, quantity, reason)
            quantity -= free


def _ask(call: Call, ground: Ground, want: Want) -> Piece | None:
    """One refill, if there is a slot for it and none of its kind yet."""
    row, sku = want.row, ground.skus[want.row.sku_id]
    there = row.on_hand - row.promised + want.follows - ground.leaving[row.place_id]
    room = max(ground.levels[sku.id].quantity_max, want.quantity)
    if sku.weight_g:
        room = min(room, max(1, refill_rules.WALK_WEIGHT_G_MAX // sku.weight_g))
    case = refill_rules.best_case(ground.cases.get(sku.id, ()), room)
    found = _target(call, ground, want, to_carry(want.quantity, case, room, there), case)
    if found is None:
        return None
    quantity, target_id = found
    refill_id = _write(call, want, sku, quantity, case, target_id)
    if refill_id is None:
        return None
    ground.aimed[target_id] = sku.id
    ground.leaving[row.place_id] += quantity
    return Piece(refill_id, row.zone_id, PRIORITIES[want.reason], quantity * sku.weight_g, row.stop)


def _target(call: Call, ground: Ground, want: Want, quantity: int, case: int) -> tuple[int, int] | None:
    """How much goes into which slot in reach: less, in whole cases, where all of it fits nowhere."""
    row, sku = want.row, ground.skus[want.row.sku_id]
    for _ in range(SMALLER_TRIES):
        if quantity < 1:
            return None
        goods = Goods(sku, row.lot_id, quantity, Condition.GOOD.value, row.bonded, row.book, row.place_id)
        try:
            best = service.choose(call, goods, count=1, among=ground.open_to(sku.id))
        except Refused:
            half = quantity // 2
            quantity = half - half % case if half >= case else half
        else:
            return quantity, best[0].place_id
    return None


def open_key(row: Lying | Refill, target_id: int) -> str:
    """What there is one of at a time: a SKU, lot and book on its way to a slot."""
    return f"{row.sku_id}:{row.lot_id}:{row.book}:{target_id}"


def _write(call: Call, want: Want, sku: SkuFacts, quantity: int, case: int, target_id: int) -> int | None:
    row = want.row
    values = {
        "warehouse_id": call.warehouse_id,
        "merchant_id": sku.merchant_id,
        "sku_id": sku.id,
        "lot_id": row.lot_id,
        "book": row.book,
        "source_id": row.place_id,
        "target_id": target_id,
        "reason": want.reason.value,
        "priority": PRIORITIES[want.reason],
        "quantity": quantity,
        "case_quantity": case,
        "open_key": open_key(row, target_id),
        "made_at": call.now,
        "made_by": call.actor,
    }
    made = call.session.execute(insert_new(call.session, _refill, _refill.c.id), values).scalar_one_or_none()
    return None if made is None else int(made)


def _part(call: Call, made: Sequence[Piece], sooner: Mapping[int, tuple[int, int]]) -> None:
    """Each refill joins a walk of its zone that has room, or begins one. The walks' tasks become as urgent as they."""
    board = dict(sooner)
    for known, pieces in refill_rules.part(made, _begun(call)):
        zone_id = pieces[0].zone_id
        walk_id = known
        if walk_id is None:
            row = {"warehouse_id": call.warehouse_id, "zone_id": zone_id, "made_at": call.now}
            walk_id = int(call.session.execute(insert(_walk).returning(_walk.c.id), row).scalar_one())
        ids = [piece.refill_id for piece in pieces]
        call.session.execute(update(_refill).where(_refill.c.id.in_(ids)).values(walk_id=walk_id))
        most = min(piece.priority for piece in pieces)
        board[walk_id] = (zone_id, min(most, board.get(walk_id, (zone_id, most))[1]))
    for walk_id, (zone_id, priority) in sorted(board.items()):
        _on_the_board(call, walk_id, zone_id, priority)


def _begun(call: Call) -> list[Begun]:
    """The walks on the board, kept from being ended meanwhile, and what they have to fetch."""
    kept = select(_walk.c.id, _walk.c.zone_id).where(_walk.c.warehouse_id == call.warehouse_id, _walk.c.state == "open")
    walks = call.session.execute(kept.order_by(_walk.c.id).with_for_update()).all()
    loads = (
        select(_refill.c.walk_id, func.count(), func.sum(cast(_refill.c.quantity, BigInteger) * Sku.weight_g))
        .join(Sku, Sku.id == _refill.c.sku_id)
        .where(_refill.c.warehouse_id == call.warehouse_id, _refill.c.state.in_(OPEN_STATES))
        .group_by(_refill.c.walk_id)
    )
    full = {walk: (int(refills), int(weight)) for walk, refills, weight in call.session.execute(loads).all()}
    return [Begun(row.id, row.zone_id, *full.get(row.id, (0, 0))) for row in walks]


def _on_the_board(call: Call, walk_id: int, zone_id: int, priority: int) -> None:
    """The walk's task, at least as urgent as this."""
    task_id = work.create(call, REFILL_TASK, subject_of(walk_id), priority=priority, zone_id=zone_id, walk=walk_id)
    call.session.execute(update(_walk).where(_walk.c.id == walk_id).values(task_id=task_id))


def subject_of(walk_id: int) -> str:
    """How a walk's task is called."""
    return f"walk:{walk_id}"
