"""What a running house does by itself: names lost parcels, mends plans that were broken off, opens aisles that were
closed until now, learns how fast goods go and people walk, proposes moves, keeps pick faces filled, takes each day in
figures, judges its forecasts, forgets what is old, audits.

Each job is safe to repeat and safe in several servers at once. None of them repairs stock.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import structlog
from sqlalchemy.orm import Session

from wms.auditing import PROMISES, breaks_of, breaks_since
from wms.core import retention, start_checks
from wms.core.call import Call
from wms.core.clock import Clock, WallClock
from wms.core.db import Database
from wms.core.db.figures import learn_figures
from wms.core.ids import new_id
from wms.core.jobs import Job
from wms.core.perform import system_call
from wms.core.promises import Broken, Promise
from wms.core.start_checks import Weakness
from wms.core.tables import FileMark
from wms.exchange.waves import mend_plans
from wms.ledger import summing
from wms.ledger.findings import note_broken
from wms.ledger.queries import last_booked_at
from wms.outbound.service.refills import plan_refills
from wms.picking.service.pace import learn_pace
from wms.settings import Settings
from wms.site.closing import open_due
from wms.site.queries import warehouses
from wms.slotting.apart import solve_apart
from wms.slotting.foresight import judge
from wms.slotting.levels import reckon_at_night
from wms.slotting.measuring import take_days
from wms.slotting.planning import plan_at_night
from wms.slotting.service import learn_velocity
from wms.sorting.service import find_lost

LOST_EVERY_S = 30.0
PLANS_EVERY_S = 15.0
CLOSURES_EVERY_S = 15.0
AUDIT_EVERY_S = 60.0
NIGHT_EVERY_S = 600.0
VELOCITY_EVERY_S = 3_600.0
PACE_EVERY_S = 3_600.0
FORGET_EVERY_S = 600.0
FOLD_EVERY_S = 2.0
FIGURES_EVERY_S = 60.0
GROUND_EVERY_S = 60.0
MOVES_EVERY_S = 600.0
LEVELS_EVERY_S = 600.0
REFILLS_EVERY_S = 60.0
DAYS_EVERY_S = 600.0
FORECASTS_EVERY_S = 1_800.0
NIGHT_HOURS = range(2, 5)
ONE_NIGHT = timedelta(hours=12)
MISSED_AFTER = timedelta(hours=30)
FULL_AUDIT = "full_audit"
WALL = WallClock()

log = structlog.get_logger(__name__)


def upkeep(db: Database, clock: Clock, settings: Settings) -> list[Job]:
    """The jobs of a running house. The line's gateways live by the wall clock, goods and requests by the business's."""
    return [
        Job("lost_parcels", LOST_EVERY_S, partial(_in_each_warehouse, db, WALL, find_lost)),
        Job("plans", PLANS_EVERY_S, partial(mend_plans_everywhere, db, clock)),
        Job("closures", CLOSURES_EVERY_S, partial(_in_each_warehouse, db, clock, open_due)),
        Job("velocity", VELOCITY_EVERY_S, partial(_in_each_warehouse, db, clock, learn_velocity)),
        Job("pace", PACE_EVERY_S, partial(_in_each_warehouse, db, clock, learn_pace)),
        Job("moves", MOVES_EVERY_S, partial(plan_at_night, db, clock, solve_apart)),
        Job("levels", LEVELS_EVERY_S, partial(reckon_at_night, db, clock)),
        Job("refills", REFILLS_EVERY_S, partial(_in_each_warehouse, db, clock, plan_refills)),
        Job("days", DAYS_EVERY_S, partial(take_days, db, clock)),
        Job("forecasts", FORECASTS_EVERY_S, partial(judge, db, clock)),
        Job("log", FOLD_EVERY_S, db.fold_log),
        Job("figures", FIGURES_EVERY_S, partial(learn_figures, db)),
        Job("ground", GROUND_EVERY_S, partial(look_at_the_ground, db, clock, settings)),
        Job("forget", FORGET_EVERY_S, partial(forget, db, clock)),
        Job("audit", AUDIT_EVERY_S, partial(audit_what_changed, db, clock)),
        Job("audit_at_night", NIGHT_EVERY_S, partial(audit_at_night, db, clock)),
    ]


def mend_plans_everywhere(db: Database, clock: Clock) -> list[str]:
    """Plans of waves that a stopped server left behind: given up, or their release gone on with; the waves' numbers."""
    return [no for warehouse_id in _warehouse_ids(db) for no in mend_plans(db, clock, warehouse_id)]


def _in_each_warehouse(db: Database, clock: Clock, work: Callable[[Call], Any]) -> None:
    for warehouse_id in _warehouse_ids(db):
        system_call(db, clock, warehouse_id, work, request_id=new_id())


def _warehouse_ids(db: Database) -> list[int]:
    return [one.id for one in db.read(warehouses)]


def forget(db: Database, clock: Clock) -> None:
    """One bounded bite of old requests and of delivered facts."""
    requests = db.transact(lambda session: retention.forget_requests(session, clock.now()))
    sent = db.transact(lambda session: retention.forget_sent(session, WALL.now()))
    if requests or sent:
        log.info("retention.forgot", requests=requests, sent=sent)


def look_at_the_ground(db: Database, clock: Clock, settings: Settings) -> list[Weakness]:
    """What the house stands on, written down for the terminal when it is news: a clock may be set back any time."""
    found = start_checks.weaknesses(start_checks.ground_of(db), clock.now(), db.read(last_booked_at))
    if settings.allow_http and not settings.tls:
        found.append(Weakness("plain_http"))
    if found != db.read(start_checks.written_down):
        db.transact(lambda session: start_checks.write_down(session, found))
    return found


def audit_what_changed(db: Database, clock: Clock) -> int:
    """Ask of what movements since the last time have touched, write down and freeze; how many breaks were new."""
    mark = db.read(summing.summed).mark
    new = _write_down(db, clock, lambda promise: breaks_since(db, promise, mark))
    upto = db.transact(summing.settled)
    for _bite in range(summing.BITES_MAX):
        if not db.transact(lambda session: summing.add_up(session, upto)):
            break
    return new


def audit_at_night(db: Database, clock: Clock) -> int:
    """The full audit, once a night by the first house's own clock, or when a night was missed."""
    here = next(iter(db.read(warehouses)), None)
    if here is None or not _is_due(db.read(_last_full), clock.now(), here.local(clock.now()).hour):
        return 0
    new = audit(db, clock)
    done = FileMark(name=FULL_AUDIT, value=clock.now().isoformat())
    db.transact(lambda session: session.merge(done))
    return new


def _last_full(session: Session) -> datetime | None:
    mark = session.get(FileMark, FULL_AUDIT)
    return datetime.fromisoformat(mark.value) if mark is not None else None


def _is_due(last: datetime | None, now: datetime, local_hour: int) -> bool:
    if last is None:
        return True
    age = now - last
    return age > MISSED_AFTER or (local_hour in NIGHT_HOURS and age > ONE_NIGHT)


def audit(db: Database, clock: Clock) -> int:
    """Ask every promise of every row; write down and freeze what is broken; how many breaks were new."""
    return _write_down(db, clock, lambda promise: breaks_of(db, promise))


def _write_down(db: Database, clock: Clock, ask: Callable[[Promise], list[Broken]]) -> int:
    """A break must be seen twice, since another transaction may commit between two questions of one promise."""
    home_id = next(iter(_warehouse_ids(db)), None)
    if home_id is None:
        return 0
    return sum(
        _note(db, clock, promise, broken, broken.warehouse_id or home_id)
        for promise in PROMISES
        for broken in _seen_twice(promise, ask)
    )


def _seen_twice(promise: Promise, ask: Callable[[Promise], list[Broken]]) -> list[Broken]:
    first = set(ask(promise))
    return [broken for broken in ask(promise) if broken in first] if first else []


def _note(db: Database, clock: Clock, promise: Promise, broken: Broken, warehouse_id: int) -> bool:
    log.error("promise.broken", promise=promise.name, subject=broken.subject, facts=broken.facts)
    return bool(
        system_call(
            db, clock, warehouse_id, lambda call: note_broken(call, promise, broken), request_id=new_id(), actor="audit"
        )
    )
