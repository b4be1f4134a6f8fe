"""Each day in figures: how full the racks were, what was walked for what was picked, what moves cost.

Taken by the house itself once a day is over; days it missed are made up for, as far as the stock book tells. What
belongs to a day is decided by the clock that hangs in the building.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from itertools import pairwise

import numpy as np
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from wms.core.call import Call
from wms.core.clock import Clock
from wms.core.db import Database
from wms.core.db.tables import table_of
from wms.core.ids import new_id
from wms.core.perform import system_call
from wms.core.sql import insert_for
from wms.ledger.tables import MovementRow, Stock
from wms.optimise.geometry import Point
from wms.optimise.twin import Stops, tour_lengths_mm
from wms.site import queries as site
from wms.site.tables import Slot
from wms.site.values import HallFacts, WarehouseFacts
from wms.slotting.past import Pick, read_picks, walks_of
from wms.slotting.picture import Picture, picture_of
from wms.slotting.queries import Capacity, capacity, has_slots
from wms.slotting.rules import Slots, more_skus
from wms.slotting.tables import MoveProposal, SlotDay

DAYS_BACK = 84
DAYS_A_TIME = 14
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Walked:
    """What was picked in a day: lines, walks, their shortest length, and the seconds from each one's first to last
    pick.
    """

    lines: int
    tours: int
    metres: int
    seconds: int


def take_days(db: Database, clock: Clock) -> int:
    """Every day that is over and was not taken, the newest first, some at a time; how many were taken."""
    taken = 0
    for here in db.read(site.warehouses):
        for day in db.read(partial(_missing_days, here, clock.now())):
            row = db.read(partial(_measured, here, day, clock.now()))
            system_call(db, clock, here.id, partial(_keep, row=row), request_id=new_id())
            taken += 1
    return taken


def _missing_days(here: WarehouseFacts, now: datetime, session: Session) -> list[date]:
    """Days over since goods were first moved, without those that are there; of houses that have racks."""
    first = session.scalars(
        select(MovementRow.at).where(MovementRow.warehouse_id == here.id).order_by(MovementRow.at).limit(1)
    ).first()
    if first is None or not has_slots(session, here.id):
        return []
    yesterday = here.local(now).date() - DAY
    oldest = max(here.local(first).date(), yesterday - DAY * (DAYS_BACK - 1))
    known = set(session.scalars(select(SlotDay.day).where(SlotDay.warehouse_id == here.id, SlotDay.day >= oldest)))
    days = (yesterday - DAY * back for back in range((yesterday - oldest).days + 1))
    return [day for day in days if day not in known][:DAYS_A_TIME]


def bounds(here: WarehouseFacts, day: date) -> tuple[datetime, datetime]:
    """When a day begins and ends on the building's clock, in UTC."""
    begin, end = (datetime.combine(each, time(0), here.zone).astimezone(UTC) for each in (day, day + DAY))
    return begin, end


def _measured(here: WarehouseFacts, day: date, now: datetime, session: Session) -> dict[str, object]:
    begin, end = bounds(here, day)
    hall, picture = site.hall(session, here.id), picture_of(session, here.id, fresh=True)
    walked = walked_in(hall, picture, read_picks(session, here.id, end, end - begin))
    moves = session.execute(
        select(func.count(), func.coalesce(func.sum(MoveProposal.cost_m), 0)).where(
            MoveProposal.warehouse_id == here.id,
            MoveProposal.state == "done",
            MoveProposal.closed_at >= begin,
            MoveProposal.closed_at < end,
        )
    ).one()
    figures: dict[str, object] = {
        "day": day,
        "taken_at": now,
        "area_m2": area_m2(hall.outline),
        "lines": walked.lines,
        "tours": walked.tours,
        "walked_m": walked.metres,
        "worked_s": walked.seconds,
        "moves": int(moves[0]),
        "moved_m": int(moves[1]),
    }
    return figures | (_capacity(session, here.id, picture) if now - end < DAY else {})


def _capacity(session: Session, warehouse_id: int, picture: Picture) -> dict[str, object]:
    room: Capacity = capacity(session, warehouse_id)
    skus = (
        select(func.count(func.distinct(Stock.sku_id)))
        .join(Slot, Slot.place_id == Stock.place_id)
        .where(Stock.warehouse_id == warehouse_id, Stock.on_hand > 0)
    )
    return {
        "slots": room.slots,
        "filled": room.filled,
        "volume_l": room.volume_l,
        "used_l": room.used_l,
        "skus": int(session.scalars(skus).one()),
        "more_skus": more_skus(picture.slots, picture.occupied((), {})),
    }


def walked_in(hall: HallFacts, picture: Picture, picks: Sequence[Pick]) -> Walked:
    """Picks as walks. Those from slots that are gone count as lines, and nobody knows any more how far they were."""
    there = [(pick, picture.index[pick.place_id]) for pick in picks if pick.place_id in picture.index]
    walks = walks_of(there)
    slots: Slots = picture.slots
    stops = Stops(walks.tour, slots.aisle[walks.sku], slots.y_mm[walks.sku], walks.tours)
    metres = int(tour_lengths_mm(hall.hall, stops).sum()) // 1000 if walks.tours else 0
    return Walked(len(picks), walks.tours, metres, _seconds(there, walks.tour.tolist()))


def _seconds(there: Sequence[tuple[Pick, int]], tour: Sequence[int]) -> int:
    """From the first to the last pick of each walk, in the order in which `walks_of` numbers them."""
    by_actor: dict[str, list[datetime]] = {}
    for pick, _ in there:
        by_actor.setdefault(pick.actor, []).append(pick.at)
    moments = [at for _, times in sorted(by_actor.items()) for at in sorted(times)]
    inside = (
        (later - earlier).total_seconds()
        for (one, earlier), (other, later) in pairwise(zip(tour, moments, strict=True))
        if one == other
    )
    return round(sum(inside))


def area_m2(outline: Sequence[Point]) -> int:
    """The floor within the walls (shoelace)."""
    if not outline:
        return 0
    x = np.array([corner.x_mm for corner in outline], dtype=np.float64)
    y = np.array([corner.y_mm for corner in outline], dtype=np.float64)
    return round(abs(float((x * np.roll(y, -1) - np.roll(x, -1) * y).sum())) / 2e6)


def _keep(call: Call, row: dict[str, object]) -> None:
    """Whoever of several servers comes first writes the day."""
    table = table_of(SlotDay)
    fresh = insert_for(call.session, table).values(warehouse_id=call.warehouse_id, **row)
    call.session.execute(fresh.on_conflict_do_nothing(index_elements=["warehouse_id", "day"]))
    call.wakes.add("live")
