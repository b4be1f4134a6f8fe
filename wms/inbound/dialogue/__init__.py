"""The dock's dialogues."""

from __future__ import annotations

from wms.inbound.dialogue.putaway import PUTAWAY
from wms.inbound.dialogue.receive import RECEIVE

__all__ = ["PUTAWAY", "RECEIVE"]
