"""What work and room cost in a warehouse, and how high heavy goods are lifted: said by its manager, the usual until
then.
"""

from __future__ import annotations

from dataclasses import asdict

from wms.core.call import Call
from wms.core.db.tables import table_of
from wms.core.refusal import Reason, Refused
from wms.core.sql import insert_for
from wms.slotting.gains import Rates
from wms.slotting.tables import CostRate, LiftRule
from wms.slotting.values import Lift

RATE_MAX = 1_000_000


def set_rates(call: Call, rates: Rates) -> None:
    """From now on all figures, also of days gone, are reckoned with these. Raises BAD_INPUT."""
    given = asdict(rates)
    for name, value in given.items():
        if not 0 <= value <= RATE_MAX:
            raise Refused(Reason.BAD_INPUT, what=name)
    if rates.walk_mm_s == 0:
        raise Refused(Reason.BAD_INPUT, what="walk_mm_s")
    fresh = insert_for(call.session, table_of(CostRate)).values(warehouse_id=call.warehouse_id, **given)
    call.session.execute(fresh.on_conflict_do_update(index_elements=["warehouse_id"], set_=given))


def set_lift(call: Call, lift: Lift) -> None:
    """From now on heavy goods are lifted so high and no higher; what lies higher stays there. Raises BAD_INPUT."""
    given = asdict(lift)
    for name, value in given.items():
        if not 1 <= value <= RATE_MAX:
            raise Refused(Reason.BAD_INPUT, what=name)
    fresh = insert_for(call.session, table_of(LiftRule)).values(warehouse_id=call.warehouse_id, **given)
    call.session.execute(fresh.on_conflict_do_update(index_elements=["warehouse_id"], set_=given))
