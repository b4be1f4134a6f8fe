"""The plates of slots that a bay is about to get."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from wms.printing.values import SlotLabel
from wms.site.racks import rack, slot_codes
from wms.slotting.division_plan import profile_of
from wms.slotting.tables import BayDivision


def plates(session: Session, warehouse_id: int, division_id: int) -> list[SlotLabel]:
    """A plate for each new slot of a bay, level by level; none for a division that is not there any more.

    They are printed while the parts are changed, so before the slots are there.
    """
    row = session.scalars(
        select(BayDivision).where(BayDivision.warehouse_id == warehouse_id, BayDivision.id == division_id)
    ).one_or_none()
    if row is None or row.state not in ("changing", "labelling"):
        return []
    found, profile = rack(session, warehouse_id, row.bay_id), profile_of(row)
    return [
        SlotLabel(code, found.zone_name, level, profile.levels, profile.weight_max_g // 1_000, "up")
        for level, code in slot_codes(found, profile)
    ]
