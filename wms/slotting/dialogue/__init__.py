"""S4 and S5: goods carried to where they lie better, bays divided anew, pick faces refilled from reserve."""

from __future__ import annotations

from wms.slotting.dialogue.dividing import BAY, BAY_DIVIDE, CHANGE, LABEL
from wms.slotting.dialogue.moving import ITEM, SLOT_MOVE, SOURCE, TARGET
from wms.slotting.dialogue.refilling import REPLENISH

__all__ = ["BAY", "BAY_DIVIDE", "CHANGE", "ITEM", "LABEL", "REPLENISH", "SLOT_MOVE", "SOURCE", "TARGET"]
