"""Waybill numbers: the park's own ranges (号段) are the first source, couriers' services come beside them later."""

from __future__ import annotations

from sqlalchemy import bindparam, or_, select, update

from wms.core.audit_trail import note
from wms.core.call import Call
from wms.core.db.tables import table_of
from wms.core.outbox import announce
from wms.core.refusal import Reason, Refused
from wms.core.sql import touched
from wms.shipping.tables import Waybill, WaybillPool
from wms.shipping.values import Label, ParcelToLabel

_pool = table_of(WaybillPool)
_waybill = table_of(Waybill)
POOLS_MAX = 100

_range = _pool.alias()
_fitting = (
    select(_range.c.id)
    .where(
        _range.c.warehouse_id == bindparam("w"),
        _range.c.courier == bindparam("of"),
        or_(_range.c.merchant_id.is_(None), _range.c.merchant_id == bindparam("m")),
        _range.c.next <= _range.c.last,
    )
    .order_by(_range.c.merchant_id.is_(None), _range.c.first)
    .limit(1)
)
_take = (
    update(_pool)
    .where(_pool.c.id == _fitting.scalar_subquery(), _pool.c.next <= _pool.c.last)
    .values(next=_pool.c.next + 1)
    .returning(_pool.c.id, _pool.c.next, _pool.c.last, _pool.c.low_mark, _pool.c.prefix, _pool.c.digits)
)


class PoolSource:
    """The next number of the merchant's own range, else of the park's, taken in the caller's transaction.

    One guarded statement: two packers never get one number, and a rollback gives it back, so there are no gaps.
    """

    name = "pool"

    def take(self, call: Call, parcel: ParcelToLabel) -> Label:
        """The next number. Raises WAYBILL_POOL_EMPTY."""
        values = {"w": call.warehouse_id, "of": parcel.courier, "m": parcel.merchant_id}
        row = call.session.execute(_take, values).one_or_none()
        tries = 1
        # Another packer may have taken the last number of a range while we waited for its row: look at the next range.
        while row is None and tries < POOLS_MAX and call.session.execute(_fitting, values).first() is not None:
            row = call.session.execute(_take, values).one_or_none()
            tries += 1
        if row is None:
            raise Refused(Reason.WAYBILL_POOL_EMPTY, courier=parcel.courier)
        number = row.next - 1
        if row.last - number == row.low_mark:
            announce(call, "waybills.low", f"pool:{row.id}", courier=parcel.courier, left=row.last - number)
        return Label(f"{row.prefix}{number:0{row.digits}d}", self.name)

    def void(self, call: Call, courier: str, number: str) -> None:
        """Mark the number as given back (取消面单)."""
        here = (_waybill.c.warehouse_id == call.warehouse_id, _waybill.c.courier == courier)
        void = update(_waybill).where(*here, _waybill.c.number == number, _waybill.c.state != "void")
        if touched(call.session, void.values(state="void", voided_at=call.now), {}):
            note(call, "waybill.void", courier=courier, number=number)
