"""Racks against what is coming: read, think, propose which bays to divide anew.

Thinking takes seconds, so it holds no transaction: `division_ground.prepare` reads, `choose` is pure, `propose` writes
what a supervisor then accepts or declines.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import update
from sqlalchemy.orm import Session

from wms.core.call import Call
from wms.core.clock import Clock
from wms.core.db import Database
from wms.core.ids import new_id
from wms.core.perform import system_call
from wms.optimise.slotting.divide import Chosen, Fit, Racks, choose
from wms.site.rules import Profile, parts_in
from wms.slotting.division_ground import (
    BAYS_MAX,
    ML_A_LITRE,
    MM3_A_LITRE,
    DivisionProblem,
    Expected,
    prepare,
    seconds_of,
    volume_l,
)
from wms.slotting.tables import BayDivision, DivisionPlan

LABELS_KEPT = 24


def propose(call: Call, problem: DivisionProblem, chosen: Chosen) -> int:
    """Write a plan for the supervisor; what earlier ones proposed and nobody decided is dropped. The plan's id."""
    call.session.execute(
        update(BayDivision)
        .where(BayDivision.warehouse_id == call.warehouse_id, BayDivision.state == "proposed")
        .values(state="dropped", dropped_why="newer_plan", closed_at=call.now)
    )
    bays = {at: problem.profiles[problem.racks.bays[at].cuts[cut].profile] for at, cut in chosen.cuts.items()}
    more_l = sum(_profile_l(profile) - volume_l(problem.candidates[at].rack) for at, profile in bays.items())
    row = DivisionPlan(
        warehouse_id=call.warehouse_id,
        made_at=call.now,
        made_by=call.actor,
        wanted=problem.wanted,
        wanted_l=problem.wanted_l,
        skus_before=chosen.before.skus,
        skus_after=chosen.after.skus,
        litres_before=chosen.before.volume_ml // ML_A_LITRE,
        litres_after=chosen.after.volume_ml // ML_A_LITRE,
        racks_l=problem.racks_l,
        racks_after_l=problem.racks_l + more_l,
        used_l=problem.used_l,
        optimal=chosen.optimal,
        kept={why.value: [len(bays), *bays[:LABELS_KEPT]] for why, bays in problem.kept.items()},
    )
    call.session.add(row)
    call.session.flush()
    for number, (at, profile) in enumerate(bays.items(), start=1):
        call.session.add(_row(call, row.id, number, problem, at, profile, chosen.added[at]))
    call.session.flush()
    call.wakes.add("live")
    return row.id


def _profile_l(profile: Profile) -> int:
    return profile.levels * profile.positions * profile.width_mm * profile.depth_mm * profile.height_mm // MM3_A_LITRE


def _row(
    call: Call, plan_id: int, number: int, problem: DivisionProblem, at: int, profile: Profile, added: Fit
) -> BayDivision:
    one = problem.candidates[at]
    need = parts_in(profile) - one.rack.parts
    seconds = seconds_of(one, profile, problem.rates)
    return BayDivision(
        warehouse_id=call.warehouse_id,
        plan_id=plan_id,
        bay_id=one.rack.bay_id,
        number=number,
        profile_before=one.rack.profile,
        profile=profile.name,
        before={"slots": [list(slot.face) for slot in one.rack.slots]},
        after={name: getattr(profile, name) for name in Profile.__slots__},
        slots_before=len(one.rack.slots),
        slots_after=profile.levels * profile.positions,
        skus_more=added.skus,
        litres_more=added.volume_ml // ML_A_LITRE,
        beams=need.beams,
        dividers=need.dividers,
        goods=len(one.loads),
        seconds=seconds,
        cost_cents=round(seconds * problem.rates.wage_cents_s),
        gain_cents_month=added.worth,
    )


def profile_of(row: BayDivision) -> Profile:
    """The profile as it was when it was proposed."""
    return Profile(**row.after)


def plan_divisions(
    db: Database,
    clock: Clock,
    warehouse_id: int,
    read_expected: Callable[[Session], Expected],
    *,
    bays_max: int = BAYS_MAX,
    actor: str = "system",
    think: Callable[[Racks], Chosen] = choose,
) -> int:
    """Read, think and propose, each by itself; the plan's id. `think` may do it in another process."""
    problem = db.read(lambda session: prepare(session, warehouse_id, read_expected(session), bays_max=bays_max))
    chosen = think(problem.racks)
    return int(
        system_call(
            db,
            clock,
            warehouse_id,
            lambda call: propose(call, problem, chosen),
            request_id=new_id(),
            actor=actor,
        )
    )
