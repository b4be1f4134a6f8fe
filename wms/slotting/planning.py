"""A plan of moves: read, solve, write.

Solving takes seconds, so it holds no transaction: `prepare` reads, `solve` is pure, `propose` writes what a supervisor
then accepts or declines. Whether a move is still right is looked at again when somebody sets out for it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from itertools import pairwise

import numpy as np
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from wms.catalog import queries as catalog
from wms.core.call import Call
from wms.core.clock import Clock
from wms.core.db import Database
from wms.core.ids import new_id
from wms.core.perform import system_call
from wms.ledger.tables import Stock
from wms.ledger.values import Condition
from wms.optimise.geometry import Point, RectHall, Stop, distance_mm, stop_point
from wms.optimise.slotting.judge import replay, shares_m
from wms.optimise.slotting.plan import Move, Planner
from wms.optimise.slotting.values import Flags, Floats, Ground, Ints, Tuning, ground_of
from wms.optimise.slotting.visits import FULL_SHARE
from wms.site import queries as site
from wms.site.tables import Slot
from wms.slotting import foresight, rules
from wms.slotting.foresight import Expected
from wms.slotting.past import TOUR_LINES_MAX, WEEKS_REPLAYED, Past, past_of, read_picks
from wms.slotting.picture import picture_of
from wms.slotting.queries import has_slots
from wms.slotting.rules import Occupied, Slots
from wms.slotting.seasons import seasons
from wms.slotting.tables import MovePlan, MoveProposal
from wms.slotting.values import Goods

MOVES_MAX = 10
MOVES_MOST = 200
BANDS_MAX = 160
BAND_STEP_MM = 10_000
HANDLING_M = 60
PLAN_HOURS = range(1, 5)
ONE_NIGHT = timedelta(hours=12)


@dataclass(frozen=True)
class Item:
    """All that lies in one slot. Without `goods` it stays: several things mixed, promised, frozen or not good."""

    place_id: int
    sku_id: int
    merchant_id: int
    goods: Goods | None


@dataclass(frozen=True)
class Problem:
    """A warehouse as the planner sees it. `place` is the slot (by its number in `slots`) of each item; `season` is how
    many times faster each will move than its past alone says.
    """

    hall: RectHall
    depot: Point
    slots: Slots
    now: Occupied
    items: tuple[Item, ...]
    place: Ints
    past: Past
    season: Floats | None = None


@dataclass(frozen=True, slots=True)
class Proposed:
    """One move of a plan. Metres a week: the forecast's and the replay's; `cost_m` is the walk and the handling."""

    item: Item
    source_id: int
    target_id: int
    lines_per_week: float
    gain_m_week: float
    replayed_m_week: float
    cost_m: int
    confidence: float


@dataclass(frozen=True)
class Plan:
    """Moves, best first, and the tours they were judged by; metres a week of each place with goods, as it is; and the
    lines expected of each SKU.
    """

    moves: tuple[Proposed, ...]
    lines: int
    tours: int
    weeks: int
    walked_m: float
    planned_m: float
    signal: float
    place_m: Mapping[int, float] = field(default_factory=dict)
    expected: tuple[Expected, ...] = ()


def prepare(session: Session, warehouse_id: int, now: datetime, season: timedelta = timedelta(0)) -> Problem:
    """Everything the planner needs, read on one snapshot; with another `season`, what was picked so long ago instead
    of lately. Raises NOT_FOUND where there is no hall.
    """
    hall = site.hall(session, warehouse_id)
    picture = picture_of(session, warehouse_id, fresh=True)
    items = _items(session, warehouse_id, {int(place): at for place, at in picture.index.items()}, picture.slots)
    items_of_sku: defaultdict[int, list[int]] = defaultdict(list)
    for number, item in enumerate(items):
        items_of_sku[item.sku_id].append(number)
    picks = read_picks(session, warehouse_id, now - season)
    return Problem(
        hall=hall.hall,
        depot=hall.depot,
        slots=picture.slots,
        now=picture.occupied((), {}),
        items=tuple(items),
        place=np.array([picture.index[item.place_id] for item in items], dtype=np.int64),
        past=past_of(picks, items_of_sku, [item.place_id for item in items], now - season),
        season=None if season else _season(session, warehouse_id, now, items),
    )


def _season(session: Session, warehouse_id: int, now: datetime, items: Sequence[Item]) -> Floats | None:
    """What last year says of each item; None without a whole year."""
    coming = seasons(session, warehouse_id, now)
    if not coming.ratio:
        return None
    return np.array([coming.of((item.merchant_id, item.sku_id)) for item in items], dtype=np.float64)


def _items(session: Session, warehouse_id: int, index: dict[int, int], slots: Slots) -> list[Item]:
    rows = session.execute(
        select(Stock).where(Stock.warehouse_id == warehouse_id, Stock.on_hand > 0).order_by(Stock.place_id, Stock.id)
    ).scalars()
    inside: defaultdict[int, list[Stock]] = defaultdict(list)
    for row in rows:
        if row.place_id in index:
            inside[row.place_id].append(row)
    skus = catalog.skus_by_id(session, warehouse_id, {row.sku_id for each in inside.values() for row in each})
    items = []
    for place, (first, *others) in inside.items():
        still = others or first.promised or first.frozen_reason or first.condition != Condition.GOOD.value
        bonded = bool(slots.bonded[index[place]])
        goods = Goods(skus[first.sku_id], first.lot_id, first.on_hand, first.condition, bonded, first.book, place)
        items.append(Item(place, first.sku_id, first.merchant_id, None if still else goods))
    return items


def solve(problem: Problem, most: int = MOVES_MAX, tuning: Tuning | None = None) -> Plan:
    """At most `most` moves that pay back in time by the forecast, and which the replay does not contradict."""
    tuning = tuning or Tuning()
    slots, past = problem.slots, problem.past
    if not len(past.lines.sku):
        return Plan((), 0, 0, 0, 0.0, 0.0, 0.0)
    tuning = replace(tuning, tour_lines_max=_full_cart(past))
    ground = _ground(problem)
    here = ground.slot_band[problem.place]
    planner = Planner(ground, tuning, before=here)
    counts = past.counts if problem.season is None else past.counts * problem.season
    ideal = planner.ideal(counts, past.lines, problem.place, _allowed(problem, ground, here))
    fixed = np.array([number for number, item in enumerate(problem.items) if item.goods is None], dtype=np.int64)
    found = planner.moves(problem.place, ideal, min(most, MOVES_MOST), fixed, lambda item: _lawful(problem, item))
    first = replay(problem.hall, slots.aisle, slots.y_mm, past.walks, problem.place, found)
    kept = [
        (move, saved) for move, saved in zip(found, first.saved_m, strict=True) if _pays(problem, move, tuning, saved)
    ]
    last = replay(problem.hall, slots.aisle, slots.y_mm, past.walks, problem.place, [move for move, _ in kept])
    weeks = max(1, min(len(past.counts), WEEKS_REPLAYED))
    seen = past.counts.sum(axis=0)
    shared = shares_m(problem.hall, slots.aisle, slots.y_mm, past.walks, problem.place) / weeks
    return Plan(
        moves=tuple(
            _proposed(problem, move, ideal.speed[move.sku], saved / weeks, _confidence(ideal.signal, seen[move.sku]))
            for move, saved in kept
        ),
        lines=len(past.lines.sku),
        tours=past.walks.tours,
        weeks=len(past.counts),
        walked_m=last.walked_m,
        planned_m=last.planned_m,
        signal=ideal.signal,
        place_m={problem.items[item].place_id: float(shared[item]) for item in np.flatnonzero(shared).tolist()},
        expected=_expected(problem, ideal.speed),
    )


def _confidence(signal: float, lines_seen: float) -> float:
    """How far a move's forecast is to be believed, 0 to 1: as far as the past at all, and more the more was seen."""
    return signal * lines_seen / (lines_seen + Tuning().doubt_visits)


def _expected(problem: Problem, speed: Floats) -> tuple[Expected, ...]:
    """Lines a week of each SKU, wherever it lies."""
    lines: defaultdict[tuple[int, int], float] = defaultdict(float)
    for item, each in zip(problem.items, speed.tolist(), strict=True):
        lines[item.sku_id, item.merchant_id] += each
    return tuple(Expected(sku, merchant, each) for (sku, merchant), each in lines.items())


def _full_cart(past: Past) -> int:
    """Lines of a full cart, by what is usually walked here."""
    usual = len(past.walks.tour) / past.walks.tours if past.walks.tours else TOUR_LINES_MAX
    return max(1, round(usual / FULL_SHARE))


def _ground(problem: Problem) -> Ground:
    """Bands as fine as the solver likes: longer ones in larger halls."""
    band_mm = BAND_STEP_MM
    while True:
        ground = ground_of(problem.hall, problem.slots.aisle, problem.slots.y_mm, band_mm)
        if len(ground.band_slots) <= max(BANDS_MAX, ground.lanes):
            return ground
        band_mm *= 2


def _allowed(problem: Problem, ground: Ground, here: Ints) -> Flags:
    """(items, bands): where there is a slot of the kind each item lies in now."""
    kind = np.char.add(problem.slots.zone_kind, np.where(problem.slots.bonded, " bonded", ""))
    for climate, kept_so in problem.slots.climates.items():
        kind = np.char.add(kind, np.where(kept_so, f" {climate}", ""))
    _, code = np.unique(kind, return_inverse=True)
    offers = np.zeros((int(code.max()) + 1, len(ground.band_slots)), dtype=np.bool_)
    offers[code, ground.slot_band] = True
    allowed: Flags = offers[code[problem.place]]
    allowed[np.arange(len(here)), here] = True
    return allowed


def _lawful(problem: Problem, item: int) -> Flags:
    goods = problem.items[item].goods
    assert goods is not None, "what must stay is never asked for"
    return np.asarray(np.logical_and.reduce(list(rules.masks(problem.slots, problem.now, goods).values())))


def _pays(problem: Problem, move: Move, tuning: Tuning, replayed_m: float) -> bool:
    return replayed_m >= 0.0 and move.gain_m * tuning.payback_weeks >= _cost_m(problem, move)


def _cost_m(problem: Problem, move: Move) -> int:
    """The walk to the goods, with them, and back; and the handling, as metres one could have walked meanwhile."""
    stops = [Stop(int(problem.slots.aisle[at]), int(problem.slots.y_mm[at])) for at in (move.source, move.target)]
    corners = [problem.depot, *(stop_point(problem.hall, stop) for stop in stops), problem.depot]
    walk_mm = sum(distance_mm(problem.hall, a, b) for a, b in pairwise(corners))
    return HANDLING_M + walk_mm // 1000


def _proposed(problem: Problem, move: Move, speed: float, replayed_m_week: float, confidence: float) -> Proposed:
    return Proposed(
        item=problem.items[move.sku],
        source_id=int(problem.slots.place_id[move.source]),
        target_id=int(problem.slots.place_id[move.target]),
        lines_per_week=round(float(speed), 2),
        gain_m_week=move.gain_m,
        replayed_m_week=replayed_m_week,
        cost_m=_cost_m(problem, move),
        confidence=confidence,
    )


def propose(call: Call, plan: Plan) -> int:
    """Write a plan for the supervisor; what earlier plans proposed and nobody decided is dropped. The plan's id."""
    call.session.execute(
        update(MoveProposal)
        .where(MoveProposal.warehouse_id == call.warehouse_id, MoveProposal.state == "proposed")
        .values(state="dropped", dropped_why="newer_plan", closed_at=call.now)
    )
    row = MovePlan(
        warehouse_id=call.warehouse_id,
        made_at=call.now,
        made_by=call.actor,
        lines=plan.lines,
        tours=plan.tours,
        weeks=plan.weeks,
        walked_m=round(plan.walked_m),
        planned_m=round(plan.planned_m),
        signal_percent=round(100 * plan.signal),
        bay_m=_bay_m(call, plan),
    )
    call.session.add(row)
    call.session.flush()
    foresight.write_down(call, plan.expected)
    call.session.add_all([_row(call, row.id, move) for move in _still_free(call, plan.moves)])
    call.session.flush()
    call.wakes.add("live")
    return row.id


def _bay_m(call: Call, plan: Plan) -> dict[str, int]:
    """Metres a week of each bay."""
    slots = select(Slot.place_id, Slot.bay_id).where(Slot.warehouse_id == call.warehouse_id)
    bay_of = {row.place_id: row.bay_id for row in call.session.execute(slots)}
    metres: defaultdict[str, float] = defaultdict(float)
    for place, each in plan.place_m.items():
        metres[str(bay_of[place])] += each
    return {bay: round(each) for bay, each in metres.items() if each >= 0.5}


def plan_moves(
    db: Database,
    clock: Clock,
    warehouse_id: int,
    most: int = MOVES_MAX,
    actor: str = "system",
    think: Callable[[Problem, int], Plan] = solve,
) -> int:
    """Read, think and propose, each by itself; the plan's id. `think` may do it in another process."""
    problem = db.read(lambda session: prepare(session, warehouse_id, clock.now()))
    plan = think(problem, most)
    return int(system_call(db, clock, warehouse_id, lambda call: propose(call, plan), request_id=new_id(), actor=actor))


def plan_at_night(db: Database, clock: Clock, think: Callable[[Problem, int], Plan] = solve) -> int:
    """Once a night in every warehouse with a hall, before the first shift; how many plans were made."""
    made = 0
    for here in db.read(site.warehouses):
        due = here.local(clock.now()).hour in PLAN_HOURS and not db.read(partial(_planned_lately, here.id, clock.now()))
        if due and db.read(partial(has_slots, warehouse_id=here.id)):
            plan_moves(db, clock, here.id, think=think)
            made += 1
    return made


def _planned_lately(warehouse_id: int, now: datetime, session: Session) -> bool:
    query = select(MovePlan.id).where(MovePlan.warehouse_id == warehouse_id, MovePlan.made_at > now - ONE_NIGHT)
    return session.scalars(query.limit(1)).first() is not None


def _still_free(call: Call, moves: Sequence[Proposed]) -> list[Proposed]:
    """Without those whose goods or target another accepted move has meanwhile."""
    busy = call.session.execute(
        select(MoveProposal.source_id, MoveProposal.target_id).where(
            MoveProposal.warehouse_id == call.warehouse_id, MoveProposal.state == "accepted"
        )
    ).all()
    taken = {place for row in busy for place in row}
    return [move for move in moves if not taken & {move.source_id, move.target_id}]


def _row(call: Call, plan_id: int, move: Proposed) -> MoveProposal:
    return MoveProposal(
        warehouse_id=call.warehouse_id,
        merchant_id=move.item.merchant_id,
        plan_id=plan_id,
        sku_id=move.item.sku_id,
        source_id=move.source_id,
        target_id=move.target_id,
        lines_per_week=move.lines_per_week,
        gain_m_week=round(move.gain_m_week),
        replayed_m_week=round(move.replayed_m_week),
        cost_m=move.cost_m,
        confidence_percent=round(100 * move.confidence),
    )
