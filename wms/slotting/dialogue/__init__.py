"""S4: goods carried to where they lie better, and bays divided anew."""

from __future__ import annotations

from wms.slotting.dialogue.dividing import BAY, BAY_DIVIDE, CHANGE, LABEL
from wms.slotting.dialogue.moving import ITEM, SLOT_MOVE, SOURCE, TARGET

__all__ = ["BAY", "BAY_DIVIDE", "CHANGE", "ITEM", "LABEL", "SLOT_MOVE", "SOURCE", "TARGET"]
