"""The dispatch dialogues: pack check with its label, weighing, handover."""

from __future__ import annotations

from wms.shipping.dialogue.handover import HANDOVER
from wms.shipping.dialogue.pack import PACK

__all__ = ["HANDOVER", "PACK"]
