"""The sort plan for screens: what was proposed, and which chutes wait for their bag to be changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from wms.sorting.rules import group_of
from wms.sorting.tables import SortPlanRow, SortRule, SortSwitch
from wms.sorting.values import HubRow, Plan, PlanWorth


@dataclass(frozen=True, slots=True)
class Proposed:
    """A sort plan that nobody has decided yet. `closed`: chutes it does without although they are open."""

    id: int
    made_at: datetime
    closed: tuple[int, ...]
    rows: tuple[HubRow, ...]
    before: PlanWorth
    after: PlanWorth
    optimal: bool

    @property
    def changes(self) -> tuple[HubRow, ...]:
        """The hubs whose chutes it changes."""
        return tuple(row for row in self.rows if row.before != row.after)


def proposed_plan(session: Session, warehouse_id: int) -> Proposed | None:
    """The newest open proposal."""
    row = session.scalars(
        select(SortPlanRow)
        .where(SortPlanRow.warehouse_id == warehouse_id, SortPlanRow.state == "proposed")
        .order_by(SortPlanRow.id.desc())
        .limit(1)
    ).one_or_none()
    if row is None:
        return None
    told = row.proposal
    rows = tuple(
        HubRow(one["courier"], one["hub"], one["parcels"], tuple(one["before"]), tuple(one["after"]))
        for one in told["rows"]
    )
    before, after = PlanWorth(**told["before"]), PlanWorth(**told["after"])
    return Proposed(row.id, row.made_at, tuple(row.closed["chutes"]), rows, before, after, bool(told["optimal"]))


def waiting_switches(session: Session, warehouse_id: int) -> Mapping[int, str]:
    """The hub each chute goes to with its next bag; "" where it becomes spare."""
    rows = session.execute(
        select(SortSwitch.chute, SortSwitch.hub)
        .where(SortSwitch.warehouse_id == warehouse_id)
        .order_by(SortSwitch.chute)
    )
    return {row.chute: row.hub for row in rows}


def running_plan(session: Session, warehouse_id: int) -> Plan:
    """What each hub's parcels are told now."""
    rows = session.execute(
        select(SortRule.courier, SortRule.hub, SortRule.chutes)
        .where(SortRule.warehouse_id == warehouse_id)
        .order_by(SortRule.courier, SortRule.hub)
    )
    return {(row.courier, row.hub): tuple(sorted(group_of(row.chutes))) for row in rows}
