"""Forward pick and reserve: which slots a hand reaches from the floor, and the rule a warehouse has for it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from wms.core.audit_trail import note
from wms.core.call import Call
from wms.core.db.tables import table_of
from wms.core.refusal import Reason, Refused
from wms.core.sql import insert_for
from wms.site.rules import BEAM_MM
from wms.site.tables import Slot
from wms.slotting.refill_rules import REACH_MM, Rule
from wms.slotting.tables import RefillRule

REACH_MM_MAX = 10_000
DAYS_MOST = 60
LINES_MOST = 10_000

_rule = table_of(RefillRule)
_slot = table_of(Slot)


def in_reach(warehouse_id: Any) -> Any:
    """The condition on a slot: its floor lies no higher than the warehouse's reach. Levels are as high as its own."""
    reach = select(_rule.c.reach_mm).where(_rule.c.warehouse_id == warehouse_id).scalar_subquery()
    return (_slot.c.level - 1) * (_slot.c.height_mm + BEAM_MM) <= func.coalesce(reach, REACH_MM)


def rule_of(session: Session, warehouse_id: int) -> Rule:
    """The warehouse's rule; the usual one where nobody has said."""
    row = session.get(RefillRule, warehouse_id)
    return Rule() if row is None else Rule(row.reach_mm, row.lines_a_week, row.days_min, row.days_max)


def locked_rule(call: Call) -> RefillRule:
    """The rule's row, kept until the commit: one plan of refills at a time."""
    usual = Rule()
    row = {
        "warehouse_id": call.warehouse_id,
        "reach_mm": usual.reach_mm,
        "lines_a_week": usual.lines_a_week,
        "days_min": usual.days_min,
        "days_max": usual.days_max,
    }
    call.session.execute(insert_for(call.session, _rule).values(**row).on_conflict_do_nothing())
    query = select(RefillRule).where(RefillRule.warehouse_id == call.warehouse_id).with_for_update()
    return call.session.scalars(query, execution_options={"populate_existing": True}).one()


def set_rule(call: Call, wanted: Rule) -> None:
    """Another reach, other days of demand. Levels follow at once, refills under way stay. Raises BAD_INPUT."""
    if not 0 <= wanted.reach_mm <= REACH_MM_MAX:
        raise Refused(Reason.BAD_INPUT, what="reach_mm")
    if not 1 <= wanted.lines_a_week <= LINES_MOST:
        raise Refused(Reason.BAD_INPUT, what="lines_a_week")
    if not 0 < wanted.days_min < wanted.days_max <= DAYS_MOST:
        raise Refused(Reason.BAD_INPUT, what="days_min, days_max")
    row = locked_rule(call)
    row.reach_mm, row.lines_a_week = wanted.reach_mm, wanted.lines_a_week
    row.days_min, row.days_max = wanted.days_min, wanted.days_max
    row.levels_at = None
    call.session.flush()
    note(call, "refills.rule", reach_mm=wanted.reach_mm, days_min=wanted.days_min, days_max=wanted.days_max)
