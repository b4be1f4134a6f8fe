"""After something was closed or opened: promises and walks follow, in short steps, so that nobody's scan waits.

Safe to repeat and to go on with after a stop: each step looks at what is left to do.
"""

from __future__ import annotations

import structlog

from wms.core.call import Who
from wms.core.clock import Clock
from wms.core.db import Database
from wms.core.refusal import Refused
from wms.exchange.waves import House, bites
from wms.picking.service import closures

ORDERS_A_STEP = 8

log = structlog.get_logger(__name__)


def follow(db: Database, clock: Clock, warehouse_id: int) -> int:
    """Orders out of reach get their goods from elsewhere where there are any; then walks nobody began are laid out
    anew. How many of those changed.

    A walk that cannot be laid out stays as it is and says so in the log; its picker is led around at his first scan.
    """
    house = House(db, clock, Who("system", warehouse_id))
    cut_off = db.read(lambda session: closures.orders_cut_off(session, warehouse_id))
    for ids in bites(cut_off, ORDERS_A_STEP):
        house.act(lambda call, ids=ids: closures.promise_elsewhere(call, ids))  # type: ignore[misc]
    batch_ids = db.read(lambda session: closures.stale_batches(session, warehouse_id))
    return sum(_laid_out(house, batch_id) for batch_id in batch_ids)


def _laid_out(house: House, batch_id: int) -> bool:
    try:
        return house.act(lambda call: closures.lay_out_open(call, batch_id)) is not None
    except Refused as no:
        log.warning("batch.not_laid_out", batch=batch_id, reason=no.reason.value, facts=no.facts)
        return False
