"""Every dialogue of the house, by name, in the order of the menu."""

from __future__ import annotations

from functools import cache

from wms.core.dialogue import Dialogue
from wms.handheld.look_up import LOOK_UP_DIALOGUE

LOOK_UP = "look_up"

DIALOGUES: dict[str, Dialogue] = {dialogue.name: dialogue for dialogue in (LOOK_UP_DIALOGUE,)}


@cache
def by_task_kind() -> dict[str, Dialogue]:
    """Task kind -> the dialogue that does it."""
    return {dialogue.takes: dialogue for dialogue in DIALOGUES.values() if dialogue.takes}
