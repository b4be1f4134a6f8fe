"""Between the moves that empty a bay and the bay itself: when the last is over, dividing it goes on the board."""

from __future__ import annotations

from sqlalchemy import select

from wms.core.call import Call
from wms.site.tables import Aisle, Bay
from wms.slotting.tables import BayDivision, MoveProposal
from wms.work import service as work
from wms.work.values import PRIORITY_LAST

DIVIDE_TASK = "bay_divide"


def subject_of(division_id: int) -> str:
    """The name under which a bay's slots are kept, and its task is on the board."""
    return f"division:{division_id}"


def ask_to_divide(call: Call, division_id: int) -> None:
    """Put the bay on the board when nobody carries goods out of it any more. Its division's row is the caller's."""
    moves = select(MoveProposal.id).where(
        MoveProposal.division_id == division_id, MoveProposal.state.in_(("proposed", "accepted"))
    )
    if call.session.scalars(moves.limit(1)).first() is not None:
        return
    row = call.session.get_one(BayDivision, division_id, populate_existing=True)
    if row.state != "accepted":
        return
    zone_id = call.session.execute(
        select(Aisle.zone_id).join(Bay, Bay.aisle_id == Aisle.id).where(Bay.id == row.bay_id)
    ).scalar_one()
    row.task_id = work.create(
        call, DIVIDE_TASK, subject_of(division_id), priority=PRIORITY_LAST, zone_id=zone_id, division=division_id
    )
    call.session.flush()
