"""Stock that was promised to an order and is not needed any more goes back to all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, select, update

from wms.core.call import Call
from wms.core.db.tables import table_of
from wms.ledger import service as ledger
from wms.ledger.following import settled
from wms.ledger.tables import Hold
from wms.ledger.values import Purpose
from wms.outbound.tables import OrderLine

_lines = table_of(OrderLine)
_holds = table_of(Hold)

_open_holds = (
    select(_holds.c.id, _holds.c.stock_id, _holds.c.quantity, _holds.c.reference_id)
    .join(_lines, _lines.c.id == _holds.c.reference_id)
    .where(
        _lines.c.order_id == bindparam("o"),
        _holds.c.purpose == Purpose.ORDER_LINE.value,
        _holds.c.quantity > 0,
    )
    .order_by(_holds.c.stock_id, _holds.c.id)
)
_less = update(_lines).where(_lines.c.id == bindparam("line")).values(allocated=_lines.c.allocated - bindparam("less"))


def _read(call: Call, order_id: int) -> Sequence[Any]:
    return call.session.execute(_open_holds, {"o": order_id}).all()


def give_back(call: Call, order_id: int) -> int:
    """Release whatever is still promised to the order; how many pieces that was. Stock ids ascending, as always."""
    rows = settled(call, lambda: _read(call, order_id), lambda row: int(row.stock_id))
    per_line: dict[int, int] = {}
    for row in rows:
        per_line[row.reference_id] = per_line.get(row.reference_id, 0) + row.quantity
    if per_line:
        call.session.execute(_less, [{"line": line, "less": n} for line, n in sorted(per_line.items())])
    for row in rows:
        ledger.release(call, row.id, row.stock_id, row.quantity)
    return sum(per_line.values())
