"""Every dialogue of the house, by name, in the order of the menu."""

from __future__ import annotations

from functools import cache

from wms.core.dialogue import Dialogue
from wms.counting.dialogue import COUNT
from wms.handheld.look_up import LOOK_UP_DIALOGUE
from wms.inbound.dialogue import PUTAWAY, RECEIVE
from wms.picking.dialogue import CLUSTER_PICK, STOPPED_ORDER
from wms.shipping.dialogue import HANDOVER, PACK
from wms.slotting.dialogue import BAY_DIVIDE, REPLENISH, SLOT_MOVE
from wms.sorting.dialogue import LINE_ASSIST

LOOK_UP = "look_up"

DIALOGUES: dict[str, Dialogue] = {
    dialogue.name: dialogue
    for dialogue in (
        CLUSTER_PICK,
        RECEIVE,
        PUTAWAY,
        REPLENISH,
        SLOT_MOVE,
        BAY_DIVIDE,
        STOPPED_ORDER,
        PACK,
        LINE_ASSIST,
        HANDOVER,
        COUNT,
        LOOK_UP_DIALOGUE,
    )
}


@cache
def by_task_kind() -> dict[str, Dialogue]:
    """Task kind -> the dialogue that does it."""
    return {dialogue.takes: dialogue for dialogue in DIALOGUES.values() if dialogue.takes}
