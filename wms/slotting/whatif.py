"""What if: the plan there would be with another number of moves, in another season, or with an aisle closed.

Read here, reckoned elsewhere (see `apart`), kept as figures; nothing becomes work.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from wms.core.call import Call
from wms.core.clock import Clock
from wms.core.db import Database
from wms.core.ids import new_id
from wms.core.perform import system_call
from wms.core.refusal import Reason, Refused
from wms.optimise.slotting.judge import replay
from wms.optimise.slotting.values import Ints
from wms.slotting import rules
from wms.slotting.past import WEEKS_REPLAYED
from wms.slotting.planning import MOVES_MAX, MOVES_MOST, Problem, prepare, solve
from wms.slotting.tables import WhatIf

SEASONS_WEEKS = (0, 13, 26, 52)
SHOWN = 4
KEPT = 50


@dataclass(frozen=True, slots=True)
class Conditions:
    """`moves` a day at most; the picks of `season_weeks` ago instead of lately; `aisle` (by index) closed, or none."""

    moves: int = MOVES_MAX
    season_weeks: int = 0
    aisle: int | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What would be. Metres a week, by replay: as the goods lie, with a closed aisle cleared, and with the moves.

    `cleared` goods would leave a closed aisle; `stuck` ones found no lawful slot.
    """

    lines: int
    walked_m: int
    cleared_m: int
    planned_m: int
    moves: int
    gain_m: int
    cost_m: int
    signal_percent: int
    cleared: int = 0
    stuck: int = 0


@dataclass(frozen=True, slots=True)
class Asked:
    """A question and its answer, as far as it is there; `trouble` says why there is none."""

    id: int
    asked_at: datetime
    conditions: Conditions
    outcome: Outcome | None
    trouble: str


Think = Callable[[Problem, Conditions], Outcome]


def ask(call: Call, conditions: Conditions) -> int:
    """Write the question down; its id. Raises BAD_INPUT for conditions nobody offers."""
    if not 0 <= conditions.moves <= MOVES_MOST:
        raise Refused(Reason.BAD_INPUT, what="moves")
    if conditions.season_weeks not in SEASONS_WEEKS:
        raise Refused(Reason.BAD_INPUT, what="season")
    row = WhatIf(
        warehouse_id=call.warehouse_id, asked_at=call.now, asked_by=call.actor, asked=asdict(conditions), answer={}
    )
    call.session.add(row)
    call.session.flush()
    _forget(call)
    return row.id


def _forget(call: Call) -> None:
    rows = call.session.scalars(
        select(WhatIf).where(WhatIf.warehouse_id == call.warehouse_id).order_by(WhatIf.id.desc()).offset(KEPT)
    )
    for row in rows:
        call.session.delete(row)


def answer(db: Database, clock: Clock, warehouse_id: int, question: int, think: Think) -> None:
    """Read, think, write the figures down. A question that cannot be answered says why."""
    asked = db.read(lambda session: session.get(WhatIf, question))
    if asked is None or asked.answer:
        return
    conditions = Conditions(**asked.asked)
    try:
        season = timedelta(weeks=conditions.season_weeks)
        problem = db.read(lambda session: prepare(session, warehouse_id, clock.now(), season))
        found, trouble = asdict(think(problem, conditions)), ""
    except Refused as no:
        found, trouble = {}, no.reason.value
    system_call(db, clock, warehouse_id, lambda call: _write(call, question, found, trouble), request_id=new_id())


def _write(call: Call, question: int, found: dict[str, object], trouble: str) -> None:
    row = call.session.get(WhatIf, question)
    if row is not None:
        row.answer, row.trouble = found, trouble
        call.session.flush()
    call.wakes.add("live")


def newest(session: Session, warehouse_id: int) -> list[Asked]:
    """The last questions, the newest first."""
    rows = session.scalars(
        select(WhatIf).where(WhatIf.warehouse_id == warehouse_id).order_by(WhatIf.id.desc()).limit(SHOWN)
    )
    return [
        Asked(
            row.id,
            row.asked_at,
            Conditions(**row.asked),
            Outcome(**row.answer) if row.answer else None,
            row.trouble,
        )
        for row in rows
    ]


def reckon(problem: Problem, conditions: Conditions) -> Outcome:
    """Clear the closed aisle, then plan. Raises BAD_INPUT for an aisle that is not there."""
    here = problem.place
    place, stuck = here, 0
    if conditions.aisle is not None:
        problem, stuck = cleared(problem, conditions.aisle)
        place = problem.place
    plan = solve(problem, conditions.moves)
    slots, walks = problem.slots, problem.past.walks
    walked = replay(problem.hall, slots.aisle, slots.y_mm, walks, here, []).walked_m if walks.tours else 0.0
    weeks = max(1, min(plan.weeks, WEEKS_REPLAYED))
    return Outcome(
        lines=plan.lines,
        walked_m=round(walked / weeks),
        cleared_m=round(plan.walked_m / weeks),
        planned_m=round(plan.planned_m / weeks),
        moves=len(plan.moves),
        gain_m=round(sum(move.gain_m_week for move in plan.moves)),
        cost_m=sum(move.cost_m for move in plan.moves),
        signal_percent=round(100 * plan.signal),
        cleared=int((place != here).sum()),
        stuck=stuck,
    )


def cleared(problem: Problem, aisle: int) -> tuple[Problem, int]:
    """The same with an aisle shut: its goods in the nearest lawful slots elsewhere, the fastest first; how many found
    none (they stay, as do goods that may not be moved).
    """
    slots = problem.slots
    shut = slots.aisle == aisle
    if not shut.any():
        raise Refused(Reason.BAD_INPUT, what="aisle")
    now = replace(problem.now, blocked=problem.now.blocked | shut, taken=problem.now.taken.copy())
    place, stuck = problem.place.copy(), 0
    inside = np.flatnonzero(shut[place])
    lines = problem.past.counts.sum(axis=0) if len(problem.past.counts) else np.zeros(len(place))
    for item in inside[np.argsort(-lines[inside], kind="stable")].tolist():
        target = _nearest_lawful(problem, now, item)
        if target is None:
            stuck += 1
            continue
        now.taken[target] = True
        place[item] = target
    return replace(problem, now=now, place=place), stuck


def _nearest_lawful(problem: Problem, now: rules.Occupied, item: int) -> int | None:
    goods = problem.items[item].goods
    if goods is None:
        return None
    lawful = np.logical_and.reduce(list(rules.masks(problem.slots, now, goods).values()))
    where: Ints = np.flatnonzero(lawful)
    return int(where[np.argmin(problem.slots.walk_mm[where])]) if len(where) else None
