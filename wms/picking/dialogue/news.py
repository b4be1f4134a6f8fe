"""What changed about a walk since its person last heard: orders that were stopped, aisles closed or opened."""

from __future__ import annotations

from wms.core.dialogue import Message, Turn
from wms.picking import service
from wms.picking.dialogue import messages
from wms.picking.rules.walking import At, Where

_AT_THE_SLOT = (At.SKU, At.QUANTITY, At.TOTE, At.SHORT)


def news_of(turn: Turn, step: At, before: Where) -> Message | None:
    """Bring the walk up to date, before its scan is judged; what to tell, None when nothing changed."""
    batch_id = int(turn.state["batch"])
    dropped = service.drop_stopped(turn.call, batch_id)
    change = service.lay_out_again(turn.call, batch_id, before.pick_id, there=step in _AT_THE_SLOT)
    left = service.leave_behind(turn.call, batch_id) if change is not None or step is At.CART else 0
    if dropped:
        return messages.stopped(turn, dropped)
    return None if change is None else messages.rerouted(turn, change, left)
