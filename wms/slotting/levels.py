"""How much of each SKU is to lie in reach: days of its demand, reckoned every night, or as somebody has set it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import and_, delete, func, select
from sqlalchemy.orm import Session

from wms.catalog import queries as catalog
from wms.catalog.tables import SkuBarcode
from wms.catalog.values import SkuFacts
from wms.core.audit_trail import note
from wms.core.call import Call
from wms.core.clock import Clock
from wms.core.db import Database
from wms.core.db.tables import table_of
from wms.core.ids import new_id
from wms.core.perform import system_call
from wms.core.refusal import Reason, Refused
from wms.core.sql import insert_for
from wms.ledger.tables import MovementRow, Stock
from wms.ledger.values import MovementKind
from wms.site import queries as site
from wms.site.tables import Slot
from wms.slotting import refill_rules
from wms.slotting.planning import ONE_NIGHT, PLAN_HOURS
from wms.slotting.queries import has_slots
from wms.slotting.reach import in_reach, locked_rule, rule_of
from wms.slotting.refill_rules import Levels
from wms.slotting.tables import FaceLevel, RefillRule, SkuForecast, Velocity
from wms.slotting.values import FILL_MAX

FORECAST_LASTS = timedelta(days=8)
PIECES_SEEN = timedelta(weeks=4)
DAYS_A_WEEK = 7
QUANTITY_MOST = 1_000_000

_level = table_of(FaceLevel)


@dataclass(frozen=True, slots=True)
class Room:
    """A slot in reach where a SKU lies: its volume and its load."""

    volume_mm3: int
    load_g: int


def reckon(call: Call) -> int:
    """The levels of every SKU that is ordered often enough; how many have some. What was set by hand stays."""
    row = locked_rule(call)
    rule = rule_of(call.session, call.warehouse_id)
    lines = _lines_a_week(call)
    often = {sku: each for sku, each in lines.items() if each >= rule.lines_a_week}
    facts = catalog.skus_by_id(call.session, call.warehouse_id, often)
    pieces, rooms, cases = _pieces_a_line(call), _rooms(call), packagings(call.session, call.warehouse_id, often)
    found: dict[int, tuple[SkuFacts, float, Levels]] = {}
    for sku_id, sku in sorted(facts.items()):
        a_day = often[sku_id] * pieces.get(sku_id, 1.0) / DAYS_A_WEEK
        room = _fits(sku, rooms.get(sku_id))
        case = refill_rules.best_case(cases.get(sku_id, ()), room if room is not None else QUANTITY_MOST)
        wanted = refill_rules.levels(a_day, rule, case, room)
        if wanted is not None:
            found[sku_id] = (sku, a_day, wanted)
    _write(call, found)
    row.levels_at = call.now if lines else None  # nothing is known yet: asked again soon
    call.session.flush()
    call.wakes.add("live")
    return len(found)


def _fits(sku: SkuFacts, room: Room | None) -> int | None:
    if room is None:
        return None
    return refill_rules.pieces_that_fit(sku.volume_mm3, sku.weight_g, int(room.volume_mm3 * FILL_MAX), room.load_g)


def _lines_a_week(call: Call) -> dict[int, float]:
    """Order lines a week of each SKU: what the newest forecast says, else what was seen lately."""
    seen = select(Velocity.sku_id, Velocity.lines_per_week).where(Velocity.warehouse_id == call.warehouse_id)
    lines = {row.sku_id: float(row.lines_per_week) for row in call.session.execute(seen)}
    newest = (
        select(func.max(SkuForecast.made_at))
        .where(SkuForecast.warehouse_id == call.warehouse_id, SkuForecast.made_at > call.now - FORECAST_LASTS)
        .scalar_subquery()
    )
    said = select(SkuForecast.sku_id, SkuForecast.said_lines).where(
        SkuForecast.warehouse_id == call.warehouse_id, SkuForecast.made_at == newest
    )
    return {**lines, **{row.sku_id: float(row.said_lines) for row in call.session.execute(said)}}


def _pieces_a_line(call: Call) -> dict[int, float]:
    """Pieces of a SKU that one pick took, on average."""
    row = MovementRow
    query = (
        select(row.sku_id, func.sum(row.quantity), func.count())
        .where(
            row.warehouse_id == call.warehouse_id,
            row.kind == MovementKind.PICK.value,
            row.at > call.now - PIECES_SEEN,
        )
        .group_by(row.sku_id)
    )
    return {sku: float(pieces) / picks for sku, pieces, picks in call.session.execute(query).all()}


def _rooms(call: Call) -> dict[int, Room]:
    """The slot in reach where most of each SKU lies."""
    query = (
        select(Stock.sku_id, Slot.width_mm, Slot.depth_mm, Slot.height_mm, Slot.weight_max_g)
        .join(Slot, Slot.place_id == Stock.place_id)
        .where(Stock.warehouse_id == call.warehouse_id, Stock.on_hand > 0, in_reach(call.warehouse_id))
        .order_by(Stock.sku_id, Stock.on_hand, Stock.id.desc())
    )
    return {
        sku: Room(width * depth * height, load) for sku, width, depth, height, load in call.session.execute(query).all()
    }


def packagings(session: Session, warehouse_id: int, sku_ids: Mapping[int, Any]) -> dict[int, list[int]]:
    """How many pieces the packagings of each SKU hold, those of one piece left out."""
    query = select(SkuBarcode.sku_id, SkuBarcode.quantity).where(
        SkuBarcode.warehouse_id == warehouse_id, SkuBarcode.quantity > 1
    )
    found: defaultdict[int, list[int]] = defaultdict(list)
    for sku_id, quantity in session.execute(query):
        if sku_id in sku_ids:
            found[sku_id].append(quantity)
    return dict(found)


def _write(call: Call, found: Mapping[int, tuple[SkuFacts, float, Levels]]) -> None:
    """These are the levels now; others that nobody set by hand are gone."""
    gone = and_(_level.c.warehouse_id == call.warehouse_id, _level.c.by_hand.is_(False))
    known = set(call.session.execute(select(_level.c.sku_id).where(gone)).scalars())
    over = sorted(known - set(found))
    if over:
        call.session.execute(delete(_level).where(gone, _level.c.sku_id.in_(over)))
    fresh = insert_for(call.session, _level)
    upsert = fresh.on_conflict_do_update(
        index_elements=["warehouse_id", "sku_id"],
        set_={
            name: fresh.excluded[name] for name in ("pieces_a_day", "quantity_min", "quantity_max", "set_by", "as_of")
        },
        where=_level.c.by_hand.is_(False),
    )
    rows = [_row(call, sku, a_day, wanted, by_hand=False) for sku, a_day, wanted in found.values()]
    if rows:
        call.session.execute(upsert, rows)


def _row(call: Call, sku: SkuFacts, a_day: float, wanted: Levels, *, by_hand: bool) -> dict[str, Any]:
    return {
        "warehouse_id": call.warehouse_id,
        "merchant_id": sku.merchant_id,
        "sku_id": sku.id,
        "pieces_a_day": round(a_day, 2),
        "quantity_min": wanted.quantity_min,
        "quantity_max": wanted.quantity_max,
        "by_hand": by_hand,
        "set_by": call.actor,
        "as_of": call.now,
    }


def set_by_hand(call: Call, sku_id: int, wanted: Levels) -> None:
    """A person says how much of a SKU is to lie in reach, until `set_free`. Raises SKU_UNKNOWN, BAD_INPUT."""
    sku = catalog.sku_by_id(call.session, call.warehouse_id, sku_id)
    if not 0 <= wanted.quantity_min < wanted.quantity_max <= QUANTITY_MOST:
        raise Refused(Reason.BAD_INPUT, what="quantity_min, quantity_max")
    locked_rule(call)
    known = call.session.execute(
        select(_level.c.pieces_a_day).where(_level.c.warehouse_id == call.warehouse_id, _level.c.sku_id == sku_id)
    ).scalar()
    row = _row(call, sku, float(known or 0.0), wanted, by_hand=True)
    fresh = insert_for(call.session, _level).values(**row)
    changed = {name: row[name] for name in ("quantity_min", "quantity_max", "by_hand", "set_by", "as_of")}
    call.session.execute(fresh.on_conflict_do_update(index_elements=["warehouse_id", "sku_id"], set_=changed))
    facts = {"sku": sku.code, "least": wanted.quantity_min, "most": wanted.quantity_max}
    note(call, "refills.levels", **facts)


def set_free(call: Call, sku_id: int) -> None:
    """The levels of a SKU are reckoned again; until the next time they stay as they were set."""
    locked_rule(call)
    mine = (_level.c.warehouse_id == call.warehouse_id) & (_level.c.sku_id == sku_id)
    call.session.execute(_level.update().where(mine).values(by_hand=False, set_by=call.actor, as_of=call.now))
    call.session.execute(
        table_of(RefillRule).update().where(RefillRule.warehouse_id == call.warehouse_id).values(levels_at=None)
    )


def are_due(call: Call) -> bool:
    """Whether they wait to be reckoned: never yet, or since the rule was changed."""
    return _reckoned_at(call.warehouse_id, call.session) is None


def reckon_at_night(db: Database, clock: Clock) -> Sequence[int]:
    """Once a night before the first shift, and where they were never reckoned; the warehouses it was done in."""
    done = []
    for here in db.read(site.warehouses):
        last = db.read(partial(_reckoned_at, here.id))
        night = here.local(clock.now()).hour in PLAN_HOURS
        due = last is None or (night and clock.now() - last > ONE_NIGHT)
        if due and db.read(partial(has_slots, warehouse_id=here.id)):
            system_call(db, clock, here.id, reckon, request_id=new_id())
            done.append(here.id)
    return done


def _reckoned_at(warehouse_id: int, session: Session) -> datetime | None:
    row = session.get(RefillRule, warehouse_id)
    return None if row is None else row.levels_at
